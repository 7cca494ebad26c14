//! `vrrp_instance`: reading.

mod auth;
mod device;
mod election;
mod family;
mod hmac;
mod holding;
mod transport;

use std::collections::BTreeMap;

use model::{Family, IfName, Vrid};

use crate::diagnostic::{Code, Diagnostic, Severity, shown};
use crate::keyword::{self, Block};
use crate::lexer::Word;
use crate::lower::address::AddressDraft;
use crate::lower::garp::GarpDraft;
use crate::lower::notify::NotifyDraft;
use crate::lower::route::{self, RouteDraft};
use crate::lower::rule::{self, RuleDraft};
use crate::lower::track::TrackDraft;
use crate::lower::{Report, Setting, Spanned, settings};
use crate::source::Span;
use crate::tree::Node;

pub(crate) use auth::{AuthDraft, AuthKind};
pub(crate) use device::{DeviceDraft, IpvlanDraft, Octets, VmacDraft};
pub(crate) use election::Election;
pub(crate) use hmac::HmacDraft;
pub(crate) use holding::Holding;
pub(crate) use transport::TransportDraft;

/// A `vrrp_instance` as it was written. `None` is "not said".
#[derive(Clone, Debug)]
pub(crate) struct Instance {
    pub(crate) name: Spanned<String>,
    pub(crate) interface: Option<Spanned<IfName>>,
    pub(crate) vrf: Option<Spanned<IfName>>,
    pub(crate) vrid: Option<Spanned<Vrid>>,
    /// Values of `interface` and `virtual_router_id` that have been reported, by keyword.
    pub(crate) rejected: Vec<(&'static str, Span)>,
    /// Which of these stand there with a slip of the pen, which has been reported as what is missing.
    pub(crate) misspelt: Vec<&'static str>,
    /// What settled the family.
    pub(crate) family: Option<Spanned<Family>>,
    pub(crate) election: Election,
    pub(crate) transport: TransportDraft,
    pub(crate) device: DeviceDraft,
    pub(crate) auth: Option<AuthDraft>,
    pub(crate) hmac: Option<HmacDraft>,
    pub(crate) addresses: Vec<AddressDraft>,
    pub(crate) excluded: Vec<AddressDraft>,
    pub(crate) routes: Vec<RouteDraft>,
    pub(crate) rules: Vec<RuleDraft>,
    pub(crate) holding: Holding,
    pub(crate) track_primary: bool,
    pub(crate) track: TrackDraft,
    pub(crate) garp: GarpDraft,
    pub(crate) notify: NotifyDraft,
    pub(crate) notify_priority_changes: Option<bool>,
    pub(crate) smtp_alert: Option<bool>,
}

impl Instance {
    /// Reads a block, unless it has no name or one that is in `taken`. keepalived does not look into such a block.
    pub(crate) fn read(
        setting: Setting<'_, '_>,
        taken: &mut BTreeMap<String, Span>,
        report: &mut Report,
    ) -> Option<Self> {
        let mut draft = Self::new(own_name(setting, taken, report)?);
        report.subject.clone_from(&draft.name.value);
        let before = report.diagnostics.len();
        settings(setting.node.children(), Block::Instance, report, |setting, report| {
            let taken = draft.garp.read(setting, report)
                || draft.notify.read(setting, report)
                || draft.track.read(setting, report)
                || draft.election.read(setting, report)
                || draft.transport.read(setting, report)
                || draft.set_endpoint(setting, report)
                || draft.device.read(setting, report)
                || draft.holding.read(setting, report)
                || draft.set(setting, report);
            if !taken {
                setting.lacks(report);
            }
        });
        draft.note_misspelt(setting.node.children(), before, report);
        Some(draft)
    }

    const fn new(name: Spanned<String>) -> Self {
        Self {
            name,
            interface: None,
            vrf: None,
            vrid: None,
            rejected: Vec::new(),
            misspelt: Vec::new(),
            family: None,
            election: Election::EMPTY,
            transport: TransportDraft::EMPTY,
            device: DeviceDraft::EMPTY,
            auth: None,
            hmac: None,
            addresses: Vec::new(),
            excluded: Vec::new(),
            routes: Vec::new(),
            rules: Vec::new(),
            holding: Holding::EMPTY,
            track_primary: true,
            track: TrackDraft::EMPTY,
            garp: GarpDraft::EMPTY,
            notify: NotifyDraft::EMPTY,
            notify_priority_changes: None,
            smtp_alert: None,
        }
    }

    fn set(&mut self, setting: Setting<'_, '_>, report: &mut Report) -> bool {
        match setting.name() {
            "interface" => {
                let interface = interface(setting, report);
                self.note_rejected(setting, interface.is_none());
                set(&mut self.interface, interface);
            }
            "vrf" => set(&mut self.vrf, setting.interface(report)),
            "virtual_router_id" => {
                let vrid = vrid(setting, report);
                self.note_rejected(setting, vrid.is_none());
                set(&mut self.vrid, vrid);
            }
            "version" => self.set_version(setting, report),
            "native_ipv6" => self.set_native_ipv6(setting, report),
            "use_ipvlan" => self.set_ipvlan(setting, report),
            "authentication" => {
                self.auth.get_or_insert_with(|| AuthDraft::new(setting.head_span())).read(setting, report);
            }
            "auth_hmac" => {
                self.hmac.get_or_insert_with(|| HmacDraft::new(setting.head_span())).read(setting, report);
            }
            "virtual_ipaddress" => self.add_addresses(setting, report),
            "virtual_ipaddress_excluded" => self.add_excluded(setting, report),
            "virtual_routes" => self.routes.extend(route::read_all(setting, report)),
            "virtual_rules" => self.rules.extend(rule::read_all(setting, report)),
            "dont_track_primary" => self.track_primary = !setting.flag(report),
            "notify_priority_changes" => set(&mut self.notify_priority_changes, setting.boolean(report)),
            "smtp_alert" => set(&mut self.smtp_alert, setting.boolean(report)),
            _ => return false,
        }
        true
    }

    fn set_ipvlan(&mut self, setting: Setting<'_, '_>, report: &mut Report) {
        if let Some(first) = &self.device.ipvlan {
            let headline = "`use_ipvlan` is repeated; the first one stays in force";
            report.push(
                Diagnostic::warning(Code::Repeated, setting.span(), headline)
                    .label(first.span, "the first one"),
            );
            return;
        }
        let mut value = IpvlanDraft::read(setting, report);
        value.address = value.address.filter(|prefix| {
            self.takes(Spanned { value: prefix.value.address(), span: prefix.span }, "address", report)
        });
        self.device.ipvlan = Some(Spanned { value, span: setting.span() });
    }

    /// Makes an error of a misspelt keyword without which there is no instance. `before` were found before its block.
    fn note_misspelt(&mut self, lines: &[Node<'_>], before: usize, report: &mut Report) {
        let needs_interface = self.interface.is_none() && !self.needs_no_interface();
        let required = [("interface", needs_interface), ("virtual_router_id", self.vrid.is_none())];
        for (required, _) in required.into_iter().filter(|(_, is_missing)| *is_missing) {
            let unknown = lines.iter().filter(|line| line.keyword.is_none()).filter_map(Node::head);
            let is_near = |word: &&Word<'_>| {
                keyword::nearest(Block::Instance, &word.text).is_some_and(|near| near.name == required)
            };
            let found = unknown
                .rev()
                .find(is_near)
                .and_then(|word| report.diagnostics.find_mut(before, Code::UnknownKeyword, word.span));
            if let Some(found) = found {
                found.severity = Severity::Error;
                found.help = Some(format!("did you mean `{required}`? without it there is no instance"));
                self.misspelt.push(required);
            }
        }
    }

    fn note_rejected(&mut self, setting: Setting<'_, '_>, rejected: bool) {
        let word = setting.node.arguments().first().filter(|_| rejected);
        self.rejected.extend(word.map(|word| (setting.name(), word.span)));
    }
}

/// The one word before the brace of an instance or group, if it is not taken. Without one keepalived skips the block.
pub(crate) fn own_name(
    setting: Setting<'_, '_>,
    taken: &mut BTreeMap<String, Span>,
    report: &mut Report,
) -> Option<Spanned<String>> {
    let [word] = setting.node.arguments() else {
        let place = setting.node.arguments().get(1).map_or_else(|| setting.span(), |second| second.span);
        let headline = format!("`{}` needs one word for its name", setting.name());
        report.push(
            Diagnostic::warning(Code::MissingArgument, place, headline)
                .help(format!("write `{} NAME {{`; the whole block is ignored", setting.name()))
                .classic(format!("{} must have a name", setting.name())),
        );
        return None;
    };
    if let Some(&first) = taken.get(word.text.as_ref()) {
        let headline = format!("the name {} is taken", shown(&word.text));
        report.push(
            Diagnostic::warning(Code::DuplicateName, word.span, headline)
                .label(first, "first here")
                .help("give it another name; the whole block is ignored")
                .classic(format!("{} {} already defined", setting.name().replace('_', " "), word.text)),
        );
        return None;
    }
    let value = word.text.clone().into_owned();
    taken.insert(value.clone(), word.span);
    Some(Spanned { value, span: word.span })
}

pub(crate) fn set<T>(slot: &mut Option<T>, value: Option<T>) {
    if value.is_some() {
        *slot = value;
    }
}

fn vrid(setting: Setting<'_, '_>, report: &mut Report) -> Option<Spanned<Vrid>> {
    let Spanned { value, span } = setting.number::<u8>(report)?;
    Vrid::try_from(value).ok().map(|value| Spanned { value, span })
}

fn interface(setting: Setting<'_, '_>, report: &mut Report) -> Option<Spanned<IfName>> {
    let interface = setting.interface(report)?;
    if interface.value.as_str() == "lo" {
        let headline = "a virtual router cannot run on the loopback interface";
        let sentence =
            format!("({}) cannot use a loopback interface (lo) for vrrp - ignoring", report.subject);
        report.push(Diagnostic::error(Code::InvalidInterface, interface.span, headline).classic(sentence));
    }
    Some(interface)
}
