//! `steadfast` of a virtual or real server: servers that come and go little by little.

use std::time::Duration;

use crate::keyword::Block;
use crate::lower::{Report, Setting, settings};

/// What one level says; the rest comes from the level around it.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Gradual {
    pub(super) drain: Option<Duration>,
    pub(super) slow_start: Option<Duration>,
}

impl Gradual {
    /// Takes the lines of a virtual server's block.
    pub(super) fn read(&mut self, setting: Setting<'_, '_>, report: &mut Report) {
        settings(setting.node.children(), Block::ServerSteadfast, report, |setting, report| {
            self.set(setting, report);
        });
    }

    /// Takes a line.
    pub(super) fn set(&mut self, setting: Setting<'_, '_>, report: &mut Report) {
        let seconds = |report: &mut Report| setting.seconds(report).map(|seconds| seconds.value);
        match setting.name() {
            "drain" => self.drain = seconds(report).or(self.drain),
            "slow_start" => self.slow_start = seconds(report).or(self.slow_start),
            _ => setting.lacks(report),
        }
    }

    /// With what `outer` says where this level says nothing.
    pub(super) fn within(self, outer: Self) -> Self {
        Self { drain: self.drain.or(outer.drain), slow_start: self.slow_start.or(outer.slow_start) }
    }
}
