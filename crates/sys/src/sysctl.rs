//! Kernel settings under `/proc/sys/net`, of the network namespace of the calling thread.

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
    let _ = parts;
    unimplemented!()
}

/// Sets a setting.
///
/// # Errors
/// See [`Error`].
pub fn write(parts: &[&str], value: &str) -> Result<(), Error> {
    let _ = (parts, value);
    unimplemented!()
}
