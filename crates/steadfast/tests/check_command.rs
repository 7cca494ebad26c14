//! `steadfast check` as operators and their programs call it.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use serde_json::Value;

fn check(arguments: &[&str], folder: &Path) -> (Option<i32>, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_steadfast"));
    let Output { status, stdout, stderr } =
        command.arg("check").args(arguments).current_dir(folder).stdin(Stdio::null()).output().unwrap();
    (status.code(), String::from_utf8(stdout).unwrap(), String::from_utf8(stderr).unwrap())
}

/// A file that tracks nginx with this weight from this priority, as the notes that Steadfast began with have it.
fn notes(priority: u8, weight: i8) -> String {
    format!(
        "global_defs {{\nenable_script_security\nscript_user root\n}}\n\
        vrrp_script chk_nginx {{\nscript \"/bin/true\"\nweight {weight}\n}}\n\
        vrrp_instance VI_1 {{\ninterface lan0\nvirtual_router_id 102\npriority {priority}\n\
        track_script {{\nchk_nginx\n}}\nvirtual_ipaddress {{\n10.15.8.102\n}}\n}}\n"
    )
}

fn folder(files: &[(&str, String)]) -> tempfile::TempDir {
    let place = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = place.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    place
}

#[test]
fn the_pair_of_the_notes_moves_its_address_with_weight_2_only() {
    let place = folder(&[("a.conf", notes(91, 2)), ("b.conf", notes(90, 2))]);
    assert_eq!(check(&["a.conf", "b.conf"], place.path()), (Some(0), String::new(), String::new()));

    let place = folder(&[("a.conf", notes(91, 1)), ("b.conf", notes(90, 1))]);
    let (code, out, said) = check(&["--short", "a.conf", "b.conf"], place.path());
    assert_eq!((code, said.as_str()), (Some(1), ""));
    assert_eq!(
        out,
        "a.conf:14:1: warning[SF2108]: a failure of `chk_nginx` on a.conf moves nothing: its priority falls from 92 \
         to 91, and b.conf has 91; a.conf:12, b.conf:12; they are equals then; its weight must be more than the \
         difference: at least 2, or bring the priorities nearer\n"
    );
    let (_, out, _) = check(&["a.conf", "b.conf"], place.path());
    assert!(out.contains("a.conf begins with 91") && out.contains("b.conf begins with 90"), "{out}");
    assert!(out.contains("at least 2") && !out.contains('\u{1b}'), "{out}");
}

#[test]
fn findings_are_json_on_request() {
    let place = folder(&[("one/keepalived.conf", notes(91, 1)), ("two/keepalived.conf", notes(90, 1))]);
    let (code, out, _) = check(&["--json", "one/keepalived.conf", "two/keepalived.conf"], place.path());
    assert_eq!(code, Some(1));
    let found: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(found[0]["code"], "SF2108");
    assert_eq!(found[0]["file"], "one/keepalived.conf");
    assert_eq!(found[0]["labels"][1]["file"], "two/keepalived.conf");
    assert_eq!(found[0]["labels"][1]["text"], "two begins with 90");

    let (code, out, _) = check(&["--json", "--elsewhere", "one/keepalived.conf"], place.path());
    assert_eq!((code, out.as_str()), (Some(0), "[]\n"));
}

#[test]
fn one_file_can_be_that_of_all_hosts() {
    let all = |weight| {
        notes(0, weight).replace("priority 0\n", "@web1 priority 91\n@web2 priority 90\n@^web1 nopreempt\n")
    };
    let place = folder(&[("all.conf", all(1))]);
    let (code, out, _) = check(&["--short", "all.conf@web1", "all.conf@web2"], place.path());
    assert_eq!(code, Some(1));
    assert!(
        out.contains("on web1 moves nothing: its priority falls from 92 to 91, and web2 has 91"),
        "{out}"
    );
    // What is wrong with the lines that both have is said once.
    fs::write(place.path().join("all.conf"), all(2).replace("interface lan0", "interface lan0\nno_such"))
        .unwrap();
    let (_, out, _) = check(&["--short", "all.conf@web1", "all.conf@web2"], place.path());
    assert_eq!(out.matches("SF0301").count(), 1, "{out}");
    let (_, out, _) = check(&["--short", "-i", "web2", "--elsewhere", "all.conf"], place.path());
    assert!(out.contains("SF2002"), "web2 has `nopreempt`: {out}");
    let (_, out, _) = check(&["--short", "-i", "web1", "--elsewhere", "all.conf"], place.path());
    assert!(!out.contains("SF2002"), "web1 has not: {out}");
}

#[test]
fn what_the_test_finds_comes_first() {
    let place = folder(&[("a.conf", notes(91, 1) + "no_such\n"), ("b.conf", notes(90, 1))]);
    let (code, out, _) = check(&["--short", "a.conf", "b.conf"], place.path());
    let codes: Vec<_> = out.lines().filter_map(|line| Some(&line[line.find("[SF")? + 1..][..6])).collect();
    assert_eq!((code, codes), (Some(1), vec!["SF0301", "SF2108"]));
}

#[test]
fn files_with_errors_are_not_compared() {
    let place = folder(&[("a.conf", "vrrp_instance a {\n".to_owned()), ("b.conf", notes(90, 1))]);
    let (code, out, said) = check(&["a.conf", "b.conf"], place.path());
    assert!(code == Some(1) && out.contains("error[SF0204]") && !out.contains("[SF21"), "{out}");
    assert!(said.contains("not compared"), "{said}");
}

#[test]
fn notes_are_no_failure_unless_they_are_denied() {
    let file = notes(90, 2);
    let place = folder(&[("a.conf", file.clone()), ("b.conf", file)]);
    let (code, out, _) = check(&["--short", "a.conf", "b.conf"], place.path());
    assert!(code == Some(0) && out.contains("note[SF2105]"), "{out}");
    assert_eq!(check(&["--deny-notes", "a.conf", "b.conf"], place.path()).0, Some(1));
}

#[test]
fn scripts_of_this_host_are_looked_at() {
    let place = folder(&[("script", "#!/bin/sh\n".to_owned())]);
    let script = place.path().join("script");
    fs::set_permissions(&script, fs::Permissions::from_mode(0o644)).unwrap();
    let text = notes(91, 2).replace("/bin/true", script.to_str().unwrap());
    fs::write(place.path().join("a.conf"), text).unwrap();
    let (code, out, _) = check(&["--short", "a.conf"], place.path());
    assert!(code == Some(1) && out.starts_with("a.conf:6:8: warning[SF0502]: "), "{out}");
    assert!(out.contains("this host has no interface `lan0`"), "{out}");
    assert!(out.contains(script.to_str().unwrap()) && out.contains("0644"), "{out}");
    assert!(out.contains(&format!("`chmod a+x {}`", script.display())), "{out}");
    assert_eq!(check(&["--elsewhere", "a.conf"], place.path()), (Some(0), String::new(), String::new()));
    fs::write(place.path().join("b.conf"), notes(90, 2)).unwrap();
    assert_eq!(check(&["a.conf", "b.conf"], place.path()).0, Some(0), "of two hosts at most one is this one");
}

#[test]
fn what_the_test_only_notes_and_loses_a_meaning_is_a_warning() {
    let with = |line: &str| notes(91, 2).replace("interface lan0", &format!("interface lan0\n{line}"));
    for (text, code) in [
        (with("state BACKUP nopreempt"), "SF0303"),
        (notes(91, 2).replace("\"/bin/true\"", "/usr/bin/pgrep nginx"), "SF0303"),
        (with("include missing.conf"), "SF0111"),
        (format!("global_defs {{\nrouter_id ab#cd\n}}\n{}", notes(91, 2)), "SF0112"),
        (String::new(), "SF2017"),
        (notes(91, 2).replace("/bin/true", "/bin/true | /bin/cat"), "SF2012"),
    ] {
        let place = folder(&[("a.conf", text)]);
        let (status, out, _) = check(&["--short", "--elsewhere", "a.conf"], place.path());
        assert!(status == Some(1) && out.contains(&format!("warning[{code}]")), "{code}: {out}");
    }
    let place = folder(&[("a.conf", with("include conf.d/*.conf"))]);
    assert_eq!(check(&["--elsewhere", "a.conf"], place.path()).0, Some(0), "a pattern may match nothing");
}

#[test]
fn an_id_that_no_line_names_is_told() {
    let all = notes(0, 2).replace("priority 0\n", "@web1 priority 91\n@web2 priority 90\n");
    let place = folder(&[("all.conf", all), ("plain.conf", notes(91, 2))]);
    let (status, out, _) = check(&["--short", "--elsewhere", "all.conf@wbe1"], place.path());
    assert!(status == Some(1) && out.contains("SF2018") && out.contains("did you mean `web1`"), "{out}");
    let (_, out, _) = check(&["--short", "--elsewhere", "-i", "web1", "plain.conf"], place.path());
    assert!(out.contains("SF2018") && out.contains("the same for all hosts"), "{out}");
    let (status, out, _) = check(&["--elsewhere", "all.conf@web1"], place.path());
    assert_eq!((status, out.as_str()), (Some(0), ""));
}

#[test]
fn what_has_no_effect_yet_is_told_last_and_changes_no_status() {
    let session = "bfd_instance peer {\n  neighbor_ip 192.0.2.1\n}\n";
    let tracked = "interface lan0\ntrack_bfd {\n  peer\n}";
    let text = session.to_owned() + &notes(91, 2).replace("interface lan0", tracked);
    let place = folder(&[("a.conf", text)]);
    let (status, out, _) = check(&["--short", "--elsewhere", "--deny-notes", "a.conf"], place.path());
    assert_eq!(status, Some(0), "{out}");
    assert!(out.contains("no effect yet: ") && out.contains("`bfd_instance`"), "{out}");
    assert!(out.contains("no daemon of this release starts with `track_bfd`"), "{out}");
}

#[test]
fn the_command_line_is_explained() {
    for (arguments, words) in [
        (&[][..], "name the file"),
        (&["--shrt", "a"], "invalid option '--shrt'"),
        (&["-i"], "missing argument for option '-i'"),
        (&["missing.conf"], "cannot read `missing.conf`"),
        (&["--short", "--json", "a"], "not both"),
        (&["-"], "standard input is not read"),
        (&["a", "a"], "a is given twice"),
        (&["a@web1", "a@web1"], "a is given twice"),
    ] {
        let (code, out, said) = check(arguments, Path::new("/"));
        assert!(code == Some(2) && out.is_empty() && said.contains(words), "{arguments:?}: {said}");
    }
    assert!(check(&["--help"], Path::new("/")).1.starts_with("usage: steadfast check "));
}
