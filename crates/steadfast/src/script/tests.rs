//! The runner with real programs. Each test has its own loop; none depends on how fast a program starts.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use model::vrrp::{Command, Notify, RunAs, Script};
use model::{IfName, Vrid};

use super::*;
use crate::log::{Destinations, Verbosity};
use crate::message::NotificationKind;

/// A runner, its loop, and a directory for scripts and what they write.
struct Bench {
    runner: Runner,
    reactor: Reactor,
    config: vrrp::Config,
    dir: tempfile::TempDir,
}

impl Bench {
    fn new() -> Self {
        let to =
            Destinations { console: false, syslog: None, ident: "test".into(), verbosity: Verbosity::Normal };
        Self {
            runner: Runner::new(Log::start(to).unwrap()),
            reactor: Reactor::new().unwrap(),
            config: vrrp::Config::default(),
            dir: tempfile::tempdir().unwrap(),
        }
    }

    /// A script with this text, in which `$D` is the test's directory.
    fn command(&self, name: &str, text: &str) -> Command {
        let path = self.dir.path().join(name);
        fs::write(&path, format!("#!/bin/sh\nD={}\n{text}\n", self.dir.path().display())).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        Command { program: path.to_str().unwrap().into(), arguments: Vec::new(), run_as: RunAs::Default }
    }

    fn add_check(&mut self, name: &str, text: &str, timeout: Duration) {
        let script = Script { timeout, ..Script::new(name, self.command(name, text)) };
        self.config.scripts.push(script);
        self.configure();
    }

    fn add_instance(&mut self, name: &str, notify: Notify) {
        let interface: IfName = "eth0".parse().unwrap();
        let instance = vrrp::Instance::new(name, interface, Vrid::try_from(1).unwrap());
        self.config.instances.push(vrrp::Instance { notify, ..instance });
        self.configure();
    }

    fn configure(&mut self) {
        self.runner.configure(&self.config, &model::lvs::Config::default(), Policy::DEFAULT);
    }

    fn check(&mut self, name: &str, run: u64) {
        self.runner.check(&mut self.reactor, sys::clock::now(), name, run);
    }

    fn notify(&mut self, instance: &str, kind: NotificationKind) {
        let whose = Whose::Instance(instance.into());
        let notification = Notification { whose, kind, priority: 100 };
        self.runner.notify(&mut self.reactor, sys::clock::now(), &notification);
    }

    /// Turns the loop until `done`.
    fn until(&mut self, what: &str, mut done: impl FnMut(&mut Runner) -> bool) {
        let give_up = sys::clock::now() + Duration::from_secs(20);
        let mut ready = Vec::new();
        while !done(&mut self.runner) {
            let now = sys::clock::now();
            assert!(now < give_up, "waited too long for {what}");
            // Files are looked at by polling.
            let poll = now + Duration::from_millis(10);
            let deadline = self.runner.deadline().map_or(poll, |deadline| deadline.min(poll));
            self.reactor.wait(Some(deadline), &mut ready).unwrap();
            for event in &ready {
                self.runner.on_ready(&mut self.reactor, sys::clock::now(), event.token);
            }
            self.runner.on_deadline(&mut self.reactor, sys::clock::now());
        }
    }

    fn answers(&mut self, count: usize) -> Vec<(String, u64, ScriptOutcome)> {
        let mut answers = Vec::new();
        self.until("answers", |runner| {
            answers.extend(runner.take_answers().into_iter().map(|answer| match answer {
                ToWorker::ScriptDone { script, run, outcome } => (script, run, outcome),
                other => panic!("{other:?} is no answer"),
            }));
            answers.len() >= count
        });
        answers
    }

    fn file(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn lines(&self, name: &str) -> Vec<String> {
        fs::read_to_string(self.file(name)).unwrap_or_default().lines().map(str::to_owned).collect()
    }
}

const MINUTE: Duration = Duration::from_secs(60);

fn alive(pid: &str) -> bool {
    // A zombie whose new parent has not yet reaped it is dead, too.
    fs::read_to_string(Path::new("/proc").join(pid).join("stat"))
        .is_ok_and(|stat| !stat.contains(") Z ") && !stat.contains(") X "))
}

#[test]
fn a_check_reports_how_it_ended() {
    let mut bench = Bench::new();
    bench.add_check("good", "exit 0", MINUTE);
    bench.add_check("bad", "exit 7", MINUTE);
    bench.add_check("killed", "kill -9 $$", MINUTE);
    bench.check("good", 1);
    bench.check("bad", 2);
    bench.check("killed", 3);
    bench.check("unknown", 4);
    let mut answers = bench.answers(4);
    answers.sort_by_key(|(_, run, _)| *run);
    assert_eq!(
        answers,
        [
            ("good".into(), 1, ScriptOutcome::Exited(0)),
            ("bad".into(), 2, ScriptOutcome::Exited(7)),
            ("killed".into(), 3, ScriptOutcome::Killed(9)),
            ("unknown".into(), 4, ScriptOutcome::NotRun),
        ]
    );
}

#[test]
fn a_time_out_ends_the_whole_process_group_even_if_it_ignores_sigterm() {
    let mut bench = Bench::new();
    let text = "trap '' TERM\nsh -c 'trap \"\" TERM; echo $$ > $0/inner.new; mv $0/inner.new $0/inner; sleep 600' $D &\n\
         echo $$ > $D/outer\nwait\nsleep 600";
    bench.add_check("hang", text, Duration::from_millis(700));
    bench.check("hang", 1);
    let inner = bench.file("inner");
    bench.until("the script's child", |_| inner.exists());
    assert_eq!(bench.answers(1), [("hang".into(), 1, ScriptOutcome::TimedOut)]);
    let pids = [bench.lines("inner"), bench.lines("outer")].concat();
    assert_eq!(pids.len(), 2);
    bench.until("the end of the group", |_| !pids.iter().any(|pid| alive(pid)));
    assert!(!bench.runner.is_running());
}

#[test]
fn a_check_never_overlaps_itself() {
    let mut bench = Bench::new();
    let text = "mkdir $D/busy || echo overlap >> $D/log\necho run >> $D/log\n\
                until [ -e $D/go ]; do sleep 0.02; done\nrmdir $D/busy";
    bench.add_check("slow", text, MINUTE);
    bench.check("slow", 1);
    bench.check("slow", 2);
    bench.check("slow", 3);
    assert_eq!(bench.answers(1), [("slow".into(), 2, ScriptOutcome::NotRun)], "the last request waits");
    fs::write(bench.file("go"), "").unwrap();
    let finished = bench.answers(2);
    assert_eq!(finished[0], ("slow".into(), 1, ScriptOutcome::Exited(0)));
    assert_eq!(finished[1], ("slow".into(), 3, ScriptOutcome::Exited(0)));
    assert_eq!(bench.lines("log"), ["run", "run"]);
}

#[test]
fn a_check_of_a_dead_worker_is_ended_and_not_answered() {
    let mut bench = Bench::new();
    bench.add_check("c", "echo $$ >> $D/pids\n[ -e $D/go ] || sleep 600", MINUTE);
    bench.check("c", 1);
    let pids = bench.file("pids");
    bench.until("the script's start", |_| pids.exists());
    bench.runner.abandon_checks(sys::clock::now());
    fs::write(bench.file("go"), "").unwrap();
    bench.check("c", 1);
    assert_eq!(
        bench.answers(1),
        [("c".into(), 1, ScriptOutcome::Exited(0))],
        "only the new worker's request"
    );
    assert!(!bench.runner.is_running());
}

#[test]
fn notify_scripts_of_an_instance_keep_their_order_behind_a_slow_one() {
    let mut bench = Bench::new();
    let slow = bench.command("slow", "until [ -e $D/go ]; do sleep 0.02; done\necho slow >> $D/log");
    let fast = bench.command("fast", "echo fast $* >> $D/log");
    let other = bench.command("other", "echo other > $D/other.log");
    bench.add_instance("web", Notify { master: Some(slow), any: Some(fast), ..Notify::default() });
    bench.add_instance("mail", Notify { backup: Some(other), ..Notify::default() });
    bench.notify("web", NotificationKind::Master);
    bench.notify("web", NotificationKind::Backup);
    bench.notify("mail", NotificationKind::Backup);

    let other = bench.file("other.log");
    bench.until("the other instance, which does not wait", |_| other.exists());
    let log = bench.file("log");
    bench.until("the common script of the same transition", |_| log.exists());
    assert!(bench.runner.is_notifying());
    assert_eq!(bench.lines("log"), ["fast INSTANCE web MASTER 100"]);
    fs::write(bench.file("go"), "").unwrap();
    bench.until("the end of all", |runner| !runner.is_notifying());
    assert_eq!(bench.lines("log"), ["fast INSTANCE web MASTER 100", "slow", "fast INSTANCE web BACKUP 100"]);
}

#[test]
fn what_cannot_be_run_does_not_hold_up_what_can() {
    let mut bench = Bench::new();
    let missing = Command {
        program: bench.file("nowhere/script").to_str().unwrap().into(),
        arguments: Vec::new(),
        run_as: RunAs::Default,
    };
    let any = bench.command("any", "echo $3 >> $D/log");
    let notify = Notify { master: Some(missing.clone()), any: Some(any), ..Notify::default() };
    bench.add_instance("web", notify);
    bench.config.scripts.push(Script::new("gone", missing));
    bench.configure();
    bench.notify("web", NotificationKind::Master);
    bench.notify("web", NotificationKind::Backup);
    bench.check("gone", 9);
    assert_eq!(bench.answers(1), [("gone".into(), 9, ScriptOutcome::NotRun)]);
    bench.until("the end of all", |runner| !runner.is_notifying());
    assert_eq!(bench.lines("log"), ["MASTER", "BACKUP"]);
}

#[test]
fn a_removed_instance_still_says_farewell() {
    let mut bench = Bench::new();
    let any = bench.command("any", "echo $3 >> $D/log");
    bench.add_instance("web", Notify { any: Some(any), ..Notify::default() });
    bench.config.instances.clear();
    bench.configure();
    bench.notify("web", NotificationKind::Deleted);
    bench.runner.forget_instance("web");
    bench.until("the end of all", |runner| !runner.is_notifying());
    assert_eq!(bench.lines("log"), ["FAULT"]);
    assert!(bench.runner.notified.is_empty());
}

#[test]
fn at_the_end_everything_is_ended() {
    let mut bench = Bench::new();
    let hang = bench.command("hang", "echo $$ > $D/pid.new; mv $D/pid.new $D/pid\nsleep 600");
    bench.add_instance("web", Notify { stop: Some(hang), ..Notify::default() });
    bench.notify("web", NotificationKind::Stop);
    let pid = bench.file("pid");
    bench.until("the script's start", |_| pid.exists());
    bench.runner.terminate_all(sys::clock::now());
    bench.until("the end of all", |runner| !runner.is_notifying() && !runner.is_running());
    assert!(!alive(&bench.lines("pid")[0]));
}

#[test]
fn what_the_loop_cannot_watch_is_ended_and_reaped() {
    let mut bench = Bench::new();
    let permit = permit::Permit {
        program: "/bin/sleep".into(),
        name: "/bin/sleep".into(),
        run_as: None,
        insecure: None,
    };
    let command =
        Command { program: "/bin/sleep".into(), arguments: vec!["600".into()], run_as: RunAs::Default };
    let purpose = Purpose::Check { script: "c".into(), run: None };
    let run = Run::start(&command, &permit, &[], purpose, None).unwrap();
    let stat = format!("/proc/{}/stat", run.pid());
    bench.runner.discard(run, sys::clock::now());
    bench.until("its end", |runner| !runner.is_running());
    assert!(!Path::new(&stat).exists(), "not even a zombie is left");
}
