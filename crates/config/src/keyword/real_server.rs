//! `real_server`.

use super::{BOOL, Block, FLAG, Keyword, SCRIPT, built, grammar, integer, later, micros, needed, word};

/// `real_server`.
#[rustfmt::skip] // A table reads best with its status in one column.
pub(super) const REAL_SERVER: &[Keyword] = &[
    built("weight", integer(0..=2_147_483_647)).or("weight of the virtual server")
        .doc("Sets the relative weight."),
    built("lvs_method", grammar("NAT | DR | TUN [type {ipip | gue port 1..65535 | gre}] [nocsum|csum|remcsum]"))
        .or("method of the virtual server")
        .such_as("lvs_method DR")
        .doc("Sets the forwarding method. lb_kind is not accepted here."),
    built("uthreshold", integer(0..=4_294_967_295)).or("0 (no limit)")
        .doc("Sets the connection limit."),
    built("lthreshold", integer(0..=4_294_967_295)).or_number(0)
        .doc("Sets the level below which connections resume."),
    built("inhibit_on_failure", BOOL).or("value of the virtual server")
        .doc("Sets weight 0 instead of removing a failed server."),
    built("notify_up", SCRIPT)
        .doc("Runs a command when the server comes up. Only one."),
    built("notify_down", SCRIPT)
        .doc("Runs a command when the server goes down. Only one."),
    built("alpha", BOOL).or("value of the virtual server")
        .doc("Assumes the server down until the first check passes."),
    built("retry", integer(1..=4_294_967_295)).or("value of the virtual server")
        .doc("Sets the default retries of checkers."),
    built("delay_before_retry", micros(0..=u64::MAX)).or("value of the virtual server")
        .such_as("delay_before_retry 2")
        .doc("Sets the default pause before a retry."),
    built("warmup", micros(0..=u64::MAX)).or("value of the virtual server")
        .such_as("warmup 10")
        .doc("Sets the default maximum random delay of the first check."),
    built("connect_timeout", micros(1..=4_294_967_295)).or("value of the virtual server")
        .doc("Sets the default connection timeout of checkers."),
    built("delay_loop", micros(1..=u64::MAX - 1)).or("value of the virtual server")
        .such_as("delay_loop 5")
        .doc("Sets the default time between checks."),
    built("smtp_alert", BOOL).or("value of smtp_alert_checker, then smtp_alert, then true")
        .such_as("smtp_alert off")
        .doc("Mails state changes of the server."),
    built("virtualhost", word("STRING")).or("value of the virtual server")
        .such_as("virtualhost www.example.com")
        .doc("Sets the default HTTP host name of checks."),
    later("snmp_name", word("STRING"))
        .such_as("snmp_name web1")
        .doc("Sets a label shown by SNMP."),
    built("HTTP_GET", FLAG).opens(Block::HttpGet)
        .doc("Adds one HTTP check. May repeat."),
    built("SSL_GET", FLAG).opens(Block::SslGet)
        .doc("Adds one HTTPS check. May repeat."),
    built("TCP_CHECK", FLAG).opens(Block::TcpCheck)
        .doc("Adds one TCP connect check. May repeat."),
    built("SMTP_CHECK", FLAG).opens(Block::SmtpCheck)
        .doc("Adds one SMTP dialogue check. May repeat."),
    built("DNS_CHECK", FLAG).opens(Block::DnsCheck).since("1.3.0")
        .doc("Adds one DNS query check. May repeat."),
    built("MISC_CHECK", FLAG).opens(Block::MiscCheck)
        .doc("Adds one external program check. May repeat."),
    needed("BFD_CHECK", FLAG).opens(Block::BfdCheck).since("2.0.0")
        .doc("Adds one BFD session check. May repeat."),
    built("PING_CHECK", FLAG).opens(Block::PingCheck).since("2.1.0")
        .doc("Adds one ICMP echo check. May repeat."),
    built("UDP_CHECK", FLAG).opens(Block::UdpCheck).since("2.1.0")
        .doc("Adds one UDP datagram check. May repeat."),
    built("FILE_CHECK", FLAG).opens(Block::FileCheck).since("2.1.0")
        .doc("Adds one tracked file check. May repeat."),
    built("steadfast", FLAG).opens(Block::RealServerSteadfast).or("values of the virtual server")
        .doc("Holds what keepalived does not know of a real server. Begin each of its lines with @steadfast if keepalived reads the file too."),
];

/// `steadfast` of a virtual or real server.
#[rustfmt::skip] // A table reads best with its status in one column.
pub(super) const STEADFAST: &[Keyword] = &[
    built("drain", micros(0..=86_400_000_000)).or("0 (it leaves at once)")
        .such_as("drain 30")
        .doc("Keeps a server that a reload removes so many seconds with weight 0: connections can end, and no new ones come but those of clients that persistence binds to it."),
    built("slow_start", micros(0..=86_400_000_000)).or("0 (all of its weight at once)")
        .such_as("slow_start 60")
        .doc("Lets the weight of a server that comes up grow from 1 to what it should be in so many seconds. With a weight of 1 nothing can grow."),
];

/// `steadfast` of a real server alone.
#[rustfmt::skip] // A table reads best with its status in one column.
pub(super) const REAL_SERVER_STEADFAST: &[Keyword] = &[
    built("GRPC_CHECK", FLAG).opens(Block::GrpcCheck)
        .doc("Adds one gRPC health check (grpc.health.v1). May repeat."),
];
