//! Somebody on the LAN who does not keep to the protocol, and a look at the daemon's processes.

use std::fs;
use std::net::Ipv4Addr;

use lab::{Cable, Host, Lan, Process, Signal};
use model::vrrp::Version;
use model::{Centis, IfIndex, MacAddr, Priority, Vrid};
use rustix::process::{Pid, kill_process};
use sys::socket::packet::Sender;
use wire::vrrp::{Addresses, Advert, Auth};
use wire::{ethernet, ipv4};

use super::{interface, network};

/// Where advertisements go (RFC 9568 §5.1.1.2).
pub(crate) const GROUP: Ipv4Addr = Ipv4Addr::new(224, 0, 0, 18);

/// A host that sends whatever it likes.
pub(crate) struct Stranger {
    pub(crate) host: Host,
    mac: MacAddr,
    link: IfIndex,
    sender: Sender,
    _cable: Cable,
}

impl Stranger {
    pub(crate) fn on(lan: &Lan, address: Ipv4Addr) -> Self {
        let host = Host::new("stranger").expect("a host");
        let cable = lan.connect(&host, &interface(), &[network(address)]).expect("a cable");
        let mac = host.mac(&interface()).expect("a link-layer address");
        let link = host.index(&interface()).expect("an interface");
        let sender = host.run(Sender::open).expect("a network").expect("a packet socket");
        Self { host, mac, link, sender, _cable: cable }
    }

    /// Sends `payload` in an IP packet of VRRP's protocol to the group.
    pub(crate) fn send(&self, source: Ipv4Addr, ttl: u8, payload: &[u8]) {
        let mut packet = Vec::new();
        let header = ipv4::Header {
            source,
            destination: GROUP,
            ttl,
            protocol: wire::vrrp::PROTOCOL,
            tos: ipv4::TOS_INTERNETWORK_CONTROL,
            identification: 0,
            dont_fragment: false,
        };
        ipv4::emit(&header, payload.len(), &mut packet);
        packet.extend_from_slice(payload);
        self.send_packet(&packet);
    }

    /// Sends these bytes as if they were an IP packet to the group.
    pub(crate) fn send_packet(&self, packet: &[u8]) {
        let mut frame = Vec::new();
        let header = ethernet::Header {
            destination: MacAddr([0x01, 0x00, 0x5e, 0x00, 0x00, 0x12]),
            source: self.mac,
            ethertype: ethernet::TYPE_IPV4,
        };
        ethernet::emit(&header, &mut frame);
        frame.extend_from_slice(packet);
        self.sender.send(self.link, &frame).expect("the LAN takes it");
    }
}

/// An advertisement as somebody may send it.
#[derive(Clone, Copy)]
pub(crate) struct Claim {
    pub(crate) version: Version,
    pub(crate) vrid: u8,
    pub(crate) priority: u8,
    pub(crate) interval: Centis,
    pub(crate) password: Option<[u8; 8]>,
    pub(crate) address: Ipv4Addr,
}

impl Claim {
    /// The VRRP message, with the checksum for a packet from `source` to the group.
    pub(crate) fn message(&self, source: Ipv4Addr) -> Vec<u8> {
        let address = self.address.octets();
        let advert = Advert {
            version: self.version,
            vrid: Vrid::try_from(self.vrid).expect("not zero"),
            priority: Priority(self.priority),
            interval: self.interval,
            auth: self.password.map_or(Auth::None, Auth::Pass),
            addresses: Addresses::v4(&address).expect("an address"),
        };
        let mut message = Vec::new();
        wire::vrrp::emit(&advert, source.into(), GROUP.into(), &mut message);
        message
    }
}

/// The daemon's worker, if it runs.
pub(crate) fn worker(daemon: &Process) -> Option<u32> {
    let is_worker = |pid: &u32| {
        let line = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        line.split(|byte| *byte == 0).any(|word| word == b"--worker")
    };
    daemon.tree().into_iter().find(is_worker)
}

/// Sends `signal` to one process.
pub(crate) fn signal(pid: u32, signal: Signal) {
    let pid = pid.try_into().ok().and_then(Pid::from_raw).expect("a process id");
    kill_process(pid, signal).expect("the process runs");
}

/// Whether a process is there and is no zombie.
pub(crate) fn runs(pid: u32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit(')').next().is_some_and(|rest| !rest.is_empty() && !rest.trim_start().starts_with('Z'))
}

/// The memory that a process has in use, in KiB.
pub(crate) fn resident(pid: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).expect("the process runs");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("its memory");
    line.trim().trim_end_matches(" kB").parse().expect("a number")
}
