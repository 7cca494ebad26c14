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
    let name_of_block = &name.value;
    let sentence = match keyword {
        "file" => format!("No file set for track_file {name_of_block} - ignoring"),
        "process" => format!("track process '{name_of_block}' process name not specified"),
        _ => format!(
            "Configuration error: BFD instance {name_of_block} has no neighbor address set, disabling instance"
        ),
    };
    report
        .push(Diagnostic::warning(Code::IncompleteTracker, name.span, headline).help(help).classic(sentence));
}
