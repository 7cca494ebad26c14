//! What cannot be expected, and until when.

use std::collections::BTreeMap;
use std::time::Duration;

use model::Instant;
use model::vrrp::{Config, Script};

use crate::{Act, Cluster, HostId, LanId};

/// Until when hosts and LANs are excused.
#[derive(Clone, Debug, Default)]
pub(super) struct Excuses {
    hosts: BTreeMap<HostId, Instant>,
    /// When something last happened to a host's ports or power.
    paths: BTreeMap<HostId, Instant>,
    lans: BTreeMap<LanId, Instant>,
    /// Whose addresses may be other than they should.
    kernels: BTreeMap<HostId, Instant>,
    /// How often each kernel has refused something.
    refused: BTreeMap<HostId, u32>,
    /// Daemons that died whole, and left their addresses.
    remains: BTreeMap<HostId, bool>,
}

impl Excuses {
    /// When the host has recovered from all that happened to it.
    pub(super) fn host(&self, host: HostId) -> Instant {
        self.hosts.get(&host).copied().unwrap_or(Instant::ZERO)
    }

    /// Since when its packets pass as they do.
    pub(super) fn path(&self, host: HostId) -> Instant {
        self.paths.get(&host).copied().unwrap_or(Instant::ZERO)
    }

    /// Since when a LAN is as it is.
    pub(super) fn lan(&self, lan: LanId) -> Instant {
        self.lans.get(&lan).copied().unwrap_or(Instant::ZERO)
    }

    /// When the host's addresses are as they should be again.
    pub(super) fn kernel(&self, host: HostId) -> Instant {
        self.kernels.get(&host).copied().unwrap_or(Instant::ZERO).max(self.host(host))
    }

    pub(super) fn has_remains(&self, host: HostId) -> bool {
        self.remains.get(&host).copied().unwrap_or(false)
    }

    pub(super) fn take(&mut self, cluster: &Cluster, act: &Act) {
        let busy = act.host().and_then(|host| cluster.hosts.get(host.0)).map(|host| host.busy_until);
        // What happens to a host that is asleep is noticed when it wakes.
        let now = cluster.now.max(busy.unwrap_or(Instant::ZERO));
        if act.host().is_some() {
            // Who hears whom on a cut LAN may change when a host comes or goes.
            for lan in cluster.lans().filter(|lan| !cluster.is_whole(*lan)) {
                self.lans.insert(lan, now + cluster.longest(lan));
            }
        }
        match act {
            Act::Cut(lan, ..) | Act::Heal(lan) | Act::Quality(lan, _) => {
                self.lans.insert(*lan, now + cluster.longest(*lan));
            }
            Act::Start(host) | Act::Restart(host) | Act::KillWorker(host) => {
                let scripts = scripts_settle(cluster, *host);
                self.until(*host, now + START_TAKES + scripts);
                self.paths.insert(*host, now);
            }
            Act::Reload(host, config, _) => {
                let scripts = config.scripts.iter().map(settles).max().unwrap_or_default();
                self.until(*host, now + SOON + scripts);
            }
            Act::Stop(host) => self.until(*host, now + SOON),
            Act::Crash(host) => {
                self.remains.insert(*host, false);
                self.paths.insert(*host, now);
                self.until(*host, now);
            }
            Act::KillDaemon(host) => {
                self.remains.insert(*host, true);
                self.until(*host, now);
            }
            Act::Cable(host, ..) | Act::Interface(host, ..) => {
                self.paths.insert(*host, now);
                self.until(*host, now + SOON);
            }
            Act::Stall(host, span) => {
                let wakes = now.max(cluster.now + *span);
                self.paths.insert(*host, wakes);
                self.until(*host, wakes + SOON + scripts_settle(cluster, *host));
            }
            Act::File(host, ..) | Act::Session(host, ..) => self.until(*host, now + SOON),
            Act::Processes(host, name, _) => self.until(*host, now + SOON + delay_of(cluster, *host, name)),
            Act::Script(host, ..) => self.until(*host, now + scripts_settle(cluster, *host)),
            Act::Refuse(host, _, times) => {
                self.kernel_until(*host, now + REFUSAL * 2_u32.saturating_pow(*times))
            }
            Act::Deafen(host, span) => {
                self.until(*host, now + *span + AFTER_DEAFNESS);
                self.kernel_until(*host, now + *span + REFUSAL * 8);
            }
            Act::Delete(host, _) => {
                self.kernel_until(*host, now + netlink::reconcile::PUT_BACK_SPAN + REFUSAL)
            }
            Act::SlowKernel(host, ..) => self.until(*host, now + AFTER_DEAFNESS),
            Act::Add(..) | Act::StepClock(..) | Act::ReloadSame(_) => {}
        }
    }

    /// The daemon runs, and has swept what an earlier one left.
    pub(super) fn began(&mut self, cluster: &Cluster, host: HostId) {
        self.remains.insert(host, false);
        self.take(cluster, &Act::Start(host));
    }

    /// The kernel has refused something so often: it is asked again after a pause.
    pub(super) fn count_refusals(&mut self, host: HostId, refused: u32, now: Instant) {
        if self.refused.insert(host, refused) != Some(refused) {
            self.kernel_until(host, now + REFUSAL * 4);
        }
    }

    fn until(&mut self, host: HostId, at: Instant) {
        let until = self.hosts.entry(host).or_default();
        *until = at.max(*until);
    }

    fn kernel_until(&mut self, host: HostId, at: Instant) {
        let until = self.kernels.entry(host).or_default();
        *until = at.max(*until);
    }
}

fn scripts_settle(cluster: &Cluster, host: HostId) -> Duration {
    let config: Option<&Config> = cluster.hosts.get(host.0).map(|host| &*host.config);
    config.and_then(|config| config.scripts.iter().map(settles).max()).unwrap_or_default()
}

/// How long until a number of processes counts.
fn delay_of(cluster: &Cluster, host: HostId, name: &str) -> Duration {
    let processes = cluster.hosts.get(host.0).map(|host| host.config.processes.as_slice());
    let process = processes.unwrap_or_default().iter().find(|process| process.name == name);
    process.map_or(Duration::ZERO, |process| process.terminate_delay.max(process.fork_delay))
}

/// How long until a script's verdict follows its service.
fn settles(script: &Script) -> Duration {
    (script.interval.max(script.timeout) + script.timeout) * (script.rise.max(script.fall) + 1)
}

/// What follows at once.
const SOON: Duration = Duration::from_millis(20);
/// From the start of a daemon to its listening.
const START_TAKES: Duration = Duration::from_millis(200);
/// From the end of a deafness to the knowledge of all that was missed.
const AFTER_DEAFNESS: Duration = Duration::from_secs(1);
/// The first pause after a refusal, and a bit.
const REFUSAL: Duration = Duration::from_millis(1100);
