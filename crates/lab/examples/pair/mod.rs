//! Two hosts that run a VRRP daemon against each other, as the measurements need them.
#![allow(dead_code, reason = "each measurement uses a part of it")]

pub(crate) mod arguments;
pub(crate) mod daemon;
pub(crate) mod report;

use std::net::Ipv4Addr;
use std::time::Duration;

use model::{IfName, MacAddr, Prefix};
use steadfast_lab::{Cable, Host, Lan, Process, Sniffer};

use daemon::Daemon;

/// Longer than any daemon takes for anything that is measured here.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// Why something could not be measured.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    #[error("{argument}: {expected}")]
    Usage { argument: String, expected: &'static str },
    #[error(transparent)]
    Lab(#[from] steadfast_lab::Error),
    #[error("{missing}\n--- log of the master\n{master}--- log of the backup\n{backup}")]
    Missing { missing: &'static str, master: String, backup: String },
    #[error("cannot write the figures")]
    Output(#[from] std::io::Error),
}

/// A host with the daemon.
pub(crate) struct Member {
    pub(crate) host: Host,
    pub(crate) address: Ipv4Addr,
    pub(crate) mac: MacAddr,
    pub(crate) process: Option<Process>,
    cables: Vec<Cable>,
}

impl Member {
    /// A host whose first interface is `eth1`, with `address` on the first of `lans`; the other interfaces have the
    /// same address in the networks that follow.
    pub(crate) fn new(name: &str, address: Ipv4Addr, lans: &[Lan]) -> Result<Self, steadfast_lab::Error> {
        let host = Host::new(name)?;
        let mut cables = Vec::new();
        for (index, lan) in lans.iter().enumerate() {
            cables.push(lan.connect(&host, &interface(index), &[network(shift(address, index))])?);
        }
        let mac = host.mac(&interface(0))?;
        Ok(Self { host, address, mac, process: None, cables })
    }

    /// Starts the daemon on this configuration.
    pub(crate) fn start(&mut self, daemon: &Daemon, file: &str) -> Result<(), steadfast_lab::Error> {
        self.host.write(daemon::FILE, file)?;
        self.process = Some(daemon.start(&self.host)?);
        Ok(())
    }

    /// SIGTERM.
    pub(crate) fn stop(&mut self) -> Result<(), steadfast_lab::Error> {
        self.process.as_mut().map_or(Ok(()), Process::terminate)
    }

    /// SIGKILL to all of it, as if the host lost power.
    pub(crate) fn crash(&mut self) {
        if let Some(process) = &mut self.process {
            process.kill_tree();
        }
    }

    /// Its interfaces lose their carrier.
    pub(crate) fn pull_cables(&self) -> Result<(), steadfast_lab::Error> {
        self.cables.iter().try_for_each(Cable::pull)
    }

    pub(crate) fn holds(&self, address: Ipv4Addr) -> bool {
        self.host.holds(address.into())
    }

    /// The end of what the daemon wrote.
    pub(crate) fn log(&self) -> String {
        const LAST_BYTES: usize = 2000;
        let log = self.process.as_ref().and_then(|process| process.log().ok()).unwrap_or_default();
        let begin = log.len().saturating_sub(LAST_BYTES);
        log.get(begin..).unwrap_or(&log).to_owned()
    }
}

/// A LAN with a sniffer and the two hosts; nothing runs yet.
pub(crate) struct Pair {
    pub(crate) sniffer: Sniffer,
    pub(crate) master: Member,
    pub(crate) backup: Member,
    pub(crate) lan: Lan,
}

impl Pair {
    pub(crate) fn new() -> Result<Self, steadfast_lab::Error> {
        let lan = Lan::new()?;
        let lans = [lan.clone()];
        Ok(Self {
            sniffer: lan.sniff()?,
            master: Member::new("master", MASTER, &lans)?,
            backup: Member::new("backup", BACKUP, &lans)?,
            lan,
        })
    }

    /// `value`, or the failure that tells what is `missing` and what both daemons wrote.
    pub(crate) fn expect<T>(&self, value: Option<T>, missing: &'static str) -> Result<T, Failure> {
        value.ok_or_else(|| missing_of(missing, &self.master, &self.backup))
    }
}

pub(crate) fn missing_of(missing: &'static str, master: &Member, backup: &Member) -> Failure {
    Failure::Missing { missing, master: master.log(), backup: backup.log() }
}

/// The address of the host that is meant to be master, on its first LAN.
pub(crate) const MASTER: Ipv4Addr = Ipv4Addr::new(192, 168, 0, 86);
/// The address of the other one.
pub(crate) const BACKUP: Ipv4Addr = Ipv4Addr::new(192, 168, 0, 14);

/// The interface to the LAN of this number, from 0.
pub(crate) fn interface(index: usize) -> IfName {
    format!("eth{}", index + 1).parse().expect("at most 14 letters and digits")
}

/// `address` in the network of the LAN of this number.
pub(crate) fn shift(address: Ipv4Addr, index: usize) -> Ipv4Addr {
    let [a, b, c, d] = address.octets();
    Ipv4Addr::new(a, b, c + u8::try_from(index).expect("few LANs"), d)
}

pub(crate) fn network(address: Ipv4Addr) -> Prefix {
    Prefix::new(address.into(), 24).expect("at most 32 bits")
}
