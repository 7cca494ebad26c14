//! Thousands of clusters to which all sorts of things happen, none of which may break a rule.
//!
//! Every run takes fresh seeds and prints where they begin. `STEADFAST_SIM_SEED` sets the first seed, and
//! `STEADFAST_SIM_TRIALS` their number; with `STEADFAST_SIM_FULL` a failure tells every packet. A failure prints its seed, its files, the shortest list of acts that
//! still fails, and the story; the seed then belongs into `KEPT`.

#[path = "../common/mod.rs"]
mod common;
mod plan;
mod shrink;

use std::fmt::Write as _;
use std::io::Write as _;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};
use std::{env, io, thread};

use steadfast_sim as sim;

use plan::Plan;

/// Seeds that have found something once. They stand for the plans that `plan` makes of them today: who changes what it
/// draws searches anew.
///
/// The first were found when no plan had IPv6, and stand for those.
const KEPT_OF_IPV4: [u64; 12] =
    [66, 1617, 1746, 4009, 4091, 5871, 10_451, 13_393, 15_948, 17_018, 19_289, 179_546_001_901_281];

/// The same, of plans as they are drawn now.
const KEPT: [u64; 5] =
    [179_549_272_731_258, 179_549_314_822_993, 179_549_342_975_102, 179_549_407_451_986, 179_549_437_647_314];

#[test]
fn nothing_breaks_a_rule() {
    let first = number("STEADFAST_SIM_SEED").unwrap_or_else(fresh);
    let count = number("STEADFAST_SIM_TRIALS").unwrap_or(TRIALS);
    // Not by print!, which the test harness keeps to itself when all is well.
    writeln!(io::stderr(), "simulated trials: STEADFAST_SIM_SEED={first} STEADFAST_SIM_TRIALS={count}")
        .unwrap();
    try_all(&(first..first.saturating_add(count)).collect::<Vec<_>>(), Plan::new);
}

#[test]
fn what_was_found_once_is_not_found_again() {
    try_all(&KEPT_OF_IPV4, Plan::of_ipv4);
    try_all(&KEPT, Plan::new);
}

#[test]
fn a_seed_gives_the_same_story_to_the_byte() {
    for seed in 0..20 {
        let told = || {
            let mut trial = Plan::new(seed).begin();
            trial.cluster.record_all();
            trial.run();
            trial.cluster.told()
        };
        assert_eq!(told(), told(), "seed {seed}");
    }
}

/// Runs the trials on every processor, until some have failed.
fn try_all(seeds: &[u64], plan: fn(u64) -> Plan) {
    let next = AtomicUsize::new(0);
    let failed = Mutex::new(Vec::new());
    let workers = thread::available_parallelism().map_or(1, usize::from);
    thread::scope(|scope| {
        let work = || {
            while let Some(seed) = seeds.get(next.fetch_add(1, Ordering::Relaxed)).copied() {
                let mut trial = plan(seed).begin();
                if !trial.run() {
                    let mut failed = failed.lock().unwrap();
                    failed.push((seed, trial.cluster.violations()[0].to_string()));
                    if failed.len() >= ENOUGH {
                        next.store(seeds.len(), Ordering::Relaxed);
                    }
                }
            }
        };
        for _ in 0..workers {
            scope.spawn(work);
        }
    });
    let mut failed = failed.into_inner().unwrap();
    failed.sort_unstable();
    if let Some((first, _)) = failed.first() {
        panic!("{failed:#?}\n{}", report(*first, plan(*first)));
    }
}

fn report(seed: u64, plan: Plan) -> String {
    let plan = shrink::shrink(plan);
    let mut trial = plan.begin();
    if env::var_os("STEADFAST_SIM_FULL").is_some() {
        trial.cluster.record_all();
    }
    trial.run();
    let mut told = format!("seed {seed}\n");
    for (number, text) in plan.texts.iter().enumerate() {
        writeln!(told, "--- host {}\n{text}", plan::host_name(number)).unwrap();
    }
    writeln!(told, "--- acts").unwrap();
    for (at, act) in &plan.acts {
        writeln!(told, "at {at} {}", trial.cluster.describe(act)).unwrap();
    }
    for host in trial.cluster.hosts() {
        for status in trial.cluster.status(host) {
            writeln!(told, "{} {status:?}", trial.cluster.host_name(host)).unwrap();
        }
    }
    writeln!(told, "--- story\n{}", trial.cluster.told()).unwrap();
    for violation in trial.cluster.violations() {
        writeln!(told, "{}: {violation}", violation.at).unwrap();
    }
    told
}

fn number(variable: &str) -> Option<u64> {
    env::var(variable)
        .ok()
        .map(|text| text.parse().unwrap_or_else(|_| panic!("{variable}={text} is no number")))
}

fn fresh() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs() * 100_000)
}

/// As many as take some seconds.
const TRIALS: u64 = 3000;
/// Failures after which there is enough to look at.
const ENOUGH: usize = 10;
