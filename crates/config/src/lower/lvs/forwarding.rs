//! `lvs_method`, `lb_kind` and `sorry_server_lvs_method`.

use std::num::NonZeroU16;

use model::lvs::{Forwarding, Tunnel, TunnelChecksum, TunnelKind};

use crate::diagnostic::{Code, Diagnostic, shown, shown_bare};
use crate::keyword::Block;
use crate::lexer::Word;
use crate::lower::{Report, Setting};
use crate::number;

const PLAIN: Tunnel = Tunnel { kind: TunnelKind::IpIp, checksum: TunnelChecksum::None };

/// The method of a line. Like keepalived it keeps the method where only the options are wrong.
pub(super) fn read(setting: Setting<'_, '_>, report: &mut Report) -> Option<Forwarding> {
    let method = setting.first(report)?;
    let options = setting.node.arguments().get(1..).unwrap_or_default();
    let tunnel = tunnel(options, setting, report);
    match method.text.as_ref() {
        "NAT" => note_options(options, report, Forwarding::Nat),
        "DR" => note_options(options, report, Forwarding::Direct),
        "TUN" => Some(Forwarding::Tunnel(tunnel)),
        _ => {
            let diagnostic = setting.invalid(Code::InvalidChoice, method, "is no forwarding method");
            let server = if setting.block == Block::RealServer { "real" } else { "virtual" };
            let word = shown_bare(&method.text);
            report.push(
                diagnostic
                    .help("write `NAT`, `DR` or `TUN`; the line has no effect")
                    .classic(format!("PARSER : unknown [{word}] routing method for {server} server.")),
            );
            None
        }
    }
}

/// Options of a tunnel mean nothing where there is none.
fn note_options(options: &[Word<'_>], report: &mut Report, method: Forwarding) -> Option<Forwarding> {
    if let Some(option) = options.first() {
        let headline = "only `TUN` has options; they are ignored";
        report.push(Diagnostic::note(Code::ExtraWords, option.span, headline));
    }
    Some(method)
}

/// What the options say, if they fit together.
fn tunnel(options: &[Word<'_>], setting: Setting<'_, '_>, report: &mut Report) -> Tunnel {
    let Some(draft) = Draft::read(options, report) else { return PLAIN };
    let checksum = draft.checksum;
    let wrong = match (draft.kind, draft.port, checksum) {
        (Kind::Gue, None, _) => "a `gue` tunnel needs a port",
        (Kind::IpIp | Kind::Gre, Some(_), _) => "only a `gue` tunnel has a port",
        (Kind::IpIp, None, TunnelChecksum::Outer | TunnelChecksum::Remote) => {
            "an `ipip` tunnel has no checksum"
        }
        (Kind::Gre, None, TunnelChecksum::Remote) => "a `gre` tunnel has no remote checksum",
        (Kind::Gue, Some(port), _) => return Tunnel { kind: TunnelKind::Gue { port }, checksum },
        (Kind::Gre, None, _) => return Tunnel { kind: TunnelKind::Gre, checksum },
        (Kind::IpIp, None, TunnelChecksum::None) => return PLAIN,
    };
    report.push(
        Diagnostic::warning(Code::TunnelOption, setting.span(), wrong)
            .help("write `TUN type gue port NUMBER`, `TUN type gre` or `TUN`; the options are ignored"),
    );
    PLAIN
}

#[derive(Clone, Copy, Debug)]
enum Kind {
    IpIp,
    Gue,
    Gre,
}

#[derive(Debug)]
struct Draft {
    kind: Kind,
    port: Option<NonZeroU16>,
    checksum: TunnelChecksum,
}

impl Draft {
    fn read(options: &[Word<'_>], report: &mut Report) -> Option<Self> {
        let mut draft = Self { kind: Kind::IpIp, port: None, checksum: TunnelChecksum::None };
        let mut words = options.iter();
        while let Some(option) = words.next() {
            match option.text.as_ref() {
                "type" => draft.kind = kind(option, words.next(), report)?,
                "port" => draft.port = Some(port(option, words.next(), report)?),
                "nocsum" => draft.checksum = TunnelChecksum::None,
                "csum" => draft.checksum = TunnelChecksum::Outer,
                "remcsum" => draft.checksum = TunnelChecksum::Remote,
                other => {
                    refuse(option, &format!("{} is no option of a tunnel", shown(other)), report);
                    return None;
                }
            }
        }
        Some(draft)
    }
}

fn kind(option: &Word<'_>, value: Option<&Word<'_>>, report: &mut Report) -> Option<Kind> {
    match value.map(|value| value.text.as_ref()) {
        Some("ipip") => return Some(Kind::IpIp),
        Some("gue") => return Some(Kind::Gue),
        Some("gre") => return Some(Kind::Gre),
        Some(other) => refuse(option, &format!("{} is no type of tunnel", shown(other)), report),
        None => refuse(option, "`type` needs a value", report),
    }
    None
}

fn port(option: &Word<'_>, value: Option<&Word<'_>>, report: &mut Report) -> Option<NonZeroU16> {
    let port = value.and_then(|value| number::integer(&value.text).ok());
    let port = port.and_then(|port| u16::try_from(port).ok()).and_then(NonZeroU16::new);
    if port.is_none() {
        refuse(option, "`port` needs a number of 1 to 65535", report);
    }
    port
}

fn refuse(option: &Word<'_>, headline: &str, report: &mut Report) {
    report.push(Diagnostic::warning(Code::TunnelOption, option.span, headline).help(
        "write `type ipip`, `type gue port NUMBER` or `type gre`, then `csum` perhaps; the options are ignored",
    ));
}
