//! Another configuration for the running daemon.

use std::path::PathBuf;

use super::super::files::{Files, Reading, Unusable};
use super::super::host_names;
use super::super::keys::{self, KeyError};
use super::super::pid_files::AlreadyRunning;
use super::super::reload_files::{InProgress, keep_findings};
use super::super::report::{self, Console};
use super::super::saved::Side;
use super::super::verdict::Losses;
use super::super::{MissingRights, check_rights};
use super::{Daemon, restrict};
use crate::message::ToWorker;

/// Why the configuration stays as it was.
#[derive(Debug, thiserror::Error)]
pub(super) enum Refusal {
    #[error(transparent)]
    Unusable(#[from] Unusable),
    #[error(transparent)]
    Key(#[from] KeyError),
    #[error("{} configures nothing; to stop everything, stop the daemon", .0.display())]
    NothingLeft(PathBuf),
    #[error(transparent)]
    Rights(#[from] MissingRights),
    #[error(transparent)]
    Running(#[from] AlreadyRunning),
}

impl Daemon<'_> {
    /// Reads the files anew. Either all of what they say comes into force, or nothing of it.
    pub(super) fn reload(&mut self) {
        self.log.notice(format_args!("Reloading {}", self.start.files.path().display()));
        self.service.reloads(&self.log);
        let status = match self.reload_or_refuse() {
            Ok(()) => String::new(),
            Err(refusal) => {
                let why = format!("RELOAD REFUSED: {refusal}; the previous configuration stays in force");
                self.log.error(&why);
                why
            }
        };
        self.service.has_reloaded(&self.log, &status);
    }

    fn reload_or_refuse(&mut self) -> Result<(), Refusal> {
        let reload = &self.config.global.reload;
        let in_progress = InProgress::begin(reload, &self.start.pid_files.main, &self.log);
        let reading = self.start.read(&self.start.files, &self.losses);
        drop(in_progress);
        keep_findings(reload, &reading, &self.log);
        self.start.saved.keep(&reading.loaded, &self.log);
        let shown = self.start.options.log_console && self.background_is_told();
        report::to_log(&self.log, &reading.loaded, if shown { Console::Shown } else { Console::Hidden });
        let mut config = self.judge(&self.start.files, &reading)?;
        if self.start.has_work(&config) {
            check_rights()?;
        }
        if self.start.has_routers(&config) && !self.vrrp.is_there() {
            self.vrrp.claim(&self.start.pid_files.vrrp)?;
        }
        if self.start.has_servers(&config) && !self.checker.is_there() {
            self.checker.claim(&self.start.pid_files.checkers)?;
        }
        if config == self.config {
            let table =
                if self.checker.is_there() { ", but what others have done to the IPVS table" } else { "" };
            self.log.info(format_args!("the configuration means the same as before: nothing changes{table}"));
        }
        self.say_server_changes(&config.lvs);
        self.servers.keep_for_dumps(&self.config.lvs);
        if keep_place(&mut config.process, &self.config.process) {
            self.log.warning(
                "net_namespace, instance and use_pid_dir of the daemon that runs stay: they need a restart",
            );
        }
        let (runs, wanted) = (&self.config.global.files, &mut config.global.files);
        if wanted.copy_directory != runs.copy_directory {
            self.log.warning("tmp_config_directory of the daemon that runs stays: it needs a restart");
            wanted.copy_directory.clone_from(&runs.copy_directory);
        }
        let kept_in = wanted.save_directory.clone();
        self.keep_state(Side::Before, kept_in.as_deref());
        let workers = self.config.global.workers.clone();
        self.take_over(config, Losses::of(&reading.loaded));
        self.tune_anew(&workers);
        self.assign_checker_anew();
        if self.assign_anew() {
            self.keep_state(Side::After, kept_in.as_deref());
        }
        Ok(())
    }

    /// What a reading comes to, if it may take the place of the configuration that runs.
    pub(super) fn judge(&self, files: &Files, reading: &Reading) -> Result<model::Config, Refusal> {
        let mut config = restrict(reading.usable_after(&self.losses)?.clone(), self.start.options);
        host_names::look_up(&mut config.vrrp, &config.global.files.iproute);
        keys::read(&mut config.vrrp)?;
        let count = |config: &model::Config| config.vrrp.instances.len() + config.lvs.virtual_servers.len();
        if count(&config) == 0 && count(&self.config) != 0 {
            return Err(Refusal::NothingLeft(files.path().to_owned()));
        }
        Ok(config)
    }

    /// Hands the changed configuration to the running worker, or starts one if this is the first with instances.
    /// Whether there was one.
    fn assign_anew(&mut self) -> bool {
        if self.vrrp.is_there() {
            let assignment = self.assignment(Vec::new());
            match self.copy_of(&assignment) {
                Ok(copy) => self.vrrp.hand(&mut self.reactor, &ToWorker::Configure, copy),
                Err(error) => self.vrrp.expect(Err(error.into())),
            }
            return true;
        }
        if self.vrrp.restart_at().is_none() && !self.is_starting && self.start.has_routers(&self.config) {
            self.start_worker();
        }
        false
    }
}

/// Puts into `wanted` where the daemon runs, which only a restart can change; whether that was to be another place.
pub(super) fn keep_place(wanted: &mut model::Process, runs: &model::Process) -> bool {
    let place = |process: &model::Process| {
        (process.net_namespace.clone(), process.instance.clone(), process.pid_directory)
    };
    let differs = place(wanted) != place(runs);
    (wanted.net_namespace, wanted.instance, wanted.pid_directory) = place(runs);
    differs
}
