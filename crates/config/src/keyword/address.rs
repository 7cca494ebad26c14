//! Entries of address lists, and the words that may follow an address.

use super::{ADDRESS, FLAG, IFNAME, Keyword, built, grammar, word};

/// Every address.
#[rustfmt::skip] // A table reads best with its status in one column.
pub(super) const COMMON: &[Keyword] = &[
    built("(address)", grammar("ADDRESS[/PREFIX] [options]")).or("PREFIX 32 or 128")
        .such_as("192.0.2.10/24")
        .doc("Adds one virtual address. All entries must be of one family."),
    built("dev", IFNAME).or("interface of the instance")
        .such_as("dev eth1")
        .doc("Chooses the interface of the address. It may appear later."),
    built("scope", grammar("INTEGER 0..255 (0x, 0 prefixes allowed) | global|site|link|host|nowhere | NAME from rt_scopes"))
        .or("global")
        .such_as("scope link")
        .doc("Sets the address scope. IPv4 only."),
    built("brd", grammar("ADDRESS | + | -"))
        .such_as("brd +")
        .doc("Sets the broadcast address. IPv4 only. + sets and - clears host bits. Not with peer."),
    built("broadcast", grammar("ADDRESS | + | -")).alias_of("brd")
        .such_as("broadcast 192.0.2.255")
        .doc("Sets the broadcast address."),
    built("label", word("STRING"))
        .such_as("label eth0:web")
        .doc("Sets the interface label of the address. At most 15 characters. IPv4 only."),
    built("peer", ADDRESS).since("2.0.0")
        .such_as("peer 192.0.2.11")
        .doc("Sets the point to point peer address. Takes no prefix. A prefix on the address itself is dropped with an error."),
    built("home", FLAG).since("1.3.6")
        .doc("Marks the address as a mobile home address."),
    built("-nodad", FLAG).or("nodad set for IPv6").since("1.3.6")
        .doc("Clears the no-duplicate-detection flag that is otherwise set."),
    built("mngtmpaddr", FLAG).since("1.3.6")
        .doc("Makes the kernel manage temporary addresses from this one."),
    built("noprefixroute", FLAG).since("1.3.6")
        .doc("Avoids the automatic prefix route."),
    built("autojoin", FLAG).since("1.3.6")
        .doc("Joins the multicast group of the address."),
    built("no_track", FLAG).since("2.0.3")
        .such_as("no_track")
        .doc("Leaves the state alone if the address disappears."),
    built("preferred_lft", grammar("INTEGER 0..4294967295 seconds | forever"))
        .or("0 for IPv6 /128, forever for other IPv6").since("2.0.20")
        .such_as("preferred_lft 600")
        .doc("Sets the preferred lifetime. No effect for IPv4."),
];

/// Only virtual addresses.
#[rustfmt::skip] // A table reads best with its status in one column.
pub(super) const VIRTUAL: &[Keyword] = &[
    built("use_vmac", FLAG).since("2.2.0")
        .such_as("use_vmac")
        .doc("Creates a VMAC on the interface of the address."),
];

/// Only static addresses.
#[rustfmt::skip] // A table reads best with its status in one column.
pub(super) const STATIC: &[Keyword] = &[
    built("track_group", word("NAME")).since("2.0.3")
        .such_as("track_group site")
        .doc("Lets the instances of the group follow the address."),
];
