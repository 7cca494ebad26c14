//! Capabilities of this process.

use caps::{CapSet, CapsHashSet};

pub use caps::Capability;

/// Why the capabilities could not be changed.
#[derive(Debug, thiserror::Error)]
#[error("cannot change capabilities")]
pub struct Error(#[from] caps::errors::CapsError);

/// Whether this thread may use `capability` now (it is in the effective set).
#[must_use]
pub fn has(capability: Capability) -> bool {
    caps::has_cap(None, CapSet::Effective, capability).unwrap_or(false)
}

/// Gives up every capability but those of `kept` that this thread has, for itself and for what it executes.
///
/// Capabilities belong to a thread: to be called before another is started, which would keep them.
/// The bounding set is cut too if `CAP_SETPCAP` is held.
///
/// # Errors
/// The kernel refused.
pub fn keep_only(kept: &[Capability]) -> Result<(), Error> {
    let permitted = caps::read(None, CapSet::Permitted)?;
    let kept: CapsHashSet = kept.iter().copied().filter(|c| permitted.contains(c)).collect();
    if has(Capability::CAP_SETPCAP) {
        for lost in caps::read(None, CapSet::Bounding)?.difference(&kept) {
            caps::drop(None, CapSet::Bounding, *lost)?;
        }
    }
    caps::clear(None, CapSet::Ambient)?;
    caps::clear(None, CapSet::Inheritable)?;
    caps::set(None, CapSet::Effective, &kept)?;
    caps::set(None, CapSet::Permitted, &kept)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    // Capabilities belong to a thread, and each test has one of its own.
    #[test]
    fn what_is_not_kept_is_gone() {
        let had = has(Capability::CAP_NET_RAW);
        keep_only(&[Capability::CAP_NET_RAW]).unwrap();
        assert_eq!(has(Capability::CAP_NET_RAW), had, "kept, but not made up");
        for set in [CapSet::Effective, CapSet::Permitted, CapSet::Inheritable, CapSet::Ambient] {
            let left = caps::read(None, set).unwrap();
            assert!(left.iter().all(|c| *c == Capability::CAP_NET_RAW), "{set:?} has {left:?}");
        }
        keep_only(&[]).unwrap();
        assert!(!has(Capability::CAP_NET_RAW));
    }
}
