//! What the sessions of checks begin with: whom they believe, and what they show to servers that ask who they are.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, PoisonError};

use model::lvs::{Identity, Tls, TlsOptions, Trust};
use rustls::ClientConfig;
use rustls::crypto::{CryptoProvider, ring};
use rustls::sign::{CertifiedKey, SingleCertAndKey};

use super::identity;
use super::verify::{Anybody, Trusted};
use crate::trouble::Trouble;

/// What the block `SSL` says, and what files have held when a check first needed them.
#[derive(Debug)]
pub(crate) struct Credentials {
    provider: Arc<CryptoProvider>,
    tls: Tls,
    /// By file; those of the system without.
    trusted: Mutex<HashMap<Option<Box<str>>, Arc<Trusted>>>,
    identities: Mutex<HashMap<Identity, Arc<CertifiedKey>>>,
}

impl Credentials {
    pub(crate) fn new(tls: Option<&Tls>) -> Self {
        Self {
            provider: Arc::new(ring::default_provider()),
            tls: tls.cloned().unwrap_or_default(),
            trusted: Mutex::default(),
            identities: Mutex::default(),
        }
    }

    /// How a session with these options begins.
    pub(crate) fn config(&self, options: &TlsOptions) -> Result<ClientConfig, Trouble> {
        self.make(options).map_err(Trouble::here)
    }

    fn make(&self, options: &TlsOptions) -> Result<ClientConfig, Box<str>> {
        let builder = ClientConfig::builder_with_provider(Arc::clone(&self.provider))
            .with_safe_default_protocol_versions()
            .map_err(|error| error.to_string())?
            .dangerous();
        let anybody = || Arc::new(Anybody(self.provider.signature_verification_algorithms));
        let builder = match &options.trust {
            Trust::Anybody => builder.with_custom_certificate_verifier(anybody()),
            Trust::Shared => builder.with_custom_certificate_verifier(self.trusted(self.tls.ca.as_deref())?),
            Trust::File(file) => builder.with_custom_certificate_verifier(self.trusted(Some(file))?),
        };
        let own = options.identity.as_deref().cloned().or_else(|| shared_identity(&self.tls));
        Ok(match own {
            Some(identity) => {
                let certified = SingleCertAndKey::from(self.identity(&identity)?);
                builder.with_client_cert_resolver(Arc::new(certified))
            }
            None => builder.with_no_client_auth(),
        })
    }

    fn trusted(&self, file: Option<&str>) -> Result<Arc<Trusted>, Box<str>> {
        once(&self.trusted, &file.map(Into::into), || Trusted::read(file, &self.provider))
    }

    fn identity(&self, identity: &Identity) -> Result<Arc<CertifiedKey>, Box<str>> {
        let password = self.tls.password.as_ref().map(|password| &**password.reveal());
        once(&self.identities, identity, || identity::read(identity, password, &self.provider))
    }
}

/// What is remembered, or else is made. What cannot be made is tried again by the next check.
fn once<K: Clone + Eq + Hash, V>(
    known: &Mutex<HashMap<K, Arc<V>>>,
    key: &K,
    make: impl FnOnce() -> Result<V, Box<str>>,
) -> Result<Arc<V>, Box<str>> {
    let mut known = known.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(value) = known.get(key) {
        return Ok(Arc::clone(value));
    }
    let value = Arc::new(make()?);
    known.insert(key.clone(), Arc::clone(&value));
    Ok(value)
}

/// What the block `SSL` says; either file may hold both.
fn shared_identity(tls: &Tls) -> Option<Identity> {
    let certificate = tls.certificate.clone().or_else(|| tls.key.clone())?;
    let key = tls.key.clone().or_else(|| tls.certificate.clone())?;
    Some(Identity { certificate, key })
}
