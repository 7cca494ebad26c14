//! What an instance does about an advertisement, once it is decided.

use std::time::Duration;

use model::{Instant, Priority};

use super::decide::Decision;
use super::state::{Backup, Heard, Reason, State, Wait};
use super::verify::Verified;
use super::{Instance, Turn};
use crate::NotificationKind;

impl Instance {
    pub(super) fn carry_out(&mut self, decision: Decision, heard: &Verified<'_>, turn: &mut Turn<'_>) {
        match decision {
            Decision::Ignore => {}
            Decision::PassOver => self.pass_over(heard, turn.now),
            Decision::Follow => self.follow(heard, None, turn.now),
            Decision::FollowUntil(at) => self.follow(heard, Some(at), turn.now),
            Decision::AwaitSkew => self.await_skew(heard, turn),
            Decision::AwaitOn => self.counters.release_received += 1,
            Decision::Overtake(delay) => self.plan_overtake(turn.now + delay, heard.advert().priority),
            Decision::Speak => {
                self.counters.release_received += 1;
                if let State::Master(master) = &mut self.state {
                    master.owes_answer = true;
                }
                self.contradict(heard, turn);
            }
            Decision::SpeakAt(at) => {
                self.counters.release_received += 1;
                if let State::Master(master) = &mut self.state {
                    master.next_advert_at = master.next_advert_at.min(at);
                    master.owes_answer = true;
                }
            }
            Decision::Assert => {
                let interval = self.config.advert_interval;
                if !matches!(&self.state, State::Master(master) if master.is_new(turn.now, interval)) {
                    self.remark_lower_priority(heard, turn);
                    self.notify(NotificationKind::MasterRxLowerPriority, turn.out);
                }
                self.contradict(heard, turn);
            }
            Decision::AnnounceAt(at) => {
                if let State::Master(master) = &mut self.state {
                    master.announce.contention_again(at, &self.config.garp);
                }
            }
            Decision::Yield => self.yield_to(heard, turn),
            Decision::Oversleep(silent) => self.oversleep(silent, turn.now),
        }
    }

    fn pass_over(&mut self, heard: &Verified<'_>, now: Instant) {
        if let State::Backup(backup) = &mut self.state {
            if heard.advert().priority == Priority::RELEASE {
                backup.rival.take_if(|rival| rival.source == heard.source());
            } else {
                backup.rival = Some(as_heard(heard, now));
            }
        }
    }

    fn follow(&mut self, heard: &Verified<'_>, preempt_at: Option<Instant>, now: Instant) {
        if let State::Backup(backup) = &mut self.state {
            let heard = as_heard(heard, now);
            backup.wait = Wait::MasterDown { since: now, interval: heard.interval };
            backup.heard = Some(heard);
            backup.rival = None;
            backup.preempt_at = preempt_at;
            backup.ripe = None;
            backup.handicap.take_if(|handicap| handicap.until <= now);
        }
    }

    fn await_skew(&mut self, heard: &Verified<'_>, turn: &mut Turn<'_>) {
        self.counters.release_received += 1;
        if let State::Backup(backup) = &mut self.state {
            // Skew counts in the interval learnt from the master's advertisements; the last one teaches none.
            let interval = backup.heard.map_or(self.config.advert_interval, |master| master.interval);
            let skew = Wait::Skew { since: turn.now, interval };
            // Our turn to overtake this master is not put off by its going.
            let overtakes = matches!(backup.wait, Wait::Overtake { .. });
            let deadline = |wait: Wait| wait.deadline(&self.config, self.priority);
            if !overtakes || deadline(skew) < deadline(backup.wait) {
                backup.wait = skew;
            }
            backup.heard = Some(Heard { priority: Priority::RELEASE, ..as_heard(heard, turn.now) });
            self.remark_release(heard, turn);
        }
    }

    fn plan_overtake(&mut self, at: Instant, theirs: Priority) {
        if let State::Backup(backup) = &mut self.state {
            // The master keeps speaking while we wait for our turn: that must not put it off.
            if backup.ripe.is_none() && !matches!(backup.wait, Wait::Overtake { .. }) {
                backup.wait = Wait::Overtake { at, theirs };
            }
        }
    }

    /// Another host believes to be master: speak, and correct what it told the link.
    fn contradict(&mut self, heard: &Verified<'_>, turn: &mut Turn<'_>) {
        let (garp, interval) = (self.config.garp, self.config.advert_interval);
        let State::Master(master) = &mut self.state else { return };
        let pause_ends = master.assert_pause_ends(turn.now, interval);
        match pause_ends {
            // Who stops may have announced itself since the last answer.
            Some(at) => master.announce.contention_again(at, &garp),
            None => {
                master.asserted_at = Some(turn.now);
                master.announce.contention(turn.now, &garp);
            }
        }
        if !self.config.lower_prio_no_advert || heard.advert().priority == Priority::RELEASE {
            self.advertise(turn);
        }
        if pause_ends.is_none() {
            self.announce(garp.lower_prio_repeat, turn);
        }
    }

    /// Steps back as soon as its group does, which is in this turn.
    fn yield_to(&mut self, heard: &Verified<'_>, turn: &mut Turn<'_>) {
        self.say_last_word(turn);
        let known = as_heard(heard, turn.now);
        let reason = Reason::Better { master: known.source, theirs: known.priority, ours: self.priority };
        let wait = Wait::MasterDown { since: turn.now, interval: known.interval };
        let backup =
            Backup { wait, heard: Some(known), rival: None, preempt_at: None, handicap: None, ripe: None };
        self.yields = Some((backup, reason));
        self.unsettled = true;
    }

    /// Steps back without a word: who has taken over is not to be answered.
    pub(super) fn oversleep(&mut self, silent: Duration, now: Instant) {
        let backup = Backup::listening(now, self.config.advert_interval);
        self.yields = Some((backup, Reason::Overslept { silent }));
        self.unsettled = true;
    }

    pub(super) fn say_last_word(&mut self, turn: &mut Turn<'_>) {
        if self.config.higher_prio_send_advert || self.owes_last_word(turn.now) {
            self.last_word_at = Some(turn.now);
            self.transmit(turn);
        }
    }

    /// A survivor that never left the master state would not know that clients may have our address in their
    /// caches: one last word makes it announce again. A master that is pushed to and fro does not go on about
    /// it: the answers would keep its opponent from advertising. The RFC yields in silence.
    fn owes_last_word(&self, now: Instant) -> bool {
        let lately = self.last_word_at.is_some_and(|last| now.since(last) < LAST_WORD_EVERY);
        !self.config.strict && !lately
    }
}

fn as_heard(heard: &Verified<'_>, at: Instant) -> Heard {
    let advert = heard.advert();
    Heard { source: heard.source(), priority: advert.priority, interval: advert.interval, at }
}

/// Between two last words at the least.
const LAST_WORD_EVERY: Duration = Duration::from_secs(1);
