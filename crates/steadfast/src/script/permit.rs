//! Whether a program may be run, and with whose rights.

use std::collections::HashMap;
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use model::vrrp::{Command, RunAs};
use sys::process::SpawnError;
use sys::script_path::{self, Insecure, NotExecutable};
use sys::users::{self, Credentials, Gid, Uid};

use crate::log::Log;

/// Decides on programs, and tells the operator what is wrong with them: once for each program and cause.
#[derive(Debug)]
pub(super) struct Permits {
    log: Log,
    security: Security,
    search: std::ffi::OsString,
    own: Credentials,
    users: HashMap<RunAs, Result<Rights, UserError>>,
    /// What was last said of a program.
    said: HashMap<(String, RunAs), Said>,
}

/// What `enable_script_security` says about programs that run as root and that others can change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Security {
    /// They are not run.
    Enforced,
    /// They are run, with a warning.
    Warned,
}

/// A program that may be run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Permit {
    pub(super) program: PathBuf,
    /// `None`: the daemon's own rights.
    pub(super) run_as: Option<Credentials>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Rights {
    credentials: Credentials,
    /// Whether they differ from the daemon's own.
    differ: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Said {
    cause: String,
    runs: bool,
}

/// Why a program is not run.
#[derive(Debug, thiserror::Error)]
pub(super) enum Refusal {
    #[error("'{0}' is in none of the directories of PATH")]
    NotInPath(String),
    #[error("{} does not exist", .0.display())]
    Missing(PathBuf),
    #[error("{} is a directory", .0.display())]
    Directory(PathBuf),
    #[error("{} is {reason} for uid {uid} (its mode is {mode:04o})", .path.display())]
    NotExecutable { path: PathBuf, uid: Uid, mode: u32, reason: NotExecutable },
    #[error("it would run as root, but {}", insecurity(.0))]
    Insecure(Insecure),
    #[error("{} cannot be examined: {source}", .path.display())]
    Unexamined { path: PathBuf, source: io::Error },
    #[error(transparent)]
    User(UserError),
    #[error("{}{}", .0, cause(.0))]
    Spawn(SpawnError),
}

/// Why a program's user cannot be had.
#[derive(Clone, Debug, thiserror::Error)]
pub(super) enum UserError {
    /// A cached answer, so the text instead of the error.
    #[error("{0}")]
    Unresolved(std::sync::Arc<users::Error>),
    #[error("the daemon does not run as root, so it cannot run anything as user {0}")]
    NotRoot(String),
}

impl Permits {
    pub(super) fn new(log: Log) -> Self {
        Self {
            log,
            security: Security::Warned,
            search: std::env::var_os("PATH").unwrap_or_else(|| DEFAULT_PATH.into()),
            own: own_credentials(),
            users: HashMap::new(),
            said: HashMap::new(),
        }
    }

    /// Starts afresh with a configuration: users are looked up again. Asking for them may block, so every
    /// `run_as` of the configuration is to be examined once right after.
    pub(super) fn configure(&mut self, security: Security) {
        self.security = security;
        self.users.clear();
    }

    /// Whether `command` may be run. What is wrong is logged if it is news; `purpose` says who wants it.
    pub(super) fn examine(&mut self, command: &Command, purpose: &str) -> Option<Permit> {
        match self.decide(command) {
            Ok((permit, None)) => {
                self.said.retain(|key, said| !(said.runs && *key == key_of(command)));
                Some(permit)
            }
            Ok((permit, Some(insecure))) => {
                let cause = format!(
                    "runs as root, but {}; with enable_script_security it would not be run",
                    insecurity(&insecure)
                );
                self.say(command, purpose, Said { cause, runs: true });
                Some(permit)
            }
            Err(refusal) => {
                self.refuse(command, purpose, &refusal);
                None
            }
        }
    }

    /// Notes that `command` was started: only that proves that what kept it from running is put right.
    pub(super) fn started(&mut self, command: &Command) {
        let key = key_of(command);
        if self.said.get(&key).is_some_and(|said| !said.runs) {
            self.said.remove(&key);
            self.log.notice(format_args!("script {} is run again", command.program));
        }
    }

    /// Notes that `command` could not be started after all.
    pub(super) fn refuse(&mut self, command: &Command, purpose: &str, refusal: &Refusal) {
        self.say(command, purpose, Said { cause: format!("is not run: {refusal}"), runs: false });
    }

    /// The same cause for another purpose is no news.
    fn say(&mut self, command: &Command, purpose: &str, said: Said) {
        let key = key_of(command);
        if self.said.get(&key) != Some(&said) {
            self.log.warning(format_args!("script {} ({purpose}) {}", command.program, said.cause));
            self.said.insert(key, said);
        }
    }

    fn decide(&mut self, command: &Command) -> Result<(Permit, Option<Insecure>), Refusal> {
        let rights = self.rights(&command.run_as)?;
        let program = self.locate(&command.program)?;
        script_path::executable(&program, &rights.credentials)
            .map_err(|reason| not_executable(&program, rights.credentials.uid, reason))?;
        let insecure = self.insecure(&program, &rights)?;
        let run_as = rights.differ.then_some(rights.credentials);
        Ok((Permit { program, run_as }, insecure))
    }

    /// Only what runs as root is looked at, as with keepalived.
    fn insecure(&self, program: &Path, rights: &Rights) -> Result<Option<Insecure>, Refusal> {
        let uid = rights.credentials.uid;
        if uid != Uid::ROOT {
            return Ok(None);
        }
        let found = script_path::insecure(program, uid)
            .map_err(|source| Refusal::Unexamined { path: program.to_owned(), source })?;
        match found {
            Some(insecure) if self.security == Security::Enforced => Err(Refusal::Insecure(insecure)),
            found => Ok(found),
        }
    }

    fn locate(&self, program: &str) -> Result<PathBuf, Refusal> {
        if program.contains('/') {
            return std::path::absolute(program)
                .map_err(|source| Refusal::Unexamined { path: program.into(), source });
        }
        script_path::find(program.as_ref(), &self.search)
            .ok_or_else(|| Refusal::NotInPath(program.to_owned()))
    }

    fn rights(&mut self, run_as: &RunAs) -> Result<Rights, Refusal> {
        if let Some(known) = self.users.get(run_as) {
            return known.clone().map_err(Refusal::User);
        }
        let rights = rights(run_as, &self.own);
        self.users.insert(run_as.clone(), rights.clone());
        rights.map_err(Refusal::User)
    }
}

fn key_of(command: &Command) -> (String, RunAs) {
    (command.program.clone(), command.run_as.clone())
}

fn rights(run_as: &RunAs, own: &Credentials) -> Result<Rights, UserError> {
    let unresolved = |error| UserError::Unresolved(std::sync::Arc::new(error));
    let is_root = own.uid == Uid::ROOT;
    let credentials = match run_as {
        RunAs::Default if is_root && users::user(DEFAULT_USER).map_err(unresolved)?.is_some() => {
            users::credentials(DEFAULT_USER, None).map_err(unresolved)?
        }
        RunAs::Default => return Ok(Rights { credentials: own.clone(), differ: false }),
        RunAs::User { user, group } => users::credentials(user, group.as_deref()).map_err(unresolved)?,
    };
    let same = credentials.uid == own.uid && credentials.gid == own.gid;
    match run_as {
        _ if same => Ok(Rights { credentials: own.clone(), differ: false }),
        RunAs::User { user, .. } if !is_root => Err(UserError::NotRoot(user.clone())),
        _ => Ok(Rights { credentials, differ: true }),
    }
}

fn own_credentials() -> Credentials {
    let groups = rustix::process::getgroups().unwrap_or_default();
    Credentials {
        uid: Uid::own(),
        gid: Gid(rustix::process::getegid().as_raw()),
        groups: groups.into_iter().map(|gid| Gid(gid.as_raw())).collect(),
    }
}

fn not_executable(program: &Path, uid: Uid, reason: NotExecutable) -> Refusal {
    let path = program.to_owned();
    match (reason, std::fs::metadata(program)) {
        (NotExecutable::NotFound, _) => Refusal::Missing(first_missing(program)),
        (NotExecutable::Kernel(source), _) => Refusal::Unexamined { path, source },
        (_, Ok(metadata)) if metadata.is_dir() => Refusal::Directory(path),
        (reason, metadata) => {
            let mode = metadata.map_or(0, |metadata| metadata.permissions().mode() & 0o7777);
            Refusal::NotExecutable { path, uid, mode, reason }
        }
    }
}

/// The first part of `path` that does not exist: the one that the operator must look at.
fn first_missing(path: &Path) -> PathBuf {
    let mut parts: Vec<_> = path.ancestors().collect();
    parts.reverse();
    parts.into_iter().find(|part| !part.exists()).unwrap_or(path).to_owned()
}

fn insecurity(insecure: &Insecure) -> String {
    format!("{insecure} (its mode is {:04o}, its owner uid {})", insecure.mode & 0o7777, insecure.owner)
}

fn cause(error: &SpawnError) -> String {
    std::error::Error::source(error).map(|source| format!(": {source}")).unwrap_or_default()
}

/// Whose rights scripts have if the configuration names nobody and this user exists.
const DEFAULT_USER: &str = "keepalived_script";

/// Where programs are looked for if the environment has no `PATH`.
const DEFAULT_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::{Destinations, Verbosity};

    fn permits(security: Security) -> Permits {
        let to =
            Destinations { console: false, syslog: None, ident: "test".into(), verbosity: Verbosity::Normal };
        let mut permits = Permits::new(Log::start(to).unwrap());
        permits.configure(security);
        permits
    }

    fn script(mode: u32) -> (tempfile::TempDir, Command) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("script");
        std::fs::write(&path, "#!/bin/sh\n").unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
        let program = path.to_str().unwrap().to_owned();
        (dir, Command { program, arguments: Vec::new(), run_as: RunAs::Default })
    }

    fn refusal(command: &Command) -> String {
        permits(Security::Enforced).decide(command).unwrap_err().to_string()
    }

    #[test]
    fn what_is_wrong_with_a_path_is_named() {
        let (dir, command) = script(0o644);
        let path = dir.path().display().to_string();
        assert!(refusal(&command).contains("not executable"));
        assert!(refusal(&command).contains("0644"));
        let at = |program: String| Command { program, ..command.clone() };
        assert_eq!(refusal(&at(path.clone())), format!("{path} is a directory"));
        assert_eq!(refusal(&at(format!("{path}/a/b"))), format!("{path}/a does not exist"));
        assert!(refusal(&at("no-such-program-anywhere".into())).contains("PATH"));
    }

    #[test]
    fn programs_without_a_path_are_looked_for() {
        let (_, command) = script(0o755);
        let command = Command { program: "sh".into(), ..command };
        let (permit, _) = permits(Security::Enforced).decide(&command).unwrap();
        assert!(permit.program.is_absolute() && permit.program.ends_with("sh"));
    }

    #[test]
    fn an_unknown_user_is_named() {
        let (_dir, command) = script(0o755);
        let run_as = RunAs::User { user: "no-such-user".into(), group: None };
        assert!(refusal(&Command { run_as, ..command }).contains("no-such-user"));
    }

    #[test]
    fn root_does_not_run_what_others_can_change() {
        if !rustix::process::geteuid().is_root() {
            eprintln!("skipped: only root's scripts are held to this");
            return;
        }
        let (dir, command) = script(0o777);
        let command = Command { run_as: RunAs::User { user: "root".into(), group: None }, ..command };
        let said = refusal(&command);
        let path = dir.path().join("script").display().to_string();
        assert!(
            said.contains(&path) && said.contains("writable by everybody") && said.contains("0777"),
            "{said}"
        );

        let (_, insecure) = permits(Security::Warned).decide(&command).unwrap();
        assert!(insecure.is_some(), "it runs, with a warning");
    }

    #[test]
    fn the_same_cause_is_said_once() {
        let (dir, command) = script(0o644);
        let mut permits = permits(Security::Enforced);
        let cause =
            |permits: &Permits| permits.said.values().map(|said| said.cause.clone()).collect::<Vec<_>>();
        assert_eq!(permits.examine(&command, "vrrp_script a"), None);
        let first = cause(&permits);
        assert_eq!(permits.examine(&command, "vrrp_script b"), None);
        assert_eq!(cause(&permits), first);
        std::fs::remove_file(dir.path().join("script")).unwrap();
        assert_eq!(permits.examine(&command, "vrrp_script a"), None);
        assert_ne!(cause(&permits), first);
        std::fs::write(dir.path().join("script"), "#!/bin/sh\n").unwrap();
        let mode = std::fs::Permissions::from_mode(0o755);
        std::fs::set_permissions(dir.path().join("script"), mode).unwrap();
        assert!(permits.examine(&command, "vrrp_script a").is_some());
        assert!(!permits.said.is_empty(), "its interpreter may be missing");
        permits.started(&command);
        assert!(permits.said.is_empty());
    }
}
