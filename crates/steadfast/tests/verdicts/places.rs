//! The smallest file that has a place for the lines of a block.

use config::keyword::Block;

/// Where a block's lines stand, and those that it needs.
pub(crate) struct Place {
    /// The file, with `@` for the lines.
    file: String,
    pub(crate) content: Vec<&'static str>,
    /// What stands before the keyword on its line.
    before: &'static str,
}

impl Place {
    pub(crate) fn of(block: Block) -> Option<Self> {
        Self::of_top_level(block).or_else(|| Self::in_instance(block)).or_else(|| Self::of_servers(block))
    }

    /// Blocks of the top level, and what stands right in them.
    fn of_top_level(block: Block) -> Option<Self> {
        match block {
            Block::Root => Self::lines("@", &[]),
            Block::Preprocessor => None,
            Block::GlobalDefs => Self::lines("global_defs {\n@\n}", &[]),
            Block::NotificationEmail => Self::lines("global_defs {\nnotification_email {\n@\n}\n}", &[]),
            Block::LinkbeatInterfaces => Self::lines("linkbeat_interfaces {\n@\n}", &[]),
            Block::InterfaceDelays => Self::lines("interface_up_down_delays {\n@\n}", &[]),
            Block::TrackGroup => Self::lines(
                "track_group g {\n@\n}\nvrrp_instance v {\ninterface eth0\nvirtual_router_id 1\nvirtual_ipaddress { 192.0.2.1 }\n}",
                &["group { v }"],
            ),
            Block::Members => {
                Self::lines(&format!("vrrp_sync_group g {{\ngroup {{\n@\n}}\n}}\n{TWO}"), &["v", "w"])
            }
            Block::StaticAddresses => {
                Self::lines("static_ipaddress {\n@\n}", &[]).map(|place| place.after("192.0.2.7/24 dev eth0"))
            }
            Block::StaticRoutes => {
                Self::lines("static_routes {\n@\n}", &[]).map(|place| place.after("198.51.100.0/24 dev eth0"))
            }
            Block::StaticRules => Self::lines("static_rules {\n@\n}", &[])
                .map(|place| place.after("iif eth0 table 7 priority 70")),
            Block::FileTracker => Self::lines("track_file f {\n@\n}", &["file /run/file"]),
            Block::ProcessTracker => Self::lines("vrrp_track_process p {\n@\n}", &["process some"]),
            Block::BfdInstance => Self::lines("bfd_instance b {\n@\n}", &["neighbor_ip 192.0.2.2"]),
            Block::Script => {
                Self::lines(&format!("vrrp_script s {{\n@\n}}\n{TRACKED}"), &["script /bin/true"])
            }
            Block::SyncGroup => {
                Self::lines(&format!("{TRACKERS}vrrp_sync_group g {{\n@\n}}\n{TWO}"), &["group { v w }"])
            }
            Block::GarpGroup => {
                Self::lines("garp_group {\n@\n}", &["garp_interval 1", "interfaces { eth0 }"])
            }
            Block::GarpInterfaces => {
                Self::lines("garp_group {\ngarp_interval 1\ninterfaces {\n@\n}\n}", &["eth0"])
            }
            Block::Instance => Self::lines(
                &format!("{TRACKERS}vrrp_instance v {{\n@\n}}"),
                &["interface eth0", "virtual_router_id 1", "virtual_ipaddress { 192.0.2.1 }"],
            ),
            _ => None,
        }
    }

    /// What stands in a `vrrp_instance`, and options of its lines.
    fn in_instance(block: Block) -> Option<Self> {
        match block {
            Block::Authentication => {
                Self::inside(Block::Instance, "authentication", &["auth_type PASS", "auth_pass 1234"])
            }
            Block::Hmac => None,
            Block::Vmac => Self::options("use_vmac", Block::Instance),
            Block::Ipvlan => Self::options("use_ipvlan ipvl0 192.0.2.6", Block::Instance),
            Block::UnicastPeers => {
                Self::inside(Block::Instance, "unicast_peer", &[]).map(|place| place.after("192.0.2.3"))
            }
            Block::TrackInterfaces => {
                Self::inside(Block::Instance, "track_interface", &[]).map(|place| place.after("eth1"))
            }
            Block::TrackScripts => {
                Self::inside(Block::Instance, "track_script", &[]).map(|place| place.after("s"))
            }
            Block::TrackFiles => {
                Self::inside(Block::Instance, "track_file", &[]).map(|place| place.after("f"))
            }
            Block::TrackProcesses => {
                Self::inside(Block::Instance, "track_process", &[]).map(|place| place.after("p"))
            }
            Block::TrackBfds => Self::inside(Block::Instance, "track_bfd", &[]).map(|place| place.after("b")),
            Block::VirtualAddresses => Self::inside(Block::Instance, "virtual_ipaddress", &[])
                .map(|place| place.after("192.0.2.7/24")),
            Block::ExcludedAddresses => Self::inside(Block::Instance, "virtual_ipaddress_excluded", &[])
                .map(|place| place.after("192.0.2.7/24")),
            Block::VirtualRoutes => Self::inside(Block::Instance, "virtual_routes", &[])
                .map(|place| place.after("198.51.100.0/24 dev eth0")),
            Block::VirtualRules => Self::inside(Block::Instance, "virtual_rules", &[])
                .map(|place| place.after("iif eth0 table 7 priority 70")),
            Block::Nexthop => {
                Self::options("198.51.100.0/24 no_track nexthop via 192.0.2.8 dev eth0", Block::StaticRoutes)
            }
            Block::EncapIp => {
                Self::options("198.51.100.0/24 dev eth0 encap ip dst 192.0.2.2", Block::StaticRoutes)
            }
            Block::EncapIp6 => {
                Self::options("2001:db8:5::/64 dev eth0 encap ip6 dst 2001:db8::2", Block::StaticRoutes)
            }
            Block::EncapMpls => Self::options("198.51.100.0/24 dev eth0 encap mpls", Block::StaticRoutes),
            Block::EncapIla => Self::options("2001:db8:5::/64 dev eth0 encap ila", Block::StaticRoutes),
            _ => None,
        }
    }

    /// Load balancing.
    fn of_servers(block: Block) -> Option<Self> {
        match block {
            Block::ServerGroup => Self::lines(
                "virtual_server_group g {\n@\n}\nvirtual_server group g {\nlvs_sched rr\nlvs_method NAT\nprotocol TCP\nreal_server 192.0.2.9 80 {\n}\n}",
                &["192.0.2.7 80"],
            ),
            Block::VirtualServer => Self::lines(
                "virtual_server 192.0.2.7 80 {\n@\n}",
                &["lvs_sched rr", "lvs_method NAT", "protocol TCP", "real_server 192.0.2.9 80 {\n}"],
            ),
            Block::RealServer => {
                Self::inside(Block::VirtualServer, "real_server 192.0.2.8 80", &["weight 1"])
            }
            Block::HttpGet => Self::checker("HTTP_GET", &["url { path / }"]),
            Block::SslGet => Self::checker("SSL_GET", &["url { path / }"]),
            Block::Url => Self::inside(Block::HttpGet, "url", &["path /"]),
            Block::SslUrl => Self::inside(Block::SslGet, "url", &["path /"]),
            Block::TcpCheck => Self::checker("TCP_CHECK", &[]),
            Block::SmtpCheck => Self::checker("SMTP_CHECK", &[]),
            Block::SmtpHost => Self::inside(Block::SmtpCheck, "host", &["connect_ip 192.0.2.9"]),
            Block::DnsCheck => Self::checker("DNS_CHECK", &[]),
            Block::MiscCheck => Self::checker("MISC_CHECK", &["misc_path /bin/true"]),
            Block::FileCheck => Self::checker("FILE_CHECK", &["track_file f"])
                .map(|place| place.beside("track_file f {\nfile /run/file\n}\n")),
            Block::BfdCheck => Self::checker("BFD_CHECK", &["name b"])
                .map(|place| place.beside("bfd_instance b {\nneighbor_ip 192.0.2.2\n}\n")),
            Block::PingCheck => Self::checker("PING_CHECK", &[]),
            Block::UdpCheck => Self::checker("UDP_CHECK", &[]),
            Block::Ssl => Self::lines("SSL {\n@\n}", &[]),
            _ => None,
        }
    }

    fn lines(file: &str, content: &[&'static str]) -> Option<Self> {
        Some(Self { file: format!("{SECURE}{file}"), content: content.to_vec(), before: "" })
    }

    fn options(before: &'static str, outer: Block) -> Option<Self> {
        let Self { file, content, .. } = Self::of(outer)?;
        Some(Self { file, content, before })
    }

    fn inside(block: Block, open: &str, content: &[&'static str]) -> Option<Self> {
        let around = Self::of(block)?;
        let file = around.with("", &format!("{open} {{\n@\n}}"));
        Some(Self { file, content: content.to_vec(), before: "" })
    }

    fn checker(open: &str, content: &[&'static str]) -> Option<Self> {
        Self::inside(Block::RealServer, open, content)
    }

    fn after(self, before: &'static str) -> Self {
        Self { before, ..self }
    }

    fn beside(self, text: &str) -> Self {
        Self { file: format!("{text}{}", self.file), ..self }
    }

    /// The file with `line`, which replaces what `keyword` has there already.
    pub(crate) fn with(&self, keyword: &str, line: &str) -> String {
        let others = self.content.iter().filter(|line| line.split_whitespace().next() != Some(keyword));
        // An entry that stands for a free word begins the line itself.
        let before = if keyword.starts_with('(') && !self.has_labels() { "" } else { self.before };
        let line = format!("{before} {line}");
        let lines: Vec<&str> = others.copied().chain([line.trim_start()]).collect();
        self.file.replacen('@', &lines.join("\n"), 1) + "\n"
    }

    /// `(labels)` and `(locator)` follow the kind of their encapsulation.
    fn has_labels(&self) -> bool {
        self.before.contains("encap")
    }
}

/// Scripts may run.
const SECURE: &str = "global_defs {\nenable_script_security\nscript_user root\n}\n";

const TRACKED: &str = "vrrp_instance v {
interface eth0
virtual_router_id 1
virtual_ipaddress { 192.0.2.1 }
track_script { s }
}";

const TWO: &str = "vrrp_instance v {
interface eth0
virtual_router_id 1
virtual_ipaddress { 192.0.2.1 }
}
vrrp_instance w {
interface eth0
virtual_router_id 2
virtual_ipaddress { 192.0.2.2 }
}";

const TRACKERS: &str = "vrrp_script s {
script /bin/true
}
track_file f {
file /run/file
}
vrrp_track_process p {
process some
}
bfd_instance b {
neighbor_ip 192.0.2.2
}
";
