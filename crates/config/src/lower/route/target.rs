//! Where packets are to go, and what happens to them.

use model::Family;
use model::route::Kind;

use crate::diagnostic::{Code, Diagnostic, shown};
use crate::keyword;
use crate::lexer::Word;
use crate::lower::entry::{self, Written};
use crate::lower::{Report, Spanned};

use super::{Destination, Reader, everything};

/// `rtnetlink.h`.
const KINDS: [(&str, Kind); 11] = [
    ("unicast", Kind::Unicast),
    ("local", Kind::Local),
    ("broadcast", Kind::Broadcast),
    ("anycast", Kind::Anycast),
    ("multicast", Kind::Multicast),
    ("blackhole", Kind::Blackhole),
    ("unreachable", Kind::Unreachable),
    ("prohibit", Kind::Prohibit),
    ("throw", Kind::Throw),
    ("nat", Kind::Nat),
    ("xresolve", Kind::ExternalResolve),
];

impl Reader<'_, '_> {
    /// A word that is no option: a kind with a destination behind it, or a destination.
    pub(super) fn bare(&mut self, word: &Word<'_>, report: &mut Report) -> Option<()> {
        match kind(&word.text) {
            Some(value) => {
                self.line.kind = Some(Spanned { value, span: word.span });
                let target = self.entry.value(word, report)?;
                self.destination(target, report)
            }
            None => self.destination(word, report),
        }
    }

    /// `to [TYPE] DESTINATION`.
    pub(super) fn to(&mut self, option: &Word<'_>, report: &mut Report) -> Option<()> {
        let word = self.entry.value(option, report)?;
        self.bare(word, report)
    }

    pub(super) fn default6(&mut self, word: &Word<'_>, report: &mut Report) -> Option<()> {
        self.line.claim(Family::V6, word.span, &word.text, report)?;
        self.set_destination(
            Destination::Prefix(everything(std::net::Ipv6Addr::UNSPECIFIED.into())),
            word,
            report,
        );
        Some(())
    }

    fn destination(&mut self, word: &Word<'_>, report: &mut Report) -> Option<()> {
        match word.text.as_ref() {
            "default" | "any" | "all" => {
                self.refuse_second(word, report)?;
                self.set_destination(Destination::Default, word, report);
            }
            "default6" => self.default6(word, report)?,
            text => {
                let Some(written) = Written::parse(text) else {
                    self.report_stranger(word, report);
                    return None;
                };
                self.line.claim(written.address.into(), word.span, text, report)?;
                let prefix = written.prefix(word, report);
                self.set_destination(Destination::Prefix(prefix), word, report);
            }
        }
        Some(())
    }

    /// keepalived cannot go back from a family to any family.
    fn refuse_second(&self, word: &Word<'_>, report: &mut Report) -> Option<()> {
        let Some(Spanned { value: Destination::Prefix(_), span }) = self.line.destination else {
            return Some(());
        };
        let headline = format!("a route has one destination, and {} is a second one", shown(&word.text));
        let diagnostic = self.entry.void(Code::Repeated, word.span, headline, "");
        report.push(diagnostic.label(span, "the first one"));
        None
    }

    /// The last destination counts, as with keepalived.
    fn set_destination(&mut self, value: Destination, word: &Word<'_>, report: &mut Report) {
        let before = self.line.destination.replace(Spanned { value, span: word.span });
        if let Some(before) = before {
            let headline = "a route has one destination; this one is not used";
            report.push(
                Diagnostic::note(Code::Repeated, before.span, headline)
                    .label(word.span, "this one is")
                    .help("each route needs a line of its own"),
            );
        }
    }

    /// A word that is neither option nor kind nor destination.
    fn report_stranger(&self, word: &Word<'_>, report: &mut Report) {
        let near = keyword::nearest(self.block, &word.text).map(|keyword| keyword.name);
        let near_kind =
            || keyword::nearest_of(&word.text, KINDS.iter(), |(name, _)| name).map(|(name, _)| *name);
        let names_network =
            word.text.starts_with(|c: char| c.is_ascii_digit()) || word.text.contains([':', '/']);
        let headline = if names_network || self.line.destination.is_none() && near.is_none() {
            format!("{} is not the destination of a route", shown(&word.text))
        } else {
            format!("{} is no option of a route", shown(&word.text))
        };
        let advice = match near.or_else(near_kind) {
            _ if names_network => "write `ADDRESS/LENGTH` with all its numbers".to_owned(),
            Some(near) => format!("did you mean `{near}`?"),
            None => "keepalived takes any word that is no option as the destination".to_owned(),
        };
        let diagnostic = self.entry.void(Code::InvalidChoice, word.span, headline, &advice);
        report.push(diagnostic.classic(format!("unknown route keyword {}", word.text)));
    }
}

fn kind(text: &str) -> Option<Kind> {
    if text == "brd" {
        return Some(Kind::Broadcast);
    }
    if let Some((_, kind)) = KINDS.iter().find(|(name, _)| *name == text) {
        return Some(*kind);
    }
    let number = entry::based(text).ok().and_then(|number| u8::try_from(number).ok())?;
    let named = usize::from(number).checked_sub(1).and_then(|index| KINDS.get(index));
    Some(named.map_or(Kind::Other(number), |(_, kind)| *kind))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_have_names_and_numbers() {
        let read = [("unicast", 1), ("brd", 3), ("xresolve", 11)];
        for (name, number) in read {
            assert_eq!(kind(name), kind(&number.to_string()), "{name}");
        }
        assert_eq!(kind("0"), Some(Kind::Other(0)));
        assert_eq!(kind("0xc"), Some(Kind::Other(12)));
        assert_eq!(kind("256"), None);
    }
}
