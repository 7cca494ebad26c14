//! Functions and files stay readable: the limits of CONTRIBUTING, enforced where they are absolute.

use std::fs;
use std::path::{Path, PathBuf};

const MOST_FUNCTION_LINES: usize = 100;
const MOST_FILE_LINES: usize = 1000;

/// Every function and file of `crates/` and `xtask/` that is too long.
pub(crate) fn offenders(root: &Path) -> std::io::Result<Vec<String>> {
    let mut files = Vec::new();
    for folder in ["crates", "xtask"] {
        collect(&root.join(folder), &mut files)?;
    }
    files.sort();
    let mut offenders = Vec::new();
    for file in files {
        let text = fs::read_to_string(&file)?;
        let name = file.strip_prefix(root).unwrap_or(&file).display().to_string();
        let lines = text.lines().count();
        if lines > MOST_FILE_LINES {
            offenders.push(format!("{name}: {lines} lines, at most {MOST_FILE_LINES}"));
        }
        offenders.extend(long_functions(&text).map(|(line, length)| {
            format!("{name}:{line}: a function of {length} lines, at most {MOST_FUNCTION_LINES}")
        }));
    }
    Ok(offenders)
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> std::io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            collect(&path, files)?;
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    Ok(())
}

/// First line and length of functions over the limit, in text that rustfmt has laid out.
fn long_functions(text: &str) -> impl Iterator<Item = (usize, usize)> {
    let mut open: Option<(usize, usize)> = None;
    text.lines().enumerate().filter_map(move |(number, line)| {
        let indent = line.len() - line.trim_start().len();
        if is_function(line.trim_start()) {
            open = Some((number, indent));
        }
        let (start, at) = open?;
        if line.trim_end() != format!("{}}}", " ".repeat(at)) {
            return None;
        }
        open = None;
        let length = number - start + 1;
        (length > MOST_FUNCTION_LINES).then_some((start + 1, length))
    })
}

fn is_function(line: &str) -> bool {
    let mut words = line.split(' ').skip_while(|word| {
        word.starts_with("pub") || matches!(*word, "const" | "async" | "unsafe" | "extern" | "\"C\"")
    });
    words.next() == Some("fn")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_functions_are_found_and_short_ones_are_not() {
        let body = "    let x = 1;\n".repeat(100);
        let text = format!("fn short() {{\n}}\npub(crate) fn long() {{\n{body}}}\n");
        assert_eq!(long_functions(&text).collect::<Vec<_>>(), [(3, 102)]);
    }
}
