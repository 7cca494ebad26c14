//! What the machine asks for, carried out: advertisements at once, everything else in its order, slice by slice.

use std::fmt;
use std::io;
use std::net::IpAddr;
use std::time::Duration;

use model::IfName;
use model::vrrp::VirtualAddress;
use vrrp::{Action, Announce, Holding};

use super::Worker;
use super::kernel::Held;
use crate::log::Level;
use crate::message::{FromWorker, Remembered};

/// What waits for its slice of time.
pub(super) enum Work {
    Effect(Action),
    /// Release what an earlier run left. It stands behind the effects that say what is to be kept.
    Sweep(Vec<VirtualAddress>),
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
    pub(super) fn work_for(&mut self, slice: Duration) -> io::Result<bool> {
        let now = sys::clock::now();
        if self.pause_until.take_if(|until| *until <= now).is_none() && self.pause_until.is_some() {
            return Ok(true);
        }
        let until = now + slice;
        loop {
            if !self.kernel.step(self.clock.now())? {
                match self.work.pop_front() {
                    None => return Ok(false),
                    Some(Work::Effect(action)) => self.carry_out(action),
                    Some(Work::Sweep(addresses)) => self.kernel.sweep(&addresses),
                }
            }
            if self.pause_until.is_some() || sys::clock::now() >= until {
                return Ok(true);
            }
        }
    }

    /// What waits to be held is not taken up any more and, if the operator wants it so, nothing is let go.
    pub(super) fn prepare_work_for_end(&mut self) {
        let keep = self.options.keep_addresses;
        self.work.retain(|work| match work {
            Work::Effect(Action::Hold(holding)) => holding.addresses.is_empty() && !keep,
            Work::Effect(_) | Work::Sweep(_) => true,
        });
        self.pause_until = None;
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
            Action::Announce(announce) => self.announce(announce),
            Action::Probe { device, address } => self.probe(&device, address),
            Action::Notice(notice) => self.say(level(notice.level()), &notice),
            Action::Changed(change) => self.say(Level::Info, &change),
            Action::Notify(notification) => self.tell(&FromWorker::Notify(notification.into())),
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

    fn hold(&mut self, holding: Holding) {
        if let Held::AfterRelease(holding) = self.kernel.hold(holding) {
            self.work.push_front(Work::Effect(Action::Hold(holding)));
        }
    }

    fn announce(&mut self, announce: Announce) {
        let (device, count) = (&announce.device, announce.count);
        let IpAddr::V4(address) = announce.address else { return };
        let Some((link, mac)) = self.kernel.device(device) else { return };
        let (sent, outcome) = self.link_layer.announce(link, mac, address, count);
        if sent > 0 {
            self.say(Level::Detail, format_args!("sent {sent} gratuitous ARP on {device} for {address}"));
        }
        match outcome {
            Ok(()) => {}
            Err(error) if is_transient(&error) => {
                self.pause_until = Some(sys::clock::now() + PAUSE);
                let rest = Announce { count: count - sent, ..announce };
                self.work.push_front(Work::Effect(Action::Announce(rest)));
            }
            Err(error) => {
                // A device that comes up later is told then.
                self.unannounced.insert((device.clone(), announce.address));
                self.say(Level::Warning, format_args!("cannot announce {address} on {device}: {error}"));
            }
        }
    }

    fn probe(&mut self, device: &IfName, address: IpAddr) {
        let IpAddr::V4(address) = address else { return };
        let Some((link, mac)) = self.kernel.device(device) else { return };
        let now = self.clock.now();
        if let Err(error) = self.link_layer.probe(now, link, mac, address, &mut self.reactor) {
            self.say(Level::Detail, format_args!("cannot ask on {device} who has {address}: {error}"));
        }
    }
}

/// The link's queue is full, or the kernel has no memory for the packet now.
fn is_transient(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::OutOfMemory)
        || error.raw_os_error() == Some(rustix::io::Errno::NOBUFS.raw_os_error())
}

const fn level(level: vrrp::Level) -> Level {
    match level {
        vrrp::Level::Detail => Level::Detail,
        vrrp::Level::Info => Level::Notice,
        vrrp::Level::Warning => Level::Warning,
    }
}

/// How long a full queue is left alone.
const PAUSE: Duration = Duration::from_millis(1);
