//! The service manager: what systemd wants to hear of a unit with `Type=notify` (`sd_notify(3)`).

use std::ffi::OsStr;
use std::io;
use std::os::linux::net::SocketAddrExt as _;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::net::{SocketAddr, UnixDatagram};

use sys::process::Pid;

use crate::log::Log;

/// The way to the service manager, if one started this daemon.
#[derive(Debug)]
pub(super) struct Service {
    manager: Option<Manager>,
    /// It has been told that the daemon is up.
    up: bool,
}

#[derive(Debug)]
struct Manager {
    /// Made before the network namespace is changed: names without a file belong to one.
    socket: UnixDatagram,
    address: SocketAddr,
}

/// Why the service manager will hear nothing.
#[derive(Debug, thiserror::Error)]
#[error("cannot tell the service manager anything: NOTIFY_SOCKET is '{}'", .name.display())]
pub(super) struct ServiceError {
    name: std::ffi::OsString,
    source: io::Error,
}

impl Service {
    /// Takes `NOTIFY_SOCKET` out of the environment: it speaks of this process, and of no script.
    ///
    /// To be called before any thread is started.
    pub(super) fn take() -> Result<Self, ServiceError> {
        let manager = match sys::process::take_variable("NOTIFY_SOCKET") {
            Some(name) if !name.is_empty() => {
                Some(Manager::at(&name).map_err(|source| ServiceError { name, source })?)
            }
            _ => None,
        };
        Ok(Self { manager, up: false })
    }

    /// Nobody listens.
    pub(super) const fn none() -> Self {
        Self { manager: None, up: false }
    }

    /// The daemon is up, for the first time or again.
    pub(super) fn is_up(&mut self, log: &Log) {
        if !std::mem::replace(&mut self.up, true) {
            self.say(log, &format!("READY=1\nMAINPID={}", Pid::own()));
        }
    }

    /// The files are read again.
    pub(super) fn reloads(&self, log: &Log) {
        if self.up {
            let now = sys::clock::now().since(model::Instant::ZERO);
            self.say(log, &format!("RELOADING=1\nMONOTONIC_USEC={}", now.as_micros()));
        }
    }

    /// They have been read; `status` says what is not as it was wished.
    pub(super) fn has_reloaded(&self, log: &Log, status: &str) {
        if self.up {
            self.say(log, &format!("READY=1\nSTATUS={}", status.replace('\n', " ")));
        }
    }

    /// The daemon stops.
    pub(super) fn stops(&self, log: &Log) {
        self.say(log, "STOPPING=1");
    }

    fn say(&self, log: &Log, message: &str) {
        let Some(Manager { socket, address }) = &self.manager else { return };
        if let Err(error) = socket.send_to_addr(message.as_bytes(), address) {
            log.warning(format_args!("cannot tell the service manager {message:?}: {error}"));
        }
    }
}

impl Manager {
    /// A path, or `@` and a name that is no file.
    fn at(name: &OsStr) -> io::Result<Self> {
        let address = match name.as_bytes() {
            [b'@', name @ ..] => SocketAddr::from_abstract_name(name)?,
            [b'/', ..] => SocketAddr::from_pathname(name)?,
            _ => return Err(io::ErrorKind::Unsupported.into()),
        };
        let socket = UnixDatagram::unbound()?;
        socket.set_nonblocking(true)?;
        Ok(Self { socket, address })
    }
}
