//! Who is master, after start, restart, cuts and bad settings.

use std::time::Duration;

use model::vrrp::{Instance, Preempt, Transport, Version};
use model::{Centis, Priority};
use steadfast_vrrp::{Action, Link, Notice, Reason, Remembered, StateName, Warning};

use crate::segment::{Entry, HostId, Lan, only};
use crate::{A, B, C, DELAY, entered, instance, notices, notified, secs, settled, timed};

#[test]
fn exactly_one_master_after_settling_whatever_the_timing() {
    for version in [Version::V2, Version::V3] {
        for interval in [1, 10, 100, 300] {
            if version == Version::V2 && interval < 100 {
                continue;
            }
            for priorities in [[101, 100, 99], [1, 254, 100], [255, 254, 253], [100, 100, 100]] {
                let of = |priority| timed(priority, version, Centis::new(interval));
                let (lan, hosts) =
                    settled(&[(A, of(priorities[0])), (B, of(priorities[1])), (C, of(priorities[2]))]);
                // Of equal ones A, which has the greatest address.
                let best = if priorities[1] == 254 && priorities[0] == 1 { hosts[1] } else { hosts[0] };
                assert_eq!(lan.masters(), [best], "{version} {interval} {priorities:?}");
            }
        }
    }
}

#[test]
fn unicast_peers_elect_too() {
    let of = |priority, peer: [u8; 4]| {
        let transport = Transport::unicast([peer.into()]);
        Instance { transport, ..instance(priority) }
    };
    let (lan, hosts) = settled(&[(A, of(101, B)), (B, of(100, A))]);
    assert_eq!(lan.masters(), [hosts[0]]);
}

#[test]
fn the_notes_pair_with_two_intervals_has_one_master_and_one_warning() {
    let of = |priority, interval| timed(priority, Version::V2, Centis::new(interval));
    for (slow, fast) in [(of(101, 200), of(100, 100)), (of(101, 100), of(100, 200))] {
        let (mut lan, hosts) = settled(&[(A, slow), (B, fast)]);
        assert_eq!(lan.masters(), [hosts[0]]);
        let takeovers = entered(lan.log(), hosts[0], StateName::Master);
        lan.run_for(secs(600));
        assert_eq!(lan.masters(), [hosts[0]]);
        assert_eq!(entered(lan.log(), hosts[0], StateName::Master), takeovers, "nothing moves");
        let by_backup: Vec<_> = lan.log().iter().filter(|one| one.host == hosts[1]).cloned().collect();
        let mismatch = |notice: &Notice| match notice {
            Notice::Differs { peer, warning: Warning::Interval { theirs, ours }, .. } => {
                *peer == std::net::IpAddr::from(A) && theirs != ours
            }
            _ => false,
        };
        assert_eq!(notices(&by_backup, mismatch), 1, "one line while it lasts, with the peer's address");
    }
}

#[test]
fn an_interval_mismatch_that_ended_is_told_again_when_it_comes_back() {
    let of = |interval| timed(101, Version::V2, Centis::new(interval));
    let (mut lan, hosts) = settled(&[(A, of(200)), (B, timed(100, Version::V2, Centis::SECOND))]);
    let mismatch = |notice: &Notice| matches!(notice, Notice::Differs { .. });
    let told = |lan: &Lan| {
        let own: Vec<_> = lan.log().iter().filter(|one| one.host == hosts[1]).cloned().collect();
        notices(&own, mismatch)
    };
    assert_eq!(told(&lan), 1);
    lan.reload(hosts[0], &only(of(100)));
    lan.run_for(secs(61));
    lan.reload(hosts[0], &only(of(200)));
    lan.run_for(secs(30));
    assert_eq!(told(&lan), 2);
}

#[test]
fn strict_keeps_the_discard_of_the_rfc_and_with_it_two_masters() {
    let of =
        |priority, interval| Instance { strict: true, ..timed(priority, Version::V2, Centis::new(interval)) };
    let (lan, hosts) = settled(&[(A, of(101, 200)), (B, of(100, 100))]);
    assert_eq!(lan.masters(), hosts);
}

#[test]
fn a_restarted_master_takes_the_address_back_unless_nopreempt() {
    for (preempt, back) in [(Preempt::Always, true), (Preempt::Never, false)] {
        let of = |priority| Instance { preempt, ..instance(priority) };
        let (mut lan, hosts) = settled(&[(A, of(101)), (B, of(100))]);
        lan.stop(hosts[0]);
        lan.run_for(secs(10));
        assert_eq!(lan.masters(), [hosts[1]]);
        lan.start(hosts[0]);
        lan.run_for(secs(30));
        assert_eq!(lan.masters(), [if back { hosts[0] } else { hosts[1] }]);
    }
}

#[test]
fn a_restarted_master_with_preempt_delay_takes_the_address_back_after_it() {
    let of = |priority| Instance { preempt: Preempt::After(secs(60)), ..instance(priority) };
    let (mut lan, hosts) = settled(&[(A, of(101)), (B, of(100))]);
    lan.stop(hosts[0]);
    lan.run_for(secs(10));
    lan.start(hosts[0]);
    lan.run_for(secs(60));
    assert_eq!(lan.masters(), [hosts[1]]);
    lan.run_for(secs(10));
    assert_eq!(lan.masters(), [hosts[0]]);
}

#[test]
fn a_living_master_of_lower_priority_is_named_as_preempted_and_a_dead_one_as_silent() {
    for (preempt, wait) in [(Preempt::Always, secs(10)), (Preempt::After(secs(60)), secs(70))] {
        let of = |priority| Instance { preempt, ..instance(priority) };
        let (mut lan, hosts) = settled(&[(A, of(90)), (B, of(50))]);
        lan.stop(hosts[0]);
        lan.run_for(secs(10));
        lan.forget_log();
        lan.start(hosts[0]);
        lan.run_for(wait);
        let preempts = Reason::Preempts { master: B.into(), theirs: Priority(50), ours: Priority(90) };
        assert_eq!(takeovers(&lan, hosts[0]), [preempts]);
        lan.forget_log();
        lan.crash(hosts[0]);
        lan.run_for(secs(10));
        let of_silence = |reason: &Reason| matches!(reason, Reason::MasterDown { master, .. } if *master == Some(A.into()));
        assert!(matches!(&*takeovers(&lan, hosts[1]), [reason] if of_silence(reason)));
    }
}

/// Why a host became master, each time.
fn takeovers(lan: &Lan, host: HostId) -> Vec<Reason> {
    let reason = |entry: &Entry| match &entry.action {
        Action::Notice(Notice::Entering { state: StateName::Master, reason, .. }) => Some(reason.clone()),
        _ => None,
    };
    lan.log().iter().filter(|entry| entry.host == host).filter_map(reason).collect()
}

#[test]
fn a_restarted_backup_moves_nothing() {
    for preempt in [Preempt::Always, Preempt::Never] {
        let of = |priority| Instance { preempt, ..instance(priority) };
        let (mut lan, hosts) = settled(&[(A, of(101)), (B, of(100))]);
        lan.forget_log();
        lan.stop(hosts[1]);
        lan.run_for(secs(10));
        lan.start(hosts[1]);
        lan.run_for(secs(30));
        assert_eq!(lan.masters(), [hosts[0]]);
        assert_eq!(entered(lan.log(), hosts[1], StateName::Master), 0);
        assert_eq!(entered(lan.log(), hosts[0], StateName::Backup), 0);
    }
}

#[test]
fn after_a_healed_cut_the_greater_address_stays_and_announces_again() {
    let (mut lan, hosts) = settled(&[(A, instance(100)), (B, instance(100))]);
    lan.cut(hosts[0], hosts[1]);
    lan.cut(hosts[1], hosts[0]);
    lan.run_for(secs(60));
    assert_eq!(lan.masters(), hosts, "two halves, two masters");
    lan.heal();
    lan.forget_log();
    lan.run_for(secs(1) + DELAY * 4);
    assert_eq!(lan.masters(), [hosts[0]], "192.168.0.86 is greater than 192.168.0.14");
    let announced =
        lan.log().iter().any(|one| one.host == hosts[0] && matches!(one.action, Action::Announce(_)));
    assert!(announced, "clients may have learnt the other's hardware address");
    let kind = steadfast_vrrp::NotificationKind::MasterRxLowerPriority;
    assert_eq!(notified(lan.log(), hosts[0], kind), 1);
    lan.run_for(secs(60));
    assert_eq!(lan.masters(), [hosts[0]]);
    assert_eq!(entered(lan.log(), hosts[0], StateName::Backup), 0);
}

#[test]
fn what_the_other_master_says_last_is_answered_too() {
    let (mut lan, hosts) = settled(&[(A, instance(101)), (B, instance(100))]);
    lan.cut(hosts[0], hosts[1]);
    lan.run_for(secs(10));
    lan.heal();
    lan.run_until_state(hosts[1], StateName::Backup);
    let yielded = lan.now();
    lan.forget_log();
    lan.run_for(secs(2));
    let again = lan.log().iter().find(|one| matches!(one.action, Action::Announce(_)));
    let again = again.expect("the last word came after the answer to the first").at;
    assert!(again.since(yielded) <= Duration::from_millis(500), "not only with the second burst, 5 s later");
}

#[test]
fn an_ordinary_preemption_is_not_reported_as_two_masters() {
    let (mut lan, hosts) = settled(&[(A, instance(101)), (B, instance(100))]);
    lan.stop(hosts[0]);
    lan.run_for(secs(10));
    lan.forget_log();
    lan.start(hosts[0]);
    lan.run_for(secs(30));
    assert_eq!(lan.masters(), [hosts[0]]);
    assert_eq!(notices(lan.log(), |notice| matches!(notice, Notice::LowerPriority { .. })), 0);
    let kind = steadfast_vrrp::NotificationKind::MasterRxLowerPriority;
    assert_eq!(notified(lan.log(), hosts[0], kind), 0);
}

#[test]
fn a_one_way_cut_makes_two_masters_and_heals_to_one() {
    let (mut lan, hosts) = settled(&[(A, instance(101)), (B, instance(100))]);
    lan.cut(hosts[0], hosts[1]);
    lan.run_for(secs(30));
    assert_eq!(lan.masters(), hosts, "B hears nobody");
    let mismatch = |notice: &Notice| matches!(notice, Notice::LowerPriority { .. });
    assert_eq!(notices(lan.log(), mismatch), 1, "A hears B and says so once");
    lan.heal();
    lan.run_for(secs(3));
    assert_eq!(lan.masters(), [hosts[0]]);
}

#[test]
fn a_pulled_cable_moves_the_address_and_its_return_moves_it_back() {
    let (mut lan, hosts) = settled(&[(A, instance(101)), (B, instance(100))]);
    let link = lan.link(hosts[0]);
    lan.set_link(hosts[0], Some(Link { up: false, ..link }));
    assert_eq!(lan.masters(), [], "it releases at once");
    lan.run_for(secs(10));
    assert_eq!(lan.masters(), [hosts[1]]);
    lan.set_link(hosts[0], Some(link));
    lan.run_for(secs(10));
    assert_eq!(lan.masters(), [hosts[0]]);
}

#[test]
fn a_recreated_interface_of_a_master_gets_the_address_again() {
    let (mut lan, hosts) = settled(&[(A, instance(101)), (B, instance(100))]);
    let link = lan.link(hosts[0]);
    lan.forget_log();
    let index = model::IfIndex::try_from(9).expect("9 is an index");
    lan.set_link(hosts[0], Some(Link { index, ..link }));
    lan.run_for(secs(10));
    assert_eq!(lan.masters(), [hosts[0]]);
    let held = lan.log().iter().any(|one| {
        one.host == hosts[0] && matches!(&one.action, Action::Hold(held) if !held.addresses.is_empty())
    });
    assert!(held, "the new interface does not have the address by itself");
}

#[test]
fn a_worker_that_is_back_in_time_goes_on_as_master_and_a_late_one_listens() {
    let priority = Priority(101);
    let remembered = |at| [Remembered { instance: "VI_1".to_owned(), master: true, priority, at }];
    for (away, goes_on) in [(Duration::from_millis(200), true), (secs(8), false)] {
        let (mut lan, hosts) = settled(&[(A, instance(101)), (B, instance(100))]);
        lan.kill(hosts[0]);
        let died = lan.now();
        lan.run_for(away);
        lan.forget_log();
        lan.start_with(hosts[0], &remembered(died));
        let expected = if goes_on { StateName::Master } else { StateName::Backup };
        assert_eq!(lan.status(hosts[0]).state, expected);
        assert_eq!(entered(lan.log(), hosts[0], StateName::Backup), usize::from(!goes_on));
        lan.run_for(secs(30));
        assert_eq!(entered(lan.log(), hosts[1], StateName::Master), 0, "nothing moved, or it had before");
        assert_eq!(lan.masters(), [hosts[0]]);
    }
}

#[test]
fn a_worker_that_goes_on_as_master_hears_a_better_one() {
    let remembered =
        |at| [Remembered { instance: "VI_1".to_owned(), master: true, priority: Priority(100), at }];
    let (mut lan, hosts) = settled(&[(A, instance(101)), (B, instance(100))]);
    lan.stop(hosts[0]);
    lan.run_for(secs(10));
    lan.kill(hosts[1]);
    lan.start_with(hosts[1], &remembered(lan.now()));
    assert_eq!(lan.status(hosts[1]).state, StateName::Master);
    lan.start(hosts[0]);
    lan.run_for(secs(10));
    assert_eq!(lan.masters(), [hosts[0]]);
}

#[test]
fn a_reload_without_differences_does_nothing_at_all() {
    let (mut lan, hosts) = settled(&[(A, instance(101)), (B, instance(100))]);
    lan.run_for(Duration::from_millis(1));
    lan.forget_log();
    lan.reload(hosts[0], &only(instance(101)));
    lan.reload(hosts[1], &only(instance(100)));
    assert!(lan.log().is_empty(), "{:?}", lan.log());
}

#[test]
fn a_reload_to_the_owner_priority_preempts_even_with_nopreempt() {
    let of = |priority| Instance { preempt: Preempt::Never, ..instance(priority) };
    let (mut lan, hosts) = settled(&[(A, of(101)), (B, of(100))]);
    lan.reload(hosts[1], &only(Instance { priority: Priority::OWNER, ..of(100) }));
    lan.run_for(secs(10));
    assert_eq!(lan.masters(), [hosts[1]], "RFC 9568 §6.1: the owner always preempts");
}

#[test]
fn two_v3_hosts_with_a_left_over_password_hear_each_other() {
    let auth = model::vrrp::Auth::Pass(model::vrrp::Password(*b"1111\0\0\0\0"));
    let of = |priority| Instance { auth, ..timed(priority, Version::V3, Centis::SECOND) };
    let (lan, hosts) = settled(&[(A, of(101)), (B, of(100))]);
    assert_eq!(lan.masters(), [hosts[0]], "version 3 has no authentication (RFC 5798 §9)");
}
