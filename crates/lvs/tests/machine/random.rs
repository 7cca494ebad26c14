//! Random pools, outcomes, reloads and deaths of the worker: what must hold after each of them.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;

use model::ipvs::DestinationKey;
use model::lvs::Outcome;
use proptest::prelude::*;
use steadfast_lvs::{Actions, Director, Event, Subject, Whose};

use super::rig::Rig;

/// A pool: what can be written about it, by bits and small numbers.
#[derive(Clone, Debug)]
struct Plan {
    servers: Vec<Real>,
    quorum: u32,
    hysteresis: u32,
    sorry: bool,
    sorry_inhibit: bool,
    alpha: bool,
    omega: bool,
    ha_suspend: bool,
    /// In seconds.
    drain: u32,
    slow_start: u32,
}

#[derive(Clone, Debug)]
struct Real {
    number: u8,
    weight: u32,
    inhibit: bool,
    alpha: bool,
    /// None, TCP, a program that sets the weight, both, a file, a session.
    checks: u8,
    retry: u32,
}

#[derive(Clone, Debug)]
enum Act {
    Run(u16),
    Answer(u8, Outcome),
    Program(u8, Outcome),
    Silent(u8),
    File(i32),
    Session(bool),
    Held(bool),
    Reload(Plan),
    Restart,
    /// The next worker begins with another configuration.
    Succeed(Plan),
}

fn real() -> impl Strategy<Value = Real> {
    (1_u8..6, prop_oneof![0_u32..4, Just(40)], any::<bool>(), any::<bool>(), 0_u8..6, 1_u32..3).prop_map(
        |(number, weight, inhibit, alpha, checks, retry)| Real {
            number,
            weight,
            inhibit,
            alpha,
            checks,
            retry,
        },
    )
}

fn plan() -> impl Strategy<Value = Plan> {
    let flags = (any::<bool>(), any::<bool>(), any::<bool>(), any::<bool>(), any::<bool>());
    let spans = (prop_oneof![Just(0_u32), 1_u32..60], prop_oneof![Just(0_u32), 1_u32..60]);
    (prop::collection::vec(real(), 1..5), 1_u32..6, 0_u32..3, flags, spans).prop_map(
        |(mut servers, quorum, hysteresis, flags, (drain, slow_start))| {
            servers.sort_by_key(|server| server.number);
            servers.dedup_by_key(|server| server.number);
            let (sorry, sorry_inhibit, alpha, omega, ha_suspend) = flags;
            Plan {
                servers,
                quorum,
                hysteresis,
                sorry,
                sorry_inhibit,
                alpha,
                omega,
                ha_suspend,
                drain,
                slow_start,
            }
        },
    )
}

fn outcome() -> impl Strategy<Value = Outcome> {
    prop_oneof![
        Just(Outcome::Passed),
        Just(Outcome::Failed("refused".into())),
        Just(Outcome::Unknown("no route".into())),
    ]
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        6 => (0_u16..400).prop_map(Act::Run),
        6 => (1_u8..6, outcome()).prop_map(|(server, outcome)| Act::Answer(server, outcome)),
        3 => (1_u8..6, prop_oneof![outcome(), (0_u32..9).prop_map(Outcome::PassedWithWeight)])
            .prop_map(|(server, outcome)| Act::Program(server, outcome)),
        1 => (1_u8..6).prop_map(Act::Silent),
        2 => (-3_i32..4).prop_map(Act::File),
        2 => any::<bool>().prop_map(Act::Session),
        1 => any::<bool>().prop_map(Act::Held),
        2 => plan().prop_map(Act::Reload),
        1 => Just(Act::Restart),
        1 => plan().prop_map(Act::Succeed),
    ]
}

fn text(plan: &Plan) -> String {
    let mut text = String::from(
        "track_file f {\n    file /run/f\n    weight 1\n}\nbfd_instance b {\n    neighbor_ip 10.9.9.9\n}\n",
    );
    let Plan { quorum, hysteresis, drain, slow_start, .. } = plan;
    write!(
        text,
        "virtual_server 192.0.2.1 80 {{\nlvs_sched rr\nlvs_method NAT\nprotocol TCP\ndelay_loop 10\n\
         quorum {quorum}\nhysteresis {hysteresis}\nsteadfast {{\ndrain {drain}\nslow_start {slow_start}\n}}\n"
    )
    .unwrap();
    let flags = [
        (plan.sorry, "sorry_server 10.0.0.99 80"),
        (plan.sorry && plan.sorry_inhibit, "sorry_server_inhibit"),
        (plan.alpha, "alpha"),
        (plan.omega, "omega"),
        (plan.ha_suspend, "ha_suspend"),
    ];
    for (_, word) in flags.iter().filter(|(set, _)| *set) {
        writeln!(text, "{word}").unwrap();
    }
    for Real { number, weight, inhibit, alpha, checks, retry } in &plan.servers {
        let misc = format!("MISC_CHECK {{\nmisc_path /check{number}\nmisc_dynamic\n}}\n");
        let checks = match checks {
            0 => String::new(),
            1 => "TCP_CHECK {\n}\n".into(),
            2 => misc,
            3 => format!("TCP_CHECK {{\n}}\n{misc}"),
            4 => "TCP_CHECK {\n}\nFILE_CHECK {\ntrack_file f\n}\n".into(),
            _ => "BFD_CHECK {\nname b\n}\n".into(),
        };
        let word = |set: &bool| if *set { "on" } else { "off" };
        writeln!(
            text,
            "real_server 10.0.0.{number} 80 {{\nweight {weight}\ninhibit_on_failure {}\nalpha {}\nretry {retry}\n{checks}}}",
            word(inhibit),
            word(alpha)
        )
        .unwrap();
    }
    text + "}\n"
}

/// What has been told, and what the surroundings are, for a director that is asked to begin with the same knowledge.
struct Watch {
    last: BTreeMap<Whose, bool>,
    seen: usize,
    file: Option<i32>,
    session: Option<bool>,
    held: bool,
}

fn perform(rig: &mut Rig, watch: &mut Watch, act: &Act) {
    match act {
        Act::Run(tenths) => rig.run(Duration::from_millis(u64::from(*tenths) * 100)),
        Act::Answer(server, outcome) => {
            rig.silent.clear();
            rig.answers.insert(format!("10.0.0.{server}"), outcome.clone());
        }
        Act::Program(server, outcome) => drop(rig.answers.insert(format!("/check{server}"), outcome.clone())),
        Act::Silent(server) => drop(rig.silent.insert(format!("10.0.0.{server}"))),
        Act::File(value) => {
            watch.file = Some(*value);
            rig.tell(Event::File { name: "f", value: *value });
        }
        Act::Session(up) => {
            watch.session = Some(*up);
            rig.tell(Event::Bfd { session: "b", up: *up });
        }
        Act::Held(held) => {
            watch.held = *held;
            rig.tell(Event::Address { address: [192, 0, 2, 1].into(), held: *held });
        }
        Act::Reload(plan) => rig.load(&text(plan)),
        Act::Restart => {
            die(rig, watch);
            let config = std::mem::take(&mut rig.config);
            rig.configure(config);
        }
        Act::Succeed(plan) => {
            die(rig, watch);
            rig.load(&text(plan));
        }
    }
}

fn die(rig: &mut Rig, watch: &Watch) {
    rig.director = fresh(rig, watch);
    rig.running.clear();
    rig.kernel = model::ipvs::Table::default();
}

/// A director that knows what this one knows, and is not configured yet.
fn fresh(rig: &Rig, watch: &Watch) -> Director {
    let mut director = Director::new(7);
    let mut actions = Actions::default();
    director.adopt(rig.remembered.values().cloned().collect());
    let mut tell = |event| director.handle(rig.now, event, &mut actions);
    if let Some(value) = watch.file {
        tell(Event::File { name: "f", value });
    }
    if let Some(up) = watch.session {
        tell(Event::Bfd { session: "b", up });
    }
    if watch.held {
        tell(Event::Address { address: [192, 0, 2, 1].into(), held: true });
    }
    director
}

fn examine(rig: &Rig, watch: &mut Watch) {
    alternates(rig, watch);
    let Some(service) = rig.kernel.services.values().next() else { panic!("no service\n{}", rig.story) };
    let sorry = DestinationKey { address: [10, 0, 0, 99].into(), port: std::num::NonZeroU16::new(80) };
    let is_sorry = service.destinations.get(&sorry).is_some_and(|sorry| sorry.weight > 0);
    let virtual_server = &rig.config.virtual_servers[0];
    let standing = |server| {
        let subject = Subject { service: virtual_server.service.clone(), server };
        rig.remembered[&subject].state.clone().unwrap()
    };
    assert_eq!(is_sorry, virtual_server.sorry_server.is_some() && !standing(None).up, "\n{}", rig.story);
    let mut live = 0;
    for server in &virtual_server.real_servers {
        let key = DestinationKey { address: server.address, port: server.port };
        let state = standing(Some(key));
        let shown = service.destinations.get(&key).map(|shown| shown.weight);
        let takes = state.up && !is_sorry;
        assert_eq!(shown.is_some(), takes || server.inhibit_on_failure, "{key}: {state:?}\n{}", rig.story);
        assert!(takes || shown.unwrap_or(0) == 0, "{key} is down and has weight {shown:?}\n{}", rig.story);
        assert_eq!(state.up, state.said.iter().all(|(_, up)| *up), "{key}: {state:?}\n{}", rig.story);
        let weight = shown.unwrap_or(0);
        assert!(
            !takes || weight == state.effective || !server.slow_start.is_zero(),
            "{key}: {state:?}\n{}",
            rig.story
        );
        assert!(weight <= state.effective, "{key} has weight {weight}: {state:?}\n{}", rig.story);
        live += if takes { state.effective } else { 0 };
    }
    leavers(rig, sorry);
    let quorum = &virtual_server.quorum;
    if !is_sorry && standing(None).up {
        assert!(live >= quorum.weight.saturating_sub(quorum.hysteresis), "quorum with {live}\n{}", rig.story);
    } else if !is_sorry {
        assert!(live < quorum.weight + quorum.hysteresis, "no quorum with {live}\n{}", rig.story);
    }
    let mut director = fresh(rig, watch);
    director.configure(rig.now, &rig.config, &rig.globals, &mut Actions::default());
    let mut table = director.table().clone();
    // It knows what a weight has grown to; the other one will at the next step.
    for (service, value) in &mut table.services {
        for (key, value) in &mut value.destinations {
            let before = rig.kernel.services[service].destinations.get(key).map(|held| held.weight);
            let grows = virtual_server
                .real_servers
                .iter()
                .any(|real| real.address == key.address && !real.slow_start.is_zero());
            value.weight =
                before.filter(|before| grows && (1..=value.weight).contains(before)).unwrap_or(value.weight);
        }
    }
    assert_eq!(&table, &rig.kernel, "one that begins now wants another table\n{}", rig.story);
}

/// Who is configured no more gets no connections, and leaves in time.
fn leavers(rig: &Rig, sorry: DestinationKey) {
    let virtual_server = &rig.config.virtual_servers[0];
    let is_configured = |key: &DestinationKey| {
        *key == sorry || virtual_server.real_servers.iter().any(|real| real.address == key.address)
    };
    let Some(service) = rig.kernel.services.values().next() else { return };
    for (key, shown) in service.destinations.iter().filter(|(key, _)| !is_configured(key)) {
        let subject = Subject { service: virtual_server.service.clone(), server: Some(*key) };
        let drain = rig.remembered.get(&subject).and_then(|told| told.state.as_ref()?.drain);
        let drain = drain.unwrap_or_else(|| panic!("{key} is nobody's\n{}", rig.story));
        assert_eq!((shown.weight, &drain.destination), (0, shown), "{key}\n{}", rig.story);
        assert!(drain.until > rig.now, "{key} should have gone\n{}", rig.story);
    }
}

/// Up follows down, and down up, for as long as somebody is configured.
fn alternates(rig: &Rig, watch: &mut Watch) {
    for told in &rig.notified[watch.seen..] {
        if !matches!(told.of, Whose::Checker { .. }) {
            let before = watch.last.insert(told.of.clone(), told.up);
            assert_ne!(before, Some(told.up), "{:?} is told twice\n{}", told.of, rig.story);
        }
    }
    watch.seen = rig.notified.len();
    let servers = &rig.config.virtual_servers[0].real_servers;
    watch.last.retain(|of, _| match of {
        Whose::RealServer { server, .. } => {
            servers.iter().any(|real| **server == *format!("[{}]:tcp:80", real.address))
        }
        Whose::VirtualServer { .. } | Whose::Checker { .. } => true,
    });
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 600, failure_persistence: None, ..ProptestConfig::default()
    })]
    #[test]
    fn the_table_is_what_is_known(first in plan(), acts in prop::collection::vec(act(), 1..40)) {
        let mut rig = Rig::new(1);
        let mut watch = Watch { last: BTreeMap::new(), seen: 0, file: None, session: None, held: false };
        rig.load(&text(&first));
        examine(&rig, &mut watch);
        for act in &acts {
            writeln!(rig.story, "         {act:?}").unwrap();
            perform(&mut rig, &mut watch, act);
            examine(&rig, &mut watch);
        }
        rig.tell(Event::Stop);
        alternates(&rig, &mut watch);
        prop_assert_eq!(rig.director.deadline(), None);
    }
}
