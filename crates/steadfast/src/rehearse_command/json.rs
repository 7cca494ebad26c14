//! A report for programs. docs/rehearse.md describes the fields.

use std::collections::BTreeSet;
use std::time::Duration;

use model::Instant;
use serde::Serialize;
use serde_json::{Value, json};
use sim::HostId;
use sim::rehearsal::{Course, Fault, Measure, Origin, Performed, Phase, Plan, Played, Timeline, WhyLeftOut};

use super::report::{Report, went_well};
use super::text;

/// Grows when a field changes its meaning or goes; new fields may come at any time.
const SCHEMA: u32 = 1;

#[derive(Debug, Serialize)]
struct Document {
    schema: u32,
    seed: u64,
    good: bool,
    hosts: Vec<Value>,
    lans: Vec<Value>,
    routers: Vec<Value>,
    left_out: Vec<Value>,
    no_effect: Vec<&'static str>,
    start: Vec<Value>,
    failures: Vec<Value>,
    pairs: Vec<Value>,
    scenario: Option<Value>,
}

/// Indented, with a newline at the end.
pub(super) fn text(report: &Report<'_>) -> String {
    let plan = report.rehearsal.plan();
    let document = Document {
        schema: SCHEMA,
        seed: report.seed,
        good: report.is_good(false),
        hosts: hosts(plan),
        lans: lans(plan),
        routers: routers(report),
        left_out: left_out(plan),
        no_effect: report.unbuilt.clone(),
        start: courses(plan, report.rehearsal.start()),
        failures: report.played.iter().map(|played| failure(plan, played)).collect(),
        pairs: report.pairs.iter().map(|played| failure(plan, played)).collect(),
        scenario: report.performed.as_ref().map(|performed| scenario(plan, performed)),
    };
    // Nothing in it has keys that are no text.
    serde_json::to_string_pretty(&document).unwrap_or_default() + "\n"
}

fn hosts(plan: &Plan) -> Vec<Value> {
    let of = |host: &sim::rehearsal::PlannedHost| {
        let interfaces = host.interfaces.iter().map(|(name, port)| {
            let addresses = port.addresses.iter().map(address).collect::<Vec<_>>();
            json!({ "name": name.as_str(), "lan": plan.lan_name(port.lan), "addresses": addresses })
        });
        json!({ "name": host.name, "interfaces": interfaces.collect::<Vec<_>>() })
    };
    plan.hosts.iter().map(of).collect()
}

fn address(own: &sim::rehearsal::PlannedAddress) -> Value {
    let origin = match own.origin {
        Origin::Source => "source",
        Origin::Peer => "peer",
        Origin::MadeUp => "made-up",
    };
    json!({ "address": own.prefix.to_string(), "origin": origin })
}

fn lans(plan: &Plan) -> Vec<Value> {
    let of = |lan: &sim::rehearsal::PlannedLan| {
        let members = lan
            .members
            .iter()
            .map(|(host, name)| json!({ "host": plan.host_name(*host), "interface": name.as_str() }));
        json!({ "name": lan.name, "members": members.collect::<Vec<_>>() })
    };
    plan.lans.iter().map(of).collect()
}

fn routers(report: &Report<'_>) -> Vec<Value> {
    let plan = report.rehearsal.plan();
    let of = |(number, router): (usize, &sim::rehearsal::VirtualRouter)| {
        let parts =
            router.parts.iter().zip(report.rehearsal.priorities(number)).map(|(part, (_, priority))| {
                let priority = priority.map(model::Priority::get);
                json!({ "host": plan.host_name(part.host), "instance": part.instance, "priority": priority })
            });
        json!({
            "name": router.name,
            "vrid": router.vrid.get(),
            "lan": plan.lan_name(router.lan),
            "addresses": router.addresses,
            "parts": parts.collect::<Vec<_>>(),
        })
    };
    plan.routers.iter().enumerate().map(of).collect()
}

fn left_out(plan: &Plan) -> Vec<Value> {
    let of = |one: &sim::rehearsal::LeftOut| {
        let why = match one.why {
            WhyLeftOut::NoInterface => "no-interface",
        };
        json!({ "host": one.host, "instance": one.instance, "why": why })
    };
    plan.left_out.iter().map(of).collect()
}

fn failure(plan: &Plan, played: &Played) -> Value {
    let at = played.broken.from;
    json!({
        "title": played.failure.told(plan),
        "faults": played.failure.0.iter().map(|one| fault(plan, one)).collect::<Vec<_>>(),
        "broken": courses(plan, &played.broken),
        "repaired_at": played.repaired.as_ref().map(|phase| seconds(phase.from.since(at))),
        "repaired": played.repaired.as_ref().map(|phase| courses(plan, phase)),
        "timeline": timeline(plan, &played.timeline, at),
    })
}

fn fault(plan: &Plan, fault: &Fault) -> Value {
    let host = plan.host_name(fault.host());
    match fault {
        Fault::Power(_) => json!({ "kind": "power", "host": host }),
        Fault::Stop(_) => json!({ "kind": "stop", "host": host }),
        Fault::Worker(_) => json!({ "kind": "worker", "host": host }),
        Fault::Cable(_, name) => json!({ "kind": "cable", "host": host, "interface": name.as_str() }),
        Fault::Script(_, name) => json!({ "kind": "script", "host": host, "script": name }),
        Fault::Partition(lan, _) => json!({ "kind": "partition", "host": host, "lan": plan.lan_name(*lan) }),
    }
}

fn courses(plan: &Plan, phase: &Phase) -> Vec<Value> {
    let of = |(router, course): (&sim::rehearsal::VirtualRouter, &Course)| {
        let became = course.became.iter().map(|one| {
            let reason = one.reason.as_ref().map(ToString::to_string);
            json!({ "host": plan.host_name(one.host), "after": seconds(one.after), "reason": reason })
        });
        let findings = course.findings.iter().map(|finding| {
            let (weight, name, text) = text::finding(finding);
            json!({ "weight": weight, "name": name, "text": text })
        });
        let mut fields = measure(&course.measure);
        fields["router"] = router.name.clone().into();
        fields["before"] = names(plan, &course.before);
        fields["after"] = names(plan, &course.after);
        fields["became"] = became.collect();
        fields["findings"] = findings.collect();
        fields
    };
    plan.routers.iter().zip(&phase.courses).map(of).collect()
}

fn measure(measure: &Measure) -> Value {
    json!({
        "without_master": seconds(measure.without),
        "two_masters": seconds(measure.two),
        "apart": seconds(measure.apart),
    })
}

fn names(plan: &Plan, hosts: &BTreeSet<HostId>) -> Value {
    hosts.iter().map(|host| plan.host_name(*host)).collect()
}

fn scenario(plan: &Plan, performed: &Performed) -> Value {
    let expectations = performed.expectations.iter().map(|one| {
        json!({
            "line": one.line,
            "at": seconds(one.at),
            "instance": one.instance,
            "expected": names(plan, &one.expected),
            "found": names(plan, &one.found),
            "met": one.is_met(),
        })
    });
    let violations = performed.violations.iter().map(|one| {
        let at = seconds(one.at.since(performed.from));
        json!({ "at": at, "rule": format!("{:?}", one.rule), "text": one.text })
    });
    let routers = plan.routers.iter().zip(&performed.measures).map(|(router, spans)| {
        let mut fields = measure(spans);
        fields["router"] = router.name.clone().into();
        fields
    });
    json!({
        "good": went_well(performed),
        "expectations": expectations.collect::<Vec<_>>(),
        "violations": violations.collect::<Vec<_>>(),
        "routers": routers.collect::<Vec<_>>(),
        "timeline": timeline(plan, &performed.timeline, performed.from),
    })
}

/// Times are counted from `origin`; what is before it is negative.
fn timeline(plan: &Plan, timeline: &Timeline, origin: Instant) -> Value {
    let at = |at: Instant| {
        if at < origin { -seconds(origin.since(at)) } else { seconds(at.since(origin)) }
    };
    let lanes = timeline.lanes.iter().map(|lane| {
        let bars = lane.bars.iter().map(|bar| {
            json!({
                "state": bar.state.map(|state| state.to_string()),
                "priority": bar.state.map(|_| bar.priority.get()),
                "from": at(bar.from),
                "until": at(bar.until),
                "reason": bar.reason.as_ref().map(ToString::to_string),
            })
        });
        let (host, instance) = (plan.host_name(lane.part.host), &lane.part.instance);
        json!({ "host": host, "instance": instance, "bars": bars.collect::<Vec<_>>() })
    });
    let marks = timeline.marks.iter().map(|mark| json!({ "at": at(mark.at), "text": mark.text }));
    json!({
        "from": at(timeline.from),
        "until": at(timeline.until),
        "lanes": lanes.collect::<Vec<_>>(),
        "marks": marks.collect::<Vec<_>>(),
    })
}

/// To the microsecond.
fn seconds(span: Duration) -> f64 {
    Duration::from_micros(u64::try_from(span.as_micros()).unwrap_or(u64::MAX)).as_secs_f64()
}
