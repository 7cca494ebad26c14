//! What the operator is told, as data; `Display` is the log line.

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use model::{Centis, IfName, MacAddr, Priority, Vrid};

use crate::{Cause, Reason, Reject, ScriptOutcome, StateName};

/// How much a line matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Only shown with `-D`.
    Detail,
    /// Normal.
    Info,
    /// Something is not as it should be.
    Warning,
}

/// One line for the operator. Where operators grep for a sentence of keepalived's, it stands at the start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Notice {
    /// An instance changed its state.
    Entering {
        /// Its name.
        instance: Arc<str>,
        /// The new state.
        state: StateName,
        /// Why.
        reason: Reason,
    },
    /// A sync group changed its state.
    Syncing {
        /// Its name.
        group: Arc<str>,
        /// The new state of all its members.
        state: StateName,
    },
    /// An instance would be master if its sync group let it.
    HeldBack {
        /// Its name.
        instance: Arc<str>,
        /// Why it would be.
        reason: Reason,
        /// The group.
        group: Arc<str>,
        /// A member that still hears its master, or has yet to wait.
        by: Arc<str>,
        /// That master.
        master: Option<IpAddr>,
    },
    /// Another thing went wrong while in fault.
    FaultAdded {
        /// The instance's name.
        instance: Arc<str>,
        /// What.
        cause: Cause,
    },
    /// One of the things that are at fault works again.
    FaultCleared {
        /// The instance's name.
        instance: Arc<str>,
        /// What.
        cause: Cause,
    },
    /// A unicast peer uses the checksum of keepalived before 1.3.7, and so does the instance from now on.
    OldChecksum {
        /// Whose peer.
        instance: Arc<str>,
        /// The peer.
        peer: IpAddr,
    },
    /// The effective priority changed.
    PriorityChanged {
        /// The instance's name.
        instance: Arc<str>,
        /// Before.
        from: Priority,
        /// Now.
        to: Priority,
    },
    /// A script's verdict changed.
    Script {
        /// Its name.
        name: Arc<str>,
        /// What decided.
        outcome: ScriptOutcome,
        /// The new verdict.
        up: bool,
    },
    /// There are enough processes now, or no longer.
    Process {
        /// The name of the `vrrp_track_process`.
        name: Arc<str>,
        /// There are.
        up: bool,
        /// How many there are.
        count: u32,
    },
    /// A BFD session that an instance tracks, itself or by its group, has come up or gone down.
    Session {
        /// The instance.
        instance: Arc<str>,
        /// The name of the `bfd_instance`.
        session: Box<str>,
        /// It is up.
        up: bool,
    },
    /// A script can no longer be run: its last verdict stands.
    ScriptStands {
        /// Its name.
        name: Arc<str>,
        /// That verdict.
        up: bool,
    },
    /// A script ended otherwise than before.
    ScriptReturns {
        /// Its name.
        name: Arc<str>,
        /// Its exit status.
        code: i32,
    },
    /// The master stops.
    MasterReleases {
        /// The instance's name.
        instance: Arc<str>,
        /// Who.
        master: IpAddr,
    },
    /// A master of lower priority was heard and contradicted.
    LowerPriority {
        /// The instance's name.
        instance: Arc<str>,
        /// Who.
        peer: IpAddr,
        /// Its priority.
        theirs: Priority,
        /// Our effective priority.
        ours: Priority,
    },
    /// A last advertisement said priority 0.
    SentRelease {
        /// The instance's name.
        instance: Arc<str>,
    },
    /// A packet was refused; the first of its kind.
    Refused {
        /// The instance, or the interface if it belongs to none.
        whose: Whose,
        /// Its source.
        peer: IpAddr,
        /// Why.
        reason: Reject,
        /// More about it.
        detail: Option<wire::vrrp::Malformed>,
        /// Refusals since the last line that were only counted.
        untold: u64,
    },
    /// An advertisement of a virtual router that is not configured on the interface; the first of its sender.
    UnknownVrid {
        /// The interface.
        interface: IfName,
        /// Which virtual router.
        vrid: Vrid,
        /// Who sent it.
        peer: IpAddr,
    },
    /// No instance begins yet.
    StartDelayed {
        /// For so long.
        by: Duration,
    },
    /// Another host answers for an address that this one holds as master.
    Claimed {
        /// The instance's name.
        instance: Arc<str>,
        /// The address.
        address: IpAddr,
        /// On which interface it was asked.
        device: IfName,
        /// The other host.
        mac: MacAddr,
    },
    /// An advertisement counts although something about it differs.
    Differs {
        /// The instance's name.
        instance: Arc<str>,
        /// Its source.
        peer: IpAddr,
        /// What differs.
        warning: Warning,
    },
}

/// Whom a packet was meant for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Whose {
    /// An instance, by name.
    Instance(Arc<str>),
    /// No instance; it came in here.
    Interface(IfName),
}

/// What differs between two hosts that should agree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Warning {
    /// `advert_int`.
    Interval {
        /// The peer's.
        theirs: Centis,
        /// Ours.
        ours: Centis,
    },
    /// The address list.
    Addresses {
        /// How many the peer has.
        theirs: usize,
        /// How many we have.
        ours: usize,
    },
}

impl Notice {
    /// How much it matters.
    #[must_use]
    pub const fn level(&self) -> Level {
        match self {
            Self::Entering { state: StateName::Fault, .. }
            | Self::FaultAdded { .. }
            | Self::Refused { .. }
            | Self::Differs { .. }
            | Self::Claimed { .. }
            | Self::HeldBack { .. }
            | Self::ScriptStands { .. }
            | Self::LowerPriority { .. } => Level::Warning,
            Self::Entering { .. }
            | Self::Syncing { .. }
            | Self::FaultCleared { .. }
            | Self::OldChecksum { .. }
            | Self::PriorityChanged { .. }
            | Self::Script { .. }
            | Self::Process { .. }
            | Self::Session { .. }
            | Self::UnknownVrid { .. }
            | Self::StartDelayed { .. }
            | Self::MasterReleases { .. } => Level::Info,
            Self::ScriptReturns { .. } | Self::SentRelease { .. } => Level::Detail,
        }
    }
}

impl fmt::Display for Notice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Entering { instance, state, reason } => {
                write!(f, "({instance}) Entering {state} STATE ({reason})")
            }
            Self::Syncing { group, state } => {
                write!(f, "VRRP_Group({group}) Syncing instances to {state} state")
            }
            Self::HeldBack { instance, reason, group, by, master } => {
                write!(f, "({instance}) would be master ({reason}), but {by} of sync group {group} ")?;
                match master {
                    Some(master) => write!(f, "hears its master {master}: the group stays backup"),
                    None => f.write_str("still listens: the group stays backup"),
                }
            }
            Self::FaultAdded { instance, cause } => write!(f, "({instance}) also at fault: {cause}"),
            Self::FaultCleared { instance, cause } => write!(f, "({instance}) no longer: {cause}"),
            Self::OldChecksum { instance, peer } => write!(
                f,
                "({instance}) peer {peer} uses the unicast checksum of keepalived before 1.3.7: so do we from now on"
            ),
            Self::PriorityChanged { instance, from, to } => {
                write!(f, "({instance}) Changing effective priority from {from} to {to}")
            }
            Self::Script { name, outcome, up } => script(f, name, *outcome, *up),
            Self::Process { name, up: true, count } => {
                write!(f, "Quorum gained for tracked process {name} ({count} run)")
            }
            Self::Process { name, up: false, count } => {
                write!(f, "Quorum lost for tracked process {name} ({count} run)")
            }
            Self::Session { instance, session, up } => {
                let state = if *up { "UP" } else { "DOWN" };
                write!(f, "VRRP_Instance({instance}) Tracked BFD instance {session} is {state}")
            }
            Self::ScriptStands { name, up } => write!(
                f,
                "VRRP_Script({name}) cannot be run; its last verdict, {}, stands until it can",
                if *up { "success" } else { "failure" }
            ),
            Self::ScriptReturns { name, code } => write!(f, "Script `{name}` now returning {code}"),
            Self::MasterReleases { instance, master } => {
                write!(f, "({instance}) Backup received priority 0 advertisement from {master}")
            }
            Self::LowerPriority { instance, peer, theirs, ours } => {
                let what =
                    if theirs == ours { "the same priority and a lesser address" } else { "lower priority" };
                write!(
                    f,
                    "({instance}) Received advert from {peer} with {what} ({theirs}, ours {ours}): two masters; \
                     answered, and announced the addresses again"
                )
            }
            Self::SentRelease { instance } => write!(f, "({instance}) sent 0 priority"),
            Self::Refused { whose, peer, reason, detail, untold } => {
                refused(f, whose, *peer, *reason, *detail, *untold)
            }
            Self::UnknownVrid { interface, vrid, peer } => {
                write!(f, "Unknown VRID({vrid}) received on interface({interface}) from {peer}. ignoring...")
            }
            Self::StartDelayed { by } => {
                write!(f, "Delaying startup for {}.{:03} seconds", by.as_secs(), by.subsec_millis())
            }
            Self::Claimed { instance, address, device, mac } => write!(
                f,
                "({instance}) virtual address {address} is also held by {mac} on {device}: a host whose daemon was \
                 killed, a second master that is not heard here, or a foreign host; clients may reach it instead of us"
            ),
            Self::Differs { instance, peer, warning } => differs(f, instance, *peer, *warning),
        }
    }
}

fn script(f: &mut fmt::Formatter<'_>, name: &str, outcome: ScriptOutcome, up: bool) -> fmt::Result {
    match (up, outcome) {
        (true, _) => write!(f, "VRRP_Script({name}) succeeded"),
        (false, ScriptOutcome::Exited(code)) => {
            write!(f, "VRRP_Script({name}) failed (exited with status {code})")
        }
        (false, ScriptOutcome::Killed(signal)) => {
            write!(f, "VRRP_Script({name}) failed (due to signal {signal})")
        }
        (false, ScriptOutcome::TimedOut) => write!(f, "VRRP_Script({name}) timed out"),
        (false, ScriptOutcome::NotRun) => {
            write!(f, "VRRP_Script({name}) cannot be run and is ignored until it can")
        }
    }
}

fn refused(
    f: &mut fmt::Formatter<'_>,
    whose: &Whose,
    peer: IpAddr,
    reason: Reject,
    detail: Option<wire::vrrp::Malformed>,
    untold: u64,
) -> fmt::Result {
    match whose {
        Whose::Instance(name) => write!(f, "({name}) refused an advertisement from {peer}: {reason}")?,
        Whose::Interface(name) => write!(f, "refused an advertisement from {peer} on {name}: {reason}")?,
    }
    if let Some(detail) = detail {
        write!(f, " ({detail})")?;
    }
    f.write_str("; more of these are only counted")?;
    if untold > 0 {
        write!(f, " ({untold} other refusals since the last line)")?;
    }
    Ok(())
}

fn differs(f: &mut fmt::Formatter<'_>, instance: &str, peer: IpAddr, warning: Warning) -> fmt::Result {
    match warning {
        Warning::Interval { theirs, ours } => write!(
            f,
            "({instance}) advertisement interval mismatch: {peer} sends every {theirs}, advert_int here is {ours}. \
             It counts as a living master, timed by its own interval; make advert_int the same on both"
        ),
        Warning::Addresses { theirs, ours } => write!(
            f,
            "({instance}) virtual addresses mismatch: {peer} advertises {theirs}, here are {ours}, and not the same. \
             Its advertisements count; make virtual_ipaddress the same on both"
        ),
    }
}
