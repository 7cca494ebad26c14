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
//! use model::lvs::{Check, Connection};
//! use steadfast_probe::{Outcome, Prober};
//!
//! let prober = Prober::new(None);
//! let port = std::num::NonZeroU16::new(1);
//! let timeout = Duration::from_secs(1);
//! let connection = Connection { address: [127, 0, 0, 1].into(), port, timeout, mark: 0, local: None };
//! let answer = prober.ask(&Check::Tcp(connection)).await;
//! assert!(!matches!(answer.outcome, Outcome::Passed), "nobody listens on port 1");
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

use std::time::{Duration, Instant};

use model::lvs::{Check, Tls};

/// Asks servers. One for all checks of a process: what their dialogues need is made once and shared.
#[derive(Debug, Default)]
pub struct Prober {
    _tls: Option<Tls>,
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

/// The verdict on a server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It is as it should be.
    Passed,
    /// It is not, for this reason.
    Failed(Box<str>),
    /// Nothing can be said of it, since the question could not be asked, for this reason of our own host's.
    Unknown(Box<str>),
}

impl Prober {
    /// A prober whose `SSL_GET` shows and trusts what `tls` says (the block `SSL`).
    #[must_use]
    pub fn new(tls: Option<&Tls>) -> Self {
        Self { _tls: tls.cloned() }
    }

    /// Asks a server once. Ends within the check's time-out and a little.
    ///
    /// `MISC_CHECK` is not a dialogue: its outcome is [`Outcome::Unknown`] here.
    pub async fn ask(&self, check: &Check) -> Answer {
        let begun = Instant::now();
        let outcome = match check {
            Check::Tcp(_)
            | Check::Http(_)
            | Check::Smtp(_)
            | Check::Dns(_)
            | Check::Ping(_)
            | Check::Udp(_)
            | Check::Misc(_) => Outcome::Unknown("this check is not built yet".into()),
        };
        Answer { outcome, took: begun.elapsed(), warning: None }
    }
}
