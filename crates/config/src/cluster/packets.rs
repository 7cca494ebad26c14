//! What an advertisement carries and its receiver demands: version, interval, authentication, checksum.

use model::vrrp::{Auth, Hmac, HmacMode, Version};

use super::{Part, Router, differ};
use crate::Code;
use crate::diagnostic::Diagnostic;

/// What to do, and what happens until then.
fn advice(what: &str) -> String {
    format!("{what}: until then neither host hears the other, and both are master with the same addresses")
}

pub(super) fn check(router: &Router<'_>, findings: &mut Vec<Diagnostic>) {
    for (here, there) in router.pairs() {
        if let Some(finding) = version(here, there) {
            // What else differs follows from it, or does not matter then.
            findings.push(finding);
            continue;
        }
        findings.extend(interval(here, there));
        findings.extend(authentication(here, there));
        findings.extend(hmac(here, there));
        findings.extend(checksum(here, there));
    }
}

fn version(here: Part<'_>, there: Part<'_>) -> Option<Diagnostic> {
    let (one, other) = (here.instance.version, there.instance.version);
    if one == other {
        return None;
    }
    let headline =
        format!("VRID {} speaks VRRP version {one} on one host and {other} on another", here.instance.vrid);
    let make = |span| {
        Diagnostic::warning(Code::ClusterVersion, span, headline)
            .help(advice("write the same `version` on all hosts, or `vrrp_version` in their `global_defs`"))
    };
    let said = |part: Part<'_>| format!("{} speaks version {}", part.host, part.instance.version);
    differ(make, "version", (here, said(here)), (there, said(there)))
}

fn interval(here: Part<'_>, there: Part<'_>) -> Option<Diagnostic> {
    let (one, other) = (here.instance.advert_interval, there.instance.advert_interval);
    if one == other {
        return None;
    }
    let headline = format!(
        "VRID {} is advertised every {one} or every {other}, depending on the host",
        here.instance.vrid
    );
    let make = |span| {
        match here.instance.version {
        Version::V2 => Diagnostic::warning(Code::ClusterInterval, span, headline).help(
            "write the same `advert_int` on all hosts: keepalived drops version 2 packets with another interval than its own, and then both hosts are master",
        ),
        Version::V3 => Diagnostic::note(Code::ClusterInterval, span, headline).help(
            "write the same `advert_int` on all hosts: a backup waits as long as the master's packets say, so how fast a failure is noticed depends on who has failed",
        ),
    }
    };
    let said = |part: Part<'_>| format!("{}: {}", part.host, part.instance.advert_interval);
    differ(make, "advert_int", (here, said(here)), (there, said(there)))
}

fn authentication(here: Part<'_>, there: Part<'_>) -> Option<Diagnostic> {
    if here.instance.version != Version::V2 {
        return None;
    }
    let (what, keyword) = match (here.instance.auth, there.instance.auth) {
        (one, other) if one == other => return None,
        (Auth::Pass(_), Auth::Pass(_)) | (Auth::Ah(_), Auth::Ah(_)) => ("passwords", "auth_pass"),
        _ => ("kinds of authentication", "auth_type"),
    };
    let headline = format!("the hosts have different {what} for VRID {}", here.instance.vrid);
    let place = |part: Part<'_>| {
        let block = part.block.last("authentication");
        block.and_then(|block| block.place(keyword)).or_else(|| part.block.value())
    };
    let said = |part: Part<'_>| match part.instance.auth {
        Auth::None => format!("{} has no authentication", part.host),
        Auth::Pass(_) => format!("the password of {}", part.host),
        Auth::Ah(_) => format!("the AH key of {}", part.host),
    };
    let (span, other) = (place(here)?, place(there)?);
    Some(
        Diagnostic::warning(Code::ClusterAuth, other, headline)
            .label(other, said(there))
            .label(span, said(here))
            .help(advice("write the same `authentication` on all hosts")),
    )
}

fn hmac(here: Part<'_>, there: Part<'_>) -> Option<Diagnostic> {
    let problem = match (&here.instance.hmac, &there.instance.hmac) {
        (None, None) => return None,
        (Some(one), Some(other)) => refused(one, other, there).or_else(|| refused(other, one, here))?,
        (Some(only), None) => alone(only, here, there)?,
        (None, Some(only)) => alone(only, there, here)?,
    };
    let headline = format!("the HMAC settings of VRID {} do not fit: {problem}", here.instance.vrid);
    let make = |span| {
        Diagnostic::warning(Code::ClusterHmac, span, headline)
            .help("give all hosts the same keys, and the same active one: packets that are refused are not heard, and two hosts are master")
    };
    let said = |part: Part<'_>| match part.instance.hmac {
        Some(_) => format!("{} has keys", part.host),
        None => format!("{} has no keys", part.host),
    };
    differ(make, "auth_hmac", (here, said(here)), (there, said(there)))
}

/// What the `receiver` refuses of what is signed with the active key of `sender`.
fn refused(sender: &Hmac, receiver: &Hmac, host: Part<'_>) -> Option<String> {
    if receiver.mode == HmacMode::Permissive || sender.mode == HmacMode::ReceiveOnly {
        return match (sender.mode, receiver.mode) {
            (HmacMode::ReceiveOnly, HmacMode::Enforce) => {
                Some(format!("{} takes only signed packets, and the other host signs none", host.host))
            }
            _ => None,
        };
    }
    let active = sender.keys.iter().find(|key| key.id == sender.active)?;
    match receiver.keys.iter().find(|key| key.id == active.id) {
        None => {
            Some(format!("{} does not have the key {} that the other host signs with", host.host, active.id))
        }
        Some(key) if key.source != active.source => {
            Some(format!("the key {} of {} is another one than that of the other host", active.id, host.host))
        }
        Some(_) => None,
    }
}

fn alone(only: &Hmac, with: Part<'_>, without: Part<'_>) -> Option<String> {
    (only.mode == HmacMode::Enforce)
        .then(|| format!("{} takes only signed packets, and {} signs none", with.host, without.host))
}

fn checksum(here: Part<'_>, there: Part<'_>) -> Option<Diagnostic> {
    let (one, other) = (here.instance.v3_checksum_as_v2, there.instance.v3_checksum_as_v2);
    if one == other || here.instance.version != Version::V3 {
        return None;
    }
    let headline = format!("the hosts make the checksums of VRID {} differently", here.instance.vrid);
    let make = |span| {
        Diagnostic::warning(Code::ClusterChecksum, span, headline)
            .help(advice("write `v3_checksum_as_v2` on all hosts, or on none"))
    };
    let said = |part: Part<'_>| {
        let how = if part.instance.v3_checksum_as_v2 { "as in version 2" } else { "with a pseudo header" };
        format!("{}: {how}", part.host)
    };
    differ(make, "v3_checksum_as_v2", (here, said(here)), (there, said(there)))
}
