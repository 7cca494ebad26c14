//! Which addresses workers have been given: what a worker that died may have left on the host.

use std::collections::BTreeSet;
use std::time::Duration;

use model::Instant;
use model::vrrp::VirtualAddress;

/// The virtual addresses of every assignment that no worker is known to have settled.
///
/// A reload that came when no worker was there to take it, or one that was about to die, takes addresses out of the
/// configuration that are still on the host.
#[derive(Debug, Default)]
pub(super) struct Given {
    /// To workers that have ended.
    earlier: BTreeSet<VirtualAddress>,
    /// To the present worker, or to the one that comes next.
    present: BTreeSet<VirtualAddress>,
    /// When the present worker was ready.
    ready_at: Option<Instant>,
}

impl Given {
    /// The present worker, or the next one, is given these.
    pub(super) fn add<'a>(&mut self, addresses: impl IntoIterator<Item = &'a VirtualAddress>) {
        self.present.extend(addresses.into_iter().cloned());
    }

    /// The present worker has said that it is ready: what it was told to take away is next.
    pub(super) const fn is_ready(&mut self, now: Instant) {
        self.ready_at = Some(now);
    }

    /// The present worker has ended.
    pub(super) fn end(&mut self, now: Instant) {
        if self.ready_at.take().is_some_and(|ready| now.since(ready) >= SETTLED) {
            self.earlier.clear();
        }
        self.earlier.append(&mut self.present);
    }

    /// A worker has released everything.
    pub(super) fn clear(&mut self) {
        self.earlier.clear();
        self.present.clear();
    }

    /// What workers that have ended may have left, without an order.
    pub(super) fn earlier(&self) -> Vec<VirtualAddress> {
        self.earlier.iter().cloned().collect()
    }

    /// What anybody may have left.
    pub(super) fn all(&self) -> impl Iterator<Item = &VirtualAddress> {
        self.earlier.union(&self.present)
    }
}

/// After this long a worker that was ready has taken away what its predecessors had left.
const SETTLED: Duration = Duration::from_secs(10);

#[cfg(test)]
mod tests {
    use super::*;

    use model::Prefix;

    fn addresses(hosts: &[u8]) -> Vec<VirtualAddress> {
        let address = |host: &u8| {
            let prefix = Prefix::new([192, 0, 2, *host].into(), 24).unwrap();
            VirtualAddress::new(prefix, "eth1".parse().unwrap())
        };
        hosts.iter().map(address).collect()
    }

    const BEGIN: Instant = Instant::from_nanos(1_000_000_000);

    #[test]
    fn the_next_worker_hears_what_every_worker_since_the_last_settled_one_was_given() {
        let mut given = Given::default();
        given.add(&addresses(&[1, 2]));
        assert_eq!(given.earlier(), []);
        // A reload that it may never take.
        given.add(&addresses(&[1]));
        given.is_ready(BEGIN);
        given.end(BEGIN + SETTLED / 2);
        assert_eq!(given.earlier(), addresses(&[1, 2]));
        // Never ready, however long it lives.
        given.add(&addresses(&[1, 3]));
        given.end(BEGIN + SETTLED * 5);
        assert_eq!(given.earlier(), addresses(&[1, 2, 3]));

        given.add(&addresses(&[1]));
        assert!(given.all().eq(&addresses(&[1, 2, 3])));
        given.is_ready(BEGIN + SETTLED * 6);
        given.end(BEGIN + SETTLED * 7);
        assert_eq!(given.earlier(), addresses(&[1]));
    }

    #[test]
    fn nothing_is_left_of_what_was_released() {
        let mut given = Given::default();
        given.add(&addresses(&[1]));
        given.end(BEGIN);
        given.add(&addresses(&[2]));
        given.clear();
        given.end(BEGIN);
        assert_eq!(given.all().count(), 0);
    }
}
