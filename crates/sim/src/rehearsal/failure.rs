//! What can fail, and what its repair is.

use std::collections::BTreeSet;

use model::IfName;
use vrrp::ScriptOutcome;

use super::plan::{Plan, PlannedHost};
use crate::{Act, HostId, LanId};

/// One thing that fails.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The power of a host.
    Power(HostId),
    /// Its daemon is stopped, orderly.
    Stop(HostId),
    /// The worker of its daemon dies.
    Worker(HostId),
    /// The cable of an interface is pulled.
    Cable(HostId, IfName),
    /// A check script fails.
    Script(HostId, String),
    /// The host and the others on a LAN do not hear each other.
    Partition(LanId, HostId),
}

/// What fails at the same moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure(pub Vec<Fault>);

impl Fault {
    /// The host that it happens to.
    #[must_use]
    pub const fn host(&self) -> HostId {
        match self {
            Self::Power(host)
            | Self::Stop(host)
            | Self::Worker(host)
            | Self::Cable(host, _)
            | Self::Script(host, _)
            | Self::Partition(_, host) => *host,
        }
    }

    /// The same on another host.
    pub(super) fn on(&self, host: HostId) -> Self {
        match self {
            Self::Power(_) => Self::Power(host),
            Self::Stop(_) => Self::Stop(host),
            Self::Worker(_) => Self::Worker(host),
            Self::Cable(_, name) => Self::Cable(host, name.clone()),
            Self::Script(_, name) => Self::Script(host, name.clone()),
            Self::Partition(lan, _) => Self::Partition(*lan, host),
        }
    }

    fn acts(&self, plan: &Plan) -> Vec<Act> {
        match self {
            Self::Power(host) => vec![Act::Crash(*host)],
            Self::Stop(host) => vec![Act::Stop(*host)],
            Self::Worker(host) => vec![Act::KillWorker(*host)],
            Self::Cable(host, name) => vec![Act::Cable(*host, name.clone(), false)],
            Self::Script(host, name) => {
                vec![Act::Script(*host, name.clone(), ScriptOutcome::Exited(1))]
            }
            Self::Partition(lan, host) => {
                let others = hosts_on(plan, *lan).into_iter().filter(|other| other != host);
                others
                    .flat_map(|other| [Act::Cut(*lan, *host, other), Act::Cut(*lan, other, *host)])
                    .collect()
            }
        }
    }

    fn repair(&self) -> Option<Act> {
        match self {
            Self::Power(host) | Self::Stop(host) => Some(Act::Start(*host)),
            Self::Worker(_) => None,
            Self::Cable(host, name) => Some(Act::Cable(*host, name.clone(), true)),
            Self::Script(host, name) => Some(Act::Script(*host, name.clone(), ScriptOutcome::Exited(0))),
            Self::Partition(lan, _) => Some(Act::Heal(*lan)),
        }
    }

    /// What fails, as a sentence.
    #[must_use]
    pub fn told(&self, plan: &Plan) -> String {
        let host = |id: &HostId| plan.host_name(*id);
        match self {
            Self::Power(id) => format!("the power of {} fails", host(id)),
            Self::Stop(id) => format!("{} is stopped", host(id)),
            Self::Worker(id) => format!("the worker of {} dies", host(id)),
            Self::Cable(id, name) => format!("{} loses the cable of {name}", host(id)),
            Self::Script(id, name) => format!("{name} fails on {}", host(id)),
            Self::Partition(lan, id) => {
                let others: Vec<_> = hosts_on(plan, *lan).into_iter().filter(|other| other != id).collect();
                let (lan, host, many) = (plan.lan_name(*lan), host(id), others.len() > 1);
                let others = plan.names(others);
                if many {
                    format!("{host} is cut off from {others} on LAN {lan}")
                } else {
                    format!("LAN {lan} is cut between {host} and {others}")
                }
            }
        }
    }
}

impl Failure {
    /// What happens.
    #[must_use]
    pub fn acts(&self, plan: &Plan) -> Vec<Act> {
        self.0.iter().flat_map(|fault| fault.acts(plan)).collect()
    }

    /// What undoes it; nothing if it undoes itself.
    #[must_use]
    pub fn repair(&self) -> Vec<Act> {
        self.0.iter().filter_map(Fault::repair).collect()
    }

    /// What fails, as a sentence.
    #[must_use]
    pub fn told(&self, plan: &Plan) -> String {
        self.0.iter().map(|fault| fault.told(plan)).collect::<Vec<_>>().join(", and ")
    }

    /// Some hosts do not hear each other, though all work.
    #[must_use]
    pub fn parts_hosts(&self) -> bool {
        self.0.iter().any(|fault| matches!(fault, Fault::Partition(..)))
    }
}

/// Everything that can fail by itself, host by host, then LAN by LAN.
pub(super) fn single(plan: &Plan) -> Vec<Failure> {
    let of_hosts = plan.hosts.iter().enumerate().flat_map(|(at, host)| of_host(HostId(at), host));
    let of_lans = plan.lans.iter().enumerate().flat_map(|(at, _)| partitions(plan, LanId(at)));
    of_hosts.chain(of_lans).map(|fault| Failure(vec![fault])).collect()
}

fn of_host(id: HostId, host: &PlannedHost) -> Vec<Fault> {
    let mut faults = vec![Fault::Power(id), Fault::Stop(id), Fault::Worker(id)];
    faults.extend(host.interfaces.keys().map(|name| Fault::Cable(id, name.clone())));
    faults.extend(host.config.scripts.iter().map(|script| Fault::Script(id, script.name.clone())));
    faults
}

/// Each host against the others, where hosts have a virtual router in common.
fn partitions(plan: &Plan, lan: LanId) -> Vec<Fault> {
    let is_shared = plan.routers.iter().any(|router| router.lan == lan && router.parts.len() > 1);
    let hosts = hosts_on(plan, lan);
    let count = match hosts.len() {
        // A cut has two sides.
        2 => 1,
        count => count,
    };
    hosts.into_iter().take(count).filter(|_| is_shared).map(|host| Fault::Partition(lan, host)).collect()
}

fn hosts_on(plan: &Plan, lan: LanId) -> BTreeSet<HostId> {
    plan.lans.get(lan.0).into_iter().flat_map(|lan| &lan.members).map(|(host, _)| *host).collect()
}

/// Every two of these that are more together than one of them.
pub(super) fn pairs(single: &[Failure]) -> Vec<Failure> {
    let mut pairs = Vec::new();
    for (at, one) in single.iter().enumerate() {
        for other in single.iter().skip(at + 1) {
            let faults: Vec<_> = one.0.iter().chain(&other.0).cloned().collect();
            let [first, second] = faults.as_slice() else { continue };
            let ends = |fault: &Fault| matches!(fault, Fault::Power(_) | Fault::Stop(_) | Fault::Worker(_));
            if first.host() != second.host() || !(ends(first) || ends(second)) {
                pairs.push(Failure(faults));
            }
        }
    }
    pairs
}
