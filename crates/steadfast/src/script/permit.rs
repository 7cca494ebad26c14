//! Whether a program may be run, and with whose rights.

use std::collections::HashMap;
use std::ffi::OsString;
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use model::vrrp::{Command, RunAs};
use sys::process::SpawnError;
use sys::script_path::{self, Insecure, NotExecutable, Reason};
use sys::users::{self, Credentials, Gid, Uid};

/// Decides on programs.
#[derive(Debug)]
pub(super) struct Permits {
    policy: Policy,
    search: OsString,
    own: Credentials,
    users: HashMap<RunAs, Result<Rights, UserError>>,
}

/// What `enable_script_security` says about programs that run as root and that others can change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Security {
    /// They are not run.
    Enforced,
    /// They are run, with a warning.
    Warned,
}

impl From<&model::Global> for Security {
    fn from(global: &model::Global) -> Self {
        if global.script_security { Self::Enforced } else { Self::Warned }
    }
}

/// What `global_defs` says about all programs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Policy {
    /// About those that others can change.
    pub(crate) security: Security,
    /// Symbolic links are executed as they are written (`use_symlink_paths`).
    pub(crate) links: bool,
    /// Users have their supplementary groups, too (`set_supplementary_groups`).
    pub(crate) all_groups: bool,
}

impl Policy {
    /// Nothing is said.
    pub(crate) const DEFAULT: Self = Self { security: Security::Warned, links: false, all_groups: false };
}

impl From<&model::Global> for Policy {
    fn from(global: &model::Global) -> Self {
        Self { security: global.into(), links: global.script_links, all_groups: global.supplementary_groups }
    }
}

/// A program that may be run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Permit {
    /// What is executed.
    pub(super) program: PathBuf,
    /// What the program is called: a program of many names goes by it.
    pub(super) name: PathBuf,
    /// `None`: the daemon's own rights.
    pub(super) run_as: Option<Credentials>,
    /// It runs as root, though others can change it.
    pub(super) insecure: Option<Insecure>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Rights {
    credentials: Credentials,
    /// Whether they differ from the daemon's own.
    differ: bool,
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

impl Refusal {
    /// What makes it go away, where that is one thing.
    pub(super) fn remedy(&self) -> Option<String> {
        match self {
            Self::NotInPath(_) => Some("write the whole path, beginning with `/`".to_owned()),
            Self::Missing(_) => Some("install it, or put the path right".to_owned()),
            Self::Directory(_) => Some("write the path of a program in it".to_owned()),
            Self::NotExecutable { path, reason: NotExecutable::Denied, .. } => Some(format!(
                "`chmod a+x {}`, and its folders likewise, or let a user run it that may",
                path.display()
            )),
            Self::Insecure(insecure) => {
                let what = match insecure.reason {
                    Reason::Owner => "chown root",
                    Reason::Group => "chmod g-w",
                    Reason::Others => "chmod o-w",
                };
                let path = insecure.component.display();
                Some(format!("`{what} {path}`, or name a `script_user` other than root"))
            }
            Self::NotExecutable { .. } | Self::Unexamined { .. } | Self::User(_) | Self::Spawn(_) => None,
        }
    }
}

/// Why a program's user cannot be had.
#[derive(Clone, Debug, thiserror::Error)]
pub(super) enum UserError {
    /// A cached answer, therefore shared.
    #[error("{}{}", .0, where_users_are_named(.0))]
    Unresolved(std::sync::Arc<users::Error>),
    #[error("the daemon does not run as root, so it cannot run anything as user {0}")]
    NotRoot(String),
}

impl Permits {
    /// What this process may run, with the rights that it has.
    pub(super) fn new() -> Self {
        Self::of(own_credentials())
    }

    /// What a daemon that root starts may run.
    pub(super) fn of_root() -> Self {
        Self::of(Credentials { uid: Uid::ROOT, gid: Gid(0), groups: Vec::new() })
    }

    fn of(own: Credentials) -> Self {
        let search = std::env::var_os("PATH").unwrap_or_else(|| DEFAULT_PATH.into());
        Self { policy: Policy::DEFAULT, search, own, users: HashMap::new() }
    }

    /// Starts afresh with a configuration: users are looked up again. Asking for them may block, so every
    /// `run_as` of the configuration is to be asked for once right after.
    pub(super) fn configure(&mut self, policy: Policy) {
        self.policy = policy;
        self.users.clear();
    }

    /// Whether `command` may be run. Whether it can be, the attempt shows.
    pub(super) fn decide(&mut self, command: &Command) -> Result<Permit, Refusal> {
        let rights = self.rights(&command.run_as)?;
        let name = self.locate(&command.program)?;
        let insecure = self.insecure(&name, &rights)?;
        let run_as = rights.differ.then_some(rights.credentials);
        // What cannot be resolved cannot be executed either: the attempt says why.
        let resolved = if self.policy.links { None } else { std::fs::canonicalize(&name).ok() };
        Ok(Permit { program: resolved.unwrap_or_else(|| name.clone()), name, run_as, insecure })
    }

    /// As [`Self::decide`], and whether the attempt will probably succeed.
    pub(super) fn predict(&mut self, command: &Command) -> Result<Permit, Refusal> {
        let rights = self.rights(&command.run_as)?;
        predict(&self.locate(&command.program)?, &rights.credentials)?;
        self.decide(command)
    }

    /// Why an attempt has failed, as the operator can understand it.
    pub(super) fn explain(&self, permit: &Permit, error: SpawnError) -> Refusal {
        let predicted = match error {
            SpawnError::NotFound | SpawnError::Denied => {
                predict(&permit.program, permit.run_as.as_ref().unwrap_or(&self.own))
            }
            _ => Ok(()),
        };
        predicted.err().unwrap_or(Refusal::Spawn(error))
    }

    /// Why nothing can be run as this user.
    pub(super) fn refusal_of(&mut self, user: &RunAs) -> Option<Refusal> {
        self.rights(user).err()
    }

    /// Whose rights `user` stands for; `None` if they are the daemon's own.
    pub(super) fn owner(&mut self, user: &RunAs) -> Result<Option<Credentials>, Refusal> {
        self.rights(user).map(|rights| rights.differ.then_some(rights.credentials))
    }

    /// Whether what has no user of its own runs as root, for want of a user for scripts.
    pub(super) fn is_root_by_default(&mut self) -> bool {
        self.rights(&RunAs::Default).is_ok_and(|rights| rights.credentials.uid == Uid::ROOT)
    }

    /// Only what runs as root is looked at, as with keepalived.
    fn insecure(&self, program: &Path, rights: &Rights) -> Result<Option<Insecure>, Refusal> {
        let uid = rights.credentials.uid;
        if uid != Uid::ROOT {
            return Ok(None);
        }
        match script_path::insecure(program, uid) {
            Ok(Some(insecure)) if self.policy.security == Security::Enforced => {
                Err(Refusal::Insecure(insecure))
            }
            Ok(found) => Ok(found),
            // The attempt will say so too.
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(source) => Err(Refusal::Unexamined { path: program.to_owned(), source }),
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
        let rights = rights(run_as, &self.own, self.policy.all_groups);
        self.users.insert(run_as.clone(), rights.clone());
        rights.map_err(Refusal::User)
    }
}

fn predict(program: &Path, credentials: &Credentials) -> Result<(), Refusal> {
    script_path::executable(program, credentials)
        .map_err(|reason| not_executable(program, credentials.uid, reason))
}

fn rights(run_as: &RunAs, own: &Credentials, all_groups: bool) -> Result<Rights, UserError> {
    let unresolved = |error| UserError::Unresolved(std::sync::Arc::new(error));
    let is_root = own.uid == Uid::ROOT;
    let mut credentials = match run_as {
        RunAs::Default if is_root && users::user(DEFAULT_USER).map_err(unresolved)?.is_some() => {
            users::credentials(DEFAULT_USER, None).map_err(unresolved)?
        }
        RunAs::Default => return Ok(Rights { credentials: own.clone(), differ: false }),
        RunAs::User { user, group, .. } => users::credentials(user, group.as_deref()).map_err(unresolved)?,
    };
    if !all_groups && !matches!(run_as, RunAs::User { all_groups: true, .. }) {
        credentials.groups = vec![credentials.gid];
    }
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

pub(super) fn insecurity(insecure: &Insecure) -> String {
    format!("{insecure} (its mode is {:04o}, its owner uid {})", insecure.mode & 0o7777, insecure.owner)
}

/// An argument outside the quotes is taken for a user, as keepalived does it.
fn where_users_are_named(error: &users::Error) -> &'static str {
    match error {
        users::Error::NoUser(_) | users::Error::NoGroup(_) => {
            "; users are named by `script_user`, by `user`, and by the words that follow a notify command"
        }
        _ => "",
    }
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

    fn permits(security: Security) -> Permits {
        let mut permits = Permits::new();
        permits.configure(Policy { security, ..Policy::DEFAULT });
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
        permits(Security::Enforced).predict(command).unwrap_err().to_string()
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
    fn a_prediction_keeps_nothing_from_running_but_explains_a_failure() {
        let (_dir, command) = script(0o644);
        let mut permits = permits(Security::Warned);
        let predicted = permits.predict(&command).unwrap_err().to_string();
        let permit = permits.decide(&command).unwrap();
        assert_eq!(permits.explain(&permit, SpawnError::Denied).to_string(), predicted);

        let (_dir, command) = script(0o755);
        let permit = permits.decide(&command).unwrap();
        let denied = SpawnError::Denied.to_string();
        assert_eq!(permits.explain(&permit, SpawnError::Denied).to_string(), denied, "no bit tells why");
    }

    #[test]
    fn programs_without_a_path_are_looked_for() {
        let (_, command) = script(0o755);
        let command = Command { program: "sh".into(), ..command };
        let permit = permits(Security::Enforced).decide(&command).unwrap();
        assert!(permit.program.is_absolute() && permit.name.is_absolute() && permit.name.ends_with("sh"));
    }

    #[test]
    fn an_unknown_user_is_named() {
        let (_dir, command) = script(0o755);
        let run_as = RunAs::User { user: "no-such-user".into(), group: None, all_groups: false };
        let said = refusal(&Command { run_as, ..command });
        assert!(said.starts_with("no user no-such-user; ") && said.contains("notify"), "{said}");
    }

    #[test]
    fn root_does_not_run_what_others_can_change() {
        if !rustix::process::geteuid().is_root() {
            lab::skip("only root's scripts are held to this");
            return;
        }
        let (dir, command) = script(0o777);
        let command = Command {
            run_as: RunAs::User { user: "root".into(), group: None, all_groups: false },
            ..command
        };
        let said = refusal(&command);
        let path = dir.path().join("script").display().to_string();
        assert!(
            said.contains(&path) && said.contains("writable by everybody") && said.contains("0777"),
            "{said}"
        );

        let permit = permits(Security::Warned).decide(&command).unwrap();
        assert!(permit.insecure.is_some(), "it runs, with a warning");
    }
}
