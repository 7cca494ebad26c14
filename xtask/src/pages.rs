//! `cargo xtask docs`: the pages that are made from the program's tables, and whether those in the repository still are.

use std::path::Path;
use std::process::ExitCode;
use std::{fs, io};

use crate::{root, say};

/// A file, and the command of the program that prints it.
const PAGES: [(&str, [&str; 2]); 7] = [
    ("docs/keywords.md", ["manual", "keywords"]),
    ("docs/errors.md", ["manual", "errors"]),
    ("docs/man/steadfast.8", ["manual", "8"]),
    ("docs/man/steadfast.conf.5", ["manual", "5"]),
    ("packaging/completions/steadfast.bash", ["completions", "bash"]),
    ("packaging/completions/_steadfast", ["completions", "zsh"]),
    ("packaging/completions/steadfast.fish", ["completions", "fish"]),
];

/// Writes all of them.
pub(crate) fn write() -> ExitCode {
    for (file, command) in PAGES {
        let path = root().join(file);
        let written = printed(command).and_then(|text| {
            fs::create_dir_all(path.parent().unwrap_or_else(|| root()))?;
            fs::write(&path, text)
        });
        if let Err(error) = written {
            say(&format!("cannot write {file}: {error}"));
            return ExitCode::FAILURE;
        }
    }
    ExitCode::SUCCESS
}

/// Whether each is what the program prints. Names those that are not.
pub(crate) fn are_current() -> bool {
    let stale: Vec<_> =
        PAGES.iter().filter(|(file, command)| !is_current(&root().join(file), *command)).collect();
    for (file, _) in &stale {
        say(&format!("{file} is not what the tables make of it: run `cargo xtask docs`"));
    }
    stale.is_empty()
}

fn is_current(path: &Path, command: [&str; 2]) -> bool {
    match printed(command) {
        Ok(text) => fs::read(path).is_ok_and(|page| page == text),
        Err(error) => {
            say(&format!("cannot print {}: {error}", command.join(" ")));
            false
        }
    }
}

fn printed(command: [&str; 2]) -> io::Result<Vec<u8>> {
    let mut cargo = crate::cargo();
    let output = cargo.args(["run", "--quiet", "--package", "steadfast", "--"]).args(command).output()?;
    if output.status.success() && !output.stdout.is_empty() {
        return Ok(output.stdout);
    }
    Err(io::Error::other(String::from_utf8_lossy(&output.stderr).into_owned()))
}
