//! Every order of up to eight events, for two and three routers, in and out of a sync group: what a search of random
//! futures may miss, a search of all small ones finds.

#[path = "../common/mod.rs"]
mod common;

use std::fmt::Write as _;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use steadfast_sim as sim;

use config::Severity;
use model::{IfName, Prefix};
use sim::{Act, Cluster, HostId, HostPlan, Interface, LanId, Quality};
use vrrp::ScriptOutcome;

#[test]
fn two_routers() {
    search(&World { hosts: 2, grouped: false });
}

#[test]
fn two_routers_in_a_sync_group() {
    search(&World { hosts: 2, grouped: true });
}

#[test]
fn three_routers() {
    search(&World { hosts: 3, grouped: false });
}

#[test]
fn three_routers_in_a_sync_group() {
    search(&World { hosts: 3, grouped: true });
}

/// What is searched.
#[derive(Clone, Copy, Debug)]
struct World {
    hosts: u8,
    grouped: bool,
}

impl World {
    fn text(self, host: u8) -> String {
        let priority = 100 - host;
        let mut text =
            String::from("vrrp_script chk {\n script /bin/true\n interval 1\n fall 1\n rise 1\n}\n");
        for lan in 0..=u8::from(self.grouped) {
            writeln!(
                text,
                "vrrp_instance VI_{lan} {{\n interface eth{lan}\n virtual_router_id 1{lan}\n priority {priority}\n \
                 version 3\n advert_int 0.25\n virtual_ipaddress {{\n  10.0.{lan}.1/32\n }}\n{}}}",
                if lan == 0 { " track_script {\n  chk\n }\n" } else { "" }
            )
            .unwrap();
        }
        if self.grouped {
            text.push_str("vrrp_sync_group G {\n group {\n  VI_0\n  VI_1\n }\n}\n");
        }
        text
    }

    /// All hosts run, and have settled.
    fn settled(self) -> Cluster {
        let mut cluster = Cluster::new(1);
        let lans: Vec<_> = (0..=u8::from(self.grouped))
            .map(|lan| cluster.add_lan(&format!("lan{lan}"), Quality::GOOD))
            .collect();
        for number in 0..self.hosts {
            let interface = |lan: u8| Interface {
                name: port(lan),
                lan: lans[usize::from(lan)],
                addresses: vec![Prefix::new([192, 0, 2 + lan, 1 + number].into(), 24).unwrap()],
            };
            let interfaces = (0..=u8::from(self.grouped)).map(interface).collect();
            let name = char::from(b'a' + number).to_string();
            let host = cluster.add_host(HostPlan {
                name,
                config: common::read(&self.text(number), Severity::Warning),
                interfaces,
            });
            cluster.apply(&Act::Start(host));
        }
        cluster.run_for(SETTLE);
        cluster.forget_story();
        cluster
    }

    /// The eight events. Some undo others, in whatever order they come.
    fn acts(self) -> Vec<Vec<Act>> {
        let (a, b) = (HostId::nth(0), HostId::nth(1));
        let far = port(u8::from(self.grouped));
        let lan = LanId::nth(0);
        let others: Vec<_> = (1..usize::from(self.hosts)).map(HostId::nth).collect();
        let cut =
            others.iter().flat_map(|other| [Act::Cut(lan, a, *other), Act::Cut(lan, *other, a)]).collect();
        vec![
            vec![Act::Crash(a)],
            vec![Act::Start(a)],
            cut,
            vec![Act::Heal(lan)],
            vec![Act::Cable(b, far.clone(), false)],
            vec![Act::Cable(b, far, true)],
            vec![Act::Script(a, "chk".to_owned(), ScriptOutcome::Exited(1))],
            vec![Act::Restart(others.last().copied().unwrap_or(b))],
        ]
    }
}

/// Tries every order; each of them settles at its end.
fn search(world: &World) {
    let (world, acts) = (*world, world.acts());
    let start = world.settled();
    assert!(start.violations().is_empty(), "{:?}", start.violations());
    let next = AtomicUsize::new(0);
    let tried = AtomicUsize::new(0);
    let workers = thread::available_parallelism().map_or(1, usize::from);
    let failed = thread::scope(|scope| {
        let work = || {
            loop {
                let first = next.fetch_add(1, Ordering::Relaxed);
                if first >= acts.len() {
                    return None;
                }
                let mut order = Vec::new();
                if !go_on(&acts, &start, first, &mut order, &tried) {
                    return Some(order);
                }
            }
        };
        let running: Vec<_> = (0..workers).map(|_| scope.spawn(work)).collect();
        running.into_iter().filter_map(|one| one.join().unwrap()).min()
    });
    if let Some(order) = failed {
        panic!("{}", report(world, &acts, &order));
    }
    let orders: usize =
        (1..=acts.len()).map(|length| (acts.len() - length + 1..=acts.len()).product::<usize>()).sum();
    assert_eq!(tried.into_inner(), orders, "every order was tried");
}

/// Does the event `at`, and after it all others in every order. False if a rule was broken; `order` says by which.
fn go_on(
    acts: &[Vec<Act>],
    before: &Cluster,
    at: usize,
    order: &mut Vec<usize>,
    tried: &AtomicUsize,
) -> bool {
    tried.fetch_add(1, Ordering::Relaxed);
    order.push(at);
    let mut cluster = before.clone();
    happen(&mut cluster, &acts[at]);
    if !cluster.run_while_well(cluster.now() + GAP) {
        return false;
    }
    cluster.forget_story();
    let mut end = cluster.clone();
    if !end.run_while_well(end.now() + SETTLE) {
        return false;
    }
    for after in (0..acts.len()).filter(|after| !order.contains(after)).collect::<Vec<_>>() {
        if !go_on(acts, &cluster, after, order, tried) {
            return false;
        }
    }
    order.pop();
    true
}

fn happen(cluster: &mut Cluster, acts: &[Act]) {
    for act in acts {
        cluster.apply(act);
    }
}

fn report(world: World, acts: &[Vec<Act>], order: &[usize]) -> String {
    let mut cluster = world.settled();
    for at in order {
        happen(&mut cluster, &acts[*at]);
        if !cluster.run_while_well(cluster.now() + GAP) {
            break;
        }
    }
    cluster.run_while_well(cluster.now() + SETTLE);
    format!("{world:?}\n{}\n{}{:#?}", world.text(0), cluster.told(), cluster.violations())
}

fn port(lan: u8) -> IfName {
    format!("eth{lan}").parse().unwrap()
}

/// Between two events: less than a master down interval, so that one comes while others still have effects.
const GAP: Duration = Duration::from_millis(600);
/// After the last: more than two master down intervals and a script's turn.
const SETTLE: Duration = Duration::from_secs(5);
