//! How other programs ask the daemon: SNMP and D-Bus.

use std::time::Duration;

use model::{Dbus, Snmp, SnmpStatistics};

use super::set;
use crate::diagnostic::{Code, Diagnostic};
use crate::lower::{Report, Setting, Spanned, notify};

/// What is said about SNMP and D-Bus.
#[derive(Clone, Debug, Default)]
pub(super) struct AgentsDraft {
    snmp: Snmp,
    socket: Option<Spanned<String>>,
    virtual_servers: Option<Duration>,
    real_servers: Option<Duration>,
    dbus: bool,
    service: Option<String>,
    no_interface: Option<String>,
}

impl AgentsDraft {
    pub(super) fn read(&mut self, setting: Setting<'_, '_>, report: &mut Report) -> bool {
        match setting.name() {
            "snmp_socket" => self.read_socket(setting, report),
            "enable_traps" => self.snmp.traps = setting.flag(report),
            "enable_snmp_vrrp" | "enable_snmp_keepalived" => self.snmp.vrrp = setting.flag(report),
            "enable_snmp_checker" => self.snmp.checker = setting.flag(report),
            "enable_snmp_rfc" => {
                let flag = setting.flag(report);
                self.snmp.rfc_v2 = flag;
                self.snmp.rfc_v3 = flag;
            }
            "enable_snmp_rfcv2" => self.snmp.rfc_v2 = setting.flag(report),
            "enable_snmp_rfcv3" => self.snmp.rfc_v3 = setting.flag(report),
            "snmp_vs_stats_update_interval" => set(&mut self.virtual_servers, seconds(setting, report)),
            "snmp_rs_stats_update_interval" => set(&mut self.real_servers, seconds(setting, report)),
            "enable_dbus" => self.dbus = setting.flag(report),
            "dbus_service_name" => set(&mut self.service, name(setting, report)),
            "dbus_no_interface_name" => set(&mut self.no_interface, name(setting, report)),
            _ => return false,
        }
        true
    }

    /// More than one word makes the line void.
    fn read_socket(&mut self, setting: Setting<'_, '_>, report: &mut Report) {
        if let [_, extra, ..] = setting.node.arguments() {
            let headline = "`snmp_socket` takes one word";
            report.push(
                Diagnostic::warning(Code::ExtraWords, extra.span, headline)
                    .help("put the name of the socket in double quotes; the line has no effect"),
            );
            return;
        }
        let Some(socket) = setting.text(report) else { return };
        match &self.socket {
            Some(first) => report.push(notify::repeated(setting, socket.span, first.span)),
            None => self.socket = Some(socket),
        }
    }

    pub(super) fn snmp(&self) -> Snmp {
        let common = SnmpStatistics::default();
        let virtual_servers = self.virtual_servers.unwrap_or(common.virtual_servers);
        let socket = self.socket.as_ref().filter(|socket| !socket.value.is_empty());
        Snmp {
            socket: socket.map_or_else(|| Snmp::SOCKET.to_owned(), |socket| socket.value.clone()),
            statistics: SnmpStatistics {
                virtual_servers,
                real_servers: self.real_servers.unwrap_or(virtual_servers),
            },
            ..self.snmp.clone()
        }
    }

    pub(super) fn dbus(&self) -> Option<Dbus> {
        let or = |name: &Option<String>, default: &str| name.clone().unwrap_or_else(|| default.to_owned());
        self.dbus.then(|| Dbus {
            service: or(&self.service, Dbus::SERVICE),
            no_interface: or(&self.no_interface, Dbus::NO_INTERFACE),
        })
    }
}

fn seconds(setting: Setting<'_, '_>, report: &mut Report) -> Option<Option<Duration>> {
    setting.seconds(report).map(|interval| Some(interval.value))
}

fn name(setting: Setting<'_, '_>, report: &mut Report) -> Option<Option<String>> {
    setting.text(report).map(|name| Some(name.value).filter(|name| !name.is_empty()))
}
