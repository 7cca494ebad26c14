//! Files that say nothing, or nothing for the host that they are read for.

use crate::diagnostic::{Diagnostic, shown};
use crate::keyword;
use crate::source::{Source, SourceMap};
use crate::{Code, Loaded};

/// What a daemon would run with after reading a file without a line is nothing at all.
pub(super) fn check(loaded: &Loaded, findings: &mut Vec<Diagnostic>) {
    if loaded.outline.is_empty() && loaded.diagnostics.is_empty() {
        findings
            .push(Diagnostic::warning(Code::EmptyFile, loaded.start, "there is nothing in this file").help(
            "a daemon that reads it has no virtual router; comments and lines for other hosts do not count",
        ));
    }
}

/// The id that somebody named, if no conditional line of `loaded`, whose text is in `sources`, is for it.
#[must_use]
pub fn unnamed_id(id: &str, loaded: &Loaded, sources: &SourceMap) -> Option<Diagnostic> {
    let files = sources.sources_from(loaded.start.source);
    let texts = || files.iter().map(Source::text);
    // Then the id is a value too, or is put together.
    if texts().any(|text| text.contains("_INSTANCE") || text.contains("@$") || text.contains("@^$")) {
        return None;
    }
    let mut ids: Vec<&str> = texts().flat_map(str::lines).filter_map(condition).collect();
    if ids.contains(&id) {
        return None;
    }
    ids.sort_unstable();
    ids.dedup();
    let help = match keyword::nearest_of(id, ids.iter(), |known| known) {
        Some(near) => format!("did you mean `{near}`?"),
        None if ids.is_empty() => "no line begins with `@`: it is the same for all hosts".to_owned(),
        None => format!("its lines are for {}", listed(&ids)),
    };
    let headline = format!("no line of this file is for {}", shown(id));
    Some(Diagnostic::warning(Code::UnnamedId, loaded.start, headline).help(help))
}

/// The id that a conditional line begins with.
fn condition(line: &str) -> Option<&str> {
    let word = line.trim_start().strip_prefix('@')?.split([' ', '\t']).next()?;
    Some(word.strip_prefix('^').unwrap_or(word)).filter(|id| !id.is_empty())
}

/// The first of them.
fn listed(ids: &[&str]) -> String {
    const MOST: usize = 5;
    let shown: Vec<_> = ids.iter().take(MOST).map(|id| shown(id)).collect();
    let more = if ids.len() > MOST { " and others" } else { "" };
    format!("{}{more}", shown.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conditions_name_ids() {
        assert_eq!(condition("  @web1 priority 5"), Some("web1"));
        assert_eq!(condition("@^web1\tpriority 5"), Some("web1"));
        assert_eq!(condition("priority 5 @web1"), None);
        assert_eq!(condition("@ priority 5"), None);
    }
}
