//! `$NAME` and `${NAME}`: parameters replaced by their values, again and again until none is left.
//!
//! Values are replaced where they are used, not where they are defined. A value of several lines takes the place of its
//! use only at the end of a line; its other lines follow as lines of their own.

use std::ops::Range;

use super::{Definition, Frame, Reader, Value, definition, physical};
use crate::diagnostic::{Code, Diagnostic, Severity, shown};
use crate::keyword;
use crate::source::{DefinitionId, Origin, Part, Span, Strand, Way, WayKind, parts_of, place};

/// How often the values in values are replaced before they are taken to lead back to themselves.
const PASSES: usize = 64;

/// For how many names that are not defined a similar one is looked for.
const MOST_SUGGESTIONS: usize = 20;

/// Names that are defined without a definition.
const PREDEFINED: [&str; 6] = ["_PWD", "_INSTANCE", "_RANDOM", "_ENV", "_HASH", "_BANG"];

/// Where a text uses a parameter.
#[derive(Clone, Debug)]
pub(super) struct Use<'t> {
    /// All of it.
    pub(super) range: Range<usize>,
    pub(super) name: &'t str,
    /// What follows the name within the braces.
    arguments: &'t str,
    is_braced: bool,
}

/// The use at the `$` at `at`.
pub(super) fn use_at(text: &str, at: usize) -> Option<Use<'_>> {
    let rest = text.get(at + 1..)?;
    if let Some(inner) = rest.strip_prefix('{') {
        let name = definition::name_at(inner)?;
        let close = inner.find('}')?;
        let arguments = inner.get(name.len()..close)?;
        let fits = arguments.is_empty()
            || (PREDEFINED.contains(&name) && arguments.starts_with([' ', '\t']))
            || arguments.trim_matches([' ', '\t']).is_empty();
        let range = at..at + close + 3;
        return fits.then_some(Use { range, name, arguments, is_braced: true });
    }
    let name = definition::name_at(rest)?;
    let after = rest.get(name.len()..)?;
    let ends = after.is_empty() || after.starts_with([' ', '\t', ',', ')']);
    ends.then_some(Use { range: at..at + name.len() + 1, name, arguments: "", is_braced: false })
}

/// What a use stands for.
enum Found {
    Value(DefinitionId, Strand),
    Made(DefinitionId, String),
    Lines(Definition),
    Nothing(Undefined),
}

/// Why a use stands for nothing.
enum Undefined {
    Unknown,
    Arguments(&'static str),
    /// Its value has several lines, and words follow.
    Misplaced,
}

/// A text that is being put together.
#[derive(Debug, Default)]
struct Work {
    text: String,
    parts: Vec<Part>,
    /// For each part, which of the outermost uses brought it.
    outer: Vec<Option<usize>>,
}

/// A use in the text as it was before anything was replaced.
#[derive(Debug)]
struct Outer {
    at: Span,
    definition: DefinitionId,
    /// Parameters in its value.
    within: Vec<DefinitionId>,
}

impl Work {
    fn push(&mut self, text: &str, origin: Origin, outer: Option<usize>) {
        if !text.is_empty() {
            self.parts.push(Part { at: count(self.text.len()), origin });
            self.outer.push(outer);
            self.text.push_str(text);
        }
    }

    /// Takes over the bytes `range` of `from`.
    fn copy(&mut self, from: &Self, range: Range<usize>) {
        let (start, end) = (count(range.start), count(range.end));
        let first = from.parts.partition_point(|part| part.at <= start).saturating_sub(1);
        for (index, part) in from.parts.iter().enumerate().skip(first).take_while(|(_, part)| part.at < end) {
            let at = part.at.max(start);
            let next = from.parts.get(index + 1).map_or(end, |next| next.at.min(end));
            let text = from.text.get(index_of(at)..index_of(next)).unwrap_or_default();
            let outer = from.outer.get(index).copied().flatten();
            self.push(text, part.origin.skip(index_of(at - part.at)), outer);
        }
    }

    fn outer_at(&self, at: usize) -> Option<usize> {
        let index = self.parts.partition_point(|part| index_of(part.at) <= at).checked_sub(1)?;
        self.outer.get(index).copied().flatten()
    }

    fn place(&self, range: &Range<usize>) -> Span {
        let (start, end) = (count(range.start), count(range.end));
        place(parts_of(&self.parts, start, end), start, end)
    }
}

fn count(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}

fn index_of(at: u32) -> usize {
    usize::try_from(at).unwrap_or(usize::MAX)
}

/// How far replacing goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reach {
    /// The use at the start of the text.
    Head,
    All,
}

/// A text and what was replaced in it so far.
struct Replacing {
    work: Work,
    outer: Vec<Outer>,
    way: Way,
    /// A value of several lines has been reached; nothing can follow it.
    has_lines: bool,
}

/// Why a text cannot be put together.
struct GivenUp;

impl Reader<'_> {
    /// `line` with every parameter replaced, if that can be done.
    pub(super) fn expanded(&mut self, line: Strand, way: Way) -> Option<Strand> {
        if !self.sources.strand(line).contains('$') {
            return Some(line);
        }
        let mut replacing = self.replacing(line, way);
        for _ in 0..PASSES {
            match self.pass(&mut replacing, Reach::All) {
                Ok(true) => {}
                Ok(false) if replacing.outer.is_empty() && !replacing.has_lines => return Some(line),
                Ok(false) => return Some(self.finished(replacing)),
                Err(GivenUp) => return None,
            }
        }
        self.leads_back(&replacing);
        None
    }

    /// Carries out a parameter at the start of a line whose value may be a directive. Gives what to go on with, if there
    /// was one.
    #[expect(clippy::option_option, reason = "a line may be done with")]
    pub(super) fn head(&mut self, line: Strand, text: &str, way: Way) -> Option<Option<Strand>> {
        let used = text.starts_with('$').then(|| use_at(text, 0)).flatten()?;
        let definition = self.names.get(used.name)?.clone();
        match definition.value {
            Value::Lines(lines) if used.range.end == text.len() => {
                let at = self.sources.place(line);
                if let Some(way) = self.enter(definition.id, at, way) {
                    self.frames.push(Frame::Value { lines, next: 0, way });
                }
                Some(None)
            }
            Value::Lines(_) => None,
            Value::One(value) if self.sources.strand(value).starts_with(['@', '~', '$']) => {
                let mut replacing = self.replacing(line, way);
                for _ in 0..PASSES {
                    match self.pass(&mut replacing, Reach::Head) {
                        Ok(true) => {}
                        Ok(false) => return Some(Some(self.finished(replacing))),
                        Err(GivenUp) => return Some(None),
                    }
                }
                self.leads_back(&replacing);
                Some(None)
            }
            Value::One(_) => None,
        }
    }

    fn replacing(&self, line: Strand, way: Way) -> Replacing {
        let text = self.sources.strand(line);
        let mut work = Work::default();
        match line {
            Strand::Written(span) => {
                work.push(text, Origin { span: span.by(way), verbatim: true }, None);
            }
            Strand::Made { start, end } => {
                let parts = self.sources.expansion().parts(start, end);
                for (index, part) in parts.iter().enumerate() {
                    let at = part.at.max(start);
                    let next = parts.get(index + 1).map_or(end, |next| next.at.min(end));
                    let origin = part.origin.skip(index_of(at - part.at));
                    // On a repetition's way, if there is one; its parent is the way until then.
                    let by = if way == Way::STRAIGHT { origin.span } else { origin.span.by(way) };
                    let range = index_of(at - start)..index_of(next.saturating_sub(start));
                    work.push(text.get(range).unwrap_or_default(), Origin { span: by, ..origin }, None);
                }
            }
        }
        Replacing { work, outer: Vec::new(), way, has_lines: false }
    }

    /// Replaces every parameter once, or only the first. Gives whether there was one.
    fn pass(&mut self, replacing: &mut Replacing, reach: Reach) -> Result<bool, GivenUp> {
        let work = std::mem::take(&mut replacing.work);
        let mut made = Work::default();
        let mut quotes = Quotes::default();
        let (mut undefined, mut malformed) = (Vec::new(), Vec::new());
        let (mut from, mut changed) = (0, false);
        for at in memchr::memchr_iter(b'$', work.text.as_bytes()) {
            if at < from || (reach == Reach::Head && at > 0) {
                continue;
            }
            let quoted = quotes.at(&work.text, at);
            let Some(used) = use_at(&work.text, at) else {
                let rest = work.text.get(at..).unwrap_or_default();
                if rest.starts_with("${") {
                    let length = rest.find('}').map_or(rest.len(), |close| close + 1);
                    malformed.push((at..at + length, quoted));
                }
                continue;
            };
            let found = self.found(&used, quoted);
            if let Found::Nothing(why) = found {
                undefined.push((used, quoted, why));
                continue;
            }
            let ends = work.text.get(used.range.end..).is_some_and(|rest| rest.trim().is_empty());
            if matches!(found, Found::Lines(_)) && !ends {
                undefined.push((used, quoted, Undefined::Misplaced));
                continue;
            }
            made.copy(&work, from..at);
            from = used.range.end;
            changed = true;
            self.replace(&work, &used, found, &mut made, replacing);
            if made.text.len() > physical::LONGEST_LINE + 1 {
                self.too_long(&work.place(&used.range));
                return Err(GivenUp);
            }
        }
        made.copy(&work, from..work.text.len());
        self.budget.made(made.text.len());
        if made.text.len() > physical::LONGEST_LINE + 1 {
            self.too_long(&work.place(&(0..work.text.len())));
            return Err(GivenUp);
        }
        if !changed && reach == Reach::All {
            for (used, quoted, why) in undefined {
                self.undefined(&used, quoted, &why, work.place(&used.range));
            }
            malformed.iter().for_each(|(range, quoted)| self.malformed(*quoted, work.place(range)));
        }
        replacing.work = made;
        Ok(changed)
    }

    /// Puts what was found in the place of its use.
    fn replace(
        &mut self,
        work: &Work,
        used: &Use<'_>,
        found: Found,
        made: &mut Work,
        replacing: &mut Replacing,
    ) {
        let (id, text) = match found {
            Found::Value(id, value) => (id, self.sources.strand(value).to_owned()),
            Found::Made(id, text) => (id, text),
            Found::Lines(definition) => {
                let at = work.place(&used.range);
                self.join(definition, at, made, replacing);
                return;
            }
            Found::Nothing(_) => return,
        };
        let outer = match work.outer_at(used.range.start) {
            Some(outer) => {
                if let Some(outer) = replacing.outer.get_mut(outer) {
                    outer.within.push(id);
                }
                outer
            }
            None => {
                let at = work.place(&used.range);
                replacing.outer.push(Outer { at, definition: id, within: Vec::new() });
                replacing.outer.len() - 1
            }
        };
        let span = replacing.outer.get(outer).map_or_else(|| work.place(&used.range), |outer| outer.at);
        made.push(&text, Origin { span, verbatim: false }, Some(outer));
    }

    /// Puts the first of several lines in the place of their use; the others follow.
    fn join(&mut self, definition: Definition, at: Span, made: &mut Work, replacing: &mut Replacing) {
        let Value::Lines(lines) = definition.value else { return };
        replacing.has_lines = true;
        let Some(way) = self.enter(definition.id, at, replacing.way) else { return };
        if let Some(first) = lines.first() {
            let first = self.replacing(*first, way);
            made.copy(&first.work, 0..first.work.text.len());
        }
        self.frames.push(Frame::Value { lines, next: 1, way });
    }

    /// The way into a value of several lines, unless it leads back to itself.
    fn enter(&mut self, id: DefinitionId, at: Span, way: Way) -> Option<Way> {
        let (depth, is_within) = self.sources.expansion().lines_of(way, id);
        if is_within || depth >= self.options.limits.depth {
            self.report_once(
                Diagnostic::error(Code::LeadsBack, at, "this value contains itself")
                    .help("nothing is put in its place"),
            );
            return None;
        }
        Some(self.sources.expansion_mut().step(way, WayKind::Line, id, at.by(way), None))
    }

    /// The text with all its ways.
    fn finished(&mut self, replacing: Replacing) -> Strand {
        let Replacing { work: Work { text, mut parts, outer: brought }, outer, .. } = replacing;
        let expansion = self.sources.expansion_mut();
        let strand = expansion.push(&text);
        // What was written on one way goes on by the steps of all uses that stand on it.
        let mut ways: Vec<(Way, Way)> = Vec::new();
        for (index, Outer { at, definition, within }) in outer.into_iter().enumerate() {
            let mine = |part: &(usize, &Option<usize>)| *part.1 == Some(index);
            let first = brought.iter().enumerate().find(mine).map(|(part, _)| part);
            let last = brought.iter().enumerate().rfind(mine).map(|(part, _)| part + 1);
            let start_of = |part: usize| parts.get(part).map_or(text.len(), |part| index_of(part.at));
            let value = first.zip(last).map(|(first, last)| strand.part(start_of(first)..start_of(last)));
            let before = at.way();
            let known = ways.iter_mut().find(|(from, _)| *from == before);
            let mut way = known.as_ref().map_or(before, |(_, to)| *to);
            way = expansion.step(way, WayKind::Replaced, definition, at, value);
            for id in within {
                way = expansion.step(way, WayKind::Within, id, at, None);
            }
            match known {
                Some((_, to)) => *to = way,
                None => ways.push((before, way)),
            }
        }
        for part in &mut parts {
            if let Some((_, to)) = ways.iter().find(|(from, _)| *from == part.origin.span.way()) {
                part.origin.span = part.origin.span.by(*to);
            }
        }
        expansion.came_from(strand, parts);
        strand
    }

    fn found(&mut self, used: &Use<'_>, quoted: bool) -> Found {
        match self.names.get(used.name) {
            Some(definition) => match &definition.value {
                Value::One(value) => Found::Value(definition.id, *value),
                Value::Lines(_) => Found::Lines(definition.clone()),
            },
            None => self.predefined(used, quoted),
        }
    }

    fn predefined(&mut self, used: &Use<'_>, quoted: bool) -> Found {
        let Some(name) = PREDEFINED.into_iter().find(|name| *name == used.name) else {
            return Found::Nothing(Undefined::Unknown);
        };
        let mut arguments = used.arguments.split([' ', '\t']).filter(|word| !word.is_empty());
        let text = match name {
            "_PWD" => self.directory(),
            "_INSTANCE" => self.options.config_id.clone(),
            "_RANDOM" => match self.drawn(arguments) {
                Some(number) => number.to_string(),
                None => return Found::Nothing(Undefined::Arguments(BAD_RANDOM)),
            },
            "_ENV" => match (arguments.next(), arguments.next()) {
                // A line must stay one.
                (Some(variable), None) => self
                    .provider
                    .variable(variable)
                    .unwrap_or_default()
                    .replace(|c: char| c.is_control() && c != '\t', " "),
                _ => return Found::Nothing(Undefined::Arguments(BAD_ENV)),
            },
            // A backslash keeps it from beginning a comment, and goes when words are made.
            "_HASH" => if quoted { "#" } else { "\\#" }.to_owned(),
            _ => if quoted { "!" } else { "\\!" }.to_owned(),
        };
        let expansion = self.sources.expansion_mut();
        let id = *self.predefined.entry(name).or_insert_with(|| expansion.define(name, None));
        Found::Made(id, text)
    }

    /// A number from the range that `arguments` give.
    fn drawn<'t>(&mut self, mut arguments: impl Iterator<Item = &'t str>) -> Option<u64> {
        const LARGEST: u32 = 32_767;
        let least: u32 = arguments.next().map_or(Some(0), |word| word.parse().ok())?;
        let most: u32 = arguments.next().map_or(Some(LARGEST), |word| word.parse().ok())?;
        if arguments.next().is_some() {
            return None;
        }
        let count = u64::from(most.saturating_sub(least)) + 1;
        Some(u64::from(least) + self.next_random() % count)
    }

    /// The next of a sequence of numbers (`SplitMix64`).
    const fn next_random(&mut self) -> u64 {
        self.random = self.random.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.random;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn undefined(&mut self, used: &Use<'_>, quoted: bool, why: &Undefined, span: Span) {
        // Braces that stay act as those of a block in keepalived. To what is left else, it says nothing.
        let severity = if used.is_braced && !quoted { Severity::Warning } else { Severity::Note };
        let shown = shown(self.sources.text(span));
        let (severity, why) = match why {
            Undefined::Arguments(why) => (Severity::Warning, format!("{shown} {why}")),
            Undefined::Misplaced => {
                (severity, format!("{shown} has several lines and can only stand at the end of a line"))
            }
            Undefined::Unknown => return self.unknown(used, severity, span),
        };
        self.report_once(
            Diagnostic::new(severity, Code::Parameter, span, why).help("it is left as it stands"),
        );
    }

    fn unknown(&mut self, used: &Use<'_>, severity: Severity, span: Span) {
        let why = format!("no parameter `{}` is defined", used.name);
        let near = self.near(used.name);
        // A `$` in a command is not rare, and keepalived says nothing to it.
        if !used.is_braced && near.is_none() {
            return;
        }
        let diagnostic = Diagnostic::new(severity, Code::Parameter, span, why);
        self.report_once(diagnostic.help(match near {
            Some(near) => format!("did you mean `{near}`?"),
            None => "it is left as it stands".to_owned(),
        }));
    }

    fn malformed(&mut self, quoted: bool, span: Span) {
        let headline = "this is not a use of a parameter";
        let diagnostic = match quoted {
            true => Diagnostic::note(Code::Parameter, span, headline),
            false => Diagnostic::warning(Code::Parameter, span, headline),
        };
        self.report_once(diagnostic.help("write `${NAME}`; it is left as it stands"));
    }

    /// A defined name that is like `name`. It costs as much as there are names, and is looked for a few times.
    fn near(&mut self, name: &str) -> Option<String> {
        if let Some(near) = self.near.get(name) {
            return near.clone();
        }
        if self.near.len() >= MOST_SUGGESTIONS {
            return None;
        }
        let names = self.names.keys().map(AsRef::as_ref);
        let near = keyword::nearest_of(name, names, |name: &&str| name);
        let near = near.or_else(|| keyword::nearest_of(name, PREDEFINED.into_iter(), |name: &&str| name));
        let near = near.map(|near| (*near).to_owned());
        self.near.insert(name.into(), near.clone());
        near
    }

    fn too_long(&mut self, span: &Span) {
        let headline = format!(
            "with its parameters replaced, this line has more than {} bytes; it is ignored",
            physical::LONGEST_LINE + 1
        );
        self.report_once(Diagnostic::warning(Code::LineTooLong, *span, headline));
    }

    fn leads_back(&mut self, replacing: &Replacing) {
        let Some(outer) = replacing.outer.last() else { return };
        let headline = format!("the value of {} leads back to itself", shown(self.sources.text(outer.at)));
        self.report_once(Diagnostic::error(Code::LeadsBack, outer.at, headline).help("the line is ignored"));
    }
}

const BAD_RANDOM: &str = "takes no words but a least and a largest number";
const BAD_ENV: &str = "needs the name of one variable";

/// Follows which bytes of a text are in double quotes.
#[derive(Debug, Default)]
struct Quotes {
    at: usize,
    quoted: bool,
    hidden: bool,
}

impl Quotes {
    /// Whether the byte at `at` is, which must not lie before the last one asked for.
    fn at(&mut self, text: &str, at: usize) -> bool {
        for byte in text.bytes().take(at).skip(self.at) {
            match byte {
                _ if self.hidden => self.hidden = false,
                b'\\' => self.hidden = true,
                b'"' => self.quoted = !self.quoted,
                _ => {}
            }
        }
        self.at = at;
        self.quoted
    }
}
