//! The blocks of the language and which entries each has.

use super::{
    Keyword, address, authentication, bfd, checker, global, instance, preprocessor, real_server, root, route,
    rule, script, sync_group, tracker, virtual_server,
};

/// A context in which keywords have a meaning.
///
/// Most are blocks in braces. The words that may follow on the line of an address, route or rule are one as well.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Block {
    /// Outside all braces.
    Root,
    /// Lines that are handled before keywords are looked for.
    Preprocessor,
    /// `global_defs`.
    GlobalDefs,
    /// `notification_email`.
    NotificationEmail,
    /// `linkbeat_interfaces`.
    LinkbeatInterfaces,
    /// `interface_up_down_delays`.
    InterfaceDelays,
    /// `track_group`.
    TrackGroup,
    /// `group` of a track group or a sync group.
    Members,
    /// `static_ipaddress`.
    StaticAddresses,
    /// `static_routes`.
    StaticRoutes,
    /// `static_rules`.
    StaticRules,
    /// `track_file` at the top level.
    FileTracker,
    /// `vrrp_track_process`.
    ProcessTracker,
    /// `bfd_instance`.
    BfdInstance,
    /// `vrrp_script`.
    Script,
    /// `vrrp_sync_group`.
    SyncGroup,
    /// `garp_group`.
    GarpGroup,
    /// `interfaces` of a `garp_group`.
    GarpInterfaces,
    /// `vrrp_instance`.
    Instance,
    /// `authentication`.
    Authentication,
    /// `auth_hmac`.
    Hmac,
    /// Options of `use_vmac`.
    Vmac,
    /// Options of `use_ipvlan`.
    Ipvlan,
    /// `unicast_peer`.
    UnicastPeers,
    /// `track_interface`.
    TrackInterfaces,
    /// `track_script`.
    TrackScripts,
    /// `track_file` of an instance or group.
    TrackFiles,
    /// `track_process`.
    TrackProcesses,
    /// `track_bfd`.
    TrackBfds,
    /// `virtual_ipaddress`.
    VirtualAddresses,
    /// `virtual_ipaddress_excluded`.
    ExcludedAddresses,
    /// `virtual_routes`.
    VirtualRoutes,
    /// `virtual_rules`.
    VirtualRules,
    /// Options of `nexthop` in a route.
    Nexthop,
    /// Options of `encap ip` in a route.
    EncapIp,
    /// Options of `encap ip6` in a route.
    EncapIp6,
    /// Options of `encap mpls` in a route.
    EncapMpls,
    /// Options of `encap ila` in a route.
    EncapIla,
    /// `virtual_server_group`.
    ServerGroup,
    /// `virtual_server`.
    VirtualServer,
    /// `real_server`.
    RealServer,
    /// `steadfast` of a virtual server.
    ServerSteadfast,
    /// `steadfast` of a real server.
    RealServerSteadfast,
    /// `steadfast` of `HTTP_GET`.
    HttpSteadfast,
    /// `steadfast` of `SSL_GET`.
    SslSteadfast,
    /// `GRPC_CHECK`.
    GrpcCheck,
    /// `HTTP_GET`.
    HttpGet,
    /// `SSL_GET`.
    SslGet,
    /// `url` of `HTTP_GET`.
    Url,
    /// `url` of `SSL_GET`.
    SslUrl,
    /// `TCP_CHECK`.
    TcpCheck,
    /// `SMTP_CHECK`.
    SmtpCheck,
    /// `host` of `SMTP_CHECK`.
    SmtpHost,
    /// `DNS_CHECK`.
    DnsCheck,
    /// `MISC_CHECK`.
    MiscCheck,
    /// `FILE_CHECK`.
    FileCheck,
    /// `BFD_CHECK`.
    BfdCheck,
    /// `PING_CHECK`.
    PingCheck,
    /// `UDP_CHECK`.
    UdpCheck,
    /// `SSL`.
    Ssl,
    /// `steadfast`: what keepalived does not know.
    Steadfast,
}

/// What the lines of a block are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Content {
    /// Each line begins with a keyword.
    Keywords,
    /// Each line is an entry; its first word is free.
    Lines,
    /// Each word is an entry.
    Words,
    /// No braces: the words after a keyword.
    Options,
}

impl Block {
    /// Every block.
    pub const ALL: &[Self] = &[
        Self::Root,
        Self::Preprocessor,
        Self::GlobalDefs,
        Self::NotificationEmail,
        Self::LinkbeatInterfaces,
        Self::InterfaceDelays,
        Self::TrackGroup,
        Self::Members,
        Self::StaticAddresses,
        Self::StaticRoutes,
        Self::StaticRules,
        Self::FileTracker,
        Self::ProcessTracker,
        Self::BfdInstance,
        Self::Script,
        Self::SyncGroup,
        Self::GarpGroup,
        Self::GarpInterfaces,
        Self::Instance,
        Self::Authentication,
        Self::Hmac,
        Self::Vmac,
        Self::Ipvlan,
        Self::UnicastPeers,
        Self::TrackInterfaces,
        Self::TrackScripts,
        Self::TrackFiles,
        Self::TrackProcesses,
        Self::TrackBfds,
        Self::VirtualAddresses,
        Self::ExcludedAddresses,
        Self::VirtualRoutes,
        Self::VirtualRules,
        Self::Nexthop,
        Self::EncapIp,
        Self::EncapIp6,
        Self::EncapMpls,
        Self::EncapIla,
        Self::ServerGroup,
        Self::VirtualServer,
        Self::RealServer,
        Self::ServerSteadfast,
        Self::RealServerSteadfast,
        Self::HttpSteadfast,
        Self::SslSteadfast,
        Self::GrpcCheck,
        Self::HttpGet,
        Self::SslGet,
        Self::Url,
        Self::SslUrl,
        Self::TcpCheck,
        Self::SmtpCheck,
        Self::SmtpHost,
        Self::DnsCheck,
        Self::MiscCheck,
        Self::FileCheck,
        Self::BfdCheck,
        Self::PingCheck,
        Self::UdpCheck,
        Self::Ssl,
        Self::Steadfast,
    ];

    /// The keyword that opens it, for messages.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Root => "top level",
            Self::Preprocessor => "preprocessor",
            Self::GlobalDefs => "global_defs",
            Self::NotificationEmail => "notification_email",
            Self::LinkbeatInterfaces => "linkbeat_interfaces",
            Self::InterfaceDelays => "interface_up_down_delays",
            Self::TrackGroup => "track_group",
            Self::Members => "group",
            Self::StaticAddresses => "static_ipaddress",
            Self::StaticRoutes => "static_routes",
            Self::StaticRules => "static_rules",
            Self::FileTracker | Self::TrackFiles => "track_file",
            Self::ProcessTracker => "vrrp_track_process",
            Self::BfdInstance => "bfd_instance",
            Self::Script => "vrrp_script",
            Self::SyncGroup => "vrrp_sync_group",
            Self::GarpGroup => "garp_group",
            Self::GarpInterfaces => "interfaces",
            Self::Instance => "vrrp_instance",
            Self::Authentication => "authentication",
            Self::Hmac => "auth_hmac",
            Self::Vmac => "use_vmac",
            Self::Ipvlan => "use_ipvlan",
            Self::UnicastPeers => "unicast_peer",
            Self::TrackInterfaces => "track_interface",
            Self::TrackScripts => "track_script",
            Self::TrackProcesses => "track_process",
            Self::TrackBfds => "track_bfd",
            Self::VirtualAddresses => "virtual_ipaddress",
            Self::ExcludedAddresses => "virtual_ipaddress_excluded",
            Self::VirtualRoutes => "virtual_routes",
            Self::VirtualRules => "virtual_rules",
            Self::Nexthop => "nexthop",
            Self::EncapIp => "encap ip",
            Self::EncapIp6 => "encap ip6",
            Self::EncapMpls => "encap mpls",
            Self::EncapIla => "encap ila",
            Self::ServerGroup => "virtual_server_group",
            Self::VirtualServer => "virtual_server",
            Self::RealServer => "real_server",
            Self::HttpGet => "HTTP_GET",
            Self::SslGet => "SSL_GET",
            Self::Url | Self::SslUrl => "url",
            Self::TcpCheck => "TCP_CHECK",
            Self::SmtpCheck => "SMTP_CHECK",
            Self::SmtpHost => "host",
            Self::DnsCheck => "DNS_CHECK",
            Self::MiscCheck => "MISC_CHECK",
            Self::FileCheck => "FILE_CHECK",
            Self::BfdCheck => "BFD_CHECK",
            Self::PingCheck => "PING_CHECK",
            Self::UdpCheck => "UDP_CHECK",
            Self::Ssl => "SSL",
            Self::GrpcCheck => "GRPC_CHECK",
            Self::Steadfast
            | Self::ServerSteadfast
            | Self::RealServerSteadfast
            | Self::HttpSteadfast
            | Self::SslSteadfast => "steadfast",
        }
    }

    /// What its lines are.
    #[must_use]
    pub const fn content(self) -> Content {
        match self {
            Self::NotificationEmail | Self::Members | Self::GarpInterfaces => Content::Words,
            Self::LinkbeatInterfaces
            | Self::InterfaceDelays
            | Self::StaticAddresses
            | Self::StaticRoutes
            | Self::StaticRules
            | Self::UnicastPeers
            | Self::TrackInterfaces
            | Self::TrackScripts
            | Self::TrackFiles
            | Self::TrackProcesses
            | Self::TrackBfds
            | Self::VirtualAddresses
            | Self::ExcludedAddresses
            | Self::VirtualRoutes
            | Self::VirtualRules
            | Self::ServerGroup => Content::Lines,
            Self::Vmac
            | Self::Ipvlan
            | Self::Nexthop
            | Self::EncapIp
            | Self::EncapIp6
            | Self::EncapMpls
            | Self::EncapIla => Content::Options,
            Self::Root
            | Self::Preprocessor
            | Self::GlobalDefs
            | Self::TrackGroup
            | Self::FileTracker
            | Self::ProcessTracker
            | Self::BfdInstance
            | Self::Script
            | Self::SyncGroup
            | Self::GarpGroup
            | Self::Instance
            | Self::Authentication
            | Self::Hmac
            | Self::VirtualServer
            | Self::RealServer
            | Self::ServerSteadfast
            | Self::RealServerSteadfast
            | Self::HttpSteadfast
            | Self::SslSteadfast
            | Self::GrpcCheck
            | Self::HttpGet
            | Self::SslGet
            | Self::Url
            | Self::SslUrl
            | Self::TcpCheck
            | Self::SmtpCheck
            | Self::SmtpHost
            | Self::DnsCheck
            | Self::MiscCheck
            | Self::FileCheck
            | Self::BfdCheck
            | Self::PingCheck
            | Self::UdpCheck
            | Self::Ssl
            | Self::Steadfast => Content::Keywords,
        }
    }

    /// Its entries.
    pub fn keywords(self) -> impl Iterator<Item = &'static Keyword> {
        self.tables().iter().copied().flatten()
    }

    const fn tables(self) -> &'static [&'static [Keyword]] {
        match self {
            Self::Root => &[root::ROOT],
            Self::Preprocessor => &[preprocessor::PREPROCESSOR],
            Self::GlobalDefs => &[global::GLOBAL_DEFS, global::PROCESSES],
            Self::NotificationEmail => &[global::NOTIFICATION_EMAIL],
            Self::LinkbeatInterfaces => &[root::LINKBEAT_INTERFACES],
            Self::InterfaceDelays => &[root::INTERFACE_DELAYS],
            Self::TrackGroup => &[tracker::TRACK_GROUP],
            Self::Members => &[sync_group::MEMBERS],
            Self::StaticAddresses => &[address::COMMON, address::STATIC],
            Self::StaticRoutes => &[route::COMMON, route::STATIC],
            Self::StaticRules => &[rule::COMMON, rule::STATIC],
            Self::FileTracker => &[tracker::FILE],
            Self::ProcessTracker => &[tracker::PROCESS],
            Self::BfdInstance => &[bfd::BFD_INSTANCE],
            Self::Script => &[script::SCRIPT_BLOCK],
            Self::SyncGroup => &[sync_group::SYNC_GROUP],
            Self::GarpGroup => &[root::GARP_GROUP],
            Self::GarpInterfaces => &[root::GARP_INTERFACES],
            Self::Instance => &[instance::INSTANCE],
            Self::Authentication => &[authentication::AUTHENTICATION],
            Self::Hmac => &[authentication::HMAC],
            Self::Vmac => &[instance::VMAC],
            Self::Ipvlan => &[instance::IPVLAN],
            Self::UnicastPeers => &[instance::UNICAST_PEERS],
            Self::TrackInterfaces => &[tracker::INTERFACES],
            Self::TrackScripts => &[tracker::SCRIPTS],
            Self::TrackFiles => &[tracker::FILES],
            Self::TrackProcesses => &[tracker::PROCESSES],
            Self::TrackBfds => &[tracker::BFDS],
            Self::VirtualAddresses | Self::ExcludedAddresses => &[address::COMMON, address::VIRTUAL],
            Self::VirtualRoutes => &[route::COMMON],
            Self::VirtualRules => &[rule::COMMON],
            Self::Nexthop => &[route::NEXTHOP],
            Self::EncapIp => &[route::ENCAP_IP],
            Self::EncapIp6 => &[route::ENCAP_IP6],
            Self::EncapMpls => &[route::ENCAP_MPLS],
            Self::EncapIla => &[route::ENCAP_ILA],
            Self::ServerGroup => &[virtual_server::SERVER_GROUP],
            Self::VirtualServer => &[virtual_server::VIRTUAL_SERVER],
            Self::RealServer => &[real_server::REAL_SERVER],
            Self::ServerSteadfast => &[real_server::STEADFAST],
            Self::RealServerSteadfast => &[real_server::STEADFAST, real_server::REAL_SERVER_STEADFAST],
            Self::HttpSteadfast => &[checker::HTTP_STEADFAST],
            Self::SslSteadfast => &[checker::HTTP_STEADFAST, checker::TLS],
            Self::GrpcCheck => {
                &[checker::CONNECTION, checker::PACE, checker::RETRY, checker::GRPC, checker::TLS]
            }
            Self::HttpGet => {
                &[checker::CONNECTION, checker::PACE, checker::RETRY, checker::HTTP, checker::HTTP_GET]
            }
            Self::SslGet => {
                &[checker::CONNECTION, checker::PACE, checker::RETRY, checker::HTTP, checker::SSL_GET]
            }
            Self::Url => &[checker::URL],
            Self::SslUrl => &[checker::URL, checker::SSL_URL],
            Self::TcpCheck => &[checker::CONNECTION, checker::PACE, checker::RETRY],
            Self::SmtpCheck => &[checker::CONNECTION, checker::PACE, checker::RETRY, checker::SMTP],
            Self::SmtpHost => &[checker::CONNECTION, checker::PACE, checker::RETRY],
            Self::DnsCheck => &[checker::CONNECTION, checker::PACE, checker::RETRY, checker::DNS],
            Self::MiscCheck => &[checker::PACE, checker::RETRY, checker::MISC],
            Self::FileCheck => &[checker::FILE],
            Self::BfdCheck => &[checker::BFD],
            Self::PingCheck => &[checker::CONNECTION, checker::PACE, checker::RETRY],
            Self::UdpCheck => &[checker::CONNECTION, checker::PACE, checker::RETRY, checker::UDP],
            Self::Ssl => &[virtual_server::SSL],
            Self::Steadfast => &[root::STEADFAST],
        }
    }
}
