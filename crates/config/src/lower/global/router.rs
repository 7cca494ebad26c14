//! What all virtual routers share.

use std::num::NonZeroU32;
use std::time::Duration;

use model::{Buffer, DynamicInterfaces, NetlinkBuffers, ReceiveBuffers, RouterGlobals, StartDelay};

use super::set;
use crate::diagnostic::{Code, Diagnostic};
use crate::lower::{Global, Report, Setting};
use crate::number::{self, NumberError};
use crate::source::Span;

/// What is said about all virtual routers.
#[derive(Clone, Debug, Default)]
pub(super) struct RoutersDraft {
    start_delay: StartDelay,
    log_unknown_vrids: bool,
    no_local_igmp: bool,
    receive: Policy,
    netlink: NetlinkBuffers,
    process_events: Buffer,
}

/// `vrrp_rx_bufs_policy` and `vrrp_rx_bufs_multiplier`.
#[derive(Clone, Copy, Debug, Default)]
struct Policy {
    bytes: Option<(u32, Span)>,
    mtu: Option<Span>,
    advert: Option<Span>,
    multiplier: Option<(NonZeroU32, Span)>,
}

impl RoutersDraft {
    pub(super) fn read(&mut self, setting: Setting<'_, '_>, report: &mut Report) -> bool {
        match setting.name() {
            "vrrp_startup_delay" => set(&mut self.start_delay.after_start, seconds(setting, report)),
            "vrrp_delay_after_boot" => set(&mut self.start_delay.after_boot, seconds(setting, report)),
            "log_unknown_vrids" => self.log_unknown_vrids = setting.flag(report),
            "disable_local_igmp" => self.no_local_igmp = setting.flag(report),
            "vrrp_rx_bufs_policy" => self.receive.read(setting, report),
            "vrrp_rx_bufs_multiplier" => {
                set(&mut self.receive.multiplier, multiplier(setting, report).map(Some))
            }
            "vrrp_netlink_cmd_rcv_bufs" => set_size(&mut self.netlink.commands, setting, report),
            "vrrp_netlink_cmd_rcv_bufs_force" => set_force(&mut self.netlink.commands, setting, report),
            "vrrp_netlink_monitor_rcv_bufs" => set_size(&mut self.netlink.monitor, setting, report),
            "vrrp_netlink_monitor_rcv_bufs_force" => set_force(&mut self.netlink.monitor, setting, report),
            "process_monitor_rcv_bufs" => set_size(&mut self.process_events, setting, report),
            "process_monitor_rcv_bufs_force" => set_force(&mut self.process_events, setting, report),
            _ => return false,
        }
        true
    }

    pub(super) fn resolve(&self, global: &Global, report: &mut Report) -> RouterGlobals {
        let dynamic_interfaces = match (global.dynamic_interfaces, global.changes_allowed) {
            (false, _) => DynamicInterfaces::No,
            (true, false) => DynamicInterfaces::Yes,
            (true, true) => DynamicInterfaces::ChangesAllowed,
        };
        RouterGlobals {
            dynamic_interfaces,
            start_delay: self.start_delay,
            log_unknown_vrids: self.log_unknown_vrids,
            no_local_igmp: self.no_local_igmp,
            vmac_prefix: global.vmac_prefix().to_owned(),
            vmac_address_prefix: global.vmac_address_prefix().to_owned(),
            receive: self.receive.resolve(report),
            netlink: self.netlink,
            process_events: self.process_events,
        }
    }
}

/// More than one word makes the line void.
fn multiplier(setting: Setting<'_, '_>, report: &mut Report) -> Option<(NonZeroU32, Span)> {
    if !setting.is_alone(report) {
        return None;
    }
    let number = setting.number::<u32>(report)?;
    NonZeroU32::new(number.value).map(|multiplier| (multiplier, number.span))
}

fn seconds(setting: Setting<'_, '_>, report: &mut Report) -> Option<Option<Duration>> {
    setting.seconds(report).map(|delay| Some(delay.value))
}

/// The size of a buffer; 0 leaves it to the system.
pub(super) fn set_size(buffer: &mut Buffer, setting: Setting<'_, '_>, report: &mut Report) {
    set(&mut buffer.bytes, setting.number(report).map(|size| NonZeroU32::new(size.value)));
}

pub(super) fn set_force(buffer: &mut Buffer, setting: Setting<'_, '_>, report: &mut Report) {
    set(&mut buffer.force, setting.boolean(report));
}

impl Policy {
    /// Words may stand beside each other, a size stands alone.
    fn read(&mut self, setting: Setting<'_, '_>, report: &mut Report) {
        for (at, word) in setting.node.arguments().iter().enumerate() {
            if word.text.eq_ignore_ascii_case("MTU") {
                self.mtu = Some(word.span);
                continue;
            }
            if word.text.eq_ignore_ascii_case("ADVERT") {
                self.advert = Some(word.span);
                continue;
            }
            match number::integer(&word.text).map(u32::try_from) {
                Ok(Ok(bytes)) => {
                    self.bytes = Some((bytes, word.span));
                    setting.note_words_after(at + 1, report);
                }
                Ok(Err(_)) | Err(NumberError::TooLarge) => {
                    report.push(setting.out_of_range(word, "0 to 4294967295 bytes"));
                }
                Err(NumberError::Invalid) => {
                    let diagnostic = setting.invalid(Code::InvalidChoice, word, "is no policy and no size");
                    report.push(diagnostic.help("write `MTU`, `ADVERT` or a number of bytes; it is ignored"));
                }
            }
            return;
        }
    }

    /// A size beats a policy, and `MTU` beats `ADVERT`.
    fn resolve(&self, report: &mut Report) -> ReceiveBuffers {
        let multiplier = self.multiplier.map_or(ReceiveBuffers::MULTIPLIER, |(multiplier, _)| multiplier);
        let mut conflict = |loser: Span, winner: Span, what: &str, help: &str| {
            let headline = format!("{what} for the receive buffers");
            report.push(
                Diagnostic::warning(Code::BufferPolicy, loser, headline)
                    .label(winner, "this one counts")
                    .help(help),
            );
        };
        if let (Some(mtu), Some(advert)) = (self.mtu, self.advert) {
            conflict(advert, mtu, "two policies", "`ADVERT` has no effect beside `MTU`");
        }
        if let (Some((bytes, size)), policy) = (self.bytes, self.mtu.or(self.advert)) {
            if let Some(policy) = policy {
                conflict(policy, size, "a policy and a size", "the policy has no effect beside a size");
            }
            return ReceiveBuffers::Bytes(bytes);
        }
        match (self.mtu, self.advert) {
            (Some(_), _) => ReceiveBuffers::Mtu(multiplier),
            (None, Some(_)) => ReceiveBuffers::Advert(multiplier),
            (None, None) => {
                if let Some((_, span)) = self.multiplier {
                    let headline = "without a policy there is nothing to multiply";
                    report.push(
                        Diagnostic::note(Code::NoEffect, span, headline)
                            .help("add `vrrp_rx_bufs_policy MTU` or `ADVERT`; the line has no effect"),
                    );
                }
                ReceiveBuffers::System
            }
        }
    }
}
