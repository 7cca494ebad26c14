//! How sternly a check judges what a configuration test finds.

use std::collections::BTreeMap;

use config::keyword::Loss;
use config::{Code, Diagnostic, Lack, Loaded, Severity, SourceMap};

/// Makes warnings of what loses something that was meant, though the test only notes it because keepalived's is silent.
pub(super) fn sharpen(loaded: &mut Loaded) {
    for found in &mut loaded.diagnostics {
        found.severity = found.severity.max(least(found, &loaded.sources));
    }
}

fn least(found: &Diagnostic, sources: &SourceMap) -> Severity {
    match found.code {
        // Words that nothing reads, among them a keyword or the arguments of a script; the end of a password.
        Code::ScriptNotRun | Code::ExtraWords | Code::CutByComment => Severity::Warning,
        // A pattern may well match nothing, as for an empty `conf.d`.
        Code::IncludeSkipped if !sources.text(found.primary).contains(['*', '?', '[']) => Severity::Warning,
        _ => Severity::Note,
    }
}

/// What has no effect yet, and what a daemon makes of it.
pub(super) fn closing_note<'a>(lacks: impl IntoIterator<Item = &'a Lack>) -> Option<Diagnostic> {
    let mut all: BTreeMap<&str, &Lack> = BTreeMap::new();
    for lack in lacks {
        all.entry(lack.name).or_insert(lack);
    }
    let names = |losses: &[Loss]| {
        let of_these = all.values().filter(|lack| losses.contains(&lack.loss));
        of_these.map(|lack| format!("`{}`", lack.name)).collect::<Vec<_>>().join(", ")
    };
    let first = all.values().min_by_key(|lack| lack.span)?;
    let headline = format!("no effect yet: {}", names(&[Loss::Meaning, Loss::Comfort]));
    let mut note = Diagnostic::new(Severity::Note, Code::NotBuilt, first.span, headline);
    note.labels = all.values().map(|lack| (lack.span, "no effect yet".to_owned())).collect();
    note.labels.sort_by_key(|(span, _)| *span);
    let outcomes = [
        (names(&[Loss::Meaning]), "no daemon of this release starts with"),
        (names(&[Loss::Comfort]), "a daemon runs without"),
    ];
    let outcomes = outcomes.into_iter().filter(|(names, _)| !names.is_empty());
    let outcomes: Vec<_> = outcomes.map(|(names, outcome)| format!("{outcome} {names}")).collect();
    note.help = Some(outcomes.join("; "));
    Some(note)
}
