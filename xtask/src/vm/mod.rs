//! `cargo xtask vm -- COMMAND…`: a command on a kernel that has what this one may lack.
//!
//! The kernel is Debian's User-mode Linux, an ordinary program, so it needs neither a hypervisor nor an image: the files
//! of this machine are its root, below a layer that takes what is written and is forgotten at the end. It has one
//! processor, no network but what the command makes, and ticks of 10 ms.

mod guest;
mod kernel;

use std::process::{Command, ExitCode, Stdio};
use std::time::Duration;

use crate::test::Remarks;
use crate::{cargo, root, say};

pub(crate) use kernel::Tools;

/// The test programs of the package `steadfast` that run in the virtual machine too, where nothing may be missing.
const PROGRAMS: [&str; 11] = [
    "links",
    "ipvlan",
    "link_polls",
    "ipvs_kernel",
    "lvs",
    "lvs_kernel",
    "directors",
    "tables",
    "check_dump",
    "traffic",
    "real_servers",
];
/// For one test program.
const PATIENCE: Duration = Duration::from_secs(15 * 60);

/// Runs the words after `--` inside, and gives their exit status.
pub(crate) fn run(arguments: &[String]) -> ExitCode {
    let command = match arguments {
        [dashes, command @ ..] if dashes == "--" && !command.is_empty() => command,
        _ => {
            say("usage: cargo xtask vm -- COMMAND…");
            return ExitCode::from(2);
        }
    };
    let done = Tools::ensure().and_then(|tools| guest::run(&tools, command, &[], None));
    match done {
        Ok(status) => ExitCode::from(status),
        Err(error) => {
            say(&format!("no virtual machine: {error}"));
            ExitCode::from(125)
        }
    }
}

/// Runs the tests that need more than this machine's kernel. Where no virtual machine can be had that is said, and
/// counts as a failure only if `STEADFAST_REQUIRE_VM` is 1.
pub(crate) fn tests(remarks: &mut Remarks) -> bool {
    let tools = match Tools::ensure().and_then(|tools| boots(&tools).map(|()| tools)) {
        Ok(tools) => tools,
        Err(error) => {
            remarks.not_run.push(format!("the tests in the virtual machine: {error}"));
            return std::env::var_os("STEADFAST_REQUIRE_VM").is_none_or(|required| required != "1");
        }
    };
    let programs = match build() {
        Ok(programs) => programs,
        Err(error) => {
            say(&error);
            return false;
        }
    };
    programs.iter().all(|program| passes(&tools, program, remarks))
}

fn boots(tools: &Tools) -> Result<(), String> {
    match guest::run(tools, &["true".to_owned()], &[], Some(Duration::from_secs(120)))? {
        0 => Ok(()),
        status => Err(format!("`true` ended with status {status} inside")),
    }
}

/// There is one processor inside; the tests mostly wait, but for those that want their share of packets. What fails beside others is run once more, one by one.
fn passes(tools: &Tools, program: &str, remarks: &mut Remarks) -> bool {
    let counts_packets = program.contains("/traffic-");
    if succeeds(tools, program, if counts_packets { "1" } else { "2" }) {
        return true;
    }
    let steady = succeeds(tools, program, "1");
    remarks.unsteady.extend(steady.then(|| format!("{program} (in the virtual machine)")));
    steady
}

fn succeeds(tools: &Tools, program: &str, threads: &str) -> bool {
    say(&format!("-- {program}, {threads} at once"));
    let environment = [("STEADFAST_REQUIRE_NETNS", "1"), ("STEADFAST_REQUIRE_KERNEL", "1")];
    let command = [program, "--quiet", "--test-threads", threads].map(str::to_owned);
    match guest::run(tools, &command, &environment, Some(PATIENCE)) {
        Ok(status) => status == 0,
        Err(error) => {
            say(&error);
            false
        }
    }
}

/// Builds the test programs, and gives their paths.
fn build() -> Result<Vec<String>, String> {
    let mut command = cargo();
    command.args(["test", "--no-run", "-p", "steadfast"]).stderr(Stdio::piped());
    for program in PROGRAMS {
        command.args(["--test", program]);
    }
    let output = command.output().map_err(|error| format!("cannot run cargo: {error}"))?;
    let told = String::from_utf8_lossy(&output.stderr);
    if !output.status.success() {
        return Err(told.into_owned());
    }
    // "  Executable tests/links.rs (target/debug/deps/links-0123456789abcdef)"
    let path = |line: &str| {
        Some(line.trim().strip_prefix("Executable ")?.split_once(" (")?.1.strip_suffix(')')?.to_owned())
    };
    let paths: Vec<_> =
        told.lines().filter_map(path).map(|path| root().join(path).display().to_string()).collect();
    if paths.len() == PROGRAMS.len() {
        Ok(paths)
    } else {
        Err(format!("cargo does not say what it built:\n{told}"))
    }
}

/// Runs a program to its end; its standard output.
fn output_of(command: &mut Command) -> Result<String, String> {
    let shown = format!("{command:?}");
    let output = command.stdin(Stdio::null()).output().map_err(|error| format!("{shown}: {error}"))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let errors = String::from_utf8_lossy(&output.stderr);
    Err(format!("{shown}: {}", errors.lines().next_back().unwrap_or("failed")))
}
