//! Several instances, links and scripts side by side, and what once went wrong between them.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use model::vrrp::{Command, Config, Garp, Instance, RunAs, Script, TrackedScript, Transport, VirtualAddress};
use model::{IfIndex, IfName, Influence, Instant, Prefix, Priority, Vrid};
use steadfast_vrrp::{Action, Actions, Arrival, Event, Link, Router, ScriptOutcome, StateName};
use wire::vrrp::{Addresses, Advert, Auth};

const START: Instant = Instant::from_nanos(1_000_000_000_000);
const GROUP: IpAddr = IpAddr::V4(Transport::GROUP_V4);

fn eth(number: u8) -> IfName {
    format!("eth{number}").parse().expect("it is a name")
}

fn index(number: u32) -> IfIndex {
    IfIndex::try_from(number).expect("not 0")
}

fn instance(name: &str, eth: IfName, vrid: u8) -> Instance {
    let address = VirtualAddress::new(Prefix::host([10, 0, 0, vrid].into()), eth.clone());
    let vrid = Vrid::try_from(vrid).expect("from 1 on");
    Instance { addresses: vec![address], ..Instance::new(name, eth, vrid) }
}

fn link(router: &mut Router, name: &IfName, number: u32, out: &mut Actions) {
    let link = Some(Link { index: index(number), up: true, sources: IpAddr::from([10, 0, 0, 250]).into() });
    router.handle(START, Event::Link { name, link }, out);
}

fn advert(vrid: u8, priority: u8) -> Advert<'static> {
    Advert {
        version: model::vrrp::Version::V2,
        vrid: Vrid::try_from(vrid).expect("from 1 on"),
        priority: Priority(priority),
        interval: model::Centis::SECOND,
        auth: Auth::None,
        addresses: Addresses::none(model::Family::V4),
    }
}

/// A router with this configuration on `eth1` (3) and `eth2` (4), both up.
fn running(config: &Config) -> Router {
    let (mut router, mut out) = (Router::new(), Actions::default());
    link(&mut router, &eth(1), 3, &mut out);
    link(&mut router, &eth(2), 4, &mut out);
    router.reconfigure(START, config, &[], &mut out);
    router
}

fn received(router: &Router) -> Vec<u64> {
    router.status().map(|one| one.counters.received).collect()
}

#[test]
fn two_interfaces_that_swap_their_names_leave_no_instance_deaf() {
    let instances = vec![instance("VI_1", eth(1), 51), instance("VI_2", eth(2), 51)];
    let mut router = running(&Config { scripts: Vec::new(), instances, ..Config::default() });
    let mut out = Actions::default();
    // Between the two events both seem to have number 4.
    link(&mut router, &eth(1), 4, &mut out);
    link(&mut router, &eth(2), 3, &mut out);
    for (number, expected) in [(4, [1, 0]), (3, [1, 1])] {
        let (source, advert) = ([10, 0, 0, 9].into(), Ok(advert(51, 200)));
        let arrival =
            Arrival { link: Some(index(number)), source, destination: GROUP, ttl: 255, advert, message: &[] };
        router.handle(START, Event::Advert(arrival), &mut out);
        assert_eq!(received(&router), expected);
    }
}

#[test]
fn an_advertisement_reaches_only_the_instance_of_its_link_and_vrid() {
    let instances =
        vec![instance("VI_1", eth(1), 51), instance("VI_2", eth(1), 52), instance("VI_3", eth(2), 51)];
    let mut router = running(&Config { scripts: Vec::new(), instances, ..Config::default() });
    let mut out = Actions::default();
    for (number, vrid, expected) in [(3, 51, [1, 0, 0]), (3, 52, [1, 1, 0]), (4, 51, [1, 1, 1])] {
        let (source, advert) = ([10, 0, 0, 9].into(), Ok(advert(vrid, 200)));
        let arrival =
            Arrival { link: Some(index(number)), source, destination: GROUP, ttl: 255, advert, message: &[] };
        router.handle(START, Event::Advert(arrival), &mut out);
        assert_eq!(received(&router), expected);
    }
}

#[test]
fn a_late_result_of_a_removed_script_is_not_taken_for_one_of_its_successor() {
    let command = Command { program: "/bin/check".into(), arguments: Vec::new(), run_as: RunAs::Default };
    let track_scripts = vec![TrackedScript { script: "chk".into(), influence: Influence::default() }];
    let instances = vec![Instance { track_scripts, ..instance("VI_1", eth(1), 51) }];
    let config = Config { scripts: vec![Script::new("chk", command)], instances, ..Config::default() };
    let mut router = running(&config);
    let mut out = Actions::default();
    router.reconfigure(START, &Config::default(), &[], &mut out);
    router.reconfigure(START, &config, &[], &mut out);
    let mut end = |run, outcome| {
        router.handle(START, Event::Script { name: "chk", run, outcome }, &mut out);
        router.status().map(|one| one.state).collect::<Vec<_>>()
    };
    assert_eq!(end(1, ScriptOutcome::Exited(1)), [StateName::Init], "that was the old script");
    assert_eq!(end(2, ScriptOutcome::Exited(0)), [StateName::Backup]);
}

#[test]
fn what_waits_to_be_announced_goes_with_the_address_that_a_reload_takes_away() {
    let garp = Garp { interval: Duration::from_secs(1), ..Garp::default() };
    let two = Instance { garp, priority: Priority::OWNER, ..instance("VI_1", eth(1), 51) };
    let kept = VirtualAddress::new(Prefix::host([10, 0, 0, 99].into()), eth(1));
    let one = Instance { addresses: vec![kept.clone()], ..two.clone() };
    let two = Instance { addresses: vec![two.addresses[0].clone(), kept.clone()], ..two };
    let of = |instance: &Instance| Config {
        scripts: Vec::new(),
        instances: vec![instance.clone()],
        ..Config::default()
    };
    let mut router = running(&of(&two));
    let mut out = Actions::default();
    router.reconfigure(START, &of(&one), &[], &mut out);
    let held: Vec<Arc<[_]>> = out
        .drain()
        .filter_map(|action| match action {
            Action::Hold(holding) => Some(holding.addresses),
            _ => None,
        })
        .collect();
    assert_eq!(held, [Arc::from([kept.clone()])]);
    let mut announced = 0;
    for second in 0..30 {
        router.handle(START + Duration::from_secs(second), Event::Deadline, &mut out);
        for action in out.drain() {
            if let Action::Announce(announce) = action {
                assert_eq!(announce.address, kept.prefix.address());
                announced += 1;
            }
        }
    }
    assert_eq!(announced, 10, "two bursts of five, a second apart");
}

#[test]
fn lateness_of_an_advertisement_does_not_add_up_and_a_long_stall_is_not_made_up_for() {
    let owner = Instance { priority: Priority::OWNER, ..instance("VI_1", eth(1), 51) };
    let mut router = running(&Config { scripts: Vec::new(), instances: vec![owner], ..Config::default() });
    let mut out = Actions::default();
    out.drain().for_each(drop);
    let at = |millis| START + Duration::from_millis(millis);
    for (fired, sent, next) in [(1003, 1, 2000), (2900, 1, 3000), (3000, 1, 4000), (7500, 1, 8500)] {
        router.handle(at(fired), Event::Deadline, &mut out);
        let found = out.drain().filter(|action| matches!(action, Action::Transmit(_))).count();
        assert_eq!((found, router.deadline()), (sent, Some(at(next))), "fired at {fired} ms");
    }
}

#[test]
fn a_master_asks_once_who_else_has_its_address_and_tells_of_an_answer_once() {
    let mut router = running(&Config {
        scripts: Vec::new(),
        instances: vec![instance("VI_1", eth(1), 51)],
        ..Config::default()
    });
    let mut out = Actions::default();
    let address = IpAddr::from([10, 0, 0, 51]);
    fn claim(device: &IfName, address: IpAddr) -> Event<'_> {
        Event::Claim { device, address, mac: model::MacAddr([2, 0, 0, 0, 0, 9]) }
    }
    router.handle(START, claim(&eth(1), address), &mut out);
    assert_eq!(out.as_slice(), [], "a backup does not mind that somebody has the address");
    let begin = router.deadline().expect("a master down timer");
    let mut asked = Vec::new();
    for step in 0..40 {
        let now = begin + Duration::from_millis(250) * step;
        router.handle(now, Event::Deadline, &mut out);
        let probes =
            |action: &Action| matches!(action, Action::Probe { address: asked, .. } if *asked == address);
        asked.extend(out.drain().filter(|action| probes(action)).map(|_| now.since(begin)));
    }
    assert_eq!(asked, [Duration::from_secs(1)]);
    let now = begin + Duration::from_secs(11);
    for device in [eth(2), eth(1), eth(1)] {
        router.handle(now, claim(&device, address), &mut out);
    }
    let told: Vec<_> = out.drain().collect();
    let text = match told.as_slice() {
        [Action::Notice(notice)] => notice.to_string(),
        other => panic!("{other:?}"),
    };
    assert!(
        text.starts_with("(VI_1) virtual address 10.0.0.51 is also held by 02:00:00:00:00:09 on eth1"),
        "{text}"
    );
}

#[test]
fn spans_of_zero_in_a_configuration_do_not_make_it_busy_for_ever() {
    let garp = Garp { refresh: Some(Duration::ZERO), delay: Some(Duration::ZERO), ..Garp::default() };
    let plain = Instance { priority: Priority::OWNER, ..instance("VI_1", eth(1), 51) };
    let zero = Instance { advert_interval: model::Centis::new(0), garp, ..plain.clone() };
    let of = |instance: &Instance| Config {
        scripts: Vec::new(),
        instances: vec![instance.clone()],
        ..Config::default()
    };
    let mut out = Actions::default();
    let mut reloaded = running(&of(&plain));
    reloaded.reconfigure(START, &of(&zero), &[], &mut out);
    for mut router in [running(&of(&zero)), reloaded] {
        out.drain().for_each(drop);
        let mut sent = 0;
        let end = START + Duration::from_secs(1);
        while let Some(at) = router.deadline().filter(|at| *at <= end) {
            router.handle(at, Event::Deadline, &mut out);
            sent += out.drain().filter(|action| matches!(action, Action::Transmit(_))).count();
        }
        assert_eq!(sent, 100, "every hundredth of a second");
    }
}

/// What was announced, and how often.
fn announced(out: &mut Actions) -> Vec<(String, IpAddr, u32)> {
    let announce = |action| match action {
        Action::Announce(one) => Some((one.device.to_string(), one.address, one.count)),
        _ => None,
    };
    out.drain().filter_map(announce).collect()
}

#[test]
fn an_address_that_the_kernel_holds_only_now_is_announced_again_by_its_master() {
    let master = Instance { priority: Priority::OWNER, ..instance("VI_1", eth(1), 51) };
    let backup = instance("VI_2", eth(1), 52);
    let mut router =
        running(&Config { scripts: Vec::new(), instances: vec![master, backup], ..Config::default() });
    let mut out = Actions::default();
    let [mine, theirs] = [51, 52].map(|vrid| IpAddr::from([10, 0, 0, vrid]));
    for (device, address) in [(eth(2), mine), (eth(1), theirs), (eth(1), [10, 0, 0, 53].into())] {
        router.handle(START, Event::Held { device: &device, address }, &mut out);
        assert_eq!(out.as_slice(), [], "not an address that it holds");
    }
    router.handle(START, Event::Held { device: &eth(1), address: mine }, &mut out);
    assert_eq!(announced(&mut out), [("eth1".to_owned(), mine, 5)]);
}

#[test]
fn an_address_that_the_kernel_holds_only_now_is_announced_at_the_pace_of_its_link() {
    let garp = Garp { interval: Duration::from_millis(100), delay: None, ..Garp::default() };
    let owner = Instance { garp, priority: Priority::OWNER, ..instance("VI_1", eth(1), 51) };
    let mut router = running(&Config { scripts: Vec::new(), instances: vec![owner], ..Config::default() });
    let mut out = Actions::default();
    let mut total = 0;
    for tenth in 0..30u32 {
        let now = START + Duration::from_millis(100) * tenth;
        if tenth == 10 {
            let (device, address) = (&eth(1), [10, 0, 0, 51].into());
            router.handle(now, Event::Held { device, address }, &mut out);
        }
        router.handle(now, Event::Deadline, &mut out);
        let now = announced(&mut out).len();
        assert!(now <= 1, "{now} at once");
        total += now;
    }
    assert_eq!(total, 4 + 5, "what was left of the first burst, and this one");
}

#[test]
fn a_claim_reaches_whoever_has_the_address_after_reloads_too() {
    let owner = Instance { priority: Priority::OWNER, ..instance("VI_1", eth(1), 51) };
    let moved = Instance { addresses: instance("VI_1", eth(1), 99).addresses, ..owner.clone() };
    let of = |instances: Vec<Instance>| Config { scripts: Vec::new(), instances, ..Config::default() };
    let mut router = running(&of(vec![owner]));
    let mut out = Actions::default();
    let mut minds = |router: &mut Router, last: u8| {
        out.drain().for_each(drop);
        let (device, mac) = (&eth(1), model::MacAddr([2, 0, 0, 0, 0, 9]));
        router.handle(START, Event::Claim { device, address: [10, 0, 0, last].into(), mac }, &mut out);
        out.drain().any(|action| matches!(action, Action::Notice(_)))
    };
    assert!(!minds(&mut router, 99));
    router.reconfigure(START, &of(vec![moved]), &[], &mut Actions::default());
    assert!(!minds(&mut router, 51), "given up");
    assert!(minds(&mut router, 99));
    router.reconfigure(START, &of(Vec::new()), &[], &mut Actions::default());
    assert!(!minds(&mut router, 99));
}

#[test]
fn a_master_that_is_pushed_to_and_fro_has_its_last_word_once_a_second() {
    let config = Config {
        scripts: Vec::new(),
        instances: vec![Instance {
            addresses: vec![VirtualAddress::new(Prefix::host([10, 0, 0, 51].into()), eth(1))],
            priority: Priority(100),
            advert_interval: model::Centis::new(1),
            version: model::vrrp::Version::V3,
            ..instance("VI_1", eth(1), 51)
        }],
        ..Config::default()
    };
    let mut router = running(&config);
    let mut out = Actions::default();
    let better = Advert {
        version: model::vrrp::Version::V3,
        interval: model::Centis::new(1),
        addresses: Addresses::v4(&[10, 0, 0, 51]).expect("one address"),
        ..advert(51, 200)
    };
    let (mut yields, mut last_words) = (0, 0);
    while let Some(at) = router.deadline().filter(|at| at.since(START) < Duration::from_millis(2_500)) {
        router.handle(at, Event::Deadline, &mut out);
        out.drain().for_each(drop);
        let arrival = Arrival {
            link: Some(index(3)),
            source: [10, 0, 0, 249].into(),
            destination: GROUP,
            ttl: 255,
            advert: Ok(better),
            message: &[],
        };
        router.handle(at, Event::Advert(arrival), &mut out);
        yields += router.status().filter(|one| one.state == StateName::Backup).count();
        last_words += out.drain().filter(|action| matches!(action, Action::Transmit(_))).count();
    }
    assert!(yields > 20, "{yields}");
    assert_eq!(last_words, 3, "at 0, 1 and 2 seconds");
}

#[test]
fn unicast_without_peers_is_a_fault() {
    let alone = Instance { transport: Transport::unicast([]), ..instance("VI_1", eth(1), 51) };
    let instances = vec![alone, instance("VI_2", eth(2), 51)];
    let router = running(&Config { instances, ..Config::default() });
    let states: Vec<_> = router.status().map(|one| one.state).collect();
    assert_eq!(states, [StateName::Fault, StateName::Backup]);
}
