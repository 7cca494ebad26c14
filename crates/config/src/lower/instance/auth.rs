//! `authentication`.

use crate::diagnostic::{Code, Diagnostic};
use crate::keyword::Block;
use crate::lower::instance::set;
use crate::lower::{Report, Setting, Spanned, settings};
use crate::source::Span;

/// All `authentication` blocks of an instance together.
#[derive(Clone, Copy, Debug)]
pub(crate) struct AuthDraft {
    /// The block's keyword.
    pub(crate) span: Span,
    pub(crate) kind: AuthKind,
    /// What the packet carries, and the line of it.
    pub(crate) password: Option<Spanned<[u8; 8]>>,
}

/// What `auth_type` says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AuthKind {
    Unsaid,
    Pass,
    Ah,
    /// Something that has been reported.
    Unusable,
}

impl AuthDraft {
    pub(super) const fn new(span: Span) -> Self {
        Self { span, kind: AuthKind::Unsaid, password: None }
    }

    /// Adds one block.
    pub(super) fn read(&mut self, block: Setting<'_, '_>, report: &mut Report) {
        settings(block.node.children(), Block::Authentication, report, |setting, report| {
            match setting.name() {
                "auth_type" => self.set_kind(setting, report),
                "auth_pass" => set(&mut self.password, password(setting, report)),
                _ => setting.lacks(report),
            }
        });
    }

    fn set_kind(&mut self, setting: Setting<'_, '_>, report: &mut Report) {
        let Some(word) = setting.only(report) else { return };
        match word.text.as_ref() {
            "PASS" => self.kind = AuthKind::Pass,
            "AH" => self.kind = AuthKind::Ah,
            _ => {
                let diagnostic = setting.invalid(Code::InvalidChoice, word, "is no kind of authentication");
                report.push(diagnostic.help("write `PASS` or `AH`; the line has no effect"));
                if self.kind == AuthKind::Unsaid {
                    self.kind = AuthKind::Unusable;
                }
            }
        }
    }
}

/// The eight bytes that a packet has room for (RFC 2338 §5.3.6). An empty password is none.
fn password(setting: Setting<'_, '_>, report: &mut Report) -> Option<Spanned<[u8; 8]>> {
    let word = setting.only(report).filter(|word| !word.text.is_empty())?;
    let mut value = [0; 8];
    for (room, byte) in value.iter_mut().zip(word.text.bytes()) {
        *room = byte;
    }
    let length = word.text.len();
    if length > value.len() {
        let headline = format!("this password has {length} bytes, a packet carries 8");
        report.push(
            Diagnostic::warning(Code::PasswordCut, word.span, headline)
                .help("only bytes 1 to 8 are used; the others protect nothing")
                .classic("Truncating auth_pass to 8 characters"),
        );
    }
    Some(Spanned { value, span: word.span })
}
