//! `SSL_GET` that looks at certificates: whom it trusts, what it warns of, and what it shows.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::num::NonZeroU16;
use std::process::Command;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, SystemTime};

use model::lvs::{
    Check, Connection, HttpCheck, HttpVersion, Identity, Outcome, Request, ServerName, StatusSet, Tls,
    TlsOptions, Trust,
};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use rustls::crypto::ring;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig, ServerConnection};
use steadfast_probe::{Answer, Prober};
use tempfile::TempDir;

const DAY: Duration = Duration::from_secs(86_400);
const HOST: &str = "www.example.org";

type Authority = CertifiedIssuer<'static, KeyPair>;

fn authority(name: &str) -> Authority {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.distinguished_name.push(DnType::CommonName, name);
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

/// A certificate and its key.
struct Own {
    chain: Vec<CertificateDer<'static>>,
    pem: String,
    key: KeyPair,
}

impl Own {
    fn private(&self) -> PrivateKeyDer<'static> {
        PrivatePkcs8KeyDer::from(self.key.serialize_der()).into()
    }
}

/// So many days from now. Half a day more: the day that is told does not change while the test runs.
fn day<T: From<SystemTime>>(days: i64) -> T {
    let span = DAY * u32::try_from(days.unsigned_abs()).unwrap();
    let now = SystemTime::now();
    (if days < 0 { now - span } else { now + span + DAY / 2 }).into()
}

/// For this name, or for nobody, signed by this authority or else by itself, good from then to then, as days from now.
fn certificate(name: &str, by: Option<&Authority>, from: i64, to: i64) -> Own {
    let names: Vec<_> = [name.to_owned()].into_iter().filter(|name| !name.is_empty()).collect();
    let mut params = CertificateParams::new(names).unwrap();
    params.distinguished_name.push(DnType::CommonName, name);
    (params.not_before, params.not_after) = (day(from), day(to));
    let key = KeyPair::generate().unwrap();
    let certificate = match by {
        Some(authority) => params.signed_by(&key, authority).unwrap(),
        None => params.self_signed(&key).unwrap(),
    };
    Own { chain: vec![certificate.der().clone()], pem: certificate.pem(), key }
}

/// Serves a page with this certificate, for ever, to those whom this authority has signed or to everybody.
fn server(own: &Own, clients: Option<&Authority>) -> SocketAddr {
    let provider = Arc::new(ring::default_provider());
    let builder = ServerConfig::builder_with_provider(Arc::clone(&provider));
    let builder = builder.with_safe_default_protocol_versions().unwrap();
    let builder = match clients {
        Some(authority) => {
            let mut roots = RootCertStore::empty();
            roots.add(authority.der().clone()).unwrap();
            let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
            builder.with_client_cert_verifier(verifier.build().unwrap())
        }
        None => builder.with_no_client_auth(),
    };
    let config = Arc::new(builder.with_single_cert(own.chain.clone(), own.private()).unwrap());
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for mut stream in listener.incoming().map(Result::unwrap) {
            let mut session = ServerConnection::new(Arc::clone(&config)).unwrap();
            let mut tls = rustls::Stream::new(&mut session, &mut stream);
            let mut request = Vec::new();
            let mut byte = [0];
            while !request.ends_with(b"\r\n\r\n") && tls.read_exact(&mut byte).is_ok() {
                request.push(byte[0]);
            }
            // Who does not trust us has gone.
            drop(tls.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"));
            // What was said is read before the connection ends.
            drop(tls.read(&mut byte));
        }
    });
    address
}

fn ask(prober: &Prober, server: SocketAddr, tls: TlsOptions) -> Answer {
    ask_as(prober, server, tls, Some(HOST))
}

fn ask_as(prober: &Prober, server: SocketAddr, tls: TlsOptions, host: Option<&str>) -> Answer {
    let timeout = Duration::from_secs(20);
    let port = NonZeroU16::new(server.port());
    let connection = Connection { address: server.ip(), port, timeout, mark: 0, local: None };
    let (host, status) = (host.map(Into::into), StatusSet::SUCCESS);
    let request = Request { path: "/".into(), host, status, digest: None, regex: None, tls_compliant: false };
    let (version, requests) = (HttpVersion::V11, vec![request]);
    let check =
        HttpCheck { connection, tls: Some(tls), version, http2: false, fast_recovery: false, requests };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(prober.ask(&Check::Http(Box::new(check))))
}

/// Checked against the authorities in a file with this text.
fn judged(server: SocketAddr, authorities: &str, server_name: Option<ServerName>) -> Outcome {
    let folder = tempfile::tempdir().unwrap();
    let trust = Trust::File(file(&folder, "ca.pem", authorities));
    ask(&Prober::new(None), server, TlsOptions { trust, server_name, ..TlsOptions::default() }).outcome
}

fn file(folder: &TempDir, name: &str, content: &str) -> Box<str> {
    let path = folder.path().join(name);
    std::fs::write(&path, content).unwrap();
    path.to_str().unwrap().into()
}

#[track_caller]
fn failed(outcome: &Outcome, why: &str) {
    assert!(matches!(outcome, Outcome::Failed(reason) if reason.contains(why)), "{outcome:?}, not {why}");
}

#[test]
fn a_good_certificate_passes_and_others_fail_with_their_reason() {
    let (known, unknown) = (authority("known"), authority("unknown"));
    let good = |own: &Own| judged(server(own, None), &known.pem(), None);
    assert_eq!(good(&certificate(HOST, Some(&known), -1, 10)), Outcome::Passed);
    failed(&good(&certificate(HOST, Some(&known), -10, -1)), "the certificate of the server has ended");
    failed(&good(&certificate(HOST, Some(&known), 1, 10)), "is not valid yet");
    failed(&good(&certificate(HOST, Some(&unknown), -1, 10)), "signed by no authority that is trusted");
    failed(&good(&certificate("other.example.org", Some(&known), -1, 10)), "other.example.org");
}

#[test]
fn the_name_is_that_of_the_handshake_else_the_host_else_the_address() {
    let known = authority("known");
    let other = server(&certificate("other.example.org", Some(&known), -1, 10), None);
    let name = ServerName::Name("other.example.org".into());
    assert_eq!(judged(other, &known.pem(), Some(name)), Outcome::Passed);
    failed(&judged(other, &known.pem(), Some(ServerName::Host)), "www.example.org");
}

#[test]
fn an_address_is_as_good_as_a_name() {
    let known = authority("known");
    let folder = tempfile::tempdir().unwrap();
    let trust = Trust::File(file(&folder, "ca.pem", &known.pem()));
    let judged = |for_whom, host| {
        let server = server(&certificate(for_whom, Some(&known), -1, 10), None);
        let options = TlsOptions { trust: trust.clone(), ..TlsOptions::default() };
        ask_as(&Prober::new(None), server, options, host).outcome
    };
    for host in [None, Some("127.0.0.1"), Some("127.0.0.1:8443")] {
        assert_eq!(judged("127.0.0.1", host), Outcome::Passed, "{host:?}");
        failed(&judged("127.0.0.2", host), "the certificate of the server is not good");
        failed(&judged(HOST, host), "the certificate of the server is not good");
    }
    assert_eq!(judged("::1", Some("[::1]:8443")), Outcome::Passed);
    assert_eq!(judged("*.example.org", Some("www.example.org:8443")), Outcome::Passed);
    failed(&judged("*.example.org", Some("a.b.example.org")), "the certificate of the server is not good");
}

#[test]
fn a_server_has_to_show_the_whole_way_to_an_authority() {
    let known = authority("known");
    let params = |name: &str, from, to| {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, name);
        (params.not_before, params.not_after) = (day(from), day(to));
        params
    };
    let between = |from, to| {
        CertifiedIssuer::signed_by(params("between", from, to), KeyPair::generate().unwrap(), &known).unwrap()
    };
    let shown = |between: &Authority, whole: bool| {
        let mut own = certificate(HOST, Some(between), -1, 10);
        own.chain.extend(whole.then(|| between.der().clone()));
        judged(server(&own, None), &known.pem(), None)
    };
    assert_eq!(shown(&between(-1, 10), true), Outcome::Passed);
    failed(&shown(&between(-1, 10), false), "signed by no authority that is trusted");
    failed(&shown(&between(-10, -1), true), "has ended");
    let old = CertifiedIssuer::self_signed(params("old", -10, -1), KeyPair::generate().unwrap()).unwrap();
    let own = certificate(HOST, Some(&old), -1, 10);
    assert_eq!(judged(server(&own, None), &old.pem(), None), Outcome::Passed, "the file says whom to trust");
}

#[test]
fn who_signs_for_himself_is_known_by_his_very_certificate() {
    let own = certificate(HOST, None, -1, 10);
    assert_eq!(judged(server(&own, None), &own.pem, None), Outcome::Passed);
    let again = certificate(HOST, None, -1, 10);
    failed(&judged(server(&again, None), &own.pem, None), "certificate of the server");
    let ended = certificate(HOST, None, -10, -1);
    failed(&judged(server(&ended, None), &ended.pem, None), "has ended");
    let other = certificate("other.example.org", None, -1, 10);
    failed(&judged(server(&other, None), &other.pem, None), "certificate of the server");
    let nameless = certificate("", None, -1, 10);
    assert_eq!(
        judged(server(&nameless, None), &nameless.pem, None),
        Outcome::Passed,
        "it has no name at all"
    );
    failed(&judged(server(&nameless, None), &own.pem, None), "signed by no authority that is trusted");
    let known = authority("known");
    let nameless = certificate("", Some(&known), -1, 10);
    failed(&judged(server(&nameless, None), &known.pem(), None), "the certificate of the server is not good");
}

#[test]
fn who_signs_for_himself_is_no_authority_for_others() {
    let mut params = CertificateParams::new([HOST.to_owned()]).unwrap();
    params.distinguished_name.push(DnType::CommonName, HOST);
    for is_ca in [IsCa::NoCa, IsCa::ExplicitNoCa] {
        params.is_ca = is_ca;
        let neighbour = CertifiedIssuer::self_signed(params.clone(), KeyPair::generate().unwrap()).unwrap();
        let own = server(&certificate(HOST, Some(&neighbour), -1, 10), None);
        failed(&judged(own, &neighbour.pem(), None), "signed by no authority that is trusted");
        // Beside a true authority, too.
        let both = neighbour.pem() + &authority("known").pem();
        failed(&judged(own, &both, None), "signed by no authority that is trusted");
    }
}

#[test]
fn authorities_that_cannot_be_read_are_our_own_trouble() {
    let server = server(&certificate(HOST, None, -1, 10), None);
    let options = |trust| TlsOptions { trust, ..TlsOptions::default() };
    for (place, why) in [("/nowhere/ca.pem", "No such file"), ("/dev/zero", "it is no file")] {
        let trust = Trust::File(place.into());
        let Outcome::Unknown(reason) = ask(&Prober::new(None), server, options(trust)).outcome else {
            panic!("{place}")
        };
        assert!(reason.contains(place) && reason.contains(why), "{reason}");
    }
    assert!(matches!(judged(server, "no certificate at all", None), Outcome::Unknown(_)));
    // What the block SSL names holds for those that name no file.
    let tls = Tls { ca: Some("/nowhere/shared.pem".into()), ..Tls::default() };
    let answer = ask(&Prober::new(Some(&tls)), server, options(Trust::Shared));
    assert!(matches!(&answer.outcome, Outcome::Unknown(why) if why.contains("/nowhere/shared.pem")));
    // Without, the system's authorities do not know this one.
    let outcome = ask(&Prober::new(None), server, options(Trust::Shared)).outcome;
    assert!(!matches!(outcome, Outcome::Passed), "{outcome:?}");
}

#[test]
fn no_session_is_resumed_past_a_look_at_the_certificate() {
    let known = authority("known");
    let server = server(&certificate(HOST, Some(&known), -1, 10), None);
    let folder = tempfile::tempdir().unwrap();
    let trust = Trust::File(file(&folder, "ca.pem", &authority("another").pem()));
    let prober = Prober::new(None);
    for _ in 0..3 {
        assert_eq!(ask(&prober, server, TlsOptions::default()).outcome, Outcome::Passed);
        let options = TlsOptions { trust: trust.clone(), ..TlsOptions::default() };
        failed(&ask(&prober, server, options).outcome, "no authority that is trusted");
    }
}

#[test]
fn the_end_of_a_certificate_is_foretold() {
    let options = TlsOptions { expiry_warning_days: Some(14), ..TlsOptions::default() };
    let asked = |to| {
        let server = server(&certificate(HOST, None, -10, to), None);
        let answer = ask(&Prober::new(None), server, options.clone());
        assert_eq!(answer.outcome, Outcome::Passed, "it warns, and no more");
        answer.warning.map(|warning| warning.replace(&server.to_string(), "SERVER"))
    };
    assert_eq!(asked(20), None);
    let soon = asked(3).unwrap();
    assert!(soon.starts_with("the certificate `CN=www.example.org` of SERVER ends in 3 days ("), "{soon}");
    let ended = asked(-2).unwrap();
    assert!(ended.contains(" has ended 2 days ago ("), "{ended}");
}

#[test]
fn a_check_shows_a_certificate_of_its_own() {
    let (ours, theirs) = (authority("ours"), authority("theirs"));
    let server = server(&certificate(HOST, Some(&theirs), -1, 10), Some(&ours));
    let folder = tempfile::tempdir().unwrap();
    let own = certificate("check.example.org", Some(&ours), -1, 10);
    let both = file(&folder, "both.pem", &(own.pem.clone() + &own.key.serialize_pem()));
    let identity = |certificate: &str, key: &str| {
        let identity = Identity { certificate: certificate.into(), key: key.into() };
        TlsOptions { identity: Some(Box::new(identity)), ..TlsOptions::default() }
    };
    let prober = Prober::new(None);
    assert_eq!(ask(&prober, server, identity(&both, &both)).outcome, Outcome::Passed);
    assert!(matches!(ask(&prober, server, TlsOptions::default()).outcome, Outcome::Failed(_)));

    let other = file(&folder, "other.pem", &KeyPair::generate().unwrap().serialize_pem());
    let Outcome::Unknown(why) = ask(&prober, server, identity(&both, &other)).outcome else { panic!() };
    assert!(why.contains(&*other), "a key of another certificate: {why}");
}

#[test]
fn a_key_with_a_pass_phrase_is_opened_by_that_of_the_block_ssl() {
    let ours = authority("ours");
    let server = server(&certificate(HOST, None, -1, 10), Some(&ours));
    let folder = tempfile::tempdir().unwrap();
    let own = certificate("check.example.org", Some(&ours), -1, 10);
    let plain = file(&folder, "plain.pem", &own.key.serialize_pem());
    let locked = folder.path().join("locked.pem");
    let made = Command::new("openssl")
        .args(["pkcs8", "-topk8", "-passout", "pass:sesame", "-in", &plain, "-out"])
        .arg(&locked)
        .status();
    match made {
        Ok(status) => assert!(status.success(), "{status}"),
        Err(_) => return lab::skip("openssl is not installed"),
    }
    let tls = |password: Option<&str>| Tls {
        certificate: Some(file(&folder, "own.pem", &own.pem)),
        key: locked.to_str().map(Into::into),
        password: password.map(|password| model::Secret::new(password.into())),
        ..Tls::default()
    };
    let outcome = |password| ask(&Prober::new(Some(&tls(password))), server, TlsOptions::default()).outcome;
    assert_eq!(outcome(Some("sesame")), Outcome::Passed);
    for (password, why) in
        [(Some("simsim"), "`password` of the block SSL does not open it"), (None, "has no `password`")]
    {
        let Outcome::Unknown(reason) = outcome(password) else { panic!("{password:?}") };
        assert!(reason.contains(why), "{reason}");
    }
}
