//! `real_server`.

use std::num::NonZeroU32;
use std::sync::Arc;

use model::lvs::{self, Forwarding};

use crate::diagnostic::{Code, Diagnostic, shown};
use crate::keyword::Block;
use crate::lower::notify::{CommandDraft, WithUser};
use crate::lower::{Global, Report, Setting, settings};
use crate::source::Span;

use super::address::Endpoint;
use super::checker::CheckerDraft;
use super::gradual::Gradual;
use super::names::Names;
use super::pace::Pace;
use super::{Files, forwarding, text};

/// `real_server`, as it was written.
#[derive(Debug)]
pub(super) struct RealServer {
    pub(super) span: Span,
    pub(super) endpoint: Endpoint,
    /// As it was written: what its traffic keeps, checkers still ask.
    written: Endpoint,
    pub(super) weight: Option<u32>,
    pub(super) forwarding: Option<Forwarding>,
    upper_threshold: Option<NonZeroU32>,
    lower_threshold: Option<NonZeroU32>,
    inhibit_on_failure: Option<bool>,
    smtp_alert: Option<bool>,
    notify: Notify,
    virtualhost: Option<Arc<str>>,
    snmp_name: Option<Box<str>>,
    /// Most servers leave it to the virtual server.
    pace: Option<Box<Pace>>,
    gradual: Gradual,
    checkers: Vec<CheckerDraft>,
}

/// `notify_up` and `notify_down`, or `quorum_up` and `quorum_down`.
#[derive(Debug, Default)]
pub(super) struct Notify {
    up: Option<Box<CommandDraft>>,
    down: Option<Box<CommandDraft>>,
}

impl Notify {
    /// The command for going up.
    pub(super) fn read_up(&mut self, setting: Setting<'_, '_>, report: &mut Report) {
        keep_first(&mut self.up, setting, report);
    }

    /// The command for going down.
    pub(super) fn read_down(&mut self, setting: Setting<'_, '_>, report: &mut Report) {
        keep_first(&mut self.down, setting, report);
    }

    pub(super) fn up(&self, global: &Global) -> Option<Box<model::vrrp::Command>> {
        self.up.as_ref().map(|command| Box::new(command.resolve(None, global)))
    }

    pub(super) fn down(&self, global: &Global) -> Option<Box<model::vrrp::Command>> {
        self.down.as_ref().map(|command| Box::new(command.resolve(None, global)))
    }
}

fn keep_first(slot: &mut Option<Box<CommandDraft>>, setting: Setting<'_, '_>, report: &mut Report) {
    let Some(command) = CommandDraft::read(setting, WithUser::Yes, report) else { return };
    if let Some(first) = slot {
        let headline = format!("{} is repeated; the first one stays in force", shown(setting.name()));
        report.push(
            Diagnostic::warning(Code::Repeated, command.span, headline).label(first.span, "the first one"),
        );
    } else {
        *slot = Some(Box::new(command));
    }
}

/// What a virtual server passes on to its real servers.
#[derive(Debug)]
pub(super) struct Inherited<'v> {
    pub(super) global: &'v Global,
    pub(super) files: &'v Files<'v>,
    pub(super) weight: u32,
    pub(super) forwarding: Forwarding,
    pub(super) inhibit_on_failure: bool,
    pub(super) virtualhost: &'v Option<Arc<str>>,
    pub(super) pace: Pace,
    pub(super) gradual: Gradual,
}

impl RealServer {
    pub(super) fn read(setting: Setting<'_, '_>, names: &mut Names, report: &mut Report) -> Option<Self> {
        let endpoint = Endpoint::read(setting, report)?;
        let mut server = Self {
            endpoint,
            written: endpoint,
            span: setting.span(),
            weight: None,
            forwarding: None,
            upper_threshold: None,
            lower_threshold: None,
            inhibit_on_failure: None,
            smtp_alert: None,
            notify: Notify::default(),
            virtualhost: None,
            snmp_name: None,
            pace: None,
            gradual: Gradual::default(),
            checkers: Vec::new(),
        };
        settings(setting.node.children(), Block::RealServer, report, |setting, report| {
            if setting.name() == "steadfast" {
                server.extend(setting, names, report);
            } else if setting.keyword.opens.is_some() {
                let address = server.endpoint.address;
                CheckerDraft::read(setting, address, names, report, |checker, report| {
                    server.add(checker, report)
                });
            } else if !server.read_pace(setting, report) {
                server.set(setting, report);
            }
        });
        server.check_thresholds(report);
        Some(server)
    }

    /// What keepalived does not know.
    fn extend(&mut self, block: Setting<'_, '_>, names: &mut Names, report: &mut Report) {
        settings(block.node.children(), Block::RealServerSteadfast, report, |setting, report| {
            if setting.keyword.opens.is_some() {
                let address = self.endpoint.address;
                CheckerDraft::read(setting, address, names, report, |checker, report| {
                    self.add(checker, report);
                });
            } else {
                self.gradual.set(setting, report);
            }
        });
    }

    fn read_pace(&mut self, setting: Setting<'_, '_>, report: &mut Report) -> bool {
        let mut pace = self.pace.as_deref().copied().unwrap_or_default();
        let is_pace = pace.read(setting, report);
        if is_pace {
            self.pace = Some(Box::new(pace));
        }
        is_pace
    }

    fn set(&mut self, setting: Setting<'_, '_>, report: &mut Report) {
        match setting.name() {
            "weight" => self.weight = setting.number(report).map(|weight| weight.value).or(self.weight),
            "lvs_method" => self.forwarding = forwarding::read(setting, report).or(self.forwarding),
            "uthreshold" => set_threshold(&mut self.upper_threshold, setting, report),
            "lthreshold" => set_threshold(&mut self.lower_threshold, setting, report),
            "inhibit_on_failure" => {
                self.inhibit_on_failure = setting.boolean(report).or(self.inhibit_on_failure);
            }
            "smtp_alert" => self.smtp_alert = setting.boolean(report).or(self.smtp_alert),
            "notify_up" => self.notify.read_up(setting, report),
            "notify_down" => self.notify.read_down(setting, report),
            "virtualhost" => {
                let word = text::only(setting, report);
                self.virtualhost =
                    word.map(|word| word.text.as_ref().into()).or_else(|| self.virtualhost.take());
            }
            "snmp_name" => self.snmp_name = text::label(setting, report).or_else(|| self.snmp_name.take()),
            _ => setting.lacks(report),
        }
    }

    /// One session is listened to once.
    fn add(&mut self, checker: CheckerDraft, report: &mut Report) {
        let twice = checker.session().is_some_and(|session| {
            self.checkers
                .iter()
                .any(|other| other.session().is_some_and(|other| other.value == session.value))
        });
        if twice {
            let headline = "this session is listened to already; the checker is ignored";
            report.push(Diagnostic::warning(Code::DuplicateEntry, checker.span(), headline));
            return;
        }
        // Most servers have one.
        if self.checkers.is_empty() {
            self.checkers.reserve_exact(1);
        }
        self.checkers.push(checker);
    }

    fn check_thresholds(&self, report: &mut Report) {
        if let (Some(upper), Some(lower)) = (self.upper_threshold, self.lower_threshold)
            && lower > upper
        {
            let headline = format!("`lthreshold` {lower} is above `uthreshold` {upper}");
            report.push(
                Diagnostic::note(Code::IdleOption, self.span, headline)
                    .help("connections resume below `lthreshold`: write a number below `uthreshold`"),
            );
        }
    }

    pub(super) fn resolve(self, outer: &Inherited<'_>) -> lvs::RealServer {
        let own_pace = self.pace.map(|pace| pace.within(&outer.pace));
        let pace = own_pace.unwrap_or(outer.pace);
        let virtualhost = self.virtualhost.or_else(|| outer.virtualhost.clone());
        let endpoint = self.endpoint;
        let checked = Endpoint { port: self.written.port.or(endpoint.port), ..endpoint };
        let gradual = self.gradual.within(outer.gradual);
        let checkers = self.checkers.into_iter();
        lvs::RealServer {
            address: endpoint.address,
            port: endpoint.port,
            weight: self.weight.unwrap_or(outer.weight),
            forwarding: self.forwarding.unwrap_or(outer.forwarding),
            upper_threshold: self.upper_threshold,
            lower_threshold: self.lower_threshold,
            inhibit_on_failure: self.inhibit_on_failure.unwrap_or(outer.inhibit_on_failure),
            smtp_alert: self.smtp_alert.or_else(|| outer.global.mails_of_servers()).unwrap_or(true),
            notify_up: self.notify.up(outer.global),
            notify_down: self.notify.down(outer.global),
            checkers: checkers
                .map(|checker| checker.resolve(checked, &pace, virtualhost.as_ref(), outer))
                .collect(),
            virtualhost,
            snmp_name: self.snmp_name,
            drain: gradual.drain.unwrap_or_default(),
            slow_start: gradual.slow_start.unwrap_or_default(),
            pace: own_pace.map(|pace| Box::new(pace.resolve())),
        }
    }
}

/// 0 is no limit.
fn set_threshold(slot: &mut Option<NonZeroU32>, setting: Setting<'_, '_>, report: &mut Report) {
    if let Some(limit) = setting.number(report) {
        *slot = NonZeroU32::new(limit.value);
    }
}
