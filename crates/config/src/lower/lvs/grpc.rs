//! `GRPC_CHECK`.

use std::sync::Arc;

use model::lvs::{Check, Connection, GrpcCheck, ServerName};

use crate::diagnostic::{Code, Diagnostic};
use crate::lower::{Report, Setting};

use super::text;
use super::tls::TlsDraft;

/// A check of a gRPC server, as it was written.
#[derive(Debug, Default)]
pub(super) struct GrpcDraft {
    service: Option<Box<str>>,
    virtualhost: Option<Arc<str>>,
    is_tls: bool,
    tls: TlsDraft,
}

impl GrpcDraft {
    pub(super) fn set(&mut self, setting: Setting<'_, '_>, report: &mut Report) {
        match setting.name() {
            "service" => {
                let service = text::only(setting, report).map(|word| word.text.as_ref().into());
                self.service = service.or_else(|| self.service.take());
            }
            "virtualhost" => {
                let host = text::only(setting, report).map(|word| word.text.as_ref().into());
                self.virtualhost = host.or_else(|| self.virtualhost.take());
            }
            "tls" => self.is_tls = setting.flag(report),
            _ if self.tls.read(setting, report) => {}
            _ => setting.lacks(report),
        }
    }

    /// It always has all it needs.
    pub(super) fn check(&self, report: &mut Report) -> bool {
        if let Some(span) = self.tls.first.filter(|_| !self.is_tls) {
            let headline = "certificates are for TLS; here this has no effect";
            report.push(Diagnostic::warning(Code::IdleOption, span, headline).help("add `tls`"));
        }
        true
    }

    pub(super) fn resolve(self, connection: Connection, virtualhost: Option<&Arc<str>>) -> Check {
        let host = self.virtualhost.or_else(|| virtualhost.cloned());
        let server_name = host.is_some().then_some(ServerName::Host);
        let tls = self.is_tls.then(|| self.tls.resolve(server_name));
        let service = self.service.unwrap_or_default();
        Check::Grpc(Box::new(GrpcCheck { connection, tls, service, host }))
    }
}
