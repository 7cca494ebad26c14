//! `global_defs`.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::num::NonZeroU16;
use std::time::Duration;

use model::IfName;
use model::vrrp::{RunAs, Transport, Version};
use model::{Host, Mail, MailServer, RouterGlobals};

use crate::diagnostic::{Code, Diagnostic, shown};
use crate::keyword::Block;
use crate::lower::garp::{self, GarpDraft};
use crate::lower::{Report, Setting, Spanned, notify, settings};
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
    /// `vrrp_mcast_group6`.
    pub(crate) group_v6: Ipv6Addr,
    /// `vrrp_owner_ignore_adverts`.
    pub(crate) owner_ignore_adverts: bool,
    /// `v3_checksum_as_v2`.
    pub(crate) v3_checksum_as_v2: bool,
    /// `vrrp_notify_priority_changes`.
    pub(crate) notify_priority_changes: bool,
    /// `vrrp_garp_extra_if`.
    pub(crate) extra_garp: Option<garp::Extra>,
    /// `vmac_prefix`.
    pub(crate) vmac_prefix: Option<Spanned<String>>,
    /// `vmac_addr_prefix`.
    pub(crate) vmac_address_prefix: Option<Spanned<String>>,
    /// `default_interface`: where static addresses without `dev` go.
    pub(crate) default_interface: Option<Spanned<IfName>>,
    smtp_alert: Option<bool>,
    smtp_alert_vrrp: Option<bool>,
    smtp_alert_checker: Option<bool>,
    /// `checker_log_all_failures`.
    pub(crate) log_all_failures: bool,
    pub(crate) check_unicast_src: bool,
    pub(crate) skip_check_adv_addr: bool,
    pub(crate) lower_prio_no_advert: Option<bool>,
    pub(crate) higher_prio_send_advert: bool,
}

/// VRRP's own IPv6 group (RFC 9568 §5.1.2.2).
const GROUP_V6: Ipv6Addr = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 0x12);

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
            group_v6: GROUP_V6,
            owner_ignore_adverts: false,
            v3_checksum_as_v2: false,
            notify_priority_changes: false,
            extra_garp: None,
            vmac_prefix: None,
            vmac_address_prefix: None,
            default_interface: None,
            smtp_alert: None,
            smtp_alert_vrrp: None,
            smtp_alert_checker: None,
            log_all_failures: false,
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
            "vrrp_owner_ignore_adverts" => set(&mut self.owner_ignore_adverts, setting.boolean(report)),
            "v3_checksum_as_v2" => set(&mut self.v3_checksum_as_v2, setting.boolean(report)),
            "vrrp_notify_priority_changes" => {
                set(&mut self.notify_priority_changes, setting.boolean(report));
            }
            "smtp_alert" => set(&mut self.smtp_alert, setting.boolean(report).map(Some)),
            "smtp_alert_vrrp" => set(&mut self.smtp_alert_vrrp, setting.boolean(report).map(Some)),
            "smtp_alert_checker" => set(&mut self.smtp_alert_checker, setting.boolean(report).map(Some)),
            "checker_log_all_failures" => set(&mut self.log_all_failures, setting.boolean(report)),
            "vrrp_garp_extra_if" | "vrrp_vmac_garp_intvl" => {
                set(&mut self.extra_garp, garp::extra(setting, report).map(Some));
            }
            "dynamic_interfaces" => self.dynamic_interfaces = dynamic_interfaces(setting, report),
            _ => setting.lacks(report),
        }
    }

    /// Whether instances and sync groups mail unless they say themselves (`smtp_alert_vrrp`, `smtp_alert`).
    pub(crate) fn mails_of_routers(&self) -> bool {
        self.smtp_alert_vrrp.or(self.smtp_alert).unwrap_or(false)
    }

    /// Whether virtual and real servers mail unless they say themselves (`smtp_alert_checker`, `smtp_alert`). `None` is
    /// each kind's own default: real servers do, virtual servers do not.
    pub(crate) fn mails_of_servers(&self) -> Option<bool> {
        self.smtp_alert_checker.or(self.smtp_alert)
    }

    /// What the names of VMAC interfaces begin with.
    pub(crate) fn vmac_prefix(&self) -> &str {
        self.vmac_prefix.as_ref().map_or(RouterGlobals::VMAC_PREFIX, |prefix| &prefix.value)
    }

    /// What the names of VMAC interfaces of single addresses begin with.
    pub(crate) fn vmac_address_prefix(&self) -> &str {
        self.vmac_address_prefix.as_ref().map_or_else(|| self.vmac_prefix(), |prefix| &prefix.value)
    }

    /// What the whole daemon needs of it.
    pub(crate) fn resolve(self) -> model::Global {
        model::Global {
            router_id: self.router_id,
            script_security: self.script_security,
            mail: self.mail,
            ..model::Global::default()
        }
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

fn mail_server(setting: Setting<'_, '_>, report: &mut Report) -> Option<MailServer> {
    setting.note_words_after(2, report);
    let host = setting.first(report)?;
    let Some(port) = setting.node.arguments().get(1) else {
        return Some(MailServer { host: host_named(&host.text), port: MailServer::PORT });
    };
    let number = number::integer(&port.text).ok().and_then(|port| u16::try_from(port).ok());
    match number.and_then(NonZeroU16::new) {
        Some(port) => Some(MailServer { host: host_named(&host.text), port }),
        None => {
            report.push(setting.out_of_range(port, "1 to 65535"));
            None
        }
    }
}

fn host_named(text: &str) -> Host {
    text.parse().map_or_else(|_| Host::Name(text.to_owned()), Host::Address)
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
