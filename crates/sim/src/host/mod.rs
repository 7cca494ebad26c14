//! One host: its ports, its kernel, and its daemon while that runs.

mod daemon;
mod kernel;
mod readings;

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use model::vrrp::{Config, Instance};
use model::{Family, IfName, Instant, MacAddr, Prefix, Priority, Vrid};
use netlink::{Errno, Event};
use vrrp::{Action, Notice, Remembered, Router, ScriptOutcome, StateName};

use crate::LanId;
pub(crate) use daemon::Daemon;
use kernel::Kernel;
pub(crate) use readings::{Reading, Readings};

/// The place of a host in its [`Cluster`](crate::Cluster).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HostId(pub(crate) usize);

impl HostId {
    /// The one that is added as the `number`th, counted from 0.
    #[must_use]
    pub const fn nth(number: usize) -> Self {
        Self(number)
    }
}

/// A host with an interface on each of some LANs.
#[derive(Clone, Debug)]
pub(crate) struct Host {
    pub(crate) id: HostId,
    pub(crate) name: String,
    /// What the daemon reads when it starts.
    pub(crate) config: Arc<Config>,
    pub(crate) ports: BTreeMap<IfName, Port>,
    pub(crate) powered: bool,
    pub(crate) daemon: Option<Daemon>,
    pub(crate) scripts: BTreeMap<String, ScriptOutcome>,
    pub(crate) readings: Readings,
    /// What waits until the host is not busy any more.
    /// With what the wall clock was ahead when each came in.
    inbox: Vec<(i128, Input)>,
    /// It does nothing until then.
    pub(crate) busy_until: Instant,
    last_turn: Instant,
    /// How far the wall clock is ahead of the monotonic one, in nanoseconds, and was at the last turn.
    ahead: i128,
    last_ahead: i128,
    /// How long the kernel's answers take to be read.
    pub(crate) kernel_delay: Duration,
    /// How long the kernel takes for one request, in which the daemon waits.
    pub(crate) kernel_cost: Duration,
    /// Until then nothing that the kernel says is heard.
    deaf_until: Option<Instant>,
    /// The kernel tells who has set an address.
    tells_protocol: bool,
    kernel: Kernel,
    /// All that workers were given since one has released everything: the next one sweeps what they have left.
    given: Vec<Arc<Config>>,
    /// What the supervisor remembers of each instance.
    remembered: BTreeMap<String, Remembered>,
    /// Counts daemons: what was meant for an earlier one reaches nobody.
    pub(crate) generation: u32,
}

/// An interface, whether it is there or not.
#[derive(Clone, Debug)]
pub(crate) struct Port {
    pub(crate) lan: LanId,
    pub(crate) addresses: Vec<Prefix>,
    pub(crate) mac: MacAddr,
    /// It exists.
    pub(crate) there: bool,
    /// Its cable is in.
    pub(crate) running: bool,
}

impl Port {
    /// The address that the kernel makes of the MAC (RFC 4291 §2.5.6, appendix A).
    pub(crate) fn link_local(&self) -> Prefix {
        let MacAddr([a, b, c, d, e, f]) = self.mac;
        let halves = [[a ^ 2, b], [c, 0xff], [0xfe, d], [e, f]].map(u16::from_be_bytes);
        let [one, two, three, four] = halves;
        let address = IpAddr::from([0xfe80, 0, 0, 0, one, two, three, four]);
        Prefix::new(address, 64).unwrap_or_else(|_| Prefix::host(address))
    }

    /// The address that an instance of this family speaks from, if it names no other.
    pub(crate) fn source(&self, family: Family) -> Option<IpAddr> {
        match family {
            Family::V4 => self.addresses.iter().map(|one| one.address()).find(IpAddr::is_ipv4),
            Family::V6 => Some(self.link_local().address()),
        }
    }
}

/// Something that reaches the daemon.
#[derive(Clone, Debug)]
pub(crate) enum Input {
    /// A packet, when it came in, and on which port.
    Frame { at: Instant, port: IfName, frame: Frame },
    /// The kernel speaks.
    Kernel { generation: u32, events: Vec<Event> },
    /// SIGTERM.
    Stop { generation: u32 },
    /// SIGHUP, with this to read.
    Reload { generation: u32, config: Arc<Config> },
    /// What the kernel said was lost.
    Overrun { generation: u32 },
    /// Something that is tracked has changed.
    Tracked { generation: u32, reading: Reading },
    /// A script has ended.
    Script { generation: u32, name: Arc<str>, run: u64, outcome: ScriptOutcome },
}

/// What goes over a LAN.
#[derive(Clone, Debug)]
pub(crate) enum Frame {
    /// An advertisement: the bytes of [`vrrp::Outgoing::emit`].
    Advert { source: IpAddr, destination: IpAddr, vrid: Vrid, priority: Priority, bytes: Arc<[u8]> },
    /// Gratuitous ARP.
    Announce { address: IpAddr, mac: MacAddr },
    /// Who has it?
    Ask { address: IpAddr },
    /// I have it.
    Answer { address: IpAddr, mac: MacAddr },
}

/// What a turn of a host asks of its cluster.
#[derive(Clone, Debug)]
pub(crate) enum Effect {
    /// Put it on the LAN.
    Send { port: IfName, frame: Frame },
    /// Run a check script.
    Run { name: Arc<str>, run: u64 },
    /// The machine did this, and it was carried out.
    Did(Action),
    /// The machine said this.
    Said(Notice),
    /// The daemon has begun its work.
    Began,
    /// The daemon has ended, orderly.
    Stopped,
}

impl Host {
    pub(crate) fn new(id: HostId, name: String, config: Arc<Config>, ports: BTreeMap<IfName, Port>) -> Self {
        Self {
            id,
            name,
            config,
            ports,
            powered: false,
            daemon: None,
            scripts: BTreeMap::new(),
            readings: Readings::default(),
            inbox: Vec::new(),
            busy_until: Instant::ZERO,
            last_turn: Instant::ZERO,
            ahead: 0,
            last_ahead: 0,
            kernel_delay: Duration::ZERO,
            kernel_cost: Duration::ZERO,
            deaf_until: None,
            tells_protocol: true,
            kernel: Kernel::new(true),
            given: Vec::new(),
            remembered: BTreeMap::new(),
            generation: 0,
        }
    }

    /// Whether its kernel keeps who has set an address. From the next power-up on.
    pub(crate) const fn set_old_kernel(&mut self, old: bool) {
        self.tells_protocol = !old;
    }

    /// When it wants a turn although nothing reaches it.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        let own = self.daemon.as_ref().and_then(Daemon::deadline);
        let pending = (!self.inbox.is_empty()).then_some(Instant::ZERO);
        let due = own.into_iter().chain(pending).min()?;
        Some(due.max(self.busy_until))
    }

    /// Whether something waits for its next turn.
    pub(crate) const fn has_mail(&self) -> bool {
        !self.inbox.is_empty()
    }

    pub(crate) fn take(&mut self, input: Input) {
        if self.daemon.is_some() {
            self.inbox.push((self.ahead, input));
        }
    }

    /// One turn of the worker's loop: orders, netlink, packets, deadlines, effects.
    pub(crate) fn turn(&mut self, now: Instant, effects: &mut Vec<Effect>) {
        if now < self.busy_until {
            return;
        }
        let inbox = self.unstamped(now);
        let Some(daemon) = &mut self.daemon else { return };
        let busy = daemon.turn(now, inbox, self.generation, &mut self.kernel, self.kernel_cost, effects);
        self.busy_until = self.busy_until.max(now + busy);
        self.last_turn = now;
        self.last_ahead = self.ahead;
        self.remember(now, effects);
        if self.daemon.as_ref().is_some_and(Daemon::has_ended) {
            self.daemon = None;
            self.remembered.clear();
            self.given.clear();
            effects.push(Effect::Stopped);
        }
    }

    fn remember(&mut self, now: Instant, effects: &[Effect]) {
        for effect in effects {
            match effect {
                Effect::Did(Action::Publish { instance, state, priority }) => {
                    let (name, master) = (instance.to_string(), *state == StateName::Master);
                    let last = Remembered { instance: name.clone(), master, priority: *priority, at: now };
                    self.remembered.insert(name, last);
                }
                Effect::Did(Action::Withdraw { instance }) => drop(self.remembered.remove(&**instance)),
                Effect::Did(_)
                | Effect::Said(_)
                | Effect::Send { .. }
                | Effect::Run { .. }
                | Effect::Began
                | Effect::Stopped => {}
            }
        }
    }

    /// The power comes on: a kernel with the host's own addresses, no daemon yet.
    pub(crate) fn power_up(&mut self) {
        if self.powered {
            return;
        }
        self.powered = true;
        self.kernel = Kernel::new(self.tells_protocol);
        for (name, port) in self.ports.iter().filter(|(_, port)| port.there) {
            bring(&mut self.kernel, name, port);
        }
        self.kernel.take_said();
    }

    /// The power goes off: no last word, nothing held.
    pub(crate) fn power_off(&mut self) {
        self.powered = false;
        self.given.clear();
        self.daemon = None;
        self.inbox.clear();
        self.remembered.clear();
        self.deaf_until = None;
        self.generation += 1;
    }

    /// The daemon starts, and is told what the supervisor remembers.
    pub(crate) fn start(&mut self, now: Instant) {
        if self.powered && self.daemon.is_none() {
            (self.last_turn, self.last_ahead) = (now, self.ahead);
            self.generation += 1;
            let remembered = self.remembered.values().cloned().collect();
            let mut daemon = Daemon::new(now, Arc::clone(&self.config), self.given.clone(), remembered);
            self.give();
            daemon.know(self.readings.clone());
            self.daemon = Some(daemon);
        }
    }

    fn give(&mut self) {
        if !self.given.iter().any(|given| Arc::ptr_eq(given, &self.config)) {
            self.given.push(Arc::clone(&self.config));
        }
    }

    /// The worker dies: no last word, and the kernel keeps what it holds.
    pub(crate) fn kill(&mut self, now: Instant) {
        for last in self.remembered.values_mut() {
            last.at = now;
        }
        self.generation += 1;
        self.daemon = None;
        self.inbox.clear();
    }

    /// The daemon dies whole: nobody remembers anything, and the kernel keeps what it holds.
    pub(crate) fn kill_whole(&mut self, now: Instant) {
        self.kill(now);
        self.given.clear();
        self.remembered.clear();
    }

    /// SIGTERM.
    pub(crate) fn stop(&mut self) {
        self.take(Input::Stop { generation: self.generation });
    }

    /// SIGHUP, with this to read.
    pub(crate) fn reload(&mut self, config: Arc<Config>) {
        self.config = Arc::clone(&config);
        self.give();
        self.take(Input::Reload { generation: self.generation, config });
    }

    /// Something that is tracked is so now, whether a daemon runs or not.
    pub(crate) fn follow(&mut self, reading: Reading) {
        self.readings.take(reading.clone());
        self.take(Input::Tracked { generation: self.generation, reading });
    }

    pub(crate) fn stall(&mut self, until: Instant) {
        self.busy_until = self.busy_until.max(until);
    }

    /// The wall clock is set. The kernel stamps packets with it; what waits in the queues seems older, or newer.
    pub(crate) fn step_clock(&mut self, forward: bool, by: Duration) {
        let by = i128::try_from(by.as_nanos()).unwrap_or(i128::MAX);
        self.ahead = if forward { self.ahead.saturating_add(by) } else { self.ahead.saturating_sub(by) };
    }

    /// What waits, with the times that the daemon makes of the kernel's stamps.
    fn unstamped(&mut self, now: Instant) -> Vec<Input> {
        let inbox = std::mem::take(&mut self.inbox);
        let unstamp = |(ahead, mut input)| {
            if let Input::Frame { at, .. } = &mut input {
                *at = self.monotonic(i128::from(at.as_nanos()).saturating_add(ahead), now);
            }
            input
        };
        inbox.into_iter().map(unstamp).collect()
    }

    /// As `sys::clock::WallOffset`: between the turn before and this one, by the clock as it was or as it is.
    fn monotonic(&self, received: i128, now: Instant) -> Instant {
        let by = |ahead| u64::try_from(received.saturating_sub(ahead)).ok().map(Instant::from_nanos);
        let possible = |at: &Instant| (self.last_turn..=now).contains(at);
        let before_step = by(self.last_ahead).filter(possible);
        let after_step = by(self.ahead).filter(possible);
        let nearest = || if by(self.ahead) > Some(now) { now } else { self.last_turn };
        before_step.max(after_step).unwrap_or_else(nearest)
    }

    pub(crate) fn set_running(&mut self, name: &IfName, running: bool) {
        if let Some(port) = self.ports.get_mut(name) {
            port.running = running;
            self.kernel.set_running(name, running);
        }
    }

    pub(crate) fn set_there(&mut self, name: &IfName, there: bool) {
        let Some(port) = self.ports.get_mut(name).filter(|port| port.there != there) else { return };
        port.there = there;
        if !self.powered {
            return;
        }
        if there {
            bring(&mut self.kernel, name, port);
        } else {
            self.kernel.remove_link(name);
        }
    }

    /// How often the kernel has refused something.
    pub(crate) const fn refused(&self) -> u32 {
        self.kernel.refused()
    }

    /// Whether the kernel still refuses what it is asked.
    pub(crate) const fn refuses(&self) -> bool {
        self.kernel.refuses()
    }

    pub(crate) fn refuse(&mut self, errno: Errno, times: u32) {
        self.kernel.refuse(errno, times);
    }

    pub(crate) fn delete_foreign(&mut self, address: IpAddr) {
        self.kernel.delete_foreign(address);
    }

    pub(crate) fn add_foreign(&mut self, name: &IfName, prefix: Prefix) {
        if self.powered {
            self.kernel.add_foreign(name, prefix);
        }
    }

    pub(crate) fn is_foreign(&self, name: &IfName, prefix: Prefix) -> bool {
        self.kernel.is_foreign(name, prefix)
    }

    /// Nothing that the kernel says until then is heard.
    pub(crate) const fn deafen(&mut self, until: Instant) {
        self.deaf_until = Some(until);
    }

    /// What the kernel has said, unless nobody hears it.
    pub(crate) fn take_said(&mut self, now: Instant) -> Option<Input> {
        let generation = self.generation;
        let events = self.kernel.take_said();
        if self.daemon.is_none() || events.is_empty() {
            return None;
        }
        let is_dump = |event: &Event| matches!(event, Event::DumpDone { .. });
        // The end of a dump is never lost.
        if self.deaf_until.is_some_and(|until| now < until) && !events.iter().any(is_dump) {
            return Some(Input::Overrun { generation });
        }
        Some(Input::Kernel { generation, events })
    }

    /// Whether packets pass this port.
    pub(crate) fn carries(&self, name: &IfName) -> bool {
        self.powered && self.kernel.carries(name)
    }

    /// Whether its kernel answers for this address.
    pub(crate) fn answers_for(&self, address: IpAddr) -> bool {
        self.powered && self.kernel.has(address)
    }

    /// Whether its kernel has exactly this on this device.
    pub(crate) fn holds(&self, device: &IfName, prefix: Prefix) -> bool {
        self.powered && self.kernel.holds(device, prefix)
    }

    /// Its instance of this name.
    pub(crate) fn instance(&self, name: &str) -> Option<&Instance> {
        self.config.instances.iter().find(|one| one.name == name)
    }

    /// The number of a port, if it is there.
    pub(crate) fn index(&self, name: &IfName) -> Option<model::IfIndex> {
        self.kernel.index(name)
    }

    /// The router, while the daemon does its work.
    pub(crate) fn router(&self) -> Option<&Router> {
        self.daemon.as_ref().and_then(Daemon::router)
    }
}

fn bring(kernel: &mut Kernel, name: &IfName, port: &Port) {
    kernel.add_link(name.clone(), port.mac, false);
    kernel.set_running(name, port.running);
    for address in &port.addresses {
        kernel.add_own(name, *address);
    }
    kernel.add_own(name, port.link_local());
}
