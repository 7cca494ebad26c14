//! Entries of `virtual_rules` and `static_rules`.

mod action;
mod selector;

use model::Family;
use model::route::Protocol;
use model::rule::{Rule, Selector};

use crate::diagnostic::{Code, Diagnostic, shown};
use crate::keyword::{self, Block, Keyword};
use crate::lexer::Word;
use crate::lower::address::set_track_group;
use crate::lower::entry::{Entry, Written};
use crate::lower::route::{family_word, name_of};
use crate::lower::{Report, Setting, Spanned};
use crate::number;
use crate::source::Span;

use action::ActionDraft;

/// The priority of the first rule that has none of its own; each further one comes before it, as with keepalived.
const UNRANKED: u32 = 16_384;

/// One rule, and what links it to others.
#[derive(Clone, Debug)]
pub(crate) struct RuleDraft {
    rule: Rule,
    /// `track_group`, of static rules.
    pub(crate) track_group: Option<Spanned<String>>,
}

/// The entries of a block.
pub(crate) fn read_all(block: Setting<'_, '_>, report: &mut Report) -> Vec<RuleDraft> {
    let Some(kind) = block.keyword.opens else { return Vec::new() };
    let lines = block.node.children().iter().map(|node| node.statement.words.as_slice());
    lines.filter_map(|words| RuleDraft::read(words, kind, report)).collect()
}

/// The rules that are meant.
pub(crate) fn resolve(drafts: Vec<RuleDraft>) -> Vec<Rule> {
    drafts.into_iter().map(RuleDraft::resolve).collect()
}

impl RuleDraft {
    fn read(words: &[Word<'_>], block: Block, report: &mut Report) -> Option<Self> {
        let span = words.first()?.span.to(words.last()?.span);
        let mut reader = Reader { entry: Entry::new(words, block, "rule"), block, line: Line::new(span) };
        reader.read(report)?;
        reader.line.finish(report)
    }

    pub(crate) fn resolve(self) -> Rule {
        self.rule
    }
}

/// A line that is being read.
struct Reader<'n, 'a> {
    entry: Entry<'n, 'a>,
    block: Block,
    line: Line,
}

/// What a line has said so far.
#[derive(Clone, Debug)]
struct Line {
    span: Span,
    /// What first decided the family, and how.
    family: Option<Spanned<Family>>,
    priority: Option<Spanned<u32>>,
    inverted: bool,
    selector: Selector,
    action: ActionDraft,
    protocol: Option<Spanned<Protocol>>,
    tracked: bool,
    track_group: Option<Spanned<String>>,
}

impl Reader<'_, '_> {
    /// Reads all words. `None` makes the entry void.
    fn read(&mut self, report: &mut Report) -> Option<()> {
        while let Some(word) = self.entry.next() {
            let keyword = keyword::lookup(self.block, &word.text);
            let Some(keyword) = keyword.filter(|keyword| !keyword.name.starts_with('(')) else {
                self.report_stranger(word, report);
                return None;
            };
            self.option(word, keyword, report)?;
        }
        Some(())
    }

    fn option(&mut self, word: &Word<'_>, keyword: &Keyword, report: &mut Report) -> Option<()> {
        match keyword.alias_of.unwrap_or(keyword.name) {
            "inet" => {
                report.push(family_word(word));
                self.line.claim(Family::V4, word.span, &word.text, report)?;
            }
            "inet6" => {
                report.push(family_word(word));
                self.line.claim(Family::V6, word.span, &word.text, report)?;
            }
            "not" => self.line.inverted = true,
            "preference" => {
                let value = self.entry.based(word, 0..=u32::MAX.into(), report)?;
                self.line.priority = Some(Spanned { value, span: word.span });
            }
            "protocol" => self.protocol(word, report)?,
            "no_track" => self.line.tracked = false,
            "track_group" => {
                let group = self.entry.value(word, report)?;
                set_track_group(&mut self.line.track_group, group, self.entry.noun(), report);
            }
            name => {
                if !self.action(word, name, report)? {
                    self.select(word, name, report)?;
                }
            }
        }
        Some(())
    }

    /// A number alone, unlike that of a route.
    fn protocol(&mut self, option: &Word<'_>, report: &mut Report) -> Option<()> {
        let word = self.entry.value(option, report)?;
        match number::natural(&word.text).ok().and_then(|number| u8::try_from(number).ok()) {
            Some(number) => {
                self.line.protocol =
                    Some(Spanned { value: Protocol(number), span: option.span.to(word.span) });
            }
            None => {
                let headline = format!("{} is no protocol of a rule; it is ignored", shown(&word.text));
                report.push(
                    Diagnostic::warning(Code::InvalidNumber, word.span, headline)
                        .help("write a number up to 255, not a name"),
                );
            }
        }
        Some(())
    }

    fn report_stranger(&self, word: &Word<'_>, report: &mut Report) {
        let headline = format!("{} is no option of a rule", shown(&word.text));
        let advice = if Written::parse(&word.text).is_some() {
            "write `from` or `to` before an address".to_owned()
        } else {
            let near = keyword::nearest(self.block, &word.text);
            near.map(|near| format!("did you mean `{}`?", near.name)).unwrap_or_default()
        };
        let diagnostic = self.entry.void(Code::InvalidChoice, word.span, headline, &advice);
        report.push(diagnostic.classic(format!("Unknown rule option {}", word.text)));
    }
}

impl Line {
    fn new(span: Span) -> Self {
        Self {
            span,
            family: None,
            priority: None,
            inverted: false,
            selector: Selector::default(),
            action: ActionDraft::default(),
            protocol: None,
            tracked: true,
            track_group: None,
        }
    }

    /// The whole rule is of one family; who comes first decides.
    fn claim(&mut self, family: Family, span: Span, what: &str, report: &mut Report) -> Option<()> {
        let first = *self.family.get_or_insert(Spanned { value: family, span });
        if first.value == family {
            return Some(());
        }
        let headline = format!(
            "{} is for {} and does not fit a rule that is {}",
            shown(what),
            name_of(family),
            name_of(first.value)
        );
        report.push(
            Diagnostic::warning(Code::MixedFamilies, span, headline)
                .label(first.span, format!("this makes it an {} rule", name_of(first.value)))
                .help("the whole rule is ignored; write one for each family"),
        );
        None
    }

    /// The rule that the words mean together.
    fn finish(self, report: &mut Report) -> Option<RuleDraft> {
        let action = self.action.finish(self.span, self.priority, report)?;
        let family = self.family.map_or(Family::V4, |family| family.value);
        let priority = match self.priority {
            Some(priority) => priority.value,
            None => unranked(family, self.span, report),
        };
        let protocol = protocol(self.protocol, self.tracked, report);
        let group = self.track_group.filter(|group| {
            let has_interface = self.selector.input.is_some();
            if !has_interface {
                let headline =
                    "a static rule without an interface cannot have a `track_group`; it is ignored";
                report.push(
                    Diagnostic::warning(Code::NotTracked, group.span, headline).help("add `iif IFNAME`"),
                );
            }
            has_interface
        });
        let rule = Rule {
            family,
            priority,
            inverted: self.inverted,
            selector: self.selector,
            action,
            protocol,
            tracked: self.tracked,
        };
        Some(RuleDraft { rule, track_group: group })
    }
}

/// Each rule without a priority comes before the one of its family before it.
fn unranked(family: Family, span: Span, report: &mut Report) -> u32 {
    let before = report.unranked_rules.entry(family).or_default();
    let priority = UNRANKED.saturating_sub(*before);
    *before = before.saturating_add(1);
    let headline = format!("this rule has no priority; {priority} is used");
    report.push(
        Diagnostic::warning(Code::Unranked, span, headline)
            .help("add `priority NUMBER`: a lower number comes first")
            .classic(format!(
                "Rule has no preference specified - setting to {priority}. This is probably not what you want."
            )),
    );
    priority
}

fn protocol(asked: Option<Spanned<Protocol>>, tracked: bool, report: &mut Report) -> Protocol {
    let Some(asked) = asked else { return Protocol::KEEPALIVED };
    if tracked && asked.value != Protocol::KEEPALIVED {
        let headline = "a rule of another protocol cannot be tracked; the protocol stays 18, keepalived";
        report.push(Diagnostic::warning(Code::NotTracked, asked.span, headline).help("add `no_track`"));
        return Protocol::KEEPALIVED;
    }
    asked.value
}
