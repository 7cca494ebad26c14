//! Messages between processes: `SOCK_SEQPACKET` pairs, and names to connect to.

use std::io::{self, IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::FileTypeExt as _;
use std::path::{Path, PathBuf};

use rustix::fs::{Mode, fchmod};
use rustix::io::{Errno, FdFlags, fcntl_setfd, ioctl_fionbio};
use rustix::net::{
    AddressFamily, RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer,
    SendAncillaryMessage, SendFlags, SocketAddrUnix, SocketFlags, SocketType, accept_with, bind, connect,
    listen, recv, recvmsg, sendmsg, socket_with, socketpair, sockopt,
};

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
        let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
        let (left, right) = socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, flags, None)?;
        for fd in [&left, &right] {
            // By default two of the longest messages fill it. A refusal leaves the default.
            if sockopt::set_socket_send_buffer_size_force(fd, SEND_BUFFER_BYTES).is_err() {
                sockopt::set_socket_send_buffer_size(fd, SEND_BUFFER_BYTES)?;
            }
        }
        Ok((Self { fd: left }, Self { fd: right }))
    }

    /// Connects to the program that listens at `path`.
    ///
    /// # Errors
    /// Nobody listens there, or this user may not connect.
    pub fn connect(path: &Path) -> io::Result<Self> {
        let flags = SocketFlags::CLOEXEC;
        let fd = socket_with(AddressFamily::UNIX, SocketType::SEQPACKET, flags, None)?;
        connect(&fd, &SocketAddrUnix::new(path)?)?;
        ioctl_fionbio(&fd, true)?;
        Ok(Self { fd })
    }

    /// Sends `message`, with a copy of `attached` if given.
    ///
    /// # Errors
    /// `InvalidInput` if the message is empty or longer than [`Self::MESSAGE_BYTES`]; `BrokenPipe` if the peer is gone.
    pub fn send(&self, message: &[u8], attached: Option<BorrowedFd<'_>>) -> io::Result<Sent> {
        if message.is_empty() || message.len() > Self::MESSAGE_BYTES {
            return Err(io::ErrorKind::InvalidInput.into());
        }
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
        let mut control = SendAncillaryBuffer::new(&mut space);
        if let Some(fd) = attached.as_ref() {
            let fits = control.push(SendAncillaryMessage::ScmRights(std::slice::from_ref(fd)));
            debug_assert!(fits, "room for one was made above");
        }
        let flags = SendFlags::NOSIGNAL | SendFlags::DONTWAIT;
        match sendmsg(&self.fd, &[IoSlice::new(message)], &mut control, flags) {
            Ok(_) => Ok(Sent::Done),
            Err(Errno::AGAIN) => Ok(Sent::Full),
            Err(error) => Err(error.into()),
        }
    }

    /// Receives one message into `buffer`.
    ///
    /// # Errors
    /// Only what means a broken program.
    pub fn recv(&self, buffer: &mut Vec<u8>) -> io::Result<Received> {
        let peek = RecvFlags::PEEK | RecvFlags::TRUNC | RecvFlags::DONTWAIT;
        let length = match recv(&self.fd, &mut [0; 0], peek) {
            // No message is empty, see `send`.
            Ok((_, 0)) | Err(Errno::CONNRESET) => return Ok(Received::Closed),
            Ok((_, length)) => length,
            Err(Errno::AGAIN) => return Ok(Received::Empty),
            Err(error) => return Err(error.into()),
        };
        buffer.resize(length, 0);
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
        let mut control = RecvAncillaryBuffer::new(&mut space);
        let flags = RecvFlags::CMSG_CLOEXEC | RecvFlags::DONTWAIT;
        let read = recvmsg(&self.fd, &mut [IoSliceMut::new(buffer)], &mut control, flags)?;
        buffer.truncate(read.bytes);
        let attached = control.drain().find_map(|message| match message {
            RecvAncillaryMessage::ScmRights(mut fds) => fds.next(),
            _ => None,
        });
        Ok(Received::Message(attached))
    }
}

/// A name in the file system at which other programs of this user find one end.
#[derive(Debug)]
pub struct Listener {
    fd: OwnedFd,
    path: PathBuf,
}

impl Listener {
    /// Takes the name, from a program that has died if need be. Nobody but the owner may connect.
    ///
    /// # Errors
    /// The folder cannot be written, something else than a socket has the name, or the path is too long (107 bytes).
    pub fn bind(path: &Path) -> io::Result<Self> {
        let address = SocketAddrUnix::new(path)?;
        match std::fs::symlink_metadata(path) {
            Ok(found) if found.file_type().is_socket() => std::fs::remove_file(path)?,
            Ok(_) => return Err(io::ErrorKind::AlreadyExists.into()),
            Err(_) => {}
        }
        let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
        let fd = socket_with(AddressFamily::UNIX, SocketType::SEQPACKET, flags, None)?;
        // Before it has a name: there is no moment at which others could connect.
        fchmod(&fd, Mode::RUSR | Mode::WUSR)?;
        bind(&fd, &address)?;
        listen(&fd, MOST_WAITING)?;
        Ok(Self { fd, path: path.to_owned() })
    }

    /// The next program that has connected, if one waits.
    ///
    /// # Errors
    /// The kernel has no file descriptor left.
    pub fn accept(&self) -> io::Result<Option<Channel>> {
        match accept_with(&self.fd, SocketFlags::CLOEXEC | SocketFlags::NONBLOCK) {
            Ok(fd) => Ok(Some(Channel { fd })),
            Err(Errno::AGAIN | Errno::CONNABORTED) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }
}

impl AsFd for Listener {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        // A name that stays leads nowhere, and the next program takes it.
        drop(std::fs::remove_file(&self.path));
    }
}

/// Programs that have connected and are not accepted yet.
const MOST_WAITING: i32 = 8;

impl AsFd for Channel {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

/// Takes an end that was inherited, and makes it non-blocking and closed on exec.
impl TryFrom<OwnedFd> for Channel {
    type Error = io::Error;

    fn try_from(fd: OwnedFd) -> io::Result<Self> {
        fcntl_setfd(&fd, FdFlags::CLOEXEC)?;
        ioctl_fionbio(&fd, true)?;
        Ok(Self { fd })
    }
}

impl From<Channel> for OwnedFd {
    fn from(channel: Channel) -> Self {
        channel.fd
    }
}

const SEND_BUFFER_BYTES: usize = 1024 * 1024;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::eventually;

    fn received(channel: &Channel, buffer: &mut Vec<u8>) -> Option<OwnedFd> {
        match channel.recv(buffer).unwrap() {
            Received::Message(attached) => attached,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_name_leads_to_its_owner_and_goes_with_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.sock");
        assert!(Channel::connect(&path).is_err());
        let listener = Listener::bind(&path).unwrap();
        let mode = std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(&path).unwrap().permissions());
        assert_eq!(mode & 0o777, 0o600);
        assert!(listener.accept().unwrap().is_none());
        let ours = Channel::connect(&path).unwrap();
        let theirs = listener.accept().unwrap().unwrap();
        assert_eq!(theirs.send(b"hello", None).unwrap(), Sent::Done);
        let mut buffer = Vec::new();
        received(&ours, &mut buffer);
        assert_eq!(buffer, b"hello");
        drop(listener);
        assert!(!path.exists());
    }

    #[test]
    fn a_name_of_a_program_that_died_is_taken_over_and_a_file_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let (socket, file) = (folder.path().join("x.sock"), folder.path().join("file"));
        std::mem::forget(Listener::bind(&socket).unwrap());
        let listener = Listener::bind(&socket).unwrap();
        let _ours = Channel::connect(&socket).unwrap();
        assert!(listener.accept().unwrap().is_some());
        std::fs::write(&file, "x").unwrap();
        assert_eq!(Listener::bind(&file).unwrap_err().kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(std::fs::read(&file).unwrap(), b"x");
    }

    #[test]
    fn messages_keep_their_bounds() {
        let (left, right) = Channel::pair().unwrap();
        let long = vec![7; Channel::MESSAGE_BYTES];
        assert_eq!(left.send(b"one", None).unwrap(), Sent::Done);
        assert_eq!(left.send(&long, None).unwrap(), Sent::Done);
        let mut buffer = Vec::new();
        assert!(received(&right, &mut buffer).is_none());
        assert_eq!(buffer, b"one");
        assert!(received(&right, &mut buffer).is_none());
        assert_eq!(buffer, long);
        assert!(matches!(right.recv(&mut buffer).unwrap(), Received::Empty));
    }

    #[test]
    fn a_file_descriptor_travels_with_a_message() {
        let (left, right) = Channel::pair().unwrap();
        let file = crate::memfd::sealed("attached", b"content").unwrap();
        assert_eq!(left.send(b"here", Some(file.as_fd())).unwrap(), Sent::Done);
        drop(file);
        let attached = received(&right, &mut Vec::new()).unwrap();
        assert_eq!(crate::memfd::read_sealed(attached).unwrap(), b"content");
    }

    #[test]
    fn a_full_queue_and_a_gone_peer_are_told() {
        let (left, right) = Channel::pair().unwrap();
        let message = vec![0; 1000];
        let mut sent = 0;
        while left.send(&message, None).unwrap() == Sent::Done {
            sent += 1;
        }
        assert!(sent > 10);
        drop(left);
        let mut buffer = Vec::new();
        for _ in 0..sent {
            assert!(received(&right, &mut buffer).is_none());
        }
        eventually(|| matches!(right.recv(&mut buffer).unwrap(), Received::Closed).then_some(()));
        assert_eq!(right.send(b"x", None).unwrap_err().kind(), io::ErrorKind::BrokenPipe);
    }

    #[test]
    fn what_cannot_be_a_message_is_refused() {
        let (left, _right) = Channel::pair().unwrap();
        for message in [&[] as &[u8], &vec![0; Channel::MESSAGE_BYTES + 1]] {
            assert_eq!(left.send(message, None).unwrap_err().kind(), io::ErrorKind::InvalidInput);
        }
    }

    #[test]
    fn an_inherited_end_works_on() {
        let (left, right) = Channel::pair().unwrap();
        let right = Channel::try_from(OwnedFd::from(right)).unwrap();
        assert!(matches!(right.recv(&mut Vec::new()).unwrap(), Received::Empty));
        assert_eq!(left.send(b"x", None).unwrap(), Sent::Done);
        assert!(received(&right, &mut Vec::new()).is_none());
    }
}
