//! How advertisements prove where they come from.

use std::time::Duration;

use model::Centis;
use model::vrrp::{Auth, Hmac, HmacKey, HmacMode, Password, Replay, Version};

use super::{Basics, strict_mode};
use crate::diagnostic::{Code, Diagnostic};
use crate::lower::instance::{AuthDraft, AuthKind, HmacDraft};
use crate::lower::{Instance, Report};

impl Instance {
    /// RFC 3768 and all later ones have no authentication.
    pub(super) fn auth(&self, basics: Basics, report: &mut Report) -> Auth {
        let Some(draft) = &self.auth else { return Auth::None };
        let kind: fn(Password) -> Auth = match draft.kind {
            AuthKind::Pass => Auth::Pass,
            AuthKind::Ah => Auth::Ah,
            AuthKind::Unsaid | AuthKind::Unusable => {
                note_password_alone(draft, report);
                return Auth::None;
            }
        };
        let Some(password) = draft.password else {
            let headline = "there is no password; advertisements go out without authentication";
            report.push(
                Diagnostic::warning(Code::Authentication, draft.span, headline)
                    .help("add `auth_pass PASSWORD`")
                    .classic(format!(
                        "({}) Authentication specified but no password given. Ignoring",
                        self.name.value
                    )),
            );
            return Auth::None;
        };
        if let Some(hmac) = &self.hmac {
            let headline =
                "advertisements have signatures or authentication, not both; this block has no effect";
            report.push(
                Diagnostic::warning(Code::Authentication, draft.span, headline)
                    .label(hmac.span, "the signatures"),
            );
            return Auth::None;
        }
        if basics.version == Version::V3 {
            let headline = "VRRP version 3 has no authentication; this block has no effect";
            let sentence =
                format!("({}) VRRP version 3 does not support authentication. Ignoring.", self.name.value);
            report.push(Diagnostic::warning(Code::Authentication, draft.span, headline).classic(sentence));
            return Auth::None;
        }
        if basics.strict {
            report.push(strict_mode(draft.span, "authentication; this block has no effect"));
            return Auth::None;
        }
        kind(Password(password.value))
    }

    /// Who asks for signatures and cannot have them runs at all only without: that would be worse.
    pub(super) fn hmac(&self, interval: Centis, strict: bool, report: &mut Report) -> Option<Hmac> {
        let draft = self.hmac.as_ref()?;
        let Some(active) = draft.active else {
            let headline = "nothing says which key signs";
            report.push(Diagnostic::error(Code::Hmac, draft.span, headline).help("add `active_key ID`"));
            return None;
        };
        if !draft.keys.contains_key(&active.value) {
            let headline = format!("there is no key {}", active.value);
            report.push(
                Diagnostic::error(Code::Hmac, active.span, headline)
                    .help(format!("add `key {} VALUE` with 32 to 64 bytes", active.value)),
            );
            return None;
        }
        let keys = draft.keys.iter().map(|(id, key)| HmacKey { id: *id, source: key.value.clone() });
        Some(Hmac {
            keys: keys.collect(),
            active: active.value,
            replay: replay(draft, interval, report),
            mode: mode(draft, strict, report),
        })
    }
}

fn note_password_alone(draft: &AuthDraft, report: &mut Report) {
    if let Some(password) = draft.password.filter(|_| draft.kind == AuthKind::Unsaid) {
        let headline = "without `auth_type` this password has no effect";
        report.push(
            Diagnostic::note(Code::Authentication, password.span, headline).help("add `auth_type PASS`"),
        );
    }
}

fn replay(draft: &HmacDraft, interval: Centis, report: &mut Report) -> Replay {
    if draft.monotonic.is_some_and(|monotonic| monotonic.value) {
        if let Some(window) = draft.window {
            let headline = "`time_window` has no effect with `anti_replay monotonic`";
            report.push(Diagnostic::warning(Code::Hmac, window.span, headline));
        }
        return Replay::Monotonic;
    }
    let usual = interval.duration().saturating_mul(3).clamp(Duration::from_secs(5), Duration::from_secs(300));
    Replay::Time { window: draft.window.map_or(usual, |window| window.value) }
}

fn mode(draft: &HmacDraft, strict: bool, report: &mut Report) -> HmacMode {
    let Some(mode) = draft.mode else { return HmacMode::default() };
    if strict && mode.value != HmacMode::Enforce {
        report.push(strict_mode(mode.span, "advertisements without signature; `enforce` is used"));
        return HmacMode::Enforce;
    }
    mode.value
}
