//! `cargo xtask test`: every check, in the order in which they fail fastest.

use std::process::{Command, ExitCode};
use std::time::Instant;

use crate::suite::{self, Verdict};
use crate::{mutants, packages, pages, root, say, sizes, vm};

const STEPS: [&str; 9] = ["packages", "fmt", "clippy", "docs", "sizes", "pages", "mutants", "test", "vm"];

/// What a run that passed must not keep to itself; it is told in its last lines.
#[derive(Debug, Default)]
pub(crate) struct Remarks {
    /// What this machine could not run, and why.
    pub(crate) not_run: Vec<String>,
    /// Test programs that failed beside others and passed by themselves.
    pub(crate) unsteady: Vec<String>,
}

/// Runs the steps in `only`, or all.
pub(crate) fn run(only: &[String]) -> ExitCode {
    if let Some(unknown) = only.iter().find(|step| !STEPS.contains(&step.as_str())) {
        say(&format!("no step is called '{unknown}'; steps: {}", STEPS.join(" ")));
        return ExitCode::from(2);
    }
    let mut remarks = Remarks::default();
    for step in STEPS {
        if !only.is_empty() && !only.iter().any(|wanted| wanted == step) {
            continue;
        }
        let begun = Instant::now();
        say(&format!("== {step}"));
        if !carry_out(step, &mut remarks) {
            say(&format!("== {step} FAILED"));
            return ExitCode::FAILURE;
        }
        say(&format!("== {step} ok, {:.1} s", begun.elapsed().as_secs_f32()));
    }
    remarks.not_run.iter().for_each(|line| say(&format!("NOT RUN: {line}")));
    remarks.unsteady.iter().for_each(|program| say(&format!("UNSTEADY, passed only by itself: {program}")));
    ExitCode::SUCCESS
}

fn carry_out(step: &str, remarks: &mut Remarks) -> bool {
    match step {
        "packages" => {
            remarks.not_run.extend(packages::ensure());
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
        "vm" => vm::tests(remarks),
        _ => tests(remarks),
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
fn tests(remarks: &mut Remarks) -> bool {
    let required = if may_make_namespaces() { "1" } else { "0" };
    if required == "0" {
        remarks.not_run.push(
            "the tests in network namespaces and with peers (they printed SKIPPED): start as root".to_owned(),
        );
    }
    // The daemon under test is the one that ships: optimised, and with panics that abort.
    let built = cargo(&["build", "--release", "--quiet"], &[]);
    if !built {
        return false;
    }
    match suite::run(required) {
        Verdict::Passed => true,
        Verdict::Unsteady(programs) => {
            remarks.unsteady.extend(programs);
            true
        }
        Verdict::Failed => false,
    }
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
