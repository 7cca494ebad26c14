//! Reference pages made from the tables: what is written here about a keyword or code is written once, in its row.

mod language;
mod markdown;
mod page;
mod reference;

pub use markdown::{errors, keywords};
pub use page::Page;
pub use reference::steadfast_conf;

use crate::explain;
use crate::keyword::{Block, Content, Keyword, Loss, Status};

/// The blocks in the order of the reference, the preprocessor last. Options stand with the block that has them.
fn blocks() -> impl Iterator<Item = Block> {
    let is_last = |block: &Block| *block == Block::Preprocessor;
    let all = || Block::ALL.iter().copied();
    all().filter(move |block| !is_last(block)).chain(all().filter(is_last))
}

/// The heading of a block.
fn heading(block: Block) -> String {
    if block == Block::Root {
        return "Top level".to_owned();
    }
    if block == Block::Preprocessor { "Directives".to_owned() } else { explain::path(block) }
}

/// What the lines of a block are, where that needs a word.
const fn lines(block: Block) -> Option<&'static str> {
    match block.content() {
        Content::Keywords => None,
        Content::Lines => Some(
            "Each line is an entry. In parentheses stands its first word; the others may follow it, in any order.",
        ),
        Content::Words => Some("Each word is an entry."),
        Content::Options => Some("Words that follow on the same line, without braces."),
    }
}

/// The facts of a keyword as sentences, but for those that go without saying.
fn facts(keyword: &Keyword) -> String {
    let mut sentences = Vec::new();
    for (name, value) in explain::facts(keyword) {
        match (name, value.as_str()) {
            ("Default", "off") | ("Steadfast", _) => {}
            ("Default", "none: it must be there") => sentences.push("Must be there.".to_owned()),
            (name, value) => sentences.push(format!("{name}: {value}.")),
        }
    }
    sentences.extend(match keyword.status {
        Status::Built => None,
        Status::Planned(Loss::Comfort) => Some("No effect yet.".to_owned()),
        Status::Planned(Loss::Meaning) => Some("Not built yet: no daemon starts with it.".to_owned()),
    });
    sentences.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostic::Code;
    use crate::keyword;

    #[test]
    fn every_keyword_and_code_is_in_the_references() {
        let (markdown, errors) = (keywords(), errors());
        let conf = steadfast_conf("0");
        for (block, keyword) in keyword::all() {
            let name = keyword.name.trim_matches(['(', ')']);
            assert!(markdown.contains(name), "{}/{name}", block.name());
            assert!(conf.contains(&page::escaped(name)), "{}/{name}", block.name());
        }
        assert!(Code::ALL.iter().all(|code| errors.contains(&format!("## {}: ", code.id()))));
    }

    #[test]
    fn no_text_becomes_a_request() {
        let conf = steadfast_conf("0");
        for line in conf.lines() {
            let is_known = [".TH ", ".SH ", ".SS ", ".TP", ".PP", ".nf", ".fi", ".RS", ".RE", ".nh", ".ad"];
            let is_request = line.starts_with(['.', '\'']);
            assert!(!is_request || is_known.iter().any(|known| line.starts_with(known)), "{line}");
        }
    }
}
