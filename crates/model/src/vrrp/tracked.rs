//! Things whose state acts on instances and groups.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::Influence;

/// What an instance or group tracks, and how (`track_file`, `track_process`, `track_bfd`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tracking {
    /// The name of a file, process or session in the same configuration.
    pub name: String,
    /// How it acts.
    pub influence: Influence,
}

/// A file whose number acts on priorities (`track_file`).
///
/// The number times the weight is added to the priority, or taken from it if `reverse`; with weight 0, any number but 0 is a
/// fault.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrackedFile {
    /// Its name.
    pub name: String,
    /// The file, which need not exist (`file`). If relative, then to the daemon's working directory.
    pub path: String,
    /// The effect where a tracker does not say its own (`weight`).
    pub influence: Influence,
    /// What is written into it at start (`init_file`).
    pub initial: Option<InitialFile>,
}

/// The number that a tracked file begins with (`init_file`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InitialFile {
    /// What is written.
    pub value: i32,
    /// Even if the file is there already (`overwrite`).
    pub overwrite: bool,
}

/// Processes that must be there (`vrrp_track_process`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrackedProcess {
    /// Its name.
    pub name: String,
    /// The program that is looked for (`process`).
    pub program: String,
    /// What of a process is compared.
    pub matching: ProcessMatch,
    /// The effect where a tracker does not say its own (`weight`).
    pub influence: Influence,
    /// How many processes there must be (`quorum`). 0 only if `most` is 0 too.
    pub least: u16,
    /// How many there may be (`quorum_max`).
    pub most: Option<u16>,
    /// How long there are too few, or too many again, before it counts (`terminate_delay`, `delay`).
    pub terminate_delay: Duration,
    /// How long there are enough before it counts (`fork_delay`, `delay`).
    pub fork_delay: Duration,
}

/// What of a process is compared with a [`TrackedProcess`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ProcessMatch {
    /// Its name in the kernel, which has at most 15 bytes.
    Name,
    /// The first word of its command line (`full_command`).
    Command,
    /// The first word of its command line, and the others (`param_match`, parameters of `process`).
    Parameters {
        /// What is looked for.
        parameters: Vec<String>,
        /// How they are compared.
        mode: ParameterMatch,
    },
}

/// How the parameters of a process are compared (`param_match`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ParameterMatch {
    /// All are equal, and there are no others.
    Exact,
    /// The process has these, of which the last one may go on, and perhaps others after them.
    Initial,
    /// The process has exactly these, and perhaps others after them.
    Partial,
}

/// Instances that follow a static address, route or rule (`track_group`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrackGroup {
    /// Its name.
    pub name: String,
    /// The names of instances of the same [`Config`](super::Config), each once (`group`).
    pub members: Vec<String>,
}
