//! What trackers do to a priority.

use model::vrrp::Instance;
use model::{Influence, Priority, Weight};

/// Something tracked that moves the priority.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Weighted<'a> {
    /// The list that has it.
    pub(crate) list: &'static str,
    pub(crate) name: &'a str,
    influence: Influence,
}

impl Weighted<'_> {
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

/// What moves the priority of `instance`. The number in a file has no healthy value, so files are left out.
pub(crate) fn weighted(instance: &Instance) -> Vec<Weighted<'_>> {
    let interfaces = instance.track_interfaces.iter().map(|one| Weighted {
        list: "track_interface",
        name: one.interface.as_str(),
        influence: one.influence,
    });
    let scripts = instance.track_scripts.iter().map(|one| Weighted {
        list: "track_script",
        name: &one.script,
        influence: one.influence,
    });
    let processes = instance.track_processes.iter().map(|one| Weighted {
        list: "track_process",
        name: &one.name,
        influence: one.influence,
    });
    let sessions = instance.track_bfds.iter().map(|one| Weighted {
        list: "track_bfd",
        name: &one.name,
        influence: one.influence,
    });
    let all = interfaces.chain(scripts).chain(processes).chain(sessions);
    all.filter(|one| one.influence.weight != Weight::FAULT).collect()
}

/// The priority while nothing is wrong, before it is cut to what a packet carries.
pub(crate) fn healthy(instance: &Instance) -> i32 {
    let sum: i32 = weighted(instance).into_iter().map(Weighted::while_healthy).sum();
    i32::from(instance.priority.get()) + sum
}

/// A sum as it is advertised: 1 to 254, but for the owner of the addresses.
pub(crate) fn clamped(instance: &Instance, sum: i32) -> i32 {
    if instance.priority == Priority::OWNER {
        return Priority::OWNER.get().into();
    }
    sum.clamp(Priority::LEAST.get().into(), Priority::MOST.get().into())
}
