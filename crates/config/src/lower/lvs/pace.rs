//! What checkers inherit: `delay_loop`, `warmup`, `retry`, `delay_before_retry`, `connect_timeout` and `alpha`.

use std::time::Duration;

use model::lvs;

use crate::lower::{Report, Setting};

use super::text;

/// What one level says; the rest comes from the level around it.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Pace {
    pub(super) interval: Option<Duration>,
    pub(super) warmup: Option<Duration>,
    pub(super) retry: Option<u32>,
    pub(super) delay_before_retry: Option<Duration>,
    pub(super) connect_timeout: Option<Duration>,
    pub(super) alpha: Option<bool>,
}

/// What holds if no level says.
#[derive(Clone, Copy, Debug)]
pub(super) struct Habit {
    pub(super) retry: u32,
    /// `None` for the time between checks.
    pub(super) delay_before_retry: Option<Duration>,
}

impl Habit {
    /// What most kinds of checkers do.
    pub(super) const USUAL: Self = Self { retry: 1, delay_before_retry: Some(Duration::from_secs(1)) };
    pub(super) const HTTP: Self = Self { retry: 1, delay_before_retry: Some(Duration::from_secs(3)) };
    pub(super) const DNS: Self = Self { retry: 3, delay_before_retry: None };
    pub(super) const MISC: Self = Self { retry: 0, delay_before_retry: Some(Duration::from_secs(1)) };
}

impl Pace {
    /// `delay_loop` if no level says.
    pub(super) const INTERVAL: Duration = Duration::from_secs(60);
    /// `connect_timeout` if no level says.
    pub(super) const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

    /// Takes a line, if it is about this.
    pub(super) fn read(&mut self, setting: Setting<'_, '_>, report: &mut Report) -> bool {
        let seconds = |report: &mut Report| setting.seconds(report).map(|seconds| seconds.value);
        match setting.name() {
            "delay_loop" => self.interval = seconds(report).or(self.interval),
            "warmup" => self.warmup = seconds(report).or(self.warmup),
            "delay_before_retry" => self.delay_before_retry = seconds(report).or(self.delay_before_retry),
            "connect_timeout" => self.connect_timeout = seconds(report).or(self.connect_timeout),
            "nb_get_retry" => {
                report.push(text::old_word(setting, "retry"));
                self.retry = setting.number(report).map(|retry| retry.value).or(self.retry);
            }
            "retry" => self.retry = setting.number(report).map(|retry| retry.value).or(self.retry),
            "alpha" => self.alpha = setting.boolean(report).or(self.alpha),
            _ => return false,
        }
        true
    }

    /// With what `outer` says where this level says nothing.
    pub(super) fn within(self, outer: &Self) -> Self {
        Self {
            interval: self.interval.or(outer.interval),
            warmup: self.warmup.or(outer.warmup),
            retry: self.retry.or(outer.retry),
            delay_before_retry: self.delay_before_retry.or(outer.delay_before_retry),
            connect_timeout: self.connect_timeout.or(outer.connect_timeout),
            alpha: self.alpha.or(outer.alpha),
        }
    }

    /// As it is passed on.
    pub(super) fn resolve(&self) -> lvs::Pace {
        lvs::Pace {
            interval: self.interval(),
            connect_timeout: self.connect_timeout(),
            retry: self.retry,
            delay_before_retry: self.delay_before_retry,
            warmup: self.warmup,
            alpha: self.alpha.unwrap_or(false),
        }
    }

    pub(super) fn connect_timeout(&self) -> Duration {
        self.connect_timeout.unwrap_or(Self::CONNECT_TIMEOUT)
    }

    pub(super) fn interval(&self) -> Duration {
        self.interval.unwrap_or(Self::INTERVAL)
    }
}
