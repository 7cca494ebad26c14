//! The programs of virtual and real servers: what is told of their states, and checks that are programs.

use std::collections::BTreeMap;
use std::fmt;

use lvs::{Notification, Whose};
use model::lvs::{Checker, MiscCheck, Outcome};
use model::vrrp::Command;
use model::{Instant, lvs as config};
use sys::process::Exit;
use sys::reactor::{Reactor, Token};

use super::lane::{Lane, StepNumber};
use super::plan::Step;
use super::{Purpose, Runner, describe};
use crate::message::check::ToChecker;

/// What runs and waits for servers.
#[derive(Debug, Default)]
pub(super) struct Servers {
    /// What is told of each, in order.
    lanes: BTreeMap<Whose, Lane>,
    /// The runs that the check worker waits for, by the numbers of the checks.
    checks: BTreeMap<u64, Token>,
    answers: Vec<ToChecker>,
}

/// A run that the check worker has asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct CheckRun {
    /// The number of the check.
    pub(super) probe: u64,
    /// The number of the run.
    pub(super) run: u64,
    /// Its exit status sets the weight.
    pub(super) dynamic: bool,
}

/// The servers whose states are told, as the log has them.
struct Told<'a>(&'a Whose);

impl Runner {
    /// Runs a check once. The answer comes from [`Self::take_check_answers`].
    pub(crate) fn check_server(
        &mut self,
        reactor: &mut Reactor,
        now: Instant,
        (probe, run): (u64, u64),
        check: &MiscCheck,
    ) {
        self.forget_check(now, probe);
        let asked = CheckRun { probe, run, dynamic: check.dynamic };
        let purpose = Purpose::ServerCheck(Some(asked));
        let limit = Some(check.timeout);
        match self.start(reactor, now, &check.command, purpose, limit, "MISC_CHECK") {
            Some(token) => drop(self.servers.checks.insert(probe, token)),
            // That says nothing of the server; keepalived drops such a check.
            None => {
                let reason = self.examiner.hindrance(&check.command);
                self.servers.answer(asked, Outcome::Unknown(reason.into()));
            }
        }
    }

    /// Nobody waits for this check any more.
    pub(crate) fn forget_check(&mut self, now: Instant, probe: u64) {
        let Some(token) = self.servers.checks.remove(&probe) else { return };
        if let Some(run) = self.runs.get_mut(&token) {
            *run.purpose_mut() = Purpose::ServerCheck(None);
            run.terminate(now);
        }
    }

    /// The check worker is gone: ends the checks, and answers nobody.
    pub(crate) fn forget_checks(&mut self, now: Instant) {
        let probes: Vec<_> = self.servers.checks.keys().copied().collect();
        probes.into_iter().for_each(|probe| self.forget_check(now, probe));
        self.servers.answers.clear();
    }

    /// The answers for the check worker since the last call.
    pub(crate) fn take_check_answers(&mut self) -> Vec<ToChecker> {
        std::mem::take(&mut self.servers.answers)
    }

    /// Runs what a change of state asks for, after what earlier changes of the same server asked for.
    pub(crate) fn notify_server(&mut self, reactor: &mut Reactor, now: Instant, news: &Notification) {
        let Some(command) = &news.command else { return };
        let word = if news.up { "UP" } else { "DOWN" };
        let label = format!("{word} of {}", Told(&news.of));
        let step = Step { label, commands: vec![Command::clone(command)] };
        let lane = self.servers.lanes.entry(news.of.clone()).or_default();
        if let Some(dropped) = lane.push(step) {
            self.log.warning(format_args!(
                "the notify script for {} is not run: too many changes wait for scripts that hang",
                dropped.label
            ));
        }
        self.advance_server(reactor, now, &news.of);
    }

    fn advance_server(&mut self, reactor: &mut Reactor, now: Instant, of: &Whose) {
        while let Some((number, step)) = self.servers.lanes.get_mut(of).and_then(|lane| lane.start_next(now))
        {
            for command in &step.commands {
                let purpose = Purpose::ServerNotify { of: of.clone(), step: number };
                let wanted_by = format!("notify for {}", step.label);
                let started = self.start(reactor, now, command, purpose, None, &wanted_by);
                if started.is_none()
                    && let Some(lane) = self.servers.lanes.get_mut(of)
                {
                    lane.ended(number);
                }
            }
        }
        if self.servers.lanes.get(of).is_some_and(Lane::is_idle) {
            self.servers.lanes.remove(of);
        }
    }

    pub(super) fn server_notify_ended(
        &mut self,
        reactor: &mut Reactor,
        now: Instant,
        (of, step): (&Whose, StepNumber),
        (program, exit): (&str, Option<Exit>),
    ) {
        if let Some(exit) = exit.filter(|exit| *exit != Exit::Code(0)) {
            self.log.info(format_args!("notify script {program} of {} {}", Told(of), describe(exit)));
        }
        if let Some(lane) = self.servers.lanes.get_mut(of) {
            lane.ended(step);
        }
        self.advance_server(reactor, now, of);
    }

    /// A check has ended, or was ended because of its time-out.
    pub(super) fn server_check_ended(
        &mut self,
        token: Token,
        asked: CheckRun,
        exit: Option<Exit>,
        terminated: bool,
    ) {
        if self.servers.checks.get(&asked.probe) == Some(&token) {
            self.servers.checks.remove(&asked.probe);
        }
        let outcome = match exit {
            _ if terminated => Outcome::Failed("it has overrun its time-out".into()),
            Some(Exit::Code(code)) => Outcome::of_exit(code.into(), asked.dynamic),
            Some(exit) => Outcome::Failed(describe(exit).into()),
            None => Outcome::Unknown("nobody knows how it ended".into()),
        };
        self.servers.answer(asked, outcome);
    }

    /// Lets the next scripts go on where one hangs.
    pub(super) fn on_server_deadline(&mut self, reactor: &mut Reactor, now: Instant) {
        let hanging = self.servers.lanes.iter_mut();
        let hanging: Vec<_> =
            hanging.filter_map(|(of, lane)| Some((of.clone(), lane.give_up(now)?))).collect();
        for (of, label) in hanging {
            self.log.warning(format_args!(
                "the notify script for {label} has not ended after {} s; the next ones do not wait for it",
                super::lane::PATIENCE.as_secs()
            ));
            self.advance_server(reactor, now, &of);
        }
    }
}

impl Servers {
    pub(super) fn deadline(&self) -> Option<Instant> {
        self.lanes.values().filter_map(Lane::deadline).min()
    }

    pub(super) fn is_notifying(&self) -> bool {
        self.lanes.values().any(|lane| !lane.is_idle())
    }

    /// Forgets those that wait.
    pub(super) fn forget(&mut self) {
        self.lanes.clear();
    }

    pub(super) fn answer(&mut self, asked: CheckRun, outcome: Outcome) {
        let CheckRun { probe, run, .. } = asked;
        self.answers.push(ToChecker::ScriptDone { probe, run, outcome });
    }
}

/// Every program of virtual servers, and the keyword that names it.
pub(crate) fn commands(config: &config::Config) -> impl Iterator<Item = (&Command, &'static str)> {
    config.virtual_servers.iter().flat_map(|server| {
        let quorum =
            [("quorum_up", server.quorum.up.as_deref()), ("quorum_down", server.quorum.down.as_deref())];
        let real = server.real_servers.iter().flat_map(|real| {
            let notify =
                [("notify_up", real.notify_up.as_deref()), ("notify_down", real.notify_down.as_deref())];
            let checks = real.checkers.iter().filter_map(|checker| match checker {
                Checker::Probe(probe) => match &probe.check {
                    config::Check::Misc(misc) => Some(("MISC_CHECK", Some(&misc.command))),
                    _ => None,
                },
                Checker::Bfd(_) | Checker::File(_) => None,
            });
            notify.into_iter().chain(checks)
        });
        quorum.into_iter().chain(real).filter_map(|(keyword, command)| Some((command?, keyword)))
    })
}

impl fmt::Display for Told<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Whose::VirtualServer { service } => write!(f, "virtual server {service}"),
            Whose::RealServer { service, server } | Whose::Checker { service, server } => {
                write!(f, "real server {server} of {service}")
            }
        }
    }
}
