//! Commands that are written for a shell. No shell reads them: the words go to the program as they are.

use crate::diagnostic::{Diagnostic, shown};
use crate::{Code, Loaded};

/// Programs that understand it, on their own or behind `env`, `sudo` and the like.
const SHELLS: [&str; 7] = ["sh", "bash", "dash", "ash", "ksh", "zsh", "busybox"];

pub(super) fn check(loaded: &Loaded, findings: &mut Vec<Diagnostic>) {
    for script in &loaded.scripts {
        let command = &script.command;
        let words = || std::iter::once(&command.program).chain(&command.arguments);
        let is_shell = |word: &String| SHELLS.contains(&word.rsplit('/').next().unwrap_or_default());
        if words().any(is_shell) {
            continue;
        }
        let Some((word, meaning)) = words().find_map(|word| Some((word, meaning(word)?))) else { continue };
        let headline =
            format!("{} in a command is {meaning} to a shell only, and no shell runs it", shown(word));
        findings.push(
            Diagnostic::warning(Code::ShellSyntax, script.span, headline)
                .help("the program gets it as an argument; move the line to a script file with `#!/bin/sh`, or write `/bin/sh -c '…'`"),
        );
    }
}

/// What a shell would take the word, or a part of it, for. Quotes are gone already, so that a regular expression may
/// have `|` or `;` in the midst of a word.
fn meaning(word: &str) -> Option<&'static str> {
    let redirected = word.trim_start_matches(|c: char| c.is_ascii_digit() || c == '&');
    match word {
        _ if word.contains("$(") || word.contains('`') => Some("the output of a command"),
        _ if word.contains("&&") || word.contains("||") => Some("a condition"),
        _ if word.starts_with('|') || word.ends_with('|') => Some("a pipe"),
        "&" => Some("a background job"),
        _ if word.starts_with(';') || word.ends_with(';') => Some("the end of a command"),
        _ if redirected.starts_with('>') => Some("a redirection"),
        // Not a piece of XML.
        _ if redirected.starts_with('<') && !word.ends_with('>') => Some("a redirection"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_a_shell_are_told_from_others() {
        for word in [
            "|",
            "||",
            "&&",
            ";",
            ">",
            ">>",
            "<",
            "2>&1",
            ">/dev/null",
            "&>log",
            "$(hostname)",
            "`id`",
            "nginx;",
            "a&&b",
        ] {
            assert!(meaning(word).is_some(), "{word}");
        }
        for word in ["nginx|haproxy", "http://x/?a=1&b=2", "-0", "a;b", "<html>", "$HOME", "2", "a>b"] {
            assert!(meaning(word).is_none(), "{word}");
        }
    }
}
