//! `-t` looks at the host too: scripts that would not run, and interfaces that are not there.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::process::{Command, Stdio};

/// A directory for a configuration and its scripts.
struct Place(tempfile::TempDir);

impl Place {
    fn new() -> Self {
        let place = Self(tempfile::tempdir().unwrap());
        for (name, mode) in [("plain", 0o644), ("open", 0o777), ("good", 0o755)] {
            let path = place.0.path().join(name);
            fs::write(&path, "#!/bin/sh\n").unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        }
        place
    }

    fn path(&self) -> String {
        format!("{}/", self.0.path().display())
    }

    /// The exit status and the output of a test of a file with script security and one instance on `interface`. `@` in
    /// `more` is this directory.
    fn test(&self, global: &str, interface: &str, more: &str) -> (Option<i32>, String) {
        let more = more.replace('@', &self.path());
        let file = format!(
            "global_defs {{\nenable_script_security\n{global}\n}}\nvrrp_instance web {{\ninterface {interface}\n\
             virtual_router_id 51\nvirtual_ipaddress {{\n192.0.2.10/24\n}}\n{more}\n}}\n"
        );
        let path = self.0.path().join("a.conf");
        fs::write(&path, file).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_steadfast"));
        let output = command.arg("-t").arg("-f").arg(path).stdin(Stdio::null()).output().unwrap();
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    }
}

#[track_caller]
fn assert_said((code, said): &(Option<i32>, String), expected: i32, words: &str) {
    assert_eq!(*code, Some(expected), "{said}");
    assert!(said.contains(words), "{words:?} is not in: {said}");
    assert!(said.matches("SF050").count() <= 1, "it is said twice: {said}");
}

#[test]
fn scripts_that_would_not_run_are_named() {
    let place = Place::new();
    let global = "dynamic_interfaces\nscript_user root";
    // keepalived fails for a check alone: a notification that is lost is a note.
    for (notify, words) in [
        (
            "notify /no/such/script",
            "note[SF0502]: the script `/no/such/script` is not run on this host: /no does not",
        ),
        ("notify @plain", "is not executable"),
        ("notify @open", "writable by everybody"),
        ("notify_master /bin/true extra words", "is not run on this host: no user extra; "),
        ("notify \"/bin/true words\" nobody no-such-group", "no group no-such-group"),
    ] {
        assert_said(&place.test(global, "eth0", notify), 0, words);
    }
    for (script, code, words) in [
        ("/no/such/script", 5, "warning[SF0502]: the script `/no/such/script` is not run"),
        ("@open", 5, "writable by everybody"),
        ("@plain", 0, "is not executable"),
        (
            "/bin/true\nuser nobody-at-all",
            5,
            "SF0503]: scripts cannot be run as this user: no user nobody-at-all",
        ),
    ] {
        let check =
            format!("{global}\n}}\nvrrp_script probe {{\nscript {}", script.replace('@', &place.path()));
        assert_said(&place.test(&check, "eth0", "track_script {\nprobe\n}"), code, words);
    }
    let fine = place.test("dynamic_interfaces\nscript_user root", "eth0", "notify /bin/true");
    assert_eq!(fine, (Some(0), String::new()));
}

#[test]
fn the_verdict_is_the_same_if_nobody_reads_the_findings() {
    let place = Place::new();
    let (code, _) = place.test("nonsense", "eth0", "");
    assert_eq!(code, Some(5));
    let full = || fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let file = place.0.path().join("a.conf");
    let test = |log: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_steadfast"));
        let output = command.arg("-f").arg(&file).args(log).stdin(Stdio::null()).stderr(full()).output();
        output.unwrap().status.code()
    };
    assert_eq!(test(&["-t"]), Some(5), "standard error is full");
    assert_eq!(test(&["--config-test=/dev/full"]), Some(70), "a log was asked for, and there is none");
}

#[test]
fn scripts_without_a_user_are_remarked_on_once() {
    let place = Place::new();
    let tested = place.test("dynamic_interfaces", "eth0", "notify /bin/true\nnotify_master /bin/true");
    if fs::read_to_string("/etc/passwd").unwrap().contains("keepalived_script:") {
        assert_eq!(tested, (Some(0), String::new()));
        return;
    }
    let words = "scripts run as root: there is no `script_user` and no user `keepalived_script`";
    assert_said(&tested, 5, words);
}

#[test]
fn interfaces_that_this_host_does_not_have_are_named() {
    let place = Place::new();
    let more = "track_interface {\nlo\nno-such-link\n}";
    let tested = place.test("", "no-such-link", more);
    assert_said(&tested, 5, "warning[SF0408]: this host has no interface `no-such-link`");
    assert!(tested.1.contains("a.conf:6:11") && tested.1.matches("SF0408").count() == 1, "{}", tested.1);
    let (_, said) = place.test("dynamic_interfaces", "no-such-link", more);
    assert!(!said.contains("SF0408"), "{said}");
    // Those of another namespace are not looked at.
    let elsewhere = place.test("}\nnet_namespace ns1\nglobal_defs {", "no-such-link", "");
    assert_eq!(elsewhere, (Some(0), String::new()));
}
