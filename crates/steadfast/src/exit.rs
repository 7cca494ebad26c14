//! What the daemon's processes leave with, as keepalived does.

use std::process::ExitCode;

/// A normal stop; also when the daemon runs already.
pub(crate) const OK: ExitCode = ExitCode::SUCCESS;
/// A command line that cannot be understood, or something without which no process of the daemon can run.
pub(crate) const FATAL: ExitCode = ExitCode::FAILURE;
/// A configuration that cannot be used.
pub(crate) const CONFIG: u8 = 2;
/// A missing permission.
pub(crate) const PERMISSION: u8 = 4;
/// A configuration test found errors or warnings that the daemon would survive.
pub(crate) const TEST_WARNINGS: u8 = 5;
/// The configuration file is missing or cannot be read; in a configuration test also: scripts without
/// `enable_script_security`.
pub(crate) const NO_FILE: u8 = 6;
/// A bug, or a kernel that did the unexpected. A worker that leaves so is started again.
pub(crate) const INTERNAL: u8 = 70;

/// Whether a worker that left with `code` would only do so again: the daemon then ends with the same code.
pub(crate) const fn is_permanent(code: u8) -> bool {
    matches!(code, 1 | CONFIG | PERMISSION)
}
