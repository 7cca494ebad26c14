//! One life of the virtual machine: boot, a command, the end.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::Tools;
use crate::root;

/// Memory of the machine. It is taken only when it is used.
const MEMORY: &str = "mem=2G";
/// Between two looks at whether it has ended.
const TICK: Duration = Duration::from_millis(20);
/// Words of the kernel's command line: the consoles are descriptors that the shell below opens, and what takes
/// long at boot and is of no use here is left out.
const WORDS: [&str; 12] = [
    "root=/dev/root",
    "rootfstype=hostfs",
    "ro",
    "con=null",
    "con0=null,fd:9",
    "ssl0=null,fd:6",
    "ssl1=null,fd:7",
    "noreboot",
    "panic=-1",
    "quiet",
    "pty.legacy_count=0",
    "initcall_blacklist=raid6_select_algo,calibrate_xor_blocks,init_zswap",
];

/// Runs `command` inside with this environment besides our own, and gives its exit status.
///
/// # Errors
/// Why there is none: it did not boot, or it took too long.
pub(super) fn run(
    tools: &Tools,
    command: &[String],
    environment: &[(&str, &str)],
    patience: Option<Duration>,
) -> Result<u8, String> {
    let run = Folder::new()?;
    fs::write(run.0.join("command"), script(command, environment)).map_err(|error| error.to_string())?;
    let processor = Processor::take()?;
    let mut machine = start(tools, &run.0, &processor)?;
    wait(&mut machine, patience)?;
    let status = fs::read_to_string(run.0.join("status")).ok().and_then(|text| text.trim().parse().ok());
    status.ok_or_else(|| format!("the machine ended before the command did:\n{}", last_lines(&run.0)))
}

fn start(tools: &Tools, run: &Path, processor: &Processor) -> Result<Child, String> {
    // A shell between, since the first process of a namespace is not ended by abort(). The machine makes its
    // descriptors non-blocking, so it gets pipes of its own.
    let script = "\
        mkfifo \"$run/1\" \"$run/2\"\n\
        cat \"$run/1\" & cat \"$run/2\" >&2 &\n\
        taskset -c \"$processor\" env LD_LIBRARY_PATH=lib TMPDIR=/dev/shm \
            ./linux.uml \"$@\" 9>\"$run/console\" 6>\"$run/1\" 7>\"$run/2\" >\"$run/program\" 2>&1 </dev/null\n\
        wait\n";
    let word = |name: &str, path: &Path| format!("{name}={}", path.display());
    Command::new("setpriv")
        .args(["--pdeathsig", "KILL", "unshare", "--pid", "--fork", "--kill-child", "sh", "-c", script, "vm"])
        .args(WORDS)
        .args([MEMORY.to_owned(), format!("release={}", tools.release)])
        .args([word("init", &tools.folder.join("init")), word("tools", &tools.folder), word("run", run)])
        .args([word("modules", &tools.folder.join("modules")), word("uml_dir", run)])
        .current_dir(&tools.folder)
        .env("run", run)
        .env("processor", processor.number.to_string())
        .stdin(Stdio::null())
        .spawn()
        .map_err(|error| format!("cannot start it: {error}"))
}

/// The command as a shell's script: in this folder, with this environment.
fn script(command: &[String], environment: &[(&str, &str)]) -> String {
    let own =
        std::env::vars().filter(|(name, _)| name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_'));
    let given = environment.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    let exports = own.chain(given).map(|(name, value)| format!("export {name}={}\n", quoted(&value)));
    let folder = std::env::current_dir().unwrap_or_else(|_| root().to_owned());
    let words: Vec<_> = command.iter().map(|word| quoted(word)).collect();
    let mut script: String = exports.collect();
    script += &format!("cd {}\nexec {}\n", quoted(&folder.to_string_lossy()), words.join(" "));
    script
}

fn quoted(word: &str) -> String {
    format!("'{}'", word.replace('\'', r"'\''"))
}

fn wait(machine: &mut Child, patience: Option<Duration>) -> Result<(), String> {
    let begun = Instant::now();
    while machine.try_wait().map_err(|error| error.to_string())?.is_none() {
        if patience.is_some_and(|patience| begun.elapsed() > patience) {
            // unshare takes everything inside with it.
            drop(machine.kill());
            drop(machine.wait());
            return Err(format!("killed after {} s", begun.elapsed().as_secs()));
        }
        std::thread::sleep(TICK);
    }
    Ok(())
}

fn last_lines(run: &Path) -> String {
    let read = |name| fs::read(run.join(name)).unwrap_or_default();
    let all = [read("program"), read("console")].concat();
    let text = String::from_utf8_lossy(&all);
    let lines: Vec<_> = text.lines().collect();
    lines.get(lines.len().saturating_sub(12)..).unwrap_or_default().join("\n")
}

/// The folder of one run, gone with it.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Result<Self, String> {
        let folder = root().join("target/vm").join(format!("run-{}", std::process::id()));
        fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
        Ok(Self(folder))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        drop(fs::remove_dir_all(&self.0));
    }
}

/// A processor for one machine alone: its kernel and its processes are processes that take turns, and on two
/// processors each turn would be a wake-up of the other one.
struct Processor {
    number: usize,
    _lock: Option<File>,
}

impl Processor {
    fn take() -> Result<Self, String> {
        let all = std::thread::available_parallelism().map_or(1, usize::from);
        for number in 0..all {
            let path = root().join("target/vm").join(format!("processor-{number}.lock"));
            let lock = File::create(&path).map_err(|error| format!("{}: {error}", path.display()))?;
            if lock.try_lock().is_ok() {
                return Ok(Self { number, _lock: Some(lock) });
            }
        }
        Ok(Self { number: 0, _lock: None })
    }
}
