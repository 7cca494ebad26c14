//! `ADDRESS [PORT]` of virtual, real and sorry servers.

use std::net::IpAddr;
use std::num::NonZeroU16;

use crate::diagnostic::{Code, Diagnostic, shown, shown_bare};
use crate::lexer::Word;
use crate::lower::{Report, Setting};
use crate::number;
use crate::source::Span;

/// An address and a port; 0 counts as no port.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Endpoint {
    pub(super) address: IpAddr,
    pub(super) port: Option<NonZeroU16>,
}

impl Endpoint {
    /// The endpoint after a keyword.
    pub(super) fn read(setting: Setting<'_, '_>, report: &mut Report) -> Option<Self> {
        let first = setting.first(report)?;
        setting.note_words_after(2, report);
        let second = setting.node.arguments().get(1);
        let endpoint = address(first, report).and_then(|address| {
            let port = second.map_or(Some(None), |word| port(word, report))?;
            Some(Self { address, port })
        });
        if endpoint.is_none() {
            let (address, port) =
                (shown_bare(&first.text), second.map(|word| shown_bare(&word.text)).unwrap_or_default());
            report.diagnostics.say_classic(match setting.name() {
                "virtual_server" => {
                    format!("Invalid virtual server IP address/port {address}/{port} - skipping")
                }
                "real_server" => format!("Invalid real server ip address/port {address}/{port} - skipping"),
                _ => format!("Invalid sorry server IP address {address} - skipping"),
            });
        }
        endpoint
    }

    /// As keepalived writes it into its log.
    pub(super) fn title(self, protocol: &str) -> String {
        let port = self.port.map_or(0, NonZeroU16::get);
        format!("[{}]:{protocol}:{port}", self.address)
    }
}

/// An address. Like keepalived it may have a prefix length or the end of a range, which mean nothing.
pub(super) fn address(word: &Word<'_>, report: &mut Report) -> Option<IpAddr> {
    let text = word.text.as_ref();
    if let Ok(address) = text.parse() {
        return Some(address);
    }
    let bare = text.split(['/', '-']).next().unwrap_or(text);
    if let Ok(address) = bare.parse() {
        let headline = format!("{} is one address here; `{bare}` is used", shown(text));
        report.push(
            Diagnostic::note(Code::InvalidAddress, word.span, headline)
                .help("write the address alone; ranges belong into a `virtual_server_group`"),
        );
        return Some(address);
    }
    let headline = format!("{} is not an IP address", shown(text));
    report.push(Diagnostic::warning(Code::InvalidAddress, word.span, headline).help("it is ignored"));
    None
}

/// A port, where 0 means none; `None` if it is not valid.
#[expect(clippy::option_option, reason = "no port is not an invalid port")]
pub(super) fn port(word: &Word<'_>, report: &mut Report) -> Option<Option<NonZeroU16>> {
    match number::integer(&word.text).ok().and_then(|port| u16::try_from(port).ok()) {
        Some(port) => Some(NonZeroU16::new(port)),
        None => {
            let headline = format!("{} is not a port", shown(&word.text));
            report.push(
                Diagnostic::warning(Code::OutOfRange, word.span, headline)
                    .help("a port is a number of 1 to 65535; it is ignored"),
            );
            None
        }
    }
}

/// That the family of `what` is not that of its virtual server.
pub(super) fn wrong_family(span: Span, what: &str, address: IpAddr) -> Diagnostic {
    let headline = format!("the {what} `{address}` is not of the address family of its virtual server");
    Diagnostic::warning(Code::FamilyMismatch, span, headline)
        .help("only `lvs_method TUN` crosses families; the server is ignored")
}
