//! Two and three hosts, each with two virtual routers in one sync group.

use std::time::Duration;

use model::vrrp::{Command, Config, Instance, RunAs, Script, SyncGroup, TrackedScript};
use model::{Influence, Priority, Vrid, Weight};
use steadfast_vrrp::{Notice, Reason, ScriptOutcome, StateName};

use crate::segment::{HostId, Lan};
use crate::{A, B, C, DELAY, entered, instance, notices, secs, steps};

const BOTH: [&str; 2] = ["VI_1", "VI_2"];

/// The second member.
fn second() -> Vrid {
    Vrid::try_from(52).expect("52 is a VRID")
}

/// Two members with these priorities, in one group.
fn pair(priorities: [u8; 2]) -> Config {
    let [first, other] = priorities.map(instance);
    let other = Instance { name: "VI_2".into(), vrid: second(), ..other };
    let group = SyncGroup::new("G", BOTH.map(str::to_owned).to_vec());
    Config { instances: vec![first, other], groups: vec![group], ..Config::default() }
}

/// The same, and a script that the group tracks.
fn checked(priorities: [u8; 2], weight: i16) -> Config {
    let command = Command { program: "/bin/check".into(), arguments: Vec::new(), run_as: RunAs::Default };
    let mut config = pair(priorities);
    config.scripts = vec![Script::new("chk", command)];
    let influence = Influence { weight: Weight::try_from(weight).expect("in range"), reverse: false };
    config.groups[0].track_scripts = vec![TrackedScript { script: "chk".into(), influence }];
    config
}

fn running(hosts: &[([u8; 4], Config)]) -> (Lan, Vec<HostId>) {
    let mut lan = Lan::new(DELAY);
    let ids: Vec<_> = hosts.iter().map(|(address, config)| lan.add(*address, config.clone())).collect();
    for id in &ids {
        lan.start(*id);
    }
    lan.run_for(secs(30));
    (lan, ids)
}

/// The only host that holds anything holds all of it.
#[track_caller]
fn assert_master(lan: &Lan, host: HostId) {
    assert_eq!(lan.masters(), [host]);
    assert_eq!(lan.held(host), BOTH);
}

#[test]
fn a_crashed_master_is_followed_by_all_members_at_once() {
    let (mut lan, hosts) = running(&[(A, pair([101; 2])), (B, pair([100; 2]))]);
    assert_master(&lan, hosts[0]);
    lan.crash(hosts[0]);
    lan.forget_log();
    let begin = lan.now();
    lan.run_until_state(hosts[1], StateName::Master);
    assert!(lan.now().since(begin) <= secs(3) + secs(1) * 156 / 256);
    assert_master(&lan, hosts[1]);
    let expected = [
        "advert 100",
        "advert 100",
        "hold [192.168.0.100/32]",
        "hold [192.168.0.100/32]",
        "announce 192.168.0.100 x5",
        "announce 192.168.0.100 x5",
        "notify Master",
        "notify Master",
        "notify group Master",
        "publish MASTER 100",
        "publish MASTER 100",
    ];
    assert_eq!(steps(lan.log(), hosts[1]), expected);
}

#[test]
fn a_better_group_preempts_and_a_stopped_one_releases() {
    let (mut lan, hosts) = running(&[(A, pair([101; 2])), (B, pair([100; 2]))]);
    let begin = lan.now();
    lan.stop(hosts[0]);
    lan.run_until_state(hosts[1], StateName::Master);
    assert!(lan.now().since(begin) < secs(1));
    assert_master(&lan, hosts[1]);
    lan.start(hosts[0]);
    lan.run_until_state(hosts[0], StateName::Master);
    lan.run_for(DELAY * 3);
    assert_master(&lan, hosts[0]);
    let lower = |notice: &Notice| matches!(notice, Notice::LowerPriority { .. });
    assert_eq!(notices(lan.log(), lower), 0);
}

#[test]
fn a_cut_of_one_members_link_moves_nothing_and_is_told() {
    let (mut lan, hosts) = running(&[(A, pair([101; 2])), (B, pair([100; 2]))]);
    lan.forget_log();
    lan.lose(second());
    lan.run_for(secs(60));
    assert_master(&lan, hosts[0]);
    let held_back = |notice: &Notice| matches!(notice, Notice::HeldBack { .. });
    assert_eq!(notices(lan.log(), held_back), 1);
    lan.heal();
    lan.run_for(secs(2));
    lan.crash(hosts[0]);
    let begin = lan.now();
    lan.run_until_state(hosts[1], StateName::Master);
    let waited = lan.now().since(begin);
    assert!(waited > secs(2), "the wish of the member that was cut off is no longer one: {waited:?}");
    assert_master(&lan, hosts[1]);
}

#[test]
fn a_failing_script_of_the_group_moves_it_whole_and_back() {
    for weight in [0, -30] {
        let (mut lan, hosts) = running(&[(A, checked([101; 2], weight)), (B, pair([100; 2]))]);
        assert_master(&lan, hosts[0]);
        lan.set_script(hosts[0], "chk", ScriptOutcome::Exited(1));
        lan.run_until_state(hosts[1], StateName::Master);
        lan.run_for(DELAY * 3);
        assert_master(&lan, hosts[1]);
        lan.set_script(hosts[0], "chk", ScriptOutcome::Exited(0));
        lan.run_for(secs(10));
        assert_master(&lan, hosts[0]);
    }
}

#[test]
fn members_of_different_priorities_have_one_master_whatever_came_first() {
    for (ours, theirs) in [([120, 80], [100, 100]), ([100, 100], [80, 120]), ([120, 80], [80, 120])] {
        for first in [0, 1] {
            let mut lan = Lan::new(DELAY);
            let hosts = [lan.add(A, pair(ours)), lan.add(B, pair(theirs))];
            lan.start(hosts[first]);
            lan.run_for(secs(10));
            lan.start(hosts[1 - first]);
            lan.run_for(secs(30));
            assert_master(&lan, hosts[first]);
            lan.crash(hosts[first]);
            lan.run_for(secs(10));
            assert_master(&lan, hosts[1 - first]);
        }
    }
}

/// Of one member the first host has the greater address, of the other the second has.
fn crossed(priorities: [u8; 2], sources: [u8; 2]) -> Config {
    let mut config = pair(priorities);
    for (instance, last) in config.instances.iter_mut().zip(sources) {
        instance.source = Some([192, 168, 0, last].into());
    }
    config
}

#[test]
fn groups_that_are_master_at_once_and_each_better_in_one_member_come_to_rest() {
    let equal = [crossed([100, 100], [86, 13]), crossed([100, 100], [14, 85])];
    let mirrored = [crossed([100, 100], [86, 14]), crossed([100, 100], [14, 86])];
    let priorities = [pair([120, 80]), pair([80, 120])];
    for [a, b] in [equal, mirrored, priorities] {
        let mut lan = Lan::new(DELAY);
        let hosts = [lan.add(A, a), lan.add(B, b)];
        for host in hosts {
            lan.start(host);
        }
        lan.run_for(secs(12));
        let masters = lan.masters();
        assert_eq!(masters.len(), 1);
        assert_master(&lan, masters[0]);
        lan.forget_log();
        lan.run_for(secs(60));
        assert_master(&lan, masters[0]);
        assert!(hosts.iter().all(|host| entered(lan.log(), *host, StateName::Backup) == 0));
    }
}

#[test]
fn a_healed_cut_leaves_one_group_master_that_announces_all_again() {
    let (mut lan, hosts) = running(&[(A, pair([100; 2])), (B, pair([100; 2]))]);
    lan.cut(hosts[0], hosts[1]);
    lan.cut(hosts[1], hosts[0]);
    lan.run_for(secs(60));
    assert_eq!(lan.masters(), hosts);
    lan.heal();
    lan.forget_log();
    lan.run_for(secs(1) + DELAY * 4);
    assert_master(&lan, hosts[0]);
    let announced = steps(lan.log(), hosts[0]).iter().filter(|step| step.starts_with("announce")).count();
    assert_eq!(announced, 4, "of either address: when the other was heard, and after its last word");
}

#[test]
fn of_three_groups_the_best_follows() {
    let (mut lan, hosts) = running(&[(A, pair([101; 2])), (B, pair([90; 2])), (C, pair([100; 2]))]);
    assert_master(&lan, hosts[0]);
    lan.crash(hosts[0]);
    lan.run_for(secs(10));
    assert_master(&lan, hosts[2]);
    assert_eq!(entered(lan.log(), hosts[1], StateName::Master), 0);
}

#[test]
fn an_address_moves_at_once_when_a_member_joins_on_both_hosts() {
    let alone = |priority| Config { instances: vec![instance(priority)], ..Config::default() };
    let (mut lan, hosts) = running(&[(A, alone(101)), (B, alone(100))]);
    for order in [[0, 1], [1, 0]] {
        lan.forget_log();
        for host in order {
            lan.reload(hosts[host], &pair([101 - u8::from(host == 1); 2]));
            lan.run_for(Duration::from_millis(100));
        }
        lan.run_for(secs(10));
        assert_master(&lan, hosts[0]);
        assert_eq!(entered(lan.log(), hosts[1], StateName::Master), 0);
        let yielded = |notice: &Notice| matches!(notice, Notice::Entering { state: StateName::Backup, reason, .. } if *reason != Reason::Startup);
        assert_eq!(notices(lan.log(), yielded), 0, "nothing flaps");
        for host in order {
            lan.reload(hosts[host], &alone(101 - u8::from(host == 1)));
        }
        lan.run_for(secs(1));
        assert_eq!(lan.held(hosts[0]), ["VI_1"]);
    }
}

#[test]
fn an_owner_in_a_group_does_not_preempt_alone() {
    let (mut lan, hosts) = running(&[(B, pair([100; 2]))]);
    assert_eq!(lan.masters(), hosts);
    let owner = lan.add(A, pair([Priority::OWNER.get(), 100]));
    lan.start(owner);
    lan.run_for(secs(2));
    assert_master(&lan, hosts[0]);
}
