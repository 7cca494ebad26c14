//! Requests under way, and the mirror's synchronisation with the kernel.

use std::collections::VecDeque;

use crate::errno::Refusal;
use crate::event::Event;
use crate::mirror::{Change, Mirror};
use crate::request::{Request, Sequence, encode};

/// Ties answers to requests, and runs the dumps that keep a [`Mirror`] true.
///
/// ```text
/// resynchronise ─► links ─DumpDone, swept─► addresses ─DumpDone, swept─► Synchronised
///                  ▲   │                    ▲       │
///                  └───┘ Interrupted        └───────┘ Interrupted
/// ```
///
/// Every dump that the kernel calls inconsistent is asked for again, as often as that happens: each time something
/// has really changed meanwhile.
#[derive(Clone, Debug)]
pub struct Transactions {
    next: Sequence,
    /// In the order of issue, which is the order of the answers.
    outstanding: VecDeque<(Sequence, Request)>,
    dump: Option<Dump>,
}

/// What comes of what was received.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Notice {
    /// The mirror changed. By an event or by a resynchronisation, that makes no difference.
    Changed(Change),
    /// A request got its answer.
    Answered {
        /// The request's number.
        sequence: Sequence,
        /// What was asked.
        request: Request,
        /// What became of it.
        outcome: Outcome,
    },
    /// The mirror holds what the kernel holds: all links and addresses have been heard, and what is gone was swept.
    Synchronised,
    /// The kernel refused a dump. The mirror is as it was; ask again later.
    NotSynchronised(Refusal),
}

/// What became of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It was done.
    Done,
    /// It was refused, and changed nothing.
    Refused(Refusal),
    /// Its answer was lost in an overrun of the socket. The mirror, fresh again, shows what became of it.
    Lost,
}

/// The dump under way.
#[derive(Clone, Copy, Debug)]
struct Dump {
    sequence: Sequence,
    step: Step,
    /// The kernel calls it inconsistent.
    interrupted: bool,
    /// Events were lost since it began: everything is to be listed once more. The kernel runs one dump at a
    /// time, and never loses the end of one, so that is done then.
    overrun: bool,
    /// The first number that was not yet used when the resynchronisation began.
    began: Sequence,
}

#[derive(Clone, Copy, Debug)]
enum Step {
    Links,
    Addresses,
}

impl Default for Transactions {
    fn default() -> Self {
        Self { next: Sequence::FIRST, outstanding: VecDeque::new(), dump: None }
    }
}

impl Transactions {
    /// No request yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Appends `request` to `batch` and remembers it until its answer. Dumps are [`Self::resynchronise`]'s business.
    pub fn ask(&mut self, request: Request, batch: &mut Vec<u8>) -> Sequence {
        let sequence = self.encode(&request, batch);
        self.outstanding.push_back((sequence, request));
        sequence
    }

    /// How many requests wait for their answer, dumps not counted.
    #[must_use]
    pub fn outstanding(&self) -> usize {
        self.outstanding.len()
    }

    /// Whether a resynchronisation is under way.
    #[must_use]
    pub const fn is_synchronising(&self) -> bool {
        self.dump.is_some()
    }

    /// Begins to list everything anew: at the start, and after `ENOBUFS`, which means that events and answers were lost.
    ///
    /// Appends the first request to `batch`; [`Self::hear`] appends the others.
    pub fn resynchronise(&mut self, mirror: &mut Mirror, batch: &mut Vec<u8>) {
        match &mut self.dump {
            Some(dump) => dump.overrun = true,
            None => self.start(Step::Links, self.next, mirror, batch),
        }
    }

    /// Takes in an event: into the mirror, or to the request that it answers. Appends what comes of it, and to `batch`
    /// the requests to send next.
    pub fn hear(
        &mut self,
        event: Event,
        mirror: &mut Mirror,
        batch: &mut Vec<u8>,
        notices: &mut Vec<Notice>,
    ) {
        match event {
            Event::Ack { sequence, result: Err(refusal) } if self.is_dump(sequence) => {
                self.dump = None;
                notices.push(Notice::NotSynchronised(refusal));
            }
            Event::Ack { sequence, result } => self.answered(sequence, result, notices),
            Event::Interrupted { sequence } => {
                if let Some(dump) = self.dump.as_mut().filter(|dump| dump.sequence == sequence) {
                    dump.interrupted = true;
                }
            }
            Event::DumpDone { sequence, result } => {
                if let Some(dump) = self.dump.take_if(|dump| dump.sequence == sequence) {
                    self.dump_done(dump, result, mirror, batch, notices);
                }
            }
            Event::LinkChanged(_)
            | Event::LinkGone { .. }
            | Event::AddressAdded(_)
            | Event::AddressGone(_) => changed(notices, |changes| mirror.apply(event, changes)),
        }
    }

    fn dump_done(
        &mut self,
        dump: Dump,
        result: Result<(), Refusal>,
        mirror: &mut Mirror,
        batch: &mut Vec<u8>,
        notices: &mut Vec<Notice>,
    ) {
        match (result, dump.step) {
            (Err(refusal), _) => notices.push(Notice::NotSynchronised(refusal)),
            (Ok(()), _) if dump.overrun => self.start(Step::Links, self.next, mirror, batch),
            (Ok(()), step) if dump.interrupted => self.start(step, dump.began, mirror, batch),
            (Ok(()), Step::Links) => {
                changed(notices, |changes| mirror.sweep_links(changes));
                self.start(Step::Addresses, dump.began, mirror, batch);
            }
            (Ok(()), Step::Addresses) => {
                changed(notices, |changes| mirror.sweep_addresses(changes));
                self.give_up_before(dump.began, notices);
                notices.push(Notice::Synchronised);
            }
        }
    }

    fn answered(&mut self, sequence: Sequence, result: Result<(), Refusal>, notices: &mut Vec<Notice>) {
        let Some(at) = self.outstanding.iter().position(|(asked, _)| *asked == sequence) else {
            return;
        };
        let outcome = match result {
            Ok(()) => Outcome::Done,
            Err(refusal) => Outcome::Refused(refusal),
        };
        if let Some((sequence, request)) = self.outstanding.remove(at) {
            notices.push(Notice::Answered { sequence, request, outcome });
        }
    }

    /// A socket's answers come in order, so those due before the end of a dump have been read or were lost.
    fn give_up_before(&mut self, began: Sequence, notices: &mut Vec<Notice>) {
        // By distance, so that it also holds where numbers wrap.
        let is_older = |sequence: Sequence| began.get().wrapping_sub(sequence.get()) < u32::MAX / 2;
        while let Some((sequence, request)) =
            self.outstanding.pop_front_if(|(sequence, _)| *sequence != began && is_older(*sequence))
        {
            notices.push(Notice::Answered { sequence, request, outcome: Outcome::Lost });
        }
    }

    fn start(&mut self, step: Step, began: Sequence, mirror: &mut Mirror, batch: &mut Vec<u8>) {
        mirror.mark();
        let request = match step {
            Step::Links => Request::DumpLinks,
            Step::Addresses => Request::DumpAddresses,
        };
        let sequence = self.encode(&request, batch);
        self.dump = Some(Dump { sequence, step, interrupted: false, overrun: false, began });
    }

    fn is_dump(&self, sequence: Sequence) -> bool {
        self.dump.is_some_and(|dump| dump.sequence == sequence)
    }

    fn encode(&mut self, request: &Request, batch: &mut Vec<u8>) -> Sequence {
        let sequence = self.next;
        self.next = sequence.next();
        encode(request, sequence, batch);
        sequence
    }
}

/// Appends the changes that `apply` makes.
fn changed(notices: &mut Vec<Notice>, apply: impl FnOnce(&mut Vec<Change>)) {
    let mut changes = Vec::new();
    apply(&mut changes);
    notices.extend(changes.into_iter().map(Notice::Changed));
}
