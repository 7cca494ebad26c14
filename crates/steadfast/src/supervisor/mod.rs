//! The supervisor: reads the files, starts, watches and restarts the worker, runs the scripts.
//!
//! It parses nothing that comes from the network. Everything that is known about the configuration is read
//! here, once, and handed over as a value; a reading with an error changes nothing.

mod backoff;
mod control;
mod daemon;
mod dump;
mod files;
mod host_names;
mod keys;
mod life;
mod link;
mod namespace;
mod news;
mod pid_files;
mod reload_files;
mod report;
mod roles;
mod saved;
mod schedule;
mod service;
mod verdict;

use std::ffi::OsString;
use std::path::PathBuf;

use anyhow::Context as _;
use model::{Buffer, Namespace};
use sys::process::{Launch, Pid, daemonize};
use sys::rights::Capability;
use sys::signal::{Signal, Signals};
use sys::socket::process_events;

use crate::cli::{Options, SignalFunction};
use crate::exit;
use crate::log::{self, Log};
use crate::program::{self, Program};

use daemon::{Beginning, Daemon};
use files::{Files, Reading, Unusable};
use pid_files::{HeldFiles, PidFile, PidFiles};
use report::Console;
use saved::Saved;
use service::Service;
use verdict::Losses;

pub(crate) use report::{Links, add_findings_of_host, outlined, test, understood};

/// Runs the daemon in this process, or in one that it puts into the background. Returns the exit code.
///
/// `arguments` are those of the command line, for the worker to be started with.
pub(crate) fn run(program: &Program, options: &Options, arguments: Vec<OsString>) -> anyhow::Result<u8> {
    let service = Service::take();
    let files = Files::of(options);
    // Those of the file are known once it is read.
    let pid_files = PidFiles::of(options, &model::Process::default());
    // The kernel tells of processes in the first network namespace only, which is left below.
    let process_events = process_events::Socket::open().ok();
    if let Some(name) = &options.namespace
        && let Err(error) = namespace::enter(name)
    {
        crate::say(&format!("{}: {error}", program.name()));
        return Ok(error.exit_code());
    }
    prepare_process(options);
    let background = if options.foreground {
        None
    } else {
        match daemonize().context("cannot go into the background")? {
            Launch::Foreground(code) => return Ok(code),
            Launch::Daemon(background) => Some(background),
        }
    };
    // Signals are blocked before the log starts its thread, which would take them otherwise.
    let signals = Signals::new(&daemon::signals()).context("cannot take signals")?;
    let log = Log::start(program.destinations(options, None)).context("cannot start the log")?;
    let service = service.unwrap_or_else(|error| {
        log.warning(format_args!("{:#}", anyhow::Error::from(error)));
        Service::none()
    });
    let start = Start { program, options, log: log.clone(), files, pid_files, saved: Saved::default() };
    let code = start.run(Beginning { signals, service, background, arguments, process_events });
    log.flush(log::PATIENCE_AT_EXIT);
    code
}

/// What a daemon runs with.
struct Prepared {
    config: model::Config,
    losses: Losses,
    held: HeldFiles,
}

/// All that a daemon needs to be started.
struct Start<'a> {
    program: &'a Program,
    options: &'a Options,
    log: Log,
    files: Files,
    pid_files: PidFiles,
    saved: Saved,
}

impl Start<'_> {
    fn run(mut self, mut beginning: Beginning) -> anyhow::Result<u8> {
        self.say_hello(&beginning.arguments);
        match self.prepare() {
            Ok(Prepared { config, losses, held }) => {
                self.take_names(&config);
                self.size_queue(&config, beginning.process_events.as_mut());
                Daemon::new(self, beginning, held)?.run(config, losses)
            }
            Err(code) => {
                self.log.notice(format_args!("Stopped {}", program::VERSION_LINE));
                if let Some(background) = beginning.background {
                    // Whoever waits reads the console once the wait is over.
                    self.log.flush(log::PATIENCE_AT_EXIT);
                    background.failed(code);
                }
                Ok(code)
            }
        }
    }

    fn say_hello(&self, arguments: &[OsString]) {
        self.log.notice(format_args!("Starting {}", program::VERSION_LINE));
        let words: Vec<_> = arguments.iter().map(|word| format!("'{}'", word.display())).collect();
        self.log.info(format_args!("Command line: '{}' {}", self.program.name(), words.join(" ")));
        for complaint in &self.options.complaints {
            self.log.warning(format_args!("{complaint}; the option is ignored"));
        }
        for word in &self.options.ignored_words {
            self.log.warning(format_args!("unexpected argument '{}' is ignored", word.display()));
        }
        if !self.options.without_effect.is_empty() {
            let options = self.options.without_effect.join(", ");
            self.log.warning(format_args!("not built yet, so without effect: {options}"));
        }
        self.log.info(format_args!("Configuration file {}", self.files.path().display()));
        if let Some(pattern) = &self.options.core_pattern
            && let Err(error) = std::fs::write(CORE_PATTERN, pattern.as_encoded_bytes())
        {
            self.log.warning(format_args!("cannot set {CORE_PATTERN}: {error}"));
        }
    }

    /// Everything that must be so before a worker is started; otherwise the exit code.
    fn prepare(&mut self) -> Result<Prepared, u8> {
        let (config, losses) = self.configuration()?;
        self.pid_files = PidFiles::of(self.options, &config.process);
        let files = &self.pid_files;
        let mut held = HeldFiles::default();
        let (routers, servers) = (self.has_routers(&config), self.has_servers(&config));
        if routers || servers {
            check_rights().map_err(|missing| self.fail(exit::PERMISSION, &missing.to_string()))?;
        }
        let main = PidFile::default().claim(&files.main, Pid::own(), &self.log);
        held.main = main.map_err(|running| self.fail(exit::OK, &running.to_string()))?;
        let claim = |path| {
            // No daemon of this name runs, and there will be none: unlike above, that is no success.
            PidFiles::claim_for_worker(path, Pid::own(), &self.log)
                .map_err(|running| self.fail(exit::FATAL, &running.to_string()))
        };
        if routers {
            held.vrrp = claim(&files.vrrp)?;
        }
        if servers {
            held.checkers = claim(&files.checkers)?;
        }
        Ok(Prepared { config, losses, held })
    }

    /// Whether there is something for a worker to do, or one is wanted all the same.
    fn has_work(&self, config: &model::Config) -> bool {
        self.has_routers(config) || self.has_servers(config)
    }

    /// Whether that is a vrrp worker.
    fn has_routers(&self, config: &model::Config) -> bool {
        !config.vrrp.is_empty() || (self.options.all_workers && self.options.vrrp)
    }

    /// Whether that is a check worker.
    fn has_servers(&self, config: &model::Config) -> bool {
        // Connection synchronisation is its task too.
        let is_wanted = config.global.ipvs.sync.is_some() || self.options.all_workers;
        !config.lvs.virtual_servers.is_empty() || (is_wanted && self.options.load_balancing)
    }

    /// Reads `files`, and looks for interfaces that the reading `before` did not name.
    fn read(&self, files: &Files, before: &Losses) -> Reading {
        self.complete(files.read(), before)
    }

    fn complete(&self, mut reading: Reading, before: &Losses) -> Reading {
        if self.options.vrrp {
            report::add_missing_interfaces(&mut reading.loaded, before);
            let mut names = host_names::missing(&reading.loaded);
            reading.loaded.diagnostics.append(&mut names);
        }
        reading
    }

    fn configuration(&mut self) -> Result<(model::Config, Losses), u8> {
        let reading = self.files.read();
        self.saved.keep(&reading.loaded, &self.log);
        self.enter(&reading.loaded.config.process)?;
        let reading = self.complete(reading, &Losses::default());
        let config = reading.usable();
        let shown = self.options.log_console || config.is_err();
        report::to_log(&self.log, &reading.loaded, if shown { Console::Shown } else { Console::Hidden });
        match config {
            Ok(config) => {
                let mut config = daemon::restrict(config.clone(), self.options);
                host_names::look_up(&mut config.vrrp, &config.global.files.iproute);
                keys::read(&mut config.vrrp).map_err(|error| self.fail(exit::CONFIG, &error.to_string()))?;
                Ok((config, Losses::of(&reading.loaded)))
            }
            Err(unusable @ Unusable::File(_)) => Err(self.fail(exit::NO_FILE, &unusable.to_string())),
            Err(unusable) => Err(self.fail(exit::CONFIG, &unusable.to_string())),
        }
    }

    /// The network namespace that the file names, unless the command line names one, which has been entered already.
    fn enter(&self, process: &model::Process) -> Result<(), u8> {
        match (&self.options.namespace, &process.net_namespace) {
            (None, Namespace::Named(name)) => {
                namespace::enter(name).map_err(|error| self.fail(error.exit_code(), &error.to_string()))
            }
            (Some(_), _) | (None, Namespace::Own) => Ok(()),
        }
    }

    /// The network namespace that this daemon has been told to live in.
    fn namespace<'n>(&'n self, process: &'n model::Process) -> Option<&'n str> {
        match (&self.options.namespace, &process.net_namespace) {
            (Some(name), _) | (None, Namespace::Named(name)) => Some(name),
            (None, Namespace::Own) => None,
        }
    }

    /// In process lists and in syslog; and what rights new files have.
    fn take_names(&self, config: &model::Config) {
        if self.options.umask.is_none() {
            rustix::process::umask(rustix::fs::Mode::from_raw_mode(config.global.files.umask.get().into()));
        }
        crate::set_process_name(&daemon::supervisor_name(config, self.program));
        let namespace = self.namespace(&config.process);
        self.log.identify(self.program.ident(None, namespace, config.process.instance.as_deref()));
    }

    /// How many processes may come and go before the kernel's word of it is read (`process_monitor_rcv_bufs`).
    fn size_queue(&self, config: &model::Config, events: Option<&mut process_events::Socket>) {
        let Buffer { bytes, force } = config.global.routers.process_events;
        if let (Some(bytes), Some(events)) = (bytes, events)
            && let Err(error) = sys::socket::size_receive_buffer(events, bytes.get(), force)
        {
            self.log.warning(format_args!("process_monitor_rcv_bufs {bytes}: {error}"));
        }
    }

    /// Says why there will be no daemon, also where no log is looked at.
    fn fail(&self, code: u8, why: &str) -> u8 {
        self.log.error(why);
        if !self.options.log_console {
            crate::say(&format!("{}: {why}", self.program.name()));
        }
        code
    }
}

/// What the vrrp worker cannot do without.
#[derive(Debug, thiserror::Error)]
#[error(
    "missing {}: run as root, or say AmbientCapabilities=CAP_NET_ADMIN CAP_NET_RAW in the unit; outside of a service \
    `setcap cap_net_admin,cap_net_raw+ep {}` grants it, but only after `chmod 750`, so that its group alone may execute \
    it: any user who can run such a file can take any address",
    .missing.join(" and "), .binary.display()
)]
pub(crate) struct MissingRights {
    missing: Vec<&'static str>,
    binary: PathBuf,
}

fn check_rights() -> Result<(), MissingRights> {
    let needed = [(Capability::CAP_NET_ADMIN, "CAP_NET_ADMIN"), (Capability::CAP_NET_RAW, "CAP_NET_RAW")];
    let missing: Vec<_> =
        needed.into_iter().filter(|(right, _)| !sys::rights::has(*right)).map(|(_, name)| name).collect();
    if missing.is_empty() {
        return Ok(());
    }
    Err(MissingRights { missing, binary: std::env::current_exe().unwrap_or_else(|_| "steadfast".into()) })
}

/// What is set once for the daemon, its worker and its scripts.
fn prepare_process(options: &Options) {
    use rustix::fs::Mode;
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit, umask};

    umask(options.umask.map_or(DEFAULT_UMASK, Mode::from_raw_mode));
    if options.core_dump {
        let most = getrlimit(Resource::Core).maximum;
        // What the kernel does not allow is not worth refusing to start.
        setrlimit(Resource::Core, Rlimit { current: most, maximum: most }).ok();
    }
}

/// What the kernel calls core dumps.
const CORE_PATTERN: &str = "/proc/sys/kernel/core_pattern";

/// As keepalived: what the daemon and its scripts write is for its user alone, and not executable.
const DEFAULT_UMASK: rustix::fs::Mode = rustix::fs::Mode::from_raw_mode(0o177);

/// The number of the signal that `--signum` asks for.
pub(crate) fn signal_number(function: SignalFunction) -> i32 {
    let realtime = |offset| Signal::realtime(offset).map_or(0, Signal::number);
    match function {
        SignalFunction::Stop => Signal::TERM.number(),
        SignalFunction::Reload => Signal::HUP.number(),
        SignalFunction::Data => Signal::USR1.number(),
        SignalFunction::Stats => Signal::USR2.number(),
        SignalFunction::Json => realtime(daemon::JSON_OFFSET),
        SignalFunction::StatsClear => realtime(daemon::STATS_CLEAR_OFFSET),
    }
}
