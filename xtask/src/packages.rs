//! The programs that the tests need, and the Debian packages that have them.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::say;

/// A program, the Debian package that has it, and what is tested with it.
#[derive(Clone, Copy, Debug)]
struct Needed {
    program: &'static str,
    package: &'static str,
    purpose: &'static str,
}

const NEEDED: [Needed; 17] = [
    needed("keepalived", "keepalived", "the peer of the interoperability tests"),
    needed("/usr/lib/frr/vrrpd", "frr", "the other peer of the interoperability tests"),
    needed("tshark", "tshark", "the judge of every packet of ours"),
    needed("ip", "iproute2", "the judge of addresses"),
    needed("nginx", "nginx-light", "what virtual addresses mostly stand before"),
    needed("haproxy", "haproxy", "the same"),
    needed("ipvsadm", "ipvsadm", "the judge of the IPVS table"),
    needed("/usr/bin/python3", "python3", "what the tests of statistics send with"),
    needed("openssl", "openssl", "what makes keys with pass phrases"),
    needed("dnsmasq", "dnsmasq-base", "a name server that is checked"),
    needed("aiosmtpd", "python3-aiosmtpd", "a mail server that is checked"),
    needed("nft", "nftables", "the judge of the filter"),
    needed("ping", "iputils-ping", "what a filter lets through"),
    needed("ps", "procps", "what the check script of the tests calls"),
    needed("setpriv", "util-linux", "to start without rights"),
    needed("nsenter", "util-linux", "to look into a container"),
    needed("unshare", "util-linux", "to make a container"),
];

const fn needed(program: &'static str, package: &'static str, purpose: &'static str) -> Needed {
    Needed { program, package, purpose }
}

/// Installs what is missing, where that is possible. Returns a line for each program that is still missing then.
pub(crate) fn ensure() -> Vec<String> {
    let missing = missing();
    if !missing.is_empty() && is_installed("apt-get") {
        let mut packages: Vec<_> = missing.iter().map(|needed| needed.package).collect();
        packages.dedup();
        say(&format!("installing {}", packages.join(" ")));
        // Lists may be stale or absent on a fresh machine; if this fails, so does the next command, and says why.
        apt(&["update", "-qq"]);
        let mut install = vec!["install", "-y", "-qq", "--no-install-recommends"];
        install.extend(&packages);
        let quiet = NoServices::begin();
        apt(&install);
        drop(quiet);
        if packages.contains(&"frr") {
            // Nor at the next start of the machine: the tests start FRR themselves, on hosts of their own.
            run("systemctl", &["disable", "frr.service"]);
        }
    }
    let line = |Needed { program, package, purpose }| {
        format!("{program} is not installed ({purpose}); on Debian, as root: apt-get install {package}")
    };
    self::missing().into_iter().map(line).collect()
}

fn missing() -> Vec<Needed> {
    NEEDED.into_iter().filter(|needed| !is_installed(needed.program)).collect()
}

/// Whether the shell would find it, or root's shell: an ordinary user's `PATH` often lacks the folders of daemons.
fn is_installed(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::env::split_paths(&path).chain(["/usr/sbin", "/sbin"].map(PathBuf::from));
    folders.into_iter().any(|folder| is_executable(&folder.join(program)))
}

fn is_executable(file: &Path) -> bool {
    file.metadata().is_ok_and(|found| found.is_file() && found.permissions().mode() & 0o111 != 0)
}

/// While this lives, packages that are installed start no services: what Debian's policy asks of `policy-rc.d`.
struct NoServices {
    ours: bool,
}

impl NoServices {
    const POLICY: &str = "/usr/sbin/policy-rc.d";

    /// A policy that is there already stays; without the rights to write one nothing can be installed either.
    fn begin() -> Self {
        let ours = !Path::new(Self::POLICY).exists()
            && fs::write(Self::POLICY, "#!/bin/sh\nexit 101\n").is_ok()
            && fs::set_permissions(Self::POLICY, fs::Permissions::from_mode(0o755)).is_ok();
        Self { ours }
    }
}

impl Drop for NoServices {
    fn drop(&mut self) {
        if self.ours {
            fs::remove_file(Self::POLICY).ok();
        }
    }
}

fn apt(arguments: &[&str]) -> bool {
    run("apt-get", arguments)
}

fn run(program: &str, arguments: &[&str]) -> bool {
    Command::new(program)
        .args(arguments)
        .env("DEBIAN_FRONTEND", "noninteractive")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(if program == "apt-get" { Stdio::inherit() } else { Stdio::null() })
        .status()
        .is_ok_and(|status| status.success())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_are_found_by_name() {
        assert!(is_installed("sh"));
        assert!(!is_installed("steadfast-has-no-such-program"));
        assert!(!is_installed("."), "a folder is no program");
    }
}
