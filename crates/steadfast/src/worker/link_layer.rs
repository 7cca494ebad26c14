//! ARP and neighbour discovery on the links: who has an address is told to all, and asked.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::io;
use std::net::{IpAddr, Ipv6Addr};
use std::time::Duration;

use model::{Family, IfIndex, IfName, Instant, MacAddr};
use sys::reactor::{Interest, Reactor, Token};
use sys::socket::packet::{EtherType, Listener, Sender};
use wire::arp::{self, Operation};
use wire::ndisc::{self, Kind};

/// How long answers to a question are waited for. A host on the link answers within milliseconds.
const PATIENCE: Duration = Duration::from_secs(2);

/// Sends frames and, for a while after a question, hears the answers.
pub(super) struct LinkLayer {
    sender: Sender,
    /// Open only while answers are awaited: these are woken by every such frame of every link.
    listening: BTreeMap<Family, Listening>,
    /// Announcements that found the queue of their link full.
    waiting: VecDeque<Waiting>,
    retry_at: Option<Instant>,
    /// Which links forwarded IPv6, and when that was looked up.
    routers: BTreeMap<IfIndex, (Instant, bool)>,
    tokens: [Token; 2],
    frame: Vec<u8>,
}

/// The rest of an announcement.
pub(super) struct Waiting {
    pub(super) device: IfName,
    pub(super) address: IpAddr,
    link: IfIndex,
    mac: MacAddr,
    router: bool,
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
    /// Opens the sender; `tokens` are for the listeners to come, of IPv4 and of IPv6.
    pub(super) fn open(tokens: [Token; 2]) -> io::Result<Self> {
        Ok(Self {
            sender: Sender::open()?,
            listening: BTreeMap::new(),
            waiting: VecDeque::new(),
            retry_at: None,
            routers: BTreeMap::new(),
            tokens,
            frame: Vec::new(),
        })
    }

    /// Tells the link `count` times that it has `address`, and says how many of these went out. What finds the
    /// link's queue full is tried again by [`Self::retry`].
    pub(super) fn announce(
        &mut self,
        now: Instant,
        device: &Device<'_>,
        address: IpAddr,
        count: u32,
    ) -> io::Result<u32> {
        let router = address.is_ipv6() && self.is_router(now, device);
        let whole = Waiting {
            device: device.name.clone(),
            address,
            link: device.link,
            mac: device.mac,
            router,
            count,
            until: now + GIVE_UP_AFTER,
        };
        let (sent, outcome) = self.burst(&whole);
        match outcome {
            Err(error) if is_transient(&error) => {
                self.waiting.push_back(Waiting { count: count - sent, ..whole });
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
                let (sent, outcome) = self.burst(&waiting);
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

    fn burst(&mut self, what: &Waiting) -> (u32, io::Result<()>) {
        self.frame.clear();
        match what.address {
            IpAddr::V4(address) => arp::emit(&arp::gratuitous(what.mac, address), &mut self.frame),
            IpAddr::V6(address) => {
                ndisc::emit(&ndisc::unsolicited(what.mac, address, what.router), &mut self.frame);
            }
        }
        for sent in 0..what.count {
            if let Err(error) = self.sender.send(what.link, &self.frame) {
                return (sent, Err(error));
            }
        }
        (what.count, Ok(()))
    }

    /// Whether the host forwards what comes in on that link, so that its advertisements have to say that it is a router.
    fn is_router(&mut self, now: Instant, device: &Device<'_>) -> bool {
        if let Some((looked_at, router)) = self.routers.get(&device.link)
            && now.since(*looked_at) < LOOK_AGAIN
        {
            return *router;
        }
        let setting = sys::sysctl::read(&["ipv6", "conf", device.name.as_str(), "forwarding"]);
        let router = setting.is_ok_and(|value| value != "0");
        self.routers.insert(device.link, (now, router));
        router
    }

    /// Asks the link who has `address`. Over IPv6 it takes an address of that link to ask from.
    pub(super) fn probe(
        &mut self,
        now: Instant,
        (link, mac, source): (IfIndex, MacAddr, Option<Ipv6Addr>),
        address: IpAddr,
        reactor: &mut Reactor,
    ) -> io::Result<()> {
        self.frame.clear();
        match address {
            IpAddr::V4(address) => arp::emit(&arp::probe(mac, address), &mut self.frame),
            IpAddr::V6(address) => {
                let source = source.ok_or(io::ErrorKind::AddrNotAvailable)?;
                ndisc::emit(&ndisc::solicitation(mac, source, address), &mut self.frame);
            }
        }
        self.listen(address.into(), now + PATIENCE, reactor)?;
        self.sender.send(link, &self.frame)
    }

    fn listen(&mut self, family: Family, until: Instant, reactor: &mut Reactor) -> io::Result<()> {
        if let Some(listening) = self.listening.get_mut(&family) {
            listening.until = until;
            return Ok(());
        }
        let [arp, ndisc] = self.tokens;
        let (listener, token) = match family {
            Family::V4 => (Listener::open(EtherType::ARP)?, arp),
            Family::V6 => (Listener::open_for_neighbour_advertisements()?, ndisc),
        };
        reactor.add(&listener, token, Interest::Read)?;
        self.listening.insert(family, Listening { listener, until });
        Ok(())
    }

    /// Hands the answers of this family that wait to `take`. A flood of frames is not read to its end: timers must not
    /// wait for it.
    pub(super) fn answers(&self, family: Family, mut take: impl FnMut(Answer)) {
        let Some(Listening { listener, .. }) = self.listening.get(&family) else { return };
        let mut buffer = [0; FRAME_BYTES];
        for _ in 0..MOST_FRAMES {
            // What a link says of itself going down is netlink's business.
            let Ok(Some(frame)) = listener.recv(&mut buffer) else { return };
            let answer = match family {
                Family::V4 => arp_answer(frame.bytes),
                Family::V6 => ndisc_answer(frame.bytes),
            };
            if let Some((address, mac)) = answer {
                take(Answer { link: frame.link, address, mac });
            }
        }
    }

    /// When [`Self::expire`] or [`Self::retry`] has something to do.
    pub(super) fn deadline(&self) -> Option<Instant> {
        let listening = self.listening.values().map(|listening| listening.until);
        listening.chain(self.retry_at).min()
    }

    /// Stops listening if it was long enough.
    pub(super) fn expire(&mut self, now: Instant) {
        self.listening.retain(|_, listening| listening.until > now);
    }
}

fn arp_answer(frame: &[u8]) -> Option<(IpAddr, MacAddr)> {
    let packet = arp::parse(frame).ok().filter(|packet| packet.operation == Operation::Reply)?;
    Some((packet.sender.into(), packet.sender_mac))
}

fn ndisc_answer(frame: &[u8]) -> Option<(IpAddr, MacAddr)> {
    let packet = ndisc::parse(frame).ok()?;
    let answers = matches!(packet.kind, Kind::Advertisement { .. });
    answers.then(|| (packet.target.into(), packet.mac.unwrap_or(packet.sender_mac)))
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
/// For how long a link is taken to forward or not.
const LOOK_AGAIN: Duration = Duration::from_secs(1);
/// Frames that are read in a turn.
const MOST_FRAMES: usize = 64;
/// Holds an Ethernet frame with an ARP packet, and the padding of the least frame, and one with a neighbour advertisement
/// and several options.
const FRAME_BYTES: usize = 256;
