//! What falls to the first process of a container: the children of others, when their parents end.

use std::collections::BTreeSet;
use std::io;
use std::sync::{Mutex, MutexGuard, PoisonError};

use nix::errno::Errno;
use nix::sys::wait::{Id, WaitPidFlag, waitid, waitpid};

use super::Pid;

/// What [`reap_orphans`] has left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Orphans {
    /// Nothing that has ended.
    Done,
    /// A [`Child`](super::Child) has ended and stands before others: reap that one first, then call again.
    Behind(Pid),
}

/// Reaps the processes that were left to this one by parents that have ended. No [`Child`](super::Child) is touched.
///
/// To be called when `SIGCHLD` has come.
///
/// # Errors
/// Only what means a broken program.
pub fn reap_orphans() -> io::Result<Orphans> {
    let ended = WaitPidFlag::WEXITED | WaitPidFlag::WNOHANG;
    loop {
        let found = match waitid(Id::All, ended | WaitPidFlag::WNOWAIT) {
            Ok(status) => status.pid(),
            Err(Errno::ECHILD) => None,
            Err(error) => return Err(error.into()),
        };
        let Some(found) = found else { return Ok(Orphans::Done) };
        match Pid::from_number(found.as_raw()).filter(|pid| children().contains(&pid.number())) {
            Some(child) => return Ok(Orphans::Behind(child)),
            None => drop(waitpid(found, Some(WaitPidFlag::WNOHANG))?),
        }
    }
}

/// Somebody holds a `Child` for it and wants to know how it ends.
pub(super) fn remember(pid: Pid) {
    children().insert(pid.number());
}

/// Nobody does any more.
pub(super) fn forget(pid: Pid) {
    children().remove(&pid.number());
}

/// The kernel's list of children is one for the whole process, and so is this.
fn children() -> MutexGuard<'static, BTreeSet<i32>> {
    static CHILDREN: Mutex<BTreeSet<i32>> = Mutex::new(BTreeSet::new());
    CHILDREN.lock().unwrap_or_else(PoisonError::into_inner)
}
