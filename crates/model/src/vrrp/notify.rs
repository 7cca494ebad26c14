//! What runs at transitions.

use serde::{Deserialize, Serialize};

/// What to run at transitions (`notify_*`). `any` gets the arguments `INSTANCE name STATE priority` appended.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notify {
    /// `notify_master`.
    pub master: Option<Command>,
    /// `notify_backup`.
    pub backup: Option<Command>,
    /// `notify_fault`.
    pub fault: Option<Command>,
    /// `notify_stop`.
    pub stop: Option<Command>,
    /// `notify_deleted`; without it a deleted instance reports FAULT.
    pub deleted: Option<Deleted>,
    /// `notify_master_rx_lower_pri`.
    pub master_rx_lower_priority: Option<Command>,
    /// `notify`.
    pub any: Option<Command>,
}

/// What `notify_deleted` says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deleted {
    /// Its optional command.
    pub command: Option<Command>,
}

/// A program with its arguments. No shell is involved.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Command {
    /// The program.
    pub program: String,
    /// Its arguments.
    pub arguments: Vec<String>,
    /// Whose rights it runs with.
    pub run_as: RunAs,
}

/// Whose rights a script runs with.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum RunAs {
    /// No user is configured: `keepalived_script` if there is such a user, else root.
    Default,
    /// A user by name, with the group given or the user's own.
    User {
        /// Its name.
        user: String,
        /// The group's name, if not the user's own.
        group: Option<String>,
        /// The supplementary groups of the user, too (a colon before the group).
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        all_groups: bool,
    },
}
