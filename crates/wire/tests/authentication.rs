//! Authenticated advertisements: packets of others are read, ours are the same bytes, and nothing else is believed.

use std::net::{IpAddr, Ipv4Addr};
use std::num::NonZeroU8;
use std::time::Duration;

use model::vrrp::Version;
use model::{Centis, Family, Priority, Vrid};
use proptest::prelude::*;
use steadfast_wire::signature::{Stamp, sign};
use steadfast_wire::vrrp::{self, Addresses, Advert, Auth, Malformed};
use steadfast_wire::{ah, ipv4};

fn bytes(hex: &str) -> Vec<u8> {
    let digits: Vec<u32> = hex.chars().filter_map(|digit| digit.to_digit(16)).collect();
    digits.chunks(2).map(|pair| u8::try_from(pair[0] * 16 + pair[1]).unwrap()).collect()
}

/// The key 1 of the vectors: 00 01 … 1f.
fn key() -> Vec<u8> {
    (0..32).collect()
}

fn key_id() -> NonZeroU8 {
    NonZeroU8::MIN
}

const V4: &str = "3133c80100644402c0000264 010100006800000080000000 1b84bc4e8e43892dc6d98448f8ee2265";
const V6: &str = "3133c8010064a2e9fe800000000000000000000000000100 010100006800000080000000 c8c56146ebfd66ee10ec4d8186461b78";

fn stamp() -> Stamp {
    Stamp::at(Duration::new(0x6800_0000, 500_000_000))
}

#[track_caller]
fn is_vector(vector: &str, source: &str, group: &str) {
    let (source, group): (IpAddr, IpAddr) = (source.parse().unwrap(), group.parse().unwrap());
    let packet = bytes(vector);
    let advert = vrrp::parse(&packet, source, group).unwrap();
    let Auth::Signed(signed) = advert.auth else { panic!("{advert:?} is not signed") };
    assert!(signed.signature().is_known());
    assert_eq!((signed.signature().key(), signed.signature().stamp()), (1, stamp()));
    assert!(signed.is_authentic(&key(), source));
    let signature = sign(&advert, source, key_id(), &key(), stamp());
    let mut ours = Vec::new();
    let advert = Advert { auth: Auth::Signed(signature.into()), ..advert };
    vrrp::emit(&advert, source, group, &mut ours);
    assert_eq!(ours.len(), vrrp::length(&advert));
    if source.is_ipv4() {
        // Summed alone in the vector; we send it with the pseudo-header, and the signature covers neither.
        ours[6..8].copy_from_slice(&packet[6..8]);
    }
    assert_eq!(ours, packet, "we send the same");
}

#[test]
fn the_vector_of_ipv4_is_read_and_made() {
    is_vector(V4, "198.51.100.10", "224.0.0.18");
}

#[test]
fn the_vector_of_ipv6_is_read_and_made() {
    is_vector(V6, "fe80::10", "fe80::20");
}

#[test]
fn every_bit_of_a_signed_message_is_covered() {
    let (source, group) = (IpAddr::from([198, 51, 100, 10]), IpAddr::from([224, 0, 0, 18]));
    let whole = bytes(V4);
    for bit in 0..whole.len() * 8 {
        let mut packet = whole.clone();
        packet[bit / 8] ^= 1 << (bit % 8);
        let is_taken = match vrrp::parse(&packet, source, group).map(|advert| advert.auth) {
            Ok(Auth::Signed(signed)) => signed.is_authentic(&key(), source),
            Ok(Auth::None | Auth::Pass(_) | Auth::Ah(_) | Auth::Other(_)) => panic!("bit {bit}"),
            Err(_) => false,
        };
        assert!(!is_taken, "bit {bit}");
    }
}

#[test]
fn another_key_source_or_length_is_not_believed() {
    let (source, group) = (IpAddr::from([198, 51, 100, 10]), IpAddr::from([224, 0, 0, 18]));
    let packet = bytes(V4);
    let Auth::Signed(signed) = vrrp::parse(&packet, source, group).unwrap().auth else { panic!("signed") };
    assert!(!signed.is_authentic(&key()[1..], source));
    assert!(!signed.is_authentic(&[], source));
    assert!(!signed.is_authentic(&key(), [198, 51, 100, 11].into()));
    for length in 13..packet.len() {
        assert_eq!(vrrp::parse(&packet[..length], source, group), Err(Malformed::Length), "{length} bytes");
    }
    let longer = [&packet[..], &[0]].concat();
    assert_eq!(vrrp::parse(&longer, source, group), Err(Malformed::Length));
}

#[test]
fn version_2_is_signed_behind_its_authentication_data() {
    let (source, group) = (IpAddr::from([192, 0, 2, 1]), IpAddr::from([224, 0, 0, 18]));
    let plain = advert(Version::V2, Auth::None);
    let signature = sign(&plain, source, key_id(), &key(), stamp());
    let mut packet = Vec::new();
    vrrp::emit(&Advert { auth: Auth::Signed(signature.into()), ..plain }, source, group, &mut packet);
    assert_eq!(packet.len(), 12 + 8 + 28);
    let Auth::Signed(signed) = vrrp::parse(&packet, source, group).unwrap().auth else { panic!("signed") };
    assert!(signed.is_authentic(&key(), source));
    let mut with_password = packet.clone();
    with_password[4] = 1;
    let sum = u16::from_be_bytes([packet[6], packet[7]]) - 0x0100;
    with_password[6..8].copy_from_slice(&sum.to_be_bytes());
    assert_eq!(vrrp::parse(&with_password, source, group), Err(Malformed::Length), "one or the other");
}

#[test]
fn stamps_wrap_and_windows_reach_both_ways() {
    let end = Stamp::at(Duration::from_secs((1 << 32) - 1));
    let after = Stamp::at(Duration::from_secs(1 << 32));
    assert!(after.is_after(end) && !end.is_after(after) && !end.is_after(end));
    assert!(end.next().is_after(end) && after.is_after(end.next()));
    let two = Duration::from_secs(2);
    assert!(after.is_within(two, end) && end.is_within(two, after));
    assert!(!after.is_within(Duration::from_millis(999), end));
    assert!(stamp().is_within(Duration::ZERO, stamp()));
}

fn advert(version: Version, auth: Auth<'static>) -> Advert<'static> {
    Advert {
        version,
        vrid: Vrid::try_from(51).unwrap(),
        priority: Priority(200),
        interval: Centis::SECOND,
        auth,
        addresses: Addresses::v4(&[10, 9, 0, 100]).unwrap(),
    }
}

/// What Debian's keepalived 2.2.7 sent with `auth_type AH`: to the group with the password `s3cret`, and to a peer with
/// `12345678`.
const MULTICAST: &str = "45c0004000020000ff33d0ac0a090001e0000012 700400000a09000100000002ed35361e255a80e6103324d2 2133c80102010a5d0a0900640000000000000000";
const UNICAST: &str = "45c0004000010000ff33a6b50a0900010a090002 700400000a09000100000001bc40d695673ddb9196dba342 2134c80102010a5b0a0900650000000000000000";

#[track_caller]
fn is_as_sent(packet: &str, password: &[u8; 8]) {
    let packet = bytes(packet);
    let (header, _) = ipv4::parse(&packet).unwrap();
    let advert = ah::parse(&packet).unwrap().unwrap();
    let Auth::Ah(protection) = advert.auth else { panic!("{advert:?} has no authentication header") };
    assert!(protection.names(header.source));
    assert!(protection.is_authentic(password));
    let mut ours = Vec::new();
    let way = (header.source, header.destination);
    ah::emit(&advert, way, password, protection.sequence(), vrrp::TTL, &mut ours);
    assert_eq!(ours, packet, "we send the same");
}

#[test]
fn an_authentication_header_to_a_group_is_read_and_made() {
    is_as_sent(MULTICAST, b"s3cret\0\0");
}

#[test]
fn an_authentication_header_to_a_peer_is_read_and_made() {
    is_as_sent(UNICAST, b"12345678");
}

/// The packet with some bytes changed and the checksum of its IP header made right again.
fn changed(packet: &[u8], change: impl FnOnce(&mut [u8])) -> Vec<u8> {
    let mut packet = packet.to_vec();
    change(&mut packet);
    packet[10..12].fill(0);
    let sum = steadfast_wire::checksum::Sum::new().with(&packet[..20]).finish();
    packet[10..12].copy_from_slice(&sum.to_be_bytes());
    packet
}

fn is_believed(packet: &[u8], password: &[u8; 8]) -> bool {
    match ah::parse(packet).map(|advert| advert.map(|advert| advert.auth)) {
        Some(Ok(Auth::Ah(protection))) => protection.is_authentic(password),
        _ => false,
    }
}

#[test]
fn every_bit_that_no_router_changes_is_covered() {
    let whole = bytes(UNICAST);
    for bit in 0..whole.len() * 8 {
        let packet = changed(&whole, |packet| packet[bit / 8] ^= 1 << (bit % 8));
        // Type of service, don't fragment, the TTL to a peer, and the checksum, which was made right.
        let is_free = matches!(bit / 8, 1 | 6 | 8 | 10 | 11);
        assert_eq!(is_believed(&packet, b"12345678"), is_free && ipv4::parse(&packet).is_ok(), "bit {bit}");
    }
    let hops = changed(&bytes(MULTICAST), |packet| packet[8] = 254);
    assert!(!is_believed(&hops, b"s3cret\0\0"), "a group is on the link");
}

#[test]
fn another_password_or_a_cut_packet_is_not_believed() {
    let whole = bytes(MULTICAST);
    assert!(!is_believed(&whole, b"s3cret2\0"));
    assert!(!is_believed(&whole, &[0; 8]));
    for length in 0..whole.len() {
        assert!(!is_believed(&whole[..length], b"s3cret\0\0"), "{length} bytes");
    }
}

#[test]
fn what_is_inside_must_say_so() {
    let whole = bytes(MULTICAST);
    let refused =
        |change: &dyn Fn(&mut [u8])| ah::parse(&changed(&whole, |packet| change(packet))).map(Result::err);
    assert_eq!(refused(&|packet| packet[20] = 6), None, "another protocol is none of ours");
    assert_eq!(refused(&|packet| packet[21] = 5), Some(Some(Malformed::Length)));
    let other_type = |packet: &mut [u8]| {
        packet[48] = 1;
        packet[50] += 1;
    };
    assert_eq!(refused(&other_type), Some(Some(Malformed::Header)));
    let bare = &whole[44..];
    let (source, group) = (IpAddr::from([10, 9, 0, 1]), IpAddr::from([224, 0, 0, 18]));
    assert_eq!(vrrp::parse(bare, source, group).map(|advert| advert.auth), Ok(Auth::Other(2)));
}

proptest! {
    #[test]
    fn what_is_signed_is_believed(
        version in prop_oneof![Just(Version::V2), Just(Version::V3)],
        id in 1..=u8::MAX,
        key in proptest::collection::vec(any::<u8>(), 32..=64),
        seconds in any::<u32>(),
        nanos in 0..1_000_000_000_u32,
        source in any::<[u8; 4]>(),
    ) {
        let (source, group) = (IpAddr::from(source), IpAddr::from([224, 0, 0, 18]));
        let plain = advert(version, Auth::None);
        let stamp = Stamp::at(Duration::new(seconds.into(), nanos)).next();
        let signature = sign(&plain, source, NonZeroU8::new(id).unwrap(), &key, stamp);
        let sent = Advert { auth: Auth::Signed(signature.into()), ..plain };
        let mut packet = Vec::new();
        vrrp::emit(&sent, source, group, &mut packet);
        let read = vrrp::parse(&packet, source, group).unwrap();
        prop_assert_eq!(read, sent);
        let Auth::Signed(signed) = read.auth else { panic!("signed") };
        prop_assert_eq!((signed.signature().stamp(), signed.signature().key()), (stamp, id));
        prop_assert!(signed.is_authentic(&key, source));
    }

    #[test]
    fn what_is_protected_is_believed(
        sequence in any::<u32>(),
        password in any::<[u8; 8]>(),
        source in any::<[u8; 4]>(),
        destination in any::<[u8; 4]>(),
    ) {
        let (source, destination) = (Ipv4Addr::from(source), Ipv4Addr::from(destination));
        let mut packet = Vec::new();
        ah::emit(&advert(Version::V2, Auth::None), (source, destination), &password, sequence, vrrp::TTL, &mut packet);
        prop_assert_ne!(&packet[4..6], &[0, 0][..], "the kernel would put another identification there");
        let Auth::Ah(protection) = ah::parse(&packet).unwrap().unwrap().auth else { panic!("protected") };
        prop_assert_eq!(protection.sequence(), sequence);
        prop_assert!(protection.names(source) && protection.is_authentic(&password));
    }

    #[test]
    fn no_bytes_make_a_reader_panic(packet in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _read = ah::parse(&packet);
        let packet = changed(&[&bytes(MULTICAST)[..], &packet].concat(), |packet| {
            let length = u16::try_from(packet.len()).unwrap();
            packet[2..4].copy_from_slice(&length.to_be_bytes());
        });
        prop_assert!(packet.len() == 64 || !is_believed(&packet, b"s3cret\0\0"));
    }
}

#[test]
fn a_signature_does_not_print_what_is_secret() {
    let plain = advert(Version::V3, Auth::None);
    let signature = sign(&plain, [192, 0, 2, 1].into(), key_id(), &key(), stamp());
    let shown = format!("{:?}", Auth::Signed(signature.into()));
    assert!(shown.contains("key 1") && !shown.contains("0001020304"), "{shown}");
    assert_eq!(plain.addresses.family(), Family::V4);
}
