//! `cargo xtask bench`: Steadfast beside keepalived on this machine, in turns, and the simulation alone, as the tables of
//! `docs/performance.md`.

mod config;
mod table;

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::time::Instant;

use crate::{packages, say};

const PARTS: [&str; 7] = ["takeover", "overtake", "client", "scale", "checks", "config", "sim"];

/// Runs the parts that are named, or all; `--runs N` for other than five runs each.
pub(crate) fn run(arguments: &[String]) -> ExitCode {
    let begun = Instant::now();
    match Bench::prepare(arguments).and_then(|bench| bench.measure()) {
        Ok(tables) => {
            say(&format!("\nDone after {:.0} s.\n\n{}", begun.elapsed().as_secs_f32(), tables.join("\n\n")));
            ExitCode::SUCCESS
        }
        Err(Failure::Usage) => {
            say(&format!("usage: cargo xtask bench [--runs N] [PART…], parts: {}", PARTS.join(" ")));
            ExitCode::from(2)
        }
        Err(failure) => {
            say(&format!("{failure}"));
            ExitCode::FAILURE
        }
    }
}

/// Why nothing was measured.
#[derive(Debug)]
enum Failure {
    Usage,
    Build,
    NoPeer,
    Measurement(String),
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Usage => f.write_str("unknown argument"),
            Self::Build => f.write_str("the release build failed"),
            Self::NoPeer => f.write_str("keepalived is not installed, so there is nothing to compare with"),
            Self::Measurement(command) => write!(f, "this measurement failed: {command}"),
        }
    }
}

/// One of the two that are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Side {
    Ours,
    Peer,
}

const SIDES: [Side; 2] = [Side::Ours, Side::Peer];

/// What the files say.
#[derive(Clone, Copy, Debug)]
struct Setting {
    version: &'static str,
    interval: &'static str,
}

/// Figures by case and quantity of either side, in the order of the runs.
#[derive(Debug, Default)]
struct Figures(BTreeMap<(Side, String, String), Vec<f64>>);

impl Figures {
    fn of(&self, side: Side, case: &str, quantity: &str) -> &[f64] {
        let key = (side, case.to_owned(), quantity.to_owned());
        self.0.get(&key).map(Vec::as_slice).unwrap_or_default()
    }

    /// A line `CASE QUANTITY VALUE UNIT`; others are for people.
    fn take(&mut self, side: Side, line: &str) {
        let mut words = line.split_whitespace();
        let (Some(case), Some(quantity), Some(Ok(value)), Some(_unit), None) =
            (words.next(), words.next(), words.next().map(str::parse), words.next(), words.next())
        else {
            return;
        };
        self.0.entry((side, case.to_owned(), quantity.to_owned())).or_default().push(value);
    }
}

struct Bench {
    binaries: PathBuf,
    runs: usize,
    parts: Vec<String>,
}

/// Runs that one call of a measurement makes with long intervals, sharing the waiting.
const AT_ONCE: usize = 5;
const SETTINGS: [Setting; 4] = [
    Setting { version: "2", interval: "1" },
    Setting { version: "3", interval: "1" },
    Setting { version: "3", interval: "0.1" },
    Setting { version: "3", interval: "0.01" },
];
const DEFAULT: Setting = SETTINGS[0];
/// Long measurements, each over tens of thousands of advertisements, need fewer repetitions.
const SCALE_RUNS: usize = 2;

impl Bench {
    fn prepare(arguments: &[String]) -> Result<Self, Failure> {
        let mut bench = Self { binaries: binaries(), runs: 5, parts: Vec::new() };
        let mut arguments = arguments.iter();
        while let Some(argument) = arguments.next() {
            match argument.as_str() {
                "--runs" => {
                    let runs = arguments.next().and_then(|runs| runs.parse().ok()).filter(|runs| *runs > 0);
                    bench.runs = runs.ok_or(Failure::Usage)?;
                }
                part if PARTS.contains(&part) => bench.parts.push(part.to_owned()),
                _ => return Err(Failure::Usage),
            }
        }
        packages::ensure().iter().for_each(|missing| say(missing));
        if bench.wants_daemons() && table::peer_version().is_none() {
            return Err(Failure::NoPeer);
        }
        bench.build()?;
        Ok(bench)
    }

    /// Builds what is measured.
    fn build(&self) -> Result<(), Failure> {
        let daemons: [&[&str]; 2] = [&["-p", "steadfast"], &["-p", "steadfast-lab", "--examples"]];
        let simulation: [&[&str]; 1] = [&["-p", "steadfast-sim", "--examples"]];
        let daemons = daemons.into_iter().filter(|_| self.wants_daemons());
        for what in daemons.chain(simulation.into_iter().filter(|_| self.wants("sim"))) {
            let built = crate::cargo().args(["build", "--release", "--quiet"]).args(what).status();
            if !built.is_ok_and(|status| status.success()) {
                return Err(Failure::Build);
            }
        }
        Ok(())
    }

    /// Whether anything is measured but the simulation.
    fn wants_daemons(&self) -> bool {
        PARTS.iter().any(|part| *part != "sim" && self.wants(part))
    }

    fn measure(&self) -> Result<Vec<String>, Failure> {
        let mut tables = vec![table::machine()];
        for part in PARTS.iter().filter(|part| self.wants(part)) {
            tables.push(match *part {
                "takeover" => self.takeover()?,
                "overtake" => self.overtake()?,
                "client" => self.client()?,
                "checks" => self.checks()?,
                "config" => self.config()?,
                "sim" => self.sim()?,
                _ => self.scale()?,
            });
        }
        Ok(tables)
    }

    fn wants(&self, part: &str) -> bool {
        self.parts.is_empty() || self.parts.iter().any(|wanted| wanted == part)
    }

    fn takeover(&self) -> Result<String, Failure> {
        let mut measured = Vec::new();
        for setting in SETTINGS {
            let figures = self.in_turns(setting, &["--how", "crash,stop"])?;
            measured.push((setting, figures));
        }
        Ok(table::takeover(&measured))
    }

    fn overtake(&self) -> Result<String, Failure> {
        Ok(table::overtake(&self.in_turns(DEFAULT, &["--how", "overtake"])?))
    }

    fn client(&self) -> Result<String, Failure> {
        let events = table::EVENTS.map(|(event, _)| event).join(",");
        Ok(table::client(&self.in_turns(DEFAULT, &["--by", "client", "--how", &events])?))
    }

    /// Ours and the peer's runs of `takeover`, in turns.
    fn in_turns(&self, setting: Setting, more: &[&str]) -> Result<Figures, Failure> {
        let mut figures = Figures::default();
        let mut left = self.runs;
        while left > 0 {
            let runs = left.min(AT_ONCE).to_string();
            let mut arguments =
                vec!["--runs", &runs, "--version", setting.version, "--adv", setting.interval];
            arguments.extend(more);
            for side in SIDES {
                self.call("takeover", &arguments, side, &["-n", "-l", "-D", "-f", "{conf}"], &mut figures)?;
            }
            left -= left.min(AT_ONCE);
        }
        Ok(figures)
    }

    fn scale(&self) -> Result<String, Failure> {
        let mut figures = Figures::default();
        for _ in 0..SCALE_RUNS.min(self.runs) {
            for (phase, side) in ["same", "spread"].iter().flat_map(|phase| SIDES.map(|side| (phase, side))) {
                let arguments = ["-n", "500", "--adv", "0.1", "--phase", phase];
                self.call("scale", &arguments, side, &["-n", "-l", "-P", "-f", "{conf}"], &mut figures)?;
            }
        }
        Ok(table::scale(&figures))
    }

    /// In the virtual machine, as IPVS is needed.
    fn checks(&self) -> Result<String, Failure> {
        let mut figures = Figures::default();
        for _ in 0..SCALE_RUNS.min(self.runs) {
            for ((kind, servers), side) in
                table::CHECKED.iter().flat_map(|case| SIDES.map(|side| (case, side)))
            {
                let servers = servers.to_string();
                let arguments = ["--kind", kind, "-n", &servers];
                let program = std::env::current_exe().unwrap_or_default();
                let mut command = Command::new(program);
                command.args(["vm", "--"]).arg(self.binaries.join("examples/checks")).args(arguments);
                command.arg("--").arg(self.daemon(side)).args(["-n", "-l", "-C", "-f", "{conf}"]);
                collect(command, &format!("checks {kind} {servers}, {side:?}"), side, &mut figures)?;
            }
        }
        Ok(table::checks(&figures))
    }

    fn config(&self) -> Result<String, Failure> {
        let steadfast = self.binaries.join("steadfast");
        Ok(table::config(&config::measure(&steadfast, self.runs)?))
    }

    /// The simulation has no peer.
    fn sim(&self) -> Result<String, Failure> {
        let mut figures = Figures::default();
        for _ in 0..self.runs {
            let command = Command::new(self.binaries.join("examples/throughput"));
            collect(command, "throughput", Side::Ours, &mut figures)?;
        }
        Ok(table::sim(&figures))
    }

    fn daemon(&self, side: Side) -> PathBuf {
        match side {
            Side::Ours => self.binaries.join("steadfast"),
            Side::Peer => PathBuf::from("keepalived"),
        }
    }

    /// Runs a measurement of a daemon.
    fn call(
        &self,
        example: &str,
        arguments: &[&str],
        side: Side,
        flags: &[&str],
        figures: &mut Figures,
    ) -> Result<(), Failure> {
        let daemon = self.daemon(side);
        let mut command = Command::new(self.binaries.join("examples").join(example));
        command.args(arguments).arg("--").arg(&daemon).args(flags);
        let shown = format!("{example} {} -- {} {}", arguments.join(" "), daemon.display(), flags.join(" "));
        collect(command, &shown, side, figures)
    }
}

/// Runs a measurement and collects what it says. What it complains of goes to the terminal.
fn collect(mut command: Command, shown: &str, side: Side, figures: &mut Figures) -> Result<(), Failure> {
    say(&format!("== {shown}"));
    let failed = |_| Failure::Measurement(shown.to_owned());
    let mut child = command.stdout(Stdio::piped()).spawn().map_err(failed)?;
    for line in child.stdout.take().into_iter().flat_map(|out| BufReader::new(out).lines()) {
        let line = line.map_err(failed)?;
        figures.take(side, &line);
        if line.starts_with('#') {
            say(&line);
        }
    }
    match child.wait() {
        Ok(status) if status.success() => Ok(()),
        _ => Err(Failure::Measurement(shown.to_owned())),
    }
}

/// Beside this program's own folder: it was built into `…/debug` of the same target folder.
fn binaries() -> PathBuf {
    let program = std::env::current_exe().unwrap_or_default();
    program.parent().and_then(Path::parent).unwrap_or_else(|| Path::new("target")).join("release")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_lines_of_four_words_are_figures() {
        let mut figures = Figures::default();
        for line in
            ["crash over 0.5 ms", "crash over -0.25 ms", "# crash v3: over 0.5 ms (…)", "crash over x ms", ""]
        {
            figures.take(Side::Ours, line);
        }
        assert_eq!(figures.of(Side::Ours, "crash", "over"), [0.5, -0.25]);
        assert!(figures.of(Side::Peer, "crash", "over").is_empty());
    }
}
