//! Capabilities of this process.

pub use caps::Capability;

/// Why the capabilities could not be changed.
#[derive(Debug, thiserror::Error)]
#[error("cannot change capabilities")]
pub struct Error(#[from] caps::errors::CapsError);

/// Whether this thread may use `capability` now (it is in the effective set).
#[must_use]
pub fn has(capability: Capability) -> bool {
    let _ = capability;
    unimplemented!()
}

/// Gives up every capability but those of `kept` that this thread has, for itself and for what it executes.
///
/// The bounding set is cut too if `CAP_SETPCAP` is held.
///
/// # Errors
/// The kernel refused.
pub fn keep_only(kept: &[Capability]) -> Result<(), Error> {
    let _ = kept;
    unimplemented!()
}
