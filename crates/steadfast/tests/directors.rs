//! Two directors that share a virtual address, real servers behind it, and a client: load balancing together with VRRP.

mod common;

use common::web::{WebServer, assert_serves, is_installed, page};
use common::{Node, PATIENCE, World, has_ipvs, notes_world, router};
use lab::wait_until;

const VIP: &str = "192.168.0.100";

#[test]
fn the_pool_is_served_whichever_director_lives() {
    let Some((mut world, [mut one, mut two, sorry])) = directors() else { return };
    world.settle();
    assert_serves_each(&world, &[&one, &two]);

    one.process = None;
    assert_serves_only(&world, &two);
    two.process = None;
    assert_serves_only(&world, &sorry);
    one.begin();
    assert_serves_only(&world, &one);
    two.begin();
    assert_serves_each(&world, &[&one, &two]);

    world.nodes[0].daemon().kill_tree();
    world.wait_for_belief(1);
    assert_serves_each(&world, &[&one, &two]);
    two.process = None;
    assert_serves_only(&world, &one);

    // What the killed daemon left in its kernel's table is old: the next one must not trust it.
    world.nodes[0].start();
    world.wait_for_master(0);
    assert_serves_only(&world, &one);
    two.begin();
    assert_serves_each(&world, &[&one, &two]);

    world.nodes[0].stop();
    world.wait_for_master(1);
    assert_serves_each(&world, &[&one, &two]);
    assert_eq!(table(&world.nodes[0]).lines().count(), 3, "only its head: {}", table(&world.nodes[0]));
}

/// Two directors with one pool of two servers, and a sorry server, which answer clients themselves.
fn directors() -> Option<(World, [WebServer; 3])> {
    if !has_ipvs() || !is_installed("nginx") {
        return None;
    }
    let pool = ["192.168.0.21", "192.168.0.22"].map(|address| {
        format!("real_server {address} 80 {{\n TCP_CHECK {{\n connect_timeout 1\n retry 0\n }}\n }}\n")
    });
    let service = format!(
        "virtual_server {VIP} 80 {{\n delay_loop 0.5\n lb_algo rr\n lb_kind DR\n protocol TCP\n \
         sorry_server 192.168.0.23 80\n {} }}\n",
        pool.concat()
    );
    let mut world =
        notes_world([120, 100].map(|priority| router("DIRECTOR", 51, priority, VIP, "") + &service))?;
    world.nodes.iter_mut().for_each(Node::kill_service);
    let servers = ["192.168.0.21", "192.168.0.22", "192.168.0.23"].map(|address| behind(&world, address));
    Some((world, servers))
}

/// A server that takes packets to the virtual address, and says nothing of it to the LAN.
fn behind(world: &World, address: &str) -> WebServer {
    let server = WebServer::start(world, address);
    let quiet = "cd /proc/sys/net/ipv4/conf/all && echo 1 >arp_ignore && echo 2 >arp_announce";
    let line = format!("{quiet} && ip address add {VIP}/32 dev lo");
    let mut shell = server.host.spawn(&["/bin/sh", "-c", &line]).expect("a shell");
    let status = shell.wait(PATIENCE).expect("it ends");
    assert!(status.success(), "{}", shell.log().expect("a log"));
    server
}

#[track_caller]
fn assert_serves_each(world: &World, servers: &[&WebServer]) {
    servers.iter().for_each(|server| assert_serves(world, &server.name));
}

/// Waits until every page comes from this server, more often than there are servers.
#[track_caller]
fn assert_serves_only(world: &World, server: &WebServer) {
    let only = || (0..6).all(|_| page(world).as_deref() == Some(&server.name));
    let tables = || world.nodes.each_ref().map(table).concat();
    assert!(wait_until(PATIENCE, only), "not only {}\n{}{}", server.name, tables(), world.logs());
}

/// The kernel's table on this host.
fn table(node: &Node) -> String {
    std::fs::read_to_string(format!("/proc/{}/net/ip_vs", node.host.pid())).expect("a kernel with IPVS")
}
