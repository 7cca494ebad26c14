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

    /// Tells the link `count` times that `mac` has `address`. Returns how many went out, and what stopped the others.
    pub(super) fn announce(
        &mut self,
        link: IfIndex,
        mac: MacAddr,
        address: Ipv4Addr,
        count: u32,
    ) -> (u32, io::Result<()>) {
        self.frame.clear();
        arp::emit(&arp::gratuitous(mac, address), &mut self.frame);
        for sent in 0..count {
            if let Err(error) = self.sender.send(link, &self.frame) {
                return (sent, Err(error));
            }
        }
        (count, Ok(()))
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

    /// Hands the answers that wait to `take`. A flood of frames is not read to its end: timers must not wait for it.
    pub(super) fn answers(&self, mut take: impl FnMut(Answer)) {
        let Some(Listening { listener, .. }) = &self.listening else { return };
        let mut buffer = [0; FRAME_BYTES];
        for _ in 0..MOST_FRAMES {
            // What a link says of itself going down is netlink's business.
            let Ok(Some(frame)) = listener.recv(&mut buffer) else { return };
            if let Ok(packet) = arp::parse(frame.bytes)
                && packet.operation == Operation::Reply
            {
                take(Answer { link: frame.link, address: packet.sender.into(), mac: packet.sender_mac });
            }
        }
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

/// ARP frames that are read in a turn.
const MOST_FRAMES: usize = 64;
/// An Ethernet frame with an ARP packet, and the padding of the least frame.
const FRAME_BYTES: usize = 64;
