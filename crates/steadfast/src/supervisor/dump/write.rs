//! Files that appear whole or not at all, and never through a link.

use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

/// Puts `content` at `path`: whoever reads it sees all of the old content or all of the new, and a link that somebody
/// has put there is replaced, not followed. It has the rights of `mode` that the umask leaves.
pub(in super::super) fn replace(path: &Path, content: &str, mode: u32) -> io::Result<()> {
    let (mut file, temporary) = beside(path, mode)?;
    let written = file.write_all(content.as_bytes()).and_then(|()| std::fs::rename(&temporary, path));
    if written.is_err() {
        // It is in nobody's way, but of no use either.
        drop(std::fs::remove_file(&temporary));
    }
    written
}

/// A new file in the same folder: a folder for temporary files belongs to everybody, so names may be taken.
fn beside(path: &Path, mode: u32) -> io::Result<(File, PathBuf)> {
    let name = path.file_name().ok_or(io::ErrorKind::InvalidInput)?.to_string_lossy();
    let mut taken = io::Error::from(io::ErrorKind::AlreadyExists);
    for attempt in 0..ATTEMPTS {
        let temporary = path.with_file_name(format!(".{name}.{}.{attempt}", std::process::id()));
        let flags = rustix::fs::OFlags::NOFOLLOW.bits().cast_signed();
        match OpenOptions::new().write(true).create_new(true).custom_flags(flags).mode(mode).open(&temporary)
        {
            Ok(file) => return Ok((file, temporary)),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => taken = error,
            Err(error) => return Err(error),
        }
    }
    Err(taken)
}

const ATTEMPTS: u32 = 16;

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    use super::*;

    #[test]
    fn a_link_is_replaced_and_what_it_points_to_stays() {
        let folder = tempfile::tempdir().unwrap();
        let (target, path) = (folder.path().join("precious"), folder.path().join("keepalived.data"));
        std::fs::write(&target, "mine").unwrap();
        symlink(&target, &path).unwrap();
        replace(&path, "dump", 0o666).unwrap();
        assert_eq!(std::fs::read_to_string(&target).unwrap(), "mine");
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "dump");
        assert!(std::fs::symlink_metadata(&path).unwrap().is_file());
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 2, "nothing is left over");
    }

    #[test]
    fn names_that_somebody_has_taken_are_passed_over() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x");
        let trap = folder.path().join(format!(".x.{}.0", std::process::id()));
        symlink("/nowhere", &trap).unwrap();
        replace(&path, "whole", 0o666).unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "whole");
        let mode = std::fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o111, 0);
    }

    #[test]
    fn a_folder_that_is_not_there_is_an_error_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        assert!(replace(&folder.path().join("none/x"), "", 0o666).is_err());
        std::fs::create_dir(folder.path().join("x")).unwrap();
        assert!(replace(&folder.path().join("x"), "", 0o666).is_err(), "a folder is in the way");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
