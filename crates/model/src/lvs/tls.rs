//! The credentials of TLS checkers.

use serde::{Deserialize, Serialize};

use crate::Secret;

/// What `SSL_GET` shows and trusts (`SSL`).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tls {
    /// The pass phrase of the key (`password`).
    pub password: Option<Secret<Box<str>>>,
    /// The file of authorities that are trusted (`ca`).
    pub ca: Option<Box<str>>,
    /// The certificate's file (`certificate`).
    pub certificate: Option<Box<str>>,
    /// The key's file (`key`).
    pub key: Option<Box<str>>,
}
