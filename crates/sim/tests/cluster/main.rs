//! A simulated cluster behaves as a real one, and tells when it does not.

#[path = "../common/mod.rs"]
mod common;
mod pair;

use std::time::Duration;

use steadfast_sim as sim;

use config::Severity;
use model::{IfName, Prefix};
use sim::{Act, Cluster, HostId, HostPlan, Interface, LanId, Quality};

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
        let addresses = vec![Prefix::new([192, 0, 2, number + 1].into(), 24).unwrap()];
        let interfaces = vec![Interface { name: eth(), lan, addresses }];
        let name = char::from(b'a' + number).to_string();
        hosts.push(cluster.add_host(HostPlan {
            name,
            config: common::read(text, Severity::Note),
            interfaces,
        }));
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
