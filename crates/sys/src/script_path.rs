//! Whether a script's file is there, may be run, and can be changed only by those who may.

use std::collections::VecDeque;
use std::ffi::OsStr;
use std::fs::{self, Metadata};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Component, Path, PathBuf};

use crate::users::{Credentials, Gid, Uid};

/// A part of a path that somebody else than root or the script's own user can change.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{} {reason}", .component.display())]
pub struct Insecure {
    /// The first such directory or file.
    pub component: PathBuf,
    /// Its permission bits.
    pub mode: u32,
    /// Who owns it.
    pub owner: Uid,
    /// What is wrong with it.
    pub reason: Reason,
}

/// Who can change a part of a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Reason {
    /// Its owner is neither root nor the script's user.
    #[error("is owned by another user")]
    Owner,
    /// Members of its group, which is not root's.
    #[error("is writable by its group")]
    Group,
    /// Everybody.
    #[error("is writable by everybody")]
    Others,
}

/// Why a file cannot be run.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NotExecutable {
    /// No such file.
    #[error("not found")]
    NotFound,
    /// A directory, device or socket.
    #[error("not a regular file")]
    NotRegular,
    /// That user has no right to execute it, or to reach it.
    #[error("not executable")]
    Denied,
    /// The kernel did not say.
    #[error("cannot be examined")]
    Kernel(#[source] io::Error),
}

/// The first part of `path`, symbolic links followed, that can be changed by anybody but root and `run_as`.
///
/// The walk begins at the root directory: `path` must be absolute. A directory with the sticky bit (`/tmp`) may be
/// writable, since nobody can replace there what belongs to another, and the owner of what it holds is looked at next.
///
/// # Errors
/// A part cannot be examined, or `path` is relative (`InvalidInput`).
pub fn insecure(path: &Path, run_as: Uid) -> io::Result<Option<Insecure>> {
    if !path.is_absolute() {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    let mut rest: VecDeque<PathBuf> = VecDeque::from([path.to_owned()]);
    let mut walked = PathBuf::from("/");
    let mut links = 0;
    while let Some(part) = rest.pop_front() {
        let mut components = part.components();
        let Some(first) = components.next() else { continue };
        rest.push_front(components.as_path().to_owned());
        match first {
            Component::RootDir => walked = PathBuf::from("/"),
            Component::ParentDir => {
                walked.pop();
            }
            Component::Normal(name) => walked.push(name),
            Component::CurDir | Component::Prefix(_) => continue,
        }
        let metadata = fs::symlink_metadata(&walked)?;
        if let Some(reason) = reason(&metadata, run_as) {
            let mode = metadata.mode() & 0o7777;
            return Ok(Some(Insecure { component: walked, mode, owner: Uid(metadata.uid()), reason }));
        }
        if metadata.is_symlink() {
            links += 1;
            if links > MAX_LINKS {
                return Err(rustix::io::Errno::LOOP.into());
            }
            rest.push_front(fs::read_link(&walked)?);
            walked.pop();
        }
    }
    Ok(None)
}

/// As many as the kernel follows.
const MAX_LINKS: u32 = 40;

fn reason(metadata: &Metadata, run_as: Uid) -> Option<Reason> {
    const STICKY: u32 = 0o1000;
    let (mode, owner) = (metadata.mode(), Uid(metadata.uid()));
    if owner != Uid::ROOT && owner != run_as {
        return Some(Reason::Owner);
    }
    // The mode of a link means nothing, nor does the sticky bit of a file.
    if metadata.is_symlink() || (metadata.is_dir() && mode & STICKY != 0) {
        return None;
    }
    if mode & 0o002 != 0 {
        return Some(Reason::Others);
    }
    (mode & 0o020 != 0 && metadata.gid() != 0).then_some(Reason::Group)
}

/// Whether a process with `credentials` may execute the file at `path`, by its permission bits: a prediction, which
/// gives the benefit of the doubt where an access control list may grant more than these. Only an attempt is sure.
///
/// # Errors
/// See [`NotExecutable`].
pub fn executable(path: &Path, credentials: &Credentials) -> Result<(), NotExecutable> {
    // Which names and resolves every link on the way.
    let path = fs::canonicalize(path).map_err(examined)?;
    let metadata = fs::metadata(&path).map_err(examined)?;
    if !metadata.is_file() {
        return Err(NotExecutable::NotRegular);
    }
    for folder in path.ancestors().skip(1) {
        permitted(folder, &fs::metadata(folder).map_err(examined)?, credentials)?;
    }
    permitted(&path, &metadata, credentials)
}

fn permitted(path: &Path, metadata: &Metadata, credentials: &Credentials) -> Result<(), NotExecutable> {
    // A list never grants root more: some user must be allowed to execute a file, and that shows in the bits.
    let is_granted = may_execute(metadata, credentials) || (credentials.uid != Uid::ROOT && has_list(path));
    if is_granted { Ok(()) } else { Err(NotExecutable::Denied) }
}

/// Whether there is a list beside the permission bits (acl(5)).
fn has_list(path: &Path) -> bool {
    let mut nothing = [0_u8; 0];
    // With room for nothing, only the size is told.
    rustix::fs::getxattr(path, "system.posix_acl_access", &mut nothing).is_ok()
}

fn examined(error: io::Error) -> NotExecutable {
    match error.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => NotExecutable::NotFound,
        io::ErrorKind::PermissionDenied => NotExecutable::Denied,
        _ => NotExecutable::Kernel(error),
    }
}

/// The superuser may search every directory, and execute what anybody may.
fn may_execute(metadata: &Metadata, credentials: &Credentials) -> bool {
    let mode = metadata.mode();
    if credentials.uid == Uid::ROOT {
        return metadata.is_dir() || mode & 0o111 != 0;
    }
    let group = Gid(metadata.gid());
    let bit = if Uid(metadata.uid()) == credentials.uid {
        0o100
    } else if group == credentials.gid || credentials.groups.contains(&group) {
        0o010
    } else {
        0o001
    };
    mode & bit != 0
}

/// The first regular, executable file called `program` in the directories of `search`, a colon-separated list as in
/// `PATH`. Relative directories are passed over.
#[must_use]
pub fn find(program: &OsStr, search: &OsStr) -> Option<PathBuf> {
    let folders =
        search.as_bytes().split(|byte| *byte == b':').map(|folder| Path::new(OsStr::from_bytes(folder)));
    folders.filter(|folder| folder.is_absolute()).map(|folder| folder.join(program)).find(|path| {
        fs::metadata(path).is_ok_and(|metadata| metadata.is_file() && metadata.mode() & 0o111 != 0)
    })
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    /// A script in a folder, with modes.
    fn script(folder: u32, file: u32) -> (tempfile::TempDir, PathBuf) {
        let temporary = tempfile::tempdir().unwrap();
        let parent = temporary.path().join("scripts");
        fs::create_dir(&parent).unwrap();
        let path = parent.join("check");
        fs::write(&path, "#!/bin/sh\n").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(file)).unwrap();
        fs::set_permissions(&parent, fs::Permissions::from_mode(folder)).unwrap();
        (temporary, path)
    }

    fn found(path: &Path) -> Option<(PathBuf, Reason)> {
        insecure(path, Uid::own()).unwrap().map(|insecure| (insecure.component, insecure.reason))
    }

    #[test]
    fn a_folder_that_everybody_can_write_is_named() {
        let (_temporary, path) = script(0o777, 0o755);
        let folder = path.parent().unwrap().to_owned();
        let insecure = insecure(&path, Uid::own()).unwrap().unwrap();
        assert_eq!(insecure.to_string(), format!("{} is writable by everybody", folder.display()));
        assert_eq!((insecure.mode, insecure.owner), (0o777, Uid::own()));
    }

    #[test]
    fn private_folders_are_fine_also_under_a_sticky_one() {
        let (_temporary, path) = script(0o755, 0o755);
        assert_eq!(found(&path), None);
        let (_temporary, path) = script(0o1777, 0o755);
        assert_eq!(found(&path), None);
    }

    #[test]
    fn the_file_itself_counts() {
        let (_temporary, path) = script(0o755, 0o757);
        assert_eq!(found(&path), Some((path.clone(), Reason::Others)));
    }

    #[test]
    fn a_foreign_owner_or_group_is_told() {
        if !crate::testing::is_root_or_skip() {
            return;
        }
        let (_temporary, path) = script(0o755, 0o775);
        std::os::unix::fs::chown(&path, None, Some(12_345)).unwrap();
        assert_eq!(found(&path), Some((path.clone(), Reason::Group)));
        std::os::unix::fs::chown(&path, Some(12_345), None).unwrap();
        assert_eq!(found(&path), Some((path.clone(), Reason::Owner)));
        std::os::unix::fs::chown(&path, Some(12_345), Some(0)).unwrap();
        assert_eq!(insecure(&path, Uid(12_345)).unwrap(), None, "its own user may");
    }

    #[test]
    fn links_are_followed_part_by_part() {
        let (temporary, path) = script(0o777, 0o755);
        let link = temporary.path().join("link");
        symlink("scripts/../scripts/check", &link).unwrap();
        let folder = fs::canonicalize(path.parent().unwrap()).unwrap();
        assert_eq!(found(&link), Some((folder, Reason::Others)));
        let ring = temporary.path().join("ring");
        symlink(&ring, &ring).unwrap();
        assert!(insecure(&ring, Uid::own()).is_err());
    }

    #[test]
    fn relative_and_missing_paths_are_errors() {
        assert_eq!(insecure(Path::new("check"), Uid::ROOT).unwrap_err().kind(), io::ErrorKind::InvalidInput);
        let missing = insecure(Path::new("/no/such/file"), Uid::ROOT).unwrap_err();
        assert_eq!(missing.kind(), io::ErrorKind::NotFound);
    }

    #[test]
    fn who_may_execute() {
        let other = Credentials { uid: Uid(12_345), gid: Gid(12_345), groups: Vec::new() };
        let root = Credentials { uid: Uid::ROOT, gid: Gid(0), groups: Vec::new() };
        let (temporary, path) = script(0o755, 0o644);
        assert!(matches!(executable(&path, &root), Err(NotExecutable::Denied)));
        assert!(matches!(executable(path.parent().unwrap(), &root), Err(NotExecutable::NotRegular)));
        assert!(matches!(executable(&path.join("x"), &root), Err(NotExecutable::NotFound)));
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        fs::set_permissions(temporary.path(), fs::Permissions::from_mode(0o700)).unwrap();
        assert!(executable(&path, &root).is_ok());
        assert!(matches!(executable(&path, &other), Err(NotExecutable::Denied)), "its folder is private");
        fs::set_permissions(temporary.path(), fs::Permissions::from_mode(0o755)).unwrap();
        assert!(executable(&path, &other).is_ok());
        fs::set_permissions(&path, fs::Permissions::from_mode(0o750)).unwrap();
        assert!(matches!(executable(&path, &other), Err(NotExecutable::Denied)));
    }

    /// `user::rwx user:12345:r-x group::--- mask::r-x other::---`, as the kernel takes it (acl(5)).
    fn grant_to_12345(path: &Path) -> rustix::io::Result<()> {
        const NOBODY: u32 = u32::MAX;
        let mut list = 2_u32.to_le_bytes().to_vec();
        for (tag, bits, id) in
            [(1_u16, 7_u16, NOBODY), (2, 5, 12_345), (4, 0, NOBODY), (0x10, 5, NOBODY), (0x20, 0, NOBODY)]
        {
            list.extend([tag.to_le_bytes(), bits.to_le_bytes()].concat());
            list.extend(id.to_le_bytes());
        }
        rustix::fs::setxattr(path, "system.posix_acl_access", &list, rustix::fs::XattrFlags::empty())
    }

    #[test]
    fn a_list_may_permit_more() {
        let other = Credentials { uid: Uid(12_345), gid: Gid(12_345), groups: Vec::new() };
        let (temporary, path) = script(0o755, 0o700);
        fs::set_permissions(temporary.path(), fs::Permissions::from_mode(0o755)).unwrap();
        assert!(matches!(executable(&path, &other), Err(NotExecutable::Denied)));
        if let Err(error) = grant_to_12345(&path) {
            assert_eq!(error, rustix::io::Errno::OPNOTSUPP);
            crate::testing::skip_for_want_of("a file system with access control lists");
            return;
        }
        assert!(executable(&path, &other).is_ok());
    }

    #[test]
    fn names_are_found_in_order() {
        let (_temporary, path) = script(0o755, 0o755);
        let folder = path.parent().unwrap().to_str().unwrap();
        let search = format!(":.:/no/such/folder:{folder}:/bin");
        assert_eq!(find(OsStr::new("check"), OsStr::new(&search)), Some(path));
        assert_eq!(find(OsStr::new("sh"), OsStr::new(&search)), Some("/bin/sh".into()));
        assert_eq!(find(OsStr::new("no-such-program"), OsStr::new(&search)), None);
    }
}
