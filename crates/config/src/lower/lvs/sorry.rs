//! `sorry_server` and what may follow it.

use model::Family;
use model::lvs::{Forwarding, SorryServer};

use crate::diagnostic::{Code, Diagnostic};
use crate::lower::{Report, Setting};
use crate::source::Span;

use super::address::{self, Endpoint};
use super::forwarding;

/// `sorry_server`, as it was written.
#[derive(Debug)]
pub(super) struct SorryDraft {
    pub(super) span: Span,
    pub(super) endpoint: Endpoint,
    pub(super) forwarding: Option<Forwarding>,
    /// The method that the virtual server had said before this line, which is all that keepalived judges it by.
    above: Option<Forwarding>,
    inhibit: bool,
}

impl SorryDraft {
    pub(super) fn read(
        setting: Setting<'_, '_>,
        above: Option<Forwarding>,
        report: &mut Report,
    ) -> Option<Self> {
        let endpoint = Endpoint::read(setting, report)?;
        Some(Self { span: setting.span(), endpoint, forwarding: None, above, inhibit: false })
    }

    /// Whether it can serve clients of `family`.
    pub(super) fn fits(&self, family: Option<Family>, report: &mut Report) -> bool {
        let crosses = matches!(self.forwarding.or(self.above), Some(Forwarding::Tunnel(_)));
        let fits = crosses || family.is_none_or(|family| family == Family::from(self.endpoint.address));
        if !fits {
            report.push(address::wrong_family(self.span, "sorry server", self.endpoint.address));
        }
        fits
    }

    /// Takes a line that may follow `sorry_server`, if it is one.
    pub(super) fn read_option(
        sorry: &mut Option<Self>,
        setting: Setting<'_, '_>,
        report: &mut Report,
    ) -> bool {
        if !matches!(setting.name(), "sorry_server_inhibit" | "sorry_server_lvs_method") {
            return false;
        }
        let Some(sorry) = sorry else {
            let headline = format!("`{}` must follow `sorry_server`", setting.name());
            report.push(
                Diagnostic::warning(Code::SorryServer, setting.head_span(), headline)
                    .help("move it below; here it has no effect"),
            );
            return true;
        };
        if setting.name() == "sorry_server_inhibit" {
            sorry.inhibit = setting.flag(report);
        } else {
            sorry.forwarding = forwarding::read(setting, report).or(sorry.forwarding);
        }
        true
    }

    pub(super) fn resolve(self, method: Forwarding) -> Box<SorryServer> {
        Box::new(SorryServer {
            address: self.endpoint.address,
            port: self.endpoint.port,
            forwarding: self.forwarding.unwrap_or(method),
            inhibit: self.inhibit,
        })
    }
}
