//! Two hosts and a client on a LAN, as in the notes that this project began with.
#![allow(dead_code, reason = "each test file uses a part of it")]

pub(crate) mod stranger;
pub(crate) mod web;

use std::net::Ipv4Addr;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use lab::{Cable, Client, Heard, Host, Lan, Process, Sniffer, now, wait_for, wait_until};
use model::{IfName, Instant, MacAddr, Prefix, Priority};

/// Longer than anything here takes: start with a check script, then a master down interval of 8 seconds.
pub(crate) const PATIENCE: Duration = Duration::from_secs(25);
/// The protocol's bounds are exact; this is for a busy machine.
pub(crate) const GRACE: Duration = Duration::from_millis(500);

/// The files of the two hosts as they stand in the notes; only the path of the check script is another.
pub(crate) fn notes() -> [String; 2] {
    [include_str!("../notes/master.conf"), include_str!("../notes/backup.conf")]
        .map(|text| text.replace("/etc/keepalived/check_nginx.sh", "/run/check_nginx.sh"))
}

/// The same with one interval on both sides.
pub(crate) fn notes_in_step() -> [String; 2] {
    notes().map(|text| text.replace("advert_int 2", "advert_int 1"))
}

/// The file of one router on `eth1` in version 3, with three advertisements in a second so that tests are short.
pub(crate) fn router(name: &str, vrid: u8, priority: u8, vip: &str, more: &str) -> String {
    format!(
        "vrrp_instance {name} {{
            interface eth1
            virtual_router_id {vrid}
            version 3
            advert_int 0.3
            priority {priority}
            virtual_ipaddress {{
                {vip}
            }}
            {more}
        }}\n"
    )
}

/// `advert_int` of [`router`].
pub(crate) const ROUTER_INTERVAL: Duration = Duration::from_millis(300);

/// The hosts of the notes with [`router`]s of priorities 120 and 100, not started yet.
pub(crate) fn quick_world() -> Option<World> {
    notes_world([120, 100].map(|priority| router("V", 51, priority, "192.168.0.100", "")))
}

/// A network of hosts, the first of which is meant to be master.
pub(crate) struct World {
    pub(crate) sniffer: Sniffer,
    pub(crate) nodes: [Node; 2],
    pub(crate) client: Host,
    pub(crate) vip: Ipv4Addr,
    _client_cable: Cable,
    pub(crate) lan: Lan,
}

/// A host that runs the daemon.
pub(crate) struct Node {
    pub(crate) host: Host,
    pub(crate) cable: Cable,
    pub(crate) address: Ipv4Addr,
    pub(crate) mac: MacAddr,
    pub(crate) daemon: Option<Process>,
    pub(crate) service: Option<Process>,
}

/// The hosts of the notes with these files, not started yet; `None` where namespaces are not permitted.
pub(crate) fn notes_world(files: [String; 2]) -> Option<World> {
    world(["192.168.0.86", "192.168.0.14"], "192.168.0.100", files)
}

/// Whether the kernel has IPVS; if not, that the test is skipped has been said.
pub(crate) fn has_ipvs() -> bool {
    // It may be a module that nobody has asked for yet.
    Command::new("modprobe").args(["-q", "ip_vs"]).status().ok();
    let found = Path::new("/proc/net/ip_vs").exists();
    if !found {
        lab::skip_for_kernel("no IPVS");
    }
    found
}

/// Two hosts with these addresses and files and a client, nothing started yet.
pub(crate) fn world(addresses: [&str; 2], vip: &str, files: [String; 2]) -> Option<World> {
    let lan = match Lan::new() {
        Ok(lan) => lan,
        Err(error) => {
            lab::skip(error);
            return None;
        }
    };
    let vip: Ipv4Addr = vip.parse().expect("an address");
    let [a, b] = addresses.map(|address| address.parse::<Ipv4Addr>().expect("an address"));
    let [first, second] = files;
    let nodes = [Node::new(&lan, "a", a, &first), Node::new(&lan, "b", b, &second)];
    let client = Host::new("client").expect("a client");
    let [n0, n1, n2, _] = vip.octets();
    let own = network(Ipv4Addr::new(n0, n1, n2, 200));
    let cable = lan.connect(&client, &interface(), &[own]).expect("a cable");
    let sniffer = lan.sniff().expect("a sniffer");
    Some(World { sniffer, nodes, client, vip, _client_cable: cable, lan })
}

pub(crate) fn interface() -> IfName {
    "eth1".parse().expect("a name")
}

pub(crate) fn network(address: Ipv4Addr) -> Prefix {
    Prefix::new(address.into(), 24).expect("a prefix")
}

impl Node {
    fn new(lan: &Lan, name: &str, address: Ipv4Addr, file: &str) -> Self {
        let host = Host::new(name).expect("a host");
        let cable = lan.connect(&host, &interface(), &[network(address)]).expect("a cable");
        host.write("/run/keepalived.conf", file).expect("a file");
        host.write_script("/run/check_nginx.sh", include_str!("../notes/check_nginx.sh")).expect("a file");
        let mac = host.mac(&interface()).expect("a link-layer address");
        let mut node = Self { host, cable, address, mac, daemon: None, service: None };
        node.start_service();
        node
    }

    /// Starts something that is called nginx.
    pub(crate) fn start_service(&mut self) {
        let path = self.host.path("/run/nginx");
        // Not a copy: a child that another test forks meanwhile holds that open for a moment, and it cannot be executed.
        if path.symlink_metadata().is_err() {
            std::os::unix::fs::symlink("/bin/sleep", path).expect("a program");
        }
        self.service = Some(self.host.spawn(&["/run/nginx", "10000"]).expect("a service"));
    }

    pub(crate) fn kill_service(&mut self) {
        self.service = None;
    }

    /// Starts the daemon as an operator would; `STEADFAST_TEST_DAEMON` names another one to compare with.
    pub(crate) fn start(&mut self) -> &mut Process {
        let daemon = std::env::var("STEADFAST_TEST_DAEMON");
        self.start_program(daemon.as_deref().unwrap_or(env!("CARGO_BIN_EXE_steadfast")))
    }

    /// Starts this program, which takes keepalived's options.
    pub(crate) fn start_program(&mut self, program: &str) -> &mut Process {
        let argv = [program, "-n", "-l", "-D", "-f", "/run/keepalived.conf"];
        self.daemon.insert(self.host.spawn(&argv).expect("the daemon starts"))
    }

    pub(crate) fn daemon(&mut self) -> &mut Process {
        self.daemon.as_mut().expect("the daemon was started")
    }

    /// SIGTERM, and waits until it is gone.
    pub(crate) fn stop(&mut self) {
        self.daemon().terminate().expect("the daemon runs");
        let status = self.daemon().wait(PATIENCE).expect("the daemon stops");
        assert!(status.success(), "{status}");
        self.daemon = None;
    }

    pub(crate) fn holds(&self, vip: Ipv4Addr) -> bool {
        self.host.holds(vip.into())
    }

    /// Puts another configuration in the place of the present one, so that nobody reads half of it. The daemon does not
    /// know of it yet.
    pub(crate) fn configure(&self, file: &str) {
        self.host.write("/run/new.conf", file).expect("a file");
        let (new, current) = (self.host.path("/run/new.conf"), self.host.path("/run/keepalived.conf"));
        std::fs::rename(new, current).expect("the same folder");
    }

    /// Waits until the daemon has written a line that contains `text`, later than the first `after` bytes.
    #[track_caller]
    pub(crate) fn wait_for_line(&self, after: usize, text: &str) -> String {
        let line = || self.log().get(after..)?.lines().find(|line| line.contains(text)).map(str::to_owned);
        wait_for(PATIENCE, line).unwrap_or_else(|| panic!("nothing says {text:?}\n{}", self.log()))
    }

    /// Starts the real binary with these arguments, whatever `STEADFAST_TEST_DAEMON` says.
    pub(crate) fn start_with(&mut self, arguments: &[&str]) -> &mut Process {
        let mut argv = vec![env!("CARGO_BIN_EXE_steadfast")];
        argv.extend(arguments);
        self.daemon.insert(self.host.spawn(&argv).expect("the daemon starts"))
    }

    /// Runs a line of shell on this host and waits for its end.
    #[track_caller]
    pub(crate) fn shell(&self, line: &str) {
        let mut shell = self.host.spawn(&["/bin/sh", "-c", line]).expect("a shell");
        let status = shell.wait(PATIENCE).expect("it ends");
        assert!(status.success(), "{line}: {status}: {}", shell.log().expect("a log"));
    }

    pub(crate) fn log(&self) -> String {
        self.daemon.as_ref().map(|daemon| daemon.log().expect("a log")).unwrap_or_default()
    }
}

impl World {
    /// Starts both daemons and waits until the first host is master, the second is not, and the client is served.
    pub(crate) fn settle(&mut self) {
        self.start();
        self.wait_for_master(0);
    }

    /// Starts both daemons.
    pub(crate) fn start(&mut self) {
        for node in &mut self.nodes {
            node.start();
        }
    }

    /// Waits until node `index` alone holds the address and has advertised, and the other one is silent.
    #[track_caller]
    pub(crate) fn wait_for_master(&self, index: usize) {
        self.wait_for_address_on(index);
        let other = &self.nodes[1 - index];
        let spoke = self.adverts_of(index, now(), 2);
        let silent = self.sniffer.since(spoke[0].at, |heard| heard.is_advert_of(other.address));
        assert!(silent.is_empty(), "{} still advertises: {silent:?}\n{}", other.host.name(), self.logs());
    }

    /// Waits until node `index` holds the address, and the other one does not.
    #[track_caller]
    pub(crate) fn wait_for_address_on(&self, index: usize) {
        let (master, other) = (&self.nodes[index], &self.nodes[1 - index]);
        let settled = wait_until(PATIENCE, || master.holds(self.vip) && !other.holds(self.vip));
        assert!(settled, "{} is not the only master\n{}", master.host.name(), self.logs());
    }

    /// The first `count` advertisements of node `index` from `since` on.
    #[track_caller]
    pub(crate) fn adverts_of(&self, index: usize, since: Instant, count: usize) -> Vec<Heard> {
        let source = self.nodes[index].address;
        let mut found = Vec::new();
        for _ in 0..count {
            let from = found.last().map_or(since, |last: &Heard| last.at + Duration::from_nanos(1));
            let next = self.sniffer.wait_for(from, PATIENCE, |heard| heard.is_advert_of(source));
            found.push(next.unwrap_or_else(|| panic!("no advertisement of {source}\n{}", self.logs())));
        }
        found
    }

    /// The first advertisement of node `index` from `since` on that carries `priority`.
    #[track_caller]
    pub(crate) fn advert_with(&self, index: usize, since: Instant, priority: u8) -> Heard {
        let source = self.nodes[index].address;
        let wanted = |heard: &Heard| {
            heard.is_advert_of(source)
                && heard.advert().is_some_and(|advert| advert.priority == Priority(priority))
        };
        self.sniffer.wait_for(since, PATIENCE, wanted).unwrap_or_else(|| {
            panic!("no advertisement of {source} with priority {priority}\n{}", self.logs())
        })
    }

    /// The first announcement by node `index` from `since` on that the address is there.
    #[track_caller]
    pub(crate) fn announcement_of(&self, index: usize, since: Instant) -> Heard {
        let mac = self.nodes[index].mac;
        self.sniffer
            .wait_for(since, PATIENCE, |heard| heard.announces(self.vip, mac))
            .unwrap_or_else(|| panic!("host {index} does not announce {}\n{}", self.vip, self.logs()))
    }

    /// All advertisements of node `index` since then.
    pub(crate) fn adverts_since(&self, index: usize, since: Instant) -> Vec<Heard> {
        let source = self.nodes[index].address;
        self.sniffer.since(since, |heard| heard.is_advert_of(source))
    }

    /// Starts a client that asks the virtual address, and waits until it is answered.
    #[track_caller]
    pub(crate) fn ask(&self) -> Client {
        let client = Client::start(&self.client, self.vip.into()).expect("a client");
        let served = wait_until(PATIENCE, || client.answered_since(Instant::ZERO) > 0);
        assert!(served, "{} does not answer\n{}", self.vip, self.logs());
        client
    }

    /// Waits until the client believes the address to be at node `index`.
    #[track_caller]
    pub(crate) fn wait_for_belief(&self, index: usize) {
        let mac = self.nodes[index].mac;
        let right = wait_until(PATIENCE, || self.client.believes(self.vip) == Some(mac));
        assert!(right, "the client believes {:?}\n{}", self.client.arp_table(), self.logs());
    }

    /// Node `index` went on as master: no pause in its advertisements since then was long enough to matter.
    #[track_caller]
    pub(crate) fn assert_regular(&self, index: usize, since: Instant, interval: Duration) {
        let heard = self.adverts_since(index, since);
        assert!(!heard.is_empty(), "no advertisement\n{}", self.logs());
        for pair in heard.windows(2) {
            let gap = pair[1].at.since(pair[0].at);
            assert!(gap < interval + GRACE, "{gap:?} between two advertisements\n{}", self.logs());
        }
    }

    /// What both daemons wrote, for a failed assertion.
    pub(crate) fn logs(&self) -> String {
        let [a, b] = &self.nodes;
        format!("--- log of a\n{}--- log of b\n{}", a.log(), b.log())
    }
}
