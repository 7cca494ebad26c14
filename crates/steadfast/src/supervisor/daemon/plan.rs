//! What a reload would do, for those who ask beforehand.

use std::path::PathBuf;

use config::render;
use lvs::{Difference, Fate};
use sys::reactor::Token;

use super::Daemon;
use super::reload::keep_place;
use crate::control::{Reply, Request};
use crate::message::{Assignment, Disturbance, Enclosed as _, Step, ToWorker};

impl Daemon<'_> {
    pub(super) fn on_control(&mut self, token: Token) {
        match self.control.on_ready(&mut self.reactor, token) {
            Some((asker, Request::Plan { file })) => self.foretell(asker, file),
            None => {}
        }
    }

    /// Judges the file as a reload would, and has the worker foretell what would come of it.
    fn foretell(&mut self, asker: u64, file: Option<PathBuf>) {
        let files = file.map_or_else(|| self.start.files.clone(), |file| self.start.files.at(file));
        let reading = self.start.read(&files, &self.losses);
        for found in reading.loaded.diagnostics.iter().take(MOST_TOLD) {
            let line = render::line(found, &reading.loaded.sources);
            self.control.tell(
                &mut self.reactor,
                asker,
                &Reply::Finding(line.chars().take(LONGEST).collect()),
            );
        }
        match self.judge(&files, &reading) {
            Ok(config) => self.foretell_change(asker, config),
            Err(refusal) => {
                let why = refusal.to_string().chars().take(LONGEST).collect();
                self.control.finish(&mut self.reactor, asker, &Reply::Refused(why));
            }
        }
    }

    fn foretell_change(&mut self, asker: u64, mut config: model::Config) {
        if keep_place(&mut config.process, &self.config.process) {
            let change = "net_namespace, instance or use_pid_dir change";
            self.foretell_step(asker, change, "they stay as they are until the daemon is restarted");
        }
        let rest = |config: &model::Config| model::Config {
            vrrp: model::vrrp::Config::default(),
            lvs: model::lvs::Config::default(),
            ..config.clone()
        };
        if rest(&config) != rest(&self.config) {
            self.foretell_step(asker, "settings of the daemon change", "no virtual router is disturbed");
        }
        self.foretell_servers(asker, &config.lvs);
        if config.vrrp.statics != self.config.vrrp.statics {
            self.foretell_step(
                asker,
                "static addresses, routes or rules change",
                "only those that differ are touched",
            );
        }
        if !self.vrrp.is_there() {
            if !config.vrrp.instances.is_empty() {
                let count = config.vrrp.instances.len();
                self.foretell_step(
                    asker,
                    &format!("{count} instances are added"),
                    "a worker is started for them",
                );
            }
            return self.control.finish(&mut self.reactor, asker, &Reply::Taken);
        }
        let assignment = Assignment { config: config.vrrp, ..Assignment::default() };
        match assignment.seal() {
            Ok(memfd) => {
                self.vrrp.hand(&mut self.reactor, &ToWorker::Foretell { request: asker }, memfd);
            }
            Err(error) => {
                let why = format!("{:#}", anyhow::Error::from(error));
                self.control.finish(&mut self.reactor, asker, &Reply::Failed(why));
            }
        }
    }

    fn foretell_servers(&mut self, asker: u64, config: &model::lvs::Config) {
        if config.tls != self.config.lvs.tls {
            self.foretell_step(asker, "SSL changes", "checks show other certificates");
        }
        for Difference { service, fate, mut effects, cuts } in lvs::differences(&self.config.lvs, config) {
            let more = effects.len().saturating_sub(MOST_EFFECTS);
            effects.truncate(MOST_EFFECTS);
            if more > 0 {
                effects.push(format!("and {more} more"));
            }
            let word = match fate {
                Fate::Comes => "comes",
                Fate::Goes => "goes",
                Fate::Changes => "changes",
            };
            let disturbance = if cuts { Disturbance::Moves } else { Disturbance::None };
            let step = Step { change: format!("virtual server {service} {word}"), effects, disturbance };
            self.control.tell(&mut self.reactor, asker, &Reply::Step(step));
        }
    }

    /// Says from what to what virtual servers change, as [`Self::foretell`] does when it is asked.
    pub(super) fn say_server_changes(&self, config: &model::lvs::Config) {
        let differences = lvs::differences(&self.config.lvs, config);
        let lines = differences.iter().flat_map(|Difference { service, fate, effects, .. }| match fate {
            Fate::Comes => vec![format!("{service} comes with {}", count(effects.len()))],
            Fate::Goes => vec![format!("{service} goes: {}", effects.join(", "))],
            Fate::Changes => effects.iter().map(|effect| format!("{service}: {effect}")).collect(),
        });
        let lines: Vec<String> = lines.collect();
        for line in lines.iter().take(MOST_TOLD) {
            self.log.info(format_args!("virtual server {line}"));
        }
        if let more @ 1.. = lines.len().saturating_sub(MOST_TOLD) {
            self.log.info(format_args!("and {more} more changes of virtual servers"));
        }
    }

    fn foretell_step(&mut self, asker: u64, change: &str, effect: &str) {
        let effects = vec![effect.to_owned()];
        let step = Step { change: change.to_owned(), effects, disturbance: Disturbance::None };
        self.control.tell(&mut self.reactor, asker, &Reply::Step(step));
    }

    /// The worker has foretold a step, or the end.
    pub(super) fn foretold(&mut self, asker: u64, step: Option<Step>) {
        match step {
            Some(step) => self.control.tell(&mut self.reactor, asker, &Reply::Step(step)),
            None => self.control.finish(&mut self.reactor, asker, &Reply::Taken),
        }
    }
}

fn count(servers: usize) -> String {
    if servers == 1 { "one real server".to_owned() } else { format!("{servers} real servers") }
}

/// More findings than these are those on a file that is no configuration; more changes than these nobody reads.
const MOST_TOLD: usize = 200;
/// More changes of the servers of one virtual server than these are counted.
const MOST_EFFECTS: usize = 100;
/// Characters of a line that are told.
const LONGEST: usize = 4_000;
