//! What happens to the packets of a rule.

use model::route::{Realms, Table};
use model::rule::{Action, Lookup, LookupTable};
use model::{Family, Named};

use crate::diagnostic::{Code, Diagnostic, shown};
use crate::keyword;
use crate::lexer::Word;
use crate::lower::{Report, Spanned};
use crate::source::Span;

use super::Reader;

/// The actions that `type` may stand before.
const TYPES: [&str; 5] = ["goto", "nop", "blackhole", "unreachable", "prohibit"];

/// What a line says of its action.
#[derive(Clone, Debug, Default)]
pub(super) struct ActionDraft {
    kind: Option<Spanned<Kind>>,
    /// What only a look at a table has, and the first place of it.
    realms: Option<Realms>,
    suppress_prefix_length: Option<u32>,
    suppress_group: Option<Named<u32>>,
    of_lookup: Option<Span>,
}

#[derive(Clone, Debug)]
enum Kind {
    Lookup(LookupTable),
    Goto(u32),
    Other(Action),
}

impl Reader<'_, '_> {
    /// Reads an action or an option of one; gives whether `name` is one.
    pub(super) fn action(&mut self, option: &Word<'_>, name: &str, report: &mut Report) -> Option<bool> {
        const MOST: u64 = 2_147_483_647;
        match name {
            "table" => {
                let table = self.table(option, report)?;
                self.set_action(option, Kind::Lookup(LookupTable::Table(table)), report)?;
                return Some(true);
            }
            "type" => {
                let word = self.entry.value(option, report)?;
                if !TYPES.contains(&word.text.as_ref()) {
                    self.report_type(word, report);
                    return None;
                }
                return self.action(word, &word.text, report);
            }
            "goto" => {
                let target = self.entry.number(option, 0..=u32::MAX.into(), report)?;
                self.set_action(option, Kind::Goto(target), report)?;
                return Some(true);
            }
            "l3mdev" => {
                self.set_action(option, Kind::Lookup(LookupTable::L3mdev), report)?;
                return Some(true);
            }
            "realms" => {
                let realms = self.entry.realms(option, report)?;
                self.line.claim(Family::V4, option.span, &option.text, report)?;
                self.line.action.realms = Some(realms);
            }
            "suppress_prefixlength" => {
                let length = self.entry.number(option, 0..=MOST, report)?;
                self.line.action.suppress_prefix_length = Some(length);
            }
            "suppress_ifgroup" => {
                self.line.action.suppress_group = Some(self.entry.group(option, report)?);
            }
            name => {
                let Some(action) = plain(name) else { return Some(false) };
                self.set_action(option, Kind::Other(action), report)?;
                return Some(true);
            }
        }
        self.line.action.of_lookup.get_or_insert(option.span);
        Some(true)
    }

    fn table(&mut self, option: &Word<'_>, report: &mut Report) -> Option<Named<Table>> {
        let table = self.entry.table(option, report)?;
        if table == Table(0).into() {
            let headline = "a rule cannot look at table 0".to_owned();
            report.push(self.entry.void(Code::OutOfRange, option.span, headline, "write 1 to 4294967295"));
            return None;
        }
        Some(table)
    }

    fn set_action(&mut self, option: &Word<'_>, kind: Kind, report: &mut Report) -> Option<()> {
        if let Some(first) = &self.line.action.kind {
            let headline = format!("a rule has one action, and {} is a second one", shown(&option.text));
            let diagnostic = self.entry.void(Code::RuleAction, option.span, headline, "make two rules of it");
            report.push(diagnostic.label(first.span, "the first one"));
            return None;
        }
        self.line.action.kind = Some(Spanned { value: kind, span: option.span });
        Some(())
    }

    fn report_type(&self, word: &Word<'_>, report: &mut Report) {
        let headline = format!("{} is no type of action", shown(&word.text));
        let advice = match keyword::nearest_of(&word.text, TYPES.iter(), |name| name) {
            Some(near) => format!("did you mean `{near}`?"),
            None => "write `goto`, `nop`, `blackhole`, `unreachable` or `prohibit`, or leave `type` out"
                .to_owned(),
        };
        let diagnostic = self.entry.void(Code::InvalidChoice, word.span, headline, &advice);
        report.push(diagnostic.classic(format!("Unknown rule option {}", word.text)));
    }
}

fn plain(name: &str) -> Option<Action> {
    match name {
        "nop" => Some(Action::Nop),
        "blackhole" => Some(Action::Blackhole),
        "unreachable" => Some(Action::Unreachable),
        "prohibit" => Some(Action::Prohibit),
        _ => None,
    }
}

impl ActionDraft {
    /// The action that is meant. `None` makes the rule void.
    pub(super) fn finish(
        self,
        line: Span,
        priority: Option<Spanned<u32>>,
        report: &mut Report,
    ) -> Option<Action> {
        let Self { kind, realms, suppress_prefix_length, suppress_group, of_lookup } = self;
        let Some(kind) = kind else {
            report.push(without_action(line));
            return None;
        };
        let action = match kind.value {
            Kind::Lookup(table) => {
                return Some(Action::Lookup(Lookup {
                    table,
                    realms,
                    suppress_prefix_length,
                    suppress_group,
                }));
            }
            Kind::Goto(target) => goto(target, kind.span, priority, report)?,
            Kind::Other(action) => action,
        };
        if let Some(span) = of_lookup {
            let headline = "realms and suppressors are for rules that look at a table";
            report.push(
                Diagnostic::warning(Code::OptionConflict, span, headline)
                    .label(kind.span, "this action looks at none")
                    .help("the whole rule is ignored"),
            );
            return None;
        }
        Some(action)
    }
}

fn without_action(line: Span) -> Diagnostic {
    Diagnostic::warning(Code::RuleAction, line, "this rule does not say what is to happen")
        .help("add `table NUMBER`, or another action; the whole rule is ignored")
        .classic("No action specified for rule - ignoring")
}

/// The rules are gone through once, so a jump can only lead on.
fn goto(target: u32, span: Span, priority: Option<Spanned<u32>>, report: &mut Report) -> Option<Action> {
    let diagnostic = match priority {
        Some(priority) if priority.value < target => return Some(Action::Goto(target)),
        Some(priority) => {
            let headline = format!("`goto {target}` does not lead on from priority {}", priority.value);
            Diagnostic::warning(Code::RuleAction, span, headline)
                .label(priority.span, "the target must be greater")
                .help("the whole rule is ignored")
        }
        None => Diagnostic::warning(Code::RuleAction, span, "a rule with `goto` needs a priority")
            .help(format!("add `priority NUMBER`, less than {target}; the whole rule is ignored")),
    };
    report.push(diagnostic);
    None
}
