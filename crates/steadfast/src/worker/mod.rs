//! The vrrp worker: the machine with its sockets, timers and kernel work.

use std::process::ExitCode;

use sys::ipc::Channel;

use crate::log::Log;

/// What the command line tells the vrrp worker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct WorkerOptions {
    /// `-V`: addresses stay at exit.
    pub(crate) keep_addresses: bool,
    /// `-X`: addresses are dropped before all else when a signal ends mastership.
    pub(crate) release_vips: bool,
    /// `-a`: every change of an address is logged.
    pub(crate) address_monitoring: bool,
}

/// Runs the worker until the supervisor stops it or is gone. Exit codes: see [`crate::exit`].
pub(crate) fn run(channel: Channel, log: &Log, options: WorkerOptions) -> ExitCode {
    drop((channel, options));
    log.error("the vrrp worker is not in this build");
    crate::exit::FATAL
}
