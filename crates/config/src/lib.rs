//! The language of `keepalived.conf`: text in, [`model::Config`] and diagnostics out.
//!
//! The crate touches no file, no kernel and no clock. Files reach it through a [`SourceProvider`]; whether an interface
//! exists is an event of later, not a question of the language.
//!
//! ```text
//!  path ── SourceProvider ──> source        bytes, line starts
//!                               │
//!                           preprocess      comments off; include, @id, $VAR and ~SEQ carried out
//!                               │ passages, which know where they came from
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
//! # use steadfast_config as config;
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
//!
//! assert!(loaded.is_usable(), "an unknown keyword is a warning");
//! let typo = loaded.diagnostics.iter().find(|d| d.code == config::Code::UnknownKeyword).unwrap();
//! let line = config::render::line(typo, &loaded.sources);
//! assert_eq!(line, "a.conf:4:5: warning[SF0301]: unknown keyword `virtual_ipaddres` in `vrrp_instance`");
//! assert_eq!(typo.help.as_deref(), Some("did you mean `virtual_ipaddress`?"));
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

mod check;
pub mod cluster;
mod diagnostic;
pub mod explain;
mod format;
pub mod keyword;
mod lexer;
pub mod lint;
mod lower;
pub mod manual;
mod number;
mod outline;
mod preprocess;
mod secret;
pub mod source;
mod tree;

use std::collections::BTreeMap;
use std::io;

use model::vrrp::{Command, RunAs};

pub use diagnostic::{Code, Diagnostic, Example, Severity, render};
pub use format::{Unbalanced, format};
pub use lower::{HostName, Lack};
pub use outline::{Line, Outline};
pub use preprocess::Limits;
pub use source::{SourceId, SourceMap, Span, Step};

/// Where the text of a configuration comes from: files in the daemon, a map in tests.
pub trait SourceProvider {
    /// The content of the file at `path`.
    ///
    /// # Errors
    /// Whatever the file system says; it becomes a diagnostic.
    fn read(&self, path: &str) -> io::Result<Vec<u8>>;

    /// What stands at `path`, links followed. Nothing but [`FileKind::Regular`] is included.
    ///
    /// # Errors
    /// Whatever the file system says; [`io::ErrorKind::NotFound`] if there is nothing.
    fn kind(&self, path: &str) -> io::Result<FileKind> {
        self.read(path).map(|_| FileKind::Regular)
    }

    /// What tells the file at `path` from every other one, however it is called: a file that is being read is not
    /// included again. It means nothing else.
    fn identity(&self, path: &str) -> String {
        preprocess::normalised(path)
    }

    /// The names in a directory, in any order. Without them, wildcards match nothing.
    ///
    /// # Errors
    /// Whatever the file system says.
    fn names(&self, directory: &str) -> io::Result<Vec<String>> {
        let _ = directory;
        Err(io::ErrorKind::Unsupported.into())
    }

    /// The value of a variable of the environment, for `${_ENV NAME}`.
    fn variable(&self, name: &str) -> Option<String> {
        let _ = name;
        None
    }
}

/// What stands at a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileKind {
    /// A regular file that nobody may execute.
    Regular,
    /// A regular file that somebody may execute.
    Executable,
    /// A directory.
    Directory,
    /// A device, pipe or socket.
    Other,
}

/// How files are to be read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// Which conditional lines count, from `-i` or the name of the host up to its first dot. Also `${_INSTANCE}`.
    pub config_id: String,
    /// All checks of `include` are on from the start, from `-e`.
    pub all_include_checks: bool,
    /// What `${_RANDOM}` draws from; the same seed gives the same numbers.
    pub random_seed: u64,
    /// How much may be read and made.
    pub limits: Limits,
}

/// What [`load`] made of a file.
#[derive(Clone, Debug)]
#[must_use]
pub struct Loaded {
    /// What the text means. Complete only if [`Self::is_usable`].
    pub config: model::Config,
    /// Everything there is to say about the text, in file order.
    pub diagnostics: Vec<Diagnostic>,
    /// The interfaces that the text names, in file order. Empty with `dynamic_interfaces`: then none need exist.
    pub interfaces: Vec<(model::IfName, Span)>,
    /// The names of tables, scopes and the like that only the host can look up, in file order.
    pub names: Vec<HostName>,
    /// The scripts that the text names and that a daemon would run, in file order.
    pub scripts: Vec<Script>,
    /// The users that `user` and `script_user` name, in file order.
    pub users: Vec<(RunAs, Span)>,
    /// The text, for showing diagnostics.
    pub sources: SourceMap,
    /// What stands in the text and has no effect yet, in order of names.
    pub unbuilt: Vec<Lack>,
    /// Where the text of its first file begins.
    pub start: Span,
    /// Where everything stands, if [`load_outlined`] was called.
    pub outline: Outline,
    /// The text of all files as one, directives carried out, if `config_save_dir` asks for it. Passwords are in it.
    pub combined: Option<String>,
}

/// A script that the text names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Script {
    /// What is run, and with whose rights.
    pub command: Command,
    /// The user stands behind the command, on its line.
    pub names_user: bool,
    /// The block that it stands in.
    pub block: keyword::Block,
    /// The keyword that it follows.
    pub keyword: &'static str,
    /// Where it stands.
    pub span: Span,
}

impl Loaded {
    /// Whether a daemon may run with it: no diagnostic is an error.
    #[must_use]
    pub fn is_usable(&self) -> bool {
        self.worst() < Some(Severity::Error)
    }

    /// Judges the file by the language alone: what this release does not act on yet is only noted.
    pub fn judge_language(&mut self) {
        let is_missing = |diagnostic: &&mut Diagnostic| diagnostic.code.is_not_built();
        for diagnostic in self.diagnostics.iter_mut().filter(is_missing) {
            diagnostic.severity = Severity::Note;
        }
    }

    /// The greatest severity among the diagnostics.
    #[must_use]
    pub fn worst(&self) -> Option<Severity> {
        self.diagnostics.iter().map(|diagnostic| diagnostic.severity).max()
    }
}

/// Reads the file at `path` and all that it asks for, as a host without a name.
pub fn load(provider: &dyn SourceProvider, path: &str) -> Loaded {
    load_with(provider, path, &Options::default())
}

/// Reads the files that `path` stands for, which may be a pattern, and all that they ask for.
pub fn load_with(provider: &dyn SourceProvider, path: &str, options: &Options) -> Loaded {
    read(provider, path, options, SourceMap::default(), Outlined::No)
}

/// As [`load_with`], for further checks: with an outline, and with the text of `sources` before its own, so that one
/// map can show findings in the files of several hosts.
pub fn load_outlined(
    provider: &dyn SourceProvider,
    path: &str,
    options: &Options,
    sources: SourceMap,
) -> Loaded {
    read(provider, path, options, sources, Outlined::Yes)
}

/// Whether an outline is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outlined {
    Yes,
    No,
}

fn read(
    provider: &dyn SourceProvider,
    path: &str,
    options: &Options,
    mut sources: SourceMap,
    outlined: Outlined,
) -> Loaded {
    let mut report = lower::Report::default();
    let start = sources.next_start();
    let prepared = preprocess::run(provider, path, options, &mut sources, &mut report.diagnostics);
    let passages = preprocess::passages(&sources, &prepared);
    let mut outline = (outlined == Outlined::Yes).then(outline::Builder::new);
    let mut tree = tree::parse(passages);
    let config = lower::lower(&mut tree, &mut report, |nodes| {
        outline.iter_mut().for_each(|outline| nodes.iter().for_each(|node| outline.add(node)));
    });
    let outline = outline.map(outline::Builder::finish).unwrap_or_default();
    let is_kept = config.global.files.save_directory.is_some();
    let combined = is_kept.then(|| preprocess::combined(preprocess::passages(&sources, &prepared), &sources));
    let misplaced = tree.take_consequences();
    report.diagnostics.absorb(tree.into_findings());
    let lower::Report {
        diagnostics,
        secrets,
        made_secrets,
        interfaces,
        mut names,
        scripts,
        users,
        lacking,
        ..
    } = report;
    let mut diagnostics = diagnostics.into_vec();
    drop_misplaced(&mut diagnostics, &misplaced);
    diagnostics.sort_by_key(|diagnostic| diagnostic.primary);
    for secret in secrets {
        sources.hide(secret);
    }
    secret::mask(&mut diagnostics, &sources, &made_secrets);
    let mut interfaces: Vec<_> =
        interfaces.into_iter().map(|interface| (interface.value, interface.span)).collect();
    interfaces.sort_by_key(|(_, span)| *span);
    names.sort_by_key(|name| name.span);
    let script_user = &config.global.script_user;
    let mut scripts: Vec<_> = scripts.into_iter().map(|script| script.resolve(script_user)).collect();
    scripts.sort_by_key(|script| script.span);
    let users = users.into_iter().map(|user| (user.value, user.span)).collect();
    Loaded {
        config,
        diagnostics,
        interfaces,
        names,
        scripts,
        users,
        sources,
        unbuilt: lacking,
        start,
        outline,
        combined,
    }
}

/// Where a closing brace is missing, nothing is wrong with the words of the lines behind it.
fn drop_misplaced(diagnostics: &mut Vec<Diagnostic>, lines: &[Span]) {
    if lines.is_empty() {
        return;
    }
    let ends: BTreeMap<_, _> = lines.iter().map(|line| ((line.source, line.start()), line.end())).collect();
    let is_misplaced = |span: Span| {
        let last = ends.range(..=(span.source, span.start())).next_back();
        last.is_some_and(|(&(source, _), &end)| source == span.source && span.end() <= end)
    };
    diagnostics.retain(|diagnostic| {
        let is_about_words = diagnostic.code >= Code::UnknownKeyword && diagnostic.severity < Severity::Error;
        !is_about_words || !is_misplaced(diagnostic.primary)
    });
}
