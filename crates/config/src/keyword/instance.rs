//! `vrrp_instance`.

use super::{
    ADDRESS, BOOL, Block, FLAG, IFNAME, Keyword, SCRIPT, built, choice, grammar, integer, later, micros,
    needed, whole_seconds,
};

/// `vrrp_instance`.
#[rustfmt::skip] // A table reads best with its status in one column.
pub(super) const INSTANCE: &[Keyword] = &[
    built("state", choice(&["MASTER", "BACKUP"])).or("MASTER if priority is 255 else BACKUP")
        .such_as("state MASTER")
        .doc("Sets the initial state. MASTER cannot be changed back."),
    built("interface", IFNAME).required()
        .such_as("interface eth0")
        .doc("Sets the interface the instance runs on. Loopback is refused."),
    built("vrf", IFNAME).since("2.2.5")
        .such_as("vrf blue")
        .doc("Sets the VRF used when no interface is given. Unicast without interface only."),
    built("use_vmac", grammar("[[name] IFNAME] [MAC of 5 or 6 octets] [netlink_notify_msg] [group GROUP]"))
        .opens(Block::Vmac).or("off; generated name prefix VRID; RFC MAC").since("1.2.3")
        .such_as("use_vmac vrrp.51")
        .doc("Runs the instance on a macvlan with the virtual router MAC."),
    built("use_vmac_addr", FLAG).since("2.2.0")
        .doc("Creates VMACs for addresses on other interfaces or of the other family."),
    built("vmac_xmit_base", FLAG).or("off (forced on for unicast VMACs)").since("1.2.10")
        .doc("Sends and receives adverts on the base interface of a VMAC. Only with use_vmac. Refused in strict mode."),
    built("use_ipvlan", grammar("[[name] IFNAME] [ADDRESS[/PREFIX]] [bridge|private|vepa] [group GROUP]"))
        .opens(Block::Ipvlan).or("off; bridge").since("2.0.17")
        .such_as("use_ipvlan ipvl0 192.0.2.6")
        .doc("Runs the instance on an L2 ipvlan interface. Only one. IPv4 needs ADDRESS."),
    built("unicast_peer", FLAG).opens(Block::UnicastPeers).or("none (multicast)").since("1.2.8")
        .doc("Sends adverts to the listed peers instead of multicast."),
    built("unicast_fault_no_peer", FLAG).or("off (falls back to multicast)").since("2.2.5")
        .doc("Puts the instance in fault if unicast is meant but no peers exist."),
    built("check_unicast_src", FLAG).or("value of vrrp_check_unicast_src").since("2.1.0")
        .doc("Discards unicast adverts whose source is not a peer."),
    built("old_unicast_checksum", grammar("[never]")).or("automatic detection; bare = always").since("1.3.7")
        .such_as("old_unicast_checksum never")
        .doc("Controls compatibility with the pre 1.3.7 unicast checksum."),
    built("native_ipv6", FLAG).or("from first address").since("1.2.1")
        .doc("Forces the IPv6 family and version 3."),
    built("dont_track_primary", FLAG)
        .doc("Ignores link faults of the instance interface."),
    built("track_interface", FLAG).opens(Block::TrackInterfaces)
        .doc("Tracks interfaces."),
    built("track_script", FLAG).opens(Block::TrackScripts)
        .doc("Tracks scripts."),
    built("track_file", FLAG).opens(Block::TrackFiles).since("2.0.0")
        .doc("Tracks files."),
    built("track_process", FLAG).opens(Block::TrackProcesses).since("2.0.11")
        .doc("Tracks processes."),
    needed("track_bfd", FLAG).opens(Block::TrackBfds).since("2.0.0")
        .doc("Tracks BFD sessions."),
    built("mcast_src_ip", ADDRESS).or("primary address of the interface")
        .such_as("mcast_src_ip 192.0.2.3")
        .doc("Sets the source address of adverts."),
    built("unicast_src_ip", ADDRESS).or("primary address of the interface").since("1.2.10")
        .such_as("unicast_src_ip 192.0.2.3")
        .doc("Sets the source address of unicast adverts. Marks the instance as unicast."),
    built("mcast_dst_ip", ADDRESS).or("vrrp_mcast_group4 or vrrp_mcast_group6").since("2.2.5")
        .such_as("mcast_dst_ip 224.0.0.100")
        .doc("Sets another multicast destination. A multicast address, IPv6 link local. Not with unicast."),
    built("track_src_ip", FLAG).since("2.0.0")
        .doc("Goes to fault when the source address is missing. Needs a configured source address."),
    built("virtual_router_id", integer(1..=255)).required()
        .such_as("virtual_router_id 51")
        .doc("Sets the virtual router id."),
    built("unicast_ttl", integer(0..=255)).or("255 for IPv4, kernel default for IPv6").since("2.1.0")
        .such_as("unicast_ttl 64")
        .doc("Sets the TTL or hop limit of unicast adverts. Needs unicast peers."),
    built("version", integer(2..=3)).or("vrrp_version for IPv4, 3 for IPv6").since("1.2.17")
        .such_as("version 3")
        .doc("Sets the protocol version."),
    built("priority", integer(1..=255)).or("255 if state is MASTER else 100")
        .such_as("priority 150")
        .doc("Sets the base priority. An invalid value becomes 100."),
    built("advert_int", micros(10_000..=255_000_000)).or_number(1)
        .such_as("advert_int 2")
        .doc("Sets the advert interval. Version 2 sends whole seconds, version 3 hundredths up to 40.95."),
    built("virtual_ipaddress", FLAG).opens(Block::VirtualAddresses).or("empty (warning in v2, fatal in v3 or strict)")
        .doc("Lists the advertised virtual addresses."),
    built("virtual_ipaddress_excluded", FLAG).opens(Block::ExcludedAddresses)
        .doc("Lists virtual addresses that are managed but not advertised."),
    built("no_virtual_ipaddress", FLAG).since("2.2.8")
        .doc("Allows an instance without virtual addresses. Refused in strict mode."),
    built("promote_secondaries", FLAG).since("1.3.0")
        .doc("Turns on promote_secondaries of the interface. Ignored for VMACs."),
    built("linkbeat_use_polling", FLAG).since("2.0.0")
        .doc("Polls the link state of the instance interface. Deprecated, use linkbeat_interfaces."),
    built("v3_checksum_as_v2", BOOL).or("value of global v3_checksum_as_v2").since("2.2.8")
        .doc("Leaves the pseudo header out of the v3 IPv4 checksum."),
    built("virtual_routes", FLAG).opens(Block::VirtualRoutes)
        .doc("Lists routes present only while master."),
    built("virtual_rules", FLAG).opens(Block::VirtualRules).since("1.2.20")
        .doc("Lists policy rules present only while master."),
    built("accept", FLAG).or("on (off in strict mode unless priority 255)").since("1.2.17")
        .doc("Accepts packets to virtual addresses while not address owner."),
    built("no_accept", FLAG).or("see accept").since("1.3.0")
        .doc("Drops packets to virtual addresses unless address owner."),
    built("skip_check_adv_addr", BOOL).or("value of vrrp_skip_check_adv_addr").since("1.2.20")
        .doc("Skips comparing addresses of repeated adverts from one master."),
    built("strict_mode", BOOL).or("value of vrrp_strict").since("1.2.20")
        .doc("Enforces protocol conformance."),
    built("preempt", FLAG).or("on")
        .doc("Allows taking over from a lower priority master. Undoes nopreempt."),
    built("nopreempt", FLAG)
        .doc("Leaves a lower priority master in charge. Needs initial state BACKUP and priority below 255."),
    built("preempt_delay", micros(0..=1_000_000_000)).or_number(0)
        .such_as("preempt_delay 30")
        .doc("Delays taking over from a lower priority master. Needs initial state BACKUP. Not in strict mode or with nopreempt."),
    built("debug", integer(0..=4)).or_number(0)
        .such_as("debug 1")
        .doc("Accepted for old files. No effect."),
    built("notify_master", SCRIPT)
        .doc("Runs a command when it becomes master. Only one."),
    built("notify_backup", SCRIPT)
        .doc("Runs a command when it becomes backup. Only one."),
    built("notify_fault", SCRIPT)
        .doc("Runs a command when it enters fault. Only one."),
    built("notify_stop", SCRIPT)
        .doc("Runs a command when VRRP stops. Only one."),
    built("notify_deleted", SCRIPT).or("off (reported as FAULT)").since("2.1.0")
        .doc("Reports DELETED, and runs an optional command, when a reload removes the instance. Only one."),
    built("notify", SCRIPT)
        .doc("Runs a command on every state change. Only one. INSTANCE, name, state and priority are appended as arguments."),
    built("notify_master_rx_lower_pri", SCRIPT).since("2.0.6")
        .doc("Runs a command when a master receives a lower priority advert. Only one."),
    built("smtp_alert", BOOL).or("value of smtp_alert_vrrp, then smtp_alert, then false")
        .doc("Mails state changes."),
    built("notify_priority_changes", BOOL).or("sync group value, then vrrp_notify_priority_changes").since("2.0.16")
        .doc("Reports priority changes on notify FIFOs."),
    later("lvs_sync_daemon_interface", IFNAME)
        .such_as("lvs_sync_daemon_interface eth1")
        .doc("Runs the IPVS sync daemon bound to this instance. Deprecated, use global lvs_sync_daemon."),
    built("garp_master_delay", whole_seconds(0..=4294)).or("global vrrp_garp_master_delay")
        .doc("Overrides the delay before the second gratuitous burst. 0 = no second burst."),
    built("garp_master_refresh", whole_seconds(0..=4_294_967_295)).or("global vrrp_garp_master_refresh")
        .since("1.2.10")
        .doc("Overrides the interval of periodic gratuitous messages. 0 = off."),
    built("garp_master_repeat", integer(0..=4_294_967_295)).or("global vrrp_garp_master_repeat").since("1.2.14")
        .doc("Overrides the gratuitous burst size. 0 is raised to 1."),
    built("garp_master_refresh_repeat", integer(0..=4_294_967_295)).or("global vrrp_garp_master_refresh_repeat")
        .since("1.2.14")
        .doc("Overrides the number of messages per refresh. 0 is raised to 1."),
    built("garp_lower_prio_delay", whole_seconds(0..=4294)).or("global vrrp_garp_lower_prio_delay (0 in strict mode)")
        .since("1.2.20")
        .doc("Overrides the second burst delay after a lower priority advert."),
    built("garp_lower_prio_repeat", integer(0..=2_147_483_647))
        .or("global vrrp_garp_lower_prio_repeat (0 in strict mode)").since("1.2.20")
        .doc("Overrides the burst size after a lower priority advert."),
    built("down_timer_adverts", integer(1..=100)).or("global vrrp_down_timer_adverts").since("2.2.3")
        .doc("Overrides how many intervals make up the master down time. Reset in strict mode."),
    built("timer_expired_backup", grammar("[INTEGER 1..254]")).or("off; bare = 254").since("2.2.8")
        .such_as("timer_expired_backup 100")
        .doc("Falls back to backup if running so late that another may have taken over. Needs nopreempt."),
    built("thread_timer_expired", grammar("[INTEGER 1..254]")).since("2.3.2").alias_of("timer_expired_backup")
        .such_as("thread_timer_expired 100")
        .doc("Falls back to backup if running too late."),
    built("garp_extra_if", grammar("[all] INTEGER 0..86400 seconds (0 = off)")).or("global vrrp_garp_extra_if")
        .since("2.2.3")
        .such_as("garp_extra_if all 60")
        .doc("Overrides periodic gratuitous messages on extra interfaces."),
    built("vmac_garp_intvl", grammar("[all] INTEGER 0..86400 seconds")).or("global vrrp_garp_extra_if").since("2.2.0")
        .alias_of("garp_extra_if")
        .such_as("vmac_garp_intvl 60")
        .doc("Overrides periodic gratuitous messages on extra interfaces."),
    built("lower_prio_no_advert", BOOL).or("global vrrp_lower_prio_no_advert (true in strict mode)").since("1.2.20")
        .doc("Stops answering a lower priority advert with an advert."),
    built("higher_prio_send_advert", BOOL).or("global vrrp_higher_prio_send_advert").since("1.3.5")
        .doc("Sends one advert before yielding to a higher priority one. Refused in strict mode."),
    built("owner_ignore_adverts", BOOL)
        .or("true in strict mode else vrrp_owner_ignore_adverts; false below priority 255").since("2.3.3")
        .such_as("owner_ignore_adverts on")
        .doc("Ignores received adverts while address owner. An explicit false at priority 255 is overridden to true."),
    built("kernel_rx_buf_size", integer(0..=4_294_967_295)).or("per vrrp_rx_bufs_policy").since("2.0.3")
        .such_as("kernel_rx_buf_size 65536")
        .doc("Sets the receive buffer contribution of this instance. In bytes."),
    built("authentication", FLAG).opens(Block::Authentication)
        .doc("Holds the VRRPv2 authentication settings. Dropped for v3 and in strict mode."),
    built("auth_hmac", FLAG).opens(Block::Hmac).since("2.4.0")
        .doc("Holds the HMAC advert authentication extension settings. Excludes authentication."),
];

/// Words after `use_vmac`.
#[rustfmt::skip] // A table reads best with its status in one column.
pub(super) const VMAC: &[Keyword] = &[
    built("name", IFNAME).or("generated")
        .such_as("name vrrp.51")
        .doc("Gives the VMAC interface name explicitly. Lets any word be a name."),
    built("netlink_notify_msg", FLAG)
        .doc("Forces a link message for the base interface after VMAC creation."),
    built("group", grammar("INTEGER 0..2147483647 | NAME from iproute2 group file")).or_number(0)
        .such_as("group 5")
        .doc("Puts the VMAC in a link group."),
];

/// Words after `use_ipvlan`.
#[rustfmt::skip] // A table reads best with its status in one column.
pub(super) const IPVLAN: &[Keyword] = &[
    built("name", IFNAME).or("generated")
        .such_as("name ipvl0")
        .doc("Gives the ipvlan interface name explicitly."),
    built("bridge", FLAG).or("default")
        .doc("Selects bridge mode flags."),
    built("private", FLAG)
        .doc("Selects private mode flags."),
    built("vepa", FLAG)
        .doc("Selects VEPA mode flags."),
    built("group", grammar("INTEGER 0..2147483647 | NAME from iproute2 group file")).or_number(0)
        .such_as("group 5")
        .doc("Puts the ipvlan interface in a link group."),
];

/// Entries of `unicast_peer`.
#[rustfmt::skip] // A table reads best with its status in one column.
pub(super) const UNICAST_PEERS: &[Keyword] = &[
    built("(peer)", grammar("ADDRESS [min_ttl 0..255] [max_ttl 0..255]")).or("min_ttl 0, max_ttl 255")
        .such_as("192.0.2.2 min_ttl 254 max_ttl 255")
        .doc("Adds one unicast peer. Same family as the instance. Either option turns on check_unicast_src."),
    built("min_ttl", integer(0..=255)).or_number(0)
        .such_as("min_ttl 254")
        .doc("Rejects adverts of this peer with a lower TTL."),
    built("max_ttl", integer(0..=255)).or_number(255)
        .such_as("max_ttl 254")
        .doc("Rejects adverts of this peer with a higher TTL."),
];
