//! What a master holds, and how it treats what comes for it.

use model::{Family, IfName};

use crate::diagnostic::{Code, Diagnostic, Severity};
use crate::lower::address::AddressDraft;
use crate::lower::garp::{self, Extra};
use crate::lower::instance::{Instance, set};
use crate::lower::{Report, Setting, Spanned};
use crate::source::Span;

/// What a master does with what it holds. `None` is "not said".
#[derive(Clone, Debug)]
pub(crate) struct Holding {
    /// `no_virtual_ipaddress`.
    pub(crate) needs_no_address: Option<Span>,
    /// `accept`, `no_accept`.
    pub(crate) accept: Option<Spanned<bool>>,
    pub(crate) promote_secondaries: Option<Span>,
    /// `linkbeat_use_polling`.
    pub(crate) poll_link: bool,
    pub(crate) lvs_sync_interface: Option<IfName>,
    pub(crate) extra_garp: Option<Extra>,
}

impl Holding {
    /// Nothing said.
    pub(crate) const EMPTY: Self = Self {
        needs_no_address: None,
        accept: None,
        promote_secondaries: None,
        poll_link: false,
        lvs_sync_interface: None,
        extra_garp: None,
    };

    /// Takes a line, if it is about this.
    pub(super) fn read(&mut self, setting: Setting<'_, '_>, report: &mut Report) -> bool {
        match setting.name() {
            "no_virtual_ipaddress" => {
                setting.flag(report);
                self.needs_no_address = Some(setting.span());
            }
            "accept" | "no_accept" => {
                setting.flag(report);
                self.accept = Some(Spanned { value: setting.name() == "accept", span: setting.span() });
            }
            "promote_secondaries" => {
                setting.flag(report);
                self.promote_secondaries = Some(setting.span());
            }
            "linkbeat_use_polling" => {
                deprecated(setting, "list the interface in `linkbeat_interfaces`", report);
                self.poll_link = setting.flag(report);
            }
            "lvs_sync_daemon_interface" => {
                deprecated(setting, "write `lvs_sync_daemon IFNAME INSTANCE` in `global_defs`", report);
                let interface = setting.interface(report).map(|interface| interface.value);
                set(&mut self.lvs_sync_interface, interface);
            }
            "garp_extra_if" | "vmac_garp_intvl" => {
                setting.remark_on_alias(Severity::Warning, report);
                set(&mut self.extra_garp, garp::extra(setting, report));
            }
            // Accepted for old files; keepalived does nothing with it either.
            "debug" => drop(setting.integer(report)),
            _ => return false,
        }
        true
    }
}

fn deprecated(setting: Setting<'_, '_>, instead: &str, report: &mut Report) {
    let headline = format!("`{}` is an old way to say it", setting.name());
    report.push(Diagnostic::warning(Code::Deprecated, setting.head_span(), headline).help(instead));
}

impl Instance {
    /// `virtual_ipaddress`: the first address settles the family, if nothing has before.
    pub(super) fn add_addresses(&mut self, setting: Setting<'_, '_>, report: &mut Report) {
        for draft in AddressDraft::read_all(setting, report) {
            let address = Spanned { value: draft.prefix.address(), span: draft.span };
            if self.takes(address, "address", report) {
                self.addresses.push(draft);
            }
        }
    }

    /// `virtual_ipaddress_excluded` may have addresses of both families.
    pub(super) fn add_excluded(&mut self, setting: Setting<'_, '_>, report: &mut Report) {
        self.excluded.extend(AddressDraft::read_all(setting, report));
    }

    /// How many addresses an advertisement has room for: its counter's most, or what fits the Ethernet MTU.
    pub(crate) fn most_addresses(&self) -> usize {
        match self.family() {
            Family::V4 => 255,
            Family::V6 => 89,
        }
    }
}
