//! What tests of this crate share.

use std::fmt::Display;
use std::io::Write;

use crate::users::Uid;

/// Whether this process is root; says that a test is skipped if not.
#[track_caller]
pub(crate) fn is_root_or_skip() -> bool {
    let is_root = Uid::own() == Uid::ROOT;
    if !is_root {
        skip("needs root");
    }
    is_root
}

/// Says that a test is skipped, past the harness, which keeps what `eprintln!` says of a test that does not fail.
///
/// # Panics
/// Where no test may be skipped.
#[track_caller]
pub(crate) fn skip(reason: impl Display) {
    std::io::stderr().write_all(format!("SKIPPED: {reason}\n").as_bytes()).unwrap();
    assert!(
        std::env::var_os("STEADFAST_REQUIRE_NETNS").is_none_or(|value| value != "1"),
        "no test may be skipped: {reason}"
    );
}

/// As [`skip`], where no insistence could help.
pub(crate) fn skip_for_want_of(what: &str) {
    std::io::stderr().write_all(format!("SKIPPED: there is no {what}\n").as_bytes()).unwrap();
}

/// What `attempt` yields in the end. A child that another test of this process is just starting has a copy of every
/// descriptor and lock for a moment.
#[track_caller]
pub(crate) fn eventually<T>(mut attempt: impl FnMut() -> Option<T>) -> T {
    let begun = std::time::Instant::now();
    loop {
        if let Some(value) = attempt() {
            return value;
        }
        assert!(begun.elapsed() < std::time::Duration::from_secs(10), "it does not come to pass");
        std::thread::yield_now();
    }
}
