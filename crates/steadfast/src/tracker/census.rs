//! The processes of this host, as far as they are tracked.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read as _;

use model::vrrp::TrackedProcess;

use super::matching::{Process, needs_line};

/// Which processes are which of the tracked ones.
#[derive(Debug, Default)]
pub(super) struct Census {
    tracked: Vec<TrackedProcess>,
    /// Which of `tracked` each process is. Only of those that are one.
    found: BTreeMap<u32, Vec<usize>>,
    counts: Vec<u32>,
    needs_lines: bool,
}

impl Census {
    /// Counts these from now on; nobody has been counted yet.
    pub(super) fn new(tracked: Vec<TrackedProcess>) -> Self {
        let counts = vec![0; tracked.len()];
        let needs_lines = tracked.iter().any(needs_line);
        Self { tracked, found: BTreeMap::new(), counts, needs_lines }
    }

    /// How many there are of each.
    pub(super) fn counts(&self) -> impl Iterator<Item = (&str, u32)> {
        self.tracked.iter().map(|tracked| tracked.name.as_str()).zip(self.counts.iter().copied())
    }

    /// Counts all that run now.
    ///
    /// # Errors
    /// `/proc` cannot be listed.
    pub(super) fn take(&mut self) -> std::io::Result<()> {
        let entries = std::fs::read_dir("/proc")?;
        self.found.clear();
        self.counts.fill(0);
        for pid in entries.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok()) {
            self.look(pid);
        }
        Ok(())
    }

    /// A process is another one now: looks at it.
    pub(super) fn look(&mut self, pid: u32) {
        let process = self.read(pid).unwrap_or_default();
        let is = self.tracked.iter().enumerate().filter(|(_, tracked)| process.is(tracked));
        let is = is.map(|(index, _)| index).collect();
        self.set(pid, is);
    }

    /// A process has made another one, which is the same so far.
    pub(super) fn fork(&mut self, parent: u32, child: u32) {
        let is = self.found.get(&parent).cloned().unwrap_or_default();
        self.set(child, is);
    }

    /// A process has ended.
    pub(super) fn end(&mut self, pid: u32) {
        self.set(pid, Vec::new());
    }

    fn set(&mut self, pid: u32, is: Vec<usize>) {
        let change = |counts: &mut [u32], index: usize, by: fn(u32, u32) -> u32| {
            if let Some(count) = counts.get_mut(index) {
                *count = by(*count, 1);
            }
        };
        for index in self.found.remove(&pid).unwrap_or_default() {
            change(&mut self.counts, index, u32::saturating_sub);
        }
        for index in &is {
            change(&mut self.counts, *index, u32::saturating_add);
        }
        if !is.is_empty() {
            self.found.insert(pid, is);
        }
    }

    /// What a process is; `None` if it runs no more.
    fn read(&self, pid: u32) -> Option<Process> {
        let name = name_of(&read_start(&format!("/proc/{pid}/stat"), STAT_BYTES)?)?;
        let line = match self.needs_lines {
            true => read_start(&format!("/proc/{pid}/cmdline"), LINE_BYTES)?,
            false => Vec::new(),
        };
        Some(Process { name, line })
    }
}

/// The name in a line of `/proc/PID/stat`, which reads `PID (NAME) STATE …`; none of a process that has ended and waits for
/// its parent. A name may hold anything, also what looks like the end of one.
fn name_of(stat: &[u8]) -> Option<Vec<u8>> {
    let from = stat.iter().position(|byte| *byte == b'(')? + 1;
    let to = stat.iter().rposition(|byte| *byte == b')')?;
    let is_over = matches!(stat.get(to + 2), Some(b'Z' | b'X'));
    (!is_over).then(|| stat.get(from..to).map(<[u8]>::to_vec))?
}

fn read_start(path: &str, most: u64) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path).ok()?.take(most).read_to_end(&mut bytes).ok()?;
    Some(bytes)
}

/// More than the whole line has.
const STAT_BYTES: u64 = 4096;

/// A command line can be megabytes long; no file asks for that much.
const LINE_BYTES: u64 = 64 * 1024;

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use model::Influence;
    use model::vrrp::ProcessMatch;

    use super::*;

    fn tracked(program: &str, matching: ProcessMatch) -> TrackedProcess {
        TrackedProcess {
            name: "one".into(),
            program: program.into(),
            matching,
            influence: Influence::default(),
            least: 1,
            most: None,
            terminate_delay: Duration::ZERO,
            fork_delay: Duration::ZERO,
        }
    }

    fn count(census: &Census) -> u32 {
        census.counts().next().unwrap().1
    }

    #[test]
    fn a_name_may_hold_anything() {
        assert_eq!(name_of(b"12 (cat) S 1"), Some(b"cat".to_vec()));
        assert_eq!(name_of(b"12 (a) Z (b) S 1"), Some(b"a) Z (b".to_vec()));
        assert_eq!(name_of(b"12 (cat) Z 1"), None);
        assert_eq!(name_of(b"12 (cat) X 1"), None);
        for broken in [&b""[..], b")(", b"(", b")", b"12 (cat"] {
            assert_eq!(name_of(broken), None);
        }
        assert_eq!(name_of(b"()"), Some(Vec::new()));
    }

    #[test]
    fn a_child_is_what_its_parent_is_until_it_is_another() {
        let dir = tempfile::tempdir().unwrap();
        let program = dir.path().join("a program");
        std::os::unix::fs::symlink("/bin/sleep", &program).unwrap();
        let mut census = Census::new(vec![tracked(program.to_str().unwrap(), ProcessMatch::Command)]);
        census.take().unwrap();
        assert_eq!(count(&census), 0);
        let mut child = std::process::Command::new(&program).arg("1000").spawn().unwrap();
        // Its parent goes on a moment before the kernel shows it as that program.
        let is_seen = || {
            census.look(child.id());
            count(&census) == 1
        };
        assert!(lab::wait_until(Duration::from_secs(20), is_seen));
        census.fork(child.id(), u32::MAX);
        assert_eq!(count(&census), 2);
        census.take().unwrap();
        assert_eq!(count(&census), 1, "there is no such process");
        census.fork(child.id(), u32::MAX);
        census.look(u32::MAX);
        assert_eq!(count(&census), 1);
        census.fork(u32::MAX, u32::MAX - 1);
        census.end(u32::MAX);
        assert_eq!(count(&census), 1);
        child.kill().unwrap();
        child.wait().unwrap();
        census.look(child.id());
        assert_eq!(count(&census), 0);
        census.end(child.id());
        assert_eq!(count(&census), 0);
    }

    #[test]
    fn what_has_ended_does_not_count_while_its_parent_looks_away() {
        let mut child = std::process::Command::new("/bin/sleep").arg("0").spawn().unwrap();
        let census = Census::new(vec![tracked("sleep", ProcessMatch::Name)]);
        let until = std::time::Instant::now() + Duration::from_secs(20);
        while census.read(child.id()).is_some() {
            assert!(std::time::Instant::now() < until, "it never ends");
            std::thread::yield_now();
        }
        assert!(std::fs::exists(format!("/proc/{}", child.id())).unwrap());
        child.wait().unwrap();
    }
}
