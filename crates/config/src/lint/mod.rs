//! What a configuration test does not see: one file that is right, and will not do what was meant.
//!
//! keepalived says nothing of any of this, and a daemon starts. Every finding says what will happen.

mod address;
mod group;
mod server;
mod tracking;
mod weight;

use std::collections::BTreeMap;
use std::net::IpAddr;

use model::vrrp::Instance;
use model::{IfName, Prefix};

use crate::Loaded;
use crate::diagnostic::Diagnostic;
use crate::outline::{Line, Outline};
use crate::source::Span;

pub(crate) use weight::{Weighted, clamped, healthy, weighted};

/// What is known of the host that the file is for. Nothing is, if it is another one than this.
#[derive(Clone, Debug, Default)]
pub struct Host {
    /// The addresses of its interfaces, without those that a daemon of this configuration holds.
    pub addresses: BTreeMap<IfName, Vec<Prefix>>,
}

/// What is remarkable about a file that was read with [`load_outlined`](crate::load_outlined), in file order.
#[must_use]
pub fn check(loaded: &Loaded, host: &Host) -> Vec<Diagnostic> {
    let subject = Subject { config: &loaded.config, outline: &loaded.outline };
    let mut findings = Vec::new();
    tracking::check(subject, &mut findings);
    address::check(subject, host, &mut findings);
    group::check(subject, &mut findings);
    server::check(subject, &mut findings);
    findings.sort_by_key(|finding| finding.primary);
    findings
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
