//! Connection synchronisation: which sides run, and which should.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr};

use model::Instant;
use model::ipvs::{SyncRole, SyncSide};

use crate::ipvs::request::Request;
use crate::pace::Backoff;

#[derive(Clone, Debug, Default)]
pub(super) struct Sides {
    wanted: Option<BTreeMap<SyncRole, SyncSide>>,
    held: BTreeMap<SyncRole, SyncSide>,
    /// What we have started.
    ours: BTreeSet<SyncRole>,
    is_listed: bool,
    /// What has been refused, and when it is tried again.
    waiting: BTreeMap<SyncRole, Instant>,
    told: BTreeSet<SyncRole>,
    pauses: Backoff,
}

impl Sides {
    pub(super) fn set(&mut self, wanted: Option<BTreeMap<SyncRole, SyncSide>>) {
        if self.wanted != wanted {
            self.waiting.clear();
            self.told.clear();
            self.pauses = Backoff::default();
        }
        self.wanted = wanted;
    }

    pub(super) const fn held(&self) -> &BTreeMap<SyncRole, SyncSide> {
        &self.held
    }

    pub(super) const fn forget(&mut self) {
        self.is_listed = false;
    }

    pub(super) fn must_be_listed(&self) -> bool {
        !self.is_listed && (self.wanted.is_some() || !self.ours.is_empty())
    }

    pub(super) fn begin_listing(&mut self) {
        self.held.clear();
    }

    pub(super) fn listed(&mut self, role: SyncRole, side: SyncSide) {
        self.held.insert(role, side);
    }

    pub(super) const fn end_listing(&mut self) {
        self.is_listed = true;
    }

    /// What leads to what is wanted. The kernel cannot change a side that runs. Stops come first: one that is not
    /// acknowledged, since the side had not begun to run, is noticed when the next request is.
    pub(super) fn requests(&self) -> Vec<Request> {
        let (mut requests, mut starts) = (Vec::new(), Vec::new());
        for role in [SyncRole::Master, SyncRole::Backup] {
            if self.waiting.contains_key(&role) {
                continue;
            }
            let wanted = self.wanted.as_ref().and_then(|wanted| wanted.get(&role));
            let is_concern = self.wanted.is_some() || self.ours.contains(&role);
            match (wanted, self.held.get(&role)) {
                (Some(wanted), Some(held)) if runs_as(held, wanted, role) => {}
                (Some(wanted), None) => starts.push(Request::StartSide(role, wanted.clone())),
                (Some(wanted), Some(_)) => {
                    requests.push(Request::StopSide(role));
                    starts.push(Request::StartSide(role, wanted.clone()));
                }
                (None, Some(_)) if is_concern => requests.push(Request::StopSide(role)),
                (None, _) => {}
            }
        }
        requests.append(&mut starts);
        requests
    }

    pub(super) fn is_settled(&self) -> bool {
        !self.must_be_listed() && self.requests().is_empty()
    }

    pub(super) fn started(&mut self, role: SyncRole, side: SyncSide) -> bool {
        self.held.insert(role, side);
        self.ours.insert(role);
        self.told.remove(&role)
    }

    pub(super) fn stopped(&mut self, role: SyncRole) {
        self.held.remove(&role);
        self.ours.remove(&role);
    }

    /// `true` if this is the first refusal in a row.
    pub(super) fn note(&mut self, now: Instant, role: SyncRole) -> bool {
        self.waiting.insert(role, now + self.pauses.next());
        self.is_listed = false;
        self.told.insert(role)
    }

    pub(super) fn wake(&mut self, now: Instant) {
        self.waiting.retain(|_, until| *until > now);
    }

    pub(super) fn deadline(&self) -> Option<Instant> {
        self.waiting.values().min().copied()
    }
}

/// Whether the side that runs as `held` says does as `wanted` says. What is not wanted in particular is the kernel's
/// choice, and that of the longest message depends on the interface.
fn runs_as(held: &SyncSide, wanted: &SyncSide, role: SyncRole) -> bool {
    let transport = |side: &SyncSide| {
        let address = side.transport.address.unwrap_or(IpAddr::V4(GROUP));
        let port = side.transport.port.map_or(PORT, std::num::NonZeroU16::get);
        (address, port, side.transport.ttl.map_or(TTL, std::num::NonZeroU8::get))
    };
    let headers = match transport(wanted).0 {
        IpAddr::V4(_) => 20 + 8,
        IpAddr::V6(_) => 40 + 8,
    };
    let least = match role {
        SyncRole::Master => 1,
        SyncRole::Backup => BACKUP_LEAST,
    };
    let longest =
        |side: &SyncSide| side.longest.map(|longest| longest.get().clamp(least, u16::MAX - headers));
    let is_long = wanted.longest.is_none() || longest(held) == longest(wanted);
    let which = |side: &SyncSide| (side.interface.clone(), side.id);
    is_long && which(held) == which(wanted) && transport(held) == transport(wanted)
}

/// The kernel's choices.
const GROUP: Ipv4Addr = Ipv4Addr::new(224, 0, 0, 81);
const PORT: u16 = 8848;
const TTL: u8 = 1;
/// A backup makes room for at least so many bytes.
const BACKUP_LEAST: u16 = 1024;
