//! Names of routing tables, protocols and the like, which files of the host have.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use config::{Code, Diagnostic, Loaded, Severity};
use model::IproutePaths;

/// A warning for each name that the configuration uses and this host does not have.
pub(super) fn missing(loaded: &Loaded) -> Vec<Diagnostic> {
    let paths = &loaded.config.global.files.iproute;
    let mut known: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    let mut missing = Vec::new();
    for name in &loaded.names {
        if !known.entry(name.file).or_insert_with(|| names_in(name.file, paths)).contains(&name.name) {
            let headline = format!("this host does not know `{}` as {}", name.name, name.what);
            let mut diagnostic = Diagnostic::new(Severity::Warning, Code::MissingName, name.span, headline);
            let file = Path::new(&paths.local).join(name.file);
            diagnostic.help = Some(format!("add it to `{}`, or write the number", file.display()));
            missing.push(diagnostic);
        }
    }
    missing
}

/// Every name in `file`, a path or a name in the folders of iproute2.
fn names_in(file: &str, paths: &IproutePaths) -> BTreeSet<String> {
    let mut files = Vec::new();
    for folder in [&paths.distribution, &paths.local] {
        let main = Path::new(folder).join(file);
        files.extend(more_of(&main));
        files.push(main);
    }
    let texts = files.iter().filter_map(|file| fs::read_to_string(file).ok());
    texts.flat_map(|text| names(&text)).collect()
}

/// The files `*.conf` in the folder that is named after `main`.
fn more_of(main: &Path) -> Vec<PathBuf> {
    let mut folder = main.as_os_str().to_owned();
    folder.push(".d");
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let paths = entries.flatten().map(|entry| entry.path());
    paths.filter(|path| path.extension().is_some_and(|extension| extension == "conf")).collect()
}

/// Lines have a number and a name, or with protocols a name, a number and more names.
fn names(text: &str) -> BTreeSet<String> {
    let lines = text.lines().filter_map(|line| line.split('#').next());
    let words = lines.flat_map(str::split_whitespace);
    words.filter(|word| !word.starts_with(|c: char| c.is_ascii_digit())).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_kinds_of_lines_are_read() {
        let found = names("# no\n100\tcorp # yes\n0x10 lab\ntcp 6 TCP\n\n");
        assert!(found.iter().eq(["TCP", "corp", "lab", "tcp"]));
    }
}
