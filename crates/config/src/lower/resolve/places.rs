//! Where the addresses of an instance go, and the VMACs that are made for addresses alone.

use model::vrrp::{AddressVmac, OwnDevice};
use model::{Family, IfName, MacAddr};

use super::device::mac;
use super::{Basics, DeviceNames};
use crate::lower::Instance;
use crate::lower::address::AddressDraft;

/// Finds the place of each address.
pub(super) struct Places<'a> {
    instance: &'a Instance,
    own: Option<&'a OwnDevice>,
    basics: Basics,
    prefix: &'a str,
    names: &'a mut DeviceNames,
    vmacs: Vec<AddressVmac>,
}

/// Where an address goes.
pub(super) struct Place {
    pub(super) device: IfName,
    /// That is a VMAC which is made for addresses alone.
    pub(super) is_address_vmac: bool,
}

impl<'a> Places<'a> {
    pub(super) const fn new(
        instance: &'a Instance,
        own: Option<&'a OwnDevice>,
        basics: Basics,
        prefix: &'a str,
        names: &'a mut DeviceNames,
    ) -> Self {
        Self { instance, own, basics, prefix, names, vmacs: Vec::new() }
    }

    /// `None` if neither the address nor the instance names an interface.
    pub(super) fn of(&mut self, draft: &AddressDraft) -> Option<Place> {
        let interface = self.instance.interface.as_ref().map(|interface| &interface.value);
        let named = draft.own_device();
        let family = Family::from(draft.prefix.address());
        if let Some(own) = self.own
            && self.belongs_on(own, named, family, draft.use_vmac)
        {
            return Some(Place { device: own.name().clone(), is_address_vmac: false });
        }
        let base = named.or(interface)?.clone();
        let is_at_home = Some(&base) == interface;
        let is_ipvlan = matches!(self.own, Some(OwnDevice::Ipvlan(_)));
        // The kernel has no VMAC beside an ipvlan.
        let may_have_one = !(is_at_home && is_ipvlan);
        let is_elsewhere = !is_at_home || family != self.basics.family;
        let wants_vmac = draft.use_vmac || self.instance.device.vmac_for_addresses && is_elsewhere;
        if !(wants_vmac && may_have_one) {
            return Some(Place { device: base, is_address_vmac: false });
        }
        let device = self.vmac_on(base, family)?;
        Some(Place { device, is_address_vmac: true })
    }

    /// Whether the instance's own device is the place. As with keepalived, a VMAC takes the instance's family alone,
    /// `dev` or not; an address of the other family comes to it only if a VMAC of its own would have the same MAC.
    fn belongs_on(&self, own: &OwnDevice, named: Option<&IfName>, family: Family, use_vmac: bool) -> bool {
        let interface = self.instance.interface.as_ref().map(|interface| &interface.value);
        match own {
            _ if named == Some(own.name()) => true,
            OwnDevice::Ipvlan(_) => named.is_none(),
            OwnDevice::Vmac(vmac) => {
                let wants_vmac = use_vmac || self.instance.device.vmac_for_addresses;
                let is_of_it = family == self.basics.family || wants_vmac && self.mac(family) == vmac.mac;
                (named.is_none() || named == interface) && is_of_it
            }
        }
    }

    /// The VMAC for addresses of this family on that interface: one for all that would have the same MAC.
    fn vmac_on(&mut self, base: IfName, family: Family) -> Option<IfName> {
        let mac = self.mac(family);
        if let Some(known) = self.vmacs.iter().find(|known| known.base == base && known.mac == mac) {
            return Some(known.name.clone());
        }
        let name = self.names.make(self.prefix, family, self.basics.vrid)?;
        self.vmacs.push(AddressVmac { name: name.clone(), base, mac });
        Some(name)
    }

    fn mac(&self, family: Family) -> MacAddr {
        let octets = self.instance.device.vmac.as_ref().and_then(|vmac| vmac.value.mac);
        mac(octets, family, self.basics.vrid)
    }

    pub(super) fn into_vmacs(self) -> Vec<AddressVmac> {
        self.vmacs
    }
}
