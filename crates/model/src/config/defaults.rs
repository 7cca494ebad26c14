//! What instances and servers fall back on. It is applied to them already; dumps show it as it was written.

use std::net::{Ipv4Addr, Ipv6Addr};

use serde::{Deserialize, Serialize};

use crate::IfName;
use crate::vrrp::{ExtraGarp, Garp, Transport, Version};

/// The defaults of `global_defs` for instances and servers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Defaults {
    /// `vrrp_version`.
    pub version: Version,
    /// `vrrp_strict`.
    pub strict: bool,
    /// `vrrp_garp_*`.
    pub garp: Garp,
    /// `vrrp_garp_extra_if`.
    pub extra_garp: Option<ExtraGarp>,
    /// `vrrp_down_timer_adverts`.
    pub down_timer_adverts: u8,
    /// `vrrp_mcast_group4`.
    pub group_v4: Ipv4Addr,
    /// `vrrp_mcast_group6`.
    pub group_v6: Ipv6Addr,
    /// `vrrp_lower_prio_no_advert`.
    pub lower_prio_no_advert: bool,
    /// `vrrp_higher_prio_send_advert`.
    pub higher_prio_send_advert: bool,
    /// `vrrp_check_unicast_src`.
    pub check_unicast_src: bool,
    /// `vrrp_skip_check_adv_addr`.
    pub skip_check_adv_addr: bool,
    /// `vrrp_notify_priority_changes`.
    pub notify_priority_changes: bool,
    /// `smtp_alert`, if it is there.
    pub smtp_alert: Option<bool>,
    /// `smtp_alert_vrrp`, if it is there.
    pub smtp_alert_vrrp: Option<bool>,
    /// `smtp_alert_checker`, if it is there.
    pub smtp_alert_checker: Option<bool>,
    /// `checker_log_all_failures`.
    pub log_all_failures: bool,
    /// `default_interface`, if it is there.
    pub interface: Option<IfName>,
}

impl Default for Defaults {
    fn default() -> Self {
        Self {
            version: Version::V2,
            strict: false,
            garp: Garp::default(),
            extra_garp: None,
            down_timer_adverts: 3,
            group_v4: Transport::GROUP_V4,
            group_v6: Transport::GROUP_V6,
            lower_prio_no_advert: false,
            higher_prio_send_advert: false,
            check_unicast_src: false,
            skip_check_adv_addr: false,
            notify_priority_changes: false,
            smtp_alert: None,
            smtp_alert_vrrp: None,
            smtp_alert_checker: None,
            log_all_failures: false,
            interface: None,
        }
    }
}
