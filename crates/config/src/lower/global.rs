//! `global_defs`.

use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use model::Mail;
use model::vrrp::{RunAs, Transport, Version};

use crate::diagnostic::{Code, Diagnostic, shown};
use crate::keyword::Block;
use crate::lower::garp::GarpDraft;
use crate::lower::{Report, Setting, notify, settings};
use crate::number;
use crate::source::Span;
use crate::tree::Node;

/// All `global_defs` blocks of a file together.
#[derive(Clone, Debug)]
pub(crate) struct Global {
    router_id: Option<String>,
    mail: Mail,
    pub(crate) script_user: Option<RunAs>,
    pub(crate) script_security: bool,
    pub(crate) dynamic_interfaces: bool,
    pub(crate) version: Version,
    pub(crate) strict: bool,
    pub(crate) garp: GarpDraft,
    pub(crate) down_timer_adverts: u8,
    pub(crate) group_v4: Ipv4Addr,
    pub(crate) check_unicast_src: bool,
    pub(crate) skip_check_adv_addr: bool,
    pub(crate) lower_prio_no_advert: Option<bool>,
    pub(crate) higher_prio_send_advert: bool,
}

impl Default for Global {
    fn default() -> Self {
        Self {
            router_id: None,
            mail: Mail::default(),
            script_user: None,
            script_security: false,
            dynamic_interfaces: false,
            version: Version::V2,
            strict: false,
            garp: GarpDraft::EMPTY,
            down_timer_adverts: 3,
            group_v4: Transport::GROUP_V4,
            check_unicast_src: false,
            skip_check_adv_addr: false,
            lower_prio_no_advert: None,
            higher_prio_send_advert: false,
        }
    }
}

impl Global {
    /// Adds one block.
    pub(crate) fn read(&mut self, nodes: &[Node<'_>], report: &mut Report) {
        settings(nodes, Block::GlobalDefs, report, |setting, report| {
            if !self.garp.read(setting, report) {
                self.set(setting, report);
            }
        });
    }

    fn set(&mut self, setting: Setting<'_, '_>, report: &mut Report) {
        match setting.name() {
            "router_id" => set(&mut self.router_id, setting.text(report).map(|id| Some(id.value))),
            "notification_email" => self.mail.to.extend(recipients(setting.node)),
            "notification_email_from" => {
                set(&mut self.mail.from, setting.text(report).map(|from| Some(from.value)));
            }
            "smtp_server" => set(&mut self.mail.server, mail_server(setting, report).map(Some)),
            "smtp_connect_timeout" => set(&mut self.mail.connect_timeout, connect_timeout(setting, report)),
            "script_user" => set(&mut self.script_user, notify::user(setting, report).map(Some)),
            "enable_script_security" => self.script_security = setting.flag(report),
            "vrrp_version" => set(&mut self.version, version(setting, report)),
            "vrrp_strict" => set(&mut self.strict, setting.boolean(report)),
            "vrrp_min_garp" => set(&mut self.garp.minimal, setting.boolean(report)),
            "vrrp_down_timer_adverts" => {
                set(&mut self.down_timer_adverts, setting.number(report).map(|count| count.value));
            }
            "vrrp_mcast_group4" => set(&mut self.group_v4, group_v4(setting, report).map(|(group, _)| group)),
            "vrrp_check_unicast_src" => self.check_unicast_src = setting.flag(report),
            "vrrp_skip_check_adv_addr" => set(&mut self.skip_check_adv_addr, setting.boolean(report)),
            "vrrp_lower_prio_no_advert" => {
                set(&mut self.lower_prio_no_advert, setting.boolean(report).map(Some));
            }
            "vrrp_higher_prio_send_advert" => set(&mut self.higher_prio_send_advert, setting.boolean(report)),
            "dynamic_interfaces" => self.dynamic_interfaces = dynamic_interfaces(setting, report),
            _ => setting.lacks(report),
        }
    }

    /// What the whole daemon needs of it.
    pub(crate) fn resolve(self) -> model::Global {
        model::Global { router_id: self.router_id, script_security: self.script_security, mail: self.mail }
    }
}

fn set<T>(slot: &mut T, value: Option<T>) {
    if let Some(value) = value {
        *slot = value;
    }
}

/// Every word is a recipient.
fn recipients(node: &Node<'_>) -> impl Iterator<Item = String> {
    node.children().iter().flat_map(|line| &line.statement.words).map(|word| word.text.clone().into_owned())
}

fn mail_server(setting: Setting<'_, '_>, report: &mut Report) -> Option<(String, u16)> {
    setting.note_words_after(2, report);
    let host = setting.first(report)?;
    let Some(port) = setting.node.arguments().get(1) else {
        return Some((host.text.clone().into_owned(), 25));
    };
    match number::integer(&port.text).ok().and_then(|port| u16::try_from(port).ok()) {
        Some(number @ 1..) => Some((host.text.clone().into_owned(), number)),
        _ => {
            report.push(setting.out_of_range(port, "1 to 65535"));
            None
        }
    }
}

fn connect_timeout(setting: Setting<'_, '_>, report: &mut Report) -> Option<Duration> {
    let timeout = setting.whole_seconds(report)?;
    if !timeout.value.is_zero() {
        return Some(timeout.value);
    }
    let headline = format!("`{}` must be more than 0; 1 second is used", setting.name());
    report.push(Diagnostic::warning(Code::Adjusted, timeout.span, headline));
    Some(Duration::from_secs(1))
}

/// `version` and `vrrp_version`.
pub(crate) fn version(setting: Setting<'_, '_>, report: &mut Report) -> Option<Version> {
    setting.integer(report).map(|version| if version.value == 2 { Version::V2 } else { Version::V3 })
}

/// An IPv4 multicast address.
pub(crate) fn group_v4(setting: Setting<'_, '_>, report: &mut Report) -> Option<(Ipv4Addr, Span)> {
    let address = setting.address(report)?;
    let what = match address.value {
        IpAddr::V4(group) if group.is_multicast() => return Some((group, address.span)),
        IpAddr::V4(_) => "is not a multicast address",
        IpAddr::V6(_) => "is not an IPv4 address",
    };
    let headline = format!("`{}` {what}", address.value);
    report.push(
        Diagnostic::warning(Code::InvalidAddress, address.span, headline)
            .help("multicast is 224.0.0.0 to 239.255.255.255; the line has no effect"),
    );
    None
}

/// Interfaces may always come and go, so there is nothing to switch on but silence about those that are not there.
fn dynamic_interfaces(setting: Setting<'_, '_>, report: &mut Report) -> bool {
    setting.note_words_after(1, report);
    let option = setting.node.arguments().first().filter(|option| option.text != "allow_if_changes");
    if let Some(option) = option {
        let headline = format!("{} is no option of `dynamic_interfaces`", shown(&option.text));
        report.push(
            Diagnostic::warning(Code::InvalidChoice, option.span, headline)
                .help("only `allow_if_changes` is"),
        );
    }
    true
}
