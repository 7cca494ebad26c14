//! The language of `keepalived.conf`: text in, [`model::Config`] and diagnostics out.
//!
//! The crate touches no file, no kernel and no clock. Files reach it through a [`SourceProvider`]; whether an interface
//! exists is an event of later, not a question of the language.
//!
//! ```text
//!  path ── SourceProvider ──> source        bytes, line starts
//!                               │
//!                           preprocess      comments off; include, @id, $VAR and ~SEQ have their place here
//!                               │ lines, each knowing where it came from
//!                             lexer         words, braces
//!                               │
//!                             tree          keyword, arguments, block: what was typed
//!                               │
//!               keyword ──>   lower         one file per block: what is meant, defaults applied
//!             (the table)       │
//!                             check         rules between blocks
//!                               │
//!                 model::Config + Vec<Diagnostic> ──> diagnostic::render
//! ```
//!
//! No stage stops at an error: one pass reports everything that is wrong with a file. A [`Severity::Error`] makes the
//! configuration unusable; a [`Severity::Warning`] is something that a configuration test fails on and a daemon
//! survives, as with keepalived.
//!
//! ```
//! use std::collections::HashMap;
//! use std::io;
//!
//! struct Memory(HashMap<&'static str, &'static str>);
//!
//! impl config::SourceProvider for Memory {
//!     fn read(&self, path: &str) -> io::Result<Vec<u8>> {
//!         self.0.get(path).map(|text| text.as_bytes().to_vec()).ok_or(io::ErrorKind::NotFound.into())
//!     }
//! }
//!
//! let text = "vrrp_instance web {
//!     interface eth0
//!     virtual_router_id 51
//!     virtual_ipaddres { 192.0.2.10/24 }
//! }";
//! let loaded = config::load(&Memory(HashMap::from([("a.conf", text)])), "a.conf");
//! let lines: Vec<_> =
//!     loaded.diagnostics.iter().map(|d| config::render::line(d, &loaded.sources)).collect();
//! assert_eq!(lines[0], "a.conf:4:5: warning[SF0301]: unknown keyword `virtual_ipaddres` in a `vrrp_instance` block");
//! ```
#![warn(missing_docs)]
#![cfg_attr(
    not(test),
    deny(
        clippy::as_conversions,
        clippy::cast_lossless,
        clippy::disallowed_methods,
        clippy::expect_used,
        clippy::float_arithmetic,
        clippy::indexing_slicing,
        clippy::iter_over_hash_type,
        clippy::panic,
        clippy::unreachable,
        clippy::unwrap_used,
        clippy::wildcard_enum_match_arm
    )
)]

mod diagnostic;
pub mod source;

use std::io;

pub use diagnostic::{Code, Diagnostic, Severity, render};
pub use source::{SourceMap, Span};

/// Where the text of a configuration comes from: files in the daemon, a map in tests.
pub trait SourceProvider {
    /// The content of the file at `path`.
    ///
    /// # Errors
    /// Whatever the file system says; it becomes a diagnostic.
    fn read(&self, path: &str) -> io::Result<Vec<u8>>;
}

/// What [`load`] made of a file.
#[derive(Clone, Debug)]
#[must_use]
pub struct Loaded {
    /// What the text means. Complete only if [`Self::is_usable`].
    pub config: model::Config,
    /// Everything there is to say about the text, in file order.
    pub diagnostics: Vec<Diagnostic>,
    /// The text, for showing diagnostics.
    pub sources: SourceMap,
}

impl Loaded {
    /// Whether a daemon may run with it: no diagnostic is an error.
    #[must_use]
    pub fn is_usable(&self) -> bool {
        self.worst() < Some(Severity::Error)
    }

    /// The greatest severity among the diagnostics.
    #[must_use]
    pub fn worst(&self) -> Option<Severity> {
        self.diagnostics.iter().map(|diagnostic| diagnostic.severity).max()
    }
}

/// Reads the file at `path` and all that it asks for.
pub fn load(provider: &dyn SourceProvider, path: &str) -> Loaded {
    let mut sources = SourceMap::default();
    let mut diagnostics = Vec::new();
    let bytes = provider.read(path).unwrap_or_else(|error| {
        let span = Span::new(sources.add(path, b""), 0..0);
        diagnostics.push(Diagnostic::error(
            Code::UnreadableFile,
            span,
            format!("cannot read `{path}`: {error}"),
        ));
        Vec::new()
    });
    sources.add(path, &bytes);
    Loaded { config: model::Config::default(), diagnostics, sources }
}
