//! Until when certificates are good.

use std::net::SocketAddr;
use std::time::Duration;

use rustls::CertificateError;
use rustls::pki_types::{CertificateDer, UnixTime};
use x509_cert::Certificate;
use x509_cert::der::Decode as _;

const DAY: u64 = 86_400;
/// More of a name is not shown.
const MAX_NAME_CHARS: usize = 100;

/// What to tell of the certificate of a chain that ends first, if it does within so many days.
pub(super) fn warning(
    chain: &[CertificateDer<'_>],
    days: u16,
    server: SocketAddr,
    now: UnixTime,
) -> Option<Box<str>> {
    let mut first: Option<(Duration, Certificate)> = None;
    for der in chain {
        let certificate = match Certificate::from_der(der) {
            Ok(certificate) => certificate,
            Err(error) => return Some(format!("a certificate of {server} cannot be read: {error}").into()),
        };
        let end = certificate.tbs_certificate().validity().not_after.to_unix_duration();
        if first.as_ref().is_none_or(|(earliest, _)| end < *earliest) {
            first = Some((end, certificate));
        }
    }
    let (end, certificate) = first?;
    let now = now.as_secs();
    if end.as_secs().saturating_sub(now) > u64::from(days) * DAY {
        return None;
    }
    let subject = certificate.tbs_certificate().subject().to_string();
    let subject: String = subject.chars().take(MAX_NAME_CHARS).collect();
    let date = certificate.tbs_certificate().validity().not_after;
    let words = when(end.as_secs(), now);
    Some(format!("the certificate `{}` of {server} {words} ({date})", subject.escape_debug()).into())
}

fn when(end: u64, now: u64) -> String {
    let (left, gone) = (end.saturating_sub(now) / DAY, now.saturating_sub(end) / DAY);
    match (end > now, left, gone) {
        (true, 0, _) => "ends in less than a day".to_owned(),
        (true, 1, _) => "ends in 1 day".to_owned(),
        (true, days, _) => format!("ends in {days} days"),
        (false, _, 0) => "has ended".to_owned(),
        (false, _, 1) => "has ended 1 day ago".to_owned(),
        (false, _, days) => format!("has ended {days} days ago"),
    }
}

/// Whether a certificate is good now, by its dates.
pub(super) fn is_valid_at(certificate: &CertificateDer<'_>, now: UnixTime) -> Result<(), CertificateError> {
    let certificate = Certificate::from_der(certificate).map_err(|_| CertificateError::BadEncoding)?;
    let validity = certificate.tbs_certificate().validity();
    if now.as_secs() < validity.not_before.to_unix_duration().as_secs() {
        return Err(CertificateError::NotValidYet);
    }
    if now.as_secs() > validity.not_after.to_unix_duration().as_secs() {
        return Err(CertificateError::Expired);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{DAY, when};

    #[test]
    fn days_are_counted() {
        let now = 1000 * DAY;
        for (end, words) in [
            (now + 12 * DAY + 5, "ends in 12 days"),
            (now + DAY, "ends in 1 day"),
            (now + 1, "ends in less than a day"),
            (now, "has ended"),
            (now - DAY, "has ended 1 day ago"),
            (now - 3 * DAY, "has ended 3 days ago"),
        ] {
            assert_eq!(when(end, now), words);
        }
    }
}
