//! Who an instance is and when it is master.

use std::time::Duration;

use model::vrrp::{Initial, Version};
use model::{Family, Priority};

use crate::diagnostic::{Code, Diagnostic, Severity, shown};
use crate::lower::instance::{Instance, set};
use crate::lower::{Report, Setting, Spanned, global};
use crate::number;
use crate::source::Span;

/// What decides who is master. `None` is "not said".
#[derive(Clone, Copy, Debug)]
pub(crate) struct Election {
    pub(crate) version: Option<Spanned<Version>>,
    pub(crate) priority: Option<Priority>,
    pub(crate) state: Option<Spanned<Initial>>,
    pub(crate) advert_interval: Option<Spanned<Duration>>,
    pub(crate) down_timer_adverts: Option<Spanned<u8>>,
    pub(crate) nopreempt: Option<Span>,
    pub(crate) preempt_delay: Option<Spanned<Duration>>,
    pub(crate) strict: Option<bool>,
    pub(crate) lower_prio_no_advert: Option<Spanned<bool>>,
    pub(crate) higher_prio_send_advert: Option<Spanned<bool>>,
    pub(crate) owner_ignore_adverts: Option<bool>,
    pub(crate) timer_expired_backup: Option<Spanned<Priority>>,
}

impl Election {
    /// Nothing said.
    pub(crate) const EMPTY: Self = Self {
        version: None,
        priority: None,
        state: None,
        advert_interval: None,
        down_timer_adverts: None,
        nopreempt: None,
        preempt_delay: None,
        strict: None,
        lower_prio_no_advert: None,
        higher_prio_send_advert: None,
        owner_ignore_adverts: None,
        timer_expired_backup: None,
    };

    /// Takes a line, if it is about the election.
    pub(super) fn read(&mut self, setting: Setting<'_, '_>, report: &mut Report) -> bool {
        match setting.name() {
            "priority" => self.priority = Some(priority(setting, report)),
            "state" => self.set_state(setting, report),
            "advert_int" => set(&mut self.advert_interval, setting.seconds(report)),
            "down_timer_adverts" => set(&mut self.down_timer_adverts, setting.number(report)),
            "preempt" => {
                setting.flag(report);
                self.nopreempt = None;
            }
            "nopreempt" => {
                setting.flag(report);
                self.nopreempt = Some(setting.span());
            }
            "preempt_delay" => set(&mut self.preempt_delay, setting.seconds(report)),
            "strict_mode" => set(&mut self.strict, setting.boolean(report)),
            "lower_prio_no_advert" => set(&mut self.lower_prio_no_advert, boolean(setting, report)),
            "higher_prio_send_advert" => set(&mut self.higher_prio_send_advert, boolean(setting, report)),
            "owner_ignore_adverts" => set(&mut self.owner_ignore_adverts, setting.boolean(report)),
            "timer_expired_backup" | "thread_timer_expired" => {
                setting.remark_on_alias(Severity::Warning, report);
                set(&mut self.timer_expired_backup, others_priority(setting, report));
            }
            _ => return false,
        }
        true
    }

    /// `MASTER` cannot be taken back.
    fn set_state(&mut self, setting: Setting<'_, '_>, report: &mut Report) {
        let Some(state) = state(setting, report) else { return };
        match self.state {
            Some(first) if first.value == Initial::Master && state.value == Initial::Backup => {
                let headline = "the state is MASTER already; the line has no effect";
                report.push(
                    Diagnostic::warning(Code::Repeated, state.span, headline).label(first.span, "here"),
                );
            }
            _ => self.state = Some(state),
        }
    }
}

impl Instance {
    /// The first version that is said, or follows from the family, stays in force.
    pub(super) fn set_version(&mut self, setting: Setting<'_, '_>, report: &mut Report) {
        let span = setting.span();
        let Some(version) = global::version(setting, report).map(|value| Spanned { value, span }) else {
            return;
        };
        let native = self.family.filter(|family| family.value == Family::V6);
        let first = self.election.version.map(|first| (first.value, first.span));
        let first = first.or_else(|| native.map(|family| (Version::V3, family.span)));
        match first {
            Some((value, place)) if value != version.value => {
                let headline = format!("this is version {value} already; the line has no effect");
                report.push(
                    Diagnostic::warning(Code::Repeated, span, headline)
                        .label(place, format!("version {value} follows from this")),
                );
            }
            Some(_) => {}
            None => self.election.version = Some(version),
        }
    }
}

fn boolean(setting: Setting<'_, '_>, report: &mut Report) -> Option<Spanned<bool>> {
    setting.boolean(report).map(|value| Spanned { value, span: setting.span() })
}

/// A bad priority is 100, even if `state MASTER` would make it 255.
fn priority(setting: Setting<'_, '_>, report: &mut Report) -> Priority {
    let before = report.diagnostics.len();
    let number = setting.number::<u8>(report);
    if number.is_none()
        && report.diagnostics.len() > before
        && let Some(diagnostic) = report.diagnostics.last_mut()
    {
        diagnostic.help = Some("a priority is 1 to 255; 100 is used".to_owned());
    }
    number.map_or(Priority::DEFAULT, |number| Priority(number.value))
}

fn state(setting: Setting<'_, '_>, report: &mut Report) -> Option<Spanned<Initial>> {
    let word = setting.only(report)?;
    let value = match word.text.as_ref() {
        "MASTER" => Initial::Master,
        "BACKUP" => Initial::Backup,
        other => {
            let headline = format!("{} is no state; BACKUP is used", shown(other));
            report.push(
                Diagnostic::warning(Code::InvalidChoice, word.span, headline)
                    .help("write `MASTER` or `BACKUP`")
                    .classic(format!("({}) unknown state '{other}', defaulting to BACKUP", report.subject)),
            );
            Initial::Backup
        }
    };
    Some(Spanned { value, span: word.span })
}

/// The highest priority that another router may have: as given, or the most there is.
fn others_priority(setting: Setting<'_, '_>, report: &mut Report) -> Option<Spanned<Priority>> {
    setting.note_words_after(1, report);
    let span = setting.span();
    let Some(word) = setting.node.arguments().first() else {
        return Some(Spanned { value: Priority::MOST, span });
    };
    match number::integer(&word.text).ok().and_then(|number| u8::try_from(number).ok()) {
        Some(number @ 1..=254) => Some(Spanned { value: Priority(number), span }),
        _ => {
            report.push(setting.out_of_range(word, "1 to 254"));
            None
        }
    }
}
