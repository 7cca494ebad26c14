//! The files that mutants are made from.

use std::fs;
use std::path::Path;
use std::process::Command;

use super::bench::File;

/// Where Debian keeps keepalived's samples.
const FOLDER: &str = "/usr/share/doc/keepalived/samples";

/// Debian's samples in the order of their names; none where they are not installed.
pub(crate) fn samples() -> Vec<File> {
    let Ok(folder) = fs::read_dir(FOLDER) else { return Vec::new() };
    let mut paths: Vec<_> = folder.flatten().map(|entry| entry.path()).collect();
    paths.sort();
    let name =
        |path: &Path| path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let files =
        paths.iter().map(|path| (name(path), path)).filter(|(name, _)| name.starts_with("keepalived.conf"));
    files.map(|(name, path)| File { name, text: text(path) }).collect()
}

fn text(path: &Path) -> String {
    if path.extension().is_some_and(|extension| extension == "gz") {
        let output = Command::new("gzip").arg("-dc").arg(path).output().expect("gzip");
        return String::from_utf8(output.stdout).expect("text");
    }
    fs::read_to_string(path).expect("text")
}

/// Our own, which have what the samples lack. keepalived finds nothing to say about those in `seeds`.
pub(crate) fn seeds() -> Vec<File> {
    let files: &[(&str, &str)] = &[
        ("directives", include_str!("seeds/directives.conf")),
        ("global", include_str!("seeds/global.conf")),
        ("instance", include_str!("seeds/instance.conf")),
        ("routes", include_str!("seeds/routes.conf")),
        ("servers", include_str!("seeds/servers.conf")),
        ("trackers", include_str!("seeds/trackers.conf")),
        ("shapes", include_str!("../../../config/tests/fixtures/valid/shapes.conf")),
        ("remarks", include_str!("../../../config/tests/fixtures/valid/remarks.conf")),
        ("master", include_str!("../notes/master.conf")),
    ];
    let seed = |&(name, text): &(&str, &str)| File { name: format!("seed {name}"), text: text.to_owned() };
    files.iter().map(seed).collect()
}
