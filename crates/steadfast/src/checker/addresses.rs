//! Which addresses this host has, for `ha_suspend`.

use std::collections::BTreeSet;
use std::io;
use std::net::IpAddr;
use std::task::{Context, Poll};

use model::Instant;
use netlink::Keeper;
use sys::socket::netlink::{Group, Received, Socket};
use sys::socket::size_receive_buffer;
use tokio::io::unix::AsyncFd;

use super::watched::{Watched, watch};
use crate::log::Log;

/// A mirror of the kernel's addresses.
pub(super) struct Addresses {
    socket: AsyncFd<Watched<Socket>>,
    keeper: Keeper<()>,
    told: BTreeSet<IpAddr>,
    datagram: Vec<u8>,
    log: Log,
}

/// An address that has come or gone.
pub(super) type News = (IpAddr, bool);

impl Addresses {
    /// Asks for all links and addresses.
    pub(super) fn open(buffer: model::Buffer, log: Log) -> io::Result<Self> {
        let socket = Socket::open(&[Group::LINK, Group::IPV4_ADDRESS, Group::IPV6_ADDRESS])?;
        if let Some(bytes) = buffer.bytes
            && let Err(error) = size_receive_buffer(&socket, bytes.get(), buffer.force)
        {
            log.warning(format_args!("lvs_netlink_monitor_rcv_bufs {bytes}: {error}"));
        }
        let socket = watch(socket)?;
        let (keeper, told, datagram) = (Keeper::new(), BTreeSet::new(), Vec::new());
        let mut addresses = Self { socket, keeper, told, datagram, log };
        addresses.send(sys::clock::now());
        Ok(addresses)
    }

    /// Whether all addresses have been heard once.
    pub(super) const fn are_known(&self) -> bool {
        self.keeper.is_synchronised()
    }

    /// When [`Self::expire`] is to be called.
    pub(super) fn deadline(&self) -> Option<Instant> {
        self.keeper.deadline()
    }

    /// Asks anew if an earlier attempt failed.
    pub(super) fn expire(&mut self, now: Instant) {
        self.keeper.expire(now);
        self.send(now);
    }

    /// What has changed since the last time, once the kernel says something.
    pub(super) fn poll_news(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<Vec<News>>> {
        let mut heard_any = false;
        loop {
            let mut guard = match self.socket.poll_read_ready(cx) {
                Poll::Ready(guard) => guard?,
                Poll::Pending if heard_any => {
                    self.send(sys::clock::now());
                    return Poll::Ready(Ok(self.take_news()));
                }
                Poll::Pending => return Poll::Pending,
            };
            match guard.get_inner().0.recv(&mut self.datagram) {
                Ok(Received::Datagram) => {
                    heard_any = true;
                    let mut events = Vec::new();
                    netlink::decode(&self.datagram, &mut events);
                    self.keeper.hear(sys::clock::now(), events, &mut Vec::new());
                }
                Ok(Received::Overrun) => {
                    self.log.warning("netlink: the kernel dropped messages; reading all addresses anew");
                    self.keeper.resynchronise();
                    heard_any = true;
                }
                Ok(Received::Empty) => guard.clear_ready(),
                Err(error) => return Poll::Ready(Err(error)),
            }
        }
    }

    fn take_news(&mut self) -> Vec<News> {
        // In between a new listing the mirror is not whole.
        if !self.keeper.is_synchronised() {
            return Vec::new();
        }
        let held: BTreeSet<_> =
            self.keeper.mirror().addresses().map(|address| address.prefix.address()).collect();
        let came = held.difference(&self.told).map(|address| (*address, true));
        let gone = self.told.difference(&held).map(|address| (*address, false));
        let news = came.chain(gone).collect();
        self.told = held;
        news
    }

    fn send(&mut self, now: Instant) {
        if self.keeper.batch().is_empty() {
            return;
        }
        match self.socket.get_ref().0.send(self.keeper.batch()) {
            Ok(()) => self.keeper.sent(),
            Err(error) => {
                self.keeper.not_sent(now);
                self.log.error(format_args!("netlink: the kernel does not take requests: {error}"));
            }
        }
    }
}
