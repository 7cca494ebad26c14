//! The check worker's end of the channel to the supervisor. Nothing here waits.

use std::collections::VecDeque;
use std::io;
use std::task::{Context, Poll, ready};

use model::lvs::Outcome;
use sys::ipc::{Received, Sent};
use tokio::io::unix::AsyncFd;

use super::watched::{Watched, watch};
use crate::log::Log;
use crate::message::check::{Assignment, FromChecker, ToChecker};
use crate::message::{Enclosed as _, decode, encode};

/// What the supervisor wants.
#[derive(Debug)]
pub(super) enum Order {
    /// Go over to this configuration.
    Configure(Box<Assignment>),
    /// A run of a program has ended.
    ScriptDone { probe: u64, run: u64, outcome: Outcome },
    /// A tracked file holds this number now.
    File { name: String, value: i32 },
    /// Tell how the checks are getting on.
    TellProgress,
    /// The virtual router that is followed is master, or not.
    Router { is_master: bool },
    /// Release the table and leave. Also when the supervisor is gone: nobody else could stop us.
    Stop,
}

/// The channel, and what does not fit into it now.
pub(super) struct Channel {
    channel: AsyncFd<Watched<sys::ipc::Channel>>,
    unsent: VecDeque<Vec<u8>>,
    received: Vec<u8>,
    log: Log,
}

impl Channel {
    pub(super) fn new(channel: sys::ipc::Channel, log: Log) -> io::Result<Self> {
        let channel = watch(channel)?;
        Ok(Self { channel, unsent: VecDeque::new(), received: Vec::new(), log })
    }

    /// Lets `message` go out as soon as [`Self::poll_flush`] finds room; false if it can never cross.
    pub(super) fn send(&mut self, message: &FromChecker) -> bool {
        match encode(message) {
            Ok(packet) => self.unsent.push_back(packet),
            Err(error) => {
                self.log.error(format_args!("cannot tell the supervisor: {error}"));
                return false;
            }
        }
        true
    }

    /// Sends what waits. Ready once everything is out.
    pub(super) fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        while let Some(packet) = self.unsent.front() {
            match self.channel.get_ref().0.send(packet, None) {
                Ok(Sent::Done) => drop(self.unsent.pop_front()),
                Ok(Sent::Full) => match ready!(self.channel.poll_write_ready(cx)) {
                    // Looked at before there was room: it is tried once more when there is.
                    Ok(mut guard) => guard.clear_ready(),
                    Err(_) => self.unsent.clear(),
                },
                // The supervisor is gone; the read side says so too, and that stops us.
                Err(_) => self.unsent.clear(),
            }
        }
        Poll::Ready(())
    }

    /// The next order.
    pub(super) fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Order> {
        loop {
            // The kernel is asked only if there may be something: this is done after each check too.
            let Ok(mut guard) = ready!(self.channel.poll_read_ready(cx)) else {
                return Poll::Ready(Order::Stop);
            };
            match guard.get_inner().0.recv(&mut self.received) {
                Ok(Received::Message(memfd)) => match decode(&self.received) {
                    Ok(ToChecker::Configure) => match memfd.map(Assignment::unseal) {
                        Some(Ok(assignment)) => return Poll::Ready(Order::Configure(Box::new(assignment))),
                        Some(Err(error)) => self.log.error(format_args!("{error}")),
                        None => self.log.error("a configuration without its content"),
                    },
                    Ok(ToChecker::Stop) => return Poll::Ready(Order::Stop),
                    Ok(ToChecker::ScriptDone { probe, run, outcome }) => {
                        return Poll::Ready(Order::ScriptDone { probe, run, outcome });
                    }
                    Ok(ToChecker::File { name, value }) => return Poll::Ready(Order::File { name, value }),
                    Ok(ToChecker::TellProgress) => return Poll::Ready(Order::TellProgress),
                    Ok(ToChecker::Router { is_master }) => return Poll::Ready(Order::Router { is_master }),
                    Err(error) => self.log.error(format_args!("{error}")),
                },
                Ok(Received::Empty) => guard.clear_ready(),
                Ok(Received::Closed) => {
                    // All that would be left is a table that nobody checks.
                    self.log.error("the supervisor is gone, so the check worker stops too");
                    return Poll::Ready(Order::Stop);
                }
                Err(error) => {
                    self.log.error(format_args!("reading from the supervisor: {error}"));
                    return Poll::Ready(Order::Stop);
                }
            }
        }
    }
}
