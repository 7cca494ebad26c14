//! Checks that cannot move an address, or only late.

use std::time::Duration;

use model::vrrp::Preempt;

use super::{Contender, Scope, Subject};
use crate::Code;
use crate::diagnostic::{Diagnostic, shown};
use crate::number::Decimal;
use crate::outline::Line;

/// A failure that is noticed later than this is worth a remark.
const SLOW: Duration = Duration::from_secs(60);

pub(super) fn check(subject: Subject<'_>, scope: Scope, findings: &mut Vec<Diagnostic>) {
    for contender in subject.contenders() {
        cut_priority(contender, findings);
        if scope == Scope::Alone {
            no_preemption(contender, findings);
        }
    }
    scripts(subject, findings);
}

/// A sum beyond 254 hides failures.
fn cut_priority(contender: Contender<'_>, findings: &mut Vec<Diagnostic>) {
    let best = contender.healthy();
    if best <= contender.clamped(best) {
        return;
    }
    for one in contender.weighted() {
        let Some((fall, span)) = one.fall().zip(one.place()) else { continue };
        let (before, after) = (contender.clamped(best), contender.clamped(best - fall));
        if before - after == fall {
            continue;
        }
        let headline = format!(
            "when {} fails, the advertised priority falls by {} and not by {fall}",
            shown(one.name),
            before - after
        );
        let help = format!(
            "all checks together make {best}, of which a packet carries 254; begin with a `priority` of at most {}",
            i32::from(contender.instance.priority.get()) - (best - 254)
        );
        let mut finding = Diagnostic::warning(Code::CutPriority, span, headline).help(help);
        if let Some(place) = contender.block.last("priority").and_then(Line::value) {
            finding = finding.label(place, "the checks are added to this");
        }
        findings.push(finding);
    }
}

/// A backup that never preempts does not care how low the master's priority has become. What the other hosts do is not
/// known here; mostly they have the same setting.
fn no_preemption(contender: Contender<'_>, findings: &mut Vec<Diagnostic>) {
    if contender.instance.preempt != Preempt::Never {
        return;
    }
    let Some(place) = contender.block.last("nopreempt").and_then(Line::head) else { return };
    for one in contender.weighted() {
        if let Some(span) = one.fall().and_then(|_| one.place()) {
            let headline =
                format!("a failure of {} moves nothing if all hosts have `nopreempt`", shown(one.name));
            findings.push(
                Diagnostic::warning(Code::NoPreemption, span, headline)
                    .label(place, "a backup with this waits until the master is silent")
                    .help("track it with weight 0: then its failure is a fault, and a master in fault is silent at once; the files of all hosts, checked together, tell more"),
            );
        }
    }
}

fn scripts(subject: Subject<'_>, findings: &mut Vec<Diagnostic>) {
    for script in &subject.config.vrrp.scripts {
        let Some(block) = subject.outline.block("vrrp_script", &script.name) else { continue };
        if script.timeout > script.interval
            && let Some(span) = block.place("timeout")
        {
            let headline = format!(
                "a run of {} may last {}s, longer than the {}s to the next one",
                shown(&script.name),
                seconds(script.timeout),
                seconds(script.interval)
            );
            let mut note = Diagnostic::note(Code::LongRun, span, headline)
                .help("while it hangs no other run begins, so failures are noticed that much later");
            if let Some(place) = block.last("interval").and_then(Line::value) {
                note = note.label(place, "the interval");
            }
            findings.push(note);
        }
        let noticed = script.interval.saturating_mul(script.fall).saturating_add(script.timeout);
        if noticed > SLOW
            && let Some(span) = block.place("interval")
        {
            let headline =
                format!("a failure of {} is noticed after up to {}s", shown(&script.name), seconds(noticed));
            let help = "that is `interval` times `fall`, and `timeout` for a run that hangs; a silent master is noticed after a few seconds";
            findings.push(Diagnostic::note(Code::SlowCheck, span, headline).help(help));
        }
    }
}

fn seconds(span: Duration) -> Decimal {
    Decimal(u64::try_from(span.as_micros()).unwrap_or(u64::MAX))
}
