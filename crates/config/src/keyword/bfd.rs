//! `bfd_instance`.

use super::{ADDRESS, BOOL, FLAG, Keyword, grammar, integer, later, weight};

/// `bfd_instance`.
#[rustfmt::skip] // A table reads best with its status in one column.
pub(super) const BFD_INSTANCE: &[Keyword] = &[
    later("neighbor_ip", ADDRESS).required().since("2.0.0")
        .such_as("neighbor_ip 192.0.2.2")
        .doc("Sets the address of the peer."),
    later("neighbour_ip", ADDRESS).required().since("2.0.0").alias_of("neighbor_ip")
        .such_as("neighbour_ip 192.0.2.2")
        .doc("Sets the address of the peer."),
    later("source_ip", ADDRESS).or("chosen by kernel").since("2.0.0")
        .doc("Sets the local address."),
    later("min_rx", grammar("MILLISECONDS 1..4294967 with up to 3 decimals")).or_number(10).since("2.0.0")
        .such_as("min_rx 100")
        .doc("Sets the required minimum receive interval."),
    later("min_tx", grammar("MILLISECONDS 1..4294967 with up to 3 decimals")).or_number(10).since("2.0.0")
        .such_as("min_tx 100")
        .doc("Sets the desired minimum transmit interval."),
    later("idle_tx", grammar("MILLISECONDS 1000..4294967 with up to 3 decimals")).or_number(1000).since("2.0.0")
        .such_as("idle_tx 2000")
        .doc("Sets the transmit interval while the session is down."),
    later("multiplier", integer(1..=255)).or_number(5).since("2.0.0")
        .doc("Sets how many missed packets bring the session down."),
    later("passive", FLAG).or("off (active)").since("2.0.0")
        .doc("Waits for the peer to speak first."),
    later("ttl", integer(1..=255)).or("255 for IPv4, 64 for IPv6").since("2.0.0")
        .doc("Sets the outgoing TTL or hop limit."),
    later("hoplimit", integer(1..=255)).or("255 for IPv4, 64 for IPv6").since("2.0.0").alias_of("ttl")
        .doc("Sets the outgoing TTL or hop limit."),
    later("max_hops", integer(-1..=255)).or_number(0).since("2.0.0")
        .doc("Sets how far the TTL of received packets may have dropped. Capped to ttl."),
    later("multihop", BOOL).since("2.2.8")
        .doc("Uses the multihop port 4784 instead of 3784."),
    later("weight", weight(-253..=253)).or_number(0).since("2.0.0")
        .doc("Sets the default priority change for tracking instances."),
    later("vrrp", FLAG).or("events go to vrrp and checker").since("2.0.0")
        .doc("Sends events to the VRRP process; alone it excludes the checker."),
    later("checker", FLAG).or("events go to vrrp and checker").since("2.0.0")
        .doc("Sends events to the checker process; alone it excludes VRRP."),
];
