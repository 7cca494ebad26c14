//! Where addresses are, and where clients believe them to be.

use std::time::Duration;

use model::vrrp::Instance;
use model::{IfName, Instant, Prefix};
use vrrp::StateName;

use super::election::{Member, Part};
use super::{Rule, Watch};
use crate::Cluster;
use crate::host::{Daemon, Host};

impl Watch {
    /// A master's kernel has its addresses, and no other's.
    pub(super) fn judge_addresses(&mut self, cluster: &Cluster, part: &Part<'_>) {
        let now = cluster.now;
        for member in &part.members {
            let since = member.seen.map_or(Instant::ZERO, |seen| seen.since);
            let ready = self.excuses.kernel(member.id()).max(since) + part.slack(cluster);
            if member.host.daemon.as_ref().is_some_and(Daemon::has_work) {
                self.judge_again(now, now + part.slack(cluster), part.key);
            } else if now < ready {
                self.judge_again(now, ready, part.key);
            } else if !member.host.refuses() && !self.excuses.has_remains(member.id()) {
                self.judge_held(cluster, member);
            }
        }
    }

    fn judge_held(&mut self, cluster: &Cluster, member: &Member<'_>) {
        let host = member.host;
        for address in member.instance.addresses.iter().filter(|_| member.is_master()) {
            let there = host.ports.get(&address.device).is_some_and(|port| port.there);
            if there && !host.holds(&address.device, address.prefix) {
                let text = format!(
                    "{} is master of {} and does not hold {}",
                    host.name, member.name, address.prefix
                );
                self.broken(cluster.now, Rule::Addresses, text);
            }
        }
        let strays: Vec<_> =
            self.ledger.addresses(host.id).filter(|slot| self.is_stray(host, slot)).cloned().collect();
        for (_, prefix) in strays {
            let text = format!("{} is not master of what has {prefix}, and holds it", host.name);
            self.broken(cluster.now, Rule::Addresses, text);
        }
    }

    /// Whether a host holds an address without being its master, and nobody else has put it there.
    pub(super) fn is_stray(&self, host: &Host, (device, prefix): &(IfName, Prefix)) -> bool {
        let own = host.ports.values().any(|port| port.addresses.contains(prefix));
        let is_master =
            |name: &str| self.ledger.seen(host.id, name).is_some_and(|seen| seen.state == StateName::Master);
        let has = |instance: &&Instance| {
            instance.addresses.iter().any(|one| one.device == *device && one.prefix == *prefix)
        };
        let wanted = host.config.instances.iter().filter(has).any(|instance| is_master(&instance.name));
        host.holds(device, *prefix) && !own && !wanted && !host.is_foreign(device, *prefix)
    }

    /// Clients know a new master, and one that another contended with.
    pub(super) fn judge_clients(&mut self, cluster: &Cluster, part: &Part<'_>) {
        let mut masters = part.masters();
        let (Some(master), None) = (masters.next(), masters.next()) else { return };
        let Some(seen) = master.seen else { return };
        let contended = self.contended.get(&(master.id(), part.key)).copied().unwrap_or(Instant::ZERO);
        let must = seen.since.max(contended);
        // What the other one said last may come in the pause after the answer to what it said first.
        let pause = master.instance.advert_interval.duration() / 2;
        let by = must + pause + ANNOUNCED_WITHIN + part.slack(cluster);
        let excused = self.excuses.kernel(master.id()).max(self.excuses.path(master.id()));
        if cluster.now < by.max(excused) {
            self.judge_again(cluster.now, by.max(excused), part.key);
            return;
        }
        if excused < must && self.excuses.lan(part.key.lan) < must {
            for client in part.members.iter().filter(|member| member.id() != master.id()) {
                if self.excuses.path(client.id()) < must {
                    self.judge_client(cluster, part, master, client, must);
                }
            }
        }
    }

    fn judge_client(
        &mut self,
        cluster: &Cluster,
        part: &Part<'_>,
        master: &Member<'_>,
        client: &Member<'_>,
        must: Instant,
    ) {
        for address in &master.instance.addresses {
            let port = master.host.ports.get(&address.device).filter(|port| port.lan == part.key.lan);
            let Some(port) = port.filter(|port| port.there && address.prefix.address().is_ipv4()) else {
                continue;
            };
            let key = (client.id(), part.key.lan, address.prefix.address());
            let believed = self.caches.get(&key).copied();
            let patience = part.slack(cluster);
            let right = believed.is_some_and(|cached| cached.who == port.mac && cached.at + patience >= must);
            if !right {
                let text = format!(
                    "{} is master since {must} and a client at {} was not told where {} is",
                    master.host.name,
                    client.host.name,
                    address.prefix.address()
                );
                self.broken(cluster.now, Rule::Announced, text);
            }
        }
    }
}

/// From the moment at which something is to be announced until clients know. The second burst comes later: it is for
/// those that missed the first.
const ANNOUNCED_WITHIN: Duration = Duration::from_secs(1);
