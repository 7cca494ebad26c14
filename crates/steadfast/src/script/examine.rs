//! What the operator is told about programs: once for each program and cause.

use std::collections::HashMap;

use model::vrrp::{Command, RunAs};
use sys::process::SpawnError;
use sys::users::Credentials;

use super::permit::{Permit, Permits, Policy, Refusal, insecurity};
use crate::log::Level;

/// Asks for permits, and remembers what was said about those that were refused.
#[derive(Debug)]
pub(super) struct Examiner {
    permits: Permits,
    /// What was last said of a program.
    said: HashMap<(String, RunAs), Said>,
}

/// A line for the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Remark {
    pub(super) level: Level,
    pub(super) line: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Said {
    cause: String,
    runs: bool,
}

impl Examiner {
    pub(super) fn new(permits: Permits) -> Self {
        Self { permits, said: HashMap::new() }
    }

    /// Starts afresh with a configuration, all of whose programs are to be examined right after.
    pub(super) fn configure(&mut self, policy: Policy) {
        self.permits.configure(policy);
    }

    /// What is to be said of a program before it ever runs; `purpose` says who wants it.
    pub(super) fn examine(&mut self, command: &Command, purpose: &str) -> Option<Remark> {
        match self.permits.predict(command) {
            Ok(permit) => self.is_fine(command, purpose, &permit),
            Err(refusal) => self.is_refused(command, purpose, &refusal),
        }
    }

    /// Whether a program may be run now.
    pub(super) fn permit(&mut self, command: &Command, purpose: &str) -> Result<Permit, Option<Remark>> {
        self.permits.decide(command).map_err(|refusal| self.is_refused(command, purpose, &refusal))
    }

    /// Notes that it was started: only that proves that what kept it from running is put right.
    pub(super) fn started(&mut self, command: &Command, purpose: &str, permit: &Permit) -> Vec<Remark> {
        let again = self.said.remove_entry(&key_of(command)).and_then(|(key, said)| {
            if said.runs {
                self.said.insert(key, said);
                return None;
            }
            let line = format!("script {} is run again", command.program);
            Some(Remark { level: Level::Notice, line })
        });
        again.into_iter().chain(self.is_fine(command, purpose, permit)).collect()
    }

    /// Notes that the attempt failed.
    pub(super) fn not_started(
        &mut self,
        command: &Command,
        purpose: &str,
        permit: &Permit,
        error: SpawnError,
    ) -> Option<Remark> {
        let refusal = self.permits.explain(permit, error);
        self.is_refused(command, purpose, &refusal)
    }

    /// What keeps a program from running, if that has been said.
    pub(super) fn hindrance(&self, command: &Command) -> String {
        let said = self.said.get(&key_of(command)).filter(|said| !said.runs);
        let cause = said.map_or("cannot be run", |said| &said.cause);
        format!("script {} {cause}", command.program)
    }

    /// Whose a file of this user is to be; `None` if it is the daemon's own.
    pub(super) fn owner(&mut self, user: &RunAs) -> Result<Option<Credentials>, Refusal> {
        self.permits.owner(user)
    }

    /// What is to be said if any of `commands` has no user of its own.
    pub(super) fn examine_default_user<'c>(
        &mut self,
        mut commands: impl Iterator<Item = &'c Command>,
    ) -> Option<Remark> {
        let concerns_any = commands.any(|command| command.run_as == RunAs::Default);
        let line = "scripts run as root: there is no script_user and no user keepalived_script";
        (concerns_any && self.permits.is_root_by_default())
            .then(|| Remark { level: Level::Warning, line: line.to_owned() })
    }

    fn is_fine(&mut self, command: &Command, purpose: &str, permit: &Permit) -> Option<Remark> {
        let Some(insecure) = &permit.insecure else {
            self.said.retain(|key, said| !(said.runs && *key == key_of(command)));
            return None;
        };
        let cause = format!(
            "runs as root, but {}; with enable_script_security it would not be run",
            insecurity(insecure)
        );
        self.say(command, purpose, Said { cause, runs: true })
    }

    fn is_refused(&mut self, command: &Command, purpose: &str, refusal: &Refusal) -> Option<Remark> {
        self.say(command, purpose, Said { cause: format!("is not run: {refusal}"), runs: false })
    }

    /// The same cause for another purpose is no news.
    fn say(&mut self, command: &Command, purpose: &str, said: Said) -> Option<Remark> {
        let key = key_of(command);
        if self.said.get(&key) == Some(&said) {
            return None;
        }
        let line = format!("script {} ({purpose}) {}", command.program, said.cause);
        self.said.insert(key, said);
        Some(Remark { level: Level::Warning, line })
    }
}

fn key_of(command: &Command) -> (String, RunAs) {
    (command.program.clone(), command.run_as.clone())
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    fn line(remark: Option<Remark>) -> String {
        remark.map(|remark| remark.line).unwrap_or_default()
    }

    #[test]
    fn the_same_cause_is_said_once() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("script");
        fs::write(&path, "#!/bin/sh\n").unwrap();
        let program = path.to_str().unwrap().to_owned();
        let command = Command { program, arguments: Vec::new(), run_as: RunAs::Default };
        let mut examiner = Examiner::new(Permits::new());

        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        assert!(line(examiner.examine(&command, "vrrp_script a")).contains("(vrrp_script a) is not run"));
        assert_eq!(examiner.examine(&command, "vrrp_script b"), None);
        let permit = examiner.permit(&command, "vrrp_script a").unwrap();
        let denied = examiner.not_started(&command, "vrrp_script a", &permit, SpawnError::Denied);
        assert_eq!(denied, None, "it was predicted");

        fs::remove_file(&path).unwrap();
        assert!(line(examiner.examine(&command, "vrrp_script a")).contains("does not exist"));
        fs::write(&path, "#!/bin/sh\n").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        assert_eq!(examiner.examine(&command, "vrrp_script a"), None);
        assert!(!examiner.said.is_empty(), "its interpreter may be missing");
        let permit = examiner.permit(&command, "vrrp_script a").unwrap();
        let remarks = examiner.started(&command, "vrrp_script a", &permit);
        assert!(remarks.iter().any(|remark| remark.line.ends_with("is run again")), "{remarks:?}");
        assert_eq!(examiner.started(&command, "vrrp_script a", &permit), []);
    }

    #[test]
    fn scripts_of_root_are_remarked_on_only_if_nobody_else_was_named() {
        let mut examiner = Examiner::new(Permits::of_root());
        let command = |run_as| Command { program: "/bin/true".into(), arguments: Vec::new(), run_as };
        let of_root = command(RunAs::User { user: "root".into(), group: None, all_groups: false });
        assert_eq!(examiner.examine_default_user([&of_root].into_iter()), None);
        let remark = examiner.examine_default_user([&of_root, &command(RunAs::Default)].into_iter());
        let is_there = sys::users::user("keepalived_script").unwrap().is_some();
        assert_eq!(remark.is_some(), !is_there);
    }
}
