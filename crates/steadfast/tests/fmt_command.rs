//! `steadfast fmt` as operators and their editors call it.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;
use std::process::{Command, Output, Stdio};

const LOOSE: &str = "global_defs { router_id x }  # me\nvrrp_instance a\n{\n\tpriority 3\n}\n";
const FORMED: &str = "global_defs {\n    router_id x\n} # me\n\nvrrp_instance a {\n    priority 3\n}\n";

fn fmt(arguments: &[&str], folder: &Path) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_steadfast"));
    command.arg("fmt").args(arguments).current_dir(folder).stdin(Stdio::null()).output().unwrap()
}

fn said(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

#[test]
fn a_file_is_rewritten_with_its_mode() {
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("a.conf");
    fs::write(&path, LOOSE).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
    symlink("a.conf", place.path().join("link.conf")).unwrap();

    let output = fmt(&["--check", "link.conf"], place.path());
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(said(&output), "steadfast fmt: link.conf is not in the canonical form\n");
    assert_eq!(fs::read_to_string(&path).unwrap(), LOOSE, "--check changes nothing");

    let output = fmt(&["link.conf"], place.path());
    assert_eq!((output.status.code(), said(&output)), (Some(0), String::new()));
    assert_eq!(fs::read_to_string(&path).unwrap(), FORMED);
    assert_eq!(path.metadata().unwrap().permissions().mode() & 0o7777, 0o640);
    assert!(place.path().join("link.conf").symlink_metadata().unwrap().is_symlink());
    assert_eq!(fs::read_dir(place.path()).unwrap().count(), 2, "nothing is left behind");
    assert_eq!(fmt(&["--check", "a.conf"], place.path()).status.code(), Some(0));
}

#[test]
fn standard_input_goes_to_standard_output() {
    let mut child = Command::new(env!("CARGO_BIN_EXE_steadfast"))
        .args(["fmt", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(LOOSE.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!((output.status.code(), output.stdout.as_slice()), (Some(0), FORMED.as_bytes()));
}

#[test]
fn what_cannot_be_laid_out_is_left_alone() {
    let place = tempfile::tempdir().unwrap();
    fs::write(place.path().join("good.conf"), LOOSE).unwrap();
    fs::write(place.path().join("bad.conf"), "global_defs {\n  router_id x\n").unwrap();
    let output = fmt(&["missing.conf", "bad.conf", ".", "good.conf"], place.path());
    assert_eq!(output.status.code(), Some(1));
    let said = said(&output);
    assert!(said.contains("cannot read missing.conf: ") && said.contains("cannot read .: "), "{said}");
    assert!(said.contains("error[SF0204]") && said.contains("--> bad.conf:1:13"), "{said}");
    assert_eq!(fs::read_to_string(place.path().join("good.conf")).unwrap(), FORMED, "the others are done");
    assert_eq!(fs::read_to_string(place.path().join("bad.conf")).unwrap(), "global_defs {\n  router_id x\n");
}

#[test]
fn the_command_line_is_explained() {
    let output = fmt(&["--chek"], Path::new("/"));
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(said(&output), "steadfast fmt: invalid option '--chek'\nTry 'steadfast fmt --help'.\n");
    let output = fmt(&["--help"], Path::new("/"));
    assert!(output.status.success() && output.stdout.starts_with(b"usage: steadfast fmt "));
}

#[test]
fn a_file_that_is_not_to_be_replaced_is_left_alone() {
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("a.conf");
    fs::write(&path, LOOSE).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o444)).unwrap();
    let output = fmt(&["a.conf"], place.path());
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(said(&output), "steadfast fmt: cannot write a.conf: it is read-only for everybody\n");

    fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
    fs::hard_link(&path, place.path().join("b.conf")).unwrap();
    let output = fmt(&["a.conf"], place.path());
    assert_eq!(output.status.code(), Some(1));
    assert!(said(&output).contains("hard links"), "{}", said(&output));
    assert_eq!(fs::read_to_string(&path).unwrap(), LOOSE);
    assert_eq!(fs::read_dir(place.path()).unwrap().count(), 2);
}
