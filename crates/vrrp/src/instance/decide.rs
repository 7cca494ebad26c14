//! What an advertisement means to an instance: a pure table from state and packet to a decision.

use std::net::IpAddr;
use std::time::Duration;

use model::vrrp::{Instance, Preempt};
use model::{Instant, Priority};

use super::state::{Backup, Master, State, Wait};
use super::verify::Verified;

/// What to do about a verified advertisement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Decision {
    /// Nothing.
    Ignore,
    /// It is not our master, and changes nothing but what is told of a takeover. The timer goes on: for a backup that
    /// preempts this is how it takes over (RFC 9568 §6.4.2, "discard the advertisement").
    PassOver,
    /// It is our master: restart the master down timer.
    Follow,
    /// As `Follow`, and remember that we may preempt it at this time (`preempt_delay`).
    FollowUntil(Instant),
    /// The master stops: wait the skew time (RFC 9568 §6.4.2).
    AwaitSkew,
    /// A master stops, and we wait the skew time already, or for our group only: that must not put it off.
    AwaitOn,
    /// Our master fell below us: take over after this delay.
    Overtake(Duration),
    /// Another master stops: speak at once (RFC 9568 §6.4.3, priority 0).
    Speak,
    /// Another master stops, and we have just spoken because one did: speak again at this time.
    SpeakAt(Instant),
    /// Another master is worse: contradict it (RFC 9568 §6.4.3).
    Assert,
    /// Another master is worse, and has just been contradicted: announce again at this time.
    AnnounceAt(Instant),
    /// Another master is better: become backup (RFC 9568 §6.4.3).
    Yield,
    /// We were silent for this long, and this may be who has taken over: become backup (`timer_expired_backup`).
    Oversleep(Duration),
}

/// The instance as the decision sees it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct View<'a> {
    pub(crate) config: &'a Instance,
    pub(crate) priority: Priority,
    /// The address that it sends from.
    pub(crate) address: IpAddr,
}

/// Decides what `heard` means in `state` at `now`.
pub(crate) fn decide(view: View<'_>, state: &State, heard: &Verified<'_>, now: Instant) -> Decision {
    match state {
        State::Init | State::Fault(_) => Decision::Ignore,
        State::Backup(backup) => in_backup(view, backup, heard, now),
        // RFC 9568 has an owner that listens; who is sure to be alone with 255 may ask not to.
        State::Master(_) if view.config.owner_ignore_adverts && view.priority == Priority::OWNER => {
            Decision::Ignore
        }
        State::Master(master) => match master.overslept(view.config, now) {
            Some(silent) => Decision::Oversleep(silent),
            None => in_master(view, master, heard, now),
        },
    }
}

fn in_backup(view: View<'_>, backup: &Backup, heard: &Verified<'_>, now: Instant) -> Decision {
    let theirs = heard.advert().priority;
    let ours_before = backup.heard.filter(|master| master.source == heard.source());
    if theirs == Priority::RELEASE {
        // A host that was not our master says nothing about the one that is, which is heard and alive.
        let stranger = backup.heard.is_some() && ours_before.is_none() && !view.config.strict;
        return match backup.wait {
            _ if stranger => Decision::PassOver,
            _ if backup.ripe.is_some() => Decision::AwaitOn,
            Wait::Skew { .. } => Decision::AwaitOn,
            Wait::MasterDown { .. } | Wait::Overtake { .. } => Decision::AwaitSkew,
        };
    }
    if theirs >= view.priority {
        return Decision::Follow;
    }
    let preempt = match view.priority {
        // The owner always preempts (RFC 9568 §6.1, Preempt_Mode). It is a backup only after a reload.
        Priority::OWNER => Preempt::Always,
        _ => view.config.preempt,
    };
    match preempt {
        Preempt::Never => Decision::Follow,
        Preempt::After(delay) => match backup.preempt_at {
            Some(at) if at <= now => Decision::PassOver,
            Some(at) => Decision::FollowUntil(at),
            None => Decision::FollowUntil(now + delay),
        },
        Preempt::Always => match ours_before {
            Some(before) if before.priority >= view.priority && !view.config.strict => Decision::Overtake(
                crate::overtake_delay(before.priority, theirs, view.priority, view.address),
            ),
            Some(_) | None => Decision::PassOver,
        },
    }
}

fn in_master(view: View<'_>, master: &Master, heard: &Verified<'_>, now: Instant) -> Decision {
    let theirs = heard.advert().priority;
    if theirs == Priority::RELEASE {
        let pause_ends = master.answer_pause_ends(now, view.config.advert_interval);
        return pause_ends.map_or(Decision::Speak, Decision::SpeakAt);
    }
    let better = theirs > view.priority || (theirs == view.priority && heard.source() > view.address);
    if better {
        return Decision::Yield;
    }
    let pause_ends = master.assert_pause_ends(now, view.config.advert_interval);
    pause_ends.map_or(Decision::Assert, Decision::AnnounceAt)
}
