//! `vrrp_instance`: reading.

use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use model::vrrp::{Initial, Version};
use model::{IfName, Priority, Vrid};

use crate::diagnostic::{Code, Diagnostic, shown};
use crate::keyword::{self, Arguments, Block, Loss, Status};
use crate::lower::address::AddressDraft;
use crate::lower::garp::GarpDraft;
use crate::lower::notify::NotifyDraft;
use crate::lower::route::{self, RouteDraft};
use crate::lower::rule::{self, RuleDraft};
use crate::lower::track::TrackDraft;
use crate::lower::{Report, Setting, Spanned, global, settings};
use crate::source::Span;

/// A `vrrp_instance` as it was written. `None` is "not said".
#[derive(Clone, Debug)]
pub(crate) struct Instance {
    pub(crate) name: Spanned<String>,
    pub(crate) interface: Option<Spanned<IfName>>,
    pub(crate) vrid: Option<Spanned<Vrid>>,
    /// Values of `interface` and `virtual_router_id` that have been reported, by keyword.
    pub(crate) rejected: Vec<(&'static str, Span)>,
    pub(crate) version: Option<Version>,
    pub(crate) priority: Option<Priority>,
    pub(crate) state: Option<Spanned<Initial>>,
    pub(crate) advert_interval: Option<Spanned<Duration>>,
    pub(crate) down_timer_adverts: Option<Spanned<u8>>,
    pub(crate) auth: Option<AuthDraft>,
    pub(crate) source: Option<Spanned<IpAddr>>,
    /// Something says that it is a unicast instance.
    pub(crate) unicast: Option<Span>,
    pub(crate) peers: Vec<Spanned<IpAddr>>,
    pub(crate) group: Option<Spanned<Ipv4Addr>>,
    pub(crate) addresses: Vec<AddressDraft>,
    pub(crate) excluded: Vec<AddressDraft>,
    pub(crate) routes: Vec<RouteDraft>,
    pub(crate) rules: Vec<RuleDraft>,
    /// `no_virtual_ipaddress`.
    pub(crate) needs_no_address: Option<Span>,
    pub(crate) nopreempt: Option<Span>,
    pub(crate) preempt_delay: Option<Spanned<Duration>>,
    pub(crate) accept: Option<Span>,
    pub(crate) strict: Option<bool>,
    pub(crate) track_primary: bool,
    pub(crate) track: TrackDraft,
    pub(crate) garp: GarpDraft,
    pub(crate) lower_prio_no_advert: Option<bool>,
    pub(crate) higher_prio_send_advert: Option<Spanned<bool>>,
    pub(crate) check_unicast_src: bool,
    pub(crate) skip_check_adv_addr: Option<bool>,
    pub(crate) notify: NotifyDraft,
}

/// An `authentication` block.
#[derive(Clone, Debug)]
pub(crate) struct AuthDraft {
    /// The block's keyword.
    pub(crate) span: Span,
    pub(crate) kind: AuthKind,
    /// What the packet carries, and the line of it.
    pub(crate) password: Option<Spanned<[u8; 8]>>,
}

/// What `auth_type` says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AuthKind {
    Unsaid,
    Pass,
    /// Something that has been reported.
    Unusable,
}

impl Instance {
    pub(crate) fn read(setting: Setting<'_, '_>, report: &mut Report) -> Option<Self> {
        let mut draft = Self::new(setting.block_name(report)?);
        settings(setting.node.children(), Block::Instance, report, |setting, report| {
            let taken = draft.garp.read(setting, report)
                || draft.notify.read(setting, report)
                || draft.track.read(setting, report)
                || draft.set_election(setting, report)
                || draft.set_transport(setting, report)
                || draft.set_holding(setting, report);
            if !taken {
                setting.lacks(report);
            }
        });
        Some(draft)
    }

    const fn new(name: Spanned<String>) -> Self {
        Self {
            name,
            interface: None,
            vrid: None,
            rejected: Vec::new(),
            version: None,
            priority: None,
            state: None,
            advert_interval: None,
            down_timer_adverts: None,
            auth: None,
            source: None,
            unicast: None,
            peers: Vec::new(),
            group: None,
            addresses: Vec::new(),
            excluded: Vec::new(),
            routes: Vec::new(),
            rules: Vec::new(),
            needs_no_address: None,
            nopreempt: None,
            preempt_delay: None,
            accept: None,
            strict: None,
            track_primary: true,
            track: TrackDraft::EMPTY,
            garp: GarpDraft::EMPTY,
            lower_prio_no_advert: None,
            higher_prio_send_advert: None,
            check_unicast_src: false,
            skip_check_adv_addr: None,
            notify: NotifyDraft::EMPTY,
        }
    }

    /// Who it is and when it is master.
    fn set_election(&mut self, setting: Setting<'_, '_>, report: &mut Report) -> bool {
        match setting.name() {
            "virtual_router_id" => {
                let vrid = vrid(setting, report);
                self.note_rejected(setting, vrid.is_none());
                set(&mut self.vrid, vrid);
            }
            "version" => set(&mut self.version, global::version(setting, report)),
            "priority" => self.priority = Some(priority(setting, report)),
            "state" => set(&mut self.state, state(setting, report)),
            "advert_int" => set(&mut self.advert_interval, setting.seconds(report)),
            "down_timer_adverts" => set(&mut self.down_timer_adverts, setting.number(report)),
            "preempt" => {
                setting.flag(report);
                self.nopreempt = None;
            }
            "nopreempt" => {
                setting.flag(report);
                self.nopreempt = Some(setting.span());
            }
            "preempt_delay" => set(&mut self.preempt_delay, setting.seconds(report)),
            "strict_mode" => set(&mut self.strict, setting.boolean(report)),
            "lower_prio_no_advert" => set(&mut self.lower_prio_no_advert, setting.boolean(report)),
            "higher_prio_send_advert" => {
                let value = setting.boolean(report).map(|value| Spanned { value, span: setting.span() });
                set(&mut self.higher_prio_send_advert, value);
            }
            "dont_track_primary" => self.track_primary = !setting.flag(report),
            _ => return false,
        }
        true
    }

    /// How advertisements travel and which are believed.
    fn set_transport(&mut self, setting: Setting<'_, '_>, report: &mut Report) -> bool {
        match setting.name() {
            "interface" => {
                let interface = interface(setting, report);
                self.note_rejected(setting, interface.is_none());
                set(&mut self.interface, interface);
            }
            "mcast_src_ip" => set(&mut self.source, setting.address(report)),
            "unicast_src_ip" => {
                self.unicast = Some(setting.span());
                set(&mut self.source, setting.address(report));
            }
            "unicast_peer" => {
                self.unicast = Some(setting.span());
                self.peers.extend(peers(setting, report));
            }
            "mcast_dst_ip" => {
                let group = global::group_v4(setting, report).map(|(value, span)| Spanned { value, span });
                set(&mut self.group, group);
            }
            "check_unicast_src" => self.check_unicast_src = setting.flag(report),
            "skip_check_adv_addr" => set(&mut self.skip_check_adv_addr, setting.boolean(report)),
            "authentication" => self.auth = Some(AuthDraft::read(setting, report)),
            _ => return false,
        }
        true
    }

    fn note_rejected(&mut self, setting: Setting<'_, '_>, rejected: bool) {
        let word = setting.node.arguments().first().filter(|_| rejected);
        self.rejected.extend(word.map(|word| (setting.name(), word.span)));
    }

    /// What a master holds.
    fn set_holding(&mut self, setting: Setting<'_, '_>, report: &mut Report) -> bool {
        match setting.name() {
            "virtual_ipaddress" => self.addresses.extend(AddressDraft::read_all(setting, report)),
            "virtual_ipaddress_excluded" => self.excluded.extend(AddressDraft::read_all(setting, report)),
            "virtual_routes" => self.routes.extend(route::read_all(setting, report)),
            "virtual_rules" => self.rules.extend(rule::read_all(setting, report)),
            "no_virtual_ipaddress" => {
                setting.flag(report);
                self.needs_no_address = Some(setting.span());
            }
            "accept" => {
                setting.flag(report);
                self.accept = Some(setting.span());
            }
            // Accepted for old files; keepalived does nothing with it either.
            "debug" => drop(setting.integer(report)),
            _ => return false,
        }
        true
    }
}

fn set<T>(slot: &mut Option<T>, value: Option<T>) {
    if value.is_some() {
        *slot = value;
    }
}

fn vrid(setting: Setting<'_, '_>, report: &mut Report) -> Option<Spanned<Vrid>> {
    let Spanned { value, span } = setting.number::<u8>(report)?;
    Vrid::try_from(value).ok().map(|value| Spanned { value, span })
}

/// A bad priority is 100, even if `state MASTER` would make it 255.
fn priority(setting: Setting<'_, '_>, report: &mut Report) -> Priority {
    let before = report.diagnostics.len();
    let number = setting.number::<u8>(report);
    if number.is_none()
        && let Some(diagnostic) = report.diagnostics.get_mut(before..).and_then(<[_]>::last_mut)
    {
        diagnostic.help = Some("a priority is 1 to 255; 100 is used".to_owned());
    }
    number.map_or(Priority::DEFAULT, |number| Priority(number.value))
}

fn state(setting: Setting<'_, '_>, report: &mut Report) -> Option<Spanned<Initial>> {
    let word = setting.only(report)?;
    let value = match word.text.as_ref() {
        "MASTER" => Initial::Master,
        "BACKUP" => Initial::Backup,
        other => {
            let headline = format!("{} is no state; BACKUP is used", shown(other));
            report.push(
                Diagnostic::warning(Code::InvalidChoice, word.span, headline)
                    .help("write `MASTER` or `BACKUP`"),
            );
            Initial::Backup
        }
    };
    Some(Spanned { value, span: word.span })
}

fn interface(setting: Setting<'_, '_>, report: &mut Report) -> Option<Spanned<IfName>> {
    let interface = setting.interface(report)?;
    if interface.value.as_str() == "lo" {
        let headline = "a virtual router cannot run on the loopback interface";
        report.push(Diagnostic::error(Code::InvalidInterface, interface.span, headline));
    }
    Some(interface)
}

fn peers(block: Setting<'_, '_>, report: &mut Report) -> Vec<Spanned<IpAddr>> {
    let mut peers = Vec::new();
    for node in block.node.children() {
        let Some(head) = node.head() else { continue };
        match head.text.parse() {
            Ok(value @ IpAddr::V4(_)) => peers.push(Spanned { value, span: head.span }),
            Ok(IpAddr::V6(_)) => report.lacks("IPv6", Status::Planned(Loss::Meaning), head.span),
            Err(_) => {
                let headline = format!("{} is not the address of a peer; it is ignored", shown(&head.text));
                report.push(Diagnostic::warning(Code::InvalidAddress, head.span, headline));
            }
        }
        peer_options(node.arguments(), report);
    }
    peers
}

fn peer_options(words: &[crate::lexer::Word<'_>], report: &mut Report) {
    let mut words = words.iter();
    while let Some(word) = words.next() {
        match keyword::lookup(Block::UnicastPeers, &word.text) {
            Some(keyword) => {
                report.lacks(keyword.name, keyword.status, word.span);
                if keyword.arguments != Arguments::Flag {
                    words.next();
                }
            }
            None => {
                let headline = format!("{} is no option of a peer; it is ignored", shown(&word.text));
                report.push(
                    Diagnostic::warning(Code::InvalidChoice, word.span, headline)
                        .help("each peer needs a line of its own"),
                );
            }
        }
    }
}

impl AuthDraft {
    fn read(block: Setting<'_, '_>, report: &mut Report) -> Self {
        let span = block.head_span();
        let mut draft = Self { span, kind: AuthKind::Unsaid, password: None };
        settings(block.node.children(), Block::Authentication, report, |setting, report| {
            match setting.name() {
                "auth_type" => draft.kind = auth_type(setting, report),
                "auth_pass" => set(&mut draft.password, password(setting, report)),
                _ => setting.lacks(report),
            }
        });
        draft
    }
}

fn auth_type(setting: Setting<'_, '_>, report: &mut Report) -> AuthKind {
    let Some(word) = setting.only(report) else { return AuthKind::Unusable };
    match word.text.as_ref() {
        "PASS" => AuthKind::Pass,
        "AH" => {
            report.lacks("auth_type AH", Status::Planned(Loss::Meaning), word.span);
            AuthKind::Unusable
        }
        _ => {
            let diagnostic = setting.invalid(Code::InvalidChoice, word, "is no kind of authentication");
            report.push(diagnostic.help("write `PASS`; the line has no effect"));
            AuthKind::Unusable
        }
    }
}

/// The eight bytes that a packet has room for (RFC 2338 §5.3.6).
fn password(setting: Setting<'_, '_>, report: &mut Report) -> Option<Spanned<[u8; 8]>> {
    let word = setting.only(report)?;
    let mut value = [0; 8];
    for (room, byte) in value.iter_mut().zip(word.text.bytes()) {
        *room = byte;
    }
    let length = word.text.len();
    if length > value.len() {
        let headline = format!("this password has {length} bytes, a packet carries 8");
        report.push(
            Diagnostic::warning(Code::PasswordCut, word.span, headline)
                .help("only bytes 1 to 8 are used; the others protect nothing"),
        );
    }
    Some(Spanned { value, span: word.span })
}
