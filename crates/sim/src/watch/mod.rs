//! What users were promised, checked while a cluster runs.
//!
//! After each step the virtual routers that something happened to are judged, and again when a bound of the protocol
//! has passed. What is checked holds only where nothing excuses it: a LAN that loses packets, a host that stalls or has
//! just started, a kernel that refuses. For how long each act excuses its host is told in `excuse`.

mod addresses;
mod election;
mod excuse;
mod expect;
mod hosts;
mod ledger;
mod timing;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::net::IpAddr;

use model::{Instant, MacAddr};
use vrrp::{Action, StateName};

use crate::host::{Effect, Frame};
use crate::{Act, Cluster, HostId, LanId};
use excuse::Excuses;
use ledger::{Key, Ledger};

/// A promise.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Rule {
    /// After the network has settled each connected part has one master, if a router in it can work.
    OneMaster,
    /// Two masters that hear each other are one after the better one's next advertisement.
    TwoMasters,
    /// Of several backups the best takes over, and none while a better master is alive.
    BestFirst,
    /// A silent master is given its time, and a living one the preemption delay.
    NotTooEarly,
    /// Who is better, by priority and then by address, stays.
    LesserYields,
    /// A backup that may not preempt leaves a living master alone.
    NoPreempt,
    /// A better router that may preempt is master in the end.
    Preempts,
    /// When a master says that it stops, another follows within the skew time.
    ReleaseIsHeard,
    /// What can work is not in fault, and what cannot is.
    Fault,
    /// The effective priority is the configured one and what is tracked, within 1..=254.
    Priority,
    /// The members of a sync group have one state.
    GroupMovesAsOne,
    /// A master's kernel has its addresses, and no other's.
    Addresses,
    /// Clients on the LAN know a new master, and a master that another one contended with.
    Announced,
    /// A master speaks in each interval, and nobody else does.
    Advertises,
    /// No deadline is in the past.
    Deadline,
    /// A reload without differences has no effect.
    SameReload,
    /// A daemon that was stopped leaves nothing behind, and a master says that it stops.
    LeavesNothing,
    /// A worker that is back at once goes on as master.
    Adoption,
}

/// A promise that was broken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// When.
    pub at: Instant,
    /// Which.
    pub rule: Rule,
    /// How.
    pub text: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} broken: {}", self.rule, self.text)
    }
}

/// Looks at everything that happens in a [`Cluster`], and keeps what was broken.
#[derive(Clone, Debug, Default)]
pub struct Watch {
    ledger: Ledger,
    excuses: Excuses,
    /// What a client at each host believes: whose hardware address answers for an address.
    caches: BTreeMap<(HostId, LanId, IpAddr), Cached>,
    /// When a master last heard another one.
    contended: BTreeMap<(HostId, Key), Instant>,
    /// When a router last heard one that is no worse than itself.
    heard: BTreeMap<(HostId, Key), Instant>,
    /// The newest signature that a router has seen of a sender: an older one is no news.
    newest: BTreeMap<(HostId, Key, IpAddr), u64>,
    /// Masters that the death of their worker interrupted.
    interrupted: BTreeSet<(HostId, std::sync::Arc<str>)>,
    /// A master has said that it stops: somebody follows until then.
    awaited: BTreeSet<(Instant, Key, Instant)>,
    /// What is to be judged, and when.
    due: BTreeSet<(Instant, Key)>,
    touched: BTreeSet<Key>,
    found: Vec<Violation>,
}

#[derive(Clone, Copy, Debug)]
struct Cached {
    who: MacAddr,
    at: Instant,
}

impl Watch {
    /// What was broken, first broken first.
    #[must_use]
    pub fn found(&self) -> &[Violation] {
        &self.found
    }

    /// When it wants to look again although nothing happened.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        let due = self.due.first().map(|(at, _)| *at);
        let awaited = self.awaited.first().map(|(at, ..)| *at);
        due.into_iter().chain(awaited).min()
    }

    fn broken(&mut self, at: Instant, rule: Rule, text: String) {
        // One is enough to look at; a thousand of the same hide the others.
        if !self.found.iter().any(|known| known.rule == rule && known.text == text) {
            self.found.push(Violation { at, rule, text });
        }
    }

    /// An act is about to happen.
    pub(crate) fn disturbed(&mut self, cluster: &Cluster, act: &Act) {
        let was_calm = act.host().is_some_and(|host| self.excuses.host(host) < cluster.now);
        self.excuses.take(cluster, act);
        if let Some(host) = act.host().filter(|_| !matches!(act, Act::KillWorker(_))) {
            self.interrupted.retain(|(on, _)| *on != host);
        }
        if let Act::KillWorker(host) = act
            && was_calm
            && cluster.hosts.get(host.0).is_some_and(|host| host.kernel_delay.is_zero())
        {
            self.interrupted.extend(self.ledger.masters_on(*host).map(|name| (*host, name)));
        }
        if let Act::Crash(host) | Act::KillDaemon(host) = act {
            self.ledger.forget_addresses(*host);
        }
        if let Some(host) = act.host() {
            let ends = matches!(
                act,
                Act::Crash(_)
                    | Act::KillWorker(_)
                    | Act::KillDaemon(_)
                    | Act::Stall(..)
                    | Act::Cable(..)
                    | Act::Interface(..)
            );
            if ends {
                self.ledger.interrupted(host, cluster.now);
            }
            if matches!(act, Act::Crash(_) | Act::KillWorker(_) | Act::KillDaemon(_)) {
                self.ledger.ended(host);
            }
            self.touched.extend(self.ledger.of_host(host));
        } else {
            self.touched.extend(self.ledger.keys());
        }
    }

    /// A host's turn asks for these effects.
    pub(crate) fn look(&mut self, cluster: &Cluster, host: HostId, effects: &[Effect]) {
        // A configuration is one however many changes led to it.
        let mut is_indexed = false;
        for effect in effects {
            match effect {
                Effect::Did(Action::Publish { instance, state, priority }) => {
                    self.check_priority(cluster, host, instance, *priority);
                    let key = self.ledger.publish(host, instance, *state, *priority, cluster.now);
                    if *state == StateName::Master {
                        self.awaited.retain(|(_, of, _)| Some(*of) != key);
                    }
                    self.touched.extend(key);
                }
                Effect::Did(Action::Withdraw { instance }) => {
                    self.check_last_word(cluster, host, instance);
                    self.touched.extend(self.ledger.withdraw(host, instance, cluster.now));
                }
                Effect::Did(Action::Transmit(outgoing)) => self.transmitted(cluster, host, outgoing),
                Effect::Did(Action::Changed(_)) => {
                    if !std::mem::replace(&mut is_indexed, true) {
                        self.ledger.index(cluster, host);
                    }
                }
                Effect::Said(notice) => self.said(cluster, host, notice),
                Effect::Began => {
                    self.ledger.index(cluster, host);
                    self.excuses.began(cluster, host);
                }
                Effect::Stopped => self.stopped(cluster, host),
                Effect::Send { .. } | Effect::Run { .. } | Effect::Did(_) => {}
            }
        }
    }

    /// Judges what something happened to, and what is due.
    pub(crate) fn judge(&mut self, cluster: &Cluster) {
        let now = cluster.now;
        while let Some((at, key)) = self.due.first().copied().filter(|(at, _)| *at <= now) {
            self.due.remove(&(at, key));
            self.touched.insert(key);
        }
        for key in std::mem::take(&mut self.touched) {
            self.judge_router(cluster, key);
        }
        while let Some(first) = self.awaited.first().copied().filter(|(by, ..)| *by <= now) {
            self.awaited.remove(&first);
            let (_, key, since) = first;
            self.judge_release(cluster, key, since);
        }
    }

    fn judge_again(&mut self, now: Instant, at: Instant, key: Key) {
        // Once a moment is enough: a state that comes later has its own.
        if at > now {
            self.due.insert((at, key));
        }
    }

    /// A frame has arrived.
    pub(crate) fn arrived(&mut self, cluster: &Cluster, to: HostId, lan: LanId, frame: &Frame) {
        match frame {
            Frame::Announce { address, mac } => {
                self.caches.insert((to, lan, *address), Cached { who: *mac, at: cluster.now });
            }
            Frame::Advert { source, vrid, priority, bytes, .. } => {
                self.heard_advert(cluster, to, lan, (*source, bytes), (*vrid, *priority));
            }
            Frame::Ask { .. } | Frame::Answer { .. } => {}
        }
    }
}
