//! Which interfaces a configuration asks for.

use model::vrrp::{AddressVmac, Config, Instance, OwnDevice};
use model::{Family, IfName, Named};
use netlink::OwnLink;
use netlink::own_links::OwnLinkKind;

pub(super) fn own_links(config: &Config) -> impl Iterator<Item = OwnLink> {
    let all = |instance| {
        let for_addresses = move |vmac| address_vmac(instance, vmac);
        own_link(instance).into_iter().chain(instance.address_vmacs.iter().map(for_addresses))
    };
    config.instances.iter().flat_map(all)
}

fn own_link(instance: &Instance) -> Option<OwnLink> {
    let base = instance.interface.clone()?;
    let own = instance.own_device.as_ref()?;
    let (kind, group, notify_base) = match own {
        OwnDevice::Vmac(vmac) => (OwnLinkKind::Macvlan { mac: vmac.mac }, &vmac.group, vmac.notify_base),
        OwnDevice::Ipvlan(ipvlan) => {
            (OwnLinkKind::Ipvlan { mode: ipvlan.mode, address: ipvlan.address }, &ipvlan.group, false)
        }
    };
    let uses_ipv6 = instance.family == Family::V6 || has_ipv6_on(instance, own.name());
    Some(OwnLink { name: own.name().clone(), base, kind, group: number(group), uses_ipv6, notify_base })
}

fn address_vmac(instance: &Instance, vmac: &AddressVmac) -> OwnLink {
    OwnLink {
        name: vmac.name.clone(),
        base: vmac.base.clone(),
        kind: OwnLinkKind::Macvlan { mac: vmac.mac },
        group: 0,
        uses_ipv6: has_ipv6_on(instance, &vmac.name),
        notify_base: false,
    }
}

fn has_ipv6_on(instance: &Instance, device: &IfName) -> bool {
    let mut held = instance.addresses.iter().filter(|held| held.device == *device);
    held.any(|held| Family::from(held.prefix.address()) == Family::V6)
}

/// Names that the host does not have have been warned of; their group is that of all links.
fn number(group: &Named<u32>) -> u32 {
    group.number().unwrap_or(0)
}
