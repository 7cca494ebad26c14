//! Servers that are well, and servers that lie, stall and break off: what each check makes of them.

use std::io::{Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::num::NonZeroU16;
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::Duration;

use model::lvs::{
    Check, Connection, DnsCheck, DnsType, HttpCheck, HttpVersion, LocalEnd, Nibbles, Outcome, Payload, Regex,
    RegexOptions, Request, SmtpCheck, StatusSet, TlsOptions, UdpCheck,
};
use steadfast_probe::{Answer, Prober};

const LOOPBACK: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
/// Where a server answers.
const LONG: Duration = Duration::from_secs(20);
/// Where none does.
const SHORT: Duration = Duration::from_millis(300);

fn ask(check: &Check) -> Answer {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(Prober::new(None).ask(check))
}

#[track_caller]
fn passes(check: &Check) {
    assert_eq!(ask(check).outcome, Outcome::Passed);
}

#[track_caller]
fn fails(check: &Check, reason: &str) {
    assert_eq!(ask(check).outcome, Outcome::Failed(reason.into()));
}

#[track_caller]
fn cannot_tell(check: &Check, reason: &str) {
    assert_eq!(ask(check).outcome, Outcome::Unknown(reason.into()));
}

fn connection(server: SocketAddr, timeout: Duration) -> Connection {
    Connection { address: server.ip(), port: NonZeroU16::new(server.port()), timeout, mark: 0, local: None }
}

/// A server that does this with each connection, in turn.
fn serve(dialogue: impl Fn(TcpStream) -> std::io::Result<()> + Send + 'static) -> SocketAddr {
    serve_at(LOOPBACK, dialogue)
}

fn serve_at(
    address: IpAddr,
    dialogue: impl Fn(TcpStream) -> std::io::Result<()> + Send + 'static,
) -> SocketAddr {
    let listener = TcpListener::bind((address, 0)).unwrap();
    let server = listener.local_addr().unwrap();
    // A dialogue that the check breaks off is one of the cases.
    thread::spawn(move || listener.incoming().for_each(|stream| drop(dialogue(stream.unwrap()))));
    server
}

/// Answers each request with these bytes and closes. What was asked is told.
fn web(answer: &'static [u8]) -> (SocketAddr, Receiver<String>) {
    let (sender, requests) = mpsc::channel();
    let server = serve(move |mut stream| {
        sender.send(read_request(&mut stream)?).ok();
        stream.write_all(answer)
    });
    (server, requests)
}

fn read_request(stream: &mut TcpStream) -> std::io::Result<String> {
    let mut request = Vec::new();
    while !request.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte)?;
        request.push(byte[0]);
    }
    Ok(String::from_utf8(request).unwrap())
}

/// The digest of `hello world` and a newline, as `md5sum` and keepalived's `genhash` have it.
const HELLO: [u8; 16] =
    [0x6f, 0x59, 0x02, 0xac, 0x23, 0x70, 0x24, 0xbd, 0xd0, 0xc1, 0x76, 0xcb, 0x93, 0x06, 0x3d, 0xc4];

fn page(path: &str) -> Request {
    let status = StatusSet::SUCCESS;
    Request { path: path.into(), host: None, status, digest: None, regex: None, tls_compliant: false }
}

fn pattern(text: &str) -> Option<Box<Regex>> {
    let (pattern, options) = (text.into(), RegexOptions::default());
    Some(Box::new(Regex { pattern, inverted: false, options, min_offset: 0, max_offset: None, stack: None }))
}

fn get(server: SocketAddr, requests: Vec<Request>) -> HttpCheck {
    let connection = connection(server, LONG);
    HttpCheck {
        connection,
        tls: None,
        version: HttpVersion::V10,
        http2: false,
        fast_recovery: false,
        requests,
    }
}

fn http(check: HttpCheck) -> Check {
    Check::Http(Box::new(check))
}

#[test]
fn tcp_is_accepted_or_refused() {
    let server = serve(|_| Ok(()));
    passes(&Check::Tcp(connection(server, LONG)));
    let server = serve_at(Ipv6Addr::LOCALHOST.into(), |_| Ok(()));
    passes(&Check::Tcp(connection(server, LONG)));
    fails(&Check::Tcp(connection(closed_port(), LONG)), "connection refused");
}

fn closed_port() -> SocketAddr {
    TcpListener::bind((LOOPBACK, 0)).unwrap().local_addr().unwrap()
}

#[test]
fn tcp_times_out_where_nobody_answers() {
    // A full queue drops what comes next.
    let listener = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
    listener.bind(&SocketAddr::new(LOOPBACK, 0).into()).unwrap();
    listener.listen(0).unwrap();
    let server = listener.local_addr().unwrap().as_socket().unwrap();
    let _waiting = TcpStream::connect(server).unwrap();
    fails(&Check::Tcp(connection(server, SHORT)), "connection timed out");
}

#[test]
fn what_this_host_lacks_is_no_failure_of_the_server() {
    let server = serve(|_| Ok(()));
    let from =
        |local: LocalEnd| Check::Tcp(Connection { local: Some(Box::new(local)), ..connection(server, LONG) });
    let address = IpAddr::from([192, 0, 2, 7]);
    let local = LocalEnd { address: Some(address), ..LocalEnd::default() };
    cannot_tell(&from(local), "this host does not have the address 192.0.2.7");
    let local = LocalEnd { interface: Some("nowhere7".parse().unwrap()), ..LocalEnd::default() };
    cannot_tell(&from(local), "there is no interface nowhere7");
    let local = LocalEnd { address: Some([127, 0, 0, 9].into()), ..LocalEnd::default() };
    passes(&from(local));
    let no_port = Connection { port: None, ..connection(server, LONG) };
    cannot_tell(&Check::Tcp(no_port), "neither checker nor real server name a port");
}

#[test]
fn a_fixed_local_port_can_be_used_again_at_once() {
    let server = serve(|mut stream| stream.read(&mut [0]).map(drop));
    let port = NonZeroU16::new(closed_port().port());
    let local = Some(Box::new(LocalEnd { port, ..LocalEnd::default() }));
    let check = Check::Tcp(Connection { local, ..connection(server, LONG) });
    (0..5).for_each(|_| passes(&check));
}

#[test]
fn requests_are_those_of_keepalived() {
    for (version, host, expected) in [
        (HttpVersion::V10, None, "GET /a HTTP/1.0\r\nUser-Agent: KeepAliveClient\r\nHost: ADDRESS\r\n\r\n"),
        (
            HttpVersion::V10Close,
            Some("www.example.org"),
            "GET /a HTTP/1.0\r\nUser-Agent: KeepAliveClient\r\nConnection: close\r\nHost: www.example.org\r\n\r\n",
        ),
        (
            HttpVersion::V11,
            None,
            "GET /a HTTP/1.1\r\nUser-Agent: KeepAliveClient\r\nConnection: close\r\nHost: ADDRESS\r\n\r\n",
        ),
    ] {
        let (server, requests) = web(b"HTTP/1.1 200 OK\r\n\r\n");
        let request = Request { host: host.map(Into::into), ..page("/a") };
        passes(&http(HttpCheck { version, ..get(server, vec![request]) }));
        assert_eq!(requests.recv().unwrap(), expected.replace("ADDRESS", &server.to_string()));
    }
}

#[test]
fn pages_are_judged() {
    let good = b"HTTP/1.1 200 OK\r\nContent-Length: 12\r\n\r\nhello world\n";
    let (server, _requests) = web(good);
    let whole = Request { digest: Some(Box::new(HELLO)), regex: pattern("o w"), ..page("/") };
    passes(&http(get(server, vec![whole.clone(), page("/two"), whole])));

    let other = Request { digest: Some(Box::new([0; 16])), ..page("/") };
    fails(&http(get(server, vec![other])), "the digest of the body is 6f5902ac237024bdd0c176cb93063dc4");
    let other = Request { regex: pattern("goodbye"), ..page("/two") };
    let reason = "/two: the body does not match the pattern";
    fails(&http(get(server, vec![page("/"), other])), reason);
    let broken = Request { regex: pattern("(open"), ..page("/") };
    let reason = "the pattern is none: missing closing parenthesis at offset 5";
    cannot_tell(&http(get(server, vec![broken])), reason);

    let (server, _requests) = web(b"HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n");
    fails(&http(get(server, vec![page("/")])), "the status is 503");
}

#[test]
fn bodies_are_raw_and_end_with_their_length_or_the_connection() {
    let digest = |digest: &str| {
        let byte = |at| u8::from_str_radix(&digest[at..at + 2], 16).unwrap();
        Request { digest: Some(Box::new(std::array::from_fn(|at| byte(at * 2)))), ..page("/") }
    };
    for (answer, expected) in [
        // md5sum of `hello`: what follows is not the body.
        (
            &b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello world\n"[..],
            "5d41402abc4b2a76b9719d911017c592",
        ),
        // Cut short: what is there counts, as with keepalived.
        (b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\nhello", "5d41402abc4b2a76b9719d911017c592"),
        (b"HTTP/1.0 200 OK\r\n\r\nhello", "5d41402abc4b2a76b9719d911017c592"),
        // Chunks as they are sent.
        (
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
            "79e9489e3bd3f0cb0158215341de046d",
        ),
    ] {
        let (server, _requests) = web(answer);
        let check = http(get(server, vec![digest(expected)]));
        assert_eq!(ask(&check).outcome, Outcome::Passed, "{}", answer.escape_ascii());
    }
}

#[test]
fn what_a_server_says_before_its_response_is_passed_over() {
    let hello = Request { digest: Some(Box::new(HELLO)), ..page("/") };
    let (server, _) = web(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n\
        HTTP/1.1 200 OK\r\nContent-Length: 12\r\n\r\nhello world\n");
    passes(&http(get(server, vec![hello])));
    let (server, _) = web(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 503 Service Unavailable\r\n\r\n");
    fails(&http(get(server, vec![page("/")])), "the status is 503");
    let (server, _) = web(b"HTTP/1.1 100 Continue\r\n\r\n");
    fails(&http(get(server, vec![page("/")])), "the connection was closed without a response");
    let (server, _) = web(b"HTTP/1.1 101 Switching Protocols\r\n\r\n");
    fails(&http(get(server, vec![page("/")])), "the status is 101");
}

#[test]
fn a_server_that_keeps_the_connection_is_not_waited_for() {
    let server = serve(|mut stream| {
        read_request(&mut stream)?;
        stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")?;
        stream.read(&mut [0]).map(drop)
    });
    passes(&http(get(server, vec![page("/")])));
}

#[test]
fn liars_and_sluggards_fail() {
    for (answer, reason) in [
        (&b""[..], "the connection was closed without a response"),
        (b"HTTP/1.1 200 OK\r\n", "the header of the response does not end"),
        (b"220 mail.example.org ESMTP\r\n\r\n", "the answer is no HTTP response (invalid HTTP version)"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\n", "Content-Length is `many`"),
    ] {
        let (server, _requests) = web(answer);
        fails(&http(get(server, vec![page("/")])), reason);
    }
    let endless = serve(|mut stream| {
        read_request(&mut stream)?;
        stream.write_all(b"HTTP/1.1 200 OK\r\n")?;
        loop {
            stream.write_all(b"X-More: of the same\r\n")?;
        }
    });
    fails(&http(get(endless, vec![page("/")])), "the header of the response does not end");
    let slow = serve(|mut stream| {
        read_request(&mut stream)?;
        stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n")?;
        loop {
            stream.write_all(b"x")?;
            thread::sleep(Duration::from_millis(20));
        }
    });
    let mut check = get(slow, vec![page("/")]);
    check.connection.timeout = SHORT;
    fails(&http(check), "no complete response in time");
    let resetting = serve(|mut stream| {
        read_request(&mut stream)?;
        socket2::SockRef::from(&stream).set_linger(Some(Duration::ZERO))
    });
    fails(&http(get(resetting, vec![page("/")])), "connection reset");
}

#[test]
fn mail_servers_greet() {
    let smtp = |server| {
        let connection = connection(server, LONG);
        Check::Smtp(Box::new(SmtpCheck { connection, helo: "check.example.org".into() }))
    };
    let serve_lines = |replies: [&'static str; 3]| {
        let (sender, said) = mpsc::channel();
        let server = serve(move |mut stream| {
            for reply in replies {
                stream.write_all(reply.as_bytes())?;
                let mut line = [0; 100];
                let length = stream.read(&mut line)?;
                sender.send(String::from_utf8_lossy(&line[..length]).into_owned()).ok();
            }
            Ok(())
        });
        (server, said)
    };
    let (server, said) = serve_lines(["220 me ESMTP\r\n", "250 ok\r\n", "221 bye\r\n"]);
    passes(&smtp(server));
    let said: Vec<_> = said.iter().take(3).collect();
    assert_eq!(said, ["HELO check.example.org\r\n", "QUIT\r\n", ""], "as keepalived says it");

    let (server, _said) = serve_lines(["220-me\r\n220 ESMTP\r\n", "250-me\r\n250 ok\r\n", "500 what?\r\n"]);
    passes(&smtp(server));
    let (server, _said) = serve_lines(["554 go away\r\n", "", ""]);
    fails(&smtp(server), "the greeting is `554 go away`");
    let (server, _said) = serve_lines(["220 me\r\n", "502 no\r\n", ""]);
    fails(&smtp(server), "the answer to HELO is `502 no`");
    let server = serve(|_| Ok(()));
    fails(&smtp(server), "the connection was closed before the greeting");
    let endless = serve(|mut stream| {
        loop {
            stream.write_all(&[b'2'; 1000])?;
        }
    });
    fails(&smtp(endless), "the greeting does not end");
}

/// A server that answers each datagram with what `reply` makes of it, if anything.
fn datagrams(reply: impl Fn(&[u8]) -> Option<Vec<u8>> + Send + 'static) -> SocketAddr {
    let socket = UdpSocket::bind((LOOPBACK, 0)).unwrap();
    let server = socket.local_addr().unwrap();
    thread::spawn(move || {
        let mut buffer = [0; 1000];
        while let Ok((length, from)) = socket.recv_from(&mut buffer) {
            if let Some(reply) = reply(&buffer[..length]) {
                socket.send_to(&reply, from).unwrap();
            }
        }
    });
    server
}

fn refused_datagrams() -> SocketAddr {
    UdpSocket::bind((LOOPBACK, 0)).unwrap().local_addr().unwrap()
}

#[test]
fn name_servers_answer() {
    let dns = |server, timeout| {
        let connection = connection(server, timeout);
        Check::Dns(Box::new(DnsCheck { connection, kind: DnsType::A, name: "www.example.org".into() }))
    };
    let answering =
        |flags: [u8; 2]| datagrams(move |query| Some([&query[..2], &flags, &query[4..]].concat()));
    passes(&dns(answering([0x80, 0]), LONG));
    fails(&dns(answering([0x81, 0x83]), LONG), "the answer is an error: Non-Existent Domain (rcode 3)");
    fails(&dns(answering([0, 0]), SHORT), "no answer in time");
    fails(&dns(datagrams(|_| Some(b"short".to_vec())), SHORT), "no answer in time");
    fails(&dns(refused_datagrams(), LONG), "connection refused");
}

#[test]
fn datagrams_are_answered_or_not_refused() {
    let udp = |server, timeout, reply: Option<&[Nibbles]>| {
        let connection = connection(server, timeout);
        let (reply, payload) = (reply.map(Into::into), Payload::Bytes(b"are you there".as_slice().into()));
        Check::Udp(Box::new(UdpCheck { connection, payload, reply, min_reply: 2, max_reply: 5 }))
    };
    let exactly = |byte| Nibbles { value: byte, mask: 0xff };
    passes(&udp(datagrams(|_| None), SHORT, None));
    fails(&udp(refused_datagrams(), LONG, None), "connection refused");
    let echo =
        |reply: &'static [u8]| datagrams(move |asked| (asked == b"are you there").then(|| reply.to_vec()));
    let wanted = [exactly(b'y'), Nibbles { value: 0x60, mask: 0xf0 }];
    passes(&udp(echo(b"yes"), LONG, Some(&wanted)));
    fails(&udp(echo(b"xes"), LONG, Some(&wanted)), "the reply is not the required one");
    fails(&udp(echo(b"y"), LONG, Some(&wanted)), "the reply has 1 bytes");
    fails(&udp(echo(b"yes it is"), LONG, Some(&wanted)), "the reply has 9 bytes");
    fails(&udp(datagrams(|_| None), SHORT, Some(&wanted)), "no reply in time");
    passes(&udp(echo(b"any"), LONG, Some(&[])));
}

#[test]
fn tls_needs_a_server_that_speaks_it() {
    let tls = |server| {
        let tls = Some(TlsOptions::default());
        http(HttpCheck { tls, ..get(server, vec![page("/")]) })
    };
    let hello_of = |answer: &'static [u8]| {
        serve(move |mut stream| {
            let mut hello = [0; 2000];
            let _length = stream.read(&mut hello)?;
            stream.write_all(answer)?;
            // Not a reset: that could overtake the answer.
            stream.read(&mut hello).map(drop)
        })
    };
    let too_old = "the server speaks TLS 1.1 or older only; checks need TLS 1.2 or 1.3";
    // Alerts and greetings of servers that know TLS 1.0 only.
    fails(&tls(hello_of(b"\x15\x03\x01\x00\x02\x02\x46")), too_old);
    let mut hello = b"\x16\x03\x01\x00\x2a\x02\x00\x00\x26\x03\x01".to_vec();
    hello.extend([7; 32]);
    hello.extend([0, 0x00, 0x2f, 0]);
    fails(&tls(hello_of(hello.leak())), too_old);
    let answer = ask(&tls(hello_of(b"HTTP/1.1 400 Bad Request\r\n\r\n")));
    let Outcome::Failed(reason) = answer.outcome else { panic!("{answer:?}") };
    assert!(reason.starts_with("the server does not speak TLS"), "{reason}");
}

#[test]
fn echoes_come_back() {
    for address in [LOOPBACK, Ipv6Addr::LOCALHOST.into()] {
        let ping = Check::Ping(Connection { timeout: LONG, ..connection(SocketAddr::new(address, 0), LONG) });
        match ask(&ping).outcome {
            Outcome::Unknown(reason) if reason.contains("permit") => lab::skip(reason),
            outcome => assert_eq!(outcome, Outcome::Passed, "{address}"),
        }
    }
}
