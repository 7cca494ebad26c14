//! `steadfast fmt`: a configuration in its canonical form.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, IsTerminal as _, Read as _, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _, fchown};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use config::render::{self, Colour};
use lexopt::Arg;

use crate::command::{Command, CommandOption, NO, Operand};

pub(crate) const COMMAND: Command = Command {
    name: "fmt",
    synopsis: "[--check] [FILE...|-]",
    summary: "Lay configuration files out in the canonical form",
    description: &[
        "Rewrites each FILE in the canonical form: four blanks for each block, one blank between words, one blank line between the blocks of the top level. Comments, definitions, conditions and quotes stay as they are, and the files mean what they meant. Lines end in a newline alone, whatever they ended in. A file whose braces do not pair is left alone.",
        "Without a FILE, or for -, standard input is read and the result written to standard output.",
    ],
    options: &[CommandOption::flag("check", "Change nothing; name the files that would be changed")],
    operand: Operand::Files,
    statuses: &[
        (0, "all files have, or now have, the canonical form"),
        (NO, "a file cannot be laid out, or with --check would be changed"),
    ],
    hidden: false,
    run,
};

fn run(arguments: Vec<OsString>) -> ExitCode {
    let mut check = false;
    let mut files: Vec<PathBuf> = Vec::new();
    let mut parser = lexopt::Parser::from_args(arguments);
    loop {
        match parser.next() {
            Ok(None) => break,
            Ok(Some(Arg::Short('h') | Arg::Long("help"))) => return COMMAND.help(),
            Ok(Some(Arg::Long("check"))) => check = true,
            Ok(Some(Arg::Value(file))) => files.push(file.into()),
            Ok(Some(argument)) => return COMMAND.misused(&argument.unexpected().to_string()),
            Err(error) => return COMMAND.misused(&error.to_string()),
        }
    }
    if files.is_empty() {
        files.push("-".into());
    }
    let mut status = 0;
    for file in &files {
        match lay_out(file, check) {
            Ok(Outcome::Canonical) => {}
            Ok(Outcome::Differs) => {
                let name = file.display();
                COMMAND.complain(&format!("{name} is not in the canonical form"));
                status = NO;
            }
            Err(error) => {
                COMMAND.complain(&error.to_string());
                status = NO;
            }
        }
    }
    ExitCode::from(status)
}

enum Outcome {
    /// It has the canonical form, or has it now.
    Canonical,
    /// It would be changed.
    Differs,
}

#[derive(Debug, thiserror::Error)]
enum Error {
    #[error("cannot read {0}: {1}")]
    Read(PathBuf, #[source] io::Error),
    #[error("cannot write {0}: {1}")]
    Write(PathBuf, #[source] io::Error),
    #[error("its braces do not pair\n{0}")]
    Unbalanced(String),
}

fn lay_out(file: &Path, check: bool) -> Result<Outcome, Error> {
    let is_stream = file == Path::new("-");
    let before = if is_stream { read_stream() } else { read_regular(file) };
    let before = before.map_err(|error| Error::Read(file.to_owned(), error))?;
    let name = if is_stream { "<standard input>".into() } else { file.to_string_lossy() };
    let after = config::format(&name, &before).map_err(|refusal| {
        let colour = if io::stderr().is_terminal() { Colour::On } else { Colour::Off };
        Error::Unbalanced(render::full(&refusal.diagnostic, &refusal.sources, colour))
    })?;
    if check {
        return Ok(if before == after { Outcome::Canonical } else { Outcome::Differs });
    }
    let written = if is_stream {
        let mut out = io::stdout().lock();
        out.write_all(&after).and_then(|()| out.flush())
    } else if before == after {
        Ok(())
    } else {
        replace(file, &after)
    };
    written.map_err(|error| Error::Write(file.to_owned(), error)).map(|()| Outcome::Canonical)
}

fn read_stream() -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    io::stdin().lock().read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn read_regular(file: &Path) -> io::Result<Vec<u8>> {
    let metadata = fs::metadata(file)?;
    if metadata.is_dir() {
        return Err(io::ErrorKind::IsADirectory.into());
    }
    if !metadata.is_file() {
        return Err(io::Error::other("not a regular file"));
    }
    fs::read(file)
}

/// Gives a file new content in one step: a daemon that reloads meanwhile reads the old one or the new one. A link is
/// followed; owner and mode stay.
fn replace(file: &Path, content: &[u8]) -> io::Result<()> {
    let file = fs::canonicalize(file)?;
    let before = fs::metadata(&file)?;
    check_writable(&file, &before)?;
    let mut name = OsString::from(".");
    name.push(file.file_name().unwrap_or_default());
    name.push(format!(".{}.new", std::process::id()));
    let new = file.with_file_name(name);
    let result = write_new(&new, &before, content).and_then(|()| fs::rename(&new, &file)).map_err(explained);
    if result.is_err() {
        // It may not even exist.
        fs::remove_file(&new).ok();
    }
    result
}

/// Whoever may write to the folder could replace any file in it; who took the right to write away meant the file.
fn check_writable(file: &Path, before: &fs::Metadata) -> io::Result<()> {
    if before.mode() & 0o222 == 0 {
        return Err(io::Error::new(io::ErrorKind::PermissionDenied, "it is read-only for everybody"));
    }
    File::options().append(true).open(file)?;
    if before.nlink() > 1 {
        return Err(io::Error::other("it has other names (hard links), which would keep the old content"));
    }
    Ok(())
}

fn explained(error: io::Error) -> io::Error {
    match error.kind() {
        io::ErrorKind::ResourceBusy => {
            io::Error::other("something is mounted on it, so it cannot be replaced")
        }
        _ => error,
    }
}

fn write_new(new: &Path, like: &fs::Metadata, content: &[u8]) -> io::Result<()> {
    // Passwords may be in it: nobody else reads it before it has its owner and mode.
    let mut out = File::options().write(true).create_new(true).mode(0o600).open(new)?;
    out.write_all(content)?;
    let now = out.metadata()?;
    if (now.uid(), now.gid()) != (like.uid(), like.gid()) {
        fchown(&out, Some(like.uid()), Some(like.gid()))?;
    }
    out.set_permissions(fs::Permissions::from_mode(like.mode() & 0o7777))?;
    out.sync_all()
}
