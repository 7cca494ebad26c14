//! The tests of the workspace. Many wait for real timers on a real kernel, on machines that others load as well: what
//! failed beside other tests is run once more by itself, and if it passes then it is named in the run's last lines, so
//! that somebody looks. What failed is told again at the end, where whoever reads a long log begins.

use std::io::{BufRead, BufReader, Read};
use std::process::Stdio;
use std::thread;

use crate::say;

/// The namespace tests mostly wait for protocol timers: more of them than processors run at once.
const TEST_THREADS: &str = "6";

/// How the tests went.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Passed,
    /// Passed by themselves, after a failure beside others: the words that run each of these programs.
    Unsteady(Vec<String>),
    Failed,
}

/// What one run of `cargo test` told.
#[derive(Debug, Default)]
struct Run {
    succeeded: bool,
    /// What cargo says to pass for each program that failed, `-p steadfast --test reload`.
    failed: Vec<String>,
    /// What the failed tests printed.
    failures: String,
}

/// Runs all tests; those in namespaces must run if `required` is "1".
pub(crate) fn run(required: &str) -> Verdict {
    let environment = [("STEADFAST_REQUIRE_NETNS", required), ("RUST_TEST_THREADS", TEST_THREADS)];
    let first = cargo_test(&["--workspace", "--no-fail-fast"], &environment);
    if first.succeeded {
        return Verdict::Passed;
    }
    say(&format!("-- what failed\n{}", first.failures));
    if first.failed.is_empty() {
        return Verdict::Failed;
    }
    let alone = [("STEADFAST_REQUIRE_NETNS", required), ("RUST_TEST_THREADS", "1")];
    let mut verdict = Verdict::Unsteady(first.failed.clone());
    for program in &first.failed {
        say(&format!("-- again, by itself: {program}"));
        let again = cargo_test(&program.split_whitespace().collect::<Vec<_>>(), &alone);
        if !again.succeeded {
            say(&format!("-- {program} failed twice\n{}", again.failures));
            verdict = Verdict::Failed;
        }
    }
    verdict
}

/// Runs `cargo test` with what it prints shown as it comes.
fn cargo_test(arguments: &[&str], environment: &[(&str, &str)]) -> Run {
    let mut command = crate::cargo();
    command.args(["test", "--quiet"]).args(arguments).envs(environment.iter().copied());
    let mut child = match command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn() {
        Ok(child) => child,
        Err(error) => {
            say(&format!("cannot run cargo: {error}"));
            return Run::default();
        }
    };
    let (output, errors) = (child.stdout.take(), child.stderr.take());
    let errors = thread::spawn(move || errors.map(shown).unwrap_or_default());
    let output = output.map(shown).unwrap_or_default();
    let errors = errors.join().unwrap_or_default();
    let succeeded = child.wait().is_ok_and(|status| status.success());
    Run { succeeded, failed: failed_programs(&errors), failures: failures(&output) }
}

/// Shows each line, and gives all.
fn shown(stream: impl Read) -> String {
    let mut text = String::new();
    let mut reader = BufReader::new(stream);
    let mut line = Vec::new();
    while reader.read_until(b'\n', &mut line).is_ok_and(|count| count > 0) {
        let words = String::from_utf8_lossy(&line);
        say(words.trim_end_matches('\n'));
        text.push_str(&words);
        line.clear();
    }
    text
}

/// From lines like ``error: test failed, to rerun pass `-p steadfast --test reload` ``.
fn failed_programs(errors: &str) -> Vec<String> {
    let program = |line: &str| {
        Some(line.split_once("failed, to rerun pass `")?.1.trim_end().strip_suffix('`')?.to_owned())
    };
    errors.lines().filter_map(program).collect()
}

/// The parts between `failures:` and the result of a test program that failed.
fn failures(output: &str) -> String {
    let mut inside = false;
    let mut told = String::new();
    for line in output.lines() {
        inside |= line == "failures:";
        if inside {
            told.push_str(line);
            told.push('\n');
        }
        inside &= !line.starts_with("test result:");
    }
    told
}

#[cfg(test)]
mod tests {
    use super::{failed_programs, failures};

    #[test]
    fn cargo_says_how_to_run_what_failed() {
        let errors = "error: test failed, to rerun pass `-p steadfast --test reload`\n\
                      error: doctest failed, to rerun pass `-p steadfast-wire --doc`\n\
                      error: 2 targets failed:\n    `-p steadfast --test reload`\n";
        assert_eq!(failed_programs(errors), ["-p steadfast --test reload", "-p steadfast-wire --doc"]);
        assert!(failed_programs("error: could not compile `steadfast`\n").is_empty());
    }

    #[test]
    fn what_failed_is_told_without_what_passed() {
        let output = "running 1 test\n.\ntest result: ok. 1 passed\n\nrunning 2 tests\nF.\n\nfailures:\n\n\
                      ---- it stdout ----\nno\n\nfailures:\n    it\n\ntest result: FAILED. 1 passed\n\nrunning 0 tests\n";
        let told = failures(output);
        assert!(told.starts_with("failures:\n\n---- it stdout") && told.ends_with("1 passed\n"), "{told}");
        assert!(!told.contains("running"), "{told}");
    }
}
