//! `steadfast lab`: a failover to watch.

use std::ffi::OsString;
use std::process::ExitCode;

/// Runs `steadfast lab` with the arguments that follow these words.
pub(crate) fn run(arguments: impl Iterator<Item = OsString>) -> ExitCode {
    drop(arguments);
    eprintln!("steadfast lab is not in this build");
    ExitCode::FAILURE
}
