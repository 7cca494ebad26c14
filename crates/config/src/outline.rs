//! Where everything stands that was typed, kept for checks that come after the text has been understood.

use std::collections::{BTreeMap, BTreeSet};

use crate::keyword;
use crate::source::Span;
use crate::tree::Node;

/// The blocks and lines of a configuration with the places of their words. Made only for who asks for it.
#[derive(Clone, Debug, Default)]
pub struct Outline {
    root: Vec<Line>,
    /// Which of `root` has this keyword and name; the first, if several have.
    named: BTreeMap<(String, String), usize>,
}

/// A line, and the lines of the block that it opens.
#[derive(Clone, Debug)]
pub struct Line {
    words: Vec<Word>,
    lines: Vec<Self>,
}

#[derive(Clone, Debug)]
struct Word {
    /// Empty for a password or key.
    text: String,
    span: Span,
}

/// Takes the blocks of the top level one after the other.
#[derive(Debug)]
pub(crate) struct Builder {
    outline: Outline,
    /// The keywords whose values are not kept.
    secrets: BTreeSet<&'static str>,
}

impl Builder {
    pub(crate) fn new() -> Self {
        let secrets = keyword::all().filter(|(_, keyword)| keyword.secret).map(|(_, keyword)| keyword.name);
        Self { outline: Outline::default(), secrets: secrets.collect() }
    }

    pub(crate) fn add(&mut self, node: &Node<'_>) {
        let Some(line) = Line::of(node, &self.secrets) else { return };
        let key = (line.keyword().to_owned(), line.word(1).to_owned());
        self.outline.named.entry(key).or_insert(self.outline.root.len());
        self.outline.root.push(line);
    }

    pub(crate) fn finish(self) -> Outline {
        self.outline
    }
}

impl Outline {
    /// Whether there is no line at all.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.root.is_empty()
    }

    /// The block that `keyword NAME` opens.
    #[must_use]
    pub fn block(&self, keyword: &str, name: &str) -> Option<&Line> {
        self.root.get(*self.named.get(&(keyword.to_owned(), name.to_owned()))?)
    }

    /// The blocks and lines of the top level with this keyword.
    pub fn all<'o>(&'o self, keyword: &'o str) -> impl Iterator<Item = &'o Line> {
        self.root.iter().filter(move |line| line.keyword() == keyword)
    }
}

impl Line {
    fn of(node: &Node<'_>, secrets: &BTreeSet<&str>) -> Option<Self> {
        let head = node.head()?;
        let is_secret = secrets.contains(head.text.as_ref());
        let word = |(at, word): (usize, &crate::lexer::Word<'_>)| Word {
            text: if is_secret && at > 0 { String::new() } else { word.text.clone().into_owned() },
            span: word.span,
        };
        let words = node.statement.words.iter().enumerate().map(word).collect();
        let lines = node.children().iter().filter_map(|node| Self::of(node, secrets)).collect();
        Some(Self { words, lines })
    }

    /// Its first word.
    #[must_use]
    pub fn keyword(&self) -> &str {
        self.word(0)
    }

    /// One of its words; nothing if there is none, or if it is a password or key.
    #[must_use]
    pub fn word(&self, at: usize) -> &str {
        self.words.get(at).map(|word| word.text.as_str()).unwrap_or_default()
    }

    /// Where a value stands: the first word after the keyword, or the keyword if it stands alone.
    ///
    /// For a block that is its name.
    #[must_use]
    pub fn value(&self) -> Option<Span> {
        self.words.get(1).or_else(|| self.words.first()).map(|word| word.span)
    }

    /// Where its first word stands.
    #[must_use]
    pub fn head(&self) -> Option<Span> {
        self.words.first().map(|word| word.span)
    }

    /// The lines of its block.
    #[must_use]
    pub fn lines(&self) -> &[Self] {
        &self.lines
    }

    /// The last line of its block with this keyword: the one that counts, mostly.
    #[must_use]
    pub fn last(&self, keyword: &str) -> Option<&Self> {
        self.lines.iter().rfind(|line| line.keyword() == keyword)
    }

    /// The lines of all blocks with this keyword in its block.
    pub fn entries<'o>(&'o self, keyword: &'o str) -> impl Iterator<Item = &'o Self> {
        self.lines.iter().filter(move |line| line.keyword() == keyword).flat_map(|list| &list.lines)
    }

    /// Where the value of `keyword` in its block stands; the name of the block if it has no such line.
    #[must_use]
    pub fn place(&self, keyword: &str) -> Option<Span> {
        self.last(keyword).and_then(Self::value).or_else(|| self.value())
    }
}
