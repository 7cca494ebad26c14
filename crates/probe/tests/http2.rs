//! `http_version 2` and `GRPC_CHECK` before servers that speak HTTP/2, well or badly.

use std::future::Future;
use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr};
use std::num::NonZeroU16;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use bytes::Bytes;
use h2::server::SendResponse;
use h2::{Reason, RecvStream};
use http::{HeaderMap, Request, Response};
use model::lvs::{
    Check, Connection, GrpcCheck, HttpCheck, HttpVersion, Outcome, Regex, RegexOptions, StatusSet, TlsOptions,
};
use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use steadfast_probe::Prober;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

const CERTIFICATE: &[u8] = include_bytes!("tls/certificate.pem");
const KEY: &[u8] = include_bytes!("tls/key.pem");

type Answer = SendResponse<Bytes>;

/// How a server speaks: in the clear, or over TLS with these protocols on offer.
#[derive(Clone, Copy)]
enum Dress {
    Plain,
    Tls(&'static [&'static [u8]]),
}

/// Answers each request by `answer`, for ever.
fn server<F>(
    dress: Dress,
    answer: impl Fn(Request<RecvStream>, Answer) -> F + Copy + Send + 'static,
) -> SocketAddr
where
    F: Future<Output = ()>,
{
    let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let address = listener.local_addr().unwrap();
    listener.set_nonblocking(true).unwrap();
    thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async move {
            let listener = TcpListener::from_std(listener).unwrap();
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                // Who has heard enough leaves.
                let _left = match dress {
                    Dress::Plain => serve(stream, answer).await,
                    Dress::Tls(offers) => serve(encrypted(stream, offers).await, answer).await,
                };
            }
        });
    });
    address
}

async fn serve<F: Future<Output = ()>>(
    stream: impl AsyncRead + AsyncWrite + Unpin,
    answer: impl Fn(Request<RecvStream>, Answer) -> F,
) -> Result<(), h2::Error> {
    let mut session = h2::server::handshake(stream).await?;
    while let Some(asked) = session.accept().await {
        let (request, respond) = asked?;
        answer(request, respond).await;
    }
    Ok(())
}

async fn encrypted(stream: TcpStream, offers: &[&[u8]]) -> tokio_rustls::server::TlsStream<TcpStream> {
    let certificate = CertificateDer::from_pem_slice(CERTIFICATE).unwrap();
    let key = PrivateKeyDer::from_pem_slice(KEY).unwrap();
    let builder = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()));
    let builder = builder.with_safe_default_protocol_versions().unwrap().with_no_client_auth();
    let mut config = builder.with_single_cert(vec![certificate], key).unwrap();
    config.alpn_protocols = offers.iter().map(|name| name.to_vec()).collect();
    TlsAcceptor::from(Arc::new(config)).accept(stream).await.unwrap()
}

fn connection(server: SocketAddr) -> Connection {
    let timeout = Duration::from_secs(20);
    Connection { address: server.ip(), port: NonZeroU16::new(server.port()), timeout, mark: 0, local: None }
}

/// The digest of `hello`, or a pattern, or only the status.
fn page(server: SocketAddr, tls: Option<TlsOptions>, pattern: Option<&str>) -> Check {
    let regex = pattern.map(|pattern| {
        let (options, min_offset) = (RegexOptions::default(), 0);
        let pattern = pattern.into();
        Box::new(Regex { pattern, inverted: false, options, min_offset, max_offset: None, stack: None })
    });
    let (host, status) = (Some("www.example.org".into()), StatusSet::SUCCESS);
    let request = model::lvs::Request {
        path: "/health?deep=1".into(),
        host,
        status,
        digest: None,
        regex,
        tls_compliant: false,
    };
    Check::Http(Box::new(HttpCheck {
        connection: connection(server),
        tls,
        version: HttpVersion::V10,
        http2: true,
        fast_recovery: false,
        requests: vec![request],
    }))
}

fn ask(check: &Check) -> Outcome {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(Prober::new(None).ask(check)).outcome
}

#[track_caller]
fn failed(outcome: &Outcome, why: &str) {
    assert!(matches!(outcome, Outcome::Failed(reason) if reason.contains(why)), "{outcome:?}, not {why}");
}

/// Says what it was asked, in two parts.
async fn echo(request: Request<RecvStream>, mut respond: Answer) {
    let asked = format!("{} {} by {:?}", request.method(), request.uri(), request.headers());
    let mut body = respond.send_response(Response::new(()), false).unwrap();
    body.send_data("asked: ".into(), false).unwrap();
    body.send_data(asked.into(), true).unwrap();
}

#[test]
fn pages_are_asked_for_in_the_clear_and_over_tls() {
    let plain = server(Dress::Plain, echo);
    let wanted = r"^asked: GET http://www.example.org/health\?deep=1 by .*KeepAliveClient.*\}$";
    assert_eq!(ask(&page(plain, None, Some(wanted))), Outcome::Passed);
    failed(&ask(&page(plain, None, Some("POST"))), "does not match the pattern");

    let tls = server(Dress::Tls(&[b"http/1.1", b"h2"]), echo);
    let wanted = "asked: GET https://www.example.org/health";
    assert_eq!(ask(&page(tls, Some(TlsOptions::default()), Some(wanted))), Outcome::Passed);
}

#[test]
fn who_offers_no_http2_fails() {
    let without: [&[&[u8]]; 2] = [&[], &[b"http/1.1"]];
    for offers in without {
        let old = server(Dress::Tls(offers), echo);
        failed(&ask(&page(old, Some(TlsOptions::default()), None)), "does not offer HTTP/2");
    }
    let old = raw(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n");
    failed(&ask(&page(old, None, None)), "does not speak HTTP/2 as it should");
    failed(&ask(&page(raw(b""), None, None)), "closed without a response");
}

/// Sends this to everybody, and closes.
fn raw(answer: &'static [u8]) -> SocketAddr {
    let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for mut stream in listener.incoming().map(Result::unwrap) {
            // What was sent is read, else the kernel resets the connection.
            let mut preface = [0; 24];
            stream.read_exact(&mut preface).unwrap();
            stream.write_all(answer).unwrap();
            stream.shutdown(std::net::Shutdown::Write).unwrap();
            drop(stream.read_to_end(&mut Vec::new()));
        }
    });
    address
}

#[test]
fn bad_answers_fail_with_their_reason() {
    let missing = server(Dress::Plain, async |_, mut respond: Answer| {
        respond.send_response(Response::builder().status(404).body(()).unwrap(), true).unwrap();
    });
    failed(&ask(&page(missing, None, None)), "the status is 404");
    let refusing =
        server(Dress::Plain, async |_, mut respond: Answer| respond.send_reset(Reason::REFUSED_STREAM));
    failed(&ask(&page(refusing, None, None)), "the server resets the request");
    let halting = server(Dress::Plain, async |_, mut respond: Answer| {
        let mut body = respond.send_response(Response::new(()), false).unwrap();
        body.send_data("half a ".into(), false).unwrap();
        body.send_reset(Reason::INTERNAL_ERROR);
    });
    failed(&ask(&page(halting, None, None)), "the server resets the request");
    let wordy = server(Dress::Plain, async |_, mut respond: Answer| {
        let mut response = Response::builder();
        for number in 0..40 {
            response = response.header(format!("x-{number}"), "x".repeat(4000));
        }
        drop(respond.send_response(response.body(()).unwrap(), true));
    });
    assert!(matches!(ask(&page(wordy, None, None)), Outcome::Failed(_)), "a header without an end");
}

#[test]
fn what_surrounds_a_response_is_passed_over() {
    let polite = server(Dress::Plain, async |_, mut respond: Answer| {
        for _ in 0..3 {
            respond.send_informational(Response::builder().status(103).body(()).unwrap()).unwrap();
        }
        let mut body = respond.send_response(Response::new(()), false).unwrap();
        body.send_data("hello".into(), false).unwrap();
        body.send_trailers(HeaderMap::from_iter([("x".parse().unwrap(), "y".parse().unwrap())])).unwrap();
    });
    assert_eq!(ask(&page(polite, None, Some("^hello$"))), Outcome::Passed);
}

/// The kind, the flags, the stream and the content of a frame (RFC 9113 §4.1).
fn frame(kind: u8, flags: u8, stream: u8, content: &[u8]) -> Vec<u8> {
    let length = u8::try_from(content.len()).unwrap();
    [&[0, 0, length, kind, flags, 0, 0, 0, stream], content].concat()
}

/// Sends this to whoever has sent a request, and closes.
fn frames(answer: Vec<u8>) -> SocketAddr {
    endless(answer, Vec::new())
}

/// The same, and then this again and again as long as somebody reads, if it is anything.
fn endless(answer: Vec<u8>, again: Vec<u8>) -> SocketAddr {
    let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for mut stream in listener.incoming().map(Result::unwrap) {
            stream.read_exact(&mut [0; 24]).unwrap();
            let mut head = [0; 9];
            while head[3] != HEADERS {
                stream.read_exact(&mut head).unwrap();
                let length = u32::from_be_bytes([0, head[0], head[1], head[2]]);
                stream.read_exact(&mut vec![0; length.try_into().unwrap()]).unwrap();
            }
            // Who has heard enough leaves.
            drop(stream.write_all(&answer));
            while !again.is_empty() && stream.write_all(&again).is_ok() {}
            drop(stream.shutdown(std::net::Shutdown::Write));
            drop(stream.read_to_end(&mut Vec::new()));
        }
    });
    address
}

#[test]
fn no_flood_outlasts_the_time() {
    let begun = [frame(SETTINGS, 0, 0, &[]), frame(HEADERS, 4, 1, &[0x88])].concat();
    let floods = [
        ("empty data", frame(DATA, 0, 1, &[])),
        ("data", frame(DATA, 0, 1, &[b'x'; 200])),
        ("pings", frame(PING, 0, 0, &[0; 8])),
        ("settings", frame(SETTINGS, 0, 0, &[])),
        ("early hints", frame(HEADERS, 4, 1, &[0x08, 3, b'1', b'0', b'3'])),
        ("headers without end", frame(CONTINUATION, 0, 1, &[0; 100])),
    ];
    for (what, again) in floods {
        let mut check = page(endless(begun.clone(), again.repeat(1000)), None, None);
        if let Check::Http(http) = &mut check {
            http.connection.timeout = Duration::from_millis(500);
        }
        let began = Instant::now();
        failed(&ask(&check), "");
        assert!(began.elapsed() < Duration::from_secs(10), "{what} for {:?}", began.elapsed());
    }
}

const DATA: u8 = 0;
const HEADERS: u8 = 1;
const RESET: u8 = 3;
const SETTINGS: u8 = 4;
const PING: u8 = 6;
const GO_AWAY: u8 = 7;
const CONTINUATION: u8 = 9;

#[test]
fn a_complete_response_counts_whatever_follows() {
    let settings = || frame(SETTINGS, 0, 0, &[]);
    // `:status` 200, the end of the header and of the stream.
    let response = || frame(HEADERS, 5, 1, &[0x88]);
    let reset = frame(RESET, 0, 1, &[0; 4]);
    let leaves = |last, code| frame(GO_AWAY, 0, 0, &[0, 0, 0, last, 0, 0, 0, code]);
    let answers = [
        [settings(), response()].concat(),
        [settings(), response(), reset.clone()].concat(),
        [settings(), response(), leaves(1, 0)].concat(),
        [settings(), leaves(1, 0), response()].concat(),
    ];
    for (number, answer) in answers.into_iter().enumerate() {
        assert_eq!(ask(&page(frames(answer), None, None)), Outcome::Passed, "answer {number}");
    }
    failed(&ask(&page(frames([settings(), reset].concat()), None, None)), "the server resets the request");
    failed(
        &ask(&page(frames([settings(), leaves(0, 0)].concat()), None, None)),
        "the server ends the HTTP/2 session",
    );
}

#[test]
fn a_body_may_be_longer_than_any_window() {
    let long = server(Dress::Plain, async |_, mut respond: Answer| {
        let mut body = respond.send_response(Response::new(()), false).unwrap();
        for _ in 0..200 {
            body.send_data(vec![b'x'; 10_000].into(), false).unwrap();
        }
        body.send_data("end".into(), true).unwrap();
    });
    assert_eq!(ask(&page(long, None, Some("end$"))), Outcome::Passed);
}

#[test]
fn silence_ends_with_the_time() {
    let silent = server(Dress::Plain, async |_, _| std::future::pending().await);
    let mut check = page(silent, None, None);
    if let Check::Http(http) = &mut check {
        http.connection.timeout = Duration::from_millis(200);
    }
    failed(&ask(&check), "no complete response in time");
}

#[test]
fn what_cannot_be_asked_for_is_our_own_trouble() {
    let mut check = page(server(Dress::Plain, echo), None, None);
    if let Check::Http(http) = &mut check {
        http.requests[0].host = Some("a b".into());
    }
    let Outcome::Unknown(reason) = ask(&check) else { panic!() };
    assert!(reason.starts_with("`/health?deep=1` of `a b` cannot be asked for over HTTP/2"), "{reason}");
}

fn health(server: SocketAddr, service: &str, tls: Option<TlsOptions>) -> Outcome {
    let check = GrpcCheck { connection: connection(server), tls, service: service.into(), host: None };
    ask(&Check::Grpc(Box::new(check)))
}

/// A health service: what is asked about is `up`, `down`, or not known; it is well itself.
async fn well(request: Request<RecvStream>, mut respond: Answer) {
    assert_eq!(request.uri().path(), "/grpc.health.v1.Health/Check");
    assert_eq!(
        (&request.headers()["content-type"], &request.headers()["te"]),
        (&"application/grpc".parse().unwrap(), &"trailers".parse().unwrap())
    );
    let mut asked = Vec::new();
    let mut body = request.into_body();
    while let Some(part) = body.data().await {
        asked.extend_from_slice(&part.unwrap());
    }
    let status = match asked.get(7..).unwrap_or_default() {
        b"" | b"up" => 1,
        b"down" => 2,
        _ => return say(&mut respond, 5, "unknown service"),
    };
    let mut body = respond.send_response(Response::new(()), false).unwrap();
    body.send_data(Bytes::copy_from_slice(&[0, 0, 0, 0, 2, 8, status]), false).unwrap();
    body.send_trailers(HeaderMap::from_iter([("grpc-status".parse().unwrap(), "0".parse().unwrap())]))
        .unwrap();
}

/// A status and no more, in the head.
fn say(respond: &mut Answer, status: u16, message: &str) {
    let response = Response::builder().header("grpc-status", status).header("grpc-message", message);
    respond.send_response(response.body(()).unwrap(), true).unwrap();
}

#[test]
fn health_is_what_the_server_says_of_it() {
    for (dress, tls) in [(Dress::Plain, None), (Dress::Tls(&[b"h2"]), Some(TlsOptions::default()))] {
        let server = server(dress, well);
        assert_eq!(health(server, "", tls.clone()), Outcome::Passed);
        assert_eq!(health(server, "up", tls.clone()), Outcome::Passed);
        failed(&health(server, "down", tls.clone()), "the server says of `down`: NOT_SERVING");
        failed(&health(server, "other", tls), "the server does not know the service `other`");
    }
}

#[test]
fn who_has_no_health_service_fails() {
    let without =
        server(Dress::Plain, async |_, mut respond: Answer| say(&mut respond, 12, "no such method"));
    failed(&health(without, "", None), "has no health service (grpc.health.v1)");
    let sick = server(Dress::Plain, async |_, mut respond: Answer| say(&mut respond, 14, "database away"));
    failed(&health(sick, "", None), "gRPC status 14: database away");
    failed(&health(server(Dress::Plain, echo), "", None), "does not speak gRPC (no grpc-status)");
    let web = server(Dress::Plain, async |_, mut respond: Answer| {
        respond.send_response(Response::builder().status(404).body(()).unwrap(), true).unwrap();
    });
    failed(&health(web, "", None), "does not speak gRPC (HTTP status 404)");
    let wordy = server(Dress::Plain, async |_, mut respond: Answer| {
        let mut body = respond.send_response(Response::new(()), false).unwrap();
        body.send_data(vec![0; 100_000].into(), true).unwrap();
    });
    failed(&health(wordy, "", None), "longer than any about health");
}
