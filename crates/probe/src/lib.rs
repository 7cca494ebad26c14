//! The dialogues of health checks.
//!
//! A [`Prober`] asks a server what a [`Check`] says, once, and tells what it found: an [`Outcome`]. When to ask, how often
//! to try again, and what follows is not its concern. It runs on tokio, blocks on nothing, keeps to the check's
//! time-out by itself, and believes nothing that a server says.
//!
//! ```
//! # let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
//! # runtime.block_on(async {
//! use std::time::Duration;
//!
//! use model::lvs::{Check, Connection, Outcome};
//! use steadfast_probe::Prober;
//!
//! let prober = Prober::new(None);
//! let port = std::num::NonZeroU16::new(1);
//! let timeout = Duration::from_secs(1);
//! let connection = Connection { address: [127, 0, 0, 1].into(), port, timeout, mark: 0, local: None };
//! let answer = prober.ask(&Check::Tcp(connection)).await;
//! assert!(matches!(answer.outcome, Outcome::Failed(_)), "nobody listens on port 1");
//! # });
//! # Ok::<(), std::io::Error>(())
//! ```
#![warn(missing_docs)]
#![cfg_attr(
    not(test),
    deny(
        clippy::as_conversions,
        clippy::expect_used,
        clippy::indexing_slicing,
        clippy::panic,
        clippy::unreachable,
        clippy::unwrap_used
    )
)]

mod dial;
mod dns;
mod grpc;
mod http;
mod http2;
mod ping;
mod smtp;
mod tls;
mod trouble;
mod udp;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use model::lvs::{Check, Outcome, Regex, RegexOptions, Tls};
use rustls::ClientConfig;
use sys::regex::Pattern;

pub use http::{Fetch, Page, Verbatim};
use tls::{Credentials, Kind};
use trouble::Trouble;

/// More patterns than a configuration has are kept by nobody.
const MAX_PATTERNS: usize = 4096;

/// Asks servers. One for all checks of a process: what their dialogues need is made once and shared.
#[derive(Debug)]
pub struct Prober {
    credentials: Credentials,
    configs: Mutex<HashMap<Kind, Arc<ClientConfig>>>,
    patterns: Mutex<HashMap<PatternKey, Arc<Pattern>>>,
}

/// What came of asking.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The verdict.
    pub outcome: Outcome,
    /// How long it took.
    pub took: Duration,
    /// What an operator should know although the check passed: a certificate that ends soon.
    pub warning: Option<Box<str>>,
}

impl Prober {
    /// A prober whose checks over TLS show and trust what `tls` says (the block `SSL`). Files are read when a check first needs
    /// them, and then remembered.
    #[must_use]
    pub fn new(tls: Option<&Tls>) -> Self {
        Self { credentials: Credentials::new(tls), configs: Mutex::default(), patterns: Mutex::default() }
    }

    /// Asks a server once. Each step ends within the check's time-out: connecting, the TLS handshake, and request and
    /// response.
    ///
    /// `MISC_CHECK` is not a dialogue: its outcome is [`Outcome::Unknown`] here.
    pub async fn ask(&self, check: &Check) -> Answer {
        let begun = Instant::now();
        let result = match check {
            Check::Tcp(connection) => dial::knock(connection).await.map(|()| None),
            Check::Http(check) => http::ask(self, check).await,
            Check::Smtp(check) => smtp::ask(check).await.map(|()| None),
            Check::Dns(check) => dns::ask(check).await.map(|()| None),
            Check::Ping(connection) => ping::ask(connection).await.map(|()| None),
            Check::Udp(check) => udp::ask(check).await.map(|()| None),
            Check::Grpc(check) => grpc::ask(self, check).await,
            Check::Misc(_) => Err(Trouble::here("a program is not asked by dialogue")),
        };
        let took = begun.elapsed();
        match result {
            Ok(warning) => Answer { outcome: Outcome::Passed, took, warning },
            Err(trouble) => Answer { outcome: trouble.into_outcome(), took, warning: None },
        }
    }

    /// A pattern, compiled once.
    fn pattern(&self, regex: &Regex) -> Result<Arc<Pattern>, Trouble> {
        let mut patterns = self.patterns.lock().unwrap_or_else(PoisonError::into_inner);
        let key = PatternKey { text: regex.pattern.clone(), options: regex.options, stack: regex.stack };
        if let Some(pattern) = patterns.get(&key) {
            return Ok(Arc::clone(pattern));
        }
        let pattern = Pattern::new(&regex.pattern, regex.options, regex.stack);
        let pattern = pattern.map_err(|error| Trouble::here(format!("the pattern is none: {error}")))?;
        if patterns.len() >= MAX_PATTERNS {
            patterns.clear();
        }
        let pattern = Arc::new(pattern);
        patterns.insert(key, Arc::clone(&pattern));
        Ok(pattern)
    }
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct PatternKey {
    text: Box<str>,
    options: RegexOptions,
    stack: Option<(u64, u64)>,
}
