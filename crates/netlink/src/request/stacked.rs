//! Links on top of another one, and the settings that they need.

use model::vrrp::IpvlanMode;
use model::{IfIndex, IfName, MacAddr};
use netlink_packet_core::{DefaultNla, NLA_F_NESTED};
use netlink_packet_route::link::{
    InfoData, InfoIpVlan, InfoKind, InfoMacVlan, IpVlanFlags, IpVlanMode, LinkAttribute, LinkMessage,
    MacVlanMode,
};

use super::{Ipv4Setting, new_link};

pub(super) fn macvlan(name: &IfName, lower: IfIndex, mac: MacAddr, group: u32) -> LinkMessage {
    let data = InfoData::MacVlan(vec![InfoMacVlan::Mode(MacVlanMode::Private)]);
    let mut message = on_top(new_link(name, InfoKind::MacVlan, data), lower, group);
    message.attributes.push(LinkAttribute::Address(mac.0.to_vec()));
    message
}

pub(super) fn ipvlan(name: &IfName, lower: IfIndex, mode: IpvlanMode, group: u32) -> LinkMessage {
    let flags = IpVlanFlags::from_bits_retain(ipvlan_flags(mode));
    let data = InfoData::IpVlan(vec![InfoIpVlan::Mode(IpVlanMode::L2), InfoIpVlan::Flags(flags)]);
    on_top(new_link(name, InfoKind::IpVlan, data), lower, group)
}

fn on_top(mut message: LinkMessage, lower: IfIndex, group: u32) -> LinkMessage {
    message.attributes.push(LinkAttribute::Link(lower.get()));
    message.attributes.extend((group != 0).then_some(LinkAttribute::Group(group)));
    message
}

/// `IPVLAN_F_*`.
pub(crate) const fn ipvlan_flags(mode: IpvlanMode) -> u16 {
    match mode {
        IpvlanMode::Bridge => 0,
        IpvlanMode::Private => 1,
        IpvlanMode::Vepa => 2,
    }
}

/// `IFLA_AF_SPEC` with the IPv4 settings by their numbers, each of which the kernel wants once.
pub(super) fn ipv4_settings(settings: &[(Ipv4Setting, u32)]) -> LinkAttribute {
    let mut all = Vec::new();
    for (setting, value) in settings {
        put(&mut all, setting.number(), &value.to_ne_bytes());
    }
    of_family(AF_INET, IFLA_INET_CONF | NLA_F_NESTED, &all)
}

/// `IFLA_AF_SPEC`: the way in which IPv6 makes addresses is "none".
pub(super) fn no_own_ipv6() -> LinkAttribute {
    of_family(AF_INET6, IFLA_INET6_ADDR_GEN_MODE, &[IN6_ADDR_GEN_MODE_NONE])
}

fn of_family(family: u16, kind: u16, value: &[u8]) -> LinkAttribute {
    let (mut setting, mut families) = (Vec::new(), Vec::new());
    put(&mut setting, kind, value);
    put(&mut families, family | NLA_F_NESTED, &setting);
    LinkAttribute::Other(DefaultNla::new(IFLA_AF_SPEC | NLA_F_NESTED, families))
}

/// Appends an attribute, padded. What is put here is a few bytes long.
fn put(to: &mut Vec<u8>, kind: u16, value: &[u8]) {
    let length = u16::try_from(value.len()).unwrap_or(u16::MAX).saturating_add(4);
    to.extend(length.to_ne_bytes());
    to.extend(kind.to_ne_bytes());
    to.extend(value);
    to.resize(to.len().next_multiple_of(4), 0);
}

const AF_INET: u16 = 2;
const AF_INET6: u16 = 10;
const IFLA_AF_SPEC: u16 = 26;
const IFLA_INET_CONF: u16 = 1;
const IFLA_INET6_ADDR_GEN_MODE: u16 = 8;
const IN6_ADDR_GEN_MODE_NONE: u8 = 1;
