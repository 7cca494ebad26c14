//! The founding pair: what the seed's notes describe, on a virtual clock.

use std::time::Duration;

use crate::sim::{Act, Quality};
use crate::{eth, started, well};

const A: &str = "vrrp_instance VI_1 {\n interface eth0\n state MASTER\n virtual_router_id 51\n priority 101\n advert_int 1\n virtual_ipaddress {\n 192.0.2.100/24\n }\n}\n";
const B: &str = "vrrp_instance VI_1 {\n interface eth0\n virtual_router_id 51\n priority 100\n advert_int 1\n virtual_ipaddress {\n 192.0.2.100/24\n }\n}\n";

#[test]
fn each_way_to_fail_moves_the_address_and_breaks_nothing() {
    let (_, lan, hosts) = started(1, &[A, B]);
    let (a, b) = (hosts[0], hosts[1]);
    let secs = Duration::from_secs;
    let failures = [
        (Act::Stop(a), vec![b]),
        (Act::Crash(a), vec![b]),
        (Act::KillDaemon(a), vec![b]),
        (Act::KillWorker(a), vec![a]),
        (Act::Restart(a), vec![a]),
        (Act::Cable(a, eth(), false), vec![b]),
        (Act::Interface(a, eth(), false), vec![b]),
        (Act::Stall(a, secs(8)), vec![a]),
        (Act::ReloadSame(a), vec![a]),
        (Act::Delete(a, [192, 0, 2, 100].into()), vec![a]),
        (Act::Crash(b), vec![a]),
    ];
    for (failure, masters) in failures {
        let (mut cluster, ..) = started(1, &[A, B]);
        well(&cluster);
        assert_eq!(cluster.masters("VI_1"), [a]);
        cluster.apply(&failure);
        cluster.run_for(secs(20));
        well(&cluster);
        assert_eq!(cluster.masters("VI_1"), masters, "{failure:?}\n{}", cluster.told());
    }
    let _ = lan;
}

#[test]
fn a_partition_has_two_masters_and_heals_to_one() {
    let (mut cluster, lan, hosts) = started(2, &[A, B]);
    let (a, b) = (hosts[0], hosts[1]);
    cluster.apply(&Act::Cut(lan, a, b));
    cluster.apply(&Act::Cut(lan, b, a));
    cluster.run_for(Duration::from_secs(20));
    assert_eq!(cluster.masters("VI_1"), [a, b]);
    cluster.apply(&Act::Heal(lan));
    cluster.run_for(Duration::from_secs(20));
    assert_eq!(cluster.masters("VI_1"), [a]);
    well(&cluster);
}

#[test]
fn the_same_seed_gives_the_same_run_to_the_byte() {
    let run = |seed| {
        let (mut cluster, lan, hosts) = started(seed, &[A, B]);
        cluster.record_all();
        let quality =
            Quality { loss: 20, jitter: Duration::from_millis(300), duplication: 10, ..Quality::GOOD };
        cluster.apply(&Act::Quality(lan, quality));
        cluster.run_for(Duration::from_secs(60));
        cluster.apply(&Act::Crash(hosts[0]));
        cluster.run_for(Duration::from_secs(60));
        cluster.told()
    };
    assert_eq!(run(3), run(3));
    assert_ne!(run(3), run(4));
}
