//! Load balancing: `virtual_server_group`, `virtual_server` and `SSL`.
//!
//! A block is read into a draft, and what can be judged within it is judged at its end, as keepalived does it: the order
//! of lines matters to some rules. What depends on other blocks, and what is inherited, is settled when the file is read.

mod address;
mod checker;
mod connection;
mod dns;
mod forwarding;
mod gradual;
mod group;
mod grpc;
mod http;
mod misc;
mod names;
mod pace;
mod persistence;
mod real_server;
mod rules;
mod scheduler;
mod service;
mod smtp;
mod sorry;
mod ssl;
mod text;
mod tls;
mod udp;
mod url;
mod virtual_server;
mod watch;

use std::collections::{BTreeMap, BTreeSet};

use model::lvs;
use model::vrrp::TrackedFile;

use crate::diagnostic::{Code, Diagnostic, shown};
use crate::lower::{BfdDraft, FileTracker, Global, Report, Setting};
use crate::source::Span;

use group::Group;
use names::Names;
use ssl::Ssl;
use virtual_server::VirtualServer;

/// What a file says about load balancing.
#[derive(Debug, Default)]
pub(crate) struct Lvs {
    groups: Vec<Group>,
    virtual_servers: Vec<VirtualServer>,
    tls: Option<Ssl>,
    names: Names,
}

impl Lvs {
    /// Reads a block. `sessions` and `files` are those that stand before it.
    pub(crate) fn read(
        &mut self,
        setting: Setting<'_, '_>,
        sessions: &[BfdDraft],
        files: &[FileTracker],
        report: &mut Report,
    ) {
        match setting.name() {
            "virtual_server_group" => self.groups.extend(Group::read(setting, report)),
            "virtual_server" => {
                self.names.learn(sessions, files);
                self.virtual_servers.extend(VirtualServer::read(setting, &mut self.names, report));
            }
            _ => self.tls = Some(Ssl::read(setting, self.tls.take(), report)),
        }
    }

    /// Reports what is wrong between its blocks, and drops what others refer to in vain.
    pub(crate) fn check(&mut self, sessions: &[BfdDraft], files: &[FileTracker], report: &mut Report) {
        self.names.tell_missing(sessions, files, report);
        self.drop_repeated_groups(report);
        let groups: BTreeMap<&str, &Group> =
            self.groups.iter().map(|group| (group.name.value.as_ref(), group)).collect();
        self.virtual_servers.retain_mut(|server| server.check_group(&groups, report));
        service::tell_repeated(&self.virtual_servers, report);
    }

    /// keepalived uses the first of a name.
    fn drop_repeated_groups(&mut self, report: &mut Report) {
        let mut first: BTreeMap<Box<str>, Span> = BTreeMap::new();
        self.groups.retain(|group| {
            let name = &group.name;
            let Some(&first) = first.get(&name.value) else {
                first.insert(name.value.clone(), name.span);
                return true;
            };
            let headline = format!("the group {} is defined already", shown(&name.value));
            report.push(
                Diagnostic::note(Code::DuplicateName, name.span, headline)
                    .label(first, "this one counts")
                    .help("give it another name; this one is ignored"),
            );
            false
        });
    }

    /// Whether there is a virtual server, right or wrong.
    pub(crate) fn has_servers(&self) -> bool {
        !self.virtual_servers.is_empty()
    }

    /// What is meant, with everything inherited in its place.
    pub(crate) fn resolve(self, global: &Global, files: &[TrackedFile]) -> lvs::Config {
        let families: BTreeMap<Box<str>, model::Family> =
            self.virtual_servers.iter().filter_map(VirtualServer::family_of_group).collect();
        let groups = self.groups.into_iter().map(|group| group.resolve(&families));
        let files = files.iter().map(|file| (file.name.as_str(), file)).collect();
        let mut virtual_servers: Vec<_> =
            self.virtual_servers.into_iter().map(|server| server.resolve(global, &files)).collect();
        number_those_of_groups(&mut virtual_servers);
        lvs::Config { groups: groups.collect(), virtual_servers, tls: self.tls.map(Ssl::resolve) }
    }
}

fn number_those_of_groups(servers: &mut [lvs::VirtualServer]) {
    let mut counts: BTreeMap<&str, u32> = BTreeMap::new();
    for lvs::VirtualServer { service, nth_of_group, .. } in servers {
        if let lvs::Service::Group { name, .. } = service {
            let count = counts.entry(name).or_default();
            *nth_of_group = *count;
            *count += 1;
        }
    }
}

/// The files that a `FILE_CHECK` can name.
type Files<'f> = BTreeMap<&'f str, &'f TrackedFile>;

/// Names that are defined.
type Defined = BTreeSet<String>;
