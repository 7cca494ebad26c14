//! Whatever the table at the start, the changes, what others do and what the kernel refuses: in the end it holds what is
//! wanted, and what is others'.

use std::collections::BTreeMap;
use std::num::NonZeroU16;
use std::time::Duration;

use model::ipvs::{Change, Destination, DestinationKey, Service, ServiceKey, Table};
use model::lvs::{Forwarding, Persistence, PersistenceMask, Protocol, Scheduler, SchedulerFlags};
use model::{Family, Flush, Instant};
use netlink::Sequence;
use netlink::ipvs::{BATCH, Damage, FamilyId, Loss, Reconciler, Report, Request, Settings, Target, encode};
use proptest::prelude::*;
use steadfast_netlink as netlink;

use super::fake::Fake;

/// A kernel and what makes its table right.
struct Scene {
    now: Instant,
    fake: Fake,
    reconciler: Reconciler,
    reports: Vec<Report>,
    /// What the kernel has answered and nobody has read.
    unheard: Vec<u8>,
}

impl Scene {
    fn new() -> Self {
        let fake = Fake { has_ipvs: true, ..Fake::default() };
        let now = Instant::from_nanos(1_000_000_000);
        Self { now, fake, reconciler: Reconciler::new(), reports: Vec::new(), unheard: Vec::new() }
    }

    /// Lets it send what is next, which the kernel does at once, and leaves the answers unread.
    fn ask(&mut self) {
        let mut batch = Vec::new();
        if self.reconciler.next(self.now, &mut batch) {
            self.unheard = self.fake.ask(&batch);
        }
    }

    /// Lets it have its way for now. Gives how many datagrams that took.
    fn turn(&mut self) -> usize {
        let answers = std::mem::take(&mut self.unheard);
        self.reconciler.hear(self.now, &answers);
        let mut batch = Vec::new();
        let mut datagrams = 0;
        while self.reconciler.next(self.now, &mut batch) {
            let answers = self.fake.ask(&batch);
            self.reconciler.hear(self.now, &answers);
            batch.clear();
            datagrams += 1;
            assert!(datagrams < 10_000, "it comes to no end");
        }
        self.reports.extend(self.reconciler.take_reports());
        datagrams
    }

    /// Lets it have its way until nothing is awaited.
    fn settle(&mut self) {
        self.turn();
        while let Some(deadline) = self.reconciler.deadline() {
            assert!(self.now.since(Instant::default()) < Duration::from_secs(100_000), "it comes to no end");
            self.now = deadline;
            self.turn();
        }
    }

    /// Somebody else does this.
    fn meddle(&mut self, request: &Request) {
        let mut bytes = Vec::new();
        encode(FamilyId(30), request, Sequence::FIRST, &mut bytes);
        let watched = std::mem::take(&mut self.fake.watched);
        let foreign = std::mem::take(&mut self.fake.foreign);
        self.fake.ask(&bytes);
        self.fake.watched = watched;
        self.fake.foreign = foreign;
    }

    /// Somebody has made these before us.
    fn made(&mut self, table: &Table) {
        for (key, service) in &table.services {
            self.meddle(&Request::AddService(*key, Settings::of(service, key.family())));
            for (place, value) in &service.destinations {
                self.meddle(&Request::AddDestination(*key, *place, Target::of(value)));
            }
        }
    }
}

/// What a kernel holds that was given just this.
fn kernel_with(table: &Table) -> Fake {
    let mut scene = Scene::new();
    scene.made(table);
    scene.fake
}

#[derive(Clone, Debug)]
enum Step {
    Change(Change),
    Reload(Table),
    /// The kernel takes no such destination, or no such service, until further notice.
    Refuse(usize, Option<usize>),
    Permit,
    DeletedByOthers(usize, Option<usize>),
    AddedByOthers(usize, usize),
    Turn,
    Ask,
    Wait,
    Lose,
}

fn key(at: usize) -> ServiceKey {
    let address = [192, 0, 2, 1].into();
    let port = |port| NonZeroU16::new(port);
    [
        ServiceKey::Address { address, port: port(80), protocol: Protocol::Tcp },
        ServiceKey::Address { address, port: port(53), protocol: Protocol::Udp },
        ServiceKey::Fwmark { mark: 5, family: Family::V4 },
        ServiceKey::Fwmark { mark: 5, family: Family::V6 },
        // Nobody but others wants it.
        ServiceKey::Address { address, port: None, protocol: Protocol::Sctp },
    ][at]
}

fn place(at: usize) -> DestinationKey {
    DestinationKey { address: [10, 0, 0, u8::try_from(at).unwrap()].into(), port: NonZeroU16::new(80) }
}

fn destination() -> impl Strategy<Value = Destination> {
    let forwarding = prop_oneof![Just(Forwarding::Nat), Just(Forwarding::Direct)];
    (0..3_u32, forwarding).prop_map(|(weight, forwarding)| Destination {
        weight,
        forwarding,
        upper_threshold: None,
        lower_threshold: None,
    })
}

fn service() -> impl Strategy<Value = Service> {
    let scheduler = prop_oneof![Just(Scheduler::RoundRobin), Just(Scheduler::SourceHash)];
    let destinations = proptest::collection::btree_map((0..5_usize).prop_map(place), destination(), 0..5);
    (scheduler, any::<bool>(), any::<bool>(), destinations).prop_map(
        |(scheduler, first, persists, destinations)| {
            let mask = PersistenceMask::V4([255, 255, 255, 0].into());
            let timeout = Duration::from_secs(50);
            Service {
                scheduler,
                flags: SchedulerFlags { first, ..SchedulerFlags::default() },
                one_packet: false,
                persistence: persists.then_some(Persistence { timeout, mask, engine: None }),
                destinations,
            }
        },
    )
}

fn table(keys: std::ops::Range<usize>) -> impl Strategy<Value = Table> {
    proptest::collection::btree_map(keys.prop_map(key), service(), 0..5)
        .prop_map(|services| Table { services })
}

fn step() -> impl Strategy<Value = Step> {
    let service_at = || 0..4_usize;
    let some_place = || proptest::option::of(0..5_usize);
    let set = (service_at(), 0..5_usize, destination()).prop_map(|(service, at, value)| {
        Change::SetDestination { service: key(service), destination: place(at), value }
    });
    let remove = (service_at(), 0..5_usize).prop_map(|(service, at)| Change::RemoveDestination {
        service: key(service),
        destination: place(at),
    });
    prop_oneof![
        4 => set.prop_map(Step::Change),
        3 => remove.prop_map(Step::Change),
        2 => (service_at(), service()).prop_map(|(at, value)| Step::Change(Change::SetService { service: key(at), value })),
        1 => service_at().prop_map(|at| Step::Change(Change::RemoveService { service: key(at) })),
        1 => table(0..4).prop_map(Step::Reload),
        1 => (service_at(), some_place()).prop_map(|(service, at)| Step::Refuse(service, at)),
        1 => Just(Step::Permit),
        1 => (service_at(), some_place()).prop_map(|(service, at)| Step::DeletedByOthers(service, at)),
        1 => (service_at(), 0..5_usize).prop_map(|(service, at)| Step::AddedByOthers(service, at)),
        6 => Just(Step::Turn),
        3 => Just(Step::Ask),
        1 => Just(Step::Wait),
        1 => Just(Step::Lose),
    ]
}

fn plain(weight: u32) -> Destination {
    Destination { weight, forwarding: Forwarding::Nat, upper_threshold: None, lower_threshold: None }
}

fn take(scene: &mut Scene, step: Step, wanted: &mut Table) {
    match step {
        Step::Change(change) => {
            wanted.apply(change.clone());
            scene.reconciler.change(change);
        }
        Step::Reload(table) => {
            *wanted = table.clone();
            scene.reconciler.set_table(table);
        }
        Step::Refuse(service, at) => {
            let mut destinations = BTreeMap::new();
            destinations.extend(at.map(|at| (place(at), plain(1))));
            let (scheduler, flags) = (Scheduler::RoundRobin, SchedulerFlags::default());
            let value = Service { scheduler, flags, one_packet: false, persistence: None, destinations };
            let fake = kernel_with(&Table { services: BTreeMap::from([(key(service), value)]) });
            let (key, entry) = fake.services.into_iter().next().unwrap();
            scene.fake.refuses.insert((key, entry.destinations.into_keys().next()));
        }
        Step::Permit => scene.fake.refuses.clear(),
        Step::DeletedByOthers(service, None) => scene.meddle(&Request::DeleteService(key(service))),
        Step::DeletedByOthers(service, Some(at)) => {
            scene.meddle(&Request::DeleteDestination(key(service), place(at)));
        }
        Step::AddedByOthers(service, at) => {
            scene.meddle(&Request::AddDestination(key(service), place(at), Target::of(&plain(9))));
        }
        Step::Turn => {
            scene.turn();
        }
        Step::Ask => scene.ask(),
        Step::Wait => scene.now = scene.reconciler.deadline().unwrap_or(scene.now),
        Step::Lose => scene.reconciler.lose(scene.now),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn in_the_end_the_kernel_holds_what_is_wanted(
        before in table(0..5),
        left in table(0..4),
        start in table(0..4),
        steps in proptest::collection::vec(step(), 0..40),
    ) {
        let mut scene = Scene::new();
        let mut others = before;
        others.services.retain(|key, _| !left.services.contains_key(key));
        scene.made(&left);
        scene.made(&others);
        let stranger = kernel_with(&Table { services: others.services.clone() });
        let strangers: Vec<_> = others.services.keys().copied().collect();
        let mut wanted = start.clone();
        let mut named: std::collections::BTreeSet<_> = start.services.keys().copied().collect();
        scene.reconciler.sweep(left.services.keys().copied());
        scene.reconciler.set_table(start);
        let mut is_alone = true;
        for step in steps {
            match &step {
                Step::Change(change @ Change::SetService { .. }) => { named.insert(change.service()); }
                Step::Reload(table) => named.extend(table.services.keys()),
                _ => {}
            }
            // What nobody has named is untouched, and others leave it alone too.
            let is_named = |at: &usize| named.contains(&key(*at)) || left.services.contains_key(&key(*at));
            if let Step::DeletedByOthers(at, _) | Step::AddedByOthers(at, _) | Step::Refuse(at, _) = &step
                && !is_named(at)
            {
                continue;
            }
            is_alone &= !matches!(step, Step::DeletedByOthers(..) | Step::AddedByOthers(..));
            take(&mut scene, step, &mut wanted);
        }
        scene.fake.refuses.clear();
        // What others did is not told by the kernel.
        scene.reconciler.refresh();
        scene.settle();
        prop_assert!(scene.reconciler.is_settled());
        let blames = |report: &Report| matches!(report, Report::Damaged(_) | Report::Meddled(_));
        prop_assert!(!is_alone || !scene.reports.iter().any(blames), "nobody did anything: {:?}", scene.reports);
        scene.reports.clear();
        let mut expected = kernel_with(&wanted).services;
        for service in strangers.iter().filter(|service| !named.contains(service)) {
            let alone = Table { services: BTreeMap::from([(*service, others.services[service].clone())]) };
            for (key, _) in kernel_with(&alone).services {
                let entry = stranger.services[&key].clone();
                expected.insert(key, entry);
            }
        }
        prop_assert_eq!(&scene.fake.services, &expected);

        // Another one that starts now has nothing to do, nor has this one.
        let operations = scene.fake.operations;
        scene.reconciler.refresh();
        scene.settle();
        prop_assert_eq!(&scene.reports, &[]);
        scene.reconciler = Reconciler::new();
        scene.reconciler.set_table(wanted.clone());
        scene.settle();
        prop_assert_eq!(scene.fake.operations, operations);

        // And at the end nothing but the strangers' is left.
        scene.reconciler.release(None);
        scene.settle();
        prop_assert!(scene.fake.services.keys().all(|key| stranger.services.contains_key(key)));
        scene.reconciler.release(Some(Flush::All));
        scene.settle();
        prop_assert!(scene.fake.services.is_empty());
    }

    #[test]
    fn a_pool_that_changes_is_never_without_a_server(
        mut before in service(), mut after in service(), drains in any::<bool>()
    ) {
        before.destinations.insert(place(5), plain(1));
        after.destinations.insert(place(6), plain(1));
        if drains {
            after.destinations.insert(place(5), plain(0));
        }
        let mut scene = Scene::new();
        let with = |service: &Service| Table { services: BTreeMap::from([(key(0), service.clone())]) };
        scene.reconciler.set_table(with(&before));
        scene.settle();
        scene.fake.watched = scene.fake.services.keys().cloned().collect();
        // Any order of single changes, those that take away first.
        for destination in before.destinations.keys().copied() {
            scene.reconciler.change(Change::RemoveDestination { service: key(0), destination });
        }
        for (destination, value) in after.destinations.clone() {
            scene.reconciler.change(Change::SetDestination { service: key(0), destination, value });
        }
        scene.settle();
        prop_assert_eq!(scene.fake.services.values().next().unwrap().destinations.len(), after.destinations.len());
    }
}

#[test]
fn what_the_kernel_is_about_to_add_when_it_is_wanted_no_more_goes_too() {
    let (scheduler, flags) = (Scheduler::RoundRobin, SchedulerFlags::default());
    let value =
        Service { scheduler, flags, one_packet: false, persistence: None, destinations: BTreeMap::new() };
    let table = Table { services: BTreeMap::from([(key(2), value)]) };
    type End = fn(&mut Reconciler);
    let ends: [End; 3] = [
        |reconciler| reconciler.release(None),
        |reconciler| reconciler.set_table(Table::default()),
        |reconciler| reconciler.change(Change::RemoveService { service: key(2) }),
    ];
    for (is_refused, end) in [false, true].into_iter().flat_map(|is| ends.map(|end| (is, end))) {
        let mut scene = Scene::new();
        scene.settle();
        scene.reconciler.set_table(table.clone());
        if is_refused {
            scene.fake.refuses.extend(kernel_with(&table).services.into_keys().map(|key| (key, None)));
        }
        scene.ask();
        assert_eq!(scene.fake.services.is_empty(), is_refused, "it is under way");
        end(&mut scene.reconciler);
        assert!(scene.reconciler.ours().eq([key(2)]), "it may be there");
        scene.settle();
        assert!(scene.fake.services.is_empty());
        assert!(scene.reconciler.is_settled());
        assert!(scene.reconciler.ours().next().is_none());
        assert_eq!(scene.reconciler.take_gone(), [key(2)]);
    }
}

#[test]
fn what_could_not_be_deleted_and_is_wanted_again_is_looked_at_first() {
    let (scheduler, flags) = (Scheduler::RoundRobin, SchedulerFlags::default());
    let with = |destinations: &[usize]| {
        let destinations = destinations.iter().map(|at| (place(*at), plain(1))).collect();
        let value = Service { scheduler, flags, one_packet: false, persistence: None, destinations };
        Table { services: BTreeMap::from([(key(2), value)]) }
    };
    let mut scene = Scene::new();
    scene.made(&with(&[1, 2]));
    scene.fake.refuses.extend(scene.fake.services.keys().cloned().map(|key| (key, None)));
    scene.reconciler.sweep([key(2)]);
    scene.turn();
    assert!(matches!(scene.reports.last(), Some(Report::Refused { .. })), "{:?}", scene.reports);
    scene.reports.clear();
    scene.fake.refuses.clear();
    scene.reconciler.set_table(with(&[2, 3]));
    scene.settle();
    assert_eq!(scene.fake.services, kernel_with(&with(&[2, 3])).services);
    let is_ill = |report: &Report| !matches!(report, Report::Accepted(_));
    assert!(!scene.reports.iter().any(is_ill), "nobody did anything: {:?}", scene.reports);
}

#[test]
fn ten_thousand_destinations_take_few_datagrams() {
    let mut scene = Scene::new();
    let places =
        (0..10_000_u32).map(|at| DestinationKey { address: std::net::Ipv4Addr::from(at).into(), port: None });
    let destinations = places.map(|place| (place, plain(1))).collect();
    let (scheduler, flags) = (Scheduler::RoundRobin, SchedulerFlags::default());
    let value = Service { scheduler, flags, one_packet: false, persistence: None, destinations };
    scene.reconciler.set_table(Table { services: BTreeMap::from([(key(0), value)]) });
    let datagrams = scene.turn();
    assert_eq!(scene.fake.operations, 10_001);
    assert_eq!(datagrams, 3 + 10_001_usize.div_ceil(BATCH), "the lookup, the version, the services");
    let destination = DestinationKey { address: [0, 0, 7, 7].into(), port: None };
    scene.reconciler.change(Change::SetDestination { service: key(0), destination, value: plain(2) });
    assert_eq!((scene.turn(), scene.fake.operations), (1, 10_002));
}

#[test]
fn a_kernel_that_gets_ipvs_later_is_found() {
    let mut scene = Scene::new();
    scene.fake.has_ipvs = false;
    scene.reconciler.set_table(Table::default());
    for _ in 0..3 {
        scene.turn();
        scene.now = scene.reconciler.deadline().unwrap();
    }
    assert_eq!(scene.reports, [Report::Missing], "once");
    assert!(scene.reconciler.is_missing());
    scene.fake.has_ipvs = true;
    scene.settle();
    let [_, Report::Ready(kernel)] = &scene.reports[..] else { panic!("{:?}", scene.reports) };
    assert_eq!(kernel.to_string(), "1.2.1");
    assert!(!scene.reconciler.is_missing() && scene.reconciler.is_settled());
}

#[test]
fn a_table_that_others_emptied_is_filled_again_at_the_first_sign_of_it() {
    let mut scene = Scene::new();
    let destinations = BTreeMap::from([(place(0), plain(1)), (place(1), plain(1)), (place(2), plain(1))]);
    let (scheduler, flags) = (Scheduler::RoundRobin, SchedulerFlags::default());
    let value = Service { scheduler, flags, one_packet: false, persistence: None, destinations };
    let mut table = Table { services: BTreeMap::from([(key(0), value)]) };
    scene.reconciler.set_table(table.clone());
    scene.settle();
    scene.reports.clear();

    for others in [Request::Flush, Request::DeleteDestination(key(0), place(0))] {
        scene.meddle(&others);
        scene.turn();
        assert_eq!(scene.reports, [], "the kernel tells nobody");
        for at in 0..2 {
            let change = Change::RemoveDestination { service: key(0), destination: place(at) };
            table.apply(change.clone());
            scene.reconciler.change(change);
        }
        scene.turn();
        let said = std::mem::take(&mut scene.reports);
        assert_eq!(said.first(), Some(&Report::Meddled(key(0))));
        // Beyond what was to go anyway.
        let more = matches!(others, Request::Flush).into();
        assert_eq!(said.iter().skip(1).filter(|report| matches!(report, Report::Damaged(_))).count(), more);
        assert_eq!(said.len(), 1 + more, "once: {said:?}");
        assert_eq!(scene.fake.services, kernel_with(&table).services);
        for at in 0..2 {
            let change = Change::SetDestination { service: key(0), destination: place(at), value: plain(1) };
            table.apply(change.clone());
            scene.reconciler.change(change);
        }
        scene.turn();
    }
    scene.reconciler.release(None);
    scene.meddle(&Request::Flush);
    scene.settle();
    assert!(scene.reconciler.is_settled());
    assert_eq!(scene.reports, [], "what should go is gone");
}

#[test]
fn what_others_have_done_is_said_by_a_refresh_and_never_what_a_reload_does() {
    let mut scene = Scene::new();
    let destinations = BTreeMap::from([(place(0), plain(1)), (place(1), plain(1)), (place(2), plain(1))]);
    let (scheduler, flags) = (Scheduler::RoundRobin, SchedulerFlags::default());
    let value = Service { scheduler, flags, one_packet: false, persistence: None, destinations };
    let mut table = Table { services: BTreeMap::from([(key(0), value.clone()), (key(1), value.clone())]) };
    scene.reconciler.set_table(table.clone());
    scene.settle();
    scene.reports.clear();
    let mut after = |acts: &[Request], table: &Table| {
        acts.iter().for_each(|act| scene.meddle(act));
        scene.reconciler.refresh();
        scene.reconciler.set_table(table.clone());
        scene.settle();
        assert_eq!(scene.fake.services, kernel_with(table).services);
        std::mem::take(&mut scene.reports)
    };

    let whole = |at| Damage { service: key(at), loss: Loss::Whole(3) };
    assert_eq!(after(&[Request::Flush], &table), [Report::Damaged(vec![whole(1), whole(0)])]);
    assert_eq!(
        whole(0).to_string(),
        "something else has taken the service [192.0.2.1]:tcp:80 out of the table: it is put back with its 3 destinations"
    );
    let wrr = Service { scheduler: Scheduler::WeightedRoundRobin, ..value };
    let acts = [
        Request::DeleteService(key(1)),
        Request::SetService(key(0), Settings::of(&wrr, Family::V4)),
        Request::DeleteDestination(key(0), place(0)),
        Request::SetDestination(key(0), place(1), Target::of(&plain(7))),
        Request::AddDestination(key(0), place(3), Target::of(&plain(1))),
    ];
    let said = after(&acts, &table);
    let [Report::Damaged(damages)] = &said[..] else { panic!("{said:?}") };
    let said: Vec<_> = damages.iter().map(ToString::to_string).collect();
    assert_eq!(
        said,
        [
            whole(1).to_string(),
            "something else has changed the service [192.0.2.1]:tcp:80: set as it was; put back: [10.0.0.0]:80; \
             set as they were: [10.0.0.1]:80; taken out: [10.0.0.3]:80"
                .to_owned()
        ]
    );

    // What the file says now, whoever was the first to do it.
    table.services.remove(&key(1));
    let own = table.services.get_mut(&key(0)).unwrap();
    *own = wrr;
    own.destinations.insert(place(1), plain(7));
    own.destinations.remove(&place(2));
    assert_eq!(after(&acts[..4], &table).len(), 1, "one destination that nobody wants away");
    assert_eq!(after(&[], &table), []);
}
