//! Users and groups by name.

use std::ffi::CString;
use std::fmt;
use std::io;

use nix::unistd;

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
    let found = unistd::User::from_name(name).map_err(database)?;
    Ok(found.map(|user| User { name: user.name, uid: Uid(user.uid.as_raw()), gid: Gid(user.gid.as_raw()) }))
}

/// What the user of this number is called. Blocks as [`user`] does.
///
/// # Errors
/// [`Error::Database`]; an unknown number is `None`.
pub fn name_of(uid: Uid) -> Result<Option<String>, Error> {
    let found = unistd::User::from_uid(unistd::Uid::from_raw(uid.0)).map_err(database)?;
    Ok(found.map(|user| user.name))
}

/// The group called `name`. Blocks as [`user`] does.
///
/// # Errors
/// [`Error::Database`]; an unknown name is `None`.
pub fn group(name: &str) -> Result<Option<Gid>, Error> {
    let found = unistd::Group::from_name(name).map_err(database)?;
    Ok(found.map(|group| Gid(group.gid.as_raw())))
}

/// What a login of `user` would have: its own or the given group, and its supplementary groups. Blocks as [`user`] does.
///
/// # Errors
/// See [`Error`].
pub fn credentials(user: &str, group: Option<&str>) -> Result<Credentials, Error> {
    let User { uid, gid, name } = self::user(user)?.ok_or_else(|| Error::NoUser(user.to_owned()))?;
    let gid = match group {
        Some(group) => self::group(group)?.ok_or_else(|| Error::NoGroup(group.to_owned()))?,
        None => gid,
    };
    let name = CString::new(name).map_err(|_| Error::NoUser(user.to_owned()))?;
    let groups = unistd::getgrouplist(&name, unistd::Gid::from_raw(gid.0)).map_err(database)?;
    Ok(Credentials { uid, gid, groups: groups.into_iter().map(|g| Gid(g.as_raw())).collect() })
}

fn database(error: nix::errno::Errno) -> Error {
    Error::Database(error.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn root_is_everywhere() {
        assert_eq!(name_of(Uid::ROOT).unwrap().as_deref(), Some("root"));
        let root = user("root").unwrap().unwrap();
        assert_eq!((root.uid, root.gid), (Uid::ROOT, Gid(0)));
        let credentials = credentials("root", None).unwrap();
        assert_eq!(credentials.uid, Uid::ROOT);
        assert!(credentials.groups.contains(&Gid(0)));
    }

    #[test]
    fn the_group_can_be_another() {
        let nobody = credentials("nobody", Some("root")).unwrap();
        assert_eq!(nobody.gid, Gid(0));
        assert_ne!(nobody.uid, Uid::ROOT);
    }

    #[test]
    fn unknown_names_are_told_apart() {
        assert_eq!(user("no such user").unwrap(), None);
        assert!(matches!(credentials("no such user", None), Err(Error::NoUser(_))));
        assert!(matches!(credentials("root", Some("no such group")), Err(Error::NoGroup(_))));
    }
}
