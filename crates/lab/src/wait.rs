//! Waiting for conditions, never for luck.

use std::thread;
use std::time::Duration;

pub use sys::clock::now;

/// How often a condition is looked at.
const STEP: Duration = Duration::from_millis(5);

/// Looks at `condition` until it holds, for `patience` at most. Whether it came to hold.
#[must_use]
pub fn wait_until(patience: Duration, mut condition: impl FnMut() -> bool) -> bool {
    wait_for(patience, || condition().then_some(())).is_some()
}

/// Asks `probe` until it has an answer, for `patience` at most. It is asked once more after that.
#[must_use]
pub fn wait_for<T>(patience: Duration, mut probe: impl FnMut() -> Option<T>) -> Option<T> {
    let deadline = now() + patience;
    loop {
        let last = now() >= deadline;
        if let Some(answer) = probe() {
            return Some(answer);
        }
        if last {
            return None;
        }
        thread::sleep(STEP);
    }
}
