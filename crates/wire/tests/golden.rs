//! Frames that keepalived 2.2.7 sent, captured on a veth pair: what is read from them, and that we send the same.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use model::vrrp::Version;
use model::{Centis, MacAddr, Priority, Vrid};
use steadfast_wire::vrrp::{self, Addresses, Advert, Auth, Malformed};
use steadfast_wire::{arp, ethernet, ipv4, ipv6, ndisc};

const ROUTER: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 1);
const GROUP: Ipv4Addr = Ipv4Addr::new(224, 0, 0, 18);
const PEER: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 2);
const ROUTER_MAC: MacAddr = MacAddr([0x0e, 0x80, 0x83, 0xec, 0xfa, 0x6e]);

#[test]
fn version_2_without_authentication() {
    let expected = Advert {
        version: Version::V2,
        vrid: vrid(51),
        priority: Priority(200),
        interval: Centis::SECOND,
        auth: Auth::None,
        addresses: Addresses::v4(&[192, 0, 2, 100]).unwrap(),
    };
    same_both_ways(include_str!("golden/v2-none.hex"), &expected, GROUP);
}

#[test]
fn version_2_with_a_password_and_several_addresses() {
    let expected = Advert {
        version: Version::V2,
        vrid: vrid(52),
        priority: Priority(150),
        interval: Centis::new(200),
        auth: Auth::Pass(*b"s3cret\0\0"),
        addresses: Addresses::v4(&[192, 0, 2, 101, 192, 0, 2, 102, 198, 51, 100, 7]).unwrap(),
    };
    same_both_ways(include_str!("golden/v2-pass.hex"), &expected, GROUP);
    let release = Advert { priority: Priority::RELEASE, ..expected };
    same_both_ways(include_str!("golden/v2-pass-release.hex"), &release, GROUP);
}

#[test]
fn version_2_unicast_with_the_longest_password() {
    let expected = Advert {
        version: Version::V2,
        vrid: vrid(55),
        priority: Priority(120),
        interval: Centis::SECOND,
        auth: Auth::Pass(*b"12345678"),
        addresses: Addresses::v4(&[192, 0, 2, 109]).unwrap(),
    };
    same_both_ways(include_str!("golden/v2-unicast-pass.hex"), &expected, PEER);
}

#[test]
fn version_2_without_addresses() {
    let expected = Advert {
        version: Version::V2,
        vrid: vrid(59),
        priority: Priority(140),
        interval: Centis::SECOND,
        auth: Auth::None,
        addresses: Addresses::v4(&[]).unwrap(),
    };
    same_both_ways(include_str!("golden/v2-no-address.hex"), &expected, GROUP);
}

#[test]
fn version_3_owner() {
    let expected = Advert {
        version: Version::V3,
        vrid: vrid(53),
        priority: Priority::OWNER,
        interval: Centis::SECOND,
        auth: Auth::None,
        addresses: Addresses::v4(&[192, 0, 2, 103]).unwrap(),
    };
    same_both_ways(include_str!("golden/v3-owner.hex"), &expected, GROUP);
    let release = Advert { priority: Priority::RELEASE, ..expected };
    same_both_ways(include_str!("golden/v3-release.hex"), &release, GROUP);
}

#[test]
fn version_3_with_many_addresses_and_a_short_interval() {
    let addresses: Vec<u8> = (104..=108).flat_map(|last| [192, 0, 2, last]).collect();
    let expected = Advert {
        version: Version::V3,
        vrid: vrid(54),
        priority: Priority::LEAST,
        interval: Centis::new(25),
        auth: Auth::None,
        addresses: Addresses::v4(&addresses).unwrap(),
    };
    same_both_ways(include_str!("golden/v3-many.hex"), &expected, GROUP);
    assert_eq!(expected.addresses.len(), 5);
    assert_eq!(expected.addresses.iter().last(), Some(IpAddr::from([192, 0, 2, 108])));
}

#[test]
fn version_3_unicast_with_the_longest_interval() {
    let expected = Advert {
        version: Version::V3,
        vrid: vrid(56),
        priority: Priority::OWNER,
        interval: Centis::new(4095),
        auth: Auth::None,
        addresses: Addresses::v4(&[192, 0, 2, 111]).unwrap(),
    };
    same_both_ways(include_str!("golden/v3-unicast.hex"), &expected, PEER);
}

#[test]
fn version_3_over_ipv6() {
    let frame = frame(include_str!("golden/v3-ipv6.hex"));
    let (header, packet) = ethernet::parse(&frame).unwrap();
    assert_eq!(header.ethertype, ethernet::TYPE_IPV6);
    let (header, message) = packet.split_at(40);
    let source: Ipv6Addr = <[u8; 16]>::try_from(&header[8..24]).unwrap().into();
    let destination: Ipv6Addr = <[u8; 16]>::try_from(&header[24..40]).unwrap().into();
    let (link_local, global): (Ipv6Addr, Ipv6Addr) =
        ("fe80::58".parse().unwrap(), "2001:db8::58".parse().unwrap());
    let addresses = [link_local.octets(), global.octets()].concat();
    let expected = Advert {
        version: Version::V3,
        vrid: vrid(58),
        priority: Priority(140),
        interval: Centis::SECOND,
        auth: Auth::None,
        addresses: Addresses::v6(&addresses).unwrap(),
    };
    check_message(message, &expected, source.into(), destination.into());
    assert_eq!(
        vrrp::parse(message, source.into(), link_local.into()),
        Err(Malformed::Checksum),
        "over IPv6 the addresses are covered"
    );
}

#[test]
fn gratuitous_arp() {
    let frame = frame(include_str!("golden/gratuitous-arp.hex"));
    let expected = arp::gratuitous(ROUTER_MAC, Ipv4Addr::new(192, 0, 2, 103));
    assert_eq!(arp::parse(&frame), Ok(expected));
    let mut ours = Vec::new();
    arp::emit(&expected, &mut ours);
    assert_eq!(ours, frame);
    for length in 0..frame.len() {
        assert_eq!(arp::parse(&frame[..length]), Err(arp::Malformed::Truncated), "{length} bytes");
    }
}

#[test]
fn version_3_over_ipv6_to_a_peer() {
    let frame = frame(include_str!("golden/v3-ipv6-unicast.hex"));
    let (_, packet) = ethernet::parse(&frame).unwrap();
    let (header, message) = ipv6::parse(packet).unwrap();
    let [source, destination] = ["2001:db8::14", "2001:db8::86"].map(|address| address.parse().unwrap());
    let expected = ipv6::Header {
        source,
        destination,
        hop_limit: 64,
        next_header: vrrp::PROTOCOL,
        traffic_class: ipv4::TOS_INTERNETWORK_CONTROL,
    };
    assert_eq!(header, expected);
    let address = "2001:db8:42::1".parse::<Ipv6Addr>().unwrap().octets();
    let advert = Advert {
        version: Version::V3,
        vrid: vrid(42),
        priority: Priority(200),
        interval: Centis::SECOND,
        auth: Auth::None,
        addresses: Addresses::v6(&address).unwrap(),
    };
    check_message(message, &advert, source.into(), destination.into());
}

#[test]
fn neighbour_advertisements() {
    let mac = MacAddr([2, 0, 0, 0, 0, 0x14]);
    for (hex, router) in [
        (include_str!("golden/neighbour-advertisement.hex"), false),
        (include_str!("golden/neighbour-advertisement-router.hex"), true),
    ] {
        let frame = frame(hex);
        let expected = ndisc::unsolicited(mac, "fe80::41".parse().unwrap(), router);
        assert_eq!(ndisc::parse(&frame), Ok(expected));
        let mut ours = Vec::new();
        ndisc::emit(&expected, &mut ours);
        assert_eq!(ours, frame);
        for length in 0..frame.len() {
            assert_eq!(ndisc::parse(&frame[..length]), Err(ndisc::Malformed::Truncated), "{length} bytes");
        }
    }
}

/// The frame holds `expected`, and the IP packet that we make of `expected` is the frame's own.
#[track_caller]
fn same_both_ways(hex: &str, expected: &Advert<'_>, destination: Ipv4Addr) {
    let frame = frame(hex);
    let (ethernet, packet) = ethernet::parse(&frame).unwrap();
    assert_eq!((ethernet.ethertype, ethernet.source), (ethernet::TYPE_IPV4, ROUTER_MAC));
    let (header, message) = ipv4::parse(packet).unwrap();
    let identification = header.identification;
    let expected_header = ipv4::Header {
        source: ROUTER,
        destination,
        ttl: vrrp::TTL,
        protocol: vrrp::PROTOCOL,
        tos: ipv4::TOS_INTERNETWORK_CONTROL,
        identification,
        dont_fragment: false,
    };
    assert_eq!(header, expected_header);
    let mut ours = Vec::new();
    ipv4::emit(&expected_header, message.len(), &mut ours);
    assert_eq!(ours, packet[..ipv4::HEADER_BYTES]);
    for length in 0..packet.len() {
        assert_eq!(ipv4::parse(&packet[..length]), Err(ipv4::Malformed::Truncated), "{length} bytes");
    }
    check_message(message, expected, ROUTER.into(), destination.into());
}

#[track_caller]
fn check_message(message: &[u8], expected: &Advert<'_>, source: IpAddr, destination: IpAddr) {
    assert_eq!(vrrp::parse(message, source, destination), Ok(*expected));
    let mut ours = Vec::new();
    vrrp::emit(expected, source, destination, &mut ours);
    assert_eq!(ours, message);
    for length in 0..message.len() {
        let cut = vrrp::parse(&message[..length], source, destination);
        assert_eq!(cut, Err(Malformed::Truncated), "{length} bytes");
    }
    let longer = [message, &[0]].concat();
    assert_eq!(vrrp::parse(&longer, source, destination), Err(Malformed::Length));
    for bit in 0..message.len() * 8 {
        let mut damaged = message.to_vec();
        damaged[bit / 8] ^= 1 << (bit % 8);
        assert!(vrrp::parse(&damaged, source, destination).is_err(), "bit {bit} is covered");
    }
}

/// The bytes of a file of comment lines and one line of hexadecimal digits.
fn frame(hex: &str) -> Vec<u8> {
    let digits = hex.lines().find(|line| !line.starts_with('#')).unwrap();
    (0..digits.len()).step_by(2).map(|at| u8::from_str_radix(&digits[at..at + 2], 16).unwrap()).collect()
}

fn vrid(vrid: u8) -> Vrid {
    Vrid::try_from(vrid).unwrap()
}
