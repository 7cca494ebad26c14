//! What holds for every packet: what is written is read back, and nothing read makes a parser panic.

use std::hint::black_box;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use model::vrrp::Version;
use model::{Centis, MacAddr, Priority, Vrid};
use proptest::collection::vec;
use proptest::prelude::*;
use steadfast_wire::vrrp::{self, Addresses, Advert, Auth, Malformed};
use steadfast_wire::{arp, checksum, ethernet, icmp, ipv4, ipv6, ndisc};

const SOURCE: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1));
const GROUP: IpAddr = IpAddr::V4(Ipv4Addr::new(224, 0, 0, 18));

/// An advertisement without its addresses, and these.
type Parts = (Version, u8, u8, Centis, Auth<'static>, Vec<[u8; 4]>);

fn parts() -> impl Strategy<Value = Parts> {
    let auth = prop_oneof![
        Just(Auth::None),
        any::<[u8; 8]>().prop_map(Auth::Pass),
        (2..=u8::MAX).prop_map(Auth::Other),
    ];
    let v2 = (Just(Version::V2), (1..=u8::MAX).prop_map(Centis::from_secs), auth);
    let v3 = (Just(Version::V3), (1..=0x0fff_u16).prop_map(Centis::new), Just(Auth::None));
    (prop_oneof![v2.boxed(), v3.boxed()], 1..=u8::MAX, any::<u8>(), vec(any::<[u8; 4]>(), 0..=255)).prop_map(
        |((version, interval, auth), vrid, priority, addresses)| {
            (version, vrid, priority, interval, auth, addresses)
        },
    )
}

fn advert<'a>(parts: &Parts, addresses: &'a [u8]) -> Advert<'a> {
    let (version, vrid, priority, interval, auth, _) = parts;
    Advert {
        version: *version,
        vrid: Vrid::try_from(*vrid).unwrap(),
        priority: Priority(*priority),
        interval: *interval,
        auth: *auth,
        addresses: Addresses::v4(addresses).unwrap(),
    }
}

fn emitted(advert: &Advert<'_>) -> Vec<u8> {
    let mut message = Vec::new();
    vrrp::emit(advert, SOURCE, GROUP, &mut message);
    message
}

proptest! {
    #[test]
    fn an_advertisement_is_read_back_as_written(parts in parts()) {
        let addresses = parts.5.concat();
        let advert = advert(&parts, &addresses);
        let message = emitted(&advert);
        prop_assert_eq!(message.len(), vrrp::length(&advert));
        prop_assert_eq!(vrrp::parse(&message, SOURCE, GROUP), Ok(advert));
        prop_assert_eq!(advert.addresses.iter().count(), parts.5.len());
        for length in 0..message.len() {
            prop_assert_eq!(vrrp::parse(&message[..length], SOURCE, GROUP), Err(Malformed::Truncated));
        }
    }

    /// In version 2. Where a version 3 checksum has two readings, some damage to the one looks like the other.
    #[test]
    fn one_damaged_byte_is_noticed(mut parts in parts(), at in any::<prop::sample::Index>(), by in 1..=u8::MAX) {
        parts.0 = Version::V2;
        let addresses = parts.5.concat();
        let mut message = emitted(&advert(&parts, &addresses));
        let at = at.index(message.len());
        message[at] ^= by;
        prop_assert!(vrrp::parse(&message, SOURCE, GROUP).is_err());
    }

    #[test]
    fn an_ipv6_advertisement_is_read_back(addresses in vec(any::<[u8; 16]>(), 1..=255), interval in 1..=0x0fff_u16) {
        let (source, group): (IpAddr, IpAddr) = ("fe80::1".parse().unwrap(), "ff02::12".parse().unwrap());
        let bytes = addresses.concat();
        let advert = Advert {
            version: Version::V3,
            vrid: Vrid::try_from(1).unwrap(),
            priority: Priority::DEFAULT,
            interval: Centis::new(interval),
            auth: Auth::None,
            addresses: Addresses::v6(&bytes).unwrap(),
        };
        let mut message = Vec::new();
        vrrp::emit(&advert, source, group, &mut message);
        prop_assert_eq!(vrrp::parse(&message, source, group), Ok(advert));
        prop_assert!(advert.addresses.iter().eq(addresses.iter().map(|octets| IpAddr::from(*octets))));
    }

    #[test]
    fn no_bytes_make_a_parser_panic(bytes in vec(any::<u8>(), 0..100), v6 in any::<[u8; 16]>()) {
        let source = v6.into();
        for (source, destination) in [(SOURCE, GROUP), (source, source), (SOURCE, source), (source, GROUP)] {
            black_box(vrrp::parse(&bytes, source, destination).is_ok());
        }
        black_box(ipv4::parse(&bytes).is_ok());
        black_box(ipv6::parse(&bytes).is_ok());
        black_box(ndisc::parse(&bytes).is_ok());
        black_box(arp::parse(&bytes).is_ok());
        black_box(ethernet::parse(&bytes).is_ok());
        black_box(icmp::parse(&bytes).is_ok());
    }

    /// Byte soup rarely gets past a checksum, so here it is made right.
    #[test]
    fn no_bytes_with_a_right_checksum_make_the_parser_panic(mut bytes in vec(any::<u8>(), 8..60), version in 2..=3_u8) {
        bytes[0] = version << 4 | 1;
        bytes[6..8].fill(0);
        let sum = checksum::Sum::new().with(&bytes).finish();
        bytes[6..8].copy_from_slice(&sum.to_be_bytes());
        if let Ok(advert) = vrrp::parse(&bytes, SOURCE, GROUP) {
            prop_assert!(advert.interval.get() > 0);
            prop_assert_eq!(advert.addresses.len(), usize::from(bytes[3]));
        }
    }

    #[test]
    fn an_ip_header_is_read_back(
        source in any::<[u8; 4]>(), destination in any::<[u8; 4]>(), ttl in any::<u8>(), protocol in any::<u8>(),
        tos in any::<u8>(), identification in any::<u16>(), dont_fragment in any::<bool>(),
        payload in vec(any::<u8>(), 0..64), padding in vec(any::<u8>(), 0..20),
    ) {
        let header = ipv4::Header {
            source: source.into(), destination: destination.into(), ttl, protocol, tos, identification, dont_fragment,
        };
        let mut packet = Vec::new();
        ipv4::emit(&header, payload.len(), &mut packet);
        packet.extend(&payload);
        packet.extend(&padding);
        prop_assert_eq!(ipv4::parse(&packet), Ok((header, &payload[..])));
    }

    #[test]
    fn arp_is_read_back(
        request in any::<bool>(), sender_mac in any::<[u8; 6]>(), sender in any::<[u8; 4]>(),
        target_mac in any::<[u8; 6]>(), target in any::<[u8; 4]>(), padding in 0..18_usize,
    ) {
        let packet = arp::Packet {
            operation: if request { arp::Operation::Request } else { arp::Operation::Reply },
            sender_mac: MacAddr(sender_mac), sender: sender.into(),
            target_mac: MacAddr(target_mac), target: target.into(),
        };
        let mut frame = Vec::new();
        arp::emit(&packet, &mut frame);
        frame.resize(frame.len() + padding, 0);
        prop_assert_eq!(arp::parse(&frame), Ok(packet));
    }

    #[test]
    fn neighbour_discovery_is_read_back(
        kind in proptest::option::of(any::<[bool; 3]>()), macs in any::<[[u8; 6]; 2]>(),
        mac in proptest::option::of(any::<[u8; 6]>()), addresses in any::<[[u8; 16]; 3]>(), padding in 0..18_usize,
    ) {
        let [sender, receiver, mut target] = addresses;
        target[0] &= 0x7f;
        let kind = kind.map_or(ndisc::Kind::Solicitation, |[router, solicited, overrides]| {
            ndisc::Kind::Advertisement { router, solicited, overrides }
        });
        let packet = ndisc::Packet {
            sender_mac: MacAddr(macs[0]), sender: sender.into(), receiver_mac: MacAddr(macs[1]),
            receiver: receiver.into(), target: target.into(), mac: mac.map(MacAddr), kind,
        };
        let mut frame = Vec::new();
        ndisc::emit(&packet, &mut frame);
        frame.resize(frame.len() + padding, 0);
        prop_assert_eq!(ndisc::parse(&frame), Ok(packet));
    }

    /// As above: options behind a checksum that is right.
    #[test]
    fn no_options_make_the_parser_panic(options in vec(any::<u8>(), 0..40)) {
        let address = Ipv6Addr::LOCALHOST;
        let mut message = vec![136, 0, 0, 0, 0, 0, 0, 0];
        message.extend(address.octets());
        message.extend(&options);
        let sum = checksum::Sum::new().with(&message).pseudo_v6(address, address, ndisc::PROTOCOL, message.len());
        message[2..4].copy_from_slice(&sum.finish().to_be_bytes());
        let mut frame = vec![0; 12];
        frame.extend(ethernet::TYPE_IPV6.to_be_bytes());
        let header = ipv6::Header {
            source: address, destination: address, hop_limit: 255, next_header: ndisc::PROTOCOL, traffic_class: 0,
        };
        ipv6::emit(&header, message.len(), &mut frame);
        frame.extend(&message);
        let read = ndisc::parse(&frame);
        prop_assert!(read.is_err() || read.is_ok_and(|packet| packet.target == address));
    }

    #[test]
    fn an_echo_is_read_back(request in any::<bool>(), identifier in any::<u16>(), sequence in any::<u16>(), payload in vec(any::<u8>(), 0..64)) {
        let kind = if request { icmp::Kind::Request } else { icmp::Kind::Reply };
        let echo = icmp::Echo { kind, identifier, sequence, payload: &payload };
        let mut message = Vec::new();
        icmp::emit(&echo, &mut message);
        prop_assert_eq!(icmp::parse(&message), Ok(echo));
    }
}
