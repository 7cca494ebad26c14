//! `SSL_GET` before a server that speaks TLS.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::num::NonZeroU16;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::Duration;

use model::lvs::{
    Check, Connection, HttpCheck, HttpVersion, Outcome, Request, ServerName, StatusSet, Tls, TlsOptions,
};
use rustls::client::danger::HandshakeSignatureValid;
use rustls::crypto::{WebPkiSupportedAlgorithms, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, UnixTime};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{
    DigitallySignedStruct, DistinguishedName, Error, HandshakeKind, ServerConfig, ServerConnection,
    SignatureScheme, SupportedProtocolVersion, version,
};
use steadfast_probe::Prober;

const CERTIFICATE: &[u8] = include_bytes!("tls/certificate.pem");
const KEY: &[u8] = include_bytes!("tls/key.pem");

/// How a session came about, the name that the client gave, whether it showed a certificate, and whether it took its
/// leave.
#[derive(Debug, PartialEq)]
struct Seen {
    kind: HandshakeKind,
    name: Option<String>,
    known: bool,
    closed: bool,
}

fn server(versions: &[&'static SupportedProtocolVersion], ask_who: bool) -> (SocketAddr, Receiver<Seen>) {
    let certificate = CertificateDer::from_pem_slice(CERTIFICATE).unwrap();
    let key = PrivateKeyDer::from_pem_slice(KEY).unwrap();
    let provider = Arc::new(ring::default_provider());
    let builder = ServerConfig::builder_with_provider(Arc::clone(&provider));
    let builder = builder.with_protocol_versions(versions).unwrap();
    let builder = if ask_who {
        builder.with_client_cert_verifier(Arc::new(Anybody(provider.signature_verification_algorithms)))
    } else {
        builder.with_no_client_auth()
    };
    let config = Arc::new(builder.with_single_cert(vec![certificate], key).unwrap());
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let address = listener.local_addr().unwrap();
    let (sender, seen) = mpsc::channel();
    thread::spawn(move || {
        for mut stream in listener.incoming().map(Result::unwrap) {
            let mut session = ServerConnection::new(Arc::clone(&config)).unwrap();
            let mut tls = rustls::Stream::new(&mut session, &mut stream);
            let mut request = Vec::new();
            while !request.ends_with(b"\r\n\r\n") {
                let mut byte = [0];
                if tls.read_exact(&mut byte).is_err() {
                    break;
                }
                request.push(byte[0]);
            }
            // Who has been given up on reads no more.
            drop(tls.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"));
            let closed = tls.read(&mut [0]).is_ok();
            if let Some(kind) = session.handshake_kind() {
                let name = session.server_name().map(str::to_owned);
                let known = session.peer_certificates().is_some();
                sender.send(Seen { kind, name, known, closed }).unwrap();
            }
        }
    });
    (address, seen)
}

fn check(server: SocketAddr, name: Option<ServerName>, tls_compliant: bool) -> Check {
    let timeout = Duration::from_secs(20);
    let port = NonZeroU16::new(server.port());
    let connection = Connection { address: server.ip(), port, timeout, mark: 0, local: None };
    let (host, status) = (Some("www.example.org:8443".into()), StatusSet::SUCCESS);
    let request = Request { path: "/".into(), host, status, digest: None, regex: None, tls_compliant };
    let tls = Some(TlsOptions { server_name: name, ..TlsOptions::default() });
    let (version, requests) = (HttpVersion::V10, vec![request]);
    Check::Http(Box::new(HttpCheck {
        connection,
        tls,
        version,
        http2: false,
        fast_recovery: false,
        requests,
    }))
}

fn ask(prober: &Prober, check: &Check) -> Outcome {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(prober.ask(check)).outcome
}

#[test]
fn the_second_handshake_is_a_short_one() {
    for version in [&version::TLS12, &version::TLS13] {
        let (server, seen) = server(&[version], false);
        let prober = Prober::new(None);
        let check = check(server, None, false);
        for expected in [HandshakeKind::Full, HandshakeKind::Resumed, HandshakeKind::Resumed] {
            assert_eq!(ask(&prober, &check), Outcome::Passed);
            let seen = seen.recv().unwrap();
            let plain = Seen { kind: expected, name: None, known: false, closed: false };
            assert_eq!(seen, plain, "{version:?}: an unknown certificate, no name, no leave");
        }
    }
}

#[test]
fn names_are_sent_where_wanted() {
    let (server, seen) = server(rustls::ALL_VERSIONS, false);
    let prober = Prober::new(None);
    let other = ServerName::Name("other.example.org".into());
    for (name, sent) in [
        (None, None),
        (Some(ServerName::Host), Some("www.example.org")),
        (Some(other), Some("other.example.org")),
        (Some(ServerName::Name("192.0.2.1".into())), None),
    ] {
        assert_eq!(ask(&prober, &check(server, name, false)), Outcome::Passed);
        assert_eq!(seen.recv().unwrap().name.as_deref(), sent);
    }
}

#[test]
fn who_wants_it_is_told_of_the_end() {
    let (server, seen) = server(rustls::ALL_VERSIONS, false);
    assert_eq!(ask(&Prober::new(None), &check(server, None, true)), Outcome::Passed);
    assert!(seen.recv().unwrap().closed);
}

#[test]
fn a_certificate_of_our_own_is_shown() {
    let (server, seen) = server(rustls::ALL_VERSIONS, true);
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, content: &[u8]| {
        let path = folder.path().join(name);
        std::fs::write(&path, content).unwrap();
        path.to_str().unwrap().into()
    };
    let (certificate, key) = (file("certificate.pem", CERTIFICATE), file("key.pem", KEY));
    let tls = Tls { certificate: Some(certificate), key: Some(key), ..Tls::default() };
    assert_eq!(ask(&Prober::new(Some(&tls)), &check(server, None, false)), Outcome::Passed);
    assert!(seen.recv().unwrap().known);

    let tls = Tls { certificate: Some("/nowhere/own.pem".into()), ..Tls::default() };
    let outcome = ask(&Prober::new(Some(&tls)), &check(server, None, false));
    let Outcome::Unknown(reason) = outcome else { panic!("{outcome:?}") };
    assert!(reason.starts_with("cannot read the certificate /nowhere/own.pem: "), "{reason}");
}

/// keepalived takes keys of every kind, since OpenSSL knows them; who verifies no signature needs to know none.
#[test]
fn a_key_of_any_kind_will_do() {
    if Command::new("openssl").arg("version").stdout(Stdio::null()).status().is_err() {
        return lab::skip("openssl is not installed");
    }
    // In TLS 1.2 the curve of a certificate has to be one of those that keys are exchanged with.
    let kinds: [(&[&str], &str); 4] = [
        (&["ec", "-pkeyopt", "ec_paramgen_curve:P-521"], "-tls1_3"),
        (&["ed448"], "-tls1_3"),
        (&["rsa:1024"], "-tls1_3"),
        (&["rsa:1024"], "-tls1_2"),
    ];
    for (kind, version) in kinds {
        let server = OpenSsl::serve(kind, version);
        let check = check(server.address, None, false);
        assert_eq!(ask(&Prober::new(None), &check), Outcome::Passed, "{kind:?} {version}");
    }
}

/// A server whose certificate rustls could not make.
struct OpenSsl {
    address: SocketAddr,
    process: Child,
}

impl OpenSsl {
    fn serve(kind: &[&str], version: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let openssl = |subcommand: &str| {
            let mut command = Command::new("openssl");
            command.arg(subcommand).current_dir(folder.path()).stdin(Stdio::null()).stderr(Stdio::null());
            command
        };
        let made = openssl("req")
            .args([
                "-x509", "-nodes", "-days", "2", "-subj", "/CN=any", "-keyout", "key", "-out", "own",
                "-newkey",
            ])
            .args(kind)
            .status();
        assert!(made.unwrap().success(), "{kind:?}");
        let mut process = openssl("s_server")
            .args([
                "-www",
                "-accept",
                "127.0.0.1:0",
                "-key",
                "key",
                "-cert",
                "own",
                "-cipher",
                "ALL:@SECLEVEL=0",
            ])
            .arg(version)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let address = lines.map_while(Result::ok).find_map(|line| line.strip_prefix("ACCEPT ")?.parse().ok());
        Self { address: address.expect("an address"), process }
    }
}

impl Drop for OpenSsl {
    fn drop(&mut self) {
        // It may have ended by itself.
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

/// Wants a certificate, whatever it is: the client must still prove that the key is its own.
#[derive(Debug)]
struct Anybody(WebPkiSupportedAlgorithms);

impl ClientCertVerifier for Anybody {
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        Ok(ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, certificate, signature, &self.0)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signature, &self.0)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.supported_schemes()
    }
}
