//! The figures as Markdown.

use std::fs;
use std::process::Command;

use super::{Figures, Setting, Side, config};

/// What happens to the master of a client, and how the table calls it.
pub(super) const EVENTS: [(&str, &str); 4] = [
    ("stop", "the master stops (SIGTERM)"),
    ("power", "the master's host loses power"),
    ("child", "the master's worker process is killed"),
    ("return", "a better master returns and preempts"),
];

/// A figure's name with the measurement, its title, and the digits that are worth printing.
const SCALE: [(&str, &str, usize); 11] = [
    ("master-processor", "processor time, master (% of one core)", 2),
    ("backup-processor", "processor time, backup (% of one core)", 2),
    ("advertised", "advertisements heard per second", 0),
    ("slowest-router", "of the slowest router, per second", 1),
    ("master-pss", "memory, master (PSS, MiB)", 1),
    ("backup-pss", "memory, backup (PSS, MiB)", 1),
    ("master-peak", "peak, master (RSS, MiB)", 1),
    ("backup-peak", "peak, backup (RSS, MiB)", 1),
    ("start", "start until master of all (ms)", 0),
    ("reload", "SIGHUP until a changed priority is heard (ms)", 1),
    ("takeover-of-all", "crash until all are announced anew (ms; the timers ask 261 to 361)", 0),
];

/// Those that depend on when the routers advertise.
const SPREAD: [&str; 3] = ["master-processor", "backup-processor", "advertised"];

/// Kinds of checks, and how many real servers are checked each 5 s; `none` is a table that is only kept.
pub(super) const CHECKED: [(&str, usize); 4] =
    [("tcp", 10_000), ("http", 10_000), ("tls", 2_500), ("none", 20_000)];

const CHECKS: [(&str, &str, usize); 10] = [
    ("checks", "checks in a second", 0),
    ("processor", "processor time (% of one core)", 1),
    ("pss", "memory (PSS, MiB)", 1),
    ("peak", "peak (RSS, MiB)", 1),
    ("late-median", "lateness of a check, middle (ms)", 1),
    ("late-worst", "lateness of a check, worst (ms)", 1),
    ("start", "start until the table is whole (ms)", 0),
    ("reload", "SIGHUP until a changed weight is in the table (ms)", 0),
    ("reload-processor", "processor time of that reload (ms)", 0),
    ("death", "a server's death until it leaves the table (ms; checks ask 1000 to 6000)", 0),
];

/// Clusters whose speed is measured.
const SIMULATED: [(&str, &str); 4] = [
    ("pair-quiet", "two hosts"),
    ("pair-lossy", "two hosts, a tenth of the packets is lost"),
    ("three-quiet", "three hosts"),
    ("three-lossy", "three hosts, a tenth of the packets is lost"),
];

/// Phases of the large cluster, 20 simulated seconds each, and its memory.
const THOUSAND: [(&str, &str); 4] = [
    ("start", "start, 20 s of it (ms)"),
    ("partition", "one host is cut off, 20 s of it (ms)"),
    ("heal", "it is back, 20 s of it (ms)"),
    ("peak", "most memory so far (RSS, MiB)"),
];

/// On what this was measured.
pub(super) fn machine() -> String {
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let load = load.split_whitespace().take(3).collect::<Vec<_>>().join(" ");
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let date = Command::new("date").arg("+%Y-%m-%d").output().map(|output| output.stdout).unwrap_or_default();
    format!(
        "Measured {}: {cores} cores, Linux {}, load average at the start {load}; {}.",
        String::from_utf8_lossy(&date).trim(),
        kernel.trim(),
        peer_version().unwrap_or_default()
    )
}

/// What keepalived calls itself, `None` if there is none.
pub(super) fn peer_version() -> Option<String> {
    let output = Command::new("keepalived").arg("-v").output().ok()?;
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    Some(text.lines().next().unwrap_or_default().trim().to_owned())
}

pub(super) fn takeover(measured: &[(Setting, Figures)]) -> String {
    let mut lines = vec![
        "| case | timers ask | Steadfast beyond that | keepalived beyond that | ratio |".to_owned(),
        "|---|---|---|---|---|".to_owned(),
    ];
    for case in ["crash", "stop"] {
        for (setting, figures) in measured {
            let asked = Summary::of(figures.of(Side::Ours, case, "timers-alone"));
            lines.push(format!(
                "| {case}, v{}, {} s | {:.3} | {} |",
                setting.version,
                setting.interval,
                asked.median,
                compare(figures, case, "over-the-timers", 3)
            ));
        }
    }
    titled("Takeover: milliseconds beyond what the timers ask, median (least to most)", &lines)
}

pub(super) fn overtake(figures: &Figures) -> String {
    let rows = [
        ("advertised-over-the-timers", "to the backup's first advertisement"),
        ("over-the-timers", "to its first gratuitous ARP"),
    ];
    let mut lines = vec![
        "| from the master's first advertisement below the backup | Steadfast | keepalived | ratio |"
            .to_owned(),
        "|---|---|---|---|".to_owned(),
    ];
    lines.extend(
        rows.map(|(quantity, title)| format!("| {title} | {} |", compare(figures, "overtake", quantity, 1))),
    );
    titled("Overtake: milliseconds, version 2, 1 s, median (least to most)", &lines)
}

pub(super) fn client(figures: &Figures) -> String {
    let mut lines =
        vec!["| event | Steadfast | keepalived | ratio |".to_owned(), "|---|---|---|---|".to_owned()];
    lines.extend(
        EVENTS.map(|(event, title)| {
            format!("| {title} | {} |", compare(figures, event, "without-an-answer", 1))
        }),
    );
    titled(
        "Client: longest time without an answer in milliseconds, 1000 requests a second, version 2, 1 s, \
         median (least to most)",
        &lines,
    )
}

pub(super) fn scale(figures: &Figures) -> String {
    let mut lines = vec!["| | Steadfast | keepalived | ratio |".to_owned(), "|---|---|---|---|".to_owned()];
    for (quantity, title, digits) in SCALE {
        lines.push(format!("| {title} | {} |", compare(figures, "same", quantity, digits)));
    }
    for (quantity, title, digits) in SCALE.iter().filter(|(quantity, ..)| SPREAD.contains(quantity)) {
        let row = compare(figures, "spread", quantity, *digits);
        lines.push(format!("| {title}, each router at another time | {row} |"));
    }
    titled("Scale: 500 virtual routers at 100 ms, version 3, median (least to most)", &lines)
}

pub(super) fn checks(figures: &Figures) -> String {
    let mut tables = Vec::new();
    for (kind, servers) in CHECKED {
        let mut lines = vec![
            format!("| {kind}, {servers} real servers | Steadfast | keepalived | ratio |"),
            "|---|---|---|---|".to_owned(),
        ];
        let measured =
            CHECKS.iter().filter(|(quantity, ..)| !figures.of(Side::Peer, kind, quantity).is_empty());
        lines.extend(measured.map(|(quantity, title, digits)| {
            format!("| {title} | {} |", compare(figures, kind, quantity, *digits))
        }));
        tables.push(lines.join("\n"));
    }
    titled(
        "Health checks: each 5 s, ten real servers a virtual server, in the virtual machine, median (least to most)",
        &[tables.join("\n\n")],
    )
}

pub(super) fn config(figures: &Figures) -> String {
    let mut lines = vec![
        "| virtual servers | Steadfast | keepalived | ratio |".to_owned(),
        "|---|---|---|---|".to_owned(),
    ];
    lines.extend(
        config::SIZES.map(|size| format!("| {size} | {} |", compare(figures, &size.to_string(), "test", 0))),
    );
    titled("Configuration: milliseconds of `-t`, ten real servers each, median (least to most)", &lines)
}

/// Speeds, then the partition of a thousand virtual routers.
pub(super) fn sim(figures: &Figures) -> String {
    let show = |case: &str, quantity: &str, scale: f64, digits: usize| {
        let values: Vec<_> = figures.of(Side::Ours, case, quantity).iter().map(|one| one / scale).collect();
        Summary::of(&values).show(digits)
    };
    let mut speeds = vec!["| | watched | not watched |".to_owned(), "|---|---|---|".to_owned()];
    speeds.extend(SIMULATED.map(|(case, title)| {
        let [watched, unwatched] = ["watched", "unwatched"].map(|quantity| show(case, quantity, 1000.0, 0));
        format!("| {title} | {watched} | {unwatched} |")
    }));
    let mut thousand = vec![
        "| 1000 virtual routers on three hosts | watched | not watched |".to_owned(),
        "|---|---|---|".to_owned(),
    ];
    thousand.extend(THOUSAND.map(|(quantity, title)| {
        let [watched, unwatched] =
            ["thousand-watched", "thousand-unwatched"].map(|case| show(case, quantity, 1.0, 0));
        format!("| {title} | {watched} | {unwatched} |")
    }));
    let speeds = titled(
        "Simulation: seconds of a router in a second, version 3, 1 s, in thousands, median (least to most)",
        &speeds,
    );
    format!("{speeds}\n\n{}", thousand.join("\n"))
}

fn titled(title: &str, lines: &[String]) -> String {
    format!("### {title}\n\n{}", lines.join("\n"))
}

/// Ours, the peer's, and how many times the peer's ours is.
fn compare(figures: &Figures, case: &str, quantity: &str, digits: usize) -> String {
    let [ours, peer] = [Side::Ours, Side::Peer].map(|side| Summary::of(figures.of(side, case, quantity)));
    let ratio = ours.median / peer.median;
    format!("{} | {} | {ratio:.2}", ours.show(digits), peer.show(digits))
}

struct Summary {
    median: f64,
    least: f64,
    most: f64,
}

impl Summary {
    fn of(values: &[f64]) -> Self {
        let mut values = values.to_vec();
        values.sort_by(f64::total_cmp);
        let at = |index: usize| values.get(index).copied().unwrap_or(f64::NAN);
        let last = values.len().saturating_sub(1);
        Self { median: at(last / 2).midpoint(at(last.div_ceil(2))), least: at(0), most: at(last) }
    }

    fn show(&self, digits: usize) -> String {
        format!("{:.digits$} ({:.digits$} to {:.digits$})", self.median, self.least, self.most)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn medians_of_odd_and_even_counts() {
        assert_eq!(Summary::of(&[3.0, 1.0, 2.0]).show(1), "2.0 (1.0 to 3.0)");
        assert_eq!(Summary::of(&[4.0, 1.0, 2.0, 3.0]).show(1), "2.5 (1.0 to 4.0)");
        assert!(Summary::of(&[]).median.is_nan());
    }

    #[test]
    fn a_row_compares_both_sides() {
        let mut figures = Figures::default();
        figures.take(Side::Ours, "overtake over-the-timers 5 ms");
        figures.take(Side::Peer, "overtake over-the-timers 20 ms");
        let row = compare(&figures, "overtake", "over-the-timers", 0);
        assert_eq!(row, "5 (5 to 5) | 20 (20 to 20) | 0.25");
    }
}
