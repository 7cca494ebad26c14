//! What stands behind a virtual address in most of its uses: nginx, and haproxy with servers of its own, on two hosts each.

mod common;

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::time::Duration;

use common::{Node, PATIENCE, World, interface, network, notes_world, router};
use lab::{Cable, Host, Process, wait_until};

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
    if !["/usr/sbin", "/usr/bin"].iter().any(|folder| std::path::Path::new(folder).join(program).exists()) {
        lab::skip(format_args!("{program} is not installed"));
        return None;
    }
    let mut world = notes_world(files)?;
    world.nodes.iter_mut().for_each(Node::kill_service);
    Some(world)
}

fn start_nginx(node: &mut Node) {
    node.service = Some(nginx(&node.host));
}

/// A web server that answers every request with the name of its host.
fn nginx(host: &Host) -> Process {
    let file = format!(
        "daemon off;\nmaster_process off;\npid /run/nginx.pid;\nerror_log stderr;\nevents {{}}\n\
         http {{\n access_log off;\n client_body_temp_path /run/body;\n proxy_temp_path /run/proxy;\n \
         fastcgi_temp_path /run/fastcgi;\n uwsgi_temp_path /run/uwsgi;\n scgi_temp_path /run/scgi;\n \
         server {{\n listen 80;\n return 200 {};\n }}\n}}\n",
        host.name()
    );
    host.write("/run/nginx.conf", &file).expect("a file");
    host.spawn(&["nginx", "-e", "stderr", "-c", "/run/nginx.conf"]).expect("nginx")
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

/// A host behind haproxy.
struct WebServer {
    name: String,
    process: Option<Process>,
    host: Host,
    _cable: Cable,
}

impl WebServer {
    fn start(world: &World, address: &str) -> Self {
        let address: Ipv4Addr = address.parse().expect("an address");
        let name = format!("web{}", address.octets()[3]);
        let host = Host::new(&name).expect("a host");
        let cable = world.lan.connect(&host, &interface(), &[network(address)]).expect("a cable");
        let mut server = Self { name, process: None, host, _cable: cable };
        server.begin();
        server
    }

    fn begin(&mut self) {
        self.process = Some(nginx(&self.host));
    }
}

/// Waits until the client gets the page of `name` from the virtual address.
#[track_caller]
fn assert_serves(world: &World, name: &str) {
    let right = wait_until(PATIENCE, || page(world).as_deref() == Some(name));
    assert!(right, "not {name} but {:?} answers\n{}", page(world), world.logs());
}

/// What the client gets from the virtual address.
fn page(world: &World) -> Option<String> {
    let address = SocketAddr::from((world.vip, 80));
    let answer = world.client.run(|| fetch(address)).expect("a thread on the client").ok()?;
    let (head, body) = answer.split_once("\r\n\r\n")?;
    head.contains(" 200 ").then(|| body.trim().to_owned())
}

fn fetch(address: SocketAddr) -> std::io::Result<String> {
    let patience = Duration::from_millis(500);
    let mut stream = TcpStream::connect_timeout(&address, patience)?;
    stream.set_read_timeout(Some(patience))?;
    stream.write_all(b"GET / HTTP/1.0\r\n\r\n")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    Ok(answer)
}
