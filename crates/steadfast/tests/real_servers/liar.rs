//! Servers that no Debian package would be: they say what they are told to say.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, UdpSocket};
use std::thread;
use std::time::Duration;

use rustix::net::sockopt::set_socket_linger;

use crate::bench::Station;

/// Longer than any check here waits.
const SILENCE: Duration = Duration::from_secs(3);

/// A dialogue over TCP: each line is said after the client has said something, the first at once. Then the end: of the
/// connection, or, behind `reset`, in the rude way.
pub(crate) fn speak(station: &Station, port: u16, lines: &'static [&'static str], end: End) {
    let bind = || TcpListener::bind(("0.0.0.0", port));
    let listener = station.host.run(bind).expect("a thread").expect("a free port");
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            thread::spawn(move || {
                let mut stream = stream;
                for (turn, line) in lines.iter().enumerate() {
                    if turn > 0 && stream.read(&mut [0; 4096]).is_err() {
                        return;
                    }
                    if stream.write_all(line.as_bytes()).is_err() {
                        return;
                    }
                }
                match end {
                    End::Close => {}
                    End::Reset => set_socket_linger(&stream, Some(Duration::ZERO)).expect("a socket"),
                    End::Silence => thread::sleep(SILENCE),
                }
            });
        }
    });
}

/// What follows the last line.
#[derive(Clone, Copy)]
pub(crate) enum End {
    Close,
    Reset,
    Silence,
}

/// Answers every datagram with this one.
pub(crate) fn reply(station: &Station, port: u16, answer: &'static [u8]) {
    let bind = || UdpSocket::bind(("0.0.0.0", port));
    let socket = station.host.run(bind).expect("a thread").expect("a free port");
    thread::spawn(move || {
        while let Ok((_, client)) = socket.recv_from(&mut [0; 512]) {
            socket.send_to(answer, client).ok();
        }
    });
}
