//! `GRPC_CHECK`.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{Connection, TlsOptions};

/// What a server says of its own health (`steadfast { GRPC_CHECK }`): `grpc.health.v1.Health/Check`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct GrpcCheck {
    /// How it reaches the server.
    pub connection: Connection,
    /// Over TLS (`tls`); in the clear if `None`.
    pub tls: Option<TlsOptions>,
    /// Which service is asked about (`service`); empty for the server as a whole.
    pub service: Box<str>,
    /// Whom the request names (`virtualhost`); the server's address if `None`.
    pub host: Option<Arc<str>>,
}
