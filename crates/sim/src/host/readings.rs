//! What the supervisor reads of tracked things.

use std::collections::BTreeMap;

use model::vrrp::Config;
use vrrp::{Event, Router};

/// Something that is tracked is so now.
#[derive(Clone, Debug)]
pub(crate) enum Reading {
    /// The number in a file.
    File(String, i32),
    /// How many processes there are.
    Processes(String, u32),
    /// Whether a session is up.
    Session(String, bool),
}

/// All that was said so far. What nobody has spoken of is well.
#[derive(Clone, Debug, Default)]
pub(crate) struct Readings {
    files: BTreeMap<String, i32>,
    processes: BTreeMap<String, u32>,
    sessions: BTreeMap<String, bool>,
}

impl Reading {
    pub(super) fn event(&self) -> Event<'_> {
        match self {
            Self::File(name, value) => Event::File { name, value: *value },
            Self::Processes(name, count) => Event::Processes { name, count: *count },
            Self::Session(name, up) => Event::Bfd { session: name, up: *up },
        }
    }
}

impl Readings {
    pub(super) fn take(&mut self, reading: Reading) {
        match reading {
            Reading::File(name, value) => drop(self.files.insert(name, value)),
            Reading::Processes(name, count) => drop(self.processes.insert(name, count)),
            Reading::Session(name, up) => drop(self.sessions.insert(name, up)),
        }
    }

    /// The number in a file; what it begins with, if nothing was said of it.
    pub(crate) fn file(&self, config: &Config, name: &str) -> i32 {
        let initial = || {
            let file = config.files.iter().find(|file| file.name == name)?;
            Some(file.initial?.value)
        };
        self.files.get(name).copied().or_else(initial).unwrap_or(0)
    }

    /// How many processes run; as many as must, if nothing was said of them.
    pub(crate) fn processes(&self, config: &Config, name: &str) -> u32 {
        let least = || config.processes.iter().find(|one| one.name == name).map(|one| u32::from(one.least));
        self.processes.get(name).copied().or_else(least).unwrap_or(0)
    }

    /// Whether a session is up; it is, if nothing was said of it.
    pub(crate) fn session(&self, name: &str) -> bool {
        self.sessions.get(name).copied().unwrap_or(true)
    }

    /// Tells the router what stands as its next configuration comes.
    pub(super) fn presume(&self, config: &Config, router: &mut Router) {
        for process in &config.processes {
            router.presume_processes(&process.name, self.processes(config, &process.name));
        }
        for file in &config.files {
            router.presume_file(&file.name, self.file(config, &file.name));
        }
        let of_groups = config.groups.iter().flat_map(|group| &group.track_bfds);
        for tracked in config.instances.iter().flat_map(|one| &one.track_bfds).chain(of_groups) {
            router.presume_session(&tracked.name, self.session(&tracked.name));
        }
    }
}
