//! What follows `virtual_server`, and two of the same.

use std::collections::BTreeMap;

use model::Family;
use model::lvs::{Protocol, Service};

use crate::diagnostic::{Code, Diagnostic, shown, shown_bare};
use crate::lexer::Word;
use crate::lower::{Report, Setting, Spanned};

use super::address::Endpoint;
use super::group;
use super::virtual_server::VirtualServer;

/// What traffic a virtual server takes, as its first line says.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Target {
    Address(Endpoint),
    Fwmark(u32),
    Group(Box<str>),
}

impl Target {
    pub(super) fn read(setting: Setting<'_, '_>, report: &mut Report) -> Option<Spanned<Self>> {
        let first = setting.first(report)?;
        let target = match first.text.as_ref() {
            "fwmark" => Self::fwmark(setting, report)?,
            "group" => Self::Group(second(setting, "group NAME", report)?.text.as_ref().into()),
            _ => Self::Address(Endpoint::read(setting, report)?),
        };
        let last = setting.node.arguments().get(1).unwrap_or(first);
        Some(Spanned { value: target, span: first.span.to(last.span) })
    }

    fn fwmark(setting: Setting<'_, '_>, report: &mut Report) -> Option<Self> {
        let word = second(setting, "fwmark NUMBER", report)?;
        let Some(mark) = group::mark_number(word, report) else {
            let word = shown_bare(&word.text);
            report
                .diagnostics
                .say_classic(format!("virtual server fwmark '{word}' must be in [0, 4294967295] - ignoring"));
            return None;
        };
        if mark == 0 {
            let headline = "0 is the mark of packets that nobody has marked";
            report.push(
                Diagnostic::warning(Code::OutOfRange, word.span, headline)
                    .help("use a mark of 1 to 4294967295; the virtual server is ignored"),
            );
            return None;
        }
        Some(Self::Fwmark(mark))
    }

    /// The family, if the address tells.
    pub(super) fn family(&self) -> Option<Family> {
        match self {
            Self::Address(endpoint) => Some(Family::from(endpoint.address)),
            Self::Fwmark(_) | Self::Group(_) => None,
        }
    }

    pub(super) fn resolve(self, family: Family, protocol: Protocol) -> Service {
        match self {
            Self::Address(Endpoint { address, port }) => Service::Address { address, port, protocol },
            Self::Fwmark(mark) => Service::Fwmark { mark, family },
            Self::Group(name) => Service::Group { name, protocol },
        }
    }
}

fn second<'n, 'a>(setting: Setting<'n, 'a>, example: &str, report: &mut Report) -> Option<&'n Word<'a>> {
    setting.note_words_after(2, report);
    let second = setting.node.arguments().get(1);
    if second.is_none() {
        let headline = "this virtual server has no name or number";
        report.push(
            Diagnostic::error(Code::MissingArgument, setting.span(), headline)
                .help(format!("write `{} {example}`", setting.name())),
        );
    }
    second
}

/// The kernel knows each service once. keepalived's test says nothing about a second one.
pub(super) fn tell_repeated(servers: &[VirtualServer], report: &mut Report) {
    let mut first = BTreeMap::new();
    for server in servers {
        let place = *first.entry((&server.target.value, server.protocol())).or_insert(server.target.span);
        if place != server.target.span {
            let what = match &server.target.value {
                Target::Address(endpoint) => format!("`{}`", endpoint.address),
                Target::Fwmark(mark) => format!("`fwmark {mark}`"),
                Target::Group(name) => format!("the group {}", shown(name)),
            };
            let headline = format!("{what} has a virtual server already");
            report.push(
                Diagnostic::note(Code::DuplicateServer, server.target.span, headline)
                    .label(place, "the first one")
                    .help("the kernel has one pool for each service; put the servers into one block"),
            );
        }
    }
}
