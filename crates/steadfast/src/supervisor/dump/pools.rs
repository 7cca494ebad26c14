//! What is known of virtual and real servers beside the configuration.

use std::collections::{BTreeMap, HashSet};

use lvs::{CheckerProgress, Progress, Remembered, Standing, Subject};
use model::ipvs::DestinationKey;
use model::lvs::{Config, Member, RealServer, ServerGroup, VirtualServer};

/// What is known when a dump is written.
#[derive(Clone, Copy, Debug)]
pub(in super::super) struct Pools<'a> {
    /// How each server stands.
    pub(in super::super) remembered: &'a BTreeMap<Subject, Remembered>,
    /// How checks are getting on: nothing if the check worker is gone.
    pub(in super::super) progress: &'a BTreeMap<Subject, Progress>,
    /// The numbers in tracked files.
    pub(in super::super) files: &'a BTreeMap<String, i32>,
    /// How it was before the last reload.
    pub(in super::super) before: &'a Before,
}

/// What there was before the last reload: nothing, if there was none.
#[derive(Debug, Default)]
pub(in super::super) struct Before {
    /// Virtual and real servers; these with the weight that they had come to.
    weights: BTreeMap<Subject, u32>,
    members: HashSet<(Box<str>, Member)>,
}

impl Before {
    /// With this configuration, and how its servers stood.
    pub(in super::super) fn of(config: &Config, remembered: &BTreeMap<Subject, Remembered>) -> Self {
        let servers = config.virtual_servers.iter().flat_map(|server| {
            let all = server.real_servers.iter().map(Some).chain([None]);
            all.map(|real| (subject(server, real), real.map_or(0, |real| real.weight)))
        });
        let effective = |(of, weight): (Subject, u32)| {
            let state = remembered.get(&of).and_then(|known| known.state.as_ref());
            (of, state.map_or(weight, |state| state.effective))
        };
        let members = config
            .groups
            .iter()
            .flat_map(|group| group.members.iter().map(|member| (group.name.clone(), member.clone())));
        Self { weights: servers.map(effective).collect(), members: members.collect() }
    }

    /// Whether the server stayed through a reload: the weight that it had then.
    pub(super) fn weight(&self, of: &VirtualServer, real: Option<&RealServer>) -> Option<u32> {
        self.weights.get(&subject(of, real)).copied()
    }

    pub(super) fn had(&self, group: &ServerGroup, member: &Member) -> bool {
        self.members.contains(&(group.name.clone(), member.clone()))
    }
}

impl<'a> Pools<'a> {
    /// How a real server stands, or the virtual server itself; `None` if nothing has been told.
    pub(super) fn standing(&self, of: &VirtualServer, real: Option<&RealServer>) -> Option<&'a Standing> {
        self.remembered.get(&subject(of, real))?.state.as_ref()
    }

    /// Whether the table should hold a real server; what its state says if the check worker is gone.
    pub(super) fn is_in_table(&self, of: &VirtualServer, real: &RealServer) -> bool {
        let standing = || self.standing(of, Some(real)).is_some_and(|standing| standing.up);
        let progress = self.progress.get(&subject(of, Some(real)));
        progress.map_or_else(|| standing() || real.inhibit_on_failure, |progress| progress.is_in_table)
    }

    /// How a checker of a real server is getting on.
    pub(super) fn checker(
        &self,
        of: &VirtualServer,
        real: &RealServer,
        at: usize,
    ) -> Option<&'a CheckerProgress> {
        self.progress.get(&subject(of, Some(real)))?.checkers.get(at)
    }
}

fn subject(of: &VirtualServer, real: Option<&RealServer>) -> Subject {
    let server = real.map(|real| DestinationKey { address: real.address, port: real.port });
    Subject { service: of.service.clone(), server }
}
