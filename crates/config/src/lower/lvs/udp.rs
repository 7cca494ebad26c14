//! `UDP_CHECK`.

use model::lvs::{Check, Connection, Nibbles, Payload, UdpCheck};

use crate::diagnostic::{Code, Diagnostic};
use crate::lower::{Report, Setting};
use crate::source::Span;

use super::text;

/// A datagram checker, as it was written.
#[derive(Debug)]
pub(super) struct UdpDraft {
    payload: Option<Box<[u8]>>,
    reply: Option<Box<[Nibbles]>>,
    min_reply: u16,
    max_reply: u16,
    /// The last line about the length of a reply.
    lengths: Option<Span>,
}

impl Default for UdpDraft {
    fn default() -> Self {
        Self { payload: None, reply: None, min_reply: 0, max_reply: 255, lengths: None }
    }
}

impl UdpDraft {
    pub(super) fn set(&mut self, setting: Setting<'_, '_>, report: &mut Report) {
        match setting.name() {
            "payload" => self.set_payload(setting, report),
            "require_reply" => {
                if let Some(pattern) = hex(setting, report) {
                    self.reply = Some(pattern.into_boxed_slice());
                }
            }
            "min_reply_length" => {
                self.lengths = Some(setting.span());
                self.min_reply = setting.number(report).map_or(self.min_reply, |length| length.value);
            }
            "max_reply_length" => {
                self.lengths = Some(setting.span());
                self.max_reply = setting.number(report).map_or(self.max_reply, |length| length.value);
            }
            _ => setting.lacks(report),
        }
    }

    fn set_payload(&mut self, setting: Setting<'_, '_>, report: &mut Report) {
        if text::first(setting, report).is_none() {
            return;
        }
        let Some(bytes) = hex(setting, report) else { return };
        if bytes.iter().any(|byte| byte.mask != 0xff) {
            report.push(no_hex(setting));
        } else {
            self.payload = Some(bytes.iter().map(|byte| byte.value).collect());
        }
    }

    /// Whether a reply can be right is only told.
    pub(super) fn check(&self, setting: Setting<'_, '_>, report: &mut Report) -> bool {
        let span = self.lengths.unwrap_or_else(|| setting.head_span());
        if self.min_reply > self.max_reply {
            let headline =
                format!("no reply has at least {} and at most {} bytes", self.min_reply, self.max_reply);
            report.push(
                Diagnostic::warning(Code::InvalidPattern, span, headline).help("this check will always fail"),
            );
        } else if let Some(pattern) = &self.reply
            && pattern.len() > usize::from(self.max_reply)
        {
            let headline =
                format!("a reply of {} bytes is longer than `max_reply_length` allows", pattern.len());
            report.push(
                Diagnostic::note(Code::InvalidPattern, span, headline).help("this check will always fail"),
            );
        }
        true
    }

    pub(super) fn resolve(self, connection: Connection) -> Check {
        Check::Udp(Box::new(UdpCheck {
            connection,
            payload: self.payload.map_or(Payload::Usual, Payload::Bytes),
            reply: self.reply,
            min_reply: self.min_reply,
            max_reply: self.max_reply,
        }))
    }
}

/// Bytes of two digits each, with blanks between them perhaps; a digit alone is a small number. `x` is any digit.
fn hex(setting: Setting<'_, '_>, report: &mut Report) -> Option<Vec<Nibbles>> {
    let words = setting.node.arguments().iter().flat_map(|word| word.text.split_ascii_whitespace());
    let mut bytes = Vec::new();
    for word in words {
        for pair in word.as_bytes().chunks(2) {
            let nibbles: Option<Vec<_>> = pair.iter().map(|&digit| nibble(digit)).collect();
            let Some(nibbles) = nibbles else {
                report.push(no_hex(setting));
                return None;
            };
            // Of a digit alone the upper half is 0.
            let alone = Nibbles { value: 0, mask: if pair.len() == 1 { 0x0f } else { 0 } };
            bytes.push(nibbles.iter().fold(alone, |byte, nibble| Nibbles {
                value: byte.value << 4 | nibble.value,
                mask: byte.mask << 4 | nibble.mask,
            }));
        }
    }
    Some(bytes)
}

fn nibble(digit: u8) -> Option<Nibbles> {
    if matches!(digit, b'x' | b'X') {
        return Some(Nibbles { value: 0, mask: 0 });
    }
    let value = u8::try_from(char::from(digit).to_digit(16)?).ok()?;
    Some(Nibbles { value, mask: 0x0f })
}

fn no_hex(setting: Setting<'_, '_>) -> Diagnostic {
    let headline = format!("the bytes of `{}` are not hexadecimal", setting.name());
    let help = if setting.name() == "payload" {
        "write two digits of 0-9 and a-f for each byte; the line has no effect"
    } else {
        "write two digits of 0-9 and a-f for each byte, `x` for any digit; the line has no effect"
    };
    Diagnostic::warning(Code::InvalidPattern, setting.span(), headline).help(help)
}
