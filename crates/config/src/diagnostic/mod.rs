//! What is wrong with a configuration, as data. [`render`] makes text of it.

mod classic;
mod code;
mod findings;
mod json;
pub mod render;

pub use code::{Code, Example};
pub(crate) use findings::Findings;

use crate::source::Span;

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Advice. A configuration test still passes.
    Note,
    /// Reported, and the daemon runs. A configuration test fails, as with keepalived.
    Warning,
    /// The daemon refuses the configuration.
    Error,
}

impl Severity {
    /// `error`, `warning` or `note`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Note => "note",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

/// One finding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// Which kind of finding; stable across releases.
    pub code: Code,
    /// How bad it is.
    pub severity: Severity,
    /// What is wrong, in one sentence without a full stop.
    pub headline: String,
    /// Where.
    pub primary: Span,
    /// Other places that belong to it, with a remark each. A remark at `primary` itself is allowed.
    pub labels: Vec<(Span, String)>,
    /// What to write instead, or what happens now.
    pub help: Option<String>,
    /// The sentence that keepalived logs for it, where operators and their tools know one.
    pub classic: Option<String>,
    /// How often more it was found in the same place, for other values of the parameters there.
    pub again: usize,
}

impl Diagnostic {
    /// A finding without remarks and help.
    pub fn new(severity: Severity, code: Code, primary: Span, headline: impl Into<String>) -> Self {
        Self {
            code,
            severity,
            headline: headline.into(),
            primary,
            labels: Vec::new(),
            help: None,
            classic: None,
            again: 0,
        }
    }

    pub(crate) fn error(code: Code, primary: Span, headline: impl Into<String>) -> Self {
        Self::new(Severity::Error, code, primary, headline)
    }

    pub(crate) fn warning(code: Code, primary: Span, headline: impl Into<String>) -> Self {
        Self::new(Severity::Warning, code, primary, headline)
    }

    pub(crate) fn note(code: Code, primary: Span, headline: impl Into<String>) -> Self {
        Self::new(Severity::Note, code, primary, headline)
    }

    pub(crate) fn label(mut self, span: Span, remark: impl Into<String>) -> Self {
        self.labels.push((span, remark.into()));
        self
    }

    /// With the sentence that keepalived logs.
    pub(crate) fn classic(mut self, sentence: impl Into<String>) -> Self {
        self.classic = Some(sentence.into());
        self
    }

    pub(crate) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

/// The finding that a comment begins inside the word at `place`.
pub(crate) fn cut_by_comment(place: Span, headline: impl Into<String>) -> Diagnostic {
    Diagnostic::note(Code::CutByComment, place, headline)
        .help("put the value in double quotes, or a blank before the comment")
}

/// Whether the sign of a comment could have been meant as part of `word`: it is no number and no address.
pub(crate) fn may_hold_signs(word: &str) -> bool {
    !word.contains(':') && !word.starts_with(|c: char| c.is_ascii_digit() || matches!(c, '+' | '-' | '.'))
}

/// A word of the file as it may stand in a message: in backquotes, without control characters, not endless.
pub(crate) fn shown(word: &str) -> String {
    format!("`{}`", shown_bare(word))
}

/// The same without the backquotes.
pub(crate) fn shown_bare(word: &str) -> String {
    const LONGEST: usize = 60;
    let visible = |c: char| if c.is_control() { char::REPLACEMENT_CHARACTER } else { c };
    let text: String = word.chars().take(LONGEST).map(visible).collect();
    let more = if word.chars().nth(LONGEST).is_some() { "…" } else { "" };
    format!("{text}{more}")
}
