//! What the supervisor and the check worker say to each other.

use std::collections::{BTreeMap, BTreeSet};

use lvs::{Notification, Progress, Remembered};
use model::ipvs::ServiceKey;
use model::lvs::{MiscCheck, Outcome};
use serde::{Deserialize, Serialize};

use super::Enclosed;

/// What the supervisor says to the check worker.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum ToChecker {
    /// Carry out the [`Assignment`] in the memfd that comes with this message: at start, and again at each reload.
    Configure,
    /// Take the services out of the table, report [`FromChecker::Stopped`] and leave.
    Stop,
    /// The end of a run that [`FromChecker::RunScript`] asked for.
    ScriptDone {
        /// The number of the check.
        probe: u64,
        /// The number that the request carried.
        run: u64,
        /// What that says of the server.
        outcome: Outcome,
    },
    /// Tell how the checks are getting on: [`FromChecker::Progress`] for each real server, then
    /// [`FromChecker::ProgressTold`].
    TellProgress,
    /// A tracked file holds another number.
    File {
        /// The name of the `track_file`.
        name: String,
        /// The number; 0 if there is none.
        value: i32,
    },
    /// The virtual router that `lvs_sync_daemon` follows has become master, or is it no more.
    Router {
        /// It is master.
        is_master: bool,
    },
}

/// What the check worker is to run.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Assignment {
    /// The configuration.
    pub(crate) config: model::lvs::Config,
    /// What all virtual servers share.
    pub(crate) checkers: model::Checkers,
    /// The kernel's IPVS as a whole.
    pub(crate) ipvs: model::IpvsGlobals,
    /// The last states that an earlier worker reported. Only a worker that has not begun looks at them.
    pub(crate) remembered: Vec<Remembered>,
    /// The services that earlier workers have put into the table, and not taken out.
    pub(crate) owned: BTreeSet<ServiceKey>,
    /// No worker of this daemon has begun before.
    pub(crate) is_first: bool,
    /// The table stays when the daemon stops (`-I`).
    pub(crate) keeps_table: bool,
    /// The numbers in tracked files; 0 where there is none.
    pub(crate) files: BTreeMap<String, i32>,
    /// The virtual router that `lvs_sync_daemon` follows is master.
    pub(crate) is_master: bool,
    /// The daemon's own settings.
    pub(crate) settings: Settings,
}

/// What the check worker must know of the daemon's own settings.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Settings {
    /// What the process is called.
    pub(crate) name: String,
    /// What syslog calls it.
    pub(crate) ident: String,
    /// No memory is swapped out.
    pub(crate) locks_memory: bool,
}

impl Enclosed for Assignment {}

/// What the check worker says to the supervisor.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum FromChecker {
    /// The first configuration is in force.
    Ready,
    /// Run a program once. Every request is answered by exactly one [`ToChecker::ScriptDone`], unless it is
    /// forgotten.
    RunScript {
        /// The number of the check.
        probe: u64,
        /// Comes back with the outcome.
        run: u64,
        /// What to run: one of the configuration's.
        check: Box<MiscCheck>,
    },
    /// The check of this number is no more.
    ForgetScript {
        /// The number.
        probe: u64,
    },
    /// Tell scripts, pipes and people.
    Notify(Box<Notification>),
    /// A state that the next worker should know.
    State(Box<Remembered>),
    /// A service is about to be put into the table, or has been taken out.
    Owns {
        /// Which.
        service: ServiceKey,
        /// It is, or soon will be, in the table.
        owned: bool,
    },
    /// How a real server and its checkers are getting on.
    Progress(Box<Progress>),
    /// There are no more real servers.
    ProgressTold,
    /// What a reload changed has been done, and reported before this.
    Reconfigured,
    /// The answer to [`ToChecker::Stop`]: no message follows.
    Stopped,
}

#[cfg(test)]
mod tests {
    use super::super::{decode, encode};
    use super::*;

    #[test]
    fn what_is_said_comes_back() {
        let outcome = Outcome::PassedWithWeight(2);
        let done = ToChecker::ScriptDone { probe: 1, run: u64::MAX, outcome };
        assert_eq!(decode::<ToChecker>(&encode(&done).unwrap()).unwrap(), done);
        let service = ServiceKey::Fwmark { mark: 7, family: model::Family::V6 };
        let owns = FromChecker::Owns { service, owned: true };
        assert_eq!(decode::<FromChecker>(&encode(&owns).unwrap()).unwrap(), owns);
        let assignment =
            Assignment { owned: [service].into(), files: [("f".into(), -3)].into(), ..Assignment::default() };
        assert_eq!(Assignment::unseal(assignment.seal().unwrap()).unwrap(), assignment);
    }
}
