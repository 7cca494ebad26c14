//! Who is master, and who should be.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use model::vrrp::{Instance, Preempt};
use model::{Centis, Instant, Priority};
use vrrp::{Reason, StateName};

use super::expect::{Expected, expected, group_of};
use super::ledger::{Key, Seen};
use super::timing::{master_down, skew};
use super::{Rule, Watch};
use crate::host::Host;
use crate::{Cluster, HostId};

/// A router that takes part now: its host is powered, awake and on the LAN.
#[derive(Clone, Debug)]
pub(super) struct Member<'a> {
    pub(super) host: &'a Host,
    pub(super) name: Arc<str>,
    pub(super) instance: &'a Instance,
    pub(super) seen: Option<Seen>,
    pub(super) expected: Option<Expected>,
}

impl Member<'_> {
    pub(super) fn is_master(&self) -> bool {
        self.seen.is_some_and(|seen| seen.state == StateName::Master)
    }

    /// It runs, and nothing keeps it from being master.
    pub(super) fn can_work(&self) -> bool {
        self.host.router().is_some() && self.expected.is_some_and(|expected| !expected.fault)
    }

    fn priority(&self) -> Priority {
        self.expected.map_or(Priority(1), |expected| expected.priority)
    }

    pub(super) fn id(&self) -> HostId {
        self.host.id
    }
}

/// Members that all reach each other, and nobody else.
#[derive(Clone, Debug)]
pub(super) struct Part<'a> {
    pub(super) key: Key,
    pub(super) members: Vec<Member<'a>>,
}

impl Part<'_> {
    pub(super) fn masters(&self) -> impl Iterator<Item = &Member<'_>> {
        self.members.iter().filter(|member| member.is_master())
    }

    fn workers(&self) -> impl Iterator<Item = &Member<'_>> {
        self.members.iter().filter(|member| member.can_work())
    }

    pub(super) fn longest_interval(&self) -> Centis {
        let intervals = self.members.iter().map(|member| member.instance.advert_interval);
        intervals.max().unwrap_or(Centis::SECOND)
    }

    /// After which a backup has taken over from a master that is silent.
    fn takeover(&self, cluster: &Cluster) -> Duration {
        let interval = self.longest_interval();
        let down = |member: &Member<'_>| {
            let Instance { version, down_timer_adverts, .. } = member.instance;
            master_down(*version, member.priority(), interval, *down_timer_adverts)
        };
        self.workers().map(down).max().unwrap_or_default() + self.slack(cluster)
    }

    /// After which all that follows from an event has happened, whoever took over first.
    pub(super) fn settled(&self, cluster: &Cluster) -> Duration {
        self.takeover(cluster) * 2 + self.longest_interval().duration() + self.slack(cluster)
    }

    /// What LAN, kernels and groups may add.
    pub(super) fn slack(&self, cluster: &Cluster) -> Duration {
        let grouped = self.members.iter().any(|member| group_of(member.host, &member.name).is_some());
        let race = if grouped { GROUP_RACE } else { Duration::ZERO };
        let lan = cluster.longest(self.key.lan) * 2;
        let kernels =
            self.members.iter().map(|member| member.host.kernel_delay * 4 + member.host.kernel_cost * 400);
        SLACK + race + lan + kernels.max().unwrap_or_default()
    }
}

impl Watch {
    pub(super) fn judge_router(&mut self, cluster: &Cluster, key: Key) {
        if !cluster.lans.get(key.lan.0).is_some_and(|lan| lan.quality.is_good()) {
            return;
        }
        for part in self.parts(cluster, key) {
            self.judge_part(cluster, &part);
        }
    }

    /// The connected parts of a virtual router. One in which some hear others one way only, or not all each other, is left
    /// out: nobody can say what should come of it.
    pub(super) fn parts<'a>(&self, cluster: &'a Cluster, key: Key) -> Vec<Part<'a>> {
        let Some(lan) = cluster.lans.get(key.lan.0) else { return Vec::new() };
        let ways =
            |a: &Member<'_>, b: &Member<'_>| (lan.carries(a.id(), b.id()), lan.carries(b.id(), a.id()));
        let mut parts: Vec<Part<'a>> = Vec::new();
        for (host, name) in self.ledger.members(key) {
            let Some(member) = self.member(cluster, host, name) else { continue };
            let touches =
                |part: &Part<'_>| part.members.iter().any(|one| ways(&member, one) != (false, false));
            let (near, mut rest): (Vec<_>, Vec<_>) = parts.into_iter().partition(touches);
            let mut members: Vec<_> = near.into_iter().flat_map(|part| part.members).collect();
            members.push(member);
            rest.push(Part { key, members });
            parts = rest;
        }
        let each = |members: &[Member<'_>], one: &Member<'_>| {
            members.iter().all(|other| other.id() == one.id() || ways(one, other) == (true, true))
        };
        parts.retain(|part| part.members.iter().all(|one| each(&part.members, one)));
        parts
    }

    /// The part that a host is in.
    fn part_of<'a>(&self, cluster: &'a Cluster, key: Key, host: HostId) -> Option<Part<'a>> {
        let has = |part: &Part<'_>| part.members.iter().any(|member| member.id() == host);
        self.parts(cluster, key).into_iter().find(has)
    }

    fn member<'a>(&self, cluster: &'a Cluster, id: HostId, name: Arc<str>) -> Option<Member<'a>> {
        let host = cluster.hosts.get(id.0)?;
        let instance = host.instance(&name)?;
        let awake = host.busy_until <= cluster.now || host.busy_until.since(cluster.now) <= SLACK;
        let carries = instance.interface.as_ref().is_some_and(|port| host.carries(port));
        let seen = self.ledger.seen(id, &name);
        (host.powered && awake && carries).then(|| Member {
            host,
            seen,
            instance,
            expected: expected(host, instance),
            name,
        })
    }

    /// Since when nothing excuses this part.
    pub(super) fn calm_since(&self, part: &Part<'_>) -> Instant {
        let hosts = part.members.iter().map(|member| self.excuses.host(member.id()));
        hosts.chain([self.excuses.lan(part.key.lan)]).max().unwrap_or(Instant::ZERO)
    }

    fn judge_part(&mut self, cluster: &Cluster, part: &Part<'_>) {
        let now = cluster.now;
        let calm = self.calm_since(part);
        if now < calm {
            self.judge_again(now, calm, part.key);
            return;
        }
        self.judge_vacancy(cluster, part, calm);
        self.judge_contention(cluster, part, calm);
        let settled = calm + part.settled(cluster);
        if now < settled {
            self.judge_again(now, settled, part.key);
            return;
        }
        self.judge_states(cluster, part);
        self.judge_preemption(cluster, part);
        self.judge_silence(cluster, part);
        self.judge_addresses(cluster, part);
        self.judge_clients(cluster, part);
    }

    /// Somebody is master soon after nobody was.
    fn judge_vacancy(&mut self, cluster: &Cluster, part: &Part<'_>, calm: Instant) {
        let now = cluster.now;
        if part.masters().next().is_some() || part.workers().next().is_none() {
            return;
        }
        let mut free = part.workers().map(|member| self.free_since(cluster, member));
        let Some(free) = free
            .try_fold(calm.max(self.ledger.vacated(part.key)) + part.takeover(cluster), |by, free| {
                free.map(|free| by.max(free))
            })
        else {
            return;
        };
        if now < free {
            self.judge_again(now, free, part.key);
        } else {
            let who = names(cluster, part.workers());
            let takeover = part.takeover(cluster);
            let vrid = part.key.vrid;
            let text = format!("nobody is master of VRID {vrid} after {takeover:?}, though {who} could be");
            self.broken(now, Rule::OneMaster, text);
        }
    }

    /// When the other members of its sync group keep it from being master no longer; `None` if one of them has a rival.
    fn free_since(&self, cluster: &Cluster, member: &Member<'_>) -> Option<Instant> {
        let Some(group) = group_of(member.host, &member.name) else { return Some(Instant::ZERO) };
        let mut by = Instant::ZERO;
        for name in group.members.iter().filter(|name| **name != *member.name) {
            let key = self.ledger.key(member.id(), name)?;
            let part = self.part_of(cluster, key, member.id())?;
            let good = cluster.lans.get(key.lan.0).is_some_and(|lan| lan.quality.is_good());
            if !good || part.masters().next().is_some() {
                return None;
            }
            by = by.max(self.calm_since(&part).max(self.ledger.vacated(key)) + part.takeover(cluster));
        }
        Some(by)
    }

    /// Of two masters that hear each other one yields.
    fn judge_contention(&mut self, cluster: &Cluster, part: &Part<'_>, calm: Instant) {
        let now = cluster.now;
        let masters: Vec<_> = part.masters().collect();
        let Some(since) = masters.iter().filter_map(|master| master.seen).map(|seen| seen.since).max() else {
            return;
        };
        if masters.len() < 2 {
            return;
        }
        let by = since.max(calm) + part.longest_interval().duration() + part.slack(cluster);
        if now < by {
            self.judge_again(now, by, part.key);
        } else {
            let who = names(cluster, masters.into_iter());
            self.broken(now, Rule::TwoMasters, format!("{who} are all masters of VRID {}", part.key.vrid));
        }
    }

    /// Who can work is no longer in fault, and who cannot is.
    fn judge_states(&mut self, cluster: &Cluster, part: &Part<'_>) {
        let now = cluster.now;
        for member in &part.members {
            let (Some(seen), Some(expected)) = (member.seen, member.expected) else { continue };
            if member.host.router().is_none() {
                continue;
            }
            let idle = matches!(seen.state, StateName::Fault | StateName::Init);
            let host = cluster.host_name(member.id());
            if idle != expected.fault {
                let should = if expected.fault { "be in fault" } else { "work" };
                let text = format!("{} of {host} is {}, and should {should}", member.name, seen.state);
                self.broken(now, Rule::Fault, text);
            }
            if seen.priority != expected.priority && !expected.is_vetoed {
                let text = format!(
                    "{} of {host} has priority {}, and should have {}",
                    member.name, seen.priority, expected.priority
                );
                self.broken(now, Rule::Priority, text);
            }
        }
    }

    /// No better router that may preempt is left a backup.
    fn judge_preemption(&mut self, cluster: &Cluster, part: &Part<'_>) {
        let Some(master) = part.masters().next() else { return };
        for other in part.workers().filter(|other| other.id() != master.id()) {
            let owner = other.priority() == Priority::OWNER;
            let preempts = match other.instance.preempt {
                Preempt::Always => true,
                Preempt::Never => owner,
                Preempt::After(delay) => {
                    // It waits from the first advertisement that it heard, and after that as for a silent master.
                    let calm =
                        self.calm_since(part).max(master.seen.map_or(Instant::ZERO, |seen| seen.since));
                    let by = calm + delay + part.settled(cluster);
                    self.judge_again(cluster.now, by, part.key);
                    owner || cluster.now >= by
                }
            };
            let alone = group_of(other.host, &other.name).is_none();
            if preempts && alone && other.priority() > master.priority() {
                let text = format!(
                    "{} has priority {} and is no master; {} has {} and is",
                    cluster.host_name(other.id()),
                    other.priority(),
                    cluster.host_name(master.id()),
                    master.priority()
                );
                self.broken(cluster.now, Rule::Preempts, text);
            }
        }
    }

    fn judge_silence(&mut self, cluster: &Cluster, part: &Part<'_>) {
        for master in part.masters() {
            let Some(seen) = master.seen else { continue };
            let patience = master.instance.advert_interval.duration() * 3 / 2 + part.slack(cluster);
            let sent = seen.sent.unwrap_or(seen.since);
            if cluster.now.since(sent) > patience {
                let host = cluster.host_name(master.id());
                let text = format!("{host} is master of VRID {} and says nothing", part.key.vrid);
                self.broken(cluster.now, Rule::Advertises, text);
            }
        }
    }

    /// An instance took over because its timer ran out: nobody better may be there to do it.
    pub(super) fn judge_takeover(&mut self, cluster: &Cluster, host: HostId, name: &Arc<str>) {
        let Some((part, key)) = self.settled_part(cluster, host, name) else { return };
        let Some(mine) = part.members.iter().find(|member| member.id() == host) else { return };
        let unit = match mine.instance.version {
            model::vrrp::Version::V2 => Centis::SECOND,
            model::vrrp::Version::V3 => part.longest_interval(),
        };
        let jitter = cluster.longest(key.lan) * 2 + JITTER;
        let preempting =
            part.masters().any(|master| master.id() != host && master.priority() < mine.priority());
        for other in part.workers().filter(|other| other.id() != host) {
            let (theirs, ours) = (other.priority(), mine.priority());
            let gap = skew(mine.instance.version, ours, unit).saturating_sub(skew(
                mine.instance.version,
                theirs,
                unit,
            ));
            // From a living master only those take over that may preempt it.
            let would = !preempting || other.is_master() || other.instance.preempt == Preempt::Always;
            if would && theirs > ours && gap > jitter && group_of(other.host, &other.name).is_none() {
                let text = format!(
                    "{} takes over with priority {ours}, though {} has {theirs}",
                    cluster.host_name(host),
                    cluster.host_name(other.id()),
                );
                self.broken(cluster.now, Rule::BestFirst, text);
            }
        }
        let master = part.masters().find(|master| {
            master.id() != host
                && master.seen.is_some_and(|seen| cluster.now.since(seen.since) > part.settled(cluster))
        });
        if let Some(master) =
            master.filter(|_| mine.instance.preempt == Preempt::Never && mine.priority() != Priority::OWNER)
        {
            let text = format!(
                "{} may not preempt, and takes over from {}, which is alive",
                cluster.host_name(host),
                cluster.host_name(master.id())
            );
            self.broken(cluster.now, Rule::NoPreempt, text);
        }
    }

    /// Its timer ran out: three intervals without a word, or as many as are configured, and the preemption delay.
    pub(super) fn judge_patience(
        &mut self,
        cluster: &Cluster,
        host: HostId,
        name: &Arc<str>,
        reason: &Reason,
    ) {
        let Some(key) = self.ledger.key(host, name) else { return };
        let Some(at) = cluster.hosts.get(host.0) else { return };
        let Some(instance) = at.instance(name) else { return };
        let Some(seen) = self.ledger.seen(host, name).filter(|seen| seen.state == StateName::Backup) else {
            return;
        };
        // By the time of arrival: a host that slept counts from there too.
        // What it decided when it woke, it decided as of what had come while it slept.
        let slept = self.excuses.path(host) >= seen.since;
        let Some(heard) = self.heard.get(&(host, key)).copied().or_else(|| (!slept).then_some(seen.since))
        else {
            return;
        };
        let (silent, least) = match (reason, instance.preempt) {
            (Reason::MasterDown { .. }, _) => {
                let others = self.ledger.members(key).filter_map(|(id, name)| self.member(cluster, id, name));
                let interval =
                    others.map(|other| other.instance.advert_interval).min().unwrap_or(Centis::new(0));
                let least = interval.duration() * u32::from(instance.down_timer_adverts);
                (cluster.now.since(heard), least)
            }
            (Reason::Preempts { .. }, Preempt::After(delay)) => (cluster.now.since(seen.since), delay),
            _ => return,
        };
        // What a slow kernel holds up is told late.
        let told_late = !at.kernel_cost.is_zero();
        if silent + SLACK < least && !told_late && self.excuses.host(host) < cluster.now {
            let host = cluster.host_name(host);
            let text = format!("{name} of {host} takes over after {silent:?}, before {least:?} are over");
            self.broken(cluster.now, Rule::NotTooEarly, text);
        }
    }

    /// The part of an instance, if nothing has excused anything in it for long enough.
    fn settled_part<'a>(
        &self,
        cluster: &'a Cluster,
        host: HostId,
        name: &Arc<str>,
    ) -> Option<(Part<'a>, Key)> {
        let key = self.ledger.key(host, name)?;
        cluster.lans.get(key.lan.0).filter(|lan| lan.quality.is_good())?;
        let part = self.part_of(cluster, key, host)?;
        (self.calm_since(&part) + part.settled(cluster) < cluster.now).then_some((part, key))
    }

    /// It yielded to `theirs`, which must be better.
    pub(super) fn judge_yield(
        &mut self,
        cluster: &Cluster,
        host: HostId,
        name: &str,
        theirs: (Priority, IpAddr),
        ours: Priority,
    ) {
        let Some(at) = cluster.hosts.get(host.0) else { return };
        let Some(instance) = at.instance(name) else { return };
        let port = instance.interface.as_ref().and_then(|port| at.ports.get(port));
        let own = instance.source.or_else(|| port.and_then(|port| port.source(instance.family)));
        let Some(own) = own else { return };
        if theirs < (ours, own) {
            let text = format!(
                "{} yields with priority {ours} at {own} to {} at {}",
                cluster.host_name(host),
                theirs.0,
                theirs.1
            );
            self.broken(cluster.now, Rule::LesserYields, text);
        }
    }

    /// A master said that it stops: the others know it after the skew time.
    pub(super) fn await_release(&mut self, cluster: &Cluster, host: HostId, name: &Arc<str>) {
        let Some(key) = self.ledger.key(host, name) else { return };
        // Whoever has heard another master since follows that one.
        let patience = cluster.hosts.get(host.0).and_then(|host| {
            let instance = host.instance(name)?;
            Some(instance.advert_interval.duration() * 3 / 2)
        });
        let was_master = self.ledger.seen(host, name).is_some_and(|seen| {
            let lately = seen.sent.is_some_and(|sent| Some(cluster.now.since(sent)) <= patience);
            seen.state == StateName::Master && lately
        });
        let alone = cluster.hosts.get(host.0).is_some_and(|host| group_of(host, name).is_none());
        let part = self.part_of(cluster, key, host).filter(|_| was_master && alone);
        let Some(part) = part else { return };
        let others: Vec<_> = part.workers().filter(|member| member.id() != host).collect();
        let calm = others.iter().map(|member| self.excuses.host(member.id()));
        let calm = calm.chain([self.excuses.lan(key.lan)]).max().unwrap_or(Instant::ZERO);
        let since = self.ledger.seen(host, name).map_or(Instant::ZERO, |seen| seen.since);
        let long = part.settled(cluster);
        let good = cluster.lans.get(key.lan.0).is_some_and(|lan| lan.quality.is_good());
        if others.is_empty() || !good || calm.max(since) + long > cluster.now {
            return;
        }
        let longest =
            |member: &&Member<'_>| skew(member.instance.version, member.priority(), part.longest_interval());
        let skew = others.iter().map(longest).max().unwrap_or_default();
        self.awaited.insert((cluster.now + skew + part.slack(cluster), key, cluster.now));
    }

    pub(super) fn judge_release(&mut self, cluster: &Cluster, key: Key, since: Instant) {
        let parts = self.parts(cluster, key);
        let workers: BTreeSet<_> = parts.iter().flat_map(|part| part.workers().map(Member::id)).collect();
        let disturbed = |host: &HostId| self.excuses.host(*host) >= since;
        let undisturbed = self.excuses.lan(key.lan) < since && workers.iter().any(|host| !disturbed(host));
        let vacant = parts.iter().all(|part| part.masters().next().is_none());
        if vacant && undisturbed && parts.len() == 1 && !workers.iter().all(disturbed) {
            let by = cluster.now.since(since);
            let text =
                format!("{by:?} after its master said that it stops, nobody is master of VRID {}", key.vrid);
            self.broken(cluster.now, Rule::ReleaseIsHeard, text);
        }
    }
}

fn names<'a>(cluster: &Cluster, members: impl Iterator<Item = &'a Member<'a>>) -> String {
    members.map(|member| cluster.host_name(member.id())).collect::<Vec<_>>().join(" and ")
}

/// What turns and effects may add to the protocol's times.
const SLACK: Duration = Duration::from_millis(20);
/// How much longer a group listens after it has lost a race against another.
const GROUP_RACE: Duration = Duration::from_millis(256);
/// What two timers that began at one packet may differ.
const JITTER: Duration = Duration::from_micros(500);
