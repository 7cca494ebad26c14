//! The supervisor: reads the files, starts, watches and restarts the worker, runs the scripts.

use std::ffi::OsString;
use std::path::Path;
use std::process::ExitCode;

use crate::cli::{Options, SignalFunction};
use crate::program::Program;

/// Runs the daemon in this process, or in one that it puts into the background.
pub(crate) fn run(
    program: &Program,
    options: &Options,
    arguments: Vec<OsString>,
) -> anyhow::Result<ExitCode> {
    drop((program, options, arguments));
    anyhow::bail!("the supervisor is not in this build")
}

/// Checks the configuration and says what is wrong with it on standard error or in `log`.
pub(crate) fn test(options: &Options, log: Option<&Path>) -> anyhow::Result<ExitCode> {
    drop((options, log));
    anyhow::bail!("the configuration test is not in this build")
}

/// The number of the signal that `--signum` asks for.
pub(crate) fn signal_number(function: SignalFunction) -> i32 {
    use sys::signal::Signal;

    let realtime = |offset| Signal::realtime(offset).map_or(0, Signal::number);
    match function {
        SignalFunction::Stop => Signal::TERM.number(),
        SignalFunction::Reload => Signal::HUP.number(),
        SignalFunction::Data => Signal::USR1.number(),
        SignalFunction::Stats => Signal::USR2.number(),
        SignalFunction::Json => realtime(2),
        // SIGRTMAX - 1, where the C library counts from 34 to 64.
        SignalFunction::StatsClear => realtime(29),
    }
}
