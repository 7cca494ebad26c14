//! What can be said of a virtual router.

use std::fmt;
use std::net::IpAddr;

use model::{IfName, Priority};

use super::plan::listed;

/// Something worth knowing about a virtual router.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Finding {
    /// Nobody is master, though somebody could be.
    NoMaster {
        /// Who could.
        able: Vec<String>,
        /// What holds them back, as the daemon says.
        why: Option<String>,
    },
    /// Several are master and hear each other's link.
    TwoMasters {
        /// Who.
        hosts: Vec<String>,
        /// What they think of each other's advertisements, as a daemon says.
        why: Option<String>,
    },
    /// Masters come and go.
    Restless {
        /// How often a host became master.
        changes: usize,
    },
    /// A side of a partition has no master, though somebody there could be.
    SideWithout {
        /// Who could.
        able: Vec<String>,
        /// What holds them back, as the daemon says.
        why: Option<String>,
    },
    /// The master's check fails, or its tracked link, and it stays master.
    Unmoved {
        /// The master.
        host: String,
        /// What fails.
        what: String,
        /// Its priority before and now.
        priorities: (Priority, Priority),
        /// The best of the others, its priority, and whether it has `nopreempt`.
        rival: (String, Priority, bool),
        /// What would move it.
        remedy: Remedy,
    },
    /// Somebody is master, and an address of the router is not there.
    Unserved {
        /// The masters.
        hosts: Vec<String>,
        /// The addresses.
        addresses: Vec<IpAddr>,
        /// A master's instance has them, and its kernel has not.
        configured: bool,
    },
    /// The master's addresses are on a link that does not carry.
    Unreachable {
        /// The master.
        host: String,
        /// The link.
        device: IfName,
        /// The addresses.
        addresses: Vec<IpAddr>,
        /// Another host is master too, where it is reached.
        elsewhere: bool,
    },
    /// Nobody is left that could be master: who takes part does not run, or is at fault.
    AllAtFault {
        /// Who, and why not, as the daemon says.
        hosts: Vec<String>,
    },
    /// Only addresses that were made up decided who is master.
    Tie {
        /// Between whom.
        hosts: Vec<String>,
        /// Their priority.
        priority: Priority,
    },
    /// After the repair another host is master than before.
    NotBack {
        /// Who was master.
        before: String,
        /// Why it is not again.
        why: WhyNotBack,
    },
    /// Several are master because they cannot hear each other. That is inherent in a partition.
    Apart {
        /// Who.
        hosts: Vec<String>,
    },
    /// No other host takes part.
    Alone {
        /// Who does.
        host: String,
    },
}

/// Why a master does not come back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WhyNotBack {
    /// It has `nopreempt`.
    NoPreempt,
    /// It is no better than who is master now.
    Equal(Priority),
    /// None of these.
    Unknown,
}

/// What would make a master yield whose check fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Remedy {
    /// This weight.
    Weight(i16),
    /// This weight, on the master and on its rival.
    BothWeights(i16),
    /// The weight is only lost again: the priority itself is too great, by so much.
    LowerBy(u8),
    /// Neither.
    None,
}

/// How much a finding matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Weight {
    /// As it must be.
    Statement,
    /// Probably not what was meant.
    Doubt,
    /// An address is without a master, or has two.
    Failure,
}

impl Finding {
    /// How much it matters.
    #[must_use]
    pub const fn weight(&self) -> Weight {
        match self {
            Self::NoMaster { .. }
            | Self::AllAtFault { .. }
            | Self::Unserved { .. }
            | Self::TwoMasters { .. }
            | Self::Restless { .. } => Weight::Failure,
            Self::SideWithout { why: None, .. }
            | Self::Unmoved { .. }
            | Self::Unreachable { elsewhere: false, .. }
            | Self::Tie { .. }
            | Self::NotBack { why: WhyNotBack::Unknown, .. } => Weight::Doubt,
            Self::Unreachable { elsewhere: true, .. } => Weight::Statement,
            // A group that is master elsewhere holds its members back: it was asked to.
            Self::SideWithout { why: Some(_), .. }
            | Self::NotBack { .. }
            | Self::Apart { .. }
            | Self::Alone { .. } => Weight::Statement,
        }
    }

    /// Its word in JSON.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::NoMaster { .. } => "no-master",
            Self::TwoMasters { .. } => "two-masters",
            Self::Restless { .. } => "restless",
            Self::SideWithout { .. } => "side-without-master",
            Self::Unmoved { .. } => "unmoved",
            Self::Unreachable { .. } => "unreachable",
            Self::Unserved { .. } => "unserved",
            Self::AllAtFault { .. } => "all-at-fault",
            Self::Tie { .. } => "made-up-tie",
            Self::NotBack { .. } => "not-back",
            Self::Apart { .. } => "apart",
            Self::Alone { .. } => "alone",
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hosts = |hosts: &[String]| listed(hosts);
        match self {
            Self::NoMaster { able, why } => {
                write!(f, "nobody is master, though {} could be", hosts(able))?;
                because(f, why.as_deref())
            }
            Self::TwoMasters { hosts: all, why } => {
                write!(f, "{} are master at once, on one LAN", hosts(all))?;
                because(f, why.as_deref())
            }
            Self::Restless { changes } => write!(f, "does not come to rest: {changes} changes of master"),
            Self::SideWithout { able, why } => {
                write!(f, "nobody is master on the side of {}", hosts(able))?;
                because(f, why.as_deref())
            }
            Self::Unmoved { host, what, priorities, rival, remedy } => {
                unmoved(f, host, what, *priorities, rival)?;
                f.write_str(&remedied(host, *remedy))
            }
            Self::Unserved { hosts: masters, addresses, configured } => {
                let all = addresses.iter().map(ToString::to_string).collect::<Vec<_>>();
                let (all, is) = (listed(&all), if all.len() > 1 { "are" } else { "is" });
                let (masters, many) = (hosts(masters), masters.len() > 1);
                let who = if many { "are masters" } else { "is master" };
                let why = match (*configured, many) {
                    (true, _) => "and the kernel there does not have it",
                    (false, true) => "and their files do not name it",
                    (false, false) => "and its file does not name it",
                };
                write!(f, "{all} {is} nowhere: {masters} {who}, {why}")
            }
            Self::Unreachable { host, device, elsewhere: true, .. } => {
                write!(f, "{host} is master where nobody reaches it: its {device} is down, and not tracked")
            }
            Self::Unreachable { host, device, addresses, elsewhere: false } => {
                let all = listed(&addresses.iter().map(ToString::to_string).collect::<Vec<_>>());
                write!(
                    f,
                    "{host} stays master, and {all} on its {device} cannot be reached: nothing tracks {device}"
                )
            }
            Self::AllAtFault { hosts } => write!(f, "nobody can be master: {}", hosts.join("; ")),
            Self::Tie { hosts: all, priority } => write!(
                f,
                "{} have the same priority {priority}, and of equals the greater address wins: theirs are made up, write mcast_src_ip or unicast_src_ip to rehearse the real ones",
                hosts(all)
            ),
            Self::NotBack { before, why: WhyNotBack::NoPreempt } => {
                write!(f, "does not go back to {before}, which has nopreempt")
            }
            Self::NotBack { before, why: WhyNotBack::Equal(priority) } => {
                write!(
                    f,
                    "does not go back to {before}: both have priority {priority}, and equals do not preempt"
                )
            }
            Self::NotBack { before, why: WhyNotBack::Unknown } => write!(f, "does not go back to {before}"),
            Self::Apart { hosts: all } => {
                write!(f, "{} are both master, each on its side of the cut", hosts(all))
            }
            Self::Alone { host } => write!(f, "nobody takes over: only {host} has it"),
        }
    }
}

fn because(f: &mut fmt::Formatter<'_>, why: Option<&str>) -> fmt::Result {
    why.map_or(Ok(()), |why| write!(f, ": {why}"))
}

fn unmoved(
    f: &mut fmt::Formatter<'_>,
    host: &str,
    what: &str,
    (before, after): (Priority, Priority),
    (rival, theirs, never): &(String, Priority, bool),
) -> fmt::Result {
    write!(f, "{host} stays master though {what}: ")?;
    let fall = before.get().saturating_sub(after.get());
    if fall == 0 {
        return write!(f, "its priority stays {after}, no weight acts");
    }
    write!(f, "{before} - {fall} = {after} is ")?;
    match (after < *theirs, *never) {
        (true, true) => write!(f, "below {theirs} of {rival}, which has nopreempt"),
        (true, false) => write!(f, "below {theirs} of {rival}, which does not take over"),
        (false, _) => write!(f, "not below {theirs} of {rival}"),
    }
}

fn remedied(host: &str, remedy: Remedy) -> String {
    match remedy {
        Remedy::Weight(weight) => format!("; a weight of {weight} would be enough"),
        Remedy::BothWeights(weight) => format!("; a weight of {weight} on both would be enough"),
        Remedy::LowerBy(lower) => {
            format!("; no weight is enough, the priority of {host} itself is too great by {lower}")
        }
        Remedy::None => String::new(),
    }
}
