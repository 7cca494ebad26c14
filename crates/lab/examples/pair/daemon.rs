//! The daemon that is measured: how it is started, what it costs, which of its processes speaks.

use std::fs;
use std::path::Path;
use std::time::Duration;

use steadfast_lab::{Host, Process};

/// Where a host finds its configuration.
pub(crate) const FILE: &str = "/run/keepalived.conf";

/// A program with keepalived's options, and its arguments.
pub(crate) struct Daemon {
    argv: Vec<String>,
}

impl Daemon {
    /// `{conf}` in an argument stands for the file. `None` if there is no command.
    pub(crate) fn new(mut argv: Vec<String>) -> Option<Self> {
        let program = argv.first_mut()?;
        // It is started in `/`, so a path must not depend on where we are.
        if program.contains('/')
            && let Ok(path) = fs::canonicalize(&*program)
        {
            *program = path.to_string_lossy().into_owned();
        }
        argv.iter_mut().for_each(|argument| *argument = argument.replace("{conf}", FILE));
        Some(Self { argv })
    }

    pub(crate) fn start(&self, host: &Host) -> Result<Process, steadfast_lab::Error> {
        host.spawn(&self.argv.iter().map(String::as_str).collect::<Vec<_>>())
    }
}

/// What a daemon's whole tree has used since its start, and holds now.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Usage {
    pub(crate) processor: Duration,
    pub(crate) proportional_kib: u64,
    pub(crate) peak_resident_kib: u64,
}

impl Usage {
    pub(crate) fn of(process: &Process) -> Self {
        let mut sum = Self::default();
        for pid in process.tree() {
            let folder = Path::new("/proc").join(pid.to_string());
            // A process that ends meanwhile counts nothing.
            let text = |name| fs::read_to_string(folder.join(name)).unwrap_or_default();
            sum.processor += processor_time(&text("stat"));
            sum.proportional_kib += kib(&text("smaps_rollup"), "Pss:");
            sum.peak_resident_kib += kib(&text("status"), "VmHWM:");
        }
        sum
    }
}

/// User and system time, the 14th and 15th field of `/proc/PID/stat`, in ticks of 10 ms (`USER_HZ`).
fn processor_time(stat: &str) -> Duration {
    const TICK: Duration = Duration::from_millis(10);
    // The second field is a name in brackets that may hold blanks and brackets.
    let fields = stat.rsplit(')').next().unwrap_or_default().split_whitespace();
    fields.skip(11).take(2).filter_map(|ticks| ticks.parse::<u32>().ok()).map(|ticks| TICK * ticks).sum()
}

fn kib(text: &str, key: &str) -> u64 {
    let line = text.lines().find_map(|line| line.strip_prefix(key)).unwrap_or_default();
    line.split_whitespace().next().and_then(|number| number.parse().ok()).unwrap_or(0)
}

/// The process of a daemon that holds its sockets for VRRP.
pub(crate) fn speaker(process: &Process) -> Option<u32> {
    process.tree().into_iter().rev().find(|pid| {
        let sockets = raw_sockets(*pid);
        let files = fs::read_dir(format!("/proc/{pid}/fd")).into_iter().flatten().flatten();
        files.filter_map(|file| fs::read_link(file.path()).ok()).any(|target| {
            sockets.iter().any(|inode| target.as_os_str() == format!("socket:[{inode}]").as_str())
        })
    })
}

/// The inodes of the raw sockets for protocol 112 in the network of a process.
fn raw_sockets(pid: u32) -> Vec<String> {
    let table = fs::read_to_string(format!("/proc/{pid}/net/raw")).unwrap_or_default();
    let rows = table.lines().skip(1).map(|line| line.split_whitespace().collect::<Vec<_>>());
    let ours = rows.filter(|row| row.get(1).is_some_and(|local| local.ends_with(":0070")));
    ours.filter_map(|row| row.get(9).map(|inode| (*inode).to_owned())).collect()
}
