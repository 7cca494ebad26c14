//! The example of every keyword of the table is accepted and changes what the file means: no keyword is read into
//! nothing.

use steadfast_config as config;

use config::keyword::{self, Block, Content, Keyword};
use config::{Code, Diagnostic, Severity, render};

use common::judged;

mod common;

/// What the examples refer to, before each file.
const PRELUDE: &str = "\
global_defs {
    enable_script_security
    script_user nobody
}
vrrp_script probe {
    script /bin/true
}
track_file load {
    file /run/load
}
vrrp_track_process nginx {
    process nginx
}
bfd_instance peer {
    neighbor_ip 192.0.2.90
}
vrrp_instance other {
    interface eth9
    virtual_router_id 9
    virtual_ipaddress {
        192.0.2.99/24
    }
}
vrrp_instance mail {
    interface eth9
    virtual_router_id 10
    virtual_ipaddress {
        192.0.2.98/24
    }
}
track_group site {
    group {
        other
    }
}
";

/// The blocks around the lines of a block, and the lines that it needs.
struct Frame {
    /// Each with its name.
    around: Vec<&'static str>,
    needs: Vec<&'static str>,
    /// What stands on the line before a word that is an option.
    before: &'static str,
}

fn frame(block: Block) -> Frame {
    let root = |name: &'static str, needs: &[&'static str]| Frame {
        around: vec![name],
        needs: needs.to_vec(),
        before: "",
    };
    let within = |outer: Block, name: &'static str, needs: &[&'static str]| {
        let mut around = frame(outer).around;
        around.push(name);
        Frame { around, needs: needs.to_vec(), before: "" }
    };
    let option = |outer: Block, before: &'static str| Frame { before, ..frame(outer) };
    match block {
        Block::Root | Block::Preprocessor => Frame { around: Vec::new(), needs: Vec::new(), before: "" },
        Block::GlobalDefs => root("global_defs", &[]),
        Block::NotificationEmail => within(Block::GlobalDefs, "notification_email", &[]),
        Block::LinkbeatInterfaces => root("linkbeat_interfaces", &[]),
        Block::InterfaceDelays => root("interface_up_down_delays", &[]),
        Block::TrackGroup => root("track_group other_site", &["group {\nmail\n}"]),
        Block::Members => within(Block::SyncGroup, "group", &["other"]),
        Block::StaticAddresses => option_frame("static_ipaddress", "192.0.2.80/24 dev eth0"),
        Block::StaticRoutes => option_frame("static_routes", "198.51.100.0/24 dev eth0"),
        Block::StaticRules => option_frame("static_rules", "from 192.0.2.0/24 table 7 priority 70"),
        Block::FileTracker => root("track_file file", &["file /run/file"]),
        Block::ProcessTracker => root("vrrp_track_process some", &["process some"]),
        Block::BfdInstance => root("bfd_instance some", &["neighbor_ip 192.0.2.91"]),
        Block::Script => root("vrrp_script some", &["script /bin/false"]),
        Block::SyncGroup => root("vrrp_sync_group group", &["group {\nother\nmail\n}"]),
        Block::GarpGroup => root("garp_group", &["garp_interval 1", "interfaces {\neth0\n}"]),
        Block::GarpInterfaces => within(Block::GarpGroup, "interfaces", &[]),
        Block::Instance => root(
            "vrrp_instance v",
            &["interface eth2", "virtual_router_id 1", "virtual_ipaddress {\n192.0.2.81/24\n}"],
        ),
        Block::Authentication => {
            within(Block::Instance, "authentication", &["auth_type PASS", "auth_pass 1234"])
        }
        Block::Hmac => within(Block::Instance, "auth_hmac", &[HMAC_KEYS, "active_key 1"]),
        Block::Vmac => option(Block::Instance, "use_vmac"),
        Block::Ipvlan => option(Block::Instance, "use_ipvlan 192.0.2.6"),
        Block::UnicastPeers => Frame { before: "192.0.2.82", ..within(Block::Instance, "unicast_peer", &[]) },
        Block::TrackInterfaces => within(Block::Instance, "track_interface", &[]),
        Block::TrackScripts => within(Block::Instance, "track_script", &[]),
        Block::TrackFiles => within(Block::Instance, "track_file", &[]),
        Block::TrackProcesses => within(Block::Instance, "track_process", &[]),
        Block::TrackBfds => within(Block::Instance, "track_bfd", &[]),
        Block::VirtualAddresses => Frame {
            before: "192.0.2.83/24",
            ..within(Block::Instance, "virtual_ipaddress", &["192.0.2.81/24"])
        },
        Block::ExcludedAddresses => {
            Frame { before: "192.0.2.83/24", ..within(Block::Instance, "virtual_ipaddress_excluded", &[]) }
        }
        Block::VirtualRoutes => {
            Frame { before: "198.51.100.0/24 dev eth0", ..within(Block::Instance, "virtual_routes", &[]) }
        }
        Block::VirtualRules => Frame {
            before: "from 192.0.2.0/24 table 7 priority 70",
            ..within(Block::Instance, "virtual_rules", &[])
        },
        Block::Nexthop => option(
            Block::StaticRoutes,
            "198.51.100.0/24 no_track nexthop via 192.0.2.9 nexthop via 192.0.2.8",
        ),
        Block::EncapIp => option(Block::StaticRoutes, "198.51.100.0/24 dev eth0 encap ip"),
        Block::EncapIp6 => option(Block::StaticRoutes, "2001:db8:5::/64 dev eth0 encap ip6"),
        Block::EncapMpls => option(Block::StaticRoutes, "198.51.100.0/24 dev eth0 encap mpls"),
        Block::EncapIla => option(Block::StaticRoutes, "2001:db8:5::/64 dev eth0 encap ila"),
        Block::ServerGroup => root("virtual_server_group servers", &["192.0.2.84 80"]),
        Block::VirtualServer => root(
            "virtual_server 192.0.2.85 80",
            &[
                "lvs_sched rr",
                "lvs_method NAT",
                "protocol TCP",
                "real_server 192.0.2.86 80 {\nTCP_CHECK {\n}\n}",
            ],
        ),
        Block::RealServer => within(Block::VirtualServer, "real_server 192.0.2.87 80", &["TCP_CHECK {\n}"]),
        Block::ServerSteadfast => within(Block::VirtualServer, "steadfast", &["drain 5"]),
        Block::RealServerSteadfast => within(Block::RealServer, "steadfast", &["drain 5"]),
        Block::HttpSteadfast => within(Block::HttpGet, "url {\npath /\n}\nsteadfast", &["http_version 2"]),
        Block::SslSteadfast => {
            within(Block::SslGet, "url {\npath /\n}\nsteadfast", &["certificate_expiry_warning 7"])
        }
        Block::HttpGet | Block::SslGet => within(Block::RealServer, block.name(), &["url {\npath /\n}"]),
        Block::Url => within(Block::HttpGet, "url", &["path /"]),
        Block::SslUrl => within(Block::SslGet, "url", &["path /"]),
        Block::SmtpHost => within(Block::SmtpCheck, "host", &["connect_ip 192.0.2.9"]),
        Block::MiscCheck => within(Block::RealServer, "MISC_CHECK", &["misc_path /bin/true"]),
        Block::FileCheck => within(Block::RealServer, "FILE_CHECK", &["track_file load"]),
        Block::BfdCheck => within(Block::RealServer, "BFD_CHECK", &["name peer"]),
        Block::GrpcCheck => within(Block::RealServerSteadfast, "GRPC_CHECK", &["tls"]),
        Block::TcpCheck | Block::SmtpCheck | Block::DnsCheck | Block::PingCheck | Block::UdpCheck => {
            within(Block::RealServer, block.name(), &[])
        }
        Block::Ssl | Block::Steadfast => root(block.name(), &[]),
        other => panic!("{other:?} has no frame"),
    }
}

fn option_frame(name: &'static str, before: &'static str) -> Frame {
    Frame { around: vec![name], needs: Vec::new(), before }
}

const HMAC_KEYS: &str = "key 1 text-text-text-text-text-text-text\nkey 2 more-more-more-more-more-more-more";

/// What a keyword needs beside it to have an effect.
struct Context {
    blocks: &'static [Block],
    keywords: &'static [&'static str],
    /// Lines of the block.
    beside: &'static str,
    /// Another beginning of the line.
    before: Option<&'static str>,
    /// What of the block must not be there.
    without: &'static [&'static str],
    /// Blocks of the top level, after it.
    after: &'static str,
}

const NOTHING: Context =
    Context { blocks: &[], keywords: &[], beside: "", before: None, without: &[], after: "" };

const fn beside(
    blocks: &'static [Block],
    keywords: &'static [&'static str],
    beside: &'static str,
) -> Context {
    Context { blocks, keywords, beside, ..NOTHING }
}

const fn line(blocks: &'static [Block], keywords: &'static [&'static str], before: &'static str) -> Context {
    Context { blocks, keywords, before: Some(before), ..NOTHING }
}

const fn after(keywords: &'static [&'static str], after: &'static str) -> Context {
    Context { blocks: GLOBAL, keywords, after, ..NOTHING }
}

const GLOBAL: &[Block] = &[Block::GlobalDefs];
const ADDRESSES: &[Block] = &[Block::StaticAddresses, Block::VirtualAddresses, Block::ExcludedAddresses];
const ROUTES: &[Block] = &[Block::StaticRoutes, Block::VirtualRoutes];
const RULES: &[Block] = &[Block::StaticRules, Block::VirtualRules];
const INSTANCE: &[Block] = &[Block::Instance];
const SERVER: &[Block] = &[Block::VirtualServer];

const CONTEXTS: &[Context] = &[
    after(&["smtp_alert_checker", "checker_log_all_failures"], SERVICE),
    after(&["default_interface"], "static_ipaddress {\n192.0.2.70/24\n}"),
    after(
        &["v3_checksum_as_v2"],
        "vrrp_instance w {\ninterface eth9\nvirtual_router_id 7\nversion 3\nvirtual_ipaddress {\n192.0.2.70/24\n}\n}",
    ),
    after(
        &["vrrp_mcast_group6"],
        "vrrp_instance w {\ninterface eth9\nvirtual_router_id 7\nvirtual_ipaddress {\nfe80::70\n}\n}",
    ),
    after(
        &["vrrp_check_unicast_src"],
        "vrrp_instance w {\ninterface eth9\nvirtual_router_id 7\nunicast_peer {\n192.0.2.4\n}\nvirtual_ipaddress {\n192.0.2.70/24\n}\n}",
    ),
    after(
        &["vrrp_owner_ignore_adverts"],
        "vrrp_instance w {\ninterface eth9\nvirtual_router_id 7\nstate MASTER\npriority 255\nvirtual_ipaddress {\n192.0.2.70/24\n}\n}",
    ),
    beside(GLOBAL, &["startup_script_timeout"], "startup_script /bin/true"),
    beside(GLOBAL, &["shutdown_script_timeout"], "shutdown_script /bin/true"),
    beside(GLOBAL, &["vrrp_ipsets"], "vrrp_iptables"),
    beside(GLOBAL, &["nftables_ipvs_priority", "nftables_ipvs_start_fwmark"], "nftables_ipvs"),
    beside(GLOBAL, &["dbus_service_name", "dbus_no_interface_name"], "enable_dbus"),
    beside(GLOBAL, &["notify_fifo_script"], "notify_fifo /run/told.fifo"),
    beside(GLOBAL, &["vrrp_notify_fifo_script"], "vrrp_notify_fifo /run/vrrp.fifo"),
    beside(GLOBAL, &["lvs_notify_fifo_script"], "lvs_notify_fifo /run/lvs.fifo"),
    beside(GLOBAL, &["vrrp_rx_bufs_multiplier"], "vrrp_rx_bufs_policy MTU"),
    beside(GLOBAL, &["reload_repeat"], "reload_time_file /run/reload.time"),
    line(&[Block::StaticAddresses], &["dev"], "192.0.2.80/24"),
    line(ADDRESSES, &["home", "-nodad", "mngtmpaddr", "preferred_lft"], "2001:db8::80/64 dev eth0"),
    line(ADDRESSES, &["peer"], "192.0.2.80 dev eth0"),
    line(ROUTES, &["to", "default6"], ""),
    line(ROUTES, &["inet6"], "default dev eth0"),
    line(ROUTES, &["prepend"], "198.51.100.0/24 dev eth0 append"),
    line(ROUTES, &["from", "expires", "pref"], "2001:db8:5::/64 dev eth0"),
    line(ROUTES, &["protocol"], "198.51.100.0/24 dev eth0 no_track"),
    line(RULES, &["inet6"], "table 7 priority 70"),
    line(RULES, &["from"], "to 198.51.100.0/24 table 7 priority 70"),
    line(
        RULES,
        &["table", "lookup", "l3mdev", "type", "goto", "nop", "blackhole", "unreachable", "prohibit"],
        "from 192.0.2.0/24 priority 70",
    ),
    line(RULES, &["protocol"], "from 192.0.2.0/24 table 7 priority 70 no_track"),
    line(RULES, &["track_group"], "from 192.0.2.0/24 iif eth0 table 7 priority 70"),
    Context { without: &["interface"], ..beside(INSTANCE, &["vrf"], PEER) },
    beside(INSTANCE, &["vmac_xmit_base"], "use_vmac"),
    beside(INSTANCE, &["use_vmac_addr"], "virtual_ipaddress_excluded {\n2001:db8::80\n}"),
    beside(INSTANCE, &["check_unicast_src", "old_unicast_checksum", "unicast_src_ip", "unicast_ttl"], PEER),
    Context { without: &["virtual_ipaddress"], ..beside(INSTANCE, &["native_ipv6"], "no_virtual_ipaddress") },
    Context { without: &["virtual_ipaddress"], ..beside(INSTANCE, &["no_virtual_ipaddress"], "version 3") },
    beside(INSTANCE, &["track_src_ip"], "mcast_src_ip 192.0.2.3"),
    beside(INSTANCE, &["v3_checksum_as_v2"], "version 3"),
    beside(INSTANCE, &["accept"], "version 3\nstrict_mode"),
    beside(INSTANCE, &["preempt"], "nopreempt"),
    beside(INSTANCE, &["timer_expired_backup", "thread_timer_expired"], "state BACKUP\nnopreempt"),
    beside(INSTANCE, &["owner_ignore_adverts"], "state MASTER\npriority 255"),
    line(&[Block::Nexthop], &["via", "dev"], "198.51.100.0/24 no_track nexthop via 192.0.2.9 nexthop"),
    line(
        &[Block::EncapIp],
        &["src", "tos", "ttl", "flags"],
        "198.51.100.0/24 dev eth0 encap ip dst 192.0.2.2",
    ),
    line(
        &[Block::EncapIp6],
        &["src", "tc", "hoplimit", "flags"],
        "2001:db8:5::/64 dev eth0 encap ip6 dst 2001:db8::2",
    ),
    beside(SERVER, &["hashed", "sh-port", "sh-fallback"], "lvs_sched sh"),
    beside(SERVER, &["mh-port", "mh-fallback"], "lvs_sched mh"),
    beside(SERVER, &["ops"], "protocol UDP"),
    beside(SERVER, &["persistence_engine"], "protocol UDP\npersistence_timeout 60"),
    beside(SERVER, &["quorum"], "real_server 192.0.2.86 80 {\nweight 10\n}"),
    beside(SERVER, &["hysteresis"], "quorum 5\nreal_server 192.0.2.86 80 {\nweight 10\n}"),
    beside(SERVER, &["sorry_server_inhibit", "sorry_server_lvs_method"], "sorry_server 192.0.2.31 80"),
    beside(&[Block::SslGet], &["sni_name"], "enable_sni on"),
    beside(
        &[Block::Url, Block::SslUrl],
        &["regex_no_match", "regex_options", "regex_min_offset", "regex_max_offset", "regex_stack"],
        "regex word",
    ),
];

const PEER: &str = "unicast_peer {\n192.0.2.4\n}";

const SERVICE: &str = "virtual_server 192.0.2.85 80 {\nlvs_sched rr\nlvs_method NAT\nprotocol TCP\n\
    real_server 192.0.2.86 80 {\nTCP_CHECK {\n}\n}\n}";

fn context(block: Block, keyword: &Keyword) -> &'static Context {
    let fits =
        |context: &&Context| context.blocks.contains(&block) && context.keywords.contains(&keyword.name);
    CONTEXTS.iter().find(fits).unwrap_or(&NOTHING)
}

/// Keywords that mean what is anyway, with the reason.
const IDLE: &[(&[Block], &str, &str)] = &[
    (INSTANCE, "debug", "for old files; it has never meant anything"),
    (&[Block::Root], "steadfast", "it has no keyword yet"),
    (ROUTES, "inet", "says the family that the addresses have"),
    (ROUTES, "as", "no kernel translates addresses so"),
    (RULES, "inet", "says the family that the addresses have"),
    (&[Block::Ipvlan], "bridge", "the usual mode"),
    (SERVER, "ip_family", "says the family that the address has"),
    (SERVER, "hashed", "it has never meant anything"),
    (INSTANCE, "vrf", "it is for instances without an interface, which are refused for now"),
    (INSTANCE, "no_virtual_ipaddress", "no address is no address; it only stops the warning"),
    (&[Block::HttpGet], "enable_sni", "without TLS no name is sent"),
    (&[Block::HttpGet], "sni_name", "without TLS no name is sent"),
];

/// Warnings that belong to a keyword: it is an old name, or asks for what there is not.
const TOLERATED: &[Code] = &[Code::Deprecated, Code::Iptables];

/// Keywords that are refused, with the reason.
const REFUSED: &[(Block, &str, &str)] =
    &[(Block::Nexthop, "as", "no kernel translates addresses so: the route is dropped")];

/// The file with `line` in its block, beside what that and the keyword need.
fn file(block: Block, keyword: &Keyword, line: Option<&str>) -> String {
    let (frame, context) = (frame(block), context(block, keyword));
    let is_entry = keyword.name.starts_with('(') && block.content() != Content::Options;
    let before = context.before.unwrap_or(if is_entry { "" } else { frame.before });
    let is_v6 = before.starts_with("2001:");
    let first = |line: &str| line.split_whitespace().next().unwrap_or_default().to_owned();
    let others: Vec<String> = context.beside.lines().map(first).collect();
    let example = example(keyword);
    let is_kept = |need: &&&str| {
        let is_same = first(need) == keyword.name && (line.is_some() || **need == example);
        !is_same && !others.contains(&first(need)) && !context.without.contains(&first(need).as_str())
    };
    let mut lines: Vec<String> = frame.needs.iter().filter(is_kept).map(|need| (*need).to_owned()).collect();
    lines.push(context.beside.to_owned());
    lines.push(format!("{before} {}", line.unwrap_or_default()).trim().to_owned());
    let mut text =
        PRELUDE.replace(if keyword.name == "enable_script_security" { keyword.name } else { "\0" }, "");
    for (depth, name) in frame.around.iter().enumerate() {
        text += &format!("{name} {{\n");
        if depth + 1 < frame.around.len() {
            text += outer_needs(name);
        }
    }
    text += &lines.join("\n");
    text += &"\n}".repeat(frame.around.len());
    text += &format!("\n{}\n", context.after);
    // A script that nobody tracks is not kept.
    if block == Block::Script || (block, keyword.name) == (Block::Root, "vrrp_script") && line.is_some() {
        let name = if block == Block::Script { "some" } else { "check" };
        text += &format!("{TRACKER} {{\n{name}\n}}\n}}\n");
    }
    if is_v6 { text.replace("192.0.2.81/24", "fe80::81") } else { text }
}

const TRACKER: &str = "vrrp_instance tracker {\ninterface eth9\nvirtual_router_id 8\nvirtual_ipaddress {\n192.0.2.97/24\n}\n\
    track_script";

/// What the blocks around a block need themselves.
fn outer_needs(name: &str) -> &'static str {
    match name {
        "vrrp_instance v" => "interface eth2\nvirtual_router_id 1\nvirtual_ipaddress {\n192.0.2.81/24\n}\n",
        "virtual_server 192.0.2.85 80" => {
            "lvs_sched rr\nlvs_method NAT\nprotocol TCP\nreal_server 192.0.2.86 80 {\n}\n"
        }
        "garp_group" => "garp_interval 1\n",
        _ => "",
    }
}

fn example(keyword: &Keyword) -> String {
    let line = keyword.example();
    match keyword.opens.filter(|block| block.content() != Content::Options) {
        Some(block) => match content(block).as_str() {
            "" => format!("{line} {{\n}}"),
            content => format!("{line} {{\n{content}\n}}"),
        },
        None => line,
    }
}

/// Lines that make a block valid.
fn content(block: Block) -> String {
    let frame = frame(block);
    let mut lines: Vec<String> = frame.needs.iter().map(|line| (*line).to_owned()).collect();
    if block == Block::GlobalDefs {
        lines.push("router_id lb1".to_owned());
    }
    if block == Block::Members {
        return "mail\nother".to_owned();
    }
    if lines.is_empty() && block.content() != Content::Keywords {
        lines.extend(block.keywords().next().map(|keyword| match frame.before {
            "" => keyword.example(),
            before => before.to_owned(),
        }));
    }
    lines.join("\n")
}

/// What is wrong with the example of a keyword.
fn fault(block: Block, keyword: &Keyword) -> Option<String> {
    let with = judged(&file(block, keyword, Some(&example(keyword))));
    let is_idle = IDLE.iter().any(|(blocks, name, _)| blocks.contains(&block) && *name == keyword.name);
    let is_refused = REFUSED.iter().any(|(home, name, _)| (*home, *name) == (block, keyword.name));
    let is_bad =
        |found: &&Diagnostic| found.severity >= Severity::Warning && !TOLERATED.contains(&found.code);
    // Of what has no effect, a warning may say so.
    if let Some(bad) = with.diagnostics.iter().find(is_bad).filter(|_| !is_idle && !is_refused) {
        return Some(render::line(bad, &with.sources));
    }
    let without = judged(&file(block, keyword, None));
    match (without.config == with.config, is_idle) {
        (true, false) => Some("changes nothing".to_owned()),
        (false, true) => Some("is no longer idle".to_owned()),
        _ => None,
    }
}

#[test]
fn every_keyword_changes_what_the_file_means() {
    let all = keyword::all().filter(|(block, _)| *block != Block::Preprocessor);
    let faults: Vec<String> = all
        .filter_map(|(block, keyword)| {
            let fault = fault(block, keyword)?;
            Some(format!("{block:?}/{}: `{}`: {fault}", keyword.name, keyword.example()))
        })
        .collect();
    assert!(faults.is_empty(), "{} faults:\n{}", faults.len(), faults.join("\n"));
}

#[test]
fn every_keyword_has_an_example() {
    for (block, keyword) in keyword::all().filter(|(block, _)| *block != Block::Preprocessor) {
        let example = keyword.example();
        let is_free = keyword.name.starts_with('(');
        let has_name = example.split_whitespace().next() == Some(keyword.name);
        assert!(is_free && !example.is_empty() || has_name, "{block:?}/{}: {example:?}", keyword.name);
        let has_value =
            is_free || example != keyword.name || keyword.usage().replace(" { … }", "") == keyword.name;
        let may_stand_alone = keyword.arguments.to_string().starts_with('[');
        assert!(has_value || may_stand_alone, "{block:?}/{}: {example:?} is bare", keyword.name);
    }
}
