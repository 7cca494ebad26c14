//! The example of every keyword of the table is accepted and changes what the file means: no keyword is read into
//! nothing.

use std::io;

use steadfast_config as config;

use config::keyword::{self, Block, Content, Keyword};
use config::{Severity, SourceProvider, render};

struct Text(String);

impl SourceProvider for Text {
    fn read(&self, _: &str) -> io::Result<Vec<u8>> {
        Ok(self.0.clone().into_bytes())
    }
}

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
vrrp_instance third {
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
        Block::TrackGroup => root("track_group other_site", &["group {\nthird\n}"]),
        Block::Members => within(Block::SyncGroup, "group", &["other", "third"]),
        Block::StaticAddresses => option_frame("static_ipaddress", "192.0.2.80/24 dev eth0"),
        Block::StaticRoutes => option_frame("static_routes", "198.51.100.0/24 dev eth0"),
        Block::StaticRules => option_frame("static_rules", "from 192.0.2.0/24 table 7 priority 70"),
        Block::FileTracker => root("track_file file", &["file /run/file"]),
        Block::ProcessTracker => root("vrrp_track_process some", &["process some"]),
        Block::BfdInstance => root("bfd_instance some", &["neighbor_ip 192.0.2.91"]),
        Block::Script => root("vrrp_script some", &["script /bin/false"]),
        Block::SyncGroup => root("vrrp_sync_group group", &["group {\nother\nthird\n}"]),
        Block::GarpGroup => root("garp_group", &["garp_interval 1", "interfaces {\neth0\n}"]),
        Block::GarpInterfaces => within(Block::GarpGroup, "interfaces", &[]),
        Block::Instance => root(
            "vrrp_instance v",
            &["interface eth2", "virtual_router_id 1", "virtual_ipaddress {\n192.0.2.81/24\n}"],
        ),
        Block::Authentication => {
            within(Block::Instance, "authentication", &["auth_type PASS", "auth_pass 1234"])
        }
        Block::Hmac => within(Block::Instance, "auth_hmac", &[HMAC_KEYS, "active_key 2"]),
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
        Block::EncapIp => option(Block::StaticRoutes, "198.51.100.0/24 dev eth0 encap ip id 9"),
        Block::EncapIp6 => option(Block::StaticRoutes, "2001:db8:5::/64 dev eth0 encap ip6 id 9"),
        Block::EncapMpls => option(Block::StaticRoutes, "198.51.100.0/24 dev eth0 encap mpls"),
        Block::EncapIla => option(Block::StaticRoutes, "2001:db8:5::/64 dev eth0 encap ila"),
        Block::ServerGroup => root("virtual_server_group servers", &["192.0.2.84 80"]),
        Block::VirtualServer => root(
            "virtual_server 192.0.2.85 80",
            &["lvs_sched rr", "lvs_method NAT", "protocol TCP", "real_server 192.0.2.86 80 {\n}"],
        ),
        Block::RealServer => within(Block::VirtualServer, "real_server 192.0.2.87 80", &[]),
        Block::HttpGet => within(Block::RealServer, "HTTP_GET", &["url {\npath /\n}"]),
        Block::SslGet => within(Block::RealServer, "SSL_GET", &["url {\npath /\n}"]),
        Block::Url => within(Block::HttpGet, "url", &["path /"]),
        Block::SslUrl => within(Block::SslGet, "url", &["path /"]),
        Block::TcpCheck => within(Block::RealServer, "TCP_CHECK", &[]),
        Block::SmtpCheck => within(Block::RealServer, "SMTP_CHECK", &[]),
        Block::SmtpHost => within(Block::SmtpCheck, "host", &[]),
        Block::DnsCheck => within(Block::RealServer, "DNS_CHECK", &[]),
        Block::MiscCheck => within(Block::RealServer, "MISC_CHECK", &["misc_path /bin/true"]),
        Block::FileCheck => within(Block::RealServer, "FILE_CHECK", &["track_file load"]),
        Block::BfdCheck => within(Block::RealServer, "BFD_CHECK", &["name peer"]),
        Block::PingCheck => within(Block::RealServer, "PING_CHECK", &[]),
        Block::UdpCheck => within(Block::RealServer, "UDP_CHECK", &[]),
        Block::Ssl => root("SSL", &[]),
        Block::Steadfast => root("steadfast", &[]),
        other => panic!("{other:?} has no frame"),
    }
}

fn option_frame(name: &'static str, before: &'static str) -> Frame {
    Frame { around: vec![name], needs: Vec::new(), before }
}

const HMAC_KEYS: &str = "key 1 text-text-text-text-text-text-text\nkey 2 more-more-more-more-more-more-more";

/// Lines that a keyword needs beside it: block, keyword, what stands in the block besides.
const COMPANIONS: &[(Block, &str, &str)] = &[];

/// Other beginnings of the line that an option stands on.
const BEGINNINGS: &[(Block, &str, &str)] = &[
    (Block::StaticAddresses, "dev", "192.0.2.80/24"),
    (Block::StaticAddresses, "peer", "192.0.2.80 dev eth0"),
    (Block::StaticAddresses, "home", "2001:db8::80/64 dev eth0"),
    (Block::StaticAddresses, "-nodad", "2001:db8::80/64 dev eth0"),
    (Block::StaticAddresses, "mngtmpaddr", "2001:db8::80/64 dev eth0"),
    (Block::StaticAddresses, "preferred_lft", "2001:db8::80/64 dev eth0"),
    (Block::VirtualAddresses, "dev", "192.0.2.80/24"),
    (Block::VirtualAddresses, "peer", "192.0.2.80 dev eth0"),
    (Block::ExcludedAddresses, "dev", "192.0.2.80/24"),
    (Block::ExcludedAddresses, "peer", "192.0.2.80 dev eth0"),
    (Block::ExcludedAddresses, "home", "2001:db8::80/64 dev eth0"),
    (Block::ExcludedAddresses, "-nodad", "2001:db8::80/64 dev eth0"),
    (Block::ExcludedAddresses, "mngtmpaddr", "2001:db8::80/64 dev eth0"),
    (Block::ExcludedAddresses, "preferred_lft", "2001:db8::80/64 dev eth0"),
    (Block::StaticRoutes, "to", "203.0.113.0/24 dev eth0"),
    (Block::StaticRoutes, "(type)", "dev eth0"),
    (Block::StaticRoutes, "default6", "default dev eth0"),
    (Block::StaticRoutes, "inet6", "default dev eth0"),
    (Block::StaticRoutes, "from", "default dev eth0"),
    (Block::StaticRoutes, "expires", "default dev eth0"),
    (Block::StaticRoutes, "pref", "default dev eth0"),
    (Block::StaticRoutes, "protocol", "198.51.100.0/24 dev eth0 no_track"),
    (Block::StaticRoutes, "prepend", "198.51.100.0/24 dev eth0 append"),
    (Block::VirtualRoutes, "to", "203.0.113.0/24 dev eth0"),
    (Block::VirtualRoutes, "(type)", "dev eth0"),
    (Block::VirtualRoutes, "default6", "default dev eth0"),
    (Block::VirtualRoutes, "inet6", "default dev eth0"),
    (Block::VirtualRoutes, "from", "default dev eth0"),
    (Block::VirtualRoutes, "expires", "default dev eth0"),
    (Block::VirtualRoutes, "pref", "default dev eth0"),
    (Block::VirtualRoutes, "protocol", "198.51.100.0/24 dev eth0 no_track"),
    (Block::VirtualRoutes, "prepend", "198.51.100.0/24 dev eth0 append"),
    (Block::StaticRules, "track_group", "from 192.0.2.0/24 iif eth0 table 7 priority 70"),
    (Block::StaticRules, "inet6", "table 7 priority 70"),
    (Block::StaticRules, "from", "table 7 priority 70"),
    (Block::StaticRules, "protocol", "table 7 priority 70 no_track"),
    (Block::StaticRules, "table", "from 192.0.2.0/24 priority 70"),
    (Block::StaticRules, "lookup", "from 192.0.2.0/24 priority 70"),
    (Block::StaticRules, "l3mdev", "from 192.0.2.0/24 priority 70"),
    (Block::StaticRules, "type", "from 192.0.2.0/24 priority 70"),
    (Block::StaticRules, "goto", "from 192.0.2.0/24 priority 70"),
    (Block::StaticRules, "nop", "from 192.0.2.0/24 priority 70"),
    (Block::StaticRules, "blackhole", "from 192.0.2.0/24 priority 70"),
    (Block::StaticRules, "unreachable", "from 192.0.2.0/24 priority 70"),
    (Block::StaticRules, "prohibit", "from 192.0.2.0/24 priority 70"),
    (Block::VirtualRules, "inet6", "table 7 priority 70"),
    (Block::VirtualRules, "from", "table 7 priority 70"),
    (Block::VirtualRules, "protocol", "table 7 priority 70 no_track"),
    (Block::VirtualRules, "table", "from 192.0.2.0/24 priority 70"),
    (Block::VirtualRules, "lookup", "from 192.0.2.0/24 priority 70"),
    (Block::VirtualRules, "l3mdev", "from 192.0.2.0/24 priority 70"),
    (Block::VirtualRules, "type", "from 192.0.2.0/24 priority 70"),
    (Block::VirtualRules, "goto", "from 192.0.2.0/24 priority 70"),
    (Block::VirtualRules, "nop", "from 192.0.2.0/24 priority 70"),
    (Block::VirtualRules, "blackhole", "from 192.0.2.0/24 priority 70"),
    (Block::VirtualRules, "unreachable", "from 192.0.2.0/24 priority 70"),
    (Block::VirtualRules, "prohibit", "from 192.0.2.0/24 priority 70"),
];

/// Keywords that mean what is anyway, with the reason.
const IDLE: &[(Block, &str, &str)] = &[
    (Block::VirtualAddresses, "home", "the address is IPv4"),
    (Block::VirtualAddresses, "-nodad", "the address is IPv4"),
    (Block::VirtualAddresses, "mngtmpaddr", "the address is IPv4"),
    (Block::VirtualAddresses, "preferred_lft", "the address is IPv4"),
    (Block::StaticRoutes, "as", "no route translates addresses"),
    (Block::VirtualRoutes, "as", "no route translates addresses"),
    (Block::StaticRoutes, "inet", "the family is IPv4 anyway"),
    (Block::VirtualRoutes, "inet", "the family is IPv4 anyway"),
    (Block::StaticRules, "inet", "the family is IPv4 anyway"),
    (Block::VirtualRules, "inet", "the family is IPv4 anyway"),
    (Block::Instance, "debug", "accepted for old files, and nothing ever"),
    (Block::VirtualServer, "hashed", "accepted for old files, and nothing ever"),
];

/// Keywords of which every use is warned of.
const WARNED: &[(Block, &str)] = &[
    (Block::StaticRoutes, "gw"),
    (Block::StaticRoutes, "or"),
    (Block::StaticRoutes, "as"),
    (Block::VirtualRoutes, "gw"),
    (Block::VirtualRoutes, "or"),
    (Block::VirtualRoutes, "as"),
    (Block::Nexthop, "as"),
];

/// The file with `lines` in `frame`, beside what it needs but for lines of the same keyword.
fn file(block: Block, keyword: &Keyword, line: Option<String>) -> String {
    let frame = frame(block);
    let companion = COMPANIONS.iter().find(|(home, name, _)| (*home, *name) == (block, keyword.name));
    let replaces = |need: &&str| {
        line.is_some()
            && !keyword.name.starts_with('(')
            && need.split_whitespace().next() == Some(keyword.name)
    };
    let mut lines: Vec<String> =
        frame.needs.iter().filter(|need| !replaces(need)).map(|need| (*need).to_owned()).collect();
    lines.extend(companion.map(|(.., lines)| (*lines).to_owned()));
    let is_entry = keyword.name.starts_with('(') && block.content() != Content::Options;
    let begin = BEGINNINGS.iter().find(|(home, name, _)| (*home, *name) == (block, keyword.name));
    let before = if is_entry { "" } else { begin.map_or(frame.before, |(.., before)| before) };
    match line {
        Some(line) => lines.push(format!("{before} {line}").trim().to_owned()),
        None if !before.is_empty() => lines.push(before.to_owned()),
        None => {}
    }
    let mut text = PRELUDE.to_owned();
    for (depth, name) in frame.around.iter().enumerate() {
        text += &format!("{name} {{\n");
        if depth + 1 < frame.around.len() {
            text += outer_needs(name);
        }
    }
    text += &lines.join("\n");
    text += &"\n}".repeat(frame.around.len());
    text + "\n"
}

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
        Some(block) => format!("{line} {{\n{}\n}}", content(block)),
        None => line,
    }
}

/// Lines that make a block valid.
fn content(block: Block) -> String {
    let frame = frame(block);
    let mut lines: Vec<String> = frame.needs.iter().map(|line| (*line).to_owned()).collect();
    if lines.is_empty() && block.content() != Content::Keywords {
        lines.extend(block.keywords().next().map(|keyword| match frame.before {
            "" => keyword.example(),
            before => before.to_owned(),
        }));
    }
    lines.join("\n")
}

fn loaded(text: &str) -> config::Loaded {
    let mut loaded = config::load(&Text(text.to_owned()), "t");
    loaded.judge_language();
    loaded
}

/// What is wrong with the example of a keyword.
fn fault(block: Block, keyword: &Keyword) -> Option<String> {
    let with = file(block, keyword, Some(example(keyword)));
    let loaded_with = loaded(&with);
    let bad = loaded_with.diagnostics.iter().find(|found| found.severity >= Severity::Warning);
    if let Some(bad) = bad.filter(|_| !WARNED.contains(&(block, keyword.name))) {
        return Some(render::line(bad, &loaded_with.sources));
    }
    let is_idle = IDLE.iter().any(|(home, name, _)| (*home, *name) == (block, keyword.name));
    let without = loaded(&file(block, keyword, None));
    match (without.config == loaded_with.config, is_idle) {
        (true, false) => Some("changes nothing".to_owned()),
        (false, true) => Some("is no longer idle".to_owned()),
        _ => None,
    }
}

#[test]
#[ignore = "the readers of some blocks are being written"]
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
