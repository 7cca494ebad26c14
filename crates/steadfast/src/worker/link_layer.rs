//! ARP on the links: who has an address is told to all, and asked.

use std::collections::{BTreeSet, VecDeque};
use std::io;
use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use model::{IfIndex, IfName, Instant, MacAddr};
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
    /// Announcements that found the queue of their link full.
    waiting: VecDeque<Waiting>,
    retry_at: Option<Instant>,
    token: Token,
    frame: Vec<u8>,
}

/// The rest of an announcement.
pub(super) struct Waiting {
    pub(super) device: IfName,
    pub(super) address: Ipv4Addr,
    link: IfIndex,
    mac: MacAddr,
    count: u32,
    until: Instant,
}

/// A device with what a frame on it needs.
pub(super) struct Device<'a> {
    pub(super) name: &'a IfName,
    pub(super) link: IfIndex,
    pub(super) mac: MacAddr,
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
        Ok(Self {
            sender: Sender::open()?,
            listening: None,
            waiting: VecDeque::new(),
            retry_at: None,
            token,
            frame: Vec::new(),
        })
    }

    /// Tells the link `count` times that it has `address`, and says how many of these went out. What finds the
    /// link's queue full is tried again by [`Self::retry`].
    pub(super) fn announce(
        &mut self,
        now: Instant,
        device: &Device<'_>,
        address: Ipv4Addr,
        count: u32,
    ) -> io::Result<u32> {
        let (sent, outcome) = self.burst(device.link, device.mac, address, count);
        match outcome {
            Err(error) if is_transient(&error) => {
                let (link, mac, count) = (device.link, device.mac, count - sent);
                let (device, until) = (device.name.clone(), now + GIVE_UP_AFTER);
                self.waiting.push_back(Waiting { device, address, link, mac, count, until });
                self.retry_at.get_or_insert(now + PAUSE);
                Ok(sent)
            }
            outcome => outcome.map(|()| sent),
        }
    }

    /// Tries again what waits, if it is time and the address `is_held` still. What has waited for too long, or has
    /// become impossible, is given up: one link that does not take frames must hold up nobody.
    pub(super) fn retry(
        &mut self,
        now: Instant,
        is_held: impl Fn(&Waiting) -> bool,
        mut give_up: impl FnMut(Waiting),
    ) {
        if self.retry_at.take_if(|at| *at <= now).is_none() {
            return;
        }
        let mut full = BTreeSet::new();
        for mut waiting in std::mem::take(&mut self.waiting) {
            if !is_held(&waiting) {
                continue;
            }
            if !full.contains(&waiting.link) {
                let (sent, outcome) = self.burst(waiting.link, waiting.mac, waiting.address, waiting.count);
                waiting.count -= sent;
                match outcome {
                    Ok(()) => continue,
                    Err(error) if is_transient(&error) => full.insert(waiting.link),
                    Err(_) => {
                        give_up(waiting);
                        continue;
                    }
                };
            }
            if waiting.until <= now {
                give_up(waiting);
            } else {
                self.waiting.push_back(waiting);
            }
        }
        if !self.waiting.is_empty() {
            self.retry_at = Some(now + PAUSE);
        }
    }

    fn burst(&mut self, link: IfIndex, mac: MacAddr, address: Ipv4Addr, count: u32) -> (u32, io::Result<()>) {
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

    /// When [`Self::expire`] or [`Self::retry`] has something to do.
    pub(super) fn deadline(&self) -> Option<Instant> {
        let listening = self.listening.as_ref().map(|listening| listening.until);
        [listening, self.retry_at].into_iter().flatten().min()
    }

    /// Stops listening if it was long enough.
    pub(super) fn expire(&mut self, now: Instant) {
        self.listening.take_if(|listening| listening.until <= now);
    }
}

/// The link's queue is full, or the kernel has no memory for the frame now.
fn is_transient(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::OutOfMemory)
        || error.raw_os_error() == Some(rustix::io::Errno::NOBUFS.raw_os_error())
}

/// How long a full queue is left alone.
const PAUSE: Duration = Duration::from_millis(2);
/// How long an announcement waits for a full queue. The second burst, and the refresh, come anyway.
const GIVE_UP_AFTER: Duration = Duration::from_millis(500);
/// ARP frames that are read in a turn.
const MOST_FRAMES: usize = 64;
/// An Ethernet frame with an ARP packet, and the padding of the least frame.
const FRAME_BYTES: usize = 64;
