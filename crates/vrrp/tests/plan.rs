//! What a reload is foretold to do.

use std::net::IpAddr;
use std::time::Duration;

use model::vrrp::{
    Auth, Command, Config, Instance, OwnDevice, Password, Preempt, RunAs, Script, SyncGroup,
    TrackedInterface, TrackedScript, Transport, Version, VirtualAddress, Vmac,
};
use model::{Centis, Family, IfIndex, IfName, Influence, Instant, Prefix, Priority, Vrid};
use steadfast_vrrp::{
    Action, Actions, Arrival, Disturbance, Event, Link, Plan, Router, StateName, master_down_interval,
};
use wire::vrrp::{Addresses, Advert};

const START: Instant = Instant::from_nanos(1_000_000_000_000);

fn eth(number: u8) -> IfName {
    format!("eth{number}").parse().unwrap()
}

fn address(last: u8) -> VirtualAddress {
    VirtualAddress::new(Prefix::host([10, 0, 0, last].into()), eth(1))
}

fn instance(vrid: u8) -> Instance {
    let name = format!("VI_{vrid}");
    let addresses = vec![address(vrid)];
    Instance { addresses, ..Instance::new(&name, eth(1), Vrid::try_from(vrid).unwrap()) }
}

/// Routers 51 and 52, the first of which is master and the second follows one of priority 120.
struct Bench {
    router: Router,
    config: Config,
    now: Instant,
}

fn bench() -> Bench {
    let config = Config { instances: vec![instance(51), instance(52)], ..Config::default() };
    let (mut router, mut out) = (Router::new(), Actions::default());
    for number in [1, 2] {
        let index = IfIndex::try_from(u32::from(number) + 2).unwrap();
        let link = Some(Link { index, up: true, sources: IpAddr::from([10, 0, 0, 250]).into() });
        router.handle(START, Event::Link { name: &eth(number), link }, &mut out);
    }
    router.reconfigure(START, &config, &[], &mut out);
    let mut now = START;
    for _ in 0..50 {
        now = now + Duration::from_millis(100);
        hear(&mut router, 52, 120, now);
        router.handle(now, Event::Deadline, &mut out);
    }
    let states: Vec<_> = router.status().map(|one| one.state).collect();
    assert_eq!(states, [StateName::Master, StateName::Backup]);
    Bench { router, config, now }
}

fn hear(router: &mut Router, vrid: u8, priority: u8, now: Instant) {
    let advert = Advert {
        version: Version::V2,
        vrid: Vrid::try_from(vrid).unwrap(),
        priority: Priority(priority),
        interval: Centis::SECOND,
        auth: wire::vrrp::Auth::None,
        addresses: Addresses::none(Family::V4),
    };
    let source = [10, 0, 0, 7].into();
    let destination = IpAddr::V4(Transport::GROUP_V4);
    let link = IfIndex::try_from(3).unwrap();
    let arrival =
        Arrival { link: Some(link), source, destination, ttl: 255, message: &[], advert: Ok(advert) };
    router.handle(now, Event::Advert(arrival), &mut Actions::default());
}

impl Bench {
    /// What is foretold, and that it does not depend on being asked.
    fn plan(&self, change: impl FnOnce(&mut Config)) -> Plan {
        let mut to = self.config.clone();
        change(&mut to);
        let (plan, status) = (self.router.plan(self.now, &to), self.router.status().collect::<Vec<_>>());
        assert_eq!(self.router.status().collect::<Vec<_>>(), status);
        self.compare(&plan, &to);
        plan
    }

    /// The states that were foretold are those that come.
    fn compare(&self, plan: &Plan, to: &Config) {
        let (mut router, mut out) = (self.router.clone(), Actions::default());
        router.reconfigure(self.now, to, &[], &mut out);
        let moved = out.drain().any(|action| matches!(action, Action::Hold(_)));
        assert!(moved <= !plan.steps.is_empty(), "addresses move, and nothing is said: {plan:?}");
    }

    fn told(&self, change: impl FnOnce(&mut Config)) -> (Vec<String>, Disturbance) {
        let plan = self.plan(change);
        let text = |step: &steadfast_vrrp::Step| {
            let change = step.change.iter().map(ToString::to_string);
            change.chain(step.effects.iter().map(ToString::to_string)).collect::<Vec<_>>().join("; ")
        };
        (plan.steps.iter().map(text).collect(), plan.disturbance())
    }
}

#[test]
fn the_same_configuration_does_nothing() {
    assert_eq!(bench().told(|_| {}), (vec![], Disturbance::None));
}

#[test]
fn another_address_of_a_master_disturbs_nobody() {
    let told = bench().told(|to| to.instances[0].addresses.push(address(99)));
    let line = "(VI_51) changed: virtual_ipaddress; goes on as MASTER; adds 10.0.0.99/32 on eth1";
    assert_eq!(told, (vec![line.to_owned()], Disturbance::None));
}

#[test]
fn an_address_that_goes_is_named() {
    let told = bench().told(|to| to.instances[0].addresses = vec![address(99)]);
    let line = "(VI_51) changed: virtual_ipaddress; goes on as MASTER; removes 10.0.0.51/32 on eth1; \
        adds 10.0.0.99/32 on eth1";
    assert_eq!(told, (vec![line.to_owned()], Disturbance::Moves));
}

#[test]
fn an_address_that_must_look_otherwise_is_away_for_a_moment() {
    let told = bench().told(|to| to.instances[0].addresses[0].label = Some("eth1:1".to_owned()));
    let line =
        "(VI_51) changed: virtual_ipaddress; goes on as MASTER; removes and adds anew 10.0.0.51/32 on eth1";
    assert_eq!(told, (vec![line.to_owned()], Disturbance::Flaps));
}

#[test]
fn another_virtual_router_starts_anew() {
    let bench = bench();
    let told = bench.told(|to| to.instances[0].interface = Some(eth(2)));
    let down = master_down_interval(Version::V2, Priority::DEFAULT, Centis::SECOND, 3).as_secs_f64();
    let line = format!(
        "(VI_51) is another virtual router now: stopped and started anew; goes over from MASTER to BACKUP; \
         gives up 10.0.0.51/32 on eth1: nobody has that until another router takes over, or this one does after \
         {down:.3}s"
    );
    assert_eq!(told, (vec![line], Disturbance::Flaps));
}

#[test]
fn a_removed_master_and_a_new_backup() {
    let told = bench().told(|to| to.instances[0] = instance(53));
    let lines = [
        "(VI_51) removed; ends; gives up 10.0.0.51/32 on eth1: nobody has that until another router takes over",
        "(VI_53) added; begins as BACKUP; takes over after 3.609s unless a better router speaks",
    ];
    assert_eq!(told, (lines.map(str::to_owned).to_vec(), Disturbance::Flaps));
}

#[test]
fn priorities_say_who_takes_over() {
    let lower = bench().told(|to| to.instances[0].priority = Priority(90));
    let line = "(VI_51) changed: priority; goes on as MASTER; a backup with a priority above 90 takes over";
    assert_eq!(lower, (vec![line.to_owned()], Disturbance::Moves));
    let (lines, disturbance) = bench().told(|to| to.instances[1].priority = Priority(150));
    assert!(
        lines[0].contains("goes on as BACKUP; takes over from 10.0.0.7, priority 120, within 3."),
        "{lines:?}"
    );
    assert_eq!(disturbance, Disturbance::Moves);
    let (lines, disturbance) = bench().told(|to| {
        to.instances[1].priority = Priority(150);
        to.instances[1].preempt = Preempt::Never;
    });
    assert_eq!((lines.len(), disturbance), (1, Disturbance::None), "{lines:?}");
}

#[test]
fn what_the_others_must_have_too_is_said() {
    let (lines, disturbance) = bench().told(|to| to.instances[1].auth = Auth::Pass(Password(*b"secret\0\0")));
    assert!(lines[0].contains("another `authentication`: until the other routers have it too"), "{lines:?}");
    assert_eq!(disturbance, Disturbance::Flaps);
    let (_, disturbance) =
        bench().told(|to| to.instances[0].transport = Transport::unicast([[10, 0, 0, 7].into()]));
    assert_eq!(disturbance, Disturbance::Flaps);
}

#[test]
fn members_that_go_with_a_group_are_told_too() {
    let told = bench().told(|to| {
        to.groups.push(SyncGroup::new("G", ["VI_51", "VI_52"].map(str::to_owned).to_vec()));
    });
    let lines = told.0.join("\n");
    assert!(lines.contains("VRRP_Group(G) added"), "{lines}");
    assert!(lines.contains("(VI_51)") && lines.contains("goes over from MASTER to BACKUP"), "{lines}");
    assert_eq!(told.1, Disturbance::Flaps);
}

#[test]
fn an_own_interface_is_supposed_to_be_there() {
    let (lines, disturbance) = bench().told(|to| {
        let own: IfName = "vrrp.51".parse().unwrap();
        let mac = model::MacAddr([0, 0, 0x5e, 0, 1, 51]);
        let (name, group) = (own.clone(), model::Named::Number(0));
        let vmac = Vmac { name, mac, transmit_on_base: false, notify_base: false, group };
        to.instances[0].own_device = Some(OwnDevice::Vmac(vmac));
        to.instances[0].addresses[0].device = own;
    });
    assert!(
        lines[0].contains("goes on as MASTER; changes the interface of 10.0.0.51/32 on eth1"),
        "{lines:?}"
    );
    assert_eq!(disturbance, Disturbance::None, "{lines:?}");
}

#[test]
fn what_is_not_known_yet_is_said() {
    let (lines, disturbance) = bench().told(|to| {
        let (script, influence) = ("probe".to_owned(), Influence::default());
        let run_as = RunAs::Default;
        let command = Command { program: "/bin/false".into(), arguments: Vec::new(), run_as };
        to.scripts.push(Script::new("probe", command));
        to.instances[0].track_scripts.push(TrackedScript { script, influence });
    });
    assert!(lines.iter().any(|line| line.contains("is at fault if `probe` fails")), "{lines:?}");
    assert_eq!(disturbance, Disturbance::Moves);
    let (lines, disturbance) = bench().told(|to| to.instances[0].accept = false);
    assert!(lines[0].contains("packets to its addresses are dropped"), "{lines:?}");
    assert_eq!(disturbance, Disturbance::Flaps);
}

#[test]
fn what_recovers_may_take_over() {
    let mut bench = bench();
    bench.config.instances[0]
        .track_interfaces
        .push(TrackedInterface { interface: eth(3), influence: Influence::default() });
    let (now, config) = (bench.now, bench.config.clone());
    bench.router.reconfigure(now, &config, &[], &mut Actions::default());
    let (lines, disturbance) = bench.told(|to| to.instances[0].track_interfaces.clear());
    assert!(lines[0].contains("goes over from FAULT to BACKUP; takes over after 3.609s unless"), "{lines:?}");
    assert_eq!(disturbance, Disturbance::Moves);
}
