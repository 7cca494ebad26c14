//! How a real server is checked.

use std::net::IpAddr;
use std::num::NonZeroU16;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{GrpcCheck, HttpCheck};
use crate::IfName;
use crate::vrrp::Command;

/// One judge of a real server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Checker {
    /// Asks again and again.
    Probe(Probe),
    /// Listens to a session (`BFD_CHECK`).
    Bfd(Box<BfdCheck>),
    /// Looks at a file (`FILE_CHECK`).
    File(Box<FileCheck>),
}

/// A check that is made again and again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Probe {
    /// What is asked.
    pub check: Check,
    /// Between two checks (`delay_loop`).
    pub interval: Duration,
    /// At most so long until the first check (`warmup`).
    pub warmup: Duration,
    /// How many more attempts after a failure (`retry`).
    pub retry: u32,
    /// Between these (`delay_before_retry`).
    pub delay_before_retry: Duration,
    /// The server counts as down until the check passes (`alpha`).
    pub alpha: bool,
    /// Each failure is logged and not only the last (`log_all_failures`).
    pub log_all_failures: bool,
}

/// What is asked.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Check {
    /// `TCP_CHECK`: a connection can be opened.
    Tcp(Connection),
    /// `HTTP_GET` and `SSL_GET`: pages are as expected.
    Http(Box<HttpCheck>),
    /// `SMTP_CHECK`: a mail server greets.
    Smtp(Box<SmtpCheck>),
    /// `DNS_CHECK`: a query is answered.
    Dns(Box<DnsCheck>),
    /// `PING_CHECK`: an echo comes back.
    Ping(Connection),
    /// `UDP_CHECK`: a datagram is not refused, or is answered.
    Udp(Box<UdpCheck>),
    /// `GRPC_CHECK`: a server says that it serves.
    Grpc(Box<GrpcCheck>),
    /// `MISC_CHECK`: a program succeeds.
    Misc(Box<MiscCheck>),
}

/// How a checker reaches its server.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Connection {
    /// Whom it asks (`connect_ip`).
    pub address: IpAddr,
    /// Where (`connect_port`); `None` if neither checker nor server name a port.
    pub port: Option<NonZeroU16>,
    /// How long it waits for an answer (`connect_timeout`).
    pub timeout: Duration,
    /// The mark of its packets (`fwmark`), 0 for none.
    pub mark: u32,
    /// Where it asks from; the kernel's choice if `None`.
    pub local: Option<Box<LocalEnd>>,
}

/// Where a checker asks from. At least one is there.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct LocalEnd {
    /// `bindto`.
    pub address: Option<IpAddr>,
    /// `bind_port`.
    pub port: Option<NonZeroU16>,
    /// `bind_if`.
    pub interface: Option<IfName>,
}

/// `SMTP_CHECK`, or one of its `host` blocks.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct SmtpCheck {
    /// How it reaches the server.
    pub connection: Connection,
    /// How it introduces itself (`helo_name`).
    pub helo: Box<str>,
}

/// `DNS_CHECK`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct DnsCheck {
    /// How it reaches the server.
    pub connection: Connection,
    /// The type asked for (`type`).
    pub kind: DnsType,
    /// The name asked for (`name`), `.` for the root.
    pub name: Box<str>,
}

/// A type of DNS records (`type`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum DnsType {
    /// An IPv4 address.
    A,
    /// A name server.
    Ns,
    /// An alias.
    Cname,
    /// The start of a zone.
    Soa,
    /// A mail exchange.
    Mx,
    /// Text.
    Txt,
    /// An IPv6 address.
    Aaaa,
    /// A signature.
    Rrsig,
    /// A zone's key.
    Dnskey,
}

impl DnsType {
    /// The number in a query (RFC 1035 §3.2.2, RFC 3596, RFC 4034).
    #[must_use]
    pub const fn number(self) -> u16 {
        match self {
            Self::A => 1,
            Self::Ns => 2,
            Self::Cname => 5,
            Self::Soa => 6,
            Self::Mx => 15,
            Self::Txt => 16,
            Self::Aaaa => 28,
            Self::Rrsig => 46,
            Self::Dnskey => 48,
        }
    }
}

/// `UDP_CHECK`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct UdpCheck {
    /// How it reaches the server.
    pub connection: Connection,
    /// What it sends.
    pub payload: Payload,
    /// What must come back (`require_reply`): an empty pattern fits everything. Nothing need come if `None`.
    pub reply: Option<Box<[Nibbles]>>,
    /// The shortest reply that is accepted (`min_reply_length`).
    pub min_reply: u16,
    /// The longest reply that is accepted (`max_reply_length`).
    pub max_reply: u16,
}

/// The content of a datagram (`payload`).
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Payload {
    /// What keepalived sends if the configuration says nothing.
    Usual,
    /// These bytes.
    Bytes(Box<[u8]>),
}

/// A byte of which some bits must be so: `received & mask == value`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Nibbles {
    /// The bits, zero where any will do.
    pub value: u8,
    /// Which bits matter: `0x00`, `0x0f`, `0xf0` or `0xff`.
    pub mask: u8,
}

/// `MISC_CHECK`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct MiscCheck {
    /// What to run (`misc_path`, `user`).
    pub command: Command,
    /// After so long it has failed (`misc_timeout`).
    pub timeout: Duration,
    /// Its exit status sets the weight (`misc_dynamic`).
    pub dynamic: bool,
}

/// `BFD_CHECK`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BfdCheck {
    /// The session (`name`), one of the configuration's.
    pub session: Box<str>,
    /// The server counts as down until the session is up (`alpha`).
    pub alpha: bool,
}

/// `FILE_CHECK`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileCheck {
    /// The file (`track_file`), one of the configuration's.
    pub file: Box<str>,
    /// What the file's number is multiplied with before it is added to the weight of the server (`weight`); with 0 a
    /// number other than 0 is a failure.
    pub weight: i32,
    /// The sign of the number is turned around (`reverse`).
    pub reverse: bool,
}
