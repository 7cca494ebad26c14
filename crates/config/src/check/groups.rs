//! Sync groups and their members.

use std::collections::{BTreeMap, BTreeSet};

use crate::diagnostic::{Code, Diagnostic, shown};
use crate::keyword::nearest_of;
use crate::lower::{Instance, Report, SyncGroup};
use crate::source::Span;

/// How many unknown members get a suggestion. To look for one costs as much as there are instances.
const SUGGESTIONS: usize = 20;

/// Takes members out that do not exist or are in a group already, and groups that nobody is left in.
pub(super) fn settle(groups: &mut Vec<SyncGroup>, instances: &[Instance], report: &mut Report) {
    let names = || instances.iter().map(|instance| instance.name.value.as_str());
    let known: BTreeSet<&str> = names().collect();
    let mut home: BTreeMap<String, Span> = BTreeMap::new();
    let mut unknown = 0;
    for group in groups.iter_mut() {
        let group_name = &group.name.value;
        group.members.retain(|member| {
            let name = member.value.as_str();
            if !known.contains(name) {
                let headline = format!("there is no `vrrp_instance` {}; it is ignored", shown(name));
                unknown += 1;
                let diagnostic = Diagnostic::warning(Code::UnknownMember, member.span, headline)
                    .classic(format!("Virtual router {name} specified in sync group {group_name} doesn't exist - ignoring"));
                let compared = if unknown <= SUGGESTIONS { known.len() } else { 0 };
                let candidates = known.iter().take(compared);
                report.push(match nearest_of(name, candidates, |known| known) {
                    Some(near) => diagnostic.help(format!("did you mean {}?", shown(near))),
                    None => diagnostic.help("define it, or take it out of the group"),
                });
                return false;
            }
            if let Some(&first) = home.get(name) {
                let headline = format!("{} is in a group already; it is ignored here", shown(name));
                report.push(
                    Diagnostic::warning(Code::SyncGroup, member.span, headline)
                        .label(first, "it belongs there")
                        .classic(format!(
                            "Virtual router {name} cannot exist in more than one sync group; ignoring {group_name}"
                        )),
                );
                return false;
            }
            home.insert(name.to_owned(), member.span);
            true
        });
    }
    groups.retain(|group| {
        let (name, bare) = (shown(&group.name.value), &group.name.value);
        match group.members.as_slice() {
            [] => {
                let headline = format!("nobody is in the sync group {name}; it is ignored");
                report.push(
                    Diagnostic::warning(Code::SyncGroup, group.name.span, headline)
                        .help("list at least two instances in `group`")
                        .classic(format!("Sync group {bare} has no virtual router(s). removing")),
                );
                false
            }
            [only] => {
                let headline = format!("{} is alone in the sync group {name}", shown(&only.value));
                report.push(
                    Diagnostic::warning(Code::SyncGroup, group.name.span, headline)
                        .help("a group keeps two instances or more in one state")
                        .classic(format!(
                            "Sync group {bare} has only 1 virtual router(s) - this probably isn't what you want"
                        )),
                );
                true
            }
            _ => true,
        }
    });
}
