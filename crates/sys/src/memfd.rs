//! Bytes that nobody can change any more, handed over as a file descriptor: in memory, or in a file without a name.

use std::fs::File;
use std::io::{self, Write};
use std::os::fd::{AsRawFd as _, OwnedFd};
use std::os::unix::fs::{FileExt, MetadataExt as _, OpenOptionsExt as _};
use std::path::Path;

use rustix::fs::{
    MemfdFlags, OFlags, SealFlags, fcntl_add_seals, fcntl_get_seals, fcntl_getfl, memfd_create,
};

/// A sealed memory file with `content`; `name` is only for those who look into `/proc`.
///
/// # Errors
/// No memory or no file descriptor left.
pub fn sealed(name: &str, content: &[u8]) -> io::Result<OwnedFd> {
    let mut file = File::from(memfd_create(name, MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING)?);
    file.write_all(content)?;
    fcntl_add_seals(&file, whole())?;
    Ok(file.into())
}

/// A file with `content` on the disk of `directory` that never had a name there, and that this descriptor can only read.
///
/// # Errors
/// There is no such directory, its file system has no files without a name, or it is full.
pub fn unnamed(directory: &Path, content: &[u8]) -> io::Result<OwnedFd> {
    let flags = OFlags::TMPFILE.bits().cast_signed();
    let mut file = File::options().write(true).custom_flags(flags).mode(0o600).open(directory)?;
    file.write_all(content)?;
    // Another open file, so that the way to write it is closed here.
    Ok(File::open(format!("/proc/self/fd/{}", file.as_raw_fd()))?.into())
}

/// The content of a sealed memory file, or of a file without a name that can only be read.
///
/// # Errors
/// `InvalidData` if it has a name, or can be written through this descriptor and is not sealed against writing, growing,
/// shrinking and unsealing.
pub fn read_sealed(file: OwnedFd) -> io::Result<Vec<u8>> {
    // What is no memory file at all says EINVAL.
    let is_sealed = fcntl_get_seals(&file).is_ok_and(|seals| seals.contains(whole()));
    let is_fixed = is_sealed || fcntl_getfl(&file)? & OFlags::ACCMODE == OFlags::RDONLY;
    let file = File::from(file);
    let is_whole = is_fixed && file.metadata().is_ok_and(|data| data.is_file() && data.nlink() == 0);
    if !is_whole {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "the file can be changed"));
    }
    let length = usize::try_from(file.metadata()?.len()).map_err(io::Error::other)?;
    let mut content = vec![0; length];
    // By position: whoever else has the file shares its offset.
    file.read_exact_at(&mut content, 0)?;
    Ok(content)
}

fn whole() -> SealFlags {
    SealFlags::WRITE | SealFlags::GROW | SealFlags::SHRINK | SealFlags::SEAL
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_sealed_is_read_back_and_cannot_be_changed() {
        let content: Vec<u8> = (0..100_000_u32).map(|n| n.to_le_bytes()[0]).collect();
        let file = sealed("config", &content).unwrap();
        let copy = File::from(file.try_clone().unwrap());
        assert!(copy.write_at(b"x", 0).is_err());
        assert!(copy.set_len(1).is_err());
        assert_eq!(read_sealed(file).unwrap(), content);
    }

    #[test]
    fn what_has_no_name_is_read_back_and_leaves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let file = unnamed(folder.path(), b"config").unwrap();
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
        let copy = File::from(file.try_clone().unwrap());
        assert!(copy.write_at(b"x", 0).is_err());
        assert_eq!(read_sealed(file).unwrap(), b"config");
        assert!(unnamed(&folder.path().join("none"), b"config").is_err());
    }

    #[test]
    fn what_is_not_sealed_is_refused() {
        let open = memfd_create("open", MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING).unwrap();
        assert_eq!(read_sealed(open).unwrap_err().kind(), io::ErrorKind::InvalidData);
        let named = tempfile::NamedTempFile::new().unwrap();
        let read = read_sealed(File::open(named.path()).unwrap().into());
        assert_eq!(read.unwrap_err().kind(), io::ErrorKind::InvalidData);
        let (pipe, _writer) = rustix::pipe::pipe().unwrap();
        assert_eq!(read_sealed(pipe).unwrap_err().kind(), io::ErrorKind::InvalidData);
    }
}
