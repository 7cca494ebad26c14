//! `@ID` and `@^ID`: lines for some hosts only.

use super::{Ending, Reader, definition};
use crate::diagnostic::{Code, Diagnostic, shown};
use crate::source::Strand;

/// The id of whoever runs Steadfast: lines for it are dropped by keepalived, unless somebody gave it this very id.
const OURS: &str = "steadfast";

impl Reader<'_> {
    /// The rest of a conditional line, if it is to be kept.
    pub(super) fn condition(&mut self, line: Strand, text: &str, ending: Ending) -> Option<Strand> {
        let end = text.find([' ', '\t']).unwrap_or(text.len());
        let id = text.get(1..end).unwrap_or_default();
        let (id, is_negated) = id.strip_prefix('^').map_or((id, false), |id| (id, true));
        let is_ours = id == OURS || (!id.is_empty() && id == self.options.config_id);
        let rest = self.trimmed(line.part(end..text.len()));
        let rest_text = self.sources.strand(rest);
        if is_ours == is_negated {
            // Otherwise the lines that go on with its value would be taken for lines of their own.
            if definition::goes_on(rest_text, ending) && definition::is_behind(rest_text) {
                drop(self.continuation());
            }
            return None;
        }
        if rest_text.starts_with('@') {
            let word = rest_text.split([' ', '\t']).next().unwrap_or_default();
            let headline = format!("{} is a second condition; the line is ignored", shown(word));
            let span = self.sources.place(rest.part(0..word.len()));
            self.report_once(
                Diagnostic::warning(Code::Directive, span, headline).help(
                    "a line takes one condition; define a parameter under one and use it under the other",
                ),
            );
            return None;
        }
        Some(rest)
    }
}
