//! A failover rehearsed: the hosts of some configurations, everything that can fail by itself, and what becomes of it.
//!
//! ```text
//! configurations ── Plan: hosts, LANs, virtual routers, addresses ──► Cluster, started and settled
//!                                                                       │ a clone for each
//!                        Failure ── acts, until settled, repair, until settled ──► Played: phases, findings, timeline
//!                        scenario::Bound ── its steps ──► Performed: what was not as expected, timeline
//! ```

mod failure;
mod finding;
mod judge;
mod matching;
mod plan;
mod pool;
mod settle;
mod timeline;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use model::vrrp::Config;
use model::{Instant, Priority};
use vrrp::{Reason, StateName, Status};

use crate::scenario::{Bound, What};
use crate::{Act, Cluster, HostId, Violation};
pub use failure::{Failure, Fault};
pub use finding::{Finding, Remedy, Weight, WhyNotBack};
use judge::{Scene, masters, standing};
pub use plan::{
    LeftOut, Origin, Part, Plan, PlannedAddress, PlannedHost, PlannedInterface, PlannedLan, VirtualRouter,
    WhyLeftOut,
};
pub use settle::MOST as LONGEST_WAIT;
use timeline::Recorder;
pub use timeline::{Bar, Lane, Mark, Measure, Timeline};

/// A cluster that has come to rest, and what can be tried on it.
#[derive(Clone, Debug)]
pub struct Rehearsal {
    plan: Plan,
    /// Nothing runs yet.
    cold: Cluster,
    settled: Cluster,
    recorder: Recorder,
    /// After so long all that follows from an event has happened.
    settles: Duration,
    start: Phase,
    /// How each part of each router stands at rest.
    rest: Vec<Vec<Option<Status>>>,
}

/// A span of time that begins with an event and lasts until all is settled.
#[derive(Clone, Debug)]
pub struct Phase {
    /// Its beginning.
    pub from: Instant,
    /// Its end.
    pub until: Instant,
    /// What became of each virtual router, in the order of the plan.
    pub courses: Vec<Course>,
}

/// What became of a virtual router in a phase.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Course {
    /// Who was master before it.
    pub before: BTreeSet<HostId>,
    /// Who is master after it.
    pub after: BTreeSet<HostId>,
    /// How masters were spread over it.
    pub measure: Measure,
    /// When each new master became it, counted from the beginning, and why; the last one first.
    pub became: Vec<Became>,
    /// What is to be said of it, worst first.
    pub findings: Vec<Finding>,
}

/// A host that became master and still is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Became {
    /// Who.
    pub host: HostId,
    /// When, counted from the beginning of the phase.
    pub after: Duration,
    /// Why, as its daemon says.
    pub reason: Option<Reason>,
}

/// A failure that was played.
#[derive(Clone, Debug)]
pub struct Played {
    /// What failed.
    pub failure: Failure,
    /// From the failure on.
    pub broken: Phase,
    /// From the repair on, if there is anything to repair.
    pub repaired: Option<Phase>,
    /// All of it, and a moment before.
    pub timeline: Timeline,
}

/// A scenario that was played.
#[derive(Clone, Debug)]
pub struct Performed {
    /// When it began.
    pub from: Instant,
    /// What was expected, and what was found.
    pub expectations: Vec<Expectation>,
    /// The rules that the daemons broke.
    pub violations: Vec<Violation>,
    /// How masters were spread over it, router by router.
    pub measures: Vec<Measure>,
    /// All of it.
    pub timeline: Timeline,
}

/// What a scenario expected at one time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expectation {
    /// The line that expects it.
    pub line: usize,
    /// When, counted from the beginning.
    pub at: Duration,
    /// The instance.
    pub instance: String,
    /// Who should be master.
    pub expected: BTreeSet<HostId>,
    /// Who is.
    pub found: BTreeSet<HostId>,
}

impl Expectation {
    /// It is as it should be.
    #[must_use]
    pub fn is_met(&self) -> bool {
        self.expected == self.found
    }
}

impl Rehearsal {
    /// Starts hosts with these names and configurations at the same moment and lets them settle. All chance comes from
    /// `seed`.
    #[must_use]
    pub fn of(hosts: impl IntoIterator<Item = (String, Arc<Config>)>, seed: u64) -> Self {
        let plan = Plan::of(hosts);
        let cold = plan.cluster(seed);
        let settles = settle::bound(plan.hosts.iter().map(|host| &*host.config));
        let mut settled = cold.clone();
        settled.unwatch();
        let mut recorder = Recorder::default();
        for host in settled.hosts() {
            recorder.apply(&mut settled, &Act::Start(host));
        }
        recorder.run_until(&mut settled, Instant::ZERO + settles);
        let worst = last_advertisement(&settled);
        recorder.run_until(&mut settled, worst);
        let standings =
            |router: &VirtualRouter| router.parts.iter().map(|part| standing(&settled, part)).collect();
        let rest = plan.routers.iter().map(standings).collect();
        let start = Phase { from: Instant::ZERO, until: settled.now(), courses: Vec::new() };
        let mut rehearsal = Self { plan, cold, settled, recorder, settles, start, rest };
        rehearsal.start = rehearsal.phase(
            &rehearsal.settled,
            &rehearsal.recorder,
            None,
            Instant::ZERO,
            &rehearsal.nobody(),
        );
        rehearsal
    }

    /// Hosts, LANs and virtual routers.
    #[must_use]
    pub const fn plan(&self) -> &Plan {
        &self.plan
    }

    /// The cluster at rest.
    #[must_use]
    pub const fn cluster(&self) -> &Cluster {
        &self.settled
    }

    /// From the start to the rest.
    #[must_use]
    pub const fn start(&self) -> &Phase {
        &self.start
    }

    /// How long each phase lasts.
    #[must_use]
    pub const fn settles(&self) -> Duration {
        self.settles
    }

    /// The effective priority of each part of the `number`th router at rest, in order of hosts.
    pub fn priorities(&self, number: usize) -> impl Iterator<Item = (HostId, Option<Priority>)> + '_ {
        let parts = self.plan.routers.get(number).map(|router| router.parts.as_slice()).unwrap_or_default();
        let states = self.rest.get(number).map(Vec::as_slice).unwrap_or_default();
        parts
            .iter()
            .zip(states)
            .map(|(part, status)| (part.host, status.as_ref().map(|status| status.priority)))
    }

    /// Everything that can fail by itself.
    #[must_use]
    pub fn failures(&self) -> Vec<Failure> {
        failure::single(&self.plan)
    }

    /// Every two of these at the same moment.
    #[must_use]
    pub fn pairs(&self) -> Vec<Failure> {
        failure::pairs(&self.failures())
    }

    /// Lets something fail, and repairs it.
    #[must_use]
    pub fn play(&self, failure: &Failure) -> Played {
        let (mut cluster, mut recorder) = (self.settled.clone(), self.recorder.clone());
        let failed_at = cluster.now();
        for act in failure.acts(&self.plan) {
            recorder.apply(&mut cluster, &act);
        }
        recorder.run_until(&mut cluster, failed_at + self.settles);
        let broken = self.phase(&cluster, &recorder, Some(failure), failed_at, &self.masters_at_rest());
        let repair = failure.repair();
        let repaired = (!repair.is_empty()).then(|| {
            let at = cluster.now();
            let before = self.masters(&cluster);
            for act in repair {
                recorder.apply(&mut cluster, &act);
            }
            recorder.run_until(&mut cluster, at + self.settles);
            self.after_repair(&cluster, &recorder, at, &before)
        });
        let timeline = recorder.timeline(failed_at - LEAD, cluster.now());
        Played { failure: failure.clone(), broken, repaired, timeline }
    }

    fn after_repair(
        &self,
        cluster: &Cluster,
        recorder: &Recorder,
        at: Instant,
        before: &[BTreeSet<HostId>],
    ) -> Phase {
        let mut phase = self.phase(cluster, recorder, None, at, before);
        let scene = Scene { plan: &self.plan, cluster, recorder, failure: None, from: at };
        let at_rest = self.masters_at_rest();
        for ((course, router), rest) in phase.courses.iter_mut().zip(&self.plan.routers).zip(&at_rest) {
            course.findings.extend(scene.not_back(router, rest).filter(|_| !course.after.is_empty()));
        }
        phase
    }

    /// Plays a scenario, on hosts that have settled unless it begins `cold`.
    #[must_use]
    pub fn perform(&self, scenario: &Bound, cold: bool) -> Performed {
        let (mut cluster, mut recorder) = (self.cold.clone(), Recorder::default());
        if !cold {
            for host in cluster.hosts() {
                recorder.apply(&mut cluster, &Act::Start(host));
            }
            recorder.run_until(&mut cluster, self.settled.now());
        }
        let from = cluster.now();
        let mut expectations = Vec::new();
        for step in &scenario.steps {
            recorder.run_until(&mut cluster, from + step.at);
            match &step.what {
                What::Act(act) => recorder.apply(&mut cluster, act),
                What::Expect { instance, hosts } => {
                    let found = self.masters_of(&cluster, instance);
                    let (line, at, instance) = (step.line, step.at, instance.clone());
                    let expected = hosts.clone();
                    expectations.push(Expectation { line, at, instance, expected, found });
                }
            }
        }
        let last = scenario.steps.last().map_or(Duration::ZERO, |step| step.at);
        recorder.run_until(&mut cluster, from + scenario.end.unwrap_or(last + self.settles));
        let until = cluster.now();
        let measures = self.plan.routers.iter().map(|router| recorder.measure(router, from, until)).collect();
        Performed {
            from,
            expectations,
            violations: cluster.violations().to_vec(),
            measures,
            timeline: recorder.timeline(from, until),
        }
    }

    /// Who is master of the routers that an instance of this name belongs to.
    fn masters_of(&self, cluster: &Cluster, instance: &str) -> BTreeSet<HostId> {
        let parts = self.plan.routers_of(instance).flat_map(|router| &router.parts);
        let is_master =
            |part: &&Part| standing(cluster, part).is_some_and(|status| status.state == StateName::Master);
        parts.filter(is_master).map(|part| part.host).collect()
    }

    fn nobody(&self) -> Vec<BTreeSet<HostId>> {
        vec![BTreeSet::new(); self.plan.routers.len()]
    }

    fn masters_at_rest(&self) -> Vec<BTreeSet<HostId>> {
        self.plan.routers.iter().zip(&self.rest).map(|(router, states)| masters(states, router)).collect()
    }

    fn masters(&self, cluster: &Cluster) -> Vec<BTreeSet<HostId>> {
        let of = |router: &VirtualRouter| {
            let states: Vec<_> = router.parts.iter().map(|part| standing(cluster, part)).collect();
            masters(&states, router)
        };
        self.plan.routers.iter().map(of).collect()
    }

    fn phase(
        &self,
        cluster: &Cluster,
        recorder: &Recorder,
        failure: Option<&Failure>,
        from: Instant,
        before: &[BTreeSet<HostId>],
    ) -> Phase {
        let until = cluster.now();
        let scene = Scene { plan: &self.plan, cluster, recorder, failure, from };
        let after = self.masters(cluster);
        let routers = self.plan.routers.iter().zip(&self.rest).zip(before.iter().zip(after));
        let courses = routers.map(|((router, rest), (before, after))| {
            let measure = recorder.measure(router, from, until);
            let became = became(recorder, router, &after, from, until);
            let findings = scene.findings(router, &measure, rest);
            Course { before: before.clone(), after, measure, became, findings }
        });
        Phase { from, until, courses: courses.collect() }
    }
}

/// When every master has just advertised: who fails then is missed last. Masters of one host speak at their own times, so
/// that this is exact for one of them, the last.
fn last_advertisement(cluster: &Cluster) -> Instant {
    let all = cluster.hosts().flat_map(|host| cluster.status(host));
    let masters = all.filter(|status| status.state == StateName::Master);
    let due = masters.filter_map(|status| status.deadline).filter(|(_, why)| *why == Reason::AdvertDue);
    due.map(|(at, _)| at + JUST_AFTER).max().unwrap_or_else(|| cluster.now())
}

/// The masters that became it in the span, the last one first.
fn became(
    recorder: &Recorder,
    router: &VirtualRouter,
    masters: &BTreeSet<HostId>,
    from: Instant,
    until: Instant,
) -> Vec<Became> {
    let parts = router.parts.iter().filter(|part| masters.contains(&part.host));
    let mut all: Vec<_> = parts
        .filter_map(|part| {
            let bars: Vec<_> = recorder.bars(part, from, until).collect();
            let entered = bars.iter().rev().take_while(|bar| bar.is_master()).last()?;
            let became = || Became {
                host: part.host,
                after: entered.from.since(from),
                reason: entered.reason.clone(),
            };
            (entered.from >= from).then(became)
        })
        .collect();
    all.sort_by_key(|one| std::cmp::Reverse(one.after));
    all
}

/// An advertisement has arrived everywhere.
const JUST_AFTER: Duration = Duration::from_millis(1);
/// What a timeline shows of the rest before a failure.
const LEAD: Duration = Duration::from_secs(1);
