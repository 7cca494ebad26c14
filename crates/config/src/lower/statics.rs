//! `static_ipaddress`, `static_routes` and `static_rules`.

use std::collections::{BTreeMap, BTreeSet};

use model::route::{Path, Route};
use model::vrrp::{Static, TrackedInterface};
use model::{IfName, Influence};

use crate::diagnostic::{Code, Diagnostic, shown};
use crate::keyword::nearest_of;
use crate::lower::address::{AddressDraft, Advertised};
use crate::lower::route::{self, RouteDraft};
use crate::lower::rule::{self, RuleDraft};
use crate::lower::{Global, Report, Setting, Spanned};
use crate::source::Span;

/// What is there whoever is master.
#[derive(Clone, Debug, Default)]
pub(crate) struct Statics {
    addresses: Vec<Entry<AddressDraft>>,
    routes: Vec<Entry<RouteDraft>>,
    rules: Vec<Entry<RuleDraft>>,
}

/// An entry and its place among the track groups. Spans do not tell it: files include each other.
#[derive(Clone, Debug)]
struct Entry<D> {
    draft: D,
    groups_before: usize,
}

impl Statics {
    /// Adds a block, before which so many track groups stand.
    pub(crate) fn read(&mut self, setting: Setting<'_, '_>, groups_before: usize, report: &mut Report) {
        match setting.name() {
            "static_ipaddress" => {
                let drafts = AddressDraft::read_all(setting, report).into_iter();
                self.addresses.extend(drafts.map(|draft| Entry { draft, groups_before }));
            }
            "static_routes" => {
                let drafts = route::read_all(setting, report).into_iter();
                self.routes.extend(drafts.map(|draft| Entry { draft, groups_before }));
            }
            _ => {
                let drafts = rule::read_all(setting, report).into_iter();
                self.rules.extend(drafts.map(|draft| Entry { draft, groups_before }));
            }
        }
    }

    /// Drops the names of track groups that are not there, or come later in the file: keepalived does not know them yet.
    pub(crate) fn check_groups<'e, 'g>(
        &'e mut self,
        groups: impl Iterator<Item = (&'g str, Span)>,
        report: &mut Report,
    ) {
        let mut known: BTreeMap<&str, (usize, Span)> = BTreeMap::new();
        for (index, (name, span)) in groups.enumerate() {
            known.entry(name).or_insert((index, span));
        }
        let address =
            |entry: &'e mut Entry<AddressDraft>| (&mut entry.draft.track_group, entry.groups_before);
        let route = |entry: &'e mut Entry<RouteDraft>| (&mut entry.draft.track_group, entry.groups_before);
        let rule = |entry: &'e mut Entry<RuleDraft>| (&mut entry.draft.track_group, entry.groups_before);
        let addresses = self.addresses.iter_mut().map(address);
        let routes = self.routes.iter_mut().map(route);
        let rules = self.rules.iter_mut().map(rule);
        for (group, groups_before) in addresses.chain(routes).chain(rules) {
            group.take_if(|group| !is_known(group, groups_before, &known, report));
        }
    }

    pub(crate) fn resolve(self, global: &Global, _report: &mut Report) -> model::vrrp::Statics {
        let Some(interface) = default_interface(global) else { return model::vrrp::Statics::default() };
        let address = |Entry { draft, .. }: Entry<AddressDraft>| Static {
            item: draft.resolve(&interface, Advertised::No),
            track_group: draft.track_group.map(|group| group.value),
        };
        let route = |Entry { mut draft, .. }: Entry<RouteDraft>| {
            let track_group = draft.track_group.take().map(|group| group.value);
            Static { item: draft.resolve(), track_group }
        };
        let rule = |Entry { mut draft, .. }: Entry<RuleDraft>| {
            let track_group = draft.track_group.take().map(|group| group.value);
            Static { item: draft.resolve(), track_group }
        };
        model::vrrp::Statics {
            addresses: self.addresses.into_iter().map(address).collect(),
            routes: self.routes.into_iter().map(route).collect(),
            rules: self.rules.into_iter().map(rule).collect(),
        }
    }
}

/// The instances of a `track_group` follow the interfaces of what names it, as keepalived does it: what is there as long as the
/// daemon runs is put back by itself, and can be away for long only with its interface.
pub(crate) fn track(config: &mut model::vrrp::Config) {
    let model::vrrp::Config { instances, statics, track_groups, .. } = config;
    let mut followed: BTreeMap<&str, BTreeSet<&IfName>> = BTreeMap::new();
    let addresses = statics.addresses.iter().map(|one| (&one.track_group, vec![&one.item.device]));
    let routes = statics.routes.iter().map(|one| (&one.track_group, devices(&one.item)));
    let rules = statics.rules.iter().map(|one| (&one.track_group, one.item.selector.input.iter().collect()));
    for (group, devices) in addresses.chain(routes).chain(rules) {
        let Some(group) = track_groups.iter().find(|one| Some(&one.name) == group.as_ref()) else { continue };
        for member in &group.members {
            followed.entry(member).or_default().extend(devices.iter().copied());
        }
    }
    for instance in instances {
        for interface in followed.remove(instance.name.as_str()).into_iter().flatten() {
            let is_known = instance.home() == Some(interface)
                || instance.track_interfaces.iter().any(|tracked| tracked.interface == *interface);
            if !is_known {
                let interface = interface.clone();
                instance
                    .track_interfaces
                    .push(TrackedInterface { interface, influence: Influence::default() });
            }
        }
    }
}

fn devices(route: &Route) -> Vec<&IfName> {
    match &route.path {
        Path::None => Vec::new(),
        Path::Single(hop) => hop.device.iter().collect(),
        Path::Multipath(hops) => hops.iter().filter_map(|weighted| weighted.hop.device.as_ref()).collect(),
    }
}

/// How many groups a wrong name is compared with.
const MOST_COMPARED: usize = 1000;

/// Where static addresses without `dev` go (`default_interface`).
fn default_interface(global: &Global) -> Option<IfName> {
    let named = global.default_interface.as_ref().map(|interface| interface.value.clone());
    named.or_else(|| "eth0".parse().ok())
}

fn is_known(
    group: &Spanned<String>,
    groups_before: usize,
    known: &BTreeMap<&str, (usize, Span)>,
    report: &mut Report,
) -> bool {
    let found = known.get(group.value.as_str());
    let headline = match found {
        Some((index, _)) if *index < groups_before => return true,
        Some(_) => format!("{} is used before it is defined; it is ignored", shown(&group.value)),
        None => format!("there is no `track_group` {}; it is ignored", shown(&group.value)),
    };
    let diagnostic = Diagnostic::warning(Code::UnknownTrackGroup, group.span, headline)
        .classic(format!("track_group {} not found", group.value));
    let near = || nearest_of(&group.value, known.iter().take(MOST_COMPARED), |(name, _)| name);
    report.push(match found {
        Some((_, span)) => diagnostic.label(*span, "move this before the first use"),
        None => match near() {
            Some((near, (_, span))) => {
                let help = format!("did you mean {}?", shown(near));
                diagnostic.label(*span, "a group with a similar name").help(help)
            }
            None => diagnostic,
        },
    });
    false
}
