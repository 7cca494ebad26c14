//! What the fuzz targets of `fuzz/` do with their input. The tests do it with the corpus.

use std::io;

use steadfast_config as config;

use config::render::{self, Colour};
use config::{FileKind, Limits, Loaded, Options, SourceProvider};

/// Bounds that a fuzzer reaches in good time.
const LIMITS: Limits = Limits { lines: 2_000, read: 1 << 20, made: 1 << 20, files: 100, depth: 8 };

/// Files in memory: the main one, and others called `a.conf`, `b.conf`, `d/c.conf` and `d/e`.
struct Memory<'b>(Vec<&'b [u8]>);

const NAMES: [&str; 5] = ["main.conf", "a.conf", "b.conf", "d/c.conf", "d/e"];

impl SourceProvider for Memory<'_> {
    fn read(&self, path: &str) -> io::Result<Vec<u8>> {
        let index = NAMES.iter().position(|name| *name == path);
        let content = index.and_then(|index| self.0.get(index));
        content.map(|content| content.to_vec()).ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    fn kind(&self, path: &str) -> io::Result<FileKind> {
        match path {
            "d" => Ok(FileKind::Directory),
            "fifo" => Ok(FileKind::Other),
            "script" => Ok(FileKind::Executable),
            _ => self.read(path).map(|_| FileKind::Regular),
        }
    }

    fn names(&self, directory: &str) -> io::Result<Vec<String>> {
        match directory {
            "." => Ok(["main.conf", "a.conf", "b.conf", "d"].map(str::to_owned).to_vec()),
            "d" => Ok(["c.conf", "e"].map(str::to_owned).to_vec()),
            _ => Err(io::ErrorKind::NotFound.into()),
        }
    }

    fn variable(&self, name: &str) -> Option<String> {
        (name == "X").then(|| "1\n$A".to_owned())
    }
}

/// One file of any bytes.
#[allow(dead_code, reason = "each target uses one of them")]
pub(crate) fn source_and_tree(bytes: &[u8]) {
    check(&Memory(vec![bytes]));
}

/// Several files, which lines that begin with `%%` part.
#[allow(dead_code, reason = "each target uses one of them")]
pub(crate) fn load(bytes: &[u8]) {
    let mut files = Vec::new();
    let mut from = 0;
    for at in (0..bytes.len()).filter(|&at| bytes[at..].starts_with(b"\n%%")) {
        if at < from {
            continue;
        }
        files.push(&bytes[from..at]);
        let line = bytes[at + 1..].iter().position(|byte| *byte == b'\n');
        from = line.map_or(bytes.len(), |length| at + length + 2);
    }
    files.push(&bytes[from..]);
    check(&Memory(files));
}

/// Reads the files, and looks at all that is said about them.
fn check(files: &Memory<'_>) {
    let options = Options { config_id: "web".to_owned(), limits: LIMITS, ..Options::default() };
    let loaded = config::load_with(files, NAMES[0], &options);
    for diagnostic in &loaded.diagnostics {
        let places = diagnostic.labels.iter().map(|(span, _)| *span).chain([diagnostic.primary]);
        places.for_each(|span| check_span(&loaded, span));
        for step in loaded.sources.trail(diagnostic.primary) {
            check_span(&loaded, step.place);
        }
        let line = render::line(diagnostic, &loaded.sources);
        assert!(!line.contains(char::is_control), "{line:?}");
    }
    // Rendering is slow, and the same for all.
    for diagnostic in loaded.diagnostics.iter().take(5) {
        assert!(!render::full(diagnostic, &loaded.sources, Colour::Off).is_empty());
        assert!(!render::json(diagnostic, &loaded.sources).is_empty());
    }
    for (_, span) in &loaded.interfaces {
        check_span(&loaded, *span);
    }
}

fn check_span(loaded: &Loaded, span: config::Span) {
    let source = loaded.sources.source(span.source).expect("a span is of a source");
    assert!(source.text().get(span.range()).is_some(), "{span:?}");
}
