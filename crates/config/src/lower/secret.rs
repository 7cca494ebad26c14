//! Where passwords and keys stand, even in a block where they mean nothing, or behind a misspelt keyword.

use crate::keyword::{Arguments, Block, Content, Keyword, nearest, nearest_of};
use crate::lexer::Word;
use crate::lower::Report;
use crate::number;
use crate::secret;
use crate::tree::Node;

/// Blocks that are there for passwords and keys.
const BLOCKS: [Block; 3] = [Block::Authentication, Block::Hmac, Block::Ssl];

/// All words of a line may be shown.
const ALL: usize = usize::MAX;

/// Whether the last line of the top level is a keyword that still waits for its password.
#[derive(Debug, Default)]
pub(super) struct Secrets {
    waits: bool,
}

/// What a line stands in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// A block of keywords, or one that nobody knows.
    Keywords,
    /// Entries, whose first words are free.
    List,
    /// A block that is there for passwords and keys: nobody knows what an unknown word in it is.
    Private,
    /// The braces of a password itself.
    Secret,
}

impl Secrets {
    /// Notes the secrets of a block of the top level.
    pub(super) fn find(&mut self, node: &Node<'_>, report: &mut Report) {
        let is_after = std::mem::replace(&mut self.waits, waits(node));
        hide(node, Place::Keywords, is_after, report);
        let mut blocks = vec![(node, Place::Keywords)];
        while let Some((node, place)) = blocks.pop() {
            let inner = inside(node, place);
            let mut is_after = false;
            for child in node.children() {
                hide(child, inner, is_after, report);
                is_after = waits(child);
                blocks.extend(child.block.is_some().then_some((child, inner)));
            }
        }
    }
}

/// Whether the node ends in the keyword of a secret.
fn waits(node: &Node<'_>) -> bool {
    if node.block.is_some() {
        return false;
    }
    match (node.keyword, node.statement.words.as_slice()) {
        (_, []) => false,
        (Some(keyword), [_]) => keyword.secret,
        (None, [head]) => secret::may_precede_secret(&head.text),
        (_, [.., last]) => secret::is_keyword_of_secret(&last.text),
    }
}

fn inside(node: &Node<'_>, place: Place) -> Place {
    if node.block.is_none() {
        return place;
    }
    let head = node.head().map_or("", |head| head.text.as_ref());
    match (node.keyword.and_then(|keyword| keyword.opens), node.keyword) {
        _ if place == Place::Secret || secret::is_keyword_of_secret(head) => Place::Secret,
        (Some(block), _) if BLOCKS.contains(&block) => Place::Private,
        _ if place == Place::Private => Place::Private,
        (None, None) if secret::may_precede_secret(head) => Place::Private,
        (None, None) if BLOCKS.iter().any(|block| block.name() == head) => Place::Private,
        (Some(block), _) if block.content() != Content::Keywords => Place::List,
        _ => Place::Keywords,
    }
}

fn hide(node: &Node<'_>, place: Place, is_after: bool, report: &mut Report) {
    let words = node.statement.words.as_slice();
    let Some(head) = words.first() else {
        if is_after || matches!(place, Place::Private | Place::Secret) {
            report.secrets.extend(node.statement.unpaired);
        }
        return;
    };
    let from = match node.keyword {
        _ if place == Place::Secret => 0,
        Some(keyword) => open_words(keyword, place, words),
        None if is_after => 0,
        None => open_words_of_unknown(head, place, words),
    };
    match from {
        ALL => {}
        0 if part_behind_sign(head, report) => hide_from(node, 1, report),
        _ => hide_from(node, from, report),
    }
}

/// How many words of a line may be shown.
fn open_words(keyword: &Keyword, place: Place, words: &[Word<'_>]) -> usize {
    let opens_private = keyword.opens.is_some_and(|block| BLOCKS.contains(&block));
    match keyword.name {
        _ if keyword.secret || opens_private => 1,
        _ if place != Place::Private => ALL,
        _ => 1 + usize::from(words.get(1).is_some_and(|word| is_plausible(&keyword.arguments, word))),
    }
}

/// Whether the word was probably meant as what the keyword takes.
#[expect(clippy::wildcard_enum_match_arm, reason = "these two cannot be mistaken for a password")]
fn is_plausible(arguments: &Arguments, word: &Word<'_>) -> bool {
    match arguments {
        Arguments::Choice(names) => nearest_of(&word.text, names.iter(), |name| name).is_some(),
        Arguments::Integer(_) | Arguments::WholeSeconds(_) => number::integer(&word.text).is_ok(),
        _ => true,
    }
}

/// The same for a line whose first word is no keyword of its block.
fn open_words_of_unknown(head: &Word<'_>, place: Place, words: &[Word<'_>]) -> usize {
    let head = head.text.as_ref();
    let may_precede = match place {
        Place::List => secret::is_near_secret(head),
        Place::Keywords | Place::Private | Place::Secret => secret::may_precede_secret(head),
    };
    let is_private = place == Place::Private;
    if may_precede && (words.len() > 1 || !is_private || secret::is_keyword(head)) {
        return 1;
    }
    match head {
        "auth_type" => 1 + usize::from(words.get(1).is_some_and(is_type)),
        _ if BLOCKS.iter().any(|block| block.name() == head) => 1,
        _ if name_before_sign(head).is_some() => 0,
        _ if !is_private => ALL,
        _ if secret::is_keyword(head) => 2,
        _ if words.len() > 1 && BLOCKS.iter().any(|block| nearest(*block, head).is_some()) => 1,
        _ => 0,
    }
}

fn is_type(word: &Word<'_>) -> bool {
    nearest_of(&word.text, ["PASS", "AH"].iter(), |name| name).is_some()
}

/// The keyword of a secret that is tied to its value.
fn name_before_sign(word: &str) -> Option<&str> {
    let (name, _) = word.split_once(['=', ':'])?;
    secret::may_precede_secret(name).then_some(name)
}

/// Hides what is tied to the keyword of a secret.
fn part_behind_sign(head: &Word<'_>, report: &mut Report) -> bool {
    let Some(name) = name_before_sign(&head.text) else { return false };
    let range = name.len() + 1..head.text.len();
    if head.span.is_straight() {
        report.secrets.push(head.span.part(range.clone()));
    } else {
        report.secrets.push(head.span);
    }
    report.made_secrets.extend(head.text.get(range).map(str::to_owned));
    true
}

/// Hides the words from this one on.
fn hide_from(node: &Node<'_>, from: usize, report: &mut Report) {
    let words = node.statement.words.get(from..).unwrap_or_default();
    let Some((first, last)) = words.first().zip(words.last()) else {
        report.secrets.extend(node.statement.unpaired.filter(|_| from <= 1));
        return;
    };
    if words.iter().all(|word| word.span.is_straight()) {
        report.secrets.push(first.span.to(last.span));
        return;
    }
    for word in words {
        report.secrets.push(word.span);
        report.made_secrets.insert(word.text.clone().into_owned());
    }
}
