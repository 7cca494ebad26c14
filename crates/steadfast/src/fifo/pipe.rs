//! One named pipe: made if need be, written to without waiting, removed by whoever made it.

use std::collections::VecDeque;
use std::fs::Metadata;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, FileType, Mode, OFlags, fchown, fstat, mknodat, openat};
use rustix::io::Errno;
use sys::reactor::{Interest, Reactor, Token};
use sys::users::Credentials;

use crate::log::Log;

/// An open pipe, or one whose readers have seen the end.
#[derive(Debug)]
pub(super) struct Pipe {
    path: PathBuf,
    token: Token,
    /// Open for reading too: so what nobody reads yet stays, and a reader that dies is no end of the pipe.
    fd: Option<OwnedFd>,
    /// Device and number of the file.
    identity: (u64, u64),
    /// It was not there before.
    made: bool,
    waiting: VecDeque<Box<[u8]>>,
    /// Room is waited for.
    watched: bool,
    /// Lines that nobody will read, since the pipe was last up to date.
    lost: u64,
}

/// Why there is no pipe.
#[derive(Debug, thiserror::Error)]
pub(super) enum PipeError {
    /// Something else has the path: it is left alone.
    #[error("there is something else that is no named pipe; move it away, or write another path")]
    NoPipe,
    #[error("it cannot be made")]
    Make(#[source] io::Error),
    #[error("it cannot be opened")]
    Open(#[source] io::Error),
    #[error("it cannot be given to its owner (uid {uid}, gid {gid})")]
    Owner { uid: u32, gid: u32, source: io::Error },
}

impl Pipe {
    /// Opens the pipe at `path`; one that is not there is made for `owner` alone.
    pub(super) fn open(path: &Path, owner: Option<&Credentials>, token: Token) -> Result<Self, PipeError> {
        let made = match mknodat(CWD, path, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0) {
            Ok(()) => true,
            Err(Errno::EXIST) => false,
            Err(error) => return Err(PipeError::Make(error.into())),
        };
        let opened = Self::open_existing(path, owner.filter(|_| made));
        if made && opened.is_err() {
            // Nobody else has it yet.
            std::fs::remove_file(path).ok();
        }
        let (fd, identity) = opened?;
        Ok(Self {
            path: path.to_owned(),
            token,
            fd: Some(fd),
            identity,
            made,
            waiting: VecDeque::new(),
            watched: false,
            lost: 0,
        })
    }

    fn open_existing(path: &Path, owner: Option<&Credentials>) -> Result<(OwnedFd, (u64, u64)), PipeError> {
        let open = |error: io::Error| PipeError::Open(error);
        let before = std::fs::symlink_metadata(path).map_err(open)?;
        if !before.file_type().is_fifo() {
            return Err(PipeError::NoPipe);
        }
        let flags = OFlags::RDWR | OFlags::NONBLOCK | OFlags::CLOEXEC | OFlags::NOFOLLOW | OFlags::NOCTTY;
        let fd = openat(CWD, path, flags, Mode::empty()).map_err(|error| open(error.into()))?;
        let opened = fstat(&fd).map_err(|error| open(error.into()))?;
        if FileType::from_raw_mode(opened.st_mode) != FileType::Fifo {
            return Err(PipeError::NoPipe);
        }
        if let Some(Credentials { uid, gid, .. }) = owner {
            let to = (rustix::fs::Uid::from_raw(uid.0), rustix::fs::Gid::from_raw(gid.0));
            fchown(&fd, Some(to.0), Some(to.1)).map_err(|error| PipeError::Owner {
                uid: uid.0,
                gid: gid.0,
                source: error.into(),
            })?;
        }
        Ok((fd, (opened.st_dev, opened.st_ino)))
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) const fn token(&self) -> Token {
        self.token
    }

    /// Whether its path still leads to it.
    pub(super) fn is_there(&self) -> bool {
        self.fd.is_some() && std::fs::symlink_metadata(&self.path).is_ok_and(|found| self.is_it(&found))
    }

    fn is_it(&self, found: &Metadata) -> bool {
        (found.dev(), found.ino()) == self.identity
    }

    /// Writes a line now, or lets it wait.
    pub(super) fn write(&mut self, reactor: &mut Reactor, line: &str, log: &Log) {
        if self.fd.is_none() {
            return;
        }
        self.waiting.push_back(line.as_bytes().into());
        if self.waiting.len() == 1 {
            self.flush(reactor, log);
        } else if self.waiting.len() > MOST_WAITING {
            // Not the first, of which a part may be out.
            self.waiting.remove(1);
            self.is_losing(log);
        }
    }

    fn is_losing(&mut self, log: &Log) {
        self.lost += 1;
        if self.lost == 1 {
            log.warning(format_args!(
                "{}: nobody reads it fast enough; the oldest of more than {MOST_WAITING} lines are dropped",
                self.path.display()
            ));
        }
    }

    /// Writes what waits, as far as there is room.
    pub(super) fn flush(&mut self, reactor: &mut Reactor, log: &Log) {
        let Some(fd) = &self.fd else { return };
        let written = write_lines(fd, &mut self.waiting);
        if let Err(error) = written {
            log.error(format_args!("cannot write to {}: {error}", self.path.display()));
        }
        if self.watched == self.waiting.is_empty() {
            self.watched = !self.waiting.is_empty();
            let watched = match self.watched {
                true => reactor.add(fd, self.token, Interest::Write),
                false => reactor.remove(fd),
            };
            if let Err(error) = watched {
                log.error(format_args!("cannot watch {}: {error}", self.path.display()));
            }
        }
        if self.waiting.is_empty() {
            self.tell_lost(log);
        }
    }

    fn tell_lost(&mut self, log: &Log) {
        let lost = std::mem::take(&mut self.lost);
        if lost > 0 {
            let path = self.path.display();
            log.warning(format_args!("{path}: is read again; {lost} lines were dropped meanwhile"));
        }
    }

    /// Whether everything that was written has been read.
    pub(super) fn is_drained(&self) -> bool {
        let unread = |fd| rustix::io::ioctl_fionread(fd).is_ok_and(|unread| unread > 0);
        self.waiting.is_empty() && !self.fd.as_ref().is_some_and(unread)
    }

    /// Lets readers see the end.
    pub(super) fn end(&mut self, reactor: &mut Reactor, log: &Log) {
        let Some(fd) = self.fd.take() else { return };
        let unread = rustix::io::ioctl_fionread(&fd).unwrap_or(0);
        if unread > 0 {
            log.info(format_args!("{}: the last {unread} bytes are not read yet", self.path.display()));
        }
        if std::mem::take(&mut self.watched) {
            // A watch that is gone already is what we want.
            reactor.remove(&fd).ok();
        }
        self.lost += u64::try_from(self.waiting.len()).unwrap_or(u64::MAX);
        self.waiting.clear();
        if self.lost > 0 {
            let (path, lost) = (self.path.display(), self.lost);
            log.warning(format_args!("{path}: nobody has read the last {lost} lines: they are dropped"));
        }
    }

    /// Ends it, and removes what was made.
    pub(super) fn close(mut self, reactor: &mut Reactor, log: &Log) {
        self.end(reactor, log);
        let is_ours =
            self.made && std::fs::symlink_metadata(&self.path).is_ok_and(|found| self.is_it(&found));
        if is_ours && let Err(error) = std::fs::remove_file(&self.path) {
            log.warning(format_args!("cannot remove {}: {error}", self.path.display()));
        }
    }
}

/// Writes lines until there is no room. A line that cannot be written for another reason is left out.
fn write_lines(fd: &OwnedFd, waiting: &mut VecDeque<Box<[u8]>>) -> Result<(), Errno> {
    let mut outcome = Ok(());
    while let Some(line) = waiting.pop_front() {
        match rustix::io::write(fd, &line) {
            Ok(written) if written < line.len() => waiting.push_front(line.split_at(written).1.into()),
            Ok(_) => {}
            Err(Errno::INTR) => waiting.push_front(line),
            Err(Errno::AGAIN) => {
                waiting.push_front(line);
                break;
            }
            Err(error) => outcome = Err(error),
        }
    }
    outcome
}

/// Lines that wait for a reader, behind the 64 kB that are in the pipe.
const MOST_WAITING: usize = 4096;

#[cfg(test)]
mod tests {
    use std::io::Read as _;
    use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};

    use super::*;
    use crate::log::{Destinations, Verbosity};

    fn log() -> Log {
        let to =
            Destinations { console: false, syslog: None, ident: String::new(), verbosity: Verbosity::Normal };
        Log::start(to).unwrap()
    }

    struct World {
        folder: tempfile::TempDir,
        reactor: Reactor,
        log: Log,
    }

    fn world() -> World {
        World { folder: tempfile::tempdir().unwrap(), reactor: Reactor::new().unwrap(), log: log() }
    }

    impl World {
        fn path(&self) -> PathBuf {
            self.folder.path().join("fifo")
        }

        fn open(&self) -> Pipe {
            Pipe::open(&self.path(), None, Token(7)).unwrap()
        }

        fn reader(&self) -> std::fs::File {
            let flags = OFlags::NONBLOCK.bits().cast_signed();
            std::fs::OpenOptions::new().read(true).custom_flags(flags).open(self.path()).unwrap()
        }
    }

    /// Everything that is in the pipe now.
    fn read(from: &mut std::fs::File) -> String {
        let mut text = String::new();
        // Until it would block, or until the end.
        from.read_to_string(&mut text).ok();
        text
    }

    #[test]
    fn a_pipe_is_made_for_its_owner_alone_and_removed_by_its_maker() {
        let mut world = world();
        let pipe = world.open();
        let mode = std::fs::metadata(world.path()).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let second = world.open();
        second.close(&mut world.reactor, &world.log);
        assert!(world.path().exists(), "another one had made it");
        assert!(pipe.is_there());
        pipe.close(&mut world.reactor, &world.log);
        assert!(!world.path().exists());
    }

    #[test]
    fn what_is_no_pipe_is_left_alone() {
        let world = world();
        std::fs::write(world.path(), "text").unwrap();
        assert!(matches!(Pipe::open(&world.path(), None, Token(7)), Err(PipeError::NoPipe)));
        assert_eq!(std::fs::read_to_string(world.path()).unwrap(), "text");
        std::fs::remove_file(world.path()).unwrap();
        std::os::unix::fs::symlink("/dev/null", world.path()).unwrap();
        assert!(matches!(Pipe::open(&world.path(), None, Token(7)), Err(PipeError::NoPipe)));
        let nowhere = world.folder.path().join("no/such/folder");
        assert!(matches!(Pipe::open(&nowhere, None, Token(7)), Err(PipeError::Make(_))));
    }

    #[test]
    fn a_pipe_that_another_one_replaced_is_not_removed() {
        let mut world = world();
        let pipe = world.open();
        std::fs::remove_file(world.path()).unwrap();
        assert!(!pipe.is_there());
        std::fs::write(world.path(), "text").unwrap();
        pipe.close(&mut world.reactor, &world.log);
        assert!(world.path().exists());
    }

    #[test]
    fn lines_wait_for_a_late_reader() {
        let mut world = world();
        let mut pipe = world.open();
        pipe.write(&mut world.reactor, "one\n", &world.log);
        pipe.write(&mut world.reactor, "two\n", &world.log);
        assert!(!pipe.is_drained());
        assert_eq!(read(&mut world.reader()), "one\ntwo\n");
        assert!(pipe.is_drained());
    }

    #[test]
    fn without_a_reader_the_memory_is_bounded_and_the_loss_is_counted() {
        let mut world = world();
        let mut pipe = world.open();
        let line = |number: usize| format!("{number:07}\n");
        let in_pipe = 65_536 / line(0).len();
        let lines = in_pipe + MOST_WAITING + 100;
        for number in 0..lines {
            pipe.write(&mut world.reactor, &line(number), &world.log);
        }
        assert_eq!((pipe.waiting.len(), pipe.lost), (MOST_WAITING, 100));

        // Somebody reads at last: what was kept comes in order, the newest among it.
        let mut reader = world.reader();
        let mut text = String::new();
        let mut ready = Vec::new();
        while !pipe.is_drained() {
            text += &read(&mut reader);
            world.reactor.wait(Some(sys::clock::now()), &mut ready).unwrap();
            assert!(ready.iter().all(|ready| ready.token == Token(7)));
            pipe.flush(&mut world.reactor, &world.log);
        }
        let numbers: Vec<usize> = text.lines().map(|line| line.parse().unwrap()).collect();
        assert!(numbers.is_sorted());
        assert_eq!((numbers.len(), numbers.last()), (lines - 100, Some(&(lines - 1))));
        assert_eq!(pipe.lost, 0, "told");
    }

    #[test]
    fn readers_see_the_end_once_they_have_read_everything() {
        let mut world = world();
        let mut pipe = world.open();
        let mut reader = world.reader();
        pipe.write(&mut world.reactor, "last\n", &world.log);
        pipe.end(&mut world.reactor, &world.log);
        let mut text = String::new();
        reader.read_to_string(&mut text).unwrap();
        assert_eq!(text, "last\n");
        pipe.write(&mut world.reactor, "too late\n", &world.log);
        assert!(pipe.is_drained());
    }
}
