//! Whatever happens, in whatever order.

use std::collections::{BTreeMap, BTreeSet};

use netlink::Errno;
use netlink::reconcile::{PUT_BACK_SPAN, Slot};
use proptest::prelude::*;
use steadfast_netlink as netlink;

use crate::world::{World, slot};

#[derive(Clone, Debug)]
enum Step {
    Want { slot: usize, owner: bool },
    Unwant { slot: usize, owner: bool },
    Steal { slot: usize },
    Create { device: usize },
    Remove { device: usize },
    Rename { from: usize, to: usize },
    Issue { most: usize },
    Deliver { most: usize },
    Announce,
    Overrun,
    Interrupt,
    Refuse,
    Wait,
}

const DEVICES: [&str; 3] = ["eth0", "eth1", "eth2"];
const PREFIXES: [&str; 4] = ["192.0.2.1/24", "192.0.2.1/32", "2001:db8::1/64", "2001:db8::2/128"];

fn step() -> impl Strategy<Value = Step> {
    let slot = 0..DEVICES.len() * PREFIXES.len();
    let device = 0..DEVICES.len();
    prop_oneof![
        4 => (slot.clone(), any::<bool>()).prop_map(|(slot, owner)| Step::Want { slot, owner }),
        3 => (slot.clone(), any::<bool>()).prop_map(|(slot, owner)| Step::Unwant { slot, owner }),
        2 => slot.prop_map(|slot| Step::Steal { slot }),
        1 => device.clone().prop_map(|device| Step::Create { device }),
        1 => device.clone().prop_map(|device| Step::Remove { device }),
        1 => (device.clone(), device).prop_map(|(from, to)| Step::Rename { from, to }),
        5 => (1..6_usize).prop_map(|most| Step::Issue { most }),
        5 => (1..6_usize).prop_map(|most| Step::Deliver { most }),
        2 => Just(Step::Announce),
        1 => Just(Step::Overrun),
        1 => Just(Step::Interrupt),
        1 => Just(Step::Refuse),
        1 => Just(Step::Wait),
    ]
}

fn numbered(slot_number: usize) -> Slot {
    slot(DEVICES[slot_number % DEVICES.len()], PREFIXES[slot_number / DEVICES.len()])
}

fn owner(first: bool) -> &'static str {
    if first { "VI_1" } else { "VI_2" }
}

impl World {
    fn take(&mut self, step: &Step) {
        let named = |world: &Self, device: usize| world.kernel.named(&DEVICES[device].parse().unwrap());
        match *step {
            Step::Want { slot, owner: first } => self.want(owner(first), &numbered(slot)),
            Step::Unwant { slot, owner: first } => self.unwant(owner(first), &numbered(slot)),
            Step::Steal { slot } => self.steal(&numbered(slot)),
            Step::Create { device } if named(self, device).is_none() => {
                self.kernel.create(DEVICES[device]);
            }
            Step::Remove { device } => {
                if let Some(index) = named(self, device) {
                    self.kernel.remove(index);
                }
            }
            Step::Rename { from, to } => {
                if let (Some(index), None) = (named(self, from), named(self, to)) {
                    self.kernel.rename(index, DEVICES[to]);
                }
            }
            Step::Create { .. } => {}
            Step::Issue { most } => {
                self.issue(most);
            }
            Step::Deliver { most } => self.deliver(most),
            Step::Announce => self.kernel.announce(),
            Step::Overrun => self.overrun(),
            Step::Interrupt => self.kernel.interrupt = true,
            Step::Refuse => self.kernel.refuse = Some(Errno::EPERM),
            Step::Wait => self.now = self.now + PUT_BACK_SPAN,
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn in_the_end_the_kernel_holds_what_is_wanted(steps in proptest::collection::vec(step(), 1..60)) {
        let mut world = World::with_links(&DEVICES[..2]);
        for step in &steps {
            world.take(step);
        }
        world.settle();
        for slot in (0..DEVICES.len() * PREFIXES.len()).map(numbered) {
            let wanted = world.reconciler.owner(&slot).is_some();
            let possible = world.kernel.named(&slot.device).is_some();
            prop_assert_eq!(world.holds(&slot), wanted && possible, "{}", slot);
        }
        let known: BTreeSet<_> = world.mirror.addresses().map(|address| (address.index, address.prefix)).collect();
        prop_assert_eq!(&known, &world.kernel.addresses);
        let links: BTreeMap<_, _> = world.mirror.links().map(|link| (link.index, link.name.clone())).collect();
        prop_assert_eq!(&links, &world.kernel.links);
        let told: BTreeMap<_, _> = world.told.iter().map(|(name, index)| (*index, name.clone())).collect();
        prop_assert_eq!((told.len(), &told), (world.told.len(), &world.kernel.links));
        prop_assert_eq!(world.issue(usize::MAX), vec![]);
    }
}
