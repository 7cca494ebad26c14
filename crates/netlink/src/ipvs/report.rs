//! What the operator may want to know of IPVS.

use std::fmt;

use model::ipvs::{DestinationKey, ServiceKey, SyncRole};

use super::damage::Damage;
use super::request::Request;
use super::terms::Kernel;
use crate::errno::Refusal;

/// Something that the operator may want to know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Report {
    /// The kernel has IPVS. Said when it is found, so also after [`Self::Missing`].
    Ready(Kernel),
    /// The kernel has no IPVS: it was built without (`CONFIG_IP_VS`), or the module `ip_vs` is not loaded. Said once; it is
    /// looked for again after a while that grows to a minute.
    Missing,
    /// The table cannot be listed. Said once in a row; it is tried again.
    Unusable(Refusal),
    /// The kernel refused. Said once as long as the same is wanted; it is tried again, after a look at what is there.
    Refused {
        /// What was tried.
        operation: Operation,
        /// What that means, if the error does not say.
        meaning: Option<Box<str>>,
        /// Why not.
        refusal: Refusal,
    },
    /// What had been refused is done.
    Accepted(Subject),
    /// A destination of this service that was to be deleted was gone already: something else changes what is ours. The
    /// service is listed again, and what differs is made good.
    Meddled(ServiceKey),
    /// What a look has shown that something else has done to services of ours. It is made good.
    Damaged(Vec<Damage>),
}

/// What is done to the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Operation {
    /// What is done.
    pub action: Action,
    /// With what.
    pub subject: Subject,
}

/// What is done to an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Action {
    /// It is added, or started.
    Add,
    /// It is changed in place.
    Set,
    /// It is deleted, or stopped.
    Delete,
}

/// What can be changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Subject {
    /// A service.
    Service(ServiceKey),
    /// A destination of a service.
    Destination(ServiceKey, DestinationKey),
    /// A side of connection synchronisation.
    Side(SyncRole),
    /// The timeouts of connections.
    Timeouts,
    /// All services.
    Table,
}

impl Operation {
    /// What `request` does; `None` if it only asks.
    #[must_use]
    pub const fn of(request: &Request) -> Option<Self> {
        let (action, subject) = match request {
            Request::AddService(key, _) => (Action::Add, Subject::Service(*key)),
            Request::SetService(key, _) => (Action::Set, Subject::Service(*key)),
            Request::DeleteService(key) => (Action::Delete, Subject::Service(*key)),
            Request::AddDestination(key, place, _) => (Action::Add, Subject::Destination(*key, *place)),
            Request::SetDestination(key, place, _) => (Action::Set, Subject::Destination(*key, *place)),
            Request::DeleteDestination(key, place) => (Action::Delete, Subject::Destination(*key, *place)),
            Request::Flush => (Action::Delete, Subject::Table),
            Request::SetTimeouts(_) => (Action::Set, Subject::Timeouts),
            Request::StartSide(role, _) => (Action::Add, Subject::Side(*role)),
            Request::StopSide(role) => (Action::Delete, Subject::Side(*role)),
            Request::Kernel
            | Request::Services
            | Request::Service(_)
            | Request::Destinations(_)
            | Request::Zero(_)
            | Request::Timeouts
            | Request::Sides => return None,
        };
        Some(Self { action, subject })
    }
}

impl fmt::Display for Operation {
    /// `add the destination [10.0.0.1]:80 of the service [192.0.2.1]:tcp:80`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = match (self.action, self.subject) {
            (Action::Add, Subject::Side(_)) => "start",
            (Action::Delete, Subject::Side(_)) => "stop",
            (Action::Add, _) => "add",
            (Action::Set, _) => "change",
            (Action::Delete, _) => "delete",
        };
        write!(f, "{word} {}", self.subject)
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Service(key) => write!(f, "the service {key}"),
            Self::Destination(key, place) => write!(f, "the destination {place} of the service {key}"),
            Self::Side(role) => write!(f, "the {role} of connection synchronisation"),
            Self::Timeouts => f.write_str("the timeouts of connections"),
            Self::Table => f.write_str("all services"),
        }
    }
}
