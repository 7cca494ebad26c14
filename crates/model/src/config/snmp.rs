//! How other programs ask the daemon.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// The SNMP agent. It runs if it has something to serve or to send.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Snmp {
    /// The socket of the master agent, as net-snmp writes it (`snmp_socket`).
    pub socket: String,
    /// State changes send traps (`enable_traps`).
    pub traps: bool,
    /// The VRRP part of keepalived's own MIB (`enable_snmp_vrrp`).
    pub vrrp: bool,
    /// The checker part of it (`enable_snmp_checker`).
    pub checker: bool,
    /// The VRRPv2 MIB of RFC 2787 (`enable_snmp_rfcv2`, `enable_snmp_rfc`).
    pub rfc_v2: bool,
    /// The VRRPv3 MIB of RFC 6527 (`enable_snmp_rfcv3`, `enable_snmp_rfc`).
    pub rfc_v3: bool,
    /// How old counters of IPVS may be.
    pub statistics: SnmpStatistics,
}

impl Snmp {
    /// The socket of the master agent unless configured.
    pub const SOCKET: &str = "unix:/var/agentx/master";
}

impl Default for Snmp {
    fn default() -> Self {
        Self {
            socket: Self::SOCKET.to_owned(),
            traps: false,
            vrrp: false,
            checker: false,
            rfc_v2: false,
            rfc_v3: false,
            statistics: SnmpStatistics::default(),
        }
    }
}

/// How old counters of IPVS may be before they are read again for an SNMP request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SnmpStatistics {
    /// Those of virtual servers (`snmp_vs_stats_update_interval`).
    pub virtual_servers: Duration,
    /// Those of real servers, by default as those of virtual servers (`snmp_rs_stats_update_interval`).
    pub real_servers: Duration,
}

impl Default for SnmpStatistics {
    fn default() -> Self {
        let interval = Duration::from_secs(5);
        Self { virtual_servers: interval, real_servers: interval }
    }
}

/// The D-Bus service (`enable_dbus`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dbus {
    /// Its name on the bus (`dbus_service_name`).
    pub service: String,
    /// The path element of instances without interface (`dbus_no_interface_name`).
    pub no_interface: String,
}

impl Dbus {
    /// The name on the bus unless configured.
    pub const SERVICE: &str = "org.keepalived.Vrrp1";
    /// The path element of instances without interface unless configured.
    pub const NO_INTERFACE: &str = "none";
}
