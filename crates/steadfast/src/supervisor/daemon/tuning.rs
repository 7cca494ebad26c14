//! Names, priorities and limits of the worker. The supervisor sets them from outside: the worker has given up the rights
//! that this takes.

use std::collections::BTreeMap;
use std::io;
use std::time::Duration;

use model::vrrp::{Auth, Instance, Version};
use model::{Buffer, Config, Family, IfName, Instant, ReceiveBuffers, Worker, Workers};
use sys::process::Pid;
use sys::sched::{self, RealTime};

use super::Daemon;
use crate::message::Settings;
use crate::program::{self, Program};

impl Daemon<'_> {
    /// What the worker is told of the daemon's own settings.
    pub(super) fn settings(&self) -> Settings {
        let (global, process) = (&self.config.global, &self.config.process);
        let (receive_bytes, receive_mtus) = receive_queues(&self.config);
        let auto = global.workers.auto_priority;
        let namespace = self.start.namespace(process);
        Settings {
            name: worker_name(&self.config, self.start.program),
            ident: self.start.program.ident(Some(program::VRRP), namespace, process.instance.as_deref()),
            quiet_until: self.vrrp.is_unproven().then(|| self.quiet_until()).flatten(),
            log_unknown_vrids: global.routers.log_unknown_vrids,
            receive_bytes,
            receive_mtus,
            netlink: wider(global.routers.netlink.commands, global.routers.netlink.monitor),
            locks_memory: global.workers.vrrp.no_swap,
            late_after: auto.most.map(|_| Duration::from_micros(u64::from(auto.after_micros.get()))),
        }
    }

    /// The later end of the two delays, unless both are over.
    fn quiet_until(&self) -> Option<Instant> {
        let delay = self.config.global.routers.start_delay;
        let after_start = delay.after_start.map(|span| self.started_at + span);
        // What this clock reads is the time since the host began.
        let after_boot = delay.after_boot.map(|span| Instant::ZERO + span);
        after_start.into_iter().chain(after_boot).max().filter(|until| *until > sys::clock::now())
    }

    /// Gives the vrrp worker its place among the processes of the host.
    pub(super) fn tune(&mut self, pid: Pid) {
        self.raised_to = None;
        self.place(pid, VRRP, &self.config.global.workers.vrrp);
    }

    /// The same of the check worker.
    pub(super) fn tune_checker(&self, pid: Pid) {
        self.place(pid, CHECKER, &self.config.global.workers.checker);
    }

    fn place(&self, pid: Pid, (name, prefix): (&str, &str), worker: &Worker) {
        let Worker { nice, real_time, real_time_limit, cpus, .. } = worker;
        let tell = |what: &str, keyword: &str, outcome: io::Result<()>| {
            if let Err(error) = outcome {
                self.log.warning(format_args!("the {name} cannot {what} ({prefix}_{keyword}): {error}"));
            }
        };
        if nice.get() != 0 {
            tell("have its priority", "priority", sched::nice_of(pid, nice.get()));
        }
        if !cpus.is_empty() {
            tell("be bound to its processors", "cpu_affinity", sched::bind_to_cpus(pid, cpus));
        }
        if let Some(priority) = real_time.and_then(|priority| RealTime::new(priority.get())) {
            tell("be limited", "rlimit_rttime", limit(pid, *real_time_limit));
            tell("have its priority", "rt_priority", sched::real_time_of(pid, priority));
        }
    }

    /// A reload has changed what [`Self::tune`] sets. What is no longer set stays until the next start.
    pub(super) fn tune_anew(&mut self, before: &Workers) {
        let now = self.config.global.workers.clone();
        if now.vrrp != before.vrrp {
            self.tell_of_lost(&before.vrrp, &now.vrrp, VRRP);
            if let Some(pid) = self.vrrp.pid() {
                self.tune(pid);
            }
        }
        if now.checker != before.checker {
            self.tell_of_lost(&before.checker, &now.checker, CHECKER);
            if let Some(pid) = self.checker.pid() {
                self.tune_checker(pid);
            }
        }
    }

    fn tell_of_lost(&self, before: &Worker, now: &Worker, (_, prefix): (&str, &str)) {
        let is_lost = (before.real_time.is_some() && now.real_time.is_none())
            || (before.nice.get() != 0 && now.nice.get() == 0)
            || (!before.cpus.is_empty() && now.cpus.is_empty())
            || (before.no_swap && !now.no_swap);
        if is_lost {
            self.log.warning(format_args!(
                "what {prefix}_priority, {prefix}_rt_priority, {prefix}_cpu_affinity or {prefix}_no_swap has set stays \
                 until a restart"
            ));
        }
    }

    /// The worker has run late: it gets a real-time priority, or the next greater one (`max_auto_priority`).
    pub(super) fn on_late(&mut self, micros: u64) {
        let workers = &self.config.global.workers;
        let Some(most) = workers.auto_priority.most else { return };
        let Some(pid) = self.vrrp.pid() else { return };
        let present =
            self.raised_to.or_else(|| workers.vrrp.real_time.map(|priority| priority.get())).unwrap_or(0);
        let Some(next) = present.checked_add(1).filter(|next| *next <= most.get()) else { return };
        let Some(priority) = RealTime::new(next) else { return };
        self.log.warning(format_args!(
            "the vrrp worker ran {}.{:06} s late: its real-time priority becomes {next}",
            micros / 1_000_000,
            micros % 1_000_000
        ));
        let raised =
            limit(pid, workers.vrrp.real_time_limit).and_then(|()| sched::real_time_of(pid, priority));
        // Otherwise the same would be tried again with each turn that is late.
        self.raised_to = Some(if raised.is_ok() { next } else { most.get() });
        self.tell_of("have a real-time priority (max_auto_priority)", raised);
    }

    fn tell_of(&self, what: &str, outcome: io::Result<()>) {
        if let Err(error) = outcome {
            self.log.warning(format_args!("the vrrp worker cannot {what}: {error}"));
        }
    }
}

/// A worker that goes on long after it was told is of no more use; the time of one large reload is no reason to kill it.
fn limit(pid: Pid, told: Duration) -> io::Result<()> {
    sched::limit_real_time(pid, told, (told * 100).max(LEAST_TIME_TO_DEATH))
}

const LEAST_TIME_TO_DEATH: Duration = Duration::from_secs(1);

/// What the supervisor is called.
pub(in super::super) fn supervisor_name(config: &Config, program: &Program) -> String {
    config.global.workers.supervisor_name.clone().unwrap_or_else(|| program.name().to_owned())
}

fn worker_name(config: &Config, program: &Program) -> String {
    config.global.workers.vrrp.name.clone().unwrap_or_else(|| supervisor_name(config, program))
}

pub(super) fn checker_name(config: &Config, program: &Program) -> String {
    config.global.workers.checker.name.clone().unwrap_or_else(|| supervisor_name(config, program))
}

/// What the log calls a worker, and its keywords.
const VRRP: (&str, &str) = ("vrrp worker", "vrrp");
const CHECKER: (&str, &str) = ("check worker", "checker");

/// One socket both asks and listens.
fn wider(commands: Buffer, monitor: Buffer) -> Buffer {
    Buffer { bytes: commands.bytes.max(monitor.bytes), force: commands.force || monitor.force }
}

/// The receive queues of interfaces, in bytes, and of all others in MTUs.
fn receive_queues(config: &Config) -> (BTreeMap<IfName, u32>, Option<u32>) {
    let mut bytes: BTreeMap<IfName, u32> = BTreeMap::new();
    let policy = config.global.routers.receive;
    for instance in &config.vrrp.instances {
        let general = match policy {
            ReceiveBuffers::System | ReceiveBuffers::Mtu(_) => 0,
            ReceiveBuffers::Bytes(bytes) => bytes,
            ReceiveBuffers::Advert(times) => advert_bytes(instance).saturating_mul(times.get()),
        };
        let wanted = instance.receive_buffer.map_or(general, |own| own.get());
        if let (Some(interface), 1..) = (&instance.interface, wanted) {
            let size = bytes.entry(interface.clone()).or_default();
            *size = (*size).max(wanted);
        }
    }
    let mtus = match policy {
        ReceiveBuffers::Mtu(times) => Some(times.get()),
        ReceiveBuffers::System | ReceiveBuffers::Bytes(_) | ReceiveBuffers::Advert(_) => None,
    };
    (bytes, mtus)
}

/// The length of an advertisement with its IP header.
pub(in super::super) fn advert_bytes(instance: &Instance) -> u32 {
    let count = instance.addresses.iter().filter(|address| address.advertised).count();
    let count = u32::try_from(count).unwrap_or(u32::MAX);
    let (headers, width) = match (instance.family, instance.auth) {
        (Family::V4, Auth::Ah(_)) => (20 + 24 + 8 + 8, 4),
        (Family::V4, _) if instance.version == Version::V2 => (20 + 8 + 8, 4),
        (Family::V4, _) => (20 + 8, 4),
        (Family::V6, _) => (40 + 8, 16),
    };
    count.saturating_mul(width).saturating_add(headers)
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU32;

    use model::vrrp::VirtualAddress;
    use model::{Prefix, Vrid};

    use super::*;

    fn instance(number: u8, receive_buffer: u32) -> Instance {
        let eth: IfName = format!("eth{number}").parse().unwrap();
        let addresses = vec![VirtualAddress::new(Prefix::host([10, 0, 0, 1].into()), eth.clone()); 3];
        let receive_buffer = NonZeroU32::new(receive_buffer);
        Instance { addresses, receive_buffer, ..Instance::new("V", eth, Vrid::try_from(number).unwrap()) }
    }

    #[test]
    fn queues_are_as_large_as_the_most_demanding_instance_of_a_link_asks() {
        let mut config = Config::default();
        config.vrrp.instances = vec![instance(1, 0), instance(2, 9000), instance(2, 100)];
        let of = |config: &Config| {
            let (bytes, mtus) = receive_queues(config);
            let bytes: Vec<_> =
                bytes.iter().map(|(name, bytes)| (name.as_str().to_owned(), *bytes)).collect();
            (bytes, mtus)
        };
        let two = ("eth2".to_owned(), 9000);
        assert_eq!(of(&config), (vec![two.clone()], None));
        let times = NonZeroU32::new(5).unwrap();
        config.global.routers.receive = ReceiveBuffers::Mtu(times);
        assert_eq!(of(&config), (vec![two.clone()], Some(5)));
        // Version 2: 20 and 8 of headers, three addresses, 8 of authentication.
        config.global.routers.receive = ReceiveBuffers::Advert(times);
        assert_eq!(of(&config), (vec![("eth1".to_owned(), 5 * 48), two], None));
        config.global.routers.receive = ReceiveBuffers::Bytes(77);
        assert_eq!(of(&config).0[0], ("eth1".to_owned(), 77));
    }
}
