//! Dumps that signals ask for.

use super::super::dump::{self, Due, Kept, Kind, Unwritten};
use super::super::saved::Side;
use super::Daemon;

impl Daemon<'_> {
    pub(super) fn ask_for_dump(&mut self, kind: Kind) {
        if kind == Kind::State {
            let written = dump::write_own(&self.config, self.start.options.namespace.as_deref());
            self.told_of_dump("Printing parent data", written);
            if self.checker.is_there() {
                self.ask_for_progress();
            }
        }
        self.dumps.ask(kind);
        self.begin_dumps();
    }

    /// Writes the dump of the check worker, which has told how it is getting on, or is gone.
    pub(super) fn write_servers(&mut self) {
        let progress = self.servers.take_progress();
        let files = self.trackers.readings().files;
        let pools = dump::Pools {
            remembered: self.servers.remembered(),
            progress: &progress,
            files: &files,
            before: self.servers.before(),
        };
        let written = dump::write_servers(&self.config, &pools, self.start.options.namespace.as_deref());
        self.told_of_dump("Printing checkers data", written);
    }

    /// Asks the worker how things are, or goes without if there is none.
    pub(super) fn begin_dumps(&mut self) {
        let Some(order) = self.dumps.begin() else { return };
        if self.vrrp.is_there() {
            self.vrrp.say(&mut self.reactor, &order);
        } else {
            self.end_dumps();
        }
    }

    /// The worker is gone: what it has told must do.
    pub(super) fn end_dumps(&mut self) {
        for kept in self.dumps.end_kept() {
            self.write_kept(&kept);
        }
        if let Some(due) = self.dumps.end() {
            self.write_dumps(&due);
        }
    }

    pub(super) fn write_dumps(&mut self, due: &Due) {
        for kind in &due.kinds {
            let namespace = self.start.options.namespace.as_deref();
            let written = dump::write(*kind, &self.config, &due.told, namespace);
            let what = match kind {
                Kind::State => "Printing VRRP data",
                Kind::Statistics => "Printing VRRP stats",
                Kind::StatisticsAndClear => "Printing VRRP stats and clearing them",
                Kind::Json => "Printing VRRP as json",
            };
            self.told_of_dump(what, written);
        }
        self.begin_dumps();
    }

    /// Has the state of the worker written that it is in before or after what it is told next, if a reload with this
    /// configuration is to be kept (`config_save_dir`).
    pub(super) fn keep_state(&mut self, side: Side, directory: Option<&str>) {
        let (Some(pid), Some(directory)) = (self.vrrp.pid(), directory) else { return };
        let path = self.start.saved.state_path(directory, pid, side);
        let order = self.dumps.keep(path, &self.config);
        self.vrrp.say(&mut self.reactor, &order);
    }

    pub(super) fn write_kept(&self, kept: &Kept) {
        if let Err(error) = kept.write(self.start.options.namespace.as_deref()) {
            self.log.warning(format_args!("config_save_dir: {:#}", anyhow::Error::from(error)));
        }
    }

    fn told_of_dump(&self, what: &str, written: Result<(), Unwritten>) {
        match written {
            Ok(()) => self.log.info(format_args!("{what} on signal")),
            Err(error) => self.log.error(format_args!("{:#}", anyhow::Error::from(error))),
        }
    }
}
