//! What hosts are called in findings.

use std::borrow::Cow;
use std::ffi::OsStr;

use super::NamedFile;

/// What tells the files apart: their ids if they are one file, else what is left of their paths without the folders that
/// all of them begin with, and without the name of the file where all have the same.
pub(crate) fn of(files: &[NamedFile]) -> Vec<String> {
    let paths: Vec<Vec<_>> =
        files.iter().map(|(path, _)| path.iter().map(OsStr::to_string_lossy).collect()).collect();
    let are_alike =
        |key: fn(&[Cow<'_, str>]) -> Option<String>| paths.windows(2).all(|two| key(&two[0]) == key(&two[1]));
    let is_one_file = are_alike(|path| Some(path.join("/")));
    let is_one_name = are_alike(|path| path.last().map(ToString::to_string));
    let folders = common_folders(&paths);
    let have_more = paths.iter().all(|path| path.len() > folders + 1);
    let dropped = usize::from(is_one_name && have_more && !is_one_file);
    let name = |(path, (_, id)): (&Vec<Cow<'_, str>>, &NamedFile)| {
        let name = path[folders..path.len() - dropped].join("/");
        match id {
            Some(id) if is_one_file => id.clone(),
            Some(id) => format!("{name}@{id}"),
            None => name,
        }
    };
    paths.iter().zip(files).map(name).collect()
}

/// How many folders all paths begin with. The last part of a path is no folder.
fn common_folders(paths: &[Vec<Cow<'_, str>>]) -> usize {
    let Some(first) = paths.first() else { return 0 };
    let all_have = |at: usize| paths.iter().all(|path| at + 1 < path.len() && path[at] == first[at]);
    (0..first.len()).take_while(|&at| all_have(at)).count()
}

#[cfg(test)]
mod tests {
    use super::super::split;
    use super::*;

    #[test]
    fn hosts_are_called_what_tells_them_apart() {
        let called = |files: &[&str]| {
            of(&files.iter().map(|file| split(OsStr::new(file), |_| false)).collect::<Vec<_>>())
        };
        assert_eq!(called(&["a.conf", "b.conf"]), ["a.conf", "b.conf"]);
        assert_eq!(called(&["/etc/c/a.conf", "/etc/c/b.conf"]), ["a.conf", "b.conf"]);
        assert_eq!(called(&["/srv/web1/keepalived.conf", "/srv/web2/keepalived.conf"]), ["web1", "web2"]);
        assert_eq!(called(&["all.conf@web1", "all.conf@web2"]), ["web1", "web2"]);
        assert_eq!(called(&["all.conf@web1", "b.conf"]), ["all.conf@web1", "b.conf"]);
        assert_eq!(called(&["x/all.conf"]), ["all.conf"]);
        assert_eq!(called(&["a", "a"]), ["a", "a"]);
        assert_eq!(called(&["a/b", "a/b/c"]), ["b", "b/c"]);
    }
}
