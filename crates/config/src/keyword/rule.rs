//! Entries of rule lists: the words that may stand in one.

use super::{FLAG, IFNAME, Keyword, built, grammar, integer, word};

/// Every rule.
#[rustfmt::skip] // A table reads best with its status in one column.
pub(super) const COMMON: &[Keyword] = &[
    built("inet", FLAG).or("from addresses").since("2.0.1")
        .doc("Forces the IPv4 family."),
    built("inet6", FLAG).or("from addresses").since("2.0.1")
        .doc("Forces the IPv6 family."),
    built("from", grammar("ADDRESS[/PREFIX] | default | any | all")).or("any").since("1.2.20")
        .such_as("from 192.0.2.0/24")
        .doc("Matches the source prefix."),
    built("to", grammar("ADDRESS[/PREFIX] | default | any | all")).or("any").since("1.2.20")
        .such_as("to 198.51.100.0/24")
        .doc("Matches the destination prefix."),
    built("table", grammar("INTEGER 1..4294967295 | default|main|local | NAME from rt_tables"))
        .or("one action is required").since("1.2.20")
        .such_as("table 100")
        .doc("Looks up the given table."),
    built("lookup", grammar("INTEGER 1..4294967295 | default|main|local | NAME from rt_tables"))
        .or("one action is required").since("1.2.24").alias_of("table")
        .such_as("lookup 100")
        .doc("Looks up the given table."),
    built("not", FLAG).since("1.2.24")
        .doc("Inverts the match."),
    built("preference", integer(0..=4_294_967_295)).or("16384 counting down, with an error").since("1.2.24")
        .such_as("preference 100")
        .doc("Sets the rule priority. Decimal, 0x, 0."),
    built("order", integer(0..=4_294_967_295)).or("see preference").since("1.2.24").alias_of("preference")
        .such_as("order 100")
        .doc("Sets the rule priority."),
    built("priority", integer(0..=4_294_967_295)).or("see preference").since("1.2.24").alias_of("preference")
        .such_as("priority 100")
        .doc("Sets the rule priority."),
    built("tos", grammar("INTEGER 0..255 | NAME from rt_dsfield")).or("any").since("1.2.24")
        .such_as("tos 16")
        .doc("Matches the type of service."),
    built("dsfield", grammar("INTEGER 0..255 | NAME from rt_dsfield")).or("any").since("1.2.24").alias_of("tos")
        .such_as("dsfield 16")
        .doc("Matches the type of service."),
    built("fwmark", grammar("MARK[/MASK] each 0..4294967295 (decimal, 0x, 0)")).or("any").since("1.2.24")
        .such_as("fwmark 1/0xff")
        .doc("Matches the firewall mark."),
    built("realms", grammar("[FROM/]TO")).since("1.2.24")
        .such_as("realms 5/6")
        .doc("Sets the realms. IPv4 only. Needs table."),
    built("suppress_prefixlength", integer(0..=2_147_483_647)).since("1.2.24")
        .doc("Rejects lookups with prefixes no longer than this. Needs table."),
    built("sup_pl", integer(0..=2_147_483_647)).since("1.2.24").alias_of("suppress_prefixlength")
        .doc("Rejects lookups with prefixes no longer than this."),
    built("suppress_ifgroup", grammar("INTEGER 0..2147483647 | NAME from iproute2 group file")).since("1.2.24")
        .such_as("suppress_ifgroup 5")
        .doc("Rejects lookups through interfaces of the group. Needs table."),
    built("sup_group", grammar("INTEGER 0..2147483647 | NAME from iproute2 group file")).since("1.2.24")
        .alias_of("suppress_ifgroup")
        .such_as("sup_group 5")
        .doc("Rejects lookups through interfaces of the group."),
    built("iif", IFNAME).or("any").since("1.2.24")
        .doc("Matches the input interface."),
    built("dev", IFNAME).or("any").since("1.2.24").alias_of("iif")
        .doc("Matches the input interface."),
    built("oif", IFNAME).or("any").since("1.2.24")
        .doc("Matches the output interface."),
    built("tunnel-id", grammar("INTEGER 0..18446744073709551615")).or("any").since("1.2.24")
        .such_as("tunnel-id 7")
        .doc("Matches the tunnel id."),
    built("uidrange", word("INTEGER-INTEGER")).or("any").since("1.3.5")
        .such_as("uidrange 1000-2000")
        .doc("Matches the user id range."),
    built("l3mdev", FLAG).since("1.4.3")
        .doc("Looks up the table of the L3 master device. Excludes table."),
    built("protocol", integer(0..=255)).or("keepalived (18)").since("2.0.1")
        .doc("Sets the originator of the rule. Reset to keepalived unless no_track. No names."),
    built("ipproto", grammar("NAME | INTEGER 0..255")).or("any").since("2.0.1")
        .such_as("ipproto tcp")
        .doc("Matches the IP protocol."),
    built("sport", word("PORT[-PORT]")).or("any").since("2.0.1")
        .such_as("sport 1024-65535")
        .doc("Matches the source port range."),
    built("dport", word("PORT[-PORT]")).or("any").since("2.0.1")
        .such_as("dport 80-90")
        .doc("Matches the destination port range."),
    built("no_track", FLAG).since("2.0.3")
        .doc("Leaves the state alone if the rule disappears."),
    built("type", grammar("goto N | nop | blackhole | unreachable | prohibit")).since("1.2.24")
        .such_as("type blackhole")
        .doc("Introduces the action. Optional word before the action."),
    built("goto", integer(0..=4_294_967_295)).since("1.2.24")
        .such_as("goto 20000")
        .doc("Continues at another rule. Needs a smaller explicit preference."),
    built("nop", FLAG).since("1.2.24")
        .doc("Does nothing."),
    built("blackhole", FLAG)
        .doc("Drops silently."),
    built("unreachable", FLAG)
        .doc("Rejects as unreachable."),
    built("prohibit", FLAG)
        .doc("Rejects as prohibited."),
];

/// Only static rules.
#[rustfmt::skip] // A table reads best with its status in one column.
pub(super) const STATIC: &[Keyword] = &[
    built("track_group", word("NAME")).since("2.0.3")
        .such_as("track_group site")
        .doc("Lets the instances of the group follow the rule. Defined earlier. Needs iif."),
];
