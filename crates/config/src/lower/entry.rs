//! Lines of value blocks, word by word: addresses, routes and rules.

use std::net::IpAddr;
use std::ops::RangeInclusive;
use std::slice;

use model::Prefix;

use crate::diagnostic::{Code, Diagnostic, shown, shown_bare};
use crate::keyword::{self, Block, Keyword};
use crate::lexer::Word;
use crate::lower::Report;
use crate::number;
use crate::source::Span;

/// What is left of a line. Each reader reports what is wrong and then gives `None`: the entry is void.
#[derive(Clone, Debug)]
pub(crate) struct Entry<'n, 'a> {
    words: slice::Iter<'n, Word<'a>>,
    block: Block,
    /// What the line describes, for messages.
    noun: &'static str,
}

impl<'n, 'a> Entry<'n, 'a> {
    pub(crate) fn new(words: &'n [Word<'a>], block: Block, noun: &'static str) -> Self {
        Self { words: words.iter(), block, noun }
    }

    /// What the line describes.
    pub(crate) const fn noun(&self) -> &'static str {
        self.noun
    }

    /// The next word.
    pub(crate) fn next(&mut self) -> Option<&'n Word<'a>> {
        self.words.next()
    }

    /// Whether all words are read.
    pub(crate) fn is_empty(&self) -> bool {
        self.words.as_slice().is_empty()
    }

    /// The next word if `wanted` says so.
    pub(crate) fn next_if(&mut self, wanted: impl FnOnce(&str) -> bool) -> Option<&'n Word<'a>> {
        let next = self.words.as_slice().first().filter(|word| wanted(&word.text))?;
        self.words.next();
        Some(next)
    }

    /// The next word if it is an option of `block`.
    pub(crate) fn next_option(&mut self, block: Block) -> Option<(&'n Word<'a>, &'static Keyword)> {
        let word = self.words.as_slice().first()?;
        let keyword = keyword::lookup(block, &word.text)?;
        self.words.next();
        Some((word, keyword))
    }

    /// The word after `option`. keepalived stops at once if there is none, so that is an error.
    pub(crate) fn value(&mut self, option: &Word<'_>, report: &mut Report) -> Option<&'n Word<'a>> {
        let value = self.words.next();
        if value.is_none() {
            let headline = format!("{} needs a value", shown(&option.text));
            let diagnostic = Diagnostic::error(Code::MissingArgument, option.span, headline);
            report.push(match keyword::lookup(self.block, &option.text) {
                Some(keyword) => diagnostic.help(format!("write `{} {}`", keyword.name, keyword.arguments)),
                None => diagnostic,
            });
        }
        value
    }

    /// A warning about `word`, which makes the entry void.
    pub(crate) fn void(&self, code: Code, span: Span, headline: String, advice: &str) -> Diagnostic {
        let consequence = format!("he whole {} is ignored", self.noun);
        let help = match advice.chars().last() {
            None => format!("t{consequence}"),
            Some('?') => format!("{advice} T{consequence}"),
            Some(_) => format!("{advice}; t{consequence}"),
        };
        Diagnostic::warning(code, span, headline).help(help)
    }

    /// The number after `option`, decimal.
    pub(crate) fn number<T: TryFrom<u64>>(
        &mut self,
        option: &Word<'_>,
        range: RangeInclusive<u64>,
        report: &mut Report,
    ) -> Option<T> {
        let word = self.value(option, report)?;
        self.number_in(word, option, number::natural(&word.text), range, report)
    }

    /// The number after `option`, whose base is in its prefix.
    pub(crate) fn based<T: TryFrom<u64>>(
        &mut self,
        option: &Word<'_>,
        range: RangeInclusive<u64>,
        report: &mut Report,
    ) -> Option<T> {
        let word = self.value(option, report)?;
        self.number_in(word, option, based(&word.text), range, report)
    }

    /// What `word` was read as, if it is in the range.
    pub(crate) fn number_in<T: TryFrom<u64>>(
        &self,
        word: &Word<'_>,
        option: &Word<'_>,
        number: Result<u64, number::NumberError>,
        range: RangeInclusive<u64>,
        report: &mut Report,
    ) -> Option<T> {
        let value =
            number.ok().filter(|value| range.contains(value)).and_then(|value| T::try_from(value).ok());
        if value.is_none() {
            let negative =
                word.text.starts_with('-') && number::natural(word.text.trim_start_matches('-')).is_ok();
            let (code, what) = match number {
                Err(number::NumberError::Invalid) if !negative => (Code::InvalidNumber, "is not a number"),
                _ => (Code::OutOfRange, "is out of range"),
            };
            let headline = format!("{} {what} for {}", shown(&word.text), shown(&option.text));
            let advice = format!("the range is {} to {}", range.start(), range.end());
            report.push(self.void(code, word.span, headline, &advice));
        }
        value
    }

    /// A network, or a host.
    pub(crate) fn prefix(&self, word: &Word<'_>, option: &Word<'_>, report: &mut Report) -> Option<Prefix> {
        if let Some(written) = Written::parse(&word.text) {
            return Some(written.prefix(word, report));
        }
        let headline = format!("{} is no address for {}", shown(&word.text), shown(&option.text));
        let (what, text) = (option.text.as_ref(), shown_bare(&word.text));
        let mut diagnostic = self.void(Code::InvalidAddress, word.span, headline, "write `ADDRESS/LENGTH`");
        if matches!(what, "from" | "to") {
            diagnostic = diagnostic.classic(format!("Invalid rule {what} address {text}"));
        }
        report.push(diagnostic);
        None
    }

    /// The address after `option`, without a length.
    pub(crate) fn address(&mut self, option: &Word<'_>, report: &mut Report) -> Option<IpAddr> {
        let word = self.value(option, report)?;
        let address = word.text.parse().ok();
        if address.is_none() {
            let headline = format!("{} is no address for {}", shown(&word.text), shown(&option.text));
            let advice = if Written::parse(&word.text).is_some() { "write it without a length" } else { "" };
            let (what, text) = (option.text.as_ref(), shown_bare(&word.text));
            let mut diagnostic = self.void(Code::InvalidAddress, word.span, headline, advice);
            if matches!(what, "via" | "src") {
                diagnostic = diagnostic.classic(format!("invalid route {what} address {text}"));
            }
            report.push(diagnostic);
        }
        address
    }
}

/// A number whose base is in its prefix, perhaps with a plus sign.
pub(crate) fn based(text: &str) -> Result<u64, number::NumberError> {
    number::based(text.strip_prefix('+').unwrap_or(text)).map(u64::from)
}

/// An address as it was written.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Written<'a> {
    pub(crate) address: IpAddr,
    pub(crate) length: Option<&'a str>,
}

impl<'a> Written<'a> {
    pub(crate) fn parse(text: &'a str) -> Option<Self> {
        let (address, length) = match text.split_once('/') {
            Some((address, length)) => (address, Some(length)),
            None => (text, None),
        };
        Some(Self { address: address.parse().ok()?, length })
    }

    /// With its length, or that of a host. A length that is none is reported; an empty one counts as left out.
    pub(crate) fn prefix(self, word: &Word<'_>, report: &mut Report) -> Prefix {
        let host = Prefix::host(self.address);
        let Some(length) = self.length.filter(|length| !length.is_empty()) else { return host };
        let valid = number::natural(length).ok().and_then(|length| u8::try_from(length).ok());
        valid.and_then(|length| Prefix::new(self.address, length).ok()).unwrap_or_else(|| {
            let headline =
                format!("{} has no valid prefix length; {} is used", shown(&word.text), host.length());
            report.push(
                Diagnostic::warning(Code::OutOfRange, word.span, headline)
                    .help(format!("the range is 0 to {}", host.length()))
                    .classic(format!(
                        "Invalid address prefix len {length} for address {} - using {}",
                        shown_bare(&word.text),
                        host.length()
                    )),
            );
            host
        })
    }
}
