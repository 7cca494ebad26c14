//! Reading the arguments of a keyword by the grammar that the table gives it.
//!
//! Each reader reports what is wrong and then gives `None`: the line has no effect, as with keepalived.

use std::net::IpAddr;
use std::time::Duration;

use model::IfName;

use crate::diagnostic::{Code, Diagnostic, Severity, shown, shown_bare};
use crate::keyword::{self, Arguments, Block, Content, Keyword};
use crate::lexer::Word;
use crate::lower::Report;
use crate::number::{self, Decimal};
use crate::source::Span;
use crate::tree::Node;

/// A value and where it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Spanned<T> {
    pub(crate) value: T,
    pub(crate) span: Span,
}

impl<T> Spanned<T> {
    pub(crate) fn map<U>(self, f: impl FnOnce(T) -> U) -> Spanned<U> {
        Spanned { value: f(self.value), span: self.span }
    }
}

/// A line whose keyword the table knows.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Setting<'n, 'a> {
    pub(crate) node: &'n Node<'a>,
    pub(crate) keyword: &'static Keyword,
    pub(crate) block: Block,
}

impl<'n, 'a> Setting<'n, 'a> {
    pub(crate) const fn name(&self) -> &'static str {
        self.keyword.name
    }

    /// Notes that the keyword has no effect yet, if that is so.
    pub(crate) fn lacks(&self, report: &mut Report) {
        report.lacks(self.name(), self.keyword.status, self.head_span());
    }

    /// The whole line.
    pub(crate) fn span(&self) -> Span {
        self.node.statement.span()
    }

    /// The keyword.
    pub(crate) fn head_span(&self) -> Span {
        self.node.head().map_or_else(|| self.span(), |head| head.span)
    }

    /// The first argument. keepalived stops at once if there is none, so that is an error.
    pub(crate) fn first(&self, report: &mut Report) -> Option<&'n Word<'a>> {
        let first = self.node.arguments().first();
        if first.is_none() {
            let headline = format!("`{}` needs a value", self.name());
            let help = format!("write `{} {}`", self.name(), self.keyword.arguments);
            report.push(Diagnostic::error(Code::MissingArgument, self.span(), headline).help(help));
        }
        first
    }

    /// Whether there is an argument. For keywords that keepalived skips with a message if there is none.
    pub(crate) fn has_value(&self, report: &mut Report) -> bool {
        let unpaired = self.node.statement.unpaired.is_some();
        // The rules of commands may find a word where there is only a quote.
        let has = !self.node.arguments().is_empty() || (unpaired && self.keyword.takes_command());
        if !has && !unpaired {
            let headline = format!("`{}` needs a value", self.name());
            let help = format!("write `{} {}`; the line has no effect", self.name(), self.keyword.arguments);
            report.push(Diagnostic::warning(Code::MissingArgument, self.span(), headline).help(help));
        }
        has
    }

    /// Reports what stands between the keyword of a list and its brace.
    pub(crate) fn refuse_words_before_list(&self, report: &mut Report) {
        let content = self.keyword.opens.map(Block::content);
        let is_list = matches!(content, Some(Content::Lines | Content::Words));
        if !is_list || self.keyword.arguments != Arguments::Flag {
            return;
        }
        let words = self.node.arguments();
        if let (Some(first), Some(last)) = (words.first(), words.last()) {
            let headline = format!("what stands between `{}` and its brace is ignored", self.name());
            report.push(
                Diagnostic::warning(Code::WordsBeforeBrace, first.span.to(last.span), headline)
                    .help("entries stand between the braces")
                    .classic(format!("Block {} has extra parameters", self.name())),
            );
        }
    }

    /// The lines of a list, without empty ones.
    pub(crate) fn lines(&self) -> impl Iterator<Item = &'n [Word<'a>]> {
        let lines = self.node.children().iter().map(|line| line.statement.words.as_slice());
        lines.filter(|words| !words.is_empty())
    }

    /// The words of a list in which each word is an entry.
    pub(crate) fn entries(&self) -> Vec<&'n Word<'a>> {
        self.lines().flatten().collect()
    }

    /// Reports a list without entries.
    pub(crate) fn warn_empty(&self, report: &mut Report) {
        let headline = format!("the list of `{}` is empty", self.name());
        report.push(
            Diagnostic::warning(Code::EmptyList, self.head_span(), headline)
                .help("add an entry, or take the block out")
                .classic(format!("Warning - empty {} block", self.name())),
        );
    }

    /// Remarks on the old name of a keyword.
    pub(crate) fn remark_on_alias(&self, severity: Severity, report: &mut Report) {
        if let Some(now) = self.keyword.alias_of {
            let headline = format!("`{}` is an old name of `{now}`", self.name());
            report.push(
                Diagnostic::new(severity, Code::Deprecated, self.head_span(), headline)
                    .help(format!("write `{now}`; it means the same")),
            );
        }
    }

    /// The only argument.
    pub(crate) fn only(&self, report: &mut Report) -> Option<&'n Word<'a>> {
        self.note_words_after(1, report);
        self.first(report)
    }

    /// Whether nothing stands behind its value. Most keywords ignore it, with others the line is void.
    pub(crate) fn is_alone(&self, report: &mut Report) -> bool {
        let [_, extra, ..] = self.node.arguments() else { return true };
        let headline = format!("`{}` takes one word", self.name());
        report
            .push(Diagnostic::warning(Code::ExtraWords, extra.span, headline).help("the line has no effect"));
        false
    }

    /// Remarks on words that keepalived ignores without notice.
    pub(crate) fn note_words_after(&self, count: usize, report: &mut Report) {
        let extra = self.node.arguments().get(count..).unwrap_or_default();
        let (Some(first), Some(last)) = (extra.first(), extra.last()) else { return };
        let headline = format!("what follows `{}` here is ignored", self.name());
        let mut note = Diagnostic::note(Code::ExtraWords, first.span.to(last.span), headline);
        if extra.iter().any(|word| keyword::lookup(self.block, &word.text).is_some()) {
            note = note.help("each keyword needs a line of its own");
        } else if self.keyword.arguments == Arguments::Flag {
            note = note.help(format!("`{}` takes no value; to switch it off, leave it out", self.name()));
        }
        report.push(note);
    }

    /// A word without further rules.
    pub(crate) fn text(&self, report: &mut Report) -> Option<Spanned<String>> {
        let word = self.only(report)?;
        Some(Spanned { value: word.text.clone().into_owned(), span: word.span })
    }

    /// The name before the brace of a block.
    pub(crate) fn block_name(&self, report: &mut Report) -> Option<Spanned<String>> {
        let Some(word) = self.node.arguments().first() else {
            let headline = format!("`{}` needs a name", self.name());
            let help = format!("write `{} NAME {{`", self.name());
            report.push(Diagnostic::error(Code::MissingArgument, self.span(), headline).help(help));
            return None;
        };
        self.note_words_after(1, report);
        Some(Spanned { value: word.text.clone().into_owned(), span: word.span })
    }

    pub(crate) fn integer(&self, report: &mut Report) -> Option<Spanned<i64>> {
        let word = self.only(report)?;
        self.integer_in(word, report).map(|value| Spanned { value, span: word.span })
    }

    /// `word` as a whole number within the range of the table.
    pub(crate) fn integer_in(&self, word: &Word<'_>, report: &mut Report) -> Option<i64> {
        let (Arguments::Integer(range) | Arguments::WholeSeconds(range) | Arguments::Weight(range)) =
            &self.keyword.arguments
        else {
            return None;
        };
        match number::integer(&word.text) {
            Ok(value) if range.contains(&value) => Some(value),
            Ok(_) | Err(number::NumberError::TooLarge) => {
                report.push(self.out_of_range(word, &format!("{} to {}", range.start(), range.end())));
                None
            }
            Err(number::NumberError::Invalid) => {
                report.push(self.invalid(Code::InvalidNumber, word, "is not a whole number"));
                None
            }
        }
    }

    /// A whole number that its type can hold.
    pub(crate) fn number<T: TryFrom<i64>>(&self, report: &mut Report) -> Option<Spanned<T>> {
        let Spanned { value, span } = self.integer(report)?;
        T::try_from(value).ok().map(|value| Spanned { value, span })
    }

    pub(crate) fn whole_seconds(&self, report: &mut Report) -> Option<Spanned<Duration>> {
        let seconds = self.number::<u64>(report)?;
        Some(seconds.map(Duration::from_secs))
    }

    pub(crate) fn seconds(&self, report: &mut Report) -> Option<Spanned<Duration>> {
        let word = self.only(report)?;
        let Arguments::Seconds { micros, decimals } = &self.keyword.arguments else { return None };
        let range = || format!("{} to {}", Decimal(*micros.start()), Decimal(*micros.end()));
        match number::decimal(&word.text, *decimals) {
            Ok(number) if micros.contains(&number.value) => {
                if number.rounded {
                    let headline =
                        format!("{} has more than {decimals} decimals; it is rounded", shown(&word.text));
                    report.push(Diagnostic::warning(Code::Adjusted, word.span, headline));
                }
                Some(Spanned { value: Duration::from_micros(number.value), span: word.span })
            }
            Ok(_) | Err(number::NumberError::TooLarge) => {
                report.push(self.out_of_range(word, &format!("{} seconds", range())));
                None
            }
            Err(number::NumberError::Invalid) => {
                report.push(self.invalid(Code::InvalidNumber, word, "is not a number of seconds"));
                None
            }
        }
    }

    /// A bare keyword means true.
    pub(crate) fn boolean(&self, report: &mut Report) -> Option<bool> {
        self.note_words_after(1, report);
        let Some(word) = self.node.arguments().first() else { return Some(true) };
        match word.text.as_ref() {
            "true" | "on" | "yes" => Some(true),
            "false" | "off" | "no" => Some(false),
            _ => {
                let diagnostic = self.invalid(Code::InvalidChoice, word, "is neither true nor false");
                report.push(diagnostic.help("write one of `true`, `on`, `yes`, `false`, `off`, `no`"));
                None
            }
        }
    }

    /// As [`Self::boolean`], where keepalived does not report what is neither.
    pub(crate) fn quiet_boolean(&self, report: &mut Report) -> Option<bool> {
        report.quietly(|report| self.boolean(report))
    }

    /// The keyword alone; words after it change nothing.
    pub(crate) fn flag(&self, report: &mut Report) -> bool {
        self.note_words_after(0, report);
        true
    }

    pub(crate) fn address(&self, report: &mut Report) -> Option<Spanned<IpAddr>> {
        let word = self.only(report)?;
        match word.text.parse() {
            Ok(value) => Some(Spanned { value, span: word.span }),
            Err(_) => {
                report.push(self.invalid(Code::InvalidAddress, word, "is not an IP address"));
                None
            }
        }
    }

    pub(crate) fn interface(&self, report: &mut Report) -> Option<Spanned<IfName>> {
        let word = self.only(report)?;
        interface(word, report)
    }

    /// A diagnostic about `word`, which makes the line void.
    pub(crate) fn invalid(&self, code: Code, word: &Word<'_>, what: &str) -> Diagnostic {
        Diagnostic::warning(code, word.span, format!("{} {what}", shown(&word.text)))
            .help("the line has no effect")
    }

    pub(crate) fn out_of_range(&self, word: &Word<'_>, range: &str) -> Diagnostic {
        let headline = format!("{} is out of range for `{}`", shown(&word.text), self.name());
        let bounds = range.trim_end_matches(" seconds").replace(" to ", ", ");
        Diagnostic::warning(Code::OutOfRange, word.span, headline)
            .help(format!("the range is {range}; the line has no effect"))
            .classic(format!("number {} outside range [{bounds}]", shown(&word.text).replace('`', "'")))
    }
}

/// `word` as the name of an interface, which a configuration test looks for.
pub(crate) fn interface(word: &Word<'_>, report: &mut Report) -> Option<Spanned<IfName>> {
    let interface = later_interface(word, report)?;
    report.interfaces.push(interface.clone());
    Some(interface)
}

/// `word` as the name of an interface that may come later.
pub(crate) fn later_interface(word: &Word<'_>, report: &mut Report) -> Option<Spanned<IfName>> {
    match word.text.parse() {
        Ok(value) => Some(Spanned { value, span: word.span }),
        Err(error) => {
            let headline = format!("{} cannot be an interface: {error}", shown(&word.text));
            let mut diagnostic = Diagnostic::warning(Code::InvalidInterface, word.span, headline);
            if word.text.len() > 15 {
                let name = shown_bare(&word.text);
                diagnostic = diagnostic.classic(format!("Interface name '{name}' too long - ignoring"));
            }
            report.push(diagnostic);
            None
        }
    }
}
