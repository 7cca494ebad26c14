//! From the shell into the background.

use std::io;
use std::os::fd::OwnedFd;

/// Which process [`daemonize`] returned in.
#[derive(Debug)]
#[must_use]
pub enum Launch {
    /// The one that the shell started. The daemon has reported this exit code, or died (then 1): leave with it.
    Foreground(u8),
    /// The daemon.
    Daemon(Daemon),
}

/// The daemon, not yet reported as running. Dropped unreported, it counts as failed.
#[derive(Debug)]
pub struct Daemon {
    report: OwnedFd,
}

impl Daemon {
    /// Lets the starting process leave with success, and sends standard output and error to `/dev/null`.
    ///
    /// # Errors
    /// `/dev/null` cannot be opened.
    pub fn ready(self) -> io::Result<()> {
        unimplemented!()
    }

    /// Lets the starting process leave with `code`.
    pub fn failed(self, code: u8) {
        let _ = (&self.report, code);
    }
}

/// Goes into the background: a new session without a terminal, a child of init, working directory `/`,
/// standard input from `/dev/null`.
///
/// Standard output and error stay until [`Daemon::ready`], so that what goes wrong at start is seen. Blocks
/// in the starting process until the daemon has reported. To be called before any thread is started and
/// before any lock is taken.
///
/// # Errors
/// No process to be had.
pub fn daemonize() -> io::Result<Launch> {
    unimplemented!()
}
