//! RFC 3164 datagrams to the local syslog daemon.

use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use super::Level;
use super::format::Clock;

/// A syslog facility (RFC 3164 §4.1.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Facility(u8);

impl Facility {
    /// User processes.
    pub(crate) const USER: Self = Self(1);
    /// Daemons.
    pub(crate) const DAEMON: Self = Self(3);

    /// `local0` to `local7`.
    pub(crate) const fn local(number: u8) -> Option<Self> {
        if number < 8 { Some(Self(16 + number)) } else { None }
    }
}

/// A connection to `/dev/log`, made and made again as needed.
pub(super) struct Connection {
    path: PathBuf,
    facility: Facility,
    /// `Keepalived[4711]`
    tag: String,
    socket: Option<UnixDatagram>,
    lost: u64,
}

impl Connection {
    pub(super) fn new(facility: Facility, ident: &str) -> Self {
        Self::to(Path::new("/dev/log"), facility, ident)
    }

    /// To a socket that may be elsewhere.
    pub(super) fn to(path: &Path, facility: Facility, ident: &str) -> Self {
        let tag = format!("{ident}[{}]", std::process::id());
        Self { path: path.to_owned(), facility, tag, socket: None, lost: 0 }
    }

    /// Sends a line. One that cannot be delivered is counted, and the count is sent once somebody listens.
    pub(super) fn send(&mut self, clock: &Clock, at: SystemTime, level: Level, text: &str) {
        if self.lost > 0 {
            let report = format!("{} log lines were dropped: syslog did not take them", self.lost);
            if self.deliver(&self.packet(clock, at, Level::Warning, &report)) {
                self.lost = 0;
            }
        }
        if !self.deliver(&self.packet(clock, at, level, text)) {
            self.lost += 1;
        }
    }

    fn packet(&self, clock: &Clock, at: SystemTime, level: Level, text: &str) -> Vec<u8> {
        let priority = self.facility.0 * 8 + severity(level);
        format!("<{priority}>{} {}: {text}", clock.syslog(at), self.tag).into_bytes()
    }

    /// Tries twice: the first failure may only mean that the daemon was restarted.
    fn deliver(&mut self, packet: &[u8]) -> bool {
        for _ in 0..2 {
            if self.socket.is_none() {
                self.socket = connect(&self.path).ok();
            }
            let Some(socket) = &self.socket else { return false };
            match socket.send(packet) {
                Ok(_) => return true,
                // It hangs: a second wait would be no better.
                Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => return false,
                Err(_) => self.socket = None,
            }
        }
        false
    }
}

fn connect(path: &Path) -> std::io::Result<UnixDatagram> {
    let socket = UnixDatagram::unbound()?;
    socket.connect(path)?;
    socket.set_write_timeout(Some(PATIENCE))?;
    Ok(socket)
}

const fn severity(level: Level) -> u8 {
    match level {
        Level::Error => 3,
        Level::Warning => 4,
        Level::Notice => 5,
        Level::Info | Level::Detail => 6,
        Level::Debug => 7,
    }
}

/// How long the writing thread (and nobody else) waits for a daemon whose socket is full.
const PATIENCE: Duration = Duration::from_millis(200);

#[cfg(test)]
mod tests {
    use super::*;

    fn received(socket: &UnixDatagram) -> String {
        let mut buffer = [0; 1024];
        let length = socket.recv(&mut buffer).unwrap();
        String::from_utf8(buffer[..length].to_vec()).unwrap()
    }

    #[test]
    fn lines_reach_a_daemon_that_comes_late_and_is_restarted() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("log");
        let mut connection = Connection::to(&path, Facility::DAEMON, "Keepalived");
        let mut send = |level, text| connection.send(&Clock::utc(), SystemTime::UNIX_EPOCH, level, text);
        send(Level::Info, "nobody listens");

        let daemon = UnixDatagram::bind(&path).unwrap();
        send(Level::Notice, "hello");
        let tag = format!("Jan  1 00:00:00 Keepalived[{}]", std::process::id());
        let dropped = "1 log lines were dropped: syslog did not take them";
        assert_eq!(received(&daemon), format!("<28>{tag}: {dropped}"));
        assert_eq!(received(&daemon), format!("<29>{tag}: hello"));

        drop(daemon);
        std::fs::remove_file(&path).unwrap();
        let daemon = UnixDatagram::bind(&path).unwrap();
        send(Level::Error, "again");
        assert_eq!(received(&daemon), format!("<27>{tag}: again"));
    }

    #[test]
    fn facilities_are_what_the_flag_says() {
        assert_eq!(Facility::local(0), Some(Facility(16)));
        assert_eq!(Facility::local(7), Some(Facility(23)));
        assert_eq!(Facility::local(8), None);
    }
}
