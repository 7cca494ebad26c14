//! Alert mail.

use std::num::NonZeroU16;
use std::time::Duration;

use model::{Host, Mail, MailServer};

use super::set;
use crate::diagnostic::{Code, Diagnostic, shown};
use crate::lower::{Report, Setting};
use crate::number;

/// What is said about mail.
#[derive(Clone, Debug, Default)]
pub(super) struct MailDraft(Mail);

impl MailDraft {
    pub(super) fn read(&mut self, setting: Setting<'_, '_>, report: &mut Report) -> bool {
        let mail = &mut self.0;
        match setting.name() {
            "notification_email" => mail.to.extend(recipients(setting, report)),
            "notification_email_from" => {
                set(&mut mail.from, setting.text(report).map(|from| Some(from.value)));
            }
            "smtp_server" => set(&mut mail.server, server(setting, report).map(Some)),
            "smtp_helo_name" => set(&mut mail.helo, helo(setting, report).map(Some)),
            "smtp_connect_timeout" => set(&mut mail.connect_timeout, connect_timeout(setting, report)),
            "no_email_faults" => mail.faults = !setting.flag(report),
            _ => return false,
        }
        true
    }

    pub(super) fn resolve(&self) -> Mail {
        self.0.clone()
    }
}

/// Every word is a recipient.
fn recipients(setting: Setting<'_, '_>, report: &mut Report) -> Vec<String> {
    let words = setting.entries();
    if words.is_empty() {
        setting.warn_empty(report);
    }
    words.into_iter().map(|word| word.text.clone().into_owned()).collect()
}

fn server(setting: Setting<'_, '_>, report: &mut Report) -> Option<MailServer> {
    setting.note_words_after(2, report);
    let word = setting.first(report)?;
    let Some(host) = host(&word.text) else {
        report.push(setting.invalid(Code::InvalidHost, word, "is neither an address nor the name of a host"));
        return None;
    };
    let Some(port) = setting.node.arguments().get(1) else {
        return Some(MailServer { host, port: MailServer::PORT });
    };
    let number = number::integer(&port.text).ok().and_then(|port| u16::try_from(port).ok());
    let Some(port) = number.and_then(NonZeroU16::new) else {
        report.push(setting.out_of_range(port, "1 to 65535"));
        return None;
    };
    Some(MailServer { host, port })
}

/// A name is looked up when mail is to be sent; here only what no name can be is told apart.
fn host(text: &str) -> Option<Host> {
    if let Ok(address) = text.parse() {
        return Some(Host::Address(address));
    }
    let name = text.strip_suffix('.').unwrap_or(text);
    let is_label = |label: &str| (1..=63).contains(&label.len());
    if name.len() > 253 || !name.split('.').all(is_label) {
        return None;
    }
    let numbers: Option<Vec<u32>> = name.split('.').map(|label| label.parse().ok()).collect();
    let is_broken = numbers.is_some_and(|n| n.len() > 4 || (n.len() == 4 && n.iter().any(|n| *n > 255)));
    (!is_broken).then(|| Host::Name(text.to_owned()))
}

/// Without a name keepalived goes on in silence.
fn helo(setting: Setting<'_, '_>, report: &mut Report) -> Option<String> {
    if setting.node.arguments().is_empty() && setting.node.statement.unpaired.is_none() {
        let headline = format!("{} without a name has no effect", shown(setting.name()));
        report.push(Diagnostic::note(Code::MissingArgument, setting.span(), headline));
        return None;
    }
    setting.text(report).map(|name| name.value)
}

fn connect_timeout(setting: Setting<'_, '_>, report: &mut Report) -> Option<Duration> {
    let timeout = setting.whole_seconds(report)?;
    if !timeout.value.is_zero() {
        return Some(timeout.value);
    }
    let headline = format!("`{}` must be more than 0; 1 second is used", setting.name());
    report.push(Diagnostic::warning(Code::Adjusted, timeout.span, headline));
    Some(Duration::from_secs(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_are_addresses_or_names_that_could_be() {
        assert_eq!(host("192.0.2.1"), Some(Host::Address([192, 0, 2, 1].into())));
        assert_eq!(host("::1").map(|host| host.to_string()), Some("::1".to_owned()));
        for name in ["localhost", "mail.example.org", "mail.example.org.", "fe80::1%eth0", "010.1.1.1"] {
            assert_eq!(host(name), Some(Host::Name(name.to_owned())), "{name}");
        }
        for bad in ["", ".", "a..b", "300.1.1.1", "1.2.3.4.5", &"x".repeat(64)] {
            assert_eq!(host(bad), None, "{bad}");
        }
    }
}
