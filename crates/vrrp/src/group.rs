//! Sync groups: instances that are in one state, whatever happens to one of them.
//!
//! An event reaches one instance, which says what it means to it: a [`Stance`]. A pure table makes of the stances of
//! all members the one state that they go over to together, in the same turn. An instance without a group is settled by
//! the same table, alone.

use std::sync::Arc;

use model::vrrp::SyncGroup;

use crate::{InstanceId, StateName};

/// A sync group of the running configuration.
#[derive(Clone, Debug)]
pub(crate) struct Group {
    pub(crate) shared: Arc<Shared>,
    /// Those that exist, in the order of the file.
    pub(crate) members: Vec<InstanceId>,
    /// What scripts were told last.
    pub(crate) state: StateName,
}

/// What each member knows of its group.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Shared {
    pub(crate) name: Arc<str>,
    pub(crate) config: SyncGroup,
}

impl Shared {
    pub(crate) fn new(config: &SyncGroup) -> Self {
        Self { name: config.name.as_str().into(), config: config.clone() }
    }

    /// Both lead to the same priorities.
    pub(crate) fn weighs_as(&self, other: &Self) -> bool {
        let (one, other) = (&self.config, &other.config);
        one.track_interfaces == other.track_interfaces
            && one.track_scripts == other.track_scripts
            && one.track_files == other.track_files
            && one.track_processes == other.track_processes
    }
}

/// What an instance would do if it were alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stance {
    /// Something that it needs is at fault.
    Ill,
    /// It has not begun, or is at fault still, and a vital script has yet to answer.
    Pending,
    /// It listens, or is ready to.
    Waits,
    /// It hears a master that it follows.
    Follows,
    /// It is master, or wants to be: its wait is over.
    Willing,
    /// It is master and has just heard a better one.
    Yields,
}

/// One member as the table sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Member {
    pub(crate) state: StateName,
    pub(crate) stance: Stance,
}

/// The state that all members go over to, or stay in.
///
/// As in keepalived one member that is at fault, or yields, takes all others with it, and mastership needs all of them:
/// a member whose master is silent waits for as long as another one hears its own.
pub(crate) fn decide(members: &(impl Iterator<Item = Member> + Clone)) -> StateName {
    let any = |stance| members.clone().any(|member| member.stance == stance);
    if any(Stance::Ill) {
        return StateName::Fault;
    }
    match common(members) {
        waiting @ (StateName::Init | StateName::Fault) if any(Stance::Pending) => waiting,
        StateName::Master if any(Stance::Yields) => StateName::Backup,
        StateName::Master => StateName::Master,
        StateName::Init | StateName::Fault | StateName::Backup => {
            let all = members.clone().all(|member| member.stance == Stance::Willing);
            if all { StateName::Master } else { StateName::Backup }
        }
    }
}

/// The state that members have in common, or would if they had been a group before: a reload may bring together what is
/// in different states. Who joins a master becomes one, unless it follows another router, which would contradict it.
fn common(members: &(impl Iterator<Item = Member> + Clone)) -> StateName {
    let follows = |member: Member| member.state == StateName::Backup && member.stance == Stance::Follows;
    if members.clone().any(follows) {
        return StateName::Backup;
    }
    let states = [StateName::Master, StateName::Backup, StateName::Fault];
    let found = states.into_iter().find(|state| members.clone().any(|member| member.state == *state));
    found.unwrap_or(StateName::Init)
}

#[cfg(test)]
mod tests {
    use super::*;
    use Stance::{Follows, Ill, Pending, Waits, Willing, Yields};
    use StateName::{Backup, Fault, Init, Master};

    #[track_caller]
    fn leads_to(members: &[(StateName, Stance)], expected: StateName) {
        let members = members.iter().map(|(state, stance)| Member { state: *state, stance: *stance });
        assert_eq!(decide(&members), expected);
    }

    #[test]
    fn an_instance_alone_does_what_it_would() {
        for (state, stance, expected) in [
            (Init, Pending, Init),
            (Init, Waits, Backup),
            (Init, Willing, Master),
            (Init, Ill, Fault),
            (Fault, Ill, Fault),
            (Fault, Pending, Fault),
            (Fault, Waits, Backup),
            (Fault, Willing, Master),
            (Backup, Waits, Backup),
            (Backup, Follows, Backup),
            (Backup, Willing, Master),
            (Backup, Ill, Fault),
            (Master, Willing, Master),
            (Master, Yields, Backup),
            (Master, Ill, Fault),
        ] {
            leads_to(&[(state, stance)], expected);
        }
    }

    #[test]
    fn one_is_enough_to_fall_and_all_are_needed_to_rise() {
        leads_to(&[(Master, Willing), (Master, Ill)], Fault);
        leads_to(&[(Master, Yields), (Master, Ill)], Fault);
        leads_to(&[(Master, Willing), (Master, Yields)], Backup);
        leads_to(&[(Backup, Willing), (Backup, Follows)], Backup);
        leads_to(&[(Backup, Willing), (Backup, Waits)], Backup);
        leads_to(&[(Backup, Willing), (Backup, Willing)], Master);
        leads_to(&[(Init, Willing), (Init, Waits)], Backup);
        leads_to(&[(Init, Waits), (Init, Pending)], Init);
        leads_to(&[(Fault, Waits), (Fault, Ill)], Fault);
        leads_to(&[(Fault, Waits), (Fault, Pending)], Fault);
        leads_to(&[(Fault, Waits), (Fault, Waits)], Backup);
    }

    #[test]
    fn who_joins_takes_the_state_of_the_others() {
        leads_to(&[(Master, Willing), (Init, Waits)], Master);
        leads_to(&[(Master, Willing), (Init, Pending)], Master);
        leads_to(&[(Master, Willing), (Fault, Waits)], Master);
        leads_to(&[(Master, Willing), (Backup, Waits)], Master);
        leads_to(&[(Master, Willing), (Backup, Follows)], Backup);
        leads_to(&[(Master, Willing), (Init, Ill)], Fault);
        leads_to(&[(Backup, Follows), (Init, Pending)], Backup);
        leads_to(&[(Backup, Waits), (Init, Waits)], Backup);
    }
}
