//! The daemon's own settings, as far as they are the worker's to carry out, and how punctually it runs.

use std::time::Duration;

use model::Instant;

use super::{MEMORY_RIGHT, Worker};
use crate::message::{FromWorker, Settings};

/// How late this process may run, and when it last said that it did.
#[derive(Debug, Default)]
pub(super) struct Punctuality {
    late_after: Option<Duration>,
    told_at: Option<Instant>,
    /// No memory is swapped out.
    is_locked: bool,
}

impl Worker {
    pub(super) fn take_settings(&mut self, settings: &Settings) {
        self.log.identify(settings.ident.clone());
        // A name is no reason to fail, and NUL bytes cannot come from a file.
        drop(std::ffi::CString::new(settings.name.as_str()).map(|name| rustix::thread::set_name(&name)));
        self.router.tell_strangers(settings.log_unknown_vrids);
        self.kernel.size_queue(settings.netlink);
        let mut sizes = settings.receive_bytes.clone();
        if let Some(times) = settings.receive_mtus {
            for link in self.kernel.interfaces() {
                sizes.entry(link.name).or_insert_with(|| link.mtu.saturating_mul(times));
            }
        }
        self.sockets.size_queues(sizes);
        self.punctuality.late_after = settings.late_after;
        if settings.locks_memory && !self.punctuality.is_locked {
            self.lock_memory();
        }
    }

    fn lock_memory(&mut self) {
        // Without the right what is allocated later would soon be too much for the limit, and that ends a process.
        if !sys::rights::has(MEMORY_RIGHT) {
            self.log.warning("cannot keep memory out of swap (vrrp_no_swap): CAP_IPC_LOCK is missing");
            return;
        }
        match sys::sched::lock_memory() {
            Ok(()) => self.punctuality.is_locked = true,
            Err(error) => self.log.warning(format_args!("cannot keep memory out of swap: {error}")),
        }
    }

    /// Says so if the turn that was due then begins only now. Work that the worker itself has put off is not counted.
    pub(super) fn note_lateness(&mut self, due: Option<Instant>, now: Instant) {
        let (Some(least), Some(due)) = (self.punctuality.late_after, due) else { return };
        let late = now.since(due);
        let lately = self.punctuality.told_at.is_some_and(|told| now.since(told) < TELL_EVERY);
        if late >= least && !lately && !self.unfinished {
            self.punctuality.told_at = Some(now);
            let micros = u64::try_from(late.as_micros()).unwrap_or(u64::MAX);
            self.tell(&FromWorker::Late { micros });
        }
    }
}

/// Between two complaints: a higher priority needs time to show.
const TELL_EVERY: Duration = Duration::from_secs(1);
