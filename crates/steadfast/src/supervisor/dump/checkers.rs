//! The checkers of real servers, and what they say.

use std::time::Duration;

use lvs::CheckerProgress;
use model::lvs::{
    Check, Checker, Connection, DnsType, HttpCheck, HttpVersion, Outcome, Payload, Probe, RealServer, Regex,
    Request, ServerName, TlsOptions, UdpCheck, VirtualServer,
};

use super::page::{Page, micros, yes};
use super::pools::Pools;
use super::{Scene, command};

/// Every checker that there is: those that ask, and then those that look at files.
pub(super) fn write(scene: &Scene<'_>, pools: &Pools<'_>, page: &mut Page) {
    page.title("Health checkers");
    for looks_at_file in [false, true] {
        for server in &scene.config.lvs.virtual_servers {
            for real in &server.real_servers {
                let each = real.checkers.iter().enumerate();
                for (at, checker) in each.filter(|(_, one)| matches!(one, Checker::File(_)) == looks_at_file)
                {
                    page.line(1, title(server, real));
                    let standing = pools.standing(server, Some(real));
                    let up = standing.and_then(|standing| standing.of_checker(checker));
                    let progress = pools.checker(server, real, at);
                    write_checker(scene, checker, &Known { up, progress }, page);
                }
            }
        }
    }
}

/// `[192.0.2.1]:tcp:80 -> [10.0.0.1]:tcp:80`.
pub(super) fn title(server: &VirtualServer, real: &RealServer) -> String {
    let name = lvs::server_name(&server.service, real.address, real.port);
    format!("{} -> {name}", lvs::service_name(server))
}

/// What is known of a checker.
struct Known<'a> {
    up: Option<bool>,
    progress: Option<&'a CheckerProgress>,
}

fn write_checker(scene: &Scene<'_>, checker: &Checker, known: &Known<'_>, page: &mut Page) {
    let progress = known.progress;
    if let Some(progress) = progress {
        page.line(3, format_args!("Enabled = {}", yes(progress.is_awake)));
    }
    if let Some(up) = known.up {
        page.line(3, format_args!("Up = {}", yes(up)));
    }
    if let Some(progress) = progress {
        page.line(3, format_args!("Has run = {}", yes(progress.has_told)));
        page.line(3, format_args!("Current weight = {}", progress.offset));
    }
    match checker {
        Checker::Probe(probe) => write_probe(scene, probe, known, page),
        Checker::Bfd(bfd) => {
            page.line(3, format_args!("Alpha = {}", yes(bfd.alpha)));
            page.line(3, "Keepalive method = BFD_CHECK");
            page.line(3, format_args!("Name = {}", bfd.session));
        }
        Checker::File(file) => {
            page.line(3, "Log all failures = no");
            page.line(3, "Keepalive method = FILE_CHECK");
            page.line(5, format_args!("Tracked file = {}", file.file));
            // keepalived says so after a reload too.
            page.line(5, "Reloaded = No");
        }
    }
}

fn write_probe(scene: &Scene<'_>, probe: &Probe, known: &Known<'_>, page: &mut Page) {
    page.line(3, format_args!("Alpha = {}", yes(probe.alpha)));
    let us = |span: Duration| format!("{} us", span.as_micros());
    page.line(3, format_args!("Delay loop = {}", us(probe.interval)));
    page.line(3, format_args!("Warmup = {}", us(probe.warmup)));
    page.line(3, format_args!("Retries = {}", probe.retry));
    page.line(3, format_args!("Delay before retry = {}", us(probe.delay_before_retry)));
    if let Some(progress) = known.progress {
        page.line(3, format_args!("Retries iterations = {}", progress.failures));
    }
    page.line(3, format_args!("Default delay before retry = {}", us(usual_delay(&probe.check))));
    page.line(3, format_args!("Log all failures = {}", yes(probe.log_all_failures)));
    write_check(scene, &probe.check, page);
    write_last(scene, &probe.check, known, page);
}

/// What `delay_before_retry` is if the file does not say; 0 for the time between checks.
const fn usual_delay(check: &Check) -> Duration {
    match check {
        Check::Http(_) => Duration::from_secs(3),
        Check::Dns(_) => Duration::ZERO,
        Check::Tcp(_) | Check::Smtp(_) | Check::Ping(_) | Check::Udp(_) | Check::Grpc(_) | Check::Misc(_) => {
            Duration::from_secs(1)
        }
    }
}

fn write_check(scene: &Scene<'_>, check: &Check, page: &mut Page) {
    let mut over = |connection: &Connection, method: &str| {
        write_connection(connection, page);
        page.line(3, format_args!("Keepalive method = {method}"));
    };
    match check {
        Check::Tcp(connection) => over(connection, "TCP_CHECK"),
        Check::Ping(connection) => over(connection, "PING_CHECK"),
        Check::Udp(udp) => {
            over(&udp.connection, "UDP_CHECK");
            write_udp(udp, page);
        }
        Check::Dns(dns) => {
            over(&dns.connection, "DNS_CHECK");
            page.line(3, format_args!("Type = {}", record(dns.kind)));
            page.line(3, format_args!("Name = {}", dns.name));
        }
        Check::Smtp(smtp) => {
            over(&smtp.connection, "SMTP_CHECK");
            page.line(3, format_args!("helo = {}", smtp.helo));
        }
        Check::Grpc(grpc) => {
            over(&grpc.connection, "GRPC_CHECK");
            page.line(3, format_args!("Service = {}", grpc.service));
        }
        Check::Http(http) => {
            let method = if http.tls.is_some() { "SSL_GET" } else { "HTTP_GET" };
            over(&http.connection, &format!("{method}, http protocol {}", version(http)));
            write_http(scene, http, page);
        }
        Check::Misc(misc) => {
            page.line(3, "Keepalive method = MISC_CHECK");
            page.line(3, format_args!("script = {}", command::words(&misc.command)));
            page.line(3, format_args!("timeout = {}", misc.timeout.as_secs()));
            page.line(3, format_args!("dynamic = {}", if misc.dynamic { "YES" } else { "NO" }));
            page.line(3, format_args!("uid:gid = {}", scene.users.numbers(&misc.command.run_as)));
        }
    }
}

fn write_connection(connection: &Connection, page: &mut Page) {
    page.line(3, "Connection");
    let port = connection.port.map_or(0, std::num::NonZeroU16::get);
    page.line(5, format_args!("Dest = [{}]:{port}", connection.address));
    if let Some(local) = &connection.local {
        let port = local.port.map_or(0, std::num::NonZeroU16::get);
        if let Some(address) = local.address {
            page.line(5, format_args!("Bind to = [{address}]:{port}"));
        } else if port != 0 {
            page.line(5, format_args!("Bind to = :{port}"));
        }
        if let Some(interface) = &local.interface {
            page.line(5, format_args!("Bind i/f = {interface}"));
        }
    }
    if connection.mark != 0 {
        page.line(5, format_args!("Mark = {}", connection.mark));
    }
    page.line(5, format_args!("Timeout = {}", micros(connection.timeout)));
}

fn write_udp(udp: &UdpCheck, page: &mut Page) {
    if let Payload::Bytes(bytes) = &udp.payload {
        page.line(3, format_args!("Payload len = {}", bytes.len()));
    }
    page.line(3, format_args!("Require reply = {}", yes(udp.reply.is_some())));
    let Some(reply) = &udp.reply else { return };
    page.line(5, format_args!("Min reply length = {}", udp.min_reply));
    page.line(5, format_args!("Max reply length = {}", udp.max_reply));
    page.line(5, format_args!("Reply data len = {}", reply.len()));
    page.line(5, format_args!("Reply data mask = {}", yes(reply.iter().any(|nibbles| nibbles.mask != 0xff))));
}

const fn record(kind: DnsType) -> &'static str {
    match kind {
        DnsType::A => "A",
        DnsType::Ns => "NS",
        DnsType::Cname => "CNAME",
        DnsType::Soa => "SOA",
        DnsType::Mx => "MX",
        DnsType::Txt => "TXT",
        DnsType::Aaaa => "AAAA",
        DnsType::Rrsig => "RRSIG",
        DnsType::Dnskey => "DNSKEY",
    }
}

const fn version(http: &HttpCheck) -> &'static str {
    match http.version {
        _ if http.http2 => "2",
        HttpVersion::V10 => "1.0",
        HttpVersion::V10Close => "1.0C",
        HttpVersion::V10CloseShort => "1.0c",
        HttpVersion::V11 => "1.1",
    }
}

fn write_http(scene: &Scene<'_>, http: &HttpCheck, page: &mut Page) {
    let set = |value| if value { "set" } else { "unset" };
    let name = http.tls.as_ref().and_then(|tls: &TlsOptions| tls.server_name.as_ref());
    page.line(3, format_args!("Enable SNI {}", set(name.is_some())));
    if let Some(ServerName::Name(name)) = name {
        page.line(3, format_args!("SNI name = {name}"));
    }
    page.line(3, format_args!("Fast recovery {}", set(http.fast_recovery)));
    http.requests.iter().for_each(|request| write_request(scene, request, page));
}

/// What came of the last check.
fn write_last(scene: &Scene<'_>, check: &Check, known: &Known<'_>, page: &mut Page) {
    let Some(progress) = known.progress else { return };
    match (check, &progress.outcome) {
        (Check::Misc(_), Some(outcome)) => {
            page.line(3, format_args!("Last ran = {}", scene.clocks.stamp(progress.began)));
            if let Some(status) = status(outcome) {
                page.line(3, format_args!("Last status = {status}"));
            }
        }
        (Check::Http(http), Some(Outcome::Failed(reason))) => {
            // The reason names the page if there are several.
            let named =
                http.requests.iter().find(|request| reason.starts_with(&format!("{}: ", request.path)));
            if let Some(request) = named.or_else(|| http.requests.first()) {
                page.line(3, format_args!("Failed URL = {}", request.path));
            }
        }
        _ => {}
    }
}

/// What a program left with, if it did.
fn status(outcome: &Outcome) -> Option<u32> {
    match outcome {
        Outcome::Passed => Some(0),
        Outcome::PassedWithWeight(weight) => Some(weight + 2),
        Outcome::Failed(reason) => reason.rsplit_once("exited with status ")?.1.parse().ok(),
        Outcome::Unknown(_) => None,
    }
}

fn write_request(scene: &Scene<'_>, request: &Request, page: &mut Page) {
    page.line(3, format_args!("Checked url = {}", request.path));
    if let Some(digest) = &request.digest {
        let digits: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        page.line(5, format_args!("digest = {digits}"));
    }
    page.line(5, "HTTP Status Code(s)");
    for range in request.status.ranges() {
        if range.first == range.last {
            page.line(7, range.first);
        } else {
            page.line(7, format_args!("{}-{}", range.first, range.last));
        }
    }
    if let Some(host) = &request.host {
        page.line(5, format_args!("Virtual host = {host}"));
    }
    if let Some(regex) = &request.regex {
        write_regex(scene, regex, page);
    }
}

fn write_regex(scene: &Scene<'_>, regex: &Regex, page: &mut Page) {
    page.line(5, format_args!("Regex = \"{}\"", regex.pattern));
    if regex.inverted {
        page.line(5, "Regex no match");
    }
    if regex.min_offset != 0 || regex.max_offset.is_some() {
        let most = regex.max_offset.unwrap_or(0);
        page.line(5, format_args!("Regex min offset = {}, max_offset = {most}", regex.min_offset));
    }
    let options: String = regex.options.iter().map(|option| format!(" {}", option.name())).collect();
    page.line(5, format_args!("Regex options:{options}"));
    page.line(5, format_args!("Regex ref count = {}", scene.uses(regex)));
}
