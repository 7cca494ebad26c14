//! Virtual routers.

use std::net::IpAddr;
use std::num::NonZeroU32;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::route::Route;
use crate::rule::Rule;
use crate::vrrp::{
    AddressVmac, Auth, ExtraGarp, Garp, Hmac, Notify, OwnDevice, TrackedInterface, TrackedScript, Tracking,
    Transport, Version, VirtualAddress,
};
use crate::{Centis, Family, IfName, Priority, Vrid};

/// One virtual router as this host takes part in it (`vrrp_instance`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Instance {
    /// The operator's name for it.
    pub name: String,
    /// Where advertisements are sent and heard, and where addresses without `dev` go.
    ///
    /// `None` with unicast peers only: their adverts go where the kernel routes them.
    pub interface: Option<IfName>,
    /// The VRF in which they are routed if there is no interface (`vrf`).
    pub vrf: Option<IfName>,
    /// The interface that it makes for itself on top of `interface` (`use_vmac`, `use_ipvlan`).
    pub own_device: Option<OwnDevice>,
    /// VMACs that it makes for addresses alone, each once (`use_vmac` of an address, `use_vmac_addr`).
    pub address_vmacs: Vec<AddressVmac>,
    /// Which virtual router it is.
    pub vrid: Vrid,
    /// The version it speaks; the other one is refused.
    pub version: Version,
    /// The configured priority, 1..=255.
    pub priority: Priority,
    /// What the operator expects this host to be at start (`state`). Only the election decides.
    pub initial: Initial,
    /// `advert_int`.
    pub advert_interval: Centis,
    /// How many missed intervals make a master dead (`down_timer_adverts`, 3 in the RFCs).
    pub down_timer_adverts: u8,
    /// The family that it speaks, of which all advertised addresses are (that of the first one; `native_ipv6`).
    pub family: Family,
    /// VRRPv2 authentication.
    pub auth: Auth,
    /// Signatures in advertisements (`auth_hmac`).
    pub hmac: Option<Hmac>,
    /// Multicast or unicast.
    pub transport: Transport,
    /// The source of advertisements (`mcast_src_ip`, `unicast_src_ip`); the interface's first address if `None`.
    pub source: Option<IpAddr>,
    /// The loss of that address is a fault (`track_src_ip`).
    pub track_source: bool,
    /// The version 3 IPv4 checksum leaves out the pseudo header (`v3_checksum_as_v2`).
    pub v3_checksum_as_v2: bool,
    /// The addresses that a master holds, in file order, advertised ones first.
    pub addresses: Vec<VirtualAddress>,
    /// The routes that a master adds (`virtual_routes`).
    pub routes: Vec<Route>,
    /// The policy rules that a master adds (`virtual_rules`).
    pub rules: Vec<Rule>,
    /// An address may outlive the one whose secondary it is (`promote_secondaries`).
    pub promote_secondaries: bool,
    /// When to take over from a master of lower priority.
    pub preempt: Preempt,
    /// Packets to the virtual addresses are accepted by a master that does not own them.
    pub accept: bool,
    /// The RFC to the letter, where the daemon is otherwise more helpful (`vrrp_strict`, `strict_mode`).
    pub strict: bool,
    /// A fault of `interface` is a fault of the instance (off: `dont_track_primary`).
    pub track_primary: bool,
    /// Other interfaces that matter.
    pub track_interfaces: Vec<TrackedInterface>,
    /// Scripts that matter.
    pub track_scripts: Vec<TrackedScript>,
    /// Files that matter (`track_file`).
    pub track_files: Vec<Tracking>,
    /// Processes that matter (`track_process`).
    pub track_processes: Vec<Tracking>,
    /// BFD sessions that matter (`track_bfd`).
    pub track_bfds: Vec<Tracking>,
    /// Gratuitous ARP.
    pub garp: Garp,
    /// Gratuitous ARP on other interfaces that hold addresses (`garp_extra_if`).
    pub extra_garp: Option<ExtraGarp>,
    /// A master does not answer an advertisement of lower priority (`lower_prio_no_advert`).
    pub lower_prio_no_advert: bool,
    /// A master speaks once more before it yields (`higher_prio_send_advert`).
    pub higher_prio_send_advert: bool,
    /// Unicast advertisements of hosts that are no peer are refused (`check_unicast_src`).
    pub check_unicast_src: bool,
    /// The address list is compared only when the master changes (`skip_check_adv_addr`).
    pub skip_check_adv_addr: bool,
    /// The owner of the addresses does not listen to others (`owner_ignore_adverts`).
    pub owner_ignore_adverts: bool,
    /// A master that wakes so late that another router may have taken over is a backup first, where the others'
    /// priority is at most this (`timer_expired_backup`).
    pub timer_expired_backup: Option<Priority>,
    /// The link state of `interface` is polled (`linkbeat_use_polling`).
    pub poll_link: bool,
    /// Bytes of receive buffer to ask the kernel for (`kernel_rx_buf_size`); by the common policy if `None`.
    pub receive_buffer: Option<NonZeroU32>,
    /// The interface of the IPVS sync daemon that runs as this instance does (`lvs_sync_daemon_interface`).
    pub lvs_sync_interface: Option<IfName>,
    /// What to run at transitions.
    pub notify: Notify,
    /// Notify FIFOs hear of changes of priority too (`notify_priority_changes`).
    pub notify_priority_changes: bool,
    /// Changes of state are mailed (`smtp_alert`).
    pub smtp_alert: bool,
}

/// The state that the operator wrote into the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Initial {
    /// `state MASTER`.
    Master,
    /// `state BACKUP`, and the default.
    Backup,
}

/// When a backup takes over from a living master of lower priority.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Preempt {
    /// As soon as its master down timer allows.
    Always,
    /// After it has heard such a master for this long (`preempt_delay`).
    After(Duration),
    /// Never (`nopreempt`).
    Never,
}

impl Instance {
    /// The interface that advertisements go out and come in on: its own one, or the one below if it has none or
    /// `vmac_xmit_base` says so.
    #[must_use]
    pub const fn home(&self) -> Option<&IfName> {
        match &self.own_device {
            Some(OwnDevice::Vmac(vmac)) if vmac.transmit_on_base => self.base(),
            Some(own) => Some(own.name()),
            None => self.base(),
        }
    }

    /// The interface that it is configured for, or else the VRF. Without both, the kernel finds the way to the peers.
    #[must_use]
    pub const fn base(&self) -> Option<&IfName> {
        match &self.interface {
            Some(interface) => Some(interface),
            None => self.vrf.as_ref(),
        }
    }

    /// The interface below this device if the instance makes it for itself, or else the device.
    #[must_use]
    pub fn below<'a>(&'a self, device: &'a IfName) -> &'a IfName {
        if let Some(vmac) = self.address_vmacs.iter().find(|vmac| vmac.name == *device) {
            return &vmac.base;
        }
        let is_own = self.own_device.as_ref().is_some_and(|own| own.name() == device);
        self.interface.as_ref().filter(|_| is_own).unwrap_or(device)
    }

    /// An instance with keepalived's defaults: VRRPv2, priority 100, one advertisement a second, no addresses.
    #[must_use]
    pub fn new(name: &str, interface: IfName, vrid: Vrid) -> Self {
        Self {
            name: name.to_owned(),
            interface: Some(interface),
            vrf: None,
            own_device: None,
            address_vmacs: Vec::new(),
            vrid,
            version: Version::V2,
            priority: Priority::DEFAULT,
            initial: Initial::Backup,
            advert_interval: Centis::SECOND,
            down_timer_adverts: 3,
            family: Family::V4,
            auth: Auth::None,
            hmac: None,
            transport: Transport::Multicast { group: IpAddr::V4(Transport::GROUP_V4) },
            source: None,
            track_source: false,
            v3_checksum_as_v2: false,
            addresses: Vec::new(),
            routes: Vec::new(),
            rules: Vec::new(),
            promote_secondaries: false,
            preempt: Preempt::Always,
            accept: true,
            strict: false,
            track_primary: true,
            track_interfaces: Vec::new(),
            track_scripts: Vec::new(),
            track_files: Vec::new(),
            track_processes: Vec::new(),
            track_bfds: Vec::new(),
            garp: Garp::default(),
            extra_garp: None,
            lower_prio_no_advert: false,
            higher_prio_send_advert: false,
            check_unicast_src: false,
            skip_check_adv_addr: false,
            owner_ignore_adverts: false,
            timer_expired_backup: None,
            poll_link: false,
            receive_buffer: None,
            lvs_sync_interface: None,
            notify: Notify::default(),
            notify_priority_changes: false,
            smtp_alert: false,
        }
    }
}
