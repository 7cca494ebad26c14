//! The Debian packages that the tests need.

use std::process::{Command, Stdio};

use crate::say;

/// Package, and what is tested with it.
const NEEDED: [(&str, &str); 4] = [
    ("keepalived", "the peer of the interoperability tests"),
    ("tshark", "the judge of every packet of ours"),
    ("procps", "ps and pkill, which the seed's check scripts call"),
    ("util-linux", "setpriv, to start without rights"),
];

/// Installs what is missing. Returns a line for each package that is still missing then.
pub(crate) fn ensure() -> Vec<String> {
    let missing = missing();
    if missing.is_empty() {
        return Vec::new();
    }
    let names: Vec<_> = missing.iter().map(|(name, _)| *name).collect();
    say(&format!("installing {}", names.join(" ")));
    // Lists may be stale or absent on a fresh machine; if this fails, so does the next command, and says why.
    apt(&["update", "-qq"]);
    let mut install = vec!["install", "-y", "-qq", "--no-install-recommends"];
    install.extend(&names);
    apt(&install);
    self::missing()
        .into_iter()
        .map(|(name, purpose)| {
            format!("{name} is not installed ({purpose}); as root: apt-get install {name}")
        })
        .collect()
}

fn missing() -> Vec<(&'static str, &'static str)> {
    NEEDED.into_iter().filter(|(name, _)| !is_installed(name)).collect()
}

fn is_installed(name: &str) -> bool {
    Command::new("dpkg-query")
        .args(["-W", "-f", "${Status}", name])
        .stderr(Stdio::null())
        .output()
        .is_ok_and(|output| output.stdout.ends_with(b"install ok installed"))
}

fn apt(arguments: &[&str]) -> bool {
    Command::new("apt-get")
        .args(arguments)
        .env("DEBIAN_FRONTEND", "noninteractive")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}
