//! One mail on its way to the server. Everything here waits: it belongs to the thread that sends.

use lettre::address::Envelope;
use lettre::transport::smtp::SmtpTransport;
use lettre::transport::smtp::client::{CertificateStore, Tls, TlsParameters};
use lettre::transport::smtp::extension::ClientId;
use lettre::{Address, Transport as _};
use model::{Mail, MailServer};
use sys::users::{self, Uid};

use super::letter::{Head, Letter};
use crate::log::Log;

/// All that is needed to send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Route {
    pub(super) mail: Mail,
    pub(super) server: MailServer,
    pub(super) router_id: Option<String>,
}

/// Why a mail was not sent.
#[derive(Debug, thiserror::Error)]
pub(super) enum DeliveryError {
    /// It will not be better next time.
    #[error("the server refuses it: {0}")]
    Refused(lettre::transport::smtp::Error),
    /// It may work later.
    #[error("{}", chain(.0))]
    Later(lettre::transport::smtp::Error),
    #[error("{0:?} is no mail address")]
    Address(String),
    #[error("there is no recipient")]
    NoRecipient(#[source] lettre::error::Error),
}

/// The words of an error and of its causes.
fn chain(error: &lettre::transport::smtp::Error) -> String {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        let more = error.to_string();
        // Some words hold those of their cause.
        if !text.contains(&more) {
            text = format!("{text}: {more}");
        }
        cause = error.source();
    }
    text
}

/// Hands a mail to the server. Encrypted if the server offers it; whose certificate that is, nobody can say here: without
/// a certificate to compare with, and beside keepalived, which never encrypts, it is better than nothing.
///
/// Each mail tries that anew; `clear` holds why the one before went without, which is said once.
pub(super) fn deliver(
    route: &Route,
    letter: &Letter,
    clear: &mut Option<String>,
    log: &Log,
) -> Result<(), DeliveryError> {
    let host = rustix::system::uname().nodename().to_string_lossy().into_owned();
    let from = route.mail.from.clone().unwrap_or_else(|| own_address(&host));
    let router_id = route.router_id.as_ref().unwrap_or(&host);
    let text = letter.text(&Head { from: &from, to: &route.mail.to, router_id });
    let to: Result<Vec<_>, _> = route.mail.to.iter().map(|to| address(to, &host)).collect();
    let envelope = Envelope::new(Some(address(&from, &host)?), to?).map_err(DeliveryError::NoRecipient)?;
    let name = route.mail.helo.as_ref().unwrap_or(&host);
    let send = |tls| {
        let server = SmtpTransport::builder_dangerous(route.server.host.to_string())
            .port(route.server.port.get())
            .timeout(Some(route.mail.connect_timeout))
            .hello_name(ClientId::Domain(name.clone()))
            .tls(tls)
            .build();
        server.send_raw(&envelope, text.as_bytes())
    };
    let outcome = match encryption(route).and_then(&send) {
        // It offers encryption that it or we cannot do.
        Err(error) if !is_answer(&error) && !error.is_timeout() && !is_wrapped(route) => {
            let why = Some(format!("{} by TLS: {}; trying without", route.server.host, chain(&error)));
            if *clear != why {
                log.detail(why.as_deref().unwrap_or_default());
                *clear = why;
            }
            send(Tls::None)
        }
        outcome => {
            if outcome.is_ok() {
                *clear = None;
            }
            outcome
        }
    };
    match outcome {
        Ok(_) => Ok(()),
        Err(error) if error.is_permanent() => Err(DeliveryError::Refused(error)),
        Err(error) => Err(DeliveryError::Later(error)),
    }
}

/// Whether it is the server's, and not that of a connection.
fn is_answer(error: &lettre::transport::smtp::Error) -> bool {
    error.is_transient() || error.is_permanent() || error.is_response()
}

fn encryption(route: &Route) -> Result<Tls, lettre::transport::smtp::Error> {
    let parameters = TlsParameters::builder(route.server.host.to_string())
        .certificate_store(CertificateStore::None)
        .dangerous_accept_invalid_certs(true)
        .dangerous_accept_invalid_hostnames(true)
        .build_rustls()?;
    Ok(if is_wrapped(route) { Tls::Wrapper(parameters) } else { Tls::Opportunistic(parameters) })
}

/// Encrypted from the first byte, as that port is meant to be.
fn is_wrapped(route: &Route) -> bool {
    route.server.port.get() == SUBMISSIONS
}

/// The address in `NAME <ADDRESS>`, or the whole. A name without `@` is one of this host.
fn address(text: &str, host: &str) -> Result<Address, DeliveryError> {
    let bare =
        text.rsplit_once('<').map_or(text, |(_, rest)| rest.split('>').next().unwrap_or_default()).trim();
    let (user, domain) = bare.rsplit_once('@').unwrap_or((bare, host));
    let is_plain = |part: &str| {
        !part.is_empty() && !part.contains(|c: char| c.is_whitespace() || c.is_control() || "<>".contains(c))
    };
    match Address::new(user, domain) {
        Ok(address) => Ok(address),
        // The server knows better: names of hosts are of every kind.
        Err(_) if is_plain(user) && is_plain(domain) => Ok(Address::new_dangerous(user, domain)),
        Err(_) => Err(DeliveryError::Address(text.to_owned())),
    }
}

fn own_address(host: &str) -> String {
    let name = users::name_of(Uid::own()).ok().flatten();
    format!("{}@{host}", name.as_deref().unwrap_or("root"))
}

/// SMTP inside TLS (RFC 8314 §3.3).
const SUBMISSIONS: u16 = 465;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_envelope_has_the_bare_address() {
        let of = |text: &str| address(text, "lb1").map(|address| address.to_string()).ok();
        assert_eq!(of("a@example.org").as_deref(), Some("a@example.org"));
        assert_eq!(of("Admin One <a@example.org>").as_deref(), Some("a@example.org"));
        assert_eq!(of("root").as_deref(), Some("root@lb1"));
        assert_eq!(of("a@under_score").as_deref(), Some("a@under_score"));
        for bad in ["", "a b@example.org", "@example.org", "a@", "x <a@b\r\nRCPT TO:c@d>"] {
            assert_eq!(of(bad), None, "{bad:?}");
        }
    }
}
