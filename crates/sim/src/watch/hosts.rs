//! What one host promises by itself.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use model::vrrp::Transport;
use model::{Priority, Vrid};
use vrrp::{Action, Notice, Outgoing, Reason, StateName};

use super::ledger::Key;
use super::{Rule, Watch};
use crate::{Cluster, HostId, LanId};

impl Watch {
    /// After a turn: no deadline in the past, groups whole.
    pub(crate) fn after_turn(&mut self, cluster: &Cluster, id: HostId) {
        let Some(host) = cluster.hosts.get(id.0) else { return };
        self.excuses.count_refusals(id, host.refused(), cluster.now);
        let Some(router) = host.router().filter(|_| host.busy_until <= cluster.now) else { return };
        if let Some(deadline) = router.deadline().filter(|deadline| *deadline <= cluster.now) {
            let text = format!("{} has a deadline at {deadline}, which is not in the future", host.name);
            self.broken(cluster.now, Rule::Deadline, text);
        }
        for group in router.groups() {
            for status in router.status().filter(|status| group.members.contains(&status.name)) {
                if status.state != group.state {
                    let text = format!(
                        "{} of {} is {} in sync group {}, which is {}",
                        status.name, host.name, status.state, group.name, group.state
                    );
                    self.broken(cluster.now, Rule::GroupMovesAsOne, text);
                }
            }
        }
    }

    pub(super) fn check_priority(&mut self, cluster: &Cluster, id: HostId, name: &str, priority: Priority) {
        let Some(host) = cluster.hosts.get(id.0) else { return };
        let Some(instance) = host.instance(name) else { return };
        let owner = instance.priority == Priority::OWNER;
        if owner != (priority == Priority::OWNER) || priority == Priority::RELEASE {
            let text = format!("{name} of {} has effective priority {priority}", host.name);
            self.broken(cluster.now, Rule::Priority, text);
        }
    }

    pub(super) fn transmitted(&mut self, cluster: &Cluster, id: HostId, outgoing: &Outgoing) {
        let Some(host) = cluster.hosts.get(id.0) else { return };
        let release = outgoing.priority == Priority::RELEASE;
        let is_it = |instance: &&model::vrrp::Instance| {
            let link = instance.interface.as_ref().and_then(|name| host.index(name));
            instance.vrid == outgoing.vrid && instance.family == outgoing.family && link == outgoing.link
        };
        let Some(instance) = host.config.instances.iter().find(is_it) else { return };
        let name: Arc<str> = instance.name.as_str().into();
        if release {
            self.await_release(cluster, id, &name);
        }
        self.ledger.transmitted(id, &name, release, cluster.now);
    }

    pub(super) fn said(&mut self, cluster: &Cluster, id: HostId, notice: &Notice) {
        let Notice::Entering { instance, state, reason } = notice else { return };
        let was_interrupted = self.interrupted.remove(&(id, Arc::clone(instance)));
        match (state, reason) {
            (
                StateName::Master,
                Reason::MasterDown { .. } | Reason::Preempts { .. } | Reason::Released { .. },
            ) => {
                self.judge_takeover(cluster, id, instance);
                self.judge_patience(cluster, id, instance, reason);
            }
            (StateName::Fault, _) => self.check_last_word(cluster, id, instance),
            (StateName::Backup, Reason::Better { master, theirs, ours }) => {
                self.judge_yield(cluster, id, instance, (*theirs, *master), *ours);
            }
            (StateName::Backup, Reason::Startup) if was_interrupted => {
                let host = cluster.host_name(id);
                let text =
                    format!("{instance} of {host} was master until its worker died, and starts as a backup");
                self.broken(cluster.now, Rule::Adoption, text);
            }
            _ => {}
        }
    }

    /// A master hears another one.
    pub(super) fn heard_advert(
        &mut self,
        cluster: &Cluster,
        to: HostId,
        lan: LanId,
        (source, bytes): (IpAddr, &[u8]),
        (vrid, priority): (Vrid, Priority),
    ) {
        let Some(host) = cluster.hosts.get(to.0) else { return };
        for instance in host.config.instances.iter().filter(|one| one.vrid == vrid) {
            let unicast_to_others = match &instance.transport {
                Transport::Multicast { .. } => false,
                Transport::Unicast { peers, .. } => peers.iter().all(|peer| peer.address != source),
            };
            let Some(key) = self.ledger.key(to, &instance.name).filter(|key| key.lan == lan) else {
                continue;
            };
            if instance.hmac.is_some() && !self.is_new((to, key, source), bytes) {
                continue;
            }
            let is_master =
                self.ledger.seen(to, &instance.name).is_some_and(|seen| seen.state == StateName::Master);
            let ours = self.ledger.seen(to, &instance.name).map(|seen| seen.priority);
            if ours.is_none_or(|ours| priority >= ours) && !unicast_to_others {
                self.heard.insert((to, key), cluster.now);
            }
            if is_master && !unicast_to_others {
                self.contended.insert((to, key), cluster.now);
            }
        }
    }

    /// Whether it was signed after all that its sender has signed before.
    fn is_new(&mut self, sender: (HostId, Key, IpAddr), bytes: &[u8]) -> bool {
        let sequence = bytes.len().checked_sub(SEQUENCE_FROM_END).and_then(|at| bytes.get(at..));
        let Some(sequence) = sequence.and_then(|rest| rest.first_chunk().copied()).map(u64::from_be_bytes)
        else {
            return true;
        };
        let newest = self.newest.entry(sender).or_default();
        let is_new = sequence > *newest;
        *newest = sequence.max(*newest);
        is_new
    }

    pub(crate) fn reloaded_same(&mut self, cluster: &Cluster, id: HostId, actions: &[Action]) {
        if let Some(first) = actions.first() {
            let host = cluster.host_name(id);
            let text = format!("a reload of the same configuration on {host} did {first:?}");
            self.broken(cluster.now, Rule::SameReload, text);
        }
    }

    /// An instance ends, or is at fault: a master has said so.
    pub(super) fn check_last_word(&mut self, cluster: &Cluster, id: HostId, name: &Arc<str>) {
        let Some(host) = cluster.hosts.get(id.0) else { return };
        let Some(seen) = self.ledger.seen(id, name).filter(|seen| seen.state == StateName::Master) else {
            return;
        };
        let port = host.instance(name);
        let carries = port.and_then(|one| one.interface.as_ref()).is_some_and(|port| host.carries(port));
        // A link that went and came back while the host slept could not carry it.
        let steady = cluster.now.since(self.excuses.path(id)) > STEADY;
        if carries && steady && self.ledger.released(id, name).is_none_or(|released| released < seen.since) {
            let text = format!("{name} of {} is master no longer and does not say that it stops", host.name);
            self.broken(cluster.now, Rule::LeavesNothing, text);
        }
    }

    /// Its daemon has ended, orderly.
    pub(super) fn stopped(&mut self, cluster: &Cluster, id: HostId) {
        let Some(host) = cluster.hosts.get(id.0) else { return };
        if self.excuses.kernel(id) > cluster.now || host.refuses() {
            return;
        }
        let strays: Vec<_> =
            self.ledger.addresses(id).filter(|slot| self.is_stray(host, slot)).cloned().collect();
        for (_, prefix) in strays {
            let text = format!("{} has stopped and left {prefix}", host.name);
            self.broken(cluster.now, Rule::LeavesNothing, text);
        }
    }
}

/// Where the sequence of a signed advertisement stands: eight bytes, and the digest behind them.
const SEQUENCE_FROM_END: usize = 24;

/// A path that has not changed for so long has not changed unnoticed.
const STEADY: Duration = Duration::from_secs(1);
