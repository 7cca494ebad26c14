//! Tracked files: their folders are watched, so that what is written, renamed or deleted is seen at once.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::{OsStr, OsString};
use std::mem::MaybeUninit;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use model::Instant;
use model::vrrp::TrackedFile;
use rustix::fs::inotify::{self, CreateFlags, ReadFlags, Reader, WatchFlags};
use rustix::io::Errno;
use sys::reactor::{Interest, Reactor, Token};

use crate::log::Log;

use super::content::{self, Content};
use super::initial;

/// The tracked files of a configuration.
///
/// A folder that cannot be watched, or a path with a symbolic link in it, whose target nobody watches, is looked at every
/// second instead.
#[derive(Debug)]
pub(super) struct Files {
    log: Log,
    token: Token,
    watch: Option<OwnedFd>,
    /// Each with the number of its watch, if it has one.
    folders: BTreeMap<PathBuf, Folder>,
    files: Vec<File>,
    look_at: Option<Instant>,
    news: BTreeMap<String, i32>,
}

#[derive(Debug, Default)]
struct Folder {
    watch: Option<i32>,
    /// What was last said of it.
    complaint: Option<String>,
}

#[derive(Debug)]
struct File {
    name: String,
    path: PathBuf,
    value: i32,
    /// It was empty when it was last looked at unasked.
    was_empty: bool,
    /// What was last said of it.
    complaint: Option<String>,
}

/// Why a file is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Look {
    /// Perhaps in the middle of a change: nothing in a file may mean that it is being written.
    Unasked,
    /// A change has come to its end.
    Changed,
}

impl Files {
    pub(super) const fn new(log: Log, token: Token) -> Self {
        Self {
            log,
            token,
            watch: None,
            folders: BTreeMap::new(),
            files: Vec::new(),
            look_at: None,
            news: BTreeMap::new(),
        }
    }

    pub(super) fn write_initial(&self, wanted: &[TrackedFile]) {
        for file in wanted {
            let Some(initial) = file.initial else { continue };
            if let Err(error) = initial::write(&absolute(&file.path), initial) {
                self.log.warning(format_args!(
                    "track_file {}: {} does not begin with {}: {error}",
                    file.name, file.path, initial.value
                ));
            }
        }
    }

    pub(super) fn configure(&mut self, reactor: &mut Reactor, now: Instant, wanted: &[TrackedFile]) {
        let mut before: BTreeMap<_, _> =
            std::mem::take(&mut self.files).into_iter().map(|file| (file.name.clone(), file)).collect();
        for TrackedFile { name, path, .. } in wanted {
            let path = absolute(path);
            let same = before.remove(name).filter(|file| file.path == path);
            self.files.push(same.unwrap_or_else(|| File {
                name: name.clone(),
                path,
                value: 0,
                was_empty: false,
                complaint: None,
            }));
        }
        self.open(reactor);
        let folders: BTreeSet<_> = self.files.iter().filter_map(File::folder).map(Path::to_owned).collect();
        let gone: Vec<_> = self
            .folders
            .extract_if(.., |folder, _| !folders.contains(folder))
            .map(|(_, gone)| gone)
            .collect();
        for Folder { watch, .. } in gone {
            self.unwatch(watch);
        }
        for folder in folders {
            self.folders.entry(folder).or_default();
        }
        self.look(now);
        // They go with the configuration.
        self.news.clear();
    }

    fn open(&mut self, reactor: &mut Reactor) {
        if self.files.is_empty() || self.watch.is_some() {
            return;
        }
        let opened = inotify::init(CreateFlags::CLOEXEC | CreateFlags::NONBLOCK).map_err(Into::into);
        match opened.and_then(|watch| reactor.add(&watch, self.token, Interest::Read).map(|()| watch)) {
            Ok(watch) => self.watch = Some(watch),
            Err(error) => self.log.warning(format_args!(
                "tracked files cannot be watched, and are looked at every second: {error}"
            )),
        }
    }

    pub(super) fn values(&self) -> BTreeMap<String, i32> {
        self.files.iter().map(|file| (file.name.clone(), file.value)).collect()
    }

    pub(super) fn take_news(&mut self) -> impl Iterator<Item = (String, i32)> {
        std::mem::take(&mut self.news).into_iter()
    }

    pub(super) const fn deadline(&self) -> Option<Instant> {
        self.look_at
    }

    pub(super) fn on_deadline(&mut self, now: Instant) {
        if self.look_at.is_some_and(|at| at <= now) {
            self.look(now);
        }
    }

    /// Looks at everything, and again in a second if something is not watched.
    fn look(&mut self, now: Instant) {
        self.watch_folders();
        for file in &mut self.files {
            file.look(Look::Unasked, &self.log, &mut self.news);
        }
        let unwatched = self.folders.values().any(|folder| folder.watch.is_none())
            || self.files.iter().any(|file| file.was_empty || file.is_winding());
        self.look_at = unwatched.then_some(now + PAUSE);
    }

    fn watch_folders(&mut self) {
        let Some(watch) = &self.watch else { return };
        let mut replaced = Vec::new();
        for (path, folder) in &mut self.folders {
            // Of one that is watched already this gives the same number, unless another one stands there now.
            match inotify::add_watch(watch, path, wanted_events()) {
                Ok(number) => {
                    replaced.extend(folder.watch.replace(number).filter(|before| *before != number));
                    folder.complaint = None;
                }
                Err(error) => {
                    replaced.extend(folder.watch.take());
                    let complaint = unwatchable(path, error);
                    if folder.complaint.as_ref() != Some(&complaint) {
                        self.log.warning(&complaint);
                        folder.complaint = Some(complaint);
                    }
                }
            }
        }
        for number in replaced {
            self.unwatch(Some(number));
        }
    }

    /// Ends a watch, unless it is also that of the same folder by another path.
    fn unwatch(&self, number: Option<i32>) {
        if let (Some(watch), Some(number)) = (&self.watch, number)
            && self.folders.values().all(|folder| folder.watch != Some(number))
        {
            // One that has ended with its folder is as wanted.
            inotify::remove_watch(watch, number).ok();
        }
    }

    pub(super) fn on_ready(&mut self, now: Instant) {
        let mut touched = BTreeMap::new();
        let mut lost = false;
        for seen in self.read_events() {
            if seen.events.intersects(lost_events()) {
                self.lose(&seen);
                lost = true;
                continue;
            }
            let is_new = seen.events.contains(ReadFlags::CREATE);
            let look = if is_new { Look::Unasked } else { Look::Changed };
            for (index, _) in self.files.iter().enumerate().filter(|(_, file)| self.concerns(&seen, file)) {
                let known = touched.entry(index).or_insert(look);
                *known = look.max(*known);
            }
        }
        for (index, look) in touched {
            let Some(file) = self.files.get_mut(index) else { continue };
            file.look(look, &self.log, &mut self.news);
            if file.was_empty || file.is_winding() {
                self.look_at.get_or_insert(now + PAUSE);
            }
        }
        if lost {
            self.look(now);
        }
    }

    /// A portion of what waits: the rest is reported again.
    fn read_events(&self) -> Vec<Seen> {
        let Some(watch) = &self.watch else { return Vec::new() };
        let mut buffer = [MaybeUninit::uninit(); BUFFER_BYTES];
        let mut reader = Reader::new(watch, &mut buffer);
        let mut seen = Vec::new();
        loop {
            match reader.next() {
                Ok(event) => seen.push(Seen {
                    watch: event.wd(),
                    name: event.file_name().map(|name| OsStr::from_bytes(name.to_bytes()).to_owned()),
                    events: event.events(),
                }),
                Err(Errno::INTR) => continue,
                Err(Errno::AGAIN) => return seen,
                Err(error) => {
                    self.log.error(format_args!("cannot read what happens to tracked files: {error}"));
                    return seen;
                }
            }
            if reader.is_buffer_empty() {
                return seen;
            }
        }
    }

    fn lose(&mut self, seen: &Seen) {
        for folder in self.folders.values_mut().filter(|folder| folder.watch == Some(seen.watch)) {
            folder.watch = None;
        }
        if seen.events.contains(ReadFlags::MOVE_SELF) {
            // Otherwise the watch would follow the folder to its new place.
            self.unwatch(Some(seen.watch));
        }
    }

    fn concerns(&self, seen: &Seen, file: &File) -> bool {
        let folder = file.folder().and_then(|folder| self.folders.get(folder));
        seen.name.as_deref() == file.path.file_name()
            && folder.is_some_and(|folder| folder.watch == Some(seen.watch))
    }
}

/// Something that happened in a folder.
#[derive(Debug)]
struct Seen {
    watch: i32,
    /// In the folder; none of what happened to the folder itself.
    name: Option<OsString>,
    events: ReadFlags,
}

impl File {
    fn folder(&self) -> Option<&Path> {
        self.path.file_name().and_then(|_| self.path.parent())
    }

    /// A symbolic link stands in its path: where that leads is not watched.
    fn is_winding(&self) -> bool {
        self.path.symlink_metadata().is_ok_and(|found| found.is_symlink())
            || self.folder().is_some_and(|folder| folder.canonicalize().is_ok_and(|real| real != folder))
    }

    fn look(&mut self, look: Look, log: &Log, news: &mut BTreeMap<String, i32>) {
        let content = content::read(&self.path);
        let is_empty = matches!(content, Content::Empty);
        let (value, complaint) = match content {
            // Twice in a row it is so.
            Content::Empty if look == Look::Unasked && !self.was_empty => (self.value, None),
            Content::Missing | Content::Empty => (0, None),
            Content::Number(number) => (number, None),
            Content::TooLarge => (self.value, Some("its number is too large and ignored".to_owned())),
            Content::NotRegular => (0, Some("not a regular file, so taken as 0".to_owned())),
            Content::Unreadable(error) => (self.value, Some(format!("cannot be read: {error}"))),
        };
        self.was_empty = is_empty && look == Look::Unasked && !self.was_empty && self.value != 0;
        if let Some(complaint) = complaint.as_ref().filter(|_| complaint != self.complaint) {
            log.warning(format_args!("track_file {}: {}: {complaint}", self.name, self.path.display()));
        }
        self.complaint = complaint;
        if value != self.value {
            log.detail(format_args!("track_file {}: {value} instead of {}", self.name, self.value));
            self.value = value;
            news.insert(self.name.clone(), value);
        }
    }
}

fn absolute(path: &str) -> PathBuf {
    // It fails only for an empty path, or where there is no working directory: no file is found there either.
    std::path::absolute(path).unwrap_or_else(|_| path.into())
}

fn unwatchable(folder: &Path, error: Errno) -> String {
    let folder = folder.display();
    match error {
        Errno::NOENT => format!("{folder}, the folder of a tracked file, does not exist yet"),
        Errno::NOSPC => format!(
            "{folder}, the folder of a tracked file, is looked at every second: the user has too many inotify watches \
             (sysctl fs.inotify.max_user_watches)"
        ),
        other => format!("{folder}, the folder of a tracked file, cannot be watched: {other}"),
    }
}

fn wanted_events() -> WatchFlags {
    WatchFlags::CLOSE_WRITE
        | WatchFlags::CREATE
        | WatchFlags::DELETE
        | WatchFlags::MOVE
        | WatchFlags::DELETE_SELF
        | WatchFlags::MOVE_SELF
        | WatchFlags::ONLYDIR
}

/// What ends a watch, or leaves a gap.
fn lost_events() -> ReadFlags {
    ReadFlags::IGNORED
        | ReadFlags::UNMOUNT
        | ReadFlags::QUEUE_OVERFLOW
        | ReadFlags::DELETE_SELF
        | ReadFlags::MOVE_SELF
}

/// Between two looks at what is not watched.
const PAUSE: Duration = Duration::from_secs(1);

/// Room for some hundred events.
const BUFFER_BYTES: usize = 16 * 1024;

#[cfg(test)]
mod tests {
    use std::fs;

    use model::Influence;
    use tempfile::TempDir;

    use super::*;
    use crate::log::{Destinations, Verbosity};

    struct Watched {
        dir: TempDir,
        reactor: Reactor,
        files: Files,
    }

    impl Watched {
        /// Watches the file at this path below a folder of its own.
        fn new(path: &str) -> Self {
            let to = Destinations {
                console: false,
                syslog: None,
                ident: "test".into(),
                verbosity: Verbosity::Normal,
            };
            let log = Log::start(to).unwrap();
            let dir = tempfile::tempdir().unwrap();
            let mut watched =
                Self { dir, reactor: Reactor::new().unwrap(), files: Files::new(log, Token(8)) };
            watched.configure(&[path]);
            watched
        }

        fn path(&self, path: &str) -> PathBuf {
            self.dir.path().join(path)
        }

        fn configure(&mut self, paths: &[&str]) {
            let file = |(number, path): (usize, &&str)| TrackedFile {
                name: format!("f{number}"),
                path: self.path(path).to_str().unwrap().to_owned(),
                influence: Influence::default(),
                initial: None,
            };
            let wanted: Vec<_> = paths.iter().enumerate().map(file).collect();
            self.files.configure(&mut self.reactor, sys::clock::now(), &wanted);
        }

        /// Serves events until the file `f0` has this value; they come at once, looks every second.
        #[track_caller]
        fn expect(&mut self, value: i32) {
            let until = sys::clock::now() + Duration::from_secs(10);
            let mut ready = Vec::new();
            while self.files.values()["f0"] != value {
                assert!(sys::clock::now() < until, "{:?} instead of {value}", self.files.values());
                let deadline = self.files.deadline().map_or(until, |at| at.min(until));
                self.reactor.wait(Some(deadline), &mut ready).unwrap();
                let now = sys::clock::now();
                if !ready.is_empty() {
                    self.files.on_ready(now);
                }
                self.files.on_deadline(now);
            }
        }

        /// It is told of by an event: nothing is looked at unasked.
        #[track_caller]
        fn expect_told(&mut self, value: i32) {
            assert_eq!(self.files.deadline(), None);
            self.expect(value);
        }
    }

    #[test]
    fn a_file_is_seen_as_it_comes_changes_and_goes() {
        let mut watched = Watched::new("load");
        let (path, new) = (watched.path("load"), watched.path("new"));
        fs::write(&path, "5\n").unwrap();
        watched.expect_told(5);
        fs::write(&path, "-6\n").unwrap();
        watched.expect_told(-6);
        fs::write(&new, "7").unwrap();
        fs::rename(&new, &path).unwrap();
        watched.expect_told(7);
        fs::rename(&path, &new).unwrap();
        watched.expect_told(0);
        fs::hard_link(&new, &path).unwrap();
        watched.expect_told(7);
        fs::remove_file(&path).unwrap();
        watched.expect_told(0);
        assert_eq!(
            watched.files.take_news().collect::<Vec<_>>(),
            [("f0".to_owned(), 0)],
            "the last is what counts"
        );
        assert_eq!(watched.files.take_news().count(), 0);
    }

    #[test]
    fn a_number_that_does_not_fit_leaves_the_one_before() {
        let mut watched = Watched::new("load");
        let path = watched.path("load");
        fs::write(&path, "5").unwrap();
        watched.expect_told(5);
        fs::write(&path, "99999999999").unwrap();
        // Events are in order: when the second file's has been seen, the first one's has been too.
        watched.configure(&["load", "other"]);
        assert_eq!(watched.files.values()["f0"], 5);
        fs::write(&path, "x").unwrap();
        watched.expect_told(0);
    }

    #[test]
    fn a_folder_may_come_late_move_away_and_come_again() {
        let mut watched = Watched::new("a/b/load");
        let folder = watched.path("a/b");
        assert!(watched.files.deadline().is_some());
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join("load"), "1").unwrap();
        watched.expect(1);
        fs::write(folder.join("load"), "2").unwrap();
        watched.expect_told(2);
        fs::rename(&folder, watched.path("a/c")).unwrap();
        watched.expect_told(0);
        fs::create_dir(&folder).unwrap();
        fs::write(folder.join("load"), "3").unwrap();
        watched.expect(3);
        fs::write(watched.path("a/c/load"), "4").unwrap();
        fs::write(folder.join("load"), "5").unwrap();
        watched.expect_told(5);
        fs::remove_dir_all(&folder).unwrap();
        watched.expect_told(0);
    }

    #[test]
    fn what_a_link_points_to_is_followed() {
        let mut watched = Watched::new("load");
        let (first, second) = (watched.path("first"), watched.path("second"));
        fs::create_dir(&first).unwrap();
        fs::write(first.join("value"), "1").unwrap();
        std::os::unix::fs::symlink(first.join("value"), watched.path("load")).unwrap();
        watched.expect(1);
        fs::write(first.join("value"), "2").unwrap();
        watched.expect(2);
        fs::write(first.join("value"), "").unwrap();
        watched.expect(0);
        // As a container's files are exchanged: a link in the way is.
        std::os::unix::fs::symlink(&first, watched.path("current")).unwrap();
        watched.configure(&["current/value"]);
        fs::create_dir(&second).unwrap();
        fs::write(second.join("value"), "3").unwrap();
        std::os::unix::fs::symlink(&second, watched.path("next")).unwrap();
        fs::rename(watched.path("next"), watched.path("current")).unwrap();
        watched.expect(3);
    }

    #[test]
    fn another_configuration_forgets_what_it_does_not_name() {
        let mut watched = Watched::new("load");
        fs::write(watched.path("load"), "1").unwrap();
        fs::create_dir(watched.path("below")).unwrap();
        fs::write(watched.path("below/load"), "2").unwrap();
        watched.expect(1);
        watched.configure(&["below/load", "load"]);
        assert_eq!(watched.files.values(), [("f0".to_owned(), 2), ("f1".to_owned(), 1)].into());
        assert_eq!(watched.files.take_news().count(), 0, "they go with the configuration");
        watched.configure(&["below/load"]);
        fs::write(watched.path("load"), "3").unwrap();
        fs::write(watched.path("below/load"), "4").unwrap();
        watched.expect_told(4);
        assert_eq!(watched.files.folders.len(), 1);
        watched.configure(&[]);
        assert!(watched.files.folders.is_empty() && watched.files.values().is_empty());
    }
}
