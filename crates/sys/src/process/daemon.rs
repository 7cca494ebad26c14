//! From the shell, or the service manager, to a daemon.

use std::ffi::OsString;
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::fd::OwnedFd;

use nix::sys::wait::waitpid;
use nix::unistd::{ForkResult, fork, setsid};
use rustix::pipe::{PipeFlags, pipe_with};
use rustix::stdio::{dup2_stderr, dup2_stdin, dup2_stdout};

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
        let null = null()?;
        dup2_stdout(&null)?;
        dup2_stderr(&null)?;
        self.failed(0);
        Ok(())
    }

    /// Lets the starting process leave with `code`.
    pub fn failed(self, code: u8) {
        // If nobody waits any more, nobody needs to know.
        drop(File::from(self.report).write_all(&[code]));
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
    let (outcome, report) = pipe_with(PipeFlags::CLOEXEC)?;
    // SAFETY: there is one thread, so the child's copy of this process is whole.
    match unsafe { fork() }? {
        ForkResult::Parent { child } => {
            drop(report);
            waitpid(child, None)?;
            let mut code = [1];
            // Nothing to read: the daemon died before it could say why.
            drop(File::from(outcome).read_exact(&mut code));
            Ok(Launch::Foreground(code[0]))
        }
        ForkResult::Child => {
            drop(outcome);
            setsid()?;
            leave_session_leader()?;
            std::env::set_current_dir("/")?;
            dup2_stdin(&null()?)?;
            Ok(Launch::Daemon(Daemon { report }))
        }
    }
}

/// Goes on in a child: who leads no session cannot get a terminal by opening one.
fn leave_session_leader() -> io::Result<()> {
    // SAFETY: as above.
    match unsafe { fork() }? {
        // SAFETY: leaves at once, without the clean-up that belongs to the process which goes on.
        ForkResult::Parent { .. } => unsafe { libc::_exit(0) },
        ForkResult::Child => Ok(()),
    }
}

/// Takes a variable out of the environment, so that no child inherits it. To be called before any thread is started.
#[must_use]
pub fn take_variable(name: &str) -> Option<OsString> {
    let value = std::env::var_os(name)?;
    // SAFETY: there is one thread, so nobody reads the environment meanwhile.
    unsafe { std::env::remove_var(name) };
    Some(value)
}

fn null() -> io::Result<File> {
    OpenOptions::new().read(true).write(true).open("/dev/null")
}
