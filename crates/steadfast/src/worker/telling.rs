//! How things are, told to the supervisor in slices of the worker's time.

use std::collections::VecDeque;

use vrrp::{Counters, Reject, Status};

use super::Worker;
use super::effects::Work;
use crate::message::{Assignment, FromWorker, Step};
use crate::snapshot::{self, Piece};

/// What is left to tell.
pub(super) struct Telling {
    request: u64,
    /// Counters begin anew once they are told.
    clear: bool,
    /// What is told behind the instances.
    rest: VecDeque<Piece>,
    /// The instance that was told last.
    last: String,
}

impl Worker {
    /// Begins to tell how things are. It stands in line behind what is to be done already.
    pub(super) fn tell_all(&mut self, request: u64, clear: bool) {
        let scripts = self.router.scripts().map(|script| {
            Piece::Script(snapshot::Script {
                name: script.name,
                is_up: script.is_up,
                against: script.against,
                is_running: script.is_running,
            })
        });
        let files = self.router.files().map(|(name, value)| Piece::File { name: name.to_owned(), value });
        let processes = self.router.processes().map(|one| {
            let (name, count, is_up, turns_at) = (one.name, one.count, one.is_up, one.turns_at);
            Piece::Processes(snapshot::Processes { name, count, is_up, turns_at })
        });
        let links = self.kernel.interfaces().map(Piece::Link);
        let sockets = self.sockets.told().map(Piece::Socket);
        let rest = scripts.chain(files).chain(processes).chain(links).chain(sockets).chain([Piece::End]);
        let rest = rest.collect();
        self.work.push_back(Work::Snapshot(Telling { request, clear, rest, last: String::new() }));
        // The wait before the next turn would otherwise last until something else is due.
        self.unfinished = true;
    }

    /// Tells the next piece. What is left stands first in line: a snapshot is of one moment, as far as that goes.
    pub(super) fn tell_next(&mut self, mut telling: Telling) {
        let piece = match self.router.status_after(&telling.last) {
            Some(status) => {
                telling.last.clone_from(&status.name);
                if telling.clear {
                    self.router.clear_counters(&telling.last);
                }
                Piece::Instance(Box::new(self.instance(status)))
            }
            None => telling.rest.pop_front().unwrap_or(Piece::End),
        };
        let is_last = piece == Piece::End;
        self.tell(&FromWorker::Snapshot { request: telling.request, piece });
        if !is_last {
            self.work.push_front(Work::Snapshot(telling));
        }
    }

    /// Tells what going over to this configuration would do. It stands in line behind what is to be done already.
    pub(super) fn foretell(&mut self, request: u64, assignment: &Assignment) {
        let plan = self.router.plan(self.clock.now(), &assignment.config);
        let steps = plan.steps.iter().map(|step| Some(step.into()));
        let steps: VecDeque<_> = steps.chain([None]).collect();
        self.work.push_back(Work::Plan { request, steps });
        self.unfinished = true;
    }

    /// Tells the next step.
    pub(super) fn tell_step(&mut self, request: u64, mut steps: VecDeque<Option<Step>>) {
        if let Some(step) = steps.pop_front() {
            self.tell(&FromWorker::Foretold { request, step });
            self.work.push_front(Work::Plan { request, steps });
        }
    }

    fn instance(&self, status: Status) -> snapshot::Instance {
        let held = self.router.addresses_of(&status.name);
        let master = status.master.zip(status.heard).map(|(address, heard)| snapshot::Master {
            address,
            priority: heard.priority.get(),
            interval: heard.interval,
        });
        snapshot::Instance {
            state: status.state.into(),
            priority: status.priority.get(),
            total_priority: status.total_priority,
            master,
            since: status.since,
            deadline: status.deadline.map(|(at, _)| at),
            down_interval: status.down_interval,
            source: status.source,
            faults: status.faults,
            is_pending: status.is_pending,
            held: held.iter().map(|one| self.kernel.holds(&one.device, one.prefix.address())).collect(),
            counters: counters(&status.counters),
            name: status.name,
        }
    }
}

fn counters(counted: &Counters) -> snapshot::Counters {
    let rejected = |reasons: &[Reject]| reasons.iter().map(|reason| counted.rejected(*reason)).sum::<u64>();
    snapshot::Counters {
        received: counted.received,
        // keepalived counts its last words among the advertisements.
        sent: counted.sent + counted.release_sent,
        became_master: counted.became_master,
        released: counted.released,
        bad_length: counted.bad_length,
        bad_ttl: rejected(&[Reject::Ttl]),
        bad_type: counted.bad_type,
        bad_interval: counted.interval_differs + rejected(&[Reject::Interval]),
        bad_addresses: counted.addresses_differ + rejected(&[Reject::Addresses]),
        bad_auth_type: counted.bad_auth_type,
        other_auth_type: rejected(&[Reject::AuthType, Reject::Signed, Reject::Unsigned])
            - counted.bad_auth_type,
        auth_failure: rejected(&[
            Reject::AuthData,
            Reject::Replayed,
            Reject::SignatureScheme,
            Reject::SignatureTime,
            Reject::SignatureKey,
            Reject::Signature,
        ]),
        release_received: counted.release_received,
        release_sent: counted.release_sent,
    }
}
