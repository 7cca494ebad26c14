//! `DNS_CHECK`: a query over UDP (RFC 1035).

use hickory_proto::op::{Message, Query, ResponseCode};
use hickory_proto::rr::{DNSClass, Name, RecordType};
use model::lvs::DnsCheck;
use tokio::net::UdpSocket;

use crate::dial;
use crate::trouble::Trouble;

/// Without EDNS no answer over UDP is longer (RFC 1035 §2.3.4); a server that sends more is read as far as it matters.
const MAX_REPLY_BYTES: usize = 4096;
/// The header (RFC 1035 §4.1.1).
const HEADER_BYTES: usize = 12;

pub(crate) async fn ask(check: &DnsCheck) -> Result<(), Trouble> {
    let connection = &check.connection;
    let id = fastrand::u16(..);
    let query = query(check, id)?;
    let socket = dial::udp(connection)?;
    socket.send(&query).await.map_err(|error| Trouble::at_start(&error, connection))?;
    let answer = answer(&socket, id, check);
    dial::within(connection.timeout, answer, "no answer in time").await
}

fn query(check: &DnsCheck, id: u16) -> Result<Vec<u8>, Trouble> {
    let bad_name = |error| Trouble::here(format!("`{}` is not a name to ask for: {error}", check.name));
    let mut name = Name::from_ascii(&check.name).map_err(|error| bad_name(error.to_string()))?;
    name.set_fqdn(true);
    let mut question = Query::query(name, RecordType::from(check.kind.number()));
    question.set_query_class(DNSClass::IN);
    let mut message = Message::query();
    message.metadata.id = id;
    message.metadata.recursion_desired = true;
    message.add_query(question);
    message.to_vec().map_err(|error| bad_name(error.to_string()))
}

async fn answer(socket: &UdpSocket, id: u16, check: &DnsCheck) -> Result<(), Trouble> {
    let mut buffer = vec![0; MAX_REPLY_BYTES];
    loop {
        let read = socket.recv(&mut buffer).await;
        let length = read.map_err(|error| Trouble::underway(&error, &check.connection))?;
        match judge(buffer.get(..length).unwrap_or_default(), id) {
            Some(0) => return Ok(()),
            Some(code) => {
                let words = ResponseCode::from(0, code);
                return Err(Trouble::server(format!("the answer is an error: {words} (rcode {code})")));
            }
            // Of another query, or of somebody who guesses.
            None => {}
        }
    }
}

/// The code of a response to query `id`. What follows the header need not be right, nor is any record wanted: a server
/// that answers is alive.
fn judge(answer: &[u8], id: u16) -> Option<u8> {
    let (&[i0, i1, flags, codes, ..], _) = answer.split_first_chunk::<HEADER_BYTES>()?;
    let is_response = flags & 0x80 != 0;
    (is_response && u16::from_be_bytes([i0, i1]) == id).then_some(codes & 0x0f)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use model::lvs::{Connection, DnsType};

    use super::*;

    fn check(name: &str, kind: DnsType) -> DnsCheck {
        let address = [127, 0, 0, 1].into();
        let connection =
            Connection { address, port: None, timeout: Duration::from_secs(1), mark: 0, local: None };
        DnsCheck { connection, kind, name: name.into() }
    }

    #[test]
    fn queries_are_those_of_keepalived() {
        // Seen from Debian's keepalived 2.2.7.
        let seen =
            b"\xae\x5a\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x03www\x07example\x03org\x00\x00\x01\x00\x01";
        assert_eq!(query(&check("www.example.org", DnsType::A), 0xae5a).unwrap(), seen);
        let seen = b"\x22\xaa\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\x00\x06\x00\x01";
        assert_eq!(query(&check(".", DnsType::Soa), 0x22aa).unwrap(), seen);
        let long = "a".repeat(64);
        assert!(matches!(query(&check(&long, DnsType::A), 1), Err(Trouble::Here(_))));
    }

    #[test]
    fn only_responses_to_the_query_count() {
        let answer = |flags: [u8; 2]| [[0x12, 0x34], flags, [0, 0], [0, 0], [0, 0], [0, 0]].concat();
        assert_eq!(judge(&answer([0x80, 0]), 0x1234), Some(0));
        assert_eq!(judge(&answer([0x82, 0x83]), 0x1234), Some(3));
        assert_eq!(judge(&answer([0x00, 0]), 0x1234), None, "a query");
        assert_eq!(judge(&answer([0x80, 0]), 0x1235), None, "of another");
        assert_eq!(judge(&answer([0x80, 0])[..11], 0x1234), None, "cut short");
    }
}
