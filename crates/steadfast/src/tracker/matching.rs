//! Whether a process is one of those that are tracked, compared as keepalived compares.

use model::vrrp::{ParameterMatch, ProcessMatch, TrackedProcess};

/// What the kernel says of a process.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Process {
    /// Its name: at most 15 bytes of its program's, or what it calls itself.
    pub(super) name: Vec<u8>,
    /// Its command line: words that end with a zero byte. Empty where nobody asks for it, and of what runs no more.
    pub(super) line: Vec<u8>,
}

impl Process {
    /// It is one of those.
    pub(super) fn is(&self, tracked: &TrackedProcess) -> bool {
        let program = tracked.program.as_bytes();
        match &tracked.matching {
            ProcessMatch::Name => self.name == program,
            ProcessMatch::Command => self.split().is_some_and(|(first, _)| first == program),
            ProcessMatch::Parameters { parameters, mode } => self
                .split()
                .is_some_and(|(first, others)| first == program && are_parameters(others, parameters, *mode)),
        }
    }

    /// The first word of its command line, and the others.
    fn split(&self) -> Option<(&[u8], &[u8])> {
        let end = self.line.iter().position(|byte| *byte == 0);
        match end {
            Some(end) => Some((self.line.get(..end)?, self.line.get(end + 1..)?)),
            None if self.line.is_empty() => None,
            None => Some((&self.line, &[])),
        }
    }
}

/// Whether a command line is looked at.
pub(super) fn needs_line(tracked: &TrackedProcess) -> bool {
    tracked.matching != ProcessMatch::Name
}

fn are_parameters(found: &[u8], wanted: &[String], mode: ParameterMatch) -> bool {
    let mut all: Vec<u8> = wanted.iter().flat_map(|word| word.bytes().chain([0])).collect();
    match mode {
        ParameterMatch::Exact => found == all,
        ParameterMatch::Partial => found.starts_with(&all),
        ParameterMatch::Initial => {
            all.pop();
            found.starts_with(&all)
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use model::Influence;

    use super::*;

    fn tracked(command: &[&str], matching: fn(Vec<String>) -> ProcessMatch) -> TrackedProcess {
        let (program, parameters) = command.split_first().unwrap();
        TrackedProcess {
            name: "web".into(),
            program: (*program).to_owned(),
            matching: matching(parameters.iter().map(|word| (*word).to_owned()).collect()),
            influence: Influence::default(),
            least: 1,
            most: None,
            terminate_delay: Duration::ZERO,
            fork_delay: Duration::ZERO,
        }
    }

    const NAME: fn(Vec<String>) -> ProcessMatch = |_| ProcessMatch::Name;
    const COMMAND: fn(Vec<String>) -> ProcessMatch = |_| ProcessMatch::Command;
    const EXACT: fn(Vec<String>) -> ProcessMatch =
        |parameters| ProcessMatch::Parameters { parameters, mode: ParameterMatch::Exact };
    const INITIAL: fn(Vec<String>) -> ProcessMatch =
        |parameters| ProcessMatch::Parameters { parameters, mode: ParameterMatch::Initial };
    const PARTIAL: fn(Vec<String>) -> ProcessMatch =
        |parameters| ProcessMatch::Parameters { parameters, mode: ParameterMatch::Partial };

    /// What keepalived 2.2.7 counted.
    #[test]
    fn a_process_is_compared_as_keepalived_compares() {
        let process =
            Process { name: b"shortname".to_vec(), line: b"/opt/shortname\x009000\x0010\0".to_vec() };
        for (matching, command, expected) in [
            (NAME, &["shortname"][..], true),
            (NAME, &["/opt/shortname"], false),
            (NAME, &["short"], false),
            (NAME, &["Shortname"], false),
            (COMMAND, &["/opt/shortname"], true),
            (COMMAND, &["shortname"], false),
            (COMMAND, &["/opt/short"], false),
            (COMMAND, &["/opt/shortname 9000 10"], false),
            (EXACT, &["/opt/shortname", "9000", "10"], true),
            (EXACT, &["/opt/shortname", "9000"], false),
            (EXACT, &["/opt/shortname", "9000", "1"], false),
            (EXACT, &["/opt/shortname", "9000", ""], false),
            (EXACT, &["/opt/shortname"], false),
            (INITIAL, &["/opt/shortname"], true),
            (INITIAL, &["/opt/shortname", "90"], true),
            (INITIAL, &["/opt/shortname", "9000"], true),
            (INITIAL, &["/opt/shortname", "9000", "1"], true),
            (INITIAL, &["/opt/shortname", "9000", "100"], false),
            (INITIAL, &["/opt/shortname", "10"], false),
            (INITIAL, &["/opt/short"], false),
            (PARTIAL, &["/opt/shortname"], true),
            (PARTIAL, &["/opt/shortname", "9000"], true),
            (PARTIAL, &["/opt/shortname", "9000", "10"], true),
            (PARTIAL, &["/opt/shortname", "90"], false),
            (PARTIAL, &["/opt/shortname", "9000", "1"], false),
            (PARTIAL, &["/opt/shortname", ""], false),
        ] {
            assert_eq!(process.is(&tracked(command, matching)), expected, "{command:?}");
        }
        let bare = Process { name: b"cat".to_vec(), line: b"cat\0".to_vec() };
        assert!([EXACT, INITIAL, PARTIAL].iter().all(|mode| bare.is(&tracked(&["cat"], *mode))));
    }

    #[test]
    fn a_command_line_may_be_anything() {
        for line in [&b""[..], b"\0", b"\0\0", b"x", b"\xff\0\xff"] {
            let process = Process { name: Vec::new(), line: line.to_vec() };
            for matching in [NAME, COMMAND, EXACT, INITIAL, PARTIAL] {
                assert!(!process.is(&tracked(&["cat", "x"], matching)), "{line:?}");
            }
        }
        let without_end = Process { name: Vec::new(), line: b"cat".to_vec() };
        assert!(without_end.is(&tracked(&["cat"], COMMAND)));
    }
}
