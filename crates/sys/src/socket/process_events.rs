//! The kernel's news of processes: fork, exec, a new name, exit (`NETLINK_CONNECTOR`, "proc connector").

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::io::Errno;
use rustix::net::netlink::{CONNECTOR, SocketAddrNetlink};
use rustix::net::{
    AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType, bind, recvfrom, sendto, socket_with,
};

use crate::socket::netlink::is_kernel;
use crate::socket::{set_option, widen_receive_buffer};

/// Something that happened to a process. Of threads nothing is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// A process made another one.
    Fork {
        /// The one that was there.
        parent: u32,
        /// The new one.
        child: u32,
    },
    /// It runs another program.
    Exec(u32),
    /// It calls itself by another name.
    Name(u32),
    /// It has ended.
    Exit(u32),
}

/// What [`Socket::recv`] found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Received {
    /// Something happened.
    Event(Event),
    /// Something that does not matter.
    Other,
    /// Nothing waits.
    Empty,
    /// The kernel dropped messages (`ENOBUFS`): what was learnt from them is no longer whole.
    Overrun,
}

/// A socket of the network namespace in which it was opened. Only the first one of a host gives news.
#[derive(Debug)]
pub struct Socket {
    fd: OwnedFd,
    listens: bool,
}

impl Socket {
    /// Opens it; it listens to nothing yet.
    ///
    /// # Errors
    /// The kernel has no file descriptor left, or no such protocol.
    pub fn open() -> io::Result<Self> {
        let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
        let fd = socket_with(AddressFamily::NETLINK, SocketType::DGRAM, flags, Some(CONNECTOR))?;
        widen_receive_buffer(&fd)?;
        bind(&fd, &KERNEL)?;
        Ok(Self { fd, listens: false })
    }

    /// Hears of processes from now on.
    ///
    /// # Errors
    /// The kernel does not tell: it takes `CAP_NET_ADMIN`, and the host's first network, user and process namespaces.
    pub fn listen(&mut self) -> io::Result<()> {
        if self.listens {
            return Ok(());
        }
        set_option(&self.fd, libc::SOL_NETLINK, libc::NETLINK_ADD_MEMBERSHIP, PROCESSES)?;
        self.say(LISTEN)?;
        self.listens = true;
        // The answer stands in the queue already, behind what others had the kernel tell meanwhile.
        let mut message = [0; MESSAGE_BYTES];
        for _ in 0..MOST_BEFORE_ANSWER {
            match self.next(&mut message)? {
                Next::Message(length) => match message.get(..length).and_then(answer) {
                    Some(0) => return Ok(()),
                    Some(error) => {
                        self.ignore();
                        return Err(io::Error::from_raw_os_error(error.cast_signed()));
                    }
                    None => {}
                },
                Next::Foreign | Next::Overrun => {}
                Next::Empty => break,
            }
        }
        self.ignore();
        Err(io::Error::new(io::ErrorKind::Unsupported, "the kernel does not answer"))
    }

    /// Hears of nothing any more.
    pub fn ignore(&mut self) {
        if self.listens {
            self.listens = false;
            // Older kernels count listeners and are not told by a socket that closes. More cannot be done.
            self.say(IGNORE).ok();
            set_option(&self.fd, libc::SOL_NETLINK, libc::NETLINK_DROP_MEMBERSHIP, PROCESSES).ok();
        }
    }

    /// The next thing that happened.
    ///
    /// # Errors
    /// Only what means a broken program.
    pub fn recv(&self) -> io::Result<Received> {
        let mut message = [0; MESSAGE_BYTES];
        Ok(match self.next(&mut message)? {
            Next::Message(length) => {
                message.get(..length).and_then(event).map_or(Received::Other, Received::Event)
            }
            Next::Foreign => Received::Other,
            Next::Empty => Received::Empty,
            Next::Overrun => Received::Overrun,
        })
    }

    fn next(&self, message: &mut [u8; MESSAGE_BYTES]) -> io::Result<Next> {
        loop {
            return match recvfrom(&self.fd, &mut message[..], RecvFlags::DONTWAIT) {
                Ok((length, _, Some(source))) if is_kernel(&source) => Ok(Next::Message(length)),
                Ok(_) => Ok(Next::Foreign),
                Err(Errno::INTR) => continue,
                Err(Errno::AGAIN) => Ok(Next::Empty),
                Err(Errno::NOBUFS) => Ok(Next::Overrun),
                Err(error) => Err(error.into()),
            };
        }
    }

    fn say(&self, operation: u32) -> io::Result<()> {
        let mut message = Vec::with_capacity(MESSAGE_BYTES);
        let payload = size_of_val(&operation);
        // struct nlmsghdr
        message.extend(((EVENT_AT + payload) as u32).to_ne_bytes());
        message.extend((libc::NLMSG_DONE as u16).to_ne_bytes());
        message.extend([0; 10]);
        // struct cn_msg
        message.extend(PROCESSES.to_ne_bytes());
        message.extend(CN_VAL_PROC.to_ne_bytes());
        message.extend([0; 8]);
        message.extend((payload as u16).to_ne_bytes());
        message.extend([0; 2]);
        message.extend(operation.to_ne_bytes());
        sendto(&self.fd, &message, SendFlags::DONTWAIT, &KERNEL)?;
        Ok(())
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        self.ignore();
    }
}

impl AsFd for Socket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

enum Next {
    Message(usize),
    Foreign,
    Empty,
    Overrun,
}

/// The error number in an answer to [`LISTEN`]; 0 is success.
fn answer(message: &[u8]) -> Option<u32> {
    (kind(message)? == PROC_EVENT_NONE).then(|| number(message, DATA_AT))?
}

fn event(message: &[u8]) -> Option<Event> {
    let at = |index: usize| number(message, DATA_AT + 4 * index);
    // Each process is told by the number of the thread and that of the process.
    let process = || at(0).filter(|thread| Some(*thread) == at(1));
    match kind(message)? {
        PROC_EVENT_FORK => {
            let (parent, child) = (at(1)?, at(3)?);
            (at(2)? == child).then_some(Event::Fork { parent, child })
        }
        // Another thread than the first one may do it, and is the first one then.
        PROC_EVENT_EXEC => Some(Event::Exec(at(1)?)),
        PROC_EVENT_COMM => process().map(Event::Name),
        PROC_EVENT_EXIT => process().map(Event::Exit),
        _ => None,
    }
}

fn kind(message: &[u8]) -> Option<u32> {
    let is_ours =
        number(message, CONNECTOR_AT)? == PROCESSES && number(message, CONNECTOR_AT + 4)? == CN_VAL_PROC;
    is_ours.then(|| number(message, EVENT_AT))?
}

fn number(message: &[u8], at: usize) -> Option<u32> {
    message.get(at..)?.first_chunk().copied().map(u32::from_ne_bytes)
}

/// Port 0: as destination the kernel, as own address "choose one".
const KERNEL: SocketAddrNetlink = SocketAddrNetlink::new(0, 0);

/// `CN_IDX_PROC`: the connector's number, and that of its multicast group.
const PROCESSES: u32 = 1;
const CN_VAL_PROC: u32 = 1;

/// `PROC_CN_MCAST_LISTEN`.
const LISTEN: u32 = 1;
/// `PROC_CN_MCAST_IGNORE`.
const IGNORE: u32 = 2;

const PROC_EVENT_NONE: u32 = 0;
const PROC_EVENT_FORK: u32 = 1;
const PROC_EVENT_EXEC: u32 = 2;
const PROC_EVENT_COMM: u32 = 0x200;
const PROC_EVENT_EXIT: u32 = 0x8000_0000;

/// Behind `struct nlmsghdr`: `struct cn_msg`.
const CONNECTOR_AT: usize = 16;
/// Behind that: `struct proc_event`.
const EVENT_AT: usize = CONNECTOR_AT + 20;
/// What is special to the kind of event, behind the kind, the processor and the time.
const DATA_AT: usize = EVENT_AT + 16;

/// Messages have 76 bytes; later kernels may tell more.
const MESSAGE_BYTES: usize = 256;

/// Of a queue that others have filled meanwhile.
const MOST_BEFORE_ANSWER: usize = 4096;

#[cfg(test)]
mod tests {
    use std::process::Command;
    use std::time::{Duration, Instant};

    use super::*;

    fn message(kind: u32, data: &[u32]) -> Vec<u8> {
        let header = [[0; 4].as_slice(), &[PROCESSES, CN_VAL_PROC, 0, 0, 0, kind, 0, 0, 0], data].concat();
        header.into_iter().flat_map(u32::to_ne_bytes).collect()
    }

    #[test]
    fn threads_are_not_told() {
        for (kind, data, expected) in [
            (PROC_EVENT_FORK, [10, 9, 20, 20], Some(Event::Fork { parent: 9, child: 20 })),
            (PROC_EVENT_FORK, [10, 9, 21, 20], None),
            (PROC_EVENT_EXEC, [20, 20, 0, 0], Some(Event::Exec(20))),
            (PROC_EVENT_COMM, [20, 20, 0, 0], Some(Event::Name(20))),
            (PROC_EVENT_COMM, [21, 20, 0, 0], None),
            (PROC_EVENT_EXIT, [20, 20, 0, 0], Some(Event::Exit(20))),
            (PROC_EVENT_EXIT, [21, 20, 0, 0], None),
            (PROC_EVENT_NONE, [20, 20, 0, 0], None),
        ] {
            assert_eq!(event(&message(kind, &data)), expected);
        }
    }

    #[test]
    fn a_message_may_be_cut_anywhere() {
        let whole = message(PROC_EVENT_FORK, &[10, 9, 20, 20]);
        for length in 0..whole.len() {
            assert_eq!(event(&whole[..length]), None, "{length}");
        }
        assert_eq!(answer(&message(PROC_EVENT_NONE, &[1])), Some(1));
        let mut foreign = whole;
        foreign[CONNECTOR_AT] = 9;
        assert_eq!(event(&foreign), None);
    }

    #[test]
    fn a_child_is_told_from_its_beginning_to_its_end() {
        let mut socket = Socket::open().unwrap();
        if let Err(error) = socket.listen() {
            eprintln!("SKIPPED: no news of processes: {error}");
            return;
        }
        let mut child = Command::new("/bin/true").spawn().unwrap();
        child.wait().unwrap();
        let own = std::process::id();
        let mut expected = vec![Event::Exit(child.id()), Event::Exec(child.id())];
        let until = Instant::now() + Duration::from_secs(20);
        let mut forked = false;
        while let Some(next) = expected.last() {
            assert!(Instant::now() < until, "no {expected:?}");
            match socket.recv().unwrap() {
                Received::Event(Event::Fork { parent, child: new }) if new == child.id() => {
                    assert_eq!(parent, own);
                    forked = true;
                }
                Received::Event(event) if event == *next => {
                    expected.pop();
                }
                Received::Overrun => panic!("a busy host"),
                Received::Event(_) | Received::Other | Received::Empty => std::thread::yield_now(),
            }
        }
        assert!(forked);
        socket.ignore();
        while !matches!(socket.recv().unwrap(), Received::Empty) {}
        Command::new("/bin/true").status().unwrap();
        assert_eq!(socket.recv().unwrap(), Received::Empty);
    }
}
