//! Checkers of a real server. What several have in common stands in one table.

use super::{
    ADDRESS, BOOL, Block, FLAG, IFNAME, Keyword, USER, built, choice, grammar, integer, later, micros,
    whole_seconds, word,
};

/// How a checker connects.
#[rustfmt::skip] // A table reads best with its status in one column.
pub(super) const CONNECTION: &[Keyword] = &[
    built("connect_ip", ADDRESS).or("address of the real server").since("1.2.13")
        .doc("Sets the address to connect to."),
    built("connect_port", integer(1..=65535)).or("port of the real server")
        .doc("Sets the port to connect to."),
    built("bindto", ADDRESS).or("chosen by kernel")
        .doc("Sets the local address."),
    built("bind_port", integer(1..=65535)).or("chosen by kernel").since("1.2.13")
        .doc("Sets the local port."),
    built("bind_if", IFNAME).since("1.3.7")
        .doc("Sets the local interface. Needed for IPv6 link local addresses."),
    built("connect_timeout", micros(1..=4_294_967_295)).or("value of the real server")
        .doc("Sets the connection timeout."),
    built("fwmark", integer(0..=4_294_967_295)).or_number(0).since("1.2.13")
        .doc("Marks the packets of the check."),
];

/// How often a checker runs.
#[rustfmt::skip] // A table reads best with its status in one column.
pub(super) const PACE: &[Keyword] = &[
    built("warmup", micros(0..=u64::MAX)).or("value of the real server, else delay_loop")
        .since("1.2.13")
        .such_as("warmup 10")
        .doc("Sets the maximum random delay of the first check."),
    built("delay_loop", micros(1..=u64::MAX - 1)).or("value of the real server")
        .since("1.3.7")
        .such_as("delay_loop 5")
        .doc("Sets the time between checks."),
    built("alpha", BOOL).or("value of the real server").since("1.3.7")
        .doc("Assumes the check failed until it passes once."),
    built("log_all_failures", BOOL).since("2.0.11")
        .doc("Logs every failure while up."),
];

/// How a checker retries.
#[rustfmt::skip] // A table reads best with its status in one column.
pub(super) const RETRY: &[Keyword] = &[
    built("retry", integer(0..=4_294_967_295)).or("value of the real server, else 1").since("1.3.7")
        .doc("Sets the retries before failure is declared."),
    built("delay_before_retry", micros(0..=u64::MAX)).or("value of the real server, else 3")
        .such_as("delay_before_retry 2")
        .doc("Sets the pause before a retry."),
];

/// `HTTP_GET` and `SSL_GET`.
#[rustfmt::skip] // A table reads best with its status in one column.
pub(super) const HTTP: &[Keyword] = &[
    built("nb_get_retry", integer(0..=4_294_967_295)).or("as retry").alias_of("retry")
        .doc("Sets the retries before failure is declared."),
    built("virtualhost", word("STRING")).or("value of the real server").since("1.3.6")
        .such_as("virtualhost www.example.com")
        .doc("Sets the HTTP host name."),
    built("http_protocol", grammar("1.0 | 1.0C | 1.0c | 1.1")).or("1.0").since("2.0.17")
        .such_as("http_protocol 1.1")
        .doc("Chooses the HTTP version of requests."),
    built("enable_sni", BOOL).since("1.4.3")
        .doc("Sends the server name in the TLS handshake. No use without TLS."),
    built("sni_name", grammar("[STRING] (bare clears it)")).or("host name in use").since("2.4.4")
        .such_as("sni_name www.example.com")
        .doc("Sets the server name to send. No use without TLS."),
    built("fast_recovery", BOOL).since("2.0.17")
        .doc("Checks several urls without pause at start and recovery."),
];

/// `HTTP_GET` alone.
#[rustfmt::skip] // A table reads best with its status in one column.
pub(super) const HTTP_GET: &[Keyword] = &[
    built("steadfast", FLAG).opens(Block::HttpSteadfast)
        .doc("Holds what keepalived does not know of a check. Begin each of its lines with @steadfast if keepalived reads the file too."),
    built("url", FLAG).opens(Block::Url).or("at least one required")
        .doc("Adds one request of the check. May repeat."),
];

/// `SSL_GET` alone.
#[rustfmt::skip] // A table reads best with its status in one column.
pub(super) const SSL_GET: &[Keyword] = &[
    built("steadfast", FLAG).opens(Block::SslSteadfast)
        .doc("Holds what keepalived does not know of a check. Begin each of its lines with @steadfast if keepalived reads the file too."),
    built("tls_compliant", BOOL).since("2.2.8")
        .doc("Sends a close alert at the end of TLS sessions."),
    built("url", FLAG).opens(Block::SslUrl).or("at least one required")
        .doc("Adds one request of the check. May repeat."),
];

/// `steadfast` of `HTTP_GET` and `SSL_GET`.
#[rustfmt::skip] // A table reads best with its status in one column.
pub(super) const HTTP_STEADFAST: &[Keyword] = &[
    built("http_version", choice(&["2"])).or("as http_protocol says")
        .such_as("http_version 2")
        .doc("Speaks HTTP/2: over TLS by ALPN, in the clear without asking first."),
];

/// What a checker does with certificates.
#[rustfmt::skip] // A table reads best with its status in one column.
pub(super) const TLS: &[Keyword] = &[
    built("verify_certificate", grammar("[CA-FILE]")).or("off; bare = ca of SSL, else the authorities of the system")
        .such_as("verify_certificate /etc/ssl/ca.pem")
        .doc("Fails a server whose certificate is not signed by these authorities, has ended, or is for another name."),
    built("certificate_expiry_warning", integer(1..=3650))
        .such_as("certificate_expiry_warning 14")
        .doc("Warns once a day of a certificate that ends in so many days or has ended. The check passes."),
    built("certificate", word("PATH")).or("certificate of SSL")
        .such_as("certificate /etc/ssl/check.pem")
        .doc("Sets the certificate to show to a server that asks for one. The file may hold the key, too."),
    built("key", word("PATH")).or("the file of certificate")
        .such_as("key /etc/ssl/check.key")
        .doc("Sets the private key of the certificate. Its pass phrase is password of SSL."),
];

/// `GRPC_CHECK`.
#[rustfmt::skip] // A table reads best with its status in one column.
pub(super) const GRPC: &[Keyword] = &[
    built("service", word("NAME")).or("the server as a whole")
        .such_as("service shop.v1.Cart")
        .doc("Sets the service whose health is asked for."),
    built("virtualhost", word("STRING")).or("value of the real server, else its address")
        .such_as("virtualhost www.example.com")
        .doc("Sets whom requests and the TLS handshake name."),
    built("tls", FLAG)
        .doc("Speaks TLS. Needed for the other keywords about certificates."),
];

/// `url`.
#[rustfmt::skip] // A table reads best with its status in one column.
pub(super) const URL: &[Keyword] = &[
    built("path", word("STRING")).required()
        .such_as("path /health")
        .doc("Sets the path requested."),
    built("digest", grammar("32 hex digits"))
        .such_as("digest d41d8cd98f00b204e9800998ecf8427e")
        .doc("Sets the expected digest of the body. MD5."),
    built("status_code", grammar("CODE | CODE-CODE ... each 100..599")).or("200-299")
        .such_as("status_code 200 301-302")
        .doc("Sets the accepted status codes. May repeat. Words add up."),
    built("virtualhost", word("STRING")).or("value of the checker").since("1.3.6")
        .such_as("virtualhost www.example.com")
        .doc("Sets the HTTP host name of this request."),
    built("regex", grammar("one word or quoted string with escapes")).since("2.0.7")
        .such_as("regex \"^ok\"")
        .doc("Sets a pattern the body must match."),
    built("regex_no_match", FLAG).since("2.0.7")
        .doc("Inverts the pattern result."),
    built("regex_options", grammar("allow_empty_class alt_bsux auto_callout caseless dollar_endonly dotall dupnames extended firstline match_unset_backref multiline never_ucp never_utf no_auto_capture no_auto_possess no_dotstar_anchor no_start_optimize ucp ungreedy utf never_backslash_c alt_circumflex alt_verbnames use_offset_limit"))
        .since("2.0.7")
        .such_as("regex_options caseless multiline")
        .doc("Sets pattern compile options. Any number of words."),
    built("regex_min_offset", grammar("INTEGER >= 0")).or_number(0).since("2.0.7")
        .such_as("regex_min_offset 10")
        .doc("Sets where matching may start at the earliest."),
    built("regex_max_offset", grammar("INTEGER >= 0")).or("no limit").since("2.0.7")
        .such_as("regex_max_offset 1000")
        .doc("Sets where a match may start at the latest."),
    built("regex_stack", grammar("START MAX")).since("2.0.7")
        .such_as("regex_stack 1024 65536")
        .doc("Sets the sizes of the matching stack. Bytes."),
];

/// `url` of `SSL_GET` alone.
#[rustfmt::skip] // A table reads best with its status in one column.
pub(super) const SSL_URL: &[Keyword] = &[
    built("tls_compliant", BOOL).since("2.2.8")
        .doc("Sends a close alert for this request."),
];

/// `SMTP_CHECK`.
#[rustfmt::skip] // A table reads best with its status in one column.
pub(super) const SMTP: &[Keyword] = &[
    built("helo_name", word("STRING")).or("smtpchecker.keepalived.org")
        .such_as("helo_name lb.example.com")
        .doc("Sets the HELO name."),
    built("host", FLAG).opens(Block::SmtpHost)
        .doc("Adds another address to check. Each block adds a checker."),
];

/// `DNS_CHECK`.
#[rustfmt::skip] // A table reads best with its status in one column.
pub(super) const DNS: &[Keyword] = &[
    built("type", choice(&["A", "NS", "CNAME", "SOA", "MX", "TXT", "AAAA", "RRSIG", "DNSKEY"])).or("SOA")
        .since("1.3.0")
        .such_as("type A")
        .doc("Sets the query type. Case does not matter."),
    built("name", word("NAME")).or(". (root)").since("1.3.0")
        .such_as("name www.example.com")
        .doc("Sets the name asked for. Only one. No empty labels."),
];

/// `MISC_CHECK`.
#[rustfmt::skip] // A table reads best with its status in one column.
pub(super) const MISC: &[Keyword] = &[
    built("misc_path", word("SCRIPT")).required()
        .such_as("misc_path \"/usr/local/bin/probe 192.0.2.21\"")
        .doc("Sets the command to run."),
    built("misc_timeout", whole_seconds(0..=4294)).or("delay_loop of the virtual server")
        .doc("Limits the run time."),
    built("misc_dynamic", FLAG)
        .doc("Uses the exit status to set the weight."),
    built("user", USER).or("global script_user").since("1.3.0")
        .such_as("user daemon")
        .doc("Sets the user and group of the program. An unknown user removes the checker."),
];

/// `FILE_CHECK`.
#[rustfmt::skip] // A table reads best with its status in one column.
pub(super) const FILE: &[Keyword] = &[
    built("track_file", grammar("NAME of a track_file")).required().since("2.1.0")
        .such_as("track_file load")
        .doc("Names the tracked file."),
    built("weight", grammar("INTEGER -2147483647..2147483647 [reverse|noreverse]")).or("weight of the track_file")
        .since("2.1.0")
        .such_as("weight 2")
        .doc("Sets the multiplier of the file value."),
];

/// `BFD_CHECK`.
#[rustfmt::skip] // A table reads best with its status in one column.
pub(super) const BFD: &[Keyword] = &[
    later("name", grammar("NAME of a bfd_instance")).required().since("2.0.0")
        .such_as("name peer")
        .doc("Names the session."),
    later("alpha", BOOL).or("value of the real server").since("2.0.0")
        .doc("Assumes the session down until it comes up."),
];

/// `UDP_CHECK`.
#[rustfmt::skip] // A table reads best with its status in one column.
pub(super) const UDP: &[Keyword] = &[
    built("payload", word("HEX")).or("random data").since("2.2.0")
        .such_as("payload 0a0b0c")
        .doc("Sets the datagram content. Spaces allowed."),
    built("require_reply", grammar("[HEX with x or X as wildcard nibble]")).or("off; bare = any content")
        .since("2.1.0")
        .such_as("require_reply 0axx0c")
        .doc("Requires a reply."),
    built("min_reply_length", integer(0..=65535)).or_number(0).since("2.2.0")
        .doc("Sets the shortest acceptable reply."),
    built("max_reply_length", integer(0..=65535)).or_number(255).since("2.2.0")
        .doc("Sets the longest acceptable reply."),
];
