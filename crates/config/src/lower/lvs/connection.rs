//! How a checker reaches its server.

use std::net::IpAddr;
use std::num::NonZeroU16;
use std::time::Duration;

use model::lvs::{Connection, LocalEnd};

use crate::diagnostic::{Code, Diagnostic, shown_bare};
use crate::lower::setting::later_interface;
use crate::lower::{Report, Setting, Spanned};

use super::address::{self, Endpoint};

/// `connect_ip` and the like, as they were written.
#[derive(Clone, Debug, Default)]
pub(super) struct ConnectionDraft {
    address: Option<IpAddr>,
    port: Option<NonZeroU16>,
    mark: u32,
    local: Option<Box<LocalEnd>>,
}

impl ConnectionDraft {
    /// Takes a line, if it is about this.
    pub(super) fn read(&mut self, setting: Setting<'_, '_>, report: &mut Report) -> bool {
        match setting.name() {
            "connect_ip" => self.set_address(setting, report),
            "connect_port" => self.port = port(setting, report).or(self.port),
            "bindto" => self.set_source(setting, report),
            "bind_port" => {
                let port = port(setting, report);
                let local = self.local.get_or_insert_default();
                local.port = port.or(local.port);
            }
            "bind_if" => {
                let interface = setting.only(report).and_then(|word| later_interface(word, report));
                let interface = interface.map(|interface| interface.value);
                let local = self.local.get_or_insert_default();
                local.interface = interface.or_else(|| local.interface.take());
            }
            "fwmark" => self.mark = setting.number(report).map_or(self.mark, |mark| mark.value),
            _ => return false,
        }
        true
    }

    fn set_address(&mut self, setting: Setting<'_, '_>, report: &mut Report) {
        let Some(address) = one_address(setting, report) else { return };
        match self.local.as_ref().and_then(|local| local.address) {
            Some(source) if source.is_ipv4() != address.value.is_ipv4() => {
                report.push(other_family(address, "`bindto`"));
            }
            _ => self.address = Some(address.value),
        }
    }

    fn set_source(&mut self, setting: Setting<'_, '_>, report: &mut Report) {
        if let Some(source) = one_address(setting, report) {
            self.local.get_or_insert_default().address = Some(source.value);
        }
    }

    /// Whether a server at `server` can be reached like this. keepalived drops the checker if not.
    pub(super) fn check(&mut self, server: IpAddr, setting: Setting<'_, '_>, report: &mut Report) -> bool {
        let address = self.address.unwrap_or(server);
        if let Some(local) = self.local.as_mut()
            && let Some(source) = local.address
            && source.is_ipv4() != address.is_ipv4()
        {
            local.address = None;
            let sentence =
                format!("bindto address {source} does not match address family of connect_ip - skipping");
            let source = Spanned { value: source, span: setting.head_span() };
            report.push(other_family(source, "its server").classic(sentence));
        }
        let link_local = matches!(address, IpAddr::V6(address) if address.is_unicast_link_local());
        let has_interface = self.local.as_ref().is_some_and(|local| local.interface.is_some());
        if link_local && !has_interface {
            let headline = format!("`{address}` can be on any link; the checker is ignored");
            report.push(
                Diagnostic::warning(Code::IncompleteChecker, setting.head_span(), headline)
                    .help("add `bind_if IFNAME`"),
            );
        }
        has_interface || !link_local
    }

    /// What holds for a server at `server`.
    pub(super) fn resolve(self, server: Endpoint, timeout: Duration) -> Connection {
        Connection {
            address: self.address.unwrap_or(server.address),
            port: self.port.or(server.port),
            timeout,
            mark: self.mark,
            local: self.local.filter(|local| **local != LocalEnd::default()),
        }
    }
}

fn one_address(setting: Setting<'_, '_>, report: &mut Report) -> Option<Spanned<IpAddr>> {
    let word = setting.only(report)?;
    let address = address::address(word, report);
    if address.is_none() {
        let word = shown_bare(&word.text);
        let sentence = format!("Invalid {} address {word} - ignoring", setting.name());
        report.diagnostics.say_classic(sentence);
    }
    address.map(|value| Spanned { value, span: word.span })
}

/// A port, which must not be 0.
fn port(setting: Setting<'_, '_>, report: &mut Report) -> Option<NonZeroU16> {
    setting.number::<u16>(report).and_then(|port| NonZeroU16::new(port.value))
}

fn other_family(address: Spanned<IpAddr>, what: &str) -> Diagnostic {
    let headline = format!("`{}` is not of the address family of {what}; it is ignored", address.value);
    Diagnostic::warning(Code::FamilyMismatch, address.span, headline)
        .help("use two IPv4 or two IPv6 addresses")
}
