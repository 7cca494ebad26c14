//! `virtual_server`.

use std::collections::BTreeMap;
use std::sync::Arc;

use model::Family;
use model::lvs::{self, Forwarding, Protocol, Quorum, Scheduler};

use crate::diagnostic::{Code, shown_bare};
use crate::keyword::Block;
use crate::lower::{Global, Report, Setting, Spanned, settings};
use crate::source::Span;

use super::address;
use super::gradual::Gradual;
use super::group::Group;
use super::names::Names;
use super::pace::Pace;
use super::persistence::PersistenceDraft;
use super::real_server::{Inherited, Notify, RealServer};
use super::scheduler::SchedulerDraft;
use super::service::Target;
use super::sorry::SorryDraft;
use super::{Files, forwarding, rules, text};

/// `virtual_server`, as it was written.
#[derive(Debug)]
pub(super) struct VirtualServer {
    pub(super) target: Spanned<Target>,
    /// Of its clients, as far as lines have told.
    pub(super) family: Option<Family>,
    pub(super) scheduler: SchedulerDraft,
    pub(super) forwarding: Option<Forwarding>,
    pub(super) protocol: Option<Spanned<Protocol>>,
    pub(super) one_packet: Option<Span>,
    pub(super) persistence: PersistenceDraft,
    pub(super) quorum: Option<Spanned<u32>>,
    pub(super) hysteresis: Option<Spanned<u32>>,
    notify: Notify,
    pub(super) sorry: Option<SorryDraft>,
    pub(super) ha_suspend: Option<Span>,
    omega: bool,
    smtp_alert: Option<bool>,
    virtualhost: Option<Arc<str>>,
    snmp_name: Option<Box<str>>,
    pub(super) weight: u32,
    inhibit_on_failure: bool,
    pace: Pace,
    gradual: Gradual,
    pub(super) servers: Vec<RealServer>,
}

impl VirtualServer {
    /// The virtual server of a block, if keepalived would use it. A block with an invalid first line is not looked at.
    pub(super) fn read(setting: Setting<'_, '_>, names: &mut Names, report: &mut Report) -> Option<Self> {
        let target = Target::read(setting, report)?;
        let mut server = Self::new(target);
        let servers = setting.node.children().iter().filter(|line| line.is("real_server"));
        // There may be a great many.
        server.servers.reserve_exact(servers.count());
        settings(setting.node.children(), Block::VirtualServer, report, |setting, report| {
            if setting.name() == "real_server" {
                server.add(RealServer::read(setting, names, report), report);
            } else if !server.scheduler.read(setting, report)
                && !server.persistence.read(setting, &mut server.family, report)
                && !SorryDraft::read_option(&mut server.sorry, setting, report)
            {
                server.set(setting, report);
            }
        });
        // keepalived judges only those whose group is there.
        let is_sound = matches!(server.target.value, Target::Group(_)) || rules::apply(&mut server, report);
        is_sound.then_some(server)
    }

    fn new(target: Spanned<Target>) -> Self {
        Self {
            family: target.value.family(),
            target,
            scheduler: SchedulerDraft::default(),
            forwarding: None,
            protocol: None,
            one_packet: None,
            persistence: PersistenceDraft::default(),
            quorum: None,
            hysteresis: None,
            notify: Notify::default(),
            sorry: None,
            ha_suspend: None,
            omega: false,
            smtp_alert: None,
            virtualhost: None,
            snmp_name: None,
            weight: 1,
            inhibit_on_failure: false,
            pace: Pace::default(),
            gradual: Gradual::default(),
            servers: Vec::new(),
        }
    }

    fn set(&mut self, setting: Setting<'_, '_>, report: &mut Report) {
        match setting.name() {
            // Here it is a flag, whatever follows.
            "alpha" => self.pace.alpha = Some(setting.flag(report)),
            "delay_loop" | "warmup" | "retry" | "delay_before_retry" | "connect_timeout" => {
                self.pace.read(setting, report);
            }
            "steadfast" => self.gradual.read(setting, report),
            "ip_family" => self.set_family(setting, report),
            "lvs_method" | "lb_kind" => {
                self.forwarding = forwarding::read(setting, report).or(self.forwarding);
            }
            "protocol" => self.protocol = protocol(setting, report).or(self.protocol),
            "ops" => self.one_packet = setting.flag(report).then(|| setting.head_span()),
            "ha_suspend" => self.ha_suspend = setting.flag(report).then(|| setting.head_span()),
            "omega" => self.omega = setting.flag(report),
            "inhibit_on_failure" => self.inhibit_on_failure = setting.flag(report),
            "weight" => self.weight = setting.number(report).map_or(self.weight, |weight| weight.value),
            "quorum" => self.quorum = setting.number(report).or(self.quorum),
            "hysteresis" => self.hysteresis = setting.number(report).or(self.hysteresis),
            "quorum_up" => self.notify.read_up(setting, report),
            "quorum_down" => self.notify.read_down(setting, report),
            "smtp_alert" => self.smtp_alert = setting.boolean(report).or(self.smtp_alert),
            "virtualhost" => {
                let word = text::only(setting, report);
                self.virtualhost =
                    word.map(|word| word.text.as_ref().into()).or_else(|| self.virtualhost.take());
            }
            "snmp_name" => self.snmp_name = text::label(setting, report).or_else(|| self.snmp_name.take()),
            "sorry_server" => {
                let sorry = SorryDraft::read(setting, self.forwarding, report);
                self.sorry = sorry.or_else(|| self.sorry.take());
            }
            _ => setting.lacks(report),
        }
    }

    fn set_family(&mut self, setting: Setting<'_, '_>, report: &mut Report) {
        let Some(word) = setting.only(report) else { return };
        let family = match word.text.as_ref() {
            "inet" => Family::V4,
            "inet6" => Family::V6,
            _ => {
                let diagnostic = setting.invalid(Code::InvalidChoice, word, "is no address family");
                report.push(diagnostic.help("write `inet` or `inet6`; the line has no effect"));
                return;
            }
        };
        if self.family.is_some_and(|known| known != family) {
            let diagnostic = setting.invalid(
                Code::FamilyMismatch,
                word,
                "is not the family of the addresses of this server",
            );
            report.push(diagnostic);
        } else {
            self.family = Some(family);
        }
    }

    /// Only a tunnel crosses families. The first server without one settles an open family.
    fn add(&mut self, server: Option<RealServer>, report: &mut Report) {
        let Some(server) = server else { return };
        let family = Family::from(server.endpoint.address);
        let is_tunnel = matches!(server.forwarding.or(self.forwarding), Some(Forwarding::Tunnel(_)));
        if !is_tunnel && self.family.is_some_and(|known| known != family) {
            let address = server.endpoint.address;
            report.push(address::wrong_family(server.span, "real server", address).classic(format!(
                "Address family of virtual server and real server {address} don't match - skipping real server."
            )));
            return;
        }
        if !is_tunnel {
            self.family = Some(family);
        }
        self.servers.push(server);
    }

    /// The protocol in force.
    pub(super) fn protocol(&self) -> Protocol {
        self.protocol.map_or(Protocol::Udp, |protocol| protocol.value)
    }

    /// Whether its group is there and fits. What keepalived says about the group stands with [`rules`].
    pub(super) fn check_group(&mut self, groups: &BTreeMap<&str, &Group>, report: &mut Report) -> bool {
        match &self.target.value {
            Target::Address(_) | Target::Fwmark(_) => true,
            Target::Group(name) => match groups.get(name.as_ref()) {
                Some(group) => rules::apply(self, report) && rules::apply_group(self, group, report),
                None => {
                    rules::tell_missing_group(name, self.target.span, groups, report);
                    false
                }
            },
        }
    }

    /// The name of its group, and the family of its servers.
    pub(super) fn family_of_group(&self) -> Option<(Box<str>, Family)> {
        match &self.target.value {
            Target::Group(name) => {
                // Servers in tunnels settle nothing; keepalived takes such marks as those of IPv4.
                Some((name.clone(), self.family.unwrap_or(Family::V4)))
            }
            Target::Address(_) | Target::Fwmark(_) => None,
        }
    }

    fn family_of_servers(&self) -> Family {
        self.servers.first().map_or(Family::V4, |server| Family::from(server.endpoint.address))
    }

    pub(super) fn resolve(self, global: &Global, files: &Files<'_>) -> lvs::VirtualServer {
        let family = self.family.unwrap_or_else(|| self.family_of_servers());
        let forwarding = self.forwarding.unwrap_or(Forwarding::Nat);
        let protocol = self.protocol();
        let quorum = Quorum {
            weight: self.quorum.map_or(1, |quorum| quorum.value),
            hysteresis: self.hysteresis.map_or(0, |hysteresis| hysteresis.value),
            up: self.notify.up(global),
            down: self.notify.down(global),
        };
        let inherited = Inherited {
            global,
            files,
            weight: self.weight,
            forwarding,
            inhibit_on_failure: self.inhibit_on_failure,
            virtualhost: &self.virtualhost,
            pace: self.pace,
            gradual: self.gradual,
        };
        lvs::VirtualServer {
            real_servers: self.servers.into_iter().map(|server| server.resolve(&inherited)).collect(),
            service: self.target.value.resolve(family, protocol),
            scheduler: self.scheduler.scheduler.unwrap_or(Scheduler::WeightedLeastConnection),
            flags: self.scheduler.flags,
            one_packet: self.one_packet.is_some(),
            persistence: self.persistence.resolve(family),
            quorum,
            sorry_server: self.sorry.map(|sorry| sorry.resolve(forwarding)),
            ha_suspend: self.ha_suspend.is_some(),
            alpha: self.pace.alpha.unwrap_or(false),
            omega: self.omega,
            smtp_alert: self.smtp_alert.or_else(|| global.mails_of_servers()).unwrap_or(false),
            snmp_name: self.snmp_name,
            nth_of_group: 0,
            forwarding,
            inhibit_on_failure: self.inhibit_on_failure,
            pace: self.pace.resolve(),
        }
    }
}

fn protocol(setting: Setting<'_, '_>, report: &mut Report) -> Option<Spanned<Protocol>> {
    let word = setting.only(report)?;
    let value = match word.text.to_ascii_uppercase().as_str() {
        "TCP" => Protocol::Tcp,
        "UDP" => Protocol::Udp,
        "SCTP" => Protocol::Sctp,
        _ => {
            let diagnostic = setting.invalid(Code::InvalidChoice, word, "cannot be balanced");
            report.push(
                diagnostic
                    .help("write `TCP`, `UDP` or `SCTP`; the line has no effect")
                    .classic(format!("Unknown protocol {} - ignoring", shown_bare(&word.text))),
            );
            return None;
        }
    };
    Some(Spanned { value, span: word.span })
}
