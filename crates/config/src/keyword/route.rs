//! Entries of route lists, and the words that may stand in one.

use super::{ADDRESS, Block, FLAG, IFNAME, Keyword, built, choice, grammar, integer, whole_seconds, word};

/// Every route.
#[rustfmt::skip] // A table reads best with its status in one column.
pub(super) const COMMON: &[Keyword] = &[
    built("(destination)", grammar("[to] [TYPE] ADDRESS[/PREFIX] | default | any | all")).required()
        .such_as("198.51.100.0/24 via 192.0.2.1 dev eth0")
        .doc("Sets the destination prefix. Any word that is no option is taken as destination."),
    built("to", grammar("[TYPE] ADDRESS[/PREFIX]"))
        .such_as("to 198.51.100.0/24 dev eth0")
        .doc("Introduces the destination explicitly."),
    built("(type)", grammar("unicast|local|broadcast|brd|anycast|multicast|prohibit|unreachable|blackhole|xresolve|throw|nat | INTEGER 0..255"))
        .or("unicast")
        .such_as("blackhole 198.51.100.0/24 no_track")
        .doc("Sets the route type. Must stand right before the destination."),
    built("default6", FLAG)
        .such_as("default6 via fe80::1 dev eth0")
        .doc("Sets the IPv6 default destination. Alias of inet6 default (deprecated)."),
    built("inet", FLAG).or("from addresses").since("1.2.24")
        .doc("Forces the IPv4 family."),
    built("inet6", FLAG).or("from addresses").since("1.2.24")
        .doc("Forces the IPv6 family."),
    built("src", ADDRESS)
        .such_as("src 192.0.2.3")
        .doc("Sets the preferred source address."),
    built("via", grammar("[inet|inet6] ADDRESS"))
        .such_as("via 192.0.2.1")
        .doc("Sets the gateway. The family word works only if the family is still open or equal."),
    built("gw", grammar("[inet|inet6] ADDRESS")).alias_of("via")
        .such_as("gw 192.0.2.1")
        .doc("Sets the gateway."),
    built("or", ADDRESS)
        .such_as("or 192.0.2.2")
        .doc("Adds a second gateway of equal weight. Deprecated, use nexthop. Only one."),
    built("from", grammar("ADDRESS[/PREFIX]")).since("1.2.24")
        .such_as("from 2001:db8::/32")
        .doc("Sets the source prefix the route applies to. IPv6 only."),
    built("tos", grammar("INTEGER 0..255 | NAME from rt_dsfield")).since("1.2.24")
        .such_as("tos 16")
        .doc("Sets the type of service. IPv4 only."),
    built("dsfield", grammar("INTEGER 0..255 | NAME from rt_dsfield")).since("1.2.24").alias_of("tos")
        .such_as("dsfield 16")
        .doc("Sets the type of service."),
    built("table", grammar("INTEGER 0..4294967295 | default|main|local | NAME from rt_tables")).or("main")
        .such_as("table 100")
        .doc("Sets the routing table."),
    built("protocol", grammar("INTEGER 0..255 | NAME (static, boot, bird ...) or from rt_protos"))
        .or("keepalived (18)").since("1.2.24")
        .such_as("protocol static")
        .doc("Sets the routing protocol id. Reset to keepalived unless no_track."),
    built("scope", grammar("INTEGER 0..255 | global|site|link|host|nowhere | NAME from rt_scopes")).or("global")
        .such_as("scope link")
        .doc("Sets the route scope. IPv4 only."),
    built("metric", integer(0..=4_294_967_295)).or("kernel default")
        .doc("Sets the metric."),
    built("priority", integer(0..=4_294_967_295)).or("kernel default").since("1.2.24").alias_of("metric")
        .doc("Sets the metric."),
    built("preference", integer(0..=4_294_967_295)).or("kernel default").since("1.2.24").alias_of("metric")
        .doc("Sets the metric."),
    built("dev", IFNAME)
        .doc("Sets the output interface."),
    built("oif", IFNAME).alias_of("dev")
        .doc("Sets the output interface."),
    built("onlink", FLAG).since("1.2.24")
        .doc("Treats the gateway as directly reachable. IPv4 only."),
    built("encap", grammar("ip|ip6|mpls|ila followed by its options")).since("1.2.24")
        .such_as("encap ip dst 192.0.2.2")
        .doc("Sets a lightweight tunnel encapsulation."),
    built("expires", whole_seconds(0..=4_294_967_295)).or("never").since("1.2.24")
        .doc("Limits the route lifetime. Makes the route IPv6."),
    built("mtu", grammar("[lock] INTEGER 0..4294967295")).since("1.2.24")
        .such_as("mtu lock 1400")
        .doc("Sets the path MTU."),
    built("hoplimit", integer(0..=255)).or("kernel default").since("1.2.24")
        .doc("Sets the hop limit."),
    built("advmss", grammar("[lock] INTEGER 0..4294967295")).since("1.2.24")
        .such_as("advmss 1360")
        .doc("Sets the advertised MSS."),
    built("rtt", grammar("[lock] TIME[s|ms]")).since("1.2.24")
        .such_as("rtt 300ms")
        .doc("Sets the initial round trip estimate. 200 ms to 120 s; without a unit in steps of 1/8 ms."),
    built("rttvar", grammar("[lock] TIME[s|ms]"))
        .since("1.2.24")
        .such_as("rttvar 300ms")
        .doc("Sets the initial round trip variance. 200 ms to 120 s; without a unit in steps of 1/4 ms."),
    built("reordering", grammar("[lock] INTEGER 0..4294967295")).since("1.2.24")
        .such_as("reordering 5")
        .doc("Sets the initial reordering tolerance."),
    built("window", integer(0..=4_294_967_295)).since("1.2.24")
        .doc("Limits the advertised TCP window."),
    built("cwnd", grammar("[lock] INTEGER 0..4294967295")).since("1.2.24")
        .such_as("cwnd 10")
        .doc("Limits the congestion window."),
    built("ssthresh", grammar("[lock] INTEGER 0..4294967295")).since("1.2.24")
        .such_as("ssthresh 10")
        .doc("Sets the slow start threshold."),
    built("realms", grammar("[FROM/]TO, each INTEGER 0..255 | NAME from rt_realms")).since("1.2.24")
        .such_as("realms 5/6")
        .doc("Sets the realms. IPv4 only."),
    built("rto_min", grammar("[lock] TIME[s|ms]")).since("1.2.24")
        .such_as("rto_min 250ms")
        .doc("Sets the minimum retransmission time. 200 ms to 120 s; without a unit in steps of ms."),
    built("initcwnd", integer(0..=4_294_967_295)).since("1.2.24")
        .doc("Sets the initial congestion window."),
    built("initrwnd", integer(0..=4_294_967_295)).since("1.2.24")
        .doc("Sets the initial receive window."),
    built("features", grammar("ecn")).since("1.2.24")
        .such_as("features ecn")
        .doc("Turns on ECN."),
    built("quickack", integer(0..=1)).since("1.2.24")
        .doc("Turns immediate acknowledgements on or off."),
    built("congctl", grammar("[lock] NAME")).since("1.2.24")
        .such_as("congctl cubic")
        .doc("Sets the congestion control algorithm."),
    built("pref", grammar("low|medium|high | INTEGER 0..255")).since("1.2.24")
        .such_as("pref high")
        .doc("Sets the router preference. Makes the route IPv6."),
    built("ttl-propagate", choice(&["enabled", "disabled"])).since("2.0.8")
        .doc("Controls TTL propagation. MPLS."),
    built("fastopen_no_cookie", integer(0..=1)).since("1.4.3")
        .doc("Allows TCP fast open without cookie."),
    built("as", grammar("[to] WORD")).since("1.2.24")
        .such_as("as to 2001:db8::1")
        .doc("Is recognised only to be rejected."),
    built("add", FLAG).or("prepend").since("2.2.5")
        .doc("Adds the route only if no equal route exists."),
    built("prepend", FLAG).or("prepend").since("2.2.5")
        .doc("Adds the route before equal routes."),
    built("append", FLAG).or("prepend").since("2.2.5")
        .doc("Adds the route after equal routes."),
    built("nexthop", grammar("via|dev|weight|onlink|encap|realms options, may repeat, must come last"))
        .opens(Block::Nexthop).since("1.2.24")
        .such_as("nexthop via 192.0.2.1 weight 2 nexthop via 192.0.2.2")
        .doc("Adds one hop of a multipath route. Not with or."),
    built("no_track", FLAG).since("2.0.3")
        .doc("Leaves the state alone if the route disappears."),
    built("vrf", grammar("IFNAME of an existing VRF")).since("2.2.5")
        .such_as("vrf blue")
        .doc("Uses the table of the VRF."),
];

/// Only static routes.
#[rustfmt::skip] // A table reads best with its status in one column.
pub(super) const STATIC: &[Keyword] = &[
    built("track_group", word("NAME")).since("2.0.3")
        .such_as("track_group site")
        .doc("Lets the instances of the group follow the route. Defined earlier. Needs dev."),
];

/// Words after `nexthop`.
#[rustfmt::skip] // A table reads best with its status in one column.
pub(super) const NEXTHOP: &[Keyword] = &[
    built("via", grammar("[inet|inet6] ADDRESS"))
        .such_as("via 192.0.2.1")
        .doc("Sets the gateway of the hop."),
    built("dev", IFNAME)
        .such_as("dev eth1")
        .doc("Sets the interface of the hop."),
    built("weight", integer(1..=256)).or_number(1).since("1.2.24")
        .doc("Sets the relative share of the hop."),
    built("onlink", FLAG).since("1.2.24")
        .doc("Treats the gateway of the hop as directly reachable."),
    built("encap", grammar("ip|ip6|mpls|ila followed by its options")).since("1.2.24")
        .such_as("encap ip dst 192.0.2.2")
        .doc("Sets the encapsulation of the hop."),
    built("realms", grammar("[FROM/]TO")).since("1.2.24")
        .such_as("realms 5/6")
        .doc("Sets the realms of the hop. IPv4 only."),
    built("as", grammar("[to] WORD")).since("1.2.24")
        .such_as("as to 2001:db8::1")
        .doc("Is recognised only to be rejected."),
];

/// Words after `encap ip`.
#[rustfmt::skip] // A table reads best with its status in one column.
pub(super) const ENCAP_IP: &[Keyword] = &[
    built("id", grammar("INTEGER 0..18446744073709551615")).since("1.2.24")
        .such_as("id 7")
        .doc("Sets the tunnel id. Dst or id is required."),
    built("dst", ADDRESS).since("1.2.24")
        .doc("Sets the outer destination. An IPv4 address."),
    built("src", ADDRESS)
        .such_as("src 192.0.2.3")
        .doc("Sets the outer source. An IPv4 address."),
    built("tos", grammar("INTEGER 0..255 | NAME from rt_dsfield")).since("1.2.24")
        .such_as("tos 16")
        .doc("Sets the outer traffic class."),
    built("ttl", integer(0..=255)).since("1.2.24")
        .doc("Sets the outer TTL or hop limit."),
    built("flags", integer(0..=65535)).since("1.2.24")
        .doc("Sets the tunnel flags."),
];

/// Words after `encap ip6`.
#[rustfmt::skip] // A table reads best with its status in one column.
pub(super) const ENCAP_IP6: &[Keyword] = &[
    built("id", grammar("INTEGER 0..18446744073709551615")).since("1.2.24")
        .such_as("id 7")
        .doc("Sets the tunnel id. Dst or id is required."),
    built("dst", ADDRESS).since("1.2.24")
        .such_as("dst 2001:db8::2")
        .doc("Sets the outer destination. An IPv6 address."),
    built("src", ADDRESS)
        .such_as("src 2001:db8::3")
        .doc("Sets the outer source. An IPv6 address."),
    built("tc", grammar("INTEGER 0..255 | NAME from rt_dsfield")).since("1.2.24")
        .such_as("tc 16")
        .doc("Sets the outer traffic class."),
    built("hoplimit", integer(0..=255)).since("1.2.24")
        .doc("Sets the outer TTL or hop limit."),
    built("flags", integer(0..=65535)).since("1.2.24")
        .doc("Sets the tunnel flags."),
];

/// Words after `encap mpls`.
#[rustfmt::skip] // A table reads best with its status in one column.
pub(super) const ENCAP_MPLS: &[Keyword] = &[
    built("(labels)", grammar("LABEL[/LABEL...] each 0..1048575, decimal, 0x or 0")).required()
        .such_as("100/200")
        .doc("Sets the MPLS label stack."),
];

/// Words after `encap ila`.
#[rustfmt::skip] // A table reads best with its status in one column.
pub(super) const ENCAP_ILA: &[Keyword] = &[
    built("(locator)", grammar("four hex groups of 16 bits separated by colons")).required()
        .such_as("1:2:3:4")
        .doc("Sets the ILA locator."),
];
