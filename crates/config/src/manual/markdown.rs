//! `docs/keywords.md` and `docs/errors.md`.

use super::language::{Chapter, LANGUAGE};
use super::{blocks, facts, heading, lines};
use crate::diagnostic::Code;
use crate::keyword::{Block, Content, Keyword};

const NOTE: &str = "<!-- Made by `cargo xtask docs`; do not change it here. -->\n";

/// The reference of the language, as Markdown.
#[must_use]
pub fn keywords() -> String {
    let mut text = format!(
        "{NOTE}\n# The configuration language\n\nThis is the language of keepalived 2.4, all of it. \
         `steadfast explain KEYWORD` prints what stands here in a terminal; `steadfast -t -f FILE` tells what is wrong \
         with a file. A keyword that is not built yet is read and checked all the same; with `-P`, a daemon starts \
         with those of load balancing.\n"
    );
    for Chapter { title, text: paragraphs, example } in LANGUAGE {
        text.push_str(&format!("\n## {title}\n"));
        for paragraph in *paragraphs {
            text.push_str(&format!("\n{paragraph}\n"));
        }
        if !example.is_empty() {
            text.push_str(&format!("\n{}", indented(example)));
        }
    }
    text.push_str("\n# Keywords by block\n");
    for block in blocks() {
        push_block(&mut text, block);
    }
    text
}

fn push_block(text: &mut String, block: Block) {
    text.push_str(&format!("\n## {}\n\n", heading(block)));
    if let Some(lines) = lines(block) {
        text.push_str(&format!("{lines}\n\n"));
    }
    text.push_str("| | |\n|---|---|\n");
    for keyword in block.keywords() {
        text.push_str(&format!("| {} | {} |\n", cell(&code(keyword)), cell(&meaning(keyword))));
    }
}

fn code(keyword: &Keyword) -> String {
    let usage = keyword.usage();
    // A pair of backquotes would end the code.
    if usage.contains('`') { usage } else { format!("`{usage}`") }
}

fn meaning(keyword: &Keyword) -> String {
    let block = match keyword.opens {
        Some(block) if block.content() != Content::Options => {
            format!(" See [{0}](#{1}).", heading(block), anchor(block))
        }
        _ => String::new(),
    };
    format!("{} {}{block}", keyword.doc, facts(keyword)).replace("  ", " ").trim_end().to_owned()
}

/// How a heading is linked to: its letters, digits and underscores in lower case.
fn anchor(block: Block) -> String {
    let kept = |c: &char| c.is_alphanumeric() || matches!(c, '_' | '-' | ' ');
    heading(block).to_lowercase().chars().filter(kept).map(|c| if c == ' ' { '-' } else { c }).collect()
}

/// Text for a cell of a table.
fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}

/// The reference of the codes, as Markdown.
#[must_use]
pub fn errors() -> String {
    let mut text = format!(
        "{NOTE}\n# Codes of diagnostics\n\nA code never changes its meaning. `steadfast explain CODE` prints what stands \
         here. An error is what no daemon runs with; a warning is reported, and the daemon runs on without what it is \
         about; a note is advice. A configuration test (`steadfast -t`) fails for errors and warnings.\n\n{JSON}"
    );
    for code in Code::ALL {
        text.push_str(&format!("\n## {}: {}\n\n{}\n", code.id(), code.title(), code.explanation()));
        if let Some(example) = code.example() {
            text.push_str(&format!("\n{}", indented(example.wrong)));
            text.push_str(&format!("\nWithout the finding:\n\n{}", indented(example.right)));
        }
    }
    text
}

const JSON: &str = "\
## As JSON

Where a command prints findings as JSON, they are one array with an object for each, one a line. Fields may be added, none \
changes its meaning:

| field | |
|---|---|
| `code` | the code, `SF0402` |
| `severity` | `error`, `warning` or `note` |
| `title` | what kind of finding the code stands for |
| `headline` | what is wrong here, in one sentence |
| `help` | what to write instead or what happens now; `null` if there is nothing to say |
| `file`, `line`, `column` | where it begins; lines and columns count from 1, columns in characters |
| `end_line`, `end_column` | where it ends, exclusive |
| `trail` | how the text came to mean what it does, through definitions, repetitions and includes: each step with `text` and the five fields of a place, the nearest first; not there if it stands as it is meant |
| `again` | how often more the same was found in this place, for other values of the parameters there; not there if never |
| `labels` | other places that belong to it, each with `text` and the five fields of a place |

No password or key is in it.
";

fn indented(text: &str) -> String {
    text.lines().map(|line| format!("    {line}\n")).collect()
}
