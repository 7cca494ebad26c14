//! Whom to believe.

use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{WebPkiServerVerifier, verify_server_name};
use rustls::crypto::{
    CryptoProvider, WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature,
};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};
use x509_cert::der::Decode as _;
use x509_cert::ext::pkix::{BasicConstraints, KeyUsage, SubjectAltName};
use x509_cert::{Certificate, Version};

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
        // What nobody verifies need not be known either.
        let known = self.0.supported_schemes();
        let others = UNKNOWN_SCHEMES.iter().filter(|scheme| !known.contains(scheme));
        known.iter().chain(others).copied().collect()
    }
}

/// Signatures that OpenSSL makes in TLS 1.3, and nothing here could verify.
const UNKNOWN_SCHEMES: [SignatureScheme; 2] =
    [SignatureScheme::ECDSA_NISTP521_SHA512, SignatureScheme::ED448];

/// Takes certificates that authorities have signed, and those that are named themselves (`verify_certificate`).
#[derive(Debug)]
pub(super) struct Trusted {
    /// None if the file names servers only.
    authorities: Option<Arc<WebPkiServerVerifier>>,
    /// What the file holds. A server that signs for itself is known by its very certificate, which is no authority's.
    named: Vec<CertificateDer<'static>>,
    algorithms: WebPkiSupportedAlgorithms,
}

impl Trusted {
    /// Reads the authorities of a file, or those of the system.
    pub(super) fn read(file: Option<&str>, provider: &Arc<CryptoProvider>) -> Result<Self, Box<str>> {
        let named = file.map(certificates).transpose()?.unwrap_or_default();
        let system = if file.is_none() { of_system()? } else { Vec::new() };
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(
            named.iter().filter(|named| is_authority(named)).cloned().chain(system),
        );
        let is_server = |named: &CertificateDer<'_>| Certificate::from_der(named).is_ok();
        if roots.is_empty() && !named.iter().any(is_server) {
            return Err(format!("no authorities in {}", file.unwrap_or("the system's store")).into());
        }
        let build = |roots| {
            let builder = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::clone(provider));
            builder.build().map_err(|error| format!("the authorities cannot be used: {error}"))
        };
        let authorities = Some(roots).filter(|roots| !roots.is_empty()).map(build).transpose()?;
        Ok(Self { authorities, named, algorithms: provider.signature_verification_algorithms })
    }
}

/// Whether a certificate may sign others. What it says of itself nobody below would ask: what is among the roots counts.
fn is_authority(certificate: &CertificateDer<'_>) -> bool {
    // One that only others can read is judged by them.
    let Ok(certificate) = Certificate::from_der(certificate) else { return true };
    let certificate = certificate.tbs_certificate();
    if certificate.version() != Version::V3 {
        return true;
    }
    match certificate.get_extension::<BasicConstraints>() {
        Ok(Some((_, constraints))) => constraints.ca,
        // As OpenSSL has it, for authorities of long ago.
        Ok(None) => {
            let usage = certificate.get_extension::<KeyUsage>();
            usage.is_ok_and(|usage| usage.is_some_and(|(_, usage)| usage.key_cert_sign()))
        }
        Err(_) => false,
    }
}

/// Whether a certificate says whose it is, in the way that counts. Many that servers have made for themselves do not, and
/// then the certificate itself is all there is to know them by.
fn has_names(certificate: &CertificateDer<'_>) -> bool {
    let Ok(certificate) = Certificate::from_der(certificate) else { return true };
    !matches!(certificate.tbs_certificate().get_extension::<SubjectAltName>(), Ok(None))
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
            let stranger = Error::InvalidCertificate(CertificateError::UnknownIssuer);
            let authorities = self.authorities.as_ref().ok_or(stranger)?;
            return authorities.verify_server_cert(server, between, name, staple, now);
        }
        if has_names(server) {
            verify_server_name(&ParsedCertificate::try_from(server)?, name)?;
        }
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
        verify_tls12_signature(message, certificate, signature, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signature, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
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
        // What is behind this is not shown by any type.
        CertificateError::Other(other) if other.to_string().contains("UnsupportedCertVersion") => {
            "the certificate of the server is of X.509 version 1, which is out of use".to_owned()
        }
        _ => format!("the certificate of the server is not good: {error}"),
    }
}
