//! `-s NAME`: the network namespace that the daemon, its worker and its scripts live in.

use std::fs::File;
use std::io;
use std::os::fd::AsFd as _;
use std::path::{Path, PathBuf};

use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};

use crate::exit;

/// Why a network namespace could not be entered.
#[derive(Debug, thiserror::Error)]
pub(super) enum NamespaceError {
    #[error("'{0}' is no name of a network namespace")]
    Name(String),
    #[error("cannot open network namespace {}: {source}", .path.display())]
    Open { path: PathBuf, source: io::Error },
    #[error("cannot enter network namespace {}: {source} (it takes CAP_SYS_ADMIN)", .path.display())]
    Enter { path: PathBuf, source: io::Error },
}

impl NamespaceError {
    /// What the daemon leaves with.
    pub(super) fn exit_code(&self) -> u8 {
        match self {
            Self::Enter { source, .. } if source.kind() == io::ErrorKind::PermissionDenied => {
                exit::PERMISSION
            }
            Self::Name(_) | Self::Open { .. } | Self::Enter { .. } => exit::FATAL,
        }
    }
}

/// Moves this process, and all that it will start, into the namespace that `ip netns` calls `name`.
///
/// To be called before any thread is started: only the calling thread moves.
pub(super) fn enter(name: &str) -> Result<(), NamespaceError> {
    if name.is_empty() || name == "." || name == ".." || name.contains('/') {
        return Err(NamespaceError::Name(name.to_owned()));
    }
    let path = Path::new(NAMESPACES).join(name);
    let file = File::open(&path).map_err(|source| NamespaceError::Open { path: path.clone(), source })?;
    move_into_link_name_space(file.as_fd(), Some(LinkNameSpaceType::Network))
        .map_err(|error| NamespaceError::Enter { path, source: error.into() })
}

/// Where `ip netns` keeps them.
const NAMESPACES: &str = "/run/netns";
