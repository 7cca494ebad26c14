//! Links that come, go and change names.

use netlink::request::PROTOCOL;
use netlink::{Address, Event, Report};
use steadfast_netlink as netlink;

use crate::world::{World, address, present_late, slot};

#[test]
fn an_address_waits_for_its_link() {
    let mut world = World::with_links(&[]);
    let slot = slot("eth0", "192.0.2.1/24");
    world.want("VI_1", &slot);
    world.settle();
    assert_eq!(world.reports, [Report::AwaitingLink { slot: slot.clone() }]);
    let first = world.kernel.create("eth0");
    world.settle();
    assert!(world.holds(&slot));
    assert_eq!(world.reports.last(), Some(&present_late(&slot)));
    world.kernel.remove(first);
    world.settle();
    assert_eq!(world.reports.last(), Some(&Report::AwaitingLink { slot: slot.clone() }));
    world.kernel.create("eth0");
    world.settle();
    assert!(world.holds(&slot), "on the new link");
    assert_eq!(world.reports.last(), Some(&present_late(&slot)));
    assert!(
        !world.reports.iter().any(|report| matches!(report, Report::PutBack { .. })),
        "nobody deleted it"
    );
}

#[test]
fn a_link_that_goes_while_the_request_is_under_way_is_awaited() {
    let mut world = World::with_links(&["eth0"]);
    let slot = slot("eth0", "192.0.2.1/24");
    world.kernel.remove(world.kernel.named(&slot.device).unwrap());
    world.want("VI_1", &slot);
    assert_eq!(world.issue(1).len(), 1, "the mirror still has the link");
    world.settle();
    assert_eq!(world.reports, [Report::AwaitingLink { slot }]);
}

#[test]
fn a_renamed_link_does_not_keep_the_address() {
    let mut world = World::with_links(&["eth0"]);
    let slot = slot("eth0", "192.0.2.1/24");
    world.want("VI_1", &slot);
    world.settle();
    let renamed = world.kernel.named(&slot.device).unwrap();
    world.kernel.rename(renamed, "old0");
    world.kernel.create("eth0");
    world.settle();
    assert!(world.holds(&slot));
    assert!(!world.kernel.addresses.contains(&(renamed, slot.prefix)));
    assert_eq!(world.reports.last(), Some(&present_late(&slot)), "it is on another link now");
}

#[test]
fn an_address_on_a_renamed_link_is_deleted_there_and_awaits_the_name() {
    let mut world = World::with_links(&["eth0"]);
    let slot = slot("eth0", "192.0.2.1/24");
    world.want("VI_1", &slot);
    world.settle();
    world.reports.clear();
    let index = world.kernel.named(&slot.device).unwrap();
    world.kernel.rename(index, "foo");
    world.settle();
    assert!(world.kernel.addresses.is_empty());
    assert_eq!(world.reports, [Report::AwaitingLink { slot: slot.clone() }]);
    world.kernel.rename(index, "eth0");
    world.settle();
    assert!(world.holds(&slot));
    assert_eq!(world.reports.last(), Some(&present_late(&slot)));
}

#[test]
fn an_address_of_the_host_itself_stays_on_its_renamed_link() {
    let mut world = World::with_links(&["eth0"]);
    let slot = slot("eth0", "192.0.2.1/24");
    let index = world.kernel.named(&slot.device).unwrap();
    world.kernel.add(index, slot.prefix).unwrap();
    // The kernel says who has set an address.
    let ours = Address { protocol: PROTOCOL, ..address(index, self::slot("eth0", "192.0.2.9/24").prefix) };
    world.kernel.tell(Event::AddressAdded(ours));
    world.deliver(usize::MAX);
    world.want("VI_1", &slot);
    world.settle();
    assert!(!world.reconciler.added(&slot));
    world.kernel.rename(index, "foo");
    world.settle();
    assert!(world.kernel.addresses.contains(&(index, slot.prefix)));
    world.unwant("VI_1", &slot);
    world.settle();
    assert!(world.kernel.addresses.contains(&(index, slot.prefix)));
}

#[test]
fn an_address_that_is_wanted_under_both_names_is_never_away() {
    let mut world = World::with_links(&["eth0", "eth1"]);
    let both = ["eth0", "eth1"].map(|device| slot(device, "192.0.2.1/24"));
    both.iter().for_each(|slot| world.want("VI_1", slot));
    world.settle();
    world.reports.clear();
    let [first, second] = [&both[0], &both[1]].map(|slot| world.kernel.named(&slot.device).unwrap());
    world.kernel.rename(first, "eth2");
    world.kernel.rename(second, "eth0");
    world.kernel.rename(first, "eth1");
    world.deliver(usize::MAX);
    assert_eq!(world.issue(usize::MAX), []);
    assert_eq!(world.reports, both.each_ref().map(present_late), "each is on another link than before");
    both.iter().for_each(|slot| world.unwant("VI_1", slot));
    world.settle();
    assert!(world.kernel.addresses.is_empty());
}

/// Found by the property in `anything`: two links change names unheard, and one loses an address that the other keeps.
#[test]
fn an_address_that_went_from_one_link_is_still_on_another_of_the_name() {
    let mut world = World::with_links(&["eth0", "eth1"]);
    let (stolen, kept) = (slot("eth0", "2001:db8::1/64"), slot("eth1", "2001:db8::1/64"));
    world.want("VI_1", &stolen);
    world.want("VI_1", &kept);
    world.settle();
    let (first, second) =
        (world.kernel.named(&stolen.device).unwrap(), world.kernel.named(&kept.device).unwrap());
    world.kernel.rename(second, "eth2");
    world.steal(&stolen);
    world.kernel.rename(first, "eth1");
    world.overrun();
    world.settle();
    assert!(world.holds(&kept));
    assert!(!world.kernel.addresses.contains(&(second, kept.prefix)), "eth2 is not to have it");
}
