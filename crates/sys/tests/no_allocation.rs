//! A steady stream of packets allocates nothing.
#![allow(unsafe_code, reason = "an allocator is an unsafe trait")]

mod support;

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::net::Ipv4Addr;
use std::time::Duration;

use steadfast_sys::clock::{WallOffset, now};
use steadfast_sys::ipc::Channel;
use steadfast_sys::reactor::{Interest, Reactor, Token};
use steadfast_sys::socket::packet;
use steadfast_sys::socket::vrrp::{Batch, Socket};

/// The system's allocator, counting per thread.
struct Counting;

thread_local! {
    static ALLOCATIONS: Cell<u64> = const { Cell::new(0) };
}

// SAFETY: every call goes to the system's allocator unchanged.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.set(ALLOCATIONS.get() + 1);
        // SAFETY: the caller's obligations are the same.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the caller's obligations are the same.
        unsafe { System.dealloc(pointer, layout) };
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

const GROUP: Ipv4Addr = Ipv4Addr::new(224, 0, 0, 18);

struct Loop {
    sender: Socket,
    receiver: Socket,
    frames: packet::Sender,
    link: model::IfIndex,
    channel: (Channel, Channel),
    reactor: Reactor,
    batch: Batch,
    clock: WallOffset,
    ready: Vec<steadfast_sys::reactor::Ready>,
    message: Vec<u8>,
}

impl Loop {
    fn new() -> Self {
        let (link, right) = support::veth("left", "right");
        let (sender, receiver) = (Socket::open(link).unwrap(), Socket::open(right).unwrap());
        receiver.join(GROUP).unwrap();
        let mut reactor = Reactor::new().unwrap();
        reactor.add(&receiver, Token(0), Interest::Read).unwrap();
        Self {
            sender,
            receiver,
            frames: packet::Sender::open().unwrap(),
            link,
            channel: Channel::pair().unwrap(),
            reactor,
            batch: Batch::new(),
            clock: WallOffset::sample(),
            ready: Vec::new(),
            message: Vec::new(),
        }
    }

    /// A packet, a frame and a message out, a packet and a message in.
    fn turn(&mut self) -> usize {
        let mut packet = [0; 40];
        packet[..10].copy_from_slice(&[0x45, 0xc0, 0, 40, 0, 0, 0, 0, 255, 112]);
        packet[12..16].copy_from_slice(&[192, 0, 2, 1]);
        packet[16..20].copy_from_slice(&GROUP.octets());
        self.sender.send(&packet, GROUP).unwrap();
        self.frames.send(self.link, &[0xff; 60]).unwrap();
        assert_eq!(self.channel.0.send(&packet, None).unwrap(), steadfast_sys::ipc::Sent::Done);
        self.reactor.wait(Some(now() + Duration::from_secs(20)), &mut self.ready).unwrap();
        self.clock.next_turn();
        assert!(matches!(
            self.channel.1.recv(&mut self.message).unwrap(),
            steadfast_sys::ipc::Received::Message(None)
        ));
        self.receiver.recv(&mut self.batch, &mut self.clock).unwrap().filter(|d| d.bytes.len() == 40).count()
    }
}

#[test]
fn a_steady_stream_allocates_nothing() {
    support::netns_or_skip(|| {
        let mut steady = Loop::new();
        assert_eq!(steady.turn(), 1, "the first turn may allocate");
        let before = ALLOCATIONS.get();
        let heard: usize = (0..1000).map(|_| steady.turn()).sum();
        assert_eq!(ALLOCATIONS.get() - before, 0);
        assert_eq!(heard, 1000);
    });
}
