//! A simulated cluster behaves as a real one, and tells when it does not.

mod pair;

use std::io;
use std::sync::Arc;
use std::time::Duration;

use steadfast_sim as sim;

use model::vrrp::Config;
use model::{IfName, Prefix};
use sim::{Act, Cluster, HostId, HostPlan, Interface, LanId, Quality};

/// A file that is only a text.
struct Text<'a>(&'a str);

impl config::SourceProvider for Text<'_> {
    fn read(&self, _path: &str) -> io::Result<Vec<u8>> {
        Ok(self.0.as_bytes().to_vec())
    }
}

/// What the front end makes of a text.
fn read(text: &str) -> Arc<Config> {
    let mut loaded = config::load(&Text(text), "keepalived.conf");
    // What this release does not act on does not matter here.
    loaded.judge_language();
    let wrong: Vec<_> =
        loaded.diagnostics.iter().filter(|one| one.severity > config::Severity::Note).collect();
    assert!(wrong.is_empty(), "{wrong:?}");
    Arc::new(loaded.config.vrrp)
}

fn eth() -> IfName {
    "eth0".parse().unwrap()
}

/// Hosts `a`, `b`, … with these configurations on one LAN, as 192.0.2.1, .2, …; none runs yet.
fn cluster(seed: u64, texts: &[&str]) -> (Cluster, LanId, Vec<HostId>) {
    let mut cluster = Cluster::new(seed);
    let lan = cluster.add_lan("lan", Quality::GOOD);
    let mut hosts = Vec::new();
    for (number, text) in texts.iter().enumerate() {
        let number = u8::try_from(number).unwrap();
        let address = Prefix::new([192, 0, 2, number + 1].into(), 24).ok();
        let interfaces = vec![Interface { name: eth(), lan, address }];
        let name = char::from(b'a' + number).to_string();
        hosts.push(cluster.add_host(HostPlan { name, config: read(text), interfaces }));
    }
    (cluster, lan, hosts)
}

fn started(seed: u64, texts: &[&str]) -> (Cluster, LanId, Vec<HostId>) {
    let (mut cluster, lan, hosts) = cluster(seed, texts);
    for host in &hosts {
        cluster.apply(&Act::Start(*host));
    }
    cluster.run_for(Duration::from_secs(20));
    (cluster, lan, hosts)
}

/// Nothing was broken; the story tells what happened if something was.
fn well(cluster: &Cluster) {
    assert!(cluster.violations().is_empty(), "{:#?}\n{}", cluster.violations(), cluster.told());
}
