//! Interfaces that an instance makes for itself.

use serde::{Deserialize, Serialize};

use crate::{IfName, MacAddr, Named, Prefix};

/// The interface that an instance makes on top of its own, to run on and to hold its addresses.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum OwnDevice {
    /// `use_vmac`.
    Vmac(Vmac),
    /// `use_ipvlan`.
    Ipvlan(Ipvlan),
}

/// A macvlan with the virtual router's MAC (`use_vmac`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Vmac {
    /// The name of the interface; without one of its own `vmac_prefix` and the VRID, as in `vrrp.51` and `vrrp6.51`.
    pub name: IfName,
    /// Its MAC; `00:00:5e:00:01:VRID` (IPv6: `02`) unless configured (RFC 9568 §7.3).
    pub mac: MacAddr,
    /// Advertisements go out and come in on the interface below (`vmac_xmit_base`).
    pub transmit_on_base: bool,
    /// The interface below is announced anew when the macvlan has been made (`netlink_notify_msg`).
    pub notify_base: bool,
    /// The link group that the macvlan is in (`group`).
    pub group: Named<u32>,
}

/// A macvlan that holds addresses of a virtual router, and nothing else of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AddressVmac {
    /// The name of the interface: `vmac_addr_prefix` and the VRID, as in `vrrp.51`, `vrrp6.51` or `vrrp1.51`.
    pub name: IfName,
    /// The interface below.
    pub base: IfName,
    /// The MAC that is configured for the virtual router, or else that of its VRID and the family of the addresses.
    pub mac: MacAddr,
}

/// A layer 2 ipvlan (`use_ipvlan`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ipvlan {
    /// The name of the interface; without one of its own `vmac_prefix` and the VRID.
    pub name: IfName,
    /// Its own address, from which it advertises.
    pub address: Option<Prefix>,
    /// How it talks to its siblings.
    pub mode: IpvlanMode,
    /// The link group that it is in (`group`).
    pub group: Named<u32>,
}

/// How ipvlans of one interface see each other.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum IpvlanMode {
    /// As on one switch (`bridge`).
    #[default]
    Bridge,
    /// Not at all (`private`).
    Private,
    /// By way of an external switch (`vepa`).
    Vepa,
}

impl OwnDevice {
    /// The name of the interface.
    #[must_use]
    pub const fn name(&self) -> &IfName {
        match self {
            Self::Vmac(vmac) => &vmac.name,
            Self::Ipvlan(ipvlan) => &ipvlan.name,
        }
    }

    /// The link group that it is in.
    pub const fn group_mut(&mut self) -> &mut Named<u32> {
        match self {
            Self::Vmac(vmac) => &mut vmac.group,
            Self::Ipvlan(ipvlan) => &mut ipvlan.group,
        }
    }
}
