//! The real binary from outside: what it says, what it leaves with, which files and signals it answers.
//!
//! No configuration here has a virtual router that gets as far as the network.

use std::fs;
use std::io::Read as _;
use std::os::linux::net::SocketAddrExt as _;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

const BINARY: &str = env!("CARGO_BIN_EXE_steadfast");

/// Enough for a machine under load.
const PATIENCE: Duration = Duration::from_secs(20);

const INSTANCE: &str = "global_defs {\n  dynamic_interfaces\n}\nvrrp_instance web {\n  interface eth0\n  virtual_router_id 51\n  virtual_ipaddress {\n    192.0.2.10/24\n  }\n}\n";

fn run(arguments: &[&str]) -> Output {
    output(Command::new(BINARY).args(arguments))
}

/// What a command says that ends by itself.
fn output(command: &mut Command) -> Output {
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let give_up = Instant::now() + PATIENCE;
    while child.try_wait().unwrap().is_none() {
        if Instant::now() > give_up {
            child.kill().unwrap();
            panic!(
                "it should have ended by itself, and said: {}",
                stderr(&child.wait_with_output().unwrap())
            );
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    child.wait_with_output().unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

#[track_caller]
fn assert_fails(output: &Output, code: i32, mentions: &[&str]) {
    let said = stderr(output);
    assert_eq!(output.status.code(), Some(code), "{said}");
    for word in mentions {
        assert!(said.contains(word), "{word:?} is not in: {said}");
    }
}

fn wait_for<T>(what: &str, mut found: impl FnMut() -> Option<T>) -> T {
    let give_up = Instant::now() + PATIENCE;
    loop {
        if let Some(found) = found() {
            return found;
        }
        assert!(Instant::now() < give_up, "waited too long for {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Whether a process that is nobody's child here has ended. The first process of a container may never collect it.
fn has_ended(pid: Pid) -> bool {
    match fs::read_to_string(format!("/proc/{}/stat", pid.as_raw_nonzero())) {
        Ok(stat) => stat.contains(") Z "),
        Err(_) => true,
    }
}

/// A directory with a configuration and pid files, and the arguments that name them.
struct Place {
    dir: tempfile::TempDir,
}

impl Place {
    fn with(config: &str) -> Self {
        let place = Self { dir: tempfile::tempdir().unwrap() };
        // Readable for the unprivileged users that some tests become.
        fs::set_permissions(place.dir.path(), fs::Permissions::from_mode(0o755)).unwrap();
        place.configure(config);
        place
    }

    fn configure(&self, config: &str) {
        fs::write(self.config(), config).unwrap();
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn config(&self) -> PathBuf {
        self.path("a.conf")
    }

    fn arguments(&self) -> Vec<String> {
        let text = |path: PathBuf| path.to_str().unwrap().to_owned();
        let (config, pid, vrrp) = (self.config(), self.path("k.pid"), self.path("v.pid"));
        ["-G", "-f", &text(config), "-p", &text(pid), "-r", &text(vrrp)].map(str::to_owned).to_vec()
    }

    fn daemon(&self) -> Daemon {
        self.daemon_with(|command| command)
    }

    fn daemon_with(&self, more: impl FnOnce(&mut Command) -> &mut Command) -> Daemon {
        let mut command = Command::new(BINARY);
        command.args(["-n", "-l"]).args(self.arguments()).stdin(Stdio::null());
        more(&mut command);
        command.stderr(fs::File::create(self.path("log")).unwrap());
        Daemon { child: command.spawn().unwrap(), log: self.path("log") }
    }

    fn pid(&self) -> Option<Pid> {
        Pid::from_raw(fs::read_to_string(self.path("k.pid")).ok()?.trim().parse().ok()?)
    }
}

/// A daemon in the foreground. It does not outlive the test.
struct Daemon {
    child: Child,
    log: PathBuf,
}

impl Daemon {
    fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }

    fn wait_for_line(&self, text: &str) {
        wait_for(text, || fs::read_to_string(&self.log).unwrap().contains(text).then_some(()));
    }

    fn wait_for_end(&mut self) -> ExitStatus {
        wait_for("the daemon's end", || self.child.try_wait().unwrap())
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        // It may have ended long ago.
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

#[test]
fn help_and_version_go_to_standard_error() {
    for (flag, beginning) in [("-h", "Usage: steadfast "), ("-v", "Steadfast v0.")] {
        let output = run(&[flag]);
        assert!(output.status.success());
        assert!(output.stdout.is_empty());
        assert!(stderr(&output).starts_with(beginning), "{}", stderr(&output));
    }
}

#[test]
fn signal_numbers_are_keepalived_s() {
    for (function, number) in [
        ("STOP", "15"),
        ("RELOAD", "1"),
        ("DATA", "10"),
        ("STATS", "12"),
        ("STATS_CLEAR", "63"),
        ("JSON", "36"),
    ] {
        let output = run(&[&format!("--signum={function}")]);
        assert_eq!(String::from_utf8(output.stdout).unwrap().trim(), number, "{function}");
    }
    assert_fails(&run(&["--signum=DANCE"]), 1, &["DANCE", "RELOAD"]);
}

#[test]
fn what_the_command_line_cannot_mean_is_named() {
    assert_fails(&run(&["--nonsense"]), 1, &["--nonsense", "--help"]);
    assert_fails(&run(&["-n", "-f"]), 1, &["-f", "requires an argument"]);
    assert_fails(&run(&["--log-file=x"]), 1, &["--log-file", "not built yet"]);
    assert_fails(&run(&["-s", "no/name"]), 1, &["no/name"]);
    assert_fails(&run(&["-s", "steadfast-nowhere"]), 1, &["/run/netns/steadfast-nowhere"]);
    assert_fails(&run(&["dance"]), 1, &["unknown command 'dance'", "lab"]);
    assert_fails(&run(&["--worker", "vrrp"]), 70, &["started by the supervisor only"]);
}

#[test]
fn a_file_that_cannot_be_read_is_said_to_be_so() {
    let place = Place::with("");
    let missing = place.path("missing.conf");
    let missing = missing.to_str().unwrap();
    let pid = place.path("k.pid");
    for mode in ["-n", "-G"] {
        assert_fails(&run(&[mode, "-G", "-p", pid.to_str().unwrap(), "-f", missing]), 6, &[missing]);
    }
    assert_fails(&run(&["-t", "-f", missing]), 6, &[missing]);
    let directory = place.dir.path().to_str().unwrap();
    assert_fails(&run(&["-nG", "-p", pid.to_str().unwrap(), "-f", directory]), 6, &[directory]);
    assert!(!pid.exists(), "nothing was started");
}

#[test]
fn a_file_without_permission_is_said_to_be_so() {
    let place = Place::with("");
    fs::set_permissions(place.config(), fs::Permissions::from_mode(0o000)).unwrap();
    let mut command = Command::new(BINARY);
    command.arg("-n").args(place.arguments());
    if rustix::process::geteuid().is_root() {
        command.uid(65534).gid(65534);
    }
    assert_fails(&output(&mut command), 6, &["a.conf", "ermission denied"]);
}

#[test]
fn a_configuration_test_tells_good_from_bad() {
    let place = Place::with("vrrp_instance web {\n  dance\n}\n");
    let config = place.config();
    let config = config.to_str().unwrap();
    let output = run(&["-t", "-f", config]);
    let said = stderr(&output);
    assert!(matches!(output.status.code(), Some(4 | 5)), "{said}");
    assert!(said.contains("dance") && said.contains("a.conf:2"), "{said}");

    let log = place.path("test.log");
    let output = run(&[&format!("-t{}", log.display()), "-f", config]);
    assert!(matches!(output.status.code(), Some(4 | 5)));
    assert!(output.stderr.is_empty());
    assert!(fs::read_to_string(log).unwrap().contains("dance"));

    place.configure(&INSTANCE.replace("  interface", "  notify /bin/true\n  interface"));
    assert_fails(&run(&["-t", "-f", config]), 6, &["enable_script_security"]);

    place.configure(INSTANCE);
    let output = run(&["-t", "-f", config]);
    assert_eq!((output.status.code(), stderr(&output).as_str()), (Some(0), ""));
    assert_fails(&run(&["-t", config]), 1, &["to test that file write `-t -f "]);
}

#[test]
fn of_a_file_with_virtual_servers_alone_only_vrrp_is_nothing() {
    let place = Place::with(
        "virtual_server 192.0.2.1 80 {\n  lvs_sched rr\n  lvs_method NAT\n  protocol TCP\n  real_server 192.0.2.2 80 {\n    \
         TCP_CHECK {\n    }\n  }\n}\n",
    );
    let config = place.config();
    assert_eq!(run(&["-t", "-f", config.to_str().unwrap()]).status.code(), Some(0));
    let mut only_vrrp = place.daemon_with(|command| command.arg("-P"));
    only_vrrp.wait_for_line("nothing to run");
    only_vrrp.signal(Signal::TERM);
    assert_eq!(only_vrrp.wait_for_end().code(), Some(0));
}

#[test]
fn a_configuration_with_errors_starts_nothing() {
    let place = Place::with("vrrp_instance web {\n  interface eth0\n  virtual_router_id 999\n}\n");
    let mut command = Command::new(BINARY);
    let output = output(command.arg("-n").args(place.arguments()));
    assert_fails(&output, 2, &["a.conf:3", "error"]);
    assert!(!place.path("k.pid").exists());
}

#[test]
fn a_second_daemon_leaves_the_first_alone() {
    let place = Place::with("");
    let mut first = place.daemon();
    first.wait_for_line("nothing to run");
    let second = output(Command::new(BINARY).arg("-n").args(place.arguments()));
    assert_fails(&second, 0, &["already running", &first.child.id().to_string()]);
    assert_eq!(place.pid(), Some(Pid::from_child(&first.child)));

    first.signal(Signal::TERM);
    assert_eq!(first.wait_for_end().code(), Some(0));
    assert!(!place.path("k.pid").exists(), "the pid file goes with the daemon");
}

/// A living process called keepalived, which ends with the test.
struct Keepalived(Child);

impl Keepalived {
    fn start(place: &Place) -> Self {
        let program = place.path("keepalived");
        // A copy could be busy: a child that another test is just starting may have it open still.
        symlink("/bin/sleep", &program).unwrap();
        Self(Command::new(program).arg("1000").spawn().unwrap())
    }
}

impl Drop for Keepalived {
    fn drop(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

#[test]
fn beside_a_keepalived_that_runs_nothing_is_started() {
    let place = Place::with("");
    let keepalived = Keepalived::start(&place);
    let number = keepalived.0.id().to_string();
    fs::write(place.path("k.pid"), format!("{number}\n")).unwrap();
    let refused = output(Command::new(BINARY).arg("-n").args(place.arguments()));
    assert_fails(&refused, 0, &["already running", &number, "k.pid"]);
    assert_eq!(fs::read_to_string(place.path("k.pid")).unwrap(), format!("{number}\n"));

    drop(keepalived);
    let mut daemon = place.daemon();
    daemon.wait_for_line("nothing to run");
    daemon.signal(Signal::TERM);
    assert_eq!(daemon.wait_for_end().code(), Some(0));
}

#[test]
fn a_start_that_fails_on_the_other_pid_file_says_so() {
    if !rustix::process::geteuid().is_root() {
        lab::skip("needs root");
        return;
    }
    let place = Place::with(INSTANCE);
    let keepalived = Keepalived::start(&place);
    fs::write(place.path("v.pid"), format!("{}\n", keepalived.0.id())).unwrap();
    // In the foreground and in the background.
    for mode in ["-n", "-D"] {
        let refused = output(Command::new(BINARY).arg(mode).args(place.arguments()));
        assert_fails(&refused, 1, &["already running", &keepalived.0.id().to_string(), "v.pid"]);
        assert!(!place.path("k.pid").exists());
    }
}

#[test]
fn a_pid_file_that_cannot_be_written_is_said_once() {
    if !rustix::process::geteuid().is_root() {
        lab::skip("needs root");
        return;
    }
    let place = Place::with(INSTANCE);
    // Its folder is a file.
    let mut daemon =
        place.daemon_with(|command| command.arg("-D").arg("-r").arg(place.config().join("v.pid")));
    daemon.wait_for_line("the vrrp worker is ready");
    daemon.signal(Signal::TERM);
    assert_eq!(daemon.wait_for_end().code(), Some(0));
    let log = fs::read_to_string(&daemon.log).unwrap();
    assert_eq!(log.matches("cannot write pid file").count(), 1, "{log}");
}

#[test]
fn it_is_said_why_nothing_runs() {
    let place = Place::with("");
    let mut daemon = place.daemon();
    daemon.wait_for_line(&format!(
        "nothing to run: {} configures neither vrrp_instance nor virtual_server",
        place.config().display()
    ));
    daemon.signal(Signal::TERM);
    daemon.wait_for_end();

    let instance = INSTANCE.replace("  dynamic_interfaces\n", "");
    place.configure(&instance);
    let mut daemon = place.daemon_with(|command| command.arg("-C"));
    daemon.wait_for_line("configures no virtual_server, and the command line excludes VRRP (-C)");
    // Nor is it said which links are missing, now or at a reload, as nothing needs them.
    place.configure(&instance.replace("interface ", "interface not"));
    daemon.signal(Signal::HUP);
    daemon.wait_for_line("the configuration means the same as before: nothing changes");
    daemon.signal(Signal::TERM);
    daemon.wait_for_end();
}

/// A service manager's socket.
struct Manager {
    socket: UnixDatagram,
    name: String,
}

impl Manager {
    fn at_path(place: &Place) -> Self {
        let path = place.path("notify");
        Self::new(UnixDatagram::bind(&path).unwrap(), path.to_str().unwrap().to_owned())
    }

    fn in_the_abstract() -> Self {
        let name = format!("steadfast-test-{}", std::process::id());
        let address = SocketAddr::from_abstract_name(&name).unwrap();
        Self::new(UnixDatagram::bind_addr(&address).unwrap(), format!("@{name}"))
    }

    fn new(socket: UnixDatagram, name: String) -> Self {
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        Self { socket, name }
    }

    fn next(&self) -> String {
        let mut message = [0; 4096];
        let length = self.socket.recv(&mut message).expect("it should have said something");
        String::from_utf8(message[..length].to_vec()).unwrap()
    }
}

#[test]
fn the_service_manager_hears_of_start_reload_and_stop() {
    let place = Place::with("");
    for manager in [Manager::at_path(&place), Manager::in_the_abstract()] {
        let mut daemon = place.daemon_with(|command| command.env("NOTIFY_SOCKET", &manager.name));
        assert_eq!(manager.next(), format!("READY=1\nMAINPID={}", daemon.child.id()));
        daemon.signal(Signal::HUP);
        let reloading = manager.next();
        let since_boot = reloading.strip_prefix("RELOADING=1\nMONOTONIC_USEC=").expect(&reloading);
        let since_boot = Duration::from_micros(since_boot.parse().unwrap());
        let now = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic);
        assert!(since_boot <= Duration::try_from(now).unwrap() && !since_boot.is_zero());
        assert_eq!(manager.next(), "READY=1\nSTATUS=");

        place.configure("vrrp_instance web {\n");
        daemon.signal(Signal::HUP);
        assert!(manager.next().starts_with("RELOADING=1\n"));
        let ready = manager.next();
        assert!(ready.starts_with("READY=1\nSTATUS=RELOAD REFUSED: "), "{ready}");
        assert_eq!(ready.lines().count(), 2);

        daemon.signal(Signal::TERM);
        assert_eq!(manager.next(), "STOPPING=1");
        assert_eq!(daemon.wait_for_end().code(), Some(0));
        place.configure("");
    }
}

#[test]
fn in_the_background_the_service_manager_hears_of_the_daemon_itself() {
    let place = Place::with("");
    let manager = Manager::at_path(&place);
    let started = Command::new(BINARY)
        .args(place.arguments())
        .env("NOTIFY_SOCKET", &manager.name)
        .stdin(Stdio::null())
        .status()
        .unwrap();
    assert!(started.success());
    let daemon = place.pid().expect("the pid file is there");
    assert_eq!(manager.next(), format!("READY=1\nMAINPID={}", daemon.as_raw_nonzero()));
    kill_process(daemon, Signal::TERM).unwrap();
    assert_eq!(manager.next(), "STOPPING=1");
    wait_for("the daemon's end", || has_ended(daemon).then_some(()));
}

#[test]
fn a_service_manager_that_cannot_be_reached_is_complained_of_and_that_is_all() {
    let place = Place::with("");
    let missing = place.path("missing");
    for name in ["vsock:2:1", missing.to_str().unwrap()] {
        let mut daemon = place.daemon_with(|command| command.env("NOTIFY_SOCKET", name));
        daemon.wait_for_line("cannot tell the service manager");
        daemon.wait_for_line("nothing to run");
        daemon.signal(Signal::TERM);
        assert_eq!(daemon.wait_for_end().code(), Some(0));
    }
}

/// The processes whose parent is `pid`.
fn children_of(pid: u32) -> Vec<i32> {
    let text = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap_or_default();
    text.split_whitespace().map(|pid| pid.parse().unwrap()).collect()
}

#[test]
fn as_the_first_process_of_a_container_it_reaps_orphans() {
    let unshare = |arguments: &[&str]| {
        let mut command = Command::new("unshare");
        command.args(["--pid", "--fork", "--kill-child", "--mount-proc"]).args(arguments);
        command
    };
    if !output(&mut unshare(&["true"])).status.success() {
        lab::skip("namespaces are not permitted");
        return;
    }
    let place = Place::with("");
    let arguments = place.arguments();
    let mut words = vec![BINARY, "-n", "-l"];
    words.extend(arguments.iter().map(String::as_str));
    let mut command = unshare(&words);
    command.stdin(Stdio::null()).stderr(fs::File::create(place.path("log")).unwrap());
    let mut container = Daemon { child: command.spawn().unwrap(), log: place.path("log") };
    container.wait_for_line("nothing to run");
    let first = u32::try_from(children_of(container.child.id())[0]).unwrap();

    for _ in 0..3 {
        let orphan = "sleep 1000 </dev/null >/dev/null 2>&1 &";
        let nsenter = ["--target", &first.to_string(), "--pid", "--mount", "--", "sh", "-c", orphan];
        assert!(output(Command::new("nsenter").args(nsenter)).status.success());
    }
    let orphans = wait_for("orphans", || Some(children_of(first)).filter(|pids| pids.len() == 3));
    for orphan in orphans {
        kill_process(Pid::from_raw(orphan).unwrap(), Signal::KILL).unwrap();
    }
    wait_for("the orphans to be reaped", || children_of(first).is_empty().then_some(()));
    kill_process(Pid::from_raw(first.try_into().unwrap()).unwrap(), Signal::TERM).unwrap();
    assert_eq!(container.wait_for_end().code(), Some(0));
}

#[test]
fn a_reload_with_errors_changes_nothing() {
    let place = Place::with("");
    let mut daemon = place.daemon();
    daemon.wait_for_line("nothing to run");
    place.configure("vrrp_instance web {\n  interface eth0\n  virtual_router_id 999\n}\n");
    daemon.signal(Signal::HUP);
    daemon.wait_for_line("RELOAD REFUSED: 2 faults in the configuration: ");
    daemon.wait_for_line("; the previous configuration stays in force");
    fs::remove_file(place.config()).unwrap();
    daemon.signal(Signal::HUP);
    daemon.wait_for_line("RELOAD REFUSED: cannot read");
    daemon.signal(Signal::INT);
    assert_eq!(daemon.wait_for_end().code(), Some(0));
}

#[test]
fn in_the_background_it_is_up_when_the_shell_goes_on() {
    let place = Place::with("");
    let mut command = Command::new(BINARY);
    command.args(place.arguments()).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
    let mut shell = command.spawn().unwrap();
    // To the end: a daemon that kept the pipe would hang whoever reads its output.
    let mut said = String::new();
    shell.stderr.take().unwrap().read_to_string(&mut said).unwrap();
    assert!(shell.wait().unwrap().success(), "{said}");

    let daemon = place.pid().expect("the pid file is there");
    assert_ne!(daemon.as_raw_nonzero().get().unsigned_abs(), shell.id());
    assert!(!has_ended(daemon));
    kill_process(daemon, Signal::TERM).unwrap();
    wait_for("the daemon's end", || has_ended(daemon).then_some(()));
}

#[test]
fn missing_capabilities_are_named() {
    let place = Place::with(INSTANCE);
    let mut command = Command::new(BINARY);
    command.arg("-n").args(place.arguments());
    if rustix::process::geteuid().is_root() {
        command.uid(65534).gid(65534);
    }
    assert_fails(
        &output(&mut command),
        4,
        &["AmbientCapabilities=CAP_NET_ADMIN CAP_NET_RAW", "setcap", "chmod 750"],
    );
}

#[test]
fn under_keepalived_s_name_words_are_ignored() {
    let place = Place::with(INSTANCE);
    let keepalived = place.path("keepalived");
    symlink(Path::new(BINARY), &keepalived).unwrap();
    let help = output(Command::new(&keepalived).arg("-h"));
    assert!(stderr(&help).starts_with("Usage: keepalived "));
    let version = output(Command::new(&keepalived).arg("-v"));
    assert!(stderr(&version).starts_with("Keepalived v2.4.0 (Steadfast v"), "exporters parse this");

    let config = place.config();
    let output = output(Command::new(&keepalived).args(["lab", "-t", "-f"]).arg(config));
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
}
