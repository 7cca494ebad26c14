//! Anonymous namespaces: a host that exists only as long as its holder process.
//!
//! A [`Host`] has its own network, processes, mounts and name. Nothing of it has a name in the file system: a forked
//! *holder*, process 1 of the host, sleeps on a pipe and ends when the other end closes. The kernel then kills every
//! process of the host and frees its network. So a `Host` that is dropped, and equally a program that panics or is
//! killed, leaves nothing behind.
//!
//! ```text
//! this process ──pipe──> holder (pid 1 inside) ─ keeps ─> net, mnt (private /run, /proc), uts, pid
//!      └── Host::spawn ──> daemon (inside)
//! ```

use std::ffi::CStr;
use std::fs::{self, File};
use std::io::{self, Read};
use std::os::fd::{AsFd, AsRawFd, OwnedFd, RawFd};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command};
use std::sync::Arc;
use std::thread;

use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, setns, unshare};
use nix::sys::wait::waitpid;
use nix::unistd::{ForkResult, Gid, Pid, Uid, fork, pipe2, sethostname};

use crate::rights;

/// Why a host could not be made or entered.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The kernel, or what confines this process, refuses.
    #[error(
        "namespaces are not permitted: this needs root, or a kernel that lets every user create user namespaces"
    )]
    NotPermitted(#[source] io::Error),
    /// Namespaces could not be created.
    #[error("cannot create namespaces")]
    Create(#[source] io::Error),
    /// The user could not be mapped to root of the new user namespace.
    #[error("cannot map this user to root of a user namespace")]
    Map(#[source] io::Error),
    /// A private mount failed.
    #[error("cannot mount a private {0}")]
    Mount(&'static str, #[source] io::Error),
    /// The holder process did not start.
    #[error("cannot start the process that holds a host's namespaces")]
    Holder(#[source] io::Error),
    /// A namespace could not be entered.
    #[error("cannot enter a host's namespaces")]
    Enter(#[source] io::Error),
    /// A program could not be started.
    #[error("cannot start {0}")]
    Spawn(String, #[source] io::Error),
}

/// Whether this process has the right that [`Host::new`] needs (`CAP_SYS_ADMIN`).
#[must_use]
pub fn is_permitted() -> bool {
    rights::has(rights::Capability::CAP_SYS_ADMIN)
}

/// Makes this process root of a user namespace of its own, so that it may create the others.
///
/// Call it before the first thread is started: the kernel refuses it to a process with threads.
///
/// # Errors
/// [`Error::NotPermitted`] where the kernel does not let users do this, [`Error::Map`] if the identity cannot be mapped.
pub fn enter_user_namespace() -> Result<(), Error> {
    let (uid, gid) = (Uid::effective(), Gid::effective());
    unshare(CloneFlags::CLONE_NEWUSER).map_err(|errno| refusal(errno.into()))?;
    // The kernel takes a group map from a user without privilege only once setgroups is off.
    fs::write("/proc/self/setgroups", "deny").map_err(Error::Map)?;
    fs::write("/proc/self/uid_map", format!("0 {uid} 1")).map_err(Error::Map)?;
    fs::write("/proc/self/gid_map", format!("0 {gid} 1")).map_err(Error::Map)
}

/// A host made of namespaces. Dropping it ends every process inside and frees its network.
///
/// Children that [`spawn`](Self::spawn) returned must be reaped before it is dropped: the kernel does not let process 1
/// go before that.
#[derive(Debug)]
pub struct Host {
    holder: Pid,
    handles: Arc<Handles>,
    /// The holder lives until this closes.
    lifeline: Option<OwnedFd>,
}

#[derive(Debug)]
struct Handles {
    network: File,
    mounts: File,
    name: File,
    processes: File,
}

impl Host {
    /// A host called `name`, without any interface but a `lo` that is down.
    ///
    /// Its `/run` is empty and private; `/proc` and `/sys` are its own where the kernel allows that.
    ///
    /// # Errors
    /// [`Error::NotPermitted`] without the rights; else what failed.
    pub fn new(name: &str) -> Result<Self, Error> {
        // A thread of its own: what it unshares, the rest of this process keeps.
        let (holder, lifeline) = on_thread(|| {
            unshare_host(name)?;
            start_holder()
        })?;
        // Not on that thread: its /proc is the host's own by now.
        let handles = Arc::new(Handles::open(holder).map_err(Error::Enter)?);
        Ok(Self { holder, handles, lifeline: Some(lifeline) })
    }

    /// The holder's process id, for `nsenter --target`.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.holder.as_raw().unsigned_abs()
    }

    /// Does `work` on a thread inside this host's network and returns its result.
    ///
    /// A socket that `work` opens stays in this network wherever it is used afterwards; so does a thread that it starts.
    ///
    /// # Errors
    /// [`Error::Enter`] if the network cannot be entered.
    pub fn run<T: Send>(&self, work: impl FnOnce() -> T + Send) -> Result<T, Error> {
        on_thread(|| {
            setns(&self.handles.network, CloneFlags::CLONE_NEWNET)
                .map_err(|errno| Error::Enter(errno.into()))?;
            Ok(work())
        })
    }

    /// Starts `command` inside: this host's network, `/run`, name and processes; in `/` and a process group of its own.
    ///
    /// # Errors
    /// [`Error::Enter`] if the host cannot be entered, [`Error::Spawn`] if the program cannot be executed.
    pub fn spawn(&self, mut command: Command) -> Result<Child, Error> {
        let handles = Arc::clone(&self.handles);
        command.process_group(0);
        let enter = move || handles.enter();
        // SAFETY: between fork and exec `enter` makes system calls only.
        unsafe { command.pre_exec(enter) };
        on_thread(|| {
            // Only children of this thread are put into the host's process namespace, not the thread itself.
            setns(&self.handles.processes, CloneFlags::CLONE_NEWPID)
                .map_err(|errno| Error::Enter(errno.into()))?;
            let program = command.get_program().to_string_lossy().into_owned();
            command.spawn().map_err(|error| Error::Spawn(program, error))
        })
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        self.lifeline = None;
        // The only failure is that somebody reaped it already.
        if let Err(errno) = waitpid(self.holder, None) {
            debug_assert_eq!(errno, nix::errno::Errno::ECHILD, "the holder is our child");
        }
    }
}

impl Handles {
    fn open(holder: Pid) -> io::Result<Self> {
        let open = |kind: &str| File::open(format!("/proc/{holder}/ns/{kind}"));
        Ok(Self { network: open("net")?, mounts: open("mnt")?, name: open("uts")?, processes: open("pid")? })
    }

    /// Moves the calling process, which has one thread, into network, mounts and name.
    fn enter(&self) -> io::Result<()> {
        setns(&self.network, CloneFlags::CLONE_NEWNET)?;
        setns(&self.name, CloneFlags::CLONE_NEWUTS)?;
        setns(&self.mounts, CloneFlags::CLONE_NEWNS)?;
        Ok(())
    }
}

fn on_thread<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    match thread::scope(|scope| scope.spawn(work).join()) {
        Ok(result) => result,
        Err(panic) => std::panic::resume_unwind(panic),
    }
}

/// Gives the calling thread a network, mounts and a name of its own, and its next child a process namespace.
fn unshare_host(name: &str) -> Result<(), Error> {
    let all = CloneFlags::CLONE_NEWNET
        | CloneFlags::CLONE_NEWNS
        | CloneFlags::CLONE_NEWUTS
        | CloneFlags::CLONE_NEWPID
        | CloneFlags::CLONE_NEWIPC;
    unshare(all).map_err(|errno| refusal(errno.into()))?;
    sethostname(name).map_err(|errno| Error::Create(errno.into()))?;
    // Otherwise what is mounted here would appear in the outer namespace too.
    mount(None::<&CStr>, c"/", None::<&CStr>, MsFlags::MS_REC | MsFlags::MS_PRIVATE, None::<&CStr>)
        .map_err(|errno| Error::Mount("root", errno.into()))?;
    mount(Some(c"tmpfs"), c"/run", Some(c"tmpfs"), MsFlags::empty(), Some(c"mode=0755"))
        .map_err(|errno| Error::Mount("/run", errno.into()))?;
    // Inside a container these may be refused; the outer ones serve, they only show more.
    mount_if_allowed(c"/sys", c"sysfs");
    Ok(())
}

/// Forks the holder. It lives until the returned file closes.
fn start_holder() -> Result<(Pid, OwnedFd), Error> {
    let cloexec = nix::fcntl::OFlag::O_CLOEXEC;
    let (rest, lifeline) = pipe2(cloexec).map_err(|errno| Error::Holder(errno.into()))?;
    let (ready, report) = pipe2(cloexec).map_err(|errno| Error::Holder(errno.into()))?;
    // SAFETY: the child runs `hold`, which makes system calls only: no allocation and no lock that another thread may
    // have held.
    let forked = unsafe { fork() };
    let holder = match forked.map_err(|errno| refusal(errno.into()))? {
        ForkResult::Child => hold(rest.as_raw_fd(), report.as_raw_fd()),
        ForkResult::Parent { child } => child,
    };
    drop(report);
    let mut byte = [0];
    File::from(ready).read_exact(&mut byte).map_err(Error::Holder)?;
    Ok((holder, lifeline))
}

fn mount_if_allowed(place: &CStr, kind: &CStr) {
    mount(Some(kind), place, Some(kind), MsFlags::empty(), None::<&CStr>).ok();
}

/// Sleeps as process 1 of a host until `rest` reads end of file. Runs after `fork`: system calls only.
fn hold(rest: RawFd, report: RawFd) -> ! {
    keep_only(rest, report);
    nix::unistd::setsid().ok(); // ^C at the terminal is the lab's to answer
    nix::sys::prctl::set_name(c"lab-host").ok();
    mount_if_allowed(c"/proc", c"proc");
    // SAFETY: SIG_IGN is a valid disposition; orphans of this host are then reaped by the kernel.
    unsafe { libc::signal(libc::SIGCHLD, libc::SIG_IGN) };
    let byte = [1_u8];
    // SAFETY: `byte` is one readable byte, and file 1 is the report pipe.
    unsafe { libc::write(1, byte.as_ptr().cast(), 1) };
    // SAFETY: closing a file that only this process uses.
    unsafe { libc::close(1) };
    wait_for_end_of_file();
    // SAFETY: ends the process without running destructors that belong to the parent.
    unsafe { libc::_exit(0) }
}

/// Makes `rest` file 0 and `report` file 1, and closes all others: pipes of other tests must not stay open here.
fn keep_only(rest: RawFd, report: RawFd) {
    // SAFETY: moves `report` beyond 0 and 1, so that the next calls cannot overwrite it.
    let report = unsafe { libc::fcntl(report, libc::F_DUPFD, 3) };
    // SAFETY: both are open files of this process.
    unsafe { libc::dup2(rest, 0) };
    // SAFETY: as above.
    unsafe { libc::dup2(report, 1) };
    // SAFETY: nothing in this process uses the files from 2 on.
    unsafe { libc::close_range(2, libc::c_uint::MAX, 0) };
}

fn wait_for_end_of_file() {
    let mut byte = [0_u8];
    loop {
        // SAFETY: `byte` is one writable byte.
        let read = unsafe { libc::read(0, byte.as_mut_ptr().cast(), 1) };
        if read == 0 || (read < 0 && nix::errno::Errno::last() != nix::errno::Errno::EINTR) {
            return;
        }
    }
}

fn refusal(error: io::Error) -> Error {
    // ENOSPC: the sysctl user.max_*_namespaces is 0.
    match error.raw_os_error() {
        Some(libc::EPERM | libc::EACCES | libc::ENOSPC) => Error::NotPermitted(error),
        _ => Error::Create(error),
    }
}

impl AsFd for Host {
    /// The network namespace, for netlink's `IFLA_NET_NS_FD`.
    fn as_fd(&self) -> std::os::fd::BorrowedFd<'_> {
        self.handles.network.as_fd()
    }
}

#[cfg(test)]
mod tests {
    use std::process::Stdio;

    use super::*;

    /// A host, or `None` where that is not permitted and nobody insists.
    fn host(name: &str) -> Option<Host> {
        match Host::new(name) {
            Ok(host) => Some(host),
            Err(Error::NotPermitted(error)) => {
                assert!(
                    std::env::var_os("STEADFAST_REQUIRE_NETNS").is_none(),
                    "namespaces are required: {error}"
                );
                eprintln!("SKIPPED: namespaces are not permitted: {error}");
                None
            }
            Err(error) => panic!("{error}"),
        }
    }

    fn output(host: &Host, script: &str) -> String {
        let mut command = Command::new("sh");
        command.args(["-c", script]).stdout(Stdio::piped());
        let output = host.spawn(command).unwrap().wait_with_output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    }

    #[test]
    fn a_host_has_its_own_name_run_and_network() {
        let Some(host) = host("alpha") else { return };
        assert_eq!(output(&host, "uname -n; ls -A /run; pwd"), "alpha\n/\n");
        let links = host.run(|| fs::read_to_string("/proc/thread-self/net/dev")).unwrap().unwrap();
        assert_eq!(links.lines().skip(2).count(), 1, "lo and nothing else: {links}");
    }

    #[test]
    fn what_runs_on_a_host_ends_with_it() {
        let Some(host) = host("beta") else { return };
        let mut command = Command::new("sh");
        // The child reports a grandchild, which then belongs to the holder.
        command.args(["-c", "sleep 1000 >&- & echo"]).stdout(Stdio::piped());
        let child = host.spawn(command).unwrap();
        assert!(child.wait_with_output().unwrap().status.success());
        let sleepers = || {
            let children = fs::read_to_string(format!("/proc/{0}/task/{0}/children", host.pid())).unwrap();
            children.split_whitespace().map(str::to_owned).collect::<Vec<_>>()
        };
        let [sleeper] = <[String; 1]>::try_from(sleepers()).unwrap();
        drop(host);
        assert!(!fs::exists(format!("/proc/{sleeper}")).unwrap());
    }

    #[test]
    fn a_program_that_is_not_there_is_named() {
        let Some(host) = host("gamma") else { return };
        let error = host.spawn(Command::new("/nonexistent/daemon")).unwrap_err();
        assert_eq!(error.to_string(), "cannot start /nonexistent/daemon");
    }
}
