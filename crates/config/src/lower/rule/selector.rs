//! Which packets a rule is for.

use model::rule::{Mark, Span as Range};
use model::{Family, Prefix};

use crate::diagnostic::{Code, shown};
use crate::lexer::Word;
use crate::lower::entry::{self, Entry, Written};
use crate::lower::{Report, setting};
use crate::number;

use super::Reader;

impl Reader<'_, '_> {
    /// Reads a condition.
    pub(super) fn select(&mut self, option: &Word<'_>, name: &str, report: &mut Report) -> Option<()> {
        match name {
            "from" => self.line.selector.from = self.network(option, report)?,
            "to" => self.line.selector.to = self.network(option, report)?,
            "tos" => self.line.selector.tos = Some(self.entry.tos(option, report)?),
            "fwmark" => self.line.selector.mark = Some(mark(&mut self.entry, option, report)?),
            "iif" => {
                let word = self.entry.value(option, report)?;
                self.line.selector.input = Some(setting::interface(word, report)?.value);
            }
            "oif" => {
                let word = self.entry.value(option, report)?;
                self.line.selector.output = Some(setting::interface(word, report)?.value);
            }
            "tunnel-id" => {
                self.line.selector.tunnel = Some(self.entry.number(option, 0..=u64::MAX, report)?);
            }
            "uidrange" => self.line.selector.users = Some(users(&mut self.entry, option, report)?),
            "ipproto" => self.line.selector.ip_protocol = Some(self.entry.ip_protocol(option, report)?),
            "sport" => self.line.selector.source_ports = Some(ports(&mut self.entry, option, report)?),
            "dport" => self.line.selector.destination_ports = Some(ports(&mut self.entry, option, report)?),
            _ => {}
        }
        Some(())
    }

    /// A network; the inner `None` is everything.
    fn network(&mut self, option: &Word<'_>, report: &mut Report) -> Option<Option<Prefix>> {
        let word = self.entry.value(option, report)?;
        match word.text.as_ref() {
            "default" | "any" | "all" => return Some(None),
            "default6" => {
                self.line.claim(Family::V6, word.span, &word.text, report)?;
                return Some(None);
            }
            _ => {}
        }
        if let Some(written) = Written::parse(&word.text) {
            self.line.claim(written.address.into(), word.span, &word.text, report)?;
        }
        self.entry.prefix(word, option, report).map(Some)
    }
}

/// `MARK[/MASK]`.
fn mark(entry: &mut Entry<'_, '_>, option: &Word<'_>, report: &mut Report) -> Option<Mark> {
    let word = entry.value(option, report)?;
    let number = |text: &str| entry::based(text).ok().and_then(|number| u32::try_from(number).ok());
    let mark = match word.text.split_once('/') {
        Some((value, mask)) => number(value).zip(number(mask)).map(|(value, mask)| Mark { value, mask }),
        None => number(&word.text).map(|value| Mark { value, mask: u32::MAX }),
    };
    if mark.is_none() {
        let headline = format!("{} is no firewall mark", shown(&word.text));
        let advice = "write `MARK` or `MARK/MASK`, each up to 4294967295 or 0xffffffff";
        report.push(entry.void(Code::InvalidNumber, word.span, headline, advice));
    }
    mark
}

/// `FIRST-LAST`.
fn users(entry: &mut Entry<'_, '_>, option: &Word<'_>, report: &mut Report) -> Option<Range<u32>> {
    let word = entry.value(option, report)?;
    let number = |text: &str| number::natural(text).ok().and_then(|number| u32::try_from(number).ok());
    let range = word.text.split_once('-').and_then(|(first, last)| number(first).zip(number(last)));
    range_of(range, "users", "write `FIRST-LAST`, by number", word, entry, report)
}

/// `PORT-PORT`, or a single port, which keepalived refuses.
fn ports(entry: &mut Entry<'_, '_>, option: &Word<'_>, report: &mut Report) -> Option<Range<u16>> {
    let word = entry.value(option, report)?;
    let port = |text: &str| {
        let port = number::natural(text).ok().and_then(|port| u16::try_from(port).ok());
        port.filter(|port| *port != 0)
    };
    let (first, last) = word.text.split_once('-').unwrap_or((&word.text, &word.text));
    let range = port(first).zip(port(last));
    range_of(range, "ports", "write `PORT` or `FIRST-LAST`, 1 to 65535", word, entry, report)
}

/// The kernel refuses a range that goes down, so the rule would never be there.
fn range_of<T: Copy + Ord>(
    range: Option<(T, T)>,
    what: &str,
    advice: &str,
    word: &Word<'_>,
    entry: &Entry<'_, '_>,
    report: &mut Report,
) -> Option<Range<T>> {
    let found = range.and_then(|(first, last)| Range::new(first, last).ok());
    if found.is_none() {
        let headline = if range.is_some() {
            format!("{} ends before it begins", shown(&word.text))
        } else {
            format!("{} is no range of {what}", shown(&word.text))
        };
        report.push(entry.void(Code::InvalidNumber, word.span, headline, advice));
    }
    found
}
