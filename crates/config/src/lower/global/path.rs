//! Paths, as far as a text can say whether they are good.

use crate::diagnostic::{Code, Diagnostic, shown};
use crate::lower::{Report, Spanned};

/// Remarks on a path whose meaning depends on where the daemon is started.
pub(super) fn remark_on_relative(path: &Spanned<String>, report: &mut Report) {
    if path.value.starts_with('/') {
        return;
    }
    let headline = format!("{} is not an absolute path", shown(&path.value));
    report.push(
        Diagnostic::note(Code::RelativePath, path.span, headline)
            .help("a daemon runs in `/`; write the path from there"),
    );
}
