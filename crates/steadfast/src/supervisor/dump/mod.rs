//! Dumps of state and statistics, in keepalived's names and layout (`SIGUSR1`, `SIGUSR2`, `SIGRTMIN+2`, `SIGRTMAX-1`).
//!
//! What belongs to the configuration is known here; what the virtual routers are up to, the worker tells in a
//! [`snapshot`]. Programs wait some ten milliseconds for a dump, so nothing here waits.

mod checked_files;
mod checkers;
mod command;
mod global;
mod json;
mod kernel;
mod page;
mod pools;
mod servers;
mod statistics;
mod topology;
mod trackers;
mod write;

use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::io;
use std::path::PathBuf;
use std::time::Duration;

use model::lvs::{self, Check, Checker, Probe, Regex, RegexOptions};
use model::vrrp::{Instance, SyncGroup};
use model::{Dump, IfName, Namespace};

use crate::message::{State, ToWorker};
use crate::snapshot::{self, Piece};

use command::Users;
use page::{Clocks, Page};
pub(super) use pools::{Before, Pools};
pub(super) use write::replace;

/// What can be asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    /// The configuration and the state, as text.
    State,
    /// The counters, as text.
    Statistics,
    /// The counters, which then begin anew.
    StatisticsAndClear,
    /// State and counters, as JSON.
    Json,
}

/// Whose state a dump shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Whose {
    Supervisor,
    Vrrp,
    Checkers,
}

/// What the worker has told.
#[derive(Clone, Debug, Default)]
pub(super) struct Told {
    instances: BTreeMap<String, snapshot::Instance>,
    scripts: BTreeMap<String, snapshot::Script>,
    files: BTreeMap<String, i32>,
    processes: BTreeMap<String, snapshot::Processes>,
    links: Vec<snapshot::Link>,
    sockets: Vec<snapshot::Socket>,
}

impl Told {
    fn add(&mut self, piece: Piece) {
        match piece {
            Piece::Instance(one) => drop(self.instances.insert(one.name.clone(), *one)),
            Piece::Script(one) => drop(self.scripts.insert(one.name.clone(), one)),
            Piece::File { name, value } => drop(self.files.insert(name, value)),
            Piece::Processes(one) => drop(self.processes.insert(one.name.clone(), one)),
            Piece::Link(one) => self.links.push(one),
            Piece::Socket(one) => self.sockets.push(one),
            Piece::End => {}
        }
    }
}

/// Dumps that were asked for, and the snapshot that they wait for.
#[derive(Debug, Default)]
pub(super) struct Requests {
    wanted: BTreeSet<Kind>,
    last: u64,
    under_way: Option<UnderWay>,
    /// Those that are kept, by the number that the worker was given.
    kept: BTreeMap<u64, Kept>,
}

/// The state at one moment, for a file of its own.
#[derive(Debug)]
pub(super) struct Kept {
    path: PathBuf,
    config: Box<model::Config>,
    told: Told,
}

impl Kept {
    /// Writes what was told.
    pub(super) fn write(&self, namespace: Option<&str>) -> Result<(), Unwritten> {
        let scene = Scene::new(&self.config, &self.told, namespace);
        save(self.path.clone(), &state(&scene), OWN)
    }
}

#[derive(Debug)]
struct UnderWay {
    number: u64,
    kinds: BTreeSet<Kind>,
    told: Told,
}

/// Dumps that can be written.
#[derive(Debug)]
pub(super) struct Due {
    pub(super) kinds: BTreeSet<Kind>,
    pub(super) told: Told,
}

impl Requests {
    pub(super) fn ask(&mut self, kind: Kind) {
        self.wanted.insert(kind);
    }

    /// What to ask the worker for, if something is wanted and nothing is asked for yet: a dump shows how things are
    /// after it was asked for.
    pub(super) fn begin(&mut self) -> Option<ToWorker> {
        if self.under_way.is_some() || self.wanted.is_empty() {
            return None;
        }
        self.last += 1;
        let kinds = std::mem::take(&mut self.wanted);
        let clear = kinds.contains(&Kind::StatisticsAndClear);
        self.under_way = Some(UnderWay { number: self.last, kinds, told: Told::default() });
        Some(ToWorker::Snapshot { request: self.last, clear })
    }

    /// What to ask the worker for, so that its state at this place among its orders is written to `path`.
    pub(super) fn keep(&mut self, path: PathBuf, config: &model::Config) -> ToWorker {
        self.last += 1;
        let config = Box::new(config.clone());
        self.kept.insert(self.last, Kept { path, config, told: Told::default() });
        ToWorker::Snapshot { request: self.last, clear: false }
    }

    /// Takes what the worker tells of a state that is kept; the state if that was all.
    pub(super) fn take_kept(&mut self, request: u64, piece: &Piece) -> Option<Kept> {
        if *piece == Piece::End {
            return self.kept.remove(&request);
        }
        self.kept.get_mut(&request)?.told.add(piece.clone());
        None
    }

    /// The worker is gone: what it has told of states that are kept.
    pub(super) fn end_kept(&mut self) -> impl Iterator<Item = Kept> + use<> {
        std::mem::take(&mut self.kept).into_values()
    }

    /// Takes what the worker tells; the dumps if that was all.
    pub(super) fn take(&mut self, request: u64, piece: Piece) -> Option<Due> {
        let under_way = self.under_way.as_mut().filter(|under_way| under_way.number == request)?;
        if piece != Piece::End {
            under_way.told.add(piece);
            return None;
        }
        self.end()
    }

    /// Nothing more will be told: what has been told must do.
    pub(super) fn end(&mut self) -> Option<Due> {
        self.under_way.take().map(|UnderWay { kinds, told, .. }| Due { kinds, told })
    }
}

/// All that a dump is made from.
struct Scene<'a> {
    config: &'a model::Config,
    told: &'a Told,
    clocks: Clocks,
    users: Users,
    /// How often each pattern is used.
    patterns: OnceCell<HashMap<(&'a str, RegexOptions), usize>>,
    /// The network namespace that the command line names.
    namespace: Option<&'a str>,
}

impl<'a> Scene<'a> {
    fn new(config: &'a model::Config, told: &'a Told, namespace: Option<&'a str>) -> Self {
        let users = Users::new(&config.global.script_user);
        let patterns = OnceCell::new();
        Self { config, told, clocks: Clocks::now(), users, patterns, namespace }
    }

    /// What was told of an instance; of one that has just been configured nothing is known yet.
    fn told(&self, instance: &Instance) -> snapshot::Instance {
        let told = self.told.instances.get(&instance.name).cloned();
        told.unwrap_or_else(|| snapshot::Instance {
            name: instance.name.clone(),
            state: State::Init,
            priority: instance.priority.get(),
            total_priority: i32::from(instance.priority.get()),
            master: None,
            since: None,
            deadline: None,
            down_interval: Duration::ZERO,
            source: None,
            faults: 0,
            is_pending: false,
            held: Vec::new(),
            counters: snapshot::Counters::default(),
        })
    }

    fn group_of(&self, member: &str) -> Option<&'a SyncGroup> {
        self.config.vrrp.groups.iter().find(|group| group.members.iter().any(|name| name == member))
    }

    /// How many pages are matched with this pattern.
    fn uses(&self, regex: &Regex) -> usize {
        let patterns = self.patterns.get_or_init(|| count_patterns(&self.config.lvs));
        patterns.get(&(&*regex.pattern, regex.options)).copied().unwrap_or(0)
    }

    fn link(&self, name: &IfName) -> Option<&'a snapshot::Link> {
        self.told.links.iter().find(|link| link.name == *name)
    }
}

fn count_patterns(config: &lvs::Config) -> HashMap<(&str, RegexOptions), usize> {
    let mut patterns = HashMap::new();
    let servers = config.virtual_servers.iter().flat_map(|server| &server.real_servers);
    for checker in servers.flat_map(|real| &real.checkers) {
        let Checker::Probe(Probe { check: Check::Http(http), .. }) = checker else { continue };
        for regex in http.requests.iter().filter_map(|request| request.regex.as_deref()) {
            *patterns.entry((&*regex.pattern, regex.options)).or_default() += 1;
        }
    }
    patterns
}

/// A dump could not be written.
#[derive(Debug, thiserror::Error)]
#[error("cannot write {}", .path.display())]
pub(super) struct Unwritten {
    path: PathBuf,
    source: io::Error,
}

/// The dump of the supervisor itself, which needs no worker.
pub(super) fn write_own(config: &model::Config, namespace: Option<&str>) -> Result<(), Unwritten> {
    let told = Told::default();
    let scene = Scene::new(config, &told, namespace);
    let mut page = Page::default();
    global::write(&scene, Whose::Supervisor, &mut page);
    save(state_path(&scene, Whose::Supervisor), &page.into_text(), UMASK_DECIDES)
}

/// The dump of the check worker.
pub(super) fn write_servers(
    config: &model::Config,
    pools: &Pools<'_>,
    namespace: Option<&str>,
) -> Result<(), Unwritten> {
    let told = Told::default();
    let scene = Scene::new(config, &told, namespace);
    let mut page = Page::default();
    global::write(&scene, Whose::Checkers, &mut page);
    servers::write(&scene, pools, &mut page);
    checkers::write(&scene, pools, &mut page);
    checked_files::write(&scene, pools, &mut page);
    save(state_path(&scene, Whose::Checkers), &page.into_text(), UMASK_DECIDES)
}

/// One of the dumps of the vrrp worker.
pub(super) fn write(
    kind: Kind,
    config: &model::Config,
    told: &Told,
    namespace: Option<&str>,
) -> Result<(), Unwritten> {
    let scene = Scene::new(config, told, namespace);
    let dumps = &config.global.files.dumps;
    match kind {
        Kind::State => save(state_path(&scene, Whose::Vrrp), &state(&scene), UMASK_DECIDES),
        Kind::Statistics | Kind::StatisticsAndClear => {
            let mut page = Page::default();
            statistics::write(&scene, &mut page);
            save(located(&dumps.statistics), &page.into_text(), UMASK_DECIDES)
        }
        Kind::Json => save(located(&dumps.json), &json::write(&scene), UMASK_DECIDES),
    }
}

fn state(scene: &Scene<'_>) -> String {
    let mut page = Page::default();
    global::write(scene, Whose::Vrrp, &mut page);
    topology::write(scene, &mut page);
    trackers::write(scene, &mut page);
    page.into_text()
}

/// Rights of dumps.
const UMASK_DECIDES: u32 = 0o666;

/// Rights of what is kept beside configurations.
const OWN: u32 = 0o600;

fn save(path: PathBuf, text: &str, mode: u32) -> Result<(), Unwritten> {
    replace(&path, text, mode).map_err(|source| Unwritten { path, source })
}

fn located(dump: &Dump) -> PathBuf {
    match dump {
        Dump::Temporary(name) => std::env::temp_dir().join(name),
        Dump::Path(path) => path.into(),
    }
}

/// `keepalived.data`, `keepalived_check.data`, `keepalived_parent.data`; between name and ending stand the namespace and the instance if they are
/// wanted there.
fn state_path(scene: &Scene<'_>, whose: Whose) -> PathBuf {
    let dumps = &scene.config.global.files.dumps;
    let path = located(&dumps.state);
    let stem = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let role = match whose {
        Whose::Supervisor => "_parent",
        Whose::Vrrp => "",
        Whose::Checkers => "_check",
    };
    let who = if dumps.names_instance { who(scene) } else { String::new() };
    let ending = path.extension().map_or_else(String::new, |ending| format!(".{}", ending.to_string_lossy()));
    path.with_file_name(format!("{stem}{role}{who}{ending}"))
}

fn who(scene: &Scene<'_>) -> String {
    let process = &scene.config.process;
    let namespace = match (scene.namespace, &process.net_namespace) {
        (Some(name), _) => Some(name),
        (None, Namespace::Named(name)) => Some(name.as_str()),
        (None, Namespace::Own) => None,
    };
    let parts: Vec<_> = namespace.into_iter().chain(process.instance.as_deref()).collect();
    if parts.is_empty() { String::new() } else { format!(".{}", parts.join("_")) }
}

#[cfg(test)]
mod tests;
