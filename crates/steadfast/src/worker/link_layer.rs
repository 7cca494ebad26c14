//! ARP on the links: who has an address is told to all, and asked.

use std::io;
use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use model::{IfIndex, Instant, MacAddr};
use sys::reactor::{Interest, Reactor, Token};
use sys::socket::packet::{EtherType, Listener, Sender};
use wire::arp::{self, Operation};

/// How long answers to a question are waited for. A host on the link answers within milliseconds.
const PATIENCE: Duration = Duration::from_secs(2);

/// Sends ARP frames and, for a while after a question, hears the answers.
pub(super) struct LinkLayer {
    sender: Sender,
    /// Open only while answers are awaited: it is woken by every ARP frame of every link.
    listening: Option<Listening>,
    token: Token,
    frame: Vec<u8>,
}

struct Listening {
    listener: Listener,
    until: Instant,
}

/// A host that says that it has an address.
pub(super) struct Answer {
    pub(super) link: IfIndex,
    pub(super) address: IpAddr,
    pub(super) mac: MacAddr,
}

impl LinkLayer {
    /// Opens the sender; `token` is for the listener to come.
    pub(super) fn open(token: Token) -> io::Result<Self> {
        Ok(Self { sender: Sender::open()?, listening: None, token, frame: Vec::new() })
    }

    /// Tells the link `count` times that `mac` has `address`.
    pub(super) fn announce(
        &mut self,
        link: IfIndex,
        mac: MacAddr,
        address: Ipv4Addr,
        count: u32,
    ) -> io::Result<()> {
        self.frame.clear();
        arp::emit(&arp::gratuitous(mac, address), &mut self.frame);
        (0..count).try_for_each(|_| self.sender.send(link, &self.frame))
    }

    /// Asks the link who has `address`.
    pub(super) fn probe(
        &mut self,
        now: Instant,
        link: IfIndex,
        mac: MacAddr,
        address: Ipv4Addr,
        reactor: &mut Reactor,
    ) -> io::Result<()> {
        let until = now + PATIENCE;
        match &mut self.listening {
            Some(listening) => listening.until = until,
            None => {
                let listener = Listener::open(EtherType::ARP)?;
                reactor.add(&listener, self.token, Interest::Read)?;
                self.listening = Some(Listening { listener, until });
            }
        }
        self.frame.clear();
        arp::emit(&arp::probe(mac, address), &mut self.frame);
        self.sender.send(link, &self.frame)
    }

    /// The next answer that waits.
    pub(super) fn answer(&self) -> Option<Answer> {
        let mut buffer = [0; FRAME_BYTES];
        let listener = &self.listening.as_ref()?.listener;
        // What a link says of itself going down is netlink's business.
        while let Ok(Some(frame)) = listener.recv(&mut buffer) {
            if let Ok(packet) = arp::parse(frame.bytes)
                && packet.operation == Operation::Reply
            {
                return Some(Answer {
                    link: frame.link,
                    address: packet.sender.into(),
                    mac: packet.sender_mac,
                });
            }
        }
        None
    }

    /// When [`Self::expire`] has something to do.
    pub(super) fn deadline(&self) -> Option<Instant> {
        self.listening.as_ref().map(|listening| listening.until)
    }

    /// Stops listening if it was long enough.
    pub(super) fn expire(&mut self, now: Instant) {
        self.listening.take_if(|listening| listening.until <= now);
    }
}

/// An Ethernet frame with an ARP packet, and the padding of the least frame.
const FRAME_BYTES: usize = 64;
