//! The socket at which other programs ask. Nobody who does not read, or never asks, can hold anything up.

use std::collections::VecDeque;
use std::io;
use std::path::Path;

use sys::ipc::{Channel, Listener, Received, Sent};
use sys::reactor::{Interest, Reactor, Token};

use crate::control::{Reply, Request};

/// The socket, and those who have connected.
#[derive(Debug, Default)]
pub(super) struct Control {
    listener: Option<Listener>,
    places: [Option<Client>; PLACES],
    next: u64,
}

#[derive(Debug)]
struct Client {
    number: u64,
    channel: Channel,
    /// What it has not taken yet.
    outbox: VecDeque<Vec<u8>>,
    /// Nothing follows what is in there.
    finished: bool,
}

impl Control {
    /// Listens beside the pid file.
    ///
    /// # Errors
    /// Why nobody can ask.
    pub(super) fn listen(path: &Path, reactor: &mut Reactor) -> io::Result<Self> {
        let listener = Listener::bind(path)?;
        reactor.add(&listener, LISTENER, Interest::Read)?;
        Ok(Self { listener: Some(listener), ..Self::default() })
    }

    /// Serves what `token` stands for, and gives what somebody asks, with the asker's number.
    pub(super) fn on_ready(&mut self, reactor: &mut Reactor, token: Token) -> Option<(u64, Request)> {
        if token == LISTENER {
            self.accept(reactor);
            return None;
        }
        let place = token.0.checked_sub(FIRST_CLIENT).and_then(|place| usize::try_from(place).ok())?;
        self.flush(reactor, place);
        let client = self.places.get_mut(place)?.as_mut()?;
        let mut packet = Vec::new();
        match client.channel.recv(&mut packet) {
            Ok(Received::Empty) => None,
            Ok(Received::Message(_)) => match serde_json::from_slice(&packet) {
                Ok(request) => Some((client.number, request)),
                Err(error) => {
                    let number = client.number;
                    self.finish(
                        reactor,
                        number,
                        &Reply::Failed(format!("this daemon does not know that: {error}")),
                    );
                    None
                }
            },
            Ok(Received::Closed) | Err(_) => {
                self.close(reactor, place);
                None
            }
        }
    }

    /// Tells an asker something, if it is still there. One that does not read for long is let go.
    pub(super) fn tell(&mut self, reactor: &mut Reactor, number: u64, reply: &Reply) {
        let Some(place) = self.place_of(number) else { return };
        let Some(client) = self.places.get_mut(place).and_then(Option::as_mut) else { return };
        match serde_json::to_vec(reply) {
            Ok(packet) if client.outbox.len() < MOST_UNREAD => client.outbox.push_back(packet),
            Ok(_) | Err(_) => return self.close(reactor, place),
        }
        self.flush(reactor, place);
    }

    /// Tells an asker the last.
    pub(super) fn finish(&mut self, reactor: &mut Reactor, number: u64, reply: &Reply) {
        let place = self.place_of(number);
        if let Some(client) = place.and_then(|place| self.places.get_mut(place)?.as_mut()) {
            client.finished = true;
        }
        self.tell(reactor, number, reply);
    }

    /// Sends what there is room for, and closes when all is said.
    fn flush(&mut self, reactor: &mut Reactor, place: usize) {
        let Some(client) = self.places.get_mut(place).and_then(Option::as_mut) else { return };
        while let Some(packet) = client.outbox.front() {
            match client.channel.send(packet, None) {
                Ok(Sent::Done) => drop(client.outbox.pop_front()),
                Ok(Sent::Full) => break,
                Err(_) => return self.close(reactor, place),
            }
        }
        if client.finished && client.outbox.is_empty() {
            return self.close(reactor, place);
        }
        let interest = if client.outbox.is_empty() { Interest::Read } else { Interest::Both };
        if reactor.modify(&client.channel, token(place), interest).is_err() {
            self.close(reactor, place);
        }
    }

    /// The worker that was to answer is gone.
    pub(super) fn give_up_all(&mut self, reactor: &mut Reactor, why: &str) {
        let numbers: Vec<_> = self.places.iter().flatten().map(|client| client.number).collect();
        for number in numbers {
            self.finish(reactor, number, &Reply::Failed(why.to_owned()));
        }
    }

    fn accept(&mut self, reactor: &mut Reactor) {
        while let Some(Ok(Some(channel))) = self.listener.as_ref().map(Listener::accept) {
            let free = self.places.iter().position(Option::is_none);
            // Who has been here for longest has had its time.
            let oldest = || {
                let number = |client: &Option<Client>| client.as_ref().map(|client| client.number);
                (0..PLACES).min_by_key(|place| self.places.get(*place).and_then(number)).unwrap_or(0)
            };
            let place = free.unwrap_or_else(oldest);
            self.close(reactor, place);
            self.next += 1;
            if reactor.add(&channel, token(place), Interest::Read).is_ok()
                && let Some(slot) = self.places.get_mut(place)
            {
                *slot = Some(Client { number: self.next, channel, outbox: VecDeque::new(), finished: false });
            }
        }
    }

    fn place_of(&self, number: u64) -> Option<usize> {
        self.places.iter().position(|client| client.as_ref().is_some_and(|client| client.number == number))
    }

    fn close(&mut self, reactor: &mut Reactor, place: usize) {
        if let Some(client) = self.places.get_mut(place).and_then(Option::take) {
            // What is not watched any more is as wanted.
            drop(reactor.remove(&client.channel));
        }
    }
}

fn token(place: usize) -> Token {
    Token(FIRST_CLIENT + u64::try_from(place).unwrap_or(0))
}

/// Those who may ask at once.
const PLACES: usize = 4;
/// Messages that wait for somebody to read them.
const MOST_UNREAD: usize = 65_536;
const LISTENER: Token = Token(3);
const FIRST_CLIENT: u64 = 4;

/// The tokens that are this socket's.
pub(super) const fn is_ours(token: Token) -> bool {
    token.0 >= LISTENER.0 && token.0 < FIRST_CLIENT + PLACES as u64
}
