//! `steadfast rehearse` as operators and their programs call it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;

fn rehearse(arguments: &[&str], folder: &Path) -> (Option<i32>, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_steadfast"));
    let Output { status, stdout, stderr } =
        command.arg("rehearse").args(arguments).current_dir(folder).stdin(Stdio::null()).output().unwrap();
    (status.code(), String::from_utf8(stdout).unwrap(), String::from_utf8(stderr).unwrap())
}

/// Where the documented examples are.
fn examples() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/examples/rehearse")
}

fn instance(priority: u8, more: &str) -> String {
    format!(
        "vrrp_instance VI_1 {{\ninterface eth0\nvirtual_router_id 51\npriority {priority}\n\
         virtual_ipaddress {{\n192.0.2.100/24\n}}\n{more}\n}}\n"
    )
}

fn folder(files: &[(&str, String)]) -> tempfile::TempDir {
    let place = tempfile::tempdir().unwrap();
    for (name, text) in files {
        fs::write(place.path().join(name), text).unwrap();
    }
    place
}

fn pair() -> tempfile::TempDir {
    folder(&[("a.conf", instance(101, "")), ("b.conf", instance(100, ""))])
}

/// Every command of docs/rehearse.md prints what stands behind it, and leaves with what is said there. With
/// `STEADFAST_BLESS=1` the page is written anew instead.
#[test]
fn the_documented_commands_print_what_is_documented() {
    let file = examples().join("../../rehearse.md");
    let page = fs::read_to_string(&file).unwrap();
    let mut blocks = page.split("```console\n");
    let mut anew = blocks.next().unwrap().to_owned();
    let mut count = 0;
    for block in blocks {
        let (block, text) = block.split_once("```").unwrap();
        let command = block.lines().next().unwrap();
        let arguments = command.strip_prefix("$ steadfast rehearse ").unwrap();
        let (code, out, said) = rehearse(&arguments.split(' ').collect::<Vec<_>>(), &examples());
        let status =
            if code == Some(0) { String::new() } else { format!("(exit status {})\n", code.unwrap()) };
        anew += &format!("```console\n{command}\n{out}{said}{status}```{text}");
        count += 1;
    }
    let picture = examples().join("outage.svg");
    let scenario = ["--svg", "-", "--scenario", "outage.txt", "pair/a.conf", "pair/b.conf"];
    let (code, drawn, _) = rehearse(&scenario, &examples());
    assert_eq!((code, count), (Some(0), 4));
    if std::env::var_os("STEADFAST_BLESS").is_some() {
        fs::write(&file, &anew).unwrap();
        fs::write(&picture, &drawn).unwrap();
    }
    assert_eq!(
        fs::read_to_string(&file).unwrap(),
        anew,
        "run this test with STEADFAST_BLESS=1 and look at the page"
    );
    assert_eq!(fs::read_to_string(picture).unwrap(), drawn);
}

#[test]
fn the_status_tells_failures_and_on_request_doubts() {
    let place = pair();
    let (code, out, said) = rehearse(&["a.conf", "b.conf"], place.path());
    assert_eq!((code, said.as_str()), (Some(0), ""));
    assert!(out.contains("single failures: each address always finds one master again"), "{out}");

    // A stranger's password: both are masters from the beginning.
    let secret = |word: &str| format!("authentication {{\nauth_type PASS\nauth_pass {word}\n}}");
    let place =
        folder(&[("a.conf", instance(101, &secret("one"))), ("b.conf", instance(100, &secret("two")))]);
    let (code, out, _) = rehearse(&["a.conf", "b.conf"], place.path());
    assert_eq!(code, Some(1));
    assert!(out.contains("failure: a and b are master at once") && out.contains("Already at rest"), "{out}");
    assert!(!out.contains("one\"") && !out.contains("two\""), "no secrets: {out}");

    let place = folder(&[("a.conf", instance(100, "")), ("b.conf", instance(100, ""))]);
    let (code, out, _) = rehearse(&["a.conf", "b.conf"], place.path());
    assert!(code == Some(0) && out.contains("doubt: a and b have the same priority 100"), "{out}");
    assert_eq!(rehearse(&["--deny-doubts", "a.conf", "b.conf"], place.path()).0, Some(1));
}

#[test]
fn what_is_wrong_with_files_is_said_and_nothing_is_played() {
    let place = pair();
    fs::write(place.path().join("bad.conf"), "vrrp_instance V {\ninterface eth0\n}\n").unwrap();
    fs::write(place.path().join("none.conf"), "! nothing\n").unwrap();
    let said = |arguments: &[&str]| {
        let (code, out, said) = rehearse(arguments, place.path());
        assert_eq!((code, out.as_str()), (Some(2), ""), "{said}");
        said
    };
    assert!(said(&["a.conf"]).contains("give two files or more"));
    assert!(said(&["a.conf", "nowhere.conf"]).contains("cannot read `nowhere.conf`"));
    assert!(said(&["a.conf", "a.conf"]).contains("given twice"));
    let wrong = said(&["a.conf", "bad.conf"]);
    assert!(wrong.contains("bad.conf:1:15") && wrong.contains("virtual_router_id"), "{wrong}");
    assert!(wrong.contains("files with errors are not rehearsed"));
    assert!(said(&["a.conf", "none.conf"]).contains("none has no vrrp_instance"));
    assert!(said(&["--seed", "many", "a.conf", "b.conf"]).contains("not `many`"));
    assert!(said(&["--json", "/nowhere/x", "a.conf", "b.conf"]).contains("cannot write /nowhere/x"));
    assert!(said(&["--scenario", "/dev/null", "a.conf", "b.conf"]).contains("not a regular file"));
    assert!(said(&["--scenario", "none.txt", "a.conf", "b.conf"]).contains("cannot read none.txt"));
}

#[test]
fn one_file_can_be_that_of_all_hosts() {
    let all =
        instance(90, "@web1 nopreempt").replace("priority 90", "@web1 priority 101\n@web2 priority 100");
    let place = folder(&[("all.conf", all)]);
    let (code, out, said) = rehearse(&["all.conf@web1", "all.conf@web2"], place.path());
    assert_eq!((code, said.as_str()), (Some(0), ""));
    assert!(out.contains("web1 is master (web1 101, web2 100)"), "{out}");
    assert!(out.contains("does not go back to web1, which has nopreempt"), "{out}");
}

#[test]
fn json_has_the_documented_fields_and_the_same_seed_the_same_text() {
    let place = pair();
    let arguments = ["--json", "-", "--pairs", "a.conf", "b.conf"];
    let (code, out, _) = rehearse(&arguments, place.path());
    assert_eq!(code, Some(0));
    assert_eq!(rehearse(&arguments, place.path()).1, out);
    let read: Value = serde_json::from_str(&out).unwrap();
    assert_eq!((&read["schema"], &read["good"]), (&1.into(), &true.into()));
    assert_eq!(read["hosts"][0]["interfaces"][0]["addresses"][0]["origin"], "made-up");
    assert_eq!(read["lans"][0]["members"][1]["host"], "b");
    assert_eq!(read["routers"][0]["parts"][0]["priority"], 101);
    let power = &read["failures"][0];
    assert_eq!(power["faults"][0], serde_json::json!({ "kind": "power", "host": "a" }));
    assert_eq!(power["broken"][0]["after"][0], "b");
    let without = power["broken"][0]["without_master"].as_f64().unwrap();
    assert!(without > 2.6 && without < 3.7, "{without}");
    assert_eq!(power["repaired"][0]["after"][0], "a");
    let bars = power["timeline"]["lanes"][0]["bars"].as_array().unwrap();
    let states: Vec<_> = bars.iter().map(|bar| bar["state"].clone()).collect();
    assert_eq!(states, ["MASTER".into(), Value::Null, "BACKUP".into(), "MASTER".into()]);
    assert!(read["pairs"].as_array().unwrap().len() > 10 && read["scenario"].is_null());
}

#[test]
fn the_drawing_is_well_formed() {
    let place = folder(&[("a&b.conf", instance(101, "")), ("<b>.conf", instance(100, ""))]);
    fs::write(place.path().join("s.txt"), "at 1s crash a_b\nat 9s start a_b\n").unwrap();
    let (code, out, said) =
        rehearse(&["--svg", "-", "--scenario", "s.txt", "a&b.conf", "<b>.conf"], place.path());
    assert_eq!(code, Some(0), "{said}");
    assert!(out.contains("1.000 s crash a_b") && out.contains("MASTER 100"), "{out}");
    well_formed(&out);
    let (code, text, _) = rehearse(&["--svg", "out.svg", "a&b.conf", "<b>.conf"], place.path());
    assert!(code == Some(0) && text.starts_with("Hosts"), "{text}");
    well_formed(&fs::read_to_string(place.path().join("out.svg")).unwrap());
}

/// Elements are closed in the order in which they were opened, and no sign stands where it may not.
fn well_formed(text: &str) {
    let mut open = Vec::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('<') {
        assert!(!before.contains('>'), "{before}");
        for entity in before.split('&').skip(1) {
            assert!(
                ["amp;", "lt;", "gt;", "quot;"].iter().any(|known| entity.starts_with(known)),
                "{entity}"
            );
        }
        let (tag, after) = after.split_once('>').expect("every tag ends");
        assert_eq!(tag.matches('"').count() % 2, 0, "{tag}");
        rest = after;
        if let Some(name) = tag.strip_prefix('/') {
            assert_eq!(open.pop(), Some(name));
        } else if !tag.ends_with('/') {
            open.push(tag.split(' ').next().unwrap());
        }
    }
    assert!(open.is_empty() && rest.trim().is_empty(), "{open:?} {rest}");
}

#[test]
fn scenarios_are_judged_by_their_expectations() {
    let place = pair();
    let play = |text: &str| {
        fs::write(place.path().join("s.txt"), text).unwrap();
        rehearse(&["--scenario", "s.txt", "a.conf", "b.conf"], place.path())
    };
    let (code, out, _) = play("at 1s stop a\n+5s expect VI_1 b\n+0s start a\n+20s expect VI_1 a\n");
    assert_eq!(code, Some(0), "{out}");
    assert!(out.contains("It went as expected: 2 of 2 expectations met, 0 rules broken."), "{out}");
    let (code, out, _) = play("at 1s stop a\n+5s expect VI_1 a\n");
    assert_eq!(code, Some(1), "{out}");
    assert!(out.contains("failure: line 2 expects VI_1 at a, and it is at b"), "{out}");
    // What a host reloads stands beside the scenario.
    fs::write(place.path().join("new.conf"), instance(90, "")).unwrap();
    let (code, out, said) = play("at 1s reload a new.conf\n+20s expect VI_1 b\n");
    assert_eq!(code, Some(0), "{out}{said}");
    let (code, _, said) = play(&"nonsense\n".repeat(3000));
    assert!(code == Some(2) && said.contains("and 2980 more mistakes"), "{said}");
    let (code, _, said) = play("at 1s reload a gone.conf\nat 2s crash c\n");
    assert_eq!(code, Some(2));
    assert!(said.contains("s.txt:1:16") && said.contains("`gone.conf` cannot be used"), "{said}");
    assert!(said.contains("unknown host `c`") && said.contains("did you mean `a`?"), "{said}");
}

#[test]
fn what_takes_no_part_is_a_doubt_and_nothing_at_all_is_no_rehearsal() {
    let nowhere = |priority| {
        let unicast = instance(priority, "unicast_src_ip 192.0.2.7\nunicast_peer {\n192.0.2.8\n}\n");
        unicast.replace("interface eth0\n", "").replace("192.0.2.100/24", "192.0.2.101/24 dev eth0")
    };
    let place = folder(&[("a.conf", nowhere(101)), ("b.conf", nowhere(100))]);
    let (code, out, said) = rehearse(&["a.conf", "b.conf"], place.path());
    assert_eq!((code, out.as_str()), (Some(2), ""), "{said}");
    assert!(said.contains("VI_1 of a is left out: it has no interface"), "{said}");
    assert!(said.contains("nothing is left that could be rehearsed"), "{said}");

    let more = |priority| {
        instance(priority, "") + &nowhere(priority).replace("VI_1", "LOST").replace("_id 51", "_id 52")
    };
    let place = folder(&[("a.conf", more(101)), ("b.conf", more(100))]);
    let (code, out, _) = rehearse(&["a.conf", "b.conf"], place.path());
    assert_eq!(code, Some(0), "{out}");
    assert!(out.contains("single failures: of what was played, each address"), "{out}");
    assert!(out.contains("doubt: left out: LOST of a") && out.contains("Doubts: 2."), "{out}");
    assert_eq!(rehearse(&["--deny-doubts", "a.conf", "b.conf"], place.path()).0, Some(1));
}

#[test]
fn the_summary_promises_no_master_to_what_one_host_has() {
    let second = [("VI_1", "VI_2"), ("_id 51", "_id 52"), ("192.0.2.100", "192.0.2.101")];
    let second = second.iter().fold(instance(101, ""), |text, (from, to)| text.replace(from, to));
    let lone = instance(101, "") + &second;
    let place = folder(&[("a.conf", lone), ("b.conf", instance(100, ""))]);
    let (code, out, _) = rehearse(&["a.conf", "b.conf"], place.path());
    assert_eq!(code, Some(0), "{out}");
    assert!(!out.contains("each address always finds"), "{out}");
    assert!(out.contains("no other host and has no master when it fails; each other one"), "{out}");
}

#[test]
fn no_output_takes_the_place_of_an_input() {
    let place = pair();
    fs::write(place.path().join("s.txt"), "at 1s crash a\n").unwrap();
    let before = fs::read_to_string(place.path().join("a.conf")).unwrap();
    for arguments in [
        ["--json", "./a.conf", "a.conf", "b.conf"].as_slice(),
        &["--svg", "s.txt", "--scenario", "./s.txt", "a.conf", "b.conf"],
        &["--svg", "out", "--json", "out", "a.conf", "b.conf"],
    ] {
        let (code, out, said) = rehearse(arguments, place.path());
        assert_eq!((code, out.as_str()), (Some(2), ""), "{said}");
    }
    assert_eq!(fs::read_to_string(place.path().join("a.conf")).unwrap(), before);
    assert!(!place.path().join("out").exists());
    let (code, ..) = rehearse(&["--json", "out", "a.conf", "b.conf"], place.path());
    assert_eq!(
        (code, fs::read_dir(place.path()).unwrap().count()),
        (Some(0), 4),
        "nothing is left beside it"
    );
}

#[test]
fn output_that_cannot_be_written_is_no_verdict() {
    let full = fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let place = pair();
    let mut command = Command::new(env!("CARGO_BIN_EXE_steadfast"));
    let files = command.args(["rehearse", "a.conf", "b.conf"]).current_dir(place.path());
    assert_eq!(files.stdout(full).stderr(Stdio::null()).status().unwrap().code(), Some(2));
}
