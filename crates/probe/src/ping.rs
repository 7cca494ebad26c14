//! `PING_CHECK`: an ICMP echo (RFC 792, RFC 4443).

use std::net::IpAddr;

use model::lvs::Connection;
use tokio::net::UdpSocket;
use wire::icmp::{self, Echo, Kind};

use crate::dial;
use crate::trouble::Trouble;

/// What keepalived fills its echoes with, and how many bytes of it: who filters these by content knows it.
const FILLING: &[u8; 19] = b"keepalived check - ";
const PAYLOAD_BYTES: usize = 128;
const ECHO_REQUEST_V6: u8 = 128;
const ECHO_REPLY_V6: u8 = 129;
/// An IPv4 header with options, the ICMP header and the payload; what is longer is not our echo.
const MAX_REPLY_BYTES: usize = 60 + 8 + PAYLOAD_BYTES;

pub(crate) async fn ask(connection: &Connection) -> Result<(), Trouble> {
    let (socket, raw) = dial::icmp(connection)?;
    let question = Question::new(connection.address, raw);
    let sent = socket.send(&question.message).await;
    sent.map_err(|error| Trouble::at_start(&error, connection))?;
    dial::within(connection.timeout, answer(&socket, &question, connection), "no echo in time").await
}

async fn answer(socket: &UdpSocket, question: &Question, connection: &Connection) -> Result<(), Trouble> {
    let mut buffer = [0; MAX_REPLY_BYTES];
    loop {
        let read = socket.recv(&mut buffer).await;
        let length = read.map_err(|error| Trouble::underway(&error, connection))?;
        if question.is_answered_by(buffer.get(..length).unwrap_or_default()) {
            return Ok(());
        }
    }
}

/// An echo request, and how to know its reply among those of others.
struct Question {
    message: Vec<u8>,
    address: IpAddr,
    /// A raw socket gets what is for others too, and over IPv4 the IP header; another's identifier is the kernel's.
    raw: bool,
    identifier: u16,
    sequence: u16,
}

impl Question {
    fn new(address: IpAddr, raw: bool) -> Self {
        let (identifier, sequence) = (fastrand::u16(..), fastrand::u16(..));
        let payload: Vec<u8> = FILLING.iter().copied().cycle().take(PAYLOAD_BYTES).collect();
        let mut message = Vec::with_capacity(8 + PAYLOAD_BYTES);
        if address.is_ipv4() {
            icmp::emit(&Echo { kind: Kind::Request, identifier, sequence, payload: &payload }, &mut message);
        } else {
            // The kernel fills in the checksum, which covers addresses that it alone knows.
            message.extend([ECHO_REQUEST_V6, 0, 0, 0]);
            message.extend(identifier.to_be_bytes());
            message.extend(sequence.to_be_bytes());
            message.extend(&payload);
        }
        Self { message, address, raw, identifier, sequence }
    }

    fn is_answered_by(&self, packet: &[u8]) -> bool {
        let echoed = if self.address.is_ipv4() {
            let Ok(echo) = icmp::parse(self.without_ip_header(packet)) else { return false };
            (echo.kind == Kind::Reply).then_some((echo.identifier, echo.sequence))
        } else if let [ECHO_REPLY_V6, 0, _, _, i0, i1, s0, s1, ..] = *packet {
            Some((u16::from_be_bytes([i0, i1]), u16::from_be_bytes([s0, s1])))
        } else {
            None
        };
        echoed.is_some_and(|(identifier, sequence)| {
            sequence == self.sequence && (!self.raw || identifier == self.identifier)
        })
    }

    fn without_ip_header<'a>(&self, packet: &'a [u8]) -> &'a [u8] {
        if !self.raw {
            return packet;
        }
        let words = packet.first().map_or(0, |first| first & 0x0f);
        packet.get(usize::from(words) * 4..).unwrap_or_default()
    }
}
