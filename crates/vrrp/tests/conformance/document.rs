//! Finds cases and deviations in Markdown.

/// One case of a script.
#[derive(Clone, Debug)]
pub(crate) struct Case {
    pub(crate) file: String,
    pub(crate) heading: String,
    /// The lines of its block, numbered as in the file.
    pub(crate) lines: Vec<(usize, String)>,
}

/// One entry of the list of clauses that are not followed by default.
#[derive(Debug, Default)]
pub(crate) struct Deviation {
    pub(crate) heading: String,
    pub(crate) reason: String,
    /// File and heading of each case that shows it.
    pub(crate) cases: Vec<(String, String)>,
}

/// The cases of a file: every heading with `§`, with its fenced block.
pub(crate) fn cases(file: &str, text: &str) -> Vec<Case> {
    let mut cases: Vec<Case> = Vec::new();
    let mut fenced = false;
    for (number, line) in (1..).zip(text.lines()) {
        if line.starts_with("```") {
            fenced = !fenced;
        } else if fenced {
            let line = line.split('#').next().unwrap_or_default().trim();
            let case =
                cases.last_mut().unwrap_or_else(|| panic!("{file}:{number}: a block without a heading"));
            if !line.is_empty() {
                case.lines.push((number, line.to_owned()));
            }
        } else if let Some(heading) = line.strip_prefix("## ") {
            assert!(heading.starts_with('§'), "{file}:{number}: a case names its clause first");
            let (file, heading) = (file.to_owned(), heading.trim().to_owned());
            cases.push(Case { file, heading, lines: Vec::new() });
        }
    }
    assert!(!fenced, "{file}: a block has no end");
    for case in &cases {
        assert!(!case.lines.is_empty(), "{file}: {} has no block", case.heading);
    }
    cases
}

/// Every `## ` entry: its prose is the reason, its `- file.md: heading` lines are the cases.
pub(crate) fn deviations(text: &str) -> Vec<Deviation> {
    let mut deviations: Vec<Deviation> = Vec::new();
    for line in text.lines() {
        if let Some(heading) = line.strip_prefix("## ") {
            deviations.push(Deviation { heading: heading.to_owned(), ..Deviation::default() });
        }
        let Some(last) = deviations.last_mut() else { continue };
        match line.strip_prefix("- ").and_then(|case| case.split_once(": ")) {
            Some((file, heading)) => last.cases.push((file.to_owned(), heading.to_owned())),
            None if line.starts_with('#') => {}
            None => last.reason.push_str(line),
        }
    }
    deviations
}
