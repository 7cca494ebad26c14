//! What tokio must have to watch a descriptor.

use std::os::fd::{AsFd, AsRawFd, RawFd};

/// Something with a descriptor, for [`tokio::io::unix::AsyncFd`].
#[derive(Debug)]
pub(super) struct Watched<T>(pub(super) T);

impl<T: AsFd> AsRawFd for Watched<T> {
    fn as_raw_fd(&self) -> RawFd {
        self.0.as_fd().as_raw_fd()
    }
}
