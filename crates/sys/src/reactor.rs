//! One epoll loop with nanosecond deadlines.

use std::fmt;
use std::io;
use std::os::fd::{AsFd, OwnedFd};

use model::Instant;
use rustix::buffer::spare_capacity;
use rustix::event::epoll::{self, CreateFlags, Event, EventData, EventFlags};
use rustix::io::Errno;
use rustix::time::{
    Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, timerfd_create, timerfd_settime,
};

use crate::clock::now;

/// What the caller wants to be told with an event. All values but `u64::MAX` are free.
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
///
/// The deadline is an absolute time of a timerfd: nothing is rounded to milliseconds, as `epoll_wait`
/// does, and no time passes between reading the clock and falling asleep.
pub struct Reactor {
    epoll: OwnedFd,
    timer: OwnedFd,
    armed: Option<Instant>,
    events: Vec<Event>,
}

impl Reactor {
    /// Sources that one call of [`Self::wait`] reports at most.
    pub const MOST_READY: usize = 64;

    /// A reactor that watches nothing yet.
    ///
    /// # Errors
    /// The kernel has no file descriptor left.
    pub fn new() -> io::Result<Self> {
        let epoll = epoll::create(CreateFlags::CLOEXEC)?;
        let flags = TimerfdFlags::CLOEXEC | TimerfdFlags::NONBLOCK;
        let timer = timerfd_create(TimerfdClockId::Monotonic, flags)?;
        epoll::add(&epoll, &timer, EventData::new_u64(TIMER), EventFlags::IN)?;
        Ok(Self { epoll, timer, armed: None, events: Vec::with_capacity(EVENTS) })
    }

    /// Watches `source`. Closing the last copy of a file descriptor ends the watch too.
    ///
    /// # Errors
    /// `source` is watched already, or is of a kind that cannot be watched (a regular file); the token is not free.
    pub fn add(&mut self, source: impl AsFd, token: Token, interest: Interest) -> io::Result<()> {
        Ok(epoll::add(&self.epoll, source, data(token)?, flags(interest))?)
    }

    /// Changes what `source` is watched for.
    ///
    /// # Errors
    /// `source` is not watched.
    pub fn modify(&mut self, source: impl AsFd, token: Token, interest: Interest) -> io::Result<()> {
        Ok(epoll::modify(&self.epoll, source, data(token)?, flags(interest))?)
    }

    /// Ends the watch of `source`.
    ///
    /// # Errors
    /// `source` is not watched.
    pub fn remove(&mut self, source: impl AsFd) -> io::Result<()> {
        Ok(epoll::delete(&self.epoll, source)?)
    }

    /// Blocks until a source is ready or `deadline` has come (for ever if `None`; not at all if it is past).
    ///
    /// `ready` is cleared first; it stays empty when the deadline came, and may also come back empty
    /// earlier (a signal). At most [`Self::MOST_READY`] sources are reported per call; what was ready before the
    /// call and is not reported is reported by the next ones.
    ///
    /// # Errors
    /// Only what means a broken program.
    pub fn wait(&mut self, deadline: Option<Instant>, ready: &mut Vec<Ready>) -> io::Result<()> {
        ready.clear();
        // An expired timer would wake us as well, but by an interrupt, which costs two hundred times as much.
        let overdue = deadline.is_some_and(|at| at <= now());
        if !overdue {
            self.arm(deadline)?;
        }
        self.events.clear();
        match epoll::wait(&self.epoll, spare_capacity(&mut self.events), overdue.then_some(&ZERO)) {
            Ok(_) => {}
            // A process that was stopped comes back so, whatever has become ready meanwhile: that has to be seen
            // before the caller looks at its clock.
            Err(Errno::INTR) => self.look()?,
            Err(error) => return Err(error.into()),
        }
        ready.extend(self.events.iter().filter_map(to_ready));
        Ok(())
    }

    /// Takes what is ready, without waiting.
    fn look(&mut self) -> io::Result<()> {
        self.events.clear();
        while let Err(error) = epoll::wait(&self.epoll, spare_capacity(&mut self.events), Some(&ZERO)) {
            if error != Errno::INTR {
                return Err(error.into());
            }
        }
        Ok(())
    }

    /// An expired timer stays readable until it is set again.
    fn arm(&mut self, deadline: Option<Instant>) -> io::Result<()> {
        if deadline == self.armed {
            return Ok(());
        }
        // To the kernel zero means "disarm".
        let spec = Itimerspec { it_interval: ZERO, it_value: deadline.map_or(ZERO, timespec) };
        timerfd_settime(&self.timer, TimerfdTimerFlags::ABSTIME, &spec)?;
        self.armed = deadline;
        Ok(())
    }
}

impl fmt::Debug for Reactor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reactor").field("armed", &self.armed).finish_non_exhaustive()
    }
}

const ZERO: Timespec = Timespec { tv_sec: 0, tv_nsec: 0 };
const TIMER: u64 = u64::MAX;
/// One call's worth: the sources and the timer.
const EVENTS: usize = Reactor::MOST_READY + 1;

fn data(token: Token) -> io::Result<EventData> {
    if token.0 == TIMER {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    Ok(EventData::new_u64(token.0))
}

fn flags(interest: Interest) -> EventFlags {
    match interest {
        Interest::Read => EventFlags::IN,
        Interest::Write => EventFlags::OUT,
        Interest::Both => EventFlags::IN | EventFlags::OUT,
    }
}

fn to_ready(event: &Event) -> Option<Ready> {
    // The struct is packed on x86: copy, do not borrow.
    let (key, flags) = ({ event.data }.u64(), { event.flags });
    if key == TIMER {
        return None;
    }
    let broken = flags.intersects(EventFlags::ERR | EventFlags::HUP);
    Some(Ready {
        token: Token(key),
        readable: broken || flags.contains(EventFlags::IN),
        writable: flags.contains(EventFlags::OUT),
    })
}

fn timespec(at: Instant) -> Timespec {
    const SECOND: u64 = 1_000_000_000;
    // Both fit: u64 nanoseconds are 584 years.
    Timespec { tv_sec: (at.as_nanos() / SECOND) as _, tv_nsec: (at.as_nanos() % SECOND) as _ }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn pipe() -> (OwnedFd, OwnedFd) {
        rustix::pipe::pipe().unwrap()
    }

    #[test]
    fn a_deadline_is_kept_and_never_early() {
        let mut reactor = Reactor::new().unwrap();
        let mut ready = Vec::new();
        for micros in [0, 300, 1_500, 20_000] {
            let deadline = now() + Duration::from_micros(micros);
            reactor.wait(Some(deadline), &mut ready).unwrap();
            assert!(now() >= deadline, "woke early");
            assert!(now().since(deadline) < Duration::from_secs(1));
            assert!(ready.is_empty());
        }
    }

    #[test]
    fn a_past_deadline_does_not_block_however_often() {
        let mut reactor = Reactor::new().unwrap();
        for _ in 0..3 {
            reactor.wait(Some(Instant::ZERO), &mut Vec::new()).unwrap();
        }
    }

    #[test]
    fn what_is_ready_is_told_until_it_is_drained() {
        let (reader, writer) = pipe();
        let mut reactor = Reactor::new().unwrap();
        reactor.add(&reader, Token(7), Interest::Read).unwrap();
        let mut ready = Vec::new();
        rustix::io::write(&writer, b"x").unwrap();
        for _ in 0..2 {
            reactor.wait(None, &mut ready).unwrap();
            assert_eq!(ready, [Ready { token: Token(7), readable: true, writable: false }]);
        }
        rustix::io::read(&reader, &mut [0; 8]).unwrap();
        reactor.wait(Some(Instant::ZERO), &mut ready).unwrap();
        assert_eq!(ready, []);
    }

    #[test]
    fn a_hang_up_is_readable() {
        let (reader, writer) = pipe();
        let mut reactor = Reactor::new().unwrap();
        reactor.add(&reader, Token(1), Interest::Read).unwrap();
        drop(writer);
        let mut ready = Vec::new();
        reactor.wait(None, &mut ready).unwrap();
        assert!(ready[0].readable);
    }

    #[test]
    fn interest_can_change_and_end() {
        let (_reader, writer) = pipe();
        let mut reactor = Reactor::new().unwrap();
        let mut ready = Vec::new();
        reactor.add(&writer, Token(1), Interest::Both).unwrap();
        reactor.wait(None, &mut ready).unwrap();
        assert_eq!(ready, [Ready { token: Token(1), readable: false, writable: true }]);
        reactor.modify(&writer, Token(2), Interest::Read).unwrap();
        reactor.wait(Some(Instant::ZERO), &mut ready).unwrap();
        assert_eq!(ready, []);
        reactor.remove(&writer).unwrap();
        assert!(reactor.remove(&writer).is_err());
        assert!(reactor.add(&writer, Token(u64::MAX), Interest::Read).is_err());
    }
}
