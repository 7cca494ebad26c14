//! `SSL`.

use model::Secret;
use model::lvs::Tls;

use crate::diagnostic::{Code, Diagnostic, shown};
use crate::keyword::Block;
use crate::lower::{Report, Setting, settings};
use crate::source::Span;

use super::text;

/// `SSL`, as it was written.
#[derive(Debug)]
pub(super) struct Ssl {
    span: Span,
    tls: Tls,
}

impl Ssl {
    /// Reads a block, which replaces an earlier one.
    pub(super) fn read(setting: Setting<'_, '_>, earlier: Option<Self>, report: &mut Report) -> Self {
        setting.note_words_after(0, report);
        if let Some(earlier) = earlier {
            let headline = "a second `SSL` block replaces the first";
            report.push(
                Diagnostic::warning(Code::Repeated, setting.head_span(), headline)
                    .label(earlier.span, "this has no effect")
                    .help("write all into one block"),
            );
        }
        let mut ssl = Self { span: setting.head_span(), tls: Tls::default() };
        settings(setting.node.children(), Block::Ssl, report, |setting, report| ssl.set(setting, report));
        ssl
    }

    fn set(&mut self, setting: Setting<'_, '_>, report: &mut Report) {
        let Some(word) = text::only(setting, report) else { return };
        let value: Box<str> = word.text.as_ref().into();
        let repeated = match setting.name() {
            "password" => self.tls.password.replace(Secret::new(value)).is_some(),
            "ca" => self.tls.ca.replace(value).is_some(),
            "certificate" => self.tls.certificate.replace(value).is_some(),
            "key" => self.tls.key.replace(value).is_some(),
            _ => return setting.lacks(report),
        };
        if repeated {
            let headline = format!("{} is repeated; this one counts", shown(setting.name()));
            report
                .push(Diagnostic::warning(Code::Repeated, setting.span(), headline).help("keep one of them"));
        }
    }

    pub(super) fn resolve(self) -> Tls {
        self.tls
    }
}
