//! nftables, iptables and ipsets.

use std::num::NonZeroU32;

use model::{Filter, IpSets, Iptables, IpvsMarks, Nftables};

use super::set;
use crate::diagnostic::{Code, Diagnostic};
use crate::lexer::Word;
use crate::lower::{Report, Setting, Spanned, notify};
use crate::source::Span;

/// What is said about filters.
#[derive(Clone, Debug, Default)]
pub(super) struct FilterDraft {
    nftables: Nftables,
    nftables_at: Option<Span>,
    marks: MarksDraft,
    iptables: Option<Spanned<(String, String)>>,
    sets: Sets,
    /// Where priorities stand, which a later table resets.
    priorities: Vec<Span>,
}

/// `nftables_ipvs*`.
#[derive(Clone, Debug)]
struct MarksDraft {
    table: Option<Spanned<String>>,
    priority: i32,
    first: NonZeroU32,
    /// Where priority and first mark stand.
    details: Vec<Span>,
}

impl Default for MarksDraft {
    fn default() -> Self {
        Self { table: None, priority: Nftables::PRIORITY, first: IpvsMarks::FIRST, details: Vec::new() }
    }
}

/// What `vrrp_ipsets` says.
#[derive(Clone, Debug, Default)]
enum Sets {
    /// It is not there.
    #[default]
    Unsaid,
    /// It is there without a name.
    Off,
    Named(IpSets),
}

impl FilterDraft {
    pub(super) fn read(&mut self, setting: Setting<'_, '_>, report: &mut Report) -> bool {
        match setting.name() {
            "nftables" => self.read_nftables(setting, report),
            "nftables_priority" => {
                let priority = setting.number(report);
                self.priorities.extend(priority.map(|priority| priority.span));
                set(&mut self.nftables.priority, priority.map(|priority| priority.value));
            }
            "nftables_ifindex" => self.nftables.by_index = setting.flag(report),
            "nftables_counters" => self.nftables.counters = setting.flag(report),
            "nftables_ipvs" => self.marks.read(setting, report),
            "nftables_ipvs_priority" => {
                let priority = setting.number(report);
                self.marks.details.extend(priority.map(|priority| priority.span));
                set(&mut self.marks.priority, priority.map(|priority| priority.value));
            }
            "nftables_ipvs_start_fwmark" => {
                let mark = setting.number::<u32>(report);
                self.marks.details.extend(mark.map(|mark| mark.span));
                set(&mut self.marks.first, mark.and_then(|mark| NonZeroU32::new(mark.value)));
            }
            "vrrp_iptables" => self.read_iptables(setting, report),
            "vrrp_ipsets" => self.read_sets(setting, report),
            _ => return false,
        }
        true
    }

    /// As with keepalived, the keyword sets priorities back that stand before it.
    fn read_nftables(&mut self, setting: Setting<'_, '_>, report: &mut Report) {
        let name = table(setting, Nftables::TABLE, report);
        if let Some(first) = self.nftables_at {
            report.push(notify::repeated(setting, name.span, first));
            return;
        }
        self.nftables_at = Some(name.span);
        self.nftables.table = name.value;
        self.nftables.always = true;
        self.nftables.priority = Nftables::PRIORITY;
        note_reset(&mut self.priorities, name.span, setting, report);
    }

    fn read_iptables(&mut self, setting: Setting<'_, '_>, report: &mut Report) {
        setting.note_words_after(2, report);
        report.push(without_iptables(setting).help("write `nftables` instead"));
        let mut words = setting.node.arguments().iter().map(|word| word.text.clone().into_owned());
        let input = words.next().unwrap_or_else(|| "INPUT".to_owned());
        let output = words.next().unwrap_or_else(|| "OUTPUT".to_owned());
        self.iptables = Some(Spanned { value: (input, output), span: setting.span() });
    }

    fn read_sets(&mut self, setting: Setting<'_, '_>, report: &mut Report) {
        setting.note_words_after(6, report);
        report.push(without_iptables(setting).help("nftables has sets of its own; leave the line out"));
        self.sets = match setting.node.arguments() {
            [] => Sets::Off,
            words => Sets::Named(ip_sets(words, setting, report)),
        };
    }

    pub(super) fn resolve(&self, report: &mut Report) -> Filter {
        let sets = match &self.sets {
            Sets::Unsaid => Some(ip_sets_named(&[])),
            Sets::Off => None,
            Sets::Named(sets) => Some(sets.clone()),
        };
        let iptables = self.iptables.as_ref().filter(|_| self.nftables_at.is_none());
        Filter {
            nftables: self.nftables.clone(),
            iptables: iptables.map(|Spanned { value: (input, output), .. }| Iptables {
                input: input.clone(),
                output: output.clone(),
                sets,
            }),
            marks: self.marks.resolve(report),
        }
    }
}

impl MarksDraft {
    fn read(&mut self, setting: Setting<'_, '_>, report: &mut Report) {
        let name = table(setting, IpvsMarks::TABLE, report);
        if let Some(first) = &self.table {
            report.push(notify::repeated(setting, name.span, first.span));
            return;
        }
        self.priority = Nftables::PRIORITY;
        self.first = IpvsMarks::FIRST;
        note_reset(&mut self.details, name.span, setting, report);
        self.table = Some(name);
    }

    fn resolve(&self, report: &mut Report) -> Option<IpvsMarks> {
        let Some(table) = &self.table else {
            for &span in &self.details {
                let headline = "without `nftables_ipvs` no marks are handed out";
                report.push(Diagnostic::note(Code::NoEffect, span, headline).help("the line has no effect"));
            }
            return None;
        };
        Some(IpvsMarks { table: table.value.clone(), priority: self.priority, first: self.first })
    }
}

fn without_iptables(setting: Setting<'_, '_>) -> Diagnostic {
    let headline = format!("`{}` asks for iptables; packets are filtered with nftables", setting.name());
    Diagnostic::warning(Code::Iptables, setting.span(), headline)
}

fn table(setting: Setting<'_, '_>, default: &str, report: &mut Report) -> Spanned<String> {
    setting.note_words_after(1, report);
    match setting.node.arguments().first() {
        Some(word) if !word.text.is_empty() => {
            Spanned { value: word.text.clone().into_owned(), span: word.span }
        }
        _ => Spanned { value: default.to_owned(), span: setting.span() },
    }
}

fn note_reset(details: &mut Vec<Span>, table: Span, setting: Setting<'_, '_>, report: &mut Report) {
    for span in details.drain(..) {
        let headline = format!("a later `{}` sets this back to its default", setting.name());
        report.push(
            Diagnostic::note(Code::NoEffect, span, headline)
                .label(table, "here")
                .help("move the line behind it"),
        );
    }
}

/// The kernel's `IPSET_MAXNAMELEN` without the final NUL.
const LONGEST: usize = 31;

fn ip_sets(words: &[Word<'_>], setting: Setting<'_, '_>, report: &mut Report) -> IpSets {
    let mut names = Vec::new();
    for word in words {
        if word.text.is_empty() || word.text.len() > LONGEST {
            let diagnostic = setting.invalid(Code::InvalidChoice, word, "cannot be the name of an ipset");
            report.push(diagnostic.help("a name has 1 to 31 bytes; the default name is used"));
            break;
        }
        names.push(word.text.as_ref());
    }
    ip_sets_named(&names)
}

/// Names that are not given are made from those that are.
fn ip_sets_named(names: &[&str]) -> IpSets {
    let given = |at: usize| names.get(at).map(|&name| name.to_owned());
    let derived = |stem: &str, ending: &str| {
        let most = LONGEST.saturating_sub(ending.len());
        let end =
            (0..=most.min(stem.len())).rev().find(|&end| stem.is_char_boundary(end)).unwrap_or_default();
        stem.get(..end).unwrap_or_default().to_owned() + ending
    };
    let v4 = given(0).unwrap_or_else(|| Nftables::TABLE.to_owned());
    let v6 = given(1).unwrap_or_else(|| derived(&v4, "6"));
    let v6_interface = given(2).unwrap_or_else(|| derived(v6.strip_suffix('6').unwrap_or(&v6), "_if6"));
    let igmp = given(3).unwrap_or_else(|| derived(&v4, "_igmp"));
    let mld = given(4).unwrap_or_else(|| derived(v4.as_str(), "_mld"));
    let nd = given(5).unwrap_or_else(|| derived(v4.as_str(), "_nd"));
    IpSets { v4, v6, v6_interface, igmp, mld, nd }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_sets_are_made_from_the_given_ones_and_fit() {
        let sets = ip_sets_named(&[]);
        assert_eq!((sets.v6.as_str(), sets.v6_interface.as_str()), ("keepalived6", "keepalived_if6"));
        let sets = ip_sets_named(&["a", "b"]);
        assert_eq!((sets.v6_interface.as_str(), sets.igmp.as_str()), ("b_if6", "a_igmp"));
        let long = "ä".repeat(15);
        let sets = ip_sets_named(&[&long]);
        assert!(
            [&sets.v6, &sets.v6_interface, &sets.igmp, &sets.mld, &sets.nd].iter().all(|n| n.len() <= 31)
        );
    }
}
