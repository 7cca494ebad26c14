//! One running program, and the ways in which it is ended.

use std::os::fd::{AsFd as _, BorrowedFd};
use std::time::Duration;

use model::{Instant, vrrp};
use sys::process::{Child, Exit, Script, SpawnError};
use sys::signal::Signal;

use super::Purpose;
use super::permit::Permit;
use crate::log::Log;

/// A program that was started and not yet reaped.
#[derive(Debug)]
pub(super) struct Run {
    child: Child,
    program: String,
    purpose: Purpose,
    phase: Phase,
}

/// How far the ending of a run has come.
///
/// ```text
/// Running ──time-out──> Terminated ──250 ms──> Killed ──1 s──> GivenUp
///                        SIGTERM                SIGKILL         still there: the kernel holds it
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Running { until: Option<Instant> },
    Terminated { until: Instant },
    Killed { until: Instant },
    GivenUp,
}

impl Run {
    /// Starts `command` as `permit` allows, in its own process group, to be ended at `until`.
    pub(super) fn start(
        command: &vrrp::Command,
        permit: &Permit,
        environment: &[(String, String)],
        purpose: Purpose,
        until: Option<Instant>,
    ) -> Result<Self, SpawnError> {
        let script = Script {
            program: &permit.program,
            name: Some(&permit.name),
            arguments: &command.arguments,
            environment,
            run_as: permit.run_as.as_ref(),
            umask: None,
            // Without this daemon a check or a reader is of no use; a notify script may be in the middle of something.
            death_signal: (!matches!(purpose, Purpose::Notify { .. } | Purpose::ServerNotify { .. }))
                .then_some(Signal::TERM),
        };
        let child = script.spawn()?;
        Ok(Self { child, program: command.program.clone(), purpose, phase: Phase::Running { until } })
    }

    pub(super) fn child(&self) -> BorrowedFd<'_> {
        self.child.as_fd()
    }

    #[cfg(test)]
    pub(super) fn pid(&self) -> sys::process::Pid {
        self.child.pid()
    }

    pub(super) fn program(&self) -> &str {
        &self.program
    }

    pub(super) const fn purpose(&self) -> &Purpose {
        &self.purpose
    }

    pub(super) const fn purpose_mut(&mut self) -> &mut Purpose {
        &mut self.purpose
    }

    /// Whether its time-out, or the end of the daemon, has ended it.
    pub(super) const fn was_terminated(&self) -> bool {
        !matches!(self.phase, Phase::Running { .. })
    }

    /// How it ended, if it has.
    pub(super) fn reap(&mut self) -> std::io::Result<Option<Exit>> {
        if self.was_terminated() {
            // Its children may have survived the first signal. Until it is reaped its number is the group's.
            self.kill_group(Signal::KILL);
        }
        self.child.try_wait()
    }

    pub(super) const fn deadline(&self) -> Option<Instant> {
        match self.phase {
            Phase::Running { until } => until,
            Phase::Terminated { until } | Phase::Killed { until } => Some(until),
            Phase::GivenUp => None,
        }
    }

    /// Asks the whole group to end, unless that was done already.
    pub(super) fn terminate(&mut self, now: Instant) {
        if !self.was_terminated() {
            self.kill_group(Signal::TERM);
            self.phase = Phase::Terminated { until: now + GRACE };
        }
    }

    /// Ends the whole group without asking.
    pub(super) fn kill(&mut self, now: Instant) {
        self.kill_group(Signal::KILL);
        self.phase = Phase::Killed { until: now + KILL_GRACE };
    }

    /// Takes the next step of the ending if its time has come. True once: when even SIGKILL did not help.
    pub(super) fn on_deadline(&mut self, now: Instant, log: &Log) -> bool {
        if self.deadline().is_none_or(|deadline| deadline > now) {
            return false;
        }
        match self.phase {
            Phase::Running { .. } => self.terminate(now),
            Phase::Terminated { .. } => self.kill(now),
            Phase::Killed { .. } => {
                log.warning(format_args!(
                    "script {} (pid {}) cannot be killed: it hangs in the kernel",
                    self.program,
                    self.child.pid()
                ));
                self.phase = Phase::GivenUp;
                return true;
            }
            Phase::GivenUp => {}
        }
        false
    }

    pub(super) fn kill_group(&self, signal: Signal) {
        // The only error is EPERM: the program has taken other rights, and ends when it likes.
        drop(self.child.kill_group(signal));
    }
}

/// From SIGTERM to SIGKILL.
const GRACE: Duration = Duration::from_millis(250);

/// How long a killed program may take to disappear.
const KILL_GRACE: Duration = Duration::from_secs(1);
