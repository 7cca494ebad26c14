//! What is known of links, and when it counts.

use std::net::IpAddr;
use std::time::Duration;

use model::vrrp::{Config, OwnDevice};
use model::{IfIndex, IfName, Instant};

use super::Router;
use crate::Actions;
use crate::due::Waiter;
use crate::event::{Link, Port};

/// A link whose state has changed, and may change back before that counts (`interface_up_down_delays`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct PendingLink {
    /// The state that it has.
    up: bool,
    /// When that counts.
    at: Instant,
}

impl Router {
    pub(super) fn take_link(&mut self, now: Instant, name: &IfName, link: Option<Link>, out: &mut Actions) {
        let link = self.debounced(now, name, link);
        let before = self.links.get(name).copied();
        if let (Some(before), Some(link)) = (before, link)
            && before.index != link.index
            && !self.is_own_link(name)
        {
            // Another interface of that name: what was on the old one, addresses above all, is gone with it. One that an
            // instance makes for itself has been made again, and its addresses come to it.
            self.replace_link(now, name, None, out);
        }
        if before != link {
            self.replace_link(now, name, link, out);
        }
    }

    fn is_own_link(&self, name: &IfName) -> bool {
        let own = |instance: &model::vrrp::Instance| {
            instance.own_device.as_ref().is_some_and(|own| own.name() == name)
        };
        self.config.instances.iter().any(own)
    }

    fn replace_link(&mut self, now: Instant, name: &IfName, link: Option<Link>, out: &mut Actions) {
        let before = match link {
            Some(link) => self.links.insert(name.clone(), link),
            None => self.links.remove(name),
        };
        if let Some(before) = before
            && !self.links.values().any(|link| link.index == before.index)
        {
            self.deaf.retain(|port| port.link != Some(before.index));
            self.sources.retain(|(index, _)| *index != before.index);
        }
        for id in self.those(|instance| instance.tracks_link(name)) {
            self.with_instance(now, id, out, |instance, world, turn| instance.observe(world, turn));
        }
        // Before the next link of that name comes: what happened to this one must not be overlooked.
        self.settle_groups(now, out);
    }

    pub(super) fn take_socket(&mut self, now: Instant, port: Port, open: bool, out: &mut Actions) {
        let changed = if open { self.deaf.remove(&port) } else { self.deaf.insert(port) };
        if changed {
            for id in self.those(|instance| instance.port() == Some(port)) {
                self.with_instance(now, id, out, |instance, world, turn| instance.observe(world, turn));
            }
        }
    }

    /// What is to be believed of the link now. Only going up and down takes its time: an interface that is there or
    /// not, and its address, count at once.
    fn debounced(&mut self, now: Instant, name: &IfName, link: Option<Link>) -> Option<Link> {
        let before = self.links.get(name).copied();
        let delay = match (before, link) {
            (Some(before), Some(link)) if before.index == link.index && before.up != link.up => {
                self.link_delay(name, link.up)
            }
            _ => Duration::ZERO,
        };
        let (Some(before), Some(link), false) = (before, link, delay.is_zero()) else {
            self.pending_links.remove(name);
            self.due.forget(&Waiter::Link(name.clone()));
            return link;
        };
        let pending = PendingLink { up: link.up, at: now + delay };
        let pending = *self.pending_links.entry(name.clone()).or_insert(pending);
        self.due.set(Waiter::Link(name.clone()), Some(pending.at));
        Some(Link { up: before.up, ..link })
    }

    /// As if the interfaces that instances make for themselves were there: a reload waits for them.
    pub(crate) fn suppose_own_links(&mut self, config: &Config) {
        let mut number = u32::MAX;
        for instance in &config.instances {
            let own = instance.own_device.as_ref().map(OwnDevice::name);
            let base = instance.interface.as_ref().and_then(|base| self.links.get(base)).copied();
            let (Some(own), Some(base)) = (own, base) else { continue };
            if let (false, Ok(index)) = (self.links.contains_key(own), IfIndex::try_from(number)) {
                self.links.insert(own.clone(), Link { index, ..base });
                number -= 1;
            }
        }
    }

    fn link_delay(&self, name: &IfName, up: bool) -> Duration {
        let delay = self.config.links.delays.iter().find(|delay| delay.interface == *name);
        delay.map_or(Duration::ZERO, |delay| if up { delay.up } else { delay.down })
    }

    /// The link has stayed in its new state for long enough.
    pub(super) fn end_delay(&mut self, now: Instant, name: &IfName, out: &mut Actions) {
        self.due.forget(&Waiter::Link(name.clone()));
        let Some(pending) = self.pending_links.remove(name) else { return };
        if let Some(link) = self.links.get(name).copied() {
            self.replace_link(now, name, Some(Link { up: pending.up, ..link }), out);
        }
    }

    /// An address is there, or no more. It matters to those that speak from it and say so (`track_src_ip`).
    pub(super) fn take_address(
        &mut self,
        now: Instant,
        link: IfIndex,
        address: IpAddr,
        there: bool,
        out: &mut Actions,
    ) {
        let key = (link, address);
        let changed = if there { self.sources.insert(key) } else { self.sources.remove(&key) };
        if changed && self.vital_sources.contains(&address) {
            for id in self.those(|instance| instance.tracks_source(address)) {
                self.with_instance(now, id, out, |instance, world, turn| instance.observe(world, turn));
            }
        }
    }
}
