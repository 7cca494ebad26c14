//! What Wireshark's experts say to captured frames.

use std::path::Path;
use std::process::Command;

const TSHARK: &str = "/usr/bin/tshark";

/// Its remarks of the severity of a note and above, one line each with the frame's number; `None` where it is not
/// installed.
#[track_caller]
pub(crate) fn remarks(capture: &Path) -> Option<Vec<String>> {
    let fields = ["-T", "fields", "-e", "frame.number", "-e", "_ws.expert.message"];
    run(capture, &[&["-Y", "_ws.expert.severity >= note"], &fields[..]].concat())
}

/// How many frames `filter` chooses, in Wireshark's language.
#[track_caller]
pub(crate) fn count(capture: &Path, filter: &str) -> Option<usize> {
    run(capture, &["-Y", filter]).map(|lines| lines.len())
}

/// Copies the chosen frames into another capture.
#[track_caller]
pub(crate) fn extract(capture: &Path, filter: &str, to: &Path) -> Option<()> {
    run(capture, &["-Y", filter, "-w", to.to_str().expect("a plain path")]).map(drop)
}

#[track_caller]
fn run(capture: &Path, arguments: &[&str]) -> Option<Vec<String>> {
    if !super::duel::is_installed(TSHARK) {
        return None;
    }
    // The checksum of IPv4 is not looked at by default.
    let mut command = Command::new(TSHARK);
    command.args(["-n", "-o", "ip.check_checksum:TRUE", "-r"]).arg(capture).args(arguments);
    let output = command.output().expect("tshark runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Some(String::from_utf8_lossy(&output.stdout).lines().map(str::to_owned).collect())
}
