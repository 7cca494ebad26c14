//! `cargo xtask test`: every check, in the order in which they fail fastest.

use std::process::{Command, ExitCode};
use std::time::Instant;

use crate::{mutants, packages, pages, root, say, sizes, vm};

const STEPS: [&str; 9] = ["packages", "fmt", "clippy", "docs", "sizes", "pages", "mutants", "test", "vm"];

/// The namespace tests mostly wait for protocol timers: more of them than processors run at once.
const TEST_THREADS: &str = "6";

/// Runs the steps in `only`, or all.
pub(crate) fn run(only: &[String]) -> ExitCode {
    if let Some(unknown) = only.iter().find(|step| !STEPS.contains(&step.as_str())) {
        say(&format!("no step is called '{unknown}'; steps: {}", STEPS.join(" ")));
        return ExitCode::from(2);
    }
    let mut not_run = Vec::new();
    for step in STEPS {
        if !only.is_empty() && !only.iter().any(|wanted| wanted == step) {
            continue;
        }
        let begun = Instant::now();
        say(&format!("== {step}"));
        if !carry_out(step, &mut not_run) {
            say(&format!("== {step} FAILED"));
            return ExitCode::FAILURE;
        }
        say(&format!("== {step} ok, {:.1} s", begun.elapsed().as_secs_f32()));
    }
    for line in &not_run {
        say(&format!("NOT RUN: {line}"));
    }
    ExitCode::SUCCESS
}

fn carry_out(step: &str, not_run: &mut Vec<String>) -> bool {
    match step {
        "packages" => {
            not_run.extend(packages::ensure());
            true
        }
        "fmt" => cargo(&["fmt", "--all", "--check"], &[]),
        "clippy" => {
            cargo(&["clippy", "--workspace", "--all-targets", "--quiet", "--", "-D", "warnings"], &[])
        }
        "docs" => {
            let arguments = ["doc", "--workspace", "--no-deps", "--document-private-items", "--quiet"];
            cargo(&arguments, &[("RUSTDOCFLAGS", "-D warnings")])
        }
        "sizes" => sizes_are_kept(),
        "pages" => pages::are_current(),
        "mutants" => mutants::all_are_caught(),
        "vm" => vm::tests(not_run),
        _ => tests(not_run),
    }
}

fn sizes_are_kept() -> bool {
    match sizes::offenders(root()) {
        Ok(offenders) => {
            offenders.iter().for_each(|offender| say(offender));
            offenders.is_empty()
        }
        Err(error) => {
            say(&format!("cannot measure: {error}"));
            false
        }
    }
}

/// Unit, property, conformance, namespace and interoperability tests. Where namespaces cannot be made, the tests that
/// need them say so and pass; where they can, a test that does not run fails. A failure does not end the step: one run
/// tells all of them.
fn tests(not_run: &mut Vec<String>) -> bool {
    let required = if may_make_namespaces() { "1" } else { "0" };
    if required == "0" {
        not_run.push(
            "the tests in network namespaces and with peers (they printed SKIPPED): start as root".to_owned(),
        );
    }
    // The daemon under test is the one that ships: optimised, and with panics that abort.
    let built = cargo(&["build", "--release", "--quiet"], &[]);
    built
        && cargo(
            &["test", "--workspace", "--quiet", "--no-fail-fast"],
            &[("STEADFAST_REQUIRE_NETNS", required), ("RUST_TEST_THREADS", TEST_THREADS)],
        )
}

fn may_make_namespaces() -> bool {
    Command::new("unshare").args(["-n", "-m", "true"]).status().is_ok_and(|status| status.success())
}

fn cargo(arguments: &[&str], environment: &[(&str, &str)]) -> bool {
    match crate::cargo().args(arguments).envs(environment.iter().copied()).status() {
        Ok(status) => status.success(),
        Err(error) => {
            say(&format!("cannot run cargo: {error}"));
            false
        }
    }
}
