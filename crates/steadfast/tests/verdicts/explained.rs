//! The verdicts that differ on purpose: each has its reason in `docs/compatibility.md`.

use super::bench::{Answer, Case, Class};

/// Why the verdicts on a file may differ.
pub(crate) struct Reason {
    /// What it is called in `docs/compatibility.md`.
    pub(crate) name: &'static str,
    because: Because,
}

/// What makes the difference.
enum Because {
    /// keepalived is killed by this signal, which leaves no verdict.
    Killed(i32),
    /// keepalived complains in lines that hold one of these, and rightly nobody else would.
    Theirs(&'static [&'static str]),
    /// We complain in lines that hold one of these, and keepalived should.
    Ours(&'static [&'static str]),
}

use Because::{Killed, Ours, Theirs};

/// All of them.
pub(crate) const REASONS: &[Reason] = &[
    Reason { name: "keepalived crashes", because: Killed(11) },
    Reason { name: "keepalived ends itself", because: Killed(15) },
];

/// Why the verdicts on this file differ: all reasons that it takes to make them the same.
pub(crate) fn reasons(case: &Case) -> Option<Vec<&'static Reason>> {
    if let Some(reason) = REASONS.iter().find(|reason| reason.is_death_of(&case.keepalived)) {
        return Some(vec![reason]);
    }
    let mut used = Vec::new();
    let mut lines_left = |answer: &Answer, is_finding: fn(&str) -> bool, pick: fn(&Reason) -> &[&str]| {
        let lines = answer.said.lines().filter(|line| is_finding(line));
        let of =
            |line: &str| REASONS.iter().find(|reason| pick(reason).iter().any(|part| line.contains(part)));
        lines.filter(|line| of(line).map(|reason| used.push(reason)).is_none()).count()
    };
    let theirs = lines_left(&case.keepalived, |line| !line.is_empty(), Reason::theirs);
    let ours = lines_left(&case.steadfast, is_ours, Reason::ours);
    let class = |answer: &Answer, left: usize| match answer.class() {
        Class::Wrong if left == 0 => Class::Valid,
        class => class,
    };
    (class(&case.keepalived, theirs) == class(&case.steadfast, ours)).then_some(used)
}

/// Whether a line of ours says what is wrong; the others show where and what to do.
fn is_ours(line: &str) -> bool {
    ["error", "warning"]
        .iter()
        .any(|word| line.strip_prefix(word).is_some_and(|rest| rest.starts_with(['[', ':'])))
}

impl Reason {
    fn is_death_of(&self, answer: &Answer) -> bool {
        matches!(self.because, Killed(signal) if answer.class() == Class::Failed(128 + signal))
    }

    fn theirs(&self) -> &[&'static str] {
        if let Theirs(lines) = self.because { lines } else { &[] }
    }

    fn ours(&self) -> &[&'static str] {
        if let Ours(lines) = self.because { lines } else { &[] }
    }
}
