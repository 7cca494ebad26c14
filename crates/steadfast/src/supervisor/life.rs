//! The life of a worker, whatever its role: started, talked to, dead, started again.

use std::ffi::OsString;
use std::os::fd::OwnedFd;
use std::path::Path;

use model::Instant;
use sys::process::{Exit, Pid};
use sys::reactor::Reactor;

use super::backoff::Backoff;
use super::link::{Link, LinkError, Role};
use super::pid_files::{AlreadyRunning, PidFile};
use crate::exit;
use crate::log::Log;
use crate::program::Program;

/// The worker of one role, which is there or is not.
#[derive(Debug)]
pub(super) struct Life<R> {
    log: Log,
    link: Option<Link<R>>,
    backoff: Backoff,
    /// None has ever been ready.
    unproven: bool,
    restart_at: Option<Instant>,
    pid_file: PidFile,
}

impl<R: Role> Life<R> {
    /// None has been started.
    pub(super) fn new(log: Log, pid_file: PidFile) -> Self {
        Self { log, link: None, backoff: Backoff::default(), unproven: true, restart_at: None, pid_file }
    }

    /// Whether there is one.
    pub(super) const fn is_there(&self) -> bool {
        self.link.is_some()
    }

    /// The one that is there.
    pub(super) fn pid(&self) -> Option<Pid> {
        self.link.as_ref().map(Link::pid)
    }

    /// Whether none has ever been ready.
    pub(super) const fn is_unproven(&self) -> bool {
        self.unproven
    }

    /// It has said that it is ready.
    pub(super) const fn is_ready(&mut self) {
        self.unproven = false;
    }

    /// Takes the pid file of the role, unless it is ours already.
    ///
    /// # Errors
    /// Another daemon holds it.
    pub(super) fn claim(&mut self, path: &Path) -> Result<(), AlreadyRunning> {
        self.pid_file = std::mem::take(&mut self.pid_file).claim(path, Pid::own(), &self.log)?;
        Ok(())
    }

    /// Starts one with the daemon's options and an assignment in a file.
    ///
    /// # Errors
    /// There is none then.
    pub(super) fn start(
        &mut self,
        program: &Program,
        options: &[OsString],
        assignment: OwnedFd,
        reactor: &mut Reactor,
    ) -> Result<Pid, LinkError> {
        let link = Link::start(program, options, assignment, reactor)?;
        let pid = link.pid();
        self.log.info(format_args!("Starting {} child process, pid={pid}", R::TITLE));
        if let PidFile::Held(file) = &mut self.pid_file
            && let Err(error) = file.rewrite(pid)
        {
            self.log.warning(format_args!("{:#}", anyhow::Error::from(error)));
        }
        self.link = Some(link);
        Ok(pid)
    }

    /// Tells it something, if it is there. One that cannot be talked to is killed, and so started anew.
    pub(super) fn say(&mut self, reactor: &mut Reactor, order: &R::Order) {
        let outcome = self.link.as_mut().map_or(Ok(()), |link| link.say(reactor, order, None));
        self.expect(outcome);
    }

    /// The same, with the file that the order speaks of.
    pub(super) fn hand(&mut self, reactor: &mut Reactor, order: &R::Order, file: OwnedFd) {
        let outcome = self.link.as_mut().map_or(Ok(()), |link| link.say(reactor, order, Some(file)));
        self.expect(outcome);
    }

    /// There is room in the channel again.
    pub(super) fn flush(&mut self, reactor: &mut Reactor) {
        let outcome = self.link.as_mut().map_or(Ok(()), |link| link.flush(reactor));
        self.expect(outcome);
    }

    /// What it says next, if there is anything.
    pub(super) fn next(&mut self, reactor: &mut Reactor) -> Option<R::Report> {
        let link = self.link.as_mut()?;
        link.next(reactor).unwrap_or_else(|error| {
            // One of the two does not understand the other: only a fresh worker can help.
            self.expect(Err(error));
            None
        })
    }

    /// Kills it.
    pub(super) fn kill(&self) {
        if let Some(link) = &self.link {
            link.kill();
        }
    }

    /// Kills the one that something could not be told.
    pub(super) fn expect(&self, outcome: Result<(), LinkError>) {
        if let Err(error) = outcome
            && self.is_there()
        {
            self.log.error(format_args!("{:#}: it is killed", anyhow::Error::from(error)));
            self.kill();
        }
    }

    /// How it ended, if it has. It is not there any more then.
    ///
    /// # Errors
    /// The kernel does not say.
    pub(super) fn take_end(&mut self, reactor: &mut Reactor) -> std::io::Result<Option<(Pid, Exit)>> {
        let Some(link) = &mut self.link else { return Ok(None) };
        let Some(exit) = link.try_wait()? else { return Ok(None) };
        let pid = link.pid();
        link.unwatch(reactor);
        self.link = None;
        Ok(Some((pid, exit)))
    }

    /// It has died: another is to be started in a moment, unless that is hopeless or not wanted (`respawn`).
    ///
    /// # Errors
    /// With this code the daemon is to end.
    pub(super) fn died(&mut self, now: Instant, pid: Pid, exit: Exit, respawn: bool) -> Result<(), u8> {
        let worker = format!("{} (pid {pid})", R::NAME);
        let how = match exit {
            Exit::Code(code) if exit::is_permanent(code) => {
                self.log.error(format_args!("{worker} exited with permanent error {code}: the daemon stops"));
                return Err(code);
            }
            Exit::Code(code) => format!("exited with status {code}"),
            Exit::Signal(signal) => format!("was killed by {signal}"),
        };
        self.start_again(now, &worker, &how, "started again", respawn)
    }

    /// The same of one that could not even be started.
    pub(super) fn not_started(&mut self, now: Instant, error: LinkError, respawn: bool) -> Result<(), u8> {
        let how = format!("cannot be started: {:#}", anyhow::Error::from(error));
        self.start_again(now, &format!("the {}", R::NAME), &how, "tried again", respawn)
    }

    fn start_again(
        &mut self,
        now: Instant,
        worker: &str,
        how: &str,
        next: &str,
        respawn: bool,
    ) -> Result<(), u8> {
        if self.unproven && self.backoff.deaths() >= MOST_DEATHS_AT_START {
            self.log.error(format_args!("{worker} {how} again and was never ready: the daemon stops"));
            return Err(exit::INTERNAL);
        }
        if !respawn {
            self.log.error(format_args!("{worker} {how}: the daemon stops"));
            return Err(exit::FATAL);
        }
        self.log.error(format_args!("{worker} {how}: it is {next}"));
        self.restart_at = Some(self.backoff.died(now));
        Ok(())
    }

    /// None is to be started any more.
    pub(super) const fn cancel(&mut self) {
        self.restart_at = None;
    }

    /// When another is to be started.
    pub(super) const fn restart_at(&self) -> Option<Instant> {
        self.restart_at
    }

    /// Whether another is to be started now. True once.
    pub(super) fn is_due(&mut self, now: Instant) -> bool {
        self.restart_at.take_if(|at| *at <= now).is_some()
    }
}

/// A worker that has died so often without ever being ready will not be; whoever started the daemon is to know.
const MOST_DEATHS_AT_START: usize = 4;
