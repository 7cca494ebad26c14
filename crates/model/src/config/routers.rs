//! What all virtual routers share, beyond the defaults of their own settings.

use std::num::NonZeroU32;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// What all virtual routers share. Defaults of an instance's own settings are applied to the instances.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RouterGlobals {
    /// Which interfaces need not exist (`dynamic_interfaces`).
    pub dynamic_interfaces: DynamicInterfaces,
    /// How long the start of all instances waits.
    pub start_delay: StartDelay,
    /// Advertisements of unknown virtual routers are logged (`log_unknown_vrids`).
    pub log_unknown_vrids: bool,
    /// The kernel sends no IGMP reports for groups of the link (`disable_local_igmp`).
    pub no_local_igmp: bool,
    /// What the names of VMAC interfaces begin with (`vmac_prefix`).
    pub vmac_prefix: String,
    /// What the names of VMAC interfaces of single addresses begin with (`vmac_addr_prefix`).
    pub vmac_address_prefix: String,
    /// The receive buffers of the sockets that advertisements arrive on.
    pub receive: ReceiveBuffers,
    /// The receive buffers of the netlink sockets.
    pub netlink: NetlinkBuffers,
    /// The receive buffer of the socket that hears of processes (`process_monitor_rcv_bufs`).
    pub process_events: Buffer,
}

impl RouterGlobals {
    /// What the names of VMAC interfaces begin with unless configured.
    pub const VMAC_PREFIX: &str = "vrrp";
}

impl Default for RouterGlobals {
    fn default() -> Self {
        Self {
            dynamic_interfaces: DynamicInterfaces::No,
            start_delay: StartDelay::default(),
            log_unknown_vrids: false,
            no_local_igmp: false,
            vmac_prefix: Self::VMAC_PREFIX.to_owned(),
            vmac_address_prefix: Self::VMAC_PREFIX.to_owned(),
            receive: ReceiveBuffers::System,
            netlink: NetlinkBuffers::default(),
            process_events: Buffer::default(),
        }
    }
}

/// Which interfaces need not exist (`dynamic_interfaces`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum DynamicInterfaces {
    /// All must be there when a configuration is tested.
    No,
    /// They may come and go.
    Yes,
    /// They may come back as another kind of interface (`allow_if_changes`).
    ChangesAllowed,
}

/// How long the start of all instances waits. The longer of the two counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StartDelay {
    /// After the start of the daemon (`vrrp_startup_delay`).
    pub after_start: Option<Duration>,
    /// After the boot of the host (`vrrp_delay_after_boot`).
    pub after_boot: Option<Duration>,
}

/// How the receive buffers of VRRP sockets are sized (`vrrp_rx_bufs_policy`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ReceiveBuffers {
    /// As the system does.
    System,
    /// This many bytes.
    Bytes(u32),
    /// This many times the MTU of the interface (`vrrp_rx_bufs_multiplier`).
    Mtu(NonZeroU32),
    /// This many times the size of an advertisement (`vrrp_rx_bufs_multiplier`).
    Advert(NonZeroU32),
}

impl ReceiveBuffers {
    /// The multiplier unless configured.
    pub const MULTIPLIER: NonZeroU32 = NonZeroU32::MIN.saturating_add(2);
}

/// The receive buffers of the netlink sockets of a process.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct NetlinkBuffers {
    /// Of the socket that commands go through (`vrrp_netlink_cmd_rcv_bufs`).
    pub commands: Buffer,
    /// Of the socket that hears of changes (`vrrp_netlink_monitor_rcv_bufs`).
    pub monitor: Buffer,
}

/// The receive buffer of a socket.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Buffer {
    /// Its size in bytes; the system's if `None`.
    pub bytes: Option<NonZeroU32>,
    /// It may exceed the system's maximum.
    pub force: bool,
}
