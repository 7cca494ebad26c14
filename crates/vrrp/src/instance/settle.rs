//! How an instance goes over to another state, alone or with its group.
//!
//! An event only leaves a [`Stance`]. What follows is decided for all members at once, and carried out in phases, each of
//! them for every member before the next: nothing that one member does, however long its addresses take, stands before
//! another one's advertisement.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use model::{Instant, Priority};

use crate::announce::AnnouncePlan;
use crate::group::{Member, Shared, Stance};
use crate::{Notice, NotificationKind, StateName, timing};

use super::effects::Remark;
use super::state::{Backup, Cause, Handicap, Master, Reason, State, Tell};
use super::tracking::tell_difference;
use super::{Instance, Turn};

/// One member's part of a transition.
#[derive(Debug)]
pub(crate) struct Step {
    to: State,
    reason: Reason,
    parting: Parting,
}

/// What a master says when it ceases to be one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Parting {
    /// Nothing: it was none, or has spoken.
    Silence,
    /// Once more that it is there, for a survivor that never left the master state.
    LastWord,
    /// Priority 0: nobody has taken over, so the others must be told.
    Release,
}

/// Who moves the group.
#[derive(Clone, Debug)]
pub(crate) struct Mover {
    pub(crate) shared: Arc<Shared>,
    /// The name of the member that the others go with.
    pub(crate) member: Arc<str>,
    /// It has heard a better master.
    pub(crate) yields: bool,
}

impl Instance {
    pub(crate) fn member(&self) -> Member {
        Member { state: self.state.name(), stance: self.stance() }
    }

    /// What it would do if it were alone.
    fn stance(&self) -> Stance {
        if !self.causes.is_empty() {
            return Stance::Ill;
        }
        match &self.state {
            State::Init | State::Fault(_) if self.recalled => Stance::Willing,
            State::Init | State::Fault(_) if self.pending => Stance::Pending,
            // RFC 9568 §6.4.1: the owner is master at once, everybody else listens first.
            State::Init | State::Fault(_) if self.priority == Priority::OWNER => Stance::Willing,
            State::Init | State::Fault(_) => Stance::Waits,
            State::Backup(Backup { ripe: Some(_), .. }) => Stance::Willing,
            State::Backup(Backup { heard: Some(_), .. }) => Stance::Follows,
            State::Backup(_) => Stance::Waits,
            State::Master(_) if self.yields.is_some() => Stance::Yields,
            State::Master(_) => Stance::Willing,
        }
    }

    /// Whether it has to be settled; it then no longer has.
    pub(crate) const fn take_unsettled(&mut self) -> bool {
        std::mem::replace(&mut self.unsettled, false)
    }

    /// How much later than else two groups listen that were master at once and yielded to each other, one member here,
    /// one there: without it they would meet again, and again. `None` if that is not what happened.
    pub(crate) fn race_delay(&self, now: Instant) -> Option<Duration> {
        let State::Master(master) = &self.state else { return None };
        let raced = master.is_new(now, self.config.advert_interval);
        let address = self.own_address().filter(|_| raced)?;
        Some(timing::race_delay(self.config.advert_interval, address))
    }

    /// What going over to `state` means to it, if it is not there yet. `mover` is `None` if it moves by itself.
    pub(crate) fn step(
        &mut self,
        state: StateName,
        mover: Option<&Mover>,
        race: Option<Duration>,
        turn: &mut Turn<'_>,
    ) -> Option<Step> {
        let was_master = matches!(self.state, State::Master(_));
        let yields = self.yields.take();
        match state {
            StateName::Init => None,
            StateName::Fault => {
                let causes = self.causes_with(mover);
                if let State::Fault(known) = &mut self.state {
                    tell_difference(&self.name, known, causes, turn.out);
                    return None;
                }
                let parting = if was_master { Parting::Release } else { Parting::Silence };
                Some(Step { to: State::Fault(causes.clone()), reason: Reason::Fault(causes), parting })
            }
            StateName::Backup if matches!(self.state, State::Backup(_)) => None,
            StateName::Backup => {
                let own_yield = yields.is_some();
                let (mut backup, reason) = yields.unwrap_or_else(|| self.listen(mover, turn.now));
                let until = turn.now + self.config.advert_interval.duration() / 2;
                backup.handicap = race.map(|delay| Handicap { delay, until });
                let parting = match mover {
                    _ if !was_master || own_yield => Parting::Silence,
                    Some(mover) if mover.yields => Parting::LastWord,
                    Some(_) | None => Parting::Release,
                };
                Some(Step { to: State::Backup(backup), reason, parting })
            }
            StateName::Master if was_master => None,
            StateName::Master => Some(self.take_over(mover, turn.now)),
        }
    }

    /// What is at fault: its own, or else that of another member.
    fn causes_with(&self, mover: Option<&Mover>) -> BTreeSet<Cause> {
        if !self.causes.is_empty() {
            return self.causes.clone();
        }
        let cause = |mover: &Mover| Cause::Member {
            group: Arc::clone(&mover.shared.name),
            member: Arc::clone(&mover.member),
        };
        mover.map(cause).into_iter().collect()
    }

    fn listen(&self, mover: Option<&Mover>, now: Instant) -> (Backup, Reason) {
        let mut backup = Backup::listening(now, self.config.advert_interval);
        let reason = match (&self.state, mover) {
            (State::Fault(_), _) => Reason::Recovered,
            (State::Master(_), Some(mover)) => with(mover),
            (State::Init | State::Backup(_) | State::Master(_), _) => Reason::Startup,
        };
        if self.priority == Priority::OWNER {
            backup.ripen(now, self.config.advert_interval);
        }
        (backup, reason)
    }

    fn take_over(&mut self, mover: Option<&Mover>, now: Instant) -> Step {
        let reason = match (&self.state, mover) {
            (State::Init | State::Fault(_), _) if std::mem::take(&mut self.recalled) => Reason::Adopted,
            (State::Init | State::Fault(_), Some(mover)) => with(mover),
            (State::Init | State::Fault(_) | State::Master(_), _) => Reason::Owner,
            (State::Backup(Backup { ripe: None, .. }), Some(mover)) => with(mover),
            (State::Backup(_), _) if self.priority == Priority::OWNER => Reason::Owner,
            (State::Backup(backup), _) => backup.takeover_reason(&self.config, self.priority, now),
        };
        if let Reason::Released { master: Some(master) } = reason {
            // What it said has been done: should it stop once more, that is news.
            self.remarks.forget(Remark::Release, master);
        }
        let master = Master {
            since: now,
            spoke_at: now,
            next_advert_at: now + self.config.advert_interval.duration(),
            announce: AnnouncePlan::new(now, &self.config.garp, self.config.extra_garp),
            asserted_at: None,
            answered_at: None,
            owes_answer: false,
        };
        Step { to: State::Master(master), reason, parting: Parting::Silence }
    }

    /// First phase: who ceases to be master says so, if that is to be said.
    pub(crate) fn part(&mut self, step: &Step, turn: &mut Turn<'_>) {
        match step.parting {
            Parting::Silence => {}
            Parting::LastWord => self.say_last_word(turn),
            Parting::Release => self.transmit_release(turn),
        }
    }

    /// Second phase: who ceases to be master lets all go that it held.
    pub(crate) fn let_go(&self, turn: &mut Turn<'_>) {
        if matches!(self.state, State::Master(_)) {
            turn.pacer.forget(self.id);
            self.release_all(turn.out);
        }
    }

    /// Third phase: it is in the new state, and a master's first advertisement goes out. The only writer of the state.
    pub(crate) fn enter(&mut self, step: &mut Step, turn: &mut Turn<'_>) {
        std::mem::swap(&mut self.state, &mut step.to);
        self.since = Some(turn.now);
        if matches!(step.to, State::Master(_)) {
            self.counters.released += 1;
        }
        if matches!(self.state, State::Master(_)) {
            self.counters.became_master += 1;
            self.transmit(turn);
        }
    }

    /// Fourth phase: a master takes its addresses.
    pub(crate) fn take_addresses(&self, step: &Step, turn: &mut Turn<'_>) {
        let (instance, state, reason) = (Arc::clone(&self.name), self.state.name(), step.reason.clone());
        turn.out.notice(Notice::Entering { instance, state, reason });
        if state == StateName::Master {
            self.hold_addresses(turn.out);
        }
    }

    /// Fifth phase: a master tells its links.
    pub(crate) fn announce_takeover(&self, turn: &mut Turn<'_>) {
        if matches!(self.state, State::Master(_)) {
            self.announce(self.config.garp.repeat, turn);
        }
    }

    /// Sixth phase: a master takes its routes and rules.
    pub(crate) fn take_routes(&self, turn: &mut Turn<'_>) {
        let has_some = !self.routes.is_empty() || !self.rules.is_empty();
        if has_some && matches!(self.state, State::Master(_)) {
            self.hold_all(turn.out);
        }
    }

    /// Seventh phase: scripts are told.
    pub(crate) fn notify_state(&self, turn: &mut Turn<'_>) {
        if let Some(kind) = NotificationKind::of(self.state.name()) {
            self.notify(kind, turn.out);
        }
    }

    /// Last phase: everybody else is told.
    pub(crate) fn publish_state(&self, turn: &mut Turn<'_>) {
        self.publish(turn.out);
    }

    /// What to tell of it if its group has kept it from becoming master for a while.
    pub(crate) fn take_held_back(&mut self, now: Instant) -> Option<Reason> {
        let State::Backup(backup) = &mut self.state else { return None };
        let ripe = backup.ripe.as_mut().filter(|ripe| ripe.tell == Tell::Due)?;
        ripe.tell = Tell::Done;
        Some(backup.takeover_reason(&self.config, self.priority, now))
    }
}

fn with(mover: &Mover) -> Reason {
    Reason::Group { group: Arc::clone(&mover.shared.name), member: Arc::clone(&mover.member) }
}
