//! What instances and groups can track: files, processes, and groups of followers.

mod file;
mod follower;
mod process;

use crate::diagnostic::{Code, Diagnostic, shown};
use crate::lower::{Report, Spanned};

pub(crate) use file::FileTracker;
pub(crate) use follower::{TrackGroup, followers};
pub(crate) use process::ProcessTracker;

/// Reports that a block lacks the line without which it is nothing.
pub(crate) fn report_incomplete(name: &Spanned<String>, keyword: &str, example: &str, report: &mut Report) {
    let headline = format!("{} has no valid `{keyword}`", shown(&name.value));
    let help =
        format!("add a line `{keyword} {example}`; without it the block is ignored, and so is who tracks it");
    report.push(Diagnostic::warning(Code::IncompleteTracker, name.span, headline).help(help));
}
