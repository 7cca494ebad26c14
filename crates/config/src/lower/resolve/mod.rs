//! `vrrp_instance`: what is meant, defaults applied and contradictions settled as keepalived settles them.

mod auth;
mod device;
mod election;
mod holding;
mod membership;
mod places;
mod transport;

use std::num::NonZeroU32;

use model::vrrp::{self, Transport};
use model::{Family, IfName, Vrid};

use crate::diagnostic::{Code, Diagnostic};
use crate::lower::track::{Defaults, Who};
use crate::lower::{Global, Instance, Report, SyncGroup, route, rule};
use crate::source::Span;

use device::DeviceNames;
pub(crate) use membership::Memberships;
use places::Places;

/// What instances are resolved against.
pub(crate) struct Surroundings<'s> {
    global: &'s Global,
    trackable: &'s Defaults,
    memberships: Memberships,
    names: DeviceNames,
}

impl<'s> Surroundings<'s> {
    pub(crate) fn new(
        global: &'s Global,
        trackable: &'s Defaults,
        groups: &[SyncGroup],
        instances: &[Instance],
    ) -> Self {
        let (memberships, names) = (Memberships::of(groups), DeviceNames::claimed_by(instances));
        Self { global, trackable, memberships, names }
    }
}

/// What most settings depend on.
#[derive(Clone, Copy, Debug)]
struct Basics {
    vrid: Vrid,
    family: Family,
    version: vrrp::Version,
    priority: model::Priority,
    strict: bool,
}

impl Instance {
    /// The virtual router that is meant, if it has all that it needs.
    pub(crate) fn resolve(
        mut self,
        around: &mut Surroundings<'_>,
        report: &mut Report,
    ) -> Option<vrrp::Instance> {
        report.subject.clone_from(&self.name.value);
        self.move_excess_addresses(report);
        let interface = self.interface.as_ref().map(|interface| interface.value.clone());
        if interface.is_none() && !self.needs_no_interface() {
            return None;
        }
        let global = around.global;
        let basics = self.basics(global, report)?;
        self.check_addresses(basics, report);
        let transport = self.transport(basics, global, report);
        let own_device = self.own_device(basics, &transport, around, report);
        let prefix = global.vmac_address_prefix();
        let mut places = Places::new(&self, own_device.as_ref(), basics, prefix, &mut around.names);
        let addresses = self.held(&mut places, report);
        let address_vmacs = places.into_vmacs();
        let tracked =
            self.track.resolve(around.trackable, Who::Instance(interface.as_ref(), basics.priority), report);
        let tracked = around.memberships.with_weights_of_a_member(&self, tracked, report);
        let advert_interval = self.advert_interval(basics.version, report);
        let preempt = self.preempt(basics, report);
        let check_unicast_src = self.transport.check_source || global.check_unicast_src;
        Some(vrrp::Instance {
            vrf: self.vrf(report),
            interface,
            vrid: basics.vrid,
            version: basics.version,
            family: basics.family,
            priority: basics.priority,
            initial: self.initial(basics, report),
            advert_interval,
            down_timer_adverts: self.down_timer_adverts(global, basics.strict, report),
            auth: self.auth(basics, report),
            hmac: self.hmac(advert_interval, basics.strict, report),
            check_unicast_src: check_unicast_src && matches!(transport, Transport::Unicast { .. }),
            transport,
            source: self.source(),
            track_source: self.tracks_source(report),
            v3_checksum_as_v2: self.v3_checksum_as_v2(basics, global),
            addresses,
            promote_secondaries: self.promotes_secondaries(own_device.as_ref(), report),
            address_vmacs,
            own_device,
            preempt,
            accept: self.accept(basics, report),
            strict: basics.strict,
            track_primary: self.track_primary,
            track_interfaces: tracked.interfaces,
            track_scripts: tracked.scripts,
            track_files: tracked.files,
            track_processes: tracked.processes,
            track_bfds: tracked.bfds,
            garp: self.garp(basics.strict, global, report),
            extra_garp: self.extra_garp(global),
            lower_prio_no_advert: self.lower_prio_no_advert(basics.strict, global, report),
            higher_prio_send_advert: self.higher_prio_send_advert(global, basics.strict, report),
            skip_check_adv_addr: self.transport.skip_check_adv_addr.unwrap_or(global.skip_check_adv_addr),
            owner_ignore_adverts: self.ignores_adverts_as_owner(basics, global),
            timer_expired_backup: self.timer_expired_backup(preempt, report),
            poll_link: self.holding.poll_link,
            receive_buffer: self.transport.receive_buffer.and_then(|bytes| NonZeroU32::new(bytes.value)),
            lvs_sync_interface: self.holding.lvs_sync_interface.clone(),
            notify: self.notify.resolve(global),
            notify_priority_changes: self
                .notify_priority_changes
                .or_else(|| around.memberships.notify_priority_changes(&self.name.value))
                .unwrap_or(global.notify_priority_changes),
            smtp_alert: self.smtp_alert.unwrap_or_else(|| global.mails_of_routers()),
            routes: route::resolve(std::mem::take(&mut self.routes)),
            rules: rule::resolve(std::mem::take(&mut self.rules)),
            name: self.name.value,
        })
    }

    /// Unicast advertisements with a source address find their own way out.
    pub(crate) fn needs_no_interface(&self) -> bool {
        !self.transport.peers.is_empty() && self.transport.source.is_some()
    }

    fn basics(&self, global: &Global, report: &mut Report) -> Option<Basics> {
        let strict = self.election.strict.unwrap_or(global.strict);
        Some(Basics {
            vrid: self.vrid?.value,
            family: self.family(),
            version: self.version(global, strict, report),
            priority: self.priority(),
            strict,
        })
    }

    fn vrf(&self, report: &mut Report) -> Option<IfName> {
        let vrf = self.vrf.as_ref()?;
        if let Some(interface) = &self.interface {
            let headline = "an instance with an interface is in the VRF of that; the line has no effect";
            report.push(
                Diagnostic::warning(Code::Transport, vrf.span, headline)
                    .label(interface.span, "the interface"),
            );
            return None;
        }
        Some(vrf.value.clone())
    }
}

fn strict_mode(span: Span, what: &str) -> Diagnostic {
    Diagnostic::warning(Code::Strict, span, format!("strict mode forbids {what}"))
}
