//! The sentences that operators and their tools look for in the log, as Debian's keepalived 2.2.7 was seen to print them.

use steadfast_config as config;

use common::load;
use config::render;

mod common;

/// The lines that a file with `text` puts into the log, without where it is.
fn logged(text: &str) -> Vec<String> {
    let loaded = load(text);
    let lines = loaded.diagnostics.iter().map(|finding| render::log(finding, &loaded.sources));
    lines.map(|line| line.split_once(") ").unwrap().1.to_owned()).collect()
}

/// Whether one of `lines` begins with the sentence. What to do about it may follow.
fn has(lines: &[String], sentence: &str) -> bool {
    lines
        .iter()
        .any(|line| line.strip_prefix(sentence).is_some_and(|rest| rest.is_empty() || rest.starts_with(';')))
}

#[track_caller]
fn assert_logged(frame: impl Fn(&str) -> String, rows: &[(&str, &str)]) {
    let mut wrong = String::new();
    for (lines, sentence) in rows {
        let logged = logged(&frame(lines));
        if !has(&logged, sentence) {
            wrong += &format!("{lines:?}\n  is to say: {sentence}\n  says: {logged:#?}\n");
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

fn whole(text: &str) -> String {
    text.to_owned()
}

fn global(lines: &str) -> String {
    format!("global_defs {{\n{lines}\n}}\n")
}

/// An instance with no lines but these.
fn bare(lines: &str) -> String {
    format!("vrrp_instance a {{\n{lines}\n}}\n")
}

fn instance(lines: &str) -> String {
    bare(&format!("interface eth0\nvirtual_router_id 5\nvirtual_ipaddress {{\n192.0.2.1\n}}\n{lines}"))
}

fn addresses(lines: &str) -> String {
    bare(&format!("interface eth0\nvirtual_router_id 5\nvirtual_ipaddress {{\n{lines}\n}}"))
}

fn routes(line: &str) -> String {
    instance(&format!("virtual_routes {{\n{line}\n}}"))
}

fn rules(line: &str) -> String {
    instance(&format!("virtual_rules {{\n{line}\n}}"))
}

fn script(lines: &str) -> String {
    let security = global("enable_script_security\nscript_user root");
    format!("{security}vrrp_script s {{\nscript /bin/true\n{lines}\n}}\n{}", instance("track_script {\ns\n}"))
}

/// Instances `a` and `b`, and more.
fn two(lines: &str) -> String {
    let other =
        instance("").replace("instance a", "instance b").replace("_id 5", "_id 6").replace(".1", ".2");
    format!("{}{other}{lines}", instance(""))
}

fn service(lines: &str) -> String {
    format!("virtual_server 192.0.2.1 80 {{\n{lines}\n}}\n")
}

fn served(lines: &str) -> String {
    service(&format!("lb_algo rr\nlb_kind NAT\nprotocol TCP\nreal_server 192.0.2.9 80 {{\n}}\n{lines}"))
}

fn real(lines: &str) -> String {
    service(&format!("lb_algo rr\nlb_kind NAT\nprotocol TCP\nreal_server 192.0.2.9 80 {{\n{lines}\n}}"))
}

fn tcp(line: &str) -> String {
    real(&format!("TCP_CHECK {{\n{line}\n}}"))
}

#[test]
fn mistakes_in_instances() {
    assert_logged(
        bare,
        &[
            ("virtual_router_id 5", "(a) Unknown interface!"),
            ("interface eth0", "(a) the virtual router id must be set"),
            ("interface eth0\nvirtual_router_id 300", "number '300' outside range [1, 255]"),
            ("interface eth0\nvirtual_router_id 5", "(a) No VIP specified; at least one is sensible"),
            ("interface lo", "(a) cannot use a loopback interface (lo) for vrrp - ignoring"),
            ("interface averyveryverylongname", "Interface name 'averyveryverylongname' too long - ignoring"),
        ],
    );
    assert_logged(
        instance,
        &[
            ("state SLAVE", "(a) unknown state 'SLAVE', defaulting to BACKUP"),
            ("priority 300", "number '300' outside range [1, 255]"),
            ("priority high", "invalid number 'high'"),
            ("version 4", "number '4' outside range [2, 3]"),
            (
                "version 2\nadvert_int 0.5",
                "(a) VRRPv2 advertisement interval 0.500000s must be an integer. rounding",
            ),
            (
                "version 3\nadvert_int 41",
                "(a) VRRPv3 advertisement interval 41.00s is out of range. Must be less than 40.96s. Setting to 40.95s",
            ),
            (
                "version 2\nauthentication {\nauth_type PASS\n}",
                "(a) Authentication specified but no password given. Ignoring",
            ),
            (
                "version 3\nauthentication {\nauth_type PASS\nauth_pass x\n}",
                "(a) VRRP version 3 does not support authentication. Ignoring.",
            ),
            (
                "priority 255\nnopreempt",
                "(a) nopreempt is incompatible with priority 255. resetting nopreempt",
            ),
            (
                "state MASTER\npreempt_delay 5",
                "(a) Warning - preempt delay will not work with initial state MASTER - clearing",
            ),
            ("garp_master_repeat 0", "(a): garp_master_repeat must be greater than 0, setting to 1"),
            ("vmac_xmit_base", "(a) vmac_xmit_base is only valid with a vmac"),
            ("priorty 5", "Unknown keyword 'priorty'"),
        ],
    );
}

#[test]
fn mistakes_in_peers_and_addresses() {
    assert_logged(
        instance,
        &[
            (
                "unicast_peer {\n192.0.2.300\n}",
                "Configuration error: VRRP instance[a] malformed unicast peer address[192.0.2.300]. Skipping...",
            ),
            (
                "unicast_peer {\nfe80::2\n}",
                "Configuration error: VRRP instance[a] and unicast peer address[fe80::2] MUST be of the same family !!! \
                    Skipping...",
            ),
            (
                "unicast_src_ip foo",
                "Configuration error: VRRP instance[a] malformed src address[foo]. Skipping...",
            ),
            (
                "mcast_src_ip fe80::9",
                "Configuration error: VRRP instance[a] and src address[fe80::9] MUST be of the same family !!! \
                    Skipping...",
            ),
        ],
    );
    assert_logged(
        addresses,
        &[
            ("192.0.2.1\nfe80::1", "(a): address family must match VRRP instance [fe80::1] - ignoring"),
            ("192.0.2.300", "VRRP parsed invalid IP 192.0.2.300. skipping IP..."),
            ("web", "VRRP parsed invalid IP web. skipping IP..."),
            ("192.0.2.1/40", "Invalid address prefix len 40 for address 192.0.2.1/40 - using 32"),
            ("192.0.2.1 foo", "Unknown configuration entry 'foo' for ip address - ignoring"),
            (
                "192.0.2.1 label aaaaaaaaaaaaaaaaaaaa",
                "Address label aaaaaaaaaaaaaaaaaaaa is longer than maximum length 15 - removing address",
            ),
        ],
    );
    assert_logged(
        whole,
        &[("static_ipaddress {\n192.0.2.9 dev eth0 track_group zz\n}\n", "track_group zz not found")],
    );
}

#[test]
fn mistakes_in_routes_and_rules() {
    assert_logged(
        routes,
        &[
            ("via 192.0.2.254", "Route must have a destination"),
            ("198.51.100.0/24 via foo", "invalid route via address foo"),
            ("198.51.100.0/24 dev eth0 src foo", "invalid route src address foo"),
            ("198.51.100.0/24 dev eth0 metric x", "invalid number 'x'"),
            ("198.51.100.0/24 dev eth0 foo", "unknown route keyword foo"),
        ],
    );
    assert_logged(
        rules,
        &[
            ("from 192.0.2.300 table 5", "Invalid rule from address 192.0.2.300"),
            (
                "from 192.0.2.3 table 5",
                "Rule has no preference specified - setting to 16384. This is probably not what you want.",
            ),
            ("from 192.0.2.3 priority 5", "No action specified for rule - ignoring"),
            ("from 192.0.2.3 table 5 priority 7 foo", "Unknown rule option foo"),
        ],
    );
}

#[test]
fn mistakes_in_trackers() {
    assert_logged(
        instance,
        &[
            ("track_interface {\neth1 weight 300\n}", "number '300' outside range [-254, 254]"),
            ("track_interface {\neth1\neth1\n}", "(a) duplicate track_interface eth1 - ignoring"),
            ("track_script {\nnosuch\n}", "(a) track script nosuch not found, ignoring..."),
            ("track_file {\nnosuch\n}", "(a) track file nosuch not found, ignoring..."),
            ("track_process {\nnosuch\n}", "(a) track process nosuch not found, ignoring..."),
            ("track_bfd {\nnosuch\n}", "(a) track bfd nosuch not found, ignoring..."),
        ],
    );
    assert_logged(
        script,
        &[
            ("interval 0", "(s): vrrp script interval must be greater than 0, setting to 1"),
            ("weight 300", "number '300' outside range [-253, 253]"),
            ("rise 0", "number '0' outside range [1, 2147483647]"),
            ("timeout 0", "(s): vrrp script timeout must be greater than 0, setting to 1"),
            ("init_up", "Unknown keyword 'init_up'"),
        ],
    );
    assert_logged(
        whole,
        &[
            ("vrrp_script s {\n}", "No script set for vrrp_script s - removing"),
            ("track_file f {\n}", "No file set for track_file f - ignoring"),
            ("vrrp_track_process p {\n}", "track process 'p' process name not specified"),
            (
                "bfd_instance b {\n}",
                "Configuration error: BFD instance b has no neighbor address set, disabling instance",
            ),
            (
                "bfd_instance b {\nneighbor_ip foo\n}",
                "Configuration error: BFD instance b has malformed neighbor address foo, ignoring instance",
            ),
            (
                "bfd_instance b {\nneighbor_ip 192.0.2.9\n}\nbfd_instance b {\n}",
                "Configuration error: BFD instance b already configured - ignoring",
            ),
            (
                "bfd_instance b {\nneighbor_ip 192.0.2.9\n}\nbfd_instance c {\nneighbor_ip 192.0.2.9\n}",
                "Configuration error: BFD instance c has duplicate neighbor address 192.0.2.9, ignoring instance",
            ),
        ],
    );
}

#[test]
fn mistakes_in_groups_and_names() {
    assert_logged(
        two,
        &[
            ("vrrp_instance a {\n}", "vrrp instance a already defined"),
            ("vrrp_instance {\n}", "vrrp_instance must have a name"),
            ("vrrp_sync_group {\n}", "vrrp_sync_group must have a name"),
            (
                "vrrp_sync_group g {\ngroup {\na\nzzz\n}\n}",
                "Virtual router zzz specified in sync group g doesn't exist - ignoring",
            ),
            ("vrrp_sync_group g {\n}", "Sync group g has no virtual router(s). removing"),
            (
                "vrrp_sync_group g {\ngroup {\na\n}\n}",
                "Sync group g has only 1 virtual router(s) - this probably isn't what you want",
            ),
            (
                "vrrp_sync_group g {\ngroup {\na\nb\n}\n}\nvrrp_sync_group g {\n}",
                "vrrp sync group g already defined",
            ),
            (
                "vrrp_sync_group g {\ngroup {\na\nb\n}\n}\nvrrp_sync_group h {\ngroup {\na\nb\n}\n}",
                "Virtual router a cannot exist in more than one sync group; ignoring h",
            ),
        ],
    );
    let twice = instance("") + &instance("").replace("instance a", "instance b").replace(".1", ".2");
    assert_logged(whole, &[(&twice, "a and b both use VRID 5 with IPv4 on interface eth0")]);
}

#[test]
fn mistakes_in_global_defs() {
    assert_logged(
        global,
        &[
            ("router_id \"x", "Unmatched quote"),
            ("rooter_id x", "Unknown keyword 'rooter_id'"),
            ("vrrp_version 4", "number '4' outside range [2, 3]"),
            ("vrrp_priority 50", "number '50' outside range [-20, 19]"),
            ("vrrp_garp_master_refresh x", "invalid number 'x'"),
            ("vrrp_mcast_group4 192.0.2.1", "vrrp_mcast_group4 [192.0.2.1] is not multicast. Skipping"),
            ("vrrp_mcast_group6 fe80::1", "vrrp_mcast_group6 [fe80::1] is not multicast. Skipping"),
        ],
    );
    assert_logged(
        whole,
        &[
            ("net_namespace a\nnet_namespace b", "Duplicate net_namespace definition b - ignoring"),
            ("global_defs {\n", "There are 1 missing '}'s or extra '{'s"),
            ("global_defs {\n}\n}", "Extra '}' found"),
            ("global_defs {\n{\n}\n}", "Unexpected '{' - ignoring"),
            ("global_defs\nrouter_id a\n}", "Missing '{' at beginning of configuration block"),
        ],
    );
}

#[test]
fn mistakes_in_load_balancing() {
    assert_logged(
        whole,
        &[
            ("virtual_server foo 80 {\n}", "Invalid virtual server IP address/port foo/80 - skipping"),
            (
                "virtual_server 192.0.2.1 70000 {\n}",
                "Invalid virtual server IP address/port 192.0.2.1/70000 - skipping",
            ),
            ("virtual_server_group g {\n}", "virtual server group g has no entries - removing"),
            (
                "virtual_server_group g {\nfoo 80\n}",
                "Invalid virtual server group IP address foo /port/80 - skipping",
            ),
            (
                "virtual_server fwmark x {\n}",
                "virtual server fwmark 'x' must be in [0, 4294967295] - ignoring",
            ),
        ],
    );
    assert_logged(
        service,
        &[
            ("lb_algo rr\nlb_kind NAT", "Virtual server [192.0.2.1]:none:80 has no real servers - ignoring"),
            ("real_server foo 80 {\n}", "Invalid real server ip address/port foo/80 - skipping"),
            (
                "real_server 2001:db8::1 80 {\n}",
                "Address family of virtual server and real server 2001:db8::1 don't match - skipping real server.",
            ),
            (
                "lb_kind NAT\nprotocol UDP\nreal_server 192.0.2.9 80 {\n}",
                "Virtual server [192.0.2.1]:udp:80: no scheduler set, setting default 'wlc'",
            ),
            (
                "lb_algo rr\nprotocol UDP\nreal_server 192.0.2.9 80 {\n}",
                "Virtual server [192.0.2.1]:udp:80: no forwarding method set, setting default NAT",
            ),
            (
                "lb_algo rr\nlb_kind NAT\nreal_server 192.0.2.9 80 {\n}",
                "Virtual server [192.0.2.1]:none:80: no protocol set - defaulting to UDP",
            ),
        ],
    );
    assert_logged(
        served,
        &[
            ("lb_algo foo", "Invalid lvs_scheduler 'foo' - ignoring"),
            ("lb_kind FOO", "PARSER : unknown [FOO] routing method for virtual server."),
            ("protocol FOO", "Unknown protocol FOO - ignoring"),
            ("delay_loop 0", "number '0' outside range [0.000001, 18446744073709.551614]"),
            ("persistence_granularity x", "Invalid IPv4 persistence_granularity specified - x"),
            ("quorum 0", "number '0' outside range [1, 4294967295]"),
            (
                "quorum 1\nhysteresis 1",
                "Virtual server [192.0.2.1]:tcp:80: hysteresis 1 >= quorum 1; setting hysteresis to 0",
            ),
            ("sorry_server foo 80", "Invalid sorry server IP address foo - skipping"),
            (
                "real_server 192.0.2.9 80 {\n}",
                "VS [192.0.2.1]:tcp:80: real server [192.0.2.9]:tcp:80 is duplicated - removing second rs",
            ),
        ],
    );
    assert_logged(
        real,
        &[
            ("lvs_method FOO", "PARSER : unknown [FOO] routing method for real server."),
            (
                "MISC_CHECK {\nmisc_timeout 3\n}",
                "No script path has been specified for MISC_CHECKER - skipping",
            ),
            ("SMTP_CHECK {\nhelo_name\n}", "SMTP_CHECK helo name missing"),
            ("DNS_CHECK {\ntype FOO\n}", "Unknown DNS check type FOO - ignoring"),
            ("HTTP_GET {\nconnect_timeout 3\n}", "HTTP/SSL_GET checker has no urls specified - ignoring"),
            ("HTTP_GET {\nurl {\nstatus_code 200\n}\n}", "HTTP/SSL_GET checker url has no path - ignoring"),
            (
                "HTTP_GET {\nurl {\npath /\ndigest foo\n}\n}",
                "digest 'foo' character length should be 32 rather than 3",
            ),
            ("HTTP_GET {\nurl {\npath /\nstatus_code 99\n}\n}", "Invalid HTTP_GET status code '99'"),
        ],
    );
    assert_logged(
        tcp,
        &[
            ("connect_timeout 0", "number '0' outside range [0.000001, 4294.967295]"),
            ("connect_port 70000", "number '70000' outside range [1, 65535]"),
            ("connect_ip foo", "Invalid connect_ip address foo - ignoring"),
            (
                "bindto fe80::1",
                "bindto address fe80::1 does not match address family of connect_ip - skipping",
            ),
        ],
    );
}

#[test]
fn a_file_that_is_not_there() {
    let loaded = config::load(&common::Files(common::folder("valid")), "no-such-include.conf");
    assert!(!loaded.is_usable());
    let folder = std::env::temp_dir().join(format!("steadfast-classic-{}", std::process::id()));
    std::fs::create_dir(&folder).unwrap();
    std::fs::write(folder.join("a.conf"), "include no-such.conf\n").unwrap();
    let loaded = config::load(&common::Files(folder.clone()), "a.conf");
    std::fs::remove_dir_all(&folder).unwrap();
    let lines: Vec<_> = loaded.diagnostics.iter().map(|found| render::log(found, &loaded.sources)).collect();
    assert_eq!(
        lines,
        [
            "(a.conf: Line 1) Config files missing 'no-such.conf'.; nothing is included; `includea` makes this an error"
        ]
    );
}
