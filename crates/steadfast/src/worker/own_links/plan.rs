//! Which interfaces a configuration asks for.

use model::vrrp::{Config, Instance, OwnDevice};
use model::{Family, Named};
use netlink::OwnLink;
use netlink::own_links::OwnLinkKind;

pub(super) fn own_links(config: &Config) -> impl Iterator<Item = OwnLink> {
    config.instances.iter().filter_map(own_link)
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
    let mut held = instance.addresses.iter().filter(|held| held.device == *own.name());
    let uses_ipv6 =
        instance.family == Family::V6 || held.any(|held| Family::from(held.prefix.address()) == Family::V6);
    Some(OwnLink { name: own.name().clone(), base, kind, group: number(group), uses_ipv6, notify_base })
}

/// Names that the host does not have have been warned of; their group is that of all links.
fn number(group: &Named<u32>) -> u32 {
    group.number().unwrap_or(0)
}
