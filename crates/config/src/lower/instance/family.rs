//! The family of an instance: that of the first address that its block names.

use std::net::IpAddr;

use model::Family;

use crate::diagnostic::{Code, Diagnostic};
use crate::lower::instance::Instance;
use crate::lower::{Report, Setting, Spanned};

impl Instance {
    /// The family so far: IPv4 until something says otherwise.
    pub(crate) fn family(&self) -> Family {
        self.family.map_or(Family::V4, |family| family.value)
    }

    /// Whether `address` is of the instance's family, which it settles if it is the first.
    pub(super) fn takes(&mut self, address: Spanned<IpAddr>, what: &str, report: &mut Report) -> bool {
        let family = Spanned { value: Family::from(address.value), span: address.span };
        let Some(settled) = self.family else {
            self.family = Some(family);
            return true;
        };
        if settled.value == family.value {
            return true;
        }
        let headline = format!(
            "`{}` is {}, this instance is {}",
            address.value,
            name(family.value),
            name(settled.value)
        );
        let mut diagnostic = Diagnostic::warning(Code::Family, address.span, headline);
        if settled.span != address.span {
            diagnostic = diagnostic.label(settled.span, "this settles the family");
        }
        let (instance, address) = (&self.name.value, address.value);
        let both = |what: &str| {
            format!(
                "Configuration error: VRRP instance[{instance}] and {what} address[{address}] MUST be of the same \
                 family !!! Skipping..."
            )
        };
        diagnostic.classic = match what {
            "address" => {
                Some(format!("({instance}): address family must match VRRP instance [{address}] - ignoring"))
            }
            "peer" => Some(both("unicast peer")),
            "source" => Some(both("src")),
            _ => None,
        };
        report.push(
            diagnostic.help(format!("the {what} is ignored; each family needs an instance of its own")),
        );
        false
    }

    /// `native_ipv6`.
    pub(super) fn set_native_ipv6(&mut self, setting: Setting<'_, '_>, report: &mut Report) {
        setting.flag(report);
        let family = Spanned { value: Family::V6, span: setting.span() };
        match self.family {
            None => self.family = Some(family),
            Some(settled) if settled.value == Family::V4 => {
                let headline = "`native_ipv6` has no effect on an instance that is IPv4 already";
                report.push(
                    Diagnostic::warning(Code::Family, family.span, headline)
                        .label(settled.span, "this settles the family")
                        .help("take the line out; IPv6 addresses make an instance IPv6"),
                );
            }
            Some(_) => {}
        }
    }
}

const fn name(family: Family) -> &'static str {
    match family {
        Family::V4 => "IPv4",
        Family::V6 => "IPv6",
    }
}
