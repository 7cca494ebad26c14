//! The worker as the supervisor sees it: a child and a channel.

use std::collections::VecDeque;
use std::ffi::OsString;
use std::os::fd::{AsFd as _, OwnedFd};

use sys::ipc::{Channel, Received, Sent};
use sys::process::{Child, Exit, Pid, SelfExe};
use sys::reactor::{Interest, Reactor, Token};
use sys::signal::Signal;

use crate::message::{self, Assignment, FromWorker, MessageError, ToWorker};
use crate::program::{self, Program};

/// A running worker.
#[derive(Debug)]
pub(super) struct Link {
    child: Child,
    channel: Channel,
    /// What the worker has been too busy to take.
    outbox: VecDeque<(Vec<u8>, Option<OwnedFd>)>,
    buffer: Vec<u8>,
    /// The worker has not closed its end.
    open: bool,
}

/// What the reactor calls the two sides of a link.
#[derive(Clone, Copy, Debug)]
pub(super) struct Tokens {
    /// Its messages.
    pub(super) channel: Token,
    /// Its end.
    pub(super) child: Token,
}

/// Why there is no worker, or no talking to it.
#[derive(Debug, thiserror::Error)]
pub(super) enum LinkError {
    #[error("cannot start the vrrp worker")]
    Spawn(#[from] sys::process::SpawnError),
    #[error("cannot talk to the vrrp worker")]
    Channel(#[from] std::io::Error),
    #[error(transparent)]
    Message(#[from] MessageError),
}

impl Link {
    /// Starts a worker with the daemon's own options, watches it and hands it `assignment`, which is a
    /// [`Assignment`] in a file.
    ///
    /// After an error there is no worker.
    pub(super) fn start(
        program: &Program,
        options: &[OsString],
        assignment: OwnedFd,
        reactor: &mut Reactor,
        tokens: Tokens,
    ) -> Result<Self, LinkError> {
        let (ours, theirs) = Channel::pair()?;
        let mut binary = SelfExe::new(program.name())
            .argument(crate::WORKER)
            .argument(program::VRRP)
            .inherit(theirs.into())
            .death_signal(Signal::TERM);
        for option in options {
            binary = binary.argument(option);
        }
        let child = binary.spawn()?;
        let mut link = Self { child, channel: ours, outbox: VecDeque::new(), buffer: Vec::new(), open: true };
        match link.watch(reactor, tokens).and_then(|()| link.assign(reactor, tokens, assignment)) {
            Ok(()) => Ok(link),
            Err(error) => {
                link.unwatch(reactor);
                // Nobody would hear of its end.
                drop(link.child.end());
                Err(error)
            }
        }
    }

    fn watch(&self, reactor: &mut Reactor, tokens: Tokens) -> Result<(), LinkError> {
        reactor.add(self.child.as_fd(), tokens.child, Interest::Read)?;
        Ok(reactor.add(self.channel.as_fd(), tokens.channel, Interest::Read)?)
    }

    pub(super) const fn pid(&self) -> Pid {
        self.child.pid()
    }

    /// Hands a [`Assignment`] over.
    pub(super) fn assign(
        &mut self,
        reactor: &mut Reactor,
        tokens: Tokens,
        assignment: OwnedFd,
    ) -> Result<(), LinkError> {
        self.queue(reactor, tokens, &ToWorker::Configure, Some(assignment))
    }

    /// Asks what going over to a configuration would do.
    pub(super) fn foretell(
        &mut self,
        reactor: &mut Reactor,
        tokens: Tokens,
        request: u64,
        assignment: &Assignment,
    ) -> Result<(), LinkError> {
        let memfd = assignment.seal()?;
        self.queue(reactor, tokens, &ToWorker::Foretell { request }, Some(memfd))
    }

    /// Says something that has no attachment.
    pub(super) fn say(
        &mut self,
        reactor: &mut Reactor,
        tokens: Tokens,
        message: &ToWorker,
    ) -> Result<(), LinkError> {
        self.queue(reactor, tokens, message, None)
    }

    fn queue(
        &mut self,
        reactor: &mut Reactor,
        tokens: Tokens,
        message: &ToWorker,
        attached: Option<OwnedFd>,
    ) -> Result<(), LinkError> {
        self.outbox.push_back((message::encode(message)?, attached));
        self.flush(reactor, tokens)
    }

    /// Sends what waits, and asks to be told when there is room for what does not fit.
    pub(super) fn flush(&mut self, reactor: &mut Reactor, tokens: Tokens) -> Result<(), LinkError> {
        if !self.open {
            self.outbox.clear();
            return Ok(());
        }
        while let Some((packet, attached)) = self.outbox.front() {
            match self.channel.send(packet, attached.as_ref().map(|fd| fd.as_fd())) {
                Ok(Sent::Done) => self.outbox.pop_front(),
                Ok(Sent::Full) => break,
                // It is dead: its end is on the way.
                Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => self.outbox.pop_front(),
                Err(error) => return Err(error.into()),
            };
        }
        let interest = if self.outbox.is_empty() { Interest::Read } else { Interest::Both };
        Ok(reactor.modify(self.channel.as_fd(), tokens.channel, interest)?)
    }

    /// The next message; `None` if nothing waits, or nothing will come any more.
    pub(super) fn next(&mut self, reactor: &mut Reactor) -> Result<Option<FromWorker>, LinkError> {
        match self.channel.recv(&mut self.buffer)? {
            Received::Message(_) => Ok(Some(message::decode(&self.buffer)?)),
            Received::Empty => Ok(None),
            Received::Closed => {
                // Otherwise the hang-up would be reported for ever. It may have been unwatched before.
                drop(reactor.remove(self.channel.as_fd()));
                self.open = false;
                Ok(None)
            }
        }
    }

    /// How it ended, if it has.
    pub(super) fn try_wait(&mut self) -> std::io::Result<Option<Exit>> {
        self.child.try_wait()
    }

    /// Kills it.
    pub(super) fn kill(&self) {
        // Only a worker that has ended already cannot be killed.
        drop(self.child.kill(Signal::KILL));
    }

    /// Ends the watches.
    pub(super) fn unwatch(&self, reactor: &mut Reactor) {
        // What is not watched any more is as wanted.
        drop(reactor.remove(self.child.as_fd()));
        drop(reactor.remove(self.channel.as_fd()));
    }
}
