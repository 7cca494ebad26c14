//! When gratuitous ARP and neighbour advertisements are due, and their pacing.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use model::vrrp::{ExtraGarp, Garp, GarpGroup, VirtualAddress};
use model::{Family, IfName, Instant};

use crate::{Action, Actions, Announce, InstanceId};

/// What a master still owes its link: a second burst, periodic refreshes, and one question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct AnnouncePlan {
    second: Option<Burst>,
    refresh_at: Option<Instant>,
    /// When to refresh what is on other interfaces (`garp_extra_if`).
    extra_at: Option<Instant>,
    /// When to answer another master that was heard again soon after the last answer: what it told the link since
    /// is corrected then.
    again_at: Option<Instant>,
    /// When to ask whether somebody else answers for the addresses.
    probe_at: Option<Instant>,
}

/// From becoming master to that question: a master that had to yield has released the addresses by then.
const PROBE_DELAY: Duration = Duration::from_secs(1);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Burst {
    at: Instant,
    repeat: u32,
}

impl AnnouncePlan {
    /// The plan of a new master, whose first burst goes out now.
    pub(crate) fn new(now: Instant, garp: &Garp, extra: Option<ExtraGarp>) -> Self {
        let second = garp.delay.map(|delay| Burst { at: now + delay, repeat: garp.repeat });
        let refresh_at = garp.refresh.map(|every| now + every);
        let extra_at = extra.map(|extra| now + extra.interval);
        Self { second, refresh_at, extra_at, again_at: None, probe_at: Some(now + PROBE_DELAY) }
    }

    /// Another master was heard and had to be contradicted: a burst goes out now, and one later.
    pub(crate) fn contention(&mut self, now: Instant, garp: &Garp) {
        self.again_at = None;
        if let Some(delay) = garp.lower_prio_delay.filter(|_| garp.lower_prio_repeat > 0) {
            self.second = Some(Burst { at: now + delay, repeat: garp.lower_prio_repeat });
        }
    }

    /// Another master was heard although the last answer to one is recent: a burst goes out at `at`.
    pub(crate) fn contention_again(&mut self, at: Instant, garp: &Garp) {
        if garp.lower_prio_repeat > 0 {
            self.again_at.get_or_insert(at);
        }
    }

    /// A reload changed the settings: refreshes begin, end or change their pace now. The second burst, which
    /// belongs to the takeover that has been, stays.
    pub(crate) fn reconfigure(&mut self, now: Instant, before: &Garp, garp: &Garp) {
        if before.refresh != garp.refresh {
            self.refresh_at = garp.refresh.map(|every| now + every);
        }
    }

    /// As [`Self::reconfigure`], of the refreshes on other interfaces.
    pub(crate) fn reconfigure_extra(
        &mut self,
        now: Instant,
        before: Option<ExtraGarp>,
        extra: Option<ExtraGarp>,
    ) {
        if before.map(|before| before.interval) != extra.map(|extra| extra.interval) {
            self.extra_at = extra.map(|extra| now + extra.interval);
        }
    }

    /// The next moment at which something is owed.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        [self.second.map(|burst| burst.at), self.refresh_at, self.extra_at, self.again_at, self.probe_at]
            .into_iter()
            .flatten()
            .min()
    }

    /// Whether the question is due now; it is then no longer owed.
    pub(crate) fn take_probe(&mut self, now: Instant) -> bool {
        self.probe_at.take_if(|at| *at <= now).is_some()
    }

    /// Whether other interfaces are to be refreshed now; the next time is then another interval away.
    pub(crate) fn take_extra(&mut self, now: Instant, extra: Option<ExtraGarp>) -> bool {
        let due = self.extra_at.take_if(|at| *at <= now).is_some();
        if due {
            self.extra_at = extra.map(|extra| now + extra.interval);
        }
        due
    }

    /// How many messages per address are due now, if any; they are then no longer owed.
    pub(crate) fn take_due(&mut self, now: Instant, garp: &Garp) -> Option<u32> {
        let second = self.second.take_if(|burst| burst.at <= now).map(|burst| burst.repeat);
        let refresh = self.refresh_at.take_if(|at| *at <= now).map(|_| garp.refresh_repeat);
        if refresh.is_some() {
            self.refresh_at = garp.refresh.map(|every| now + every);
        }
        let again = self.again_at.take_if(|at| *at <= now).map(|_| garp.lower_prio_repeat);
        second.max(refresh).max(again)
    }
}

/// Announcements that wait for the least gap on their interface (`vrrp_garp_interval`, `vrrp_gna_interval`), or on
/// those that share one (`garp_group`). Gratuitous ARP and neighbour advertisements do not wait for each other.
///
/// Without a gap they pass straight through.
#[derive(Clone, Debug)]
pub(crate) struct Pacer {
    queues: BTreeMap<(Lane, Family), Queue>,
    groups: Vec<GarpGroup>,
}

/// What has one pace.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Lane {
    Device(IfName),
    /// The group of that number.
    Group(usize),
}

#[derive(Clone, Debug)]
struct Queue {
    next_at: Instant,
    gap: Duration,
    waiting: VecDeque<Announce>,
}

/// More than this many waiting on one interface are not kept: the refresh and the second burst repeat them.
const MOST_WAITING: usize = 65_536;

impl Pacer {
    pub(crate) const fn new() -> Self {
        Self { queues: BTreeMap::new(), groups: Vec::new() }
    }

    /// From now on these interfaces share their pace. What waits already keeps the pace that it has.
    pub(crate) fn share(&mut self, groups: &[GarpGroup]) {
        self.groups = groups.to_vec();
    }

    /// Sends `announce` now or in its turn.
    pub(crate) fn push(&mut self, now: Instant, announce: Announce, garp: &Garp, out: &mut Actions) {
        let family = announce.address.into();
        let (lane, gap) = self.lane(&announce.device, family, garp);
        let key = (lane, family);
        if gap.is_zero() && !self.queues.contains_key(&key) {
            out.push(Action::Announce(announce));
            return;
        }
        let queue =
            self.queues.entry(key).or_insert_with(|| Queue { next_at: now, gap, waiting: VecDeque::new() });
        queue.gap = gap;
        if queue.waiting.len() < MOST_WAITING {
            queue.waiting.push_back(announce);
        }
        self.expire(now, out);
    }

    /// Where it waits, and the gap there.
    fn lane(&self, device: &IfName, family: Family, garp: &Garp) -> (Lane, Duration) {
        let is_in = |group: &GarpGroup| group.interfaces.contains(device);
        let group = self.groups.iter().enumerate().find(|(_, group)| is_in(group));
        let (lane, arp, neighbour) = match group {
            Some((number, group)) => (Lane::Group(number), group.garp_interval, group.gna_interval),
            None => (Lane::Device(device.clone()), garp.interval, garp.gna_interval),
        };
        (lane, if family == Family::V4 { arp } else { neighbour })
    }

    /// What waits for an instance that is no longer master is not sent.
    pub(crate) fn forget(&mut self, instance: InstanceId) {
        for queue in self.queues.values_mut() {
            queue.waiting.retain(|announce| announce.instance != instance);
        }
    }

    /// What waits for an address that a reload took away is not sent.
    pub(crate) fn retain(&mut self, instance: InstanceId, addresses: &[VirtualAddress]) {
        let is_held = |announce: &Announce| {
            addresses
                .iter()
                .any(|held| held.prefix.address() == announce.address && held.device == announce.device)
        };
        for queue in self.queues.values_mut() {
            queue.waiting.retain(|announce| announce.instance != instance || is_held(announce));
        }
    }

    /// The next moment at which a message may go out.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        self.queues.values().map(|queue| queue.next_at).min()
    }

    /// Sends what is due. One message at a time, so that the gap holds between the messages of a burst too.
    pub(crate) fn expire(&mut self, now: Instant, out: &mut Actions) {
        self.queues.retain(|_, queue| {
            while queue.next_at <= now {
                let Some(first) = queue.waiting.front_mut() else { return false };
                out.push(Action::Announce(Announce { count: 1, ..first.clone() }));
                first.count = first.count.saturating_sub(1);
                if first.count == 0 {
                    queue.waiting.pop_front();
                }
                queue.next_at = now + queue.gap;
                if queue.gap.is_zero() && queue.waiting.is_empty() {
                    return false;
                }
            }
            true
        });
    }
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use super::*;

    fn at(secs: u64) -> Instant {
        Instant::ZERO + Duration::from_secs(secs)
    }

    #[test]
    fn a_new_master_owes_one_second_burst_and_refreshes_for_ever() {
        let garp = Garp { refresh: Some(Duration::from_secs(60)), refresh_repeat: 2, ..Garp::default() };
        let mut plan = AnnouncePlan::new(at(0), &garp, None);
        assert_eq!(plan.deadline(), Some(at(1)), "the question comes first");
        assert!(!plan.take_probe(at(0)) && plan.take_probe(at(1)) && !plan.take_probe(at(1)));
        assert_eq!(plan.deadline(), Some(at(5)));
        assert_eq!(plan.take_due(at(4), &garp), None);
        assert_eq!(plan.take_due(at(5), &garp), Some(5));
        assert_eq!(plan.deadline(), Some(at(60)));
        assert_eq!(plan.take_due(at(60), &garp), Some(2));
        assert_eq!(plan.deadline(), Some(at(120)));
    }

    #[test]
    fn no_delay_means_no_second_burst() {
        let garp = Garp { delay: None, ..Garp::default() };
        let mut plan = AnnouncePlan::new(at(0), &garp, None);
        plan.take_probe(at(1));
        assert_eq!(plan.deadline(), None);
    }

    #[test]
    fn pacing_keeps_the_gap_within_and_between_bursts() {
        let mut pacer = Pacer::new();
        let mut out = Actions::default();
        let device: IfName = "eth1".parse().unwrap();
        let garp = Garp { interval: Duration::from_secs(1), ..Garp::default() };
        for last in [1, 2] {
            let (instance, address) = (InstanceId::FIRST, [10, 0, 0, last].into());
            let announce = Announce { instance, device: device.clone(), address, count: 2 };
            pacer.push(at(0), announce, &garp, &mut out);
        }
        let mut sent = Vec::new();
        for second in 0..6 {
            pacer.expire(at(second), &mut out);
            sent.extend(out.drain().map(|action| match action {
                Action::Announce(a) => (second, a.address, a.count),
                other => panic!("{other:?}"),
            }));
        }
        let of = |last| IpAddr::from([10, 0, 0, last]);
        assert_eq!(sent, [(0, of(1), 1), (1, of(1), 1), (2, of(2), 1), (3, of(2), 1)]);
        assert_eq!(pacer.deadline(), None, "an empty queue waits for nothing");
    }

    #[test]
    fn interfaces_of_a_group_share_one_gap_for_each_family() {
        let mut pacer = Pacer::new();
        let mut out = Actions::default();
        let devices: [IfName; 3] = ["eth1", "eth2", "eth3"].map(|name| name.parse().unwrap());
        let [first, second, _] = devices.clone();
        let gap = Duration::from_secs(1);
        let interfaces = vec![first, second];
        pacer.share(&[GarpGroup { garp_interval: gap, gna_interval: Duration::ZERO, interfaces }]);
        for (device, address) in devices.iter().flat_map(|device| [(device, "10.0.0.1"), (device, "fd00::1")])
        {
            let address = address.parse().unwrap();
            let announce =
                Announce { instance: InstanceId::FIRST, device: device.clone(), address, count: 1 };
            pacer.push(at(0), announce, &Garp::default(), &mut out);
        }
        let sent = |out: &mut Actions| out.drain().count();
        assert_eq!(sent(&mut out), 5, "all but the gratuitous ARP on eth2");
        pacer.expire(at(1), &mut out);
        assert_eq!(sent(&mut out), 1);
    }
}
