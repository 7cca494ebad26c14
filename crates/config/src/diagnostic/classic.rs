//! The sentences that keepalived logs, for the findings that operators and their tools know by them.

use super::{Code, Diagnostic};

/// What keepalived logs for it, or the headline. Names of the file stand in it without control characters.
pub(super) fn sentence(diagnostic: &Diagnostic) -> String {
    let known = diagnostic.classic.clone().or_else(|| by_code(diagnostic));
    let sentence = known.unwrap_or_else(|| diagnostic.headline.clone());
    sentence.replace(char::is_control, "\u{fffd}")
}

/// The sentence of all findings of a kind.
#[expect(clippy::wildcard_enum_match_arm, reason = "keepalived has a sentence for few kinds")]
fn by_code(diagnostic: &Diagnostic) -> Option<String> {
    let sentence = match diagnostic.code {
        Code::UnknownKeyword => return quoted(diagnostic).map(|word| format!("Unknown keyword '{word}'")),
        Code::InvalidNumber => return quoted(diagnostic).map(|word| format!("invalid number '{word}'")),
        Code::MissingInterface => {
            return quoted(diagnostic).map(|name| format!("WARNING - interface {name} doesn't exist"));
        }
        Code::MissingOpenBrace => "Missing '{' at beginning of configuration block",
        Code::StrayOpenBrace => "Unexpected '{' - ignoring",
        Code::StrayCloseBrace => "Extra '}' found",
        Code::UnclosedBlock => "There are 1 missing '}'s or extra '{'s",
        // Without the line that keepalived shows: there may be a password on it.
        Code::UnpairedQuote => "Unmatched quote",
        Code::NoScriptSecurity => {
            "SECURITY VIOLATION - scripts are being executed but script_security not enabled."
        }
        Code::PasswordCut => "Truncating auth_pass to 8 characters",
        _ => return None,
    };
    Some(sentence.to_owned())
}

/// The first word of the file that the headline shows.
fn quoted(diagnostic: &Diagnostic) -> Option<&str> {
    diagnostic.headline.split('`').nth(1)
}
