//! What the daemon's processes leave with, as keepalived does.

/// A normal stop; also when the daemon runs already.
pub(crate) const OK: u8 = 0;
/// A command line that cannot be understood, or something without which no process of the daemon can run.
pub(crate) const FATAL: u8 = 1;
/// A configuration that cannot be used.
pub(crate) const CONFIG: u8 = 2;
/// A missing permission.
pub(crate) const PERMISSION: u8 = 4;
/// A configuration test found errors that a daemon would refuse.
pub(crate) const TEST_ERRORS: u8 = 4;
/// A configuration test found warnings that the daemon would survive.
pub(crate) const TEST_WARNINGS: u8 = 5;
/// The configuration file, or one that it must include, is missing or cannot be read.
pub(crate) const NO_FILE: u8 = 6;
/// A configuration test found scripts without `enable_script_security`.
pub(crate) const TEST_SCRIPT_SECURITY: u8 = 6;
/// A bug, or a kernel that did the unexpected. A worker that leaves so is started again.
pub(crate) const INTERNAL: u8 = 70;

/// Whether a worker that left with `code` would only do so again: the daemon then ends with the same code.
pub(crate) const fn is_permanent(code: u8) -> bool {
    matches!(code, FATAL | CONFIG | PERMISSION)
}
