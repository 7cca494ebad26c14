//! Who was what when, taken from the story of a cluster.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use model::{Instant, Priority};
use vrrp::{Level, Notice, Reason, StateName};

use super::plan::{Part, VirtualRouter};
use crate::{Act, Cluster, Entry, HostId, LanId, What};

/// What happened between two times.
#[derive(Clone, Debug)]
pub struct Timeline {
    /// Where it begins.
    pub from: Instant,
    /// Where it ends.
    pub until: Instant,
    /// Each instance of each host, in its states, earliest first.
    pub lanes: Vec<Lane>,
    /// What was done to the cluster.
    pub marks: Vec<Mark>,
}

/// One instance of one host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lane {
    /// Whose.
    pub part: Part,
    /// Its states, without gaps.
    pub bars: Vec<Bar>,
}

/// A state and how long it lasted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bar {
    /// The state; `None` while no daemon runs it.
    pub state: Option<StateName>,
    /// Its effective priority; 0 while no daemon runs it.
    pub priority: Priority,
    /// Its beginning.
    pub from: Instant,
    /// Its end.
    pub until: Instant,
    /// Why it entered the state, if it did so then.
    pub reason: Option<Reason>,
}

/// Something that was done to the cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mark {
    /// When.
    pub at: Instant,
    /// In the words of a scenario.
    pub text: String,
}

/// How the masters of a virtual router were spread over a time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Measure {
    /// So long no host that can be reached was master.
    pub without: Duration,
    /// So long two that hear each other were.
    pub two: Duration,
    /// So long several that do not hear each other were.
    pub apart: Duration,
    /// How often a host became master.
    pub changes: usize,
}

/// Hosts that reach each other, part by part.
pub(super) type Parts = Vec<BTreeSet<HostId>>;

/// Writes a timeline while a cluster runs.
#[derive(Clone, Debug, Default)]
pub(super) struct Recorder {
    lanes: BTreeMap<Part, Vec<Bar>>,
    marks: Vec<Mark>,
    reaches: Vec<Reach>,
    /// What the daemons warned of.
    warnings: Vec<(Instant, HostId, Notice)>,
    reasons: BTreeMap<Part, (StateName, Reason)>,
    /// How much of the story it has read.
    read: usize,
}

/// Who reached whom on each LAN, from one time on.
#[derive(Clone, Debug)]
struct Reach {
    from: Instant,
    lans: Vec<Parts>,
}

impl Recorder {
    /// Something is done now.
    pub(super) fn apply(&mut self, cluster: &mut Cluster, act: &Act) {
        self.read(cluster);
        self.marks.push(Mark { at: cluster.now(), text: cluster.describe(act) });
        cluster.apply(act);
        if let Act::Crash(host) | Act::KillDaemon(host) = act {
            self.off(*host, cluster.now());
        }
        self.read(cluster);
        let reach =
            Reach { from: cluster.now(), lans: cluster.lans().map(|lan| parts(cluster, lan)).collect() };
        self.reaches.retain(|other| other.from != reach.from);
        self.reaches.push(reach);
    }

    /// Time passes.
    pub(super) fn run_until(&mut self, cluster: &mut Cluster, end: Instant) {
        cluster.run_until(end);
        self.read(cluster);
    }

    fn read(&mut self, cluster: &Cluster) {
        let entries = cluster.story().entries();
        for entry in entries.iter().skip(self.read) {
            self.entry(entry);
        }
        self.read = entries.len();
    }

    fn entry(&mut self, entry: &Entry) {
        let Some(host) = entry.host else { return };
        match &entry.what {
            What::State { instance, state, priority } => {
                let part = Part { host, instance: instance.clone() };
                let entered = self.reasons.remove(&part).filter(|(entered, _)| entered == state);
                let reason = entered.map(|(_, reason)| reason);
                self.enter(part, Some(*state), *priority, entry.at, reason);
            }
            What::Gone(instance) => {
                self.enter(Part { host, instance: instance.clone() }, None, Priority(0), entry.at, None);
            }
            What::Said(notice) => {
                if let Notice::Entering { instance, state, reason } = notice {
                    let part = Part { host, instance: instance.to_string() };
                    self.reasons.insert(part, (*state, reason.clone()));
                } else if notice.level() == Level::Warning {
                    self.warnings.push((entry.at, host, notice.clone()));
                }
            }
            What::Stopped => self.off(host, entry.at),
            What::Act(_) | What::Did(_) | What::Began | What::Broken(_) => {}
        }
    }

    fn off(&mut self, host: HostId, at: Instant) {
        let parts: Vec<_> = self.lanes.keys().filter(|part| part.host == host).cloned().collect();
        for part in parts {
            self.enter(part, None, Priority(0), at, None);
        }
    }

    fn enter(
        &mut self,
        part: Part,
        state: Option<StateName>,
        priority: Priority,
        at: Instant,
        reason: Option<Reason>,
    ) {
        let bars = self.lanes.entry(part).or_default();
        if let Some(last) = bars.last_mut() {
            if (last.state, last.priority) == (state, priority) {
                return;
            }
            last.until = at;
        }
        bars.push(Bar { state, priority, from: at, until: Instant::from_nanos(u64::MAX), reason });
    }

    /// What the daemons warned of since `from`.
    pub(super) fn warnings(&self, from: Instant) -> impl Iterator<Item = (HostId, &Notice)> {
        self.warnings.iter().filter(move |(at, ..)| *at >= from).map(|(_, host, notice)| (*host, notice))
    }

    /// The states of a part that touch this span.
    pub(super) fn bars(
        &self,
        part: &Part,
        from: Instant,
        until: Instant,
    ) -> impl DoubleEndedIterator<Item = &Bar> {
        let bars = self.lanes.get(part).map(Vec::as_slice).unwrap_or_default();
        // Most of a long story lies before a span that is asked for.
        let first = bars.partition_point(|bar| bar.until < from);
        bars.get(first..).unwrap_or_default().iter().filter(move |bar| bar.from <= until)
    }

    /// How masters were spread over a span.
    pub(super) fn measure(&self, router: &VirtualRouter, from: Instant, until: Instant) -> Measure {
        let lanes: Vec<(HostId, Vec<&Bar>)> =
            router.parts.iter().map(|part| (part.host, self.bars(part, from, until).collect())).collect();
        let mut edges: BTreeSet<Instant> = [from, until].into();
        let bars = lanes.iter().flat_map(|(_, bars)| bars);
        edges.extend(bars.map(|bar| bar.from).filter(|at| (from..until).contains(at)));
        edges.extend(self.reaches.iter().map(|reach| reach.from).filter(|at| (from..until).contains(at)));
        let edges: Vec<_> = edges.into_iter().collect();
        let mut measure = Measure { changes: begun(&lanes, from), ..Measure::default() };
        for pair in edges.windows(2) {
            let [start, end] = pair else { continue };
            let is_master = |bars: &[&Bar]| bars.iter().any(|bar| bar.is_master_at(*start));
            let masters: BTreeSet<HostId> =
                lanes.iter().filter(|(_, bars)| is_master(bars)).map(|(host, _)| *host).collect();
            measure.add(&masters, self.parts_at(router.lan, *start), end.since(*start));
        }
        measure
    }

    fn parts_at(&self, lan: LanId, at: Instant) -> &[BTreeSet<HostId>] {
        let reach = self.reaches.iter().rev().find(|reach| reach.from <= at);
        reach.and_then(|reach| reach.lans.get(lan.0)).map(Vec::as_slice).unwrap_or_default()
    }

    /// All that happened in a span.
    pub(super) fn timeline(&self, from: Instant, until: Instant) -> Timeline {
        let clip = |bar: &Bar| Bar { from: bar.from.max(from), until: bar.until.min(until), ..bar.clone() };
        let lane = |part: &Part| Lane {
            part: part.clone(),
            bars: self.bars(part, from, until).map(clip).filter(|bar| bar.from < bar.until).collect(),
        };
        let marks = self.marks.iter().filter(|mark| (from..=until).contains(&mark.at));
        Timeline {
            from,
            until,
            lanes: self.lanes.keys().map(lane).collect(),
            marks: marks.cloned().collect(),
        }
    }
}

/// How often one of these became master after `from`.
fn begun(lanes: &[(HostId, Vec<&Bar>)], from: Instant) -> usize {
    let mut count = 0;
    for (_, bars) in lanes {
        let before = std::iter::once(None).chain(bars.iter().map(|bar| bar.state));
        for (bar, before) in bars.iter().zip(before) {
            let is_new = bar.is_master() && before != Some(StateName::Master);
            count += usize::from(is_new && bar.from > from);
        }
    }
    count
}

impl Measure {
    fn add(&mut self, masters: &BTreeSet<HostId>, parts: &[BTreeSet<HostId>], span: Duration) {
        let mut led = parts.iter().map(|part| part.intersection(masters).count()).filter(|count| *count > 0);
        match (led.clone().count(), led.any(|count| count > 1)) {
            (0, _) => self.without += span,
            (_, true) => self.two += span,
            (1, false) => {}
            (_, false) => self.apart += span,
        }
    }
}

impl Bar {
    /// It was master.
    #[must_use]
    pub fn is_master(&self) -> bool {
        self.state == Some(StateName::Master)
    }

    fn is_master_at(&self, at: Instant) -> bool {
        self.is_master() && self.from <= at && at < self.until
    }
}

/// The hosts on a LAN that are reached there, in parts that all hear each other.
pub(super) fn parts(cluster: &Cluster, lan: LanId) -> Parts {
    let Some(wire) = cluster.lans.get(lan.0) else { return Vec::new() };
    let reached = cluster
        .hosts
        .iter()
        .filter(|host| host.ports.iter().any(|(name, port)| port.lan == lan && host.carries(name)));
    let mut parts: Parts = Vec::new();
    for host in reached.map(|host| host.id) {
        let hears = |other: &HostId| wire.carries(host, *other) && wire.carries(*other, host);
        let (near, far): (Parts, Parts) = parts.into_iter().partition(|part| part.iter().any(hears));
        parts = far;
        parts.push(near.into_iter().flatten().chain([host]).collect());
    }
    parts.sort();
    parts
}
