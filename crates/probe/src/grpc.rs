//! `GRPC_CHECK`: what a server says of its own health (grpc.health.v1).

use std::net::SocketAddr;

use bytes::Bytes;
use http::{HeaderMap, Request, Response, header};
use model::lvs::GrpcCheck;
use tokio::io::{AsyncRead, AsyncWrite};

use crate::tls::Protocol;
use crate::trouble::Trouble;
use crate::{Prober, dial, http2, tls};

const METHOD: &str = "/grpc.health.v1.Health/Check";
/// A healthy answer has two bytes.
const MAX_ANSWER_BYTES: usize = 4096;
/// More of a server's own words is not shown.
const MAX_SHOWN_CHARS: usize = 200;

/// Asks once. Tells what an operator should know all the same.
pub(crate) async fn ask(prober: &Prober, check: &GrpcCheck) -> Result<Option<Box<str>>, Trouble> {
    let target = dial::target(&check.connection)?;
    let stream = dial::tcp(&check.connection).await?;
    let Some(options) = &check.tls else {
        exchange(check, target, stream).await?;
        return Ok(None);
    };
    let host = check.host.as_deref();
    let session = tls::Session { connection: &check.connection, options, host, protocol: Protocol::Http2 };
    let (stream, warning) = session.begin(prober, stream).await?;
    exchange(check, target, stream).await?;
    Ok(warning)
}

async fn exchange(
    check: &GrpcCheck,
    target: SocketAddr,
    stream: impl AsyncRead + AsyncWrite + Unpin,
) -> Result<(), Trouble> {
    let uri = http2::uri(check.tls.is_some(), check.host.as_deref(), target, METHOD)?;
    let request = Request::post(uri)
        .header(header::CONTENT_TYPE, "application/grpc")
        .header(header::TE, "trailers")
        .header(header::USER_AGENT, "KeepAliveClient")
        .body(Some(question(&check.service)));
    let request = request.map_err(|error| Trouble::here(error.to_string()))?;
    let (mut head, mut answer) = (HeaderMap::new(), Vec::new());
    let on_head = |response: &Response<()>| {
        head.clone_from(response.headers());
        match response.status().as_u16() {
            200 => Ok(()),
            status => Err(Trouble::server(format!("the server does not speak gRPC (HTTP status {status})"))),
        }
    };
    let on_body = |bytes: &[u8]| {
        answer.extend_from_slice(bytes);
        let fits = answer.len() <= MAX_ANSWER_BYTES;
        fits.then_some(()).ok_or_else(|| Trouble::server("the answer is longer than any about health"))
    };
    let dialogue = http2::ask(stream, request, on_head, on_body);
    let trailers = dial::within(check.connection.timeout, dialogue, "no complete response in time").await?;
    // Who has nothing to say but a status says it in the head.
    let status = if trailers.contains_key(STATUS) { &trailers } else { &head };
    succeeded(status, &check.service)?;
    healthy(&answer, &check.service)
}

const STATUS: &str = "grpc-status";
const MESSAGE: &str = "grpc-message";

/// A `HealthCheckRequest`, with the five bytes before each message.
fn question(service: &str) -> Bytes {
    let mut message = Vec::new();
    if !service.is_empty() {
        // Field 1, of type string.
        message.push(0x0a);
        push_number(&mut message, service.len());
        message.extend_from_slice(service.as_bytes());
    }
    let length = u32::try_from(message.len()).unwrap_or(u32::MAX);
    let mut framed = vec![0];
    framed.extend_from_slice(&length.to_be_bytes());
    framed.extend_from_slice(&message);
    framed.into()
}

/// Seven bits a byte, the lowest first.
fn push_number(message: &mut Vec<u8>, mut number: usize) {
    while let rest @ 1.. = number >> 7 {
        message.push(u8::try_from(number & 0x7f).unwrap_or_default() | 0x80);
        number = rest;
    }
    message.push(u8::try_from(number).unwrap_or_default());
}

/// Whether the call itself succeeded.
fn succeeded(headers: &HeaderMap, service: &str) -> Result<(), Trouble> {
    let text = |name| headers.get(name).map(|value| shown(value.as_bytes()));
    let status =
        text(STATUS).ok_or_else(|| Trouble::server("the server does not speak gRPC (no grpc-status)"))?;
    let message = text(MESSAGE).map(|message| format!(": {message}")).unwrap_or_default();
    Err(Trouble::server(match status.as_str() {
        "0" => return Ok(()),
        "5" => format!("the server does not know {}", named(service)),
        "12" => "the server has no health service (grpc.health.v1)".to_owned(),
        _ => format!("the server answers with gRPC status {status}{message}"),
    }))
}

fn shown(bytes: &[u8]) -> String {
    bytes.escape_ascii().to_string().chars().take(MAX_SHOWN_CHARS).collect()
}

fn named(service: &str) -> String {
    if service.is_empty() { "the health of itself".to_owned() } else { format!("the service `{service}`") }
}

/// Whether a `HealthCheckResponse` says SERVING.
fn healthy(answer: &[u8], service: &str) -> Result<(), Trouble> {
    let malformed = || Trouble::server("the answer about health cannot be read");
    let message = match answer.split_first_chunk::<5>() {
        Some(([0, length @ ..], message))
            if usize::try_from(u32::from_be_bytes(*length)) == Ok(message.len()) =>
        {
            message
        }
        _ => return Err(malformed()),
    };
    let status = status_in(message).ok_or_else(malformed)?;
    let word = match status {
        1 => return Ok(()),
        0 => "UNKNOWN".to_owned(),
        2 => "NOT_SERVING".to_owned(),
        3 => "SERVICE_UNKNOWN".to_owned(),
        other => other.to_string(),
    };
    let of = if service.is_empty() { String::new() } else { format!(" of `{service}`") };
    Err(Trouble::server(format!("the server says{of}: {word}")))
}

/// Field 1 of a message, 0 if it is not there; `None` if the message is none.
fn status_in(mut message: &[u8]) -> Option<u64> {
    let mut status = 0;
    while !message.is_empty() {
        let tag = take_number(&mut message)?;
        match tag & 7 {
            0 => {
                let value = take_number(&mut message)?;
                status = if tag >> 3 == 1 { value } else { status };
            }
            1 => message = message.get(8..)?,
            2 => {
                let length = usize::try_from(take_number(&mut message)?).ok()?;
                message = message.get(length..)?;
            }
            5 => message = message.get(4..)?,
            _ => return None,
        }
    }
    Some(status)
}

fn take_number(message: &mut &[u8]) -> Option<u64> {
    let mut number = 0_u64;
    for at in 0..10_u32 {
        let (byte, rest) = message.split_first()?;
        *message = rest;
        number |= u64::from(byte & 0x7f).checked_shl(7 * at)?;
        if byte & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn questions_are_framed() {
        assert_eq!(&question("")[..], [0, 0, 0, 0, 0]);
        assert_eq!(&question("ab")[..], [0, 0, 0, 0, 4, 0x0a, 2, b'a', b'b']);
        let long = question(&"x".repeat(300));
        assert_eq!(long[..8], [0, 0, 0, 1, 47, 0x0a, 0xac, 2], "300 is 0xac 0x02");
    }

    #[test]
    fn answers_are_read() {
        let framed = |message: &[u8]| [&[0, 0, 0, 0, u8::try_from(message.len()).unwrap()], message].concat();
        let says = |message: &[u8]| healthy(&framed(message), "s").map_err(|trouble| trouble.to_string());
        assert_eq!(says(&[8, 1]), Ok(()));
        assert_eq!(says(&[0x12, 2, 8, 2, 0x1d, 1, 2, 3, 4, 8, 1]), Ok(()), "unknown fields are passed over");
        assert_eq!(says(&[]).unwrap_err(), "the server says of `s`: UNKNOWN");
        assert_eq!(says(&[8, 2]).unwrap_err(), "the server says of `s`: NOT_SERVING");
        assert_eq!(says(&[8, 0xff, 1]).unwrap_err(), "the server says of `s`: 255");
        for broken in [&[8][..], &[0x0b], &[0x12, 9, 1], &[0xff; 12]] {
            assert_eq!(says(broken).unwrap_err(), "the answer about health cannot be read", "{broken:?}");
        }
        assert!(healthy(&[0, 0, 0, 0, 3, 8, 1], "").is_err() && healthy(&[1, 0, 0, 0, 2, 8, 1], "").is_err());
    }

    proptest! {
        #[test]
        fn any_bytes(answer in proptest::collection::vec(any::<u8>(), 0..40)) {
            let _any = healthy(&answer, "");
            let _status = status_in(&answer);
        }
    }
}
