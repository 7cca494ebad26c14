//! The kernel's table: a socket of generic netlink, and what is told of it. Nothing here waits.

use std::collections::BTreeMap;
use std::io;
use std::task::{Context, Poll};

use model::ipvs::{Change, ServiceKey, SyncRole, SyncSide};
use model::{Flush, Instant, SyncDaemon};
use netlink::ipvs::{Reconciler, Report};
use sys::socket::netlink::{Received, Socket};
use sys::socket::size_receive_buffer;
use tokio::io::unix::AsyncFd;

use super::watched::{Watched, watch};
use crate::log::Log;
use crate::message::check::Assignment;

/// The table of IPVS, if this kernel has one.
pub(super) struct Kernel {
    socket: AsyncFd<Watched<Socket>>,
    reconciler: Reconciler,
    flush_at_stop: Option<Flush>,
    sync: Option<SyncDaemon>,
    /// The virtual router that connection synchronisation follows is master.
    is_master: bool,
    batch: Vec<u8>,
    datagram: Vec<u8>,
    log: Log,
}

impl Kernel {
    pub(super) fn open(log: Log) -> io::Result<Self> {
        Ok(Self {
            socket: watch(Socket::open_generic()?)?,
            reconciler: Reconciler::new(),
            flush_at_stop: None,
            sync: None,
            is_master: false,
            batch: Vec::new(),
            datagram: Vec::new(),
            log,
        })
    }

    /// Takes over what does not concern single services. What an earlier worker put into the table is ours.
    pub(super) fn configure(&mut self, assignment: &Assignment, has_begun: bool) {
        let Assignment { ipvs, checkers, .. } = assignment;
        if let Some(bytes) = checkers.netlink.commands.bytes
            && let Err(error) =
                size_receive_buffer(&self.socket.get_ref().0, bytes.get(), checkers.netlink.commands.force)
        {
            self.log.warning(format_args!("lvs_netlink_cmd_rcv_bufs {bytes}: {error}"));
        }
        if has_begun {
            // Others may have changed the table: who reloads wants it to be as the file says.
            self.reconciler.refresh();
        } else {
            if ipvs.flush_at_start && assignment.is_first {
                self.reconciler.flush();
            }
            self.reconciler.sweep(assignment.owned.iter().copied());
        }
        self.flush_at_stop = ipvs.flush_at_stop;
        self.reconciler.set_timeouts(ipvs.timeouts.into());
        self.sync.clone_from(&ipvs.sync);
        self.follow_router(assignment.is_master);
    }

    /// The virtual router that connection synchronisation follows is master, or not.
    pub(super) fn follow_router(&mut self, is_master: bool) {
        self.is_master = is_master;
        self.reconciler.set_sides(self.sync.as_ref().map(|sync| sides(sync, is_master)));
    }

    /// One step towards another table.
    pub(super) fn apply(&mut self, change: Change) {
        self.reconciler.change(change);
    }

    /// Nothing is wanted any more.
    pub(super) fn release(&mut self) {
        self.reconciler.release(self.flush_at_stop);
    }

    /// The services that have been taken out of the table since the last call.
    pub(super) fn take_gone(&mut self) -> Vec<ServiceKey> {
        self.reconciler.take_gone()
    }

    /// How many services of ours are, or may be, in the table.
    pub(super) fn count(&self) -> usize {
        if self.reconciler.is_missing() { 0 } else { self.reconciler.ours().count() }
    }

    /// Whether the table is as it should be, or there is none.
    pub(super) fn is_idle(&self) -> bool {
        self.reconciler.is_settled() || self.reconciler.is_missing()
    }

    /// When [`Self::poll`] has something to do although the kernel says nothing.
    pub(super) fn deadline(&self) -> Option<Instant> {
        self.reconciler.deadline()
    }

    /// Does a slice of what is due. Ready if it has been done, pending once nothing is due.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut worked = false;
        for _ in 0..SLICE {
            let heard = self.hear(cx)?;
            let now = sys::clock::now();
            let sent = self.reconciler.next(now, &mut self.batch);
            if sent && let Err(error) = self.socket.get_ref().0.send(&self.batch) {
                self.log.error(format_args!("IPVS: the kernel takes no requests, trying again: {error}"));
                self.reconciler.lose(now);
            }
            self.batch.clear();
            worked |= heard || sent;
            if !heard && !sent {
                break;
            }
        }
        for report in self.reconciler.take_reports() {
            self.tell(&report);
        }
        if worked { Poll::Ready(Ok(())) } else { Poll::Pending }
    }

    /// Reads what is there, and asks the kernel only if there may be something: this is done after each check too.
    fn hear(&mut self, cx: &mut Context<'_>) -> io::Result<bool> {
        let mut heard = false;
        while let Poll::Ready(guard) = self.socket.poll_read_ready(cx) {
            let mut guard = guard?;
            match guard.get_inner().0.recv(&mut self.datagram)? {
                Received::Datagram => self.reconciler.hear(sys::clock::now(), &self.datagram),
                Received::Overrun => self.reconciler.lose(sys::clock::now()),
                Received::Empty => {
                    guard.clear_ready();
                    continue;
                }
            }
            heard = true;
        }
        Ok(heard)
    }

    fn tell(&self, report: &Report) {
        match report {
            Report::Ready(kernel) => self.log.detail(format_args!("the kernel has IPVS {kernel}")),
            Report::Missing => self.log.error(
                "this kernel has no IPVS, so nothing is balanced: `modprobe ip_vs`, or a kernel with CONFIG_IP_VS; \
                 checks, notify scripts and mails go on, and the table is filled as soon as there is one",
            ),
            Report::Unusable(refusal) => {
                self.log.error(format_args!("cannot read the table of IPVS, trying again: {refusal}"));
            }
            Report::Refused { operation, meaning: Some(meaning), refusal } => {
                self.log.error(format_args!("IPVS: cannot {operation}, trying again: {meaning} ({refusal})"));
            }
            Report::Refused { operation, meaning: None, refusal } => {
                self.log.error(format_args!("IPVS: cannot {operation}, trying again: {refusal}"));
            }
            Report::Meddled(service) => self.log.warning(format_args!(
                "IPVS: something else has changed the service {service}: what differs is made good"
            )),
            Report::Damaged(damages) => {
                for damage in damages.iter().take(MOST_TOLD) {
                    self.log.warning(format_args!("IPVS: {damage}"));
                }
                if let more @ 1.. = damages.len().saturating_sub(MOST_TOLD) {
                    self.log.warning(format_args!("IPVS: so it was with {more} more services"));
                }
            }
            Report::Accepted(subject) => {
                self.log.notice(format_args!("IPVS: {subject}: what was refused before is done"));
            }
        }
    }
}

/// What runs of connection synchronisation: both sides if no virtual router says which.
fn sides(sync: &SyncDaemon, is_master: bool) -> BTreeMap<SyncRole, SyncSide> {
    let side = SyncSide {
        interface: sync.interface.clone(),
        id: sync.id,
        longest: sync.longest,
        transport: sync.transport,
    };
    let roles: &[_] = match (&sync.instance, is_master) {
        (None, _) => &[SyncRole::Master, SyncRole::Backup],
        (Some(_), true) => &[SyncRole::Master],
        (Some(_), false) => &[SyncRole::Backup],
    };
    roles.iter().map(|role| (*role, side.clone())).collect()
}

/// More services that something else has changed at once than these are counted.
const MOST_TOLD: usize = 50;

/// So many requests and answers before something else has its turn.
const SLICE: usize = 16;
