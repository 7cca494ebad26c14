//! Who an instance is and when it is master.

use std::time::Duration;

use model::vrrp::{ExtraGarp, Garp, Initial, Preempt, Version};
use model::{Centis, Family, Priority};

use super::{Basics, strict_mode};
use crate::diagnostic::{Code, Diagnostic};
use crate::lower::instance::AuthKind;
use crate::lower::{Global, Instance, Report, Spanned};
use crate::number::Decimal;
use crate::source::Span;

/// RFC 9568 §6.1: a master is down after three intervals.
const DOWN_TIMER_ADVERTS: u8 = 3;

impl Instance {
    pub(super) fn version(&self, global: &Global, strict: bool, report: &mut Report) -> Version {
        if self.family() == Family::V4 {
            return self.election.version.map_or(global.version, |version| version.value);
        }
        if let Some(said) = self.election.version.filter(|version| version.value == Version::V2) {
            let make = if strict { Diagnostic::warning } else { Diagnostic::note };
            report.push(
                make(Code::Family, said.span, "version 2 has no IPv6; version 3 is used".to_owned())
                    .help("write `version 3`, or take the line out"),
            );
        }
        Version::V3
    }

    /// Without `priority`, who wants to be master owns the addresses.
    pub(super) fn priority(&self) -> Priority {
        let wants_master = self.election.state.is_some_and(|state| state.value == Initial::Master);
        self.election.priority.unwrap_or(if wants_master { Priority::OWNER } else { Priority::DEFAULT })
    }

    pub(super) fn initial(&self, basics: Basics, report: &mut Report) -> Initial {
        let owner = if basics.priority == Priority::OWNER { Initial::Master } else { Initial::Backup };
        let Some(state) = self.election.state else { return owner };
        if basics.strict && state.value != owner {
            let headline = "in strict mode the state is MASTER if the priority is 255, and only then";
            report
                .push(Diagnostic::warning(Code::Strict, state.span, headline).help("the line has no effect"));
            return owner;
        }
        let by_header = self.auth.is_some_and(|auth| auth.kind == AuthKind::Ah && auth.password.is_some());
        if by_header && basics.version == Version::V2 && state.value != owner {
            let headline = "who authenticates by header begins as BACKUP: it has to hear the counter first";
            report.push(
                Diagnostic::warning(Code::Authentication, state.span, headline)
                    .help("take the line out")
                    .classic("Initial state master is incompatible with AH authentication - clearing"),
            );
            return owner;
        }
        state.value
    }

    /// Whole seconds in version 2, hundredths up to 40.95 s in version 3.
    pub(super) fn advert_interval(&self, version: Version, report: &mut Report) -> Centis {
        let Some(Spanned { value, span }) = self.election.advert_interval else { return Centis::SECOND };
        let (unit, most) = match version {
            Version::V2 => (Duration::from_secs(1), Duration::from_secs(255)),
            Version::V3 => (Duration::from_millis(10), Duration::from_millis(40_950)),
        };
        let used = nearest(value, unit).clamp(unit, most);
        if used != value {
            let centis = Centis::try_from(used).unwrap_or(Centis::SECOND);
            let asked = Decimal(u64::try_from(value.as_micros()).unwrap_or(u64::MAX));
            let headline =
                format!("VRRP version {version} cannot carry an interval of {asked}s; {centis} is used");
            let help = match version {
                Version::V2 => "version 2 carries whole seconds; write `version 3` for shorter steps",
                Version::V3 => "version 3 carries 0.01 to 40.95 seconds in steps of 0.01",
            };
            let (name, asked) = (&self.name.value, value.as_secs_f64());
            let sentence = match version {
                Version::V2 => {
                    format!("({name}) VRRPv2 advertisement interval {asked:.6}s must be an integer. rounding")
                }
                Version::V3 => format!(
                    "({name}) VRRPv3 advertisement interval {asked:.2}s is out of range. Must be less than 40.96s. \
                     Setting to {centis}"
                ),
            };
            report.push(Diagnostic::warning(Code::Adjusted, span, headline).help(help).classic(sentence));
        }
        Centis::try_from(used).unwrap_or(Centis::SECOND)
    }

    pub(super) fn down_timer_adverts(&self, global: &Global, strict: bool, report: &mut Report) -> u8 {
        let said = self.election.down_timer_adverts;
        let count = said.map_or(global.down_timer_adverts, |count| count.value);
        if strict && count != DOWN_TIMER_ADVERTS {
            let span = said.map_or(self.name.span, |count| count.span);
            report.push(strict_mode(span, "another count of adverts than 3; 3 is used"));
            return DOWN_TIMER_ADVERTS;
        }
        count
    }

    pub(super) fn preempt(&self, basics: Basics, report: &mut Report) -> Preempt {
        let master = self.election.state.filter(|state| state.value == Initial::Master);
        let never = self.election.nopreempt.filter(|&nopreempt| match (basics.priority, master) {
            (Priority::OWNER, _) => {
                let headline = "the owner of the addresses always preempts; `nopreempt` has no effect";
                let help = "give it a `priority` below 255";
                let sentence = format!(
                    "({}) nopreempt is incompatible with priority 255. resetting nopreempt",
                    self.name.value
                );
                report.push(
                    Diagnostic::warning(Code::Preemption, nopreempt, headline).help(help).classic(sentence),
                );
                false
            }
            (_, Some(state)) => {
                let headline = "`nopreempt` has no effect with `state MASTER`";
                report.push(
                    Diagnostic::warning(Code::Preemption, nopreempt, headline)
                        .label(state.span, "write `BACKUP` here, on all hosts"),
                );
                false
            }
            _ => true,
        });
        let delay = self.election.preempt_delay.filter(|delay| !delay.value.is_zero());
        let delay = delay.filter(|delay| self.may_delay(*delay, never, basics, report));
        match (never, delay) {
            (Some(_), _) => Preempt::Never,
            (None, Some(delay)) => Preempt::After(delay.value),
            (None, None) => Preempt::Always,
        }
    }

    /// Whether `preempt_delay` goes with the rest.
    fn may_delay(
        &self,
        delay: Spanned<Duration>,
        never: Option<Span>,
        basics: Basics,
        report: &mut Report,
    ) -> bool {
        if basics.strict {
            report.push(strict_mode(delay.span, "`preempt_delay`; the line has no effect"));
            return false;
        }
        let state = self.election.state;
        let master = state.filter(|state| state.value == Initial::Master);
        let other = master
            .map(|state| (state.span, "state MASTER"))
            .or_else(|| never.map(|span| (span, "nopreempt")))
            .or_else(|| {
                let is_owner = state.is_none() && basics.priority == Priority::OWNER;
                is_owner.then_some((self.name.span, "priority 255"))
            });
        let Some((other, what)) = other else { return true };
        let headline = format!("`preempt_delay` has no effect with `{what}`");
        let remark = "these contradict each other";
        let mut diagnostic = Diagnostic::warning(Code::Preemption, delay.span, headline).label(other, remark);
        if master.is_some() {
            diagnostic = diagnostic.classic(format!(
                "({}) Warning - preempt delay will not work with initial state MASTER - clearing",
                self.name.value
            ));
        }
        report.push(diagnostic);
        false
    }

    /// Who never preempts may give way when it wakes up late.
    pub(super) fn timer_expired_backup(&self, preempt: Preempt, report: &mut Report) -> Option<Priority> {
        let said = self.election.timer_expired_backup?;
        if preempt == Preempt::Never {
            return Some(said.value);
        }
        let headline = "`timer_expired_backup` has no effect without `nopreempt`";
        report.push(
            Diagnostic::warning(Code::Preemption, said.span, headline)
                .help("a router that preempts takes over again anyway"),
        );
        None
    }

    pub(super) fn lower_prio_no_advert(&self, strict: bool, global: &Global, report: &mut Report) -> bool {
        let said = self.election.lower_prio_no_advert;
        if strict {
            if let Some(off) = said.filter(|said| !said.value) {
                report.push(strict_mode(off.span, "to answer a lower priority; the line has no effect"));
            }
            return true;
        }
        said.map(|said| said.value).or(global.lower_prio_no_advert).unwrap_or(false)
    }

    pub(super) fn higher_prio_send_advert(&self, global: &Global, strict: bool, report: &mut Report) -> bool {
        let said = self.election.higher_prio_send_advert;
        if strict {
            if let Some(asked) = said.filter(|asked| asked.value) {
                report.push(strict_mode(asked.span, "`higher_prio_send_advert`; the line has no effect"));
            }
            return false;
        }
        said.map_or(global.higher_prio_send_advert, |asked| asked.value)
    }

    /// keepalived overrides a `no` at priority 255; here it counts.
    pub(super) fn ignores_adverts_as_owner(&self, basics: Basics, global: &Global) -> bool {
        let default = basics.strict || global.owner_ignore_adverts;
        basics.priority == Priority::OWNER && self.election.owner_ignore_adverts.unwrap_or(default)
    }

    pub(super) fn garp(&self, strict: bool, global: &Global, report: &mut Report) -> Garp {
        let mut garp = self.garp;
        if strict && let Some(span) = garp.forget_lower_prio() {
            report.push(strict_mode(span, "gratuitous ARP after a lower priority; there is none"));
        }
        garp.resolve(&global.garp, strict)
    }

    pub(super) fn extra_garp(&self, global: &Global) -> Option<ExtraGarp> {
        let extra = self.holding.extra_garp.or(global.extra_garp)?;
        let extra = ExtraGarp { interval: extra.interval, all: extra.all };
        (!extra.interval.is_zero()).then_some(extra)
    }
}

/// `value` rounded to whole `unit`s, halves up.
fn nearest(value: Duration, unit: Duration) -> Duration {
    let (value, unit) = (value.as_micros(), unit.as_micros().max(1));
    let rounded = (value + unit / 2) / unit * unit;
    Duration::from_micros(u64::try_from(rounded).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rounding_is_to_the_nearest() {
        let round =
            |millis, unit| nearest(Duration::from_millis(millis), Duration::from_millis(unit)).as_millis();
        assert_eq!(round(1_500, 1_000), 2_000);
        assert_eq!(round(1_499, 1_000), 1_000);
        assert_eq!(round(124, 10), 120);
        assert_eq!(round(125, 10), 130);
        assert_eq!(round(3, 1_000), 0);
    }
}
