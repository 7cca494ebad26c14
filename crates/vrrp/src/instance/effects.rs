//! The effects of an instance: advertisements, addresses, gratuitous messages, scripts, remarks.

use std::net::IpAddr;
use std::sync::Arc;

use model::vrrp::{Garp, OwnDevice, VirtualAddress};
use model::{IfIndex, IfName, MacAddr, Priority};

use super::verify::Verified;
use super::{Instance, Turn, family};
use crate::complaint::Verdict as Telling;
use crate::{
    Action, Actions, Announce, Holding, InstanceId, Notice, Notification, NotificationKind, Outgoing, Warning,
};

/// What is remarked on once while it lasts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Remark {
    Interval,
    Addresses,
    LowerPriority,
    Claim,
    Release,
}

impl Instance {
    pub(super) fn transmit(&mut self, turn: &mut Turn<'_>) {
        if self.outgoing.is_none() {
            self.outgoing = self.compose(self.priority).map(Arc::new);
        }
        if let Some(outgoing) = &mut self.outgoing
            && self.sequences.number(&self.config, turn.wall(), outgoing)
        {
            self.counters.sent += 1;
            turn.out.push(Action::Transmit(Arc::clone(outgoing)));
        }
    }

    pub(super) fn transmit_release(&mut self, turn: &mut Turn<'_>) {
        if let Some(mut outgoing) = self.compose(Priority::RELEASE).map(Arc::new)
            && self.sequences.number(&self.config, turn.wall(), &mut outgoing)
        {
            self.counters.release_sent += 1;
            turn.out.push(Action::Transmit(outgoing));
            turn.out.notice(Notice::SentRelease { instance: Arc::clone(&self.name) });
        }
    }

    fn compose(&self, priority: Priority) -> Option<Outgoing> {
        Some(Outgoing {
            link: self.way_out()?,
            source: self.own_address()?,
            transport: self.config.transport.clone(),
            version: self.config.version,
            vrid: self.config.vrid,
            priority,
            interval: self.config.advert_interval,
            auth: self.config.auth,
            sequence: 0,
            cover: self.cover(),
            signature: None,
            addresses: self.advertised.clone(),
            family: family(&self.config),
        })
    }

    /// The interface to send on, if there has to be one. `None` if it cannot send now.
    fn way_out(&self) -> Option<Option<IfIndex>> {
        match self.config.home() {
            Some(_) => self.link.filter(|link| link.up).map(|link| Some(link.index)),
            None => Some(None),
        }
    }

    /// The kernel should hold all that a master has.
    pub(super) fn hold_all(&self, out: &mut Actions) {
        let (addresses, routes) = (Arc::clone(&self.addresses), Arc::clone(&self.routes));
        let rules = Arc::clone(&self.rules);
        let promotes = self.promotes();
        out.push(Action::Hold(Holding { addresses, routes, rules, promotes, ..self.nothing() }));
    }

    /// The kernel should hold a master's addresses, and nothing else yet.
    pub(super) fn hold_addresses(&self, out: &mut Actions) {
        let addresses = Arc::clone(&self.addresses);
        out.push(Action::Hold(Holding { addresses, promotes: self.promotes(), ..self.nothing() }));
    }

    pub(super) fn release_all(&self, out: &mut Actions) {
        out.push(Action::Hold(self.nothing()));
    }

    fn promotes(&self) -> Option<IfName> {
        self.config.interface.clone().filter(|_| self.config.promote_secondaries)
    }

    fn nothing(&self) -> Holding {
        Holding::nothing(self.id, Arc::clone(&self.name))
    }

    pub(super) fn announce(&self, count: u32, turn: &mut Turn<'_>) {
        announce_each(self.id, &self.addresses, &self.config.garp, count, turn);
    }

    /// Refreshes what switches have learnt on interfaces where no advertisement does (`garp_extra_if`).
    pub(super) fn announce_elsewhere(&self, turn: &mut Turn<'_>) {
        let Some(extra) = self.config.extra_garp else { return };
        let own = self.config.own_device.as_ref().map(OwnDevice::name);
        let elsewhere = |held: &&VirtualAddress| {
            let is_virtual = held.use_vmac || own == Some(&held.device);
            Some(&held.device) != self.config.home() && (extra.all || is_virtual)
        };
        let addresses: Vec<_> = self.addresses.iter().filter(elsewhere).cloned().collect();
        announce_each(self.id, &addresses, &self.config.garp, 1, turn);
    }

    pub(super) fn notify(&self, kind: NotificationKind, out: &mut Actions) {
        let instance = Arc::clone(&self.name);
        out.push(Action::Notify(Notification { instance, kind, priority: self.priority }));
    }

    pub(super) fn publish(&self, out: &mut Actions) {
        let instance = Arc::clone(&self.name);
        out.push(Action::Publish { instance, state: self.state.name(), priority: self.priority });
    }

    pub(super) fn remark_differences(&mut self, verified: &Verified<'_>, turn: &mut Turn<'_>) {
        let differs = verified.differs();
        if differs.interval {
            self.counters.interval_differs += 1;
            let theirs = verified.advert().interval;
            let warning = Warning::Interval { theirs, ours: self.config.advert_interval };
            self.remark(Remark::Interval, verified.source(), warning, turn);
        }
        if differs.addresses {
            self.counters.addresses_differ += 1;
            let ours = self.config.addresses.iter().filter(|one| one.advertised).count();
            let warning = Warning::Addresses { theirs: verified.advert().addresses.len(), ours };
            self.remark(Remark::Addresses, verified.source(), warning, turn);
        }
    }

    fn remark(&mut self, remark: Remark, peer: IpAddr, warning: Warning, turn: &mut Turn<'_>) {
        if self.remarks.note(turn.now, remark, peer) != Telling::Silent {
            turn.out.notice(Notice::Differs { instance: Arc::clone(&self.name), peer, warning });
        }
    }

    pub(super) fn remark_lower_priority(&mut self, heard: &Verified<'_>, turn: &mut Turn<'_>) {
        let peer = heard.source();
        if self.remarks.note(turn.now, Remark::LowerPriority, peer) != Telling::Silent {
            let (instance, theirs) = (Arc::clone(&self.name), heard.advert().priority);
            turn.out.notice(Notice::LowerPriority { instance, peer, theirs, ours: self.priority });
        }
    }

    pub(super) fn remark_release(&mut self, heard: &Verified<'_>, turn: &mut Turn<'_>) {
        let master = heard.source();
        if self.remarks.note(turn.now, Remark::Release, master) != Telling::Silent {
            turn.out.notice(Notice::MasterReleases { instance: Arc::clone(&self.name), master });
        }
    }

    pub(super) fn remark_claim(
        &mut self,
        device: &IfName,
        address: IpAddr,
        mac: MacAddr,
        turn: &mut Turn<'_>,
    ) {
        if self.remarks.note(turn.now, Remark::Claim, address) != Telling::Silent {
            let (instance, device) = (Arc::clone(&self.name), device.clone());
            turn.out.notice(Notice::Claimed { instance, address, device, mac });
        }
    }
}

/// Asks on their links who else has these addresses.
pub(super) fn probe_each(addresses: &[VirtualAddress], out: &mut Actions) {
    for held in addresses {
        out.push(Action::Probe { device: held.device.clone(), address: held.prefix.address() });
    }
}

/// Tells the links of these addresses, each with `count` messages.
pub(super) fn announce_each(
    id: InstanceId,
    addresses: &[VirtualAddress],
    garp: &Garp,
    count: u32,
    turn: &mut Turn<'_>,
) {
    for held in addresses.iter().filter(|_| count > 0) {
        let announce =
            Announce { instance: id, device: held.device.clone(), address: held.prefix.address(), count };
        turn.pacer.push(turn.now, announce, garp, turn.out);
    }
}
