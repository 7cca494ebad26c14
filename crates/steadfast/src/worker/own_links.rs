//! The interfaces that instances make for themselves. What there should be is decided here, in the worker's loop; it is
//! made and deleted by a thread, because the kernel lets whoever deletes a link wait.

mod builder;
mod plan;

use std::collections::BTreeSet;
use std::io::{self, PipeReader, Read};
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::mpsc::{self, Receiver, Sender};

use model::vrrp::Config;
use model::{IfIndex, IfName, Instant};
use netlink::own_links::{Operation, Report};
use netlink::{Mirror, OwnLink, OwnLinks as Wanted, Sharing, Standing};

use crate::log::Log;
use builder::{Builder, Done};

pub(super) struct OwnLinks {
    wanted: Wanted,
    jobs: Sender<(Operation, String)>,
    done: Receiver<Done>,
    /// Has a byte for each result that waits.
    bell: PipeReader,
    log: Log,
}

impl OwnLinks {
    /// Starts the thread, in the network namespace of the caller.
    pub(super) fn open(log: Log) -> io::Result<Self> {
        let (jobs, orders) = mpsc::channel();
        let (results, done) = mpsc::channel();
        let (bell, ring) = io::pipe()?;
        Builder::start(orders, results, ring, log.clone())?;
        Ok(Self { wanted: Wanted::new(MARK), jobs, done, bell, log })
    }

    /// These interfaces shall be there, and no others of ours; `owner` tells several daemons on one host apart.
    pub(super) fn set(&mut self, config: &Config, owner: &str) {
        self.wanted.set_mark(&if owner.is_empty() { MARK.to_owned() } else { format!("{MARK} {owner}") });
        self.wanted.set(plan::own_links(config));
    }

    /// These shall be there too; what was there before stays for now.
    pub(super) fn add(&mut self, config: &Config) {
        self.wanted.add(plan::own_links(config));
    }

    /// None shall be there any more.
    pub(super) fn release(&mut self) {
        self.wanted.set([]);
    }

    /// What an earlier run left and nobody wants goes.
    pub(super) fn sweep(&mut self, mirror: &Mirror) {
        self.wanted.sweep(mirror);
    }

    /// A link has changed.
    pub(super) fn review(&mut self, name: &IfName) {
        self.wanted.review(name);
    }

    /// Begins what is due. `may_remove` says that no address of ours is left to be taken from a link first.
    pub(super) fn step(&mut self, now: Instant, mirror: &Mirror, may_remove: bool) {
        while let Some(operation) = self.wanted.next(now, mirror, may_remove) {
            // The thread lives as long as this does.
            if self.jobs.send((operation, self.wanted.mark().to_owned())).is_err() {
                self.log.error("the thread that makes interfaces has died");
                break;
            }
        }
        self.report();
    }

    /// Whether results wait: before they are taken, all that the kernel has said must have been heard.
    pub(super) fn take_bell(&mut self) -> io::Result<()> {
        // Readable, so this does not wait.
        self.bell.read(&mut [0; 64]).map(drop)
    }

    /// Takes the results that there are.
    pub(super) fn take_results(&mut self, now: Instant, mirror: &Mirror) {
        while let Ok(Done { operation, result }) = self.done.try_recv() {
            self.wanted.done(now, &operation, result, mirror);
        }
        self.report();
    }

    /// The link as the machine may know it: one of ours that is not ready yet is not there.
    pub(super) fn visible(&self, name: &IfName, link: Option<Standing>) -> Option<Standing> {
        match self.wanted.ready(name) {
            None => link,
            Some(ready) => link.filter(|link| Some(link.index) == ready),
        }
    }

    /// Whether it is one of ours that others have deleted or set down, and that will be as it should be in a moment.
    pub(super) fn heals(&self, name: &IfName, mirror: &Mirror) -> bool {
        self.wanted.heals(name, mirror)
    }

    /// The VMACs that are there, up or not, each with the interface below it.
    pub(super) fn vmacs(&self, mirror: &Mirror) -> Vec<(IfIndex, IfIndex)> {
        let pair = |wanted: &OwnLink| {
            let link = mirror.link_named(&wanted.name)?;
            let base = mirror.link_named(&wanted.base)?.index;
            let is_it = link.lower == Some(base) && matches!(link.sharing, Some(Sharing::Macvlan(_)));
            is_it.then_some((link.index, base))
        };
        self.wanted.links().filter_map(|(wanted, _)| pair(wanted)).collect()
    }

    /// The interface below this one, if it is a VMAC of ours.
    pub(super) fn base_of_vmac<'a>(&self, name: &IfName, mirror: &'a Mirror) -> Option<&'a IfName> {
        self.wanted.ready(name)?;
        let link =
            mirror.link_named(name).filter(|link| matches!(link.sharing, Some(Sharing::Macvlan(_))))?;
        Some(&mirror.link(link.lower?)?.name)
    }

    /// Whose readiness has changed.
    pub(super) fn take_changes(&mut self) -> BTreeSet<IfName> {
        self.wanted.take_changes()
    }

    /// Whether something is to be removed as soon as no address of ours is on it.
    pub(super) const fn awaits_release(&self) -> bool {
        self.wanted.awaits_release()
    }

    /// Whether all that can be made has been made.
    pub(super) fn is_settled(&self) -> bool {
        self.wanted.is_settled()
    }

    /// Whether nothing is left that should not be there.
    pub(super) fn is_released(&self) -> bool {
        self.wanted.is_released()
    }

    /// When [`Self::step`] has something to do.
    pub(super) fn deadline(&self) -> Option<Instant> {
        self.wanted.deadline()
    }

    fn report(&mut self) {
        for report in self.wanted.take_reports() {
            tell(&self.log, &report);
        }
    }
}

impl AsFd for OwnLinks {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.bell.as_fd()
    }
}

fn tell(log: &Log, report: &Report) {
    match report {
        Report::Ready { name, base, adopted: false } => {
            log.info(format_args!("made interface {name} on {base}"));
        }
        Report::Ready { name, base, adopted: true } => {
            log.notice(format_args!("interface {name} on {base} was there already, left by an earlier run: taken over"));
        }
        Report::MadeAgain { name } => log.warning(format_args!(
            "somebody else deleted interface {name}; made again (is a network manager configured to remove it?)"
        )),
        Report::SetUpAgain { name } => {
            log.warning(format_args!("somebody else set interface {name} down; set up again"));
        }
        Report::HeldBack { name, .. } => log.warning(format_args!(
            "somebody else keeps deleting interface {name} or setting it down; making that good less often"
        )),
        Report::Removed { name } => log.info(format_args!("removed interface {name}")),
        Report::AwaitsBase { name, base } => log.warning(format_args!(
            "cannot make interface {name} yet: there is no interface {base}; it is made when there is"
        )),
        Report::Foreign { name, kind } => log.error(format_args!(
            "cannot make interface {name}: there is an interface of that name which is not ours ({}); remove or rename \
             it, or give ours another name with `use_vmac NAME`",
            kind.as_deref().unwrap_or("a device")
        )),
        Report::Failed { name, removing, refusal } => log.error(format_args!(
            "cannot {} interface {name}, trying again: {refusal}",
            if *removing { "remove" } else { "make" }
        )),
    }
}

/// What is written on our interfaces (`ip link` shows it as alias).
const MARK: &str = "steadfast";
