//! A program that runs on a host.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io;
use std::os::unix::fs::FileExt;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

use crate::Error;
use crate::wait::{wait_for, wait_until};

/// A program on a [`Host`](crate::Host), with all that it writes kept in a log. Dropping it kills its whole tree.
#[derive(Debug)]
pub struct Process {
    program: String,
    child: Child,
    log: File,
    ended: Option<ExitStatus>,
    /// After `child` in time: a host's first process only goes when all others are reaped.
    _host: Arc<sys::netns::Host>,
}

impl Process {
    pub(crate) fn start(host: &Arc<sys::netns::Host>, mut command: Command) -> Result<Self, Error> {
        let program = command.get_program().to_string_lossy().into_owned();
        let keep = |source| Error::Log { program: program.clone(), source };
        let log = tempfile::tempfile().map_err(keep)?;
        command.stdin(Stdio::null());
        command.stdout(log.try_clone().map_err(keep)?).stderr(log.try_clone().map_err(keep)?);
        let child = host.spawn(command)?;
        Ok(Self { program, child, log, ended: None, _host: Arc::clone(host) })
    }

    /// Its process id, as seen from outside the host.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// All that it and its children have written so far.
    ///
    /// # Errors
    /// [`Error::Log`] if the log cannot be read.
    pub fn log(&self) -> Result<String, Error> {
        let mut bytes = Vec::new();
        let mut chunk = [0; 16 << 10];
        loop {
            // By position: the file's own offset is where the program writes.
            match self.log.read_at(&mut chunk, bytes.len() as u64) {
                Ok(0) => return Ok(String::from_utf8_lossy(&bytes).into_owned()),
                Ok(length) => bytes.extend_from_slice(&chunk[..length]),
                Err(source) => return Err(Error::Log { program: self.program.clone(), source }),
            }
        }
    }

    /// Asks it to stop: SIGTERM.
    ///
    /// # Errors
    /// [`Error::Signal`] if it runs no more.
    pub fn terminate(&mut self) -> Result<(), Error> {
        self.signal(Signal::TERM)
    }

    /// Asks it to read its files again: SIGHUP.
    ///
    /// # Errors
    /// [`Error::Signal`] if it runs no more.
    pub fn hang_up(&mut self) -> Result<(), Error> {
        self.signal(Signal::HUP)
    }

    /// Sends `signal` to the process itself, not to its children.
    ///
    /// # Errors
    /// [`Error::Signal`] if it runs no more.
    pub fn signal(&mut self, signal: Signal) -> Result<(), Error> {
        let pid = self.pid();
        if self.ended().is_some() {
            return Err(Error::Signal { pid, source: io::ErrorKind::NotFound.into() });
        }
        send(pid, signal).map_err(|source| Error::Signal { pid, source })
    }

    /// Ends it and all its descendants at once with SIGKILL, as a host that loses power would. None of them gets to
    /// tidy up after another: all are stopped before the first is killed.
    pub fn kill_tree(&mut self) {
        if self.ended().is_some() {
            return;
        }
        // Children first: the death of a parent wakes a stopped child (POSIX: SIGHUP and SIGCONT to an orphaned group).
        for pid in freeze(self.pid()).into_iter().rev() {
            send(pid, Signal::KILL).ok(); // it may be gone
        }
        self.ended = self.child.wait().ok();
    }

    /// How it ended, or `None` while it runs.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        if self.ended.is_none() {
            self.ended = self.child.try_wait().ok().flatten();
        }
        self.ended
    }

    /// Waits for `patience` at most until it ends.
    pub fn wait(&mut self, patience: Duration) -> Option<ExitStatus> {
        wait_for(patience, || self.ended())
    }

    /// The processes of its tree, itself first.
    #[must_use]
    pub fn tree(&self) -> Vec<u32> {
        tree(self.pid())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill_tree();
    }
}

fn send(pid: u32, signal: Signal) -> io::Result<()> {
    let pid = pid.try_into().ok().and_then(Pid::from_raw).ok_or(io::ErrorKind::InvalidInput)?;
    Ok(kill_process(pid, signal)?)
}

/// Stops the tree of `pid`, parents first so that none restarts a child, until no new descendant appears.
fn freeze(pid: u32) -> Vec<u32> {
    let mut stopped: Vec<u32> = Vec::new();
    let complete = wait_until(Duration::from_secs(1), || {
        let fresh: Vec<u32> = tree(pid).into_iter().filter(|pid| !stopped.contains(pid)).collect();
        for &pid in &fresh {
            send(pid, Signal::STOP).ok(); // it may be gone
        }
        let none = fresh.is_empty();
        stopped.extend(fresh);
        none
    });
    debug_assert!(complete, "stopped processes do not fork");
    stopped
}

/// `root` and its descendants, parents first.
fn tree(root: u32) -> Vec<u32> {
    let children = children();
    let mut found = vec![root];
    let mut next = 0;
    while let Some(pid) = found.get(next) {
        found.extend(children.get(pid).into_iter().flatten().copied());
        next += 1;
    }
    found
}

/// The children of each process that `/proc` shows.
fn children() -> BTreeMap<u32, Vec<u32>> {
    let mut children: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
    for entry in fs::read_dir("/proc").into_iter().flatten().flatten() {
        let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse().ok()) else { continue };
        let Ok(stat) = fs::read_to_string(entry.path().join("stat")) else { continue };
        // "pid (name) state parent …": the name may hold blanks and brackets.
        let parent = stat.rsplit(')').next().and_then(|rest| rest.split_whitespace().nth(1));
        if let Some(parent) = parent.and_then(|parent| parent.parse().ok()) {
            children.entry(parent).or_default().push(pid);
        }
    }
    children
}
