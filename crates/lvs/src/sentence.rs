//! What the log says of checks. Where operators grep for a sentence of keepalived's, it stands at the start, and the reason
//! follows.

use model::lvs::Check;

/// The server passes. `service` is the virtual server's name.
pub(crate) fn passed(check: &Check, server: &str, service: &str) -> String {
    match check {
        Check::Tcp(_) => format!("TCP connection to {server} success."),
        Check::Http(_) => format!("Remote Web server {server} succeed on service."),
        Check::Smtp(_) => format!("Remote SMTP server {server} succeed on service."),
        Check::Dns(_) => format!("DNS_CHECK on service {server} success."),
        Check::Ping(_) => format!("ICMP connection to {server} success."),
        Check::Udp(_) => format!("UDP connection to {server} success."),
        Check::Grpc(_) => format!("GRPC_CHECK on service {server} success."),
        Check::Misc(misc) => {
            format!("Misc check for [{server} VS {service}] by [{}] succeeded.", misc.command.program)
        }
    }
}

/// The server does not pass, after so many more attempts.
pub(crate) fn failed(check: &Check, server: &str, service: &str, reason: &str, retries: u32) -> String {
    let after = match (retries, check) {
        (0, _) => String::new(),
        (1, Check::Misc(_)) => " after 1 retry".into(),
        _ => format!(" after {retries} retries"),
    };
    match check {
        Check::Misc(misc) => {
            let program = &misc.command.program;
            format!("Misc check for [{server} VS {service}] by [{program}] failed{after} ({reason}).")
        }
        Check::Tcp(_)
        | Check::Http(_)
        | Check::Smtp(_)
        | Check::Dns(_)
        | Check::Ping(_)
        | Check::Udp(_)
        | Check::Grpc(_) => {
            format!("{} on service {server} failed{after} ({reason}).", word(check))
        }
    }
}

/// Nothing was learnt.
pub(crate) fn unknown(check: &Check, server: &str, reason: &str) -> String {
    let word = word(check);
    format!("{word} on service {server} cannot be made: {reason}; the server stays as it is until it can")
}

/// After that, it can be made.
pub(crate) fn known(check: &Check, server: &str) -> String {
    format!("{} on service {server} can be made again", word(check))
}

/// The content of a mail.
pub(crate) fn mail(check: &Check, up: bool) -> String {
    let word = match check {
        Check::Tcp(_) => "TCP",
        Check::Http(_) => "HTTP",
        Check::Smtp(_) => "SMTP",
        Check::Dns(_) => "DNS",
        Check::Ping(_) => "PING",
        Check::Udp(_) => "UDP",
        Check::Grpc(_) => "GRPC",
        Check::Misc(_) => "MISC",
    };
    let verdict = if up { "succeed" } else { "failed" };
    format!("=> {word} CHECK {verdict} on service <=")
}

const fn word(check: &Check) -> &'static str {
    match check {
        Check::Tcp(_) => "TCP_CHECK",
        Check::Http(_) => "HTTP_CHECK",
        Check::Smtp(_) => "SMTP_CHECK",
        Check::Dns(_) => "DNS_CHECK",
        Check::Ping(_) => "ICMP CHECK",
        Check::Udp(_) => "UDP_CHECK",
        Check::Grpc(_) => "GRPC_CHECK",
        Check::Misc(_) => "MISC_CHECK",
    }
}
