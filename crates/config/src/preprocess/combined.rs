//! What all files together say, as one text.

use super::Passage;
use crate::source::SourceMap;

/// The text of all passages, each on lines of its own. Wherever the text of another file begins or goes on, a comment
/// names it. Directives are not part of it: it shows what they came to.
pub(crate) fn combined<'a>(passages: impl Iterator<Item = Passage<'a>>, sources: &SourceMap) -> String {
    let mut text = String::new();
    let mut file = None;
    for passage in passages {
        let span = passage.span(0..passage.text.len());
        if file.replace(span.source) != Some(span.source) {
            text.extend(["# ", sources.name(span), "\n"]);
        }
        text.push_str(passage.text);
        if !passage.text.ends_with('\n') {
            text.push('\n');
        }
    }
    text
}
