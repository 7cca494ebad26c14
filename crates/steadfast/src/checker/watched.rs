//! Descriptors that tokio watches.

use std::io;
use std::os::fd::{AsFd, AsRawFd, RawFd};

use tokio::io::unix::AsyncFd;

/// Something that keeps its descriptor for as long as it lives, and gives nobody else the right to close it.
#[derive(Debug)]
pub(super) struct Watched<T>(pub(super) T);

impl<T: AsFd> AsRawFd for Watched<T> {
    fn as_raw_fd(&self) -> RawFd {
        self.0.as_fd().as_raw_fd()
    }
}

/// Has tokio watch `inner`.
///
/// # Errors
/// The kernel refuses.
#[expect(
    deprecated,
    reason = "what takes its place is unsafe for types that close their descriptor; Watched does not"
)]
pub(super) fn watch<T: AsFd>(inner: T) -> io::Result<AsyncFd<Watched<T>>> {
    AsyncFd::new(Watched(inner))
}
