//! The scripts around the daemon's life: `startup_script` and `shutdown_script`.

use model::{Instant, LifecycleScript};
use sys::process::Exit;
use sys::reactor::Reactor;

use super::{Purpose, Runner, describe};

impl Runner {
    /// Starts such a script, which its time-out ends; `keyword` is what the file calls it. Whether it runs,
    /// [`Self::is_in_lifecycle`] tells.
    pub(crate) fn run_lifecycle(
        &mut self,
        reactor: &mut Reactor,
        now: Instant,
        keyword: &'static str,
        script: &LifecycleScript,
    ) {
        self.log.info(format_args!("{keyword} {} runs", script.command.program));
        let purpose = Purpose::Lifecycle { keyword };
        // What keeps it from running is told.
        let _run = self.start(reactor, now, &script.command, purpose, Some(script.timeout), keyword);
    }

    /// Whether such a script runs.
    pub(crate) fn is_in_lifecycle(&self) -> bool {
        self.runs.values().any(|run| matches!(run.purpose(), Purpose::Lifecycle { .. }))
    }

    /// The daemon stops before it has begun.
    pub(crate) fn end_startup(&mut self, now: Instant) {
        for run in self.runs.values_mut().filter(|run| matches!(run.purpose(), Purpose::Lifecycle { .. })) {
            run.terminate(now);
        }
    }

    /// A script that failed, or was ended, changes nothing.
    pub(super) fn lifecycle_ended(&self, keyword: &str, exit: Option<Exit>, timed_out: bool) {
        match exit {
            _ if timed_out => self.log.warning(format_args!("{keyword} has overrun its time and was ended")),
            Some(Exit::Code(0)) => self.log.info(format_args!("{keyword} succeeded")),
            Some(exit) => self.log.warning(format_args!("{keyword} {}", describe(exit))),
            None => {}
        }
    }
}
