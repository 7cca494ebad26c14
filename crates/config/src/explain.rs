//! What `steadfast explain` prints: pages made from the tables of codes and keywords.

use crate::diagnostic::Code;
use crate::keyword::{self, Absent, Block, Content, Keyword, Loss, Status, nearest_of};

/// The width of a page, in characters.
const WIDTH: usize = 80;

/// A word that is no code, keyword or block.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no code, keyword or block is called '{word}'{}", self.suggestion())]
pub struct Unknown {
    word: String,
    near: Option<String>,
}

impl Unknown {
    fn suggestion(&self) -> String {
        self.near.as_ref().map(|near| format!("; did you mean '{near}'?")).unwrap_or_default()
    }
}

/// The page of a code (`SF0402`), a keyword (`priority`), a block (`vrrp_instance`), or a keyword of one block
/// (`vrrp_instance/priority`). Ends with a newline.
///
/// # Errors
/// A word that is none of these.
pub fn explain(topic: &str) -> Result<String, Unknown> {
    let is_number = !topic.is_empty() && topic.len() <= 4 && topic.bytes().all(|byte| byte.is_ascii_digit());
    let id = if is_number { format!("SF{topic:0>4}") } else { topic.to_owned() };
    let code = Code::ALL.iter().find(|code| code.id().eq_ignore_ascii_case(&id));
    if let Some(code) = code {
        return Ok(code_page(*code));
    }
    let entries = entries(topic);
    // A block that no keyword opens, like the options of a route, has no entry of its own.
    let blocks = Block::ALL.iter().filter(|block| {
        block.name() == topic && !entries.iter().any(|entry| entry.keyword.opens == Some(**block))
    });
    let pages: Vec<_> =
        entries.iter().map(Entry::page).chain(blocks.map(|block| contents_of(*block))).collect();
    if pages.is_empty() {
        return Err(Unknown { word: crate::diagnostic::shown_bare(topic), near: nearest(topic) });
    }
    Ok(pages.join("\n"))
}

/// All codes and the blocks of the top level, one a line.
#[must_use]
pub fn contents() -> String {
    let mut text = String::from("Codes:\n\n");
    for code in Code::ALL {
        text.push_str(&format!("  {}  {}\n", code.id(), code.title()));
    }
    text.push_str("\nBlocks and keywords of the top level:\n\n");
    let root: Vec<_> = Block::Root.keywords().collect();
    text + &table(&root)
}

/// Every word that [`explain`] knows, without repetition, in order: codes, then keywords and blocks.
#[must_use]
pub fn topics() -> Vec<&'static str> {
    let mut words: Vec<_> = keyword::all()
        .map(|(_, keyword)| keyword.name)
        .filter(|name| name.starts_with(|c: char| c.is_ascii_alphabetic()))
        .collect();
    words.sort_unstable();
    words.dedup();
    Code::ALL.iter().map(|code| code.id()).chain(words).collect()
}

/// The blocks in which a block stands, the outermost first, and its own name.
pub(crate) fn path(block: Block) -> String {
    match parent(block) {
        Some(Block::Root) | None => block.name().to_owned(),
        Some(parent) => format!("{}/{}", path(parent), block.name()),
    }
}

fn parent(block: Block) -> Option<Block> {
    keyword::all()
        .find(|(_, keyword)| keyword.opens == Some(block) && keyword.alias_of.is_none())
        .map(|(parent, _)| parent)
}

/// A keyword with all blocks that share its entry.
struct Entry {
    blocks: Vec<Block>,
    keyword: &'static Keyword,
}

/// The entries that `topic` may mean, those that are looked for most often first.
fn entries(topic: &str) -> Vec<Entry> {
    let mut found: Vec<Entry> = Vec::new();
    let mut meant: Vec<_> =
        keyword::all().filter(|(block, keyword)| is_meant(topic, *block, keyword)).collect();
    meant.sort_by_key(|(block, keyword)| (rank(*block, keyword), *block));
    for (block, keyword) in meant {
        match found.iter_mut().find(|entry| entry.keyword == keyword) {
            Some(entry) => entry.blocks.push(block),
            None => found.push(Entry { blocks: vec![block], keyword }),
        }
    }
    found
}

/// How far down the page the entry comes. Words that follow on a line come last.
fn rank(block: Block, keyword: &Keyword) -> usize {
    const ORDER: [Block; 8] = [
        Block::Preprocessor,
        Block::Root,
        Block::Instance,
        Block::Script,
        Block::SyncGroup,
        Block::GlobalDefs,
        Block::VirtualServer,
        Block::RealServer,
    ];
    let is_option = match block.content() {
        Content::Options => true,
        Content::Lines => !keyword.is_placeholder(),
        Content::Keywords | Content::Words => false,
    };
    if is_option {
        return usize::MAX;
    }
    let is_checker = [Block::RealServer, Block::HttpGet, Block::SslGet, Block::SmtpCheck];
    let is_checker = parent(block).is_some_and(|parent| is_checker.contains(&parent));
    ORDER.iter().position(|known| *known == block).unwrap_or_else(|| ORDER.len() + usize::from(!is_checker))
}

fn is_meant(topic: &str, block: Block, keyword: &Keyword) -> bool {
    if block == Block::Preprocessor && is_directive_meant(topic, keyword.name) {
        return true;
    }
    let bare = keyword.name.trim_matches(['(', ')']);
    let is_name = |word: &str| word == keyword.name || word == bare;
    match topic.rsplit_once('/') {
        None => is_name(topic),
        Some((above, name)) => {
            let path = path(block);
            is_name(name) && (path == above || path.ends_with(&format!("/{above}")))
        }
    }
}

/// Whether `topic` is the sign of the directive, or a use of it as it stands in files.
fn is_directive_meant(topic: &str, name: &str) -> bool {
    if topic.starts_with('~') {
        return topic == "~" && name.starts_with('~') || topic.split('(').next() == Some(name);
    }
    if topic.starts_with('@') {
        let is_of_others = name == "@^ID" && (topic == "@" || topic.starts_with("@^"));
        return is_of_others || name == "@ID" && !topic.starts_with("@^");
    }
    let is_builtin = topic.trim_start_matches(['$', '{']).starts_with('_');
    if is_builtin || !topic.starts_with('$') {
        return is_builtin && name.starts_with("${_") && parameter(topic) == parameter(name);
    }
    name.starts_with('$') && parameter(name) == "NAME"
}

/// The name in the use of a parameter.
fn parameter(text: &str) -> &str {
    let name = text.trim_start_matches(['$', '{']);
    name.split(['}', '=', ' ']).next().unwrap_or(name)
}

fn nearest(topic: &str) -> Option<String> {
    if let Some((above, name)) = topic.rsplit_once('/') {
        let above = above.rsplit('/').next().unwrap_or_default();
        let block = nearest_of(above, Block::ALL.iter(), |block| block.name())?;
        let keyword = nearest_of(name, block.keywords(), |keyword| keyword.name)?;
        return Some(format!("{}/{}", path(*block), keyword.name));
    }
    if topic.len() == 6 && topic.get(..2).is_some_and(|start| start.eq_ignore_ascii_case("SF")) {
        let upper = topic.to_ascii_uppercase();
        return nearest_of(&upper, Code::ALL.iter(), |code| code.id()).map(|code| code.id().to_owned());
    }
    nearest_of(topic, topics().into_iter(), |word| word).map(str::to_owned)
}

fn code_page(code: Code) -> String {
    let mut page = format!("{}: {}\n", code.id(), code.title());
    if !code.explanation().is_empty() {
        page += "\n";
        page += &wrapped(code.explanation());
    }
    if let Some(example) = code.example() {
        page += "\nWith this finding:\n\n";
        page += &indented(example.wrong);
        page += "\nWithout it:\n\n";
        page += &indented(example.right);
    }
    page
}

impl Entry {
    fn page(&self) -> String {
        let keyword = self.keyword;
        let mut page = format!("{}{}\n\n", keyword.name, self.place());
        page += &indented(&keyword.usage());
        page += "\n";
        page += &wrapped(keyword.doc);
        page += "\n";
        for (name, value) in facts(keyword) {
            page += &hanging(name, &value);
        }
        if keyword.opens.is_none() {
            page += "\nExample:\n\n";
            page += &indented(&keyword.example());
        }
        if let Some(block) = keyword.opens {
            page += "\n";
            // A block that stands in several others is explained as part of the one that was asked for.
            let place = match self.blocks.as_slice() {
                [Block::Root] | [] | [_, _, ..] => path(block),
                [outer] => format!("{}/{}", path(*outer), block.name()),
            };
            page += &contents_of(block).replacen(&format!(" of {}", path(block)), &format!(" of {place}"), 1);
        }
        page
    }

    fn place(&self) -> String {
        let paths: Vec<_> = self.blocks.iter().map(|block| path(*block)).collect();
        match self.blocks.first() {
            Some(Block::Root) => ", at the top level".to_owned(),
            Some(Block::Preprocessor) => ", a directive of the preprocessor".to_owned(),
            _ => format!(", in {}", paths.join(", ")),
        }
    }
}

/// What there is to say about a keyword beside its meaning.
pub(crate) fn facts(keyword: &Keyword) -> Vec<(&'static str, String)> {
    let mut facts = Vec::new();
    let default = match keyword.default {
        Absent::Off => "off".to_owned(),
        Absent::Required => "none: it must be there".to_owned(),
        Absent::Number(number) => number.to_string(),
        Absent::Text(text) => text.to_owned(),
    };
    // Blocks and entries of lists hold something or are not there.
    let has_default = keyword.opens.is_none() && !keyword.name.starts_with(['(', '@', '$', '~']);
    if has_default || keyword.default != Absent::Off {
        facts.push(("Default", default));
    }
    if !keyword.since.is_empty() {
        facts.push(("Since", format!("keepalived {}", keyword.since)));
    }
    if let Some(name) = keyword.alias_of {
        facts.push(("Old name of", name.to_owned()));
    }
    if keyword.secret {
        facts.push(("Secret", "its value is never shown".to_owned()));
    }
    facts.push(("Steadfast", effect(keyword.status).to_owned()));
    facts
}

const fn effect(status: Status) -> &'static str {
    match status {
        Status::Built => "acts on it",
        Status::Planned(Loss::Comfort) => "reads and checks it; it has no effect yet",
        Status::Planned(Loss::Meaning) => "reads and checks it; no daemon of this release starts with it",
    }
}

/// The entries of a block, one a line.
fn contents_of(block: Block) -> String {
    let title = match block.content() {
        Content::Keywords => format!("Keywords of {}:", path(block)),
        Content::Lines => format!("Lines of {}, and the words that may follow on them:", path(block)),
        Content::Words => format!("Words of {}:", path(block)),
        Content::Options => format!("Options of {}:", block.name()),
    };
    let entries: Vec<_> = block.keywords().collect();
    format!("{title}\n\n{}", table(&entries))
}

fn table(entries: &[&'static Keyword]) -> String {
    let width = entries.iter().map(|keyword| keyword.name.chars().count()).max().unwrap_or_default().min(28);
    let mut text = String::new();
    for keyword in entries {
        let arguments = keyword.arguments.to_string();
        let block = if keyword.opens.is_some_and(|block| block.content() != Content::Options) {
            " {…}"
        } else {
            ""
        };
        let line = format!("  {:<width$}  {arguments}{block}", keyword.name);
        text += line.trim_end();
        text += "\n";
    }
    text
}

fn hanging(name: &str, value: &str) -> String {
    let text = wrapped_to(value, WIDTH - 14);
    let mut lines = text.lines();
    let mut out = format!("{name:<13} {}\n", lines.next().unwrap_or_default());
    for line in lines {
        out.push_str(&format!("{:14}{line}\n", ""));
    }
    out
}

fn wrapped(text: &str) -> String {
    wrapped_to(text, WIDTH)
}

/// `text` in lines of at most `width` characters, each with its line end.
fn wrapped_to(text: &str, width: usize) -> String {
    let mut lines = String::with_capacity(text.len() + 8);
    let mut length = 0;
    for word in text.split(' ') {
        let count = word.chars().count();
        if length > 0 && length + 1 + count > width {
            lines.push('\n');
            length = 0;
        } else if length > 0 {
            lines.push(' ');
            length += 1;
        }
        lines.push_str(word);
        length += count;
    }
    lines.push('\n');
    lines
}

/// Every line four blanks to the right.
fn indented(text: &str) -> String {
    text.lines().map(|line| if line.is_empty() { "\n".to_owned() } else { format!("    {line}\n") }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_explained_in_either_case() {
        let page = explain("sf0402").unwrap();
        assert!(page.starts_with("SF0402: a number outside its range\n"), "{page}");
        assert_eq!(explain("402").as_ref(), Ok(&page));
        assert_eq!(explain("0402"), Ok(page));
    }

    #[test]
    fn a_keyword_is_explained_for_every_block_that_has_it() {
        let page = explain("priority").unwrap();
        assert!(page.contains("priority, in vrrp_instance\n\n    priority INTEGER 1..255\n"), "{page}");
        let weights = explain("weight").unwrap();
        for place in ["vrrp_script", "virtual_server/real_server", "vrrp_track_process"] {
            assert!(weights.contains(place), "{place}: {weights}");
        }
    }

    #[test]
    fn what_is_looked_for_most_comes_first() {
        assert!(explain("priority").unwrap().starts_with("priority, in vrrp_instance\n"));
        assert!(explain("weight").unwrap().starts_with("weight, in vrrp_script\n"));
        let page = explain("interface").unwrap();
        assert!(page.starts_with("interface, in vrrp_instance\n"), "{page}");
    }

    #[test]
    fn directives_are_found_by_their_signs() {
        for (topic, titles) in [
            ("@", ["@ID, a", "@^ID, a"].as_slice()),
            ("@ID", &["@ID, a"]),
            ("@^web1", &["@^ID, a"]),
            ("$", &["$NAME=, a", "$NAME, a", "${NAME}, a"]),
            ("$NET", &["$NAME=, a", "$NAME, a", "${NAME}, a"]),
            ("_ENV", &["${_ENV VAR}, a"]),
            ("${_ENV HOME}", &["${_ENV VAR}, a"]),
            ("_PWD", &["${_PWD}, a"]),
            ("$_HASH", &["${_HASH}, a"]),
            ("~", &["~SEQ, a", "~SEQx, a", "~LST, a"]),
            ("~SEQ(N, 1, 3)", &["~SEQ, a"]),
        ] {
            let page = explain(topic).unwrap();
            let found: Vec<_> = page.lines().filter(|line| line.contains(", a directive of")).collect();
            assert_eq!(found.len(), titles.len(), "{topic}: {page}");
            assert!(found.iter().zip(titles).all(|(line, title)| line.starts_with(title)), "{topic}: {page}");
        }
        assert!(explain("~SEQ").unwrap().contains("\n    ~SEQ(N, 1, 3) "));
        assert!(["_", "_NO", "NAME", "{"].iter().all(|topic| explain(topic).is_err()));
    }

    #[test]
    fn a_path_picks_one_block() {
        assert!(!explain("vrrp_script/weight").unwrap().contains("real_server"));
        assert_eq!(explain("real_server/weight"), explain("virtual_server/real_server/weight"));
        assert!(explain("vrrp_instance/no_such").is_err());
        let page = explain("vrrp_instance/track_script").unwrap();
        assert!(page.contains("Lines of vrrp_instance/track_script,"), "{page}");
    }

    #[test]
    fn a_block_is_explained_with_its_keywords() {
        let page = explain("vrrp_instance").unwrap();
        assert!(page.contains("\nKeywords of vrrp_instance:\n"), "{page}");
        assert!(page.contains("\n  virtual_ipaddress "), "{page}");
        assert!(explain("encap ip").unwrap().contains("Options of encap ip"));
    }

    #[test]
    fn everything_has_a_page_of_fitting_width() {
        for topic in topics() {
            assert!(explain(topic).is_ok(), "{topic}");
        }
        for code in Code::ALL {
            let page = explain(code.id()).unwrap();
            assert!(page.lines().all(|line| line.chars().count() <= WIDTH + 10), "{page}");
        }
    }

    #[test]
    fn unknown_words_are_answered_with_near_ones() {
        let said = |topic: &str| explain(topic).unwrap_err().to_string();
        assert!(said("virtual_router_i").ends_with("did you mean 'virtual_router_id'?"));
        assert!(said("SF0492").contains("did you mean 'SF"));
        assert!(said("vrrp_instanc/priorit").ends_with("did you mean 'vrrp_instance/priority'?"));
        assert_eq!(said("xyzzy"), "no code, keyword or block is called 'xyzzy'");
        assert!(said(&"x\n".repeat(100_000)).len() < 300);
    }
}
