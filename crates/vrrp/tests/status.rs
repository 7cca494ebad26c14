//! What is told of instances: counters and the numbers of displays.

use std::net::IpAddr;
use std::time::Duration;

use model::vrrp::{Config, Instance, TrackedInterface, Transport, Version, VirtualAddress};
use model::{Centis, Family, IfIndex, IfName, Influence, Instant, Prefix, Priority, Vrid, Weight};
use steadfast_vrrp::{Actions, Arrival, Event, Link, MasterHeard, Router, StateName, Status};
use wire::vrrp::{Addresses, Advert, Auth};

const START: Instant = Instant::from_nanos(1_000_000_000_000);
const GROUP: IpAddr = IpAddr::V4(Transport::GROUP_V4);
const PEER: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(10, 0, 0, 9));

fn at(seconds: u64) -> Instant {
    START + Duration::from_secs(seconds)
}

fn eth1() -> IfName {
    "eth1".parse().expect("it is a name")
}

fn instance(name: &str, vrid: u8) -> Instance {
    let address = VirtualAddress::new(Prefix::host([10, 0, 0, vrid].into()), eth1());
    let vrid = Vrid::try_from(vrid).expect("from 1 on");
    Instance { addresses: vec![address], ..Instance::new(name, eth1(), vrid) }
}

fn running(instances: Vec<Instance>) -> Router {
    let (mut router, mut out) = (Router::new(), Actions::default());
    let index = IfIndex::try_from(3).expect("not 0");
    let link = Some(Link { index, up: true, sources: IpAddr::from([10, 0, 0, 1]).into() });
    router.handle(START, Event::Link { name: &eth1(), link }, &mut out);
    router.reconfigure(START, &Config { instances, ..Config::default() }, &[], &mut out);
    router
}

fn hear(router: &mut Router, now: Instant, priority: u8, interval: u16) {
    let advert = Ok(Advert {
        version: Version::V2,
        vrid: Vrid::try_from(51).expect("from 1 on"),
        priority: Priority(priority),
        interval: Centis::new(interval),
        auth: Auth::None,
        addresses: Addresses::none(Family::V4),
    });
    let link = IfIndex::try_from(3).expect("not 0");
    let arrival =
        Arrival { link: Some(link), source: PEER, destination: GROUP, ttl: 255, advert, message: &[] };
    router.handle(now, Event::Advert(arrival), &mut Actions::default());
}

fn status(router: &Router) -> Status {
    router.status().next().expect("it has an instance")
}

#[test]
fn coming_and_going_as_master_is_counted_and_dated() {
    let mut router = running(vec![instance("VI_1", 51)]);
    assert_eq!((status(&router).state, status(&router).since), (StateName::Backup, Some(START)));
    router.handle(at(4), Event::Deadline, &mut Actions::default());
    let master = status(&router);
    assert_eq!((master.state, master.since), (StateName::Master, Some(at(4))));
    assert_eq!((master.counters.became_master, master.counters.released), (1, 0));
    hear(&mut router, at(5), 200, 200);
    let backup = status(&router);
    assert_eq!((backup.state, backup.since), (StateName::Backup, Some(at(5))));
    assert_eq!((backup.counters.became_master, backup.counters.released), (1, 1));
    let heard = MasterHeard { priority: Priority(200), interval: Centis::new(200) };
    assert_eq!((backup.master, backup.heard), (Some(PEER), Some(heard)));
    assert_eq!(backup.source, Some([10, 0, 0, 1].into()));
    // Three of the master's intervals, and 156/256 of a second (RFC 3768 §6.1).
    assert_eq!(backup.down_interval.as_micros(), 6_609_375);
}

#[test]
fn the_sum_of_priorities_is_told_beyond_its_bounds() {
    let weight = Weight::try_from(200).expect("it is a weight");
    let tracked = TrackedInterface { interface: eth1(), influence: Influence { weight, reverse: false } };
    let of = |priority| Instance {
        priority: Priority(priority),
        track_interfaces: vec![tracked.clone()],
        ..instance("VI_1", 51)
    };
    let one = status(&running(vec![of(100)]));
    assert_eq!((one.priority, one.total_priority), (Priority(254), 300));
    let owner = status(&running(vec![of(255)]));
    assert_eq!((owner.priority, owner.total_priority), (Priority(255), 255));
}

#[test]
fn instances_are_told_one_after_the_other_and_count_anew_one_by_one() {
    let mut router = running(vec![instance("b", 52), instance("a", 51), instance("c", 53)]);
    router.handle(at(4), Event::Deadline, &mut Actions::default());
    let mut names = Vec::new();
    let mut last = String::new();
    while let Some(status) = router.status_after(&last) {
        last.clone_from(&status.name);
        names.push(status.name);
    }
    assert_eq!(names, ["a", "b", "c"]);
    router.clear_counters("b");
    router.clear_counters("unheard of");
    let sent: Vec<_> = router.status().map(|one| one.counters.sent > 0).collect();
    assert_eq!(sent, [true, false, true]);
}
