//! One epoll loop with nanosecond deadlines.

use std::io;
use std::os::fd::AsFd;

use model::Instant;

/// What the caller wants to be told with an event; the reactor does not look into it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Token(pub u64);

/// What a file descriptor is watched for. Hang-up and errors are always reported.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Interest {
    /// Something can be read.
    Read,
    /// Something can be written.
    Write,
    /// Either.
    Both,
}

/// A file descriptor that can be served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ready {
    /// Which, as given to [`Reactor::add`].
    pub token: Token,
    /// A read will not say "would block". Also set on hang-up and errors, which a read reports.
    pub readable: bool,
    /// A write will not say "would block".
    pub writable: bool,
}

/// Waits for file descriptors and one deadline. Level-triggered: what is not drained is reported again.
#[derive(Debug)]
pub struct Reactor {}

impl Reactor {
    /// A reactor that watches nothing yet.
    ///
    /// # Errors
    /// The kernel has no file descriptor left.
    pub fn new() -> io::Result<Self> {
        unimplemented!()
    }

    /// Watches `source`. Closing the last copy of a file descriptor ends the watch too.
    ///
    /// # Errors
    /// `source` is watched already, or is of a kind that cannot be watched (a regular file).
    pub fn add(&mut self, source: impl AsFd, token: Token, interest: Interest) -> io::Result<()> {
        let _ = (source.as_fd(), token, interest);
        unimplemented!()
    }

    /// Changes what `source` is watched for.
    ///
    /// # Errors
    /// `source` is not watched.
    pub fn modify(&mut self, source: impl AsFd, token: Token, interest: Interest) -> io::Result<()> {
        let _ = (source.as_fd(), token, interest);
        unimplemented!()
    }

    /// Ends the watch of `source`.
    ///
    /// # Errors
    /// `source` is not watched.
    pub fn remove(&mut self, source: impl AsFd) -> io::Result<()> {
        let _ = source.as_fd();
        unimplemented!()
    }

    /// Blocks until a source is ready or `deadline` has come (for ever if `None`; not at all if it is past).
    ///
    /// `ready` is cleared first; it stays empty when the deadline came, and may also come back empty
    /// earlier (a signal), so the caller looks at the clock. At most 64 sources are reported per call.
    ///
    /// # Errors
    /// Only what means a broken program.
    pub fn wait(&mut self, deadline: Option<Instant>, ready: &mut Vec<Ready>) -> io::Result<()> {
        let _ = (deadline, ready);
        unimplemented!()
    }
}
