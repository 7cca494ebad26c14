//! Users and groups by name.

use std::fmt;
use std::io;

/// A user's number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Uid(pub u32);

impl Uid {
    /// The superuser.
    pub const ROOT: Self = Self(0);

    /// The effective user of this process.
    #[must_use]
    pub fn own() -> Self {
        Self(rustix::process::geteuid().as_raw())
    }
}

impl fmt::Display for Uid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A group's number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Gid(pub u32);

impl fmt::Display for Gid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A user as the system's databases know it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// The login name.
    pub name: String,
    /// Its number.
    pub uid: Uid,
    /// Its primary group.
    pub gid: Gid,
}

/// All that decides what a process may do with files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credentials {
    /// The user.
    pub uid: Uid,
    /// The group.
    pub gid: Gid,
    /// The supplementary groups.
    pub groups: Vec<Gid>,
}

/// Why a user or group could not be resolved.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// No such user.
    #[error("no user {0}")]
    NoUser(String),
    /// No such group.
    #[error("no group {0}")]
    NoGroup(String),
    /// The databases could not be read.
    #[error("cannot read the user database")]
    Database(#[source] io::Error),
}

/// The user called `name`. May read files or ask a directory service: blocks.
///
/// # Errors
/// [`Error::Database`]; an unknown name is `None`.
pub fn user(name: &str) -> Result<Option<User>, Error> {
    let _ = name;
    unimplemented!()
}

/// The group called `name`. Blocks as [`user`] does.
///
/// # Errors
/// [`Error::Database`]; an unknown name is `None`.
pub fn group(name: &str) -> Result<Option<Gid>, Error> {
    let _ = name;
    unimplemented!()
}

/// What a login of `user` would have: its own or the given group, and its supplementary groups. Blocks as [`user`] does.
///
/// # Errors
/// See [`Error`].
pub fn credentials(user: &str, group: Option<&str>) -> Result<Credentials, Error> {
    let _ = (user, group);
    unimplemented!()
}
