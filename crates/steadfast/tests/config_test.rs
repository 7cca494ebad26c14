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

    /// The exit status and the output of a test of a file with script security and one instance on `interface`. `@` in
    /// `more` is this directory.
    fn test(&self, global: &str, interface: &str, more: &str) -> (Option<i32>, String) {
        let more = more.replace('@', &format!("{}/", self.0.path().display()));
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
fn assert_warned((code, said): &(Option<i32>, String), words: &str) {
    assert_eq!(*code, Some(5), "{said}");
    assert!(said.contains(words), "{words:?} is not in: {said}");
}

#[test]
fn scripts_that_would_not_run_are_named() {
    let place = Place::new();
    for (notify, words) in [
        ("notify /no/such/script", "(notify of web) is not run: /no does not exist"),
        ("notify @plain", "is not executable"),
        ("notify @open", "writable by everybody"),
        ("notify_master /bin/true extra words", "(notify_master of web) is not run: no user extra; "),
        ("notify \"/bin/true words\" nobody no-such-group", "no group no-such-group"),
    ] {
        let tested = place.test("dynamic_interfaces\nscript_user root", "eth0", notify);
        assert_warned(&tested, words);
        assert!(tested.1.starts_with("warning: script ") && tested.1.lines().count() == 1, "{}", tested.1);
    }
    let fine = place.test("dynamic_interfaces\nscript_user root", "eth0", "notify /bin/true");
    assert_eq!(fine, (Some(0), String::new()));
}

#[test]
fn scripts_without_a_user_are_remarked_on_once() {
    let place = Place::new();
    let tested = place.test("dynamic_interfaces", "eth0", "notify /bin/true\nnotify_master /bin/true");
    if fs::read_to_string("/etc/passwd").unwrap().contains("keepalived_script:") {
        assert_eq!(tested, (Some(0), String::new()));
        return;
    }
    let words = "scripts run as root: there is no script_user and no user keepalived_script";
    assert_warned(&tested, words);
    assert_eq!(tested.1.lines().count(), 1, "{}", tested.1);
}

#[test]
fn interfaces_that_this_host_does_not_have_are_named() {
    let place = Place::new();
    let more = "track_interface {\nlo\nno-such-link\n}";
    let tested = place.test("", "no-such-link", more);
    assert_warned(&tested, "warning[SF0408]: this host has no interface `no-such-link`");
    assert!(tested.1.contains("a.conf:6:11") && tested.1.matches("SF0408").count() == 1, "{}", tested.1);
    let (_, said) = place.test("dynamic_interfaces", "no-such-link", more);
    assert!(!said.contains("SF0408"), "{said}");
}
