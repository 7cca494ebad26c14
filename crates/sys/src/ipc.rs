//! Messages between processes of the daemon: a `SOCK_SEQPACKET` pair.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

/// One end of a pair. Messages keep their bounds and their order.
#[derive(Debug)]
pub struct Channel {
    fd: OwnedFd,
}

/// Whether a message went out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Sent {
    /// The kernel has it.
    Done,
    /// The peer has not read for long; nothing was sent.
    Full,
}

/// What [`Channel::recv`] found.
#[derive(Debug)]
#[must_use]
pub enum Received {
    /// The buffer holds a message; a file descriptor may have come with it.
    Message(Option<OwnedFd>),
    /// Nothing waits.
    Empty,
    /// The peer is gone and everything it sent was read.
    Closed,
}

impl Channel {
    /// The longest message, in bytes.
    pub const MESSAGE_BYTES: usize = 64 * 1024;

    /// Two connected ends.
    ///
    /// # Errors
    /// The kernel has no file descriptor left.
    pub fn pair() -> io::Result<(Self, Self)> {
        unimplemented!()
    }

    /// Sends `message`, with a copy of `attached` if given.
    ///
    /// # Errors
    /// `InvalidInput` if the message is empty or longer than [`Self::MESSAGE_BYTES`]; `BrokenPipe` if the peer is gone.
    pub fn send(&self, message: &[u8], attached: Option<BorrowedFd<'_>>) -> io::Result<Sent> {
        let _ = (message, attached);
        unimplemented!()
    }

    /// Receives one message into `buffer`.
    ///
    /// # Errors
    /// Only what means a broken program.
    pub fn recv(&self, buffer: &mut Vec<u8>) -> io::Result<Received> {
        let _ = buffer;
        unimplemented!()
    }
}

impl AsFd for Channel {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

/// Takes an end that was inherited, and makes it non-blocking and closed on exec.
impl TryFrom<OwnedFd> for Channel {
    type Error = io::Error;

    fn try_from(fd: OwnedFd) -> io::Result<Self> {
        Ok(Self { fd })
    }
}

impl From<Channel> for OwnedFd {
    fn from(channel: Channel) -> Self {
        channel.fd
    }
}
