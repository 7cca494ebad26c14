//! `DNS_CHECK`.

use model::lvs::{Check, Connection, DnsCheck, DnsType};

use crate::diagnostic::{Code, Diagnostic, shown, shown_bare};
use crate::lower::{Report, Setting};

/// RFC 1035 §2.3.4.
const LONGEST_LABEL: usize = 63;

/// A name server's checker, as it was written.
#[derive(Debug, Default)]
pub(super) struct DnsDraft {
    kind: Option<DnsType>,
    name: Option<Box<str>>,
}

impl DnsDraft {
    pub(super) fn set(&mut self, setting: Setting<'_, '_>, report: &mut Report) {
        match setting.name() {
            "type" => self.kind = kind(setting, report).or(self.kind),
            "name" => self.set_name(setting, report),
            _ => setting.lacks(report),
        }
    }

    fn set_name(&mut self, setting: Setting<'_, '_>, report: &mut Report) {
        let Some(name) = setting.only(report) else { return };
        let text = name.text.as_ref();
        let mut labels = text.strip_suffix('.').unwrap_or(text).split('.');
        if self.name.is_some() {
            let headline = "`name` is repeated; the first one stays in force";
            report.push(Diagnostic::warning(Code::Repeated, setting.span(), headline));
        } else if text != "." && labels.clone().any(str::is_empty) {
            let headline = format!("{} has an empty label", shown(text));
            report.push(
                Diagnostic::warning(Code::InvalidPattern, name.span, headline)
                    .help("two dots have nothing between them; the line has no effect"),
            );
        } else {
            if labels.any(|label| label.len() > LONGEST_LABEL) {
                let headline = format!("{} has a label of more than {LONGEST_LABEL} bytes", shown(text));
                report.push(
                    Diagnostic::note(Code::InvalidPattern, name.span, headline)
                        .help("no query can carry it: the check will always fail"),
                );
            }
            self.name = Some(text.into());
        }
    }

    pub(super) fn resolve(self, connection: Connection) -> Check {
        let kind = self.kind.unwrap_or(DnsType::Soa);
        let name = self.name.unwrap_or_else(|| ".".into());
        Check::Dns(Box::new(DnsCheck { connection, kind, name }))
    }
}

fn kind(setting: Setting<'_, '_>, report: &mut Report) -> Option<DnsType> {
    let word = setting.only(report)?;
    Some(match word.text.to_ascii_uppercase().as_str() {
        "A" => DnsType::A,
        "NS" => DnsType::Ns,
        "CNAME" => DnsType::Cname,
        "SOA" => DnsType::Soa,
        "MX" => DnsType::Mx,
        "TXT" => DnsType::Txt,
        "AAAA" => DnsType::Aaaa,
        "RRSIG" => DnsType::Rrsig,
        "DNSKEY" => DnsType::Dnskey,
        _ => {
            let diagnostic = setting.invalid(Code::InvalidChoice, word, "is no type that can be asked for");
            report.push(
                diagnostic
                    .help(format!("write one of {}; the line has no effect", setting.keyword.arguments))
                    .classic(format!("Unknown DNS check type {} - ignoring", shown_bare(&word.text))),
            );
            return None;
        }
    })
}
