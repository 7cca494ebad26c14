//! `UDP_CHECK`: a datagram, and what comes back.

use model::lvs::{Nibbles, Payload, UdpCheck};
use tokio::net::UdpSocket;
use tokio::time;

use crate::dial;
use crate::trouble::Trouble;

/// What a datagram holds if the configuration does not say, as from keepalived: servers may know it.
const PAYLOAD: &[u8; 32] = b"keepalived check - keepalived ch";
/// The longest datagram.
const MAX_BYTES: usize = 65_535;

pub(crate) async fn ask(check: &UdpCheck) -> Result<(), Trouble> {
    let connection = &check.connection;
    let socket = dial::udp(connection)?;
    let payload = match &check.payload {
        Payload::Usual => PAYLOAD.as_slice(),
        Payload::Bytes(bytes) => bytes,
    };
    socket.send(payload).await.map_err(|error| Trouble::at_start(&error, connection))?;
    match time::timeout(connection.timeout, reply(&socket, check)).await {
        Ok(verdict) => verdict,
        // Silence is what a server makes of a datagram that means nothing to it.
        Err(_) if check.reply.is_none() => Ok(()),
        Err(_) => Err(Trouble::server("no reply in time")),
    }
}

async fn reply(socket: &UdpSocket, check: &UdpCheck) -> Result<(), Trouble> {
    let mut buffer = vec![0; if check.reply.is_some() { MAX_BYTES } else { 1 }];
    let read = socket.recv(&mut buffer).await;
    let length = read.map_err(|error| Trouble::underway(&error, &check.connection))?;
    let Some(pattern) = &check.reply else { return Ok(()) };
    if length < check.min_reply.into() || length > check.max_reply.into() {
        return Err(Trouble::server(format!("the reply has {length} bytes")));
    }
    if fits(pattern, buffer.get(..length).unwrap_or_default()) {
        Ok(())
    } else {
        Err(Trouble::server("the reply is not the required one"))
    }
}

/// Whether a reply begins with what is required.
fn fits(pattern: &[Nibbles], reply: &[u8]) -> bool {
    reply.len() >= pattern.len()
        && pattern
            .iter()
            .zip(reply)
            .all(|(nibbles, byte)| byte & nibbles.mask == nibbles.value & nibbles.mask)
}
