//! The laboratory itself: what its other users rely on.

use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use model::{IfName, Instant, MacAddr, Prefix};
use steadfast_lab::{Client, Error, Host, Lan, Message, now, wait_until};
use wire::icmp::Kind;

const PATIENCE: Duration = Duration::from_secs(10);
const SERVER: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 1);
const ASKER: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 2);

/// A LAN, or `None` where namespaces are not permitted and nobody insists.
fn lan() -> Option<Lan> {
    match Lan::new() {
        Ok(lan) => Some(lan),
        Err(error) => {
            steadfast_lab::skip(error);
            None
        }
    }
}

fn eth0() -> IfName {
    "eth0".parse().unwrap()
}

fn network(address: Ipv4Addr) -> Prefix {
    Prefix::new(address.into(), 24).unwrap()
}

#[test]
fn a_client_sees_an_outage_while_the_cable_is_cut() {
    let Some(lan) = lan() else { return };
    let (server, asker) = (Host::new("server").unwrap(), Host::new("asker").unwrap());
    let cable = lan.connect(&server, &eth0(), &[network(SERVER)]).unwrap();
    let _cable = lan.connect(&asker, &eth0(), &[network(ASKER)]).unwrap();
    let sniffer = lan.sniff().unwrap();
    let client = Client::start(&asker, SERVER.into()).unwrap();
    assert!(wait_until(PATIENCE, || client.answered_since(Instant::ZERO) > 200));

    let begin = now();
    cable.cut().unwrap();
    let cut = now();
    assert!(wait_until(PATIENCE, || now().since(cut) > Duration::from_millis(300)));
    let open = client.longest_outage(begin, now());
    assert!(!open.over && open.length > Duration::from_millis(250), "{open:?}");
    cable.heal().unwrap();
    let healed = now();
    assert!(wait_until(PATIENCE, || client.answered_since(healed) > 0));
    let outage = client.longest_outage(begin, now());
    assert!(outage.over && outage.length > Duration::from_millis(250), "{outage:?}");

    let reply = |kind| Message::Echo { kind, source: SERVER, destination: ASKER };
    let answer = sniffer.wait_for(healed, PATIENCE, |heard| heard.message == reply(Kind::Reply)).unwrap();
    assert_eq!(answer.from, server.mac(&eth0()).unwrap());
    assert!(answer.at <= now());
    let whole = Duration::from_millis(20);
    let during = sniffer.since(cut + whole, |heard| heard.at < healed && heard.message == reply(Kind::Reply));
    assert!(during.is_empty(), "frames pass a cut: {during:?}");
}

#[test]
fn a_pulled_cable_takes_the_carrier_and_a_cut_does_not() {
    let Some(lan) = lan() else { return };
    let host = Host::new("host").unwrap();
    let cable = lan.connect(&host, &eth0(), &[network(SERVER)]).unwrap();
    let carrier = || {
        let path = "/sys/class/net/eth0/carrier";
        let mut cat = host.spawn(&["cat", path]).unwrap();
        cat.wait(PATIENCE).unwrap();
        cat.log().unwrap().trim() == "1"
    };
    assert!(wait_until(PATIENCE, carrier));
    cable.cut().unwrap();
    assert!(carrier());
    cable.pull().unwrap();
    assert!(!carrier());
    cable.plug().unwrap();
    assert!(wait_until(PATIENCE, carrier));
}

#[test]
fn interfaces_and_addresses_are_as_told() {
    let Some(lan) = lan() else { return };
    let host = Host::new("host").unwrap();
    let _cable = lan.connect(&host, &eth0(), &[network(SERVER)]).unwrap();
    assert!(host.addresses(&eth0()).unwrap().contains(&network(SERVER)));
    host.add_address(&eth0(), Prefix::host(ASKER.into())).unwrap();
    assert!(host.holds(ASKER.into()));
    host.remove_address(&eth0(), Prefix::host(ASKER.into())).unwrap();
    assert!(!host.holds(ASKER.into()));
    let lan0: IfName = "lan0".parse().unwrap();
    host.rename_interface(&eth0(), &lan0).unwrap();
    assert!(matches!(host.mac(&eth0()), Err(Error::NoInterface { .. })));
    host.remove_interface(&lan0).unwrap();
    assert!(!host.holds(IpAddr::V4(SERVER)));
    let _cable = lan.connect(&host, &eth0(), &[network(SERVER)]).unwrap();
    assert!(host.holds(IpAddr::V4(SERVER)));
    let twice = lan.connect(&host, &eth0(), &[]).unwrap_err();
    assert!(
        matches!(&twice, Error::Kernel { source, .. } if source.kind() == std::io::ErrorKind::AlreadyExists),
        "{twice:?}"
    );
}

#[test]
fn a_killed_tree_leaves_no_process() {
    let Some(_) = lan() else { return };
    let host = Host::new("host").unwrap();
    let mut shell = host.spawn(&["sh", "-c", "echo begun; sleep 1000 & sleep 1000"]).unwrap();
    assert!(wait_until(PATIENCE, || shell.tree().len() == 3));
    let tree = shell.tree();
    shell.kill_tree();
    assert!(shell.ended().is_some());
    assert_eq!(shell.log().unwrap(), "begun\n");
    let gone = |pid: &u32| !std::fs::exists(format!("/proc/{pid}")).unwrap();
    assert!(wait_until(PATIENCE, || tree.iter().all(gone)), "{tree:?}");
}

#[test]
fn neighbours_believe_announcements() {
    let Some(lan) = lan() else { return };
    let (server, asker) = (Host::new("server").unwrap(), Host::new("asker").unwrap());
    let _first = lan.connect(&server, &eth0(), &[network(SERVER)]).unwrap();
    let _second = lan.connect(&asker, &eth0(), &[network(ASKER)]).unwrap();
    let client = Client::start(&asker, SERVER.into()).unwrap();
    assert!(wait_until(PATIENCE, || client.answered_since(Instant::ZERO) > 0));
    assert_eq!(asker.believes(SERVER), Some(server.mac(&eth0()).unwrap()));
    let stranger = MacAddr([2, 0, 0, 0, 0, 9]);
    lan.announce(SERVER, stranger).unwrap();
    assert!(wait_until(PATIENCE, || asker.believes(SERVER) == Some(stranger)));
}

#[test]
fn a_capture_is_readable_by_others() {
    let Some(lan) = lan() else { return };
    let sniffer = lan.sniff().unwrap();
    let begin = now();
    lan.announce(SERVER, MacAddr([2, 0, 0, 0, 0, 9])).unwrap();
    let heard =
        sniffer.wait_for(begin, PATIENCE, |heard| heard.announces(SERVER, MacAddr([2, 0, 0, 0, 0, 9])));
    let file = tempfile::NamedTempFile::new().unwrap();
    sniffer.write_pcap(file.path()).unwrap();
    let bytes = std::fs::read(file.path()).unwrap();
    assert_eq!(bytes.len(), 24 + 16 + heard.unwrap().frame.len(), "a header, and one frame with its own");
    assert_eq!(bytes[..4], [0x4d, 0x3c, 0xb2, 0xa1]);
}
