//! Tests that cannot run here.

use std::fmt::Display;
use std::io::Write;

/// Says that a test is skipped, and why.
///
/// It goes past the test harness, which keeps what `eprintln!` says of a test that does not fail.
///
/// # Panics
/// With `STEADFAST_REQUIRE_NETNS=1` in the environment: then no test may be skipped for want of rights.
#[track_caller]
pub fn skip(reason: impl Display) {
    tell(reason, "STEADFAST_REQUIRE_NETNS");
}

/// Says that a test is skipped since this kernel lacks something. `cargo xtask test vm` runs it on one that does not.
///
/// # Panics
/// With `STEADFAST_REQUIRE_KERNEL=1` in the environment, as in that virtual machine.
#[track_caller]
pub fn skip_for_kernel(reason: impl Display) {
    tell(format_args!("this kernel: {reason}; the virtual machine has it"), "STEADFAST_REQUIRE_KERNEL");
}

#[track_caller]
fn tell(reason: impl Display, required: &str) {
    // Who has closed standard error wants to hear nothing.
    std::io::stderr().write_all(format!("SKIPPED: {reason}\n").as_bytes()).ok();
    let required = std::env::var_os(required).is_some_and(|value| value == "1");
    assert!(!required, "no test may be skipped: {reason}");
}
