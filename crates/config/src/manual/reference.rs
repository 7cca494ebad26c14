//! steadfast.conf(5).

use super::language::{Chapter, LANGUAGE};
use super::{Page, blocks, facts, heading, lines};

/// The manual page of the language, for this version of Steadfast.
#[must_use]
pub fn steadfast_conf(version: &str) -> String {
    let mut page = Page::new("steadfast.conf", 5, version);
    page.section("Name");
    page.line("steadfast.conf \\- the configuration of the Steadfast daemon");
    page.section("Synopsis");
    page.line("\\fI/etc/keepalived/keepalived.conf\\fR");
    page.section("Description");
    page.line(
        "The daemon reads the language of keepalived 2.4, all of it, from the files that keepalived reads.",
    );
    page.paragraph(
        "`steadfast -t` tells what is wrong with a file, `steadfast explain` what a keyword or the code of a diagnostic \
         means, `steadfast config --json` what a file comes to, and `steadfast fmt` lays it out.",
    );
    for Chapter { title, text, example } in LANGUAGE {
        page.part(title);
        text.iter().for_each(|paragraph| page.paragraph(paragraph));
        if !example.is_empty() {
            page.example(example);
        }
    }
    page.section("Keywords");
    for block in blocks() {
        page.part(&heading(block));
        if let Some(lines) = lines(block) {
            page.paragraph(lines);
        }
        for keyword in block.keywords() {
            page.item(&keyword.usage(), &format!("{} {}", keyword.doc, facts(keyword)));
        }
    }
    page.section("Files");
    page.item("/etc/keepalived/keepalived.conf", "The file that is read unless `-f` names another.");
    page.section("See also");
    page.line("\\fBsteadfast\\fR(8)");
    page.finish()
}
