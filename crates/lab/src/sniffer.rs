//! Everything that passes a LAN, with the kernel's time.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use model::{IfName, Instant, MacAddr};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use sys::capture::Capture;
use sys::clock::{WallOffset, WallTime};
use wire::{ah, arp, ethernet, icmp, ipv4, ipv6, ndisc, vrrp};

use crate::wait::now;
use crate::{Error, Host, kernel};

/// A frame that was heard.
#[derive(Clone, Debug)]
pub struct Heard {
    /// When the kernel saw it.
    pub at: Instant,
    /// The same on the wall clock.
    pub wall: WallTime,
    /// Who sent it.
    pub from: MacAddr,
    /// What it is.
    pub message: Message,
    /// All its bytes.
    pub frame: Box<[u8]>,
}

/// What a frame says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Message {
    /// A VRRP advertisement.
    Advert(Advert),
    /// An IP packet of VRRP's protocol that is none, and why.
    BadAdvert(vrrp::Malformed),
    /// ARP.
    Arp(arp::Packet),
    /// A neighbour solicitation or advertisement.
    Neighbour(ndisc::Packet),
    /// An ICMP echo request or reply.
    Echo {
        /// Which of the two.
        kind: icmp::Kind,
        /// The sender.
        source: Ipv4Addr,
        /// The receiver.
        destination: Ipv4Addr,
    },
}

/// The advertisement of a frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Advert {
    /// The IP header's source.
    pub source: IpAddr,
    /// The IP header's destination.
    pub destination: IpAddr,
    /// The IP header's time to live, or hop limit.
    pub ttl: u8,
    /// The protocol's version.
    pub version: model::vrrp::Version,
    /// The virtual router.
    pub vrid: model::Vrid,
    /// The sender's priority.
    pub priority: model::Priority,
    /// The sender's interval.
    pub interval: model::Centis,
    /// The virtual addresses.
    pub addresses: Vec<IpAddr>,
    /// Its checksum is that of keepalived before 1.3.7, which has VRRP's group in place of the peer.
    pub old_checksum: bool,
}

impl Heard {
    /// The advertisement, if it is one.
    #[must_use]
    pub fn advert(&self) -> Option<&Advert> {
        match &self.message {
            Message::Advert(advert) => Some(advert),
            _ => None,
        }
    }

    /// Whether it is an advertisement from `source`.
    #[must_use]
    pub fn is_advert_of(&self, source: impl Into<IpAddr>) -> bool {
        let source = source.into();
        self.advert().is_some_and(|advert| advert.source == source)
    }

    /// Whether it announces that `address` is at `mac`: an ARP packet whose sender and target are that address, or a
    /// neighbour advertisement to everybody.
    #[must_use]
    pub fn announces(&self, address: impl Into<IpAddr>, mac: MacAddr) -> bool {
        let address = address.into();
        match self.message {
            Message::Arp(packet) => {
                packet.sender == address && packet.target == address && packet.sender_mac == mac
            }
            Message::Neighbour(packet) => {
                packet.target == address && packet.mac == Some(mac) && packet.receiver == ndisc::ALL_NODES
            }
            Message::Advert(_) | Message::BadAdvert(_) | Message::Echo { .. } => false,
        }
    }

    fn parse(at: Instant, wall: WallTime, frame: &[u8]) -> Option<Self> {
        let (header, payload) = ethernet::parse(frame).ok()?;
        let message = match header.ethertype {
            ethernet::TYPE_ARP => Message::Arp(arp::parse(frame).ok()?),
            ethernet::TYPE_IPV4 => Message::parse_ipv4(payload)?,
            ethernet::TYPE_IPV6 => Message::parse_ipv6(frame, payload)?,
            _ => return None,
        };
        Some(Self { at, wall, from: header.source, message, frame: frame.into() })
    }
}

impl Message {
    fn parse_ipv4(packet: &[u8]) -> Option<Self> {
        let (ip, payload) = ipv4::parse(packet).ok()?;
        match ip.protocol {
            vrrp::PROTOCOL => Some(match vrrp::parse(payload, ip.source.into(), ip.destination.into()) {
                Err(vrrp::Malformed::Checksum) if !ip.destination.is_multicast() => {
                    Self::parse_old(&ip, payload)
                }
                Ok(advert) => {
                    Self::Advert(Advert::new((ip.source.into(), ip.destination.into()), ip.ttl, &advert))
                }
                Err(malformed) => Self::BadAdvert(malformed),
            }),
            ah::PROTOCOL => Some(match ah::parse(packet)? {
                Ok(advert) => {
                    Self::Advert(Advert::new((ip.source.into(), ip.destination.into()), ip.ttl, &advert))
                }
                Err(malformed) => Self::BadAdvert(malformed),
            }),
            icmp::PROTOCOL => {
                let echo = icmp::parse(payload).ok()?;
                Some(Self::Echo { kind: echo.kind, source: ip.source, destination: ip.destination })
            }
            _ => None,
        }
    }
}

impl Message {
    /// A message to a peer whose checksum is wrong, unless it is that of keepalived before 1.3.7.
    fn parse_old(ip: &ipv4::Header, payload: &[u8]) -> Self {
        let group = model::vrrp::Transport::GROUP_V4;
        match vrrp::parse(payload, ip.source.into(), group.into()) {
            Ok(advert) => {
                let advert = Advert::new((ip.source.into(), ip.destination.into()), ip.ttl, &advert);
                Self::Advert(Advert { old_checksum: true, ..advert })
            }
            Err(_) => Self::BadAdvert(vrrp::Malformed::Checksum),
        }
    }

    fn parse_ipv6(frame: &[u8], packet: &[u8]) -> Option<Self> {
        let (ip, payload) = ipv6::parse(packet).ok()?;
        let way = (ip.source.into(), ip.destination.into());
        match ip.next_header {
            vrrp::PROTOCOL => Some(match vrrp::parse(payload, way.0, way.1) {
                Ok(advert) => Self::Advert(Advert::new(way, ip.hop_limit, &advert)),
                Err(malformed) => Self::BadAdvert(malformed),
            }),
            ndisc::PROTOCOL => ndisc::parse(frame).ok().map(Self::Neighbour),
            _ => None,
        }
    }
}

impl Advert {
    fn new((source, destination): (IpAddr, IpAddr), ttl: u8, advert: &vrrp::Advert<'_>) -> Self {
        Self {
            source,
            destination,
            ttl,
            version: advert.version,
            vrid: advert.vrid,
            priority: advert.priority,
            interval: advert.interval,
            addresses: advert.addresses.iter().collect(),
            old_checksum: false,
        }
    }
}

/// Listens on a LAN, from its start until it is dropped, to VRRP, ARP, neighbour discovery and ICMP echo.
#[derive(Debug)]
pub struct Sniffer {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug, Default)]
struct Shared {
    heard: Mutex<Vec<Heard>>,
    more: Condvar,
    stop: AtomicBool,
}

impl Sniffer {
    pub(crate) fn start(host: &Host, interface: &IfName) -> Result<Self, Error> {
        let index = kernel::index(host, interface)?;
        let capture = host.namespaces().run(|| Capture::open(index))?.map_err(Error::Capture)?;
        let shared = Arc::new(Shared::default());
        let listener = Arc::clone(&shared);
        let thread = thread::spawn(move || listener.listen(&capture));
        Ok(Self { shared, thread: Some(thread) })
    }

    /// All that was heard at `from` or later and that `wanted` accepts, in order.
    #[must_use]
    pub fn since(&self, from: Instant, mut wanted: impl FnMut(&Heard) -> bool) -> Vec<Heard> {
        let heard = self.shared.heard();
        heard.iter().filter(|frame| frame.at >= from && wanted(frame)).cloned().collect()
    }

    /// The last frame before `until` that `wanted` accepts.
    #[must_use]
    pub fn last_before(&self, until: Instant, mut wanted: impl FnMut(&Heard) -> bool) -> Option<Heard> {
        let heard = self.shared.heard();
        heard.iter().rev().find(|frame| frame.at < until && wanted(frame)).cloned()
    }

    /// The first frame at `from` or later that `wanted` accepts; waits for it for `patience` at most.
    #[must_use]
    pub fn wait_for(
        &self,
        from: Instant,
        patience: Duration,
        mut wanted: impl FnMut(&Heard) -> bool,
    ) -> Option<Heard> {
        let deadline = now() + patience;
        let mut heard = self.shared.heard();
        let mut seen = 0;
        loop {
            if let Some(found) = heard.iter().skip(seen).find(|frame| frame.at >= from && wanted(frame)) {
                return Some(found.clone());
            }
            seen = heard.len();
            let left = deadline.since(now());
            if left.is_zero() {
                return None;
            }
            heard = self.shared.more.wait_timeout(heard, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Writes all that was heard into a file for Wireshark's tools (pcap, nanoseconds).
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn write_pcap(&self, path: &Path) -> io::Result<()> {
        let mut file = BufWriter::new(File::create(path)?);
        write_pcap_header(&mut file)?;
        for heard in self.shared.heard().iter() {
            write_pcap_record(&mut file, heard)?;
        }
        file.flush()
    }
}

impl Drop for Sniffer {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            thread.join().ok(); // its panic was printed
        }
    }
}

impl Shared {
    fn heard(&self) -> MutexGuard<'_, Vec<Heard>> {
        // A frame is pushed whole or not at all, so a panic elsewhere leaves no half of one.
        self.heard.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn listen(&self, capture: &Capture) {
        const PAUSE: Timespec = Timespec { tv_sec: 0, tv_nsec: 50_000_000 };
        let mut buffer = vec![0; 64 << 10];
        let mut clock = WallOffset::sample();
        while !self.stop.load(Ordering::Relaxed) {
            // An interruption is a turn without frames.
            poll(&mut [PollFd::new(capture, PollFlags::IN)], Some(&PAUSE)).ok();
            let mut batch = Vec::new();
            let mut begin = clock;
            begin.next_turn();
            // A frame came after the last turn began. One that arrives while this turn reads is stamped later than the
            // turn's beginning, hence a new sample for each; it must not be taken for the beginning of the next frame's
            // turn, for a late reader finds frames that have waited together.
            while let Ok(Some(frame)) = capture.receive(&mut buffer) {
                let mut turn = clock;
                turn.next_turn();
                batch.extend(Heard::parse(turn.monotonic(frame.at), frame.at, frame.bytes));
            }
            clock = begin;
            if !batch.is_empty() {
                self.heard().append(&mut batch);
                self.more.notify_all();
            }
        }
    }
}

/// The file header of pcap: magic number for nanoseconds, version 2.4, no zone, no limit, Ethernet.
fn write_pcap_header(out: &mut impl Write) -> io::Result<()> {
    for word in [0xa1b2_3c4d_u32, 0x0004_0002, 0, 0, 1 << 18, 1] {
        out.write_all(&word.to_le_bytes())?;
    }
    Ok(())
}

fn write_pcap_record(out: &mut impl Write, heard: &Heard) -> io::Result<()> {
    let wall = heard.wall.0;
    let seconds = u32::try_from(wall.as_secs()).unwrap_or(u32::MAX);
    let length = u32::try_from(heard.frame.len()).unwrap_or(u32::MAX);
    for word in [seconds, wall.subsec_nanos(), length, length] {
        out.write_all(&word.to_le_bytes())?;
    }
    out.write_all(&heard.frame)
}
