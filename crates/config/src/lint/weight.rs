//! What trackers do to a priority.

use model::vrrp::{Instance, SyncGroup, TrackedInterface, TrackedScript, Tracking};
use model::{Influence, Priority, Weight};

use super::entry;
use crate::outline::Line;
use crate::source::Span;

/// An instance with all that moves its priority.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Contender<'a> {
    pub(crate) instance: &'a Instance,
    pub(crate) block: &'a Line,
    /// The sync group that it is in, if what the group tracks moves the priorities of its members.
    pub(crate) group: Option<(&'a SyncGroup, &'a Line)>,
}

/// Something tracked that moves the priority.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Weighted<'a> {
    /// The list that has it.
    list: &'static str,
    pub(crate) name: &'a str,
    influence: Influence,
    /// The block that has the list, of the instance or of its group.
    block: &'a Line,
}

impl Weighted<'_> {
    /// Where it is listed.
    pub(crate) fn place(self) -> Option<Span> {
        entry(self.block, self.list, self.name)
    }

    /// What it adds while nothing is wrong.
    pub(crate) fn while_healthy(self) -> i32 {
        let Influence { weight, reverse } = self.influence;
        if (weight.get() > 0) == reverse { 0 } else { weight.get().into() }
    }

    /// What it adds while it has failed.
    pub(crate) fn while_failed(self) -> i32 {
        let Influence { weight, reverse } = self.influence;
        if (weight.get() > 0) == reverse { weight.get().into() } else { 0 }
    }

    /// By how much the priority falls when it fails. Nothing, if it is there to raise it.
    pub(crate) fn fall(self) -> Option<i32> {
        let fall = self.while_healthy() - self.while_failed();
        (fall > 0).then_some(fall)
    }
}

impl<'a> Contender<'a> {
    /// What moves its priority. The number in a file has no healthy value, so files are left out.
    pub(crate) fn weighted(self) -> Vec<Weighted<'a>> {
        let Self { instance, block, group } = self;
        let own = Trackers {
            block,
            interfaces: &instance.track_interfaces,
            scripts: &instance.track_scripts,
            processes: &instance.track_processes,
            sessions: &instance.track_bfds,
        };
        let common = group.map(|(group, block)| Trackers {
            block,
            interfaces: &group.track_interfaces,
            scripts: &group.track_scripts,
            processes: &group.track_processes,
            sessions: &group.track_bfds,
        });
        [Some(own), common].into_iter().flatten().flat_map(Trackers::weighted).collect()
    }

    /// Its priority while nothing is wrong, before it is cut to what a packet carries.
    pub(crate) fn healthy(self) -> i32 {
        let sum: i32 = self.weighted().into_iter().map(Weighted::while_healthy).sum();
        i32::from(self.instance.priority.get()) + sum
    }

    /// A sum as it is advertised: 1 to 254, but for the owner of the addresses.
    pub(crate) fn clamped(self, sum: i32) -> i32 {
        if self.instance.priority == Priority::OWNER {
            return Priority::OWNER.get().into();
        }
        sum.clamp(Priority::LEAST.get().into(), Priority::MOST.get().into())
    }
}

/// What one block tracks.
struct Trackers<'a> {
    block: &'a Line,
    interfaces: &'a [TrackedInterface],
    scripts: &'a [TrackedScript],
    processes: &'a [Tracking],
    sessions: &'a [Tracking],
}

impl<'a> Trackers<'a> {
    fn weighted(self) -> impl Iterator<Item = Weighted<'a>> {
        let block = self.block;
        let one = move |list, name, influence| Weighted { list, name, influence, block };
        let interfaces =
            self.interfaces.iter().map(move |it| one("track_interface", it.interface.as_str(), it.influence));
        let scripts = self.scripts.iter().map(move |it| one("track_script", &it.script, it.influence));
        let processes = self.processes.iter().map(move |it| one("track_process", &it.name, it.influence));
        let sessions = self.sessions.iter().map(move |it| one("track_bfd", &it.name, it.influence));
        let all = interfaces.chain(scripts).chain(processes).chain(sessions);
        all.filter(|one| one.influence.weight != Weight::FAULT)
    }
}
