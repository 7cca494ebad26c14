//! How and when the files are read again.

use serde::{Deserialize, Serialize};

/// How and when the files are read again.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reload {
    /// New files are tested before they are used (`reload_check_config`).
    pub validation: Option<Validation>,
    /// A file whose first line says when to reload (`reload_time_file`).
    pub time_file: Option<String>,
    /// That file stays, so that a time of day comes every day (`reload_repeat`).
    pub repeat: bool,
    /// A file that is there while files are read (`reload_file`).
    pub file: Option<ReloadFile>,
    /// What `include` demands at the end of `global_defs` (`include_check`).
    pub include_check: IncludeCheck,
}

/// The test of a new configuration.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Validation {
    /// Where its findings go besides the log.
    pub log: Option<String>,
}

/// The file that is there while files are read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ReloadFile {
    /// `keepalived.reload` beside the pid file.
    BesidePidFile,
    /// At this path.
    Path(String),
}

/// Problems of `include` that are errors.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct IncludeCheck {
    /// A file cannot be read (`read`).
    pub read: bool,
    /// A name without wildcards has no file (`match`).
    pub matched: bool,
    /// A name with wildcards has no file (`wildcard_match`).
    pub wildcard: bool,
    /// An alternative in braces has no file (`brace_match`).
    pub brace: bool,
}
