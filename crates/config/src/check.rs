//! Rules between blocks.

mod groups;
mod instances;
mod trackers;

use crate::diagnostic::{Code, Diagnostic};
use crate::lower::{Drafts, Report};

/// Reports what is wrong between the blocks of a file, and drops what others refer to in vain.
pub(crate) fn drafts(drafts: &mut Drafts, report: &mut Report) {
    script_security(drafts, report);
    trackers::check(drafts, report);
    instances::check(&drafts.instances, &drafts.global, report);
    groups::settle(&mut drafts.groups, &drafts.instances, report);
    drafts.lvs.check(&drafts.bfd, &drafts.files, report);
}

/// keepalived runs scripts without `enable_script_security`, but its test of the configuration fails.
fn script_security(drafts: &Drafts, report: &mut Report) {
    if drafts.global.script_security {
        return;
    }
    if let Some(first) = report.scripts.iter().map(|script| script.span).min() {
        let headline = "scripts are run without script security";
        let help = "add `enable_script_security` to `global_defs`: then no script runs as root that others could change";
        report.push(Diagnostic::warning(Code::NoScriptSecurity, first, headline).help(help));
    }
}
