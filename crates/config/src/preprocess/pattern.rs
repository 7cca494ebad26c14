//! Names of files with `{a,b}`, `*`, `?` and `[a-z]` in them.

use std::io;

use crate::SourceProvider;

/// The most names that one pattern may stand for.
const MOST: usize = 100_000;

/// The alternatives that the braces of a pattern stand for, in their order.
pub(super) fn alternatives(pattern: &str) -> Vec<String> {
    let mut done = Vec::new();
    let mut open = vec![pattern.to_owned()];
    while let Some(pattern) = open.pop() {
        match first_braces(&pattern) {
            Some((before, choices, after)) if done.len() + open.len() < MOST_ALTERNATIVES => {
                let choices: Vec<_> =
                    choices.iter().map(|choice| format!("{before}{choice}{after}")).collect();
                open.extend(choices.into_iter().rev());
            }
            _ => done.push(pattern),
        }
    }
    done
}

/// The most alternatives that are told apart; more are taken literally.
pub(super) const MOST_ALTERNATIVES: usize = 1000;

/// Whether braces were left over because there were too many.
pub(super) fn has_braces(alternative: &str) -> bool {
    first_braces(alternative).is_some()
}

/// The text around the first pair of braces, and what stands between their commas.
fn first_braces(pattern: &str) -> Option<(&str, Vec<&str>, &str)> {
    let open = pattern.find('{')?;
    let mut depth = 0_usize;
    let mut from = open + 1;
    let mut choices = Vec::new();
    for (at, byte) in pattern.bytes().enumerate().skip(open) {
        match byte {
            b'{' => depth += 1,
            b',' if depth == 1 => {
                choices.push(pattern.get(from..at)?);
                from = at + 1;
            }
            b'}' => {
                depth = depth.checked_sub(1)?;
                if depth == 0 {
                    choices.push(pattern.get(from..at)?);
                    return Some((pattern.get(..open)?, choices, pattern.get(at + 1..)?));
                }
            }
            _ => {}
        }
    }
    None
}

/// Whether a name has wildcards.
pub(super) fn is_wild(pattern: &str) -> bool {
    // A bracket that nothing closes stands for itself.
    pattern.contains(['*', '?']) || pattern.split_once('[').is_some_and(|(_, rest)| rest.contains(']'))
}

/// A directory that cannot be listed.
#[derive(Debug)]
pub(super) struct Unlisted {
    pub(super) directory: String,
    pub(super) error: io::Error,
}

/// The existing names that a pattern with wildcards stands for, sorted.
///
/// # Errors
/// The first of the directories in question, if none of them can be listed.
pub(super) fn matches(provider: &dyn SourceProvider, pattern: &str) -> Result<Vec<String>, Unlisted> {
    let mut unlisted = None;
    let mut found = vec![String::new()];
    let mut could_list = false;
    let components: Vec<&str> = pattern.split('/').collect();
    for (index, component) in components.iter().enumerate() {
        let is_last = index + 1 == components.len();
        let mut next = Vec::new();
        for base in &found {
            let separator = if index == 0 { "" } else { "/" };
            if !is_wild(component) {
                next.push(format!("{base}{separator}{component}"));
                continue;
            }
            let directory = if index == 0 {
                "."
            } else if base.is_empty() {
                "/"
            } else {
                base
            };
            let mut names = match provider.names(directory) {
                Ok(names) => names,
                Err(error) => {
                    unlisted.get_or_insert_with(|| Unlisted { directory: directory.to_owned(), error });
                    continue;
                }
            };
            could_list = true;
            names.retain(|name| fits(component, name));
            names.sort_unstable();
            next.extend(
                names.iter().map(|name| format!("{base}{separator}{name}")).take(MOST - next.len().min(MOST)),
            );
        }
        found = next;
        // What stands between wildcards need not exist everywhere.
        if is_last && !is_wild(component) {
            found.retain(|path| provider.kind(path).is_ok());
        }
    }
    match unlisted {
        Some(unlisted) if !could_list => Err(unlisted),
        _ => Ok(found),
    }
}

/// Whether `name` is one of those that `pattern` stands for. A star does not stand for a leading dot.
fn fits(pattern: &str, name: &str) -> bool {
    if name.starts_with('.') && !pattern.starts_with('.') {
        return false;
    }
    let (mut pattern, mut name) = (pattern, name);
    // What is left of both after the last star, and what it may swallow next.
    let mut star: Option<(&str, &str)> = None;
    loop {
        let mut rest = name.chars();
        match (one(pattern), rest.next()) {
            (Some((One::Star, after)), _) => {
                star = Some((after, name));
                pattern = after;
                continue;
            }
            (Some((one, after)), Some(c)) if one.fits(c) => {
                (pattern, name) = (after, rest.as_str());
                continue;
            }
            (None, None) => return true,
            _ => {}
        }
        let Some((after, from)) = star else { return false };
        let mut swallowed = from.chars();
        if swallowed.next().is_none() {
            return false;
        }
        (pattern, name) = (after, swallowed.as_str());
        star = Some((after, name));
    }
}

/// The first element of a pattern.
#[derive(Clone, Copy, Debug)]
enum One<'p> {
    Star,
    Any,
    Set { members: &'p str, is_negated: bool },
    Exactly(char),
}

fn one(pattern: &str) -> Option<(One<'_>, &str)> {
    let mut rest = pattern.chars();
    let first = rest.next()?;
    let after = rest.as_str();
    Some(match first {
        '*' => (One::Star, after),
        '?' => (One::Any, after),
        '\\' => match rest.next() {
            Some(c) => (One::Exactly(c), rest.as_str()),
            None => (One::Exactly('\\'), after),
        },
        '[' => {
            let is_negated = after.starts_with(['!', '^']);
            let inner = after.get(usize::from(is_negated)..).unwrap_or_default();
            // A bracket that comes first is a member.
            let first = inner.chars().next().map_or(0, char::len_utf8);
            match inner.get(first..).and_then(|rest| rest.find(']')) {
                Some(end) => {
                    let members = inner.get(..first + end).unwrap_or_default();
                    (One::Set { members, is_negated }, inner.get(first + end + 1..).unwrap_or_default())
                }
                None => (One::Exactly('['), after),
            }
        }
        c => (One::Exactly(c), after),
    })
}

impl One<'_> {
    fn fits(self, c: char) -> bool {
        match self {
            Self::Star => false,
            Self::Any => true,
            Self::Exactly(expected) => c == expected,
            Self::Set { members, is_negated } => is_member(members, c) != is_negated,
        }
    }
}

fn is_member(members: &str, c: char) -> bool {
    let mut members = members.chars();
    while let Some(first) = members.next() {
        let mut ahead = members.clone();
        match (ahead.next(), ahead.next()) {
            (Some('-'), Some(last)) => {
                if (first..=last).contains(&c) {
                    return true;
                }
                members = ahead;
            }
            _ if first == c => return true,
            _ => {}
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wildcards_fit_names() {
        for (pattern, name, expected) in [
            ("*.conf", "a.conf", true),
            ("*.conf", ".a.conf", false),
            (".*", ".a", true),
            ("a?c", "abc", true),
            ("a?c", "ac", false),
            ("[a-c]x", "bx", true),
            ("[!a-c]x", "bx", false),
            ("[]x]", "]", true),
            ("[a", "[a", true),
            ("\\*", "*", true),
            ("\\*", "a", false),
            ("*a*b*", "xxaxxbxx", true),
            ("*a*b*", "xxbxxaxx", false),
            ("", "", true),
            ("*", "", true),
        ] {
            assert_eq!(fits(pattern, name), expected, "{pattern} {name}");
        }
        assert!(is_wild("[a]") && is_wild("a?") && !is_wild("a[") && !is_wild("]["));
        let name = "a".repeat(3000);
        assert!(!fits(&("a*".repeat(1000) + "b"), &name), "in good time");
    }

    #[test]
    fn braces_stand_for_alternatives() {
        assert_eq!(alternatives("a{b,c{d,e}}f"), ["abf", "acdf", "acef"]);
        assert_eq!(alternatives("{,x}/y"), ["/y", "x/y"]);
        assert_eq!(alternatives("a{b"), ["a{b"]);
        assert_eq!(alternatives("a}b{"), ["a}b{"]);
        assert!(alternatives(&"{a,b}".repeat(100)).len() <= 1200);
    }
}
