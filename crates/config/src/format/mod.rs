//! The canonical layout of a file, which means what the file meant.
//!
//! It works on lines, not on the model, so that comments, definitions, conditions and quotes stay byte for byte. Blank
//! space at the ends of lines and newlines beside braces mean nothing to the language: these are all that it changes. A
//! line that is more than words, for it is conditional, repeated, a definition, or uses a parameter, is only indented:
//! what a brace on it belongs to is known when it is expanded, not before.
//!
//! ```text
//!  bytes ── pieces: lines, broken at braces ── joined: `{` goes to its keyword ── depth ── layout: bytes
//! ```

mod depth;
mod layout;
mod pieces;

use crate::diagnostic::{Code, Diagnostic};
use crate::keyword;
use crate::source::{SourceMap, Span};

use depth::Imbalance;

/// Why a file is not laid out.
#[derive(Clone, Debug)]
pub struct Unbalanced {
    /// What is wrong with its braces.
    pub diagnostic: Diagnostic,
    /// Its text, for showing the diagnostic.
    pub sources: SourceMap,
}

/// The file with these bytes, called `name` in messages, in the canonical form.
///
/// # Errors
/// Braces that do not pair: what belongs into which block is anybody's guess.
pub fn format(name: &str, bytes: &[u8]) -> Result<Vec<u8>, Box<Unbalanced>> {
    // One character for each bad byte, so that offsets in the text are offsets in the bytes.
    let mut text = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        text.extend(chunk.invalid().iter().map(|_| '?'));
    }
    let pieces = pieces::joined(&text, pieces::split(&text));
    match depth::indents(&text, &pieces) {
        Ok(indents) => Ok(layout::layout(bytes, &pieces, &indents)),
        Err(imbalance) => Err(Box::new(refusal(name, bytes, &imbalance))),
    }
}

fn refusal(name: &str, bytes: &[u8], imbalance: &Imbalance) -> Unbalanced {
    let mut sources = SourceMap::default();
    let id = sources.add(name, bytes);
    let (code, at, headline) = match imbalance {
        Imbalance::Stray(at) => (Code::StrayCloseBrace, *at, "this brace closes nothing"),
        Imbalance::Unclosed(at) => {
            (Code::UnclosedBlock, *at, "this brace is not closed at the end of the file")
        }
    };
    let span = Span::new(id, at..at + 1);
    // Nothing is known of blocks here: only lines are shown that begin a block or are nothing but braces.
    let (line, start) = sources.excerpt(span);
    let is_innocent =
        |word: &str| keyword::all().any(|(_, keyword)| keyword.name == word && keyword.opens.is_some());
    let mut words =
        line.split(|c: char| c.is_whitespace() || "{}\"".contains(c)).filter(|word| !word.is_empty());
    if words.next().is_some_and(|word| !is_innocent(word)) {
        sources.hide(Span::new(id, start..at + 1));
    }
    let diagnostic = Diagnostic::error(code, span, headline).help("the file is left as it is");
    Unbalanced { diagnostic, sources }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostic::render;

    fn laid_out(text: &str) -> String {
        String::from_utf8(format("t", text.as_bytes()).unwrap()).unwrap()
    }

    #[track_caller]
    fn assert_form(text: &str, expected: &str) {
        assert_eq!(laid_out(text), expected);
        assert_eq!(laid_out(expected), expected, "it is not stable");
    }

    #[test]
    fn blocks_are_indented_and_apart() {
        assert_form(
            "\n\nglobal_defs{\nrouter_id x  \n\n\n\n\t enable_script_security\n\n}\nvrrp_instance a\n{\nvirtual_ipaddress { 192.0.2.1 }\n}\n\n",
            "global_defs {\n    router_id x\n\n    enable_script_security\n}\n\nvrrp_instance a {\n    virtual_ipaddress {\n        192.0.2.1\n    }\n}\n",
        );
        assert_form(
            "include a\ninclude b\nSSL{ }\ninclude c",
            "include a\ninclude b\n\nSSL {\n}\n\ninclude c\n",
        );
        assert_form("", "");
        assert_form("\n \n", "");
    }

    #[test]
    fn comments_stay_with_what_they_speak_of() {
        assert_form(
            "# file\nglobal_defs # all\n{\n  ! x\nrouter_id a# b\n  # end\n}\n# web\n#  1\nvrrp_instance a { # here\n} # there\n",
            "# file\nglobal_defs { # all\n    ! x\n    router_id a# b\n    # end\n}\n\n# web\n#  1\nvrrp_instance a { # here\n} # there\n",
        );
        assert_form("SSL # a\n# b\n{ # c\n}", "SSL # a\n# b\n{ # c\n}\n");
        assert_form("a \"#{\" #\"\n", "a \"#{\" #\"\n");
    }

    #[test]
    fn directives_are_only_indented() {
        assert_form(
            "$VI= \\\n vrrp_instance VI_${N} { \\\n interface eth0 \\\n virtual_ipaddress { \\\n 192.0.2.${N} \\\n } \\\n }\n~SEQ(N, 1, 2) $VI\n",
            "$VI= \\\n    vrrp_instance VI_${N} { \\\n        interface eth0 \\\n        virtual_ipaddress { \\\n            192.0.2.${N} \\\n        } \\\n    }\n~SEQ(N, 1, 2) $VI\n",
        );
        assert_form(
            "vrrp_instance a {\n@one priority 1\n  @^one   priority 2\n$X { }\n}",
            "vrrp_instance a {\n    @one priority 1\n    @^one   priority 2\n    $X { }\n}\n",
        );
        assert_form(
            "include {a,b}{.conf\nglobal_defs { @x a }\n",
            "include {a,b}{.conf\nglobal_defs { @x a }\n",
        );
    }

    #[test]
    fn alternatives_open_one_block() {
        assert_form(
            "@a vrrp_instance x {\n@^a vrrp_instance y {\npriority 1\n@a }\n@^a }\n",
            "@a vrrp_instance x {\n@^a vrrp_instance y {\n    priority 1\n@a }\n@^a }\n",
        );
    }

    #[test]
    fn empty_lines_end_definitions() {
        assert_form("$X=a \\\n\n\n\nb", "$X=a \\\n\n\nb\n");
    }

    #[test]
    fn braces_that_do_not_pair_are_refused() {
        let code = |text: &str| format("t", text.as_bytes()).unwrap_err().diagnostic.code;
        assert_eq!(code("global_defs {\n}\n}"), Code::StrayCloseBrace);
        assert_eq!(code("global_defs {\n"), Code::UnclosedBlock);
        assert_eq!(code("@a global_defs {\n"), Code::UnclosedBlock);
        assert!(format("t", b"global_defs \"{\"").is_ok());
    }

    #[test]
    fn no_password_is_shown() {
        for text in ["auth_pass se{cret", "authentication { auth_pas s}e}cret", "key 1 \"sec\"}ret"] {
            let refusal = format("t", text.as_bytes()).unwrap_err();
            let shown = render::full(&refusal.diagnostic, &refusal.sources, render::Colour::Off);
            assert!(!shown.contains("ret") && shown.contains("***"), "{shown}");
        }
    }

    #[test]
    fn bytes_are_kept() {
        assert_eq!(format("t", b"\xef\xbb\xbfSSL\r\n{ # \xff\r\n}").unwrap(), b"SSL { # \xff\n}\n");
        let long = format!("  a{}\n", "b".repeat(2000));
        assert_eq!(laid_out(&long), long);
        assert_eq!(laid_out("SSL {\n  a\0{\n}"), "SSL {\n  a\0{\n}\n");
    }

    #[test]
    fn words_stand_one_blank_apart_but_not_in_quotes() {
        let text = "global_defs {\nrouter_id\t  \"a  b\"   x\t# c  d\nscript  'a  b'\n$A=b  c\n}";
        let expected = "global_defs {\n    router_id \"a  b\" x # c  d\n    script  'a  b'\n    $A=b  c\n}\n";
        assert_eq!(laid_out(text), expected);
    }
}
