//! What a mail says: the form of keepalived 2.2.7.

use std::time::SystemTime;

use jiff::{Timestamp, tz::TimeZone};

use crate::message::{NotificationKind, Whose};

/// A mail that is to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Letter {
    /// When it happened.
    pub(super) at: SystemTime,
    pub(super) subject: String,
    body: String,
}

/// Who writes to whom, as the head of a mail has it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Head<'a> {
    pub(super) from: &'a str,
    pub(super) to: &'a [String],
    pub(super) router_id: &'a str,
}

impl Letter {
    /// What is mailed of this event; `None` if it is none that is mailed.
    pub(crate) fn about(whose: &Whose, kind: NotificationKind, reports_deleted: bool) -> Option<Self> {
        let word = kind.word(reports_deleted);
        let (headline, body) = match (word, whose) {
            ("DELETED", _) => ("Deleted".to_owned(), "VRRP Deleted at reload".to_owned()),
            ("MASTER" | "BACKUP" | "FAULT", Whose::Group(_)) => {
                (entering(word), format!("All VRRP group instances are now in {word} state"))
            }
            ("MASTER", Whose::Instance(_)) => {
                (entering(word), "VRRP Instance is now owning VRRP VIPs".to_owned())
            }
            ("BACKUP" | "FAULT", Whose::Instance(_)) => {
                (entering(word), "VRRP Instance is no longer owning VRRP VIPs".to_owned())
            }
            _ => return None,
        };
        let subject = match whose {
            Whose::Instance(name) => format!("VRRP Instance {name} - {headline}"),
            Whose::Group(name) => format!("VRRP Group {name} - {headline}"),
        };
        Some(Self { at: SystemTime::now(), subject, body: format!("=> {body} <=") })
    }

    /// What is mailed of the state of a virtual or a real server.
    pub(crate) fn about_server(news: &lvs::Notification) -> Self {
        let state = if news.up { "UP" } else { "DOWN" };
        let subject = match &news.of {
            lvs::Whose::VirtualServer { service } => format!("Virtualserver {service} - {state}"),
            lvs::Whose::RealServer { service, server } | lvs::Whose::Checker { service, server } => {
                format!("Realserver {server} of virtual server {service} - {state}")
            }
        };
        Self { at: SystemTime::now(), subject, body: news.because.to_string() }
    }

    /// The bytes of the mail.
    pub(super) fn text(&self, head: &Head<'_>) -> String {
        let Head { from, to, router_id } = head;
        let Self { at, subject, body } = self;
        let date = Timestamp::try_from(*at).unwrap_or(Timestamp::UNIX_EPOCH).to_zoned(TimeZone::system());
        let lines = [
            format!("Date: {}", date.strftime("%a, %d %b %Y %H:%M:%S %z")),
            format!("From: {from}"),
            format!("Subject: [{router_id}] {subject}"),
            "X-Mailer: Keepalived (Steadfast)".to_owned(),
            format!("To: {}", to.join(", ")),
            String::new(),
            // The client adds an end of line of its own.
            body.clone(),
        ];
        lines.iter().map(|line| line.replace(['\r', '\n', '\0'], " ") + "\r\n").collect()
    }
}

fn entering(word: &str) -> String {
    format!("Entering {word} state")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn letter(whose: &Whose, kind: NotificationKind) -> Option<[String; 2]> {
        Letter::about(whose, kind, true).map(|letter| [letter.subject, letter.body])
    }

    #[test]
    fn each_state_has_its_words() {
        let instance = Whose::Instance("V 1".to_owned());
        let group = Whose::Group("G".to_owned());
        let expected = |subject: &str, body: &str| Some([subject.to_owned(), body.to_owned()]);
        assert_eq!(
            letter(&instance, NotificationKind::Master),
            expected(
                "VRRP Instance V 1 - Entering MASTER state",
                "=> VRRP Instance is now owning VRRP VIPs <="
            )
        );
        assert_eq!(
            letter(&instance, NotificationKind::Fault),
            expected(
                "VRRP Instance V 1 - Entering FAULT state",
                "=> VRRP Instance is no longer owning VRRP VIPs <="
            )
        );
        assert_eq!(
            letter(&instance, NotificationKind::Deleted),
            expected("VRRP Instance V 1 - Deleted", "=> VRRP Deleted at reload <=")
        );
        assert_eq!(
            letter(&group, NotificationKind::Backup),
            expected(
                "VRRP Group G - Entering BACKUP state",
                "=> All VRRP group instances are now in BACKUP state <="
            )
        );
        for silent in [NotificationKind::Stop, NotificationKind::MasterRxLowerPriority] {
            assert_eq!(letter(&instance, silent), None);
        }
    }

    #[test]
    fn nothing_in_a_name_adds_a_line_to_the_head() {
        let whose = Whose::Instance("V\r\nBcc: all@example.org".to_owned());
        let letter = Letter::about(&whose, NotificationKind::Master, false).unwrap();
        let to = ["a@example.org".to_owned(), "b@example.org".to_owned()];
        let text = letter.text(&Head { from: "Lb <lb@example.org>", to: &to, router_id: "lb\n1" });
        let lines: Vec<_> = text.split("\r\n").skip(1).collect();
        let expected = [
            "From: Lb <lb@example.org>",
            "Subject: [lb 1] VRRP Instance V  Bcc: all@example.org - Entering MASTER state",
            "X-Mailer: Keepalived (Steadfast)",
            "To: a@example.org, b@example.org",
            "",
            "=> VRRP Instance is now owning VRRP VIPs <=",
            "",
        ];
        assert_eq!(lines, expected);
    }
}
