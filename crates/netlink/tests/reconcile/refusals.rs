//! A kernel that refuses, and others who delete.

use std::time::Duration;

use model::{IfIndex, Instant};
use netlink::reconcile::{Action, PUT_BACK_SPAN, PUT_BACKS, RETRY_FIRST, RETRY_MOST};
use netlink::{Errno, Event, Link, Report};
use steadfast_netlink as netlink;

use crate::world::{World, link, present, present_late, slot};

#[test]
fn an_ipv6_address_with_another_length_is_a_failure() {
    let mut world = World::with_links(&["eth0"]);
    let index = IfIndex::try_from(1).unwrap();
    world.kernel.add(index, slot("eth0", "2001:db8::1/64").prefix).unwrap();
    world.kernel.announce();
    world.deliver(usize::MAX);
    let slot = slot("eth0", "2001:db8::1/128");
    world.want("VI_1", &slot);
    world.issue(1);
    world.deliver(usize::MAX);
    assert_eq!(world.reports, [Report::Failed { slot, action: Action::Add, refusal: Errno::EEXIST.into() }]);
}

#[test]
fn a_refusal_is_tried_again_when_the_link_changes() {
    let mut world = World::with_links(&["eth0"]);
    let slot = slot("eth0", "192.0.2.1/24");
    world.want("VI_1", &slot);
    world.kernel.refuse = Some(Errno::EPERM);
    world.issue(1);
    world.deliver(usize::MAX);
    let failed = Report::Failed { slot: slot.clone(), action: Action::Add, refusal: Errno::EPERM.into() };
    assert_eq!(world.reports, [failed]);
    let index = world.kernel.named(&slot.device).unwrap();
    world.kernel.tell(Event::LinkChanged(Link { up: false, ..link(index, slot.device.clone()) }));
    world.deliver(usize::MAX);
    world.issue(1);
    assert!(world.holds(&slot));
    assert_eq!(world.reconciler.deadline(), None);
}

#[test]
fn a_refusal_is_tried_again_ever_less_often_and_told_once() {
    let mut world = World::with_links(&["eth0"]);
    let slot = slot("eth0", "192.0.2.1/24");
    world.want("VI_1", &slot);
    let mut pause = RETRY_FIRST;
    for _ in 0..8 {
        world.kernel.refuse = Some(Errno::EPERM);
        assert_eq!(world.issue(usize::MAX).len(), 1);
        world.deliver(usize::MAX);
        assert_eq!(world.issue(usize::MAX), []);
        assert_eq!(world.reconciler.deadline(), Some(world.now + pause));
        world.now = world.now + pause;
        pause = RETRY_MOST.min(pause * 2);
    }
    assert_eq!(pause, RETRY_MOST);
    world.settle();
    let failed = Report::Failed { slot: slot.clone(), action: Action::Add, refusal: Errno::EPERM.into() };
    assert_eq!(world.reports, [failed.clone(), present_late(&slot)]);
    world.reports.clear();
    // A new row of refusals begins as the first one did.
    world.unwant("VI_1", &slot);
    world.settle();
    world.want("VI_1", &slot);
    world.kernel.refuse = Some(Errno::EPERM);
    world.issue(1);
    world.deliver(usize::MAX);
    assert_eq!(world.reports, [Report::Absent { slot }, failed]);
    assert_eq!(world.reconciler.deadline(), Some(world.now + RETRY_FIRST));
}

#[test]
fn a_deletion_that_is_refused_is_tried_again() {
    let mut world = World::with_links(&["eth0"]);
    let slot = slot("eth0", "192.0.2.1/24");
    world.want("VI_1", &slot);
    world.settle();
    world.unwant("VI_1", &slot);
    world.kernel.refuse = Some(Errno::EPERM);
    world.settle();
    assert!(!world.holds(&slot));
    assert_eq!(world.reports.last(), Some(&Report::Absent { slot }));
}

#[test]
fn what_others_delete_is_put_back_but_not_for_ever_at_once() {
    let mut world = World::with_links(&["eth0"]);
    let slot = slot("eth0", "192.0.2.1/24");
    world.want("VI_1", &slot);
    world.settle();
    world.reports.clear();
    for times in 1..=PUT_BACKS {
        world.now = world.now + Duration::from_secs(1);
        world.steal(&slot);
        world.settle();
        assert!(world.holds(&slot));
        assert_eq!(world.reports, [Report::PutBack { slot: slot.clone(), times }, present_late(&slot)]);
        world.reports.clear();
    }
    let until = Instant::ZERO + Duration::from_secs(1) + PUT_BACK_SPAN;
    world.steal(&slot);
    world.deliver(usize::MAX);
    assert_eq!(world.reports, [Report::HeldBack { slot: slot.clone(), until }]);
    assert_eq!(world.issue(usize::MAX), []);
    assert_eq!(world.reconciler.deadline(), Some(until));
    world.now = until;
    assert_eq!(world.issue(usize::MAX), [(Action::Add, slot.clone())]);
    world.settle();
    assert!(world.holds(&slot));
    assert_eq!(world.reconciler.deadline(), None);
}

#[test]
fn lost_answers_are_made_up_for() {
    let mut world = World::with_links(&["eth0"]);
    let (kept, dropped) = (slot("eth0", "192.0.2.1/24"), slot("eth0", "192.0.2.2/24"));
    world.want("VI_1", &dropped);
    world.settle();
    world.want("VI_1", &kept);
    world.unwant("VI_1", &dropped);
    assert_eq!(world.issue(usize::MAX).len(), 2);
    world.overrun();
    world.kernel.interrupt = true;
    world.settle();
    assert!(world.holds(&kept) && !world.holds(&dropped));
    assert!(world.reports.contains(&present(&kept)));
    assert!(world.reports.contains(&Report::Absent { slot: dropped }));
}
