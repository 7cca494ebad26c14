//! The hosts of a plan, the LANs between them and the client.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::net::Ipv4Addr;
use std::time::Duration;

use anyhow::Context as _;
use lab::{Cable, Client, Host, Identity, Lan, Process, Sniffer};
use model::{IfName, MacAddr, Priority};

use super::plan::{Machine, Plan};

/// Where a host finds its configuration; `/run` is each host's own.
const CONFIGURATION: &str = "/run/keepalived.conf";

/// Longer than a daemon needs to stop, scripts included.
const STOP_PATIENCE: Duration = Duration::from_secs(10);

/// Everything that runs.
pub(super) struct Stage {
    // In the order in which things are to end.
    pub(super) client: Client,
    pub(super) sniffer: Sniffer,
    pub(super) actors: Vec<Actor>,
    pub(super) vip: Ipv4Addr,
    client_host: Host,
    _client_cable: Cable,
    lans: BTreeMap<IfName, Lan>,
}

/// A host of the plan as it is now.
pub(super) struct Actor {
    pub(super) machine: Machine,
    host: Host,
    daemon: Option<Process>,
    /// The link-layer addresses of its interfaces, which survive a loss of power.
    macs: BTreeMap<IfName, MacAddr>,
    /// What earlier runs of the daemon wrote.
    past_log: String,
}

impl Stage {
    /// Builds all hosts with their cables plugged, and lets the client begin to ask. No daemon runs yet.
    pub(super) fn build(plan: Plan) -> anyhow::Result<Self> {
        let mut lans = BTreeMap::new();
        for name in plan.hosts.iter().flat_map(|machine| machine.interfaces.keys()) {
            if !lans.contains_key(name) {
                lans.insert(name.clone(), Lan::new()?);
            }
        }
        let lan = |name: &IfName| lans.get(name).context("there is a LAN for every interface");
        let client_host = Host::new("client")?;
        let cable = lan(&plan.device)?.connect(&client_host, &plan.device, &[plan.client])?;
        let first =
            plan.hosts[0].instance.interface.as_ref().context("the first instance has an interface")?;
        let sniffer = lan(first)?.sniff()?;
        let mut actors = Vec::new();
        for machine in plan.hosts {
            actors.push(Actor::new(machine, &lans)?);
        }
        let client = Client::start(&client_host, plan.vip.into())?;
        Ok(Self { client, sniffer, actors, vip: plan.vip, client_host, _client_cable: cable, lans })
    }

    /// The hosts that are on and hold the virtual address.
    pub(super) fn holders(&mut self) -> Vec<usize> {
        let vip = self.vip.into();
        let holds = |actor: &mut Actor| actor.is_running() && actor.host.holds(vip);
        self.actors
            .iter_mut()
            .enumerate()
            .filter_map(|(index, actor)| holds(actor).then_some(index))
            .collect()
    }

    pub(super) fn revive(&mut self, index: usize) -> anyhow::Result<()> {
        let actor = &mut self.actors[index];
        actor.plug(&self.lans)?;
        actor.start()
    }

    /// What every daemon wrote.
    pub(super) fn show_logs(&self, out: &mut impl Write) -> anyhow::Result<()> {
        for actor in &self.actors {
            writeln!(out, "\n--- {} wrote\n{}", actor.machine.name, actor.log()?.trim_end())?;
        }
        Ok(())
    }

    /// How to enter each host.
    pub(super) fn explain_entry(&self, identity: Identity, out: &mut impl Write) -> io::Result<()> {
        let (who, options) = match identity {
            Identity::Own => (", as root", ""),
            // The namespaces belong to the user namespace, in which alone this user is root.
            Identity::RootOfNamespace => ("", "-U --preserve-credentials "),
        };
        writeln!(out, "\nIt goes on until ^C. To enter a host{who}:")?;
        let switches = self.lans.iter().map(|(name, lan)| (format!("the LAN of {name}"), lan.pid()));
        let hosts = self.actors.iter().map(|actor| (actor.machine.name.clone(), actor.host.pid()));
        for (name, pid) in hosts.chain([("client".to_owned(), self.client_host.pid())]).chain(switches) {
            writeln!(out, "  nsenter {options}-t {pid} -n -m -u -p   # {name}")?;
        }
        for actor in &self.actors {
            if let Some(daemon) = &actor.daemon {
                writeln!(
                    out,
                    "  tail -c +0 -f /proc/{}/fd/1   # log of {}",
                    daemon.pid(),
                    actor.machine.name
                )?;
            }
        }
        writeln!(
            out,
            "Each host has its configuration in {CONFIGURATION}; SIGHUP to its daemon reads it again."
        )?;
        out.flush()
    }
}

impl Actor {
    fn new(machine: Machine, lans: &BTreeMap<IfName, Lan>) -> anyhow::Result<Self> {
        let host = Host::read_only(&machine.name)?;
        host.write(CONFIGURATION, &machine.text)?;
        let mut actor = Self { machine, host, daemon: None, macs: BTreeMap::new(), past_log: String::new() };
        actor.plug(lans)?;
        Ok(actor)
    }

    /// Gives the host all its interfaces.
    fn plug(&mut self, lans: &BTreeMap<IfName, Lan>) -> anyhow::Result<()> {
        for (name, addresses) in &self.machine.interfaces {
            let lan = lans.get(name).context("there is a LAN for every interface")?;
            lan.connect(&self.host, name, addresses)?;
            match self.macs.get(name) {
                Some(&mac) => self.host.set_mac(name, mac)?,
                None => drop(self.macs.insert(name.clone(), self.host.mac(name)?)),
            }
        }
        Ok(())
    }

    pub(super) fn start(&mut self) -> anyhow::Result<()> {
        self.remember_log()?;
        let arguments = ["-n", "-l", "-D", "-f", CONFIGURATION];
        self.daemon = Some(self.host.spawn_self("steadfast", &arguments)?);
        Ok(())
    }

    /// SIGTERM, and waits for the end.
    pub(super) fn stop(&mut self) -> anyhow::Result<()> {
        let daemon = self.daemon.as_mut().context("the daemon was started")?;
        daemon.terminate()?;
        daemon.wait(STOP_PATIENCE).context("the daemon does not stop")?;
        Ok(())
    }

    /// Kills the daemon's whole tree and takes the host's interfaces away with their addresses, as a loss of power does.
    pub(super) fn lose_power(&mut self) -> anyhow::Result<()> {
        if let Some(daemon) = &mut self.daemon {
            daemon.kill_tree();
        }
        for name in self.machine.interfaces.keys() {
            self.host.remove_interface(name)?;
        }
        Ok(())
    }

    pub(super) fn is_running(&mut self) -> bool {
        self.daemon.as_mut().is_some_and(|daemon| daemon.ended().is_none())
    }

    /// The order in which hosts are to be master, by their files.
    pub(super) const fn rank(&self) -> (Priority, Ipv4Addr) {
        (self.machine.instance.priority, self.machine.address)
    }

    fn remember_log(&mut self) -> anyhow::Result<()> {
        self.past_log = self.log()?;
        Ok(())
    }

    fn log(&self) -> anyhow::Result<String> {
        let present = self.daemon.as_ref().map(Process::log).transpose()?.unwrap_or_default();
        Ok(format!("{}{present}", self.past_log))
    }
}
