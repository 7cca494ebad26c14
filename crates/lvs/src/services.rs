//! Which services of the table a virtual server is.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use model::ipvs::ServiceKey;
use model::lvs::{self, AddressRange, Member, ServerGroup};

/// The services, each once, without those that another virtual server before it has.
pub(crate) fn of(
    service: &lvs::Service,
    groups: &BTreeMap<&str, &ServerGroup>,
    taken: &mut BTreeSet<ServiceKey>,
) -> Vec<ServiceKey> {
    let mut keys = Vec::new();
    match service {
        lvs::Service::Address { address, port, protocol } => {
            keys.push(ServiceKey::Address { address: *address, port: *port, protocol: *protocol });
        }
        lvs::Service::Fwmark { mark, family } => {
            keys.push(ServiceKey::Fwmark { mark: *mark, family: *family });
        }
        lvs::Service::Group { name, protocol } => {
            let members = groups.get(name.as_ref()).into_iter().flat_map(|group| &group.members);
            for member in members {
                match member {
                    Member::Addresses { range, port } => {
                        let service =
                            |address| ServiceKey::Address { address, port: *port, protocol: *protocol };
                        keys.extend(addresses(*range).map(service));
                    }
                    Member::Fwmark { mark, family } => {
                        keys.push(ServiceKey::Fwmark { mark: *mark, family: *family });
                    }
                }
            }
        }
    }
    keys.retain(|key| taken.insert(*key));
    keys
}

/// The addresses whose presence counts for `ha_suspend`.
pub(crate) fn addresses_of(keys: &[ServiceKey]) -> impl Iterator<Item = IpAddr> + '_ {
    keys.iter().filter_map(|key| match key {
        ServiceKey::Address { address, .. } => Some(*address),
        ServiceKey::Fwmark { .. } => None,
    })
}

fn addresses(range: AddressRange) -> Box<dyn Iterator<Item = IpAddr>> {
    match (range.first(), range.last()) {
        (IpAddr::V4(first), IpAddr::V4(last)) => {
            Box::new((first.to_bits()..=last.to_bits()).map(|bits| Ipv4Addr::from_bits(bits).into()))
        }
        (IpAddr::V6(first), IpAddr::V6(last)) => {
            Box::new((first.to_bits()..=last.to_bits()).map(|bits| Ipv6Addr::from_bits(bits).into()))
        }
        // A range has one family.
        (IpAddr::V4(_) | IpAddr::V6(_), _) => Box::new(std::iter::empty()),
    }
}
