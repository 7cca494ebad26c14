//! The table of IPVS in a real kernel, made by our codec, read back by it, and shown by ipvsadm. It runs in the virtual
//! machine (`cargo xtask vm`) where this kernel has no IPVS.

mod common;

use std::collections::BTreeMap;
use std::num::{NonZeroU8, NonZeroU16, NonZeroU32};
use std::time::Duration;

use common::{PATIENCE, has_ipvs};
use lab::{Host, wait_until};
use model::ipvs::{Change, Destination, DestinationKey, Service, ServiceKey, SyncRole, SyncSide, Table};
use model::lvs::{
    Forwarding, Persistence, PersistenceMask, Protocol, Scheduler, SchedulerFlags, Tunnel, TunnelChecksum,
    TunnelKind,
};
use model::{Family, Flush, Instant, SyncTransport};
use netlink::ipvs::{Action, Reconciler, Report, Settings, Subject, Target, Timeouts};
use sys::socket::netlink::{Received, Socket};

/// A host with IPVS, and a socket in it.
struct Director {
    host: Host,
    socket: Socket,
    reconciler: Reconciler,
}

impl Director {
    fn new() -> Option<Self> {
        if !has_ipvs() {
            return None;
        }
        let host = match Host::new("director") {
            Ok(host) => host,
            Err(error) => {
                lab::skip(error);
                return None;
            }
        };
        let socket = host.run(Socket::open_generic).expect("the host").expect("a socket");
        let director = Self { host, socket, reconciler: Reconciler::new() };
        director.shell(
            "ip link set lo up; ip link add d0 type dummy; ip link set d0 up; ip addr add 10.9.0.1/24 dev d0",
        );
        Some(director)
    }

    /// Lets the reconciler have its way. Gives the commands that were sent.
    fn settle(&mut self, now: Instant) -> (Vec<u8>, Vec<Report>) {
        let (mut batch, mut datagram, mut commands) = (Vec::new(), Vec::new(), Vec::new());
        while self.reconciler.next(now, &mut batch) {
            commands.extend(commands_of(&batch));
            self.socket.send(&batch).expect("sent");
            batch.clear();
            loop {
                match self.socket.recv(&mut datagram).expect("received") {
                    Received::Datagram => self.reconciler.hear(now, &datagram),
                    Received::Overrun => self.reconciler.lose(now),
                    Received::Empty => break,
                }
            }
        }
        (commands, self.reconciler.take_reports())
    }

    /// Lets it have its way, which nothing bars.
    #[track_caller]
    fn make(&mut self) -> Vec<u8> {
        let (commands, reports) = self.settle(START);
        assert!(reports.iter().all(|report| matches!(report, Report::Ready(_))), "{reports:?}");
        assert!(self.reconciler.is_settled(), "{:?}", self.reconciler);
        commands
    }

    #[track_caller]
    fn shell(&self, line: &str) -> String {
        let mut shell = self.host.spawn(&["/bin/sh", "-c", line]).expect("a shell");
        let status = shell.wait(PATIENCE);
        let log = shell.log().expect("a log");
        assert!(status.is_some_and(|status| status.success()), "{line}: {log}");
        log
    }
}

/// The commands in a datagram, but for the question which number IPVS has: the byte behind each header.
fn commands_of(mut batch: &[u8]) -> Vec<u8> {
    let mut commands = Vec::new();
    while let Some(length) = batch.first_chunk() {
        if batch[4] != GENL_ID_CTRL {
            commands.push(batch[16]);
        }
        batch = &batch[usize::try_from(u32::from_ne_bytes(*length)).expect("a length")..];
    }
    commands
}

/// Those of them that change something.
fn operations(commands: &[u8]) -> Vec<u8> {
    const ASK: [u8; 5] = [4, 8, 11, 13, 15];
    commands.iter().copied().filter(|command| !ASK.contains(command)).collect()
}

#[test]
fn every_kind_of_entry_is_made_and_read_back() {
    let Some(mut director) = Director::new() else { return };
    let table = every_kind();
    director.reconciler.set_table(table.clone());
    director.make();
    assert_holds(&director.reconciler, &table);
    let shown = director.shell("ipvsadm -Sn");
    for line in [
        "-A -t 192.0.2.1:80 -s sh -p 300 -M 255.255.255.0 -b sh-fallback,sh-port",
        "-a -t 192.0.2.1:80 -r 10.0.0.1:8080 -m -w 7",
        "-a -t 192.0.2.1:80 -r 10.0.0.2:80 -g -w 0",
        "-a -t 192.0.2.1:80 -r 10.0.0.3:80 -i -w 1 --tun-type ipip",
        "-a -t 192.0.2.1:80 -r 10.0.0.4:80 -i -w 1 --tun-type gue --tun-port 6080 --tun-remcsum",
        "-a -t 192.0.2.1:80 -r 10.0.0.5:80 -i -w 1 --tun-type gre --tun-csum",
        "-a -t 192.0.2.1:80 -r [2001:db8::6]:80 -i -w 1 --tun-type ipip",
        "-A -u 192.0.2.1:53 -s rr -o",
        "-A -t [2001:db8::10]:443 -s wlc -p 60 -M 64",
        "-A -f 5 -s mh -b mh-fallback,mh-port",
        "-A -f 5 -6 -s wrr",
        "-a -f 5 -r 10.0.0.1:0 -g -w 1",
    ] {
        assert!(shown.contains(line), "no {line} in\n{shown}");
    }
    let thresholds = director.shell("ipvsadm -Ln --thresholds");
    assert!(
        thresholds.lines().any(|line| line.contains("10.0.0.1:8080") && line.contains("100        50")),
        "{thresholds}"
    );
    assert!(director.shell("ipvsadm -Ln").contains("SCTP 192.0.2.1:36412 rr"), "{shown}");

    // A second start finds all as it should be.
    director.reconciler = Reconciler::new();
    director.reconciler.set_table(table.clone());
    assert_eq!(operations(&director.make()), []);
    assert_holds(&director.reconciler, &table);
}

#[test]
fn one_change_is_one_operation() {
    let Some(mut director) = Director::new() else { return };
    director.shell("ipvsadm -A -t 203.0.113.1:80 -s rr; ipvsadm -a -t 203.0.113.1:80 -r 10.0.0.9:80 -m");
    let mut table = every_kind();
    director.reconciler.set_table(table.clone());
    director.make();
    let (key, place) = (address("192.0.2.1", 80, Protocol::Tcp), at("10.0.0.1", 8080));
    let change = Change::SetDestination { service: key, destination: place, value: nat(9) };
    table.apply(change.clone());
    director.reconciler.change(change);
    assert_eq!(operations(&director.make()), [SET_DEST]);

    let mut other = table.services[&key].clone();
    other.scheduler = Scheduler::WeightedRoundRobin;
    other.flags = SchedulerFlags::default();
    other.destinations.remove(&place);
    other.destinations.insert(at("10.0.0.7", 80), nat(1));
    table.services.insert(key, other);
    director.reconciler.set_table(table.clone());
    assert_eq!(operations(&director.make()), [SET_SERVICE, NEW_DEST, DEL_DEST]);
    assert_holds(&director.reconciler, &table);

    // What others have done to what is ours is made good, and told.
    director.shell("ipvsadm -d -t 192.0.2.1:80 -r 10.0.0.7:80; ipvsadm -D -f 5");
    director.reconciler.refresh();
    let (commands, reports) = director.settle(START);
    assert_eq!(operations(&commands), [NEW_DEST, NEW_SERVICE, NEW_DEST]);
    let [Report::Damaged(damages)] = &reports[..] else { panic!("{reports:?}") };
    let told: Vec<_> = damages.iter().map(ToString::to_string).collect();
    assert!(told[0].ends_with("it is put back with its destination"), "{told:?}");
    assert!(told[1].ends_with("put back: [10.0.0.7]:80"), "{told:?}");
    assert_holds(&director.reconciler, &table);

    director.shell("ipvsadm -D -t 192.0.2.1:80");
    director.reconciler.change(Change::SetDestination { service: key, destination: place, value: nat(3) });
    table.apply(Change::SetDestination { service: key, destination: place, value: nat(3) });
    let (_, reports) = director.settle(START);
    let [Report::Refused { operation, .. }, Report::Accepted(_)] = &reports[..] else {
        panic!("{reports:?}")
    };
    assert_eq!((operation.action, operation.subject), (Action::Add, Subject::Destination(key, place)));
    assert_holds(&director.reconciler, &table);

    director.reconciler.release(None);
    director.make();
    let left = director.shell("ipvsadm -Sn");
    assert_eq!(left.lines().count(), 2, "the stranger's stay: {left}");
    director.reconciler.release(Some(Flush::All));
    director.make();
    assert_eq!(director.shell("ipvsadm -Sn"), "");
}

#[test]
fn what_a_former_run_has_left_goes() {
    let Some(mut director) = Director::new() else { return };
    director.reconciler.set_table(every_kind());
    director.make();
    let ours: Vec<_> = director.reconciler.ours().collect();
    let kept = address("192.0.2.1", 80, Protocol::Tcp);
    let mut table = every_kind();
    table.services.retain(|key, _| *key == kept);
    director.reconciler = Reconciler::new();
    director.reconciler.sweep(ours.iter().copied());
    director.reconciler.set_table(table.clone());
    let done = operations(&director.make());
    assert_eq!(done, vec![DEL_SERVICE; ours.len() - 1]);
    assert_holds(&director.reconciler, &table);
    assert_eq!(director.shell("ipvsadm -Sn | grep -c '^-A'").trim(), "1");
}

#[test]
fn what_the_kernel_refuses_holds_up_nothing() {
    let Some(mut director) = Director::new() else { return };
    let mut table = every_kind();
    let (good, bad) = (address("192.0.2.1", 80, Protocol::Tcp), address("192.0.2.77", 80, Protocol::Tcp));
    // The lower threshold is above the upper one.
    let wrong =
        Destination { lower_threshold: NonZeroU32::new(9), upper_threshold: NonZeroU32::new(3), ..nat(1) };
    table.services.get_mut(&good).expect("it is there").destinations.insert(at("10.0.0.8", 80), wrong);
    let no_engine = Persistence { engine: Some("nosuch".into()), ..persistence(V4) };
    table.services.insert(bad, Service { persistence: Some(no_engine), ..table.services[&good].clone() });
    director.reconciler.set_table(table.clone());
    let (_, reports) = director.settle(START);
    let refused: Vec<_> = reports
        .iter()
        .filter_map(|report| match report {
            Report::Refused { operation, .. } => Some(operation.subject),
            _ => None,
        })
        .collect();
    assert_eq!(
        refused,
        [Subject::Destination(good, at("10.0.0.8", 80)), Subject::Service(bad)],
        "{reports:?}"
    );
    assert_eq!(director.shell("ipvsadm -Sn | grep -c '^-A'").trim(), (table.services.len() - 1).to_string());

    let again = director.reconciler.deadline().expect("it is tried again");
    let (commands, reports) = director.settle(again);
    assert!(reports.is_empty(), "told once: {reports:?}");
    assert!(!operations(&commands).is_empty());
    let change = Change::SetDestination { service: good, destination: at("10.0.0.8", 80), value: nat(1) };
    director.reconciler.change(change);
    let (commands, _) = director.settle(again);
    assert_eq!(operations(&commands), [NEW_DEST], "at once, since something else is wanted");
}

#[test]
fn connections_are_synchronised_both_ways() {
    let Some(mut director) = Director::new() else { return };
    let side = |id, longest: u16| SyncSide {
        interface: "d0".parse().expect("a name"),
        id,
        longest: NonZeroU16::new(longest),
        transport: SyncTransport {
            address: Some([239, 1, 1, 1].into()),
            port: NonZeroU16::new(8900),
            ttl: NonZeroU8::new(3),
        },
    };
    let plain = SyncSide { longest: None, transport: SyncTransport::default(), ..side(8, 1) };
    // 500 bytes are less than a backup makes room for.
    let sides = BTreeMap::from([(SyncRole::Master, side(7, 1400)), (SyncRole::Backup, side(9, 500))]);
    let others = BTreeMap::from([(SyncRole::Master, plain.clone()), (SyncRole::Backup, plain)]);
    let shown = [
        [
            "master sync daemon (mcast=d0, syncid=7, maxlen=1400, group=239.1.1.1, port=8900, ttl=3)",
            "backup sync daemon (mcast=d0, syncid=9, maxlen=1024, group=239.1.1.1, port=8900, ttl=3)",
        ],
        [
            "master sync daemon (mcast=d0, syncid=8, maxlen=1472, group=224.0.0.81, port=8848, ttl=1)",
            "backup sync daemon (mcast=d0, syncid=8, maxlen=1472, group=224.0.0.81, port=8848, ttl=1)",
        ],
    ];
    for (sides, lines) in [sides, others].into_iter().zip(shown) {
        director.reconciler.set_sides(Some(sides));
        assert!(!operations(&director.make()).is_empty());
        assert_eq!(director.shell("ipvsadm -L --daemon").lines().collect::<Vec<_>>(), lines);
        director.reconciler.refresh();
        assert_eq!(operations(&director.make()), [], "{:?}", director.reconciler.held_sides());
    }
    director.reconciler.set_sides(None);
    director.make();
    director.reconciler.refresh();
    director.reconciler.set_sides(Some(BTreeMap::new()));
    assert_eq!(operations(&director.make()), [], "both are gone");
}

/// The kernel acknowledges no stop of a side that had not begun to run. With many quick ones there are some.
#[test]
fn sides_that_change_quickly_keep_up() {
    let Some(mut director) = Director::new() else { return };
    for round in 0..1000_u32 {
        let id = u8::try_from(round % 200).expect("a number");
        let interface = "d0".parse().expect("a name");
        let side = SyncSide { interface, id, longest: None, transport: SyncTransport::default() };
        let sides = [SyncRole::Master, SyncRole::Backup].map(|role| (role, side.clone()));
        director.reconciler.set_sides(Some(BTreeMap::from(sides)));
        director.make();
    }
    director.reconciler.refresh();
    assert_eq!(operations(&director.make()), [], "{:?}", director.reconciler.held_sides());
}

#[test]
fn timeouts_are_set_as_far_as_they_say() {
    let Some(mut director) = Director::new() else { return };
    director.shell("ipvsadm --set 100 20 30");
    director.reconciler.set_timeouts(Timeouts { tcp: Some(777), tcp_fin: None, udp: Some(30) });
    assert_eq!(operations(&director.make()), [SET_CONFIG]);
    assert!(director.shell("ipvsadm -L --timeout").contains("777 20 30"));
    director.reconciler.refresh();
    assert_eq!(operations(&director.make()), []);
}

#[test]
fn traffic_is_counted() {
    let Some(mut director) = Director::new() else { return };
    let (key, place) = (address("10.9.0.1", 7777, Protocol::Udp), at("127.0.0.1", 7778));
    let destinations = BTreeMap::from([(place, nat(1))]);
    let service = Service { destinations, ..service(Scheduler::RoundRobin) };
    director.reconciler.set_table(Table { services: BTreeMap::from([(key, service)]) });
    director.make();
    director.shell(
        "/usr/bin/python3 -c \"
import socket; s=socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
for _ in range(3): s.sendto(b'hello', ('10.9.0.1', 7777))\"",
    );
    // The kernel sums up every two seconds.
    let counted = wait_until(PATIENCE, || {
        director.reconciler.refresh();
        director.make();
        director.reconciler.held()[&key].statistics.packets_in > 0
    });
    let held = &director.reconciler.held()[&key];
    assert!(counted, "{held:?}");
    assert_eq!(held.statistics.bytes_in, held.statistics.packets_in * 33, "{held:?}");
    assert_eq!(held.destinations[&place].statistics.packets_in, held.statistics.packets_in);
    assert!(held.destinations[&place].connections.inactive >= 1, "{held:?}");
}

#[test]
fn a_kernel_without_ipvs_says_so() {
    let socket = Socket::open_generic().expect("a socket");
    let mut reconciler = Reconciler::new();
    reconciler.set_table(every_kind());
    let (mut batch, mut datagram) = (Vec::new(), Vec::new());
    assert!(reconciler.next(START, &mut batch));
    socket.send(&batch).expect("sent");
    while socket.recv(&mut datagram).expect("received") == Received::Datagram {
        reconciler.hear(START, &datagram);
    }
    // The question has the kernel load the module if there is one.
    if std::path::Path::new("/proc/net/ip_vs").exists() {
        return;
    }
    assert_eq!(reconciler.take_reports(), [Report::Missing]);
    assert!(reconciler.is_missing() && !reconciler.is_settled());
    assert!(!reconciler.next(START, &mut batch), "not at once");
    assert_eq!(reconciler.deadline(), Some(START + Duration::from_secs(1)));
}

#[track_caller]
fn assert_holds(reconciler: &Reconciler, table: &Table) {
    for (key, wanted) in &table.services {
        let held = reconciler.held().get(key).unwrap_or_else(|| panic!("no {key}"));
        assert!(held.settings.does_as(&Settings::of(wanted, key.family())), "{key}: {held:?}");
        let places: Vec<_> = held.destinations.keys().collect();
        assert_eq!(places, wanted.destinations.keys().collect::<Vec<_>>(), "{key}");
        for (place, value) in &wanted.destinations {
            assert!(held.destinations[place].target.does_as(&Target::of(value)), "{key} {place}: {held:?}");
        }
    }
}

/// Every kind of service and destination, and the schedulers.
fn every_kind() -> Table {
    let none = TunnelChecksum::None;
    let tunnel =
        |kind, checksum| Destination { forwarding: Forwarding::Tunnel(Tunnel { kind, checksum }), ..nat(1) };
    let limits = (NonZeroU32::new(100), NonZeroU32::new(50));
    let gue = TunnelKind::Gue { port: NonZeroU16::new(6080).expect("a port") };
    let destinations = BTreeMap::from([
        (
            at("10.0.0.1", 8080),
            Destination { upper_threshold: limits.0, lower_threshold: limits.1, ..nat(7) },
        ),
        (at("10.0.0.2", 80), Destination { forwarding: Forwarding::Direct, ..nat(0) }),
        (at("10.0.0.3", 80), tunnel(TunnelKind::IpIp, none)),
        (at("10.0.0.4", 80), tunnel(gue, TunnelChecksum::Remote)),
        (at("10.0.0.5", 80), tunnel(TunnelKind::Gre, TunnelChecksum::Outer)),
        (at("2001:db8::6", 80), tunnel(TunnelKind::IpIp, none)),
    ]);
    let flags = SchedulerFlags { first: true, second: true, third: false };
    let web =
        Service { flags, persistence: Some(persistence(V4)), destinations, ..service(Scheduler::SourceHash) };
    let v6 = PersistenceMask::V6(NonZeroU8::new(64).expect("a length"));
    let v6 = Persistence { timeout: Duration::from_secs(60), ..persistence(v6) };
    let secure = Service {
        persistence: Some(v6),
        destinations: BTreeMap::from([(at("2001:db8::11", 443), nat(2))]),
        ..service(Scheduler::WeightedLeastConnection)
    };
    let direct = Destination { forwarding: Forwarding::Direct, ..nat(1) };
    let marked = Service {
        flags,
        destinations: BTreeMap::from([(
            DestinationKey { address: [10, 0, 0, 1].into(), port: None },
            direct,
        )]),
        ..service(Scheduler::Maglev)
    };
    let mut services = BTreeMap::from([
        (address("192.0.2.1", 80, Protocol::Tcp), web),
        (
            address("192.0.2.1", 53, Protocol::Udp),
            Service { one_packet: true, ..service(Scheduler::RoundRobin) },
        ),
        (address("192.0.2.1", 36412, Protocol::Sctp), service(Scheduler::RoundRobin)),
        (
            address("192.0.2.2", 0, Protocol::Tcp),
            Service { persistence: Some(persistence(V4)), ..service(Scheduler::LeastConnection) },
        ),
        (address("2001:db8::10", 443, Protocol::Tcp), secure),
        (ServiceKey::Fwmark { mark: 5, family: Family::V4 }, marked),
        (ServiceKey::Fwmark { mark: 5, family: Family::V6 }, service(Scheduler::WeightedRoundRobin)),
    ]);
    for (port, scheduler) in (1000..).zip(SCHEDULERS) {
        services.insert(address("192.0.2.3", port, Protocol::Tcp), service(scheduler));
    }
    Table { services }
}

const V4: PersistenceMask = PersistenceMask::V4(std::net::Ipv4Addr::new(255, 255, 255, 0));
const START: Instant = Instant::from_nanos(1_000_000_000);
const GENL_ID_CTRL: u8 = 16;
const NEW_SERVICE: u8 = 1;
const SET_SERVICE: u8 = 2;
const DEL_SERVICE: u8 = 3;
const NEW_DEST: u8 = 5;
const SET_DEST: u8 = 6;
const DEL_DEST: u8 = 7;
const SET_CONFIG: u8 = 12;
/// All but `twos`, which the kernel of the virtual machine lacks.
const SCHEDULERS: [Scheduler; 13] = [
    Scheduler::RoundRobin,
    Scheduler::WeightedRoundRobin,
    Scheduler::LeastConnection,
    Scheduler::WeightedLeastConnection,
    Scheduler::LocalityLeastConnection,
    Scheduler::LocalityReplicated,
    Scheduler::SourceHash,
    Scheduler::DestinationHash,
    Scheduler::Maglev,
    Scheduler::WeightedFailover,
    Scheduler::WeightedOverflow,
    Scheduler::ShortestExpectedDelay,
    Scheduler::NeverQueue,
];

fn service(scheduler: Scheduler) -> Service {
    let flags = SchedulerFlags::default();
    Service { scheduler, flags, one_packet: false, persistence: None, destinations: BTreeMap::new() }
}

const fn persistence(mask: PersistenceMask) -> Persistence {
    Persistence { timeout: Duration::from_secs(300), mask, engine: None }
}

const fn nat(weight: u32) -> Destination {
    Destination { weight, forwarding: Forwarding::Nat, upper_threshold: None, lower_threshold: None }
}

fn address(address: &str, port: u16, protocol: Protocol) -> ServiceKey {
    let address = address.parse().expect("an address");
    ServiceKey::Address { address, port: NonZeroU16::new(port), protocol }
}

fn at(address: &str, port: u16) -> DestinationKey {
    DestinationKey { address: address.parse().expect("an address"), port: NonZeroU16::new(port) }
}
