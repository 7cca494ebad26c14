//! What is wanted, by one owner or several, and what is left over.

use model::vrrp::VirtualAddress;
use netlink::reconcile::{Action, Slot};
use netlink::{Errno, Report, Request, Sequence};
use steadfast_netlink as netlink;

use crate::world::{World, present, slot};

#[test]
fn addresses_are_added_and_deleted_in_the_order_asked() {
    let mut world = World::with_links(&["eth0"]);
    let slots = ["192.0.2.9/24", "192.0.2.1/24", "192.0.2.5/24"].map(|prefix| slot("eth0", prefix));
    slots.iter().for_each(|slot| world.want("VI_1", slot));
    let order: Vec<Slot> = world.issue(usize::MAX).into_iter().map(|(_, slot)| slot).collect();
    assert_eq!(order, slots);
    assert_eq!(world.issue(usize::MAX), [], "they are under way");
    world.settle();
    assert_eq!(world.reports, slots.iter().map(present).collect::<Vec<_>>());
    slots.iter().rev().for_each(|slot| world.unwant("VI_1", slot));
    let order: Vec<Slot> = world.issue(usize::MAX).into_iter().rev().map(|(_, slot)| slot).collect();
    assert_eq!(order, slots);
    world.settle();
    assert!(world.kernel.addresses.is_empty());
}

#[test]
fn what_is_there_already_is_taken_over() {
    let mut world = World::with_links(&["eth0"]);
    let slot = slot("eth0", "192.0.2.1/24");
    world.kernel.add(world.kernel.named(&slot.device).unwrap(), slot.prefix).unwrap();
    world.deliver(usize::MAX);
    world.want("VI_1", &slot);
    assert_eq!(world.issue(usize::MAX), []);
    assert_eq!(world.reports, [present(&slot)]);
    world.unwant("VI_1", &slot);
    world.settle();
    assert!(!world.holds(&slot));
}

#[test]
fn what_appears_at_the_same_time_is_taken_over() {
    for prefix in ["192.0.2.1/24", "2001:db8::1/64"] {
        let mut world = World::with_links(&["eth0"]);
        let slot = slot("eth0", prefix);
        world.kernel.add(world.kernel.named(&slot.device).unwrap(), slot.prefix).unwrap();
        world.want("VI_1", &slot);
        assert_eq!(world.issue(1), [(Action::Add, slot.clone())], "its event has not been read");
        world.settle();
        assert_eq!(world.reports, [present(&slot)]);
    }
}

#[test]
fn operations_of_a_batch_keep_their_order_and_their_numbers() {
    let mut world = World::with_links(&["eth0"]);
    let slots = ["192.0.2.9/24", "192.0.2.1/24", "192.0.2.5/24"].map(|prefix| slot("eth0", prefix));
    slots.iter().for_each(|slot| world.want("VI_1", slot));
    let (mut asked, mut batch) = (Vec::new(), Vec::new());
    let mut issue = |world: &mut World, most| {
        let transactions = &mut world.transactions;
        let ask = |request: Request| {
            let sequence = transactions.ask(request.clone(), &mut batch);
            asked.push((sequence, request));
            sequence
        };
        world.reconciler.issue_batch(world.now, &world.mirror, &mut world.reports, most, ask)
    };
    assert_eq!([issue(&mut world, 2), issue(&mut world, 2), issue(&mut world, 2)], [2, 1, 0]);
    for (sequence, request) in &asked {
        // The second one alone is refused.
        world.kernel.refuse = (*sequence == asked[1].0).then_some(Errno::EPERM);
        world.kernel.execute(*sequence, request);
    }
    world.deliver(usize::MAX);
    let failed = Report::Failed { slot: slots[1].clone(), action: Action::Add, refusal: Errno::EPERM.into() };
    assert_eq!(world.reports, [present(&slots[0]), failed, present(&slots[2])]);
}

#[test]
fn an_address_passes_from_one_owner_to_another_without_being_away() {
    let mut world = World::with_links(&["eth0"]);
    let slot = slot("eth0", "192.0.2.1/24");
    world.want("VI_1", &slot);
    world.settle();
    world.want("VI_2", &slot);
    world.unwant("VI_1", &slot);
    assert_eq!(world.issue(usize::MAX), []);
    assert_eq!(world.reconciler.owner(&slot), Some("VI_2"));
    assert!(world.reconciler.wants(&slot.device, slot.prefix));
}

#[test]
fn an_address_goes_when_its_last_owner_releases_it() {
    let mut world = World::with_links(&["eth0"]);
    let slot = slot("eth0", "192.0.2.1/24");
    world.want("VI_1", &slot);
    world.want("VI_2", &slot);
    world.settle();
    assert!(world.reconciler.owners(&slot).eq(["VI_1", "VI_2"]));
    assert!(world.reconciler.added(&slot));
    world.unwant("VI_2", &slot);
    world.unwant("VI_2", &slot);
    world.unwant("VI_3", &slot);
    assert_eq!(world.issue(usize::MAX), []);
    assert!(world.holds(&slot));
    assert_eq!(world.reconciler.owner(&slot), Some("VI_1"));
    world.unwant("VI_1", &slot);
    world.settle();
    assert!(!world.holds(&slot));
    assert_eq!(world.reconciler.owner(&slot), None);
}

#[test]
fn the_last_wish_says_how_an_address_is_added() {
    let mut world = World::with_links(&["eth0"]);
    let slot = slot("eth0", "192.0.2.1/24");
    for (owner, scope) in [("VI_1", 0), ("VI_2", 253), ("VI_1", 254)] {
        let address = VirtualAddress::new(slot.prefix, slot.device.clone());
        world.reconciler.want(owner, &VirtualAddress { scope: model::Scope(scope).into(), ..address });
    }
    let mut scope = None;
    let ask = |request| {
        let Request::AddAddress(new) = request else { panic!("{request:?}") };
        scope = Some(new.scope);
        Sequence::FIRST
    };
    world.reconciler.issue(world.now, &world.mirror, &mut world.reports, ask);
    assert_eq!(scope, Some(254));
    assert!(world.reconciler.owners(&slot).eq(["VI_2", "VI_1"]), "each once");
}

#[test]
fn a_change_of_mind_under_way_ends_as_wanted_last() {
    let mut world = World::with_links(&["eth0"]);
    let slot = slot("eth0", "2001:db8::1/64");
    world.want("VI_1", &slot);
    world.issue(1);
    world.unwant("VI_1", &slot);
    assert_eq!(world.issue(usize::MAX), [], "one operation at a time");
    world.settle();
    assert!(!world.holds(&slot));
    world.want("VI_1", &slot);
    world.settle();
    world.unwant("VI_1", &slot);
    world.issue(1);
    world.want("VI_1", &slot);
    world.settle();
    assert!(world.holds(&slot));
}

#[test]
fn a_sweep_deletes_exactly_what_is_left_over() {
    let mut world = World::with_links(&["eth0", "eth1"]);
    let on = |device: &str, prefix: &str| slot(device, prefix);
    let there = [
        on("eth0", "192.0.2.1/24"),
        on("eth0", "192.0.2.2/24"),
        on("eth0", "192.0.2.3/32"),
        on("eth1", "192.0.2.4/24"),
    ];
    for slot in &there {
        world.kernel.add(world.kernel.named(&slot.device).unwrap(), slot.prefix).unwrap();
    }
    world.deliver(usize::MAX);
    let [left_over, wanted, ..] = &there;
    world.want("VI_1", wanted);
    let configured = [
        left_over.clone(),
        wanted.clone(),
        on("eth0", "192.0.2.3/24"), // another length
        on("eth0", "192.0.2.4/24"), // another device
    ];
    let configured = configured.map(|slot| VirtualAddress::new(slot.prefix, slot.device));
    world.reconciler.sweep(&configured, &world.mirror);
    world.settle();
    assert!(!world.holds(left_over));
    assert!(there[1..].iter().all(|slot| world.holds(slot)));
}
