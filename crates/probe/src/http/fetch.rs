//! A page for somebody who wants to know what a check would see (`genhash`).

use std::time::{Duration, Instant};

use md5::{Digest as _, Md5};
use model::lvs::{Connection, HttpVersion, TlsOptions};
use tokio::io::{AsyncRead, AsyncWrite};

use super::body::hex;
use super::{Response, request_text, send};
use crate::trouble::Trouble;
use crate::{Prober, dial, tls};

/// More of a body is not shown.
const MAX_SHOWN_BYTES: usize = 64 * 1024;

/// What to fetch.
#[derive(Clone, Debug)]
pub struct Fetch {
    /// From where.
    pub connection: Connection,
    /// Over TLS, if at all.
    pub tls: Option<TlsOptions>,
    /// How the request is worded.
    pub version: HttpVersion,
    /// The page.
    pub path: String,
    /// The `Host` line; the address and port if `None`.
    pub host: Option<String>,
    /// What is received is wanted too.
    pub verbatim: bool,
}

/// A page as a check sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// The status code.
    pub status: u16,
    /// The MD5 digest of the body, as digits: what `digest` takes.
    pub digest: String,
    /// How long the body is.
    pub body_bytes: u64,
    /// How long it took, from the first packet to the last byte.
    pub took: Duration,
    /// What was received, if that was wanted.
    pub verbatim: Option<Verbatim>,
}

/// What was received.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verbatim {
    /// The status line and the header, with the empty line behind it.
    pub head: Vec<u8>,
    /// The body, or the first 64 KiB of it.
    pub body: Vec<u8>,
    /// There is more of it.
    pub cut: bool,
}

impl Prober {
    /// Fetches a page, whatever its status.
    ///
    /// # Errors
    /// It could not be had, for this reason.
    pub async fn fetch(&self, fetch: &Fetch) -> Result<Page, Box<str>> {
        self.fetched(fetch).await.map_err(|trouble| trouble.to_string().into())
    }

    async fn fetched(&self, fetch: &Fetch) -> Result<Page, Trouble> {
        let begun = Instant::now();
        let host = fetch.host.as_deref();
        let request = request_text(fetch.version, &fetch.path, host, dial::target(&fetch.connection)?);
        let mut stream = dial::tcp(&fetch.connection).await?;
        let page = if let Some(options) = &fetch.tls {
            let session =
                tls::Session { connection: &fetch.connection, options, host, protocol: tls::Protocol::Any };
            let (mut stream, _) = session.begin(self, stream).await?;
            within(fetch, page(&mut stream, &request, fetch)).await?
        } else {
            within(fetch, page(&mut stream, &request, fetch)).await?
        };
        Ok(Page { took: begun.elapsed(), ..page })
    }
}

async fn within(fetch: &Fetch, step: impl Future<Output = Result<Page, Trouble>>) -> Result<Page, Trouble> {
    dial::within(fetch.connection.timeout, step, "no complete response in time").await
}

async fn page(
    stream: &mut (impl AsyncRead + AsyncWrite + Unpin),
    request: &str,
    fetch: &Fetch,
) -> Result<Page, Trouble> {
    send(stream, request).await.map_err(|error| Trouble::underway(&error, &fetch.connection))?;
    let mut response = Response::new(stream);
    let mut seen = Verbatim::default();
    let head = response.head_with(|bytes| seen.head = bytes.to_vec()).await?;
    let (mut md5, mut body_bytes) = (Md5::new(), 0_u64);
    let see = |bytes: &[u8]| {
        md5.update(bytes);
        body_bytes = body_bytes.saturating_add(u64::try_from(bytes.len()).unwrap_or(u64::MAX));
        let room = MAX_SHOWN_BYTES.saturating_sub(seen.body.len());
        let shown = bytes.get(..room).unwrap_or(bytes);
        seen.cut |= shown.len() < bytes.len();
        seen.body.extend_from_slice(shown);
        Ok(())
    };
    response.body(head, see).await?;
    let verbatim = fetch.verbatim.then_some(seen);
    let digest = hex(&md5.finalize());
    Ok(Page { status: head.status, digest, body_bytes, took: Duration::ZERO, verbatim })
}
