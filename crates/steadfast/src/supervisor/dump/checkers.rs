//! The checkers of real servers, and what they say.

use std::collections::BTreeMap;
use std::time::Duration;

use lvs::{Remembered, Standing, Subject};
use model::ipvs::DestinationKey;
use model::lvs::{
    Check, Checker, Connection, DnsType, HttpCheck, HttpVersion, Payload, Probe, RealServer, Regex, Request,
    ServerName, TlsOptions, UdpCheck, VirtualServer,
};

use super::page::{Page, micros, yes};
use super::{Scene, command};

/// What the check worker has told of each server.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pools<'a>(pub(super) &'a BTreeMap<Subject, Remembered>);

impl<'a> Pools<'a> {
    /// How a real server stands, or the virtual server itself; `None` if nothing has been told.
    pub(super) fn standing(&self, of: &VirtualServer, real: Option<&RealServer>) -> Option<&'a Standing> {
        let server = real.map(|real| DestinationKey { address: real.address, port: real.port });
        let subject = Subject { service: of.service.clone(), server };
        self.0.get(&subject)?.state.as_ref()
    }
}

/// Every checker that there is.
pub(super) fn write(scene: &Scene<'_>, pools: &Pools<'_>, page: &mut Page) {
    page.title("Health checkers");
    for server in &scene.config.lvs.virtual_servers {
        for real in &server.real_servers {
            let standing = pools.standing(server, Some(real));
            for checker in &real.checkers {
                let name = lvs::server_name(&server.service, real.address, real.port);
                page.line(1, format_args!("{} -> {name}", lvs::service_name(&server.service)));
                let up = standing.and_then(|standing| standing.of_checker(checker));
                write_checker(scene, checker, up, standing, page);
            }
        }
    }
}

fn write_checker(
    scene: &Scene<'_>,
    checker: &Checker,
    up: Option<bool>,
    standing: Option<&Standing>,
    page: &mut Page,
) {
    if let Some(up) = up {
        page.line(3, format_args!("Up = {}", yes(up)));
    }
    match checker {
        Checker::Probe(probe) => write_probe(scene, probe, standing, page),
        Checker::Bfd(bfd) => {
            page.line(3, format_args!("Alpha = {}", yes(bfd.alpha)));
            page.line(3, "Keepalive method = BFD_CHECK");
            page.line(3, format_args!("Name = {}", bfd.session));
        }
        Checker::File(file) => {
            page.line(3, "Keepalive method = FILE_CHECK");
            page.line(5, format_args!("Tracked file = {}", file.file));
        }
    }
}

fn write_probe(scene: &Scene<'_>, probe: &Probe, standing: Option<&Standing>, page: &mut Page) {
    if let Some(weight) = standing.and_then(|standing| standing.weight) {
        page.line(3, format_args!("Current weight = {weight}"));
    }
    page.line(3, format_args!("Alpha = {}", yes(probe.alpha)));
    let us = |span: Duration| format!("{} us", span.as_micros());
    page.line(3, format_args!("Delay loop = {}", us(probe.interval)));
    page.line(3, format_args!("Warmup = {}", us(probe.warmup)));
    page.line(3, format_args!("Retries = {}", probe.retry));
    page.line(3, format_args!("Delay before retry = {}", us(probe.delay_before_retry)));
    page.line(3, format_args!("Log all failures = {}", yes(probe.log_all_failures)));
    let mut over = |connection: &Connection, method: &str| {
        write_connection(connection, page);
        page.line(3, format_args!("Keepalive method = {method}"));
    };
    match &probe.check {
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
            write_http(http, page);
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

fn write_http(http: &HttpCheck, page: &mut Page) {
    let set = |value| if value { "set" } else { "unset" };
    let name = http.tls.as_ref().and_then(|tls: &TlsOptions| tls.server_name.as_ref());
    page.line(3, format_args!("Enable SNI {}", set(name.is_some())));
    if let Some(ServerName::Name(name)) = name {
        page.line(3, format_args!("SNI name = {name}"));
    }
    page.line(3, format_args!("Fast recovery {}", set(http.fast_recovery)));
    http.requests.iter().for_each(|request| write_request(request, page));
}

fn write_request(request: &Request, page: &mut Page) {
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
        write_regex(regex, page);
    }
}

fn write_regex(regex: &Regex, page: &mut Page) {
    page.line(5, format_args!("Regex = \"{}\"", regex.pattern));
    if regex.inverted {
        page.line(5, "Regex no match");
    }
    if regex.min_offset != 0 || regex.max_offset.is_some() {
        let most = regex.max_offset.unwrap_or(0);
        page.line(5, format_args!("Regex min offset = {}, max_offset = {most}", regex.min_offset));
    }
    let options: String = regex.options.iter().map(|option| format!(" {}", option.name())).collect();
    if !options.is_empty() {
        page.line(5, format_args!("Regex options:{options}"));
    }
}
