//! The worker's end of the channel to the supervisor. Nothing here waits.

use std::collections::VecDeque;
use std::io;
use std::os::fd::{AsFd, BorrowedFd};

use sys::ipc::{Channel, Received, Sent};
use sys::reactor::{Interest, Reactor, Token};

use crate::log::Log;
use crate::message::{Assignment, Enclosed as _, FromWorker, ToWorker, decode, encode};

/// What the supervisor wants.
#[derive(Debug)]
pub(super) enum Order {
    /// Go over to this configuration.
    Configure(Box<Assignment>),
    /// A run of a script has ended.
    ScriptDone { script: String, run: u64, outcome: vrrp::ScriptOutcome },
    /// A tracked file holds this number now.
    File { name: String, value: i32 },
    /// So many of the tracked processes run now.
    Processes { name: String, count: u32 },
    /// A BFD session has come up or gone down.
    Bfd { session: String, up: bool },
    /// Tell how things are.
    Snapshot { request: u64, clear: bool },
    /// Foretell what going over to this configuration would do.
    Foretell { request: u64, assignment: Box<Assignment> },
    /// Release everything and leave. Also when the supervisor is gone: nobody else could stop us.
    Stop,
}

/// The channel, and what does not fit into it now.
pub(super) struct Control {
    channel: Channel,
    token: Token,
    unsent: VecDeque<Vec<u8>>,
    /// Room in the channel is waited for.
    full: bool,
    received: Vec<u8>,
    /// That the supervisor is gone has been said.
    told_gone: bool,
    log: Log,
}

impl Control {
    pub(super) fn new(channel: Channel, token: Token, reactor: &mut Reactor, log: Log) -> io::Result<Self> {
        reactor.add(&channel, token, Interest::Read)?;
        Ok(Self {
            channel,
            token,
            unsent: VecDeque::new(),
            full: false,
            received: Vec::new(),
            told_gone: false,
            log,
        })
    }

    /// Sends `message`, now or as soon as there is room.
    pub(super) fn send(&mut self, message: &FromWorker, reactor: &mut Reactor) {
        match encode(message) {
            Ok(packet) => self.unsent.push_back(packet),
            Err(error) => self.log.error(format_args!("cannot tell the supervisor: {error}")),
        }
        self.flush(reactor);
    }

    /// Whether everything went out.
    pub(super) fn is_flushed(&self) -> bool {
        self.unsent.is_empty()
    }

    /// Sends what waits, as far as there is room.
    pub(super) fn flush(&mut self, reactor: &mut Reactor) {
        while let Some(packet) = self.unsent.front() {
            match self.channel.send(packet, None) {
                Ok(Sent::Done) => {
                    self.unsent.pop_front();
                }
                Ok(Sent::Full) => break,
                // The supervisor is gone; the read side says so too, and that stops us.
                Err(_) => self.unsent.clear(),
            }
        }
        if self.full == self.unsent.is_empty() {
            self.full = !self.unsent.is_empty();
            let interest = if self.full { Interest::Both } else { Interest::Read };
            if let Err(error) = reactor.modify(&self.channel, self.token, interest) {
                self.log.error(format_args!("cannot watch the supervisor's channel: {error}"));
            }
        }
    }

    /// Says once that the supervisor is gone.
    pub(super) fn tell_gone(&mut self) {
        if !std::mem::replace(&mut self.told_gone, true) {
            self.log.error("the supervisor is gone, so the vrrp worker stops too");
        }
    }

    /// The next order, if there is one.
    pub(super) fn next(&mut self) -> Option<Order> {
        loop {
            match self.channel.recv(&mut self.received) {
                Ok(Received::Message(memfd)) => {
                    match decode(&self.received).map(|message| (message, memfd)) {
                        Ok((ToWorker::Configure, Some(memfd))) => match Assignment::unseal(memfd) {
                            Ok(assignment) => return Some(Order::Configure(Box::new(assignment))),
                            Err(error) => self.log.error(format_args!("{error}")),
                        },
                        Ok((ToWorker::Foretell { request }, Some(memfd))) => {
                            match Assignment::unseal(memfd) {
                                Ok(assignment) => {
                                    return Some(Order::Foretell {
                                        request,
                                        assignment: Box::new(assignment),
                                    });
                                }
                                Err(error) => self.log.error(format_args!("{error}")),
                            }
                        }
                        Ok((ToWorker::Configure | ToWorker::Foretell { .. }, None)) => {
                            self.log.error("a configuration without its content")
                        }
                        Ok((ToWorker::Stop, _)) => return Some(Order::Stop),
                        Ok((ToWorker::ScriptDone { script, run, outcome }, _)) => {
                            return Some(Order::ScriptDone { script, run, outcome: outcome.into() });
                        }
                        Ok((ToWorker::File { name, value }, _)) => return Some(Order::File { name, value }),
                        Ok((ToWorker::Snapshot { request, clear }, _)) => {
                            return Some(Order::Snapshot { request, clear });
                        }
                        Ok((ToWorker::Processes { name, count }, _)) => {
                            return Some(Order::Processes { name, count });
                        }
                        Ok((ToWorker::Bfd { session, up }, _)) => return Some(Order::Bfd { session, up }),
                        Err(error) => self.log.error(format_args!("{error}")),
                    }
                }
                Ok(Received::Empty) => return None,
                Ok(Received::Closed) => {
                    self.tell_gone();
                    return Some(Order::Stop);
                }
                Err(error) => {
                    self.log.error(format_args!("reading from the supervisor: {error}"));
                    return Some(Order::Stop);
                }
            }
        }
    }
}

impl AsFd for Control {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.channel.as_fd()
    }
}
