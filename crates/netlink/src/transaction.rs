//! Requests under way, and the mirror's synchronisation with the kernel.

use std::collections::VecDeque;

use crate::errno::Refusal;
use crate::event::Event;
use crate::mirror::{Change, Mirror};
use crate::request::{Request, Sequence, encode};

/// Ties answers to requests, and runs the dumps that keep a [`Mirror`] true.
///
/// ```text
/// resynchronise ─► links ─DumpDone, swept─► addresses ─DumpDone, swept─► rules ─DumpDone, swept─► Synchronised
///                  ▲   │                    ▲       │                    ▲   │
///                  └───┘ Interrupted        └───────┘ Interrupted        └───┘ Interrupted
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
    /// The mirror holds what the kernel holds: all links, addresses and rules have been heard, and what is gone was swept.
    Synchronised,
    /// The kernel refused a dump. The mirror is as it was, and no dump is under way: the owner calls
    /// [`Transactions::resynchronise`] again after a while, until [`Self::Synchronised`] comes.
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
    Rules,
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

    /// Begins to list everything anew: at the start, after `ENOBUFS`, which means that events and answers were lost,
    /// and some time after a [`Notice::NotSynchronised`] or a failed sending.
    ///
    /// Appends the first request to `batch`; [`Self::hear`] appends the others.
    pub fn resynchronise(&mut self, mirror: &mut Mirror, batch: &mut Vec<u8>) {
        match &mut self.dump {
            Some(dump) => dump.overrun = true,
            None => self.start(Step::Links, self.next, mirror, batch),
        }
    }

    /// The last batch could not be sent: a dump that it asks for is not under way.
    ///
    /// What else it asks for is told as [`Outcome::Lost`] at the end of the next resynchronisation, which the owner
    /// begins after a while. A dump asked for earlier may yet go on; the kernel then refuses the next one
    /// (`EBUSY`), which is told as any refusal.
    pub const fn not_sent(&mut self) {
        self.dump = None;
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
            | Event::AddressGone(_)
            | Event::RouteGone(_)
            | Event::RuleAdded { .. }
            | Event::RuleGone(_) => changed(notices, |changes| mirror.apply(event, changes)),
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
                self.start(Step::Rules, dump.began, mirror, batch);
            }
            (Ok(()), Step::Rules) => {
                changed(notices, |changes| mirror.sweep_rules(changes));
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
            Step::Rules => Request::DumpRules,
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::errno::Errno;
    use crate::event::{Address, AddressFlags, Link};
    use model::{IfIndex, Prefix};

    /// Transactions, their mirror, and what was sent: the kind and number of each message.
    #[derive(Default)]
    struct Table {
        transactions: Transactions,
        mirror: Mirror,
        notices: Vec<Notice>,
    }

    const GET_LINK: u16 = 18;
    const GET_ADDRESS: u16 = 22;
    const GET_RULE: u16 = 34;

    impl Table {
        fn resynchronise(&mut self) -> Option<(u16, Sequence)> {
            let mut batch = Vec::new();
            self.transactions.resynchronise(&mut self.mirror, &mut batch);
            sent(&batch)
        }

        fn hear(&mut self, event: Event) -> Option<(u16, Sequence)> {
            let mut batch = Vec::new();
            self.transactions.hear(event, &mut self.mirror, &mut batch, &mut self.notices);
            sent(&batch)
        }

        fn done(&mut self, sequence: Sequence) -> Option<(u16, Sequence)> {
            self.hear(Event::DumpDone { sequence, result: Ok(()) })
        }

        fn ask(&mut self) -> Sequence {
            self.transactions.ask(delete(), &mut Vec::new())
        }
    }

    fn sent(batch: &[u8]) -> Option<(u16, Sequence)> {
        let header = batch.first_chunk::<16>()?;
        let sequence = u32::from_ne_bytes([header[8], header[9], header[10], header[11]]);
        Some((u16::from_ne_bytes([header[4], header[5]]), Sequence::from_wire(sequence)))
    }

    fn number(number: u32) -> Sequence {
        Sequence::from_wire(number)
    }

    fn index(number: u32) -> IfIndex {
        IfIndex::try_from(number).unwrap()
    }

    fn delete() -> Request {
        Request::DeleteAddress { index: index(1), prefix: Prefix::host([192, 0, 2, 1].into()), peer: None }
    }

    fn link(number: u32) -> Link {
        Link::new(index(number), format!("eth{number}").parse().unwrap())
    }

    fn address(of: u32, last: u8) -> Address {
        Address {
            index: index(of),
            prefix: Prefix::host([192, 0, 2, last].into()),
            peer: None,
            scope: 0,
            broadcast: None,
            label: None,
            flags: AddressFlags::default(),
            protocol: 0,
        }
    }

    #[test]
    fn dumps_follow_one_another() {
        let mut table = Table::default();
        assert_eq!(table.resynchronise(), Some((GET_LINK, number(1))));
        assert!(table.transactions.is_synchronising());
        assert_eq!(table.done(number(1)), Some((GET_ADDRESS, number(2))));
        assert_eq!(table.done(number(2)), Some((GET_RULE, number(3))));
        assert_eq!(table.done(number(3)), None);
        assert_eq!(table.notices, [Notice::Synchronised]);
        assert!(!table.transactions.is_synchronising());
    }

    #[test]
    fn an_interrupted_dump_is_asked_for_again() {
        let mut table = Table::default();
        table.resynchronise();
        table.hear(Event::Interrupted { sequence: number(1) });
        assert_eq!(table.done(number(1)), Some((GET_LINK, number(2))));
        assert_eq!(table.done(number(2)), Some((GET_ADDRESS, number(3))));
        table.hear(Event::Interrupted { sequence: number(3) });
        assert_eq!(table.done(number(3)), Some((GET_ADDRESS, number(4))));
        table.done(number(4));
        table.done(number(5));
        assert_eq!(table.notices, [Notice::Synchronised]);
    }

    #[test]
    fn a_resynchronisation_notices_what_vanished_unheard() {
        let mut table = Table::default();
        for event in [
            Event::LinkChanged(link(1)),
            Event::LinkChanged(link(2)),
            Event::AddressAdded(address(1, 1)),
            Event::AddressAdded(address(1, 2)),
            Event::AddressAdded(address(2, 3)),
        ] {
            table.hear(event);
        }
        table.notices.clear();
        table.resynchronise();
        table.hear(Event::LinkChanged(link(1)));
        table.done(number(1));
        table.hear(Event::AddressAdded(address(1, 1)));
        table.hear(Event::AddressAdded(address(1, 4)));
        table.done(number(2));
        table.done(number(3));
        let changed = |change| Notice::Changed(change);
        assert_eq!(
            table.notices,
            [
                changed(Change::AddressGone(address(2, 3))),
                changed(Change::LinkGone { index: index(2), name: link(2).name }),
                changed(Change::Address(address(1, 4))),
                changed(Change::AddressGone(address(1, 2))),
                Notice::Synchronised,
            ]
        );
    }

    #[test]
    fn an_overrun_during_a_dump_leads_to_another_one_after_it() {
        let mut table = Table::default();
        table.resynchronise();
        assert_eq!(table.resynchronise(), None, "the kernel runs one dump at a time");
        assert_eq!(table.done(number(1)), Some((GET_LINK, number(2))));
        table.done(number(2));
        assert_eq!(table.resynchronise(), None);
        assert_eq!(table.done(number(3)), Some((GET_LINK, number(4))));
        assert!(table.notices.is_empty());
        table.done(number(4));
        table.done(number(5));
        table.done(number(6));
        assert_eq!(table.notices, [Notice::Synchronised]);
    }

    #[test]
    fn answers_are_tied_to_their_requests_and_lost_ones_are_told() {
        let mut table = Table::default();
        let (first, second, third) = (table.ask(), table.ask(), table.ask());
        table.hear(Event::Ack { sequence: second, result: Ok(()) });
        table.hear(Event::Ack { sequence: number(99), result: Ok(()) });
        table.resynchronise();
        let fifth = table.ask();
        assert_eq!(fifth, number(5));
        table.hear(Event::Ack { sequence: third, result: Err(Errno::ENODEV.into()) });
        table.done(number(4));
        table.done(number(6));
        table.done(number(7));
        let answered = |sequence, outcome| Notice::Answered { sequence, request: delete(), outcome };
        assert_eq!(
            table.notices,
            [
                answered(second, Outcome::Done),
                answered(third, Outcome::Refused(Errno::ENODEV.into())),
                answered(first, Outcome::Lost),
                Notice::Synchronised,
            ]
        );
        assert_eq!(table.transactions.outstanding(), 1, "the fifth may still be answered");
    }

    #[test]
    fn a_refused_dump_is_told() {
        let mut table = Table::default();
        table.resynchronise();
        table.hear(Event::Ack { sequence: number(1), result: Err(Errno::EBUSY.into()) });
        assert_eq!(table.notices, [Notice::NotSynchronised(Errno::EBUSY.into())]);
        assert_eq!(table.resynchronise(), Some((GET_LINK, number(2))));
    }

    #[test]
    fn a_batch_that_was_not_sent_is_made_up_for() {
        let mut table = Table::default();
        let asked = table.ask();
        assert_eq!(table.resynchronise(), Some((GET_LINK, number(2))));
        table.transactions.not_sent();
        assert!(!table.transactions.is_synchronising());
        assert_eq!(
            table.resynchronise(),
            Some((GET_LINK, number(3))),
            "not put off until an end that never comes"
        );
        assert_eq!(table.done(number(2)), None);
        table.done(number(3));
        table.done(number(4));
        table.done(number(5));
        let lost = Notice::Answered { sequence: asked, request: delete(), outcome: Outcome::Lost };
        assert_eq!(table.notices, [lost, Notice::Synchronised]);
    }

    #[test]
    fn numbers_wrap_around_zero() {
        let mut table = Table::default();
        table.transactions.next = number(u32::MAX);
        let last = table.ask();
        assert_eq!((last, table.transactions.next), (number(u32::MAX), number(1)));
        table.resynchronise();
        table.done(number(1));
        table.done(number(2));
        table.done(number(3));
        assert_eq!(table.transactions.outstanding(), 0, "the older one is lost");
    }
}
