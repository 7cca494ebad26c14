//! A client that asks an address again and again and notes when it is answered.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use model::Instant;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use socket2::{Domain, Protocol, SockAddr, Socket, Type};
use sys::capture;
use sys::clock::WallOffset;
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
    times: Mutex<Times>,
    stop: AtomicBool,
}

/// When requests were sent and answers received, both in order.
#[derive(Debug, Default)]
struct Times {
    asked: Vec<Instant>,
    answered: Vec<Instant>,
}

/// A span in which requests were sent and none was answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outage {
    /// When the first of them was sent.
    pub from: Instant,
    /// How long it took from there until the next answer, or until the end of what was looked at.
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
    pub fn asked(&self) -> usize {
        self.shared.times().asked.len()
    }

    /// How many answers came at `from` or later.
    #[must_use]
    pub fn answered_since(&self, from: Instant) -> usize {
        tail(&self.shared.times().answered, from).len()
    }

    /// The longest outage of the time from `from` to `until`.
    #[must_use]
    pub fn longest_outage(&self, from: Instant, until: Instant) -> Outage {
        self.shared.times().longest_outage(from, until)
    }
}

impl Times {
    /// Moments in which nothing was asked do not count: a busy machine may let this client wait.
    fn longest_outage(&self, from: Instant, until: Instant) -> Outage {
        let mut longest = Outage { from, length: Duration::ZERO, over: true };
        let mut begin = from;
        for &answer in tail(&self.answered, from) {
            if answer >= until {
                break;
            }
            longest = longest.max(self.outage(begin, answer, true));
            begin = answer;
        }
        longest.max(self.outage(begin, until, false))
    }

    /// From the first request after `begin` to `end`.
    fn outage(&self, begin: Instant, end: Instant, over: bool) -> Outage {
        let from = tail(&self.asked, begin).first().copied().unwrap_or(end);
        Outage { from, length: end.since(from), over }
    }
}

impl Outage {
    fn max(self, other: Self) -> Self {
        if other.length > self.length { other } else { self }
    }
}

/// What of `times` is at `from` or later.
fn tail(times: &[Instant], from: Instant) -> &[Instant] {
    times.get(times.partition_point(|&at| at < from)..).unwrap_or_default()
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
    fn times(&self) -> MutexGuard<'_, Times> {
        // A time is pushed whole or not at all, so a panic elsewhere leaves no half of one.
        self.times.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn ask(&self, socket: &Socket, target: Ipv4Addr) {
        let to = SockAddr::from(SocketAddr::from((target, 0)));
        let mut request = Vec::new();
        let mut clock = WallOffset::sample();
        let mut due = now();
        for sequence in (0..=u16::MAX).cycle() {
            if self.stop.load(Ordering::Relaxed) {
                return;
            }
            request.clear();
            icmp::emit(&echo(sequence), &mut request);
            let sent = now();
            // The host may have no way to the target just now; that is an outage, not an error.
            socket.send_to(&request, &to).ok();
            self.times().asked.push(sent);
            due = (due + Client::PERIOD).max(sent - MOST_BEHIND);
            self.listen(socket, target, due, &mut clock);
        }
    }

    /// Notes the answers that come until `due`.
    fn listen(&self, socket: &Socket, target: Ipv4Addr, due: Instant, clock: &mut WallOffset) {
        let mut buffer = [0; 256];
        loop {
            while let Ok(Some(packet)) = capture::receive(socket, &mut buffer) {
                clock.next_turn();
                if is_answer(packet.bytes, target) {
                    self.times().answered.push(clock.monotonic(packet.at));
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

/// A client that a busy machine let wait catches up with the requests of this span.
const MOST_BEHIND: Duration = Duration::from_millis(50);

/// Tells our requests from those of other programs on the host.
const IDENTIFIER: u16 = 0x5346;

const fn echo(sequence: u16) -> icmp::Echo<'static> {
    icmp::Echo { kind: icmp::Kind::Request, identifier: IDENTIFIER, sequence, payload: &[] }
}

fn open() -> io::Result<Socket> {
    let socket = Socket::new(Domain::IPV4, Type::RAW.nonblocking(), Some(Protocol::ICMPV4))?;
    capture::stamp(&socket)?;
    Ok(socket)
}

fn is_answer(packet: &[u8], target: Ipv4Addr) -> bool {
    let Ok((header, payload)) = ipv4::parse(packet) else { return false };
    let Ok(echo) = icmp::parse(payload) else { return false };
    header.source == target && echo.kind == icmp::Kind::Reply && echo.identifier == IDENTIFIER
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(micros: &[u64]) -> Vec<Instant> {
        micros.iter().map(|micros| Instant::from_nanos(micros * 1000)).collect()
    }

    fn outage(asked: &[u64], answered: &[u64], until: u64) -> (u64, u128, bool) {
        let times = Times { asked: at(asked), answered: at(answered) };
        let outage = times.longest_outage(Instant::ZERO, at(&[until])[0]);
        (outage.from.as_nanos() / 1000, outage.length.as_micros(), outage.over)
    }

    #[test]
    fn an_outage_runs_from_the_first_request_without_an_answer() {
        let asked = [0, 1000, 2000, 3000, 4000];
        assert_eq!(outage(&asked, &[100, 3100, 4100], 4500), (1000, 2100, true));
        assert_eq!(outage(&asked, &[100, 1100], 4500), (2000, 2500, false));
        assert_eq!(outage(&asked, &[], 4500), (0, 4500, false));
    }

    #[test]
    fn who_does_not_ask_misses_no_answer() {
        assert_eq!(outage(&[0, 9000], &[100, 9100], 9200), (0, 100, true));
    }
}
