//! The files of a cluster beside each other: a folder `fixtures/cluster/NAME` with the file of each host, and with `findings.txt` if they do
//! not fit. With `STEADFAST_BLESS=1` in the environment the expectation is written anew; look at the difference before you keep it.

use std::path::Path;
use std::{fs, io};

use steadfast_config as config;

use config::render::{self, Colour};
use config::{Diagnostic, Loaded, Options, SourceMap, SourceProvider, cluster};

use common::Files;

mod common;

fn names(folder: &Path, extension: &str) -> Vec<String> {
    let mut names: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.ends_with(extension))
        .collect();
    names.sort();
    names
}

/// Loads all into one map.
fn load(provider: &dyn SourceProvider, names: &[String]) -> (Vec<Loaded>, SourceMap) {
    let (mut hosts, mut sources) = (Vec::new(), SourceMap::default());
    for name in names {
        let mut loaded =
            config::load_outlined(provider, name, &Options::default(), std::mem::take(&mut sources));
        sources = std::mem::take(&mut loaded.sources);
        hosts.push(loaded);
    }
    (hosts, sources)
}

fn check(hosts: &[Loaded], names: &[String]) -> Vec<Diagnostic> {
    let hosts: Vec<_> =
        names.iter().zip(hosts).map(|(name, loaded)| cluster::Host { name, loaded }).collect();
    cluster::check(&hosts)
}

#[test]
fn what_does_not_fit_is_found() {
    let folder = common::folder("cluster");
    for name in names(&folder, "") {
        let folder = folder.join(name);
        let names = names(&folder, ".conf");
        let (hosts, sources) = load(&Files(folder.clone()), &names);
        let mut said = String::new();
        for finding in check(&hosts, &names) {
            let full = render::full(&finding, &sources, Colour::Off);
            assert!(!full.contains("sesame"), "{full}");
            said += &full;
            said += "\n\n";
        }
        common::compare(&folder.join("findings.txt"), &said);
    }
}

#[test]
fn a_thousand_routers_on_four_hosts_are_quick() {
    use std::fmt::Write as _;
    struct Many;
    impl SourceProvider for Many {
        fn read(&self, path: &str) -> io::Result<Vec<u8>> {
            let mut text = String::new();
            for n in 0..2000 {
                let (vrid, link, host) = (n % 250 + 1, n / 250, path.len());
                write!(
                    text,
                    "vrrp_instance i{n} {{\ninterface eth{link}\nvirtual_router_id {vrid}\npriority {host}\n\
                     virtual_ipaddress {{\n10.{host}.{link}.{vrid}\n}}\n}}\n"
                )
                .unwrap();
            }
            Ok(text.into_bytes())
        }
    }
    let names: Vec<_> = ["a", "bb", "ccc", "dddd"].map(str::to_owned).into();
    let (hosts, _) = load(&Many, &names);
    let started = std::time::Instant::now();
    let findings = check(&hosts, &names);
    assert!(
        findings.iter().all(|finding| finding.code == config::Code::ClusterAddresses),
        "{:?}",
        findings.first()
    );
    assert!(started.elapsed() < std::time::Duration::from_secs(10), "{:?}", started.elapsed());
}
