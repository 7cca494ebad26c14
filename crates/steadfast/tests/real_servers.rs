//! Checks of servers as Debian has them, and of some that lie: healthy, gone, stopped, slow, resetting, with other answers than
//! wanted, with bad certificates; and back. In the virtual machine Debian's keepalived judges them at the same time.

mod common;

#[path = "real_servers/bench.rs"]
mod bench;
#[path = "real_servers/liar.rs"]
mod liar;
#[path = "real_servers/programs.rs"]
mod programs;

use bench::{Bench, Watch, watch};
use lab::wait_until;
use liar::{End, reply, speak};
use programs::{dnsmasq, haproxy, nginx, smtpd};
use rustix::process::Signal;

#[test]
fn nginx_and_its_pages() {
    let Some(mut bench) = Bench::new(&["nginx"]) else { return };
    let web = bench.host("web", "192.168.0.21");
    let blocks = "server {\nlisten 80 default_server;\n\
        if (-f /run/broken) {\nreturn 503;\n}\nif (-f /run/reset) {\nreturn 444;\n}\n\
        location = /teapot {\nreturn 418;\n}\nlocation = /moved {\nreturn 301 /;\n}\n\
        location = /large {\nif (-f /run/slow) {\nlimit_rate 100;\n}\n}\n}\n\
        server {\nlisten 80;\nserver_name shop.example;\nif (-f /run/broken) {\nreturn 503;\n}\n\
        if (-f /run/reset) {\nreturn 444;\n}\nlocation = /shop {\nreturn 200 \"open\\n\";\n}\n}\n";
    let page = "printf 'Release 17 of the shop\\n' > /run/new && mv /run/new /run/www/page";
    web.shell(&format!("mkdir /run/www && {page} && yes 0123456789 | head -n 3000 > /run/www/large"));
    let mut server = nginx(&web, blocks);
    let place = "192.168.0.21 80";
    bench.start(
        "",
        &[
            watch("tcp", place, "TCP_CHECK", ""),
            watch("page", place, "HTTP_GET", "url {\npath /page\n}"),
            // md5sum of the page.
            watch(
                "digest",
                place,
                "HTTP_GET",
                "url {\npath /page\ndigest 8d468603f24bc58eaaceb1bca0a72558\n}",
            ),
            watch(
                "regex",
                place,
                "HTTP_GET",
                "url {\npath /page\nregex \"^release [0-9]+\"\nregex_options caseless\n}",
            ),
            watch(
                "no_match",
                place,
                "HTTP_GET",
                "url {\npath /page\nregex \"[Oo]ut of order\"\nregex_no_match\n}",
            ),
            watch("teapot", place, "HTTP_GET", "url {\npath /teapot\nstatus_code 300-399 418\n}"),
            watch("moved", place, "HTTP_GET", "url {\npath /moved\nstatus_code 301\n}"),
            watch("host", place, "HTTP_GET", "virtualhost shop.example\nurl {\npath /shop\nregex ^open\n}"),
            watch("no_host", place, "HTTP_GET", "url {\npath /shop\n}"),
            watch(
                "two",
                place,
                "HTTP_GET",
                "http_protocol 1.1\nurl {\npath /page\n}\nurl {\npath /teapot\nstatus_code 418\n}",
            ),
            watch("large", place, "HTTP_GET", "url {\npath /large\nregex \"0123456789\\n$\"\n}"),
        ],
    );
    bench.expect_all_but("healthy", &["no_host"]);

    web.shell("echo 'This shop is out of order' > /run/new && mv /run/new /run/www/page");
    bench.expect_all_but("another page", &["no_host", "digest", "regex", "no_match"]);
    web.shell(page);
    bench.expect_all_but("the old page", &["no_host"]);
    web.shell("mv /run/www/page /run/kept");
    bench.expect_all_but("no page", &["no_host", "page", "digest", "regex", "no_match", "two"]);
    web.shell("mv /run/kept /run/www/page");
    bench.expect_all_but("the page again", &["no_host"]);

    web.shell("touch /run/broken");
    bench.expect("out of service", &["tcp"]);
    web.shell("rm /run/broken");
    bench.expect_all_but("in service", &["no_host"]);
    web.shell("touch /run/reset");
    bench.expect("resetting", &["tcp"]);
    web.shell("rm /run/reset");
    bench.expect_all_but("answering", &["no_host"]);

    // The kernel goes on accepting connections.
    server.signal(Signal::STOP).expect("it runs");
    bench.expect("stopped", &["tcp"]);
    server.signal(Signal::CONT).expect("it runs");
    bench.expect_all_but("going on", &["no_host"]);
    server.signal(Signal::KILL).expect("it runs");
    bench.expect("killed", &[]);
    let _server = nginx(&web, blocks);
    bench.expect_all_but("started again", &["no_host"]);
    bench.end();
}

#[test]
fn nginx_with_good_and_bad_certificates() {
    let Some(mut bench) = Bench::new(&["nginx"]) else { return };
    let web = bench.host("web", "192.168.0.21");
    for (name, text) in [
        ("good", include_str!("real_servers/good.pem")),
        ("expired", include_str!("real_servers/expired.pem")),
        ("future", include_str!("real_servers/future.pem")),
    ] {
        web.host.write(&format!("/run/{name}.pem"), text).expect("a file");
    }
    let server = |port: u16, certificate: &str, more: &str| {
        format!(
            "server {{\nlisten {port} ssl;\nssl_certificate /run/{certificate}.pem;\n\
             ssl_certificate_key /run/{certificate}.pem;\n{more}\nif (-f /run/broken) {{\nreturn 503;\n}}\n\
             location / {{\nreturn 200 \"<$ssl_server_name>\\n\";\n}}\n}}\n"
        )
    };
    let blocks = server(443, "good", "")
        + &server(444, "expired", "")
        + &server(445, "future", "")
        + &server(446, "good", "ssl_protocols TLSv1.2;")
        + &server(447, "good", "ssl_protocols TLSv1.3;")
        + &server(448, "good", "ssl_verify_client on;\nssl_client_certificate /run/good.pem;")
        + "server {\nlisten 449;\n}\n";
    let mut process = nginx(&web, &blocks);
    const ROOT: &str = "url {\npath /\n}";
    bench.start(
        "",
        &[
            watch("good", "192.168.0.21 443", "SSL_GET", ROOT),
            watch(
                "sni",
                "192.168.0.21 443",
                "SSL_GET",
                "enable_sni\nvirtualhost shop.example\nurl {\npath /\nregex <shop.example>\n}",
            ),
            watch(
                "no_sni",
                "192.168.0.21 443",
                "SSL_GET",
                "virtualhost shop.example\nurl {\npath /\nregex <shop.example>\n}",
            ),
            watch("expired", "192.168.0.21 444", "SSL_GET", ROOT),
            watch("future", "192.168.0.21 445", "SSL_GET", ROOT),
            watch("tls12", "192.168.0.21 446", "SSL_GET", ROOT),
            watch("tls13", "192.168.0.21 447", "SSL_GET", ROOT),
            watch("wants_certificate", "192.168.0.21 448", "SSL_GET", ROOT),
            watch("plain", "192.168.0.21 449", "SSL_GET", ROOT),
        ],
    );
    let never = ["no_sni", "wants_certificate", "plain"];
    bench.expect_all_but("healthy", &never);
    web.shell("touch /run/broken");
    bench.expect("out of service", &[]);
    web.shell("rm /run/broken");
    bench.expect_all_but("in service", &never);
    process.signal(Signal::STOP).expect("it runs");
    bench.expect("stopped", &[]);
    process.signal(Signal::CONT).expect("it runs");
    bench.expect_all_but("going on", &never);
    process.signal(Signal::KILL).expect("it runs");
    bench.expect("killed", &[]);
    bench.end();
}

/// Where the daemon finds the authority that has signed the certificates of `signed.pem` and `signed_expired.pem`.
macro_rules! pem {
    ($name:literal) => {
        concat!(env!("CARGO_MANIFEST_DIR"), "/tests/real_servers/", $name, ".pem")
    };
}

/// A block of `SSL_GET` that looks at certificates by this authority, and asks this host.
macro_rules! verified {
    ($authority:literal, $more:literal, $host:literal) => {
        concat!(
            "steadfast {\nverify_certificate ",
            pem!($authority),
            "\n",
            $more,
            "\n}\n",
            $host,
            "\nurl {\npath /\n}"
        )
    };
}

#[test]
fn nginx_before_checks_that_keepalived_does_not_know() {
    let Some(mut bench) = Bench::new(&["nginx"]) else { return };
    let web = bench.host("web", "192.168.0.21");
    for (name, text) in [
        ("ca", include_str!("real_servers/authority.pem")),
        ("good", include_str!("real_servers/good.pem")),
        ("signed", include_str!("real_servers/signed.pem")),
        ("expired", include_str!("real_servers/signed_expired.pem")),
    ] {
        web.host.write(&format!("/run/{name}.pem"), text).expect("a file");
    }
    let serving = "printf '\\000\\000\\000\\000\\002\\010\\001' > /run/new && mv /run/new /run/www/health";
    let not_serving =
        "printf '\\000\\000\\000\\000\\002\\010\\002' > /run/new && mv /run/new /run/www/health";
    web.shell(&format!("mkdir /run/www && {serving}"));
    let mut process = nginx(&web, &blocks_of_all_dresses());
    bench.start_alone("", &WATCHES_OF_ALL_DRESSES);
    let never = ["no_http2", "other_name", "stranger", "expired", "old", "shows_none", "no_grpc"];
    bench.expect_all_but("healthy", &never);
    for line in [
        "does not offer HTTP/2 in the TLS handshake",
        "the certificate of the server has ended",
        "signed by no authority that is trusted",
        "the certificate of the server is not good",
        "of X.509 version 1",
    ] {
        // The dead are told of in their own time.
        let told = wait_until(common::PATIENCE, || bench.log().contains(line));
        assert!(told, "{line}\n{}", bench.log());
    }
    web.shell(not_serving);
    bench.expect_all_but("not serving", &[&never[..], &["grpc", "grpc_tls"]].concat());
    web.shell(serving);
    bench.expect_all_but("serving", &never);
    web.shell("touch /run/broken");
    bench.expect("out of service", &[]);
    web.shell("rm /run/broken");
    bench.expect_all_but("in service", &never);
    process.signal(Signal::STOP).expect("it runs");
    bench.expect("stopped", &[]);
    process.signal(Signal::CONT).expect("it runs");
    bench.expect_all_but("going on", &never);
    process.signal(Signal::KILL).expect("it runs");
    bench.expect("killed", &[]);
    bench.end();
}

/// The health service is a file, given as the body of a gRPC response.
fn blocks_of_all_dresses() -> String {
    let server = |listen: &str, more: &str| {
        format!(
            "server {{\nlisten {listen};\n{more}\nif (-f /run/broken) {{\nreturn 503;\n}}\n\
             location / {{\nreturn 200 \"$server_protocol\\n\";\n}}\n\
             location = /grpc.health.v1.Health/Check {{\nproxy_method GET;\nproxy_pass_request_body off;\n\
             proxy_pass http://127.0.0.1:8080/health;\nadd_trailer grpc-status 0;\n}}\n}}\n"
        )
    };
    let shown =
        |name: &str| format!("ssl_certificate /run/{name}.pem;\nssl_certificate_key /run/{name}.pem;");
    let asks = shown("signed") + "ssl_verify_client on;\nssl_client_certificate /run/ca.pem;";
    server("80 http2", "")
        + &server("443 ssl http2", &shown("signed"))
        + &server("444 ssl", &shown("signed"))
        + &server("445 ssl", &shown("expired"))
        + &server("446 ssl", &shown("good"))
        + &server("447 ssl", &asks)
        + "server {\nlisten 127.0.0.1:8080;\n}\n"
}

const HTTP2: &str = "steadfast {\nhttp_version 2\n}\nurl {\npath /\nregex ^HTTP/2\n}";
const WATCHES_OF_ALL_DRESSES: [Watch; 16] = [
    watch("http2", "192.168.0.21 80", "HTTP_GET", HTTP2),
    watch("http2_tls", "192.168.0.21 443", "SSL_GET", HTTP2),
    watch("no_http2", "192.168.0.21 444", "SSL_GET", HTTP2),
    watch("grpc", "192.168.0.21 80", "GRPC_CHECK", ""),
    watch(
        "grpc_tls",
        "192.168.0.21 443",
        "GRPC_CHECK",
        concat!("tls\nverify_certificate ", pem!("authority"), "\nvirtualhost shop.example"),
    ),
    watch("no_grpc", "192.168.0.21 444", "GRPC_CHECK", "tls"),
    watch("name", "192.168.0.21 444", "SSL_GET", verified!("authority", "", "virtualhost shop.example")),
    watch(
        "sent_name",
        "192.168.0.21 444",
        "SSL_GET",
        verified!("authority", "", "enable_sni\nsni_name shop.example\nvirtualhost any.example"),
    ),
    watch(
        "address",
        "192.168.0.21 444",
        "SSL_GET",
        verified!("authority", "certificate_expiry_warning 30", ""),
    ),
    watch(
        "other_name",
        "192.168.0.21 444",
        "SSL_GET",
        verified!("authority", "", "virtualhost other.example"),
    ),
    watch("stranger", "192.168.0.21 444", "SSL_GET", verified!("good", "", "virtualhost shop.example")),
    watch("expired", "192.168.0.21 445", "SSL_GET", verified!("authority", "", "virtualhost shop.example")),
    watch("unverified", "192.168.0.21 445", "SSL_GET", "url {\npath /\n}"),
    watch("old", "192.168.0.21 446", "SSL_GET", verified!("good", "", "virtualhost shop.example")),
    watch(
        "shows",
        "192.168.0.21 447",
        "SSL_GET",
        concat!("steadfast {\ncertificate ", pem!("signed"), "\n}\nurl {\npath /\n}"),
    ),
    watch("shows_none", "192.168.0.21 447", "SSL_GET", "url {\npath /\n}"),
];

#[test]
fn haproxy_with_and_without_servers_of_its_own() {
    let Some(mut bench) = Bench::new(&["haproxy", "nginx"]) else { return };
    let proxy = bench.host("proxy", "192.168.0.21");
    let web = bench.host("web", "192.168.0.22");
    let blocks = "server {\nlisten 80;\nreturn 200 ok;\n}\n";
    let mut behind = nginx(&web, blocks);
    let mut front = haproxy(
        &proxy,
        "listen web\nbind *:80\nserver one 192.168.0.22:80 check inter 100ms fall 1 rise 1\n\
         listen words\nmode tcp\nbind *:81\nserver one 192.168.0.22:80 check inter 100ms fall 1 rise 1\n\
         listen closing\nmode tcp\nbind *:82\ntcp-request content reject\n\
         listen own\nbind *:83\nhttp-request return status 200 content-type text/plain string fine\n",
    );
    const ROOT: &str = "url {\npath /\n}";
    bench.start(
        "",
        &[
            watch("http", "192.168.0.21 80", "HTTP_GET", ROOT),
            watch("http11", "192.168.0.21 80", "HTTP_GET", "http_protocol 1.1\nurl {\npath /\n}"),
            watch("http503", "192.168.0.21 80", "HTTP_GET", "url {\npath /\nstatus_code 503\n}"),
            watch("words", "192.168.0.21 81", "HTTP_GET", ROOT),
            watch("words_tcp", "192.168.0.21 81", "TCP_CHECK", ""),
            watch("closing", "192.168.0.21 82", "HTTP_GET", ROOT),
            watch("closing_tcp", "192.168.0.21 82", "TCP_CHECK", ""),
            watch("own", "192.168.0.21 83", "HTTP_GET", "url {\npath /\nregex ^fine$\n}"),
        ],
    );
    let healthy = ["http503", "closing"];
    bench.expect_all_but("healthy", &healthy);
    behind.signal(Signal::KILL).expect("it runs");
    bench.expect("without a server", &["http503", "words_tcp", "closing_tcp", "own"]);
    let _behind = nginx(&web, blocks);
    bench.expect_all_but("with a server", &healthy);
    front.signal(Signal::STOP).expect("it runs");
    bench.expect("stopped", &["words_tcp", "closing_tcp"]);
    front.signal(Signal::CONT).expect("it runs");
    bench.expect_all_but("going on", &healthy);
    front.signal(Signal::KILL).expect("it runs");
    bench.expect("killed", &[]);
    bench.end();
}

#[test]
fn dnsmasq_and_its_names() {
    let Some(mut bench) = Bench::new(&["dnsmasq"]) else { return };
    let names = bench.host("names", "192.168.0.21");
    // Else the kernel tells only some of the checks that nobody listens.
    names.shell("echo 0 > /proc/sys/net/ipv4/icmp_ratelimit");
    let mut server = dnsmasq(&names);
    let place = "192.168.0.21 53";
    // A query for the addresses of www.lab.example, whose identifier the reply repeats with the bit of a response.
    const QUERY: &str = "payload 4b410100000100000000000003777777036c6162076578616d706c650000010001";
    let with_reply = QUERY.to_owned() + "\nrequire_reply 4b41xx80";
    let other_reply = QUERY.to_owned() + "\nrequire_reply 4b42";
    bench.start(
        "",
        &[
            watch("a", place, "DNS_CHECK", "type A\nname www.lab.example"),
            watch("aaaa", place, "DNS_CHECK", "type AAAA\nname www.lab.example"),
            watch("mx", place, "DNS_CHECK", "type MX\nname lab.example"),
            watch("txt", place, "DNS_CHECK", "type TXT\nname lab.example"),
            watch("nothing", place, "DNS_CHECK", "type SOA\nname www.lab.example"),
            watch("nxdomain", place, "DNS_CHECK", "type A\nname none.lab.example"),
            watch("refused", place, "DNS_CHECK", "type A\nname www.elsewhere.example"),
            watch("udp", place, "UDP_CHECK", QUERY),
            watch("udp_reply", place, "UDP_CHECK", with_reply.leak()),
            watch("udp_other", place, "UDP_CHECK", other_reply.leak()),
            watch("ping", place, "PING_CHECK", ""),
        ],
    );
    let never = ["nxdomain", "refused", "udp_other"];
    bench.expect_all_but("healthy", &never);
    server.signal(Signal::STOP).expect("it runs");
    bench.expect("stopped", &["udp", "ping"]);
    server.signal(Signal::CONT).expect("it runs");
    bench.expect_all_but("going on", &never);
    server.signal(Signal::KILL).expect("it runs");
    bench.expect("killed", &["ping"]);
    names.shell("echo 1 > /proc/sys/net/ipv4/icmp_echo_ignore_all");
    bench.expect("deaf", &[]);
    names.shell("echo 0 > /proc/sys/net/ipv4/icmp_echo_ignore_all");
    let _server = dnsmasq(&names);
    bench.expect_all_but("started again", &never);
    bench.end();
}

#[test]
fn a_mail_server() {
    let Some(mut bench) = Bench::new(&["aiosmtpd"]) else { return };
    let mail = bench.host("mail", "192.168.0.21");
    let mut server = smtpd(&mail);
    let place = "192.168.0.21 25";
    bench.start(
        "",
        &[
            watch("smtp", place, "SMTP_CHECK", "helo_name director.example"),
            watch("web", place, "HTTP_GET", "url {\npath /\n}"),
            watch("tcp", place, "TCP_CHECK", ""),
        ],
    );
    bench.expect("healthy", &["smtp", "tcp"]);
    server.signal(Signal::STOP).expect("it runs");
    bench.expect("stopped", &["tcp"]);
    server.signal(Signal::CONT).expect("it runs");
    bench.expect("going on", &["smtp", "tcp"]);
    server.signal(Signal::KILL).expect("it runs");
    bench.expect("killed", &[]);
    let _server = smtpd(&mail);
    bench.expect("started again", &["smtp", "tcp"]);
    bench.end();
}

#[test]
fn servers_that_lie() {
    let Some(mut bench) = Bench::new(&[]) else { return };
    let liar = bench.host("liar", "192.168.0.21");
    speak(&liar, 1, &["220 a\r\n", "250 b\r\n", "221 c\r\n"], End::Close);
    speak(&liar, 2, &["220-a\r\n220 a\r\n", "250-b\r\n250 b\r\n", "221 c\r\n"], End::Close);
    speak(&liar, 3, &["554 no\r\n"], End::Silence);
    speak(&liar, 4, &["220 a\r\n", "550 b\r\n"], End::Silence);
    speak(&liar, 5, &["220 a\r\n"], End::Reset);
    speak(&liar, 6, &["", "HTTP/1.0 200 OK\r\n\r\nall"], End::Close);
    speak(&liar, 7, &["", "HTTP/1.0 200 OK\r\n\r\npart"], End::Reset);
    speak(&liar, 8, &["", "HTTP/1.0 200 OK\r\n"], End::Silence);
    speak(&liar, 9, &["", "nonsense\r\n\r\n"], End::Close);
    speak(&liar, 10, &["", ""], End::Close);
    speak(&liar, 11, &["", "HTTP/1.0 500 Not OK\r\n\r\n"], End::Close);
    speak(&liar, 12, &["", "SSH-2.0-none\r\n"], End::Close);
    reply(&liar, 13, b"no name server");
    const ROOT: &str = "url {\npath /\n}";
    bench.start(
        "",
        &[
            watch("mail", "192.168.0.21 1", "SMTP_CHECK", ""),
            watch("mail_in_lines", "192.168.0.21 2", "SMTP_CHECK", ""),
            watch("mail_554", "192.168.0.21 3", "SMTP_CHECK", ""),
            watch("mail_550", "192.168.0.21 4", "SMTP_CHECK", ""),
            watch("mail_reset", "192.168.0.21 5", "SMTP_CHECK", ""),
            watch("web", "192.168.0.21 6", "HTTP_GET", ROOT),
            watch("web_reset", "192.168.0.21 7", "HTTP_GET", ROOT),
            watch("web_silent", "192.168.0.21 8", "HTTP_GET", ROOT),
            watch("web_nonsense", "192.168.0.21 9", "HTTP_GET", ROOT),
            watch("web_nothing", "192.168.0.21 10", "HTTP_GET", ROOT),
            watch("web_500", "192.168.0.21 11", "HTTP_GET", ROOT),
            watch("tls_nonsense", "192.168.0.21 12", "SSL_GET", ROOT),
            watch("dns_nonsense", "192.168.0.21 13", "DNS_CHECK", "type A\nname www.lab.example"),
        ],
    );
    bench.expect("lying", &["mail", "mail_in_lines", "web"]);
    bench.end();
}
