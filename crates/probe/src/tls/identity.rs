//! The certificate that a check shows, and its key.

use model::lvs::Identity;
use pkcs8::{EncryptedPrivateKeyInfoRef, SecretDocument};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::sign::CertifiedKey;

use super::files;

/// Reads both files.
pub(super) fn read(
    identity: &Identity,
    password: Option<&str>,
    provider: &CryptoProvider,
) -> Result<CertifiedKey, Box<str>> {
    let Identity { certificate, key } = identity;
    let content = files::read(certificate, "the certificate")?;
    let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&content).collect();
    let chain = chain.map_err(|error| format!("cannot read the certificate {certificate}: {error}"))?;
    if chain.is_empty() {
        return Err(format!("there is no certificate in {certificate}").into());
    }
    let content = files::read(key, "the key")?;
    let private =
        private_key(&content, password).map_err(|reason| format!("cannot read the key {key}: {reason}"))?;
    let certified = CertifiedKey::from_der(chain, private, provider);
    certified.map_err(|error| format!("certificate {certificate} and key {key}: {error}").into())
}

fn private_key(content: &[u8], password: Option<&str>) -> Result<PrivateKeyDer<'static>, String> {
    let text = String::from_utf8_lossy(content);
    if let Some(encrypted) = section(&text) {
        let password = password.ok_or("it has a pass phrase, and the block SSL has no `password`")?;
        return decrypt(encrypted, password);
    }
    if text.contains("Proc-Type: 4,ENCRYPTED") {
        return Err("its pass phrase protects it in a way that is out of use; \
                    write it anew with `openssl pkcs8 -topk8`"
            .to_owned());
    }
    PrivateKeyDer::from_pem_slice(content).map_err(|error| error.to_string())
}

const BEGIN: &str = "-----BEGIN ENCRYPTED PRIVATE KEY-----";
const END: &str = "-----END ENCRYPTED PRIVATE KEY-----";

/// The encrypted key among what a file holds.
fn section(text: &str) -> Option<&str> {
    let (_, from) = text.split_at_checked(text.find(BEGIN)?)?;
    from.get(..from.find(END)? + END.len())
}

fn decrypt(pem: &str, password: &str) -> Result<PrivateKeyDer<'static>, String> {
    let (_, document) = SecretDocument::from_pem(pem).map_err(|error| error.to_string())?;
    let info = EncryptedPrivateKeyInfoRef::try_from(document.as_bytes());
    let key = info.and_then(|info| info.decrypt(password));
    let key = key.map_err(|error| format!("`password` of the block SSL does not open it ({error})"))?;
    Ok(PrivatePkcs8KeyDer::from(key.as_bytes().to_vec()).into())
}
