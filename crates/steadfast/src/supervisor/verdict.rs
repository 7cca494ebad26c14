//! Whether a configuration may be put into force, and what speaks against it.

use std::collections::BTreeSet;

use config::{Code, Diagnostic, Loaded, Severity, render};
use model::IfName;

/// Lines of a file that have no effect, or not the one that was written.
///
/// At start a daemon survives them, as keepalived does. At a reload a new one is a slip, and the daemon has something
/// better: the configuration that it runs with.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Losses {
    found: Vec<(Code, String)>,
    /// The interfaces that the file names: one of these may be gone for now, a new one that is not there is a slip.
    interfaces: BTreeSet<IfName>,
}

impl Losses {
    /// Those of a reading.
    pub(super) fn of(loaded: &Loaded) -> Self {
        let losses = loaded.diagnostics.iter().filter(|diagnostic| is_loss(diagnostic));
        Self {
            found: losses.map(|diagnostic| (diagnostic.code, diagnostic.headline.clone())).collect(),
            interfaces: loaded.interfaces.iter().map(|(name, _)| name.clone()).collect(),
        }
    }

    /// Whether the file of then named this interface.
    pub(super) fn knows(&self, interface: &IfName) -> bool {
        self.interfaces.contains(interface)
    }
}

/// What speaks against a configuration.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{count} {}: {}{}", self.kind(), .first.join("; "), self.more())]
pub(super) struct Findings {
    /// How many there are.
    count: usize,
    /// All of them are errors.
    only_errors: bool,
    /// The first of them, one line each; causes stand before their consequences.
    first: Vec<String>,
}

impl Findings {
    /// The errors: nothing can run with them.
    pub(super) fn errors(loaded: &Loaded) -> Option<Self> {
        Self::among(loaded, |diagnostic| diagnostic.severity == Severity::Error)
    }

    /// The errors, and the losses that the configuration before has not had already.
    pub(super) fn at_reload(loaded: &Loaded, before: &Losses) -> Option<Self> {
        let mut known = before.found.clone();
        Self::among(loaded, |diagnostic| {
            let is_same = |(code, headline): &(Code, String)| {
                *code == diagnostic.code && *headline == diagnostic.headline
            };
            match known.iter().position(is_same) {
                Some(index) if is_loss(diagnostic) => {
                    known.swap_remove(index);
                    false
                }
                _ => diagnostic.severity == Severity::Error || is_loss(diagnostic),
            }
        })
    }

    fn among(loaded: &Loaded, counts: impl FnMut(&&Diagnostic) -> bool) -> Option<Self> {
        let mut found: Vec<_> = loaded.diagnostics.iter().filter(counts).collect();
        // A value that is refused comes before the block that lacks it; otherwise in the order of the file.
        found.sort_by_key(|diagnostic| is_consequence(diagnostic.code));
        if found.is_empty() {
            return None;
        }
        Some(Self {
            count: found.len(),
            only_errors: found.iter().all(|diagnostic| diagnostic.severity == Severity::Error),
            first: found.iter().take(MOST_SHOWN).map(|diagnostic| line(diagnostic, loaded)).collect(),
        })
    }

    const fn kind(&self) -> &'static str {
        match (self.only_errors, self.count) {
            (true, 1) => "error in the configuration",
            (true, _) => "errors in the configuration",
            (false, 1) => "line of the configuration would not have the effect that is written",
            (false, _) => "faults in the configuration",
        }
    }

    fn more(&self) -> String {
        match self.count - self.first.len() {
            0 => String::new(),
            more => format!("; and {more} more"),
        }
    }
}

fn line(diagnostic: &Diagnostic, loaded: &Loaded) -> String {
    let line = render::line(diagnostic, &loaded.sources);
    match &diagnostic.help {
        Some(help) => format!("{line} ({help})"),
        None => line,
    }
}

/// What was written is dropped or replaced. A feature that is not built yet is none of it: what is written is right.
fn is_loss(diagnostic: &Diagnostic) -> bool {
    let is_loss = matches!(
        diagnostic.code,
        Code::LineTooLong
            | Code::NulByte
            | Code::UnpairedQuote
            | Code::Directive
            | Code::Parameter
            | Code::MissingOpenBrace
            | Code::StrayOpenBrace
            | Code::StrayCloseBrace
            | Code::UnclosedBlock
            | Code::TooDeep
            | Code::UnknownKeyword
            | Code::MissingArgument
            | Code::Repeated
            | Code::InvalidNumber
            | Code::OutOfRange
            | Code::Adjusted
            | Code::InvalidChoice
            | Code::InvalidAddress
            | Code::InvalidInterface
            | Code::InvalidScript
            | Code::MissingInterface
            | Code::MissingName
            | Code::DuplicateName
            | Code::UnknownMember
            | Code::UndefinedScript
            | Code::UndefinedTracker
    );
    is_loss && diagnostic.severity == Severity::Warning
}

/// Something is missing, often because the line that has it could not be understood.
const fn is_consequence(code: Code) -> bool {
    matches!(
        code,
        Code::ScriptWithoutCommand | Code::UndefinedScript | Code::IncompleteInstance | Code::NoAddresses
    )
}

/// How many findings a log line has room for.
const MOST_SHOWN: usize = 5;

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;

    struct Text(String);

    impl config::SourceProvider for Text {
        fn read(&self, _: &str) -> io::Result<Vec<u8>> {
            Ok(self.0.clone().into_bytes())
        }
    }

    fn load(text: &str) -> Loaded {
        config::load(&Text(text.to_owned()), "a.conf")
    }

    fn instance(lines: &str) -> String {
        format!("vrrp_instance v {{\ninterface eth0\n{lines}\nvirtual_ipaddress {{\n192.0.2.1\n}}\n}}\n")
    }

    #[test]
    fn causes_come_first_with_their_place_and_help() {
        let loaded = load(&instance("virtual_router_id 999"));
        let findings = Findings::errors(&loaded).unwrap();
        assert!(findings.first[0].contains("no valid"), "{findings}");
        let findings = Findings::at_reload(&loaded, &Losses::default()).unwrap();
        assert_eq!(findings.count, 2);
        assert!(
            findings.first[0].starts_with("a.conf:3:19: ") && findings.first[0].contains("999"),
            "{findings}"
        );
        assert!(findings.first[1].contains("no valid"), "{findings}");
        assert!(findings.first.iter().all(|line| line.ends_with(')')), "no help: {findings}");
    }

    #[test]
    fn only_new_losses_count() {
        let bad = instance("virtual_router_id 1\npriority 300");
        let worse = instance("virtual_router_id 1\npriority 300\npriority 300\nvirtual_ipaddres {\n}");
        let known = Losses::of(&load(&bad));
        assert_eq!(Findings::at_reload(&load(&bad), &known), None);
        assert_eq!(Findings::at_reload(&load(&bad), &Losses::default()).unwrap().count, 1);
        let findings = Findings::at_reload(&load(&worse), &known).unwrap();
        assert_eq!(findings.count, 2, "one more of the same, and one of another kind: {findings}");
        assert!(findings.to_string().contains("did you mean `virtual_ipaddress`?"), "{findings}");
    }

    #[test]
    fn what_is_not_built_yet_is_no_slip() {
        let loaded = load(&("global_defs {\nenable_dbus\n}\n".to_owned() + &instance("virtual_router_id 1")));
        assert!(!loaded.diagnostics.is_empty());
        assert_eq!(Findings::at_reload(&loaded, &Losses::default()), None);
    }

    #[test]
    fn findings_are_counted_and_the_first_are_named() {
        let text: String =
            (0..7).map(|n| format!("vrrp_instance v{n} {{\nvirtual_router_id 1\n}}\n")).collect();
        let findings = Findings::errors(&load(&text)).unwrap();
        assert_eq!((findings.count, findings.first.len()), (7, 5));
        let said = findings.to_string();
        assert!(said.starts_with("7 errors in the configuration: a.conf:1:"), "{said}");
        assert!(said.ends_with("; and 2 more"), "{said}");
    }
}
