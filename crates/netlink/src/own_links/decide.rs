//! What is to be done about one name.

use model::{IfIndex, IfName, MacAddr};

use super::{OwnLink, OwnLinkKind, mark_of};
use crate::event::{Link, Sharing};
use crate::mirror::Mirror;
use crate::request::ipvlan_flags;

#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// There is nothing, and nothing is wanted.
    Forget,
    /// All is well, or nothing can be done.
    Rest,
    Remove(IfIndex),
    /// On this base.
    Make(IfIndex),
    SetUp {
        base: IfIndex,
        index: IfIndex,
    },
    AwaitBase(IfName),
    /// Another interface, of this kind, has the name.
    Foreign(Option<Box<str>>),
}

/// `ready` is the link that has its settings already, `made` one that we have made and that has none yet.
pub(super) fn decide(
    wanted: Option<&OwnLink>,
    name: &IfName,
    (ready, made): (Option<IfIndex>, Option<IfIndex>),
    mark: &str,
    mirror: &Mirror,
) -> Verdict {
    let link = mirror.link_named(name);
    let is_mine = |link: &Link| [ready, made].contains(&Some(link.index)) || is_ours(link, mark);
    let Some(wanted) = wanted else {
        return match link {
            Some(link) if is_mine(link) => Verdict::Remove(link.index),
            Some(_) | None => Verdict::Forget,
        };
    };
    let base = mirror.link_named(&wanted.base).map(|base| base.index);
    match (link, base) {
        (None, None) => Verdict::AwaitBase(wanted.base.clone()),
        (None, Some(base)) => Verdict::Make(base),
        (Some(link), Some(base)) if fits(wanted, link, base) => match ready == Some(link.index) {
            true if link.up => Verdict::Rest,
            _ => Verdict::SetUp { base, index: link.index },
        },
        (Some(link), _) if is_mine(link) => Verdict::Remove(link.index),
        (Some(link), _) => Verdict::Foreign(link.kind.clone()),
    }
}

/// Whether the link is what is wanted, but for settings that can be given to it.
fn fits(wanted: &OwnLink, link: &Link, base: IfIndex) -> bool {
    let is_kind = match wanted.kind {
        OwnLinkKind::Macvlan { mac } => {
            link.sharing == Some(Sharing::Macvlan(MACVLAN_MODE_PRIVATE)) && link.mac == Some(mac)
        }
        OwnLinkKind::Ipvlan { mode, .. } => {
            link.sharing == Some(Sharing::Ipvlan(IPVLAN_MODE_L2, ipvlan_flags(mode)))
        }
    };
    is_kind && link.lower == Some(base)
}

/// Whether the link may be deleted: it carries our mark, or is what only a VRRP daemon makes.
fn is_ours(link: &Link, mark: &str) -> bool {
    let is_virtual_router = link.mac.is_some_and(|MacAddr(mac)| matches!(mac, [0, 0, 0x5e, 0, 1 | 2, _]));
    link.alias.as_deref().map(mark_of) == Some(mark)
        || (is_virtual_router && link.sharing == Some(Sharing::Macvlan(MACVLAN_MODE_PRIVATE)))
}

const MACVLAN_MODE_PRIVATE: u32 = 1;
const IPVLAN_MODE_L2: u16 = 0;
