//! Both programs on one host, and what they say of a file.

use std::collections::BTreeSet;
use std::fmt;
use std::fs;
use std::process::Command;
use std::sync::LazyLock;
use std::thread;
use std::time::Duration;

use lab::{Cable, Host, Lan};

use super::samples;

/// A file to be judged.
pub(crate) struct File {
    /// What names it in the output.
    pub(crate) name: String,
    pub(crate) text: String,
}

/// What a program says of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Class {
    /// Nothing.
    Valid,
    /// Errors or warnings.
    Wrong,
    /// Scripts without script security, or a checked include that failed.
    Security,
    /// No verdict: the program was killed by a signal, or does not end.
    Failed(i32),
}

impl Class {
    fn of(status: i32) -> Self {
        match status {
            0 => Self::Valid,
            2 | 4 | 5 => Self::Wrong,
            6 => Self::Security,
            other => Self::Failed(other),
        }
    }
}

/// The answer of one program.
pub(crate) struct Answer {
    pub(crate) status: i32,
    pub(crate) said: String,
}

impl Answer {
    pub(crate) fn class(&self) -> Class {
        Class::of(self.status)
    }
}

/// A file with both answers.
pub(crate) struct Case {
    pub(crate) file: File,
    pub(crate) keepalived: Answer,
    pub(crate) steadfast: Answer,
}

impl Case {
    pub(crate) fn agrees(&self) -> bool {
        self.keepalived.class() == self.steadfast.class()
    }

    /// A line of a table: both statuses, the file, and what the programs said first.
    pub(crate) fn row(&self) -> String {
        let first = |answer: &Answer| answer.said.lines().next().unwrap_or_default().to_owned();
        let Self { file, keepalived, steadfast } = self;
        let (theirs, ours) = (first(keepalived), first(steadfast));
        format!("{}\t{}\t{}\t{theirs}\t{ours}\n", keepalived.status, steadfast.status, file.name)
    }
}

impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { file, keepalived, steadfast } = self;
        let told = |answer: &Answer| {
            answer.said.lines().take(40).map(|line| format!("{line}\n")).collect::<String>()
        };
        writeln!(f, "=== {} ===", file.name)?;
        writeln!(f, "keepalived, status {}:\n{}", keepalived.status, told(keepalived))?;
        writeln!(f, "steadfast, status {}:\n{}", steadfast.status, told(steadfast))
    }
}

/// A host with the interfaces that the files name.
pub(crate) struct Bench {
    host: Host,
    _cables: Vec<Cable>,
}

impl Bench {
    /// The one host of these tests. `None`, and said so, where this machine has no keepalived or no namespaces.
    pub(crate) fn shared() -> Option<&'static Self> {
        // One for all: while a program is copied, no other test may fork and so hold the copy open.
        static SHARED: LazyLock<Result<Bench, String>> = LazyLock::new(Bench::new);
        SHARED.as_ref().map_err(lab::skip).ok()
    }

    fn new() -> Result<Self, String> {
        if Command::new("keepalived").arg("-v").output().is_err() {
            return Err("there is no keepalived to compare with".to_owned());
        }
        let host = Host::read_only("host").map_err(|error| error.to_string())?;
        // The folder that it is built in may be below /tmp, which is the host's own.
        fs::copy(env!("CARGO_BIN_EXE_steadfast"), host.path("/tmp/steadfast")).expect("a copy");
        fs::write(host.path("/tmp/judge"), JUDGE).expect("a file");
        let lan = Lan::new().expect("a LAN where there are hosts");
        let connect = |name: &str| {
            let name = name.parse().expect("the name of an interface");
            lan.connect(&host, &name, &[]).expect("a cable")
        };
        let files: Vec<File> = [samples::samples(), samples::seeds()].into_iter().flatten().collect();
        let cables = interfaces(&files).iter().map(|name| connect(name)).collect();
        Ok(Self { host, _cables: cables })
    }

    /// Lets both programs test every file, several at once.
    pub(crate) fn judge(&self, what: &str, files: Vec<File>) -> Vec<Case> {
        let path = |name: &str| self.host.path(&format!("/tmp/{what}/{name}"));
        fs::create_dir(path("")).expect("a folder");
        for (number, file) in files.iter().enumerate() {
            fs::write(path(&format!("{number}.conf")), &file.text).expect("a file");
        }
        let count = files.len().to_string();
        let workers = thread::available_parallelism().map_or(1, |cores| cores.get());
        let step = workers.to_string();
        let start = |first: usize| {
            let first = first.to_string();
            self.host.spawn(&["sh", "/tmp/judge", what, &first, &step, &count]).expect("a shell")
        };
        for mut worker in (0..workers).map(start).collect::<Vec<_>>() {
            let status = worker.wait(PATIENCE).expect("the files are tested in time");
            assert!(status.success(), "{}", worker.log().unwrap_or_default());
        }
        let answer = |number: usize, program: &str| {
            let said = fs::read(path(&format!("{number}.{program}"))).expect("an answer");
            let said = String::from_utf8_lossy(&said);
            let (said, status) = said.trim_end().rsplit_once("status ").expect("a status");
            Answer { status: status.parse().expect("a number"), said: said.trim_end().to_owned() }
        };
        let judged = files.into_iter().enumerate().map(|(number, file)| Case {
            file,
            keepalived: answer(number, "keepalived"),
            steadfast: answer(number, "steadfast"),
        });
        judged.collect()
    }
}

/// Tests every step-th file of a folder with both programs: folder, first, step, count.
const JUDGE: &str = r#"
ulimit -c 0
cd "/tmp/$1"
number=$2
test_file() {
    timeout 20 "$2" -t -f "/tmp/$folder/$number.conf" > "$number.$1" 2>&1
    echo "status $?" >> "$number.$1"
}
folder=$1
while [ "$number" -lt "$4" ]; do
    test_file keepalived keepalived
    test_file steadfast /tmp/steadfast
    number=$((number + $3))
done 2> /dev/null
"#;

const PATIENCE: Duration = Duration::from_secs(1200);

/// What the files call their interfaces.
fn interfaces(files: &[File]) -> BTreeSet<&str> {
    let words = files.iter().flat_map(|file| file.text.split_whitespace());
    let is_name = |word: &&str| {
        let rest = word.trim_start_matches(|c: char| c.is_ascii_lowercase());
        ["eth", "ens", "bond"]
            .iter()
            .any(|kind| word.len() - rest.len() == kind.len() && word.starts_with(kind))
            && rest.starts_with(|c: char| c.is_ascii_digit())
            && rest.chars().all(|c| c.is_ascii_digit() || c == '.')
    };
    words.filter(is_name).collect()
}
