//! What all virtual servers share.

use std::net::IpAddr;
use std::num::{NonZeroU8, NonZeroU16};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::routers::NetlinkBuffers;
use crate::IfName;

/// What all virtual servers share. Defaults of a virtual server's own settings are applied to the servers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checkers {
    /// Real servers that come up at the start are told like later ones (`rs_init_notifies`).
    pub notify_at_start: bool,
    /// Mails go out when a real server is added or removed, not for each of its checkers (`no_checker_emails`).
    pub mail_servers_only: bool,
    /// The receive buffers of the netlink sockets (`lvs_netlink_cmd_rcv_bufs`, `lvs_netlink_monitor_rcv_bufs`).
    pub netlink: NetlinkBuffers,
}

/// The kernel's IPVS as a whole.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct IpvsGlobals {
    /// The whole table is cleared at the start (`lvs_flush`).
    pub flush_at_start: bool,
    /// What is cleared in one go at the end (`lvs_flush_on_stop`).
    pub flush_at_stop: Option<Flush>,
    /// Timeouts of connections (`lvs_timeouts`).
    pub timeouts: IpvsTimeouts,
    /// Synchronisation of connections between directors (`lvs_sync_daemon`).
    pub sync: Option<SyncDaemon>,
}

/// What is cleared at the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Flush {
    /// The whole table.
    All,
    /// Each service of ours (`VS`).
    OwnServices,
}

/// Timeouts of connections; the kernel's own if `None`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct IpvsTimeouts {
    /// Of TCP connections (`tcp`).
    pub tcp: Option<Duration>,
    /// Of TCP connections that are being closed (`tcpfin`).
    pub tcp_fin: Option<Duration>,
    /// Of UDP (`udp`).
    pub udp: Option<Duration>,
}

/// The kernel's connection synchronisation (`lvs_sync_daemon`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SyncDaemon {
    /// Where it speaks and listens.
    pub interface: IfName,
    /// The VRRP instance whose master sends; none sends and receives.
    pub instance: Option<String>,
    /// Its number, which both sides share (`id`): by default the VRID of the instance, or 0.
    pub id: u8,
    /// The longest message in bytes, 1..=65507; the kernel's choice if `None` (`maxlen`).
    pub longest: Option<NonZeroU16>,
    /// Group, port and TTL of its messages.
    pub transport: SyncTransport,
}

/// Where the messages of connection synchronisation go; the kernel's choice if `None`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SyncTransport {
    /// The multicast group (`group`).
    pub address: Option<IpAddr>,
    /// The UDP port (`port`).
    pub port: Option<NonZeroU16>,
    /// How far they go (`ttl`).
    pub ttl: Option<NonZeroU8>,
}
