//! Whom to believe.

use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{WebPkiServerVerifier, verify_server_name};
use rustls::crypto::{CryptoProvider, WebPkiSupportedAlgorithms};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};

use super::{expiry, files};

/// Takes any certificate, as keepalived does: a check asks whether a server works, not who it is.
#[derive(Debug)]
pub(super) struct Anybody(pub(super) WebPkiSupportedAlgorithms);

impl ServerCertVerifier for Anybody {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.supported_schemes()
    }
}

/// Takes certificates that authorities have signed, and those that are named themselves (`verify_certificate`).
#[derive(Debug)]
pub(super) struct Trusted {
    authorities: Arc<WebPkiServerVerifier>,
    /// What the file holds. A server that signs for itself is known by its very certificate, which is no authority's.
    named: Vec<CertificateDer<'static>>,
}

impl Trusted {
    /// Reads the authorities of a file, or those of the system.
    pub(super) fn read(file: Option<&str>, provider: &Arc<CryptoProvider>) -> Result<Self, Box<str>> {
        let named = file.map(certificates).transpose()?.unwrap_or_default();
        let system = if file.is_none() { of_system()? } else { Vec::new() };
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(named.iter().cloned().chain(system));
        let builder = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::clone(provider));
        let place = file.unwrap_or("the system's store");
        let authorities = builder.build().map_err(|error| format!("no authorities in {place}: {error}"))?;
        Ok(Self { authorities, named })
    }
}

fn certificates(file: &str) -> Result<Vec<CertificateDer<'static>>, Box<str>> {
    let content = files::read(file, "the authorities")?;
    let certificates: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&content).collect();
    certificates.map_err(|error| format!("cannot read the authorities {file}: {error}").into())
}

fn of_system() -> Result<Vec<CertificateDer<'static>>, Box<str>> {
    let found = rustls_native_certs::load_native_certs();
    match found.errors.first() {
        Some(error) if found.certs.is_empty() => {
            Err(format!("cannot read the authorities of the system: {error}").into())
        }
        _ => Ok(found.certs),
    }
}

impl ServerCertVerifier for Trusted {
    fn verify_server_cert(
        &self,
        server: &CertificateDer<'_>,
        between: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        staple: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        if !self.named.contains(server) {
            return self.authorities.verify_server_cert(server, between, name, staple, now);
        }
        verify_server_name(&ParsedCertificate::try_from(server)?, name)?;
        match expiry::is_valid_at(server, now) {
            Ok(()) => Ok(ServerCertVerified::assertion()),
            Err(error) => Err(Error::InvalidCertificate(error)),
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.authorities.verify_tls12_signature(message, certificate, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.authorities.verify_tls13_signature(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.authorities.supported_verify_schemes()
    }
}

/// What is wrong with a certificate, in an operator's words.
pub(super) fn words(error: &CertificateError) -> String {
    match error {
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
            "the certificate of the server has ended".to_owned()
        }
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            "the certificate of the server is not valid yet".to_owned()
        }
        CertificateError::UnknownIssuer => {
            "the certificate of the server is signed by no authority that is trusted".to_owned()
        }
        _ => format!("the certificate of the server is not good: {error}"),
    }
}
