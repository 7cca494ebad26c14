//! What instances and groups track: `track_interface`, `track_script`, `track_file`, `track_process`, `track_bfd`, and weights.

use std::collections::btree_map::{BTreeMap, Entry};

use model::vrrp::{TrackedInterface, TrackedScript, Tracking};
use model::{IfName, Influence, Priority, Weight};

use crate::diagnostic::{Code, Diagnostic, Severity, shown, shown_bare};
use crate::keyword::{Arguments, nearest_of};
use crate::lexer::Word;
use crate::lower::{Report, Setting, Spanned, setting};
use crate::number;
use crate::source::Span;

/// The five lists of an instance or group.
#[derive(Clone, Debug, Default)]
pub(crate) struct TrackDraft {
    pub(crate) interfaces: Vec<Tracker<IfName>>,
    pub(crate) scripts: Vec<Tracker<String>>,
    pub(crate) files: Vec<Tracker<String>>,
    pub(crate) processes: Vec<Tracker<String>>,
    pub(crate) bfds: Vec<Tracker<String>>,
}

/// One line of a list of trackers.
#[derive(Clone, Debug)]
pub(crate) struct Tracker<T> {
    /// What is tracked.
    pub(crate) target: Spanned<T>,
    /// `weight`, if the line has one.
    weight: Option<Spanned<Weight>>,
    /// `reverse` or `noreverse`, if the line has one.
    reverse: Option<bool>,
    /// Its place in the order of reading.
    order: usize,
    /// Its options cannot be read, which has been reported: it has no effect, but its name is still looked up.
    is_void: bool,
}

/// The same lists, names looked up.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tracked {
    pub(crate) interfaces: Vec<TrackedInterface>,
    pub(crate) scripts: Vec<TrackedScript>,
    pub(crate) files: Vec<Tracking>,
    pub(crate) processes: Vec<Tracking>,
    pub(crate) bfds: Vec<Tracking>,
}

/// How each thing that can be tracked acts by default, by its name.
#[derive(Clone, Debug, Default)]
pub(crate) struct Defaults {
    pub(crate) scripts: BTreeMap<String, Influence>,
    pub(crate) files: BTreeMap<String, Influence>,
    pub(crate) processes: BTreeMap<String, Influence>,
    pub(crate) bfds: BTreeMap<String, Influence>,
}

/// Who tracks.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Who<'a> {
    /// An instance on this interface, with this priority.
    Instance(Option<&'a IfName>, Priority),
    /// A sync group.
    Group,
}

/// What the lines of a list may say.
struct List {
    keyword: &'static str,
    /// As in messages: "weight for a SCRIPT".
    what: &'static str,
    /// The greatest weight either way.
    most: i16,
    /// 254 is taken for 253.
    cuts: bool,
    /// How bad a weight is that the owner of the addresses is to have.
    of_owner: Severity,
    /// `noreverse` has a meaning, as the tracked thing has a weight of its own.
    noreverse: bool,
}

const INTERFACES: List = List {
    keyword: "track_interface",
    what: "an interface",
    most: 253,
    cuts: true,
    of_owner: Severity::Warning,
    noreverse: false,
};
const SCRIPTS: List = List {
    keyword: "track_script",
    what: "a script",
    most: 253,
    cuts: true,
    of_owner: Severity::Warning,
    noreverse: true,
};
const FILES: List = List {
    keyword: "track_file",
    what: "a file",
    most: 254,
    cuts: false,
    of_owner: Severity::Warning,
    noreverse: true,
};
// keepalived says nothing of processes there, and ignores them too.
const PROCESSES: List = List {
    keyword: "track_process",
    what: "a process",
    most: 254,
    cuts: false,
    of_owner: Severity::Note,
    noreverse: true,
};
const BFDS: List = List {
    keyword: "track_bfd",
    what: "a BFD session",
    most: 253,
    cuts: false,
    of_owner: Severity::Warning,
    noreverse: true,
};

impl TrackDraft {
    pub(crate) const EMPTY: Self = Self {
        interfaces: Vec::new(),
        scripts: Vec::new(),
        files: Vec::new(),
        processes: Vec::new(),
        bfds: Vec::new(),
    };

    /// Takes the setting if it is one of the lists.
    pub(crate) fn read(&mut self, setting: Setting<'_, '_>, report: &mut Report) -> bool {
        match setting.name() {
            "track_interface" => {
                self.interfaces.extend(entries(setting, &INTERFACES, report, setting::interface));
            }
            "track_script" => self.scripts.extend(entries(setting, &SCRIPTS, report, name)),
            "track_file" => self.files.extend(entries(setting, &FILES, report, name)),
            "track_process" => self.processes.extend(entries(setting, &PROCESSES, report, name)),
            "track_bfd" => self.bfds.extend(entries(setting, &BFDS, report, name)),
            _ => return false,
        }
        true
    }

    /// What is meant, duplicates left out.
    pub(crate) fn resolve(&self, defaults: &Defaults, who: Who<'_>, report: &mut Report) -> Tracked {
        let mut named = |list, trackers: &[_], defaults| resolve_named(list, trackers, defaults, who, report);
        let tracking = |(name, influence)| Tracking { name, influence };
        let script = |(script, influence)| TrackedScript { script, influence };
        Tracked {
            scripts: named(&SCRIPTS, &self.scripts, &defaults.scripts).into_iter().map(script).collect(),
            files: named(&FILES, &self.files, &defaults.files).into_iter().map(tracking).collect(),
            processes: named(&PROCESSES, &self.processes, &defaults.processes)
                .into_iter()
                .map(tracking)
                .collect(),
            bfds: named(&BFDS, &self.bfds, &defaults.bfds).into_iter().map(tracking).collect(),
            interfaces: self.resolve_interfaces(who, report),
        }
    }

    fn resolve_interfaces(&self, who: Who<'_>, report: &mut Report) -> Vec<TrackedInterface> {
        let is_own = |tracker: &&Tracker<IfName>| matches!(who, Who::Instance(Some(own), _) if tracker.target.value == *own);
        for own in self.interfaces.iter().filter(is_own) {
            let headline = format!("{} is the instance's own interface", shown(own.target.value.as_str()));
            report.push(
                Diagnostic::warning(Code::DuplicateEntry, own.target.span, headline)
                    .help("it is tracked anyway; the line has no effect"),
            );
        }
        let others = self.interfaces.iter().filter(|tracker| !is_own(tracker) && !tracker.is_void);
        once(others, "track_interface", IfName::as_str, report)
            .into_iter()
            .map(|tracker| (tracker, tracker.influence(Influence::default())))
            .filter(|(tracker, influence)| may_weigh(&INTERFACES, *influence, who, tracker.span(), report))
            .map(|(tracker, influence)| TrackedInterface {
                interface: tracker.target.value.clone(),
                influence,
            })
            .collect()
    }
}

/// What names stand for; one that stands for nothing has been reported.
fn resolve_named(
    list: &List,
    trackers: &[Tracker<String>],
    defaults: &BTreeMap<String, Influence>,
    who: Who<'_>,
    report: &mut Report,
) -> Vec<(String, Influence)> {
    once(trackers.iter(), list.keyword, String::as_str, report)
        .into_iter()
        .filter_map(|tracker| Some((tracker, tracker.influence(*defaults.get(&tracker.target.value)?))))
        .filter(|(tracker, influence)| may_weigh(list, *influence, who, tracker.span(), report))
        .map(|(tracker, influence)| (tracker.target.value.clone(), influence))
        .collect()
}

/// The trackers without those whose target another has already.
fn once<'t, T: 't>(
    trackers: impl Iterator<Item = &'t Tracker<T>>,
    keyword: &str,
    name: impl Fn(&T) -> &str,
    report: &mut Report,
) -> Vec<&'t Tracker<T>> {
    let mut first: BTreeMap<&str, Span> = BTreeMap::new();
    let mut kept = Vec::new();
    for tracker in trackers {
        let Spanned { value, span } = &tracker.target;
        match first.entry(name(value)) {
            Entry::Vacant(place) => {
                place.insert(*span);
                kept.push(tracker);
            }
            Entry::Occupied(first) => {
                let headline = format!("{} is tracked already; the line has no effect", shown(name(value)));
                report.push(
                    Diagnostic::warning(Code::DuplicateEntry, *span, headline)
                        .label(*first.get(), "first here")
                        .classic(format!(
                            "({}) duplicate {keyword} {} - ignoring",
                            report.subject,
                            name(value)
                        )),
                );
            }
        }
    }
    kept
}

/// The owner's priority never changes (RFC 9568 §6.1), so only a fault can act on it.
fn may_weigh(list: &List, influence: Influence, who: Who<'_>, span: Span, report: &mut Report) -> bool {
    if influence.weight == Weight::FAULT || !matches!(who, Who::Instance(_, Priority::OWNER)) {
        return true;
    }
    let headline = "a weight cannot act on an instance with priority 255; the line has no effect";
    report.push(
        Diagnostic::new(list.of_owner, Code::IdleWeight, span, headline)
            .help("give the instance a `priority` below 255, or the tracker weight 0"),
    );
    false
}

/// Something that can be tracked by its name.
pub(crate) trait Trackable {
    /// The keyword of its block.
    const BLOCK: &'static str;
    /// What a name is that stands for none.
    const UNDEFINED: Code;

    fn name(&self) -> &Spanned<String>;
    /// Its place in the order of reading.
    fn order(&self) -> usize;
    /// Whether it has all that it needs. If not, that has been reported.
    fn is_complete(&self) -> bool;
}

/// Reports names that stand for nothing, or for what comes only later, and drops the trackers that have them.
pub(crate) fn retain_defined<T: Trackable>(
    trackers: &mut Vec<Tracker<String>>,
    defined: &BTreeMap<&str, &T>,
    report: &mut Report,
) {
    trackers.retain(|tracker| {
        let target = &tracker.target;
        let problem = match defined.get(target.value.as_str()) {
            Some(known) if known.order() < tracker.order => return known.is_complete() && !tracker.is_void,
            Some(known) => {
                let headline = format!("{} is used before it is defined", shown(&target.value));
                Diagnostic::warning(T::UNDEFINED, target.span, headline)
                    .label(known.name().span, "this must come first")
                    .help("nothing is tracked; move the definition up")
            }
            None => {
                let compared = if report.may_suggest() { defined.len() } else { 0 };
                let headline = format!("there is no `{}` {}", T::BLOCK, shown(&target.value));
                let kind = T::BLOCK.trim_start_matches("vrrp_").trim_start_matches("track_");
                let sentence = format!(
                    "({}) track {} {} not found, ignoring...",
                    report.subject,
                    kind.trim_end_matches("_instance"),
                    target.value
                );
                let diagnostic = Diagnostic::warning(T::UNDEFINED, target.span, headline).classic(sentence);
                let candidates = defined.values().take(compared);
                match nearest_of(&target.value, candidates, |known| known.name().value.as_str()) {
                    Some(near) => {
                        let near = near.name();
                        let help =
                            format!("did you mean {}? As it is, nothing is tracked", shown(&near.value));
                        diagnostic.label(near.span, "a similar name").help(help)
                    }
                    None => diagnostic.help("nothing is tracked; define it, or take the line out"),
                }
            }
        };
        report.push(problem);
        false
    });
}

/// The first of each name counts.
pub(crate) fn retain_first<T: Trackable>(drafts: &mut Vec<T>, severity: Severity, report: &mut Report) {
    let mut first: BTreeMap<String, Span> = BTreeMap::new();
    drafts.retain(|draft| match first.entry(draft.name().value.clone()) {
        Entry::Vacant(place) => {
            place.insert(draft.name().span);
            true
        }
        Entry::Occupied(first) => {
            let headline = format!("the `{}` {} is defined already", T::BLOCK, shown(&draft.name().value));
            report.push(
                Diagnostic::new(severity, Code::DuplicateName, draft.name().span, headline)
                    .label(*first.get(), "this one counts")
                    .help("give it another name; this one is ignored"),
            );
            false
        }
    });
}

fn name(word: &Word<'_>, _: &mut Report) -> Option<Spanned<String>> {
    Some(Spanned { value: word.text.clone().into_owned(), span: word.span })
}

fn entries<T>(
    block: Setting<'_, '_>,
    list: &List,
    report: &mut Report,
    target: impl Fn(&Word<'_>, &mut Report) -> Option<Spanned<T>>,
) -> Vec<Tracker<T>> {
    let mut trackers = Vec::new();
    for node in block.node.children() {
        let Some(target) = node.head().and_then(|head| target(head, report)) else { continue };
        let mut tracker =
            Tracker { target, weight: None, reverse: None, order: report.turn(), is_void: false };
        tracker.is_void = !tracker.read_options(node.arguments(), list, report);
        trackers.push(tracker);
    }
    trackers
}

impl<T> Tracker<T> {
    /// What it does, where the tracked thing's own setting is `default`.
    pub(crate) fn influence(&self, default: Influence) -> Influence {
        Influence {
            weight: self.weight.map_or(default.weight, |weight| weight.value),
            reverse: self.reverse.unwrap_or(default.reverse),
        }
    }

    /// Where its weight stands, or else the whole entry.
    pub(crate) fn span(&self) -> Span {
        self.weight.map_or(self.target.span, |weight| self.target.span.to(weight.span))
    }

    /// Reads `weight NUMBER [reverse]`. Whether the line stands: what is no weight makes all of it void.
    fn read_options(&mut self, words: &[Word<'_>], list: &List, report: &mut Report) -> bool {
        let [first, rest @ ..] = words else { return true };
        if first.text != "weight" {
            report.push(not_an_option(first, list, "the line has no effect"));
            return false;
        }
        let [weight, rest @ ..] = rest else {
            let headline = "`weight` needs a value; the line has no effect";
            let help = format!("write `weight -{0}..{0}`", list.most);
            report.push(Diagnostic::warning(Code::MissingArgument, first.span, headline).help(help));
            return false;
        };
        self.weight = entry_weight(weight, list, report);
        if let [option, ..] = rest {
            match option.text.as_ref() {
                "reverse" => self.reverse = Some(true),
                "noreverse" if list.noreverse => self.reverse = Some(false),
                _ => report.push(not_an_option(option, list, "it is ignored")),
            }
        }
        if let [_, more @ ..] = rest
            && let (Some(start), Some(end)) = (more.first(), more.last())
        {
            let headline = "what follows the options of a tracker is ignored";
            report.push(Diagnostic::note(Code::ExtraWords, start.span.to(end.span), headline));
        }
        true
    }
}

fn not_an_option(word: &Word<'_>, list: &List, consequence: &str) -> Diagnostic {
    let headline = format!("{} is no option here; {consequence}", shown(&word.text));
    let options = if list.noreverse { "`reverse` or `noreverse`" } else { "`reverse`" };
    let help = format!("write `NAME weight NUMBER`, and then {options} perhaps");
    Diagnostic::warning(Code::InvalidChoice, word.span, headline).help(help)
}

/// The weight of one line.
fn entry_weight(word: &Word<'_>, list: &List, report: &mut Report) -> Option<Spanned<Weight>> {
    let value = number::integer(&word.text).ok().and_then(|value| i16::try_from(value).ok());
    let nearest = value.map(|value| value.clamp(-list.most, list.most));
    let weight = match (value, nearest) {
        (Some(value), Some(nearest)) if value == nearest => Weight::try_from(value).ok(),
        (Some(-254 | 254), Some(nearest)) if list.cuts => {
            let headline = format!("the weight of {} is -253 to 253; {nearest} is used", list.what);
            report.push(Diagnostic::warning(Code::Adjusted, word.span, headline));
            Weight::try_from(nearest).ok()
        }
        _ => {
            let headline = format!("{} is no weight for {}", shown(&word.text), list.what);
            let help = format!("a weight is -{0} to {0}; this one has no effect", list.most);
            let sentence = match value {
                Some(_) => format!("number '{}' outside range [-254, 254]", shown_bare(&word.text)),
                None => format!("invalid number '{}'", shown_bare(&word.text)),
            };
            report.push(
                Diagnostic::warning(Code::OutOfRange, word.span, headline).help(help).classic(sentence),
            );
            None
        }
    };
    weight.map(|value| Spanned { value, span: word.span })
}

/// `weight NUMBER [reverse]` of what is tracked.
pub(crate) fn weight(setting: Setting<'_, '_>, report: &mut Report) -> Option<Influence> {
    debug_assert!(matches!(setting.keyword.arguments, Arguments::Weight(_)), "the table says so");
    let word = setting.first(report)?;
    setting.note_words_after(2, report);
    let value = setting.integer_in(word, report)?;
    let weight = i16::try_from(value).ok().and_then(|value| Weight::try_from(value).ok())?;
    let option = setting.node.arguments().get(1);
    if let Some(option) = option.filter(|option| option.text != "reverse") {
        let headline = format!("{} cannot follow a weight; it is ignored", shown(&option.text));
        let diagnostic = Diagnostic::warning(Code::InvalidChoice, option.span, headline);
        report.push(diagnostic.help("only `reverse` can"));
    }
    Some(Influence { weight, reverse: option.is_some_and(|option| option.text == "reverse") })
}
