//! Scripts, and whose rights they have.

use std::cell::RefCell;
use std::collections::HashMap;
use std::path::Path;

use model::vrrp::{Command, RunAs};

/// Users as numbers: asked for once for each dump.
#[derive(Debug)]
pub(super) struct Users {
    default: (u32, u32),
    known: RefCell<HashMap<RunAs, (u32, u32)>>,
}

impl Users {
    /// Scripts without a user have that of `default`.
    pub(super) fn new(default: &RunAs) -> Self {
        let usual = || RunAs::User { user: DEFAULT_USER.to_owned(), group: None, all_groups: false };
        let default = match default {
            RunAs::Default => look_up(&usual()),
            named @ RunAs::User { .. } => look_up(named),
        };
        Self { default: default.unwrap_or((0, 0)), known: RefCell::default() }
    }

    /// `0:0`.
    pub(super) fn numbers(&self, whose: &RunAs) -> String {
        let (user, group) = match whose {
            RunAs::Default => self.default,
            named @ RunAs::User { .. } => {
                let mut known = self.known.borrow_mut();
                *known.entry(named.clone()).or_insert_with(|| look_up(named).unwrap_or(self.default))
            }
        };
        format!("{user}:{group}")
    }

    /// `'/usr/bin/echo' 'm', uid:gid 0:0`.
    pub(super) fn script(&self, command: &Command) -> String {
        format!("{}, uid:gid {}", words(command), self.numbers(&command.run_as))
    }
}

/// `'/usr/bin/echo' 'm'`.
pub(super) fn words(command: &Command) -> String {
    let arguments = command.arguments.iter().map(|word| format!(" '{word}'")).collect::<String>();
    format!("'{}'{arguments}", located(&command.program))
}

/// The path with links to folders followed; the last part stays, as many programs look at what they are called.
fn located(program: &str) -> String {
    let path = Path::new(program);
    let folder = path.parent().filter(|_| path.is_absolute()).and_then(|folder| folder.canonicalize().ok());
    match folder.zip(path.file_name()) {
        Some((folder, name)) => folder.join(name).to_string_lossy().into_owned(),
        None => program.to_owned(),
    }
}

fn look_up(whose: &RunAs) -> Option<(u32, u32)> {
    let RunAs::User { user, group, .. } = whose else { return None };
    let credentials = sys::users::credentials(user, group.as_deref()).ok()?;
    Some((credentials.uid.0, credentials.gid.0))
}

/// Whose rights scripts have if the host has this user.
const DEFAULT_USER: &str = "keepalived_script";
