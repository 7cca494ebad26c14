//! Sync groups whose members do not fit each other.

use std::collections::BTreeMap;

use model::vrrp::Instance;

use super::Subject;
use crate::Code;
use crate::diagnostic::{Diagnostic, shown};
use crate::outline::Line;

pub(super) fn check(subject: Subject<'_>, findings: &mut Vec<Diagnostic>) {
    let instances: BTreeMap<&str, (&Instance, &Line)> =
        subject.instances().map(|(instance, block)| (instance.name.as_str(), (instance, block))).collect();
    for group in &subject.config.vrrp.groups {
        let members = group.members.iter().filter_map(|name| instances.get(name.as_str()).copied());
        let members: Vec<_> = members.collect();
        let Some(((first, first_block), others)) = members.split_first() else { continue };
        for (other, other_block) in others {
            let Some((what, keyword)) = difference(first, other) else { continue };
            let places = other_block.place(keyword).zip(first_block.place(keyword));
            let Some((span, place)) = places else { continue };
            let headline = format!(
                "{} and {} are in one sync group and have different {what}",
                shown(&first.name),
                shown(&other.name)
            );
            let help = match keyword {
                "priority" => {
                    "each may be won by another host, and then the group goes to and fro: give all members one priority"
                }
                _ => {
                    "one of them notices a silent master later than the other, and until then the group is torn apart"
                }
            };
            findings.push(
                Diagnostic::warning(Code::UnevenGroup, span, headline)
                    .label(place, "here it is another")
                    .help(help),
            );
        }
    }
}

fn difference(one: &Instance, other: &Instance) -> Option<(&'static str, &'static str)> {
    if one.advert_interval != other.advert_interval {
        return Some(("intervals", "advert_int"));
    }
    (one.priority != other.priority).then_some(("priorities", "priority"))
}
