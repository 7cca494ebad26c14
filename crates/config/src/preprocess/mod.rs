//! The stage between files and words: comments go, directives are carried out.
//!
//! Every later stage sees [`Passage`]s only, and asks them for spans, which lead to where the text was written. Most lines
//! stay where they stand in their file, many in one passage. Only what a parameter is part of is put together anew.
//!
//! Text comes from [`Frame`]s, the innermost first: files, values of several lines, and repetitions. So what an include
//! or a repetition brings stands exactly where the directive stood.

mod budget;
mod combined;
mod condition;
mod definition;
mod include;
mod pattern;
mod physical;
mod plain;
mod repetition;
mod substitution;

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::rc::Rc;
use std::sync::Arc;

pub use budget::Limits;
pub(crate) use combined::combined;
pub(crate) use include::normalised;
pub(crate) use physical::without_comment;

use crate::diagnostic::{Code, Diagnostic, Findings};
use crate::source::{DefinitionId, SourceId, SourceMap, Span, Strand, Text, Way};
use crate::{Options, SourceProvider};
use budget::Budget;
use include::Checks;
use physical::{File, Physical};
use repetition::Repetition;

/// Text without comments, all directives carried out: a line without outer blanks, or several plain ones as they stand.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Passage<'a> {
    /// Not empty.
    pub(crate) text: &'a str,
    /// Nothing but words, blanks, braces and line ends: nothing is quoted in it.
    pub(crate) is_plain: bool,
    strand: Strand,
    sources: &'a SourceMap,
}

impl Passage<'_> {
    /// The bytes `range` of it.
    pub(crate) fn part(&self, range: Range<usize>) -> Self {
        let text = self.text.get(range.clone()).unwrap_or_default();
        Self { text, strand: self.strand.part(range), ..*self }
    }

    /// Where the bytes `range` of the text were written.
    pub(crate) fn span(&self, range: Range<usize>) -> Span {
        match self.strand {
            // Nearly all text stands in a file.
            Strand::Written(span) => span.part(range),
            made @ Strand::Made { .. } => self.sources.place(made.part(range)),
        }
    }

    /// Whether a comment begins right behind its last byte, with no blank between.
    pub(crate) fn is_cut_by_comment(&self) -> bool {
        let last = self.span(self.text.len().saturating_sub(1)..self.text.len());
        let bytes = self.sources.source(last.source).map(|source| source.text().as_bytes());
        matches!(bytes.and_then(|bytes| bytes.get(last.end())), Some(b'#' | b'!'))
    }
}

/// What a [`Passage`] is made of, while text is still added.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Prepared {
    strand: Strand,
    is_plain: bool,
}

/// The passages of `sources`.
pub(crate) fn passages<'a>(
    sources: &'a SourceMap,
    prepared: &'a [Prepared],
) -> impl Iterator<Item = Passage<'a>> + use<'a> {
    let text = |strand| sources.strand(strand);
    prepared.iter().map(move |&Prepared { strand, is_plain }| Passage {
        text: text(strand),
        is_plain,
        strand,
        sources,
    })
}

/// Reads the files that `path` stands for, and all that they ask for. Gives what of them means something.
pub(crate) fn run(
    provider: &dyn SourceProvider,
    path: &str,
    options: &Options,
    sources: &mut SourceMap,
    diagnostics: &mut Findings,
) -> Vec<Prepared> {
    let mut reader = Reader::new(provider, options, sources, diagnostics);
    reader.start(path);
    reader.read();
    reader.prepared
}

/// The same for one text that asks for no other.
#[cfg(test)]
pub(crate) fn read_text(text: &[u8], diagnostics: &mut Findings) -> (SourceMap, Vec<Prepared>) {
    let mut sources = SourceMap::default();
    let prepared = run(&One(text), "t", &Options::default(), &mut sources, diagnostics);
    (sources, prepared)
}

/// Where lines come from.
#[derive(Debug)]
enum Frame {
    File {
        file: File,
        /// See [`SourceProvider::identity`].
        identity: String,
        /// Which checks held when it began, and hold again when it ends.
        before: Checks,
    },
    /// Files that a pattern stands for and that are still to be read, the next one last.
    Files {
        paths: Vec<String>,
        at: Option<Span>,
        checks: Checks,
    },
    /// A value of several lines.
    Value {
        lines: Rc<[Strand]>,
        next: usize,
        way: Way,
    },
    Repetition(Repetition),
}

/// What a name stands for.
#[derive(Clone, Debug)]
enum Value {
    One(Strand),
    /// Two lines or more.
    Lines(Rc<[Strand]>),
}

/// What a name was defined as last.
#[derive(Clone, Debug)]
struct Definition {
    id: DefinitionId,
    value: Value,
}

struct Reader<'r> {
    provider: &'r dyn SourceProvider,
    options: &'r Options,
    sources: &'r mut SourceMap,
    diagnostics: &'r mut Findings,
    /// The innermost last.
    frames: Vec<Frame>,
    names: BTreeMap<Box<str>, Definition>,
    /// The predefined names that were used, for the ways.
    predefined: BTreeMap<&'static str, DefinitionId>,
    checks: Checks,
    budget: Budget,
    /// What the generator of `${_RANDOM}` has come to.
    random: u64,
    /// The files that were read, so that each is read once.
    texts: BTreeMap<String, Arc<Text>>,
    /// Where something was reported that would be reported for each repetition of the same text.
    reported: BTreeSet<(SourceId, u32, u32)>,
    /// The names like those that are not defined, for as many as are looked for.
    near: BTreeMap<Box<str>, Option<String>>,
    prepared: Vec<Prepared>,
}

impl<'r> Reader<'r> {
    fn new(
        provider: &'r dyn SourceProvider,
        options: &'r Options,
        sources: &'r mut SourceMap,
        diagnostics: &'r mut Findings,
    ) -> Self {
        Self {
            provider,
            options,
            sources,
            diagnostics,
            frames: Vec::new(),
            names: BTreeMap::new(),
            predefined: BTreeMap::new(),
            checks: if options.all_include_checks { Checks::ALL } else { Checks::NONE },
            budget: Budget::new(options.limits),
            random: options.random_seed,
            texts: BTreeMap::new(),
            reported: BTreeSet::new(),
            near: BTreeMap::new(),
            prepared: Vec::new(),
        }
    }

    /// Works until nothing is left, or too much was made.
    fn read(&mut self) {
        while let Some(frame) = self.frames.last_mut() {
            match frame {
                Frame::File { .. } => self.file_lines(),
                Frame::Files { paths, at, checks } => {
                    let (path, at, checks) = (paths.pop(), *at, *checks);
                    match path {
                        Some(path) => self.begin(&path, at, checks),
                        None => drop(self.frames.pop()),
                    }
                }
                Frame::Value { lines, next, way } => {
                    let (line, way) = (lines.get(*next).copied(), *way);
                    *next += 1;
                    match line {
                        Some(line) => self.made_line(line, way, Ending::MADE),
                        None => drop(self.frames.pop()),
                    }
                }
                Frame::Repetition(_) => self.repeat(),
            }
            if self.budget.is_spent() {
                break;
            }
        }
    }

    /// Takes lines from the innermost frame, a file, up to the first that brings another frame, or its end.
    fn file_lines(&mut self) {
        let depth = self.frames.len();
        while self.frames.len() == depth && !self.budget.is_spent() {
            let Some(Frame::File { file, before, .. }) = self.frames.last_mut() else { return };
            let id = file.id;
            if let Some((range, lines)) = file.plain_lines(self.budget.lines_left()) {
                self.budget.lines(lines);
                let strand = Strand::Written(Span::new(id, range));
                self.prepared.push(Prepared { strand, is_plain: true });
                continue;
            }
            let Some(line) = file.next_line(self.diagnostics) else {
                self.checks = *before;
                self.frames.pop();
                return;
            };
            let Some(Physical { range, is_special, had_comment }) = line else {
                self.budget.line();
                self.tell_excess(Span::new(id, 0..0));
                continue;
            };
            if range.is_empty() {
                continue;
            }
            let span = Span::new(id, range);
            self.budget.line();
            if is_special {
                self.line(Strand::Written(span), Way::STRAIGHT, Ending { had_comment, is_physical: true });
            } else {
                self.put_out(Strand::Written(span));
            }
            self.tell_excess(span);
        }
    }

    /// A line of a value or a repetition.
    fn made_line(&mut self, line: Strand, way: Way, ending: Ending) {
        self.budget.line();
        let line = match line {
            Strand::Written(span) => Strand::Written(span.by(way)),
            Strand::Made { .. } => line,
        };
        self.line(line, way, ending);
        let span = self.sources.place(line);
        self.tell_excess(span);
    }

    fn tell_excess(&mut self, span: Span) {
        if let Some(headline) = self.budget.exceeded() {
            self.diagnostics.push(
                Diagnostic::error(Code::TooMuch, span, headline).help(
                    "nothing after this place is read; is a parameter or an include defined by itself?",
                ),
            );
        }
    }

    /// Carries out a line that may hold directives.
    fn line(&mut self, line: Strand, way: Way, ending: Ending) {
        let mut rest = Some(line);
        while let Some(line) = rest.filter(|_| !self.budget.is_spent()) {
            rest = self.first_of(line, way, ending);
        }
    }

    /// Carries out the first directive of a line, or the text before the first one. Gives what is left to do.
    fn first_of(&mut self, line: Strand, way: Way, ending: Ending) -> Option<Strand> {
        let line = self.trimmed(line);
        let text = self.sources.strand(line).to_owned();
        if text.is_empty() {
            return None;
        }
        if text.starts_with('@') {
            return self.condition(line, &text, ending);
        }
        if let Some(name) = definition::name_of(&text) {
            self.define(line, &text, name, ending);
            return None;
        }
        if let Some(kind) = repetition::Kind::of(&text) {
            self.repetition(line, &text, kind, way, ending);
            return None;
        }
        if let Some(rest) = self.head(line, &text, way) {
            return rest;
        }
        if include::Variant::of(&text).is_some() {
            self.include_expanded(line, way);
            return None;
        }
        let cut = directive_after_brace(&text);
        let head = cut.map_or(line, |cut| line.part(0..cut));
        let rest = cut.map(|cut| line.part(cut..text.len()));
        if let Some(made) = self.expanded(head, way) {
            // Text that a parameter brought may hold directives after its braces too.
            if let Some(again) = self.emit(made, way, made != head) {
                self.line(again, way, Ending::MADE);
            }
        }
        rest
    }

    /// Puts a line without directives out. Gives what follows a brace in it and is a directive.
    fn emit(&mut self, line: Strand, way: Way, was_expanded: bool) -> Option<Strand> {
        let mut line = line;
        let mut rest = None;
        if was_expanded {
            let text = self.sources.strand(line);
            line = self.trimmed(line.part(0..without_comment(text).len()));
            let text = self.sources.strand(line);
            if include::Variant::of(text).is_some() {
                self.include_expanded(line, way);
                return None;
            }
            if let Some(cut) = directive_after_brace(text) {
                rest = Some(line.part(cut..text.len()));
                line = line.part(0..cut);
            }
        }
        let text = self.sources.strand(line);
        let mut words = text.split([' ', '\t']).filter(|word| !word.is_empty());
        if words.next().is_some_and(|word| word.trim_matches('"') == "random_seed") {
            let seed = words.next().and_then(|word| word.trim_matches('"').parse().ok());
            self.random = seed.unwrap_or(self.random);
        }
        if text.starts_with("include_check") {
            let words = text.split([' ', '\t']).skip(1).filter(|word| !word.is_empty());
            self.checks = Checks::named(words, self.checks);
        }
        if !text.is_empty() {
            self.put_out(line);
        }
        rest
    }

    fn put_out(&mut self, line: Strand) {
        self.prepared.push(Prepared { strand: line, is_plain: false });
    }

    fn trimmed(&self, line: Strand) -> Strand {
        let text = self.sources.strand(line);
        let end = text.trim_end_matches([' ', '\t']).len();
        let start = text.len() - text.trim_start_matches([' ', '\t']).len();
        line.part(start.min(end)..end)
    }

    /// Reports what stands at a place once, however often its text is used.
    fn report_once(&mut self, diagnostic: Diagnostic) {
        if self.reported.insert(diagnostic.primary.place()) {
            self.diagnostics.push(diagnostic);
        }
    }
}

/// How a line ends.
#[derive(Clone, Copy, Debug)]
struct Ending {
    /// A comment followed it.
    had_comment: bool,
    /// It stands so in a file, so that the next physical line may belong to it.
    is_physical: bool,
}

impl Ending {
    /// That of a line that stands in no file.
    const MADE: Self = Self { had_comment: false, is_physical: false };
}

/// Where the text after a brace begins, if that is a directive.
fn directive_after_brace(text: &str) -> Option<usize> {
    let (mut quoted, mut hidden, mut parameter) = (false, false, false);
    let mut previous = 0;
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'"' if !hidden => quoted = !quoted,
            b'{' if !quoted && previous == b'$' => parameter = true,
            b'}' if parameter => parameter = false,
            b'{' | b'}' if !quoted => {
                let rest = text.get(at + 1..).unwrap_or_default();
                if is_directive(rest.trim_start_matches([' ', '\t'])) {
                    return Some(at + 1);
                }
            }
            _ => {}
        }
        hidden = byte == b'\\' && !hidden;
        previous = byte;
    }
    None
}

fn is_directive(text: &str) -> bool {
    text.starts_with('@')
        || definition::name_of(text).is_some()
        || repetition::Kind::of(text).is_some()
        || include::Variant::of(text).is_some()
        || text.starts_with("include_check")
        || text.trim_start_matches('"').starts_with("random_seed")
}

#[cfg(test)]
struct One<'a>(&'a [u8]);

#[cfg(test)]
impl SourceProvider for One<'_> {
    fn read(&self, _: &str) -> std::io::Result<Vec<u8>> {
        Ok(self.0.to_vec())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostic::Severity;

    /// The lines, and the code and text of what was reported.
    fn read(text: &str) -> (Vec<String>, Vec<(Code, String)>) {
        let mut diagnostics = Findings::default();
        let (sources, prepared) = read_text(text.as_bytes(), &mut diagnostics);
        let lines = passages(&sources, &prepared).flat_map(|passage| passage.text.lines());
        let texts = lines.map(|line| line.trim().to_owned()).filter(|line| !line.is_empty()).collect();
        let found =
            diagnostics.into_vec().iter().map(|d| (d.code, sources.text(d.primary).to_owned())).collect();
        (texts, found)
    }

    #[track_caller]
    fn assert_lines(text: &str, expected: &[&str]) {
        let (lines, found) = read(text);
        assert_eq!(lines, expected, "{text}");
        assert_eq!(found, [], "{text}");
    }

    #[test]
    fn comments_end_lines_outside_double_quotes() {
        let text = " a b # c\n! d\n\"x#y\" !z\n'x#y'\nbbb#c\n\\# d#e\n\t\r\n";
        assert_lines(text, &["a b", "\"x#y\"", "'x", "bbb", "\\# d"]);
    }

    #[test]
    fn parameters_are_replaced_where_they_are_used() {
        assert_lines("$A=1\n$B=${A}.$A\n$A=2\nx $B ${A}y $A, $A) $Axyz", &["x 2.2 2y 2, 2) $Axyz"]);
        assert_lines("$B=X\n$AX=55\npriority ${A${B}}", &["priority 55"]);
        assert_lines("$A= \"x # y\"\nk $A # z", &["k \"x # y\""]);
        assert_lines("$A=\nk ${A} l$A", &["k  l"]);
        assert_lines("  $A =1", &["$A =1"]);
    }

    #[test]
    fn values_of_several_lines_follow_their_first() {
        assert_lines("$V= a \\\n b \\\n \\\n c\nx_$V\ny", &["x_a", "b", "c", "y"]);
        assert_lines("$V= \\\n a # \\\n$V\nb", &["a", "b"]);
        assert_lines("$V= \\\n $P=7 \\\n p $P\n$V", &["p 7"]);
        assert_lines("$I= \\\n i \\\n j\n$V= \\\n a $I \\\n b\n$V\nc", &["a i", "j", "b", "c"]);
        assert_lines("$V= \\\n a \\\n\nb\n$V", &["b", "a"]);
    }

    #[test]
    fn conditions_choose_lines() {
        assert_lines("@x a\n@^x b\n@steadfast c\n@^steadfast d\n@ e\n@x", &["b", "c"]);
        assert_lines("k { @x a\n} @^x b", &["k {", "}", "b"]);
        assert_lines("@x $V= \\\n a \\\n b\nc", &["c"]);
    }

    #[test]
    fn repetitions_count_and_list() {
        assert_lines("~SEQ(N,2) $N\n~SEQ(N,0) $N\n~SEQ(N,-2) $N", &["1", "2", "1", "0", "-1", "-2"]);
        assert_lines("~SEQ ( N , 1 , 2, 6 ) a${N}\n$N", &["a1", "a3", "a5", "5"]);
        assert_lines("$E=0x12\n~SEQx(N,020,$E) ${N}", &["10", "11", "12"]);
        assert_lines("~SEQ(A,1,2) ~LST(B,x,,y) ${A}$B", &["1x", "1", "1y", "2x", "2", "2y"]);
        assert_lines("$Q=7\n~LST({A,B},{1,$Q},2) ${A}-${B}", &["1-7", "2-"]);
        assert_lines("v { ~SEQ(N,1,2) a$N,\n}", &["v {", "a1,", "a2,", "}"]);
        assert_lines("~SEQ(N,1,2)\nx", &["x"]);
        assert_lines("~SEQ(N,1,2) $V= \\\n a ${N} \\\n b\nc\n$V", &["c", "a 2", "b"]);
        assert_lines("~LST(N,x,y) ~SEQ(M,1,2) $V=${N}${M} \\\n b\n$V\nc", &["y2", "b", "c"]);
        assert_lines("@x ~SEQ(N,1,2) $V= \\\n a \\\n b\nc", &["c"]);
        assert_lines("~SEQ(N,1,2) @x $V= \\\n a \\\n b\nc", &["c"]);
        assert_lines("~SEQ(N,1,2) k${N} { $V= \\\n a \\\n b\n$V", &["k1 {", "k2 {", "a", "b"]);
    }

    #[test]
    fn values_may_be_directives() {
        assert_lines("$X=@x a\n$Y=@^x b\n$X\n$Y", &["b"]);
        assert_lines("$X=~SEQ(N,1,2) p ${N}\n$X", &["p 1", "p 2"]);
        assert_lines("$L=~SEQ(N,1,2)\n$N=9\n$L x${N}", &["x1", "x2"]);
        assert_lines("$X=$Y=5\n$X\nk $Y", &["k 5"]);
    }

    #[test]
    fn comment_characters_can_be_had() {
        assert_lines("a ${_HASH}b \"${_BANG}c\"", &["a \\#b \"!c\""]);
    }

    #[test]
    fn what_stands_for_nothing_is_reported() {
        let (lines, found) = read("$NAME=1\nk ${NAM} \"${NAME1}\" $HOME $NAMEE");
        assert_eq!(lines, ["k ${NAM} \"${NAME1}\" $HOME $NAMEE"]);
        let texts: Vec<_> = found.iter().map(|(code, text)| (*code, text.as_str())).collect();
        let expected = ["${NAM}", "${NAME1}", "$NAMEE"].map(|text| (Code::Parameter, text));
        assert_eq!(texts, expected);
    }

    #[test]
    fn what_is_no_use_of_a_parameter_is_reported() {
        for text in ["${A:-x}", "${A", "${ A }", "${}"] {
            let (_, found) = read(&format!("$A=1\nk {text}"));
            assert_eq!(found, [(Code::Parameter, text.to_owned())]);
        }
    }

    #[test]
    fn a_value_of_several_lines_in_mid_line_is_a_warning_where_its_braces_stay() {
        for (text, severity) in
            [("$V x", Severity::Note), ("\"${V} x\"", Severity::Note), ("${V} x", Severity::Warning)]
        {
            let mut findings = Findings::default();
            drop(read_text(format!("$V= \\\na \\\nb\nk {text}").as_bytes(), &mut findings));
            let found: Vec<_> =
                findings.into_vec().iter().map(|found| (found.code, found.severity)).collect();
            assert_eq!(found, [(Code::Parameter, severity)], "{text}");
        }
    }

    #[test]
    fn circles_end() {
        for text in [
            "$A=x$A\nk $A",
            "$A=$B\n$B=$A\nk $A",
            "$A=$A\n$A",
            "$A= \\\n x \\\n $A\n$A",
            "$A= \\\n x $A \\\n y\n$A",
        ] {
            let (_, found) = read(text);
            assert_eq!(found.iter().map(|(code, _)| *code).collect::<Vec<_>>(), [Code::LeadsBack], "{text}");
        }
    }

    #[test]
    fn bounds_hold() {
        let limits = Limits { lines: 1000, made: 100_000, ..Limits::default() };
        let options = Options { limits, ..Options::default() };
        for text in [
            "~SEQ(A,1,1000000) ~SEQ(B,1,1000000) ~SEQ(C,1,1000000) x",
            "~SEQ(A,1,1000000000000) $X=1",
            "~SEQ(A,1,1000) ~SEQ(B,1,1000)",
            "~SEQ(A,1,1000) @no x",
            "~SEQ(A,1,100) $V= \\\na \\\na \\\na \\\na \\\na \\\na \\\na \\\na \\\na \\\na \\\na \\\na \\\na",
        ] {
            let (mut sources, mut diagnostics) = (SourceMap::default(), Findings::default());
            let prepared = run(&One(text.as_bytes()), "t", &options, &mut sources, &mut diagnostics);
            assert!(prepared.len() <= 1000);
            let codes: Vec<_> = diagnostics.into_vec().iter().map(|diagnostic| diagnostic.code).collect();
            assert_eq!(codes, [Code::TooMuch], "{text}");
        }
    }
}
