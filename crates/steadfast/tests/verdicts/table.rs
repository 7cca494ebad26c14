//! Every keyword of the table with good, bad and extreme arguments, each in the smallest file that has a place for it.

use std::collections::BTreeSet;
use std::ops::RangeInclusive;

use config::keyword::{self, Arguments, Block, Content, Keyword};

use super::bench::File;
use super::places::Place;

/// The release that verdicts are compared with; it knows no newer keywords.
const KEEPALIVED: [u32; 3] = [2, 2, 7];

/// One file for each keyword and argument. Where several blocks share an entry, every third argument will do from the
/// second on.
pub(crate) fn files() -> Vec<File> {
    let is_known = |keyword: &Keyword| release(keyword.since) <= KEEPALIVED && keyword.name != "steadfast";
    let mut seen = BTreeSet::new();
    let mut files = Vec::new();
    for (block, keyword) in keyword::all().filter(|(_, keyword)| is_known(keyword)) {
        let step = if seen.insert((keyword.name, keyword.doc)) { 1 } else { 3 };
        files.extend(of_keyword(block, keyword).into_iter().step_by(step));
    }
    files
}

fn release(since: &str) -> [u32; 3] {
    let mut numbers = since.split('.').map(|number| number.parse().unwrap_or(0));
    std::array::from_fn(|_| numbers.next().unwrap_or(0))
}

fn of_keyword(block: Block, keyword: &'static Keyword) -> Vec<File> {
    let Some(place) = Place::of(block) else { return Vec::new() };
    let name = |line: &str| format!("{} in {}: {}", keyword.name, block.name(), line.replace('\n', "; "));
    let lines = lines(block, keyword);
    lines.into_iter().map(|line| File { name: name(&line), text: place.with(keyword.name, &line) }).collect()
}

/// The keyword with each argument, and with a block if it opens one.
fn lines(block: Block, keyword: &Keyword) -> Vec<String> {
    let stands_for_itself = !keyword.name.starts_with('(');
    let mut lines = Vec::new();
    for argument in arguments(block, keyword) {
        let line = if stands_for_itself { format!("{} {argument}", keyword.name) } else { argument };
        match keyword.opens.filter(|opened| opened.content() != Content::Options) {
            None => lines.push(line),
            Some(opened) => {
                let content = Place::of(opened).map_or(String::new(), |place| place.content.join("\n"));
                lines.push(format!("{line} {{\n{content}\n}}"));
                if lines.len() == 1 {
                    lines.extend([
                        line.clone(),
                        format!("{line} {{\n}}"),
                        format!("{line} {{\nnonsense\n}}"),
                    ]);
                }
            }
        }
    }
    lines
}

fn arguments(block: Block, keyword: &Keyword) -> Vec<String> {
    let owned = |words: &[&str]| words.iter().map(|&word| word.to_owned()).collect::<Vec<_>>();
    if let Some(known) = known(block, keyword.name) {
        return owned(&known);
    }
    match &keyword.arguments {
        Arguments::Flag => owned(&["", "false", "word more"]),
        Arguments::Bool => owned(&["", "true", "no", "1", "maybe", "on off"]),
        Arguments::Integer(range) | Arguments::WholeSeconds(range) => numbers(range),
        Arguments::Seconds { micros, .. } => seconds(micros),
        Arguments::Weight(range) => {
            let words = ["5 reverse", "5 noreverse", "5 word", "reverse"];
            [numbers(range), owned(&words)].concat()
        }
        Arguments::Word(_) => {
            let long = "a".repeat(300);
            owned(&["", "word", "two words", "\"two words\"", "\"\"", "/run/file", "5", &long])
        }
        Arguments::Choice(words) => {
            let mut all = owned(words);
            let first = words.first().copied().unwrap_or_default();
            all.extend([
                "".to_owned(),
                format!("{first}x"),
                format!("{first} more"),
                first.to_uppercase(),
                first.to_lowercase(),
            ]);
            all
        }
        Arguments::Address => owned(&[
            "192.0.2.7",
            "2001:db8::7",
            "192.0.2.7/24",
            "192.0.2.300",
            "",
            "eth0",
            "192.0.2.7 more",
            "0.0.0.0",
            "224.0.0.9",
            "ff02::9",
            "fe80::9",
        ]),
        Arguments::Interface => {
            owned(&["eth0", "eth1", "none0", "sixteen-letters-", "", "eth0 more", "lo", "\"\""])
        }
        Arguments::Script => owned(&[
            "/bin/true",
            "/no/such",
            "",
            "/bin/true root",
            "/bin/true nobody-at-all",
            "'/bin/true",
            "\"/bin/true",
            "\"\"",
            "\"/bin/true word\" root root",
            "\"/bin/true word\" root no-such-group",
            "/bin/true root root word",
            "true",
            "/etc",
            "/etc/passwd",
        ]),
        Arguments::User => {
            owned(&["root", "nobody-at-all", "root root", "root no-such-group", "", "0", "root root word"])
        }
        Arguments::Grammar(_) => {
            owned(&["", "word", "1", "0", "-1", "1.5", "4294967296", "eth0", "192.0.2.7", "1 2 word"])
        }
    }
}

fn numbers(range: &RangeInclusive<i64>) -> Vec<String> {
    let (least, most) = (*range.start(), *range.end());
    let near = [least, most, least - 1, most.saturating_add(1)].map(|number| number.to_string());
    let others = ["", "word", "0x10", "1.5", "5x", "5 6", "99999999999999999999", "\"\"", "+1", "007"];
    near.into_iter().chain(others.map(str::to_owned)).collect()
}

fn seconds(micros: &RangeInclusive<u64>) -> Vec<String> {
    let decimal = |micros: u64| format!("{}.{:06}", micros / 1_000_000, micros % 1_000_000);
    let (least, most) = (*micros.start(), *micros.end());
    let mut near = vec![least, least.saturating_sub(1)];
    // Half a million years are no bound that anybody meets.
    if most < u64::MAX / 2 {
        near.extend([most, most + 1, most + 1_000_000]);
    }
    near.dedup();
    let others =
        ["", "word", "0", "1", ".5", "5.", "-1", "1s", "1.2345", "1.23456789", "99999999999", "1 2", "1e3"];
    near.into_iter().map(decimal).chain(others.map(str::to_owned)).collect()
}

/// Those of `arguments.txt`.
fn known(block: Block, name: &str) -> Option<Vec<&'static str>> {
    let block = format!("{block:?}");
    let lines = include_str!("arguments.txt").lines().filter(|line| !line.starts_with('#'));
    lines.filter_map(|line| line.split_once(" : ")).find_map(|(blocks, rest)| {
        let (names, arguments) = rest.split_once(" : ")?;
        let fits = blocks == "*" || blocks.split(' ').any(|known| known == block);
        (fits && names.split(' ').any(|known| known == name))
            .then(|| arguments.split(';').map(str::trim).collect())
    })
}
