//! A client that asks an address again and again and notes when it is answered.

use std::io::{self, Read};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use model::Instant;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use socket2::{Domain, Protocol, SockAddr, Socket, Type};
use wire::{icmp, ipv4};

use crate::wait::now;
use crate::{Error, Host};

/// Asks an IPv4 address by ICMP echo 1000 times a second, from its start until it is dropped.
#[derive(Debug)]
pub struct Client {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug, Default)]
struct Shared {
    /// In order.
    answered: Mutex<Vec<Instant>>,
    asked: AtomicU64,
    stop: AtomicBool,
}

/// A span without an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outage {
    /// The last answer before it, or the start of what was looked at.
    pub from: Instant,
    /// How long it took until the next answer, or until now.
    pub length: Duration,
    /// Whether there was a next answer.
    pub over: bool,
}

impl Client {
    /// Between two requests.
    pub const PERIOD: Duration = Duration::from_millis(1);

    /// Starts to ask `target` from `host`.
    ///
    /// # Errors
    /// [`Error::ClientFamily`] for IPv6; [`Error::Client`] if raw sockets are not permitted.
    pub fn start(host: &Host, target: IpAddr) -> Result<Self, Error> {
        let IpAddr::V4(address) = target else { return Err(Error::ClientFamily(target)) };
        let fail = |source| Error::Client { target, source };
        let socket = host.namespaces().run(open)?.map_err(fail)?;
        let shared = Arc::new(Shared::default());
        let asker = Arc::clone(&shared);
        let thread = thread::spawn(move || asker.ask(&socket, address));
        Ok(Self { shared, thread: Some(thread) })
    }

    /// How many requests it has sent.
    #[must_use]
    pub fn asked(&self) -> u64 {
        self.shared.asked.load(Ordering::Relaxed)
    }

    /// How many answers came at `from` or later.
    #[must_use]
    pub fn answered_since(&self, from: Instant) -> usize {
        let answered = self.shared.answered();
        answered.len() - answered.partition_point(|&at| at < from)
    }

    /// When the first answer at `from` or later came.
    #[must_use]
    pub fn first_answer_since(&self, from: Instant) -> Option<Instant> {
        let answered = self.shared.answered();
        answered.get(answered.partition_point(|&at| at < from)).copied()
    }

    /// The longest span without an answer that ended at `from` or later and began before `until`.
    #[must_use]
    pub fn longest_outage(&self, from: Instant, until: Instant) -> Outage {
        let answered = self.shared.answered();
        let first = answered.partition_point(|&at| at < from);
        let mut last = first.checked_sub(1).and_then(|index| answered.get(index)).copied().unwrap_or(from);
        let mut longest = Outage { from: last, length: Duration::ZERO, over: true };
        for &at in answered.iter().skip(first) {
            if last >= until {
                return longest;
            }
            if at.since(last) > longest.length {
                longest = Outage { from: last, length: at.since(last), over: true };
            }
            last = at;
        }
        let open = Outage { from: last, length: until.since(last), over: false };
        if open.length > longest.length { open } else { longest }
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            thread.join().ok(); // its panic was printed
        }
    }
}

impl Shared {
    fn answered(&self) -> MutexGuard<'_, Vec<Instant>> {
        self.answered.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn ask(&self, socket: &Socket, target: Ipv4Addr) {
        let to = SockAddr::from(SocketAddr::from((target, 0)));
        let mut request = Vec::new();
        let mut due = now();
        while !self.stop.load(Ordering::Relaxed) {
            let sequence = self.asked.fetch_add(1, Ordering::Relaxed).to_be_bytes();
            request.clear();
            icmp::emit(&echo(u16::from_be_bytes([sequence[6], sequence[7]])), &mut request);
            // The host may have no way to the target just now; that is an outage, not an error.
            socket.send_to(&request, &to).ok();
            due = (due + Client::PERIOD).max(now() - Client::PERIOD * 50);
            self.listen(socket, target, due);
        }
    }

    /// Notes the answers that come until `due`.
    fn listen(&self, mut socket: &Socket, target: Ipv4Addr, due: Instant) {
        let mut packet = [0; 256];
        loop {
            while let Ok(length) = socket.read(&mut packet) {
                if is_answer(packet.get(..length).unwrap_or_default(), target) {
                    self.answered().push(now());
                }
            }
            let left = Timespec::try_from(due.since(now())).unwrap_or_default();
            // Not a read with a time-out: the kernel counts that in ticks of up to 4 ms.
            if !matches!(poll(&mut [PollFd::new(socket, PollFlags::IN)], Some(&left)), Ok(1)) {
                return;
            }
        }
    }
}

/// Tells our requests from those of other programs on the host.
const IDENTIFIER: u16 = 0x5346;

const fn echo(sequence: u16) -> icmp::Echo<'static> {
    icmp::Echo { kind: icmp::Kind::Request, identifier: IDENTIFIER, sequence, payload: &[] }
}

fn open() -> io::Result<Socket> {
    Socket::new(Domain::IPV4, Type::RAW.nonblocking(), Some(Protocol::ICMPV4))
}

fn is_answer(packet: &[u8], target: Ipv4Addr) -> bool {
    let Ok((header, payload)) = ipv4::parse(packet) else { return false };
    let Ok(echo) = icmp::parse(payload) else { return false };
    header.source == target && echo.kind == icmp::Kind::Reply && echo.identifier == IDENTIFIER
}
