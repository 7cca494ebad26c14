//! Instances that run on an interface of their own, on top of another one.

use std::net::IpAddr;
use std::sync::Arc;

use model::vrrp::{Config, Instance, Ipvlan, IpvlanMode, OwnDevice, Transport, VirtualAddress, Vmac};
use model::{IfIndex, IfName, Instant, MacAddr, Named, Prefix, Priority, Sources, Vrid};
use steadfast_vrrp::{Action, Actions, Arrival, Event, Link, Outgoing, Router, StateName};
use wire::vrrp::{Addresses, Advert, Auth};

const START: Instant = Instant::from_nanos(1_000_000_000_000);
const BASE: u32 = 3;
const OWN: u32 = 9;
const SOURCE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(10, 0, 0, 1));

fn name(name: &str) -> IfName {
    name.parse().expect("it is a name")
}

fn vmac(transmit_on_base: bool) -> OwnDevice {
    let (name, mac, group) = (name("vrrp.51"), MacAddr([0, 0, 0x5e, 0, 1, 51]), Named::Number(0));
    OwnDevice::Vmac(Vmac { name, mac, transmit_on_base, notify_base: false, group })
}

fn ipvlan(address: Option<Prefix>) -> OwnDevice {
    let (name, group) = (name("vrrp.51"), Named::Number(0));
    OwnDevice::Ipvlan(Ipvlan { name, address, mode: IpvlanMode::Bridge, group })
}

fn config(own: OwnDevice) -> Config {
    let address = VirtualAddress::new(Prefix::host([10, 0, 0, 100].into()), name("vrrp.51"));
    let instance = Instance {
        addresses: vec![address],
        own_device: Some(own),
        priority: Priority::OWNER,
        ..Instance::new("VI_1", name("eth0"), Vrid::try_from(51).expect("not 0"))
    };
    Config { instances: vec![instance], ..Config::default() }
}

/// A router that knows of the base, and what it asks for.
struct Bench {
    router: Router,
    out: Actions,
}

impl Bench {
    fn new(own: OwnDevice) -> Self {
        let mut bench = Self { router: Router::new(), out: Actions::default() };
        bench.set("eth0", Some((BASE, true, Some(SOURCE))));
        bench.router.reconfigure(START, &config(own), &[], &mut bench.out);
        bench
    }

    fn set(&mut self, link: &str, is: Option<(u32, bool, Option<IpAddr>)>) {
        let index = |number| IfIndex::try_from(number).expect("not 0");
        let link_is = is.map(|(number, up, address)| Link {
            index: index(number),
            up,
            sources: address.map_or(Sources::NONE, Sources::from),
        });
        self.router.handle(START, Event::Link { name: &name(link), link: link_is }, &mut self.out);
    }

    fn state(&self) -> StateName {
        self.router.status().next().expect("there is one").state
    }

    fn sent(&mut self) -> Vec<Arc<Outgoing>> {
        let sent = |action| match action {
            Action::Transmit(outgoing) => Some(outgoing),
            _ => None,
        };
        self.out.drain().filter_map(sent).collect()
    }

    fn endpoints(&self) -> Vec<(u32, String)> {
        self.router
            .endpoints()
            .into_iter()
            .filter_map(|one| Some((one.port.link?.get(), one.name?.to_string())))
            .collect()
    }

    fn hears_on(&mut self, link: u32) -> bool {
        let received = |router: &Router| router.status().map(|one| one.counters.received).sum::<u64>();
        let before = received(&self.router);
        let advert = Advert {
            version: model::vrrp::Version::V2,
            vrid: Vrid::try_from(51).expect("not 0"),
            priority: Priority(100),
            interval: model::Centis::SECOND,
            auth: Auth::None,
            addresses: Addresses::none(model::Family::V4),
        };
        let link = IfIndex::try_from(link).expect("not 0");
        let (source, destination) = ([10, 0, 0, 2].into(), IpAddr::V4(Transport::GROUP_V4));
        let arrival =
            Arrival { link: Some(link), source, destination, ttl: 255, advert: Ok(advert), message: &[] };
        self.router.handle(START, Event::Advert(arrival), &mut self.out);
        received(&self.router) > before
    }
}

#[test]
fn it_speaks_and_listens_on_its_own_interface_with_the_address_of_the_one_below() {
    let mut bench = Bench::new(vmac(false));
    assert_eq!(bench.state(), StateName::Fault, "the interface is not there yet");
    bench.set("vrrp.51", Some((OWN, true, None)));
    assert_eq!(bench.state(), StateName::Master);
    let sent = bench.sent();
    assert_eq!((sent[0].link.unwrap().get(), sent[0].source), (OWN, SOURCE));
    assert_eq!(bench.endpoints(), [(OWN, "vrrp.51".to_owned())]);
    assert!(bench.hears_on(OWN));
    assert!(!bench.hears_on(BASE));
}

#[test]
fn with_xmit_base_it_speaks_and_listens_below_and_still_needs_its_own_interface() {
    let mut bench = Bench::new(vmac(true));
    assert_eq!(bench.state(), StateName::Fault, "its addresses have no place");
    bench.set("vrrp.51", Some((OWN, true, None)));
    assert_eq!(bench.state(), StateName::Master);
    let sent = bench.sent();
    assert_eq!((sent[0].link.unwrap().get(), sent[0].source), (BASE, SOURCE));
    assert_eq!(bench.endpoints(), [(BASE, "eth0".to_owned())]);
    assert!(bench.hears_on(BASE));
}

#[test]
fn a_fault_of_either_interface_is_a_fault_of_the_instance() {
    let up = (OWN, true, None);
    for transmit_on_base in [false, true] {
        let mut bench = Bench::new(vmac(transmit_on_base));
        bench.set("vrrp.51", Some(up));
        bench.set("eth0", Some((BASE, false, Some(SOURCE))));
        assert_eq!(bench.state(), StateName::Fault, "the base is down");
        bench.set("eth0", Some((BASE, true, None)));
        assert_eq!(bench.state(), StateName::Fault, "the base has no address");
        bench.set("eth0", Some((BASE, true, Some(SOURCE))));
        assert_eq!(bench.state(), StateName::Master);
        bench.set("vrrp.51", None);
        assert_eq!(bench.state(), StateName::Fault, "somebody deleted it");
        bench.set("vrrp.51", Some((OWN + 1, true, None)));
        assert_eq!(bench.state(), StateName::Master, "it was made again");
    }
}

#[test]
fn a_master_goes_on_when_its_interface_is_made_anew() {
    let mut bench = Bench::new(vmac(false));
    bench.set("vrrp.51", Some((OWN, true, None)));
    bench.sent();
    bench.set("vrrp.51", Some((OWN + 1, true, None)));
    assert_eq!(bench.state(), StateName::Master);
    assert!(bench.sent().iter().all(|one| one.priority == Priority::OWNER), "not a word of leaving");
    assert_eq!(bench.endpoints(), [(OWN + 1, "vrrp.51".to_owned())]);
    assert!(bench.hears_on(OWN + 1));
}

#[test]
fn an_ipvlan_speaks_from_its_own_address() {
    let own = Prefix::new([10, 0, 0, 77].into(), 24).expect("it is a prefix");
    let mut bench = Bench::new(ipvlan(Some(own)));
    bench.set("vrrp.51", Some((OWN, true, None)));
    let sent = bench.sent();
    assert_eq!((sent[0].link.unwrap().get(), sent[0].source), (OWN, own.address()));
    let mut bench = Bench::new(ipvlan(None));
    bench.set("vrrp.51", Some((OWN, true, None)));
    assert_eq!(bench.state(), StateName::Fault, "it has none");
}

#[test]
fn a_reload_to_a_vmac_and_back_moves_a_master_without_a_word_of_leaving() {
    let mut bench = Bench::new(vmac(false));
    bench.set("vrrp.51", Some((OWN, true, None)));
    bench.sent();
    let mut plain = config(vmac(false));
    plain.instances[0].own_device = None;
    plain.instances[0].addresses[0].device = name("eth0");
    bench.router.reconfigure(START, &plain, &[], &mut bench.out);
    assert_eq!(bench.state(), StateName::Master);
    assert!(bench.sent().iter().all(|one| one.priority == Priority::OWNER));
    assert_eq!(bench.endpoints(), [(BASE, "eth0".to_owned())]);
    bench.router.reconfigure(START, &config(vmac(false)), &[], &mut bench.out);
    assert_eq!(bench.state(), StateName::Master);
    assert!(bench.sent().iter().all(|one| one.priority == Priority::OWNER));
    assert_eq!(bench.endpoints(), [(OWN, "vrrp.51".to_owned())]);
}
