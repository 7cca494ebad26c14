//! The states. Deadlines live in the state that they belong to, and die with it.

use std::collections::BTreeSet;
use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use model::{Centis, Family, IfName, Instant, Priority};

use crate::announce::AnnouncePlan;
use crate::{StateName, skew_time};

/// Between two answers to priority 0, however short the interval is.
const LEAST_ANSWER_PAUSE: Duration = Duration::from_millis(10);

/// What an instance is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum State {
    /// Waits for the first verdict of a vital script.
    Init,
    /// Cannot work, for these causes; never empty.
    Fault(BTreeSet<Cause>),
    /// Stands by.
    Backup(Backup),
    /// Holds the addresses.
    Master(Master),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Backup {
    /// What it waits for.
    pub(crate) wait: Wait,
    /// The master that it follows.
    pub(crate) heard: Option<Heard>,
    /// The master of lower priority that it has heard since, and waits to preempt. Only what is told depends on it.
    pub(crate) rival: Option<Heard>,
    /// When it may preempt the master of lower priority that it hears (`preempt_delay`).
    pub(crate) preempt_at: Option<Instant>,
    /// How much longer it listens.
    pub(crate) handicap: Option<Handicap>,
    /// Its wait is over, and the other members of its group keep it from becoming master.
    pub(crate) ripe: Option<Ripe>,
}

/// What keeps two groups apart that were master at once and yielded to each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Handicap {
    pub(crate) delay: Duration,
    /// A master that is heard later is one that stays: there is no race any more.
    pub(crate) until: Instant,
}

/// A backup that would be master if it were alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ripe {
    /// Since when.
    pub(crate) at: Instant,
    /// The operator has yet to be told that it is held back.
    pub(crate) tell: Tell,
}

/// When to speak of a backup that is held back. A moment of it is usual: the members' timers do not end at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tell {
    /// At this time.
    At(Instant),
    /// The time has come.
    Due,
    /// It is done.
    Done,
}

/// A backup's one deadline.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wait {
    /// The master was heard `since`, or listening began: it is dead after the master down interval.
    MasterDown { since: Instant, interval: Centis },
    /// The master said at `since` that it stops: skew time decides who follows.
    Skew { since: Instant, interval: Centis },
    /// The master fell below us, to `theirs`: `at` is our turn.
    Overtake { at: Instant, theirs: Priority },
}

/// The last advertisement of a master.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Heard {
    pub(crate) source: IpAddr,
    pub(crate) priority: Priority,
    pub(crate) interval: Centis,
    pub(crate) at: Instant,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Master {
    pub(crate) since: Instant,
    /// When it last advertised.
    pub(crate) spoke_at: Instant,
    pub(crate) next_advert_at: Instant,
    pub(crate) announce: AnnouncePlan,
    /// When it last contradicted another master.
    pub(crate) asserted_at: Option<Instant>,
    /// When it last answered priority 0.
    pub(crate) answered_at: Option<Instant>,
    /// The next advertisement will answer priority 0.
    pub(crate) owes_answer: bool,
}

impl State {
    pub(crate) const fn name(&self) -> StateName {
        match self {
            Self::Init => StateName::Init,
            Self::Fault(_) => StateName::Fault,
            Self::Backup(_) => StateName::Backup,
            Self::Master(_) => StateName::Master,
        }
    }
}

impl Master {
    /// Its first advertisement is still crossing that of a predecessor, or the predecessor's last word is on
    /// its way: an ordinary preemption, of which neither the log nor a script should speak as of two masters.
    pub(crate) fn is_new(&self, now: Instant, interval: Centis) -> bool {
        now.since(self.since) < interval.duration() / 2
    }

    /// How long it has been silent, if that is so long that a backup that follows this `config` and has at most the
    /// configured priority may have taken over (`timer_expired_backup`).
    pub(crate) fn overslept(&self, config: &model::vrrp::Instance, now: Instant) -> Option<Duration> {
        let wait = Wait::MasterDown { since: self.spoke_at, interval: config.advert_interval };
        let theirs = config.timer_expired_backup?;
        (wait.deadline(config, theirs) <= now).then(|| now.since(self.spoke_at))
    }

    /// When another master may be contradicted again, if not now: one that never yields is contradicted at its own
    /// pace, a flood of them is not answered packet by packet.
    pub(crate) fn assert_pause_ends(&self, now: Instant, interval: Centis) -> Option<Instant> {
        self.asserted_at.map(|last| last + interval.duration() / 2).filter(|end| *end > now)
    }

    /// When priority 0 may be answered again, if not now: of a flood of it, a tenth of an interval answers all.
    pub(crate) fn answer_pause_ends(&self, now: Instant, interval: Centis) -> Option<Instant> {
        let pause = (interval.duration() / 10).max(LEAST_ANSWER_PAUSE);
        self.answered_at.map(|last| last + pause).filter(|end| *end > now)
    }
}

impl Backup {
    /// A backup that has heard nobody and begins to listen.
    pub(crate) const fn listening(since: Instant, interval: Centis) -> Self {
        Self {
            wait: Wait::MasterDown { since, interval },
            heard: None,
            rival: None,
            preempt_at: None,
            handicap: None,
            ripe: None,
        }
    }

    /// Its wait is over: what it waits for now is its group.
    pub(crate) fn ripen(&mut self, now: Instant, interval: Centis) {
        self.ripe = Some(Ripe { at: now, tell: Tell::At(now + interval.duration()) });
    }

    /// When it acts next.
    pub(crate) fn deadline(&self, config: &model::vrrp::Instance, priority: Priority) -> Option<Instant> {
        match self.ripe {
            None => Some(self.wait.deadline(config, priority) + self.delay()),
            Some(Ripe { tell: Tell::At(at), .. }) => Some(at),
            Some(Ripe { tell: Tell::Due | Tell::Done, .. }) => None,
        }
    }

    fn delay(&self) -> Duration {
        match (self.wait, self.handicap) {
            (Wait::MasterDown { .. }, Some(handicap)) => handicap.delay,
            (Wait::MasterDown { .. } | Wait::Skew { .. } | Wait::Overtake { .. }, _) => Duration::ZERO,
        }
    }

    /// Why it takes over at `now`.
    pub(crate) fn takeover_reason(
        &self,
        config: &model::vrrp::Instance,
        priority: Priority,
        now: Instant,
    ) -> Reason {
        let master = self.heard.map(|heard| heard.source);
        match (self.wait, self.rival) {
            (Wait::Skew { .. }, _) => Reason::Released { master },
            (Wait::Overtake { theirs, .. }, _) => Reason::Overtake { master, theirs: Some(theirs) },
            (Wait::MasterDown { .. }, Some(rival)) if rival.lives(config, priority, now) => {
                Reason::Preempts { master: rival.source, theirs: rival.priority, ours: priority }
            }
            (Wait::MasterDown { .. }, Some(rival)) => {
                Reason::MasterDown { master: Some(rival.source), silent: now.since(rival.at) }
            }
            (Wait::MasterDown { since, .. }, None) => Reason::MasterDown { master, silent: now.since(since) },
        }
    }

    /// Its priority fell: whether it is still better than the master it was about to overtake, the master's
    /// next advertisement tells.
    pub(crate) fn reconsider(&mut self) {
        if let (Wait::Overtake { .. }, Some(heard)) = (self.wait, self.heard) {
            self.wait = Wait::MasterDown { since: heard.at, interval: heard.interval };
            self.ripe = None;
        }
    }
}

impl Heard {
    /// It was heard less than a master down interval ago.
    fn lives(self, config: &model::vrrp::Instance, priority: Priority, now: Instant) -> bool {
        now < Wait::MasterDown { since: self.at, interval: self.interval }.deadline(config, priority)
    }
}

impl Wait {
    /// When the wait ends, for a backup of this `priority`.
    pub(crate) fn deadline(self, config: &model::vrrp::Instance, priority: Priority) -> Instant {
        let version = config.version;
        match self {
            Self::MasterDown { since, interval } => {
                since + crate::master_down_interval(version, priority, interval, config.down_timer_adverts)
            }
            Self::Skew { since, interval } => since + skew_time(version, priority, interval),
            Self::Overtake { at, .. } => at,
        }
    }
}

/// Why an instance cannot work.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Cause {
    /// There is no such interface.
    LinkMissing(IfName),
    /// The interface is down or has no carrier.
    LinkDown(IfName),
    /// The interface has no address of that family to send from.
    NoAddress(Option<IfName>, Family),
    /// The address that it speaks from is not there.
    NoSource(IpAddr),
    /// The socket, that of an interface if there is one, could not be opened.
    NoSocket(Option<IfName>),
    /// It is unicast and has nobody to talk to.
    NoPeers,
    /// A vital script says that its service does not work.
    Script(Arc<str>),
    /// A vital file holds another number than 0, or one that takes all of the priority.
    File(Arc<str>),
    /// Too few, or too many, of vital processes run.
    Process(Arc<str>),
    /// A vital BFD session is down, or up where it must not be.
    Session {
        /// Its name.
        name: Arc<str>,
        /// It is up.
        up: bool,
    },
    /// Another member of its sync group cannot work.
    Member {
        /// The group's name.
        group: Arc<str>,
        /// The member's.
        member: Arc<str>,
    },
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::LinkMissing(name) => write!(f, "interface {name} does not exist"),
            Self::LinkDown(name) => write!(f, "interface {name} is down"),
            Self::NoAddress(Some(name), Family::V4) => write!(f, "interface {name} has no IPv4 address"),
            Self::NoAddress(Some(name), Family::V6) => {
                write!(f, "interface {name} has no usable link-local IPv6 address")
            }
            Self::NoAddress(None, _) => f.write_str("there is no address to send from"),
            Self::NoSource(address) => write!(f, "source address {address} is not there"),
            Self::NoSocket(Some(name)) => write!(f, "cannot send or hear on interface {name}"),
            Self::NoSocket(None) => f.write_str("cannot send or hear without an interface"),
            Self::NoPeers => f.write_str("there are no unicast peers"),
            Self::Script(name) => write!(f, "script {name} fails"),
            Self::File(name) => write!(f, "tracked file {name} says so"),
            Self::Process(name) => write!(f, "not as many processes {name} run as must"),
            Self::Session { name, up: false } => write!(f, "BFD session {name} is down"),
            Self::Session { name, up: true } => write!(f, "BFD session {name} is up"),
            Self::Member { group, member } => write!(f, "{member} of sync group {group} is at fault"),
        }
    }
}

/// Why a transition happened, or what a deadline is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reason {
    /// The instance starts to listen.
    Startup,
    /// It owns the addresses: priority 255.
    Owner,
    /// It was master until the worker before this one died, moments ago.
    Adopted,
    /// No master was heard for this long, the last one being `master`.
    MasterDown {
        /// Who was master.
        master: Option<IpAddr>,
        /// How long nothing came.
        silent: Duration,
    },
    /// The master speaks, and its priority is lower than ours.
    Preempts {
        /// Who was master.
        master: IpAddr,
        /// Its priority.
        theirs: Priority,
        /// Our effective priority.
        ours: Priority,
    },
    /// The master said that it stops, and nobody better spoke up.
    Released {
        /// Who was master.
        master: Option<IpAddr>,
    },
    /// The master's priority fell below ours.
    Overtake {
        /// Who was master.
        master: Option<IpAddr>,
        /// Its priority, if it was heard.
        theirs: Option<Priority>,
    },
    /// Another master has a greater priority, or the same and a greater address.
    Better {
        /// Who.
        master: IpAddr,
        /// Its priority.
        theirs: Priority,
        /// Our effective priority.
        ours: Priority,
    },
    /// It was silent for so long that another router may have taken over (`timer_expired_backup`).
    Overslept {
        /// Since its last advertisement.
        silent: Duration,
    },
    /// It goes with another member of its sync group.
    Group {
        /// The group's name.
        group: Arc<str>,
        /// The member's.
        member: Arc<str>,
    },
    /// Something vital failed.
    Fault(BTreeSet<Cause>),
    /// What was at fault works again.
    Recovered,
    /// The next advertisement is due.
    AdvertDue,
    /// Gratuitous ARP is due.
    AnnounceDue,
    /// A check script is due.
    ScriptDue,
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Startup => f.write_str("init"),
            Self::Owner => f.write_str("owner of the addresses"),
            Self::Adopted => f.write_str("was master before the restart"),
            Self::MasterDown { master, silent } => master_down(f, *master, *silent),
            Self::Preempts { master, theirs, ours } => {
                write!(f, "preempts {master}, priority {theirs}, ours {ours}")
            }
            Self::Released { master: Some(master) } => write!(f, "master {master} stopped"),
            Self::Released { master: None } => f.write_str("the master stopped"),
            Self::Overtake { master: Some(master), theirs: Some(theirs) } => {
                write!(f, "priority of master {master} fell to {theirs}")
            }
            Self::Overtake { .. } => f.write_str("the master's priority fell below ours"),
            Self::Better { master, theirs, ours } if theirs == ours => {
                write!(f, "{master} has the same priority {theirs} and the greater address")
            }
            Self::Better { master, theirs, ours } => {
                write!(f, "{master} has higher priority {theirs}, ours {ours}")
            }
            Self::Overslept { silent } => {
                let (secs, millis) = (silent.as_secs(), silent.subsec_millis());
                write!(f, "nothing sent for {secs}.{millis:03}s: another router may have taken over")
            }
            Self::Group { group, member } => write!(f, "with {member} of sync group {group}"),
            Self::Fault(causes) => {
                let mut separator = "";
                causes.iter().try_for_each(|cause| {
                    write!(f, "{separator}{cause}")?;
                    separator = ", ";
                    Ok(())
                })
            }
            Self::Recovered => f.write_str("what was at fault works again"),
            Self::AdvertDue => f.write_str("next advertisement"),
            Self::AnnounceDue => f.write_str("next gratuitous ARP"),
            Self::ScriptDue => f.write_str("next run of a script"),
        }
    }
}

fn master_down(f: &mut fmt::Formatter<'_>, master: Option<IpAddr>, silent: Duration) -> fmt::Result {
    let secs = silent.as_secs();
    let millis = silent.subsec_millis();
    match master {
        Some(master) => write!(f, "no advertisement from {master} for {secs}.{millis:03}s"),
        None => write!(f, "no master heard for {secs}.{millis:03}s"),
    }
}
