//! Instances that change state together.

use serde::{Deserialize, Serialize};

use crate::vrrp::{Command, TrackedInterface, TrackedScript, Tracking};

/// Instances with one common state (`vrrp_sync_group`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SyncGroup {
    /// Its name.
    pub name: String,
    /// The names of its members, each an instance of the same [`Config`](super::Config) (`group`). No instance is in two groups.
    pub members: Vec<String>,
    /// Interfaces that matter to all members (`track_interface`).
    pub track_interfaces: Vec<TrackedInterface>,
    /// Scripts that matter to all members (`track_script`).
    pub track_scripts: Vec<TrackedScript>,
    /// Files that matter to all members (`track_file`).
    pub track_files: Vec<Tracking>,
    /// Processes that matter to all members (`track_process`).
    pub track_processes: Vec<Tracking>,
    /// BFD sessions that matter to all members (`track_bfd`).
    pub track_bfds: Vec<Tracking>,
    /// Weights of members' trackers act, although members then differ in priority (`sync_group_tracking_weight`,
    /// `global_tracking`).
    pub weighted_tracking: bool,
    /// What to run when the group changes state.
    pub notify: GroupNotify,
    /// Changes of its state are mailed (`smtp_alert`).
    pub smtp_alert: bool,
}

impl SyncGroup {
    /// A group of these members that tracks nothing and tells nobody.
    #[must_use]
    pub fn new(name: &str, members: Vec<String>) -> Self {
        Self {
            name: name.to_owned(),
            members,
            track_interfaces: Vec::new(),
            track_scripts: Vec::new(),
            track_files: Vec::new(),
            track_processes: Vec::new(),
            track_bfds: Vec::new(),
            weighted_tracking: false,
            notify: GroupNotify::default(),
            smtp_alert: false,
        }
    }
}

/// What to run when a group changes state (`notify_*`). `any` gets the arguments `GROUP name STATE priority` appended.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct GroupNotify {
    /// `notify_master`.
    pub master: Option<Command>,
    /// `notify_backup`.
    pub backup: Option<Command>,
    /// `notify_fault`.
    pub fault: Option<Command>,
    /// `notify_stop`.
    pub stop: Option<Command>,
    /// `notify`.
    pub any: Option<Command>,
}
