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

/// Calls `reap`, and if it has reaped the child forgets that too, before anybody can [`remember`] the number for the
/// next child that gets it.
pub(super) fn forget_reaped<T>(
    pid: Pid,
    reap: impl FnOnce() -> io::Result<Option<T>>,
) -> io::Result<Option<T>> {
    let mut children = children();
    let status = reap()?;
    if status.is_some() {
        children.remove(&pid.number());
    }
    Ok(status)
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::process::{Child, Exit};
    use crate::testing::eventually;

    #[test]
    fn a_child_that_got_the_number_of_another_is_not_forgotten_with_it() {
        let mut first = Child::start(&mut std::process::Command::new("/bin/true")).unwrap();
        let pid = first.pid();
        let known = || children().contains(&pid.number());
        assert!(known());
        assert_eq!(eventually(|| first.try_wait().unwrap()), Exit::Code(0));
        assert!(!known());
        remember(pid);
        drop(first);
        assert!(known());
        forget(pid);
    }
}
