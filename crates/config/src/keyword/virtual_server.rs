//! `virtual_server`, its groups, and the TLS credentials of checkers.

use super::{BOOL, Block, FLAG, Keyword, SCRIPT, built, choice, grammar, integer, later, micros, word};

/// `virtual_server`.
#[rustfmt::skip] // A table reads best with its status in one column.
pub(super) const VIRTUAL_SERVER: &[Keyword] = &[
    built("ip_family", choice(&["inet", "inet6"])).or("from addresses").since("1.2.20")
        .such_as("ip_family inet")
        .doc("Sets the address family. Needed only for fwmark services with tunnelled servers."),
    built("retry", integer(1..=4_294_967_295)).or("per checker").since("1.3.7")
        .doc("Sets the default retries of checkers."),
    built("delay_before_retry", micros(0..=u64::MAX)).or("per checker").since("1.3.7")
        .such_as("delay_before_retry 2")
        .doc("Sets the default pause before a retry."),
    built("warmup", micros(0..=u64::MAX)).or("value of delay_loop").since("1.3.7")
        .such_as("warmup 10")
        .doc("Sets the default maximum random delay of the first check."),
    built("connect_timeout", micros(1..=4_294_967_295)).or_number(5)
        .doc("Sets the default connection timeout of checkers."),
    built("delay_loop", micros(1..=u64::MAX - 1)).or_number(60)
        .such_as("delay_loop 5")
        .doc("Sets the default time between checks."),
    built("inhibit_on_failure", FLAG)
        .doc("Makes real servers default to weight 0 instead of removal on failure."),
    built("lvs_sched", choice(&["rr", "wrr", "lc", "wlc", "lblc", "sh", "mh", "dh", "fo", "ovf", "lblcr", "sed", "nq", "twos"]))
        .or("wlc (with a warning)")
        .such_as("lvs_sched wrr")
        .doc("Sets the scheduler."),
    built("lb_algo", grammar("as lvs_sched")).or("wlc (with a warning)").alias_of("lvs_sched")
        .such_as("lb_algo wrr")
        .doc("Sets the scheduler."),
    built("hashed", FLAG).since("1.3.0")
        .doc("Is accepted for old configurations. Legacy. Does nothing, and is reported as an error unless the scheduler is sh or mh."),
    built("ops", FLAG).since("1.2.8")
        .doc("Turns on one packet scheduling. UDP or fwmark only."),
    built("flag-1", FLAG).since("1.3.0")
        .doc("Turns on scheduler flag 1."),
    built("flag-2", FLAG).since("1.3.0")
        .doc("Turns on scheduler flag 2."),
    built("flag-3", FLAG).since("1.3.0")
        .doc("Turns on scheduler flag 3."),
    built("sh-port", FLAG).since("1.3.0")
        .doc("Includes the port in the source hash. Scheduler sh must be set before."),
    built("sh-fallback", FLAG).since("1.3.0")
        .doc("Falls back to another server in source hashing. Scheduler sh must be set before."),
    built("mh-port", FLAG).since("2.0.20")
        .doc("Includes the port in the Maglev hash. Scheduler mh must be set before."),
    built("mh-fallback", FLAG).since("2.0.20")
        .doc("Falls back to another server in Maglev hashing. Scheduler mh must be set before."),
    built("lvs_method", grammar("NAT | DR | TUN [type {ipip | gue port 1..65535 | gre}] [nocsum|csum|remcsum]"))
        .or("NAT (with a warning)")
        .such_as("lvs_method DR")
        .doc("Sets the default forwarding method."),
    built("lb_kind", grammar("NAT | DR | TUN [type {ipip | gue port 1..65535 | gre}] [nocsum|csum|remcsum]"))
        .or("NAT (with a warning)").alias_of("lvs_method")
        .such_as("lb_kind DR")
        .doc("Sets the default forwarding method."),
    built("persistence_engine", word("NAME")).since("1.2.20")
        .such_as("persistence_engine sip")
        .doc("Sets the persistence engine. At most 16 characters."),
    built("persistence_timeout", grammar("[INTEGER 1..2678400 seconds]")).or("off; bare = 360")
        .such_as("persistence_timeout 600")
        .doc("Makes the service persistent."),
    built("persistence_granularity", grammar("IPv4 NETMASK | IPv6 prefix INTEGER 1..128")).or("single hosts")
        .such_as("persistence_granularity 255.255.255.0")
        .doc("Sets the client mask of persistence. Also turns on persistence with 360 seconds."),
    built("protocol", choice(&["TCP", "UDP", "SCTP"])).or("UDP (with a warning); ignored for fwmarks")
        .such_as("protocol TCP")
        .doc("Sets the transport protocol. Case does not matter."),
    built("ha_suspend", FLAG)
        .doc("Suspends checks while the service address is absent. Not with fwmarks."),
    built("smtp_alert", BOOL).or("value of smtp_alert_checker, then smtp_alert, then false").since("2.0.0")
        .doc("Mails quorum changes."),
    built("virtualhost", word("STRING"))
        .such_as("virtualhost www.example.com")
        .doc("Sets the default HTTP host name of checks."),
    later("snmp_name", word("STRING"))
        .such_as("snmp_name web")
        .doc("Sets a label shown by SNMP."),
    built("alpha", FLAG)
        .doc("Assumes real servers down until the first check passes."),
    built("omega", FLAG)
        .doc("Runs down notifications at shutdown."),
    built("quorum_up", SCRIPT)
        .doc("Runs a command when quorum is gained. Only one."),
    built("quorum_down", SCRIPT)
        .doc("Runs a command when quorum is lost. Only one."),
    built("quorum", integer(1..=4_294_967_295)).or_number(1)
        .doc("Sets the live weight needed. Reduced to the total weight."),
    built("hysteresis", integer(0..=4_294_967_295)).or_number(0)
        .doc("Sets the dead band around quorum. Limited to quorum - 1."),
    built("weight", integer(1..=2_147_483_647)).or_number(1)
        .doc("Sets the default weight of real servers."),
    built("sorry_server", grammar("ADDRESS [PORT]"))
        .such_as("sorry_server 192.0.2.30 80")
        .doc("Sets the server used while quorum is lost."),
    built("sorry_server_inhibit", FLAG).since("1.2.13")
        .doc("Keeps the sorry server in the table with weight 0. Must follow sorry_server."),
    built("sorry_server_lvs_method", grammar("NAT | DR | TUN [type {ipip | gue port 1..65535 | gre}] [nocsum|csum|remcsum]"))
        .or("method of the virtual server").since("1.3.6")
        .such_as("sorry_server_lvs_method DR")
        .doc("Sets the forwarding method of the sorry server. Must follow sorry_server."),
    built("real_server", grammar("ADDRESS [PORT]")).opens(Block::RealServer).or("at least one required")
        .such_as("real_server 192.0.2.21 80")
        .doc("Adds one real server. Duplicates are removed."),
    built("steadfast", FLAG).opens(Block::ServerSteadfast)
        .doc("Holds what keepalived does not know: defaults of the real servers. Begin each of its lines with @steadfast if keepalived reads the file too."),
];

/// Entries of `virtual_server_group`.
#[rustfmt::skip] // A table reads best with its status in one column.
pub(super) const SERVER_GROUP: &[Keyword] = &[
    built("(address)", grammar("ADDRESS [PORT] | ADDRESS-LAST [PORT] | ADDRESS-ADDRESS [PORT] | ADDRESS/PREFIX [PORT]"))
        .or("no port")
        .such_as("192.0.2.10-12 80")
        .doc("Adds one service address or range. LAST is decimal 0..255 for IPv4, hex 0..ffff for IPv6. Host bits must be zero with PREFIX."),
    built("fwmark", grammar("INTEGER 0..4294967295 [inet|inet6]")).or("family from servers")
        .such_as("fwmark 5")
        .doc("Adds one firewall mark service."),
];

/// `SSL`.
#[rustfmt::skip] // A table reads best with its status in one column.
pub(super) const SSL: &[Keyword] = &[
    built("password", word("STRING")).secret()
        .such_as("password sesame")
        .doc("Sets the pass phrase of the key, and of the keys that checkers name themselves. Keys are to be PKCS#8 (BEGIN ENCRYPTED PRIVATE KEY)."),
    built("ca", word("PATH"))
        .such_as("ca /etc/ssl/ca.pem")
        .doc("Sets the CA file, for checks with verify_certificate. Others verify nothing, as with keepalived."),
    built("certificate", word("PATH"))
        .such_as("certificate /etc/ssl/lb.pem")
        .doc("Sets the certificate file."),
    built("key", word("PATH"))
        .such_as("key /etc/ssl/lb.key")
        .doc("Sets the private key file."),
];
