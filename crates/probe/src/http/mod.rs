//! `HTTP_GET` and `SSL_GET`: pages over HTTP/1, and over HTTP/2 where that is wanted.

mod body;
mod fetch;
mod head;

use std::net::SocketAddr;

use ::http::header::USER_AGENT;
use model::lvs::{HttpCheck, HttpVersion, Request};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::time::timeout;

use crate::dial;
use crate::trouble::Trouble;
use crate::{Prober, http2, tls};

use body::Judge;
pub use fetch::{Fetch, Page, Verbatim};
pub(crate) use head::Head;

/// What a server may say before the body.
const MAX_HEAD_BYTES: usize = 64 * 1024;
const BUFFER_BYTES: usize = 4 * 1024;
/// At once, of a body.
const READ_BYTES: usize = 16 * 1024;

/// Asks for each page, in order, each over a connection of its own. Tells what an operator should know all the same.
pub(crate) async fn ask(prober: &Prober, check: &HttpCheck) -> Result<Option<Box<str>>, Trouble> {
    let mut warning = None;
    for request in &check.requests {
        let told = page(prober, check, request).await;
        let told = told.map_err(|trouble| about(trouble, request, check.requests.len()))?;
        warning = warning.or(told);
    }
    Ok(warning)
}

async fn page(prober: &Prober, check: &HttpCheck, request: &Request) -> Result<Option<Box<str>>, Trouble> {
    let target = dial::target(&check.connection)?;
    let pattern = request.regex.as_ref().map(|regex| prober.pattern(regex)).transpose()?;
    let exchange = Exchange { check, request, target, judge: Judge::new(request, pattern) };
    let stream = dial::tcp(&check.connection).await?;
    let Some(options) = &check.tls else {
        let mut stream = stream;
        exchange.run(&mut stream).await?;
        return Ok(None);
    };
    let host = request.host.as_deref();
    let protocol = if check.http2 { tls::Protocol::Http2 } else { tls::Protocol::Any };
    let session = tls::Session { connection: &check.connection, options, host, protocol };
    let (mut stream, warning) = session.begin(prober, stream).await?;
    exchange.run(&mut stream).await?;
    if request.tls_compliant {
        // Said as politeness: the verdict stands.
        timeout(check.connection.timeout, stream.shutdown()).await.ok();
    }
    Ok(warning)
}

/// A request and its response.
struct Exchange<'a> {
    check: &'a HttpCheck,
    request: &'a Request,
    target: SocketAddr,
    judge: Judge<'a>,
}

impl Exchange<'_> {
    async fn run(mut self, stream: &mut (impl AsyncRead + AsyncWrite + Unpin)) -> Result<(), Trouble> {
        let limit = self.check.connection.timeout;
        let dialogue = async {
            if self.check.http2 { self.speak_http2(stream).await } else { self.speak_http1(stream).await }
        };
        dial::within(limit, dialogue, "no complete response in time").await?;
        self.judge.finish()
    }

    async fn speak_http1(
        &mut self,
        stream: &mut (impl AsyncRead + AsyncWrite + Unpin),
    ) -> Result<(), Trouble> {
        let Self { check, request, target, judge } = self;
        let text = request_text(check.version, &request.path, request.host.as_deref(), *target);
        send(stream, &text).await.map_err(|error| Trouble::underway(&error, &check.connection))?;
        let mut response = Response::new(stream);
        let head = response.head().await?;
        judge_status(request, head.status)?;
        response.body(head, |bytes| judge.feed(bytes)).await
    }

    async fn speak_http2(
        &mut self,
        stream: &mut (impl AsyncRead + AsyncWrite + Unpin),
    ) -> Result<(), Trouble> {
        let Self { check, request, target, judge } = self;
        let uri = http2::uri(check.tls.is_some(), request.host.as_deref(), *target, &request.path)?;
        let asked = ::http::Request::get(uri).header(USER_AGENT, "KeepAliveClient").body(None);
        let asked = asked.map_err(|error| Trouble::here(error.to_string()))?;
        let on_head = |response: &::http::Response<()>| judge_status(request, response.status().as_u16());
        http2::ask(stream, asked, on_head, |bytes| judge.feed(bytes)).await.map(drop)
    }
}

fn judge_status(request: &Request, status: u16) -> Result<(), Trouble> {
    if request.status.contains(status) {
        return Ok(());
    }
    Err(Trouble::server(format!("the status is {status}")))
}

async fn send(stream: &mut (impl AsyncWrite + Unpin), text: &str) -> std::io::Result<()> {
    stream.write_all(text.as_bytes()).await?;
    stream.flush().await
}

/// A response as it arrives.
pub(crate) struct Response<'a, S> {
    stream: &'a mut S,
    /// What was received and not handed on.
    buffer: Vec<u8>,
}

impl<'a, S: AsyncRead + Unpin> Response<'a, S> {
    pub(crate) fn new(stream: &'a mut S) -> Self {
        Self { stream, buffer: Vec::with_capacity(BUFFER_BYTES) }
    }

    /// Reads on until the head is there.
    pub(crate) async fn head(&mut self) -> Result<Head, Trouble> {
        self.head_with(|_| ()).await
    }

    /// As [`Self::head`], and shows its bytes. What a server says before its response (RFC 9110 §15.2) is passed over.
    pub(crate) async fn head_with(&mut self, show: impl FnOnce(&[u8])) -> Result<Head, Trouble> {
        loop {
            let bytes = self.head_bytes().await?;
            let head = head::parse(&bytes).map_err(|error| Trouble::server(error.to_string()))?;
            if !head.is_interim() {
                show(&bytes);
                return Ok(head);
            }
        }
    }

    /// Up to the next empty line.
    async fn head_bytes(&mut self) -> Result<Vec<u8>, Trouble> {
        let mut searched = 0;
        let end = loop {
            let unsearched = self.buffer.get(searched..).unwrap_or_default();
            if let Some(end) = head::end(unsearched) {
                break searched + end;
            }
            searched = self.buffer.len().saturating_sub(3);
            if self.buffer.len() >= MAX_HEAD_BYTES {
                return Err(Trouble::server(head::Malformed::Endless.to_string()));
            }
            if self.read().await? == 0 {
                return Err(Trouble::server(if self.buffer.is_empty() {
                    "the connection was closed without a response".to_owned()
                } else {
                    head::Malformed::Endless.to_string()
                }));
            }
        };
        Ok(self.buffer.drain(..end).collect())
    }

    /// Hands the body on, as raw as it is sent, up to the length that the head gives it or the end of the connection.
    pub(crate) async fn body(
        &mut self,
        head: Head,
        mut hand_on: impl FnMut(&[u8]) -> Result<(), Trouble>,
    ) -> Result<(), Trouble> {
        let mut left = head.body_bytes;
        loop {
            let length = self.buffer.len();
            let wanted = left.map_or(length, |left| usize::try_from(left).unwrap_or(usize::MAX).min(length));
            hand_on(self.buffer.get(..wanted).unwrap_or_default())?;
            self.buffer.clear();
            left = left.map(|left| left.saturating_sub(u64::try_from(wanted).unwrap_or(u64::MAX)));
            if left == Some(0) || self.read().await? == 0 {
                return Ok(());
            }
        }
    }

    async fn read(&mut self) -> Result<usize, Trouble> {
        if self.buffer.capacity() - self.buffer.len() < BUFFER_BYTES / 4 {
            self.buffer.reserve(READ_BYTES);
        }
        match self.stream.read_buf(&mut self.buffer).await {
            Ok(length) => Ok(length),
            // Many servers end a TLS session by closing the connection, without saying so first.
            Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => Ok(0),
            Err(error) => Err(tls::trouble_of(&error)),
        }
    }
}

/// What is sent: as keepalived sends it, since logs and filters of servers know these lines.
pub(crate) fn request_text(
    version: HttpVersion,
    path: &str,
    host: Option<&str>,
    target: SocketAddr,
) -> String {
    let (number, close) = match version {
        HttpVersion::V10 => ("1.0", ""),
        HttpVersion::V10Close | HttpVersion::V10CloseShort => ("1.0", "Connection: close\r\n"),
        HttpVersion::V11 => ("1.1", "Connection: close\r\n"),
    };
    let host = host.map_or_else(|| target.to_string(), str::to_owned);
    format!("GET {path} HTTP/{number}\r\nUser-Agent: KeepAliveClient\r\n{close}Host: {host}\r\n\r\n")
}

/// Says of which page, if there are several.
fn about(trouble: Trouble, request: &Request, pages: usize) -> Trouble {
    match trouble {
        Trouble::Server(reason) if pages > 1 => Trouble::server(format!("{}: {reason}", request.path)),
        other => other,
    }
}
