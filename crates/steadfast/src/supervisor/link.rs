//! A worker as the supervisor sees it: a child and a channel.

use std::collections::VecDeque;
use std::ffi::OsString;
use std::fmt::Debug;
use std::marker::PhantomData;
use std::os::fd::{AsFd as _, OwnedFd};

use serde::Serialize;
use serde::de::DeserializeOwned;
use sys::ipc::{Channel, Received, Sent};
use sys::process::{Child, Exit, Pid, SelfExe};
use sys::reactor::{Interest, Reactor, Token};
use sys::signal::Signal;

use crate::message::{self, MessageError};
use crate::program::Program;

/// What a worker is for, and the language that it and the supervisor speak.
pub(super) trait Role: Debug {
    /// What it is told.
    type Order: Serialize;
    /// What it tells.
    type Report: DeserializeOwned;
    /// The word by which the binary knows the role.
    const ARGUMENT: &'static str;
    /// What the log calls such a worker.
    const NAME: &'static str;
    /// What keepalived calls it when it starts one.
    const TITLE: &'static str;
    /// What the reactor calls its two sides.
    const TOKENS: Tokens;
    /// The order to carry out the assignment in the file beside it.
    const CONFIGURE: Self::Order;
}

/// A running worker.
#[derive(Debug)]
pub(super) struct Link<R> {
    child: Child,
    channel: Channel,
    /// What the worker has been too busy to take.
    outbox: VecDeque<(Vec<u8>, Option<OwnedFd>)>,
    buffer: Vec<u8>,
    /// The worker has not closed its end.
    open: bool,
    role: PhantomData<R>,
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
    #[error("cannot start the {worker}")]
    Spawn { worker: &'static str, source: sys::process::SpawnError },
    #[error("cannot talk to the {worker}")]
    Channel { worker: &'static str, source: std::io::Error },
    #[error(transparent)]
    Message(#[from] MessageError),
}

impl<R: Role> Link<R> {
    /// Starts a worker with the daemon's own options, watches it and hands it `assignment`, which is what
    /// [`Role::CONFIGURE`] speaks of, in a file.
    ///
    /// After an error there is no worker.
    pub(super) fn start(
        program: &Program,
        options: &[OsString],
        assignment: OwnedFd,
        reactor: &mut Reactor,
    ) -> Result<Self, LinkError> {
        let (ours, theirs) = Channel::pair().map_err(channel_failed::<R>)?;
        let mut binary = SelfExe::new(program.name())
            .argument(crate::WORKER)
            .argument(R::ARGUMENT)
            .inherit(theirs.into())
            .death_signal(Signal::TERM);
        for option in options {
            binary = binary.argument(option);
        }
        let child = binary.spawn().map_err(|source| LinkError::Spawn { worker: R::NAME, source })?;
        let mut link = Self {
            child,
            channel: ours,
            outbox: VecDeque::new(),
            buffer: Vec::new(),
            open: true,
            role: PhantomData,
        };
        match link.watch(reactor).and_then(|()| link.say(reactor, &R::CONFIGURE, Some(assignment))) {
            Ok(()) => Ok(link),
            Err(error) => {
                link.unwatch(reactor);
                // Nobody would hear of its end.
                drop(link.child.end());
                Err(error)
            }
        }
    }

    fn watch(&self, reactor: &mut Reactor) -> Result<(), LinkError> {
        reactor
            .add(self.child.as_fd(), R::TOKENS.child, Interest::Read)
            .and_then(|()| reactor.add(self.channel.as_fd(), R::TOKENS.channel, Interest::Read))
            .map_err(channel_failed::<R>)
    }

    pub(super) const fn pid(&self) -> Pid {
        self.child.pid()
    }

    /// Says something, with a file if the order speaks of one.
    pub(super) fn say(
        &mut self,
        reactor: &mut Reactor,
        order: &R::Order,
        attached: Option<OwnedFd>,
    ) -> Result<(), LinkError> {
        self.outbox.push_back((message::encode(order)?, attached));
        self.flush(reactor)
    }

    /// Sends what waits, and asks to be told when there is room for what does not fit.
    pub(super) fn flush(&mut self, reactor: &mut Reactor) -> Result<(), LinkError> {
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
                Err(error) => return Err(channel_failed::<R>(error)),
            };
        }
        let interest = if self.outbox.is_empty() { Interest::Read } else { Interest::Both };
        reactor.modify(self.channel.as_fd(), R::TOKENS.channel, interest).map_err(channel_failed::<R>)
    }

    /// The next message; `None` if nothing waits, or nothing will come any more.
    pub(super) fn next(&mut self, reactor: &mut Reactor) -> Result<Option<R::Report>, LinkError> {
        match self.channel.recv(&mut self.buffer).map_err(channel_failed::<R>)? {
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

const fn channel_failed<R: Role>(source: std::io::Error) -> LinkError {
    LinkError::Channel { worker: R::NAME, source }
}
