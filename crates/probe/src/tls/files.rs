//! Files of certificates and keys, whatever somebody has put there.

use std::fs::File;
use std::io::Read as _;

/// More than all authorities of the world need.
const MAX_BYTES: u64 = 16 * 1024 * 1024;

/// What a file holds. `what` names it in the reason why it cannot be read.
pub(super) fn read(path: &str, what: &str) -> Result<Vec<u8>, Box<str>> {
    let cannot = |reason: &dyn std::fmt::Display| format!("cannot read {what} {path}: {reason}");
    // What is no plain file may never end, or never begin.
    let metadata = std::fs::metadata(path).map_err(|error| cannot(&error))?;
    if !metadata.is_file() {
        return Err(cannot(&"it is no file").into());
    }
    let mut content = Vec::new();
    let file = File::open(path).map_err(|error| cannot(&error))?;
    file.take(MAX_BYTES + 1).read_to_end(&mut content).map_err(|error| cannot(&error))?;
    if u64::try_from(content.len()).is_ok_and(|length| length > MAX_BYTES) {
        return Err(cannot(&"it is too long").into());
    }
    Ok(content)
}
