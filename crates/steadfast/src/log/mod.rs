//! What operators read: lines to the console and to syslog, without ever making the caller wait.
//!
//! A [`Log`] hands each line to a thread over a bounded queue. When the queue is full the line is dropped
//! and counted; the count is reported as soon as there is room. A syslog daemon that hangs therefore costs
//! lines, never an advertisement.

mod format;
mod syslog;

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::thread;
use std::time::{Duration, SystemTime};

pub(crate) use syslog::Facility;

/// How urgent a line is, in syslog's order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Level {
    /// Something that was asked for cannot be done.
    Error,
    /// Something may go wrong, or was put right.
    Warning,
    /// A change that operators look for: a transition, a start, a stop.
    Notice,
    /// What happens in the ordinary course.
    Info,
    /// More of it, shown with `-D`.
    Detail,
    /// Still more of it, shown with `-D -D`.
    Debug,
}

/// How much is shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Verbosity {
    /// Up to [`Level::Info`].
    #[default]
    Normal,
    /// `-D`: up to [`Level::Detail`].
    Detailed,
    /// `-D -D`: everything.
    Debug,
}

impl Verbosity {
    /// One `-D` more.
    pub(crate) const fn more(self) -> Self {
        match self {
            Self::Normal => Self::Detailed,
            Self::Detailed | Self::Debug => Self::Debug,
        }
    }

    const fn shows(self, level: Level) -> bool {
        match level {
            Level::Error | Level::Warning | Level::Notice | Level::Info => true,
            Level::Detail => !matches!(self, Self::Normal),
            Level::Debug => matches!(self, Self::Debug),
        }
    }
}

/// Where lines go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Destinations {
    /// To standard error.
    pub(crate) console: bool,
    /// To `/dev/log`.
    pub(crate) syslog: Option<Facility>,
    /// How the process calls itself in syslog.
    pub(crate) ident: String,
    /// What is shown.
    pub(crate) verbosity: Verbosity,
}

/// The log of a process. Clones write to the same one.
#[derive(Clone)]
pub(crate) struct Log {
    queue: SyncSender<Entry>,
    lost: Arc<AtomicU64>,
    verbosity: Verbosity,
}

impl Log {
    /// Starts the thread that writes.
    ///
    /// # Errors
    /// No thread can be had.
    pub(crate) fn start(to: Destinations) -> std::io::Result<Self> {
        let (queue, entries) = sync_channel(QUEUED_LINES);
        let lost = Arc::new(AtomicU64::new(0));
        let verbosity = to.verbosity;
        let counter = Arc::clone(&lost);
        let thread = thread::Builder::new().name("log".to_owned());
        thread.spawn(move || Writer::new(&to, counter).run(&entries))?;
        Ok(Self { queue, lost, verbosity })
    }

    /// Writes a line, unless the verbosity hides it. Never waits.
    pub(crate) fn write(&self, level: Level, line: impl fmt::Display) {
        if !self.shows(level) {
            return;
        }
        self.queue_line(Line { at: SystemTime::now(), level, text: line.to_string(), aside: false });
    }

    /// Whether lines of `level` are shown: ask before making one that may not be needed.
    pub(crate) const fn shows(&self, level: Level) -> bool {
        self.verbosity.shows(level)
    }

    /// Writes a line to syslog only: the console shows the same in another form.
    pub(crate) fn write_aside(&self, level: Level, line: impl fmt::Display) {
        self.queue_line(Line { at: SystemTime::now(), level, text: line.to_string(), aside: true });
    }

    /// Writes `text` to the console as it is, whether or not lines go there. Never waits.
    pub(crate) fn show(&self, text: String) {
        self.push(Entry::Text(text));
    }

    /// The process calls itself so in syslog from now on.
    pub(crate) fn identify(&self, ident: String) {
        self.push(Entry::Ident(ident));
    }

    fn queue_line(&self, line: Line) {
        self.push(Entry::Line(line));
    }

    fn push(&self, entry: Entry) {
        if let Err(TrySendError::Full(_)) = self.queue.try_send(entry) {
            self.lost.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// A line of [`Level::Error`].
    pub(crate) fn error(&self, line: impl fmt::Display) {
        self.write(Level::Error, line);
    }

    /// A line of [`Level::Warning`].
    pub(crate) fn warning(&self, line: impl fmt::Display) {
        self.write(Level::Warning, line);
    }

    /// A line of [`Level::Notice`].
    pub(crate) fn notice(&self, line: impl fmt::Display) {
        self.write(Level::Notice, line);
    }

    /// A line of [`Level::Info`].
    pub(crate) fn info(&self, line: impl fmt::Display) {
        self.write(Level::Info, line);
    }

    /// A line of [`Level::Detail`].
    pub(crate) fn detail(&self, line: impl fmt::Display) {
        self.write(Level::Detail, line);
    }

    /// Waits until what was written so far is out, but not longer than `patience`.
    pub(crate) fn flush(&self, patience: Duration) {
        let (done, wait) = sync_channel(1);
        let deadline = std::time::Instant::now() + patience;
        let mut request = Entry::Flush(done);
        while let Err(TrySendError::Full(again)) = self.queue.try_send(request) {
            if std::time::Instant::now() >= deadline {
                return;
            }
            request = again;
            thread::sleep(Duration::from_millis(1));
        }
        // A time-out means lines are lost; there is nobody left to tell.
        wait.recv_timeout(deadline.saturating_duration_since(std::time::Instant::now())).ok();
    }
}

impl fmt::Debug for Log {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Log").field("verbosity", &self.verbosity).finish_non_exhaustive()
    }
}

/// What the writing thread is asked to do.
enum Entry {
    Line(Line),
    /// For the console, without a time.
    Text(String),
    /// The process calls itself so in syslog from now on.
    Ident(String),
    Flush(SyncSender<()>),
}

/// One line with its time.
#[derive(Clone, Debug)]
struct Line {
    at: SystemTime,
    level: Level,
    text: String,
    /// Not for the console.
    aside: bool,
}

/// The writing side.
struct Writer {
    console: bool,
    syslog: Option<syslog::Connection>,
    facility: Option<Facility>,
    clock: format::Clock,
    lost: Arc<AtomicU64>,
}

impl Writer {
    fn new(to: &Destinations, lost: Arc<AtomicU64>) -> Self {
        let syslog = to.syslog.map(|facility| syslog::Connection::new(facility, &to.ident));
        let (console, facility, clock) = (to.console, to.syslog, format::Clock::of_this_host());
        Self { console, syslog, facility, clock, lost }
    }

    fn run(mut self, entries: &Receiver<Entry>) {
        while let Ok(entry) = entries.recv() {
            match entry {
                Entry::Line(line) => self.line(&line),
                Entry::Text(text) => format::text_to_console(&text),
                Entry::Ident(ident) => {
                    let facility = self.facility;
                    self.syslog = facility.map(|facility| syslog::Connection::new(facility, &ident));
                }
                Entry::Flush(done) => {
                    self.report_lost();
                    // The one who asked may have lost patience.
                    done.try_send(()).ok();
                }
            }
            self.report_lost();
        }
    }

    fn report_lost(&mut self) {
        let lost = self.lost.swap(0, Ordering::Relaxed);
        if lost > 0 {
            let text = format!("{lost} log lines were dropped: the log could not take them in time");
            self.line(&Line { at: SystemTime::now(), level: Level::Warning, text, aside: false });
        }
    }

    fn line(&mut self, line: &Line) {
        for text in line.text.lines() {
            if self.console && !line.aside {
                format::to_console(&self.clock, line.at, text);
            }
            if let Some(syslog) = &mut self.syslog {
                syslog.send(&self.clock, line.at, line.level, text);
            }
        }
    }
}

/// How many lines wait for the thread at most: a flood of a second, not a leak.
const QUEUED_LINES: usize = 4096;

/// How long a process that ends waits for its last lines to get out.
pub(crate) const PATIENCE_AT_EXIT: Duration = Duration::from_millis(500);

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::net::UnixDatagram;

    /// Fewer than wait in a datagram socket, so that nothing here depends on who runs first.
    const ROOM: usize = 6;

    #[test]
    fn a_full_queue_costs_lines_but_never_time_and_says_so() {
        let (queue, entries) = sync_channel(ROOM);
        let lost = Arc::new(AtomicU64::new(0));
        let log = Log { queue, lost: Arc::clone(&lost), verbosity: Verbosity::Normal };
        for number in 0..ROOM + 5 {
            log.info(format_args!("line {number}"));
        }
        log.detail("not shown, and so not lost");
        assert_eq!(lost.load(Ordering::Relaxed), 5);

        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("log");
        let daemon = UnixDatagram::bind(&path).unwrap();
        let syslog = syslog::Connection::to(&path, Facility::DAEMON, "test");
        let writer = Writer {
            console: false,
            syslog: Some(syslog),
            facility: None,
            clock: format::Clock::utc(),
            lost,
        };
        let thread = thread::spawn(move || writer.run(&entries));
        drop(log);
        let mut buffer = [0; 256];
        let mut texts = (0..=ROOM).map(|_| {
            let length = daemon.recv(&mut buffer).unwrap();
            String::from_utf8_lossy(&buffer[..length]).split_once(": ").unwrap().1.to_owned()
        });
        assert_eq!(texts.next().unwrap(), "line 0");
        assert_eq!(texts.next().unwrap(), "5 log lines were dropped: the log could not take them in time");
        assert_eq!(texts.last().unwrap(), format!("line {}", ROOM - 1));
        thread.join().unwrap();
    }

    #[test]
    fn what_was_written_is_out_after_a_flush() {
        let to =
            Destinations { console: false, syslog: None, ident: "test".into(), verbosity: Verbosity::Debug };
        let log = Log::start(to).unwrap();
        let begin = std::time::Instant::now();
        log.write(Level::Debug, "hello");
        log.flush(Duration::from_secs(20));
        assert!(
            begin.elapsed() < Duration::from_secs(20),
            "it did not have to wait for the end of its patience"
        );
    }
}
