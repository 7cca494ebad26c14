//! Links between hosts: who reaches whom, how long it takes, what is lost.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::{Chance, HostId};

/// The place of a LAN in its [`Cluster`](crate::Cluster).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LanId(pub(crate) usize);

impl LanId {
    /// The one that is added as the `number`th, counted from 0.
    #[must_use]
    pub const fn nth(number: usize) -> Self {
        Self(number)
    }
}

/// What a LAN does to each packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quality {
    /// A packet takes at least this long.
    pub delay: Duration,
    /// And up to this much longer. More than the distance of two packets lets one overtake the other.
    pub jitter: Duration,
    /// So many of a hundred are lost.
    pub loss: u8,
    /// So many of a hundred come twice.
    pub duplication: u8,
}

impl Quality {
    /// A quiet switch: 200 microseconds, nothing lost.
    pub const GOOD: Self =
        Self { delay: Duration::from_micros(200), jitter: Duration::ZERO, loss: 0, duplication: 0 };

    /// Whether every packet arrives, soon, and in order of sending for all that VRRP may expect.
    #[must_use]
    pub fn is_good(self) -> bool {
        self.loss == 0 && self.jitter <= Duration::from_millis(2) && self.delay <= Duration::from_millis(30)
    }

    /// The longest that a packet takes.
    #[must_use]
    pub fn longest(self) -> Duration {
        self.delay + self.jitter
    }
}

/// One link.
#[derive(Clone, Debug)]
pub(crate) struct Lan {
    pub(crate) name: String,
    pub(crate) quality: Quality,
    /// Packets from the first to the second are lost.
    cuts: BTreeSet<(HostId, HostId)>,
}

impl Lan {
    pub(crate) const fn new(name: String, quality: Quality) -> Self {
        Self { name, quality, cuts: BTreeSet::new() }
    }

    pub(crate) fn cut(&mut self, from: HostId, to: HostId) {
        self.cuts.insert((from, to));
    }

    pub(crate) fn heal(&mut self) {
        self.cuts.clear();
    }

    /// Whether everybody reaches everybody.
    pub(crate) fn is_whole(&self) -> bool {
        self.cuts.is_empty()
    }

    pub(crate) fn carries(&self, from: HostId, to: HostId) -> bool {
        !self.cuts.contains(&(from, to))
    }

    /// When each copy of a packet arrives, counted from its sending.
    pub(crate) fn fates(&self, chance: &mut Chance) -> impl Iterator<Item = Duration> + use<> {
        let Quality { delay, jitter, loss, duplication } = self.quality;
        let mut copy = || (!chance.percent(loss)).then(|| chance.span(delay, delay + jitter));
        let first = copy();
        let second = if duplication > 0 { copy() } else { None };
        let second = second.filter(|_| chance.percent(duplication));
        first.into_iter().chain(second)
    }
}
