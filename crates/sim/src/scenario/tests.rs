//! What scenarios say, and what is said about wrong ones.

use std::sync::Arc;
use std::time::Duration;

use model::vrrp::{Config, Instance, ProcessMatch, Script, TrackedFile, TrackedProcess, Tracking};
use netlink::Errno;
use vrrp::ScriptOutcome;

use super::{Mistake, Problem, What, parse};
use crate::{Act, Chance, Cluster, HostId, HostPlan, Interface, LanId, Quality};

/// Hosts `a`, `b` and `web 3` on `lan` and `other net`, each with a script of two words.
fn cluster() -> Cluster {
    let mut cluster = Cluster::new(1);
    let lans = ["lan", "other net"].map(|name| cluster.add_lan(name, Quality::GOOD));
    let command = model::vrrp::Command {
        program: "/bin/true".to_owned(),
        arguments: Vec::new(),
        run_as: model::vrrp::RunAs::Default,
    };
    let influence = model::Influence::default();
    let process = TrackedProcess {
        name: "web".to_owned(),
        program: "web".to_owned(),
        matching: ProcessMatch::Name,
        influence,
        least: 1,
        most: None,
        terminate_delay: Duration::ZERO,
        fork_delay: Duration::ZERO,
    };
    let file = TrackedFile { name: "load".to_owned(), path: "/load".to_owned(), influence, initial: None };
    let mut config = Config {
        scripts: vec![Script::new("chk web", command)],
        files: vec![file],
        processes: vec![process],
        ..Config::default()
    };
    let name: model::IfName = "eth0".parse().unwrap();
    let instance = Instance::new("VI_1", name, model::Vrid::try_from(51).unwrap());
    let track_bfds = vec![Tracking { name: "peer".to_owned(), influence }];
    config.instances.push(Instance { track_bfds, ..instance });
    let config = Arc::new(config);
    for name in ["a", "b", "web 3"] {
        let ports = ["eth0", "eth1"].into_iter().zip(lans);
        let interfaces = ports
            .map(|(name, lan)| Interface { name: name.parse().unwrap(), lan, addresses: Vec::new() })
            .collect();
        cluster.add_host(HostPlan { name: name.to_owned(), config: Arc::clone(&config), interfaces });
    }
    cluster
}

fn mistakes(text: &str) -> Vec<Mistake> {
    match parse(text) {
        Err(mistakes) => mistakes,
        Ok(scenario) => scenario
            .bind(&cluster(), |_, _| Err("it is empty".to_owned()))
            .expect_err("something is wrong with it"),
    }
}

fn said(text: &str) -> Vec<String> {
    mistakes(text).iter().map(|one| format!("{one}; {}", one.help.as_deref().unwrap_or("-"))).collect()
}

#[test]
fn lines_have_their_times_and_comments_say_nothing() {
    let text = "# a title\ncold\n\nat 10s crash a # the first\n+2.5s expect VI_1 b,a\n  at 11s cut lan a b\nat 3s expect VI_1 nobody\nend +1m\n";
    let scenario = parse(text).unwrap();
    assert!(scenario.cold);
    let bound = scenario.bind(&cluster(), |_, _| Err(String::new())).unwrap();
    let steps: Vec<_> = bound.steps.iter().map(|step| (step.at.as_millis(), step.line)).collect();
    assert_eq!(steps, [(3000, 7), (10_000, 4), (11_000, 6), (11_000, 6), (12_500, 5)]);
    assert_eq!(bound.end, Some(Duration::from_secs(63)));
    let What::Expect { instance, hosts } = &bound.steps[4].what else { panic!("{:?}", bound.steps[4]) };
    assert_eq!((instance.as_str(), hosts.len()), ("VI_1", 2));
}

#[test]
fn mistakes_say_where_what_and_what_instead() {
    assert_eq!(said("at 1s crsh a"), ["1:7: unknown event `crsh`; did you mean `crash`?"]);
    assert_eq!(said("at 1s crash c"), ["1:13: unknown host `c`; did you mean `a`?"]);
    assert_eq!(said("at 1s crash xyz"), ["1:13: unknown host `xyz`; there are a, b, web 3"]);
    assert_eq!(
        said("at soon crash a"),
        [
            "1:4: `soon` is not a time such as 12.5s or 250ms; times are numbers with a unit: us, ms, s, m or h"
        ]
    );
    assert_eq!(
        said("\ncrash a"),
        ["2:1: `crash` has no time; write at 12.5s crash …, or +3s crash … for 3 s after the line before"]
    );
    assert_eq!(
        said("at 1s stall a"),
        ["1:14: the line ends, and a time such as 12.5s or 250ms is missing; write stall HOST 3s"]
    );
    assert_eq!(said("at 1s heal lan now"), ["1:16: nothing may follow here, but `now` does; write heal LAN"]);
    assert_eq!(
        said("at 1s lan lan loss 120%"),
        [
            "1:20: `120%` is not a percentage from 0% to 100%; write lan LAN [delay 5ms] [jitter 1ms] [loss 20%] [duplicate 1%]"
        ]
    );
    assert_eq!(said("at 1s link a eth7 up"), ["1:14: host a has no interface `eth7`; did you mean `eth0`?"]);
    assert_eq!(
        said("at 1s script a chk ok"),
        ["1:16: host a has no tracked script `chk`; there are chk web"]
    );
    assert_eq!(said("at 1s reload a b.conf"), ["1:16: `b.conf` cannot be used: it is empty; -"]);
    assert_eq!(said("at 1s crash \"a"), ["1:13: the quotation mark is not closed; -"]);
    assert_eq!(
        said("at 1s cut lan a > a"),
        ["1:19: `a` is not another host; write cut LAN HOST HOST, or one way: cut LAN HOST > HOST"]
    );
    assert_eq!(said("at 1s expect VI_2 a"), ["1:14: unknown instance `VI_2`; did you mean `VI_1`?"]);
    assert_eq!(
        said("at 1s expect VI_1 a,,b"),
        ["1:21: `` is not a host; write expect INSTANCE HOST[,HOST]|nobody"]
    );
    assert_eq!(said("att 1s crash a"), ["1:1: unknown beginning of a line `att`; did you mean `at`?"]);
}

#[test]
fn each_wrong_line_is_told_and_the_end_is_kept() {
    let text = "end 5s\nat 6s crash a\nend 7s\nat 1s stop\n";
    let lines: Vec<_> = said(text);
    assert_eq!(
        lines,
        [
            "2:4: this is after the end; the end is set in line 1",
            "3:1: the end is set twice; first in line 1; -",
            "4:11: the line ends, and a host is missing; write stop HOST",
        ]
    );
}

/// Whatever can happen, its line in a story is its line in a scenario.
#[test]
fn what_a_story_says_can_be_played_again() {
    let cluster = cluster();
    let config = Arc::clone(&cluster.hosts[0].config);
    let mut chance = Chance::new(11);
    for _ in 0..5000 {
        let act = act(&mut chance, &config);
        let told = cluster.describe(&act);
        let scenario = parse(&format!("at 1s {told}")).unwrap_or_else(|wrong| panic!("{told}: {wrong:?}"));
        let bound = scenario.bind(&cluster, |_, _| Ok(Arc::clone(&config))).unwrap();
        let [step] = bound.steps.as_slice() else { panic!("{told}: {bound:?}") };
        let What::Act(again) = &step.what else { panic!("{told}") };
        assert_eq!(format!("{again:?}"), format!("{act:?}"), "{told}");
    }
}

fn act(chance: &mut Chance, config: &Arc<Config>) -> Act {
    let host = HostId(usize::try_from(chance.below(3)).unwrap());
    let lan = LanId(usize::try_from(chance.below(2)).unwrap());
    let unit = *chance.pick(&[1, 1000, 1_000_000, 1_000_000_000]).unwrap();
    let span = Duration::from_nanos(chance.below(10_000) * unit);
    let number = u8::try_from(chance.below(101)).unwrap();
    let port = || "eth1".parse().unwrap();
    let yes = chance.percent(50);
    match chance.below(24) {
        0 => Act::Start(host),
        1 => Act::Stop(host),
        2 => Act::Restart(host),
        3 => Act::Crash(host),
        4 => Act::KillWorker(host),
        5 => Act::KillDaemon(host),
        6 => Act::Reload(host, Arc::clone(config), "new file.conf".into()),
        7 => Act::ReloadSame(host),
        8 => Act::Stall(host, span),
        9 => Act::StepClock(host, yes, span),
        10 => Act::Cable(host, port(), yes),
        11 => Act::Interface(host, port(), yes),
        12 => {
            let outcomes = [
                ScriptOutcome::Exited(i32::from(number)),
                ScriptOutcome::Killed(9),
                ScriptOutcome::TimedOut,
                ScriptOutcome::NotRun,
            ];
            Act::Script(host, "chk web".to_owned(), *chance.pick(&outcomes).unwrap())
        }
        13 => Act::Cut(lan, host, HostId((host.0 + 1) % 3)),
        14 => Act::Heal(lan),
        15 => {
            Act::Quality(lan, Quality { delay: span, jitter: span, loss: number, duplication: 100 - number })
        }
        16 => Act::SlowKernel(host, span, span),
        17 => {
            let known = [Errno::EEXIST, Errno::ENODEV, Errno::EBUSY, Errno::EPERM, Errno(99), Errno(22)];
            Act::Refuse(host, *chance.pick(&known).unwrap(), u32::from(number))
        }
        18 => Act::Deafen(host, span),
        20 => Act::File(host, "load".to_owned(), i32::from(number) - 50),
        21 => Act::Processes(host, "web".to_owned(), u32::from(number)),
        22 => Act::Session(host, "peer".to_owned(), yes),
        19 => Act::Add(host, port(), model::Prefix::host([192, 0, 2, number].into())),
        _ => Act::Delete(host, [192, 0, 2, number].into()),
    }
}

/// Whatever is written, reading it ends, and says something or nothing.
#[test]
fn no_text_is_too_strange() {
    let pieces = [
        "at",
        " ",
        "1s",
        "+",
        "\"",
        "cut",
        "a",
        ">",
        "b",
        ",",
        "expect",
        "VI_1",
        "nobody",
        "\n",
        "end",
        "#",
        "é",
        "%",
        "lan",
        "loss",
        "99999999999999999999s",
        "0.000000001s",
        "\t",
        "\r",
    ];
    let mut chance = Chance::new(5);
    for _ in 0..3000 {
        let text: String = (0..chance.below(40)).map(|_| *chance.pick(&pieces).unwrap()).collect();
        if let Ok(scenario) = parse(&text) {
            drop(scenario.bind(&cluster(), |_, _| Err(String::new())));
        }
    }
}

#[test]
fn a_scenario_ends_within_seven_days() {
    assert!(parse("at 168h crash a\n").is_ok());
    for text in ["at 169h crash a\n", "at 100h crash a\n+100h start a\n", "end 999h\n"] {
        let mistakes = parse(text).unwrap_err();
        assert_eq!(mistakes[0].problem, Problem::TooLate, "{text}");
        assert_eq!(mistakes[0].line, text.lines().count());
    }
}
