//! The top level, and small blocks that stand there.

use super::{Block, FLAG, IFNAME, Keyword, built, grammar, later, micros, whole_seconds, word};

/// Keywords and blocks of the top level.
#[rustfmt::skip] // A table reads best with its status in one column.
pub(super) const ROOT: &[Keyword] = &[
    built("linkbeat_use_polling", FLAG)
        .doc("Polls link state by MII, ethtool or ioctl on all VRRP interfaces instead of relying on netlink."),
    built("net_namespace", word("NAME")).or("current namespace").since("1.2.24")
        .such_as("net_namespace blue")
        .doc("Runs the whole daemon inside the named network namespace. Implies use_pid_dir. Cannot change on reload. Duplicates are rejected. -s overrides."),
    later("net_namespace_ipvs", grammar("[NAME]")).or("same namespace as the rest").since("2.1.0")
        .such_as("net_namespace_ipvs red")
        .doc("Puts the IPVS tables in a different network namespace from the checkers. Bare means the default namespace. Cannot change on reload."),
    built("namespace_with_ipsets", FLAG).since("1.3.0")
        .doc("Allows ipsets to be used together with a network namespace on kernels before 3.13. Packet filters are nftables here, which need no permission: there is nothing to allow."),
    built("use_pid_dir", FLAG).since("1.2.24")
        .doc("Places pid files in the keepalived sub-directory of the run directory."),
    built("instance", word("NAME")).or("unset").since("1.2.24")
        .such_as("instance blue")
        .doc("Names this daemon instance so that pid files and the log ident differ. Implies use_pid_dir. Cannot change on reload. Duplicates are rejected."),
    built("child_wait_time", whole_seconds(0..=4_294_967_295)).or_number(5).since("2.0.0")
        .doc("Limits how long the parent waits for children to exit at shutdown before killing them."),
    built("global_defs", FLAG).opens(Block::GlobalDefs)
        .doc("Holds the daemon wide settings. May be repeated."),
    built("linkbeat_interfaces", FLAG).opens(Block::LinkbeatInterfaces).since("2.0.13")
        .doc("Lists interfaces whose link state is polled."),
    built("interface_up_down_delays", FLAG).opens(Block::InterfaceDelays).since("2.2.3")
        .doc("Lists per interface debounce delays for link state changes."),
    built("track_group", word("NAME")).opens(Block::TrackGroup).since("2.0.3")
        .such_as("track_group office")
        .doc("Names a set of VRRP instances that follow static addresses, routes or rules."),
    built("static_ipaddress", FLAG).opens(Block::StaticAddresses)
        .doc("Adds addresses that stay configured regardless of VRRP state."),
    built("static_routes", FLAG).opens(Block::StaticRoutes)
        .doc("Adds routes that stay configured regardless of VRRP state."),
    built("static_rules", FLAG).opens(Block::StaticRules).since("1.2.20")
        .doc("Adds policy rules that stay configured regardless of VRRP state."),
    built("track_file", word("NAME")).opens(Block::FileTracker).since("2.1.0")
        .such_as("track_file flag")
        .doc("Defines a file whose numeric content is tracked."),
    built("vrrp_track_file", word("NAME")).opens(Block::FileTracker).since("2.0.0").alias_of("track_file")
        .such_as("vrrp_track_file flag")
        .doc("Defines a tracked file under the old block name."),
    built("vrrp_track_process", word("NAME")).opens(Block::ProcessTracker).since("2.0.11")
        .such_as("vrrp_track_process haproxy")
        .doc("Defines a set of processes whose presence is tracked."),
    later("bfd_instance", word("NAME")).opens(Block::BfdInstance).since("2.0.0")
        .such_as("bfd_instance core")
        .doc("Defines a BFD session with one neighbour."),
    built("vrrp_script", word("NAME")).opens(Block::Script)
        .such_as("vrrp_script check")
        .doc("Defines a periodically run check script. Scripts that nobody tracks are not run."),
    built("vrrp_sync_group", word("NAME")).opens(Block::SyncGroup)
        .such_as("vrrp_sync_group site")
        .doc("Ties several VRRP instances to one common state."),
    built("garp_group", FLAG).opens(Block::GarpGroup).since("1.2.21")
        .doc("Defines shared pacing of gratuitous ARP and NA messages."),
    built("vrrp_instance", word("NAME")).opens(Block::Instance)
        .such_as("vrrp_instance web")
        .doc("Defines one virtual router."),
    built("virtual_server_group", word("NAME")).opens(Block::ServerGroup)
        .such_as("virtual_server_group web")
        .doc("Names a set of service addresses or firewall marks. A reference may come before the definition."),
    built("virtual_server", grammar("ADDRESS [PORT] | fwmark INTEGER 0..4294967295 | group NAME, then block"))
        .opens(Block::VirtualServer)
        .such_as("virtual_server 192.0.2.10 80")
        .doc("Defines one IPVS service and its pool."),
    built("SSL", FLAG).opens(Block::Ssl)
        .doc("Sets the client TLS credentials used by SSL_GET. A second block replaces the first."),
    built("steadfast", FLAG).opens(Block::Steadfast)
        .doc("Holds what keepalived does not know. A line that begins with `@steadfast` is read by Steadfast alone, one that begins with `@^steadfast` by keepalived alone, so that one file serves both."),
];

/// `steadfast`: the place for what keepalived does not know. There is nothing yet.
pub(super) const STEADFAST: &[Keyword] = &[];

/// Entries of `linkbeat_interfaces`.
#[rustfmt::skip] // A table reads best with its status in one column.
pub(super) const LINKBEAT_INTERFACES: &[Keyword] = &[
    built("(interface)", grammar("IFNAME [MII|ETHTOOL|IOCTL]")).or("MII, then ETHTOOL, then IOCTL")
        .such_as("eth1 MII")
        .doc("Polls the link state of one interface. An unknown interface is a fatal error without dynamic_interfaces."),
];

/// Entries of `interface_up_down_delays`.
#[rustfmt::skip] // A table reads best with its status in one column.
pub(super) const INTERFACE_DELAYS: &[Keyword] = &[
    built("(interface)", grammar("IFNAME DOWN [UP], each SECONDS 0..255 with up to 6 decimals"))
        .or("0; UP defaults to 0")
        .such_as("eth1 2 0.5")
        .doc("Delays acting on link down and up of one interface. An unknown interface is a fatal error without dynamic_interfaces."),
];

/// `garp_group`.
#[rustfmt::skip] // A table reads best with its status in one column.
pub(super) const GARP_GROUP: &[Keyword] = &[
    built("garp_interval", micros(0..=4_294_967_295)).or("unset").since("1.2.21")
        .such_as("garp_interval 0.01")
        .doc("Sets the gap between gratuitous ARPs of the group. At least one interval is needed."),
    built("gna_interval", micros(0..=4_294_967_295)).or("unset").since("1.2.21")
        .such_as("gna_interval 0.01")
        .doc("Sets the gap between unsolicited NAs of the group. At least one interval is needed."),
    built("interface", IFNAME).since("1.2.21")
        .doc("Applies the pacing to one interface. An interface may be in one group only. No VMACs."),
    built("interfaces", FLAG).opens(Block::GarpInterfaces).since("1.2.21")
        .doc("Applies one shared pacing across several interfaces. Words, not lines, are entries."),
];

/// Entries of `interfaces` in a `garp_group`.
#[rustfmt::skip] // A table reads best with its status in one column.
pub(super) const GARP_INTERFACES: &[Keyword] = &[
    built("(interface)", IFNAME)
        .doc("Adds one interface to the shared pacing."),
];
