//! How checks are getting on, for those who ask.

use model::Instant;
use model::ipvs::DestinationKey;
use model::lvs::{Checker, Outcome};
use serde::{Deserialize, Serialize};

use crate::Subject;
use crate::director::Director;
use crate::pool::Pool;
use crate::server::{Judge, Server};

/// How a real server and its checkers are getting on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Progress {
    /// Which real server.
    pub of: Subject,
    /// The table should hold it.
    pub is_in_table: bool,
    /// One for each checker, in file order.
    pub checkers: Vec<CheckerProgress>,
}

/// How a checker is getting on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckerProgress {
    /// It does not pause (`ha_suspend`).
    pub is_awake: bool,
    /// What it says is known and not presumed.
    pub has_told: bool,
    /// What it adds to the weight.
    pub offset: i64,
    /// Attempts that failed since the last that did not, while that changes nothing yet.
    pub failures: u32,
    /// When the last check began, if one has ended.
    pub began: Option<Instant>,
    /// What came of it.
    pub outcome: Option<Outcome>,
}

impl Director {
    /// Every real server and its checkers.
    pub fn progress(&self) -> impl Iterator<Item = Progress> + '_ {
        self.pools.iter().flat_map(move |pool| {
            let held = pool.keys.first().and_then(|key| self.table().services.get(key));
            let holds =
                move |key: &DestinationKey| held.is_some_and(|held| held.destinations.contains_key(key));
            pool.servers.iter().map(move |server| Progress {
                of: Subject { service: pool.config.service.clone(), server: Some(server.key) },
                is_in_table: holds(&server.key),
                checkers: self.checkers(pool, server),
            })
        })
    }

    fn checkers(&self, pool: &Pool, server: &Server) -> Vec<CheckerProgress> {
        let each = server.config.checkers.iter().zip(&server.judges);
        each.map(|(checker, judge)| {
            let ran = judge.probe.map(|probe| self.probes.ran(probe)).unwrap_or_default();
            CheckerProgress {
                is_awake: !pool.asleep,
                has_told: match checker {
                    Checker::Probe(_) => ran.has_told,
                    Checker::Bfd(bfd) => self.known.sessions.contains_key(&bfd.session),
                    Checker::File(_) => true,
                },
                offset: offset(server, checker, judge),
                failures: ran.failures,
                began: ran.last.as_ref().map(|(began, _)| *began),
                outcome: ran.last.map(|(_, outcome)| outcome),
            }
        })
        .collect()
    }
}

/// What is known of a check that is made again and again.
#[derive(Debug, Default)]
pub(crate) struct Ran {
    pub(crate) has_told: bool,
    pub(crate) failures: u32,
    pub(crate) last: Option<(Instant, Outcome)>,
}

/// A program says the weight itself (`misc_dynamic`), a file what is added to it.
fn offset(server: &Server, checker: &Checker, judge: &Judge) -> i64 {
    let sets = matches!(checker, Checker::Probe(probe) if crate::reload::sets_weight(&probe.check));
    match server.dynamic.filter(|_| sets) {
        Some(weight) => i64::from(weight) - i64::from(server.config.weight),
        None => judge.offset,
    }
}
