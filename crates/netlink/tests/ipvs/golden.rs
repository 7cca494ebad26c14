//! Bytes that ipvsadm and the kernel really exchanged.

use std::collections::BTreeMap;
use std::num::{NonZeroU8, NonZeroU16, NonZeroU32};
use std::time::Duration;

use model::ipvs::{Destination, DestinationKey, Service, ServiceKey, SyncRole, SyncSide};
use model::lvs::{Forwarding, Persistence, PersistenceMask, Protocol, Scheduler, SchedulerFlags};
use model::{Family, SyncTransport};
use netlink::Sequence;
use netlink::ipvs::{
    FamilyId, Heard, HeldDestination, News, Request, Settings, Statistics, Target, Timeouts, decode, encode,
};
use proptest::prelude::*;
use steadfast_netlink as netlink;

const RECORDED: &str = include_str!("../golden/ipvs.hex");
const FAMILY: FamilyId = FamilyId(30);

#[test]
fn requests_are_those_of_ipvsadm() {
    let marked = ServiceKey::Fwmark { mark: 5, family: Family::V6 };
    let plain = service(Scheduler::WeightedLeastConnection);
    let same = [
        Request::AddService(web(), Settings::of(&persistent(), Family::V4)),
        Request::AddService(marked, Settings::of(&plain, Family::V6)),
        Request::StartSide(SyncRole::Master, side()),
        Request::SetTimeouts(timeouts()),
        Request::Timeouts,
    ];
    for request in same {
        let mut ours = Vec::new();
        encode(FAMILY, &request, Sequence::FIRST, &mut ours);
        let is_recorded = lines('>').any(|recorded| sorted(&recorded) == sorted(&ours));
        assert!(is_recorded, "{request:?}: {ours:02x?}");
    }
}

#[test]
fn answers_mean_this() {
    let all: Vec<_> = lines('<').flat_map(|bytes| heard(&bytes)).collect();
    let settings = Settings { flags: 0x1b, ..Settings::of(&persistent(), Family::V4) };
    assert!(settings.does_as(&Settings::of(&persistent(), Family::V4)), "the kernel's own mark says nothing");
    let nothing = Box::<Statistics>::default();
    let key = ServiceKey::Fwmark { mark: 5, family: Family::V6 };
    let marked =
        Settings { flags: 2, ..Settings::of(&service(Scheduler::WeightedLeastConnection), Family::V6) };
    for news in [
        News::Service { key: web(), settings, statistics: nothing.clone() },
        News::Service { key, settings: marked, statistics: nothing },
        News::Timeouts(timeouts()),
        News::Side(SyncRole::Master, side()),
    ] {
        assert!(all.contains(&news), "{news:?} is not in {all:?}");
    }
    let gue = Target { method: 2, weight: 3, tunnel_type: 1, tunnel_port: 6080, tunnel_flags: 2, ..plain() };
    let limited = Target { weight: 7, upper_threshold: 100, lower_threshold: 50, ..plain() };
    let direct = Target { method: 3, weight: 1, ..plain() };
    for (address, port, target) in
        [("10.0.0.1", 8080, limited), ("10.0.0.2", 80, gue), ("2001:db8::1", 0, direct)]
    {
        let key = DestinationKey { address: address.parse().unwrap(), port: NonZeroU16::new(port) };
        let value =
            HeldDestination { target, connections: Default::default(), statistics: Default::default() };
        let news = News::Destination { key, value: value.into() };
        assert!(all.contains(&news), "{news:?} is not in {all:?}");
    }
}

#[test]
fn statistics_of_older_kernels_are_read_too() {
    // Of the service: conns, inpkts and outpkts as four bytes, inbytes and outbytes as eight.
    let mut stats = Vec::new();
    for (kind, value) in (1_u16..).zip([7_u32, 8, 9]) {
        attribute(&mut stats, kind, &value.to_ne_bytes());
    }
    attribute(&mut stats, 4, &u64::MAX.to_ne_bytes());
    attribute(&mut stats, 10, &11_u32.to_ne_bytes());
    attribute(&mut stats, 99, b"unknown");
    let message = message_with(10, &stats);
    let [News::Service { statistics, settings, .. }] = &heard(&message)[..] else { panic!("{message:02x?}") };
    let Statistics { connections, packets_in, packets_out, bytes_in, byte_rate_out, .. } = **statistics;
    assert_eq!((connections, packets_in, packets_out, bytes_in, byte_rate_out), (7, 8, 9, u64::MAX, 11));
    assert_eq!(&*settings.scheduler, "of-2030", "a scheduler of a later kernel");
}

proptest! {
    #[test]
    fn no_damage_makes_the_decoder_panic(
        which in any::<prop::sample::Index>(),
        damage in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
    ) {
        let all: Vec<_> = lines('<').collect();
        let mut datagram = all[which.index(all.len())].clone();
        for (at, byte) in damage {
            let at = at.index(datagram.len());
            datagram[at] = byte;
        }
        heard(&datagram);
    }
}

fn lines(sign: char) -> impl Iterator<Item = Vec<u8>> {
    let hex = RECORDED.lines().filter_map(move |line| line.strip_prefix(sign)).map(str::trim);
    hex.map(|hex| {
        (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect()
    })
}

fn heard(datagram: &[u8]) -> Vec<News> {
    let mut heard = Vec::new();
    decode(Some(FAMILY), datagram, &mut heard);
    heard.into_iter().map(|Heard { news, .. }| news).collect()
}

/// A request with the attributes of its one nest in order: theirs means nothing. The flag of a nest, too, is ipvsadm's.
fn sorted(message: &[u8]) -> (Vec<u8>, Vec<Vec<u8>>) {
    let is_nested = message.len() > 24 && message[23] & 0x80 != 0;
    let from = if is_nested { 24 } else { 20 };
    let mut attributes = Vec::new();
    let mut rest = &message[from..];
    while !rest.is_empty() {
        let length = usize::from(u16::from_ne_bytes([rest[0], rest[1]])).next_multiple_of(4);
        attributes.push(rest[..length].to_vec());
        rest = &rest[length..];
    }
    attributes.sort();
    (message[..from].to_vec(), attributes)
}

fn attribute(to: &mut Vec<u8>, kind: u16, value: &[u8]) {
    to.extend(u16::try_from(4 + value.len()).unwrap().to_ne_bytes());
    to.extend(kind.to_ne_bytes());
    to.extend(value);
    to.resize(to.len().next_multiple_of(4), 0);
}

/// A service as a kernel would list it that has this attribute too.
fn message_with(kind: u16, value: &[u8]) -> Vec<u8> {
    let mut service = Vec::new();
    attribute(&mut service, 1, &2_u16.to_ne_bytes());
    attribute(&mut service, 5, &9_u32.to_ne_bytes());
    attribute(&mut service, 6, b"of-2030\0");
    attribute(&mut service, kind, value);
    let mut body = vec![1, 1, 0, 0];
    attribute(&mut body, 1, &service);
    let mut message = u32::try_from(16 + body.len()).unwrap().to_ne_bytes().to_vec();
    message.extend([30, 0, 2, 0, 1, 0, 0, 0, 0, 0, 0, 0]);
    message.extend(body);
    message
}

fn web() -> ServiceKey {
    let address = [192, 0, 2, 10].into();
    ServiceKey::Address { address, port: NonZeroU16::new(80), protocol: Protocol::Tcp }
}

fn persistent() -> Service {
    let mask = PersistenceMask::V4([255, 255, 255, 0].into());
    let persistence = Persistence { timeout: Duration::from_secs(300), mask, engine: None };
    let flags = SchedulerFlags { first: true, second: true, third: false };
    Service { flags, persistence: Some(persistence), ..service(Scheduler::SourceHash) }
}

fn service(scheduler: Scheduler) -> Service {
    let flags = SchedulerFlags::default();
    Service { scheduler, flags, one_packet: false, persistence: None, destinations: BTreeMap::new() }
}

fn plain() -> Target {
    let forwarding = Forwarding::Nat;
    let none = None::<NonZeroU32>;
    Target::of(&Destination { weight: 0, forwarding, upper_threshold: none, lower_threshold: none })
}

fn side() -> SyncSide {
    let transport = SyncTransport {
        address: Some([239, 1, 1, 1].into()),
        port: NonZeroU16::new(8900),
        ttl: NonZeroU8::new(3),
    };
    SyncSide { interface: "d0".parse().unwrap(), id: 7, longest: NonZeroU16::new(1400), transport }
}

const fn timeouts() -> Timeouts {
    Timeouts { tcp: Some(100), tcp_fin: Some(20), udp: Some(30) }
}
