//! The BFD sessions and files that checkers may name: those that stand before them.

use crate::diagnostic::{Code, Diagnostic, shown};
use crate::keyword::nearest_of;
use crate::lower::{BfdDraft, FileTracker, Report, Spanned};
use crate::source::Span;

use super::Defined;

/// What has been defined up to here, and what was named in vain.
#[derive(Debug, Default)]
pub(super) struct Names {
    sessions: Defined,
    files: Defined,
    /// How many sessions and files have been taken in.
    learned: (usize, usize),
    missing: Vec<Missing>,
}

/// What a checker can name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Session,
    File,
}

#[derive(Debug)]
struct Missing {
    kind: Kind,
    name: Spanned<String>,
}

impl Kind {
    const fn keyword(self) -> &'static str {
        match self {
            Self::Session => "bfd_instance",
            Self::File => "track_file",
        }
    }
}

impl Names {
    /// Takes in what was defined since the last time.
    pub(super) fn learn(&mut self, sessions: &[BfdDraft], files: &[FileTracker]) {
        let (old_sessions, old_files) = self.learned;
        self.sessions.extend(sessions.iter().skip(old_sessions).map(|session| session.name.value.clone()));
        self.files.extend(files.iter().skip(old_files).map(|file| file.name.value.clone()));
        self.learned = (sessions.len(), files.len());
    }

    /// Whether `name` is defined. If not, that is told when the whole file is read.
    pub(super) fn knows(&mut self, kind: Kind, name: &Spanned<String>) -> bool {
        let defined = match kind {
            Kind::Session => &self.sessions,
            Kind::File => &self.files,
        };
        let known = defined.contains(&name.value);
        if !known {
            self.missing.push(Missing { kind, name: name.clone() });
        }
        known
    }

    pub(super) fn tell_missing(&mut self, sessions: &[BfdDraft], files: &[FileTracker], report: &mut Report) {
        for Missing { kind, name } in std::mem::take(&mut self.missing) {
            let defined = match kind {
                Kind::Session => near(&name.value, sessions.iter().map(|session| &session.name)),
                Kind::File => near(&name.value, files.iter().map(|file| &file.name)),
            };
            report.push(diagnostic(kind, &name, defined));
        }
    }
}

/// The name that is meant, or was probably meant.
fn near<'d>(
    name: &str,
    defined: impl Iterator<Item = &'d Spanned<String>> + Clone,
) -> Option<(&'d str, Span)> {
    let found = defined.clone().find(|other| other.value == name);
    let found = found.or_else(|| nearest_of(name, defined, |other| other.value.as_str()));
    found.map(|other| (other.value.as_str(), other.span))
}

fn diagnostic(kind: Kind, name: &Spanned<String>, defined: Option<(&str, Span)>) -> Diagnostic {
    let keyword = kind.keyword();
    let new = |headline| Diagnostic::warning(Code::UndefinedWatch, name.span, headline);
    match defined {
        Some((other, place)) if other == name.value => {
            new(format!("{} is used before it is defined; the checker is ignored", shown(&name.value)))
                .label(place, "this must come first")
                .help(format!("move the `{keyword}` before the virtual server"))
        }
        Some((other, place)) => {
            new(format!("there is no `{keyword}` {}; the checker is ignored", shown(&name.value)))
                .label(place, "a similar name")
                .help(format!("did you mean {}?", shown(other)))
        }
        None => new(format!("there is no `{keyword}` {}; the checker is ignored", shown(&name.value)))
            .help(format!("define it before the virtual server with `{keyword} {} {{`", name.value)),
    }
}
