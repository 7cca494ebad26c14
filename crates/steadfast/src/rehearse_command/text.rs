//! A report for people.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::time::Duration;

use sim::HostId;
use sim::rehearsal::{
    Course, Expectation, Finding, Origin, Performed, Phase, Plan, Played, Weight, WhyLeftOut,
};

use super::report::{Report, findings, millis, phases, seconds, shows, weighs, went_well, word};

pub(super) fn text(report: &Report<'_>) -> String {
    let mut text = String::new();
    opening(&mut text, report);
    rest(&mut text, report);
    match &report.performed {
        Some(performed) => scenario(&mut text, report, performed),
        None => {
            failures(&mut text, report, &report.played);
            if !report.pairs.is_empty() {
                line(&mut text, "\nTwo at a time");
                failures(&mut text, report, &report.pairs);
            }
            summary(&mut text, report);
        }
    }
    text
}

fn line(text: &mut String, line: &str) {
    text.push_str(line);
    text.push('\n');
}

/// Hosts, and what was assumed.
fn opening(text: &mut String, report: &Report<'_>) {
    let plan = report.rehearsal.plan();
    line(text, "Hosts");
    let width = plan.hosts.iter().map(|host| host.name.chars().count()).max().unwrap_or_default();
    for host in &plan.hosts {
        let ports = host.interfaces.iter().map(|(name, port)| {
            let lan = plan.lan_name(port.lan);
            let lan = if lan == name.as_str() { String::new() } else { format!(" on LAN {lan}") };
            let own = port.addresses.iter().map(|own| match own.origin {
                Origin::MadeUp => format!(" {} (made up)", own.prefix),
                Origin::Source | Origin::Peer => format!(" {}", own.prefix),
            });
            format!("{name}{}{lan}", own.collect::<String>())
        });
        let ports = ports.collect::<Vec<_>>().join(", ");
        line(text, &format!("  {:width$}  {ports}", host.name));
    }
    for left_out in &plan.left_out {
        let why = self::left_out(left_out.why);
        line(text, &format!("  doubt: left out: {} of {}: {why}", left_out.instance, left_out.host));
    }
    if !report.unbuilt.is_empty() {
        line(text, &format!("  doubt: takes no part in it: {}", report.unbuilt.join(", ")));
    }
    if report.rehearsal.settles() >= sim::rehearsal::LONGEST_WAIT {
        let most = seconds(sim::rehearsal::LONGEST_WAIT);
        line(text, &format!("  delays of the files are longer than {most}: nothing is waited for longer"));
    }
}

/// Why something takes no part, as a sentence.
pub(super) const fn left_out(why: WhyLeftOut) -> &'static str {
    match why {
        WhyLeftOut::NoInterface => "it has no interface",
    }
}

/// Who is master of what, and why.
fn rest(text: &mut String, report: &Report<'_>) {
    let plan = report.rehearsal.plan();
    line(text, "\nAt rest");
    for (number, (router, course)) in plan.routers.iter().zip(&report.rehearsal.start().courses).enumerate() {
        let addresses: Vec<_> = router.addresses.iter().take(3).map(ToString::to_string).collect();
        let more = router.addresses.len() - addresses.len();
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        let priorities = report.rehearsal.priorities(number).map(|(host, priority)| {
            let priority = priority.map_or_else(|| "not running".to_owned(), |priority| priority.to_string());
            format!("{} {priority}", plan.host_name(host))
        });
        let priorities = priorities.collect::<Vec<_>>().join(", ");
        let is = if course.after.len() > 1 { "are masters" } else { "is master" };
        let who = if course.after.is_empty() {
            "nobody is master".to_owned()
        } else {
            format!("{} {is}", plan.names(course.after.iter().copied()))
        };
        let reason = reason(course);
        let (name, vrid, addresses) = (&router.name, router.vrid, addresses.join(", "));
        line(text, &format!("  {name}, VRID {vrid}, {addresses}{more}: {who} ({priorities}){reason}"));
        told(text, course);
    }
}

/// Why the newest master is it, as its daemon says.
fn reason(course: &Course) -> String {
    let reason = course.became.first().and_then(|one| one.reason.as_ref());
    reason.map(|reason| format!(": {reason}")).unwrap_or_default()
}

/// What is to be said of it.
fn told(text: &mut String, course: &Course) {
    for finding in &course.findings {
        line(text, &format!("    {}: {finding}", word(finding.weight())));
    }
}

fn failures(text: &mut String, report: &Report<'_>, played: &[Played]) {
    let plan = report.rehearsal.plan();
    let (quiet, loud): (Vec<&Played>, Vec<&Played>) =
        played.iter().partition(|played| phases(played).all(|phase| phase.courses.iter().all(is_quiet)));
    for one in loud {
        line(text, &format!("\n{}", capital(&one.failure.told(plan))));
        phase(text, plan, &one.broken, "");
        if let Some(repaired) = &one.repaired {
            phase(text, plan, repaired, "repaired, ");
        }
    }
    if !quiet.is_empty() {
        let all: Vec<_> = quiet.iter().map(|one| one.failure.told(plan)).collect();
        line(text, &format!("\nNothing changes when\n  {}", all.join("\n  ")));
    }
}

fn is_quiet(course: &Course) -> bool {
    course.before == course.after
        && course.findings.is_empty()
        && !shows(course.measure.without)
        && !shows(course.measure.two)
}

fn phase<'a>(text: &mut String, plan: &'a Plan, phase: &'a Phase, when: &str) {
    for alike in alike(plan, phase) {
        let Some((_, slowest)) = alike.iter().max_by_key(|(_, course)| course.measure.without) else {
            continue;
        };
        let what = happened(plan, slowest);
        let names: Vec<_> = alike.iter().map(|(name, _)| *name).collect();
        let (shown, more) = names.split_at(names.len().min(MOST_NAMES));
        let more = if more.is_empty() { String::new() } else { format!(" and {} more", more.len()) };
        let vary = alike.iter().any(|(_, course)| spans(course) != spans(slowest));
        let at_most = if vary { "at most " } else { "" };
        let names = shown.join(", ");
        line(text, &format!("  {when}{names}{more}: {}{}", what.replace("{}", at_most), reason(slowest)));
        told(text, slowest);
    }
}

/// The times that a line tells, to the millisecond.
fn spans(course: &Course) -> (u128, u128, Option<u128>) {
    let after = course.became.first().map(|one| millis(one.after));
    (millis(course.measure.without), millis(course.measure.two), after)
}

/// Virtual routers that fared alike, as far as hosts and findings go; without those of which there is nothing to say.
fn alike<'a>(plan: &'a Plan, phase: &'a Phase) -> Vec<Vec<(&'a str, &'a Course)>> {
    let mut groups: Vec<Vec<(&str, &Course)>> = Vec::new();
    let mut known = BTreeMap::new();
    for (router, course) in plan.routers.iter().zip(&phase.courses).filter(|(_, course)| !is_quiet(course)) {
        let told: Vec<_> = course.findings.iter().map(ToString::to_string).collect();
        let spans = (shows(course.measure.without), shows(course.measure.two));
        let key = (&course.before, &course.after, spans, told);
        let at = *known.entry(key).or_insert_with(|| {
            groups.push(Vec::new());
            groups.len() - 1
        });
        groups[at].push((router.name.as_str(), course));
    }
    groups
}

/// Who is master now, and what it took. Times have a `{}` in front of them.
fn happened(plan: &Plan, course: &Course) -> String {
    let names = |hosts: &BTreeSet<HostId>| plan.names(hosts.iter().copied());
    let after =
        course.became.first().map(|one| format!(" after {{}}{}", seconds(one.after))).unwrap_or_default();
    if course.after.is_empty() {
        return format!("nobody is master, and {} was", names(&course.before));
    }
    if course.before.is_empty() {
        return format!("{} is master{after}", names(&course.after));
    }
    if course.after.len() > course.before.len() && course.after.is_superset(&course.before) {
        let new = plan.names(course.after.difference(&course.before).copied());
        let without = course.measure.without;
        let without = if shows(without) {
            format!(", {{}}{} without a master", seconds(without))
        } else {
            String::new()
        };
        let are = if course.after.len() - course.before.len() > 1 { "are masters" } else { "is master" };
        return format!("{new} {are} too{after}{without}");
    }
    let (without, two) = (course.measure.without, course.measure.two);
    if course.before.len() > 1 && course.after.len() == 1 && !shows(without) {
        let alone = format!("{} alone is master", names(&course.after));
        // The other one may have gone without that the two ever heard each other.
        return if shows(two) { format!("{alone} again {{}}{} later", seconds(two)) } else { alone };
    }
    let without = course.measure.without;
    if course.became.first().is_some_and(|one| millis(one.after) == millis(without))
        && !shows(course.measure.two)
    {
        return format!(
            "{} instead of {}{after} without a master",
            names(&course.after),
            names(&course.before)
        );
    }
    let who = if course.before == course.after {
        let are = if course.after.len() > 1 { "are masters" } else { "is master" };
        format!("{} {are} still", names(&course.after))
    } else {
        format!("{} instead of {}{after}", names(&course.after), names(&course.before))
    };
    let spans = [(course.measure.without, "without a master"), (course.measure.two, "with two")];
    let spans: Vec<_> = spans
        .iter()
        .filter(|(span, _)| shows(*span))
        .map(|(span, what)| format!("{{}}{} {what}", seconds(*span)))
        .collect();
    match spans.as_slice() {
        [] if course.before == course.after => who,
        [] => format!("{who}, never without a master"),
        spans => format!("{who}, {}", spans.join(", ")),
    }
}

fn capital(sentence: &str) -> String {
    let mut letters = sentence.chars();
    let Some(first) = letters.next() else { return String::new() };
    // The name of a host is what it is.
    let is_article = ["the ", "LAN "].iter().any(|word| sentence.starts_with(word));
    if is_article { first.to_uppercase().chain(letters).collect() } else { sentence.to_owned() }
}

fn summary(text: &mut String, report: &Report<'_>) {
    let plan = report.rehearsal.plan();
    let bad: Vec<_> = report.played.iter().filter(|one| findings(one, Weight::Failure) > 0).collect();
    let at_rest = weighs(report.rehearsal.start(), Weight::Failure) > 0;
    let count = report.played.len();
    line(text, "");
    if at_rest {
        line(text, "Already at rest an address has no master, or two.");
    }
    if bad.is_empty() && !at_rest {
        let part = if report.unplayed() > 0 { "of what was played, " } else { "" };
        let alone = alone(report);
        let told = if alone.is_empty() {
            format!("{part}each address always finds one master again")
        } else {
            let rest = if alone.len() < plan.routers.len() { "; each other one finds one again" } else { "" };
            let have = if alone.len() > 1 { "have" } else { "has" };
            let shown = alone.iter().take(MOST_NAMES).copied().collect::<Vec<_>>().join(", ");
            let more = alone.len().saturating_sub(MOST_NAMES);
            let more = if more > 0 { format!(" and {more} more") } else { String::new() };
            format!("{part}{shown}{more} {have} no other host and {have} no master when it fails{rest}")
        };
        line(text, &format!("{count} single failures: {told}."));
    } else {
        line(
            text,
            &format!(
                "{} of {count} single failures leave an address without a master, or with two.",
                bad.len()
            ),
        );
        for one in &bad {
            line(text, &format!("  {}", one.failure.told(plan)));
        }
    }
    if let Some((span, router, failure)) = longest(report).filter(|(span, ..)| shows(*span)) {
        line(
            text,
            &format!("The longest time without a master: {}, {router}, when {failure}.", seconds(span)),
        );
    }
    let doubts: usize =
        report.played.iter().map(|one| findings(one, Weight::Doubt) - findings(one, Weight::Failure)).sum();
    let doubts = doubts + weighs(report.rehearsal.start(), Weight::Doubt)
        - weighs(report.rehearsal.start(), Weight::Failure);
    let doubts = doubts + report.unplayed();
    if doubts > 0 {
        line(text, &format!("Doubts: {doubts}."));
    }
    if !report.pairs.is_empty() {
        let bad = report.pairs.iter().filter(|one| findings(one, Weight::Failure) > 0).count();
        line(
            text,
            &format!(
                "{bad} of {} pairs of failures leave an address without a master, or with two.",
                report.pairs.len()
            ),
        );
    }
}

/// The virtual routers that nobody took over, because no other host has them.
fn alone<'a>(report: &'a Report<'_>) -> Vec<&'a str> {
    let routers = report.rehearsal.plan().routers.iter().enumerate();
    let is_alone = |number: usize| {
        let courses = report.played.iter().filter_map(|one| one.broken.courses.get(number));
        courses.flat_map(|course| &course.findings).any(|finding| matches!(finding, Finding::Alone { .. }))
    };
    routers.filter(|(number, _)| is_alone(*number)).map(|(_, router)| router.name.as_str()).collect()
}

/// The longest time without a master that ends by itself, of a single failure.
fn longest(report: &Report<'_>) -> Option<(Duration, String, String)> {
    let plan = report.rehearsal.plan();
    let all = report.played.iter().flat_map(|one| {
        phases(one).zip([false, true]).flat_map(move |(phase, repaired)| {
            let routers = plan.routers.iter().zip(&phase.courses);
            // What nobody was master of before the repair is told as that.
            let recovered = routers.filter(move |(_, course)| {
                !course.after.is_empty() && (!repaired || !course.before.is_empty())
            });
            recovered.map(move |(router, course)| (course.measure.without, router, one, repaired))
        })
    });
    // Of equals the first.
    let longest = all.reduce(|best, other| if other.0 > best.0 { other } else { best });
    longest.map(|(span, router, one, repaired)| {
        let told = one.failure.told(plan);
        (span, router.name.clone(), if repaired { format!("{told}, and is repaired") } else { told })
    })
}

/// Each event of a scenario and what followed, then what was not as expected.
fn scenario(text: &mut String, report: &Report<'_>, performed: &Performed) {
    let plan = report.rehearsal.plan();
    line(text, "\nScenario");
    for (at, told) in events(plan, performed) {
        line(text, &format!("  {:>12}  {told}", seconds(at)));
    }
    line(text, "");
    for (router, measure) in plan.routers.iter().zip(&performed.measures) {
        let mut what = format!("{}: {} without a master", router.name, seconds(measure.without));
        for (span, how) in
            [(measure.two, "with two on one LAN"), (measure.apart, "with two that were cut apart")]
        {
            if shows(span) {
                // Writing to a string cannot fail.
                let _written = write!(what, ", {} {how}", seconds(span));
            }
        }
        line(text, &what);
    }
    for violation in &performed.violations {
        let at = seconds(violation.at.since(performed.from));
        line(text, &format!("failure: at {at}: {violation}"));
    }
    let (all, met) =
        (&performed.expectations, performed.expectations.iter().filter(|one| one.is_met()).count());
    let verdict = if went_well(performed) { "It went as expected" } else { "It did not go as expected" };
    let broken = performed.violations.len();
    line(text, &format!("{verdict}: {met} of {} expectations met, {broken} rules broken.", all.len()));
}

/// An expectation and what came of it.
fn looked(plan: &Plan, one: &Expectation) -> String {
    let names = |hosts: &BTreeSet<HostId>| plan.names(hosts.iter().copied());
    let (instance, expected) = (&one.instance, names(&one.expected));
    if one.is_met() {
        return format!("ok: {instance} is at {expected}, as line {} expects", one.line);
    }
    format!("failure: line {} expects {instance} at {expected}, and it is at {}", one.line, names(&one.found))
}

/// What was done and what became of it, in order of time.
pub(super) fn events(plan: &Plan, performed: &Performed) -> Vec<(Duration, String)> {
    let marks = performed
        .timeline
        .marks
        .iter()
        .map(|mark| (mark.at.since(performed.from), 0, format!("** {}", mark.text)));
    let bars = performed.timeline.lanes.iter().flat_map(|lane| {
        let begun = lane.bars.iter().filter(|bar| bar.from > performed.timeline.from);
        begun.map(|bar| {
            let (host, instance) = (plan.host_name(lane.part.host), &lane.part.instance);
            let state = bar.state.map_or_else(
                || "not running".to_owned(),
                |state| format!("{state}, priority {}", bar.priority),
            );
            let reason = bar.reason.as_ref().map(|reason| format!(": {reason}")).unwrap_or_default();
            (bar.from.since(performed.from), 1, format!("{host} {instance} {state}{reason}"))
        })
    });
    let looks = performed.expectations.iter().map(|one| (one.at, 2, looked(plan, one)));
    let mut all: Vec<_> = marks.chain(bars).chain(looks).collect();
    all.sort_by_key(|(at, kind, _)| (*at, *kind));
    all.into_iter().map(|(at, _, told)| (at, told)).collect()
}

/// The weight of a finding decides its word; kept here so that text and JSON agree.
pub(super) fn finding(finding: &Finding) -> (&'static str, &'static str, String) {
    (word(finding.weight()), finding.name(), finding.to_string())
}

/// So many names of virtual routers stand in one line.
const MOST_NAMES: usize = 6;
