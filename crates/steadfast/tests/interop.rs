//! With Debian's keepalived as the other host, in either role: each follows the other, and a third program finds nothing
//! to remark on what we send.

mod common;

use std::process::Command;
use std::thread;
use std::time::Duration;

use common::{PATIENCE, World, world};
use lab::{now, wait_until};

const KEEPALIVED: &str = "/usr/sbin/keepalived";
const ADDRESSES: [&str; 2] = ["192.168.0.86", "192.168.0.14"];

/// Which of the two hosts, the better one first, runs Steadfast.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Role {
    Master,
    Backup,
}

/// How the two hosts speak.
#[derive(Clone, Copy, Debug)]
struct Dialect {
    version: u8,
    interval: &'static str,
    password: bool,
    unicast: bool,
}

const V2: Dialect = Dialect { version: 2, interval: "1", password: false, unicast: false };
const V3: Dialect = Dialect { version: 3, interval: "0.2", password: false, unicast: false };

#[test]
fn version_2_multicast() {
    both_roles(V2);
}

#[test]
fn version_2_multicast_with_password() {
    both_roles(Dialect { password: true, ..V2 });
}

#[test]
fn version_2_unicast_with_password() {
    both_roles(Dialect { password: true, unicast: true, ..V2 });
}

#[test]
fn version_2_unicast() {
    both_roles(Dialect { unicast: true, ..V2 });
}

#[test]
fn version_3_multicast() {
    both_roles(V3);
}

#[test]
fn version_3_unicast() {
    both_roles(Dialect { unicast: true, ..V3 });
}

#[track_caller]
fn both_roles(dialect: Dialect) {
    if !std::fs::exists(KEEPALIVED).unwrap() {
        assert!(std::env::var_os("STEADFAST_REQUIRE_NETNS").is_none(), "keepalived is required");
        eprintln!("SKIPPED: keepalived is not installed");
        return;
    }
    thread::scope(|scope| {
        for role in [Role::Master, Role::Backup] {
            scope.spawn(move || one_role(dialect, role));
        }
    });
}

fn one_role(dialect: Dialect, role: Role) {
    let Some(mut world) = world(ADDRESSES, "192.168.0.100", files(dialect)) else { return };
    let ours = usize::from(role == Role::Backup);
    let start = |world: &mut World, index: usize| {
        let node = &mut world.nodes[index];
        let program = if index == ours { env!("CARGO_BIN_EXE_steadfast") } else { KEEPALIVED };
        node.start_program(program);
    };
    start(&mut world, 0);
    start(&mut world, 1);
    world.wait_for_master(0);
    let client = world.ask();

    // The master says that it stops, and the backup follows.
    let begin = now();
    world.nodes[0].stop();
    let release = world.advert_with(0, begin, 0);
    world.wait_for_master(1);
    let takeover = world.adverts_of(1, begin, 1).remove(0);
    let waited = takeover.at.since(release.at);
    assert!(waited < Duration::from_secs(1), "{dialect:?}, ours is {role:?}: {waited:?}\n{}", world.logs());

    // It comes back and takes over again; the other one yields.
    start(&mut world, 0);
    world.wait_for_master(0);

    // It vanishes, and its silence is noticed.
    world.nodes[0].daemon().kill_tree();
    let followed = wait_until(PATIENCE, || world.nodes[1].holds(world.vip));
    assert!(followed, "{dialect:?}, ours is {role:?}\n{}", world.logs());
    world.wait_for_belief(1);
    assert!(client.answered_since(begin) > 0);
    assert_unremarkable(&world, ours);
}

/// Wireshark's experts have no warning about any VRRP or ARP frame of ours.
#[track_caller]
fn assert_unremarkable(world: &World, ours: usize) {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("lan.pcap");
    world.sniffer.write_pcap(&file).unwrap();
    // "Duplicate use" of an address that moves from host to host is what ARP looks like from outside.
    let filter = format!(
        "eth.src == {} && (vrrp || arp) && _ws.expert.severity >= warning && !arp.duplicate-address-detected",
        world.nodes[ours].mac
    );
    let output = match Command::new("tshark").arg("-r").arg(&file).args(["-V", "-Y", &filter]).output() {
        Ok(output) => output,
        Err(error) => {
            assert!(std::env::var_os("STEADFAST_REQUIRE_NETNS").is_none(), "tshark is required: {error}");
            eprintln!("SKIPPED: tshark is not installed");
            return;
        }
    };
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let remarks = String::from_utf8_lossy(&output.stdout);
    assert!(remarks.is_empty(), "{remarks}");
}

fn files(dialect: Dialect) -> [String; 2] {
    let [first, second] = ADDRESSES;
    [file(dialect, 150, first, second), file(dialect, 100, second, first)]
}

fn file(dialect: Dialect, priority: u8, own: &str, peer: &str) -> String {
    let Dialect { version, interval, .. } = dialect;
    let password = "authentication {\n auth_type PASS\n auth_pass 1111\n }\n";
    let password = if dialect.password { password } else { "" };
    let unicast = format!("unicast_src_ip {own}\n unicast_peer {{\n {peer}\n }}\n");
    let unicast = if dialect.unicast { &unicast } else { "" };
    format!(
        "vrrp_instance VI_1 {{
            state BACKUP
            interface eth1
            virtual_router_id 51
            version {version}
            priority {priority}
            advert_int {interval}
            {password}{unicast}
            virtual_ipaddress {{
                192.168.0.100
            }}
        }}\n"
    )
}
