//! The steps: start, stop, start again, loss of power, revival.

use std::io::Write;
use std::time::Duration;

use lab::{Heard, now, wait_until};
use model::Instant;
use vrrp::{master_down_interval, skew_time};

use super::stage::{Actor, Stage};
use super::table::{self, Line, Table};

/// For a busy machine, beyond what the timers ask.
const GRACE: Duration = Duration::from_secs(3);
/// How long a new order has to last before the next step.
const DWELL: Duration = Duration::from_secs(1);
/// A client is served if it was answered this short a time ago.
const FRESH: Duration = Duration::from_millis(100);

/// Something that happens to the hosts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    StartAll,
    Stop(usize),
    StartAgain(usize),
    LosePower(usize),
    Revive(usize),
}

/// Takes all steps and prints a line for each. Whether every one ended with one holder and a client that was served.
pub(super) fn run(stage: &mut Stage, out: &mut impl Write) -> anyhow::Result<bool> {
    let table = Table::begin(stage, out)?;
    let mut well = take(stage, Step::StartAll, &table, out)?;
    for (down, up) in [
        (Step::Stop as fn(usize) -> Step, Step::StartAgain as fn(usize) -> Step),
        (Step::LosePower, Step::Revive),
    ] {
        // Whoever is master now; the first host if nobody is.
        let master = stage.holders().first().copied().unwrap_or(0);
        well &= take(stage, down(master), &table, out)?;
        well &= take(stage, up(master), &table, out)?;
    }
    table.end(well, stage, out)?;
    Ok(well)
}

fn take(stage: &mut Stage, step: Step, table: &Table, out: &mut impl Write) -> anyhow::Result<bool> {
    let before = stage.holders();
    let begin = now();
    table.announce(begin, &step.describe(stage), out)?;
    step.perform(stage)?;
    settle(stage);
    let end = now();
    let after = stage.holders();
    let served = stage.client.answered_since(end - FRESH) > 0;
    let outage = stage.client.longest_outage(begin, end);
    let well = served && after.len() == 1;
    let change = Change { step, begin, lost: outage.from, before, after };
    let asked = change.asked(stage);
    table.finish(&Line { holders: &change.after, outage, asked }, stage, out)?;
    Ok(well)
}

impl Step {
    fn perform(self, stage: &mut Stage) -> anyhow::Result<()> {
        match self {
            Self::StartAll => stage.actors.iter_mut().try_for_each(Actor::start),
            Self::Stop(index) => stage.actors[index].stop(),
            Self::StartAgain(index) => stage.actors[index].start(),
            Self::LosePower(index) => stage.actors[index].lose_power(),
            Self::Revive(index) => stage.revive(index),
        }
    }

    fn describe(self, stage: &Stage) -> String {
        let name = |index: usize| &stage.actors[index].machine.name;
        match self {
            Self::StartAll => format!("{} start", table::list(stage.actors.iter().map(|a| &*a.machine.name))),
            Self::Stop(index) => format!("{} stops (SIGTERM)", name(index)),
            Self::StartAgain(index) => format!("{} starts again", name(index)),
            Self::LosePower(index) => format!("{} loses power (kill -9)", name(index)),
            Self::Revive(index) => format!("{} comes back", name(index)),
        }
    }
}

/// Waits until the hosts are as their files want them and stay so; or, if scripts have another mind, until every timer
/// has had its time.
fn settle(stage: &mut Stage) {
    let longest = longest_wait(stage);
    let deadline = now() + 2 * longest + GRACE;
    while now() < deadline {
        let left = deadline.since(now());
        if !wait_until(left, || is_as_expected(stage)) {
            return;
        }
        // Who does not preempt takes over all the same if its timer says so: that has to be waited for.
        let dwell =
            if best(stage).is_some_and(|best| preempts(stage, best)) { DWELL } else { longest + DWELL };
        if !wait_until(dwell, || !is_as_expected(stage)) {
            return;
        }
    }
}

/// One host holds the address, the best one if that preempts, and the client is served.
fn is_as_expected(stage: &mut Stage) -> bool {
    let Some(best) = best(stage) else { return false };
    let served = stage.client.answered_since(now() - FRESH) > 0;
    let holders = stage.holders();
    served && holders.len() == 1 && (holders == [best] || !preempts(stage, best))
}

/// The running host that is to be master by the files.
fn best(stage: &mut Stage) -> Option<usize> {
    let running = stage.actors.iter_mut().enumerate().filter_map(|(index, actor)| {
        let rank = actor.rank();
        actor.is_running().then_some((rank, index))
    });
    running.max().map(|(_, index)| index)
}

fn preempts(stage: &Stage, index: usize) -> bool {
    stage.actors[index].machine.preempts()
}

/// The longest that any host waits for a master, going by the files.
fn longest_wait(stage: &Stage) -> Duration {
    let slowest = stage.actors.iter().map(|actor| actor.machine.instance.advert_interval).max();
    let waits = stage.actors.iter().map(|actor| {
        let own = &actor.machine.instance;
        let interval = slowest.unwrap_or(own.advert_interval);
        master_down_interval(own.version, own.priority, interval, own.down_timer_adverts)
    });
    waits.max().unwrap_or_default()
}

/// What a step did to the virtual router.
struct Change {
    step: Step,
    begin: Instant,
    /// The first request of the client's longest wait.
    lost: Instant,
    /// Who held the address before and after.
    before: Vec<usize>,
    after: Vec<usize>,
}

impl Change {
    /// How long the client would be without an answer if only the protocol's timers took time. `None` if the master
    /// did not change.
    fn asked(&self, stage: &Stage) -> Option<Duration> {
        let &[holder] = self.after.as_slice() else { return None };
        if self.before == self.after {
            return None;
        }
        let own = &stage.actors[holder].machine.instance;
        let takeover = first_advert(stage, holder, self.begin)?;
        let priority = takeover.advert()?.priority;
        let master_down =
            |interval| master_down_interval(own.version, priority, interval, own.down_timer_adverts);
        match self.step {
            // With nobody to listen to, a backup counts in its own interval.
            Step::StartAll => Some(master_down(own.advert_interval)),
            Step::Stop(left) => {
                let last = last_advert(stage, left, takeover.at)?;
                Some(skew_time(own.version, priority, last.advert()?.interval))
            }
            Step::LosePower(left) => {
                let last = last_advert(stage, left, takeover.at)?;
                Some((last.at + master_down(last.advert()?.interval)).since(self.lost))
            }
            // The old master serves until the new one does.
            Step::StartAgain(_) | Step::Revive(_) => Some(Duration::ZERO),
        }
    }
}

fn first_advert(stage: &Stage, index: usize, since: Instant) -> Option<Heard> {
    stage.sniffer.since(since, |heard| is_advert_of(stage, index, heard)).into_iter().next()
}

fn last_advert(stage: &Stage, index: usize, until: Instant) -> Option<Heard> {
    stage.sniffer.last_before(until, |heard| is_advert_of(stage, index, heard))
}

fn is_advert_of(stage: &Stage, index: usize, heard: &Heard) -> bool {
    let own = &stage.actors[index].machine;
    heard.advert().is_some_and(|advert| advert.source == own.address && advert.vrid == own.instance.vrid)
}
