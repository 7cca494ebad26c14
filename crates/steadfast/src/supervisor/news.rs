//! State changes, told to programs that read named pipes, and to people by mail.
//!
//! Lines are byte for byte those of keepalived 2.2.7: `INSTANCE "name" STATE priority`, `GROUP "name" STATE 0`,
//! `VS [address]:protocol:port STATE`, `RS [address]:protocol:port [address]:protocol:port STATE`.

use std::collections::BTreeMap;
use std::path::Path;

use model::vrrp::{Instance, SyncGroup};
use model::{Fifo, Fifos, Instant};
use sys::reactor::{Reactor, Token};

use crate::fifo::{Hears, Pipes, Wanted};
use crate::log::Log;
use crate::mail::{self, Letter, Post};
use crate::message::{Notification, NotificationKind, Remembered, State, Whose};
use crate::script::Runner;

/// Who is told of what.
#[derive(Debug)]
pub(super) struct News {
    pipes: Pipes,
    post: Post,
    /// Changes to FAULT are mailed too.
    mails_faults: bool,
    /// Also of instances whose removal is still to be told.
    subjects: BTreeMap<Whose, Subject>,
    /// In the order of the file.
    order: Vec<Whose>,
    states_on_reload: bool,
    /// Nothing more is written.
    ended: bool,
}

/// What is to be told of an instance or a group.
#[derive(Clone, Debug, Default)]
struct Subject {
    /// A removal is called one.
    deleted: bool,
    /// Changes of priority, too.
    priorities: bool,
    /// Changes are mailed.
    mailed: bool,
    /// The state that was told last, and the priority with it.
    told: Option<(&'static str, u8)>,
}

impl News {
    pub(super) fn new(log: Log) -> Self {
        Self {
            pipes: Pipes::new(log.clone()),
            post: Post::new(log),
            mails_faults: true,
            subjects: BTreeMap::new(),
            order: Vec::new(),
            states_on_reload: false,
            ended: false,
        }
    }

    /// Takes over a configuration. Pipes and readers that stay notice nothing.
    pub(super) fn configure(
        &mut self,
        reactor: &mut Reactor,
        runner: &mut Runner,
        now: Instant,
        config: &model::Config,
    ) {
        self.follow(&config.vrrp);
        self.post.configure(&config.global);
        self.mails_faults = config.global.mail.faults;
        let fifos = &config.global.fifos;
        self.states_on_reload = fifos.states_on_reload;
        let mut wanted: Vec<Wanted<'_>> = Vec::new();
        for (fifo, hears) in pipes(fifos) {
            let path = Path::new(&fifo.path);
            match wanted.iter_mut().find(|wanted| wanted.path == path) {
                Some(same) => {
                    same.hears.routers |= hears.routers;
                    same.hears.servers |= hears.servers;
                }
                None => wanted.push(Wanted { path, owner: runner.owner(&fifo.owner), hears }),
            }
        }
        self.pipes.configure(reactor, &wanted);
        let readers = pipes(fifos).map(|(fifo, _)| fifo).filter(|fifo| self.pipes.has(Path::new(&fifo.path)));
        let readers = readers.filter_map(|fifo| Some((fifo.path.as_str(), fifo.reader.as_ref()?)));
        runner.read_pipes(reactor, now, readers);
    }

    fn follow(&mut self, config: &model::vrrp::Config) {
        let group = |group: &SyncGroup| {
            let subject = Subject { mailed: group.smtp_alert, ..Subject::default() };
            (Whose::Group(group.name.clone()), subject)
        };
        let instance = |instance: &Instance| {
            let subject = Subject {
                deleted: instance.notify.deleted.is_some(),
                priorities: instance.notify_priority_changes,
                mailed: instance.smtp_alert,
                told: None,
            };
            (Whose::Instance(instance.name.clone()), subject)
        };
        let wanted: Vec<_> =
            config.groups.iter().map(group).chain(config.instances.iter().map(instance)).collect();
        self.order = wanted.iter().map(|(whose, _)| whose.clone()).collect();
        self.subjects.retain(|whose, _| matches!(whose, Whose::Instance(_)) || self.order.contains(whose));
        for (whose, subject) in wanted {
            let known = self.subjects.entry(whose).or_default();
            *known = Subject { told: known.told, ..subject };
        }
    }

    /// An instance is gone, and its removal was told.
    pub(super) fn forget_instance(&mut self, name: &str) {
        self.subjects.remove(&Whose::Instance(name.to_owned()));
    }

    /// Something happened to an instance or a group.
    pub(super) fn happened(&mut self, reactor: &mut Reactor, notification: &Notification) {
        let Notification { whose, kind, priority } = notification;
        let Some(subject) = self.subjects.get_mut(whose) else { return };
        let word = kind.word(subject.deleted);
        if *kind != NotificationKind::MasterRxLowerPriority {
            subject.told = Some((word, *priority));
        }
        self.pipes.write(reactor, &line(whose, word, *priority));
        if subject.mailed && (word != "FAULT" || self.mails_faults) {
            let letter = Letter::about(whose, *kind, subject.deleted);
            letter.into_iter().for_each(|letter| self.post.send(letter));
        }
    }

    /// An instance has reported its state: perhaps the same as before with another priority.
    pub(super) fn reported(&mut self, reactor: &mut Reactor, before: Option<&Remembered>, now: &Remembered) {
        let whose = Whose::Instance(now.instance.clone());
        let Some(subject) = self.subjects.get_mut(&whose) else { return };
        if let Some((_, priority)) = &mut subject.told {
            *priority = now.priority;
        }
        let changed =
            before.is_some_and(|before| before.state == now.state && before.priority != now.priority);
        let word = match now.state {
            State::Master => "MASTER_PRIORITY",
            State::Backup => "BACKUP_PRIORITY",
            State::Init | State::Fault => return,
        };
        if changed && subject.priorities {
            self.pipes.write(reactor, &line(&whose, word, now.priority));
        }
    }

    /// The state of a virtual or a real server has changed.
    pub(super) fn server_changed(&mut self, reactor: &mut Reactor, news: &lvs::Notification) {
        if let Some(line) = line_of_server(news) {
            self.pipes.write_of_servers(reactor, &line);
        }
        if news.mail {
            self.post.send(Letter::about_server(news));
        }
    }

    /// A reload has come into force.
    pub(super) fn reloaded(&mut self, reactor: &mut Reactor) {
        if !self.states_on_reload {
            return;
        }
        for whose in &self.order {
            if let Some((word, priority)) = self.subjects.get(whose).and_then(|subject| subject.told) {
                self.pipes.write(reactor, &line(whose, word, priority));
            }
        }
    }

    /// Serves a pipe that has room again. A token that is none of a pipe's is no matter.
    pub(super) fn on_ready(&mut self, reactor: &mut Reactor, token: Token) {
        self.pipes.on_ready(reactor, token);
    }

    /// Everything was written. Says whether nobody has to be waited for: a reader of ours is to hear the last words.
    pub(super) fn end(&mut self, reactor: &mut Reactor, runner: &mut Runner, now: Instant) -> bool {
        if !self.ended && runner.is_reading() && !self.pipes.are_drained() {
            return false;
        }
        if !std::mem::replace(&mut self.ended, true) {
            self.pipes.end(reactor);
            runner.end_readers(now);
        }
        true
    }

    /// Whether [`Self::end`] has been able to do it.
    pub(super) const fn has_ended(&self) -> bool {
        self.ended
    }

    /// Lets the last mails go, and removes the files that were made.
    pub(super) fn close(&mut self, reactor: &mut Reactor) {
        self.pipes.remove(reactor);
        self.post.close(mail::PATIENCE_AT_EXIT);
    }
}

fn pipes(fifos: &Fifos) -> impl Iterator<Item = (&Fifo, Hears)> {
    let of = |routers, servers| Hears { routers, servers };
    let wanted =
        [(&fifos.all, of(true, true)), (&fifos.vrrp, of(true, false)), (&fifos.lvs, of(false, true))];
    wanted.into_iter().filter_map(|(fifo, hears)| Some((fifo.as_ref()?, hears)))
}

/// What is written of a server; nothing of a single checker.
fn line_of_server(news: &lvs::Notification) -> Option<String> {
    let state = if news.up { "UP" } else { "DOWN" };
    match &news.of {
        lvs::Whose::VirtualServer { service } => Some(format!("VS {service} {state}\n")),
        lvs::Whose::RealServer { service, server } => Some(format!("RS {server} {service} {state}\n")),
        lvs::Whose::Checker { .. } => None,
    }
}

fn line(whose: &Whose, word: &str, priority: u8) -> String {
    let [kind, name] = whose.words();
    format!("{kind} \"{name}\" {word} {priority}\n")
}
