//! What the language has and this release does not act on yet: read and checked like everything, and told once.

use std::collections::BTreeMap;

use crate::diagnostic::{Code, Diagnostic};
use crate::keyword::{Loss, Status};
use crate::lower::Report;
use crate::source::Span;

/// The uses of everything that has no effect yet, by its name.
#[derive(Debug, Default)]
pub(crate) struct Unbuilt {
    uses: BTreeMap<&'static str, Use>,
    /// How many blocks that have no effect are being read, one inside the other. What stands in one of them is told with it.
    depth: usize,
}

/// Something that stands in a file and has no effect yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lack {
    /// The keyword or option.
    pub name: &'static str,
    /// Where it stands first.
    pub span: Span,
    /// What is lost.
    pub loss: Loss,
}

#[derive(Debug)]
struct Use {
    loss: Loss,
    first: Span,
    /// Beyond the first.
    others: usize,
}

impl Report {
    /// Notes a use of something that may have no effect yet.
    pub(crate) fn lacks(&mut self, name: &'static str, status: Status, span: Span) {
        let Status::Planned(loss) = status else { return };
        if self.unbuilt.depth > 0 {
            return;
        }
        self.unbuilt
            .uses
            .entry(name)
            .and_modify(|known| {
                known.others += 1;
                known.first = known.first.min(span);
            })
            .or_insert(Use { loss, first: span, others: 0 });
    }

    /// Reads a block, whose content has no effect either if it has none itself.
    pub(crate) fn within<T>(&mut self, status: Status, read: impl FnOnce(&mut Self) -> T) -> T {
        let step = usize::from(status != Status::Built);
        self.unbuilt.depth += step;
        let result = read(self);
        self.unbuilt.depth -= step;
        result
    }

    /// One diagnostic for each name.
    pub(crate) fn tell_unbuilt(&mut self) {
        let uses = std::mem::take(&mut self.unbuilt.uses);
        self.lacking =
            uses.iter().map(|(name, used)| Lack { name, span: used.first, loss: used.loss }).collect();
        self.diagnostics.extend(uses.into_iter().map(|(name, used)| used.diagnostic(name)));
    }
}

impl Use {
    fn diagnostic(&self, name: &str) -> Diagnostic {
        let others = match self.others {
            0 => String::new(),
            1 => ", here and in one other place".to_owned(),
            others => format!(", here and in {others} other places"),
        };
        let headline = format!("`{name}` has no effect yet{others}");
        match self.loss {
            Loss::Meaning => Diagnostic::error(Code::NotBuilt, self.first, headline)
                .help("without it this host would not do what the file says: no daemon of this release starts with it"),
            Loss::Comfort => Diagnostic::warning(Code::NotBuilt, self.first, headline),
        }
    }
}
