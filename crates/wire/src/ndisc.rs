//! Neighbour discovery for IPv6 on Ethernet (RFC 4861), as whole frames: what announces a virtual address and asks for one.

use std::net::Ipv6Addr;

use model::MacAddr;

use crate::checksum::Sum;
use crate::{ethernet, ipv6};

/// ICMPv6 (RFC 4443 §1).
pub const PROTOCOL: u8 = 58;
/// All hosts of the link (RFC 4291 §2.7.1).
pub const ALL_NODES: Ipv6Addr = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 1);

/// The only hop limit that a receiver takes: it proves that the sender is on the link (RFC 4861 §7.1).
const HOP_LIMIT: u8 = 255;
const SOLICITATION: u8 = 135;
const ADVERTISEMENT: u8 = 136;
const HEADER_BYTES: usize = 24;
const SOURCE_MAC: u8 = 1;
const TARGET_MAC: u8 = 2;
const OPTION_BYTES: usize = 8;
const ROUTER: u8 = 0x80;
const SOLICITED: u8 = 0x40;
const OVERRIDE: u8 = 0x20;

/// A solicitation or an advertisement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Packet {
    /// The source of the frame.
    pub sender_mac: MacAddr,
    /// The source of the packet; `::` in the search for duplicates.
    pub sender: Ipv6Addr,
    /// Where the frame goes.
    pub receiver_mac: MacAddr,
    /// Where the packet goes.
    pub receiver: Ipv6Addr,
    /// The address asked for or answered.
    pub target: Ipv6Addr,
    /// The hardware address that the sender tells: its own in a solicitation, that of the target in an advertisement.
    pub mac: Option<MacAddr>,
    /// What it does.
    pub kind: Kind,
}

/// What a packet does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Asks who has the target (RFC 4861 §4.3).
    Solicitation,
    /// Answers, or announces (RFC 4861 §4.4).
    Advertisement {
        /// The sender is a router.
        router: bool,
        /// It is an answer.
        solicited: bool,
        /// Who knows another hardware address for the target is to forget it.
        overrides: bool,
    },
}

/// Why bytes are not a frame that is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    /// Fewer bytes than the headers, the message or an option needs.
    #[error("frame is cut short")]
    Truncated,
    /// Another EtherType than 0x86dd, or another protocol than ICMPv6.
    #[error("frame does not carry icmpv6")]
    Protocol,
    /// Neither solicitation nor advertisement, or a code that is not 0 (RFC 4861 §7.1).
    #[error("icmpv6 type {0} is not known here")]
    Type(u8),
    /// It has passed a router (RFC 4861 §7.1).
    #[error("hop limit is not 255")]
    HopLimit,
    /// The message is damaged (RFC 4443 §2.3).
    #[error("checksum is wrong")]
    Checksum,
    /// A target that is a group, or an option of no length (RFC 4861 §7.1).
    #[error("target or option is impossible")]
    Content,
}

/// The announcement of `address` at `mac` (RFC 4861 §7.2.6): to all hosts, from the address itself, as keepalived sends it.
#[must_use]
pub const fn unsolicited(mac: MacAddr, address: Ipv6Addr, router: bool) -> Packet {
    Packet {
        sender_mac: mac,
        sender: address,
        receiver_mac: multicast_mac(ALL_NODES),
        receiver: ALL_NODES,
        target: address,
        mac: Some(mac),
        kind: Kind::Advertisement { router, solicited: false, overrides: true },
    }
}

/// The question from `sender` at `mac` who else has `address`. The answer comes to the sender alone: that to a question
/// without a sender would go to all hosts, and make them believe it.
#[must_use]
pub const fn solicitation(mac: MacAddr, sender: Ipv6Addr, address: Ipv6Addr) -> Packet {
    let receiver = solicited_node(address);
    Packet {
        sender_mac: mac,
        sender,
        receiver_mac: multicast_mac(receiver),
        receiver,
        target: address,
        mac: Some(mac),
        kind: Kind::Solicitation,
    }
}

/// Reads an Ethernet frame that carries a solicitation or an advertisement. Padding after the packet is left out.
///
/// # Errors
/// [`Malformed`] says what is wrong first.
pub fn parse(frame: &[u8]) -> Result<Packet, Malformed> {
    let (ethernet, packet) = ethernet::parse(frame).map_err(|_| Malformed::Truncated)?;
    if ethernet.ethertype != ethernet::TYPE_IPV6 {
        return Err(Malformed::Protocol);
    }
    let (ip, message) = ipv6::parse(packet).map_err(|error| match error {
        ipv6::Malformed::Truncated => Malformed::Truncated,
        ipv6::Malformed::Version(_) => Malformed::Protocol,
    })?;
    if ip.next_header != PROTOCOL {
        return Err(Malformed::Protocol);
    }
    let Some((&[kind, code, _, _, flags, _, _, _, ref target @ ..], options)) =
        message.split_first_chunk::<HEADER_BYTES>()
    else {
        return Err(Malformed::Truncated);
    };
    let (kind, option) = match (kind, code) {
        (SOLICITATION, 0) => (Kind::Solicitation, SOURCE_MAC),
        (ADVERTISEMENT, 0) => (advertisement(flags), TARGET_MAC),
        (other, _) => return Err(Malformed::Type(other)),
    };
    if ip.hop_limit != HOP_LIMIT {
        return Err(Malformed::HopLimit);
    }
    if !Sum::new().with(message).pseudo_v6(ip.source, ip.destination, PROTOCOL, message.len()).is_valid() {
        return Err(Malformed::Checksum);
    }
    let target = Ipv6Addr::from(*target);
    if target.is_multicast() {
        return Err(Malformed::Content);
    }
    Ok(Packet {
        sender_mac: ethernet.source,
        sender: ip.source,
        receiver_mac: ethernet.destination,
        receiver: ip.destination,
        target,
        mac: hardware_address(options, option)?,
        kind,
    })
}

/// Appends the Ethernet frame of `packet`.
pub fn emit(packet: &Packet, out: &mut Vec<u8>) {
    let ethernet = ethernet::Header {
        destination: packet.receiver_mac,
        source: packet.sender_mac,
        ethertype: ethernet::TYPE_IPV6,
    };
    ethernet::emit(&ethernet, out);
    let mut message = [0; HEADER_BYTES + OPTION_BYTES];
    let length = write(packet, &mut message);
    let message = message.get(..length).unwrap_or_default();
    let ip = ipv6::Header {
        source: packet.sender,
        destination: packet.receiver,
        hop_limit: HOP_LIMIT,
        next_header: PROTOCOL,
        traffic_class: 0,
    };
    ipv6::emit(&ip, message.len(), out);
    let sum = Sum::new().with(message).pseudo_v6(ip.source, ip.destination, PROTOCOL, message.len());
    let [s0, s1] = sum.finish().to_be_bytes();
    if let [kind, code, _, _, rest @ ..] = message {
        out.extend_from_slice(&[*kind, *code, s0, s1]);
        out.extend_from_slice(rest);
    }
}

/// Writes the message with a checksum of zero, and gives its length.
fn write(packet: &Packet, message: &mut [u8; HEADER_BYTES + OPTION_BYTES]) -> usize {
    let (kind, flags, option) = match packet.kind {
        Kind::Solicitation => (SOLICITATION, 0, SOURCE_MAC),
        Kind::Advertisement { router, solicited, overrides } => {
            let flag = |set: bool, bit| if set { bit } else { 0 };
            let flags = flag(router, ROUTER) | flag(solicited, SOLICITED) | flag(overrides, OVERRIDE);
            (ADVERTISEMENT, flags, TARGET_MAC)
        }
    };
    let option = packet.mac.map(|MacAddr([a, b, c, d, e, f])| [option, 1, a, b, c, d, e, f]);
    let fixed = [kind, 0, 0, 0, flags, 0, 0, 0];
    let target = packet.target.octets();
    let bytes = fixed.iter().chain(&target).chain(option.iter().flatten());
    let mut length = 0;
    for (to, from) in message.iter_mut().zip(bytes) {
        *to = *from;
        length += 1;
    }
    length
}

const fn advertisement(flags: u8) -> Kind {
    Kind::Advertisement {
        router: flags & ROUTER != 0,
        solicited: flags & SOLICITED != 0,
        overrides: flags & OVERRIDE != 0,
    }
}

/// The hardware address in the first option of that kind.
fn hardware_address(mut options: &[u8], wanted: u8) -> Result<Option<MacAddr>, Malformed> {
    while let [kind, units, ..] = *options {
        let length = usize::from(units) * OPTION_BYTES;
        if length == 0 {
            return Err(Malformed::Content);
        }
        let (option, rest) = options.split_at_checked(length).ok_or(Malformed::Truncated)?;
        if let ([_, _, a, b, c, d, e, f], true) = (option, kind == wanted) {
            return Ok(Some(MacAddr([*a, *b, *c, *d, *e, *f])));
        }
        options = rest;
    }
    Ok(None)
}

/// The group of the hosts whose address ends as this one does (RFC 4291 §2.7.1).
const fn solicited_node(address: Ipv6Addr) -> Ipv6Addr {
    let [.., x, y, z] = address.octets();
    Ipv6Addr::from_octets([0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0xff, x, y, z])
}

/// RFC 2464 §7.
const fn multicast_mac(group: Ipv6Addr) -> MacAddr {
    let [.., w, x, y, z] = group.octets();
    MacAddr([0x33, 0x33, w, x, y, z])
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAC: MacAddr = MacAddr([2, 0, 0, 0, 0, 0x14]);

    fn frame() -> Vec<u8> {
        let mut frame = Vec::new();
        emit(&unsolicited(MAC, "2001:db8:41::1".parse().unwrap(), false), &mut frame);
        frame
    }

    /// The frame with that byte of its message, and a checksum that is right.
    fn with(at: usize, byte: u8) -> Vec<u8> {
        let mut frame = frame();
        let (head, message) = frame.split_at_mut(14 + 40);
        message[at] = byte;
        message[2..4].fill(0);
        let (ip, _) = ipv6::parse(&[&head[14..], message].concat()).map(|(ip, _)| (ip, ())).unwrap();
        let sum = Sum::new().with(message).pseudo_v6(ip.source, ip.destination, PROTOCOL, message.len());
        message[2..4].copy_from_slice(&sum.finish().to_be_bytes());
        frame
    }

    #[test]
    fn each_refusal_has_its_reason() {
        assert!(parse(&frame()).is_ok());
        assert_eq!(parse(&with(0, 128)), Err(Malformed::Type(128)));
        assert_eq!(parse(&with(1, 1)), Err(Malformed::Type(136)));
        assert_eq!(parse(&with(8, 0xff)), Err(Malformed::Content), "a group");
        assert_eq!(parse(&with(25, 0)), Err(Malformed::Content), "an option of no length");
        assert_eq!(parse(&with(25, 2)), Err(Malformed::Truncated));
        assert_eq!(parse(&with(24, 14)).map(|packet| packet.mac), Ok(None), "another option");
        let mut other = frame();
        other[60] ^= 1;
        assert_eq!(parse(&other), Err(Malformed::Checksum));
        let mut other = frame();
        other[14 + 7] = 254;
        assert_eq!(parse(&other), Err(Malformed::HopLimit));
        let mut other = frame();
        other[14 + 6] = 17;
        assert_eq!(parse(&other), Err(Malformed::Protocol));
        for cut in 0..frame().len() {
            assert_eq!(parse(&frame()[..cut]), Err(Malformed::Truncated), "{cut}");
        }
    }

    #[test]
    fn a_question_goes_to_those_who_may_have_the_address() {
        let packet = solicitation(MAC, "fe80::14".parse().unwrap(), "2001:db8::12:3456".parse().unwrap());
        assert_eq!(packet.receiver, "ff02::1:ff12:3456".parse::<Ipv6Addr>().unwrap());
        assert_eq!(packet.receiver_mac, MacAddr([0x33, 0x33, 0xff, 0x12, 0x34, 0x56]));
    }
}
