//! Gratuitous ARP: `vrrp_garp_*` of `global_defs` and `garp_*` of an instance.

use std::time::Duration;

use model::vrrp::Garp;

use crate::diagnostic::{Code, Diagnostic, shown};
use crate::keyword::Block;
use crate::lower::{Report, Setting};
use crate::number;
use crate::source::Span;

/// What one block says. `None` is "not said here".
#[derive(Clone, Copy, Debug)]
pub(crate) struct GarpDraft {
    delay: Option<Duration>,
    repeat: Option<u32>,
    refresh: Option<Duration>,
    refresh_repeat: Option<u32>,
    lower_prio_delay: Option<Duration>,
    lower_prio_repeat: Option<u32>,
    interval: Option<Duration>,
    /// `vrrp_gna_interval`, only in `global_defs`.
    gna_interval: Option<Duration>,
    /// Where it is asked to answer a lower priority with these.
    lower_prio: Option<Span>,
    /// `vrrp_min_garp`.
    pub(crate) minimal: bool,
}

impl GarpDraft {
    /// Nothing said.
    pub(crate) const EMPTY: Self = Self {
        delay: None,
        repeat: None,
        refresh: None,
        refresh_repeat: None,
        lower_prio_delay: None,
        lower_prio_repeat: None,
        interval: None,
        gna_interval: None,
        lower_prio: None,
        minimal: false,
    };

    /// Takes a line, if it is about gratuitous ARP.
    pub(crate) fn read(&mut self, setting: Setting<'_, '_>, report: &mut Report) -> bool {
        let name = setting.name().strip_prefix("vrrp_").unwrap_or_else(|| setting.name());
        match name {
            "garp_master_delay" => set(&mut self.delay, whole_seconds(setting, report)),
            "garp_master_repeat" => set(&mut self.repeat, at_least_one(setting, report)),
            "garp_master_refresh" => set(&mut self.refresh, whole_seconds(setting, report)),
            "garp_master_refresh_repeat" => set(&mut self.refresh_repeat, at_least_one(setting, report)),
            "garp_lower_prio_delay" => {
                self.lower_prio = Some(setting.span());
                set(&mut self.lower_prio_delay, whole_seconds(setting, report));
            }
            "garp_lower_prio_repeat" => {
                self.lower_prio = Some(setting.span());
                set(&mut self.lower_prio_repeat, setting.number(report).map(|repeat| repeat.value));
            }
            "garp_interval" => {
                set(&mut self.interval, setting.seconds(report).map(|interval| interval.value))
            }
            "gna_interval" => {
                set(&mut self.gna_interval, setting.seconds(report).map(|interval| interval.value));
            }
            _ => return false,
        }
        true
    }

    /// Takes back what is said about messages after a lower priority. Gives its place, if it asks for any.
    pub(crate) fn forget_lower_prio(&mut self) -> Option<Span> {
        let delay = self.lower_prio_delay.take().is_some_and(|delay| !delay.is_zero());
        let repeat = self.lower_prio_repeat.take().is_some_and(|repeat| repeat > 0);
        self.lower_prio.take().filter(|_| delay || repeat)
    }

    /// What holds for an instance with this draft, under the defaults of `global`.
    pub(crate) fn resolve(&self, global: &Self, strict: bool) -> Garp {
        let common = if global.minimal {
            // `vrrp_min_garp`: one message, nothing repeated.
            Garp { delay: None, repeat: 1, lower_prio_delay: None, lower_prio_repeat: 1, ..Garp::default() }
        } else {
            Garp::default()
        };
        let repeat = global.repeat.unwrap_or(common.repeat);
        let delay = global.delay.or(common.delay);
        // RFC 9568 lets a master answer a lower priority with nothing but advertisements.
        let (lower_delay, lower_repeat) = if strict {
            (None, 0)
        } else {
            (global.lower_prio_delay.or(delay), global.lower_prio_repeat.unwrap_or(repeat))
        };
        Garp {
            delay: self.delay.or(delay).filter(not_zero),
            repeat: self.repeat.unwrap_or(repeat),
            refresh: self.refresh.or(global.refresh).filter(not_zero),
            refresh_repeat: self.refresh_repeat.or(global.refresh_repeat).unwrap_or(common.refresh_repeat),
            lower_prio_delay: self.lower_prio_delay.or(lower_delay).filter(not_zero),
            lower_prio_repeat: self.lower_prio_repeat.unwrap_or(lower_repeat),
            interval: global.interval.unwrap_or(common.interval),
            gna_interval: global.gna_interval.unwrap_or(common.gna_interval),
        }
    }
}

fn set<T>(slot: &mut Option<T>, value: Option<T>) {
    if value.is_some() {
        *slot = value;
    }
}

fn not_zero(span: &Duration) -> bool {
    !span.is_zero()
}

fn whole_seconds(setting: Setting<'_, '_>, report: &mut Report) -> Option<Duration> {
    setting.whole_seconds(report).map(|seconds| seconds.value)
}

fn at_least_one(setting: Setting<'_, '_>, report: &mut Report) -> Option<u32> {
    let repeat = setting.number::<u32>(report)?;
    if repeat.value == 0 {
        let headline = format!("`{}` must be at least 1; 1 is used", setting.name());
        let mut diagnostic = Diagnostic::warning(Code::Adjusted, repeat.span, headline);
        if setting.block == Block::Instance {
            let (subject, name) = (&report.subject, setting.name());
            diagnostic =
                diagnostic.classic(format!("({subject}): {name} must be greater than 0, setting to 1"));
        }
        report.push(diagnostic);
    }
    Some(repeat.value.max(1))
}

/// Periodic gratuitous messages on further interfaces (`vrrp_garp_extra_if`, `garp_extra_if`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Extra {
    pub(crate) interval: Duration,
    /// On every interface that holds an address, not only on VMACs.
    pub(crate) all: bool,
}

/// The most seconds between two of these messages.
const MOST_EXTRA: i64 = 86_400;

/// `[all] SECONDS` after `vrrp_garp_extra_if`, `garp_extra_if` and their old names. The words may come in any order, and
/// the last number counts.
pub(crate) fn extra(setting: Setting<'_, '_>, report: &mut Report) -> Option<Extra> {
    // An instance may take back what `global_defs` says.
    let least = i64::from(setting.name().starts_with("vrrp_"));
    let mut all = false;
    let mut interval = None;
    for word in setting.node.arguments() {
        if word.text == "all" {
            all = true;
            continue;
        }
        match number::integer(&word.text) {
            Ok(seconds @ ..=MOST_EXTRA) if seconds >= least => {
                interval = u64::try_from(seconds).ok().map(Duration::from_secs);
            }
            Ok(_) | Err(number::NumberError::TooLarge) => {
                report.push(setting.out_of_range(word, &format!("{least} to {MOST_EXTRA} seconds")));
                return None;
            }
            Err(number::NumberError::Invalid) => {
                let what = "is neither `all` nor a whole number of seconds";
                report.push(setting.invalid(Code::InvalidNumber, word, what));
                return None;
            }
        }
    }
    if interval.is_none() {
        let headline = format!("{} has no interval", shown(setting.name()));
        let help = format!("write `{} [all] SECONDS`; the line has no effect", setting.name());
        report.push(Diagnostic::warning(Code::MissingArgument, setting.span(), headline).help(help));
    }
    interval.map(|interval| Extra { interval, all })
}
