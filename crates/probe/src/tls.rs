//! TLS sessions of checks.

mod credentials;
mod expiry;
mod files;
mod identity;
mod memory;
mod verify;

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, PoisonError};

use model::lvs::{Connection, TlsOptions, Trust};
use rustls::client::Resumption;
use rustls::pki_types::{ServerName, UnixTime};
use rustls::{AlertDescription, ClientConfig, PeerIncompatible};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::trouble::Trouble;
use crate::{Prober, dial};

pub(crate) use credentials::Credentials;

/// More sessions than there can be servers are remembered by nobody.
const MAX_CONFIGS: usize = 65_536;

/// Which sessions can be resumed by each other, and begin alike.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Kind {
    target: SocketAddr,
    name: Option<Box<str>>,
    options: TlsOptions,
    protocol: Protocol,
}

/// What is spoken in a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Protocol {
    /// The handshake does not say.
    Any,
    /// HTTP/2, which the handshake agrees upon (RFC 9113 §3.2).
    Http2,
}

/// A session that is to begin.
pub(crate) struct Session<'a> {
    pub(crate) connection: &'a Connection,
    pub(crate) options: &'a TlsOptions,
    /// The `Host` of the request.
    pub(crate) host: Option<&'a str>,
    pub(crate) protocol: Protocol,
}

impl Session<'_> {
    /// The handshake. Tells what an operator should know, too.
    pub(crate) async fn begin(
        &self,
        prober: &Prober,
        stream: TcpStream,
    ) -> Result<(TlsStream<TcpStream>, Option<Box<str>>), Trouble> {
        let target = dial::target(self.connection)?;
        let (name, sent) = self.server_name()?;
        let (options, protocol) = (self.options.clone(), self.protocol);
        let config = prober.config(Kind { target, name: sent, options, protocol })?;
        let handshake = async {
            let connected = TlsConnector::from(config).connect(name, stream).await;
            connected.map_err(|error| trouble_of(&error))
        };
        let missed = "no TLS handshake in time";
        let stream = dial::within(self.connection.timeout, handshake, missed).await?;
        let (_, session) = stream.get_ref();
        if protocol == Protocol::Http2 && session.alpn_protocol() != Some(HTTP2) {
            return Err(Trouble::server(NO_HTTP2));
        }
        let chain = session.peer_certificates().unwrap_or_default();
        let days = self.options.expiry_warning_days;
        let warning = days.and_then(|days| expiry::warning(chain, days, target, UnixTime::now()));
        Ok((stream, warning))
    }

    /// What rustls wants to call the server, and what the handshake tells it, if anything.
    fn server_name(&self) -> Result<(ServerName<'static>, Option<Box<str>>), Trouble> {
        let address = || ServerName::IpAddress(self.connection.address.into());
        let host = self.host.map(host_alone);
        let sent = match &self.options.server_name {
            None => None,
            Some(model::lvs::ServerName::Host) => host,
            Some(model::lvs::ServerName::Name(name)) => Some(&**name),
        };
        let parsed = |name: &str| ServerName::try_from(name.to_owned()).ok();
        if self.options.trust == Trust::Anybody {
            let named = sent.and_then(|name| Some((parsed(name)?, Some(name.into()))));
            return Ok(named.unwrap_or_else(|| (address(), None)));
        }
        let Some(wanted) = sent.or(host) else { return Ok((address(), None)) };
        let name = parsed(wanted)
            .ok_or_else(|| Trouble::here(format!("`{wanted}` is not a name that certificates have")))?;
        Ok((name, sent.map(Into::into)))
    }
}

/// The name of HTTP/2 in a handshake.
const HTTP2: &[u8] = b"h2";
const NO_HTTP2: &str = "the server does not offer HTTP/2 in the TLS handshake (ALPN)";

impl Prober {
    /// How sessions of a kind begin: made at the first, and remembered with what the next can resume.
    pub(crate) fn config(&self, kind: Kind) -> Result<Arc<ClientConfig>, Trouble> {
        let mut configs = self.configs.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(config) = configs.get(&kind) {
            return Ok(Arc::clone(config));
        }
        if configs.len() >= MAX_CONFIGS {
            configs.clear();
        }
        let mut config = self.credentials.config(&kind.options)?;
        config.enable_sni = kind.name.is_some();
        if kind.protocol == Protocol::Http2 {
            config.alpn_protocols.push(HTTP2.to_vec());
        }
        // A session that is resumed shows no certificate.
        let looks = kind.options.trust != Trust::Anybody || kind.options.expiry_warning_days.is_some();
        config.resumption = if looks {
            Resumption::disabled()
        } else {
            Resumption::store(Arc::new(memory::Memory::default()))
        };
        let config = Arc::new(config);
        configs.insert(kind, Arc::clone(&config));
        Ok(config)
    }
}

/// What went wrong in a session, in an operator's words.
pub(crate) fn trouble_of(error: &io::Error) -> Trouble {
    let cause = error.get_ref().and_then(|cause| cause.downcast_ref::<rustls::Error>());
    let Some(cause) = cause else {
        return Trouble::of_dialogue(error);
    };
    let too_old = "the server speaks TLS 1.1 or older only; checks need TLS 1.2 or 1.3";
    match cause {
        rustls::Error::PeerIncompatible(
            PeerIncompatible::ServerDoesNotSupportTls12Or13
            | PeerIncompatible::ServerTlsVersionIsDisabledByOurConfig,
        )
        | rustls::Error::AlertReceived(AlertDescription::ProtocolVersion) => Trouble::server(too_old),
        rustls::Error::AlertReceived(AlertDescription::HandshakeFailure) => {
            Trouble::server("the server refuses the TLS handshake (no cipher or version in common?)")
        }
        rustls::Error::AlertReceived(AlertDescription::NoApplicationProtocol) => Trouble::server(NO_HTTP2),
        rustls::Error::InvalidCertificate(error) => Trouble::server(verify::words(error)),
        rustls::Error::InvalidMessage(_) => {
            Trouble::server(format!("the server does not speak TLS ({cause})"))
        }
        _ => Trouble::server(format!("TLS: {cause}")),
    }
}

/// A `Host` without its port and the brackets of an IPv6 address.
fn host_alone(host: &str) -> &str {
    if let Some(address) = host.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        return address.0;
    }
    match host.rsplit_once(':') {
        Some((name, port)) if !name.contains(':') && port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    }
}
