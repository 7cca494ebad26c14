//! `bfd_instance`.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::num::NonZeroU8;
use std::time::Duration;

use model::Influence;
use model::bfd::Session;

use crate::diagnostic::{Code, Diagnostic, shown, shown_bare};
use crate::keyword::Block;
use crate::lower::track::Trackable;
use crate::lower::{Report, Setting, Spanned, settings, track, tracker};
use crate::number;
use crate::source::Span;

/// The most bytes of a name.
const LONGEST_NAME: usize = 31;
/// The most that an interval can be: its packet counts microseconds in 32 bits (RFC 5880 §4.1).
const LONGEST_INTERVAL: Duration = Duration::from_millis(4_294_967);

/// `bfd_instance`, as it was written.
#[derive(Clone, Debug)]
pub(crate) struct BfdDraft {
    pub(crate) name: Spanned<String>,
    order: usize,
    neighbor: Option<Spanned<IpAddr>>,
    source: Option<Spanned<IpAddr>>,
    /// Something that has been reported makes it void.
    void: bool,
    min_rx: Duration,
    min_tx: Duration,
    idle_tx: Duration,
    multiplier: Option<NonZeroU8>,
    passive: bool,
    ttl: Option<NonZeroU8>,
    max_hops: Option<Spanned<i16>>,
    multihop: bool,
    influence: Influence,
    vrrp: bool,
    checker: bool,
}

/// A session that virtual routers can track: one only for checkers is none to them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct VrrpBfd<'d>(pub(crate) &'d BfdDraft);

impl Trackable for VrrpBfd<'_> {
    const BLOCK: &'static str = "bfd_instance";
    const UNDEFINED: Code = Code::UndefinedTracker;

    fn name(&self) -> &Spanned<String> {
        &self.0.name
    }

    fn order(&self) -> usize {
        self.0.order
    }

    fn is_complete(&self) -> bool {
        self.0.is_usable()
    }
}

impl BfdDraft {
    pub(crate) fn read(setting: Setting<'_, '_>, report: &mut Report) -> Option<Self> {
        let mut draft = Self::new(setting.block_name(report)?, report.turn());
        settings(setting.node.children(), Block::BfdInstance, report, |setting, report| {
            draft.set(setting, report);
        });
        draft.check(report);
        Some(draft)
    }

    fn new(name: Spanned<String>, order: usize) -> Self {
        Self {
            name,
            order,
            neighbor: None,
            source: None,
            void: false,
            min_rx: Session::INTERVAL,
            min_tx: Session::INTERVAL,
            idle_tx: Session::IDLE_INTERVAL,
            multiplier: None,
            passive: false,
            ttl: None,
            max_hops: None,
            multihop: false,
            influence: Influence::default(),
            vrrp: false,
            checker: false,
        }
    }

    fn set(&mut self, setting: Setting<'_, '_>, report: &mut Report) {
        let second = Duration::from_secs(1);
        let milli = Duration::from_millis(1);
        match setting.name() {
            "neighbor_ip" | "neighbour_ip" => {
                self.neighbor = setting.address(report);
                self.void |= self.neighbor.is_none();
                if let (None, Some(word)) = (self.neighbor, setting.node.arguments().first()) {
                    let (name, word) = (&self.name.value, shown_bare(&word.text));
                    let sentence = format!(
                        "Configuration error: BFD instance {name} has malformed neighbor address {word}, ignoring \
                         instance"
                    );
                    report.diagnostics.say_classic(sentence);
                }
            }
            "source_ip" => self.source = setting.address(report).or(self.source),
            "min_rx" => set_interval(&mut self.min_rx, milli, setting, report),
            "min_tx" => set_interval(&mut self.min_tx, milli, setting, report),
            "idle_tx" => set_interval(&mut self.idle_tx, second, setting, report),
            "multiplier" => self.multiplier = at_least_1(setting, report).or(self.multiplier),
            "passive" => self.passive = setting.flag(report),
            "ttl" | "hoplimit" => self.ttl = at_least_1(setting, report).or(self.ttl),
            "max_hops" => self.max_hops = setting.number(report).or(self.max_hops),
            "multihop" => self.multihop = setting.boolean(report).unwrap_or(self.multihop),
            "weight" => self.influence = track::weight(setting, report).unwrap_or(self.influence),
            "vrrp" => self.vrrp = setting.flag(report),
            "checker" => self.checker = setting.flag(report),
            _ => setting.lacks(report),
        }
    }

    fn check(&mut self, report: &mut Report) {
        if self.name.value.len() > LONGEST_NAME {
            let headline = format!("the name of a BFD session has at most {LONGEST_NAME} bytes");
            report.push(void(self.name.span, headline));
            self.void = true;
        }
        if self.neighbor.is_none() {
            tracker::report_incomplete(&self.name, "neighbor_ip", "ADDRESS", report);
        }
        if let (Some(neighbor), Some(source)) = (self.neighbor, self.source)
            && neighbor.value.is_ipv4() != source.value.is_ipv4()
        {
            let headline = "the two addresses of a session are not of one family";
            report.push(void(source.span, headline).label(neighbor.span, "the neighbour"));
            self.void = true;
        }
        let ttl = self.ttl();
        if let Some(hops) = self.max_hops.as_mut().filter(|hops| hops.value > i16::from(ttl.get())) {
            let headline = format!("no packet can come over more hops than its TTL of {ttl}; {ttl} is used");
            report.push(Diagnostic::warning(Code::Adjusted, hops.span, headline));
            hops.value = i16::from(ttl.get());
        }
    }

    /// Unless configured, RFC 5881 §5 for IPv4, and keepalived's habit for IPv6.
    fn ttl(&self) -> NonZeroU8 {
        let is_v6 = self.neighbor.is_some_and(|neighbor| neighbor.value.is_ipv6());
        let default = NonZeroU8::new(if is_v6 { 64 } else { 255 });
        self.ttl.or(default).unwrap_or(NonZeroU8::MAX)
    }

    fn is_usable(&self) -> bool {
        !self.void && self.neighbor.is_some()
    }

    /// Whether virtual routers hear of it.
    pub(crate) fn is_for_vrrp(&self) -> bool {
        self.vrrp || !self.checker
    }

    /// Whether real servers hear of it.
    fn is_for_checker(&self) -> bool {
        self.checker || !self.vrrp
    }

    pub(crate) fn resolve(self, _report: &mut Report) -> Option<Session> {
        if !self.is_usable() {
            return None;
        }
        let hops = self.max_hops.map_or(0, |hops| hops.value);
        Some(Session {
            ttl: self.ttl(),
            for_vrrp: self.is_for_vrrp(),
            for_checker: self.is_for_checker(),
            neighbor: self.neighbor?.value,
            source: self.source.map(|source| source.value),
            min_rx: self.min_rx,
            min_tx: self.min_tx,
            idle_tx: self.idle_tx,
            multiplier: self.multiplier.or(NonZeroU8::new(Session::MULTIPLIER))?,
            passive: self.passive,
            // -1 is "do not look".
            max_hops: u8::try_from(hops).ok(),
            multihop: self.multihop,
            influence: self.influence,
            name: self.name.value,
        })
    }
}

/// No two sessions may have one name, or the same two addresses: the first counts.
pub(crate) fn sessions(drafts: &mut Vec<BfdDraft>, report: &mut Report) {
    let mut names: BTreeMap<String, Span> = BTreeMap::new();
    let mut neighbors: BTreeMap<IpAddr, Span> = BTreeMap::new();
    // A session without source has all of them.
    let mut any_source: BTreeMap<IpAddr, Span> = BTreeMap::new();
    let mut pairs: BTreeMap<(IpAddr, IpAddr), Span> = BTreeMap::new();
    drafts.retain_mut(|draft| {
        let Spanned { value, span } = &draft.name;
        if let Some(&first) = names.get(value) {
            let headline = format!("the session {} is defined already", shown(value));
            report.push(
                Diagnostic::warning(Code::DuplicateName, *span, headline)
                    .label(first, "this one counts")
                    .help("give it another name; this one is ignored")
                    .classic(format!(
                        "Configuration error: BFD instance {value} already configured - ignoring"
                    )),
            );
            return false;
        }
        names.insert(value.clone(), *span);
        let Some(neighbor) = draft.neighbor.filter(|_| !draft.void) else { return true };
        let source = draft.source.map(|source| source.value);
        let taken = match source {
            Some(source) => pairs.get(&(neighbor.value, source)).or_else(|| any_source.get(&neighbor.value)),
            None => neighbors.get(&neighbor.value),
        };
        if let Some(&first) = taken {
            let headline = format!("there is a session with `{}` already", neighbor.value);
            let sentence = format!(
                "Configuration error: BFD instance {value} has duplicate neighbor address {}, ignoring instance",
                neighbor.value
            );
            report.push(void(neighbor.span, headline).label(first, "this one counts").classic(sentence));
            draft.void = true;
            return true;
        }
        neighbors.entry(neighbor.value).or_insert(neighbor.span);
        match source {
            Some(source) => pairs.insert((neighbor.value, source), neighbor.span),
            None => any_source.insert(neighbor.value, neighbor.span),
        };
        true
    });
}

fn void(span: Span, headline: impl Into<String>) -> Diagnostic {
    Diagnostic::warning(Code::InvalidSession, span, headline)
        .help("the session is ignored, and so is who tracks it")
}

fn at_least_1(setting: Setting<'_, '_>, report: &mut Report) -> Option<NonZeroU8> {
    NonZeroU8::new(setting.number(report)?.value)
}

/// Milliseconds with at most three decimals.
fn set_interval(slot: &mut Duration, least: Duration, setting: Setting<'_, '_>, report: &mut Report) {
    let Some(word) = setting.only(report) else { return };
    let range = || format!("{} to {} milliseconds", least.as_millis(), LONGEST_INTERVAL.as_millis());
    match number::decimal(&word.text, 3) {
        // Millionths of a millisecond are nanoseconds.
        Ok(number) if (least..=LONGEST_INTERVAL).contains(&Duration::from_nanos(number.value)) => {
            if number.rounded {
                let headline = format!("{} has more than 3 decimals; it is rounded", shown(&word.text));
                report.push(Diagnostic::warning(Code::Adjusted, word.span, headline));
            }
            *slot = Duration::from_nanos(number.value);
        }
        Ok(_) | Err(number::NumberError::TooLarge) => report.push(setting.out_of_range(word, &range())),
        Err(number::NumberError::Invalid) => {
            report.push(setting.invalid(Code::InvalidNumber, word, "is not a number of milliseconds"));
        }
    }
}
