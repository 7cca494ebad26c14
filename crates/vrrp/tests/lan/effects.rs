//! What an instance does at each transition, in order.

use model::vrrp::{Command, Config, RunAs};
use model::vrrp::{Garp, Instance, Script, TrackedScript};
use model::{Influence, Priority};
use steadfast_vrrp::{Link, ScriptOutcome, StateName};

use crate::segment::{Lan, only};
use crate::{A, B, DELAY, instance, secs, settled, steps};

#[test]
fn takeover_is_advert_addresses_announce_notify_publish() {
    let (mut lan, hosts) = settled(&[(A, instance(101)), (B, instance(100))]);
    lan.crash(hosts[0]);
    lan.forget_log();
    lan.run_until_state(hosts[1], StateName::Master);
    let expected = [
        "advert 100",
        "hold [192.168.0.100/32]",
        "announce 192.168.0.100 x5",
        "notify Master",
        "publish MASTER 100",
    ];
    assert_eq!(steps(lan.log(), hosts[1]), expected);
}

#[test]
fn yield_is_a_last_word_release_notify_publish() {
    let (mut lan, hosts) = settled(&[(A, instance(101)), (B, instance(100))]);
    lan.stop(hosts[0]);
    lan.run_for(secs(10));
    lan.start(hosts[0]);
    lan.run_until_state(hosts[0], StateName::Master);
    lan.forget_log();
    lan.run_for(DELAY * 3);
    let expected = ["advert 100", "hold []", "notify Backup", "publish BACKUP 100"];
    assert_eq!(steps(lan.log(), hosts[1]), expected);
}

#[test]
fn strict_yields_in_silence() {
    let of = |priority| Instance { strict: true, ..instance(priority) };
    let (mut lan, hosts) = settled(&[(A, of(101)), (B, of(100))]);
    lan.stop(hosts[0]);
    lan.run_for(secs(10));
    lan.start(hosts[0]);
    lan.run_until_state(hosts[0], StateName::Master);
    lan.forget_log();
    lan.run_for(DELAY * 3);
    assert_eq!(steps(lan.log(), hosts[1]), ["hold []", "notify Backup", "publish BACKUP 100"]);
}

#[test]
fn stop_is_release_advert_addresses_notify_withdraw() {
    let (mut lan, hosts) = settled(&[(A, instance(101)), (B, instance(100))]);
    lan.forget_log();
    lan.stop(hosts[0]);
    lan.stop(hosts[1]);
    assert_eq!(steps(lan.log(), hosts[0]), ["advert 0", "hold []", "notify Stop", "withdraw VI_1"]);
    assert_eq!(steps(lan.log(), hosts[1]), ["notify Stop", "withdraw VI_1"]);
}

#[test]
fn a_removed_instance_releases_and_is_reported_deleted() {
    let (mut lan, hosts) = settled(&[(A, instance(101))]);
    lan.forget_log();
    lan.reload(hosts[0], &Config::default());
    assert_eq!(steps(lan.log(), hosts[0]), ["advert 0", "hold []", "notify Deleted", "withdraw VI_1"]);
}

#[test]
fn a_fault_with_a_dead_link_says_nothing_on_it() {
    let (mut lan, hosts) = settled(&[(A, instance(101))]);
    lan.forget_log();
    let link = lan.link(hosts[0]);
    lan.set_link(hosts[0], Some(Link { up: false, ..link }));
    assert_eq!(steps(lan.log(), hosts[0]), ["hold []", "notify Fault", "publish FAULT 101"]);
}

#[test]
fn a_fault_with_a_living_link_releases_for_the_others() {
    let command = Command { program: "/bin/check".into(), arguments: Vec::new(), run_as: RunAs::Default };
    let scripts = vec![Script::new("chk", command)];
    let track_scripts = vec![TrackedScript { script: "chk".into(), influence: Influence::default() }];
    let config =
        Config { scripts, instances: vec![Instance { track_scripts, ..instance(101) }], ..Config::default() };
    let mut lan = Lan::new(DELAY);
    let host = lan.add(A, config);
    lan.start(host);
    lan.run_until_state(host, StateName::Master);
    lan.set_script(host, "chk", ScriptOutcome::Exited(1));
    lan.run_until_state(host, StateName::Fault);
    let steps = steps(lan.log(), host);
    let last: Vec<_> = steps.iter().rev().take(4).rev().map(String::as_str).collect();
    assert_eq!(last, ["advert 0", "hold []", "notify Fault", "publish FAULT 101"]);
}

#[test]
fn the_second_burst_follows_after_the_delay_and_refreshes_go_on() {
    let garp = Garp { refresh: Some(secs(10)), refresh_repeat: 2, ..Garp::default() };
    let mut lan = Lan::new(DELAY);
    let host = lan.add(A, only(Instance { garp, priority: Priority::OWNER, ..instance(1) }));
    lan.start(host);
    lan.run_for(secs(25));
    let announced: Vec<_> = lan
        .log()
        .iter()
        .filter_map(|one| match &one.action {
            steadfast_vrrp::Action::Announce(announce) => Some((one.at.as_nanos(), announce.count)),
            _ => None,
        })
        .collect();
    let sec = 1_000_000_000;
    assert_eq!(announced, [(0, 5), (5 * sec, 5), (10 * sec, 2), (20 * sec, 2)]);
}

#[test]
fn a_reload_that_turns_refreshes_on_or_off_reaches_a_running_master() {
    let with = |refresh| Instance { garp: Garp { refresh, ..Garp::default() }, ..instance(101) };
    let (mut lan, hosts) = settled(&[(A, with(None))]);
    let announced =
        |lan: &Lan| steps(lan.log(), hosts[0]).iter().filter(|one| one.starts_with("ann")).count();
    lan.forget_log();
    lan.reload(hosts[0], &only(with(Some(secs(10)))));
    lan.run_for(secs(35));
    assert_eq!(announced(&lan), 3, "the refresh is wanted now, not after the next takeover");
    lan.reload(hosts[0], &only(with(None)));
    lan.forget_log();
    lan.run_for(secs(35));
    assert_eq!(announced(&lan), 0);
}
