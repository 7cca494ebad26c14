//! Files that say which process runs, and that it is the only one.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;

use crate::process::Pid;

/// A pid file that belongs to this process until dropped: locked, and removed at the end.
///
/// The lock is an `flock` on the file that the path names now. Every writing makes a new file and renames it
/// into place, locked beforehand, so neither the content nor the lock is ever half there.
#[derive(Debug)]
pub struct Held {
    path: PathBuf,
    /// Open for its lock alone.
    file: File,
}

/// Why a pid file could not be had.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Another process holds it.
    #[error("already running{}", .pid.map(|pid| format!(" (pid {pid})")).unwrap_or_default())]
    AlreadyRunning {
        /// The process that the file names, if it names one.
        pid: Option<Pid>,
    },
    /// The file or its directory could not be written.
    #[error("cannot write pid file {}", .path.display())]
    File {
        /// The pid file.
        path: PathBuf,
        /// What the kernel said.
        #[source]
        source: io::Error,
    },
}

impl Held {
    /// Creates or takes over the file at `path`, locks it and writes `pid` (a child's, or this process's own) into it.
    /// A missing directory is created. Readers see the old content or the new, never a half.
    ///
    /// Not every daemon locks its pid file: one that is not locked belongs to the process that it names if that one
    /// lives and is called by one of the names in `kin`, or as this process is. Any other process has only got the
    /// number of one that has ended.
    ///
    /// # Errors
    /// See [`Error`].
    pub fn claim(path: &Path, pid: Pid, kin: &[&str]) -> Result<Self, Error> {
        let failed = |source| Error::File { path: path.to_owned(), source };
        if let Some(folder) = path.parent() {
            create_folder(folder).map_err(failed)?;
        }
        loop {
            let file = open(path).map_err(failed)?;
            match flock(&file, FlockOperation::NonBlockingLockExclusive) {
                Ok(()) => {}
                Err(Errno::WOULDBLOCK) => return Err(Error::AlreadyRunning { pid: read(path) }),
                Err(error) => return Err(failed(error.into())),
            }
            // Between opening and locking, its owner may have put another file there or removed it.
            if is_at(&file, path) {
                if let Some(pid) = read(path).filter(|pid| is_kin(*pid, kin)) {
                    return Err(Error::AlreadyRunning { pid: Some(pid) });
                }
                let mut held = Self { path: path.to_owned(), file };
                held.rewrite(pid)?;
                return Ok(held);
            }
        }
    }

    /// Writes another process's number, under the same lock.
    ///
    /// # Errors
    /// [`Error::File`].
    pub fn rewrite(&mut self, pid: Pid) -> Result<(), Error> {
        self.file = self.replace(pid).map_err(|source| Error::File { path: self.path.clone(), source })?;
        Ok(())
    }

    fn replace(&self, pid: Pid) -> io::Result<File> {
        let name = self.path.file_name().unwrap_or_default().to_string_lossy();
        let draft = self.path.with_file_name(format!(".{name}.{}", Pid::own()));
        // Left by a process of the same number that died right here.
        drop(fs::remove_file(&draft));
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o644).open(&draft)?;
        file.set_permissions(fs::Permissions::from_mode(0o644))?;
        flock(&file, FlockOperation::NonBlockingLockExclusive)?;
        file.write_all(format!("{pid}\n").as_bytes())?;
        fs::rename(&draft, &self.path)?;
        Ok(file)
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        if is_at(&self.file, &self.path) {
            drop(fs::remove_file(&self.path));
        }
    }
}

/// The process that the file at `path` names, if it is readable and names one. It may have ended long ago.
#[must_use]
pub fn read(path: &Path) -> Option<Pid> {
    fs::read_to_string(path).ok()?.trim().parse().ok().and_then(Pid::from_number)
}

/// Whether the number is that of another living process of the same family.
fn is_kin(pid: Pid, kin: &[&str]) -> bool {
    // In a container the number of the last run is often this process's own.
    if pid == Pid::own() {
        return false;
    }
    let Some(status) = Status::of(&pid.to_string()) else { return false };
    let own = Status::of("self").map(|own| own.name);
    let name = status.name.as_str();
    status.is_whole_process(pid) && (kin.contains(&name) || own.is_some_and(|own| own == name))
}

/// What `/proc/PID/status` says.
struct Status {
    /// Cut by the kernel to 15 bytes.
    name: String,
    lines: String,
}

impl Status {
    fn of(pid: &str) -> Option<Self> {
        let lines = fs::read_to_string(Path::new("/proc").join(pid).join("status")).ok()?;
        let name = value(&lines, "Name")?.to_owned();
        Some(Self { name, lines })
    }

    /// It has not ended, is no mere thread, and knows itself by the number `pid`: a process in the namespace of a
    /// container does not, so it has not written it either.
    fn is_whole_process(&self, pid: Pid) -> bool {
        let number = pid.to_string();
        let value = |key| value(&self.lines, key);
        let ended = value("State").is_some_and(|state| state.starts_with(['Z', 'X']));
        let own_number = value("NSpid").and_then(|numbers| numbers.split_whitespace().next_back());
        !ended && value("Tgid") == Some(&number) && own_number.is_none_or(|own| own == number)
    }
}

/// What stands behind `KEY:` on a line of its own.
fn value<'a>(lines: &'a str, key: &str) -> Option<&'a str> {
    lines.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(':')).map(str::trim)
}

/// Creates what is missing. The daemon's umask keeps others out of its files; out of this folder it must not.
fn create_folder(folder: &Path) -> io::Result<()> {
    let missing: Vec<_> =
        folder.ancestors().take_while(|f| !f.as_os_str().is_empty() && !f.exists()).collect();
    for folder in missing.into_iter().rev() {
        match fs::create_dir(folder) {
            Ok(()) => fs::set_permissions(folder, fs::Permissions::from_mode(0o755))?,
            // Somebody was faster.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

fn open(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false).mode(0o644);
    options.custom_flags(libc::O_NOFOLLOW).open(path)
}

fn is_at(file: &File, path: &Path) -> bool {
    match (file.metadata(), fs::symlink_metadata(path)) {
        (Ok(ours), Ok(there)) => (ours.dev(), ours.ino()) == (there.dev(), there.ino()),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::eventually;

    fn pid(number: i32) -> Pid {
        Pid::from_number(number).unwrap()
    }

    #[test]
    fn one_holder_at_a_time() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("new/steadfast.pid");
        let mut held = Held::claim(&path, pid(1234), &[]).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "1234\n");
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o644);
        let refused = Held::claim(&path, pid(2), &[]).unwrap_err();
        assert_eq!(refused.to_string(), "already running (pid 1234)");
        held.rewrite(pid(77)).unwrap();
        assert_eq!(read(&path), Some(pid(77)));
        assert!(
            matches!(Held::claim(&path, pid(2), &[]), Err(Error::AlreadyRunning { pid: Some(p) }) if p == pid(77))
        );
        drop(held);
        assert!(!path.exists());
        assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 0, "a draft is left");
    }

    #[test]
    fn a_stale_file_is_taken_over() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.pid");
        fs::write(&path, "123456789, and more than the new content").unwrap();
        let held = Held::claim(&path, Pid::own(), &[]).unwrap();
        assert_eq!(read(&path), Some(Pid::own()));
        assert_eq!(held.path(), path);
    }

    fn claimed(path: &Path, kin: &str) -> Held {
        eventually(|| Held::claim(path, Pid::own(), &[kin]).ok())
    }

    #[test]
    fn a_kinsman_that_lives_keeps_its_file_though_it_does_not_lock_it() {
        use std::process::Command;

        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.pid");
        let kin = folder.path().join("keepalived");
        // A copy could be busy: a child that another test is just starting may have it open still.
        std::os::unix::fs::symlink("/bin/sleep", &kin).unwrap();
        let mut child = Command::new(&kin).arg("1000").spawn().unwrap();
        let number = pid(child.id().try_into().unwrap());
        let content = format!("{number}\n");
        fs::write(&path, &content).unwrap();
        // The kernel lets the parent go on before it gives the child its new name.
        eventually(|| Status::of(&number.to_string()).filter(|status| status.name == "keepalived"));
        let refused = Held::claim(&path, Pid::own(), &["keepalived"]).unwrap_err();
        assert_eq!(refused.to_string(), format!("already running (pid {number})"));
        assert_eq!(fs::read_to_string(&path).unwrap(), content);

        drop(claimed(&path, "steadfast"));

        fs::write(&path, &content).unwrap();
        child.kill().unwrap();
        // `wait` would reap it.
        let id = rustix::process::WaitId::Pid(rustix::process::Pid::from_child(&child));
        let options = rustix::process::WaitIdOptions::EXITED | rustix::process::WaitIdOptions::NOWAIT;
        rustix::process::waitid(id, options).unwrap();
        drop(claimed(&path, "keepalived"));
        child.wait().unwrap();
    }

    #[test]
    fn a_thread_and_a_process_of_a_container_are_no_kinsmen() {
        let status = |text: &str| Status { name: String::new(), lines: text.to_owned() };
        let whole = |text: &str| status(text).is_whole_process(pid(7));
        assert!(whole("Name:\tx\nState:\tS (sleeping)\nTgid:\t7\nPid:\t7\nNSpid:\t7\n"));
        assert!(whole("State:\tS (sleeping)\nTgid:\t7\n"), "old kernels have no NSpid");
        assert!(!whole("State:\tZ (zombie)\nTgid:\t7\nNSpid:\t7\n"));
        assert!(!whole("State:\tS (sleeping)\nTgid:\t1\nNSpid:\t7\n"));
        assert!(!whole("State:\tS (sleeping)\nTgid:\t7\nNSpid:\t7\t1\n"));
    }

    #[test]
    fn somebody_elses_file_is_not_removed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.pid");
        let held = Held::claim(&path, Pid::own(), &[]).unwrap();
        fs::remove_file(&path).unwrap();
        fs::write(&path, "5\n").unwrap();
        drop(held);
        assert_eq!(read(&path), Some(pid(5)));
    }

    #[test]
    fn links_are_not_followed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.pid");
        let victim = folder.path().join("victim");
        fs::write(&victim, "precious").unwrap();
        std::os::unix::fs::symlink(&victim, &path).unwrap();
        assert!(matches!(Held::claim(&path, Pid::own(), &[]), Err(Error::File { .. })));
        assert_eq!(fs::read_to_string(&victim).unwrap(), "precious");
    }

    #[test]
    fn many_claim_and_one_gets_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.pid");
        let barrier = std::sync::Barrier::new(8);
        let held: Vec<_> = std::thread::scope(|scope| {
            let claim = |n| {
                barrier.wait();
                Held::claim(&path, pid(n), &[]).ok()
            };
            // Drafts are named after the process, of which there is one here: threads share the name only
            // after they hold the lock, so they cannot meet.
            let threads: Vec<_> = (1..=8).map(|n| scope.spawn(move || claim(n))).collect();
            threads.into_iter().filter_map(|t| t.join().unwrap()).collect()
        });
        assert_eq!(held.len(), 1);
    }
}
