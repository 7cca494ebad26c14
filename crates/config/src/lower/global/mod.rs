//! `global_defs`.
//!
//! What instances and servers fall back on stands in [`Global`] itself, for their own lowering to read. All else stands in
//! one draft for each topic.

mod agent;
mod fifo;
mod files;
mod filter;
mod ipvs;
mod lifecycle;
mod mail;
mod path;
mod reload;
mod router;
mod sync_daemon;
mod umask;
mod worker;

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use model::vrrp::{ExtraGarp, Instance, RunAs, Transport, Version};
use model::{Family, IfName, RouterGlobals};

use crate::diagnostic::{Code, Diagnostic, Severity, shown};
use crate::keyword::Block;
use crate::lower::garp::{self, GarpDraft};
use crate::lower::{Report, Setting, Spanned, notify, settings};
use crate::source::Span;
use crate::tree::Node;

/// All `global_defs` blocks of a file together.
#[derive(Clone, Debug)]
pub(crate) struct Global {
    router_id: Option<String>,
    pub(crate) script_user: Option<RunAs>,
    pub(crate) script_security: bool,
    supplementary_groups: bool,
    script_links: bool,
    pub(crate) dynamic_interfaces: bool,
    /// `dynamic_interfaces allow_if_changes`.
    changes_allowed: bool,
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
    topics: Topics,
}

/// What only the daemon itself needs.
#[derive(Clone, Debug, Default)]
struct Topics {
    mail: mail::MailDraft,
    lifecycle: lifecycle::LifecycleDraft,
    fifos: fifo::FifosDraft,
    workers: worker::WorkersDraft,
    routers: router::RoutersDraft,
    ipvs: ipvs::IpvsDraft,
    filter: filter::FilterDraft,
    agents: agent::AgentsDraft,
    reload: reload::ReloadDraft,
    files: files::FilesDraft,
}

/// VRRP's own IPv6 group (RFC 9568 §5.1.2.2).
const GROUP_V6: Ipv6Addr = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 0x12);

impl Default for Global {
    fn default() -> Self {
        Self {
            router_id: None,
            script_user: None,
            script_security: false,
            supplementary_groups: false,
            script_links: false,
            dynamic_interfaces: false,
            changes_allowed: false,
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
            topics: Topics::default(),
        }
    }
}

/// Keywords that keepalived skips with a message where others without a value make it stop.
const SPARED: &[&str] = &[
    "router_id",
    "notification_email_from",
    "startup_script",
    "startup_script_timeout",
    "shutdown_script",
    "shutdown_script_timeout",
    "min_auto_priority_delay",
    "default_interface",
    "lvs_timeouts",
    "lvs_sync_daemon",
    "vrrp_garp_extra_if",
    "vrrp_vmac_garp_intvl",
    "vrrp_priority",
    "vrrp_rt_priority",
    "vrrp_cpu_affinity",
    "checker_priority",
    "checker_rt_priority",
    "checker_cpu_affinity",
    "bfd_priority",
    "bfd_rt_priority",
    "bfd_cpu_affinity",
    "snmp_socket",
    "dbus_service_name",
    "script_user",
    "notify_fifo",
    "notify_fifo_script",
    "vrrp_notify_fifo",
    "vrrp_notify_fifo_script",
    "lvs_notify_fifo",
    "lvs_notify_fifo_script",
    "vrrp_netlink_cmd_rcv_bufs",
    "vrrp_netlink_monitor_rcv_bufs",
    "lvs_netlink_cmd_rcv_bufs",
    "lvs_netlink_monitor_rcv_bufs",
    "process_monitor_rcv_bufs",
    "vrrp_rx_bufs_policy",
    "vrrp_rx_bufs_multiplier",
    "reload_time_file",
    "tmp_config_directory",
];

impl Global {
    /// Adds one block.
    pub(crate) fn read(&mut self, nodes: &[Node<'_>], report: &mut Report) {
        settings(nodes, Block::GlobalDefs, report, |setting, report| {
            // keepalived reports this one alone of all old names.
            let is_reported = setting.name() == "vrrp_vmac_garp_intvl";
            setting.remark_on_alias(if is_reported { Severity::Warning } else { Severity::Note }, report);
            if SPARED.contains(&setting.name()) && !setting.has_value(report) {
                return;
            }
            let taken = self.garp.read(setting, report)
                || self.set_router(setting, report)
                || self.set_other(setting, report)
                || self.topics.read(setting, report);
            if !taken {
                setting.lacks(report);
            }
        });
    }

    /// What instances fall back on.
    fn set_router(&mut self, setting: Setting<'_, '_>, report: &mut Report) -> bool {
        match setting.name() {
            "vrrp_version" => set(&mut self.version, version(setting, report)),
            "vrrp_strict" => set(&mut self.strict, setting.quiet_boolean(report)),
            "vrrp_min_garp" => set(&mut self.garp.minimal, setting.boolean(report)),
            "vrrp_garp_extra_if" | "vrrp_vmac_garp_intvl" => {
                set(&mut self.extra_garp, garp::extra(setting, report).map(Some));
            }
            "vrrp_down_timer_adverts" => {
                set(&mut self.down_timer_adverts, setting.number(report).map(|count| count.value));
            }
            "vrrp_mcast_group4" => set(&mut self.group_v4, group_v4(setting, report).map(|(group, _)| group)),
            "vrrp_mcast_group6" => set(&mut self.group_v6, group_v6(setting, report).map(|(group, _)| group)),
            "vrrp_check_unicast_src" => self.check_unicast_src = setting.flag(report),
            "vrrp_skip_check_adv_addr" => set(&mut self.skip_check_adv_addr, setting.quiet_boolean(report)),
            "vrrp_owner_ignore_adverts" => set(&mut self.owner_ignore_adverts, setting.boolean(report)),
            "v3_checksum_as_v2" => set(&mut self.v3_checksum_as_v2, setting.boolean(report)),
            "vrrp_notify_priority_changes" => {
                set(&mut self.notify_priority_changes, setting.boolean(report));
            }
            "vrrp_lower_prio_no_advert" => {
                set(&mut self.lower_prio_no_advert, setting.boolean(report).map(Some));
            }
            "vrrp_higher_prio_send_advert" => set(&mut self.higher_prio_send_advert, setting.boolean(report)),
            "vmac_prefix" => once(&mut self.vmac_prefix, setting, report),
            "vmac_addr_prefix" => once(&mut self.vmac_address_prefix, setting, report),
            _ => return false,
        }
        true
    }

    /// What everything else falls back on.
    fn set_other(&mut self, setting: Setting<'_, '_>, report: &mut Report) -> bool {
        match setting.name() {
            "router_id" => set(&mut self.router_id, setting.text(report).map(|id| Some(id.value))),
            "script_user" => set(&mut self.script_user, notify::user(setting, report).map(Some)),
            "enable_script_security" => self.script_security = setting.flag(report),
            "set_supplementary_groups" => set(&mut self.supplementary_groups, setting.boolean(report)),
            "use_symlink_paths" => set(&mut self.script_links, setting.boolean(report)),
            "smtp_alert" => set(&mut self.smtp_alert, setting.boolean(report).map(Some)),
            "smtp_alert_vrrp" => set(&mut self.smtp_alert_vrrp, setting.boolean(report).map(Some)),
            "smtp_alert_checker" => set(&mut self.smtp_alert_checker, setting.boolean(report).map(Some)),
            "checker_log_all_failures" => set(&mut self.log_all_failures, setting.boolean(report)),
            "default_interface" => {
                set(&mut self.default_interface, default_interface(setting, report).map(Some));
            }
            "dynamic_interfaces" => {
                self.dynamic_interfaces = true;
                self.changes_allowed |= changes_allowed(setting, report);
            }
            _ => return false,
        }
        true
    }

    /// Where instances without peers advertise (`vrrp_mcast_group4`, `vrrp_mcast_group6`).
    pub(crate) const fn group(&self, family: Family) -> IpAddr {
        match family {
            Family::V4 => IpAddr::V4(self.group_v4),
            Family::V6 => IpAddr::V6(self.group_v6),
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

    fn defaults(&self) -> model::Defaults {
        model::Defaults {
            version: self.version,
            strict: self.strict,
            garp: GarpDraft::EMPTY.resolve(&self.garp, false),
            extra_garp: self.extra_garp.map(|extra| ExtraGarp { interval: extra.interval, all: extra.all }),
            down_timer_adverts: self.down_timer_adverts,
            group_v4: self.group_v4,
            group_v6: self.group_v6,
            lower_prio_no_advert: self.lower_prio_no_advert.unwrap_or(false),
            higher_prio_send_advert: self.higher_prio_send_advert,
            check_unicast_src: self.check_unicast_src,
            skip_check_adv_addr: self.skip_check_adv_addr,
            notify_priority_changes: self.notify_priority_changes,
            smtp_alert: self.smtp_alert,
            smtp_alert_vrrp: self.smtp_alert_vrrp,
            smtp_alert_checker: self.smtp_alert_checker,
            log_all_failures: self.log_all_failures,
            interface: self.default_interface.as_ref().map(|name| name.value.clone()),
        }
    }

    /// What the whole daemon needs of it. The IPVS synchronisation may follow one of `instances`.
    pub(crate) fn resolve(self, instances: &[Instance], report: &mut Report) -> model::Global {
        let topics = &self.topics;
        model::Global {
            defaults: self.defaults(),
            script_security: self.script_security,
            script_user: self.script_user.clone().unwrap_or(RunAs::Default),
            supplementary_groups: self.supplementary_groups,
            script_links: self.script_links,
            startup: topics.lifecycle.startup.resolve(&self),
            shutdown: topics.lifecycle.shutdown.resolve(&self),
            fifos: topics.fifos.resolve(&self, report),
            mail: topics.mail.resolve(),
            workers: topics.workers.resolve(),
            routers: topics.routers.resolve(&self, report),
            checkers: topics.ipvs.checkers.clone(),
            ipvs: topics.ipvs.resolve(instances, report),
            filter: topics.filter.resolve(report),
            snmp: topics.agents.snmp(),
            dbus: topics.agents.dbus(),
            reload: topics.reload.resolve(report),
            files: topics.files.resolve(),
            router_id: self.router_id,
        }
    }
}

impl Topics {
    fn read(&mut self, setting: Setting<'_, '_>, report: &mut Report) -> bool {
        self.mail.read(setting, report)
            || self.lifecycle.read(setting, report)
            || self.fifos.read(setting, report)
            || self.workers.read(setting, report)
            || self.routers.read(setting, report)
            || self.ipvs.read(setting, report)
            || self.filter.read(setting, report)
            || self.agents.read(setting, report)
            || self.reload.read(setting, report)
            || self.files.read(setting, report)
    }
}

fn set<T>(slot: &mut T, value: Option<T>) {
    if let Some(value) = value {
        *slot = value;
    }
}

/// The one word of a keyword whose first value stays in force.
fn once(slot: &mut Option<Spanned<String>>, setting: Setting<'_, '_>, report: &mut Report) {
    let Some(text) = setting.text(report) else { return };
    match slot {
        Some(first) => report.push(notify::repeated(setting, text.span, first.span)),
        None => *slot = Some(text),
    }
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
            .help("multicast is 224.0.0.0 to 239.255.255.255; the line has no effect")
            .classic(format!("{} [{}] is not multicast. Skipping", setting.name(), address.value)),
    );
    None
}

/// An IPv6 multicast address, which should not leave the link.
pub(crate) fn group_v6(setting: Setting<'_, '_>, report: &mut Report) -> Option<(Ipv6Addr, Span)> {
    let address = setting.address(report)?;
    let what = match address.value {
        IpAddr::V6(group) if group.is_multicast() => {
            if group.octets().get(1).is_some_and(|scope| scope & 0xf != 2) {
                let headline = format!("`{group}` is not a multicast address of the link");
                report.push(
                    Diagnostic::warning(Code::InvalidAddress, address.span, headline)
                        .help("it is used all the same; addresses of the link begin with ff02"),
                );
            }
            return Some((group, address.span));
        }
        IpAddr::V6(_) => "is not a multicast address",
        IpAddr::V4(_) => "is not an IPv6 address",
    };
    let headline = format!("`{}` {what}", address.value);
    report.push(
        Diagnostic::warning(Code::InvalidAddress, address.span, headline)
            .help("multicast of the link begins with ff02; the line has no effect")
            .classic(format!("{} [{}] is not multicast. Skipping", setting.name(), address.value)),
    );
    None
}

/// Nobody needs this interface before a static address does, so it is not one that the file names.
fn default_interface(setting: Setting<'_, '_>, report: &mut Report) -> Option<Spanned<IfName>> {
    let word = setting.only(report)?;
    match word.text.parse() {
        Ok(value) => Some(Spanned { value, span: word.span }),
        Err(error) => {
            let headline = format!("{} cannot be an interface: {error}", shown(&word.text));
            report.push(
                Diagnostic::note(Code::InvalidInterface, word.span, headline).help("the line has no effect"),
            );
            None
        }
    }
}

/// Interfaces may always come and go, so there is nothing to switch on but silence about those that are not there.
fn changes_allowed(setting: Setting<'_, '_>, report: &mut Report) -> bool {
    setting.note_words_after(1, report);
    let Some(option) = setting.node.arguments().first() else { return false };
    if option.text == "allow_if_changes" {
        return true;
    }
    let headline = format!("{} is no option of `dynamic_interfaces`", shown(&option.text));
    report.push(
        Diagnostic::warning(Code::InvalidChoice, option.span, headline)
            .help("only `allow_if_changes` is; the option is ignored"),
    );
    false
}
