//! ARP for IPv4 on Ethernet (RFC 826), as whole frames: what announces a virtual address and probes for one.

use std::net::Ipv4Addr;

use model::MacAddr;

use crate::ethernet;

const HARDWARE_ETHERNET: u16 = 1;
const MAC_BYTES: u8 = 6;
const IPV4_BYTES: u8 = 4;
const PACKET_BYTES: usize = 28;
const REQUEST: u16 = 1;
const REPLY: u16 = 2;

/// An ARP packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Packet {
    /// Request or reply.
    pub operation: Operation,
    /// The hardware address that the sender claims, and the source of the frame.
    pub sender_mac: MacAddr,
    /// The sender's address; 0.0.0.0 in a probe.
    pub sender: Ipv4Addr,
    /// The hardware address asked for or answered.
    pub target_mac: MacAddr,
    /// The address asked for or answered.
    pub target: Ipv4Addr,
}

/// What an ARP packet does (RFC 826).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    /// Asks who has the target, or announces.
    Request,
    /// Answers.
    Reply,
}

/// Why bytes are not an ARP frame that is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    /// Fewer bytes than an Ethernet header and 28 bytes of ARP.
    #[error("frame is cut short")]
    Truncated,
    /// Another EtherType than 0x0806.
    #[error("ethertype {0:#06x} is not arp")]
    EtherType(u16),
    /// Not IPv4 over Ethernet, by the address types or lengths (RFC 826).
    #[error("arp is not about ipv4 on ethernet")]
    AddressType,
    /// Neither request nor reply (RFC 826).
    #[error("arp operation {0} is not known")]
    Operation(u16),
}

/// The announcement of `address` at `mac` (RFC 5227 §3): a broadcast request whose sender and target are the address.
///
/// The target hardware address is the broadcast address, as keepalived sends it; RFC 5227 leaves it open.
#[must_use]
pub const fn gratuitous(mac: MacAddr, address: Ipv4Addr) -> Packet {
    Packet {
        operation: Operation::Request,
        sender_mac: mac,
        sender: address,
        target_mac: MacAddr::BROADCAST,
        target: address,
    }
}

/// The question whether anybody has `address` (RFC 5227 §2.1.1), sent from `mac` without claiming an address.
#[must_use]
pub const fn probe(mac: MacAddr, address: Ipv4Addr) -> Packet {
    Packet {
        operation: Operation::Request,
        sender_mac: mac,
        sender: Ipv4Addr::UNSPECIFIED,
        target_mac: MacAddr::ZERO,
        target: address,
    }
}

/// Reads an Ethernet frame that carries ARP. Padding after the packet is left out.
///
/// # Errors
/// [`Malformed`] says what is wrong first.
pub fn parse(frame: &[u8]) -> Result<Packet, Malformed> {
    let (ethernet, payload) = ethernet::parse(frame).map_err(|_| Malformed::Truncated)?;
    if ethernet.ethertype != ethernet::TYPE_ARP {
        return Err(Malformed::EtherType(ethernet.ethertype));
    }
    let (&packet, _padding) = payload.split_first_chunk::<PACKET_BYTES>().ok_or(Malformed::Truncated)?;
    let [h0, h1, p0, p1, mac_bytes, ip_bytes, o0, o1, addresses @ ..] = packet;
    let kinds = (u16::from_be_bytes([h0, h1]), u16::from_be_bytes([p0, p1]), mac_bytes, ip_bytes);
    if kinds != (HARDWARE_ETHERNET, ethernet::TYPE_IPV4, MAC_BYTES, IPV4_BYTES) {
        return Err(Malformed::AddressType);
    }
    let operation = match u16::from_be_bytes([o0, o1]) {
        REQUEST => Operation::Request,
        REPLY => Operation::Reply,
        other => return Err(Malformed::Operation(other)),
    };
    let [s0, s1, s2, s3, s4, s5, a0, a1, a2, a3, t0, t1, t2, t3, t4, t5, b0, b1, b2, b3] = addresses;
    Ok(Packet {
        operation,
        sender_mac: MacAddr([s0, s1, s2, s3, s4, s5]),
        sender: Ipv4Addr::new(a0, a1, a2, a3),
        target_mac: MacAddr([t0, t1, t2, t3, t4, t5]),
        target: Ipv4Addr::new(b0, b1, b2, b3),
    })
}

/// Appends the Ethernet frame of `packet`, 42 bytes: a request goes to everybody, a reply to its target.
pub fn emit(packet: &Packet, out: &mut Vec<u8>) {
    let (operation, destination) = match packet.operation {
        Operation::Request => (REQUEST, MacAddr::BROADCAST),
        Operation::Reply => (REPLY, packet.target_mac),
    };
    let ethernet = ethernet::Header { destination, source: packet.sender_mac, ethertype: ethernet::TYPE_ARP };
    ethernet::emit(&ethernet, out);
    out.extend_from_slice(&HARDWARE_ETHERNET.to_be_bytes());
    out.extend_from_slice(&ethernet::TYPE_IPV4.to_be_bytes());
    out.extend_from_slice(&[MAC_BYTES, IPV4_BYTES]);
    out.extend_from_slice(&operation.to_be_bytes());
    out.extend_from_slice(&packet.sender_mac.0);
    out.extend_from_slice(&packet.sender.octets());
    out.extend_from_slice(&packet.target_mac.0);
    out.extend_from_slice(&packet.target.octets());
}
