//! What the supervisor and its workers say to each other: the vrrp worker here, the check worker in [`check`].
//!
//! Each message is one JSON document in one packet of a [`Channel`]. What grows with the configuration is not in a
//! message: an [`Assignment`] comes beside [`ToWorker::Configure`], as JSON in a sealed memfd, so that its size has
//! no limit.

pub(crate) mod check;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::io;
use std::os::fd::OwnedFd;
use std::path::Path;

use model::route::Route;
use model::rule::Rule;
use model::vrrp::VirtualAddress;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use sys::ipc::Channel;

use crate::snapshot::Piece;

/// What the supervisor says to the worker.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum ToWorker {
    /// Carry out the [`Assignment`] in the memfd that comes with this message: at start, and again at each reload.
    Configure,
    /// Release what is held, report [`FromWorker::Stopped`] and leave.
    Stop,
    /// The end of a run that [`FromWorker::RunScript`] asked for.
    ScriptDone {
        /// The name of the `vrrp_script`.
        script: String,
        /// The number that the request carried.
        run: u64,
        /// How it ended.
        outcome: ScriptOutcome,
    },
    /// A tracked file holds another number.
    File {
        /// The name of the `track_file`.
        name: String,
        /// The number; 0 if there is none.
        value: i32,
    },
    /// More or fewer of the tracked processes run.
    Processes {
        /// The name of the `vrrp_track_process`.
        name: String,
        /// How many.
        count: u32,
    },
    /// A BFD session has come up or gone down.
    Bfd {
        /// The name of the `bfd_instance`.
        session: String,
        /// It is up.
        up: bool,
    },
    /// Foretell what the [`Assignment`] in the memfd that comes with this message would do, in answers of
    /// [`FromWorker::Foretold`].
    Foretell {
        /// Comes back with each answer.
        request: u64,
    },
    /// Tell how things are, in answers of [`FromWorker::Snapshot`].
    Snapshot {
        /// Comes back with each answer.
        request: u64,
        /// Counters begin anew once they are told.
        clear: bool,
    },
}

/// What the worker is to run.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Assignment {
    /// The configuration.
    pub(crate) config: model::vrrp::Config,
    /// The last state that each instance reported before the worker was started anew; empty at every other time.
    pub(crate) remembered: Vec<Remembered>,
    /// What earlier workers may have left: it is taken away unless the configuration wants it. Only a worker that has not
    /// begun looks at it.
    #[serde(default)]
    pub(crate) sweep: Belongings,
    /// The table of packet filters.
    #[serde(default)]
    pub(crate) nftables: model::Nftables,
    /// The kernel is to tell nobody of its memberships in groups of the link (`disable_local_igmp`).
    #[serde(default)]
    pub(crate) no_local_igmp: bool,
    /// The name of this daemon among others on the host (`instance`); empty if it has none.
    #[serde(default)]
    pub(crate) daemon: String,
    /// What is known of files and processes as the configuration is handed over.
    #[serde(default)]
    pub(crate) readings: Readings,
    /// The daemon's own settings.
    #[serde(default)]
    pub(crate) settings: Settings,
}

/// What the worker must know of the daemon's own settings.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Settings {
    /// What the process is called.
    pub(crate) name: String,
    /// What syslog calls it.
    pub(crate) ident: String,
    /// Until then no instance begins. Only a worker that has not begun looks at it.
    pub(crate) quiet_until: Option<model::Instant>,
    /// Advertisements of virtual routers that are not configured are told of.
    pub(crate) log_unknown_vrids: bool,
    /// The sizes of the sockets for advertisements, bytes, by interface; the usual one for others.
    pub(crate) receive_bytes: BTreeMap<model::IfName, u32>,
    /// The same as times the MTU of any other interface.
    pub(crate) receive_mtus: Option<u32>,
    /// Of the netlink socket.
    pub(crate) netlink: model::Buffer,
    /// No memory is swapped out.
    pub(crate) locks_memory: bool,
    /// How late it must run to say so.
    pub(crate) late_after: Option<std::time::Duration>,
}

/// Everything that a configuration may put into the kernel.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Belongings {
    /// Addresses.
    pub(crate) addresses: BTreeSet<VirtualAddress>,
    /// Routes.
    pub(crate) routes: BTreeSet<Route>,
    /// Policy rules.
    pub(crate) rules: BTreeSet<Rule>,
}

impl Belongings {
    /// And what this configuration may.
    pub(crate) fn add(&mut self, config: &model::vrrp::Config) {
        let model::vrrp::Config { instances, statics, .. } = config;
        self.addresses.extend(instances.iter().flat_map(|one| one.addresses.iter().cloned()));
        self.routes.extend(instances.iter().flat_map(|one| one.routes.iter().cloned()));
        self.rules.extend(instances.iter().flat_map(|one| one.rules.iter().cloned()));
        self.addresses.extend(statics.addresses.iter().map(|one| one.item.clone()));
        self.routes.extend(statics.routes.iter().map(|one| one.item.clone()));
        self.rules.extend(statics.rules.iter().map(|one| one.item.clone()));
    }

    /// And all of `others`, which has nothing any more.
    pub(crate) fn append(&mut self, others: &mut Self) {
        self.addresses.append(&mut others.addresses);
        self.routes.append(&mut others.routes);
        self.rules.append(&mut others.rules);
    }
}

/// What tracked files hold, how many tracked processes run, and which BFD sessions are up, by their names in the configuration.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Readings {
    /// The numbers in files; 0 where there is none.
    pub(crate) files: BTreeMap<String, i32>,
    /// The counts of processes.
    pub(crate) processes: BTreeMap<String, u32>,
    /// Which BFD sessions are up.
    #[serde(default)]
    pub(crate) sessions: BTreeMap<String, bool>,
}

/// What crosses in a file beside a message.
pub(crate) trait Enclosed: Serialize + DeserializeOwned {
    /// Puts it into a memfd that nobody can change any more.
    ///
    /// # Errors
    /// No memory or no file descriptor left.
    fn seal(&self) -> Result<OwnedFd, MessageError> {
        let json = serde_json::to_vec(self).map_err(MessageError::Malformed)?;
        sys::memfd::sealed("steadfast", &json).map_err(MessageError::Memory)
    }

    /// The same on the disk of `directory`, in a file without a name (`tmp_config_directory`).
    ///
    /// # Errors
    /// There can be no such file.
    fn put_into(&self, directory: &Path) -> Result<OwnedFd, MessageError> {
        let json = serde_json::to_vec(self).map_err(MessageError::Malformed)?;
        sys::memfd::unnamed(directory, &json).map_err(MessageError::Memory)
    }

    /// Takes it out of the memfd that came with a message.
    ///
    /// # Errors
    /// It is not sealed, or holds something else.
    fn unseal(memfd: OwnedFd) -> Result<Self, MessageError> {
        let json = sys::memfd::read_sealed(memfd).map_err(MessageError::Memory)?;
        serde_json::from_slice(&json).map_err(MessageError::Malformed)
    }
}

impl Enclosed for Assignment {}

/// What the worker says to the supervisor.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum FromWorker {
    /// The first configuration is in force.
    Ready,
    /// Run a check script once. Every request is answered by exactly one [`ToWorker::ScriptDone`].
    RunScript {
        /// The name of the `vrrp_script`.
        script: String,
        /// Comes back with the outcome, so that the answer to a forgotten request can be told apart.
        run: u64,
    },
    /// Run the notify scripts of a transition.
    Notify(Notification),
    /// An instance is in this state now.
    State(Remembered),
    /// What a reload changed at once has been done, and reported before this.
    Reconfigured,
    /// An instance is no longer configured; its `Deleted` notification, if any, came before.
    Gone {
        /// The name of the instance.
        instance: String,
    },
    /// It has run this late, although the processor was to be its own.
    Late {
        /// By how much.
        micros: u64,
    },
    /// One of the answers to [`ToWorker::Snapshot`].
    Snapshot {
        /// The number that the request carried.
        request: u64,
        /// What is told.
        piece: Piece,
    },
    /// One of the answers to [`ToWorker::Foretell`].
    Foretold {
        /// The number that the request carried.
        request: u64,
        /// The next step; `None` once there is no other.
        step: Option<Step>,
    },
    /// The answer to [`ToWorker::Stop`]: everything is released, and no message follows.
    Stopped,
}

/// One part of what a reload would do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Step {
    /// What changes.
    pub(crate) change: String,
    /// What comes of it.
    pub(crate) effects: Vec<String>,
    /// How bad that is.
    pub(crate) disturbance: Disturbance,
}

/// How bad something is for those who use the addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Disturbance {
    /// Nobody notices.
    None,
    /// An address moves to another router, orderly, or a server goes with its connections.
    Moves,
    /// An address is nowhere for a while, or on two hosts at once.
    Flaps,
}

/// How a run of a check script ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum ScriptOutcome {
    /// It exited with this status.
    Exited(i32),
    /// This signal killed it, and the signal was not ours.
    Killed(i32),
    /// It had not ended within its time-out; its process group was killed.
    TimedOut,
    /// It could not be started, or may not be run. The log says why.
    NotRun,
}

/// A transition that scripts may want to hear of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Notification {
    /// Whose it is.
    pub(crate) whose: Whose,
    /// What happened.
    pub(crate) kind: NotificationKind,
    /// The effective priority at that moment; 0 of a group, which has none.
    pub(crate) priority: u8,
}

/// Who changes its state.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) enum Whose {
    /// The instance of this name.
    Instance(String),
    /// The sync group of this name.
    Group(String),
}

impl Whose {
    /// The word and the name that scripts get.
    pub(crate) fn words(&self) -> [&str; 2] {
        match self {
            Self::Instance(name) => ["INSTANCE", name],
            Self::Group(name) => ["GROUP", name],
        }
    }
}

impl fmt::Display for Whose {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Instance(name) => f.write_str(name),
            Self::Group(name) => write!(f, "sync group {name}"),
        }
    }
}

/// What happened to an instance or a group, in the words of the `notify_*` keywords.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum NotificationKind {
    /// It became master.
    Master,
    /// It became backup.
    Backup,
    /// It cannot take part.
    Fault,
    /// The daemon stops.
    Stop,
    /// A reload removed it.
    Deleted,
    /// As master it heard another master of lower priority.
    MasterRxLowerPriority,
}

impl NotificationKind {
    /// What programs call it. Without `notify_deleted` keepalived reports a removed instance as faulty.
    pub(crate) const fn word(self, reports_deleted: bool) -> &'static str {
        match self {
            Self::Master => "MASTER",
            Self::Backup => "BACKUP",
            Self::Deleted if reports_deleted => "DELETED",
            Self::Fault | Self::Deleted => "FAULT",
            Self::Stop => "STOP",
            Self::MasterRxLowerPriority => "MASTER_RX_LOWER_PRI",
        }
    }
}

/// The state of an instance at a moment, kept by the supervisor for a worker that must be started anew.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Remembered {
    /// The name of the instance.
    pub(crate) instance: String,
    /// Its state.
    pub(crate) state: State,
    /// Its effective priority.
    pub(crate) priority: u8,
    /// When it was reported, on the host's monotonic clock.
    pub(crate) at: model::Instant,
}

/// The state of an instance, without the deadlines that the machine keeps in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum State {
    /// Not decided yet.
    Init,
    /// Listening to a master.
    Backup,
    /// Holding the addresses.
    Master,
    /// Unable to take part.
    Fault,
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Init => "INIT",
            Self::Backup => "BACKUP",
            Self::Master => "MASTER",
            Self::Fault => "FAULT",
        })
    }
}

/// A message that cannot be put into a packet, or a packet that is no message.
#[derive(Debug, thiserror::Error)]
pub(crate) enum MessageError {
    /// The other side runs another program, or there is a bug.
    #[error("a packet on the channel is no message of this version")]
    Malformed(#[source] serde_json::Error),
    /// Longer than [`Channel::MESSAGE_BYTES`].
    #[error("a message of {0} bytes does not fit a packet")]
    TooLong(usize),
    /// The memfd could not be made, or is not sealed.
    #[error("cannot hand over the configuration")]
    Memory(#[source] io::Error),
}

/// The bytes of a message.
///
/// # Errors
/// [`MessageError::TooLong`] beyond [`Channel::MESSAGE_BYTES`].
pub(crate) fn encode<M: Serialize>(message: &M) -> Result<Vec<u8>, MessageError> {
    let bytes = serde_json::to_vec(message).map_err(MessageError::Malformed)?;
    if bytes.len() > Channel::MESSAGE_BYTES { Err(MessageError::TooLong(bytes.len())) } else { Ok(bytes) }
}

/// The message in `packet`.
///
/// # Errors
/// [`MessageError::Malformed`] if there is none.
pub(crate) fn decode<M: DeserializeOwned>(packet: &[u8]) -> Result<M, MessageError> {
    serde_json::from_slice(packet).map_err(MessageError::Malformed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn comes_back<M: Serialize + DeserializeOwned + PartialEq + fmt::Debug>(message: &M) {
        let packet = encode(message).unwrap();
        assert!(packet.len() < 4096, "{message:?} is {} bytes long", packet.len());
        assert_eq!(decode::<M>(&packet).unwrap(), *message);
    }

    /// The longest that the language lets a name be is far below this.
    fn long_name() -> String {
        "\"\u{1}".repeat(255)
    }

    fn remembered() -> Remembered {
        let at = model::Instant::from_nanos(u64::MAX);
        Remembered { instance: long_name(), state: State::Master, priority: 255, at }
    }

    #[test]
    fn what_the_supervisor_says_comes_back() {
        comes_back(&ToWorker::Configure);
        comes_back(&ToWorker::Stop);
        for outcome in [
            ScriptOutcome::Exited(255),
            ScriptOutcome::Killed(64),
            ScriptOutcome::TimedOut,
            ScriptOutcome::NotRun,
        ] {
            comes_back(&ToWorker::ScriptDone { script: long_name(), run: u64::MAX, outcome });
        }
    }

    #[test]
    fn what_trackers_read_comes_back() {
        comes_back(&ToWorker::File { name: long_name(), value: i32::MIN });
        comes_back(&ToWorker::Processes { name: long_name(), count: u32::MAX });
        comes_back(&ToWorker::Bfd { session: long_name(), up: true });
        let readings = Readings {
            files: [(long_name(), -1)].into(),
            processes: [(long_name(), 2)].into(),
            sessions: [(long_name(), true)].into(),
        };
        let assignment = Assignment { readings, ..Assignment::default() };
        assert_eq!(Assignment::unseal(assignment.seal().unwrap()).unwrap(), assignment);
    }

    #[test]
    fn what_the_worker_says_comes_back() {
        comes_back(&FromWorker::Ready);
        comes_back(&FromWorker::Stopped);
        comes_back(&FromWorker::Reconfigured);
        comes_back(&FromWorker::Gone { instance: long_name() });
        comes_back(&FromWorker::RunScript { script: long_name(), run: u64::MAX });
        comes_back(&FromWorker::State(remembered()));
        for kind in [
            NotificationKind::Master,
            NotificationKind::Backup,
            NotificationKind::Fault,
            NotificationKind::Stop,
            NotificationKind::Deleted,
            NotificationKind::MasterRxLowerPriority,
        ] {
            for whose in [Whose::Instance(long_name()), Whose::Group(long_name())] {
                comes_back(&FromWorker::Notify(Notification { whose, kind, priority: 255 }));
            }
        }
    }

    #[test]
    fn an_assignment_has_no_limit() {
        let assignment = Assignment { remembered: vec![remembered(); 5000], ..Assignment::default() };
        assert_eq!(Assignment::unseal(assignment.seal().unwrap()).unwrap(), assignment);
    }

    #[test]
    fn foreign_packets_are_refused() {
        for packet in [&b""[..], b"{", b"\"Dance\"", b"\xff", b"{\"ScriptDone\":{\"script\":\"a\"}}"] {
            assert!(matches!(decode::<ToWorker>(packet), Err(MessageError::Malformed(_))), "{packet:?}");
        }
        let script = "x".repeat(Channel::MESSAGE_BYTES);
        assert!(matches!(encode(&FromWorker::RunScript { script, run: 0 }), Err(MessageError::TooLong(_))));
    }
}
