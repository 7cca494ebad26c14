//! The verdicts that differ on purpose: each has its reason in `docs/compatibility.md`.

use super::bench::{Case, Class};

/// Why the verdicts on a file may differ.
pub(crate) struct Reason {
    /// What it is called in `docs/compatibility.md`.
    pub(crate) name: &'static str,
    applies: fn(&Case) -> bool,
}

/// All of them. The first that applies is the reason.
pub(crate) const REASONS: &[Reason] = &[Reason {
    name: "keepalived crashes",
    applies: |case| matches!(case.keepalived.class(), Class::Failed(_)),
}];

/// Why the verdicts on this file differ, if it is known.
pub(crate) fn reason(case: &Case) -> Option<&'static Reason> {
    REASONS.iter().find(|reason| (reason.applies)(case))
}
