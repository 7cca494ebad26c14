//! What health checks cost a daemon that drives IPVS: processor time, memory, checks in a second and how punctual they
//! are, start, a reload with one change, and the time from a server's death until it leaves the table. For any daemon that
//! has keepalived's options; needs the rights to make namespaces, a kernel with IPVS (`cargo xtask vm -- …`), and nginx.
//!
//! ```text
//! checks [--kind tcp|http|tls|none] [-n 1000] [--every 5] [--secs 20] -- DAEMON ARGUMENTS, {conf} the file
//! ```
//!
//! Ten real servers stand behind each virtual server. All of them are one nginx on one host, under addresses of its loopback, so
//! that its processor time and the kernel's are the same for every daemon. One more is a process of its own, to die.

mod pair;

use std::collections::BTreeMap;
use std::fmt::Write;
use std::net::Ipv4Addr;
use std::num::NonZeroU32;
use std::process::ExitCode;
use std::str::FromStr;
use std::thread;
use std::time::Duration;

use steadfast_lab::{Host, Process, now, wait_for};

use pair::arguments::Arguments;
use pair::daemon::{Daemon, FILE, Usage};
use pair::report::{self, Report};
use pair::{Failure, PATIENCE};

/// Real servers behind a virtual server.
const POOL: u32 = 10;
/// How often the table is looked at while something is waited for: rarely enough to cost the daemon little.
const LOOK: Duration = Duration::from_millis(50);
/// The server that is to die, which has this port of its own.
const MORTAL: Ipv4Addr = Ipv4Addr::new(127, 250, 0, 1);
const MORTAL_PORT: u16 = 8081;

fn main() -> ExitCode {
    report::main(|| {
        steadfast_lab::prepare()?;
        let mut arguments = Arguments::read()?;
        let kind: Kind = arguments.take("--kind", "tcp", "tcp, http, tls or none")?;
        let count: NonZeroU32 = arguments.take("-n", "1000", "a number")?;
        let every: u64 = arguments.take("--every", "5", "whole seconds")?;
        let seconds: u64 = arguments.take("--secs", "20", "whole seconds")?;
        let daemon = arguments.daemon()?;
        let mut bench = Bench::new(kind, count.get(), Duration::from_secs(every))?;
        let mut report = Report::new(kind.name());
        bench.start(&daemon, &mut report)?;
        if kind != Kind::None {
            bench.measure_steady_state(Duration::from_secs(seconds), &mut report)?;
        }
        bench.reload(&mut report)?;
        if kind != Kind::None {
            bench.lose_a_server(&mut report)?;
        }
        Ok(())
    })
}

/// How servers are checked.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Tcp,
    Http,
    Tls,
    None,
}

impl FromStr for Kind {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        [Self::Tcp, Self::Http, Self::Tls, Self::None].into_iter().find(|kind| kind.name() == text).ok_or(())
    }
}

impl Kind {
    const fn name(self) -> &'static str {
        match self {
            Self::Tcp => "tcp",
            Self::Http => "http",
            Self::Tls => "tls",
            Self::None => "none",
        }
    }

    const fn port(self) -> u16 {
        if matches!(self, Self::Tls) { 443 } else { 80 }
    }

    const fn checker(self) -> &'static str {
        match self {
            Self::Tcp => "TCP_CHECK {\n connect_timeout 3\n }",
            Self::Http => "HTTP_GET {\n url {\n path /\n status_code 200\n }\n connect_timeout 3\n }",
            Self::Tls => "SSL_GET {\n url {\n path /\n status_code 200\n }\n connect_timeout 3\n }",
            Self::None => "",
        }
    }
}

struct Bench {
    kind: Kind,
    count: u32,
    every: Duration,
    host: Host,
    process: Option<Process>,
    _servers: Process,
    mortal: Option<Process>,
}

impl Bench {
    fn new(kind: Kind, count: u32, every: Duration) -> Result<Self, Failure> {
        let host = Host::new("director")?;
        let mut openssl = host.spawn(&[
            "openssl",
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:P-256",
            "-nodes",
            "-subj",
            "/CN=bench",
            "-days",
            "30",
            "-keyout",
            "/run/key.pem",
            "-out",
            "/run/cert.pem",
        ])?;
        openssl.wait(PATIENCE);
        let servers = nginx(&host, "servers", "listen 80 backlog=8192;\n listen 443 ssl backlog=8192;")?;
        let mortal = format!("listen {MORTAL}:{MORTAL_PORT}{};", if kind == Kind::Tls { " ssl" } else { "" });
        let mortal = nginx(&host, "mortal", &mortal)?;
        let bench = Self { kind, count, every, host, process: None, _servers: servers, mortal: Some(mortal) };
        bench.wait("nginx does not listen", || bench.listens().then_some(()))?;
        Ok(bench)
    }

    fn listens(&self) -> bool {
        let table = self.read("net/tcp");
        table.contains(":0050 00000000:0000 0A")
            && table.contains(&format!(":{MORTAL_PORT:04X} 00000000:0000 0A"))
    }

    fn start(&mut self, daemon: &Daemon, report: &mut Report) -> Result<(), Failure> {
        self.host.write(FILE, &self.file(1))?;
        let begun = now();
        self.process = Some(daemon.start(&self.host)?);
        let expected = usize::try_from(self.count + 1).unwrap_or(usize::MAX);
        self.wait("the table does not fill", || (self.destinations().len() == expected).then_some(()))?;
        Ok(report.span("start", now().since(begun))?)
    }

    fn measure_steady_state(&self, window: Duration, report: &mut Report) -> Result<(), Failure> {
        // The first checks come within this time, at random.
        thread::sleep(self.every + Duration::from_secs(2));
        let (opened, before, begun) = (self.connections(), self.usage(), now());
        thread::sleep(window);
        let (after, took) = (self.usage(), now().since(begun).as_secs_f64());
        report.note("checks", (self.connections() - opened) as f64 / took, "checks/s")?;
        let processor = after.processor.saturating_sub(before.processor).as_secs_f64();
        report.note("processor", processor * 100.0 / took, "%")?;
        report.note("pss", after.proportional_kib as f64 / 1024.0, "MiB")?;
        report.note("peak", after.peak_resident_kib as f64 / 1024.0, "MiB")?;
        if let Some((median, worst)) = self.lateness() {
            report.note("late-median", median * 1000.0, "ms")?;
            report.note("late-worst", worst * 1000.0, "ms")?;
        }
        Ok(())
    }

    /// By how much the time between two checks of a server is beyond the interval: the middle and the worst, seconds. Of what
    /// asks for pages: a bare connection leaves no line in nginx's log.
    fn lateness(&self) -> Option<(f64, f64)> {
        let mut last: BTreeMap<String, f64> = BTreeMap::new();
        let mut late = Vec::new();
        for line in self.host.read("/run/servers.log").ok()?.lines() {
            let (time, server) = line.split_once(' ')?;
            let time: f64 = time.parse().ok()?;
            if let Some(before) = last.insert(server.to_owned(), time) {
                late.push(time - before - self.every.as_secs_f64());
            }
        }
        late.sort_by(f64::total_cmp);
        Some((*late.get(late.len() / 2)?, *late.last()?))
    }

    /// Another weight of the first server.
    fn reload(&mut self, report: &mut Report) -> Result<(), Failure> {
        const WEIGHT: u32 = 7;
        thread::sleep(Duration::from_secs(1));
        self.host.write(FILE, &self.file(WEIGHT))?;
        let (before, begun) = (self.usage(), now());
        if let Some(process) = &mut self.process {
            process.hang_up()?;
        }
        let first = server(0);
        let weight = || self.destinations().get(&(first, self.kind.port())).copied();
        self.wait("the reload has no effect", || (weight() == Some(WEIGHT)).then_some(()))?;
        report.span("reload", now().since(begun))?;
        thread::sleep(Duration::from_secs(1));
        let processor = self.usage().processor.saturating_sub(before.processor);
        Ok(report.span("reload-processor", processor)?)
    }

    /// From a server's death until the table is without it.
    fn lose_a_server(&mut self, report: &mut Report) -> Result<(), Failure> {
        let begun = now();
        self.mortal = None;
        let key = (MORTAL, MORTAL_PORT);
        self.wait("the dead server stays", || (!self.destinations().contains_key(&key)).then_some(()))?;
        Ok(report.span("death", now().since(begun))?)
    }

    fn usage(&self) -> Usage {
        self.process.as_ref().map(Usage::of).unwrap_or_default()
    }

    /// Connections that were taken on this host so far: the sixth number of its kernel's line of TCP.
    fn connections(&self) -> u64 {
        let table = self.read("net/snmp");
        let numbers = table.lines().filter_map(|line| line.strip_prefix("Tcp: ")).nth(1).unwrap_or_default();
        numbers.split_whitespace().nth(5).and_then(|number| number.parse().ok()).unwrap_or(0)
    }

    /// The weights of all real servers in the kernel's table.
    fn destinations(&self) -> BTreeMap<(Ipv4Addr, u16), u32> {
        let table = self.read("net/ip_vs");
        table
            .lines()
            .filter_map(|line| line.trim_start().strip_prefix("-> "))
            .filter_map(destination)
            .collect()
    }

    fn read(&self, name: &str) -> String {
        std::fs::read_to_string(format!("/proc/{}/{name}", self.host.pid())).unwrap_or_default()
    }

    /// The configuration, with another weight of the first server.
    fn file(&self, first: u32) -> String {
        let mut file = "global_defs {\n router_id bench\n}\n".to_owned();
        for index in 0..self.count {
            if index % POOL == 0 {
                self.open_pool(&mut file, index / POOL);
                if index == 0 {
                    self.add(&mut file, MORTAL, MORTAL_PORT, 1);
                }
            }
            self.add(&mut file, server(index), self.kind.port(), if index == 0 { first } else { 1 });
            if index % POOL == POOL - 1 || index + 1 == self.count {
                file += "}\n";
            }
        }
        file
    }

    fn open_pool(&self, file: &mut String, pool: u32) {
        let address = Ipv4Addr::from(u32::from(Ipv4Addr::new(10, 0, 0, 1)) + pool);
        let port = self.kind.port();
        let every = self.every.as_secs();
        let written = write!(
            file,
            "virtual_server {address} {port} {{\n delay_loop {every}\n lvs_sched rr\n lvs_method NAT\n protocol TCP\n"
        );
        debug_assert!(written.is_ok(), "a String takes everything");
    }

    fn add(&self, file: &mut String, address: Ipv4Addr, port: u16, weight: u32) {
        let checker = self.kind.checker();
        let written = write!(file, " real_server {address} {port} {{\n weight {weight}\n {checker}\n }}\n");
        debug_assert!(written.is_ok(), "a String takes everything");
    }

    fn wait<T>(&self, missing: &'static str, probe: impl Fn() -> Option<T>) -> Result<T, Failure> {
        let found = wait_for(PATIENCE * 4, || {
            let found = probe();
            if found.is_none() {
                thread::sleep(LOOK);
            }
            found
        });
        found.ok_or_else(|| {
            let log = self.process.as_ref().and_then(|process| process.log().ok()).unwrap_or_default();
            let begin = log.len().saturating_sub(3000);
            let master = log.get(begin..).unwrap_or_default().to_owned();
            Failure::Missing { missing, master, backup: String::new() }
        })
    }
}

/// nginx on `host`, which answers every request with a short page.
fn nginx(host: &Host, name: &str, listen: &str) -> Result<Process, steadfast_lab::Error> {
    let folders = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"];
    let folders: String =
        folders.iter().map(|one| format!(" {one}_temp_path /run/{name}-{one};\n")).collect();
    let file = format!(
        "daemon off;\nmaster_process off;\npid /run/{name}.pid;\nerror_log stderr crit;\nworker_rlimit_nofile 60000;\n\
         events {{\n worker_connections 50000;\n}}\nhttp {{\n{folders} log_format times '$msec $server_addr';\n \
         access_log /run/{name}.log times buffer=64k flush=1s;\n keepalive_timeout 0;\n server {{\n {listen}\n \
         ssl_certificate /run/cert.pem;\n ssl_certificate_key /run/key.pem;\n ssl_session_cache shared:sessions:20m;\n \
         return 200 \"hello\\n\";\n }}\n}}\n"
    );
    let path = format!("/run/{name}.conf");
    host.write(&path, &file)?;
    host.spawn(&["nginx", "-e", "stderr", "-c", &path])
}

/// The address of the real server of this number.
fn server(index: u32) -> Ipv4Addr {
    Ipv4Addr::from(u32::from(Ipv4Addr::new(127, 1, 0, 1)) + index)
}

/// `7F010001:0050      Masq    1      0          0`.
fn destination(line: &str) -> Option<((Ipv4Addr, u16), u32)> {
    let mut words = line.split_whitespace();
    let (address, port) = words.next()?.split_once(':')?;
    let address = u32::from_str_radix(address, 16).ok()?;
    let weight = words.nth(1)?.parse().ok()?;
    Some(((address.into(), u16::from_str_radix(port, 16).ok()?), weight))
}
