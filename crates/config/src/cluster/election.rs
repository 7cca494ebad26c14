//! Who becomes master, who stays it, and whether a failing check changes that.

use model::Priority;
use model::vrrp::{Initial, Preempt};

use super::{Part, Router, differ};
use crate::Code;
use crate::diagnostic::{Diagnostic, shown};
use crate::lint::{Weighted, clamped, entry, healthy, weighted};

pub(super) fn check(router: &Router<'_>, findings: &mut Vec<Diagnostic>) {
    states(router, findings);
    for (here, there) in router.pairs() {
        findings.extend(preemption(here, there));
    }
    let Some((master, backup)) = best_two(router) else { return };
    findings.extend(equal(master, backup));
    for one in weighted(master.instance) {
        findings.extend(crossing(one, master, backup));
    }
}

fn priority(part: Part<'_>) -> i32 {
    clamped(part.instance, healthy(part.instance))
}

/// The two of highest priority while nothing is wrong; of equals the one with the greater address first, if it is known.
fn best_two<'a>(router: &Router<'a>) -> Option<(Part<'a>, Part<'a>)> {
    let mut parts = router.parts.clone();
    parts.sort_by_key(|part| std::cmp::Reverse((priority(*part), part.instance.source)));
    Some((*parts.first()?, *parts.get(1)?))
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
    let is_never = |part: Part<'_>| part.instance.preempt == Preempt::Never;
    let (with, without) = match (is_never(here), is_never(there)) {
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
    let help = format!(
        "when {} comes back, it takes the addresses away from {} at once; write `nopreempt` and `state BACKUP` on all hosts",
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

/// Whether the failure of `one` on the master alone makes `backup` the better one.
fn crossing(one: Weighted<'_>, master: Part<'_>, backup: Part<'_>) -> Option<Diagnostic> {
    let best = healthy(master.instance);
    let fall = one.fall().filter(|_| master.instance.priority != Priority::OWNER)?;
    let (before, after) = (clamped(master.instance, best), clamped(master.instance, best - fall));
    let rival = priority(backup);
    if after < rival {
        return None;
    }
    let span = entry(master.block, one.list, one.name)?;
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
