//! In steady state the machine allocates nothing, and no flood makes it grow.
#![expect(unsafe_code, reason = "a global allocator that counts can only be written with it")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::net::IpAddr;
use std::time::Duration;

use model::vrrp::{Config, Instance, SyncGroup, Transport, Version, VirtualAddress};
use model::{Centis, IfIndex, IfName, Instant, Prefix, Priority, Vrid};
use steadfast_vrrp::{Action, Actions, Arrival, Event, Link, Router, StateName};
use wire::vrrp::{Addresses, Advert, Auth, Malformed};

struct Counting;

thread_local! {
    static ALLOCATIONS: Cell<u64> = const { Cell::new(0) };
    static LIVE_BYTES: Cell<i64> = const { Cell::new(0) };
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

// SAFETY: every call is passed on to `System` as it came, whose contract is the same.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        note(1, size(layout));
        // SAFETY: the caller keeps `GlobalAlloc::alloc`'s contract, which is `System`'s.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        note(0, -size(layout));
        // SAFETY: `memory` came from `System` above, with this layout.
        unsafe { System.dealloc(memory, layout) }
    }
}

fn size(layout: Layout) -> i64 {
    i64::try_from(layout.size()).unwrap_or(i64::MAX)
}

fn note(allocations: u64, bytes: i64) {
    // A thread that ends has no counters any more; nobody looks at them then.
    let _ended = ALLOCATIONS.try_with(|count| count.set(count.get() + allocations));
    let _ended = LIVE_BYTES.try_with(|live| live.set(live.get() + bytes));
}

/// How often `work` allocates.
fn allocations(work: impl FnOnce()) -> u64 {
    let before = ALLOCATIONS.get();
    work();
    ALLOCATIONS.get() - before
}

const OWN: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 168, 0, 14));
const PEER: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 168, 0, 86));
const GROUP: IpAddr = IpAddr::V4(Transport::GROUP_V4);
const TICK: Duration = Duration::from_millis(100);

/// The address that virtual router `vrid` advertises.
const fn virtual_address(vrid: u8) -> [u8; 4] {
    [10, 0, 0, vrid]
}

/// A router with the virtual routers `1..=count` at a hundred milliseconds.
fn router(count: u8, priority: u8) -> (Router, Instant) {
    started(&config(count, priority))
}

/// The same, all of them in one sync group.
fn grouped(count: u8, priority: u8) -> (Router, Instant) {
    let mut config = config(count, priority);
    let members = config.instances.iter().map(|one| one.name.clone()).collect();
    config.groups = vec![SyncGroup::new("G", members)];
    started(&config)
}

fn config(count: u8, priority: u8) -> Config {
    let eth: IfName = "eth1".parse().expect("it is a name");
    let instances = (1..=count).map(|vrid| {
        let address = VirtualAddress::new(Prefix::host(virtual_address(vrid).into()), eth.clone());
        Instance {
            version: Version::V3,
            advert_interval: Centis::new(10),
            priority: Priority(priority),
            addresses: vec![address],
            ..Instance::new(&format!("VI_{vrid}"), eth.clone(), Vrid::try_from(vrid).expect("from 1 on"))
        }
    });
    Config { scripts: Vec::new(), instances: instances.collect(), ..Config::default() }
}

fn started(config: &Config) -> (Router, Instant) {
    let eth: IfName = "eth1".parse().expect("it is a name");
    let mut router = Router::new();
    let mut out = Actions::default();
    let start = Instant::from_nanos(1_000_000_000_000);
    let link = Some(Link { index: index(), up: true, sources: OWN.into() });
    router.handle(start, Event::Link { name: &eth, link }, &mut out);
    router.reconfigure(start, config, &[], &mut out);
    (router, start)
}

fn index() -> IfIndex {
    IfIndex::try_from(3).expect("3 is an index")
}

/// What a peer sends for virtual router `vrid`.
fn message(vrid: u8, interval: Centis) -> Vec<u8> {
    message_of(Priority(200), vrid, interval)
}

/// The same with this priority.
fn message_of(priority: Priority, vrid: u8, interval: Centis) -> Vec<u8> {
    let address = virtual_address(vrid);
    let advert = Advert {
        version: Version::V3,
        vrid: Vrid::try_from(vrid).expect("from 1 on"),
        priority,
        interval,
        auth: Auth::None,
        addresses: Addresses::v4(&address).expect("it is whole"),
    };
    let mut bytes = Vec::new();
    wire::vrrp::emit(&advert, PEER, GROUP, &mut bytes);
    bytes
}

fn receive(router: &mut Router, now: Instant, bytes: &[u8], out: &mut Actions) {
    let advert = wire::vrrp::parse(bytes, PEER, GROUP);
    let arrival =
        Arrival { link: Some(index()), source: PEER, destination: GROUP, ttl: 255, advert, message: &[] };
    router.handle(now, Event::Advert(arrival), out);
}

/// Fires all that is due until `end`, and counts what is sent.
fn run_until(router: &mut Router, end: Instant, out: &mut Actions) -> u64 {
    let mut sent = 0;
    while let Some(at) = router.deadline().filter(|at| *at <= end) {
        router.handle(at, Event::Deadline, out);
        for action in out.drain() {
            sent += u64::from(matches!(action, Action::Transmit(_)));
        }
    }
    sent
}

/// The allocations of a backup that hears its masters for a thousand intervals.
fn as_backup((mut router, mut now): (Router, Instant), count: u8, interval: Centis) -> u64 {
    let messages: Vec<_> = (1..=count).map(|vrid| message(vrid, interval)).collect();
    let mut out = Actions::default();
    let mut hear = |router: &mut Router| {
        now = now + TICK;
        for bytes in &messages {
            receive(router, now, bytes, &mut out);
        }
        router.handle(now, Event::Deadline, &mut out);
        out.drain().count()
    };
    for _ in 0..20 {
        hear(&mut router);
    }
    let found = allocations(|| {
        for _ in 0..1000 {
            assert_eq!(hear(&mut router), 0, "nothing happens");
        }
    });
    assert!(router.status().all(|one| one.state == StateName::Backup && one.counters.received == 1020));
    found
}

#[test]
fn a_backup_that_hears_its_master_allocates_nothing() {
    assert_eq!(as_backup(router(1, 100), 1, Centis::new(10)), 0);
}

#[test]
fn a_backup_of_many_masters_allocates_nothing() {
    assert_eq!(as_backup(router(250, 100), 250, Centis::new(10)), 0);
}

#[test]
fn a_group_that_hears_its_masters_allocates_nothing() {
    assert_eq!(as_backup(grouped(250, 100), 250, Centis::new(10)), 0);
}

#[test]
fn a_backup_whose_master_has_another_interval_allocates_nothing() {
    assert_eq!(as_backup(router(1, 100), 1, Centis::new(20)), 0);
}

#[test]
fn masters_that_advertise_allocate_nothing() {
    for (count, (mut router, start)) in
        [(1u8, router(1, 255)), (250, router(250, 255)), (250, grouped(250, 255))]
    {
        let mut out = Actions::default();
        let warm = start + Duration::from_secs(20);
        run_until(&mut router, warm, &mut out);
        let end = warm + Duration::from_secs(100);
        let mut sent = 0;
        let found = allocations(|| sent = run_until(&mut router, end, &mut out));
        assert_eq!(sent, 1000 * u64::from(count));
        assert_eq!(found, 0, "{count} masters");
    }
}

/// A flood of 100,000 refused packets, ten a millisecond, each `nth` made by `packet`; the lines written.
fn flood(router: &mut Router, start: Instant, packet: impl Fn(u32, &mut dyn FnMut(Arrival<'_>))) -> u64 {
    let mut out = Actions::default();
    let mut lines = 0;
    for nth in 0..100_000u32 {
        let now = start + Duration::from_micros(u64::from(nth) * 100);
        run_until(router, now, &mut out);
        packet(nth, &mut |arrival| router.handle(now, Event::Advert(arrival), &mut out));
        for action in out.drain() {
            match action {
                Action::Notice(_) => lines += 1,
                other => panic!("a flood made it {other:?}"),
            }
        }
    }
    lines
}

#[test]
fn a_flood_from_as_many_addresses_changes_nothing_and_does_not_grow() {
    let (mut router, start) = router(1, 255);
    run_until(&mut router, start + Duration::from_secs(20), &mut Actions::default());
    let start = start + Duration::from_secs(20);
    let good = message(1, Centis::new(10));
    let live = LIVE_BYTES.get();
    let lines = flood(&mut router, start, |nth, receive| {
        let source = IpAddr::from((0x0b00_0000 + nth).to_be_bytes());
        let advert = wire::vrrp::parse(&good, PEER, GROUP);
        let base =
            Arrival { link: Some(index()), source, destination: GROUP, ttl: 255, advert, message: &[] };
        receive(match nth % 5 {
            0 => Arrival { ttl: 1, ..base },
            1 => Arrival { advert: Err(Malformed::Checksum), ..base },
            2 => Arrival { advert: Err(Malformed::Version((nth % 16).try_into().expect("small"))), ..base },
            3 => Arrival { destination: OWN, ..base },
            _ => Arrival { source: OWN, ..base },
        });
    });
    let grown = LIVE_BYTES.get() - live;
    assert!((1..=10).contains(&lines), "{lines} lines");
    assert!(grown < 16 * 1024, "{grown} bytes more");
    let status = router.status().next().expect("there is an instance");
    assert_eq!(status.state, StateName::Master);
    let refused: u64 = steadfast_vrrp::Reject::ALL.into_iter().map(|one| status.counters.rejected(one)).sum();
    let malformed: u64 = router.malformed().map(|(_, count)| count).sum();
    assert_eq!((refused, malformed), (60_000, 40_000), "every packet is counted");
}

#[test]
fn claims_of_addresses_that_nobody_holds_allocate_nothing() {
    let (mut router, start) = router(250, 255);
    let mut out = Actions::default();
    run_until(&mut router, start + Duration::from_secs(20), &mut out);
    let (now, device) = (start + Duration::from_secs(20), "eth1".parse().expect("it is a name"));
    let found = allocations(|| {
        for nth in 0..100_000u32 {
            let address = IpAddr::from((0x0b00_0000 + nth).to_be_bytes());
            let mac = model::MacAddr([2, 0, 0, 0, 0, 9]);
            router.handle(now, Event::Claim { device: &device, address, mac }, &mut out);
        }
    });
    assert_eq!((found, out.as_slice().len()), (0, 0));
}

/// Ten thousand releases a second for ten seconds; how many advertisements and lines they lead to.
fn flood_of_releases(priority: u8, source: impl Fn(u32) -> IpAddr) -> (u64, u64) {
    let (mut router, start) = router(1, priority);
    let mut out = Actions::default();
    run_until(&mut router, start + Duration::from_millis(200), &mut out);
    let release = message_of(Priority::RELEASE, 1, Centis::new(10));
    let live = LIVE_BYTES.get();
    let (mut sent, mut lines) = (0, 0);
    for nth in 0..100_000u32 {
        let now = start + Duration::from_millis(200) + Duration::from_micros(u64::from(nth) * 100);
        sent += run_until(&mut router, now, &mut out);
        let advert = wire::vrrp::parse(&release, PEER, GROUP);
        let arrival = Arrival {
            link: Some(index()),
            source: source(nth),
            destination: GROUP,
            ttl: 255,
            advert,
            message: &[],
        };
        router.handle(now, Event::Advert(arrival), &mut out);
        for action in out.drain() {
            sent += u64::from(matches!(action, Action::Transmit(_)));
            lines += u64::from(matches!(action, Action::Notice(_)));
        }
    }
    assert!(LIVE_BYTES.get() - live < 16 * 1024);
    let status = router.status().next().expect("there is an instance");
    assert_eq!(status.counters.received, 100_000, "every one is counted");
    assert_eq!(status.state, StateName::Master, "the flood did not keep it from taking over");
    (sent, lines)
}

#[test]
fn a_flood_of_priority_0_is_answered_once_in_a_tenth_of_an_interval_and_hardly_told_of() {
    for priority in [255, 100] {
        for (sent, lines) in [
            flood_of_releases(priority, |_| PEER),
            flood_of_releases(priority, |nth| IpAddr::from((0x0b00_0000 + nth).to_be_bytes())),
        ] {
            assert!((900..=1010).contains(&sent), "{sent} sent in ten seconds of a hundred intervals");
            assert!(lines <= 10, "{lines} lines");
        }
    }
}

#[test]
fn a_flood_of_worse_masters_is_answered_twice_an_interval_at_most() {
    let (mut router, start) = router(1, 255);
    let mut out = Actions::default();
    let start = start + Duration::from_secs(20);
    run_until(&mut router, start, &mut out);
    let good = message(1, Centis::new(10));
    let live = LIVE_BYTES.get();
    let (mut sent, mut lines) = (0, 0);
    for nth in 0..100_000u32 {
        let now = start + Duration::from_micros(u64::from(nth) * 100);
        sent += run_until(&mut router, now, &mut out);
        let source = IpAddr::from((0x0b00_0000 + nth).to_be_bytes());
        let advert = wire::vrrp::parse(&good, PEER, GROUP);
        let arrival =
            Arrival { link: Some(index()), source, destination: GROUP, ttl: 255, advert, message: &[] };
        router.handle(now, Event::Advert(arrival), &mut out);
        for action in out.drain() {
            sent += u64::from(matches!(action, Action::Transmit(_)));
            lines += u64::from(matches!(action, Action::Notice(_)));
        }
    }
    assert!(sent <= 10 * 10 * 3, "{sent} sent in ten seconds");
    assert!(lines <= 10, "{lines} lines");
    assert!(LIVE_BYTES.get() - live < 16 * 1024);
}
