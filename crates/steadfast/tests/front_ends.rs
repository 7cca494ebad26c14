//! What stands behind a virtual address in most of its uses: nginx, and haproxy with servers of its own, on two hosts each.

mod common;

use common::web::{WebServer, assert_serves, nginx, page};
use common::{Node, PATIENCE, World, notes_world, router};
use lab::wait_until;

const VIP: &str = "192.168.0.100";

#[test]
fn the_address_follows_a_living_nginx() {
    let script = "vrrp_script nginx {\n script \"/usr/bin/pgrep -x nginx\"\n interval 1\n fall 2\n rise 1\n weight -30\n}\n";
    let file = |priority| script.to_owned() + &router("WEB", 51, priority, VIP, "track_script {\n nginx\n }");
    let Some(mut world) = front_ends([120, 100].map(file), "nginx") else { return };
    for node in &mut world.nodes {
        start_nginx(node);
    }
    world.settle();
    assert_serves(&world, "a");

    world.nodes[0].kill_service();
    world.wait_for_master(1);
    assert_serves(&world, "b");

    start_nginx(&mut world.nodes[0]);
    world.wait_for_master(0);
    assert_serves(&world, "a");

    world.nodes[0].daemon().kill_tree();
    world.wait_for_belief(1);
    assert_serves(&world, "b");
}

#[test]
fn the_address_follows_a_living_haproxy_whose_servers_come_and_go() {
    let process = "vrrp_track_process haproxy {\n process haproxy\n}\n";
    let file =
        |priority| process.to_owned() + &router("LB", 52, priority, VIP, "track_process {\n haproxy\n }");
    let Some(mut world) = front_ends([120, 100].map(file), "haproxy") else { return };
    let mut servers = ["192.168.0.21", "192.168.0.22"].map(|address| WebServer::start(&world, address));
    for node in &mut world.nodes {
        start_haproxy(node);
    }
    world.settle();
    let both = servers.each_ref().map(|server| server.name.clone());
    both.iter().for_each(|name| assert_serves(&world, name));

    // One server less: haproxy's matter, no address moves.
    servers[0].process = None;
    let alone = || (0..6).all(|_| page(&world).as_ref() == Some(&both[1]));
    assert!(wait_until(PATIENCE, alone), "{:?}\n{}", page(&world), world.logs());
    assert!(world.nodes[0].holds(world.vip));
    servers[0].begin();
    assert_serves(&world, &both[0]);

    world.nodes[0].kill_service();
    world.wait_for_master(1);
    both.iter().for_each(|name| assert_serves(&world, name));

    start_haproxy(&mut world.nodes[0]);
    world.wait_for_master(0);
    both.iter().for_each(|name| assert_serves(&world, name));
}

/// Two hosts that are to run `program` for real.
fn front_ends(files: [String; 2], program: &str) -> Option<World> {
    if !common::web::is_installed(program) {
        return None;
    }
    let mut world = notes_world(files)?;
    world.nodes.iter_mut().for_each(Node::kill_service);
    Some(world)
}

fn start_nginx(node: &mut Node) {
    node.service = Some(nginx(&node.host));
}

fn start_haproxy(node: &mut Node) {
    let file = "defaults\n mode http\n timeout connect 1s\n timeout client 5s\n timeout server 5s\n retries 3\n \
        option redispatch\nfrontend web\n bind *:80\n default_backend servers\n\
        backend servers\n balance roundrobin\n option httpchk GET /\n \
        server one 192.168.0.21:80 check inter 200ms fall 2 rise 1\n \
        server two 192.168.0.22:80 check inter 200ms fall 2 rise 1\n";
    node.host.write("/run/haproxy.cfg", file).expect("a file");
    node.service = Some(node.host.spawn(&["haproxy", "-db", "-f", "/run/haproxy.cfg"]).expect("haproxy"));
}
