//! FRR's vrrpd: its files, its interfaces, its processes. It speaks through interfaces with the virtual MAC that somebody
//! else makes, and takes addresses away by letting these interfaces lose their carrier.

use std::fmt::Write as _;
use std::fs;
use std::time::Duration;

use lab::{Host, Process, wait_until};
use model::MacAddr;

use super::cell::{self, Cell, Settings};
use crate::common::{Node, PATIENCE};

pub(crate) const VRRPD: &str = "/usr/lib/frr/vrrpd";
/// Speaks with the kernel for it.
const ZEBRA: &str = "/usr/lib/frr/zebra";
/// Where zebra listens to the others.
const SOCKET: &str = "/run/frr/zserv.api";
/// FRR computes in hundredths of a second, and cuts off what is less.
pub(crate) const TICK: Duration = Duration::from_millis(10);

/// Makes the folders that it writes to, the host's own. Returns whether FRR can run there: its daemons become its own
/// user, which a user namespace may not have.
pub(crate) fn can_run(host: &Host) -> bool {
    let make = "mount -t tmpfs frr /var/tmp && mkdir /run/frr && chown frr:frr /run/frr";
    let mut shell = host.spawn(&["/bin/sh", "-c", make]).expect("a shell");
    shell.wait(PATIENCE).is_some_and(|status| status.success())
}

/// Makes the interfaces anew and starts both daemons. Zebra has to live as long as the other one.
#[track_caller]
pub(crate) fn start(node: &Node, cells: &[Cell], settings: &Settings) -> (Process, Process) {
    remove_interfaces(node, cells);
    // Else eth1 answers for the addresses of interfaces without a carrier. Where /proc/sys is read-only it does.
    let answer_for_own = || fs::write("/proc/sys/net/ipv4/conf/all/arp_ignore", "1").ok();
    node.host.run(answer_for_own).expect("a host");
    for cell in cells {
        make_interface(node, cell, settings);
    }
    node.host.write("/run/zebra.conf", "").expect("a file");
    node.host.write("/run/vrrpd.conf", &file(cells, settings)).expect("a file");
    fs::remove_file(node.host.path(SOCKET)).ok(); // of a zebra that was killed
    let zebra = spawn(&node.host, ZEBRA, "/run/zebra.conf");
    let listens = wait_until(PATIENCE, || node.host.path(SOCKET).exists());
    assert!(listens, "zebra does not listen\n{}", zebra.log().expect("a log"));
    (zebra, spawn(&node.host, VRRPD, "/run/vrrpd.conf"))
}

fn spawn(host: &Host, program: &str, file: &str) -> Process {
    let pid = format!("{file}.pid");
    let pid = pid.replace("/run/", "/run/frr/");
    let log = ["--log", "stdout", "--log-level", "debug"];
    let mut argv = vec![program, "-f", file, "-z", SOCKET, "-i", &pid, "--vty_socket", "/run/frr", "-P", "0"];
    argv.extend(log);
    host.spawn(&argv).expect("FRR starts")
}

/// What is left of the interfaces when the host loses power.
pub(crate) fn remove_interfaces(node: &Node, cells: &[Cell]) {
    for cell in cells {
        node.host.remove_interface(&interface(cell).parse().expect("a name")).ok(); // the first time there is none
    }
}

/// As FRR's manual has it: a macvlan with the virtual MAC in bridge mode, which holds the addresses. Over IPv6 its
/// link-local address is the source of advertisements, and must not be made of the MAC that all hosts share.
#[track_caller]
fn make_interface(node: &Node, cell: &Cell, settings: &Settings) {
    let (name, mac) = (interface(cell), virtual_mac(cell));
    let mut lines = format!(
        "set -e
        ip link add {name} link eth1 address {mac} type macvlan mode bridge
        ip link set {name} addrgenmode none
        ip link set {name} up\n"
    );
    let own = cell.ipv6.then(|| format!("{}/64", cell::link_local(settings.own)));
    // A second link-local address could be taken for the source.
    let vips = cell.vips().into_iter().filter(|vip| !vip.to_string().starts_with("fe80"));
    let nodad = if cell.ipv6 { "nodad" } else { "" };
    for address in own.into_iter().chain(vips.map(|vip| vip.to_string())) {
        writeln!(lines, "ip address add {address} dev {name} {nodad}").expect("a string takes it");
    }
    node.shell(&lines);
}

fn interface(cell: &Cell) -> String {
    format!("frr{}-{}", if cell.ipv6 { 6 } else { 4 }, cell.vrid)
}

/// RFC 5798 §7.3.
pub(crate) fn virtual_mac(cell: &Cell) -> MacAddr {
    MacAddr([0, 0, 0x5e, 0, if cell.ipv6 { 2 } else { 1 }, cell.vrid])
}

/// Whether the addresses of this virtual router are in use: its interface has a carrier, and that because it is master.
pub(crate) fn holds(node: &Node, cell: &Cell) -> bool {
    let log = node.log();
    let this = label(cell);
    let last = log.lines().rfind(|line| line.contains(&this) && line.contains(" -> "));
    let state = node.host.path(&format!("/sys/class/net/{}/operstate", interface(cell)));
    last.is_some_and(|last| last.ends_with("-> Master"))
        && fs::read_to_string(state).is_ok_and(|state| state.trim() == "up")
}

/// The line of its log that says that it has begun.
pub(crate) fn begins(cell: &Cell) -> String {
    format!("{} Initialize -> Backup", label(cell))
}

/// How its log names a virtual router.
fn label(cell: &Cell) -> String {
    format!("[VRID {}] [IPv{}]", cell.vrid, if cell.ipv6 { 6 } else { 4 })
}

fn file(cells: &[Cell], settings: &Settings) -> String {
    let mut lines = vec!["interface eth1".to_owned()];
    for cell in cells {
        let Cell { vrid, version, .. } = cell;
        let (interval, priority) = (cell.interval().as_millis(), settings.priority);
        let preempt = if settings.nopreempt { "no vrrp" } else { "vrrp" };
        lines.extend([
            format!(" vrrp {vrid} version {version}"),
            format!(" vrrp {vrid} priority {priority}"),
            format!(" vrrp {vrid} advertisement-interval {interval}"),
            format!(" {preempt} {vrid} preempt"),
        ]);
        // The first of them starts the virtual router.
        let family = if cell.ipv6 { "ipv6" } else { "ip" };
        lines.extend(cell.vips().map(|vip| format!(" vrrp {vrid} {family} {vip}")));
    }
    lines.join("\n") + "\n"
}
