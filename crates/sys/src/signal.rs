//! Signals as values, read from a file descriptor.

use std::fmt;
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd};

use nix::sys::signal::SigSet;
use nix::sys::signalfd::{SfdFlags, SignalFd};

use crate::process::Pid;

/// A signal number.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Signal(i32);

impl Signal {
    /// `SIGHUP`.
    pub const HUP: Self = Self(libc::SIGHUP);
    /// `SIGINT`.
    pub const INT: Self = Self(libc::SIGINT);
    /// `SIGTERM`.
    pub const TERM: Self = Self(libc::SIGTERM);
    /// `SIGKILL`.
    pub const KILL: Self = Self(libc::SIGKILL);
    /// `SIGUSR1`.
    pub const USR1: Self = Self(libc::SIGUSR1);
    /// `SIGUSR2`.
    pub const USR2: Self = Self(libc::SIGUSR2);
    /// `SIGXCPU`.
    pub const XCPU: Self = Self(libc::SIGXCPU);
    /// `SIGCHLD`.
    pub const CHLD: Self = Self(libc::SIGCHLD);
    /// `SIGPIPE`.
    pub const PIPE: Self = Self(libc::SIGPIPE);
    /// `SIGSTOP`.
    pub const STOP: Self = Self(libc::SIGSTOP);
    /// `SIGCONT`.
    pub const CONT: Self = Self(libc::SIGCONT);

    /// `SIGRTMIN + offset`, as the C library counts, if there is such a signal.
    #[must_use]
    pub fn realtime(offset: u8) -> Option<Self> {
        let number = libc::SIGRTMIN() + i32::from(offset);
        (number <= libc::SIGRTMAX()).then_some(Self(number))
    }

    /// The signal with this number, if there is one that the C library does not keep for itself.
    #[must_use]
    pub fn from_number(number: i32) -> Option<Self> {
        let ordinary = 1..=libc::SIGSYS;
        let realtime = libc::SIGRTMIN()..=libc::SIGRTMAX();
        (ordinary.contains(&number) || realtime.contains(&number)).then_some(Self(number))
    }

    /// The number.
    #[must_use]
    pub const fn number(self) -> i32 {
        self.0
    }

    pub(crate) fn to_rustix(self) -> rustix::process::Signal {
        // SAFETY: the constants and constructors of `Signal` admit only signals that exist and that the C
        // library does not use itself.
        unsafe { rustix::process::Signal::from_raw_unchecked(self.0) }
    }
}

impl fmt::Display for Signal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::HUP => f.write_str("SIGHUP"),
            Self::INT => f.write_str("SIGINT"),
            Self::TERM => f.write_str("SIGTERM"),
            Self::KILL => f.write_str("SIGKILL"),
            Self::USR1 => f.write_str("SIGUSR1"),
            Self::USR2 => f.write_str("SIGUSR2"),
            Self::XCPU => f.write_str("SIGXCPU"),
            Self::CHLD => f.write_str("SIGCHLD"),
            Self::PIPE => f.write_str("SIGPIPE"),
            Self::STOP => f.write_str("SIGSTOP"),
            Self::CONT => f.write_str("SIGCONT"),
            Self(number) => write!(f, "signal {number}"),
        }
    }
}

impl fmt::Debug for Signal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A set of signals, blocked in this thread and read here instead.
///
/// They stay blocked when this is dropped. Children made by [`crate::process`] start with none blocked.
#[derive(Debug)]
pub struct Signals {
    fd: SignalFd,
}

impl Signals {
    /// Blocks `signals` and reads them from now on. To be called before any thread is started.
    ///
    /// # Errors
    /// The kernel has no file descriptor left.
    pub fn new(signals: &[Signal]) -> io::Result<Self> {
        let set = set_of(signals);
        set.thread_block()?;
        let fd = SignalFd::with_flags(&set, SfdFlags::SFD_CLOEXEC | SfdFlags::SFD_NONBLOCK)?;
        Ok(Self { fd })
    }

    /// The next signal that came, `None` if there is none. Equal pending signals count once, except
    /// real-time ones.
    ///
    /// # Errors
    /// Only what means a broken program.
    #[expect(clippy::should_implement_trait, reason = "none now does not mean none later")]
    pub fn next(&mut self) -> io::Result<Option<Signal>> {
        Ok(self.next_and_sender()?.map(|(signal, _)| signal))
    }

    /// The same, and the process that sent it, if one did that this process can name. What the kernel sends at the end of
    /// the parent comes from the parent.
    ///
    /// # Errors
    /// Only what means a broken program.
    pub fn next_and_sender(&mut self) -> io::Result<Option<(Signal, Option<Pid>)>> {
        let Some(read) = self.fd.read_signal()? else { return Ok(None) };
        let signal = i32::try_from(read.ssi_signo).ok().and_then(Signal::from_number);
        Ok(signal.map(|signal| (signal, i32::try_from(read.ssi_pid).ok().and_then(Pid::from_number))))
    }
}

impl AsFd for Signals {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

/// Built by hand: nix's own constructors know no real-time signals.
fn set_of(signals: &[Signal]) -> SigSet {
    let mut set = MaybeUninit::uninit();
    // SAFETY: the pointer is to room for a set, which the call fills.
    unsafe { libc::sigemptyset(set.as_mut_ptr()) };
    for signal in signals {
        // SAFETY: the set was initialised above.
        unsafe { libc::sigaddset(set.as_mut_ptr(), signal.number()) };
    }
    // SAFETY: as above.
    let set = unsafe { set.assume_init() };
    // SAFETY: it holds no signal of the C library's own, see `Signal::from_number`.
    unsafe { SigSet::from_sigset_t_unchecked(set) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn raise(signal: Signal) {
        // SAFETY: signals this thread, where the signal is blocked.
        let result = unsafe { libc::pthread_kill(libc::pthread_self(), signal.number()) };
        assert_eq!(result, 0);
    }

    #[test]
    fn signals_are_read_as_values() {
        let json = Signal::realtime(2).unwrap();
        let mut signals = Signals::new(&[Signal::USR1, Signal::TERM, json]).unwrap();
        assert_eq!(signals.next().unwrap(), None);
        for signal in [json, Signal::USR1, Signal::USR1] {
            raise(signal);
        }
        assert_eq!(signals.next_and_sender().unwrap(), Some((Signal::USR1, Some(Pid::own()))));
        assert_eq!(signals.next().unwrap(), Some(json));
        assert_eq!(signals.next().unwrap(), None);
    }

    #[test]
    fn signals_of_the_c_library_are_none_of_ours() {
        for number in [-1, 0, 32, 33, 65] {
            assert_eq!(Signal::from_number(number), None, "{number}");
        }
        assert_eq!(Signal::from_number(15), Some(Signal::TERM));
        assert_eq!(Signal::realtime(200), None);
        assert_eq!(Signal::TERM.to_string(), "SIGTERM");
    }
}
