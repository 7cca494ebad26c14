//! `steadfast lab` as a person runs it.

use std::fs;
use std::process::{Command, Output, Stdio};
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
    let directory = tempfile::tempdir().unwrap();
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
            }}\n"
        );
        fs::write(&path, file).unwrap();
        path.display().to_string()
    });
    (directory, paths)
}

/// Whether it could not run here for want of rights; then nobody must have insisted.
fn is_skipped(output: &Output) -> bool {
    let said = text(&output.stderr);
    let skipped = said.contains("namespaces are not permitted");
    if skipped {
        assert!(std::env::var_os("STEADFAST_REQUIRE_NETNS").is_none(), "namespaces are required: {said}");
        eprintln!("SKIPPED: {said}");
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
