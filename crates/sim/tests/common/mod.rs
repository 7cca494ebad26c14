//! What the tests of the simulator share: configurations as the front end reads them.

use std::io;
use std::sync::Arc;

use config::Severity;
use model::vrrp::Config;

/// A file that is only a text.
struct Text<'a>(&'a str);

impl config::SourceProvider for Text<'_> {
    fn read(&self, _path: &str) -> io::Result<Vec<u8>> {
        Ok(self.0.as_bytes().to_vec())
    }
}

/// What the front end makes of a text about which nothing worse than `tolerated` is to be said.
pub(crate) fn read(text: &str, tolerated: Severity) -> Arc<Config> {
    let mut loaded = config::load(&Text(text), "keepalived.conf");
    // What this release does not act on does not matter here.
    loaded.judge_language();
    let wrong: Vec<_> = loaded.diagnostics.iter().filter(|one| one.severity > tolerated).collect();
    assert!(wrong.is_empty(), "{wrong:?}\n{text}");
    Arc::new(loaded.config.vrrp)
}
