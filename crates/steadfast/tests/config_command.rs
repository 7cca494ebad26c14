//! `steadfast config` as operators and their programs call it.

use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use serde_json::Value;

const FILE: &str = "global_defs {\nscript_user nobody\nenable_script_security\n}\nvrrp_instance web {\ninterface eth0\n\
    virtual_router_id 51\nadvert_int 0.5\nversion 2\nauthentication {\nauth_type PASS\nauth_pass sesame\n}\n\
    virtual_ipaddress {\n192.0.2.10/24\n}\n}\n";

fn config(arguments: &[&str], folder: &Path) -> (Option<i32>, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_steadfast"));
    let Output { status, stdout, stderr } =
        command.arg("config").args(arguments).current_dir(folder).stdin(Stdio::null()).output().unwrap();
    (status.code(), String::from_utf8(stdout).unwrap(), String::from_utf8(stderr).unwrap())
}

#[test]
fn the_model_is_printed_without_its_secrets() {
    let place = tempfile::tempdir().unwrap();
    fs::write(place.path().join("a.conf"), FILE).unwrap();
    let (code, out, said) = config(&["--json", "a.conf"], place.path());
    assert_eq!(code, Some(0));
    assert!(said.contains("warning[SF0403]") && !said.contains("sesame"), "{said}");
    let model: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(model["schema"], 1);
    assert_eq!(model["vrrp"]["instances"][0]["name"], "web");
    assert_eq!(model["vrrp"]["instances"][0]["vrid"], 51);
    assert!(out.contains("\"secret\": null"), "{out}");
    assert!(!out.contains("sesame") && !out.contains("115"), "{out}");

    let (_, out, _) = config(&["--json", "--show-secrets", "a.conf"], place.path());
    assert!(out.contains("\"secret\": \"sesame\""), "{out}");
}

#[test]
fn a_file_with_errors_is_not_printed() {
    let place = tempfile::tempdir().unwrap();
    fs::write(place.path().join("a.conf"), "vrrp_instance web {\n").unwrap();
    let (code, out, said) = config(&["--json", "a.conf"], place.path());
    assert_eq!((code, out.as_str()), (Some(1), ""));
    assert!(said.contains("error[SF0204]"), "{said}");
    let (code, _, said) = config(&["--json", "missing.conf"], place.path());
    assert!(code == Some(1) && said.contains("error[SF0101]"), "{said}");
}

#[test]
fn the_command_line_is_explained() {
    for (arguments, words) in [
        (&["a.conf"][..], "say --json"),
        (&["--json", "a", "b"], "unexpected argument \"b\""),
        (&["--json", "-i"], "missing argument for option '-i'"),
    ] {
        let (code, _, said) = config(arguments, Path::new("/"));
        assert!(code == Some(2) && said.contains(words) && said.contains("--help"), "{said}");
    }
    assert!(config(&["--help"], Path::new("/")).1.starts_with("usage: steadfast config "));
}
