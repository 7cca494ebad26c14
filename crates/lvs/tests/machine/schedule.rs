//! When checks are made.

use std::fmt::Write as _;
use std::time::Duration;

use model::lvs::Outcome;

use super::rig::Rig;

fn pool(servers: u32) -> String {
    let mut text = String::from(
        "virtual_server 192.0.2.1 80 {\nlvs_sched rr\nlvs_method NAT\nprotocol TCP\ndelay_loop 10\nretry 1\n",
    );
    for server in 0..servers {
        let (high, low) = (server / 250, server % 250 + 1);
        write!(text, "real_server 10.0.{high}.{low} 80 {{\nTCP_CHECK {{\n}}\n}}\n").unwrap();
    }
    text + "}\n"
}

/// The most checks in a tenth of an interval, from `from` seconds on for one interval.
fn busiest(rig: &Rig, from: u64) -> usize {
    let mut tenths = [0; 10];
    for (at, _) in &rig.asked {
        let second = at.as_nanos() / 1_000_000_000;
        if (from..from + 10).contains(&second) {
            tenths[usize::try_from(second - from).unwrap()] += 1;
        }
    }
    tenths.into_iter().max().unwrap()
}

#[test]
fn ten_thousand_checks_are_spread_over_their_interval() {
    let mut rig = Rig::new(1);
    rig.load(&pool(10_000));
    for from in [0, 20, 90] {
        rig.run(Duration::from_secs(from + 10).saturating_sub(Duration::from_nanos(rig.now.as_nanos())));
        let busiest = busiest(&rig, from);
        assert!((900..1_300).contains(&busiest), "from {from} s on, {busiest} in one second");
    }
}

#[test]
fn no_check_is_later_than_its_interval_and_none_is_made_twice_at_once() {
    let mut rig = Rig::new(1);
    rig.load(&pool(100));
    rig.run(Duration::from_secs(100));
    for server in 1..=100 {
        let name = format!("10.0.0.{server}");
        let times: Vec<_> = rig.asked.iter().filter(|(_, who)| *who == name).map(|(at, _)| *at).collect();
        assert!(times[0].as_nanos() < 10_000_000_000);
        for pair in times.windows(2) {
            let gap = pair[1].since(pair[0]);
            assert!(gap > Duration::from_millis(9_600) && gap <= Duration::from_millis(10_010), "{gap:?}");
        }
    }
}

#[test]
fn an_answer_that_nobody_waits_for_is_dropped() {
    let mut rig = Rig::new(1);
    rig.load(&pool(1));
    rig.silent.insert("10.0.0.1".into());
    rig.run(Duration::from_secs(11));
    let (&probe, &(run, _, _)) = rig.running.iter().next().unwrap();
    let before = rig.kernel.clone();
    let outcome = Outcome::Failed("late".into());
    rig.tell(steadfast_lvs::Event::Outcome { probe, run: run + 1, outcome: outcome.clone() });
    assert_eq!(rig.kernel, before);
    rig.tell(steadfast_lvs::Event::Outcome { probe, run, outcome });
    assert_ne!(rig.kernel, before, "the first outcome counts at once");
    let after = rig.kernel.clone();
    rig.tell(steadfast_lvs::Event::Outcome { probe, run, outcome: Outcome::Passed });
    assert_eq!(rig.kernel, after, "a second answer to one question");
}
