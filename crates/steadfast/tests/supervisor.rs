//! What the supervisor owes a running pair: it brings a dead worker back, stops in order, and awaits the last scripts.

use std::time::Duration;

use lab::{Cable, Host, Lan, Process, Signal, Sniffer, now, wait_for, wait_until};
use model::{IfName, Prefix};
use rustix::process::{Pid, kill_process};

/// Longer than anything here takes, on a busy machine.
const PATIENCE: Duration = Duration::from_secs(25);

const VIP: [u8; 4] = [192, 0, 2, 100];

const CONFIG: &str = "global_defs {
    enable_script_security
    script_user root
}
vrrp_instance web {
    interface eth1
    virtual_router_id 51
    version 3
    advert_int 0.2
    virtual_ipaddress {
        192.0.2.100/24
    }
    notify /run/notify.sh
}
";

/// The last argument but one is the state.
const NOTIFY: &str = "#!/bin/sh\necho \"$1 $2 $3 $4\" >> /run/notified\n";

/// A host alone on its LAN: it is master soon.
struct Master {
    daemon: Process,
    host: Host,
    _cable: Cable,
    sniffer: Sniffer,
    _lan: Lan,
}

impl Master {
    /// Starts the daemon with `options` and waits until it is master; `None` where namespaces are not permitted.
    fn start(options: &[&str], notify: &str) -> Option<Self> {
        Self::start_by(&[], options, notify)
    }

    /// As an argument of the command `prefix`.
    fn start_by(prefix: &[&str], options: &[&str], notify: &str) -> Option<Self> {
        let lan = match Lan::new() {
            Ok(lan) => lan,
            Err(error) => {
                lab::skip(error);
                return None;
            }
        };
        let host = Host::new("a").unwrap();
        let interface: IfName = "eth1".parse().unwrap();
        let own = Prefix::new([192, 0, 2, 1].into(), 24).unwrap();
        let cable = lan.connect(&host, &interface, &[own]).unwrap();
        host.write("/run/a.conf", CONFIG).unwrap();
        host.write_script("/run/notify.sh", notify).unwrap();
        let sniffer = lan.sniff().unwrap();
        let daemon = [env!("CARGO_BIN_EXE_steadfast"), "-l", "-D", "-f", "/run/a.conf"];
        let argv = [prefix, &daemon, options].concat();
        let daemon = host.spawn(&argv).unwrap();
        let master = Self { daemon, host, _cable: cable, sniffer, _lan: lan };
        assert!(wait_until(PATIENCE, || master.holds()), "{}", master.log());
        Some(master)
    }

    fn holds(&self) -> bool {
        self.host.holds(VIP.into())
    }

    fn log(&self) -> String {
        self.daemon.log().unwrap()
    }

    /// As seen from outside the host. Scripts are children, too: the worker is the first.
    fn worker(&self) -> Option<Pid> {
        let pid = *self.daemon.tree().get(1)?;
        Pid::from_raw(pid.try_into().ok()?)
    }

    fn signal_worker(&self, signal: Signal) -> Pid {
        let worker = self.worker().expect("a worker");
        kill_process(worker, signal).unwrap();
        worker
    }

    fn notified(&self) -> Vec<String> {
        self.host.read("/run/notified").unwrap_or_default().lines().map(str::to_owned).collect()
    }

    /// The number in a pid file, which is the host's own and so only to be compared.
    fn pid_file(&self, path: &str) -> Option<u32> {
        self.host.read(path).ok()?.trim().parse().ok()
    }
}

#[test]
fn a_killed_worker_is_followed_by_one_that_goes_on_as_master() {
    let Some(master) = Master::start(&["-n"], NOTIFY) else { return };
    let before = master.pid_file("/run/vrrp.pid").expect("a pid file");
    for _ in 0..2 {
        let begin = now();
        let dead = master.signal_worker(Signal::KILL);
        let next = wait_for(PATIENCE, || master.worker().filter(|worker| *worker != dead));
        assert!(next.is_some(), "{}", master.log());
        let advert = master.sniffer.wait_for(begin, PATIENCE, |heard| heard.advert().is_some());
        assert!(advert.is_some(), "{}", master.log());
        let lowest =
            master.sniffer.since(begin, |heard| heard.advert().is_some_and(|a| a.priority.get() == 0));
        assert!(lowest.is_empty(), "it never said that it stops");
        assert!(wait_until(PATIENCE, || master.holds()));
    }
    assert!(wait_until(PATIENCE, || master.pid_file("/run/vrrp.pid").is_some_and(|pid| pid != before)));
    assert!(master.log().contains("was killed by SIGKILL: it is started again"), "{}", master.log());
}

#[test]
fn a_worker_that_hangs_is_killed_at_the_stop() {
    let Some(mut master) = Master::start(&["-n"], NOTIFY) else { return };
    master.signal_worker(Signal::STOP);
    master.daemon.terminate().unwrap();
    let status = master.daemon.wait(PATIENCE).expect("an end");
    assert!(status.success(), "{status}");
    assert!(master.log().contains("has not stopped within 5 s: it is killed"), "{}", master.log());
    assert!(!master.holds(), "{}", master.log());
    assert!(!master.log().contains("may be left"), "{}", master.log());
    // Nobody was told about virtual routers that were none.
    let notified = master.notified();
    assert!(notified.iter().all(|line| line.ends_with(" 100") && !line.contains("STOP")), "{notified:?}");
}

#[test]
fn a_worker_that_hangs_leaves_the_addresses_if_they_are_to_stay() {
    let Some(mut master) = Master::start(&["-n", "-V"], NOTIFY) else { return };
    master.signal_worker(Signal::STOP);
    master.daemon.terminate().unwrap();
    let status = master.daemon.wait(PATIENCE).expect("an end");
    assert!(status.success(), "{status}");
    assert!(master.holds(), "{}", master.log());
    assert!(!master.log().contains("takes them away"), "{}", master.log());
}

#[test]
fn the_service_manager_is_the_supervisor_s_alone() {
    let notify = "#!/bin/sh\necho \"$1 $2 $3 ${NOTIFY_SOCKET-none}\" >> /run/notified\n";
    let prefix = ["/usr/bin/env", "NOTIFY_SOCKET=/run/nobody-listens"];
    let Some(master) = Master::start_by(&prefix, &["-n"], notify) else { return };
    let told = || master.notified().iter().any(|line| line == "INSTANCE web MASTER none");
    assert!(wait_until(PATIENCE, told), "{:?}\n{}", master.notified(), master.log());
    let worker = master.worker().expect("a worker").as_raw_nonzero();
    let environment = std::fs::read_to_string(format!("/proc/{worker}/environ")).unwrap();
    assert!(environment.contains("PATH=") && !environment.contains("NOTIFY_SOCKET"), "{environment}");
    assert!(master.log().contains("cannot tell the service manager"), "{}", master.log());
}

#[test]
fn a_daemon_that_can_start_no_worker_ends() {
    let host = match Host::new("a") {
        Ok(host) => host,
        Err(error) => {
            lab::skip(error);
            return;
        }
    };
    host.write("/run/a.conf", CONFIG).unwrap();
    host.write_script("/run/notify.sh", NOTIFY).unwrap();
    let start = |descriptors: u32| {
        let run = format!(
            "ulimit -n {descriptors}; exec {} -G -f /run/a.conf -p /run/{descriptors}.k -r /run/{descriptors}.v",
            env!("CARGO_BIN_EXE_steadfast")
        );
        (descriptors, host.spawn(&["/bin/sh", "-c", &run]).unwrap())
    };
    // With ever more of them it comes ever further; the shell must go on in any case, and learn how it went.
    let mut failed = 0;
    for (descriptors, mut shell) in (5..25).map(start).collect::<Vec<_>>() {
        let status =
            shell.wait(PATIENCE).unwrap_or_else(|| panic!("it hangs with {descriptors} descriptors"));
        // The shell may hear of a failure a moment before the file goes.
        let pid_file = || host.read(&format!("/run/{descriptors}.k")).ok();
        assert!(status.success() || wait_until(PATIENCE, || pid_file().is_none()), "{descriptors}: {status}");
        let running = pid_file();
        assert_eq!(status.success(), running.is_some(), "{descriptors}: {status}: {}", shell.log().unwrap());
        failed += u32::from(!status.success());
        if let Some(pid) = running {
            let mut kill = host.spawn(&["/bin/kill", pid.trim()]).unwrap();
            assert!(kill.wait(PATIENCE).expect("an end").success());
            let ended = || host.read(&format!("/run/{descriptors}.k")).is_err();
            assert!(wait_until(PATIENCE, ended), "{descriptors}");
        }
    }
    assert!((5..20).contains(&failed), "{failed} of 20 failed");
}

#[test]
fn without_respawn_a_dead_worker_is_the_end() {
    let Some(mut master) = Master::start(&["-n", "-R"], NOTIFY) else { return };
    master.signal_worker(Signal::KILL);
    let status = master.daemon.wait(PATIENCE).expect("an end");
    assert_eq!(status.code(), Some(1), "{}", master.log());
    assert!(!master.holds(), "{}", master.log());
}

#[test]
fn the_scripts_of_the_stop_are_awaited_in_their_order() {
    let slow = "#!/bin/sh\nsleep 0.4\necho \"$1 $2 $3 $4\" >> /run/notified\n";
    let Some(mut master) = Master::start(&["-n"], slow) else { return };
    // At once: the script for MASTER still runs.
    master.daemon.terminate().unwrap();
    let status = master.daemon.wait(PATIENCE).expect("an end");
    assert!(status.success(), "{status}");
    assert!(!master.holds());
    let notified = master.notified();
    let last_two = &notified[notified.len().saturating_sub(2)..];
    assert_eq!(last_two, ["INSTANCE web MASTER 100", "INSTANCE web STOP 100"], "{}", master.log());
    assert_eq!(master.pid_file("/run/keepalived.pid"), None);
    assert_eq!(master.pid_file("/run/vrrp.pid"), None);
}

#[test]
fn a_script_that_hangs_does_not_hold_up_the_stop_for_ever() {
    let hangs = "#!/bin/sh\n[ \"$3\" = STOP ] || exit 0\ntrap '' TERM\nsleep 600 &\nwait\nsleep 600\n";
    let Some(mut master) = Master::start(&["-n"], hangs) else { return };
    master.daemon.terminate().unwrap();
    let status = master.daemon.wait(PATIENCE).expect("an end");
    assert!(status.success(), "{status}");
    assert!(master.log().contains("notify scripts of web are ended"), "{}", master.log());
}

#[test]
fn a_refused_reload_leaves_the_master_alone() {
    let Some(mut master) = Master::start(&["-n"], NOTIFY) else { return };
    let worker = master.worker();
    master.host.write("/run/a.conf", "vrrp_instance web {\n  interface eth1\n}\n").unwrap();
    master.daemon.hang_up().unwrap();
    assert!(wait_until(PATIENCE, || master.log().contains("RELOAD REFUSED")), "{}", master.log());
    master.host.write("/run/a.conf", CONFIG).unwrap();
    master.daemon.hang_up().unwrap();
    assert!(wait_until(PATIENCE, || master.log().contains("nothing changes")), "{}", master.log());
    assert!(master.holds());
    assert_eq!(master.worker(), worker);
}

#[test]
fn what_a_reload_takes_away_while_no_worker_runs_goes() {
    let Some(mut master) = Master::start(&["-n"], NOTIFY) else { return };
    let other = [192, 0, 2, 101];
    let both = CONFIG.replace("192.0.2.100/24\n", "192.0.2.100/24\n192.0.2.101/24\n");
    master.host.write("/run/a.conf", &both).unwrap();
    master.daemon.hang_up().unwrap();
    assert!(wait_until(PATIENCE, || master.host.holds(other.into())), "{}", master.log());

    // Before the worker knows of it, or after: it dies with the reload unread, and what it held is on the host.
    master.signal_worker(Signal::STOP);
    master.host.write("/run/a.conf", CONFIG).unwrap();
    let reloads = |master: &Master| master.log().matches("Reloading").count();
    let earlier = reloads(&master);
    master.daemon.hang_up().unwrap();
    assert!(wait_until(PATIENCE, || reloads(&master) > earlier), "{}", master.log());
    master.signal_worker(Signal::KILL);
    assert!(wait_until(PATIENCE, || !master.host.holds(other.into())), "{}", master.log());
    assert!(master.holds(), "{}", master.log());
    master.daemon.terminate().unwrap();
    assert!(master.daemon.wait(PATIENCE).expect("an end").success());
    assert!(!master.holds(), "{}", master.log());
}

#[test]
fn a_daemon_that_follows_a_killed_one_awaits_the_end_of_its_worker() {
    let Some(mut master) = Master::start(&["-n"], NOTIFY) else { return };
    master.daemon.terminate().unwrap();
    assert!(master.daemon.wait(PATIENCE).expect("an end").success());
    // What a worker whose supervisor was killed looks like: nobody locks the file that names it.
    let left = "cp /bin/sleep /run/steadfast && echo $$ > /run/vrrp.pid && exec /run/steadfast 600";
    let mut left = master.host.spawn(&["/bin/sh", "-c", left]).unwrap();
    let is_renamed = || {
        let pid = master.pid_file("/run/vrrp.pid")?;
        let name = std::fs::read_to_string(master.host.path(&format!("/proc/{pid}/comm"))).ok()?;
        (name.trim() == "steadfast").then_some(())
    };
    assert!(wait_for(PATIENCE, is_renamed).is_some(), "{}", left.log().unwrap());

    let argv = [env!("CARGO_BIN_EXE_steadfast"), "-n", "-l", "-D", "-f", "/run/a.conf"];
    let next = master.host.spawn(&argv).unwrap();
    let log = || next.log().unwrap();
    assert!(wait_until(PATIENCE, || log().contains("its end is awaited")), "{}", log());
    left.terminate().unwrap();
    assert!(wait_until(PATIENCE, || log().contains("MASTER STATE")), "{}", log());
    assert!(wait_until(PATIENCE, || master.holds()), "{}", log());
}

#[test]
fn in_the_background_both_pid_files_name_living_processes() {
    let Some(mut master) = Master::start(&[], NOTIFY) else { return };
    let shell = master.daemon.wait(PATIENCE).expect("the shell goes on");
    assert!(shell.success(), "{shell}");
    let pids = ["/run/keepalived.pid", "/run/vrrp.pid"].map(|path| master.pid_file(path).expect("a pid"));
    let [daemon, worker] = pids.map(|pid| pid.to_string());
    let alive = |pid: &str| master.host.path(&format!("/proc/{pid}/cmdline")).exists();
    assert!(alive(&daemon) && alive(&worker));

    let mut kill = master.host.spawn(&["/bin/kill", &daemon]).unwrap();
    assert!(kill.wait(PATIENCE).expect("an end").success());
    assert!(wait_until(PATIENCE, || !alive(&daemon) && !alive(&worker)));
    assert!(!master.holds());
}
