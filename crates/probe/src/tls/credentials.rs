//! What checks show to servers that ask who they are (`SSL`).

use std::sync::Arc;

use model::lvs::Tls;
use rustls::ClientConfig;
use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use super::verify::Anybody;
use crate::trouble::Trouble;

/// What every session has in common, or why there can be none.
#[derive(Debug)]
pub(crate) struct Credentials(Result<ClientConfig, Box<str>>);

impl Credentials {
    /// Reads the files.
    pub(crate) fn read(tls: Option<&Tls>) -> Self {
        Self(make(tls))
    }

    pub(crate) fn config(&self) -> Result<ClientConfig, Trouble> {
        self.0.clone().map_err(Trouble::here)
    }
}

fn make(tls: Option<&Tls>) -> Result<ClientConfig, Box<str>> {
    let provider = Arc::new(ring::default_provider());
    let anybody = Arc::new(Anybody(provider.signature_verification_algorithms));
    let builder = builder(provider)?.dangerous().with_custom_certificate_verifier(anybody);
    let Some((certificate, key)) = tls.and_then(files) else { return Ok(builder.with_no_client_auth()) };
    let chain: Result<Vec<_>, _> = CertificateDer::pem_file_iter(certificate).and_then(Iterator::collect);
    let chain = chain.map_err(|error| format!("cannot read the certificate {certificate}: {error}"))?;
    let key_of = |error| match tls.and_then(|tls| tls.password.as_ref()) {
        Some(_) => format!("cannot read the key {key}: {error} (keys with a pass phrase cannot be read)"),
        None => format!("cannot read the key {key}: {error}"),
    };
    let private = PrivateKeyDer::from_pem_file(key).map_err(key_of)?;
    let config = builder.with_client_auth_cert(chain, private);
    config.map_err(|error| format!("certificate {certificate} and key {key}: {error}").into())
}

fn builder(
    provider: Arc<CryptoProvider>,
) -> Result<rustls::ConfigBuilder<ClientConfig, rustls::WantsVerifier>, Box<str>> {
    let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    builder.map_err(|error| error.to_string().into())
}

/// The files of certificate and key; either may hold both.
fn files(tls: &Tls) -> Option<(&str, &str)> {
    let (certificate, key) = (tls.certificate.as_deref(), tls.key.as_deref());
    Some((certificate.or(key)?, key.or(certificate)?))
}
