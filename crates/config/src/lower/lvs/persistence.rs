//! `persistence_timeout`, `persistence_granularity` and `persistence_engine`.

use std::net::Ipv4Addr;
use std::num::NonZeroU8;
use std::time::Duration;

use model::Family;
use model::lvs::{Persistence, PersistenceMask};

use crate::diagnostic::{Code, Diagnostic, shown, shown_bare};
use crate::lexer::Word;
use crate::lower::{Report, Setting};
use crate::number;

/// What holds if only one of the keywords is there.
const TIMEOUT: Duration = Duration::from_secs(360);

/// What the kernel stores, with the final NUL.
const LONGEST_ENGINE: usize = 16;

/// What is said about persistence so far.
#[derive(Clone, Debug, Default)]
pub(super) struct PersistenceDraft {
    timeout: Option<Duration>,
    mask: Option<PersistenceMask>,
    engine: Option<Box<str>>,
}

impl PersistenceDraft {
    /// A client stays with its server.
    pub(super) fn is_on(&self) -> bool {
        self.timeout.is_some()
    }

    /// With the default time.
    pub(super) fn turn_on(&mut self) {
        self.timeout.get_or_insert(TIMEOUT);
    }

    /// Takes a line, if it is about this. A mask settles the address family of a service that has none yet.
    pub(super) fn read(
        &mut self,
        setting: Setting<'_, '_>,
        family: &mut Option<Family>,
        report: &mut Report,
    ) -> bool {
        match setting.name() {
            "persistence_timeout" => self.timeout = timeout(setting, report).or(self.timeout),
            "persistence_engine" => self.engine = engine(setting, report).or_else(|| self.engine.take()),
            "persistence_granularity" => {
                if let Some(mask) = mask(setting, family, report) {
                    self.mask = Some(mask);
                    self.turn_on();
                }
            }
            _ => return false,
        }
        true
    }

    pub(super) fn resolve(self, family: Family) -> Option<Persistence> {
        let hosts = match family {
            Family::V4 => PersistenceMask::V4(Ipv4Addr::BROADCAST),
            Family::V6 => PersistenceMask::V6(NonZeroU8::new(128)?),
        };
        Some(Persistence { timeout: self.timeout?, mask: self.mask.unwrap_or(hosts), engine: self.engine })
    }
}

fn timeout(setting: Setting<'_, '_>, report: &mut Report) -> Option<Duration> {
    setting.note_words_after(1, report);
    let Some(word) = setting.node.arguments().first() else { return Some(TIMEOUT) };
    match number::integer(&word.text).ok().and_then(|seconds| u64::try_from(seconds).ok()) {
        Some(seconds @ 1..=2_678_400) => Some(Duration::from_secs(seconds)),
        _ => {
            report.push(setting.out_of_range(word, "1 to 2678400 seconds"));
            None
        }
    }
}

fn engine(setting: Setting<'_, '_>, report: &mut Report) -> Option<Box<str>> {
    let word = setting.only(report)?;
    let text = word.text.as_ref();
    let kept = text.get(..text.floor_char_boundary(LONGEST_ENGINE)).unwrap_or(text);
    if kept.len() < text.len() {
        let headline = format!("{} is longer than {LONGEST_ENGINE} bytes; `{kept}` is used", shown(text));
        report.push(Diagnostic::warning(Code::Adjusted, word.span, headline));
    } else if text != "sip" {
        let headline = format!("Linux has no persistence engine {}", shown(text));
        report.push(Diagnostic::note(Code::InvalidChoice, word.span, headline).help("it has `sip`"));
    }
    Some(kept.into())
}

fn mask(
    setting: Setting<'_, '_>,
    family: &mut Option<Family>,
    report: &mut Report,
) -> Option<PersistenceMask> {
    let word = setting.only(report)?;
    let is_v4 = match family {
        Some(family) => *family == Family::V4,
        None => word.text.contains('.'),
    };
    let mask = if is_v4 { mask_v4(word, report) } else { mask_v6(word) };
    match mask {
        Some(_) => *family = Some(if is_v4 { Family::V4 } else { Family::V6 }),
        None => {
            let headline = format!("{} is no mask of clients", shown(&word.text));
            let help =
                if is_v4 { "write a netmask, 255.255.255.0" } else { "write a prefix length of 1 to 128" };
            report.push(
                Diagnostic::warning(Code::InvalidAddress, word.span, headline)
                    .help(format!("{help}; the line has no effect"))
                    .classic(format!(
                        "Invalid {} persistence_granularity specified - {}",
                        if is_v4 { "IPv4" } else { "IPv6" },
                        shown_bare(&word.text)
                    )),
            );
        }
    }
    mask
}

/// keepalived reads it as the C library does: `24` is 0.0.0.24, which nobody wants.
fn mask_v4(word: &Word<'_>, report: &mut Report) -> Option<PersistenceMask> {
    if let Ok(mask) = word.text.parse::<Ipv4Addr>() {
        if mask.to_bits().leading_ones() + mask.to_bits().trailing_zeros() != 32 && mask.to_bits() != 0 {
            let headline = format!("{} is no usual netmask", shown(&word.text));
            report
                .push(Diagnostic::note(Code::InvalidAddress, word.span, headline).help("its bits have gaps"));
        }
        return Some(PersistenceMask::V4(mask));
    }
    let bits = number::based(&word.text).ok()?;
    let mask = Ipv4Addr::from_bits(bits);
    let headline = format!("{} is read as the netmask {mask}", shown(&word.text));
    let help = match u8::try_from(bits).ok().filter(|length| *length <= 32) {
        Some(length) => {
            let meant = u32::MAX.checked_shl(u32::from(32 - length)).unwrap_or_default();
            format!("write {} if a prefix of {length} bits is meant", Ipv4Addr::from_bits(meant))
        }
        None => "write all four parts of it".to_owned(),
    };
    report.push(Diagnostic::note(Code::InvalidAddress, word.span, headline).help(help));
    Some(PersistenceMask::V4(mask))
}

fn mask_v6(word: &Word<'_>) -> Option<PersistenceMask> {
    let length = number::integer(&word.text).ok().and_then(|length| u8::try_from(length).ok());
    length.filter(|length| *length <= 128).and_then(NonZeroU8::new).map(PersistenceMask::V6)
}
