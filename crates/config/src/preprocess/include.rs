//! `include` and its stricter variants, and which problems with them are errors.

use std::io;
use std::sync::Arc;

use super::physical::File;
use super::{Frame, Reader, pattern};
use crate::FileKind;
use crate::diagnostic::{Code, Diagnostic, shown};
use crate::source::{Source, Span, Strand, Text, Way};

/// Which problems are errors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Checks(u8);

impl Checks {
    pub(crate) const NONE: Self = Self(0);
    const READ: Self = Self(1);
    const MATCH: Self = Self(2);
    const WILDCARD_MATCH: Self = Self(4);
    const BRACE_MATCH: Self = Self(8);
    pub(crate) const ALL: Self = Self(15);

    const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    const fn has(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// Those that the words of `include_check` leave, where `self` held before. Words that keepalived refuses change
    /// nothing.
    pub(super) fn named<'t>(words: impl Iterator<Item = &'t str>, before: Self) -> Self {
        let mut words = words.take_while(|word| !word.contains(['{', '}'])).peekable();
        if words.peek().is_none() {
            return Self::ALL;
        }
        let mut checks = before;
        for (index, word) in words.enumerate() {
            let check = Self::of(word.trim_start_matches(['+', '-']));
            checks = match word.as_bytes().first() {
                Some(b'-') => checks.without(check),
                Some(b'+') => checks.with(check),
                // `match` includes that what matches can be read.
                _ if index == 0 && check != Self::NONE => check.with(Self::READ),
                _ => checks,
            };
        }
        checks
    }

    fn of(name: &str) -> Self {
        match name {
            "read" => Self::READ,
            "match" => Self::MATCH,
            "wildcard_match" => Self::WILDCARD_MATCH,
            "brace_match" => Self::BRACE_MATCH,
            _ => Self::NONE,
        }
    }
}

/// Which `include` a line is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Variant {
    name: &'static str,
    checks: Checks,
}

impl Variant {
    const ALL: [Self; 6] = [
        Self { name: "include", checks: Checks::NONE },
        Self { name: "includer", checks: Checks::READ },
        Self { name: "includem", checks: Checks::READ.with(Checks::MATCH) },
        Self { name: "includew", checks: Checks::READ.with(Checks::MATCH).with(Checks::WILDCARD_MATCH) },
        Self { name: "includeb", checks: Checks::READ.with(Checks::BRACE_MATCH) },
        Self { name: "includea", checks: Checks::ALL },
    ];

    /// Without a pattern it is an unknown keyword.
    pub(super) fn of(text: &str) -> Option<Self> {
        let first = text.split([' ', '\t']).next()?;
        Self::ALL.into_iter().find(|variant| variant.name == first && first.len() < text.len())
    }
}

/// Why a file is not read.
enum Skipped {
    Directory,
    Executable,
    Irregular,
    Unreadable(io::Error),
}

impl Skipped {
    fn why(&self, path: &str) -> String {
        let path = shown(path);
        match self {
            Self::Directory => format!("{path} is a directory"),
            Self::Executable => format!("{path} is executable, which a configuration is not"),
            Self::Irregular => format!("{path} is not a regular file"),
            Self::Unreadable(error) => format!("cannot read {path}: {error}"),
        }
    }
}

/// A path without detours through `.`, `..` and empty names.
pub(crate) fn normalised(path: &str) -> String {
    let mut names: Vec<&str> = Vec::new();
    for name in path.split('/').filter(|name| !matches!(*name, "" | ".")) {
        match (name, names.last()) {
            ("..", Some(&last)) if last != ".." => drop(names.pop()),
            ("..", None) if path.starts_with('/') => {}
            _ => names.push(name),
        }
    }
    let root = if path.starts_with('/') { "/" } else { "" };
    format!("{root}{}", names.join("/"))
}

impl Reader<'_> {
    /// Begins the files that the command line names.
    pub(super) fn start(&mut self, path: &str) {
        let is_pattern = pattern::is_wild(path) || path.contains('{');
        if !is_pattern || self.provider.kind(path).is_ok() {
            self.begin(path, None, Checks::ALL);
            return;
        }
        let mut paths = Vec::new();
        for alternative in pattern::alternatives(path) {
            match pattern::is_wild(&alternative) {
                true => paths.extend(pattern::matches(self.provider, &alternative).unwrap_or_default()),
                false => paths.push(alternative),
            }
        }
        if paths.is_empty() {
            self.unreadable(path, &format!("no file matches {}", shown(path)));
        }
        paths.reverse();
        self.frames.push(Frame::Files { paths, at: None, checks: Checks::ALL });
    }

    /// A file that the command line names and that is not there has no text to point at.
    fn unreadable(&mut self, path: &str, headline: &str) {
        let id = self.sources.add_text(path, Arc::new(Text::new(Vec::new())), None);
        self.diagnostics.push(Diagnostic::error(Code::UnreadableFile, Span::new(id, 0..0), headline));
    }

    /// Carries out an include once its parameters are replaced.
    pub(super) fn include_expanded(&mut self, line: Strand, way: Way) {
        let Some(line) = self.expanded(line, way) else { return };
        let text = self.sources.strand(line);
        let length = super::physical::without_comment(text).len();
        let line = self.trimmed(line.part(0..length));
        let text = self.sources.strand(line).to_owned();
        let Some(variant) = Variant::of(&text) else { return };
        let wanted = self.trimmed(line.part(variant.name.len()..text.len()));
        let at = self.sources.place(wanted);
        let wanted = self.sources.strand(wanted).to_owned();
        let checks = self.checks.with(variant.checks);
        let mut paths = self.files_of(&wanted, at, checks);
        paths.reverse();
        self.frames.push(Frame::Files { paths, at: Some(at), checks });
    }

    /// The files that a pattern stands for.
    fn files_of(&mut self, wanted: &str, at: Span, checks: Checks) -> Vec<String> {
        let alternatives = pattern::alternatives(wanted);
        if alternatives.iter().any(|alternative| pattern::has_braces(alternative)) {
            let most = pattern::MOST_ALTERNATIVES;
            let headline = format!("the braces stand for more than {most} names");
            let error = Diagnostic::error(Code::TooMuch, at, headline);
            self.report_once(error.help("nothing is included; name fewer files, or use `*`"));
            return Vec::new();
        }
        let has_braces = alternatives.len() > 1;
        let (mut files, mut missing, mut is_wild) = (Vec::new(), Vec::new(), false);
        for alternative in &alternatives {
            let path = self.absolute(alternative);
            if pattern::is_wild(alternative) {
                is_wild = true;
                match pattern::matches(self.provider, &path) {
                    Ok(found) => files.extend(found),
                    Err(unlisted) if unlisted.error.kind() == io::ErrorKind::PermissionDenied => {
                        let directory = shown(&unlisted.directory);
                        let headline = format!("cannot list {directory}: {}", unlisted.error);
                        self.problem(at, checks, Checks::READ, headline);
                    }
                    Err(_) => missing.push(alternative.clone()),
                }
            } else if matches!(self.provider.kind(&path), Err(error) if error.kind() == io::ErrorKind::NotFound)
            {
                missing.push(alternative.clone());
            } else {
                files.push(path);
            }
        }
        if let Some(first) = missing.first() {
            let check = if has_braces { Checks::BRACE_MATCH } else { Checks::MATCH };
            self.problem(at, checks, check, format!("there is no file {}", shown(first)));
            self.diagnostics.say_classic(format!("Config files missing '{first}'."));
        } else if files.is_empty() && is_wild && checks.has(Checks::WILDCARD_MATCH) {
            self.problem(at, checks, Checks::WILDCARD_MATCH, format!("no file matches {}", shown(wanted)));
        }
        files
    }

    /// Begins a file that the line at `at` asks for, or the command line.
    pub(super) fn begin(&mut self, path: &str, at: Option<Span>, checks: Checks) {
        let identity = self.provider.identity(path);
        if let Some(at) = at
            && let Some(headline) = self.leads_to(path, &identity)
        {
            self.report_once(
                Diagnostic::error(Code::LeadsBack, at, headline).help("the file is not read again"),
            );
            return;
        }
        match self.content(path, at.is_none()) {
            Ok(text) => {
                let has_room = self.budget.file(text.as_str().len());
                let id = self.sources.add_text(path, Arc::clone(&text), at);
                if has_room {
                    let file = File::new(id, text);
                    self.frames.push(Frame::File { file, identity, before: self.checks });
                }
                self.tell_excess(at.unwrap_or_else(|| Span::new(id, 0..0)));
            }
            Err(skipped) => match at {
                Some(at) => self.problem(at, checks, Checks::READ, skipped.why(path)),
                None => self.unreadable(path, &skipped.why(path)),
            },
        }
    }

    /// Why including a file would not come to an end.
    fn leads_to(&self, path: &str, identity: &str) -> Option<String> {
        let open = self.frames.iter().filter_map(|frame| match frame {
            Frame::File { identity, .. } => Some(identity),
            Frame::Files { .. } | Frame::Value { .. } | Frame::Repetition(_) => None,
        });
        let (depth, is_open) =
            open.fold((0, false), |(depth, is_open), other| (depth + 1, is_open || other == identity));
        if is_open {
            return Some(format!("{} includes itself", shown(path)));
        }
        let is_deep = depth >= self.options.limits.depth;
        is_deep.then(|| "files are included in files too deeply".to_owned())
    }

    fn problem(&mut self, at: Span, checks: Checks, check: Checks, headline: String) {
        let diagnostic = if checks.has(check) {
            Diagnostic::error(Code::IncludeFailed, at, headline)
                .help("an active check makes this an error; plain `include` without `include_check` goes on")
        } else {
            Diagnostic::note(Code::IncludeSkipped, at, headline)
                .help("nothing is included; `includea` makes this an error")
        };
        self.diagnostics.push(diagnostic);
    }

    /// What stands in a file, which is read once. The command line may name one that is executable.
    fn content(&mut self, path: &str, is_main: bool) -> Result<Arc<Text>, Skipped> {
        if let Some(text) = self.texts.get(path) {
            return Ok(Arc::clone(text));
        }
        match self.provider.kind(path).map_err(Skipped::Unreadable)? {
            FileKind::Regular => {}
            FileKind::Executable if is_main => {}
            FileKind::Executable => return Err(Skipped::Executable),
            FileKind::Directory => return Err(Skipped::Directory),
            FileKind::Other => return Err(Skipped::Irregular),
        }
        let bytes = self.provider.read(path).map_err(Skipped::Unreadable)?;
        Ok(self.take_in(path, bytes))
    }

    fn take_in(&mut self, path: &str, bytes: Vec<u8>) -> Arc<Text> {
        let text = Arc::new(Text::new(bytes));
        self.texts.insert(path.to_owned(), Arc::clone(&text));
        text
    }

    /// `path` as seen from the file that is being read.
    fn absolute(&self, path: &str) -> String {
        let path = path.strip_prefix("./").unwrap_or(path);
        match self.file_name().rsplit_once('/') {
            Some((directory, _)) if !path.starts_with('/') => format!("{directory}/{path}"),
            _ => path.to_owned(),
        }
    }

    /// The directory of the file that is being read.
    pub(super) fn directory(&self) -> String {
        match self.file_name().rsplit_once('/') {
            Some(("", _)) => "/".to_owned(),
            Some((directory, _)) => directory.to_owned(),
            None => ".".to_owned(),
        }
    }

    fn file_name(&self) -> &str {
        let innermost = self.frames.iter().rev().find_map(|frame| match frame {
            Frame::File { file, .. } => self.sources.source(file.id),
            Frame::Files { .. } | Frame::Value { .. } | Frame::Repetition(_) => None,
        });
        innermost.map_or("", Source::name)
    }
}
