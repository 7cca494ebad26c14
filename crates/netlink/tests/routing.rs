//! Routes and rules: what the kernel calls them, and how they are kept.

use std::collections::BTreeSet;
use std::net::IpAddr;

use model::route::{Hop, Metric, Path, Realm, Realms, Route, RouteTable, Table, Tos};
use model::rule::{Action, Lookup, LookupTable, Mark, Rule, Selector, Span};
use model::vrrp::VirtualAddress;
use model::{Family, IfIndex, IfName, Instant, Named, Prefix};
use netlink::request::decode as asked;
use netlink::route::{Links, Missing};
use netlink::{Errno, Event, Keeper, Link, Report, Request, decode, route, rule};
use proptest::prelude::*;
use steadfast_netlink as netlink;

fn prefix(text: &str) -> Prefix {
    let (address, length) = text.split_once('/').unwrap();
    Prefix::new(address.parse().unwrap(), length.parse().unwrap()).unwrap()
}

fn lookup(table: u32) -> Lookup {
    let table = LookupTable::Table(Named::Number(Table(table)));
    Lookup { table, realms: None, suppress_prefix_length: None, suppress_group: None }
}

fn a_rule(priority: u32, selector: Selector, action: Action) -> Rule {
    let protocol = model::route::Protocol::KEEPALIVED;
    Rule { family: Family::V4, priority, inverted: false, selector, action, protocol, tracked: true }
}

/// The rules of `golden/routing.hex`, in its order.
fn rules() -> Vec<Rule> {
    let from = |text: &str| Selector { from: Some(prefix(text)), ..Selector::default() };
    let realm = |number| Named::Number(Realm(number));
    let prohibited = Selector {
        mark: Some(Mark { value: 1, mask: 0xff }),
        input: Some("eth1".parse().unwrap()),
        users: Some(Span::new(1000, 2000).unwrap()),
        ip_protocol: Some(Named::Number(6)),
        destination_ports: Some(Span::new(80, 90).unwrap()),
        ..Selector::default()
    };
    let suppressing = Lookup {
        realms: Some(Realms { from: Some(realm(5)), to: realm(6) }),
        suppress_prefix_length: Some(8),
        suppress_group: Some(Named::Number(5)),
        ..lookup(100)
    };
    let sixth = Selector {
        to: Some(prefix("2001:db8::/32")),
        tos: Some(Named::Number(Tos(0x10))),
        ..Selector::default()
    };
    let l3mdev = Lookup { table: LookupTable::L3mdev, ..lookup(0) };
    vec![
        a_rule(501, from("192.0.2.0/24"), Action::Lookup(lookup(1000))),
        Rule { inverted: true, ..a_rule(509, prohibited, Action::Prohibit) },
        a_rule(514, from("192.0.2.10/32"), Action::Lookup(suppressing)),
        Rule { family: Family::V6, ..a_rule(7, sixth, Action::Goto(32766)) },
        a_rule(9, Selector::default(), Action::Lookup(l3mdev)),
    ]
}

struct Eth1;

impl Links for Eth1 {
    fn index(&self, name: &IfName) -> Option<IfIndex> {
        (name.as_str() == "eth1").then(|| IfIndex::try_from(3).unwrap())
    }

    fn vrf_table(&self, _: &IfName) -> Option<u32> {
        None
    }
}

fn via(destination: &str, gateway: &str) -> Route {
    let gateway: Option<IpAddr> = Some(gateway.parse().unwrap());
    Route::new(prefix(destination), Path::Single(Hop { gateway, ..Hop::default() }))
}

/// A message of the kernel around a body of ours.
fn message(kind: u16, body: &[u8]) -> Vec<u8> {
    let mut bytes = u32::try_from(16 + body.len()).unwrap().to_ne_bytes().to_vec();
    bytes.extend(kind.to_ne_bytes());
    bytes.extend([0; 10]);
    bytes.extend(body);
    bytes
}

fn one_event(datagram: &[u8]) -> Event {
    let mut events = Vec::new();
    decode(datagram, &mut events);
    let [event] = &events[..] else { panic!("{events:?}") };
    event.clone()
}

#[test]
fn the_kernel_calls_rules_and_routes_what_we_call_them() {
    const NEW_RULE: u16 = 32;
    const DEL_ROUTE: u16 = 25;
    let recorded = include_str!("golden/routing.hex").lines().filter(|line| !line.starts_with('#'));
    let recorded = recorded.map(|line| {
        let digits = |at: usize| u8::from_str_radix(&line[at..at + 2], 16).unwrap();
        one_event(&(0..line.len()).step_by(2).map(digits).collect::<Vec<_>>())
    });
    let mut route4 = via("198.51.100.0/24", "192.0.2.1");
    route4.tos = Named::Number(Tos(0x10));
    route4.table = RouteTable::Table(Named::Number(Table(1000)));
    route4.metric = Some(7);
    let route6 = Route { from: Some(prefix("2001:db8:5::/64")), ..via("2001:db8:9::/64", "2001:db8:1::1") };
    let ours =
        rules().iter().map(|rule| one_event(&message(NEW_RULE, &rule::body(rule)))).collect::<Vec<_>>();
    let routes =
        [route4, route6].map(|one| one_event(&message(DEL_ROUTE, &route::body(&one, &Eth1).unwrap())));
    let ours: Vec<_> = routes.into_iter().chain(ours).collect();
    assert_eq!(recorded.collect::<Vec<_>>(), ours);
}

#[test]
fn a_route_is_written_as_the_kernel_reads_it() {
    let mut one = via("198.51.100.0/24", "192.0.2.1");
    if let Path::Single(hop) = &mut one.path {
        hop.device = Some("eth1".parse().unwrap());
        hop.onlink = true;
    }
    one.metrics.mtu = Some(Metric { value: 1400, locked: true });
    let expected = [
        // family, lengths, tos, table main, protocol, scope, unicast, RTNH_F_ONLINK
        &[2, 24, 0, 0, 254, 18, 0, 1, 4, 0, 0, 0][..],
        &[8, 0, 1, 0, 198, 51, 100, 0],
        &[8, 0, 15, 0, 254, 0, 0, 0],
        // RTA_METRICS: mtu, and the lock with bit 2
        &[20, 0, 8, 0, 8, 0, 2, 0, 0x78, 5, 0, 0, 8, 0, 1, 0, 4, 0, 0, 0],
        &[8, 0, 4, 0, 3, 0, 0, 0],
        &[8, 0, 5, 0, 192, 0, 2, 1],
    ]
    .concat();
    assert_eq!(&*route::body(&one, &Eth1).unwrap(), expected);
    if let Path::Single(hop) = &mut one.path {
        hop.device = Some("eth9".parse().unwrap());
    }
    assert_eq!(route::body(&one, &Eth1), Err(Missing("eth9".parse().unwrap())));
}

/// A keeper of two owners over a kernel that holds routes and rules as they were asked for.
struct World {
    keeper: Keeper<u8>,
    entries: BTreeSet<(u16, Box<[u8]>)>,
    up: bool,
    now: Instant,
    said: Vec<Event>,
    /// What was asked beyond the listing at the start.
    requests: usize,
}

const ROUTE: u16 = 25;
const RULE: u16 = 33;

impl World {
    fn new() -> Self {
        let (entries, said) = (BTreeSet::new(), Vec::new());
        let now = Instant::from_nanos(1_000_000_000);
        let mut world = Self { keeper: Keeper::new(), entries, up: true, now, said, requests: 0 };
        world.tell_link();
        world.settle();
        world
    }

    fn tell_link(&mut self) {
        let link = Link::new(IfIndex::try_from(3).unwrap(), "eth1".parse().unwrap());
        self.said.push(Event::LinkChanged(Link { up: self.up, running: self.up, ..link }));
    }

    /// Works off what is asked, and gives the keeper what the kernel says, until neither has anything to do.
    fn settle(&mut self) {
        for _ in 0..1000 {
            let said = std::mem::take(&mut self.said);
            self.keeper.hear(self.now, said, &mut Vec::new());
            self.now = self.keeper.deadline().map_or(self.now, |deadline| deadline.max(self.now));
            self.keeper.expire(self.now);
            let issued = self.keeper.step(self.now);
            let batch = self.keeper.batch().to_vec();
            self.keeper.sent();
            for (sequence, request) in asked(&batch) {
                self.answer(sequence, request);
            }
            if issued == 0
                && self.said.is_empty()
                && self.keeper.is_idle()
                && self.keeper.deadline().is_none()
            {
                return;
            }
        }
        panic!("does not come to rest");
    }

    fn answer(&mut self, sequence: netlink::Sequence, request: Request) {
        let result = match request {
            Request::DumpLinks => {
                self.tell_link();
                return self.said.push(Event::DumpDone { sequence, result: Ok(()) });
            }
            Request::DumpAddresses => return self.said.push(Event::DumpDone { sequence, result: Ok(()) }),
            Request::DumpRules => {
                let rules = self.entries.iter().filter(|(kind, _)| *kind == RULE);
                self.said.extend(rules.map(|(_, body)| one_event(&message(RULE - 1, body))));
                return self.said.push(Event::DumpDone { sequence, result: Ok(()) });
            }
            Request::AddRoute { body, .. } if !self.up && has_device(&body) => Err(Errno::ENETDOWN),
            Request::AddRoute { body, .. } => self.add(ROUTE, body),
            Request::AddRule(body) => self.add(RULE, body),
            Request::DeleteRoute(body) => self.delete(ROUTE, &body).then_some(()).ok_or(Errno::ESRCH),
            Request::DeleteRule(body) => self.delete(RULE, &body).then_some(()).ok_or(Errno::ENOENT),
            other => panic!("{other:?}"),
        };
        self.requests += 1;
        self.said.push(Event::Ack { sequence, result: result.map_err(Into::into) });
    }

    fn add(&mut self, kind: u16, body: Box<[u8]>) -> Result<(), Errno> {
        if kind == RULE {
            self.said.push(one_event(&message(RULE - 1, &body)));
        }
        self.entries.insert((kind, body)).then_some(()).ok_or(Errno::EEXIST)
    }

    fn delete(&mut self, kind: u16, body: &[u8]) -> bool {
        let there = self.entries.remove(&(kind, body.into()));
        if there {
            self.said.push(one_event(&message(kind, body)));
        }
        there
    }

    /// With its device the kernel drops a route, and says nothing.
    fn set_up(&mut self, up: bool) {
        self.up = up;
        if !up {
            self.entries.retain(|(kind, body)| *kind == RULE || !has_device(body));
        }
        self.tell_link();
    }
}

/// `RTA_OIF` with the number of the one link.
fn has_device(body: &[u8]) -> bool {
    body.windows(8).any(|attribute| attribute == [8, 0, 4, 0, 3, 0, 0, 0])
}

/// Every second one leaves by a named device.
fn routes_of(numbers: &BTreeSet<u8>) -> Vec<Route> {
    let route = |number: &u8| {
        let mut route = via(&format!("10.0.{number}.0/24"), "192.0.2.1");
        if let Path::Single(hop) = &mut route.path {
            hop.device = number.is_multiple_of(2).then(|| "eth1".parse().unwrap());
        }
        route
    };
    numbers.iter().map(route).collect()
}

fn rules_of(numbers: &BTreeSet<u8>) -> Vec<Rule> {
    let rule = |number: &u8| {
        let mark = Some(Mark { value: u32::from(*number), mask: u32::MAX });
        a_rule(u32::from(*number), Selector { mark, ..Selector::default() }, Action::Lookup(lookup(100)))
    };
    numbers.iter().map(rule).collect()
}

#[derive(Clone, Debug)]
enum Act {
    /// An owner wants these routes and rules, and no others.
    Hold(u8, BTreeSet<u8>, BTreeSet<u8>),
    /// Somebody deletes one of those that are there.
    Steal(usize),
    Up(bool),
    /// Events are lost: somebody has deleted one unheard.
    Overrun(usize),
    Settle,
}

fn act() -> impl Strategy<Value = Act> {
    let numbers = || prop::collection::btree_set(0..6_u8, 0..5);
    prop_oneof![
        3 => (0..2_u8, numbers(), numbers()).prop_map(|(owner, routes, rules)| Act::Hold(owner, routes, rules)),
        3 => (0..12_usize).prop_map(Act::Steal),
        2 => any::<bool>().prop_map(Act::Up),
        1 => (0..12_usize).prop_map(Act::Overrun),
        2 => Just(Act::Settle),
    ]
}

impl World {
    fn nth(&self, at: usize) -> Option<(u16, Box<[u8]>)> {
        self.entries.iter().nth(at % self.entries.len().max(1)).cloned()
    }

    fn play(&mut self, act: &Act) {
        match act {
            Act::Hold(owner, routes, rules) => {
                self.keeper.route(*owner, &format!("V{owner}"), &routes_of(routes), &rules_of(rules));
            }
            Act::Steal(at) => {
                if let Some((kind, body)) = self.nth(*at) {
                    self.delete(kind, &body);
                }
            }
            Act::Up(up) => self.set_up(*up),
            Act::Overrun(at) => {
                if let Some(entry) = self.nth(*at) {
                    self.entries.remove(&entry);
                }
                self.keeper.resynchronise();
            }
            Act::Settle => self.settle(),
        }
    }
}

/// What is said to be released when nobody wants the routes 1 and 2 any more, of which 2 leaves by a named device.
fn released_after(change: impl FnOnce(&mut World)) -> Vec<String> {
    let mut world = World::new();
    world.play(&Act::Hold(0, [1, 2].into(), BTreeSet::new()));
    world.settle();
    change(&mut world);
    world.settle();
    world.keeper.take_routing_reports();
    world.play(&Act::Hold(0, BTreeSet::new(), BTreeSet::new()));
    world.settle();
    let released = world.keeper.take_routing_reports().into_iter().filter_map(|report| match report {
        Report::Absent { slot } => Some(slot.to_string()),
        _ => None,
    });
    released.collect()
}

#[test]
fn only_what_was_there_is_said_to_be_released() {
    let both = released_after(|_| ());
    assert_eq!(both.len(), 2, "{both:?}");
    let one = released_after(|world| world.set_up(false));
    assert!(
        matches!(&one[..], [only] if only.contains("10.0.1.0/24")),
        "the other went with its link: {one:?}"
    );
}

proptest! {
    /// Whatever happens, in the end there is what is wanted, and nothing else; and then nothing more is asked.
    #[test]
    fn what_is_wanted_is_there_in_the_end(acts in prop::collection::vec(act(), 0..30)) {
        let mut world = World::new();
        let mut wanted = [(BTreeSet::new(), BTreeSet::new()), (BTreeSet::new(), BTreeSet::new())];
        for act in &acts {
            world.play(act);
            if let Act::Hold(owner, routes, rules) = act {
                wanted[usize::from(*owner)] = (routes.clone(), rules.clone());
            }
        }
        world.set_up(true);
        world.settle();
        let [(routes, rules), (others, other_rules)] = &wanted;
        let routes = routes_of(&(routes | others));
        let rules = rules_of(&(rules | other_rules));
        let routes = routes.iter().map(|one| (ROUTE, route::body(one, &Eth1).unwrap()));
        let expected: BTreeSet<_> = routes.chain(rules.iter().map(|one| (RULE, rule::body(one)))).collect();
        prop_assert_eq!(&world.entries, &expected);
        let asked = world.requests;
        for (owner, (routes, rules)) in wanted.iter().enumerate() {
            let owner = u8::try_from(owner).unwrap();
            world.keeper.route(owner, &format!("V{owner}"), &routes_of(routes), &rules_of(rules));
        }
        world.settle();
        prop_assert_eq!(world.requests, asked, "what is there is not touched");
    }
}

#[test]
fn what_an_earlier_run_left_goes_and_what_others_made_stays() {
    let mut world = World::new();
    let (kept, left) = (BTreeSet::from([1]), BTreeSet::from([1, 2, 3]));
    let foreign = Rule { protocol: model::route::Protocol(4), ..rules_of(&left)[1].clone() };
    for one in routes_of(&left) {
        world.entries.insert((ROUTE, route::body(&one, &Eth1).unwrap()));
    }
    for one in [&rules_of(&left)[0], &foreign, &rules_of(&left)[2]] {
        world.entries.insert((RULE, rule::body(one)));
    }
    world.keeper.resynchronise();
    world.settle();
    world.keeper.route(0, "V", &routes_of(&kept), &rules_of(&kept));
    world.keeper.sweep_routing(&routes_of(&left), &rules_of(&left));
    world.settle();
    let expected = [
        (ROUTE, route::body(&routes_of(&kept)[0], &Eth1).unwrap()),
        (RULE, rule::body(&rules_of(&kept)[0])),
        (RULE, rule::body(&foreign)),
    ];
    assert_eq!(world.entries, BTreeSet::from(expected));
    assert!(world.keeper.is_released());
}

#[test]
fn routes_go_before_addresses_and_come_after_them() {
    let mut world = World::new();
    let address = VirtualAddress::new(prefix("192.0.2.100/24"), "eth1".parse().unwrap());
    let one = BTreeSet::from([0]);
    world.keeper.route(0, "V", &routes_of(&one), &rules_of(&one));
    let _begun = world.keeper.hold(0, "V", &[address].into());
    let kinds = |world: &mut World| {
        world.keeper.step(world.now);
        let batch = world.keeper.batch().to_vec();
        let kind = |(_, request)| match request {
            Request::AddAddress(_) | Request::DeleteAddress { .. } => "address",
            Request::AddRoute { .. } | Request::DeleteRoute(_) => "route",
            _ => "rule",
        };
        asked(&batch).into_iter().map(kind).collect::<Vec<_>>()
    };
    assert_eq!(kinds(&mut world), ["address", "route", "rule"]);
    let reports = world.keeper.take_routing_reports();
    assert!(!reports.iter().any(|report| matches!(report, Report::Present { .. })), "not answered yet");
}
