//! What a running daemon can be asked, at a socket beside its pid file.
//!
//! Each message is one JSON document in one packet. A connection carries one [`Request`]; the daemon closes it behind
//! the last [`Reply`].

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::message::Step;

/// What is asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Request {
    /// What would a reload do that read this file?
    Plan {
        /// Absolute; `None` is the file that the daemon reads at a reload.
        file: Option<PathBuf>,
    },
}

/// What is answered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Reply {
    /// Something about the file.
    Finding(String),
    /// A part of what the reload would do.
    Step(Step),
    /// The reload would be refused, for this reason. Nothing follows.
    Refused(String),
    /// The reload would be carried out, as the steps before say. Nothing follows.
    Taken,
    /// The question cannot be answered. Nothing follows.
    Failed(String),
}

/// Where a daemon with this pid file listens.
pub(crate) fn socket_of(pid_file: &Path) -> PathBuf {
    pid_file.with_extension("sock")
}
