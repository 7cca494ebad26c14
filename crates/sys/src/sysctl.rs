//! Kernel settings under `/proc/sys/net`, of the network namespace of the calling thread.

use std::fs;
use std::io;
use std::path::PathBuf;

/// Why a setting could not be read or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A part of the path is empty, `.`, `..` or contains a slash.
    #[error("not a part of a setting's path: {0:?}")]
    Part(String),
    /// The kernel has no such setting: the interface is gone, or the feature is not built in.
    #[error("no setting {}", .0.display())]
    Missing(PathBuf),
    /// Anything else, for example a read-only `/proc/sys` in a container.
    #[error("cannot access {}", .path.display())]
    File {
        /// The setting.
        path: PathBuf,
        /// What the kernel said.
        #[source]
        source: io::Error,
    },
}

/// The value of a setting, without the final newline. `["ipv4", "conf", "eth0.1", "arp_ignore"]` names one.
///
/// # Errors
/// See [`Error`].
pub fn read(parts: &[&str]) -> Result<String, Error> {
    let path = path(parts)?;
    let value = fs::read_to_string(&path).map_err(|source| refused(path, source))?;
    Ok(value.trim_end().to_owned())
}

/// Sets a setting.
///
/// # Errors
/// See [`Error`].
pub fn write(parts: &[&str], value: &str) -> Result<(), Error> {
    let path = path(parts)?;
    fs::write(&path, value).map_err(|source| refused(path, source))
}

fn path(parts: &[&str]) -> Result<PathBuf, Error> {
    let mut path = PathBuf::from("/proc/sys/net");
    for part in parts {
        if matches!(*part, "" | "." | "..") || part.contains(['/', '\0']) {
            return Err(Error::Part((*part).to_owned()));
        }
        path.push(part);
    }
    Ok(path)
}

fn refused(path: PathBuf, source: io::Error) -> Error {
    if source.kind() == io::ErrorKind::NotFound { Error::Missing(path) } else { Error::File { path, source } }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_setting_reads_without_newline() {
        let value = read(&["ipv4", "conf", "lo", "arp_ignore"]).unwrap();
        assert!(value.parse::<u8>().is_ok(), "{value:?}");
    }

    #[test]
    fn errors_say_what_is_wrong() {
        assert!(matches!(read(&["ipv4", "conf", "no-such-link", "arp_ignore"]), Err(Error::Missing(_))));
        for part in ["..", "a/b", ""] {
            assert!(matches!(read(&["ipv4", part, "x"]), Err(Error::Part(_))));
        }
    }
}
