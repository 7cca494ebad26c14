//! A director between a client and real servers, and every way to reach those.

use std::fmt::Write as _;
use std::net::{IpAddr, SocketAddr};

use lab::{Host, wait_until};
use model::{Family, Prefix};

use crate::common::{Node, PATIENCE, World, has_ipvs, interface, notes_world};
use crate::pool::{Connection, Question, Server};

/// How packets come to the real servers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    Nat,
    Direct,
    IpIp,
    Gre,
    Gue,
}

impl Way {
    /// As a configuration has it.
    fn method(self) -> &'static str {
        match self {
            Self::Nat => "NAT",
            Self::Direct => "DR",
            Self::IpIp => "TUN",
            Self::Gre => "TUN type gre",
            Self::Gue => "TUN type gue port 6080",
        }
    }

    /// The interface of a real server on which tunnelled packets appear, and what makes it.
    fn tunnel(self, family: Family) -> Option<(&'static str, &'static str)> {
        Some(match (self, family) {
            (Self::Nat | Self::Direct, _) => return None,
            (Self::IpIp, Family::V4) => ("tunl0", "modprobe ipip"),
            (Self::IpIp, Family::V6) => ("ip6tnl0", "modprobe ip6_tunnel"),
            (Self::Gre, Family::V4) => ("gre0", "modprobe ip_gre"),
            (Self::Gre, Family::V6) => ("ip6gre0", "modprobe ip6_gre"),
            (Self::Gue, Family::V4) => ("tunl0", "modprobe -a ipip fou; ip fou add port 6080 gue"),
            (Self::Gue, Family::V6) => {
                ("ip6tnl0", "modprobe -a ip6_tunnel fou fou6; ip -6 fou add port 6080 gue")
            }
        })
    }
}

/// The mark of what is asked at port 90.
const MARK: u32 = 7;

/// A director, a client, and two real servers and a sorry server behind it, all of them on one LAN; the client knows no
/// way to the addresses of the servers.
pub(crate) struct Network {
    pub(crate) world: World,
    pub(crate) servers: [Server; 3],
    pub(crate) way: Way,
    pub(crate) family: Family,
    pub(crate) vip: IpAddr,
}

/// Their names.
pub(crate) const ONE: &str = "one";
pub(crate) const TWO: &str = "two";
pub(crate) const SORRY: &str = "sorry";

impl Network {
    /// Nothing is started yet but the servers.
    pub(crate) fn new(way: Way, family: Family) -> Option<Self> {
        if !has_ipvs() {
            return None;
        }
        let mut world = notes_world([String::new(), String::new()])?;
        world.nodes.iter_mut().for_each(Node::kill_service);
        let vip = front(family, 100);
        let servers = [(ONE, 21), (TWO, 22), (SORRY, 23)].map(|(name, number)| {
            let host = Host::new(name).expect("a host");
            let cable = world.lan.connect(&host, &interface(), &[]).expect("a cable");
            let mut server = Server::new(host, cable);
            server.addresses.push(back(family, number));
            server
        });
        let mut network = Self { world, servers, way, family, vip };
        network.lay_out();
        network.servers.iter_mut().for_each(Server::begin);
        Some(network)
    }

    /// Addresses and ways.
    fn lay_out(&mut self) {
        let (family, vip) = (self.family, self.vip);
        let mut director = format!(
            "{FORWARD}; ip addr add {} dev eth1; ip addr add {} dev eth1; ",
            long(family, front(family, 86)),
            long(family, back(family, 1)),
        );
        write!(director, "ip addr add {vip} dev eth1; tc qdisc add dev eth1 ingress; ").expect("a String");
        let (protocol, word) = match family {
            Family::V4 => ("ip", "ip"),
            Family::V6 => ("ipv6", "ip6"),
        };
        write!(
            director,
            "tc filter add dev eth1 parent ffff: protocol {protocol} u32 match {word} dport 90 0xffff \
             match {word} dst {vip} action skbedit mark {MARK}"
        )
        .expect("a String");
        // Two of the addresses may be there already.
        director = director.replace("ip addr add", "ip addr replace");
        shell(&self.world.nodes[0].host, &director);
        shell(&self.world.client, &format!("ip addr replace {} dev eth1", long(family, front(family, 200))));
        for (number, server) in (21..).zip(&mut self.servers) {
            let line = lay_out_server(self.way, family, vip, number);
            shell(&server.host, &line);
            if self.way != Way::Nat {
                server.addresses.push(vip);
            }
        }
    }

    /// The three services, each with both servers: `one` has three times the weight of `two`.
    pub(crate) fn file(&self) -> String {
        let pool = [(self.back(21), 3), (self.back(22), 1)];
        let marked = if self.family == Family::V6 { "ip_family inet6" } else { "" };
        // Only who translates addresses may change the port.
        let (port, marked_port) = if self.way == Way::Nat { ("8080", "90") } else { ("80", "") };
        [
            self.service(&format!("{} 80", self.vip), "protocol TCP", port, &pool),
            self.service(&format!("{} 53", self.vip), "protocol UDP", "53", &pool),
            self.service(&format!("fwmark {MARK}"), marked, marked_port, &pool),
        ]
        .concat()
    }

    /// A virtual server with these servers and weights, all on one port.
    pub(crate) fn service(&self, head: &str, more: &str, port: &str, pool: &[(IpAddr, u32)]) -> String {
        let check = if more.contains("UDP") { "UDP_CHECK" } else { "TCP_CHECK" };
        let place = if port.is_empty() { "connect_port 90" } else { "" };
        let reply = if check == "UDP_CHECK" { "require_reply" } else { "" };
        let mut text = format!(
            "virtual_server {head} {{\ndelay_loop 0.2\nlvs_sched wrr\nlvs_method {}\n{more}\n\
             sorry_server {} {port}\n",
            self.way.method(),
            self.back(23)
        );
        for (address, weight) in pool {
            writeln!(
                text,
                "real_server {address} {port} {{\nweight {weight}\n\
                 {check} {{\nconnect_timeout 1\nretry 0\n{place}{reply}\n}}\n}}"
            )
            .expect("a String takes everything");
        }
        text + "}\n"
    }

    /// The address of the server of this number.
    pub(crate) fn back(&self, number: u8) -> IpAddr {
        back(self.family, number)
    }

    /// The first of the services alone, with these servers and no sorry server, and what more is said of it.
    pub(crate) fn plain(&self, more: &str, numbers: &[u8]) -> String {
        let pool: Vec<_> = numbers.iter().map(|&number| (self.back(number), 1)).collect();
        let text = self.service(&format!("{} 80", self.vip), &format!("protocol TCP\n{more}"), "8080", &pool);
        text.replace(&format!("sorry_server {} 8080\n", self.back(23)), "")
    }

    /// Opens a connection to the first service.
    pub(crate) fn connect(&self) -> Connection {
        let open = || Connection::open(SocketAddr::new(self.vip, 80));
        self.world
            .client
            .run(open)
            .expect("the client")
            .unwrap_or_else(|error| panic!("{error}\n{}", self.story()))
    }

    /// Reads this file from now on.
    pub(crate) fn reload(&mut self, file: &str) {
        self.world.nodes[0].configure(file);
        self.director().daemon().hang_up().expect("the daemon runs");
    }

    /// One for each service: by address over TCP and UDP, by mark.
    pub(crate) fn questions(&self) -> [Question; 3] {
        let at = |port| SocketAddr::new(self.vip, port);
        [Question::Tcp(at(80)), Question::Udp(at(53)), Question::Tcp(at(90))]
    }

    pub(crate) fn director(&mut self) -> &mut Node {
        &mut self.world.nodes[0]
    }

    /// Services and servers, as ipvsadm shows them.
    pub(crate) fn table(&self) -> String {
        self.ipvsadm(&["-Ln"])
    }

    /// Waits until the table has each of these servers so many times.
    #[track_caller]
    pub(crate) fn wait_for_servers(&self, times: &[(u8, usize)]) {
        let right = || {
            let table = self.table();
            times.iter().all(|&(number, times)| {
                let server = SocketAddr::new(self.back(number), 0).to_string();
                table.matches(&format!("-> {}", server.trim_end_matches('0'))).count() == times
            })
        };
        assert!(wait_until(PATIENCE, right), "{times:?}\n{}", self.story());
    }

    fn ipvsadm(&self, arguments: &[&str]) -> String {
        let argv = [&["ipvsadm"], arguments].concat();
        let mut process = self.world.nodes[0].host.spawn(&argv).expect("ipvsadm");
        process.wait(PATIENCE).expect("it ends");
        process.log().expect("its output")
    }

    /// What to show when something went wrong.
    pub(crate) fn story(&self) -> String {
        let counts = self.ipvsadm(&["-Ln", "--stats"]);
        format!("{:?} {:?}\n{counts}\n{}", self.way, self.family, self.world.nodes[0].log())
    }
}

const FORWARD: &str = "echo 1 > /proc/sys/net/ipv4/ip_forward; echo 0 > /proc/sys/net/ipv4/conf/all/send_redirects; \
     echo 0 > /proc/sys/net/ipv4/conf/eth1/send_redirects; echo 1 > /proc/sys/net/ipv6/conf/all/forwarding";

/// What a real server does to get packets, and to answer them.
fn lay_out_server(way: Way, family: Family, vip: IpAddr, number: u8) -> String {
    let mut line = format!(
        "cd /proc/sys/net; echo 0 > ipv6/conf/eth1/accept_redirects; ip addr add {} dev eth1; ",
        long(family, back(family, number))
    );
    if way == Way::Nat {
        let option = if family == Family::V6 { "-6 " } else { "" };
        write!(line, "ip {option}route add default via {}", back(family, 1)).expect("a String");
        return line;
    }
    let (link, make) = way.tunnel(family).unwrap_or(("lo", "true"));
    write!(
        line,
        "ip addr add {} dev eth1; echo 1 > ipv4/conf/all/arp_ignore; echo 2 > ipv4/conf/all/arp_announce; {make}; \
         ip link set {link} up; ip addr add {vip} dev {link}; for one in all {link}; do \
         echo 0 > ipv4/conf/$one/rp_filter; done",
        long(family, front(family, number))
    )
    .expect("a String");
    line
}

/// On the client's side.
fn front(family: Family, number: u8) -> IpAddr {
    match family {
        Family::V4 => IpAddr::from([192, 168, 0, number]),
        Family::V6 => IpAddr::from([0xfd00, 1, 0, 0, 0, 0, 0, u16::from(number)]),
    }
}

/// On the servers' side.
fn back(family: Family, number: u8) -> IpAddr {
    match family {
        Family::V4 => IpAddr::from([10, 0, 0, number]),
        Family::V6 => IpAddr::from([0xfd00, 2, 0, 0, 0, 0, 0, u16::from(number)]),
    }
}

/// With the length of its network.
fn long(family: Family, address: IpAddr) -> Prefix {
    let length = if family == Family::V4 { 24 } else { 64 };
    Prefix::new(address, length).expect("a prefix")
}

/// Runs a line to its end, every part of which must succeed.
#[track_caller]
fn shell(host: &Host, line: &str) {
    let mut shell = host.spawn(&["/bin/sh", "-e", "-c", line]).expect("a shell");
    let status = shell.wait(PATIENCE).expect("it ends");
    assert!(status.success(), "{}: {line}: {}", host.name(), shell.log().expect("a log"));
}
