//! The name that the program was called by, and what follows from it.

use std::ffi::OsStr;
use std::path::Path;

use crate::cli::Options;
use crate::log::Destinations;

/// What the log begins and ends with.
pub(crate) const VERSION_LINE: &str =
    concat!("Steadfast v", env!("CARGO_PKG_VERSION"), " (compatible with keepalived 2.4)");

/// The role and name of the vrrp worker.
pub(crate) const VRRP: &str = "vrrp";

/// The role and name of the check worker, as keepalived has it.
pub(crate) const CHECKERS: &str = "healthcheckers";

/// The name of keepalived's other program, and of the command that stands for it.
pub(crate) const GENHASH: &str = "genhash";

/// The name that the program was called by.
///
/// Workers get the same one, so that `pgrep -o` of it finds the supervisor, the oldest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Program {
    name: String,
    is_keepalived: bool,
}

impl Program {
    /// From the word that the shell calls it by, which may be a path.
    pub(crate) fn named(invoked_as: &OsStr) -> Self {
        let name = Path::new(invoked_as).file_name().unwrap_or_else(|| OsStr::new("steadfast"));
        Self { name: name.to_string_lossy().into_owned(), is_keepalived: name == "keepalived" }
    }

    /// The last part of that word.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Under keepalived's name, words that are no options are ignored; under any other they are commands.
    pub(crate) const fn has_commands(&self) -> bool {
        !self.is_keepalived
    }

    /// Under the name of keepalived's other program it is that one.
    pub(crate) fn is_genhash(&self) -> bool {
        self.name == GENHASH
    }

    /// What `-v` prints first.
    ///
    /// Programs that run `keepalived -v` take the second word for keepalived's version and ask for no more than that
    /// version can; under that name they are told whom Steadfast is compatible with.
    pub(crate) const fn version(&self) -> &'static str {
        if self.has_commands() {
            VERSION_LINE
        } else {
            concat!("Keepalived v2.4.0 (Steadfast v", env!("CARGO_PKG_VERSION"), ")")
        }
    }

    /// What syslog calls `role`, the supervisor if `None`, of the daemon in this network namespace and with this
    /// instance name.
    pub(crate) fn ident(
        &self,
        role: Option<&str>,
        namespace: Option<&str>,
        instance: Option<&str>,
    ) -> String {
        let stem = if self.has_commands() { "Steadfast" } else { "Keepalived" };
        [Some(stem), role, namespace, instance].into_iter().flatten().collect::<Vec<_>>().join("_")
    }

    /// Where the log of `role` goes; the supervisor's if `None`.
    pub(crate) fn destinations(&self, options: &Options, role: Option<&str>) -> Destinations {
        Destinations {
            console: options.log_console,
            syslog: options.log_syslog.then_some(options.facility),
            ident: self.ident(role, options.namespace.as_deref(), None),
            verbosity: options.verbosity,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_decides_what_a_word_means_and_how_syslog_shows_it() {
        let keepalived = Program::named(OsStr::new("/usr/sbin/keepalived"));
        assert!(!keepalived.has_commands());
        assert_eq!(keepalived.version().split(' ').nth(1), Some("v2.4.0"));
        let options = Options::default();
        assert_eq!(keepalived.destinations(&options, Some(VRRP)).ident, "Keepalived_vrrp");
        let in_namespace = Options { namespace: Some("blue".into()), ..Options::default() };
        assert_eq!(keepalived.destinations(&in_namespace, None).ident, "Keepalived_blue");
        let steadfast = Program::named(OsStr::new("./steadfast"));
        assert_eq!((steadfast.name(), steadfast.has_commands()), ("steadfast", true));
        assert_eq!(steadfast.destinations(&options, None).ident, "Steadfast");
    }
}
