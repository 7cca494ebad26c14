//! The cases of the notes that this project began with, on real kernels: who is master when, and what a client sees.

mod common;

use std::time::Duration;

use common::{GRACE, PATIENCE, World, notes, notes_in_step, notes_world, world};
use lab::{now, wait_until};
use model::{Centis, MacAddr};

/// (256 - 100) / 256 of a second: how long priority 100 waits when the master says that it stops (RFC 3768 §6.1).
const SKEW_OF_100: Duration = Duration::from_nanos(609_375_000);
/// Three advertisement intervals of a second, and that.
const MASTER_DOWN_OF_100: Duration = Duration::from_nanos(3_609_375_000);

#[test]
fn the_higher_priority_becomes_master_at_start() {
    let Some(mut world) = notes_world(notes_in_step()) else { return };
    let begin = now();
    world.settle();
    let heard = world.adverts_of(0, begin, 3);
    for heard in &heard {
        let advert = heard.advert().unwrap();
        assert_eq!(advert.priority.get(), 101);
        assert_eq!(advert.interval, Centis::SECOND);
        assert_eq!((advert.ttl, advert.vrid.get()), (255, 51));
        assert_eq!(advert.addresses, ["192.168.0.100".parse::<std::net::IpAddr>().unwrap()]);
    }
    let _announcement = world.announcement_of(0, begin);
    let _client = world.ask();
    world.wait_for_belief(0);
}

#[test]
fn a_stopped_master_is_followed_after_the_skew_time() {
    let Some(mut world) = notes_world(notes_in_step()) else { return };
    world.settle();
    let client = world.ask();
    let begin = now();
    world.nodes[0].stop();
    let release = world.advert_with(0, begin, 0);
    let takeover = world.adverts_of(1, begin, 1).remove(0);
    assert_between(takeover.at.since(release.at), SKEW_OF_100, SKEW_OF_100 + GRACE);
    world.wait_for_master(1);
    assert_eq!(world.adverts_since(0, begin).len(), 1, "nothing after priority 0");
    let outage = client.longest_outage(begin, now());
    assert!(outage.over && outage.length < SKEW_OF_100 + GRACE, "{outage:?}");
    world.wait_for_belief(1);
}

#[test]
fn a_restarted_master_takes_over_again() {
    let Some(mut world) = notes_world(notes_in_step()) else { return };
    world.settle();
    world.nodes[0].stop();
    world.wait_for_master(1);
    let client = world.ask();
    let begin = now();
    world.nodes[0].start();
    world.wait_for_master(0);
    world.wait_for_belief(0);
    let outage = client.longest_outage(begin, now());
    assert!(outage.over && outage.length < GRACE, "{outage:?}");
}

#[test]
fn a_restarted_master_with_nopreempt_stays_backup() {
    let files = notes_in_step().map(|text| {
        text.replace("state MASTER", "state BACKUP").replace("priority", "nopreempt\n\tpriority")
    });
    let Some(mut world) = notes_world(files) else { return };
    // The first alone: whichever is master first would stay it.
    world.nodes[0].start();
    let _first = world.adverts_of(0, now(), 1);
    world.nodes[1].start();
    world.wait_for_master(0);
    world.nodes[0].stop();
    world.wait_for_master(1);
    let begin = now();
    world.nodes[0].start();
    let _much_later = world.adverts_of(1, begin, 6);
    assert!(world.adverts_since(0, begin).is_empty(), "{}", world.logs());
    assert!(world.nodes[1].holds(world.vip) && !world.nodes[0].holds(world.vip));
}

#[test]
fn nothing_moves_when_the_backup_stops_and_starts() {
    let Some(mut world) = notes_world(notes_in_step()) else { return };
    world.settle();
    let client = world.ask();
    let begin = now();
    world.nodes[1].stop();
    let _without_it = world.adverts_of(0, now(), 2);
    world.nodes[1].start();
    let _much_later = world.adverts_of(0, now(), 5);
    assert!(world.adverts_since(1, begin).is_empty(), "{}", world.logs());
    assert!(world.nodes[0].holds(world.vip) && !world.nodes[1].holds(world.vip));
    assert_regular(&world, 0, begin);
    let outage = client.longest_outage(begin, now());
    assert!(outage.length < GRACE, "{outage:?}");
}

#[test]
fn a_crashed_master_is_followed_after_the_master_down_interval() {
    let Some(mut world) = notes_world(notes_in_step()) else { return };
    world.settle();
    let _client = world.ask();
    let begin = now();
    world.nodes[0].daemon().kill_tree();
    let takeover = world.adverts_of(1, begin, 1).remove(0);
    let dead = world.nodes[0].address;
    let last = world.sniffer.last_before(takeover.at, |heard| heard.is_advert_of(dead)).unwrap();
    assert_eq!(last.advert().unwrap().priority.get(), 101, "a crash says nothing");
    assert_between(takeover.at.since(last.at), MASTER_DOWN_OF_100, MASTER_DOWN_OF_100 + GRACE);
    // The dead host's kernel still has the address; the announcement moves the client away from it.
    world.wait_for_belief(1);
    let begin = now();
    world.nodes[0].start();
    world.wait_for_master(0);
    let _again = world.announcement_of(0, begin);
    world.wait_for_belief(0);
}

#[test]
fn a_master_without_carrier_gives_the_address_up_and_comes_back() {
    let Some(mut world) = notes_world(notes_in_step()) else { return };
    world.settle();
    let begin = now();
    world.nodes[0].cable.pull().unwrap();
    let takeover = world.adverts_of(1, begin, 1).remove(0);
    assert!(takeover.at.since(begin) < MASTER_DOWN_OF_100 + GRACE, "{:?}", takeover.at.since(begin));
    world.wait_for_master(1);
    let _client = world.ask();
    world.wait_for_belief(1);
    world.nodes[0].cable.plug().unwrap();
    world.wait_for_master(0);
    world.wait_for_belief(0);
}

#[test]
fn a_better_backup_follows_at_once_when_the_service_of_the_master_dies() {
    let Some(mut world) = weighted_world() else { return };
    for node in &mut world.nodes {
        node.start();
    }
    let begin = now();
    let _both_well = world.advert_with(0, begin, 93);
    world.wait_for_master(0);
    let client = world.ask();
    let begin = now();
    world.nodes[0].kill_service();
    let weak = world.advert_with(0, begin, 91);
    let strong = world.advert_with(1, begin, 92);
    assert!(strong.at.since(weak.at) < GRACE, "{:?} after the weak advertisement", strong.at.since(weak.at));
    world.wait_for_master(1);
    let outage = client.longest_outage(begin, now());
    assert!(outage.over && outage.length < GRACE, "{outage:?}");
    world.wait_for_belief(1);

    let begin = now();
    world.nodes[0].start_service();
    let _well_again = world.advert_with(0, begin, 93);
    world.wait_for_master(0);
}

#[test]
fn a_check_script_may_stop_the_daemon() {
    let Some(mut world) = notes_world(script_has_time(notes_in_step())) else { return };
    world.settle();
    let begin = now();
    world.nodes[0].kill_service();
    let _release = world.advert_with(0, begin, 0);
    let status = world.nodes[0].daemon().wait(PATIENCE).expect("the script stops the daemon");
    assert!(status.success(), "{status}\n{}", world.logs());
    world.wait_for_master(1);
}

#[test]
fn the_greater_address_stays_master_when_a_cut_heals() {
    let files = notes_in_step().map(|text| text.replace("priority 101", "priority 100"));
    let Some(mut world) = notes_world(files) else { return };
    // Of two that start together either may be first, and then stays.
    world.nodes[0].start();
    let _first = world.adverts_of(0, now(), 1);
    world.nodes[1].start();
    world.wait_for_master(0);
    world.nodes[1].cable.cut().unwrap();
    let (vip, both) = (world.vip, &world.nodes);
    assert!(wait_until(PATIENCE, || both[0].holds(vip) && both[1].holds(vip)), "{}", world.logs());
    let _client = world.ask();
    let begin = now();
    world.nodes[1].cable.heal().unwrap();
    let yielded = wait_until(PATIENCE, || !world.nodes[1].holds(vip));
    assert!(yielded && world.nodes[0].holds(vip), "{}", world.logs());
    let _again = world.announcement_of(0, begin);
    world.wait_for_master(0);
    world.wait_for_belief(0);
    let released = world.sniffer.since(begin, |heard| {
        heard.advert().is_some_and(|advert| advert.priority == model::Priority::RELEASE)
    });
    assert!(released.is_empty(), "who yields to a better master says nothing: {released:?}");
}

#[test]
fn a_client_that_remembers_another_host_is_corrected() {
    let Some(mut world) = notes_world(notes_in_step()) else { return };
    world.settle();
    let _client = world.ask();
    let stranger = MacAddr([0x02, 0, 0, 0, 0, 0x99]);
    world.nodes[0].stop();
    world.lan.announce(world.vip, stranger).unwrap();
    assert!(wait_until(PATIENCE, || world.client.believes(world.vip) == Some(stranger)));
    world.wait_for_master(1);
    world.wait_for_belief(1);
}

#[test]
fn different_intervals_make_one_master_and_one_warning() {
    let Some(mut world) = notes_world(notes()) else { return };
    world.settle();
    let heard = world.adverts_of(0, now(), 6);
    assert!(heard.iter().all(|heard| heard.advert().unwrap().interval == Centis::new(200)));
    assert!(world.adverts_since(1, heard[0].at).is_empty(), "{}", world.logs());
    let log = world.nodes[1].log();
    let warnings: Vec<&str> =
        log.lines().filter(|line| line.contains("192.168.0.86") && line.contains("interval")).collect();
    assert!(matches!(warnings.len(), 1 | 2), "not one per packet: {warnings:?}\n{log}");
    assert!(warnings[0].contains('2') && warnings[0].contains('1'), "{warnings:?}");

    // Its own interval is used for the master down timer: three times 2 s, and the skew time.
    let begin = now();
    world.nodes[0].daemon().kill_tree();
    let takeover = world.adverts_of(1, begin, 1).remove(0);
    let dead = world.nodes[0].address;
    let last = world.sniffer.last_before(takeover.at, |heard| heard.is_advert_of(dead)).unwrap();
    let six = Duration::from_secs(6);
    assert_between(takeover.at.since(last.at), six, six + 2 * SKEW_OF_100 + GRACE);
}

#[test]
fn strict_hosts_with_different_intervals_are_both_master() {
    let files = notes().map(|text| text.replace("router_id Nginx", "router_id Nginx\n   vrrp_strict"));
    let Some(mut world) = notes_world(files) else { return };
    for node in &mut world.nodes {
        node.start();
    }
    let (vip, both) = (world.vip, &world.nodes);
    let split = wait_until(PATIENCE, || both[0].holds(vip) && both[1].holds(vip));
    assert!(split, "RFC 3768 §7.1: such an advertisement is discarded\n{}", world.logs());
    let begin = now();
    let _still = (world.adverts_of(0, begin, 3), world.adverts_of(1, begin, 3));
}

/// The table of the notes: 91 and 90, and 2 for a service that runs.
fn weighted_world() -> Option<World> {
    let file = |state: &str, priority: u8| {
        format!(
            "vrrp_script chk_nginx {{
                script \"/usr/bin/killall -0 nginx\"
                interval 1
                weight 2
            }}
            vrrp_instance VI_1 {{
                state {state}
                interface eth1
                virtual_router_id 102
                priority {priority}
                advert_int 1
                authentication {{
                    auth_type PASS
                    auth_pass 1111
                }}
                virtual_ipaddress {{
                    10.15.8.102
                }}
                track_script {{
                    chk_nginx
                }}
            }}\n"
        )
    };
    world(["10.15.8.100", "10.15.8.101"], "10.15.8.102", [file("MASTER", 91), file("BACKUP", 90)])
}

/// The script looks twice, two seconds apart; by default it would be killed after its interval of two seconds.
fn script_has_time(files: [String; 2]) -> [String; 2] {
    files.map(|text| text.replace("interval 2", "interval 2\n   timeout 5"))
}

/// The master advertised every second throughout.
#[track_caller]
fn assert_regular(world: &World, index: usize, since: model::Instant) {
    let heard = world.adverts_since(index, since);
    for pair in heard.windows(2) {
        let gap = pair[1].at.since(pair[0].at);
        assert!(gap < Duration::from_secs(1) + GRACE, "{gap:?} between two advertisements\n{}", world.logs());
    }
}

#[track_caller]
fn assert_between(span: Duration, least: Duration, most: Duration) {
    // The sniffer and the backup hear an advertisement at slightly different times.
    let least = least - Duration::from_millis(5);
    assert!((least..most).contains(&span), "{span:?} is not within {least:?}..{most:?}");
}
