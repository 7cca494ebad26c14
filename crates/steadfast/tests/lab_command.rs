//! `steadfast lab` as a person runs it.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use lab::wait_until;

/// Fast ones, so that all steps take a few seconds.
const FILES: [&str; 2] = ["120", "110"];

fn steadfast(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_steadfast"));
    command.arg("lab").args(arguments);
    command
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Two files in a directory that lasts as long as the returned value.
fn files() -> (tempfile::TempDir, [String; 2]) {
    files_with("")
}

/// The same with `more` in the instance.
fn files_with(more: &str) -> (tempfile::TempDir, [String; 2]) {
    let directory = tempfile::tempdir().unwrap();
    // For other users than the one who runs the tests.
    fs::set_permissions(directory.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let paths = FILES.map(|priority| {
        let path = directory.path().join(format!("{priority}.conf"));
        let file = format!(
            "vrrp_instance V {{
                interface eth0
                virtual_router_id 9
                version 3
                advert_int 0.1
                priority {priority}
                virtual_ipaddress {{
                    203.0.113.1/24
                }}
                {more}
            }}\n"
        );
        fs::write(&path, file).unwrap();
        path.display().to_string()
    });
    (directory, paths)
}

/// A laboratory that is left running; it ends when this is dropped.
struct Kept {
    child: Child,
    /// What it printed.
    said: String,
}

impl Kept {
    /// Waits until every step is taken; `None` where that is not permitted.
    fn start(command: &mut Command) -> Option<Self> {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut out = BufReader::new(child.stdout.take().unwrap());
        let mut said = String::new();
        while !said.ends_with("reads it again.\n") {
            if out.read_line(&mut said).unwrap() == 0 {
                let mut complaint = String::new();
                child.stderr.take().unwrap().read_to_string(&mut complaint).unwrap();
                child.wait().unwrap();
                assert!(could_not_run(&complaint), "{said}{complaint}");
                return None;
            }
        }
        Some(Self { child, said })
    }

    /// The command by which host `name` is entered, word by word.
    fn entry(&self, name: &str) -> Vec<String> {
        let line = self.said.lines().find(|line| line.ends_with(&format!("# {name}")));
        let command = line.and_then(|line| line.split_once('#')).expect("every host has a line").0;
        command.split_whitespace().map(str::to_owned).collect()
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        self.child.kill().ok(); // it may have ended
        self.child.wait().ok();
    }
}

/// Whether it could not run here for want of rights; then nobody must have insisted.
fn is_skipped(output: &Output) -> bool {
    could_not_run(&text(&output.stderr))
}

fn could_not_run(said: &str) -> bool {
    let skipped = said.contains("namespaces are not permitted");
    if skipped {
        lab::skip(said);
    }
    skipped
}

#[test]
fn every_step_ends_with_one_holder() {
    let (directory, [first, second]) = files();
    let capture = directory.path().join("lan.pcap");
    let output = steadfast(&["--pcap", capture.to_str().unwrap(), &first, &second]).output().unwrap();
    if is_skipped(&output) {
        return;
    }
    let said = text(&output.stdout);
    assert!(output.status.success(), "{said}{}", text(&output.stderr));
    let steps: Vec<&str> =
        said.lines().skip_while(|line| !line.contains("ms unanswered")).skip(1).take(5).collect();
    let expected = [
        ("a and b start", " a "),
        ("a stops (SIGTERM)", " b "),
        ("a starts again", " a "),
        ("a loses power (kill -9)", " b "),
        ("a comes back", " a "),
    ];
    for (line, (event, holder)) in steps.iter().zip(expected) {
        let (_, rest) = line.split_once(event).unwrap_or_else(|| panic!("not {event}: {line}"));
        assert!(rest.contains(holder), "{line}");
    }
    assert_eq!(steps.len(), expected.len(), "{said}");
    assert!(said.contains("every step ended with one holder"), "{said}");
    assert!(fs::metadata(capture).unwrap().len() > 1000);
}

#[test]
fn scripts_run_and_change_nothing_of_this_machine() {
    let target = format!("{}/written-from-the-laboratory", env!("CARGO_TARGET_TMPDIR"));
    let line = format!("for file in /run/told /tmp/told {target}; do echo x > $file; done");
    let (_directory, [first, second]) = files_with(&format!("notify \"/bin/sh -c '{line}'\" root"));
    let Some(kept) = Kept::start(steadfast(&["--keep"]).args([first, second])) else { return };
    assert!(kept.said.contains("read-only"), "{}", kept.said);
    let entry = kept.entry("a");
    let seen = "test -e /run/told && test -e /tmp/told && ! test -w /etc && echo so it is";
    let inside = Command::new(&entry[0]).args(&entry[1..]).args(["sh", "-c", seen]).output().unwrap();
    assert_eq!(text(&inside.stdout), "so it is\n", "{}", text(&inside.stderr));
    assert!(!fs::exists(target).unwrap());
}

#[test]
fn without_root_it_says_how_its_user_enters_a_host() {
    const NOBODY: u32 = 65534;
    if !rustix::process::geteuid().is_root() {
        lab::skip("needs root to become another user");
        return;
    }
    let (_directory, [first, second]) = files();
    let mut command = steadfast(&["--keep", &first, &second]);
    let Some(kept) = Kept::start(command.uid(NOBODY).gid(NOBODY)) else { return };
    let entry = kept.entry("b");
    assert_eq!(entry[..4], ["nsenter", "-U", "--preserve-credentials", "-t"]);
    let mut inside = Command::new(&entry[0]);
    let inside = inside.args(&entry[1..]).args(["uname", "-n"]).uid(NOBODY).gid(NOBODY).output().unwrap();
    assert_eq!(text(&inside.stdout), "b\n", "{}", text(&inside.stderr));
}

#[test]
fn nothing_is_left_when_it_is_killed() {
    let (_directory, [first, second]) = files();
    let mut child =
        steadfast(&["--keep", &first, &second]).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let pid = child.id();
    let children = || {
        let path = format!("/proc/{pid}/task/{pid}/children");
        let line = fs::read_to_string(path).unwrap_or_default();
        line.split_whitespace().map(str::to_owned).collect::<Vec<_>>()
    };
    // A switch, the client, two hosts; and a daemon on each of these.
    let mut seen = Vec::new();
    let up = wait_until(Duration::from_secs(10), || {
        seen = children();
        seen.len() >= 6 || child.try_wait().unwrap().is_some()
    });
    assert!(up, "{seen:?}");
    if child.try_wait().unwrap().is_some() {
        let output = child.wait_with_output().unwrap();
        assert!(is_skipped(&output), "{}", text(&output.stderr));
        return;
    }
    child.kill().unwrap();
    child.wait().unwrap();
    let gone = |pid: &String| match fs::read_to_string(format!("/proc/{pid}/stat")) {
        // A zombie is gone but for who inherited it.
        Ok(stat) => stat.rsplit(')').next().is_some_and(|rest| rest.trim_start().starts_with('Z')),
        Err(_) => true,
    };
    assert!(wait_until(Duration::from_secs(10), || seen.iter().all(gone)), "{seen:?}");
}

#[test]
fn mistakes_are_answered_in_a_sentence() {
    let said = |arguments: &[&str]| {
        let output = steadfast(arguments).output().unwrap();
        (output.status.code(), text(&output.stderr))
    };
    let (code, words) = said(&["--fast"]);
    assert_eq!(code, Some(2));
    assert_eq!(words, "steadfast lab: invalid option '--fast'\nTry 'steadfast lab --help'.\n");
    let (code, words) = said(&["/nonexistent/a.conf", "/nonexistent/b.conf"]);
    assert_eq!(code, Some(1));
    assert!(words.contains("cannot read /nonexistent/a.conf"), "{words}");
    let output = steadfast(&["--help"]).output().unwrap();
    assert!(output.status.success() && text(&output.stdout).starts_with("usage: steadfast lab"));
}
