//! `SMTP_CHECK`.

use model::lvs::{Check, Connection, SmtpCheck};

use crate::diagnostic::{Code, Diagnostic};
use crate::lower::{Report, Setting};

use super::text;

/// A mail checker, as it was written.
#[derive(Clone, Debug, Default)]
pub(super) struct SmtpDraft {
    helo: Option<Box<str>>,
}

impl SmtpDraft {
    pub(super) fn set(&mut self, setting: Setting<'_, '_>, report: &mut Report) {
        match setting.name() {
            "helo_name" => {
                let helo = text::only(setting, report).map(|word| word.text.as_ref().into());
                if helo.is_none() {
                    report.diagnostics.say_classic("SMTP_CHECK helo name missing".to_owned());
                }
                self.helo = helo.or_else(|| self.helo.take());
            }
            _ => setting.lacks(report),
        }
    }

    pub(super) fn resolve(self, connection: Connection) -> Check {
        let helo = self.helo.unwrap_or_else(|| "smtpchecker.keepalived.org".into());
        Check::Smtp(Box::new(SmtpCheck { connection, helo }))
    }
}

/// keepalived logs this and its test passes.
pub(super) fn note_host(host: Setting<'_, '_>, report: &mut Report) {
    host.note_words_after(0, report);
    let headline = "`host` blocks are an old way to write several checkers";
    report.push(
        Diagnostic::note(Code::Deprecated, host.head_span(), headline)
            .help("write one `SMTP_CHECK` for each; this one has the same effect"),
    );
}
