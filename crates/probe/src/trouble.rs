//! Why a check did not pass, and whose doing that is.

use std::io;
use std::net::IpAddr;

use model::lvs::{Connection, Outcome};
use rustix::io::Errno;

/// Why a check did not pass.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Trouble {
    /// The server's, or the network's between.
    #[error("{0}")]
    Server(Box<str>),
    /// This host's: nothing was learnt of the server.
    #[error("{0}")]
    Here(Box<str>),
}

impl Trouble {
    pub(crate) fn server(reason: impl Into<Box<str>>) -> Self {
        Self::Server(reason.into())
    }

    pub(crate) fn here(reason: impl Into<Box<str>>) -> Self {
        Self::Here(reason.into())
    }

    /// A system call refused to begin a dialogue, before anything came back: unless it tells of an answer, that is
    /// this host's.
    pub(crate) fn at_start(error: &io::Error, connection: &Connection) -> Self {
        match errno(error) {
            Some(Errno::CONNREFUSED | Errno::CONNRESET | Errno::TIMEDOUT) => Self::Server(words(error)),
            Some(Errno::NETUNREACH | Errno::HOSTUNREACH) => {
                Self::here(format!("this host has no route to {}", connection.address))
            }
            Some(Errno::ADDRNOTAVAIL) => match bound_to(connection) {
                Some(address) => Self::here(format!("this host does not have the address {address}")),
                None => Self::here("this host has no address or no free port to ask from"),
            },
            Some(Errno::ADDRINUSE) => Self::here("the port to ask from (`bind_port`) is in use"),
            Some(Errno::NODEV) => Self::here(format!("there is no interface {}", interface(connection))),
            Some(Errno::NETDOWN) => Self::here("the interface to ask through is down"),
            Some(Errno::MFILE | Errno::NFILE) => Self::here("no file descriptors are left"),
            Some(Errno::NOMEM | Errno::NOBUFS) => Self::here("no memory is left for a socket"),
            Some(Errno::PERM | Errno::ACCESS) => {
                Self::here(format!("this host does not permit it ({})", words(error)))
            }
            _ => Self::Here(words(error)),
        }
    }

    /// Something went wrong after the first packet was sent: what comes back is the server's or the network's answer,
    /// unless the error can only be made here.
    pub(crate) fn underway(error: &io::Error, connection: &Connection) -> Self {
        match errno(error) {
            Some(
                Errno::NOMEM
                | Errno::NOBUFS
                | Errno::NETDOWN
                | Errno::NODEV
                | Errno::PERM
                | Errno::ADDRNOTAVAIL,
            ) => Self::at_start(error, connection),
            _ => Self::Server(words(error)),
        }
    }

    /// An error of a dialogue that has begun, where no system call of our own side can be at fault.
    pub(crate) fn of_dialogue(error: &io::Error) -> Self {
        Self::Server(words(error))
    }

    pub(crate) fn into_outcome(self) -> Outcome {
        match self {
            Self::Server(reason) => Outcome::Failed(reason),
            Self::Here(reason) => Outcome::Unknown(reason),
        }
    }
}

fn errno(error: &io::Error) -> Option<Errno> {
    error.raw_os_error().map(Errno::from_raw_os_error)
}

/// What an operator calls it, where the system's own words say less.
fn words(error: &io::Error) -> Box<str> {
    match errno(error) {
        Some(Errno::CONNREFUSED) => "connection refused".into(),
        Some(Errno::CONNRESET) => "connection reset".into(),
        Some(Errno::TIMEDOUT) => "connection timed out".into(),
        Some(Errno::HOSTUNREACH) => "host unreachable".into(),
        Some(Errno::NETUNREACH) => "network unreachable".into(),
        Some(Errno::PIPE) => "the server closed the connection".into(),
        _ => error.to_string().into(),
    }
}

fn bound_to(connection: &Connection) -> Option<IpAddr> {
    connection.local.as_ref().and_then(|local| local.address)
}

fn interface(connection: &Connection) -> &str {
    let interface = connection.local.as_ref().and_then(|local| local.interface.as_ref());
    interface.map_or("", |name| name.as_str())
}
