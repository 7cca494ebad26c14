//! What is written on links of ours (`ip link` shows it as their alias): whose they are, and behind that what their maker
//! has to remember as long as they exist, even if it is killed.

use model::{IfIndex, IfName};

use crate::mirror::Mirror;

/// What a link had to remember that is to be removed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Left {
    /// The interface below.
    pub base: IfIndex,
    /// Its name.
    pub base_name: IfName,
    /// What is written behind the mark.
    pub note: Box<str>,
}

impl Left {
    pub(super) fn on(index: IfIndex, mirror: &Mirror) -> Option<Self> {
        let link = mirror.link(index)?;
        let below = mirror.link(link.lower?)?;
        let note = note_of(link.alias.as_deref()?)?.into();
        Some(Self { base: below.index, base_name: below.name.clone(), note })
    }
}

/// The alias of a link: whose it is, and what it has to remember. At most 255 bytes are kept by the kernel.
#[must_use]
pub fn alias(mark: &str, note: &str) -> String {
    if note.is_empty() { mark.to_owned() } else { format!("{mark}{SEPARATOR}{note}") }
}

/// Whose a link with this alias is.
pub(super) fn mark_of(alias: &str) -> &str {
    alias.split_once(SEPARATOR).map_or(alias, |(mark, _)| mark)
}

pub(super) fn note_of(alias: &str) -> Option<&str> {
    alias.split_once(SEPARATOR).map(|(_, note)| note)
}

const SEPARATOR: &str = " | ";
