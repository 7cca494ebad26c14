//! Which addresses, routes and rules workers have been given: what a worker that died may have left on the host.

use std::time::Duration;

use model::Instant;
use model::vrrp::{Config, VirtualAddress};

use crate::message::Belongings;

/// What every assignment puts into the kernel that no worker is known to have settled.
///
/// A reload that came when no worker was there to take it, or one that was about to die, takes things out of the
/// configuration that are still on the host.
#[derive(Debug, Default)]
pub(super) struct Given {
    /// To workers that have ended.
    earlier: Belongings,
    /// To the present worker, or to the one that comes next.
    present: Belongings,
    /// When the present worker was ready.
    ready_at: Option<Instant>,
}

impl Given {
    /// The present worker, or the next one, is given these.
    pub(super) fn add(&mut self, config: &Config) {
        self.present.add(config);
    }

    /// The present worker has said that it is ready: what it was told to take away is next.
    pub(super) const fn is_ready(&mut self, now: Instant) {
        self.ready_at = Some(now);
    }

    /// The present worker has ended.
    pub(super) fn end(&mut self, now: Instant) {
        if self.ready_at.take().is_some_and(|ready| now.since(ready) >= SETTLED) {
            self.earlier = Belongings::default();
        }
        self.earlier.append(&mut self.present);
    }

    /// A worker has released everything.
    pub(super) fn clear(&mut self) {
        *self = Self { ready_at: self.ready_at, ..Self::default() };
    }

    /// What workers that have ended may have left.
    pub(super) fn earlier(&self) -> Belongings {
        self.earlier.clone()
    }

    /// The addresses that anybody may have left.
    pub(super) fn addresses(&self) -> impl Iterator<Item = &VirtualAddress> {
        self.earlier.addresses.union(&self.present.addresses)
    }
}

/// After this long a worker that was ready has taken away what its predecessors had left.
const SETTLED: Duration = Duration::from_secs(10);

#[cfg(test)]
mod tests {
    use super::*;

    use model::vrrp::Instance;
    use model::{Prefix, Vrid};

    fn addresses(hosts: &[u8]) -> Vec<VirtualAddress> {
        let address = |host: &u8| {
            let prefix = Prefix::new([192, 0, 2, *host].into(), 24).unwrap();
            VirtualAddress::new(prefix, "eth1".parse().unwrap())
        };
        hosts.iter().map(address).collect()
    }

    fn config(hosts: &[u8]) -> Config {
        let mut instance = Instance::new("V", "eth1".parse().unwrap(), Vrid::try_from(51).unwrap());
        instance.addresses = addresses(hosts);
        Config { instances: vec![instance], ..Config::default() }
    }

    fn left(given: &Given) -> Vec<VirtualAddress> {
        given.earlier().addresses.into_iter().collect()
    }

    const BEGIN: Instant = Instant::from_nanos(1_000_000_000);

    #[test]
    fn the_next_worker_hears_what_every_worker_since_the_last_settled_one_was_given() {
        let mut given = Given::default();
        given.add(&config(&[1, 2]));
        assert_eq!(given.earlier(), Belongings::default());
        // A reload that it may never take.
        given.add(&config(&[1]));
        given.is_ready(BEGIN);
        given.end(BEGIN + SETTLED / 2);
        assert_eq!(left(&given), addresses(&[1, 2]));
        // Never ready, however long it lives.
        given.add(&config(&[1, 3]));
        given.end(BEGIN + SETTLED * 5);
        assert_eq!(left(&given), addresses(&[1, 2, 3]));

        given.add(&config(&[1]));
        assert!(given.addresses().eq(&addresses(&[1, 2, 3])));
        given.is_ready(BEGIN + SETTLED * 6);
        given.end(BEGIN + SETTLED * 7);
        assert_eq!(left(&given), addresses(&[1]));
    }

    #[test]
    fn nothing_is_left_of_what_was_released() {
        let mut given = Given::default();
        given.add(&config(&[1]));
        given.end(BEGIN);
        given.add(&config(&[2]));
        given.clear();
        given.end(BEGIN);
        assert_eq!(given.addresses().count(), 0);
    }
}
