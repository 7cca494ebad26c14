//! The check worker's life, and what it asks for.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use anyhow::Context as _;
use lvs::{Progress, Remembered, Subject};
use model::ipvs::ServiceKey;
use model::lvs::Outcome;
use model::vrrp::Command;
use sys::process::Pid;

use super::super::dump::Before;
use super::super::link::LinkError;
use super::Daemon;
use crate::message::State;
use crate::message::check::{Assignment, FromChecker, Settings, ToChecker};
use crate::program;
use crate::script;

/// What is known of virtual servers, for the next worker.
#[derive(Debug, Default)]
pub(super) struct Servers {
    remembered: BTreeMap<Subject, Remembered>,
    /// What is, or may be, in the table.
    owned: BTreeSet<ServiceKey>,
    /// The programs of the configuration, and until a reload is carried out those of the one before: the worker can
    /// ask for no other.
    commands: HashSet<Command>,
    /// Configurations that were handed to the running worker, and not acknowledged.
    handed: usize,
    /// How checks are getting on, as far as the running worker has told since it was asked.
    progress: BTreeMap<Subject, Progress>,
    /// How often it was asked, and has not told everything.
    asked: usize,
    /// How things were when the last reload came.
    before: Before,
    /// A worker has been ready.
    have_begun: bool,
}

impl Servers {
    /// These are the programs that may be run.
    pub(super) fn permit(&mut self, config: &model::lvs::Config) {
        self.commands.extend(script::commands_of_servers(config).map(|(command, _)| command.clone()));
    }

    /// The worker has carried a configuration out; after the last one, no programs but those of `config` may be run.
    fn acknowledged(&mut self, config: &model::lvs::Config) {
        self.handed = self.handed.saturating_sub(1);
        if self.handed == 0 {
            self.commands.clear();
            self.permit(config);
        }
    }

    /// How each server stands, as far as it was told.
    pub(super) const fn remembered(&self) -> &BTreeMap<Subject, Remembered> {
        &self.remembered
    }

    /// What the running worker has told for a dump.
    pub(super) fn take_progress(&mut self) -> BTreeMap<Subject, Progress> {
        std::mem::take(&mut self.progress)
    }

    /// This configuration is about to be replaced.
    pub(super) fn keep_for_dumps(&mut self, config: &model::lvs::Config) {
        self.before = Before::of(config, &self.remembered);
    }

    pub(super) const fn before(&self) -> &Before {
        &self.before
    }

    fn remember(&mut self, state: Remembered) {
        if state.state.is_some() {
            self.remembered.insert(state.of.clone(), state);
        } else {
            self.remembered.remove(&state.of);
        }
    }
}

impl Daemon<'_> {
    pub(super) fn start_checker(&mut self) {
        if let Err(running) = self.checker.claim(&self.start.pid_files.checkers) {
            self.log.error(&running);
            self.stop(crate::exit::FATAL);
            return;
        }
        let remembered = self.servers.remembered.values().cloned().collect();
        let assignment = self.check_assignment(remembered);
        if let Err(error) = self.start_checker_with(&assignment)
            && let Err(code) = self.checker.not_started(sys::clock::now(), error, self.start.options.respawn)
        {
            self.stop(code);
        }
    }

    fn start_checker_with(&mut self, assignment: &Assignment) -> Result<Pid, LinkError> {
        let copy = self.copy_of(assignment)?;
        self.servers.handed = 0;
        let pid = self.checker.start(self.start.program, &self.arguments, copy, &mut self.reactor)?;
        self.tune_checker(pid);
        Ok(pid)
    }

    /// The configuration as it is now.
    fn check_assignment(&self, remembered: Vec<Remembered>) -> Assignment {
        let (global, process) = (&self.config.global, &self.config.process);
        let namespace = self.start.namespace(process);
        let settings = Settings {
            name: super::tuning::checker_name(&self.config, self.start.program),
            ident: self.start.program.ident(Some(program::CHECKERS), namespace, process.instance.as_deref()),
            locks_memory: global.workers.checker.no_swap,
        };
        Assignment {
            config: self.config.lvs.clone(),
            checkers: global.checkers.clone(),
            ipvs: global.ipvs.clone(),
            remembered,
            owned: self.servers.owned.clone(),
            is_first: !self.servers.have_begun,
            keeps_table: self.start.options.keep_table,
            files: self.trackers.readings().files,
            is_master: self.follows_master(),
            settings,
        }
    }

    /// Hands the changed configuration to the running worker, or starts one if this is the first with virtual servers.
    pub(super) fn assign_checker_anew(&mut self) {
        if self.checker.is_there() {
            let assignment = self.check_assignment(Vec::new());
            match self.copy_of(&assignment) {
                Ok(copy) => {
                    self.servers.handed += 1;
                    self.checker.hand(&mut self.reactor, &ToChecker::Configure, copy);
                }
                Err(error) => self.checker.expect(Err(error.into())),
            }
        } else if self.checker.restart_at().is_none()
            && !self.is_starting
            && self.start.has_servers(&self.config)
        {
            self.start_checker();
        }
    }

    /// Asks how the checks are getting on, for a dump.
    pub(super) fn ask_for_progress(&mut self) {
        self.servers.asked += 1;
        self.checker.say(&mut self.reactor, &ToChecker::TellProgress);
    }

    pub(super) fn on_checker_messages(&mut self) {
        while let Some(message) = self.checker.next(&mut self.reactor) {
            self.on_checker_message(message);
        }
    }

    fn on_checker_message(&mut self, message: FromChecker) {
        let now = sys::clock::now();
        match message {
            FromChecker::Ready => {
                self.checker.is_ready();
                self.servers.have_begun = true;
                self.log.detail("the check worker is ready");
                self.is_up_if_ready();
            }
            FromChecker::RunScript { probe, run, check } => {
                if self.may_run(&check.command) {
                    self.runner.check_server(&mut self.reactor, now, (probe, run), &check);
                } else {
                    let outcome = Outcome::Unknown("the program is not one of the configuration".into());
                    self.checker.say(&mut self.reactor, &ToChecker::ScriptDone { probe, run, outcome });
                }
            }
            FromChecker::ForgetScript { probe } => self.runner.forget_check(now, probe),
            FromChecker::Notify(mut notification) => {
                notification.command = notification.command.filter(|command| self.may_run(command));
                self.news.server_changed(&mut self.reactor, &notification);
                self.runner.notify_server(&mut self.reactor, now, &notification);
            }
            FromChecker::Progress(progress) => {
                drop(self.servers.progress.insert(progress.of.clone(), *progress))
            }
            FromChecker::ProgressTold => {
                self.servers.asked = self.servers.asked.saturating_sub(1);
                self.write_servers();
            }
            FromChecker::State(state) => self.servers.remember(*state),
            FromChecker::Owns { service, owned: true } => drop(self.servers.owned.insert(service)),
            FromChecker::Owns { service, owned: false } => drop(self.servers.owned.remove(&service)),
            FromChecker::Reconfigured => self.servers.acknowledged(&self.config.lvs),
            FromChecker::Stopped => {
                self.log.detail("the check worker has stopped");
                self.servers.owned.clear();
            }
        }
    }

    /// Whether the configuration names this program. The worker speaks with strangers, the supervisor has all rights.
    fn may_run(&self, command: &Command) -> bool {
        let may = self.servers.commands.contains(command);
        if !may {
            self.log.error(format_args!(
                "the check worker asks for {}, which the configuration does not name",
                command.program
            ));
        }
        may
    }

    pub(super) fn on_checker_end(&mut self) -> anyhow::Result<()> {
        // Its last words count.
        self.on_checker_messages();
        let ended = self.checker.take_end(&mut self.reactor).context("cannot wait for the check worker")?;
        let Some((pid, exit)) = ended else { return Ok(()) };
        let now = sys::clock::now();
        if std::mem::take(&mut self.servers.asked) > 0 {
            self.write_servers();
        }
        self.runner.forget_checks(now);
        if self.stopping.is_some() {
            self.sweep_table_if_needed();
        } else if let Err(code) = self.checker.died(now, pid, exit, self.start.options.respawn) {
            self.stop(code);
        }
        Ok(())
    }

    /// The daemon stops.
    pub(super) fn stop_checker(&mut self) {
        self.checker.cancel();
        if self.checker.is_there() {
            self.checker.say(&mut self.reactor, &ToChecker::Stop);
        } else {
            self.sweep_table_if_needed();
        }
    }

    /// If the last worker ended without taking its services out of the table, starts one that does that and nothing
    /// else. One that dies as well leaves them.
    fn sweep_table_if_needed(&mut self) {
        if self.servers.owned.is_empty() || self.start.options.keep_table {
            return;
        }
        let assignment = Assignment { config: Default::default(), ..self.check_assignment(Vec::new()) };
        self.servers.owned.clear();
        match self.start_checker_with(&assignment) {
            Ok(pid) => {
                self.log.info(format_args!(
                    "the check worker may have left virtual servers in the table: process {pid} takes them out"
                ));
                self.checker.say(&mut self.reactor, &ToChecker::Stop);
            }
            Err(error) => self.log.error(format_args!("{:#}", anyhow::Error::from(error))),
        }
    }

    pub(super) fn deliver_check_answers(&mut self) {
        for answer in self.runner.take_check_answers() {
            self.checker.say(&mut self.reactor, &answer);
        }
    }

    /// Whether the virtual router that `lvs_sync_daemon` follows is master.
    fn follows_master(&self) -> bool {
        let sync = self.config.global.ipvs.sync.as_ref();
        let followed = sync.and_then(|sync| self.remembered.get(sync.instance.as_ref()?));
        followed.is_some_and(|router| router.state == State::Master)
    }

    /// An instance has reported its state.
    pub(super) fn tell_checker_of_router(&mut self, instance: &str) {
        let sync = self.config.global.ipvs.sync.as_ref();
        if sync.is_some_and(|sync| sync.instance.as_deref() == Some(instance)) {
            let order = ToChecker::Router { is_master: self.follows_master() };
            self.checker.say(&mut self.reactor, &order);
        }
    }
}
