//! Bytes in memory that nobody can change any more, handed over as a file descriptor.

use std::fs::File;
use std::io::{self, Write};
use std::os::fd::OwnedFd;
use std::os::unix::fs::FileExt;

use rustix::fs::{MemfdFlags, SealFlags, fcntl_add_seals, fcntl_get_seals, memfd_create};

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

/// The content of a sealed memory file.
///
/// # Errors
/// `InvalidData` if it is not sealed against writing, growing, shrinking and unsealing.
pub fn read_sealed(file: OwnedFd) -> io::Result<Vec<u8>> {
    // What is no memory file at all says EINVAL.
    let seals = fcntl_get_seals(&file).unwrap_or(SealFlags::empty());
    if !seals.contains(whole()) {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "the memory file is not sealed"));
    }
    let file = File::from(file);
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
    fn what_is_not_sealed_is_refused() {
        let open = memfd_create("open", MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING).unwrap();
        assert_eq!(read_sealed(open).unwrap_err().kind(), io::ErrorKind::InvalidData);
        let (pipe, _writer) = rustix::pipe::pipe().unwrap();
        assert_eq!(read_sealed(pipe).unwrap_err().kind(), io::ErrorKind::InvalidData);
    }
}
