//! What reaches the machine.

use std::net::IpAddr;

use model::lvs::Outcome;

use crate::ProbeId;

/// Something that happened.
#[derive(Clone, Debug)]
pub enum Event<'a> {
    /// The time is now past [`crate::Director::deadline`], or may be.
    Deadline,
    /// A check has ended: the answer to [`crate::Action::Ask`].
    Outcome {
        /// Which.
        probe: ProbeId,
        /// The number of the run. An answer to another run than the last is dropped.
        run: u64,
        /// What came of it.
        outcome: Outcome,
    },
    /// The state of a BFD session. Taken to be what `alpha` presumes until it is told.
    Bfd {
        /// The session's name in the configuration.
        session: &'a str,
        /// It is up.
        up: bool,
    },
    /// The number in a tracked file. Taken to be 0 unless said otherwise.
    File {
        /// The file's name in the configuration.
        name: &'a str,
        /// The number; 0 if there is no file, or no number in it.
        value: i32,
    },
    /// The host has an address, or has it no more (`ha_suspend`). Those of the start are told before
    /// [`crate::Director::configure`]; what is not told is not held.
    Address {
        /// The address.
        address: IpAddr,
        /// It is there now.
        held: bool,
    },
    /// The daemon stops: no more checks; what `omega` wants told is told. The table is left as it is.
    Stop,
}
