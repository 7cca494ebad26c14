//! What a reload would do to virtual servers, told before it is done.

mod wording;

use model::lvs::{Config, RealServer, VirtualServer};

use crate::names;

/// What would come of one virtual server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// The virtual server, as logs call it.
    pub service: Box<str>,
    /// What becomes of it.
    pub fate: Fate,
    /// What comes of that, a line each.
    pub effects: Vec<String>,
    /// Connections that are open now would end.
    pub cuts: bool,
}

/// What becomes of a virtual server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It is new.
    Comes,
    /// It is in the file no more.
    Goes,
    /// It stays, and something of it changes.
    Changes,
}

/// How the virtual servers of two configurations differ: first those that go, then the others in file order. Members of
/// groups that change are those of a service that changes.
#[must_use]
pub fn differences(old: &Config, new: &Config) -> Vec<Difference> {
    let gone = old.virtual_servers.iter().filter(|before| same(&new.virtual_servers, before).is_none());
    let goes = gone.map(|before| {
        let effects = vec!["connections to it end at once".to_owned()];
        Difference { service: names::service(before), fate: Fate::Goes, effects, cuts: true }
    });
    let stays = new.virtual_servers.iter().filter_map(|after| match same(&old.virtual_servers, after) {
        Some(before) => changes((old, before), (new, after)),
        None => Some(comes(after)),
    });
    goes.chain(stays).collect()
}

fn same<'a>(servers: &'a [VirtualServer], one: &VirtualServer) -> Option<&'a VirtualServer> {
    servers.iter().find(|other| other.service == one.service)
}

fn comes(after: &VirtualServer) -> Difference {
    let effects = after.real_servers.iter().map(|server| format!("adds {}", name(after, server))).collect();
    Difference { service: names::service(after), fate: Fate::Comes, effects, cuts: false }
}

fn changes(
    (old, before): (&Config, &VirtualServer),
    (new, after): (&Config, &VirtualServer),
) -> Option<Difference> {
    let (mut effects, mut cuts) = (Vec::new(), false);
    let members = |config: &Config| config.groups.iter().find(|group| is_of(group, after)).cloned();
    if members(old) != members(new) {
        effects.push("its group has other members: connections to those that go end at once".to_owned());
        cuts = true;
    }
    effects.append(&mut wording::of_service(before, after));
    for server in &before.real_servers {
        if find(after, server).is_none() {
            let (what, ends) = leaving(server);
            effects.push(format!("{} {what}", name(before, server)));
            cuts |= ends;
        }
    }
    for server in &after.real_servers {
        match find(before, server) {
            None => effects.push(format!("adds {}", name(after, server))),
            Some(before) => {
                let changes = wording::of_server(before, server);
                if !changes.is_empty() {
                    effects.push(format!("{}: {}", name(after, server), changes.join(", ")));
                }
            }
        }
    }
    let service = names::service(after);
    (!effects.is_empty()).then_some(Difference { service, fate: Fate::Changes, effects, cuts })
}

fn is_of(group: &model::lvs::ServerGroup, server: &VirtualServer) -> bool {
    matches!(&server.service, model::lvs::Service::Group { name, .. } if *name == group.name)
}

fn find<'a>(of: &'a VirtualServer, server: &RealServer) -> Option<&'a RealServer> {
    of.real_servers.iter().find(|other| (other.address, other.port) == (server.address, server.port))
}

/// What becomes of a server that is in the file no more, and whether its connections end.
fn leaving(server: &RealServer) -> (String, bool) {
    match server.drain.as_secs() {
        0 => ("goes: connections to it end at once".to_owned(), true),
        seconds => (format!("is drained for {seconds} seconds"), false),
    }
}

fn name(of: &VirtualServer, server: &RealServer) -> Box<str> {
    names::server(&of.service, server.address, server.port)
}
