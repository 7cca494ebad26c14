//! What is told of an instance.

use std::net::IpAddr;

use model::Instant;

use super::Instance;
use super::state::{Heard, Reason, State};
use crate::master_down_interval;
use crate::status::{Counters, MasterHeard, Status};

impl Instance {
    pub(crate) fn status(&self) -> Status {
        let (config, heard) = (&self.config, self.heard());
        let interval = heard.map_or(config.advert_interval, |heard| heard.interval);
        Status {
            name: self.name.to_string(),
            group: self.group.as_ref().map(|group| group.name.to_string()),
            state: self.state.name(),
            priority: self.priority,
            total_priority: self.total,
            master: self.followed(),
            heard: heard.map(|heard| MasterHeard { priority: heard.priority, interval: heard.interval }),
            since: self.since,
            deadline: self.deadline().map(|at| (at, self.waits_for(at))),
            down_interval: master_down_interval(
                config.version,
                self.priority,
                interval,
                config.down_timer_adverts,
            ),
            link: self.link_index(),
            source: self.own_address(),
            faults: self.causes.len(),
            is_pending: self.pending,
            counters: self.counters,
        }
    }

    /// From now on it counts anew.
    pub(crate) fn clear_counters(&mut self) {
        self.counters = Counters::default();
    }

    /// The master that it follows, if it does.
    pub(crate) fn followed(&self) -> Option<IpAddr> {
        self.heard().map(|heard| heard.source)
    }

    const fn heard(&self) -> Option<Heard> {
        match &self.state {
            State::Init | State::Fault(_) | State::Master(_) => None,
            State::Backup(backup) => backup.heard,
        }
    }

    fn waits_for(&self, at: Instant) -> Reason {
        match &self.state {
            State::Init | State::Fault(_) => Reason::Startup,
            State::Backup(backup) => backup.takeover_reason(&self.config, self.priority, at),
            State::Master(master) if master.next_advert_at == at => Reason::AdvertDue,
            State::Master(_) => Reason::AnnounceDue,
        }
    }
}
