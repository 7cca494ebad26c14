//! `init_file`: the number that a tracked file begins with.

use std::fs::OpenOptions;
use std::io::{self, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::Path;

use model::vrrp::InitialFile;
use rustix::fs::OFlags;

/// Why a file does not begin with its number.
#[derive(Debug, thiserror::Error)]
pub(super) enum InitialError {
    /// Its folder does not exist, or something like that.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// Whoever may write in the folder could have us overwrite any file.
    #[error("it is a symbolic link")]
    Link,
    /// Likewise.
    #[error("it is a second name of another file")]
    SecondName,
    /// A pipe, a device, a folder.
    #[error("it is not a regular file")]
    NotRegular,
}

/// Writes the number, unless something is there that is not to be overwritten.
pub(super) fn write(path: &Path, initial: InitialFile) -> Result<(), InitialError> {
    let line = format!("{}\n", initial.value);
    match OpenOptions::new().write(true).create_new(true).open(path) {
        Ok(mut file) => Ok(file.write_all(line.as_bytes())?),
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error.into()),
        Err(_) if initial.overwrite => overwrite(path, &line),
        Err(_) => Ok(()),
    }
}

fn overwrite(path: &Path, line: &str) -> Result<(), InitialError> {
    if path.symlink_metadata()?.is_symlink() {
        return Err(InitialError::Link);
    }
    if !path.symlink_metadata()?.is_file() {
        return Err(InitialError::NotRegular);
    }
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY;
    let mut file = OpenOptions::new().write(true).custom_flags(flags.bits().cast_signed()).open(path)?;
    let found = file.metadata()?;
    if !found.is_file() {
        return Err(InitialError::NotRegular);
    }
    if found.nlink() > 1 {
        return Err(InitialError::SecondName);
    }
    file.set_len(0)?;
    Ok(file.write_all(line.as_bytes())?)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    const SEVEN: InitialFile = InitialFile { value: 7, overwrite: false };
    const MINUS_THREE: InitialFile = InitialFile { value: -3, overwrite: true };

    #[test]
    fn a_file_that_is_there_stays_unless_it_is_to_be_overwritten() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("load");
        write(&path, SEVEN).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "7\n");
        fs::write(&path, "a long line").unwrap();
        write(&path, SEVEN).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "a long line");
        write(&path, MINUS_THREE).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "-3\n");
        let nowhere = dir.path().join("none/load");
        assert!(matches!(write(&nowhere, SEVEN), Err(InitialError::Io(_))));
    }

    #[test]
    fn nothing_is_written_into_what_somebody_else_has_put_there() {
        let dir = tempfile::tempdir().unwrap();
        let (victim, path) = (dir.path().join("victim"), dir.path().join("load"));
        fs::write(&victim, "precious").unwrap();
        std::os::unix::fs::symlink(&victim, &path).unwrap();
        assert!(matches!(write(&path, MINUS_THREE), Err(InitialError::Link)));
        fs::remove_file(&path).unwrap();
        fs::hard_link(&victim, &path).unwrap();
        assert!(matches!(write(&path, MINUS_THREE), Err(InitialError::SecondName)));
        assert_eq!(fs::read_to_string(&victim).unwrap(), "precious");
        fs::remove_file(&path).unwrap();
        fs::create_dir(&path).unwrap();
        assert!(matches!(write(&path, MINUS_THREE), Err(InitialError::NotRegular)));
    }
}
