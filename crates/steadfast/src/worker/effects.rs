//! What the machine asks for, carried out: advertisements at once, everything else in its order, slice by slice.

use std::collections::VecDeque;
use std::fmt;
use std::net::IpAddr;
use std::time::Duration;

use model::vrrp::Statics;
use model::{IfName, Instant};
use netlink::Held;
use vrrp::{Action, Announce, Holding};

use super::Worker;
use super::link_layer::{Device, Waiting};
use super::telling::Telling;
use crate::log::Level;
use crate::message::{Belongings, FromWorker, Remembered, Step};

/// What waits for its slice of time.
pub(super) enum Work {
    Effect(Action),
    /// Release what an earlier run left. It stands behind the effects that say what is to be kept.
    Sweep(Belongings),
    /// Have what is there as long as the daemon runs.
    Keep(Box<Statics>),
    /// Report that everything before it in the line is done.
    Tell(FromWorker),
    /// Tell the supervisor how things are.
    Snapshot(Telling),
    /// Tell what a reload would do.
    Plan {
        request: u64,
        steps: VecDeque<Option<Step>>,
    },
}

impl Worker {
    /// Sends advertisements at once and puts everything else in line.
    pub(super) fn take_actions(&mut self) {
        for action in self.actions.drain() {
            match action {
                Action::Transmit(outgoing) => self.sockets.transmit(&outgoing),
                other => self.work.push_back(Work::Effect(other)),
            }
        }
    }

    /// Works through the line for about `slice`, and says whether there is more to do. Address changes that were
    /// begun come first: what stands behind them in the line may need them.
    pub(super) fn work_for(&mut self, slice: Duration) -> bool {
        let until = sys::clock::now() + slice;
        loop {
            if !self.kernel.step(self.clock.now()) {
                match self.work.pop_front() {
                    None => {
                        self.restore_promotion();
                        return false;
                    }
                    Some(Work::Effect(action)) => self.carry_out(action),
                    Some(Work::Keep(statics)) => self.keep(statics),
                    Some(Work::Sweep(left)) => self.kernel.sweep(&left),
                    Some(Work::Tell(message)) => self.tell(&message),
                    Some(Work::Snapshot(telling)) => self.tell_next(telling),
                    Some(Work::Plan { request, steps }) => self.tell_step(request, steps),
                }
            }
            if sys::clock::now() >= until {
                return true;
            }
        }
    }

    /// Of what waits, nothing is taken up or told to the links any more. From the entry number `last_words` on it is
    /// the stop that speaks: what it would let go stays, if the operator wants it so.
    pub(super) fn prepare_work_for_end(&mut self, last_words: usize) {
        let keep = self.options.keep_addresses;
        let mut number = 0;
        self.work.retain(|work| {
            let stays = keep && number >= last_words;
            number += 1;
            match work {
                Work::Effect(Action::Hold(holding)) => holding.is_release() && !stays,
                Work::Effect(Action::Announce(_) | Action::Probe { .. }) => false,
                Work::Keep(statics) => **statics == Statics::default(),
                Work::Effect(_) | Work::Sweep(_) | Work::Tell(_) => true,
                Work::Snapshot(_) | Work::Plan { .. } => false,
            }
        });
    }

    /// Sends what found a queue full before.
    pub(super) fn announce_again(&mut self, now: Instant) {
        let (kernel, unannounced, log) = (&self.kernel, &mut self.unannounced, &self.log);
        let is_held = |waiting: &Waiting| kernel.holds(&waiting.device, waiting.address);
        self.link_layer.retry(now, is_held, |Waiting { device, address, .. }| {
            if unannounced.insert((device.clone(), address)) {
                log.warning(format_args!("cannot announce {address} on {device}: its queue stays full"));
            }
        });
    }

    pub(super) fn tell(&mut self, message: &FromWorker) {
        self.control.send(message, &mut self.reactor);
    }

    /// Hands over the lines of a slice. Waking the log's thread for each would stand between an address and its
    /// announcement.
    pub(super) fn write_lines(&mut self) {
        for (level, line) in self.lines.drain(..) {
            self.log.write(level, line);
        }
    }

    fn say(&mut self, level: Level, line: impl fmt::Display) {
        if self.log.shows(level) {
            self.lines.push((level, line.to_string()));
        }
    }

    fn carry_out(&mut self, action: Action) {
        match action {
            Action::Transmit(outgoing) => self.sockets.transmit(&outgoing),
            Action::Hold(holding) => self.hold(holding),
            Action::Announce(announce) => self.announce(&announce),
            Action::Probe { device, address } => self.probe(&device, address),
            Action::Notice(notice) => self.say(level(notice.level()), &notice),
            Action::Changed(change) => self.say(Level::Info, &change),
            Action::Notify(notification) => self.tell(&FromWorker::Notify(notification.into())),
            Action::NotifyGroup(notification) => self.tell(&FromWorker::Notify(notification.into())),
            Action::RunScript { script, run } => {
                self.tell(&FromWorker::RunScript { script: script.to_string(), run });
            }
            Action::Publish { instance, state, priority } => {
                let (instance, at) = (instance.to_string(), self.clock.now());
                let last = Remembered { instance, state: state.into(), priority: priority.get(), at };
                self.tell(&FromWorker::State(last));
            }
            Action::Withdraw { instance } => {
                self.tell(&FromWorker::Gone { instance: instance.to_string() });
            }
        }
    }

    /// Once addresses that go have gone.
    pub(super) fn restore_promotion(&mut self) {
        if self.kernel.is_idle()
            && let Err(error) = self.promotion.restore()
        {
            self.say(Level::Warning, format_args!("promote_secondaries cannot be set back: {error}"));
        }
    }

    fn hold(&mut self, holding: Holding) {
        if let Err(error) = self.promotion.want(holding.instance, holding.promotes.as_ref()) {
            let name = &holding.name;
            self.say(Level::Warning, format_args!("({name}) promote_secondaries cannot be set: {error}"));
        }
        self.filter.hold(&holding);
        if !holding.is_release() {
            // What must not be accepted is dropped before the address is there.
            self.filter.sync(self.clock.now(), self.kernel.mirror(), &self.own_links);
        }
        if self.kernel.hold(&holding) == Held::AfterRelease {
            self.work.push_front(Work::Effect(Action::Hold(holding)));
        }
    }

    fn keep(&mut self, statics: Box<Statics>) {
        if self.kernel.keep(&statics) == Held::AfterRelease {
            self.work.push_front(Work::Keep(statics));
        }
    }

    fn announce(&mut self, announce: &Announce) {
        let name = &announce.device;
        let address = announce.address;
        let Some((link, mac)) = self.kernel.device(name) else { return };
        let device = Device { name, link, mac };
        match self.link_layer.announce(self.clock.now(), &device, address, announce.count) {
            Ok(0) => {}
            Ok(sent) => {
                let what = if address.is_ipv4() { "gratuitous ARP" } else { "neighbour advertisements" };
                self.say(Level::Detail, format_args!("sent {sent} {what} on {name} for {address}"));
            }
            Err(error) => {
                // A device that comes up later is told then.
                self.unannounced.insert((name.clone(), announce.address));
                self.say(Level::Warning, format_args!("cannot announce {address} on {name}: {error}"));
            }
        }
    }

    fn probe(&mut self, device: &IfName, address: IpAddr) {
        let (mirror, mut asker) = (self.kernel.mirror(), device);
        if address.is_ipv6()
            && let Some(base) = self.own_links.base_of_vmac(device, mirror)
        {
            // A VMAC has no address of its own to ask from, and the one of its base must not be told with its MAC.
            asker = base;
        }
        let Some((link, mac)) = self.kernel.device(asker) else { return };
        let (now, source) = (self.clock.now(), self.kernel.link_local(asker));
        if let Err(error) = self.link_layer.probe(now, (link, mac, source), address, &mut self.reactor) {
            self.say(Level::Detail, format_args!("cannot ask on {device} who has {address}: {error}"));
        }
    }
}

const fn level(level: vrrp::Level) -> Level {
    match level {
        vrrp::Level::Detail => Level::Detail,
        vrrp::Level::Info => Level::Notice,
        vrrp::Level::Warning => Level::Warning,
    }
}
