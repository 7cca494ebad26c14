//! One request over HTTP/2 (RFC 9113), and its response as it arrives.

use std::future::poll_fn;
use std::net::SocketAddr;
use std::pin::pin;

use bytes::Bytes;
use h2::RecvStream;
use h2::client::{Builder, SendRequest};
use http::uri::{PathAndQuery, Scheme};
use http::{HeaderMap, Request, Response, Uri};
use tokio::io::{AsyncRead, AsyncWrite};

use crate::tls;
use crate::trouble::Trouble;

/// What a server may say before a body and after it, as HTTP/1 may.
const MAX_HEADER_BYTES: u32 = 64 * 1024;
/// So much of a body may be on its way at once.
const WINDOW_BYTES: u32 = 256 * 1024;

/// What is asked for: the URI of a page.
pub(crate) fn uri(is_tls: bool, host: Option<&str>, target: SocketAddr, path: &str) -> Result<Uri, Trouble> {
    let authority = host.map_or_else(|| target.to_string(), str::to_owned);
    let scheme = if is_tls { Scheme::HTTPS } else { Scheme::HTTP };
    let cannot = |error: &dyn std::fmt::Display| {
        Trouble::here(format!("`{path}` of `{authority}` cannot be asked for over HTTP/2: {error}"))
    };
    let page = PathAndQuery::try_from(encoded(path)).map_err(|error| cannot(&error))?;
    let uri = Uri::builder().scheme(scheme).authority(authority.as_str()).path_and_query(page).build();
    uri.map_err(|error| cannot(&error))
}

/// A path as URIs have it (RFC 3986 §2, RFC 3987 §3.1). HTTP/1 sends whatever is configured, and a check that would refuse it
/// here could tell nothing for ever.
fn encoded(path: &str) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~:/?#@!$&'()*+,;=%".contains(&byte);
    let mut text = if path.starts_with('/') { String::new() } else { "/".to_owned() };
    for byte in path.bytes() {
        match char::from(byte) {
            plain if is_plain(byte) => text.push(plain),
            _ => text.push_str(&format!("%{byte:02X}")),
        }
    }
    text
}

/// Asks, shows the head of the response and then the body in parts, and gives the trailers.
pub(crate) async fn ask(
    stream: impl AsyncRead + AsyncWrite + Unpin,
    request: Request<Option<Bytes>>,
    on_head: impl FnOnce(&Response<()>) -> Result<(), Trouble>,
    on_body: impl FnMut(&[u8]) -> Result<(), Trouble>,
) -> Result<HeaderMap, Trouble> {
    let mut builder = Builder::new();
    builder.enable_push(false).max_header_list_size(MAX_HEADER_BYTES);
    builder.initial_window_size(WINDOW_BYTES).initial_connection_window_size(WINDOW_BYTES);
    let (sender, session) = builder.handshake(stream).await.map_err(|error| trouble_of(&error))?;
    let mut session = pin!(session);
    let mut dialogue = pin!(dialogue(sender, request, on_head, on_body));
    let mut is_open = true;
    poll_fn(|cx| {
        // What the session has to say of its end the dialogue hears.
        is_open = is_open && session.as_mut().poll(cx).is_pending();
        dialogue.as_mut().poll(cx)
    })
    .await
}

async fn dialogue(
    sender: SendRequest<Bytes>,
    request: Request<Option<Bytes>>,
    on_head: impl FnOnce(&Response<()>) -> Result<(), Trouble>,
    on_body: impl FnMut(&[u8]) -> Result<(), Trouble>,
) -> Result<HeaderMap, Trouble> {
    let trouble = |error: h2::Error| trouble_of(&error);
    let mut sender = sender.ready().await.map_err(trouble)?;
    let (parts, body) = request.into_parts();
    let (response, mut stream) =
        sender.send_request(Request::from_parts(parts, ()), body.is_none()).map_err(trouble)?;
    if let Some(body) = body {
        stream.send_data(body, true).map_err(trouble)?;
    }
    let (head, body) = response.await.map_err(trouble)?.into_parts();
    on_head(&Response::from_parts(head, ()))?;
    read(body, on_body).await
}

async fn read(
    mut body: RecvStream,
    mut on_body: impl FnMut(&[u8]) -> Result<(), Trouble>,
) -> Result<HeaderMap, Trouble> {
    let trouble = |error: h2::Error| trouble_of(&error);
    while let Some(part) = body.data().await {
        let part = part.map_err(trouble)?;
        on_body(&part)?;
        body.flow_control().release_capacity(part.len()).map_err(trouble)?;
    }
    Ok(body.trailers().await.map_err(trouble)?.unwrap_or_default())
}

/// What went wrong in a session, in an operator's words.
fn trouble_of(error: &h2::Error) -> Trouble {
    if let Some(error) = error.get_io() {
        return match error.kind() {
            std::io::ErrorKind::UnexpectedEof | std::io::ErrorKind::BrokenPipe => {
                Trouble::server("the connection was closed without a response")
            }
            _ => tls::trouble_of(error),
        };
    }
    let reason = error.reason().map_or_else(|| error.to_string(), |reason| reason.description().to_owned());
    if error.is_remote() && error.is_reset() {
        Trouble::server(format!("the server resets the request: {reason}"))
    } else if error.is_remote() {
        Trouble::server(format!("the server ends the HTTP/2 session: {reason}"))
    } else {
        Trouble::server(format!("the server does not speak HTTP/2 as it should: {reason}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_path_can_be_asked_for() {
        let target = SocketAddr::from(([192, 0, 2, 1], 80));
        let asked = |path: &str| uri(false, None, target, path).map(|uri| uri.to_string());
        assert_eq!(asked("/a-b/c?d=%20&e"), Ok("http://192.0.2.1:80/a-b/c?d=%20&e".into()));
        assert_eq!(asked("health"), Ok("http://192.0.2.1:80/health".into()));
        assert_eq!(asked("/ü <>?^`"), Ok("http://192.0.2.1:80/%C3%BC%20%3C%3E?%5E%60".into()));
        for byte in 0..=0x7f {
            let path = format!("/{}?{}", char::from(byte), char::from(byte));
            assert!(asked(&path).is_ok(), "{path:?}");
        }
    }
}
