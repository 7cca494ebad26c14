//! Interfaces that virtual routers make: whatever happens to them, in the end there are those that there should be.

use std::collections::BTreeMap;

use model::vrrp::IpvlanMode;
use model::{IfIndex, IfName, Instant, MacAddr};
use netlink::own_links::{Operation, OwnLinkKind, Report};
use netlink::request::Ipv4Setting;
use netlink::{Errno, Event, Link, Mirror, OwnLink, OwnLinks, Request, Sequence, Sharing, encode};
use proptest::prelude::*;
use steadfast_netlink as netlink;

const MARK: &str = "ours";

fn name(text: &str) -> IfName {
    text.parse().unwrap()
}

fn own(number: u8, base: u8, mac: u8) -> OwnLink {
    OwnLink {
        name: name(&format!("own{number}")),
        base: name(&format!("eth{base}")),
        kind: OwnLinkKind::Macvlan { mac: MacAddr([2, 0, 0, 0, 0, mac]) },
        group: 0,
        uses_ipv6: false,
        notify_base: false,
    }
}

/// A kernel, what has been heard of it, and what should be there.
struct World {
    mirror: Mirror,
    links: BTreeMap<IfName, Link>,
    next: u32,
    own: OwnLinks,
    now: Instant,
    reports: Vec<Report>,
}

impl World {
    fn new() -> Self {
        let (mirror, own) = (Mirror::default(), OwnLinks::new(MARK));
        let now = Instant::from_nanos(1_000_000_000);
        Self { mirror, links: BTreeMap::new(), next: 1, own, now, reports: Vec::new() }
    }

    fn link(&mut self, name: IfName) -> Link {
        self.next += 1;
        Link::new(IfIndex::try_from(self.next).unwrap(), name)
    }

    fn put(&mut self, link: Link) {
        let name = link.name.clone();
        self.links.insert(name.clone(), link.clone());
        self.mirror.apply(Event::LinkChanged(link), &mut Vec::new());
        self.own.review(&name);
    }

    /// A link goes, and what stands on it.
    fn remove(&mut self, name: &IfName) {
        let Some(gone) = self.links.remove(name) else { return };
        self.mirror.apply(Event::LinkGone { index: gone.index, name: name.clone() }, &mut Vec::new());
        self.own.review(name);
        let above: Vec<_> = self.links.values().filter(|link| link.lower == Some(gone.index)).collect();
        for name in above.into_iter().map(|link| link.name.clone()).collect::<Vec<_>>() {
            self.remove(&name);
        }
    }

    fn set_down(&mut self, name: &IfName) {
        if let Some(link) = self.links.get(name).cloned() {
            self.put(Link { up: false, ..link });
        }
    }

    /// Carries out what is due now.
    fn work(&mut self) {
        while let Some(operation) = self.own.next(self.now, &self.mirror, true) {
            let result = self.carry_out(&operation).map_err(Into::into);
            self.own.done(self.now, &operation, result, &self.mirror);
        }
    }

    fn carry_out(&mut self, operation: &Operation) -> Result<(), Errno> {
        match operation {
            Operation::Make { link, base } => {
                if self.links.contains_key(&link.name) {
                    return Err(Errno::EEXIST);
                }
                if !self.links.values().any(|one| one.index == *base) {
                    return Err(Errno::ENODEV);
                }
                let OwnLinkKind::Macvlan { mac } = link.kind else { panic!("only macvlans here") };
                let made = self.link(link.name.clone());
                let sharing = Some(Sharing::Macvlan(1));
                self.put(Link { mac: Some(mac), lower: Some(*base), sharing, up: false, ..made });
            }
            Operation::SetUp { link, index, .. } => {
                let there = self.links.get(&link.name).filter(|one| one.index == *index).cloned();
                let there = there.ok_or(Errno::ENODEV)?;
                self.put(Link { up: true, alias: Some(MARK.into()), ..there });
            }
            Operation::Remove { index, .. } => {
                let name = self.links.values().find(|one| one.index == *index).map(|one| one.name.clone());
                if let Some(name) = name {
                    self.remove(&name);
                }
            }
        }
        Ok(())
    }

    /// Works off what is due, up to the end of every pause.
    fn settle(&mut self) {
        for _ in 0..1000 {
            let Some(operation) = self.own.next(self.now, &self.mirror, true) else {
                self.reports.extend(self.own.take_reports());
                match self.own.deadline() {
                    Some(until) => self.now = self.now.max(until),
                    None => return,
                }
                continue;
            };
            let result = self.carry_out(&operation).map_err(Into::into);
            self.own.done(self.now, &operation, result, &self.mirror);
        }
        panic!("it does not come to an end: {:?}", self.reports);
    }
}

#[derive(Clone, Debug)]
enum Act {
    Base(u8),
    Unplug(u8),
    Want(Vec<(u8, u8, u8)>),
    Delete(u8),
    /// Somebody sets an interface down.
    Down(u8),
    /// Somebody makes an interface of that name.
    Squat(u8),
    Step,
    Settle,
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        (0..2_u8).prop_map(Act::Base),
        (0..2_u8).prop_map(Act::Unplug),
        prop::collection::vec((0..3_u8, 0..2_u8, 0..3_u8), 0..4).prop_map(Act::Want),
        (0..3_u8).prop_map(Act::Delete),
        (0..3_u8).prop_map(Act::Down),
        (0..3_u8).prop_map(Act::Squat),
        Just(Act::Step),
        Just(Act::Settle),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, ..ProptestConfig::default() })]

    #[test]
    fn in_the_end_there_is_what_should_be(acts in prop::collection::vec(act(), 0..30)) {
        let mut world = World::new();
        let mut wanted = BTreeMap::new();
        for act in acts {
            match act {
                Act::Base(number) => {
                    if !world.links.contains_key(&name(&format!("eth{number}"))) {
                        let link = world.link(name(&format!("eth{number}")));
                        world.put(link);
                    }
                }
                Act::Unplug(number) => world.remove(&name(&format!("eth{number}"))),
                Act::Want(list) => {
                    let links = list.into_iter().map(|(number, base, mac)| own(number, base, mac));
                    wanted = links.map(|link| (link.name.clone(), link)).collect();
                    world.own.set(wanted.values().cloned());
                }
                Act::Delete(number) => world.remove(&name(&format!("own{number}"))),
                Act::Down(number) => world.set_down(&name(&format!("own{number}"))),
                Act::Squat(number) => {
                    if !world.links.contains_key(&name(&format!("own{number}"))) {
                        let link = world.link(name(&format!("own{number}")));
                        world.put(link);
                    }
                }
                Act::Step => {
                    if let Some(operation) = world.own.next(world.now, &world.mirror, true) {
                        let result = world.carry_out(&operation).map_err(Into::into);
                        world.own.done(world.now, &operation, result, &world.mirror);
                    }
                }
                Act::Settle => world.settle(),
            }
        }
        world.settle();
        for (name, link) in &wanted {
            let base = world.links.get(&link.base).map(|base| base.index);
            let there = world.links.get(name);
            let is_foreign = there.is_some_and(|there| there.sharing.is_none());
            let is_ready = world.own.ready(name).unwrap();
            prop_assert_eq!(is_ready.is_some(), base.is_some() && !is_foreign);
            if let Some(index) = is_ready {
                let there = there.unwrap();
                let OwnLinkKind::Macvlan { mac } = link.kind else { panic!("only macvlans here") };
                prop_assert!(there.up && there.lower == base && there.mac == Some(mac) && there.index == index);
            }
        }
        for (name, there) in &world.links {
            prop_assert!(there.sharing.is_none() || wanted.contains_key(name), "{} is left", name);
        }
        prop_assert!(world.own.is_settled());
    }
}

#[test]
fn who_keeps_deleting_is_told_and_waited_for() {
    let mut world = World::new();
    let base = world.link(name("eth0"));
    world.put(base);
    world.own.set([own(0, 0, 1)]);
    let mut held_back = false;
    for _ in 0..7 {
        world.work();
        held_back |= world.own.take_reports().iter().any(|one| matches!(one, Report::HeldBack { .. }));
        world.remove(&name("own0"));
    }
    assert!(held_back);
    world.settle();
    assert!(world.own.ready(&name("own0")).unwrap().is_some());
}

/// A world with one link that is ready, and has been told of.
fn with_one() -> World {
    let mut world = World::new();
    let base = world.link(name("eth0"));
    world.put(base);
    world.own.set([own(0, 0, 1)]);
    world.settle();
    world.own.take_changes();
    world.reports.clear();
    world
}

#[test]
fn nobody_hears_of_a_loss_that_is_made_good_at_once() {
    for delete in [true, false] {
        let (mut world, own0) = (with_one(), name("own0"));
        let first = world.own.ready(&own0).unwrap();
        if delete {
            world.remove(&own0)
        } else {
            world.set_down(&own0)
        }
        assert!(world.own.heals(&own0, &world.mirror), "before anything is begun");
        let operation = world.own.next(world.now, &world.mirror, true).unwrap();
        assert!(world.own.heals(&own0, &world.mirror), "while it is under way");
        let result = world.carry_out(&operation).map_err(Into::into);
        world.own.done(world.now, &operation, result, &world.mirror);
        world.work();
        assert!(!world.own.heals(&own0, &world.mirror));
        assert!(world.own.take_changes().contains(&own0));
        let is_another = world.own.ready(&own0).unwrap() != first;
        assert_eq!(is_another, delete, "one that was only down is the same link");
        let said = world.own.take_reports();
        let expected = |name| if delete { Report::MadeAgain { name } } else { Report::SetUpAgain { name } };
        assert_eq!(said, [expected(own0)]);
    }
}

#[test]
fn a_deletion_that_begins_with_setting_down_is_one_loss() {
    let (mut world, own0) = (with_one(), name("own0"));
    for _ in 0..netlink::reconcile::PUT_BACKS {
        world.set_down(&own0);
        let operation = world.own.next(world.now, &world.mirror, true).unwrap();
        world.own.done(world.now, &operation, Err(Errno::ENODEV.into()), &world.mirror);
        assert_eq!(world.own.next(world.now, &world.mirror, true), None, "its end is waited for");
        assert!(world.own.heals(&own0, &world.mirror));
        world.remove(&own0);
        assert!(world.own.heals(&own0, &world.mirror));
        world.work();
        assert_eq!(world.own.take_reports(), [Report::MadeAgain { name: own0.clone() }]);
    }
}

#[test]
fn a_loss_that_lasts_is_told() {
    let (mut world, own0) = (with_one(), name("own0"));
    world.remove(&own0);
    let operation = world.own.next(world.now, &world.mirror, true);
    assert!(operation.is_some(), "it is begun, and takes its time");
    world.own.take_changes();
    world.now = world.own.deadline().unwrap();
    assert_eq!(world.own.next(world.now, &world.mirror, true), None);
    assert!(world.own.take_changes().contains(&own0) && !world.own.heals(&own0, &world.mirror));

    let (mut world, own0) = (with_one(), name("own0"));
    world.remove(&own0);
    let operation = world.own.next(world.now, &world.mirror, true).unwrap();
    world.own.take_changes();
    world.own.done(world.now, &operation, Err(Errno::EPERM.into()), &world.mirror);
    assert!(world.own.take_changes().contains(&own0) && !world.own.heals(&own0, &world.mirror), "it failed");
}

#[test]
fn what_goes_with_the_interface_below_is_told_at_once() {
    let mut world = with_one();
    world.remove(&name("eth0"));
    assert!(!world.own.heals(&name("own0"), &world.mirror));
    world.work();
    assert!(world.own.take_changes().contains(&name("own0")));
}

#[test]
fn who_keeps_setting_it_down_is_told_and_waited_for() {
    let (mut world, own0) = (with_one(), name("own0"));
    for _ in 0..=netlink::reconcile::PUT_BACKS {
        world.set_down(&own0);
        world.work();
    }
    let held_back = |one: &Report| matches!(one, Report::HeldBack { .. });
    assert!(world.own.take_reports().iter().any(held_back));
    assert!(!world.links[&own0].up && !world.own.heals(&own0, &world.mirror));
    world.settle();
    assert!(world.links[&own0].up);
}

#[test]
fn what_is_written_on_a_link_is_known_to_the_next_run() {
    let (mut world, own0) = (with_one(), name("own0"));
    let link = world.links[&own0].clone();
    let (note, written) = (Some("arp_ignore 0".into()), netlink::own_links::alias(MARK, "arp_ignore 0"));
    world.put(Link { alias: Some(written.clone().into()), ..link.clone() });
    world.own = OwnLinks::new(MARK);
    world.own.set([own(0, 0, 1)]);
    let operation = world.own.next(world.now, &world.mirror, true).unwrap();
    assert!(matches!(&operation, Operation::SetUp { note: found, .. } if *found == note), "{operation:?}");

    world.own = OwnLinks::new(MARK);
    world.own.sweep(&world.mirror);
    let operation = world.own.next(world.now, &world.mirror, true).unwrap();
    let Operation::Remove { left: Some(left), .. } = operation else { panic!("{operation:?}") };
    assert_eq!((left.base_name, &*left.note), (name("eth0"), "arp_ignore 0"));

    // Another daemon's, whose mark begins alike.
    world.put(Link { alias: Some(written.replace(MARK, "ours too").into()), ..link });
    world.own = OwnLinks::new(MARK);
    world.own.sweep(&world.mirror);
    assert_eq!(world.own.next(world.now, &world.mirror, true), None);
}

fn bytes(request: &Request) -> String {
    let mut batch = Vec::new();
    encode(request, Sequence::FIRST, &mut batch);
    batch.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// As a kernel of version 6.18 has taken them, and as it shows the outcome.
#[cfg(target_endian = "little")]
#[test]
fn requests_for_own_links_are_these_bytes() {
    let index = IfIndex::try_from(3).unwrap();
    let mac = MacAddr([0, 0, 0x5e, 0, 1, 51]);
    let macvlan = Request::CreateMacvlan { name: name("vrrp.51"), lower: index, mac, group: 7 };
    let ipvlan = Request::CreateIpvlan { name: name("i"), lower: index, mode: IpvlanMode::Vepa, group: 0 };
    let settings = vec![(Ipv4Setting::ArpIgnore, 1), (Ipv4Setting::RpFilter, 2)];
    assert_eq!(bytes(&macvlan), include_str!("golden/macvlan.hex").trim());
    assert_eq!(bytes(&ipvlan), include_str!("golden/ipvlan.hex").trim());
    let settings = Request::SetIpv4 { link: index.into(), settings };
    assert_eq!(bytes(&settings), include_str!("golden/ipv4-settings.hex").trim());
    let quiet = Request::SetNoOwnIpv6(index.into());
    assert_eq!(bytes(&quiet), include_str!("golden/no-own-ipv6.hex").trim());
}
