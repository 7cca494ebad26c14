//! Where passwords and keys stand, even in a block where they mean nothing, or behind a misspelt keyword.

use std::collections::BTreeSet;

use crate::keyword;
use crate::lower::Report;
use crate::source::Span;
use crate::tree::Node;

/// The names of the language, as far as that matters.
pub(super) struct Secrets {
    secret: BTreeSet<&'static str>,
    public: BTreeSet<&'static str>,
}

impl Default for Secrets {
    fn default() -> Self {
        let names = |secret: bool| keyword::all().filter(move |(_, keyword)| keyword.secret == secret);
        Self {
            secret: names(true).map(|(_, keyword)| keyword.name).collect(),
            public: names(false).map(|(_, keyword)| keyword.name).collect(),
        }
    }
}

impl Secrets {
    /// Notes the secrets of a block.
    pub(super) fn find(&self, node: &Node<'_>, report: &mut Report) {
        let mut nodes = vec![node];
        while let Some(node) = nodes.pop() {
            let is_secret = match (node.keyword, node.head()) {
                (Some(keyword), _) => keyword.secret,
                (None, Some(head)) => self.may_be(&head.text),
                (None, None) => false,
            };
            if is_secret {
                report.secrets.extend(arguments(node));
            }
            nodes.extend(node.children());
        }
    }

    fn may_be(&self, name: &str) -> bool {
        let is_misspelt = || keyword::nearest_of(name, self.secret.iter(), |secret| secret).is_some();
        self.secret.contains(name) || (!self.public.contains(name) && is_misspelt())
    }
}

/// What follows the keyword.
fn arguments(node: &Node<'_>) -> Option<Span> {
    let unpaired = node.statement.unpaired;
    let (first, last) = (node.arguments().first(), node.arguments().last());
    first.zip(last).map(|(first, last)| first.span.to(last.span)).or(unpaired)
}
