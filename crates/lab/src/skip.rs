//! Tests that cannot run here.

use std::fmt::Display;
use std::io::Write;

/// Says that a test is skipped, and why.
///
/// It goes past the test harness, which keeps what `eprintln!` says of a test that does not fail.
///
/// # Panics
/// With `STEADFAST_REQUIRE_NETNS=1` in the environment: then no test may be skipped.
#[track_caller]
pub fn skip(reason: impl Display) {
    // Who has closed standard error wants to hear nothing.
    std::io::stderr().write_all(format!("SKIPPED: {reason}\n").as_bytes()).ok();
    let required = std::env::var_os("STEADFAST_REQUIRE_NETNS").is_some_and(|value| value == "1");
    assert!(!required, "no test may be skipped: {reason}");
}
