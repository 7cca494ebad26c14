//! The files of several hosts beside each other: what one says and another must agree with.
//!
//! Virtual routers are matched by their number and family, and then by the addresses and links that they have in common.
//! Every finding names the lines in both files, and says what happens on the wire.

mod addresses;
mod election;
mod groups;
mod matching;
mod numbers;
mod packets;
mod peers;
mod transport;

use model::vrrp::Instance;

use crate::Loaded;
use crate::diagnostic::Diagnostic;
use crate::lint::{Contender, Subject};
use crate::outline::Line;
use crate::source::Span;

/// One host of the cluster.
#[derive(Clone, Copy, Debug)]
pub struct Host<'a> {
    /// What it is called in findings.
    pub name: &'a str,
    /// Its file, read with [`load_outlined`](crate::load_outlined) into the map of the hosts before it.
    pub loaded: &'a Loaded,
}

/// One host's part in a virtual router.
#[derive(Clone, Copy, Debug)]
struct Part<'a> {
    /// Which of the hosts.
    at: usize,
    host: &'a str,
    instance: &'a Instance,
    block: &'a Line,
    /// The same, with what moves its priority.
    contender: Contender<'a>,
}

/// A virtual router: the instances of the hosts that take part in it, in the order of hosts.
#[derive(Clone, Debug, Default)]
struct Router<'a> {
    parts: Vec<Part<'a>>,
}

/// What does not fit between the files. The places of findings are in the sources of the last host.
#[must_use]
pub fn check(hosts: &[Host<'_>]) -> Vec<Diagnostic> {
    let mut findings = Vec::new();
    if hosts.len() < 2 {
        return findings;
    }
    let routers = matching::routers(hosts);
    let wrong = numbers::check(&routers, &mut findings);
    for (number, router) in routers.iter().enumerate() {
        packets::check(router, &mut findings);
        transport::check(router, &mut findings);
        peers::check(router, &mut findings);
        election::check(router, &mut findings);
        // One finding for each cause.
        if !wrong.explains(number) {
            addresses::check(router, &mut findings);
            matching::lonely(router, hosts.len(), &mut findings);
        }
    }
    addresses::elsewhere(&routers, &wrong, &mut findings);
    groups::check(hosts, &routers, &mut findings);
    crate::lint::arrange(&mut findings);
    findings
}

impl<'a> Host<'a> {
    fn subject(&self) -> Subject<'a> {
        Subject { config: &self.loaded.config, outline: &self.loaded.outline }
    }
}

impl<'a> Router<'a> {
    /// The first part with each of the others.
    fn pairs(&self) -> impl Iterator<Item = (Part<'a>, Part<'a>)> {
        let (first, others) =
            self.parts.split_first().map_or((None, [].as_slice()), |(first, others)| (Some(*first), others));
        others.iter().filter_map(move |other| Some((first?, *other)))
    }
}

impl Part<'_> {
    /// Where `keyword` has its value, or else the name of the instance.
    fn place(&self, keyword: &str) -> Option<Span> {
        self.block.place(keyword)
    }
}

/// A finding about `keyword` of `there`, with its counterpart in `here`.
fn differ(
    make: impl FnOnce(Span) -> Diagnostic,
    keyword: &str,
    here: (Part<'_>, impl Into<String>),
    there: (Part<'_>, impl Into<String>),
) -> Option<Diagnostic> {
    let (span, other) = (here.0.place(keyword)?, there.0.place(keyword)?);
    Some(make(other).label(other, there.1).label(span, here.1))
}
