//! Which virtual routers there are, and the states that their members have published.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use model::vrrp::Instance;
use model::{Family, IfName, Instant, Prefix, Priority, Vrid};
use vrrp::StateName;

use crate::{Cluster, HostId, LanId};

/// A virtual router of the cluster.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Key {
    pub(super) lan: LanId,
    pub(super) family: Family,
    pub(super) vrid: Vrid,
}

/// An instance as last published.
#[derive(Clone, Copy, Debug)]
pub(super) struct Seen {
    pub(super) state: StateName,
    pub(super) priority: Priority,
    /// Since when it is in this state.
    pub(super) since: Instant,
    /// When it last advertised, as master.
    pub(super) sent: Option<Instant>,
}

#[derive(Clone, Debug, Default)]
pub(super) struct Ledger {
    members: BTreeMap<Key, BTreeSet<(HostId, Arc<str>)>>,
    keys: BTreeMap<(HostId, Arc<str>), Key>,
    seen: BTreeMap<(HostId, Arc<str>), Seen>,
    /// Every virtual address that a host was ever configured for.
    addresses: BTreeMap<HostId, BTreeSet<(IfName, Prefix)>>,
    /// When an instance last said that it stops.
    released: BTreeMap<(HostId, Arc<str>), Instant>,
    /// When a member of it was last master and then was not.
    vacated: BTreeMap<Key, Instant>,
}

impl Ledger {
    /// Learns the virtual routers of a host from its configuration.
    pub(super) fn index(&mut self, cluster: &Cluster, id: HostId) {
        let Some(host) = cluster.hosts.get(id.0) else { return };
        self.keys.retain(|(of, _), _| *of != id);
        for members in self.members.values_mut() {
            members.retain(|(of, _)| *of != id);
        }
        let addresses = host.config.instances.iter().flat_map(|instance| &instance.addresses);
        let slots = addresses.map(|address| (address.device.clone(), address.prefix));
        self.addresses.entry(id).or_default().extend(slots);
        for instance in &host.config.instances {
            if let Some(key) = key(cluster, id, instance) {
                let member: (HostId, Arc<str>) = (id, instance.name.as_str().into());
                self.keys.insert(member.clone(), key);
                self.members.entry(key).or_default().insert(member);
            }
        }
    }

    pub(super) fn publish(
        &mut self,
        host: HostId,
        name: &Arc<str>,
        state: StateName,
        priority: Priority,
        now: Instant,
    ) -> Option<Key> {
        let member = (host, Arc::clone(name));
        let key = self.keys.get(&member).copied();
        let before = self.seen.get(&member).copied();
        if before.is_some_and(|before| before.state == StateName::Master && state != StateName::Master) {
            self.vacated.extend(key.map(|key| (key, now)));
        }
        let since = before.filter(|before| before.state == state).map_or(now, |before| before.since);
        let sent = before.and_then(|before| before.sent);
        self.seen.insert(member, Seen { state, priority, since, sent });
        key
    }

    pub(super) fn withdraw(&mut self, host: HostId, name: &Arc<str>, now: Instant) -> Option<Key> {
        let member = (host, Arc::clone(name));
        let key = self.keys.get(&member).copied();
        let before = self.seen.remove(&member);
        if before.is_some_and(|before| before.state == StateName::Master) {
            self.vacated.extend(key.map(|key| (key, now)));
        }
        key
    }

    pub(super) fn transmitted(&mut self, host: HostId, name: &Arc<str>, release: bool, now: Instant) {
        let member = (host, Arc::clone(name));
        if release {
            self.released.insert(member, now);
        } else if let Some(seen) = self.seen.get_mut(&member) {
            seen.sent = Some(now);
        }
    }

    pub(super) fn released(&self, host: HostId, name: &Arc<str>) -> Option<Instant> {
        self.released.get(&(host, Arc::clone(name))).copied()
    }

    /// Whatever was master on this host is not, or not for others.
    pub(super) fn interrupted(&mut self, host: HostId, now: Instant) {
        let masters: Vec<_> = self.masters_on(host).collect();
        for name in masters {
            self.vacated.extend(self.keys.get(&(host, name)).map(|key| (*key, now)));
        }
    }

    /// Its daemon is gone without a word.
    pub(super) fn ended(&mut self, host: HostId) {
        self.seen.retain(|(of, _), _| *of != host);
    }

    pub(super) fn masters_on(&self, host: HostId) -> impl Iterator<Item = Arc<str>> + '_ {
        let of_host = self.seen.iter().filter(move |((of, _), _)| *of == host);
        of_host.filter(|(_, seen)| seen.state == StateName::Master).map(|((_, name), _)| Arc::clone(name))
    }

    pub(super) fn seen(&self, host: HostId, name: &str) -> Option<Seen> {
        self.seen.get(&(host, name.into())).copied()
    }

    /// Nobody remembers what the host was configured for: the next daemon knows only its own file.
    pub(super) fn forget_addresses(&mut self, host: HostId) {
        self.addresses.remove(&host);
    }

    pub(super) fn addresses(&self, host: HostId) -> impl Iterator<Item = &(IfName, Prefix)> {
        self.addresses.get(&host).into_iter().flatten()
    }

    pub(super) fn members(&self, key: Key) -> impl Iterator<Item = (HostId, Arc<str>)> + use<> {
        self.members.get(&key).cloned().unwrap_or_default().into_iter()
    }

    pub(super) fn of_host(&self, host: HostId) -> impl Iterator<Item = Key> + '_ {
        self.keys.iter().filter(move |((of, _), _)| *of == host).map(|(_, key)| *key)
    }

    pub(super) fn key(&self, host: HostId, name: &str) -> Option<Key> {
        self.keys.get(&(host, name.into())).copied()
    }

    pub(super) fn keys(&self) -> impl Iterator<Item = Key> + '_ {
        self.members.keys().copied()
    }

    pub(super) fn vacated(&self, key: Key) -> Instant {
        self.vacated.get(&key).copied().unwrap_or(Instant::ZERO)
    }
}

fn key(cluster: &Cluster, id: HostId, instance: &Instance) -> Option<Key> {
    let port = cluster.hosts.get(id.0)?.ports.get(instance.interface.as_ref()?)?;
    Some(Key { lan: port.lan, family: instance.family, vrid: instance.vrid })
}
