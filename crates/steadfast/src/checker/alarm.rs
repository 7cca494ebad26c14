//! The next time at which the worker has something to do.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use model::Instant;
use tokio::time::Sleep;

/// A timer that is set again only if its time changes: to set one costs a system call, and the time stays the same while many
/// checks are answered.
#[derive(Debug)]
pub(super) struct Alarm {
    at: Option<Instant>,
    sleep: Pin<Box<Sleep>>,
    /// For a timer that comes before all others the runtime wakes itself, by a system call. While checks follow each other, this
    /// one comes before their time-outs. Nobody waits for it.
    herald: Pin<Box<Sleep>>,
}

impl Alarm {
    /// Not set. Inside a runtime only.
    pub(super) fn new() -> Self {
        let sleep = || Box::pin(tokio::time::sleep(LONGEST_WAIT));
        Self { at: None, sleep: sleep(), herald: sleep() }
    }

    /// Goes off at this time, or some time if nothing is due.
    pub(super) fn set(&mut self, at: Option<Instant>) {
        if at == self.at && !self.sleep.is_elapsed() {
            return;
        }
        self.at = at;
        let pause = at.map_or(LONGEST_WAIT, |at| at.since(sys::clock::now()));
        let now = tokio::time::Instant::now();
        self.sleep.as_mut().reset(now + pause);
        let herald = now + HERALD;
        if pause < HERALD && (self.herald.is_elapsed() || self.herald.deadline() > herald) {
            self.herald.as_mut().reset(herald);
        }
    }

    /// Whether it has gone off; then it is not set any more.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let gone_off = self.sleep.as_mut().poll(cx);
        if gone_off.is_ready() {
            self.at = None;
        }
        gone_off
    }
}

/// A wait without any deadline ends after so long, and begins anew.
const LONGEST_WAIT: Duration = Duration::from_secs(3600);

/// Shorter than time-outs of checks usually are.
const HERALD: Duration = Duration::from_millis(500);
