//! Developer commands. `cargo xtask test` is what CI runs.

mod bench;
mod mutants;
mod packages;
mod pages;
mod sizes;
mod suite;
mod test;
mod vm;

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, ExitCode};

const USAGE: &str = "\
usage: cargo xtask COMMAND

  test [STEP…]   installs the programs that the tests need, if they are missing and this is Debian, then runs every
                 step, or only those named: packages fmt clippy docs sizes pages mutants test vm
  docs           writes the pages that are made from the program's tables: references, manual pages, completions
  vm -- COMMAND… runs a command, as root, on a kernel that has what this one may lack, with this machine's files; what
                 it writes is forgotten, but for its output. The kernel comes from Debian the first time
  bench [--runs N] [PART…]
                 measures Steadfast beside keepalived, in turns, and prints the tables of docs/performance.md; parts:
                 takeover overtake client scale checks config sim. Takes some minutes; leave the machine alone meanwhile
";

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    match arguments.next().as_deref() {
        Some("test") => test::run(&arguments.collect::<Vec<_>>()),
        Some("docs") => pages::write(),
        Some("vm") => vm::run(&arguments.collect::<Vec<_>>()),
        Some("bench") => bench::run(&arguments.collect::<Vec<_>>()),
        _ => {
            say(USAGE.trim_end());
            ExitCode::from(2)
        }
    }
}

/// The workspace's folder, in which every step works wherever this program is called from.
fn root() -> &'static Path {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    package.parent().unwrap_or(package)
}

/// Cargo, the one that runs this program if it says so.
fn cargo() -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(root());
    command
}

/// Writes a line to standard output. If that fails there is nobody left to tell.
fn say(text: &str) {
    drop(writeln!(std::io::stdout(), "{text}"));
}
