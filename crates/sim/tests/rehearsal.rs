//! What a rehearsal says of good files, and of files that were not thought through.

mod common;

use std::collections::BTreeSet;
use std::time::Duration;

use steadfast_sim::rehearsal::{Course, Failure, Fault, Finding, Origin, Phase, Rehearsal, Weight};
use steadfast_sim::{HostId, scenario};

use config::Severity;

/// Hosts `a`, `b`, … with these files.
fn rehearsal(texts: &[String]) -> Rehearsal {
    let hosts =
        texts.iter().zip('a'..).map(|(text, name)| (name.to_string(), common::read(text, Severity::Note)));
    Rehearsal::of(hosts, 1)
}

/// An instance with a priority, and more lines.
fn instance(name: &str, vrid: u8, interface: &str, priority: u8, address: &str, more: &str) -> String {
    format!(
        "vrrp_instance {name} {{\ninterface {interface}\nvirtual_router_id {vrid}\npriority {priority}\n\
         virtual_ipaddress {{\n{address}\n}}\n{more}\n}}\n"
    )
}

fn vi_1(priority: u8, more: &str) -> String {
    instance("VI_1", 51, "eth0", priority, "192.0.2.100/24", more)
}

/// A check of this weight, and an instance that tracks it.
fn checked(priority: u8, weight: i8, more: &str) -> String {
    let script = format!(
        "global_defs {{\nenable_script_security\nscript_user root\n}}\n\
         vrrp_script chk {{\nscript /bin/true\ninterval 2\nweight {weight}\n}}\n"
    );
    script + &vi_1(priority, &format!("track_script {{\nchk\n}}\n{more}"))
}

fn hosts(all: &[usize]) -> BTreeSet<HostId> {
    all.iter().map(|number| HostId::nth(*number)).collect()
}

fn only(phase: &Phase) -> &Course {
    assert_eq!(phase.courses.len(), 1, "{phase:?}");
    &phase.courses[0]
}

/// Everything that fails by itself, with the gravest of what is said of it.
fn verdicts(rehearsal: &Rehearsal) -> Vec<(String, Option<Weight>)> {
    let worst =
        |phase: &Phase| phase.courses.iter().flat_map(|course| &course.findings).map(Finding::weight).max();
    let failures = rehearsal.failures();
    let played = failures.iter().map(|failure| rehearsal.play(failure));
    played
        .map(|played| {
            let told = played.failure.told(rehearsal.plan());
            (told, worst(&played.broken).max(played.repaired.as_ref().and_then(worst)))
        })
        .collect()
}

fn said(rehearsal: &Rehearsal, fault: Fault) -> (Vec<String>, Vec<String>) {
    let played = rehearsal.play(&Failure(vec![fault]));
    let of = |phase: &Phase| {
        phase.courses.iter().flat_map(|course| &course.findings).map(ToString::to_string).collect()
    };
    (of(&played.broken), played.repaired.as_ref().map(of).unwrap_or_default())
}

const A: HostId = HostId::nth(0);
const B: HostId = HostId::nth(1);

#[test]
fn a_good_pair_survives_everything_that_fails_by_itself() {
    let rehearsal = rehearsal(&[vi_1(101, ""), vi_1(100, "")]);
    let start = only(rehearsal.start());
    assert_eq!((&start.after, start.findings.as_slice()), (&hosts(&[0]), [].as_slice()));
    let verdicts = verdicts(&rehearsal);
    let told: Vec<_> = verdicts.iter().map(|(told, _)| told.as_str()).collect();
    assert_eq!(
        told,
        [
            "the power of a fails",
            "a is stopped",
            "the worker of a dies",
            "a loses the cable of eth0",
            "the power of b fails",
            "b is stopped",
            "the worker of b dies",
            "b loses the cable of eth0",
            "LAN eth0 is cut between a and b",
        ]
    );
    for (told, weight) in &verdicts[..8] {
        assert_eq!(*weight, None, "{told}");
    }
    assert_eq!(verdicts[8].1, Some(Weight::Statement), "two masters are inherent in a cut");
}

#[test]
fn times_are_those_of_the_protocol() {
    let rehearsal = rehearsal(&[vi_1(101, ""), vi_1(100, "")]);
    let played = rehearsal.play(&Failure(vec![Fault::Power(A)]));
    let broken = only(&played.broken);
    assert_eq!(broken.after, hosts(&[1]));
    // Three intervals and the skew time, from the last advertisement, which was at most an interval ago.
    let without = broken.measure.without;
    assert!(without > Duration::from_millis(2609) && without < Duration::from_millis(3620), "{without:?}");
    assert_eq!(broken.became[0].after, without);
    let repaired = only(played.repaired.as_ref().unwrap());
    assert_eq!((&repaired.before, &repaired.after), (&hosts(&[1]), &hosts(&[0])));
    assert_eq!(repaired.measure.without, Duration::ZERO);

    let stopped = rehearsal.play(&Failure(vec![Fault::Stop(A)]));
    let without = only(&stopped.broken).measure.without;
    assert!(without < Duration::from_millis(650), "the skew time only: {without:?}");

    let cut = rehearsal.play(&Failure(vec![Fault::Partition(rehearsal.plan().routers[0].lan, A)]));
    let broken = only(&cut.broken);
    assert_eq!(broken.after, hosts(&[0, 1]));
    assert!(broken.measure.apart > Duration::from_secs(1) && broken.measure.two.is_zero());
    let healed = only(cut.repaired.as_ref().unwrap());
    assert_eq!(healed.after, hosts(&[0]));
    assert!(healed.measure.two < Duration::from_millis(1100), "{:?}", healed.measure);
}

#[test]
fn weights_that_do_not_cross_are_told_with_the_sum() {
    let good = rehearsal(&[checked(91, 2, ""), checked(90, 2, "")]);
    let chk = || Fault::Script(A, "chk".to_owned());
    assert_eq!(said(&good, chk()), (vec![], vec![]));
    assert_eq!(only(&good.play(&Failure(vec![chk()])).broken).after, hosts(&[1]));

    let bad = rehearsal(&[checked(101, -2, ""), checked(98, -2, "")]);
    assert_eq!(
        said(&bad, chk()).0,
        [
            "a stays master though chk fails: 101 - 2 = 99 is not below 98 of b; a weight of -4 would be enough"
        ]
    );
    let bad = rehearsal(&[checked(91, 1, ""), checked(90, 1, "")]);
    assert_eq!(
        said(&bad, chk()).0,
        [
            "a stays master though chk fails: 92 - 1 = 91 is not below 91 of b; a weight of 2 on both would be enough"
        ]
    );
    // What only a has, it only loses again.
    let bonus = rehearsal(&[checked(91, 5, ""), vi_1(91, "")]);
    assert_eq!(
        said(&bonus, chk()).0,
        [
            "a stays master though chk fails: 96 - 5 = 91 is not below 91 of b; no weight is enough, the priority of a itself is too great by 1"
        ]
    );
    assert!(verdicts(&bad).iter().all(|(_, weight)| *weight < Some(Weight::Failure)), "a doubt only");
}

#[test]
fn a_vital_script_moves_the_address_whatever_the_priorities_are() {
    let rehearsal = rehearsal(&[checked(200, 0, ""), checked(100, 0, "")]);
    let played = rehearsal.play(&Failure(vec![Fault::Script(A, "chk".to_owned())]));
    assert_eq!(only(&played.broken).after, hosts(&[1]));
    assert_eq!(only(&played.broken).findings, []);
    // Both fail: nobody can be master.
    let both = Failure(vec![Fault::Script(A, "chk".to_owned()), Fault::Script(B, "chk".to_owned())]);
    assert!(rehearsal.pairs().contains(&both));
    let played = rehearsal.play(&both);
    let findings = &only(&played.broken).findings;
    assert_eq!(
        findings.iter().map(ToString::to_string).collect::<Vec<_>>(),
        ["nobody can be master: a is at fault (script chk fails); b is at fault (script chk fails)"]
    );
    assert_eq!(findings[0].weight(), Weight::Failure);
}

#[test]
fn nopreempt_keeps_the_address_where_it_went_and_is_no_mistake() {
    let rehearsal = rehearsal(&[vi_1(101, "nopreempt"), vi_1(100, "nopreempt")]);
    let (broken, repaired) = said(&rehearsal, Fault::Power(A));
    assert_eq!(
        (broken, repaired.as_slice()),
        (vec![], ["does not go back to a, which has nopreempt".to_owned()].as_slice())
    );
    // What the notes warn of: with a weight it never moves.
    let weighted = self::rehearsal(&[checked(101, -20, "nopreempt"), checked(100, -20, "nopreempt")]);
    assert_eq!(
        said(&weighted, Fault::Script(A, "chk".to_owned())).0,
        ["a stays master though chk fails: 101 - 20 = 81 is below 100 of b, which has nopreempt"]
    );
}

#[test]
fn of_three_hosts_the_best_takes_over_and_each_can_be_cut_off() {
    let rehearsal = rehearsal(&[vi_1(100, ""), vi_1(90, ""), vi_1(80, "")]);
    let played = rehearsal.play(&Failure(vec![Fault::Power(A)]));
    assert_eq!(only(&played.broken).after, hosts(&[1]));
    let cuts: Vec<_> = rehearsal.failures().into_iter().filter(Failure::parts_hosts).collect();
    assert_eq!(cuts.len(), 3);
    assert_eq!(cuts[2].told(rehearsal.plan()), "c is cut off from a and b on LAN eth0");
    assert!(verdicts(&rehearsal).iter().all(|(_, weight)| *weight < Some(Weight::Doubt)));
    let pair = Failure(vec![Fault::Power(A), Fault::Power(B)]);
    assert_eq!(only(&rehearsal.play(&pair).broken).after, hosts(&[2]));
}

#[test]
fn a_router_that_only_one_host_has_is_told_and_fails_nothing() {
    let one = vi_1(101, "") + &instance("VI_2", 52, "eth0", 100, "192.0.2.101/24", "");
    let rehearsal = rehearsal(&[one, vi_1(100, "")]);
    let names: Vec<_> = rehearsal.plan().routers.iter().map(|router| router.name.as_str()).collect();
    assert_eq!((names.as_slice(), rehearsal.plan().lans.len()), (["VI_1", "VI_2"].as_slice(), 1));
    assert_eq!(said(&rehearsal, Fault::Power(A)).0, ["nobody takes over: only a has it"]);
    assert!(verdicts(&rehearsal).iter().all(|(_, weight)| *weight < Some(Weight::Doubt)));
}

/// Passwords that differ, versions that differ, numbers that differ: one address, two masters.
#[test]
fn hosts_that_refuse_each_other_are_two_masters_at_rest() {
    let secret = |word: &str| format!("authentication {{\nauth_type PASS\nauth_pass {word}\n}}\n");
    let refused = rehearsal(&[vi_1(101, &secret("one")), vi_1(100, &secret("two"))]);
    let finding = &only(refused.start()).findings[0];
    assert_eq!(finding.weight(), Weight::Failure);
    let text = finding.to_string();
    assert!(
        text.starts_with("a and b are master at once, on one LAN: ") && text.contains("refused an advert"),
        "{text}"
    );
    let numbers = rehearsal(&[vi_1(101, ""), vi_1(100, "").replace("_id 51", "_id 52")]);
    assert_eq!(only(numbers.start()).findings[0].to_string(), "a and b are master at once, on one LAN");
}

#[test]
fn ipv6_is_rehearsed_as_ipv4_is_beside_it_or_alone() {
    let six = |priority: u8, more: &str| {
        let addresses = "fe80::51\n2001:db8::100/64";
        instance("SIX", 51, "eth0", priority, addresses, &format!("version 3\n{more}"))
    };
    let dual = rehearsal(&[vi_1(101, "") + &six(101, ""), vi_1(100, "") + &six(100, "")]);
    assert_eq!(dual.plan().left_out, []);
    let routers: Vec<_> = dual.plan().routers.iter().map(|router| router.parts.len()).collect();
    assert_eq!(routers, [2, 2], "one VRID for two families is two virtual routers");
    assert!(dual.start().courses.iter().all(|course| course.after == hosts(&[0])));
    let failures = dual.failures();
    let power = failures.iter().find(|one| one.told(dual.plan()).contains("the power of a fails")).unwrap();
    let broken = dual.play(power).broken;
    assert!(broken.courses.iter().all(|course| course.after == hosts(&[1])), "{broken:#?}");

    let alone = rehearsal(&[six(101, ""), six(100, "")]);
    let eth0 = "eth0".parse().unwrap();
    assert_eq!(alone.plan().hosts[0].interfaces[&eth0].addresses, [], "its kernel makes its own");
    assert!(verdicts(&alone).iter().all(|(_, weight)| *weight < Some(Weight::Doubt)));
    let equal = rehearsal(&[six(100, ""), six(100, "")]);
    let findings = &only(equal.start()).findings;
    assert!(matches!(findings[..], [Finding::Tie { .. }]), "hardware addresses are made up: {findings:?}");

    let unicast =
        |own: &str, peer: &str| six(100, &format!("unicast_src_ip {own}\nunicast_peer {{\n{peer}\n}}"));
    let peers = rehearsal(&[unicast("2001:db8::7", "2001:db8::8"), unicast("2001:db8::8", "2001:db8::7")]);
    let own = &peers.plan().hosts[0].interfaces[&eth0].addresses;
    assert_eq!(own.iter().map(|own| own.prefix.to_string()).collect::<Vec<_>>(), ["2001:db8::7/64"]);
    assert_eq!(only(peers.start()).after, hosts(&[1]), "of equals the greater address");
    assert_eq!(only(peers.start()).findings, []);
}

#[test]
fn unicast_hosts_have_the_addresses_that_they_name() {
    let unicast = |own: &str, peers: &str| format!("unicast_src_ip {own}\nunicast_peer {{\n{peers}\n}}\n");
    let files =
        [vi_1(101, &unicast("192.0.2.7", "192.0.2.8")), vi_1(100, &unicast("192.0.2.8", "192.0.2.7"))];
    let rehearsal = rehearsal(&files);
    assert!(verdicts(&rehearsal).iter().all(|(_, weight)| *weight < Some(Weight::Doubt)));
    let eth0 = "eth0".parse().unwrap();
    let own = |rehearsal: &Rehearsal, host: usize| {
        let [own] = rehearsal.plan().hosts[host].interfaces[&eth0].addresses[..] else { panic!("not one") };
        (own.prefix.to_string(), own.origin)
    };
    assert_eq!(own(&rehearsal, 0), ("192.0.2.7/24".to_owned(), Origin::Source));

    let peer = |peer: &str| vi_1(100, &format!("unicast_peer {{\n{peer}\n}}\n"));
    let peers = self::rehearsal(&[peer("192.0.2.8"), peer("192.0.2.7")]);
    assert_eq!(own(&peers, 0), ("192.0.2.7/24".to_owned(), Origin::Peer));
    assert_eq!(own(&peers, 1), ("192.0.2.8/24".to_owned(), Origin::Peer));
    assert_eq!(only(peers.start()).after, hosts(&[1]), "of equals the greater address");
    assert_eq!(only(peers.start()).findings, [], "which is not made up");

    // A peer that is not listed hears, and is not heard.
    let one_way = [files[0].clone(), files[1].replace("192.0.2.7\n", "192.0.2.9\n")];
    assert_eq!(only(self::rehearsal(&one_way).start()).after, hosts(&[0]), "b hears a");
    let deaf = [files[0].replace("192.0.2.8\n", "192.0.2.9\n"), files[1].clone()];
    assert_eq!(
        only(self::rehearsal(&deaf).start()).findings[0].weight(),
        Weight::Failure,
        "b does not hear a"
    );
}

#[test]
fn a_tie_that_made_up_addresses_decide_is_told() {
    let rehearsal = rehearsal(&[vi_1(100, ""), vi_1(100, "")]);
    let start = only(rehearsal.start());
    assert!(start.findings.iter().any(|finding| matches!(finding, Finding::Tie { .. })), "{start:?}");
    let equal = &rehearsal.play(&Failure(vec![Fault::Power(start.after.first().copied().unwrap())]));
    let back = &only(equal.repaired.as_ref().unwrap()).findings;
    assert!(back.iter().any(|one| one.to_string().contains("equals do not preempt")), "{back:?}");
}

fn two_lans(priority: u8, group: bool) -> String {
    let group = if group { "vrrp_sync_group G {\ngroup {\nIN\nOUT\n}\n}\n" } else { "" };
    instance("IN", 51, "eth0", priority, "192.0.2.100/24", "")
        + &instance("OUT", 52, "eth1", priority, "198.51.100.1/24", "")
        + group
}

#[test]
fn two_lans_fail_by_themselves_unless_a_group_binds_them() {
    let apart = rehearsal(&[two_lans(101, false), two_lans(100, false)]);
    let lans: Vec<_> = apart.plan().lans.iter().map(|lan| lan.name.as_str()).collect();
    assert_eq!(lans, ["eth0", "eth1"]);
    let cable = Failure(vec![Fault::Cable(A, "eth0".parse().unwrap())]);
    let after = |rehearsal: &Rehearsal| -> Vec<_> {
        rehearsal.play(&cable).broken.courses.into_iter().map(|course| course.after).collect()
    };
    assert_eq!(after(&apart), [hosts(&[1]), hosts(&[0])]);
    let bound = rehearsal(&[two_lans(101, true), two_lans(100, true)]);
    assert_eq!(after(&bound), [hosts(&[1]), hosts(&[1])]);
    assert!(verdicts(&bound).iter().all(|(told, weight)| *weight < Some(Weight::Failure) || told.is_empty()));
}

/// A cut of one of two LANs: the group on the far side hears its master on the other one, and stays backup.
#[test]
fn a_group_that_is_held_back_is_told_with_what_holds_it() {
    let bound = rehearsal(&[two_lans(101, true), two_lans(100, true)]);
    let (broken, repaired) = said(
        &bound,
        Fault::Partition(bound.plan().lans.first().map(|_| bound.plan().routers[0].lan).unwrap(), A),
    );
    assert_eq!(broken.len(), 1, "{broken:?}");
    assert!(broken[0].starts_with("nobody is master on the side of b: b says"), "{broken:?}");
    assert!(broken[0].contains("OUT of sync group G hears its master"), "{broken:?}");
    assert_eq!(repaired, Vec::<String>::new());
}

#[test]
fn an_address_on_a_link_that_nothing_tracks_is_lost_in_silence() {
    let file = |priority| instance("V", 9, "eth0", priority, "198.51.100.1/24 dev eth1", "");
    let rehearsal = rehearsal(&[file(101), file(100)]);
    let eth1 = "eth1".parse().unwrap();
    assert_eq!(
        said(&rehearsal, Fault::Cable(A, eth1)).0,
        ["a stays master, and 198.51.100.1 on its eth1 cannot be reached: nothing tracks eth1"]
    );
}

#[test]
fn scenarios_are_played_and_their_expectations_looked_at() {
    let rehearsal = rehearsal(&[vi_1(101, ""), vi_1(100, "")]);
    let text =
        "at 1s expect VI_1 a\nat 2s crash a\n+5s expect VI_1 b\n+0s expect VI_1 a\nat 20s start a\nend 40s\n";
    let scenario = scenario::parse(text).unwrap();
    let bound = scenario.bind(rehearsal.cluster(), |_, _| Err(String::new())).unwrap();
    let performed = rehearsal.perform(&bound, false);
    let met: Vec<_> = performed.expectations.iter().map(|one| (one.line, one.is_met())).collect();
    assert_eq!(met, [(1, true), (3, true), (4, false)]);
    assert_eq!(performed.expectations[2].found, hosts(&[1]));
    assert_eq!(performed.violations, []);
    assert_eq!(performed.timeline.until.since(performed.timeline.from), Duration::from_secs(40));
    let cold = rehearsal.perform(&bound, true);
    assert!(!cold.expectations.iter().any(|one| one.is_met()), "nobody has started b, and a only late");
    assert_eq!(
        format!("{:?}", rehearsal.perform(&bound, false).timeline),
        format!("{:?}", performed.timeline)
    );
}

#[test]
fn a_link_that_is_not_tracked_leaves_a_master_that_nobody_reaches() {
    let rehearsal = rehearsal(&[vi_1(101, "dont_track_primary"), vi_1(100, "dont_track_primary")]);
    let played = rehearsal.play(&Failure(vec![Fault::Cable(A, "eth0".parse().unwrap())]));
    let broken = only(&played.broken);
    assert_eq!(broken.after, hosts(&[0, 1]));
    assert!(broken.measure.without > Duration::from_secs(3), "a is not reached: {:?}", broken.measure);
    assert_eq!(
        broken.findings.iter().map(ToString::to_string).collect::<Vec<_>>(),
        ["a is master where nobody reaches it: its eth0 is down, and not tracked"]
    );
    assert_eq!(broken.findings[0].weight(), Weight::Statement);
    assert_eq!(only(played.repaired.as_ref().unwrap()).after, hosts(&[0]));
}

#[test]
fn what_cannot_be_rehearsed_is_left_out_and_said() {
    let unicast = "unicast_src_ip 192.0.2.7\nunicast_peer {\n192.0.2.8\n}\n";
    let lost =
        instance("LOST", 60, "eth0", 101, "192.0.2.1/24 dev eth0", unicast).replace("interface eth0\n", "");
    let rehearsal = rehearsal(&[vi_1(101, "") + &lost, vi_1(100, "")]);
    let left_out: Vec<_> = rehearsal.plan().left_out.iter().map(|one| one.instance.as_str()).collect();
    assert_eq!((left_out.as_slice(), rehearsal.plan().routers.len()), (["LOST"].as_slice(), 1));
    // The device that a VMAC would be is not made: the addresses stay on the interface.
    let own = self::rehearsal(&[vi_1(101, "use_vmac"), vi_1(100, "")]);
    assert_eq!((own.plan().lans.len(), own.plan().lans[0].name.as_str()), (1, "eth0"));
}

#[test]
fn a_router_without_a_master_is_a_failure_whatever_the_cause() {
    let reversed = checked(100, 0, "").replace("chk\n}", "chk weight 0 reverse\n}");
    let rehearsal = rehearsal(&[vi_1(101, ""), reversed]);
    let played = rehearsal.play(&Failure(vec![Fault::Power(A)]));
    let broken = only(&played.broken);
    assert_eq!(broken.after, hosts(&[]));
    assert_eq!(broken.findings[0].weight(), Weight::Failure);
    let told = broken.findings[0].to_string();
    assert!(told.starts_with("nobody can be master: a does not run; b is at fault ("), "{told}");

    let sick = |priority| checked(priority, 0, "").replace("chk\n}", "chk weight 0 reverse\n}");
    let nobody = self::rehearsal(&[sick(101), sick(100)]);
    let start = only(nobody.start());
    assert_eq!((&start.after, start.findings[0].weight()), (&hosts(&[]), Weight::Failure));

    let tracking = |priority| {
        "vrrp_track_process p {\nprocess nothing\nweight 0\n}\n".to_owned()
            + &vi_1(priority, "track_process {\np\n}")
    };
    let there = self::rehearsal(&[tracking(101), tracking(100)]);
    assert_eq!(only(there.start()).after, hosts(&[0]), "tracked processes are there");

    let both = Failure(vec![Fault::Power(A), Fault::Power(B)]);
    let off = self::rehearsal(&[vi_1(101, ""), vi_1(100, "")]).play(&both);
    assert_eq!(
        only(&off.broken).findings[0].to_string(),
        "nobody can be master: a does not run; b does not run"
    );
}

#[test]
fn an_address_that_the_master_does_not_have_is_a_failure() {
    let with = |priority, addresses| instance("VI_1", 51, "eth0", priority, addresses, "");
    let (more, less) = ("192.0.2.100/24\n192.0.2.102/24", "192.0.2.100/24");
    let fewer = rehearsal(&[with(101, more), with(100, less)]);
    assert_eq!(only(fewer.start()).findings, []);
    let played = fewer.play(&Failure(vec![Fault::Power(A)]));
    let finding = &only(&played.broken).findings[0];
    assert_eq!(finding.weight(), Weight::Failure);
    assert_eq!(finding.to_string(), "192.0.2.102 is nowhere: b is master, and its file does not name it");
    let other = rehearsal(&[with(101, more), with(100, "192.0.2.101/24")]);
    assert_eq!(
        only(other.start()).findings[0].to_string(),
        "192.0.2.101 is nowhere: a is master, and its file does not name it"
    );
}
