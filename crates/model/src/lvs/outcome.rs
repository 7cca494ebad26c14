//! What came of a check.

use serde::{Deserialize, Serialize};

/// What came of one run of a [`super::Check`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Outcome {
    /// The server is well.
    Passed,
    /// The server is well, and this is its weight from now on (`misc_dynamic`).
    PassedWithWeight(u32),
    /// The server is not well. The reason is a short clause for the log, such as `connection refused`.
    Failed(Box<str>),
    /// Nothing was learnt of the server, since the cause lies here: no route, no source address, no file descriptor.
    /// The server stays as it is.
    Unknown(Box<str>),
}

impl Outcome {
    /// What the exit status of a `MISC_CHECK` says: 0 is well, and with `misc_dynamic` so is all from 2 to 255, which
    /// sets the weight to two less.
    #[must_use]
    pub fn of_exit(status: i32, dynamic: bool) -> Self {
        match u32::try_from(status) {
            Ok(0) => Self::Passed,
            Ok(status @ 2..=255) if dynamic => Self::PassedWithWeight(status - 2),
            _ => Self::Failed(format!("exited with status {status}").into()),
        }
    }
}
