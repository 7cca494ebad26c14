//! What a checker does with certificates.

use model::lvs::{Identity, ServerName, TlsOptions, Trust};

use crate::lower::{Report, Setting};
use crate::source::Span;

use super::text;

/// `verify_certificate` and the like, as they were written.
#[derive(Debug, Default)]
pub(super) struct TlsDraft {
    trust: Trust,
    expiry_warning_days: Option<u16>,
    certificate: Option<Box<str>>,
    key: Option<Box<str>>,
    /// The first line of these.
    pub(super) first: Option<Span>,
}

impl TlsDraft {
    /// Takes a line, if it is about this.
    pub(super) fn read(&mut self, setting: Setting<'_, '_>, report: &mut Report) -> bool {
        match setting.name() {
            "verify_certificate" => {
                setting.note_words_after(1, report);
                let file = setting.node.arguments().first();
                self.trust = file.map_or(Trust::Shared, |file| Trust::File(file.text.as_ref().into()));
            }
            "certificate_expiry_warning" => {
                let days = setting.number(report).map(|days| days.value);
                self.expiry_warning_days = days.or(self.expiry_warning_days);
            }
            "certificate" => set_file(&mut self.certificate, setting, report),
            "key" => set_file(&mut self.key, setting, report),
            _ => return false,
        }
        self.first.get_or_insert_with(|| setting.head_span());
        true
    }

    pub(super) fn resolve(self, server_name: Option<ServerName>) -> TlsOptions {
        // Either file may hold both.
        let certificate = self.certificate.clone().or_else(|| self.key.clone());
        let identity = certificate.zip(self.key.or(self.certificate));
        TlsOptions {
            server_name,
            trust: self.trust,
            expiry_warning_days: self.expiry_warning_days,
            identity: identity.map(|(certificate, key)| Box::new(Identity { certificate, key })),
        }
    }
}

fn set_file(slot: &mut Option<Box<str>>, setting: Setting<'_, '_>, report: &mut Report) {
    if let Some(word) = text::only(setting, report) {
        *slot = Some(word.text.as_ref().into());
    }
}
