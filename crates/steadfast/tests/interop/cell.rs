//! The ways in which two hosts can speak VRRP with each other, each a virtual router of its own.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Duration;

use lab::{Advert, Heard};
use model::Priority;
use model::vrrp::Transport;

/// One virtual router, and how its hosts speak.
#[derive(Clone, Copy)]
pub(crate) struct Cell {
    pub(crate) vrid: u8,
    pub(crate) version: u8,
    /// As the file has it, in seconds.
    pub(crate) advert_int: &'static str,
    pub(crate) password: bool,
    /// Inside IP authentication headers.
    pub(crate) protected: bool,
    pub(crate) unicast: bool,
    /// Over IPv6.
    pub(crate) ipv6: bool,
    /// What the files say of it beside.
    pub(crate) more: &'static str,
    /// Peers put the checksum of keepalived before 1.3.7 into their advertisements.
    pub(crate) old_checksum: bool,
}

/// What a host's file says beside the cells.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Settings {
    pub(crate) own: Ipv4Addr,
    pub(crate) peer: Ipv4Addr,
    pub(crate) priority: u8,
    pub(crate) nopreempt: bool,
    pub(crate) auth_pass: &'static str,
}

const V2: Cell = Cell {
    vrid: 21,
    version: 2,
    advert_int: "1",
    password: false,
    protected: false,
    unicast: false,
    ipv6: false,
    more: "",
    old_checksum: false,
};
const V3: Cell = Cell { vrid: 31, version: 3, ..V2 };
pub(crate) const V3_FAST: Cell = Cell { vrid: 33, version: 3, advert_int: "0.1", ..V2 };
pub(crate) const V2_PASSWORD: Cell = Cell { vrid: 23, password: true, ..V2 };

/// Versions 2 and 3, PASS and none, multicast and unicast, a second and a tenth of it.
pub(crate) const ALL: [Cell; 8] = [
    V2,
    Cell { vrid: 22, unicast: true, ..V2 },
    V2_PASSWORD,
    Cell { vrid: 24, unicast: true, ..V2_PASSWORD },
    V3,
    Cell { vrid: 32, unicast: true, ..V3 },
    V3_FAST,
    Cell { vrid: 34, unicast: true, ..V3_FAST },
];

/// What keepalived calls AH, multicast and unicast.
pub(crate) const PROTECTED: [Cell; 2] =
    [Cell { vrid: 25, protected: true, ..V2 }, Cell { vrid: 26, protected: true, unicast: true, ..V2 }];

/// Over IPv6, multicast and unicast.
pub(crate) const IPV6: [Cell; 4] = [
    Cell { vrid: 61, ipv6: true, ..V3 },
    Cell { vrid: 62, ipv6: true, unicast: true, more: "unicast_ttl 255", ..V3 },
    Cell { vrid: 63, ipv6: true, ..V3_FAST },
    Cell { vrid: 64, ipv6: true, unicast: true, more: "unicast_ttl 255", ..V3_FAST },
];

const V3_UNICAST: Cell = Cell { vrid: 71, unicast: true, ..V3 };
/// Version 3 to peers, with each kind of checksum that both programs know.
pub(crate) const CHECKSUMS: [Cell; 3] = [
    V3_UNICAST,
    Cell { vrid: 72, more: "old_unicast_checksum never", ..V3_UNICAST },
    Cell { vrid: 73, more: "old_unicast_checksum", old_checksum: true, ..V3_UNICAST },
];

/// What FRR's vrrpd speaks over IPv4: multicast without a password. On the last one both hosts use one MAC.
pub(crate) const FRR: [Cell; 4] = [V2, V3, V3_FAST, Cell { vrid: 35, more: "use_vmac", ..V3 }];

/// What FRR's vrrpd speaks over IPv6.
pub(crate) const FRR_IPV6: [Cell; 2] = [IPV6[0], IPV6[2]];

/// One of each version and each way.
pub(crate) const FEW: [Cell; 3] = [ALL[2], ALL[1], ALL[7]];

impl Cell {
    /// Its virtual addresses, in the file's order.
    pub(crate) fn vips(&self) -> [IpAddr; 3] {
        let vrid = self.vrid;
        if self.ipv6 {
            let first = Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, vrid.into(), 1);
            let others = [3, 2].map(|last| Ipv6Addr::new(0x2001, 0xdb8, 0, vrid.into(), 0, 0, 0, last));
            [first, others[0], others[1]].map(IpAddr::from)
        } else {
            [1, 3, 2].map(|last| Ipv4Addr::new(192, 168, vrid, last).into())
        }
    }

    /// Where the host with this IPv4 address speaks from.
    pub(crate) fn source(&self, host: Ipv4Addr) -> IpAddr {
        match (self.ipv6, self.unicast) {
            (false, _) => host.into(),
            (true, false) => link_local(host).into(),
            (true, true) => global(host).into(),
        }
    }

    pub(crate) fn interval(&self) -> Duration {
        Duration::from_secs_f64(self.advert_int.parse().expect("seconds"))
    }

    /// RFC 3768 §6.1, RFC 5798 §6.1: (256 - priority) / 256 of a second, of the interval in version 3.
    pub(crate) fn skew_time(&self, priority: u8) -> Duration {
        let unit = if self.version == 2 { Duration::from_secs(1) } else { self.interval() };
        unit * (256 - u32::from(priority)) / 256
    }

    pub(crate) fn master_down_interval(&self, priority: u8) -> Duration {
        3 * self.interval() + self.skew_time(priority)
    }

    /// What an advertisement of this virtual router says when `source` sends it to `peer`.
    pub(crate) fn is_said_by(&self, heard: &Heard, source: Ipv4Addr) -> bool {
        heard.is_advert_of(self.source(source))
            && heard.advert().is_some_and(|advert| advert.vrid.get() == self.vrid)
    }

    /// Every field of an advertisement is as the file asks.
    #[track_caller]
    pub(crate) fn assert_content(&self, advert: &Advert, settings: &Settings, priority: u8) {
        let destination = match (self.unicast, self.ipv6) {
            (true, _) => self.source(settings.peer),
            (false, false) => Ipv4Addr::new(224, 0, 0, 18).into(),
            (false, true) => Transport::GROUP_V6.into(),
        };
        assert_eq!(advert.destination, destination, "{self}");
        assert_eq!(advert.old_checksum, self.old_checksum, "{self}");
        assert_eq!((advert.ttl, advert.priority), (255, Priority(priority)), "{self}");
        assert_eq!(advert.version, self.wire_version(), "{self}");
        assert_eq!(advert.interval.duration(), self.interval(), "{self}");
        assert_eq!(advert.addresses, self.vips(), "{self}");
    }

    fn wire_version(&self) -> model::vrrp::Version {
        if self.version == 2 { model::vrrp::Version::V2 } else { model::vrrp::Version::V3 }
    }

    /// One announcement of each address instead of five: keepalived with `-D` does nothing else for 1.5 ms for each, and
    /// with those of all cells its advertisements would be late for a tenth of a second's interval.
    fn block(&self, settings: &Settings) -> String {
        let Settings { priority, nopreempt, auth_pass, .. } = settings;
        let Self { vrid, version, advert_int, more, .. } = self;
        let (own, peer) = (self.source(settings.own), self.source(settings.peer));
        let [first, second, third] = self.vips();
        let nopreempt = if *nopreempt { "nopreempt" } else { "" };
        let auth_type = if self.protected { "AH" } else { "PASS" };
        let password = format!("authentication {{\n auth_type {auth_type}\n auth_pass {auth_pass}\n }}");
        let password = if self.password || self.protected { &password } else { "" };
        let unicast = format!("unicast_src_ip {own}\n unicast_peer {{\n {peer}\n }}");
        let unicast = if self.unicast { &unicast } else { "" };
        format!(
            "vrrp_instance {self} {{
                state BACKUP
                interface eth1
                virtual_router_id {vrid}
                version {version}
                priority {priority}
                advert_int {advert_int}
                garp_master_repeat 1
                garp_lower_prio_repeat 1
                {nopreempt}
                {password}
                {unicast}
                {more}
                virtual_ipaddress {{
                    {first}
                    {second}
                    {third}
                }}
            }}\n"
        )
    }
}

/// The link-local address of the host with this IPv4 address.
pub(crate) fn link_local(host: Ipv4Addr) -> Ipv6Addr {
    Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, host.octets()[3].into())
}

/// The global address of the host with this IPv4 address.
pub(crate) fn global(host: Ipv4Addr) -> Ipv6Addr {
    Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, host.octets()[3].into())
}

/// The file of a host, for keepalived and Steadfast alike.
pub(crate) fn file(cells: &[Cell], settings: &Settings) -> String {
    cells.iter().map(|cell| cell.block(settings)).collect()
}

/// Also the instance's name.
impl fmt::Display for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let password = match (self.password, self.protected) {
            (true, _) => "_pass",
            (false, true) => "_ah",
            (false, false) => "",
        };
        let way = if self.unicast { "unicast" } else { "multicast" };
        let family = if self.ipv6 { "_ipv6" } else { "" };
        write!(f, "v{}{family}{password}_{way}_{}_{}", self.version, self.advert_int, self.vrid)
    }
}
