//! What can go wrong in the laboratory.

use std::io;
use std::net::IpAddr;

use model::IfName;

/// Why something in the laboratory did not work.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A host could not be made or entered.
    #[error(transparent)]
    Host(#[from] sys::netns::Error),
    /// The kernel refused a change of interfaces, addresses or neighbours.
    #[error("the kernel refuses to {action}")]
    Kernel {
        /// What was asked.
        action: String,
        /// Its answer.
        source: io::Error,
    },
    /// A host has no such interface.
    #[error("host {host} has no interface {interface}")]
    NoInterface {
        /// The host's name.
        host: String,
        /// The interface's name.
        interface: IfName,
    },
    /// A file of a host could not be read or written.
    #[error("cannot access {path}")]
    File {
        /// Its path, as the host sees it.
        path: String,
        /// The cause.
        source: io::Error,
    },
    /// The log of a process could not be set up or read.
    #[error("cannot keep the log of {program}")]
    Log {
        /// The program.
        program: String,
        /// The cause.
        source: io::Error,
    },
    /// A signal could not be sent.
    #[error("cannot send a signal to process {pid}")]
    Signal {
        /// To whom.
        pid: u32,
        /// The cause.
        source: io::Error,
    },
    /// Frames could not be captured or sent.
    #[error("cannot capture or send frames")]
    Capture(#[source] io::Error),
    /// A client could not send requests.
    #[error("cannot send requests to {target}")]
    Client {
        /// The address asked.
        target: IpAddr,
        /// The cause.
        source: io::Error,
    },
    /// Only IPv4 is measured by this client.
    #[error("the client asks IPv4 addresses only, not {0}")]
    ClientFamily(IpAddr),
    /// There was nothing to run.
    #[error("the command is empty")]
    EmptyCommand,
}
