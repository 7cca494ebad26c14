//! Where the pid files are, and whether another daemon holds them.

use std::path::{Path, PathBuf};
use std::time::Duration;

use model::{Namespace, Process};
use sys::pidfile;
use sys::process::Pid;

use crate::cli::Options;
use crate::log::Log;

/// Where the pid files are.
#[derive(Clone, Debug)]
pub(super) struct PidFiles {
    pub(super) main: PathBuf,
    pub(super) vrrp: PathBuf,
    pub(super) checkers: PathBuf,
}

/// Pid files that belong to this daemon now.
#[derive(Debug, Default)]
pub(super) struct HeldFiles {
    pub(super) main: PidFile,
    pub(super) vrrp: PidFile,
    pub(super) checkers: PidFile,
}

/// A pid file, as far as it has been needed.
#[derive(Debug, Default)]
pub(super) enum PidFile {
    /// Nobody has asked for it.
    #[default]
    Unclaimed,
    /// It belongs to this daemon.
    Held(pidfile::Held),
    /// It cannot be written, and that has been said.
    Unwritable,
}

/// Another daemon holds a pid file.
#[derive(Debug, thiserror::Error)]
#[error("daemon is already running{}: {} is its pid file", .pid.map(|pid| format!(", pid {pid}")).unwrap_or_default(), .path.display())]
pub(super) struct AlreadyRunning {
    pid: Option<Pid>,
    path: PathBuf,
}

impl PidFiles {
    /// Those of the command line, or keepalived's: daemons that share a host by namespaces or instance names have a
    /// folder for theirs. Made absolute, as a daemon changes its directory.
    pub(super) fn of(options: &Options, process: &Process) -> Self {
        let folder = match (&options.namespace, &process.net_namespace) {
            (Some(namespace), _) | (None, Namespace::Named(namespace)) => Path::new(FOLDER).join(namespace),
            (None, Namespace::Own) if process.pid_directory => FOLDER.into(),
            (None, Namespace::Own) => "/run".into(),
        };
        let instance = process.instance.as_ref().map_or_else(String::new, |name| format!("_{name}"));
        let absolute = |given: &Option<PathBuf>, usual: &str| {
            let path = given.clone().unwrap_or_else(|| folder.join(format!("{usual}{instance}.pid")));
            std::path::absolute(&path).unwrap_or(path)
        };
        Self {
            main: absolute(&options.pid_file, "keepalived"),
            vrrp: absolute(&options.vrrp_pid_file, "vrrp"),
            checkers: absolute(&options.checkers_pid_file, "checkers"),
        }
    }

    /// Takes the pid file of a worker, as [`PidFile::claim`] does. A worker outlives a supervisor that was killed by
    /// as long as it takes to release its addresses: two would fight over them, so its end is awaited.
    pub(super) fn claim_for_worker(path: &Path, pid: Pid, log: &Log) -> Result<PidFile, AlreadyRunning> {
        let until = sys::clock::now() + MOST_RELEASE_TIME;
        let mut told = false;
        loop {
            match PidFile::Unclaimed.claim(path, pid, log) {
                Err(running) if sys::clock::now() < until => {
                    if !told {
                        log.info(format_args!("{running}: its end is awaited"));
                        told = true;
                    }
                    std::thread::sleep(STEP);
                }
                outcome => return outcome,
            }
        }
    }
}

impl PidFile {
    /// Takes it, unless it is ours already. One that cannot be written is a warning, as with keepalived, and said once.
    pub(super) fn claim(self, path: &Path, pid: Pid, log: &Log) -> Result<Self, AlreadyRunning> {
        if self.is_held() {
            return Ok(self);
        }
        match pidfile::Held::claim(path, pid, &KIN) {
            Ok(held) => Ok(Self::Held(held)),
            Err(pidfile::Error::AlreadyRunning { pid }) => Err(AlreadyRunning { pid, path: path.to_owned() }),
            Err(error) => {
                if !matches!(self, Self::Unwritable) {
                    log.warning(format_args!("{:#}", anyhow::Error::from(error)));
                }
                Ok(Self::Unwritable)
            }
        }
    }

    pub(super) const fn is_held(&self) -> bool {
        matches!(self, Self::Held(_))
    }
}

/// Where pid files are if there may be several daemons.
const FOLDER: &str = "/run/keepalived";

/// How long a worker whose supervisor is gone may go on: as long as an orderly stop gives it.
const MOST_RELEASE_TIME: Duration = Duration::from_secs(5);

/// The pause between two looks at a pid file.
const STEP: Duration = Duration::from_millis(20);

/// Daemons of this kind. keepalived does not lock its pid files.
const KIN: [&str; 2] = ["keepalived", "steadfast"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn they_are_where_keepalived_has_them_unless_the_command_line_says_otherwise() {
        let both = |options: Options, process: &Process| {
            let PidFiles { main, vrrp, .. } = PidFiles::of(&options, process);
            (main, vrrp)
        };
        let paths = |options: Options| both(options, &Process::default());
        let named = Process { instance: Some("web".into()), pid_directory: true, ..Process::default() };
        assert_eq!(
            both(Options::default(), &named),
            ("/run/keepalived/keepalived_web.pid".into(), "/run/keepalived/vrrp_web.pid".into())
        );
        let inside = Process { net_namespace: Namespace::Named("p".into()), ..named };
        assert_eq!(both(Options::default(), &inside).0, Path::new("/run/keepalived/p/keepalived_web.pid"));
        let apart = Process { pid_directory: true, ..Process::default() };
        assert_eq!(both(Options::default(), &apart).1, Path::new("/run/keepalived/vrrp.pid"));
        assert_eq!(paths(Options::default()), ("/run/keepalived.pid".into(), "/run/vrrp.pid".into()));
        let namespace = Some("blue".to_owned());
        let vrrp_pid_file = Some("/q/v.pid".into());
        assert_eq!(
            paths(Options { namespace, vrrp_pid_file, ..Options::default() }),
            ("/run/keepalived/blue/keepalived.pid".into(), "/q/v.pid".into())
        );
    }
}
