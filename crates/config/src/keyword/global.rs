//! `global_defs`.

use super::{
    ADDRESS, BOOL, Block, FLAG, IFNAME, Keyword, SCRIPT, USER, built, grammar, integer, later, micros,
    whole_seconds, word,
};

/// Settings of the virtual routers, of mail and of scripts.
#[rustfmt::skip] // A table reads best with its status in one column.
pub(super) const GLOBAL_DEFS: &[Keyword] = &[
    built("use_symlink_paths", BOOL).since("2.3.0")
        .doc("Keeps symbolic links in script paths instead of resolving them."),
    built("set_supplementary_groups", BOOL).since("2.4.4")
        .doc("Sets the supplementary groups of the script user for every script."),
    built("router_id", word("STRING")).or("local host name")
        .such_as("router_id lb1")
        .doc("Identifies this machine in mail subjects and SNMP. Last one wins."),
    built("notification_email_from", word("ADDRESS")).or("USER@local host name, only when smtp_server is set")
        .such_as("notification_email_from lb1@example.com")
        .doc("Sets the sender of alert mails."),
    built("smtp_server", grammar("ADDRESS|HOSTNAME [PORT 1..65535]")).or("unset (no mail); port 25")
        .such_as("smtp_server 192.0.2.25 587")
        .doc("Names the server that alert mails are handed to. Host names are resolved while parsing."),
    built("smtp_helo_name", word("STRING")).or("local host name").since("1.2.20")
        .such_as("smtp_helo_name lb1.example.com")
        .doc("Sets the name given in the SMTP HELO. Bare form is silently ignored."),
    built("smtp_connect_timeout", whole_seconds(0..=4294)).or_number(30)
        .doc("Limits the connection time to the mail server. 0 is raised to 1."),
    built("notification_email", FLAG).opens(Block::NotificationEmail)
        .doc("Lists the recipients of alert mails."),
    built("smtp_alert", BOOL).or("unset (vrrp objects and virtual servers off, real servers on)").since("2.0.0")
        .doc("Sets the fallback for all smtp_alert settings."),
    built("smtp_alert_vrrp", BOOL).or("value of smtp_alert").since("2.0.0")
        .doc("Sets the fallback for smtp_alert of instances and sync groups."),
    built("smtp_alert_checker", BOOL).or("value of smtp_alert").since("2.0.0")
        .doc("Sets the fallback for smtp_alert of virtual and real servers."),
    built("dynamic_interfaces", grammar("[allow_if_changes]")).since("2.0.0")
        .such_as("dynamic_interfaces allow_if_changes")
        .doc("Accepts interfaces that do not exist yet or that come and go, which Steadfast does in any case."),
    built("no_email_faults", FLAG).since("2.0.0")
        .doc("Suppresses alert mails for fault state changes."),
    built("default_interface", IFNAME).or("eth0").since("1.2.24")
        .such_as("default_interface eth1")
        .doc("Sets the interface for static addresses without dev."),
    built("disable_local_igmp", FLAG).since("2.2.0")
        .doc("Stops the kernel sending IGMP reports for link local groups. Cannot change on reload. Needs a kernel knob."),
    built("v3_checksum_as_v2", BOOL).since("2.2.8")
        .doc("Leaves the pseudo header out of the VRRPv3 IPv4 checksum by default."),
    built("vrrp_mcast_group4", ADDRESS).or("224.0.0.18").since("1.2.10")
        .such_as("vrrp_mcast_group4 224.0.0.100")
        .doc("Sets the default IPv4 advert destination. An IPv4 multicast address."),
    built("vrrp_mcast_group6", ADDRESS).or("ff02::12").since("1.2.10")
        .such_as("vrrp_mcast_group6 ff02::100")
        .doc("Sets the default IPv6 advert destination. An IPv6 multicast address, a warning unless link local."),
    built("vrrp_garp_master_delay", whole_seconds(0..=4294)).or_number(5).since("1.2.20")
        .doc("Sets the delay before the second gratuitous ARP/NA burst after becoming master. 0 = no second burst."),
    built("vrrp_garp_master_repeat", integer(0..=4_294_967_295)).or_number(5).since("1.2.20")
        .doc("Sets the number of gratuitous messages per burst after becoming master. 0 is raised to 1."),
    built("vrrp_garp_master_refresh", whole_seconds(0..=4_294_967_295)).or_number(0).since("1.2.20")
        .doc("Sets the interval of periodic gratuitous messages while master. 0 = off."),
    built("vrrp_garp_master_refresh_repeat", integer(0..=4_294_967_295)).or_number(1).since("1.2.20")
        .doc("Sets the number of gratuitous messages per periodic refresh. 0 is raised to 1."),
    built("vrrp_garp_lower_prio_delay", whole_seconds(0..=4294)).or("value of vrrp_garp_master_delay").since("1.2.20")
        .doc("Sets the second burst delay used when a lower priority advert is seen while master."),
    built("vrrp_garp_lower_prio_repeat", integer(0..=2_147_483_647)).or("value of vrrp_garp_master_repeat")
        .since("1.2.20")
        .doc("Sets the burst size used when a lower priority advert is seen while master."),
    built("vrrp_down_timer_adverts", integer(1..=100)).or_number(3).since("2.2.3")
        .doc("Sets how many advert intervals make up the master down time."),
    built("vrrp_garp_interval", micros(1..=4_294_967_295)).or("0 (no pacing)").since("1.2.21")
        .doc("Sets the minimum gap between gratuitous ARPs on an interface."),
    built("vrrp_gna_interval", micros(1..=4_294_967_295)).or("0 (no pacing)").since("1.2.21")
        .doc("Sets the minimum gap between unsolicited NAs on an interface."),
    built("vrrp_min_garp", BOOL).since("2.0.12")
        .doc("Reduces gratuitous messages to one without a second burst, keeping values already changed."),
    built("vrrp_garp_extra_if", grammar("[all] INTEGER 1..86400 seconds")).or("0 (off)").since("2.2.3")
        .such_as("vrrp_garp_extra_if all 60")
        .doc("Sends periodic gratuitous messages on VMACs, or with all on every extra interface, of VIPs."),
    built("vrrp_vmac_garp_intvl", grammar("[all] INTEGER 1..86400 seconds")).or("0 (off)").since("2.2.0")
        .alias_of("vrrp_garp_extra_if")
        .such_as("vrrp_vmac_garp_intvl 60")
        .doc("Sends periodic gratuitous messages on extra interfaces of VIPs."),
    built("vrrp_lower_prio_no_advert", BOOL).or("false (true in strict mode)").since("1.2.20")
        .doc("Stops a master answering a lower priority advert with an advert of its own."),
    built("vrrp_higher_prio_send_advert", BOOL).since("1.3.5")
        .doc("Makes a master send one advert before yielding to a higher priority one."),
    built("vrrp_version", integer(2..=3)).or("2 (IPv6 instances use 3)").since("1.2.20")
        .such_as("vrrp_version 3")
        .doc("Sets the default protocol version."),
    built("vrrp_check_unicast_src", FLAG).since("1.2.20")
        .doc("Discards unicast adverts whose source is not a configured peer."),
    built("vrrp_skip_check_adv_addr", BOOL).since("1.2.20")
        .doc("Skips comparing addresses of an advert from the same master as the previous one."),
    built("vrrp_strict", BOOL).since("1.2.20")
        .doc("Makes strict protocol conformance the default for instances."),
    built("vrrp_owner_ignore_adverts", BOOL).since("2.3.3")
        .doc("Makes priority 255 instances ignore received adverts by default."),
    built("vrrp_notify_priority_changes", BOOL).since("2.0.16")
        .doc("Reports priority changes on notify FIFOs by default."),
    built("fifo_write_vrrp_states_on_reload", FLAG).since("2.2.5")
        .doc("Writes all instance and group states to the FIFOs after a reload."),
    built("script_user", USER).or("keepalived_script if it exists else the daemon user; group of USER").since("1.3.0")
        .such_as("script_user daemon")
        .doc("Sets the default user and group of all scripts. The : prefix (also set supplementary groups) is newer than v2.4.3."),
    built("enable_script_security", FLAG).since("1.3.0")
        .doc("Refuses root run scripts that a non root user could change."),
    built("rs_init_notifies", BOOL).since("2.0.0")
        .doc("Sends notifies at start for real servers coming up."),
    built("no_checker_emails", BOOL).since("2.0.0")
        .doc("Mails only when a real server is added or removed and not per checker change."),
    built("vrrp_startup_delay", micros(1_000..=4_294_967_295)).or_number(0).since("2.0.14")
        .doc("Delays the start of all instances after the daemon starts. Longest of this and vrrp_delay_after_boot wins."),
    built("vrrp_delay_after_boot", micros(1_000..=4_294_967_295)).or_number(0).since("2.4.0")
        .doc("Delays the start of all instances until the host has been up that long."),
    built("log_unknown_vrids", FLAG).since("2.0.16")
        .doc("Logs adverts with router ids that are not configured on the interface."),
    built("vmac_prefix", word("STRING")).or("vrrp").since("2.2.0")
        .such_as("vmac_prefix vip")
        .doc("Sets the name prefix of generated VMAC interfaces. Only one."),
    built("vmac_addr_prefix", word("STRING")).or("value of vmac_prefix").since("2.2.0")
        .such_as("vmac_addr_prefix vip")
        .doc("Sets the name prefix of VMACs generated for single addresses. Only one."),
];

/// Settings of the processes, of packet filters and of the interfaces to other programs.
#[rustfmt::skip] // A table reads best with its status in one column.
pub(super) const PROCESSES: &[Keyword] = &[
    built("process_names", FLAG).since("2.0.16")
        .doc("Gives the vrrp, checker and bfd children the names keepalived_vrrp, keepalived_lvs and keepalived_bfd."),
    built("process_name", word("NAME")).or("keepalived").since("2.0.16")
        .such_as("process_name lb")
        .doc("Sets the process name of the parent. Cut to 15 characters."),
    built("vrrp_process_name", word("NAME")).or("inherits the parent name").since("2.0.16")
        .such_as("vrrp_process_name lb_vrrp")
        .doc("Sets the process name of the VRRP child. Cut to 15 characters."),
    built("checker_process_name", word("NAME")).or("inherits the parent name").since("2.2.0")
        .such_as("checker_process_name lb_check")
        .doc("Sets the process name of the health check child. Cut to 15 characters."),
    built("lvs_process_name", word("NAME")).or("inherits the parent name").since("2.0.16")
        .alias_of("checker_process_name")
        .such_as("lvs_process_name lb_check")
        .doc("Sets the process name of the health check child. Cut to 15 characters."),
    later("bfd_process_name", word("NAME")).or("inherits the parent name").since("2.0.16")
        .such_as("bfd_process_name lb_bfd")
        .doc("Sets the process name of the BFD child. Cut to 15 characters."),
    built("startup_script", SCRIPT).since("2.1.0")
        .doc("Runs a command once before any child starts. Only one. Only the parent runs it."),
    built("startup_script_timeout", whole_seconds(1..=1000)).or_number(10).since("2.1.0")
        .doc("Kills the startup script after this time."),
    built("shutdown_script", SCRIPT).since("2.1.0")
        .doc("Runs a command once after all children have ended. Only one. Only the parent runs it."),
    built("shutdown_script_timeout", whole_seconds(1..=1000)).or_number(10).since("2.1.0")
        .doc("Kills the shutdown script after this time."),
    built("max_auto_priority", grammar("[INTEGER -1..99]")).or_number(0).since("2.1.0")
        .such_as("max_auto_priority 50")
        .doc("Caps the realtime priority that a late running process may raise itself to. Bare means 99; 0 = off; -1 = off without the start-up notice."),
    built("min_auto_priority_delay", integer(1..=10_000_000)).or_number(1_000_000).since("2.1.0")
        .such_as("min_auto_priority_delay 2000000")
        .doc("Sets how late a timer must run before the priority is raised. In microseconds."),
    built("checker_log_all_failures", BOOL).since("2.0.11")
        .doc("Logs every failed health check and not only state changes."),
    built("lvs_timeouts", grammar("[tcp N] [tcpfin N] [udp N], N INTEGER 0..2678400 seconds, at least one pair"))
        .or("kernel values").since("1.2.24")
        .such_as("lvs_timeouts tcp 3600 tcpfin 60 udp 300")
        .doc("Sets the IPVS connection timeouts."),
    built("lvs_flush", FLAG).since("1.2.23")
        .doc("Clears the whole IPVS table at start."),
    built("lvs_flush_on_stop", grammar("[VS]")).or("off (entries removed one by one)").since("2.2.0")
        .such_as("lvs_flush_on_stop VS")
        .doc("Clears the IPVS table, or with VS each own service, in one go at stop."),
    built("lvs_flush_onstop", grammar("[VS]")).since("2.0.15").alias_of("lvs_flush_on_stop")
        .such_as("lvs_flush_onstop VS")
        .doc("Clears the IPVS table at stop."),
    built("lvs_sync_daemon", grammar("IFNAME [[inst] INSTANCE] [id 0..255] [maxlen 1..65507] [port 1..65535] [ttl 1..255] [group MCAST-ADDRESS]"))
        .or("off; id = VRID of INSTANCE or 0; other values by kernel").since("1.2.20")
        .such_as("lvs_sync_daemon eth1 web id 51")
        .doc("Runs the IPVS connection synchronisation daemon. Only one."),
    built("vrrp_iptables", grammar("[INCHAIN [OUTCHAIN]]")).or("off; bare = INPUT and OUTPUT").since("1.2.20")
        .such_as("vrrp_iptables IN_VRRP OUT_VRRP")
        .doc("Uses iptables with the given chains for no_accept and VMAC filtering. Nftables wins when both are set."),
    built("vrrp_ipsets", grammar("[NAME4 [NAME6 [NAME_IF6 [NAME_IGMP [NAME_MLD [NAME_ND]]]]]]"))
        .or("names built from keepalived when vrrp_iptables is used; bare = no ipsets").since("1.2.20")
        .such_as("vrrp_ipsets vips vips6")
        .doc("Names the ipsets used together with iptables. Omitted names are derived from earlier ones."),
    built("nftables", grammar("[TABLE]")).or("off unless needed; bare = keepalived").since("2.0.11")
        .such_as("nftables vrrp")
        .doc("Uses nftables and the given table for no_accept and VMAC filtering. Cannot change on reload. Only one."),
    built("nftables_priority", integer(-2_147_483_648..=2_147_483_647)).or_number(-1).since("2.0.11")
        .doc("Sets the priority of the VRRP nftables chains. Reset by a later nftables keyword."),
    built("nftables_ifindex", FLAG).since("2.0.11")
        .doc("Keys link local address sets by interface index rather than name."),
    built("nftables_counters", FLAG).since("2.0.11")
        .doc("Adds packet counters to the generated nftables rules."),
    later("nftables_ipvs", grammar("[TABLE]")).or("off; bare = keepalived_ipvs").since("2.2.2")
        .such_as("nftables_ipvs balancer")
        .doc("Uses nftables to mark traffic of virtual server groups for IPVS. Cannot change on reload. Only one."),
    later("nftables_ipvs_priority", integer(-2_147_483_648..=2_147_483_647)).or_number(-1).since("2.2.2")
        .doc("Sets the priority of the IPVS nftables chains. Reset by a later nftables_ipvs keyword."),
    later("nftables_ipvs_start_fwmark", integer(1..=4_294_967_295)).or_number(1000).since("2.2.2")
        .doc("Sets the first firewall mark handed out for groups. Reset by a later nftables_ipvs keyword."),
    built("vrrp_priority", integer(-20..=19)).or("0 (inherited)").since("1.2.20")
        .doc("Sets the nice value of the VRRP process."),
    built("vrrp_no_swap", FLAG).since("1.2.20")
        .doc("Locks the memory of the VRRP process."),
    built("vrrp_rt_priority", word("INTEGER")).or("0 (not realtime)").since("2.0.0")
        .such_as("vrrp_rt_priority 50")
        .doc("Runs the VRRP process under round robin realtime scheduling. Clamped to 1..99."),
    built("vrrp_cpu_affinity", grammar("INTEGER [INTEGER ...] each 0..(CPUs-1)")).or("all CPUs").since("2.0.17")
        .such_as("vrrp_cpu_affinity 0")
        .doc("Restricts the VRRP process to the listed CPUs."),
    built("vrrp_rlimit_rttime", integer(1..=4_294_967_295)).or_number(10000).since("2.1.0")
        .doc("Limits realtime CPU time between blocking calls of the VRRP process. In microseconds. 1 is raised to 2."),
    built("vrrp_rlimit_rtime", integer(1..=4_294_967_295)).or_number(10000).since("2.0.0")
        .alias_of("vrrp_rlimit_rttime")
        .doc("Limits realtime CPU time of the VRRP process. In microseconds."),
    built("checker_priority", integer(-20..=19)).or("0 (inherited)").since("1.2.20")
        .doc("Sets the nice value of the health check process."),
    built("checker_no_swap", FLAG).since("1.2.20")
        .doc("Locks the memory of the health check process."),
    built("checker_rt_priority", word("INTEGER")).or("0 (not realtime)").since("2.0.0")
        .such_as("checker_rt_priority 50")
        .doc("Runs the health check process under round robin realtime scheduling. Clamped to 1..99."),
    built("checker_cpu_affinity", grammar("INTEGER [INTEGER ...] each 0..(CPUs-1)")).or("all CPUs").since("2.0.17")
        .such_as("checker_cpu_affinity 0")
        .doc("Restricts the health check process to the listed CPUs."),
    built("checker_rlimit_rttime", integer(1..=4_294_967_295)).or_number(10000).since("2.1.0")
        .doc("Limits realtime CPU time between blocking calls of the health check process. In microseconds. 1 is raised to 2."),
    built("checker_rlimit_rtime", integer(1..=4_294_967_295)).or_number(10000).since("2.0.0")
        .alias_of("checker_rlimit_rttime")
        .doc("Limits realtime CPU time of the health check process. In microseconds."),
    later("bfd_priority", integer(-20..=19)).or("0 (inherited)").since("2.0.0")
        .doc("Sets the nice value of the BFD process."),
    later("bfd_no_swap", FLAG).since("2.0.0")
        .doc("Locks the memory of the BFD process."),
    later("bfd_rt_priority", word("INTEGER")).or("0 (not realtime)").since("2.0.0")
        .such_as("bfd_rt_priority 50")
        .doc("Runs the BFD process under round robin realtime scheduling. Clamped to 1..99."),
    later("bfd_cpu_affinity", grammar("INTEGER [INTEGER ...] each 0..(CPUs-1)")).or("all CPUs").since("2.0.17")
        .such_as("bfd_cpu_affinity 0")
        .doc("Restricts the BFD process to the listed CPUs."),
    later("bfd_rlimit_rttime", integer(1..=4_294_967_295)).or_number(10000).since("2.1.0")
        .doc("Limits realtime CPU time between blocking calls of the BFD process. In microseconds. 1 is raised to 2."),
    later("bfd_rlimit_rtime", integer(1..=4_294_967_295)).or_number(10000).since("2.0.0")
        .alias_of("bfd_rlimit_rttime")
        .doc("Limits realtime CPU time of the BFD process. In microseconds."),
    later("snmp_socket", word("SOCKET")).or("unix:/var/agentx/master").since("1.2.20")
        .such_as("snmp_socket tcp:192.0.2.25:705")
        .doc("Sets the AgentX master socket. Net-snmp transport string. Only one."),
    later("enable_traps", FLAG).since("1.2.5")
        .doc("Sends SNMP traps on state changes."),
    later("enable_snmp_vrrp", FLAG).or("off (on with -x)").since("2.0.0")
        .doc("Serves the VRRP part of the keepalived MIB."),
    later("enable_snmp_keepalived", FLAG).since("1.2.20").alias_of("enable_snmp_vrrp")
        .doc("Serves the VRRP part of the keepalived MIB."),
    later("enable_snmp_rfc", FLAG).or("off (on with -x)").since("1.2.20")
        .doc("Serves both standard VRRP MIBs."),
    later("enable_snmp_rfcv2", FLAG).or("off (on with -x)").since("1.2.20")
        .doc("Serves the RFC 2787 VRRPv2 MIB."),
    later("enable_snmp_rfcv3", FLAG).or("off (on with -x)").since("1.2.20")
        .doc("Serves the RFC 6527 VRRPv3 MIB."),
    later("enable_snmp_checker", FLAG).or("off (on with -x)").since("1.2.20")
        .doc("Serves the checker part of the keepalived MIB."),
    later("snmp_vs_stats_update_interval", micros(1_000..=30_000_000)).or_number(5).since("2.3.0")
        .doc("Limits how often virtual server counters are re-read for SNMP."),
    later("snmp_rs_stats_update_interval", micros(1_000..=30_000_000)).or("value of snmp_vs_stats_update_interval")
        .since("2.3.0")
        .doc("Limits how often real server counters are re-read for SNMP."),
    later("enable_dbus", FLAG).since("1.3.0")
        .doc("Enables the D-Bus interface."),
    later("dbus_service_name", word("NAME")).or("org.keepalived.Vrrp1").since("1.3.7")
        .such_as("dbus_service_name com.example.Vrrp")
        .doc("Sets the D-Bus service name."),
    later("dbus_no_interface_name", word("NAME")).since("2.3.0")
        .such_as("dbus_no_interface_name nowhere")
        .doc("Sets the path element used for instances without interface."),
    built("notify_fifo", grammar("PATH [USER [[:]GROUP]]")).since("1.3.6")
        .such_as("notify_fifo /run/told.fifo")
        .doc("Writes all notify events to a FIFO. Only one."),
    built("notify_fifo_script", SCRIPT).since("1.3.6")
        .doc("Runs a reader for the common FIFO. Only one. The path of the FIFO is its last argument."),
    built("vrrp_notify_fifo", grammar("PATH [USER [[:]GROUP]]")).since("1.3.6")
        .such_as("vrrp_notify_fifo /run/vrrp.fifo")
        .doc("Writes VRRP notify events to a FIFO. Only one. Ignored if equal to notify_fifo."),
    built("vrrp_notify_fifo_script", SCRIPT).since("1.3.6")
        .doc("Runs a reader for the VRRP FIFO. Only one. The path of the FIFO is its last argument."),
    built("lvs_notify_fifo", grammar("PATH [USER [[:]GROUP]]")).since("1.3.6")
        .such_as("lvs_notify_fifo /run/lvs.fifo")
        .doc("Writes virtual and real server events to a FIFO. Only one. Ignored if equal to notify_fifo."),
    built("lvs_notify_fifo_script", SCRIPT).since("1.3.6")
        .doc("Runs a reader for the LVS FIFO. Only one. Dropped when the VRRP FIFO is the same and has a script."),
    built("vrrp_netlink_cmd_rcv_bufs", integer(0..=4_294_967_295)).or("system default").since("2.0.0")
        .doc("Sets the receive buffer size of the VRRP netlink command socket. In bytes. 0 = leave unchanged."),
    built("vrrp_netlink_cmd_rcv_bufs_force", BOOL).since("2.0.0")
        .doc("Lets the VRRP netlink command socket buffer exceed the system maximum."),
    built("vrrp_netlink_monitor_rcv_bufs", integer(0..=4_294_967_295)).or("system default").since("2.0.0")
        .doc("Sets the receive buffer size of the VRRP netlink monitor socket. In bytes. 0 = leave unchanged."),
    built("vrrp_netlink_monitor_rcv_bufs_force", BOOL).since("2.0.0")
        .doc("Lets the VRRP netlink monitor socket buffer exceed the system maximum."),
    built("lvs_netlink_cmd_rcv_bufs", integer(0..=4_294_967_295)).or("system default").since("2.0.0")
        .doc("Sets the receive buffer size of the checker netlink command socket. In bytes. 0 = leave unchanged."),
    built("lvs_netlink_cmd_rcv_bufs_force", BOOL).since("2.0.0")
        .doc("Lets the checker netlink command socket buffer exceed the system maximum."),
    built("lvs_netlink_monitor_rcv_bufs", integer(0..=4_294_967_295)).or("system default").since("2.0.0")
        .doc("Sets the receive buffer size of the checker netlink monitor socket. In bytes. 0 = leave unchanged."),
    built("lvs_netlink_monitor_rcv_bufs_force", BOOL).since("2.0.0")
        .doc("Lets the checker netlink monitor socket buffer exceed the system maximum."),
    built("process_monitor_rcv_bufs", integer(0..=4_294_967_295)).or("system default").since("2.0.11")
        .doc("Sets the receive buffer size of the process event socket. In bytes. 0 = leave unchanged."),
    built("process_monitor_rcv_bufs_force", BOOL).since("2.0.11")
        .doc("Lets the process event socket buffer exceed the system maximum."),
    built("vrrp_rx_bufs_policy", grammar("MTU | ADVERT | INTEGER 0..4294967295 bytes (words case insensitive)"))
        .or("system default").since("2.0.3")
        .such_as("vrrp_rx_bufs_policy MTU")
        .doc("Chooses how VRRP socket receive buffers are sized. A size beats a policy, MTU beats ADVERT."),
    built("vrrp_rx_bufs_multiplier", integer(1..=4_294_967_295)).or_number(3).since("2.0.3")
        .doc("Sets the factor applied by the buffer policy."),
    built("umask", grammar("NUMBER (decimal, 0 octal, 0x hex, at most 0777) | BIT[|BIT...] with I{R|W|X}{USR|GRP|OTH} or IRWX{U|G|O}"))
        .or("0177").since("2.0.9")
        .such_as("umask 022")
        .doc("Sets the file creation mask. Ignored when -u was given."),
    built("random_seed", integer(0..=4_294_967_295)).or("time of day").since("2.0.15")
        .such_as("random_seed 7")
        .doc("Seeds the generator behind ${_RANDOM}."),
    built("reload_check_config", grammar("[LOGFILE]")).or("off; bare = /dev/null").since("2.2.0")
        .such_as("reload_check_config /var/log/reload.log")
        .doc("Validates a new configuration in a child process before reloading."),
    built("reload_time_file", word("ABSOLUTE-PATH")).since("2.1.0")
        .such_as("reload_time_file /run/reload.time")
        .doc("Names a file whose first line gives the time of a scheduled reload."),
    built("reload_repeat", FLAG).since("2.1.0")
        .doc("Keeps the time file after a reload so that a daily time repeats."),
    built("reload_file", grammar("[ABSOLUTE-PATH]")).or("off; bare = keepalived.reload beside the pid file")
        .since("2.2.0")
        .such_as("reload_file /run/reload")
        .doc("Names a file that exists while configuration files are being read."),
    built("include_check", grammar("[[+|-]read | [+|-]match | [+|-]wildcard_match | [+|-]brace_match ...]"))
        .or("none (or all with -e)").since("2.2.0")
        .such_as("include_check read")
        .doc("Sets which include problems are errors from here on. Bare means all four. Only the first word may lack + or -."),
    built("config_save_dir", word("DIRECTORY")).since("2.2.3")
        .such_as("config_save_dir /var/lib/steadfast")
        .doc("Saves every configuration that is read there, and the state before and after each reload. Created if missing, parents must exist. Debug aid: nothing is ever removed, and passwords are in it."),
    built("tmp_config_directory", word("DIRECTORY")).or("memory file").since("2.2.0")
        .such_as("tmp_config_directory /var/lib/steadfast")
        .doc("Hands the configuration to the worker in an unnamed file on this disk. Cannot change on reload. Only one."),
    built("data_use_instance", BOOL).since("2.2.3")
        .doc("Adds instance and namespace names to dump file names. Only affects the .data files."),
    built("json_version", integer(1..=2)).or_number(1).since("2.2.8")
        .doc("Chooses the layout of the JSON dump."),
    built("iproute_usr_dir", word("DIRECTORY")).or("build time value").since("2.3.2")
        .such_as("iproute_usr_dir /usr/lib/iproute2")
        .doc("Sets where distribution iproute2 name tables are read."),
    built("iproute_etc_dir", word("DIRECTORY")).or("build time value").since("2.3.2")
        .such_as("iproute_etc_dir /usr/local/etc/iproute2")
        .doc("Sets where local iproute2 name tables are read."),
    built("state_dump_file", word("PATH")).or("keepalived.data in the temporary directory").since("2.3.3")
        .such_as("state_dump_file /run/state")
        .doc("Sets where state dumps are written. Trailing / = directory, no leading / = under the temporary directory."),
    built("stats_dump_file", word("PATH")).or("keepalived.stats in the temporary directory").since("2.3.3")
        .such_as("stats_dump_file /run/stats")
        .doc("Sets where statistics are written. Trailing / = directory, no leading / = under the temporary directory."),
    built("json_dump_file", word("PATH")).or("keepalived.json in the temporary directory").since("2.3.3")
        .such_as("json_dump_file /run/json")
        .doc("Sets where the JSON dump is written. Trailing / = directory, no leading / = under the temporary directory."),
];

/// Entries of `notification_email`.
#[rustfmt::skip] // A table reads best with its status in one column.
pub(super) const NOTIFICATION_EMAIL: &[Keyword] = &[
    built("(address)", grammar("ADDRESS ... (any number of words per line)"))
        .such_as("admin@example.com")
        .doc("Adds one mail recipient. Words, not lines, are entries."),
];
