//! What a configuration test does not see: one file that is right, and will not do what was meant.
//!
//! keepalived says nothing of any of this, and a daemon starts. Every finding says what will happen.

mod address;
mod checker;
mod file;
mod group;
mod host;
mod server;
mod shell;
mod tracking;
mod weight;

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use model::vrrp::{Instance, SyncGroup};
use model::{IfName, Prefix};

use crate::Loaded;
use crate::diagnostic::Diagnostic;
use crate::outline::{Line, Outline};
use crate::source::Span;

pub use file::unnamed_id;
pub(crate) use weight::{Contender, Weighted};

/// What is known of the host that the file is for. Nothing is, if it is another one than this.
#[derive(Clone, Debug, Default)]
pub struct Host {
    /// The addresses of its interfaces, without those that a daemon of this configuration holds, or may hold.
    pub addresses: BTreeMap<IfName, Vec<Prefix>>,
    /// Those that a daemon of this configuration may hold, or that somebody else may have set.
    pub doubtful: BTreeSet<Prefix>,
}

/// What is known beside a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// Nothing of the other hosts.
    Alone,
    /// The files of the other hosts: [`cluster::check`](crate::cluster::check) judges what they decide.
    Cluster,
}

/// What is remarkable about a file that was read with [`load_outlined`](crate::load_outlined), in file order.
#[must_use]
pub fn check(loaded: &Loaded, host: &Host, scope: Scope) -> Vec<Diagnostic> {
    let subject = Subject { config: &loaded.config, outline: &loaded.outline };
    let mut findings = Vec::new();
    file::check(loaded, &mut findings);
    shell::check(loaded, &mut findings);
    tracking::check(subject, scope, &mut findings);
    address::check(subject, host, &mut findings);
    host::check(subject, host, &mut findings);
    group::check(subject, &mut findings);
    server::check(subject, &mut findings);
    arrange(&mut findings);
    findings
}

/// In file order. What is said of a line of a group for each of its members is said once.
pub(crate) fn arrange(findings: &mut Vec<Diagnostic>) {
    findings.sort_by_key(|finding| finding.primary);
    let mut said = BTreeSet::new();
    findings.retain(|finding| said.insert((finding.code, finding.primary, finding.headline.clone())));
}

/// A configuration, and where it stands.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Subject<'a> {
    pub(crate) config: &'a model::Config,
    pub(crate) outline: &'a Outline,
}

impl<'a> Subject<'a> {
    /// The instances with their blocks.
    pub(crate) fn instances(self) -> impl Iterator<Item = (&'a Instance, &'a Line)> {
        let block = move |instance: &'a Instance| {
            Some((instance, self.outline.block("vrrp_instance", &instance.name)?))
        };
        self.config.vrrp.instances.iter().filter_map(block)
    }

    /// The instances with what moves their priorities.
    pub(crate) fn contenders(self) -> impl Iterator<Item = Contender<'a>> {
        let mut groups: BTreeMap<&str, (&'a SyncGroup, &'a Line)> = BTreeMap::new();
        for group in &self.config.vrrp.groups {
            if let Some(block) = self.outline.block("vrrp_sync_group", &group.name) {
                groups.extend(group.members.iter().map(|name| (name.as_str(), (group, block))));
            }
        }
        self.instances().map(move |(instance, block)| Contender {
            instance,
            block,
            group: groups.get(instance.name.as_str()).copied(),
        })
    }
}

/// Where the entry `name` of a list of a block stands; the name of the block if there is none.
pub(crate) fn entry(block: &Line, list: &str, name: &str) -> Option<Span> {
    block.entries(list).find(|line| line.keyword() == name).and_then(Line::head).or_else(|| block.value())
}

/// Where the virtual addresses of a block stand.
pub(crate) fn address_places(block: &Line) -> BTreeMap<IpAddr, Span> {
    let lines = block.entries("virtual_ipaddress").chain(block.entries("virtual_ipaddress_excluded"));
    let place = |line: &Line| {
        let word = line.keyword();
        Some((word.split('/').next().unwrap_or(word).parse().ok()?, line.head()?))
    };
    lines.filter_map(place).collect()
}
