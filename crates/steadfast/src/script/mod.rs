//! Runs the operator's programs: check scripts for the worker, notify scripts in the order of the transitions.
//!
//! The [`Runner`] belongs to the supervisor's loop and never waits. A check script has a time-out after which its
//! whole process group is ended, and never runs twice at once. A notify script is never killed while the
//! daemon runs: it may be in the middle of something.

mod audit;
mod examine;
mod lane;
mod lifecycle;
mod permit;
mod plan;
mod reader;
mod run;
mod servers;

use std::collections::{BTreeMap, HashSet};
use std::time::Duration;

use model::lvs::Outcome;
use model::{Instant, vrrp};
use sys::process::Exit;
use sys::reactor::{Reactor, Token};
use sys::signal::Signal;
use sys::users::Credentials;

use crate::log::{Level, Log};
use crate::message::{Notification, ScriptOutcome, ToWorker, Whose};

pub(crate) use audit::audit;
use examine::{Examiner, Remark};
use lane::{Lane, StepNumber};
use permit::Permits;
pub(crate) use permit::Policy;
use reader::Readers;
use run::Run;
pub(crate) use servers::commands as commands_of_servers;
use servers::{CheckRun, Servers};

/// The programs that run, and those that wait.
#[derive(Debug)]
pub(crate) struct Runner {
    log: Log,
    examiner: Examiner,
    environment: Vec<(String, String)>,
    checks: BTreeMap<String, Check>,
    notified: BTreeMap<Whose, Notified>,
    readers: Readers,
    servers: Servers,
    runs: BTreeMap<Token, Run>,
    /// Killed, and looked at from time to time until they are gone: the loop could not take them.
    unwatched: Vec<Run>,
    next_token: u64,
    answers: Vec<ToWorker>,
}

/// A check script and its requests.
#[derive(Debug)]
struct Check {
    script: vrrp::Script,
    /// The run that holds up the next one.
    busy: Option<Token>,
    /// A request that came meanwhile.
    waiting: Option<u64>,
}

/// The notify scripts of an instance or a group.
#[derive(Debug, Default)]
struct Notified {
    notify: vrrp::Notify,
    lane: Lane,
}

/// Whom a run is for.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Purpose {
    /// The worker's request; the number is `None` when it does not wait for the answer any more.
    Check { script: String, run: Option<u64> },
    /// A step of an instance's or a group's transitions.
    Notify { whose: Whose, step: StepNumber },
    /// The check worker's request; `None` when it does not wait for the answer any more.
    ServerCheck(Option<CheckRun>),
    /// A change of a server's state.
    ServerNotify { of: lvs::Whose, step: StepNumber },
    /// It reads the named pipe at this path.
    Reader { path: String },
    /// The script around the daemon's life that this keyword names.
    Lifecycle { keyword: &'static str },
}

impl Runner {
    /// A runner without scripts, whose programs get this process's environment.
    pub(crate) fn new(log: Log) -> Self {
        let text = |(name, value): (std::ffi::OsString, std::ffi::OsString)| {
            Some((name.into_string().ok()?, value.into_string().ok()?))
        };
        Self {
            examiner: Examiner::new(Permits::new()),
            log,
            environment: std::env::vars_os().filter_map(text).collect(),
            checks: BTreeMap::new(),
            notified: BTreeMap::new(),
            readers: Readers::default(),
            servers: Servers::default(),
            runs: BTreeMap::new(),
            unwatched: Vec::new(),
            next_token: FIRST_TOKEN,
            answers: Vec::new(),
        }
    }

    /// Takes over the scripts of a configuration, and says which of them cannot be run. What runs goes on.
    ///
    /// Instances that are not in it keep their notify scripts until [`Self::forget_instance`]: the news of their
    /// removal is still to come. Of the removal of a group nobody is told. May block on the user database.
    pub(crate) fn configure(&mut self, config: &vrrp::Config, servers: &model::lvs::Config, policy: Policy) {
        self.examiner.configure(policy);
        let remarks = remarks(config, servers, &mut self.examiner);
        self.tell_any(remarks);
        let mut before = std::mem::take(&mut self.checks);
        for script in &config.scripts {
            let (busy, waiting) =
                before.remove(&script.name).map_or((None, None), |check| (check.busy, check.waiting));
            self.checks.insert(script.name.clone(), Check { script: script.clone(), busy, waiting });
        }
        for (name, check) in before {
            self.answers.extend(check.waiting.map(|run| answer(name, run, ScriptOutcome::NotRun)));
        }
        for instance in &config.instances {
            let whose = Whose::Instance(instance.name.clone());
            self.notified.entry(whose).or_default().notify = instance.notify.clone();
        }
        self.configure_groups(&config.groups);
    }

    fn configure_groups(&mut self, groups: &[vrrp::SyncGroup]) {
        for (whose, notified) in &mut self.notified {
            if matches!(whose, Whose::Group(_)) {
                notified.notify = vrrp::Notify::default();
            }
        }
        for group in groups {
            let notify = plan::of_group(&group.notify);
            self.notified.entry(Whose::Group(group.name.clone())).or_default().notify = notify;
        }
        self.notified.retain(|whose, notified| matches!(whose, Whose::Instance(_)) || !notified.is_done());
    }

    /// An instance is gone, and so is the reason to keep its scripts. What waits still runs.
    pub(crate) fn forget_instance(&mut self, name: &str) {
        let whose = Whose::Instance(name.to_owned());
        if let Some(instance) = self.notified.get_mut(&whose) {
            instance.notify = vrrp::Notify::default();
            self.drop_if_done(&whose);
        }
    }

    /// Whose a file of this user is to be; `None` if it is the daemon's own. What is wrong with the user is told.
    pub(crate) fn owner(&mut self, user: &vrrp::RunAs) -> Option<Credentials> {
        self.examiner.owner(user).unwrap_or_else(|refusal| {
            self.log.warning(refusal);
            None
        })
    }

    /// Runs the check script `name` once, or after its present run has ended. The answer comes from
    /// [`Self::take_answers`].
    pub(crate) fn check(&mut self, reactor: &mut Reactor, now: Instant, name: &str, run: u64) {
        let Some(check) = self.checks.get_mut(name) else {
            self.answers.push(answer(name.to_owned(), run, ScriptOutcome::NotRun));
            return;
        };
        if check.busy.is_some() {
            let displaced = check.waiting.replace(run);
            self.answers.extend(displaced.map(|run| answer(name.to_owned(), run, ScriptOutcome::NotRun)));
            return;
        }
        let script = check.script.clone();
        let purpose = Purpose::Check { script: name.to_owned(), run: Some(run) };
        let limit = Some(script.timeout);
        match self.start(reactor, now, &script.command, purpose, limit, &format!("vrrp_script {name}")) {
            Some(token) => {
                if let Some(check) = self.checks.get_mut(name) {
                    check.busy = Some(token);
                }
            }
            None => self.answers.push(answer(name.to_owned(), run, ScriptOutcome::NotRun)),
        }
    }

    /// Runs what a transition asks for, after what earlier transitions of the same instance or group asked for.
    pub(crate) fn notify(&mut self, reactor: &mut Reactor, now: Instant, notification: &Notification) {
        let Some(notified) = self.notified.get_mut(&notification.whose) else { return };
        let Some(step) = plan::step(&notified.notify, notification) else { return };
        if let Some(dropped) = notified.lane.push(step) {
            self.log.warning(format_args!(
                "notify scripts for {} are not run: too many transitions wait for scripts that hang",
                dropped.label
            ));
        }
        self.advance(reactor, now, &notification.whose);
    }

    /// Serves a program that has ended. A token that is none of a program's is no matter.
    pub(crate) fn on_ready(&mut self, reactor: &mut Reactor, now: Instant, token: Token) {
        let Some(run) = self.runs.get_mut(&token) else { return };
        let exit = match run.reap() {
            Ok(None) => return,
            Ok(Some(exit)) => Some(exit),
            Err(error) => {
                self.log.error(format_args!("cannot learn how script {} ended: {error}", run.program()));
                None
            }
        };
        if let Some(run) = self.runs.remove(&token) {
            // A watch that is gone already is what we want.
            drop(reactor.remove(run.child()));
            self.ended(reactor, now, token, &run, exit);
        }
    }

    /// Ends what has overrun its time, and lets go on what it held up.
    pub(crate) fn on_deadline(&mut self, reactor: &mut Reactor, now: Instant) {
        for run in self.runs.values_mut() {
            let given_up = run.on_deadline(now, &self.log);
            match run.purpose_mut() {
                Purpose::Check { script, run } if given_up => {
                    let answered = run.take().map(|run| answer(script.clone(), run, ScriptOutcome::TimedOut));
                    self.answers.extend(answered);
                }
                Purpose::ServerCheck(asked) if given_up => {
                    if let Some(asked) = asked.take() {
                        self.servers.answer(asked, Outcome::Failed("it cannot be ended".into()));
                    }
                }
                _ => {}
            }
        }
        let log = &self.log;
        self.unwatched.retain_mut(|run| {
            run.on_deadline(now, log);
            matches!(run.reap(), Ok(None))
        });
        let hanging: Vec<_> = self
            .notified
            .iter_mut()
            .filter_map(|(whose, notified)| Some((whose.clone(), notified.lane.give_up(now)?)))
            .collect();
        for (whose, label) in hanging {
            self.log.warning(format_args!(
                "notify scripts for {label} have not ended after {} s; the next ones do not wait for them",
                lane::PATIENCE.as_secs()
            ));
            self.advance(reactor, now, &whose);
        }
        self.on_server_deadline(reactor, now);
        self.on_reader_deadline(reactor, now);
    }

    /// When [`Self::on_deadline`] is to be called.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        let runs = self.runs.values().chain(&self.unwatched).filter_map(Run::deadline);
        let lanes = self.notified.values().filter_map(|notified| notified.lane.deadline());
        runs.chain(lanes).chain(self.readers.deadline()).chain(self.servers.deadline()).min()
    }

    /// The answers for the worker since the last call.
    pub(crate) fn take_answers(&mut self) -> Vec<ToWorker> {
        std::mem::take(&mut self.answers)
    }

    /// The worker that asked for checks is gone: ends them, and answers nobody.
    pub(crate) fn abandon_checks(&mut self, now: Instant) {
        self.answers.clear();
        for check in self.checks.values_mut() {
            check.waiting = None;
        }
        for run in self.runs.values_mut() {
            if let Purpose::Check { run: wanted, .. } = run.purpose_mut() {
                *wanted = None;
                run.terminate(now);
            }
        }
    }

    /// Whether a notify script runs or waits.
    pub(crate) fn is_notifying(&self) -> bool {
        let is_notify =
            |run: &Run| matches!(run.purpose(), Purpose::Notify { .. } | Purpose::ServerNotify { .. });
        self.notified.values().any(|notified| !notified.lane.is_idle())
            || self.servers.is_notifying()
            || self.runs.values().any(is_notify)
    }

    /// Whether any program runs.
    pub(crate) fn is_running(&self) -> bool {
        !self.runs.is_empty() || !self.unwatched.is_empty()
    }

    /// Ends every program, and forgets those that wait.
    pub(crate) fn terminate_all(&mut self, now: Instant) {
        for (whose, notified) in &mut self.notified {
            if !notified.lane.is_idle() {
                self.log.warning(format_args!("notify scripts of {whose} are ended: the daemon stops"));
            }
            notified.lane = Lane::default();
        }
        self.servers.forget();
        self.readers.forget();
        for run in self.runs.values_mut() {
            run.terminate(now);
        }
    }

    /// Kills what [`Self::terminate_all`] has not ended.
    pub(crate) fn kill_all(&self) {
        for run in self.runs.values() {
            run.kill_group(Signal::KILL);
        }
    }

    /// Starts the next steps of an instance or a group, for as long as they end at once.
    fn advance(&mut self, reactor: &mut Reactor, now: Instant, whose: &Whose) {
        while let Some((number, step)) =
            self.notified.get_mut(whose).and_then(|notified| notified.lane.start_next(now))
        {
            for command in &step.commands {
                let purpose = Purpose::Notify { whose: whose.clone(), step: number };
                let started =
                    self.start(reactor, now, command, purpose, None, &format!("notify for {}", step.label));
                if started.is_none()
                    && let Some(notified) = self.notified.get_mut(whose)
                {
                    notified.lane.ended(number);
                }
            }
        }
        self.drop_if_done(whose);
    }

    fn drop_if_done(&mut self, whose: &Whose) {
        if self.notified.get(whose).is_some_and(Notified::is_done) {
            self.notified.remove(whose);
        }
    }

    fn start(
        &mut self,
        reactor: &mut Reactor,
        now: Instant,
        command: &vrrp::Command,
        purpose: Purpose,
        limit: Option<Duration>,
        wanted_by: &str,
    ) -> Option<Token> {
        let permit =
            self.examiner.permit(command, wanted_by).map_err(|refused| self.tell_any(refused)).ok()?;
        let run = match Run::start(command, &permit, &self.environment, purpose, limit.map(|l| now + l)) {
            Ok(run) => run,
            Err(error) => {
                let failed = self.examiner.not_started(command, wanted_by, &permit, error);
                self.tell_any(failed);
                return None;
            }
        };
        let remarks = self.examiner.started(command, wanted_by, &permit);
        self.tell_any(remarks);
        let token = Token(self.next_token);
        self.next_token += 1;
        if let Err(error) = reactor.add(run.child(), token, sys::reactor::Interest::Read) {
            self.log.error(format_args!("cannot watch script {}: {error}", command.program));
            self.discard(run, now);
            return None;
        }
        self.log.write(Level::Debug, format_args!("script {} ({wanted_by}) runs", command.program));
        self.runs.insert(token, run);
        Some(token)
    }

    /// Ends a program that the loop cannot watch.
    fn discard(&mut self, mut run: Run, now: Instant) {
        run.kill(now);
        if matches!(run.reap(), Ok(None)) {
            self.unwatched.push(run);
        }
    }

    fn tell_any(&self, remarks: impl IntoIterator<Item = Remark>) {
        for Remark { level, line } in remarks {
            self.log.write(level, line);
        }
    }

    fn ended(&mut self, reactor: &mut Reactor, now: Instant, token: Token, run: &Run, exit: Option<Exit>) {
        match run.purpose() {
            Purpose::Check { script, run: wanted } => {
                let outcome = outcome(exit, run.was_terminated());
                self.answers.extend(wanted.map(|run| answer(script.clone(), run, outcome)));
                self.check_ended(reactor, now, token, script);
            }
            Purpose::Notify { whose, step } => {
                if exit != Some(Exit::Code(0)) {
                    self.log.info(format_args!(
                        "notify script {} of {whose} {}",
                        run.program(),
                        exit.map_or_else(|| "ended".to_owned(), describe)
                    ));
                }
                if let Some(notified) = self.notified.get_mut(whose) {
                    notified.lane.ended(*step);
                }
                self.advance(reactor, now, whose);
            }
            Purpose::ServerCheck(asked) => {
                if let Some(asked) = *asked {
                    self.server_check_ended(token, asked, exit, run.was_terminated());
                }
            }
            Purpose::ServerNotify { of, step } => {
                self.server_notify_ended(reactor, now, (of, *step), (run.program(), exit));
            }
            Purpose::Reader { path } => self.reader_ended(now, token, path, exit),
            Purpose::Lifecycle { keyword } => self.lifecycle_ended(keyword, exit, run.was_terminated()),
        }
    }

    /// Starts the run that waited for this one.
    fn check_ended(&mut self, reactor: &mut Reactor, now: Instant, token: Token, name: &str) {
        let Some(check) = self.checks.get_mut(name).filter(|check| check.busy == Some(token)) else { return };
        check.busy = None;
        if let Some(run) = check.waiting.take() {
            self.check(reactor, now, name, run);
        }
    }
}

impl Notified {
    /// Nothing runs, and nothing ever will.
    fn is_done(&self) -> bool {
        self.lane.is_idle() && self.notify == vrrp::Notify::default()
    }
}

fn remarks(config: &vrrp::Config, servers: &model::lvs::Config, examiner: &mut Examiner) -> Vec<Remark> {
    let mut seen = HashSet::new();
    // Many servers share a program, and it is examined once.
    let of_servers = commands_of_servers(servers).filter(|(command, _)| seen.insert(*command));
    let commands: Vec<_> =
        commands(config).chain(of_servers.map(|(command, keyword)| (command, keyword.to_owned()))).collect();
    let mut remarks: Vec<_> =
        commands.iter().filter_map(|(command, purpose)| examiner.examine(command, purpose)).collect();
    remarks.extend(examiner.examine_default_user(commands.iter().map(|(command, _)| *command)));
    remarks
}

/// Every program of a configuration and who wants it.
fn commands(config: &vrrp::Config) -> impl Iterator<Item = (&vrrp::Command, String)> {
    let checks =
        config.scripts.iter().map(|script| (&script.command, format!("vrrp_script {}", script.name)));
    let notifies = config.instances.iter().flat_map(|instance| {
        notify_commands(&instance.notify)
            .map(|(keyword, command)| (command, format!("{keyword} of {}", instance.name)))
    });
    let of_groups = config.groups.iter().flat_map(|group| {
        group_commands(&group.notify)
            .map(|(keyword, command)| (command, format!("{keyword} of sync group {}", group.name)))
    });
    checks.chain(notifies).chain(of_groups)
}

const fn answer(script: String, run: u64, outcome: ScriptOutcome) -> ToWorker {
    ToWorker::ScriptDone { script, run, outcome }
}

fn outcome(exit: Option<Exit>, terminated: bool) -> ScriptOutcome {
    match exit {
        _ if terminated => ScriptOutcome::TimedOut,
        Some(Exit::Code(code)) => ScriptOutcome::Exited(code.into()),
        Some(Exit::Signal(signal)) => ScriptOutcome::Killed(signal.number()),
        None => ScriptOutcome::NotRun,
    }
}

fn describe(exit: Exit) -> String {
    match exit {
        Exit::Code(code) => format!("exited with status {code}"),
        Exit::Signal(signal) => format!("was killed by {signal}"),
    }
}

fn notify_commands(notify: &vrrp::Notify) -> impl Iterator<Item = (&'static str, &vrrp::Command)> {
    let deleted = notify.deleted.as_ref().and_then(|deleted| deleted.command.as_ref());
    [
        ("notify_master", notify.master.as_ref()),
        ("notify_backup", notify.backup.as_ref()),
        ("notify_fault", notify.fault.as_ref()),
        ("notify_stop", notify.stop.as_ref()),
        ("notify_deleted", deleted),
        ("notify_master_rx_lower_pri", notify.master_rx_lower_priority.as_ref()),
        ("notify", notify.any.as_ref()),
    ]
    .into_iter()
    .filter_map(|(keyword, command)| Some((keyword, command?)))
}

fn group_commands(notify: &vrrp::GroupNotify) -> impl Iterator<Item = (&'static str, &vrrp::Command)> {
    [
        ("notify_master", notify.master.as_ref()),
        ("notify_backup", notify.backup.as_ref()),
        ("notify_fault", notify.fault.as_ref()),
        ("notify_stop", notify.stop.as_ref()),
        ("notify", notify.any.as_ref()),
    ]
    .into_iter()
    .filter_map(|(keyword, command)| Some((keyword, command?)))
}

/// The supervisor's own tokens are below.
const FIRST_TOKEN: u64 = 1 << 16;

#[cfg(test)]
mod tests;
