//! Who becomes master, who stays it, and whether a failing check changes that.

use model::Priority;
use model::vrrp::{Initial, Preempt};

use super::{Part, Router, differ};
use crate::Code;
use crate::diagnostic::{Diagnostic, shown};
use crate::lint::Weighted;

pub(super) fn check(router: &Router<'_>, findings: &mut Vec<Diagnostic>) {
    states(router, findings);
    let parts = by_rank(router);
    let Some((master, backups)) = parts.split_first() else { return };
    let Some(backup) = backups.first() else { return };
    findings.extend(equal(*master, *backup));
    let mut unmoved = Vec::new();
    for one in master.contender.weighted() {
        match failure(one, *master, backups) {
            Failure::Moves => {}
            Failure::TooSmall { after } => findings.extend(crossing(one, after, *master, *backup)),
            Failure::Ignored { by } => unmoved.push((one, by)),
        }
    }
    findings.extend(ignored(&unmoved, *master));
    // Otherwise it is said already what `nopreempt` does here.
    if unmoved.is_empty() {
        findings.extend(router.pairs().filter_map(|(here, there)| preemption(here, there)));
    }
}

fn priority(part: Part<'_>) -> i32 {
    part.contender.clamped(part.contender.healthy())
}

/// The highest priority while nothing is wrong first; of equals the one with the greater address, if it is known.
fn by_rank<'a>(router: &Router<'a>) -> Vec<Part<'a>> {
    let mut parts = router.parts.clone();
    parts.sort_by_key(|part| std::cmp::Reverse((priority(*part), part.instance.source)));
    parts
}

/// The owner always preempts.
fn never_preempts(part: Part<'_>) -> bool {
    part.instance.preempt == Preempt::Never && part.instance.priority != Priority::OWNER
}

fn states(router: &Router<'_>, findings: &mut Vec<Diagnostic>) {
    let mut masters = router.parts.iter().filter(|part| part.instance.initial == Initial::Master);
    let Some(first) = masters.next() else { return };
    for other in masters {
        if first.instance.priority == Priority::OWNER && other.instance.priority == Priority::OWNER {
            let headline = format!("two hosts have priority 255 for VRID {}", first.instance.vrid);
            let make = |span| {
                Diagnostic::warning(Code::TwoOwners, span, headline).help(
                    "255 is for the one host whose own addresses these are; nobody else may win against it",
                )
            };
            let said = |part: &Part<'_>| format!("{} owns the addresses", part.host);
            findings.extend(differ(make, "priority", (*first, said(first)), (*other, said(other))));
            continue;
        }
        let headline =
            format!("{} and {} both begin as master of VRID {}", first.host, other.host, first.instance.vrid);
        let make = |span| {
            Diagnostic::note(Code::TwoStarters, span, headline)
                .help("whoever starts takes the addresses for a moment, though the other is better; write `state BACKUP` on all hosts and let priorities decide")
        };
        let said = |part: &Part<'_>| format!("on {}", part.host);
        findings.extend(differ(make, "state", (*first, said(first)), (*other, said(other))));
    }
}

fn preemption(here: Part<'_>, there: Part<'_>) -> Option<Diagnostic> {
    let (with, without) = match (never_preempts(here), never_preempts(there)) {
        (true, false) => (here, there),
        (false, true) => (there, here),
        _ => return None,
    };
    // The weaker one has nothing to preempt.
    if priority(without) < priority(with) {
        return None;
    }
    let headline = format!(
        "{} has `nopreempt` for VRID {}, and {} has not",
        with.host, with.instance.vrid, without.host
    );
    let when = match without.instance.preempt {
        Preempt::After(delay) => format!("{} seconds later", delay.as_secs()),
        Preempt::Always | Preempt::Never => "at once".to_owned(),
    };
    let is_weighted = |part: Part<'_>| part.contender.weighted().iter().any(|one| one.fall().is_some());
    let remedy = if is_weighted(with) || is_weighted(without) {
        "write it on all hosts and track with weight 0, for with `nopreempt` a weight moves nothing; or take it out"
    } else {
        "write `nopreempt` and `state BACKUP` on all hosts, or take it out"
    };
    let help = format!(
        "when {} comes back, it takes the addresses away from {} {when}: {remedy}",
        without.host, with.host
    );
    Some(
        Diagnostic::warning(Code::ClusterPreempt, without.block.value()?, headline)
            .label(with.place("nopreempt")?, format!("only {} waits", with.host))
            .help(help),
    )
}

fn equal(master: Part<'_>, backup: Part<'_>) -> Option<Diagnostic> {
    if priority(master) != priority(backup) || master.instance.priority == Priority::OWNER {
        return None;
    }
    let headline = format!(
        "{} and {} have the same priority {} for VRID {}",
        master.host,
        backup.host,
        priority(master),
        master.instance.vrid
    );
    let help = match (master.instance.source, backup.instance.source) {
        (Some(one), Some(_)) => {
            format!("of equals the greater address wins when both start at once: `{one}`, which is {}; later the one that is master stays it", master.host)
        }
        _ => "of equals the greater address wins when both start at once; later the one that is master stays it. Give the preferred host more".to_owned(),
    };
    let make = |span| Diagnostic::note(Code::EqualPriorities, span, headline).help(help);
    let said = |part: Part<'_>| format!("{}: {}", part.host, part.instance.priority);
    // In the order of files.
    let (first, second) = if master.at < backup.at { (master, backup) } else { (backup, master) };
    differ(make, "priority", (first, said(first)), (second, said(second)))
}

/// What comes of a failure on the master alone.
enum Failure<'a> {
    /// A backup takes over, or nothing is lost.
    Moves,
    /// The master has this priority then, and no backup has more.
    TooSmall { after: i32 },
    /// Backups are better then, and do not care; this one is the best.
    Ignored { by: Part<'a> },
}

fn failure<'a>(one: Weighted<'_>, master: Part<'_>, backups: &[Part<'a>]) -> Failure<'a> {
    let Some(fall) = one.fall().filter(|_| master.instance.priority != Priority::OWNER) else {
        return Failure::Moves;
    };
    let after = master.contender.clamped(master.contender.healthy() - fall);
    let mut better = backups.iter().copied().filter(|backup| priority(*backup) > after).peekable();
    match better.peek().copied() {
        None => Failure::TooSmall { after },
        Some(best) if better.all(never_preempts) => Failure::Ignored { by: best },
        Some(_) => Failure::Moves,
    }
}

/// Checks whose failure makes a backup the better one, which waits for the silence of the master all the same.
fn ignored(unmoved: &[(Weighted<'_>, Part<'_>)], master: Part<'_>) -> Option<Diagnostic> {
    let ((one, backup), others) = unmoved.split_first()?;
    let more = match others.len() {
        0 => String::new(),
        count => format!(" or of {count} more"),
    };
    let headline = format!(
        "a failure of {}{more} on {} moves nothing: {} has `nopreempt`",
        shown(one.name),
        master.host,
        backup.host
    );
    let help = format!(
        "{} waits until {} is silent; take `nopreempt` out of its file, or track with weight 0, so that a failure is a fault, and a master in fault is silent at once",
        backup.host, master.host
    );
    Some(
        Diagnostic::warning(Code::NoPreemption, one.place()?, headline)
            .label(
                backup.place("nopreempt")?,
                format!("{} does not take over from a living master", backup.host),
            )
            .help(help),
    )
}

/// A fall to `after` does not make `backup`, the best of them, the better one.
fn crossing(one: Weighted<'_>, after: i32, master: Part<'_>, backup: Part<'_>) -> Option<Diagnostic> {
    let best = master.contender.healthy();
    let before = master.contender.clamped(best);
    let rival = priority(backup);
    let span = one.place()?;
    let outcome = if after == rival { "equals then" } else { "stays the better one" };
    let headline = format!(
        "a failure of {} on {} moves nothing: its priority falls from {before} to {after}, and {} has {rival}",
        shown(one.name),
        master.host,
        backup.host
    );
    let needed = best - rival + 1;
    let help = if needed <= 253 {
        format!(
            "{} {outcome}; its weight must be more than the difference: at least {needed}, or bring the priorities nearer",
            if after == rival { "they are".to_owned() } else { master.host.to_owned() }
        )
    } else {
        format!("{} {outcome}; no weight is that great: bring the priorities nearer", master.host)
    };
    Some(
        Diagnostic::warning(Code::NeverCrosses, span, headline)
            .label(
                master.place("priority")?,
                format!("{} begins with {}", master.host, master.instance.priority),
            )
            .label(
                backup.place("priority")?,
                format!("{} begins with {}", backup.host, backup.instance.priority),
            )
            .help(help),
    )
}
