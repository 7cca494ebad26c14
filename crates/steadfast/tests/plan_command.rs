//! `steadfast plan`: what it foretells is what the reload then does, and asking disturbs nobody.

mod common;

use common::{Node, PATIENCE, ROUTER_INTERVAL, World, notes_world, router};
use lab::{now, wait_until};

fn file(priority: u8, more_addresses: &str) -> String {
    router("V", 51, priority, &format!("192.168.0.100\n{more_addresses}"), "")
}

/// Runs `steadfast plan` on that host; what it says, and its status.
#[track_caller]
fn plan(node: &Node, arguments: &[&str]) -> (String, i32) {
    let command = [&[env!("CARGO_BIN_EXE_steadfast"), "plan"], arguments].concat();
    let mut asked = node.host.spawn(&command).expect("the command starts");
    let status = asked.wait(PATIENCE).expect("it ends");
    (asked.log().expect("what it says"), status.code().expect("no signal"))
}

fn settled() -> Option<World> {
    let mut world = notes_world([file(120, ""), file(100, "")])?;
    world.settle();
    Some(world)
}

#[test]
fn an_address_more_is_foretold_as_it_comes() {
    let Some(mut world) = settled() else { return };
    let node = &world.nodes[0];
    assert_eq!(plan(node, &[]), ("Nothing would change.\n".to_owned(), 0));
    let since = now();
    node.host.write("/run/new.conf", &file(120, "192.168.0.101")).unwrap();
    let (said, status) = plan(node, &["/run/new.conf"]);
    assert!(said.contains("goes on as MASTER") && said.contains("adds 192.168.0.101/32 on eth1"), "{said}");
    assert_eq!(status, 0, "{said}");
    assert!(!node.host.holds("192.168.0.101".parse().unwrap()), "a plan does nothing");
    assert!(!node.log().contains("Reloading"), "{}", node.log());

    node.configure(&file(120, "192.168.0.101"));
    let after = node.log().len();
    world.nodes[0].daemon().hang_up().unwrap();
    let node = &world.nodes[0];
    assert!(wait_until(PATIENCE, || node.host.holds("192.168.0.101".parse().unwrap())), "{}", world.logs());
    world.adverts_of(0, since, 5);
    assert!(!node.log()[after..].contains("STATE"), "{}", world.logs());
    world.assert_regular(0, since, ROUTER_INTERVAL);
}

#[test]
fn a_move_and_a_flap_are_foretold() {
    let Some(world) = settled() else { return };
    let [master, backup] = &world.nodes;
    master.host.write("/run/new.conf", &file(90, "")).unwrap();
    let (said, status) = plan(master, &["/run/new.conf"]);
    assert!(said.contains("a backup with a priority above 90 takes over"), "{said}");
    assert_eq!(status, 3, "{said}");
    backup.host.write("/run/new.conf", &file(150, "")).unwrap();
    let (said, status) = plan(backup, &["/run/new.conf"]);
    assert!(said.contains("takes over from 192.168.0.86, priority 120"), "{said}");
    assert_eq!(status, 3, "{said}");
    master.host.write("/run/new.conf", &file(120, "").replace("51", "52")).unwrap();
    let (said, status) = plan(master, &["--json", "/run/new.conf"]);
    assert!(
        said.contains(r#""disturbance": "flaps""#) && said.contains("gives up 192.168.0.100/32"),
        "{said}"
    );
    assert_eq!(status, 4, "{said}");
    world.wait_for_master(0);
}

#[test]
fn a_file_that_a_reload_would_refuse_is_refused() {
    let Some(world) = settled() else { return };
    let node = &world.nodes[0];
    for (text, why) in [
        (file(120, "").replace("virtual_router_id", "virtual_rooter_id"), "virtual_rooter_id"),
        (file(120, "").replace("eth1", "eht1"), "no interface `eht1`"),
        (String::new(), "configures nothing"),
        (format!("{}\nvrrp_instance W {{", file(120, "")), "W"),
    ] {
        node.host.write("/run/new.conf", &text).unwrap();
        let (said, status) = plan(node, &["/run/new.conf"]);
        assert!(said.contains("REFUSED") && said.contains(why), "{why}: {said}");
        assert_eq!(status, 1, "{said}");
    }
    let (said, status) = plan(node, &["/run/nowhere.conf"]);
    assert!(said.contains("cannot read") && status == 1, "{said}");
    world.wait_for_master(0);
}

#[test]
fn nobody_answers_where_no_daemon_runs() {
    let Some(mut world) = settled() else { return };
    let (said, status) = plan(&world.nodes[0], &["-p", "/run/other.pid"]);
    assert!(said.contains("no daemon of this user takes questions at /run/other.sock"), "{said}");
    assert_eq!(status, 1);
    world.nodes[0].daemon().kill_tree();
    let (said, status) = plan(&world.nodes[0], &[]);
    assert!(said.contains("no daemon of this user takes questions at /run/keepalived.sock"), "{said}");
    assert_eq!(status, 1);
    // The name that the killed one left is taken over.
    world.nodes[0].start();
    assert!(wait_until(PATIENCE, || plan(&world.nodes[0], &[]).1 == 0), "{}", world.logs());
}

#[test]
fn who_asks_nothing_holds_nobody_up() {
    let Some(world) = settled() else { return };
    let since = now();
    let path = world.nodes[0].host.path("/run/keepalived.sock");
    let idle: Vec<_> = (0..20).map(|_| sys::ipc::Channel::connect(&path).expect("it listens")).collect();
    idle[19].send(b"nonsense", None).map(drop).expect("somebody is there");
    assert!(wait_until(PATIENCE, || plan(&world.nodes[0], &[]).1 == 0), "{}", world.logs());
    world.adverts_of(0, since, 3);
    world.assert_regular(0, since, ROUTER_INTERVAL);
    drop(idle);
}

#[test]
fn what_becomes_of_virtual_servers_and_their_real_servers_is_foretold() {
    let server = |port: u16, more: &str| {
        format!("real_server 127.0.0.1 {port} {{\n{more}\nTCP_CHECK {{\nconnect_timeout 1\n}}\n}}\n")
    };
    let service = |port: u16, servers: &str| {
        format!(
            "virtual_server 192.0.2.1 {port} {{\nlvs_sched rr\nlvs_method NAT\nprotocol TCP\n{servers}}}\n"
        )
    };
    let drained = "steadfast {\ndrain 30\n}";
    let now = service(80, &(server(8001, "") + &server(8002, "") + &server(8003, drained)));
    let Some(mut world) = notes_world([now.clone() + &service(81, &server(8001, "")), String::new()]) else {
        return;
    };
    world.nodes[0].start();
    let node = &world.nodes[0];
    let ready = || node.log().contains("Activating healthchecker");
    assert!(wait_until(PATIENCE, ready), "{}", node.log());
    assert_eq!(plan(node, &[]), ("Nothing would change.\n".to_owned(), 0));

    node.host.write("/run/new.conf", &service(80, &(server(8002, "weight 3") + &server(8004, "")))).unwrap();
    let (said, status) = plan(node, &["/run/new.conf"]);
    let wanted = "~ virtual server [192.0.2.1]:tcp:81 goes\n      connections to it end at once\n\
                  ~ virtual server [192.0.2.1]:tcp:80 changes\n      [127.0.0.1]:tcp:8001 goes: connections to it end at once\n      \
                  [127.0.0.1]:tcp:8003 is drained for 30 seconds\n      \
                  [127.0.0.1]:tcp:8002: weight 1 becomes 3\n      adds [127.0.0.1]:tcp:8004\n";
    assert!(said.starts_with(wanted), "{said}");
    assert_eq!(status, 3, "{said}");

    let otherwise = now.replace("lvs_sched rr", "lvs_sched wrr\npersistence_timeout 60");
    node.host.write("/run/new.conf", &(otherwise + &service(81, &server(8001, "")))).unwrap();
    let (said, status) = plan(node, &["/run/new.conf"]);
    let wanted = "  virtual server [192.0.2.1]:tcp:80 changes\n      scheduler rr becomes wrr\n      \
                  persistence_timeout none becomes 60s\nNobody would notice the reload.\n";
    assert_eq!((said.as_str(), status), (wanted, 0));

    let more = now + &service(81, &server(8001, "")) + &service(82, &server(8005, ""));
    node.host.write("/run/new.conf", &more).unwrap();
    let (said, status) = plan(node, &["/run/new.conf"]);
    assert!(
        said.starts_with("  virtual server [192.0.2.1]:tcp:82 comes\n      adds [127.0.0.1]:tcp:8005\n"),
        "{said}"
    );
    assert_eq!(status, 0, "{said}");
}
