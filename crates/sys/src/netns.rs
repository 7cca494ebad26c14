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
//!
//! The files of the machine are there, to read and to write as outside, or with [`Host::read_only`] to read alone.

use std::collections::BTreeSet;
use std::ffi::{CStr, OsString};
use std::fs::{self, File};
use std::io::{self, Read};
use std::os::fd::{AsFd, AsRawFd, OwnedFd, RawFd};
use std::os::unix::ffi::OsStringExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::sync::Arc;
use std::thread;

use nix::mount::{MsFlags, mount};
use nix::net::if_::if_nameindex;
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
    Mount(String, #[source] io::Error),
    /// Files that were to be read-only could not be made so.
    #[error("cannot make {0} read-only")]
    ReadOnly(PathBuf, #[source] io::Error),
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

/// The names of all links of this network namespace, whatever namespace the mounted `/sys` belongs to.
///
/// # Errors
/// If the kernel does not tell.
pub fn link_names() -> io::Result<BTreeSet<OsString>> {
    let links = if_nameindex()?;
    Ok(links.iter().map(|link| OsString::from_vec(link.name().to_bytes().to_vec())).collect())
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
        Self::start(|| unshare_host(name))
    }

    /// As [`new`](Self::new), for programs that are not to change anything of this machine: its files are there to
    /// read, and only `/run` and `/tmp`, which are private and empty at first, can be written. `/dev`, `/proc` and
    /// `/sys` are as with [`new`](Self::new).
    ///
    /// # Errors
    /// [`Error::NotPermitted`] without the rights; else what failed.
    pub fn read_only(name: &str) -> Result<Self, Error> {
        Self::start(|| {
            unshare_host(name)?;
            make_files_read_only()?;
            mount_private(c"/tmp", c"mode=1777")
        })
    }

    fn start(unshare: impl FnOnce() -> Result<(), Error> + Send) -> Result<Self, Error> {
        // A thread of its own: what it unshares, the rest of this process keeps.
        let (holder, lifeline) = on_thread(|| {
            unshare()?;
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
        .map_err(|errno| Error::Mount("root".into(), errno.into()))?;
    mount_private(c"/run", c"mode=0755")?;
    // Inside a container these may be refused; the outer ones serve, they only show more.
    mount_if_allowed(c"/sys", c"sysfs");
    Ok(())
}

fn mount_private(place: &CStr, options: &CStr) -> Result<(), Error> {
    mount(Some(c"tmpfs"), place, Some(c"tmpfs"), MsFlags::empty(), Some(options))
        .map_err(|errno| Error::Mount(place.to_string_lossy().into_owned(), errno.into()))
}

/// Makes every mount of the calling thread read-only, one by one: those that a program needs to write to stay as they
/// are, whatever they are.
fn make_files_read_only() -> Result<(), Error> {
    let table = PathBuf::from("/proc/thread-self/mountinfo");
    let mounts = fs::read(&table).map_err(|error| Error::ReadOnly(table, error))?;
    for place in mount_points(&mounts).filter(|place| !AS_IT_IS.iter().any(|kept| place.starts_with(kept))) {
        match make_read_only(&place).map_err(|error| (error.raw_os_error(), error)) {
            // Another mount hides it, or it belongs to a user who lets nobody else in: out of everybody's reach.
            Ok(()) | Err((Some(libc::ENOENT | libc::ENOTDIR | libc::EINVAL | libc::EACCES), _)) => {}
            Err((_, error)) => return Err(Error::ReadOnly(place, error)),
        }
    }
    Ok(())
}

/// Devices and the kernel's own; and where a private mount is or comes.
const AS_IT_IS: [&str; 5] = ["/dev", "/proc", "/sys", "/run", "/tmp"];

fn make_read_only(place: &Path) -> io::Result<()> {
    use rustix::fs::StatVfsMountFlags as Flag;

    let present = rustix::fs::statvfs(place)?.f_flag;
    let mut flags = MsFlags::MS_REMOUNT | MsFlags::MS_BIND | MsFlags::MS_RDONLY;
    // What is not said again would be taken away, which a user namespace refuses.
    for (flag, again) in [
        (Flag::NOSUID, MsFlags::MS_NOSUID),
        (Flag::NODEV, MsFlags::MS_NODEV),
        (Flag::NOEXEC, MsFlags::MS_NOEXEC),
        (Flag::NOATIME, MsFlags::MS_NOATIME),
        (Flag::NODIRATIME, MsFlags::MS_NODIRATIME),
        (Flag::RELATIME, MsFlags::MS_RELATIME),
    ] {
        if present.contains(flag) {
            flags |= again;
        }
    }
    if !present.intersects(Flag::NOATIME | Flag::RELATIME) {
        flags |= MsFlags::MS_STRICTATIME;
    }
    Ok(mount(None::<&CStr>, place, None::<&CStr>, flags, None::<&CStr>)?)
}

/// The fifth words of `/proc/self/mountinfo` (proc(5)).
fn mount_points(mounts: &[u8]) -> impl Iterator<Item = PathBuf> {
    let fifth = |line: &[u8]| line.split(|byte| *byte == b' ').nth(4).map(unescaped);
    mounts.split(|byte| *byte == b'\n').filter_map(fifth)
}

/// Blanks, tabs, newlines and backslashes are written as three octal digits after a backslash.
fn unescaped(text: &[u8]) -> PathBuf {
    let mut path = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((&byte, after)) = rest.split_first() {
        let digits = after.first_chunk::<3>().filter(|_| byte == b'\\');
        let code = digits.and_then(|digits| u8::from_str_radix(std::str::from_utf8(digits).ok()?, 8).ok());
        path.push(code.unwrap_or(byte));
        rest = if code.is_some() { after.get(3..).unwrap_or_default() } else { after };
    }
    OsString::from_vec(path).into()
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

    fn host(name: &str) -> Option<Host> {
        or_skip(Host::new(name))
    }

    /// A host, or `None` where that is not permitted and nobody insists.
    fn or_skip(host: Result<Host, Error>) -> Option<Host> {
        match host {
            Ok(host) => Some(host),
            Err(Error::NotPermitted(error)) => {
                crate::testing::skip(format_args!("namespaces are not permitted: {error}"));
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
    fn a_read_only_host_changes_nothing_of_this_machine() {
        let before = fs::read("/proc/self/mountinfo").unwrap();
        let Some(host) = or_skip(Host::read_only("delta")) else { return };
        let said = output(
            &host,
            "ls -A /run /tmp; echo x > /run/x && echo x > /tmp/x && echo written; echo > /dev/null",
        );
        assert_eq!(said, "/run:\n\n/tmp:\nwritten\n");
        let mounts = output(&host, "cat /proc/self/mountinfo");
        let of_machine: Vec<_> = mounts
            .lines()
            .filter(|line| {
                mount_points(line.as_bytes()).all(|at| !AS_IT_IS.iter().any(|kept| at.starts_with(kept)))
            })
            .collect();
        assert!(!of_machine.is_empty());
        for line in of_machine {
            let options = line.split(' ').nth(5).unwrap();
            assert!(options.split(',').any(|option| option == "ro"), "{line}");
        }
        assert_eq!(output(&host, "test -w / || test -w /etc || echo no"), "no\n");
        assert_eq!(fs::read("/proc/self/mountinfo").unwrap(), before, "outside all is as it was");
    }

    #[test]
    fn mount_points_are_read_with_their_blanks() {
        let table = b"22 1 0:20 / / rw - ext4 /dev/a rw\n23 22 0:21 / /a\\040b\\134 rw - tmpfs x rw\n";
        assert_eq!(mount_points(table).collect::<Vec<_>>(), [Path::new("/"), Path::new("/a b\\")]);
        assert_eq!(unescaped(b"/a\\04"), Path::new("/a\\04"));
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
