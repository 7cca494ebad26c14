//! Everything that is said about a text, in bounds: a short text may be wrong in millions of places.

use std::collections::{BTreeMap, BTreeSet};

use super::{Code, Diagnostic, Severity};
use crate::source::{SourceId, Span};

/// How many findings of one code are kept. Nobody reads more.
const MOST_OF_CODE: usize = 1000;

/// How many findings are kept at all.
const MOST: usize = 10_000;

/// How many different things are said about one place that means something many times.
const MOST_OF_PLACE: usize = 5;

/// What was found so far.
#[derive(Debug, Default)]
pub(crate) struct Findings {
    kept: Vec<Diagnostic>,
    /// The last one pushed: its code, and where it is, if it was kept.
    last: Option<(Code, Option<usize>)>,
    /// How many of each code are kept.
    counts: BTreeMap<Code, usize>,
    /// What was said about text that repetitions and parameters use many times, and where that is.
    said: BTreeMap<Said, Vec<usize>>,
    /// The parameters that stand for nothing.
    causes: BTreeSet<Place>,
    dropped: BTreeMap<Code, Dropped>,
}

type Place = (SourceId, u32, u32);

/// What is said once.
type Said = (Place, Code, Severity);

/// Findings of one code beyond the bound.
#[derive(Clone, Copy, Debug)]
struct Dropped {
    count: usize,
    worst: Severity,
    first: Span,
}

impl Findings {
    /// Takes a finding in, unless it says what has been said, or follows from another one.
    pub(crate) fn push(&mut self, diagnostic: Diagnostic) {
        self.last = Some((diagnostic.code, None));
        if self.is_consequence(&diagnostic) || self.is_repetition(&diagnostic) {
            return;
        }
        let Diagnostic { code, severity, primary, .. } = diagnostic;
        if code == Code::Parameter && severity > Severity::Note {
            self.causes.insert(primary.place());
        }
        let count = self.counts.entry(code).or_default();
        if *count >= MOST_OF_CODE || self.kept.len() >= MOST {
            self.drop(code, Dropped { count: 1, worst: severity, first: primary });
            return;
        }
        *count += 1;
        let index = self.kept.len();
        if !primary.is_straight() {
            self.said.entry((primary.place(), code, severity)).or_default().push(index);
        }
        self.last = Some((code, Some(index)));
        self.kept.push(diagnostic);
    }

    pub(crate) fn extend(&mut self, diagnostics: impl IntoIterator<Item = Diagnostic>) {
        diagnostics.into_iter().for_each(|diagnostic| self.push(diagnostic));
    }

    /// Takes over what another stage has found.
    pub(crate) fn absorb(&mut self, other: Self) {
        self.extend(other.kept);
        other.dropped.into_iter().for_each(|(code, dropped)| self.drop(code, dropped));
    }

    /// How many are kept.
    pub(crate) const fn len(&self) -> usize {
        self.kept.len()
    }

    /// The code of the last one, kept or not.
    pub(crate) fn last_code(&self) -> Option<Code> {
        self.last.map(|(code, _)| code)
    }

    /// The last one, if it was kept.
    pub(crate) fn last_mut(&mut self) -> Option<&mut Diagnostic> {
        self.kept.get_mut(self.last?.1?)
    }

    /// The finding of that kind at `place`, if it was kept and `from` were kept before it.
    pub(crate) fn find_mut(&mut self, from: usize, code: Code, place: Span) -> Option<&mut Diagnostic> {
        let mut since = self.kept.get_mut(from..)?.iter_mut();
        since.find(|kept| kept.code == code && kept.primary == place)
    }

    /// Gives the last one the sentence that keepalived logs, if it was kept.
    pub(crate) fn say_classic(&mut self, sentence: String) {
        if let Some(last) = self.last_mut() {
            last.classic = Some(sentence);
        }
    }

    /// What is kept, and for each code one that tells of what is not.
    pub(crate) fn into_vec(self) -> Vec<Diagnostic> {
        let Self { mut kept, dropped, .. } = self;
        kept.extend(dropped.into_iter().map(|(code, Dropped { count, worst, first })| {
            Diagnostic::new(worst, code, first, format!("and {count} more of {code}"))
                .help("mend those that are shown, and look again")
        }));
        kept
    }

    /// Where a parameter stands for nothing, what else is wrong with its word follows from that.
    fn is_consequence(&self, diagnostic: &Diagnostic) -> bool {
        let (source, start, end) = diagnostic.primary.place();
        let last = self.causes.range(..(source, end, 0)).next_back();
        diagnostic.code != Code::Parameter
            && last.is_some_and(|&(file, _, stop)| file == source && stop > start)
    }

    /// What is said of a line that is used many times is said once, and counted then.
    fn is_repetition(&mut self, diagnostic: &Diagnostic) -> bool {
        let Diagnostic { code, severity, primary, again, .. } = diagnostic;
        if primary.is_straight() {
            return false;
        }
        let Some(said) = self.said.get(&(primary.place(), *code, *severity)) else { return false };
        let headline = |index: &&usize| self.kept.get(**index).map(|kept| &kept.headline);
        let same = said.iter().find(|index| headline(index) == Some(&diagnostic.headline));
        let same = same.or_else(|| said.get(MOST_OF_PLACE - 1)).copied();
        let Some(kept) = same.and_then(|index| self.kept.get_mut(index)) else { return false };
        kept.again += again + 1;
        true
    }

    fn drop(&mut self, code: Code, more: Dropped) {
        let dropped = self.dropped.entry(code).or_insert(Dropped { count: 0, ..more });
        dropped.count += more.count;
        dropped.worst = dropped.worst.max(more.worst);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::SourceMap;

    #[test]
    fn there_is_an_end_to_what_is_said() {
        let mut findings = Findings::default();
        let id = SourceMap::default().add("a", b"");
        let span = |at| Span::new(id, at..at + 1);
        for at in 0..5000 {
            findings.push(Diagnostic::note(Code::NulByte, span(at), "n"));
            findings.push(Diagnostic::note(Code::UnknownKeyword, span(at), "k"));
        }
        findings.push(Diagnostic::error(Code::NulByte, span(5000), "n"));
        assert_eq!((findings.last_code(), findings.last_mut()), (Some(Code::NulByte), None));
        let all = findings.into_vec();
        assert_eq!(all.len(), 2002);
        let more: Vec<_> =
            all[2000..].iter().map(|more| (more.severity, more.headline.as_str(), more.primary)).collect();
        assert_eq!(
            more,
            [
                (Severity::Error, "and 4001 more of SF0103", span(1000)),
                (Severity::Note, "and 4000 more of SF0301", span(1000)),
            ]
        );
    }
}
