//! Acts carried out, and put into words.

use std::time::Duration;

use netlink::Errno;
use vrrp::{Actions, ScriptOutcome};

use super::{Cluster, Happening};
use crate::act::Span;
use crate::host::{Host, Reading};
use crate::scenario::Named;
use crate::story::What;
use crate::{Act, HostId, LanId};

impl Cluster {
    /// Something happens now.
    pub fn apply(&mut self, act: &Act) {
        let told = self.describe(act);
        self.story.tell(self.now, act.host(), What::Act(told));
        self.watch(|watch, cluster| watch.disturbed(cluster, act));
        match act {
            Act::Start(id) => {
                self.on(*id, |host, _| host.power_up());
                self.start(*id);
            }
            Act::Stop(id) => self.on(*id, |host, _| host.stop()),
            Act::Restart(id) => {
                self.on(*id, |host, _| host.stop());
                self.put(self.now + RESTART_TAKES, Happening::Start(*id));
            }
            Act::Crash(id) => self.on(*id, |host, _| host.power_off()),
            Act::KillWorker(id) => {
                let runs = self.hosts.get(id.0).is_some_and(|host| host.daemon.is_some());
                self.on(*id, Host::kill);
                if runs {
                    self.put(self.now + WORKER_RESTART_TAKES, Happening::Start(*id));
                }
            }
            Act::KillDaemon(id) => self.on(*id, Host::kill_whole),
            Act::Reload(id, config, _) => self.on(*id, |host, _| host.reload(config.clone())),
            Act::ReloadSame(id) => self.reload_same(*id),
            Act::Stall(id, span) => self.on(*id, |host, now| host.stall(now + *span)),
            Act::StepClock(id, forward, by) => {
                self.on(*id, |host, _| host.step_clock(*forward, *by));
            }
            Act::Cable(id, port, running) => self.on(*id, |host, _| host.set_running(port, *running)),
            Act::Interface(id, port, there) => self.on(*id, |host, _| host.set_there(port, *there)),
            Act::Script(id, name, outcome) => self.on(*id, |host, _| {
                host.scripts.insert(name.clone(), *outcome);
            }),
            Act::File(id, name, value) => self.on(*id, |host, _| {
                host.follow(Reading::File(name.clone(), *value));
            }),
            Act::Processes(id, name, count) => self.on(*id, |host, _| {
                host.follow(Reading::Processes(name.clone(), *count));
            }),
            Act::Session(id, name, up) => self.on(*id, |host, _| {
                host.follow(Reading::Session(name.clone(), *up));
            }),
            Act::Cut(lan, from, to) => {
                if let Some(lan) = self.lans.get_mut(lan.0) {
                    lan.cut(*from, *to);
                }
            }
            Act::Heal(lan) => {
                if let Some(lan) = self.lans.get_mut(lan.0) {
                    lan.heal();
                }
            }
            Act::Quality(lan, quality) => {
                if let Some(lan) = self.lans.get_mut(lan.0) {
                    lan.quality = *quality;
                }
            }
            Act::SlowKernel(id, delay, cost) => self.on(*id, |host, _| {
                host.kernel_delay = *delay;
                host.kernel_cost = *cost;
            }),
            Act::Refuse(id, errno, times) => self.on(*id, |host, _| host.refuse(*errno, *times)),
            Act::Deafen(id, span) => self.on(*id, |host, now| host.deafen(now + *span)),
            Act::Add(id, port, prefix) => self.on(*id, |host, _| host.add_foreign(port, *prefix)),
            Act::Delete(id, address) => self.on(*id, |host, _| host.delete_foreign(*address)),
        }
        if let Some(id) = act.host() {
            self.hear_kernel(id);
        }
    }

    pub(super) fn start(&mut self, id: HostId) {
        let Some(host) = self.hosts.get_mut(id.0) else { return };
        if host.daemon.as_ref().is_some_and(crate::host::Daemon::is_stopping) {
            self.put(self.now + RESTART_TAKES, Happening::Start(id));
            return;
        }
        host.start(self.now);
    }

    /// What does not change has no effect: tried on a second future of the router.
    fn reload_same(&mut self, id: HostId) {
        let Some(host) = self.hosts.get(id.0) else { return };
        // What it reads is what it runs, unless another file waits to be read.
        let Some(router) = host.router().filter(|_| !host.has_mail()) else {
            self.on(id, |host, _| host.reload(std::sync::Arc::clone(&host.config)));
            return;
        };
        let mut other = router.clone();
        // What is due is not the reload's doing.
        let mut actions = Actions::default();
        other.handle(self.now, vrrp::Event::Deadline, &mut actions);
        let mut actions = Actions::default();
        other.reconfigure(self.now, &host.config, &[], &mut actions);
        let effects: Vec<_> = actions.as_slice().to_vec();
        self.watch(|watch, cluster| watch.reloaded_same(cluster, id, &effects));
        self.on(id, |host, _| host.reload(std::sync::Arc::clone(&host.config)));
    }

    fn on(&mut self, id: HostId, act: impl FnOnce(&mut Host, model::Instant)) {
        let now = self.now;
        if let Some(host) = self.hosts.get_mut(id.0) {
            act(host, now);
        }
    }
}

/// In the words of a scenario.
pub(super) fn describe(cluster: &Cluster, act: &Act) -> String {
    let host = |id: &HostId| Named(cluster.host_name(*id));
    let lan = |id: &LanId| Named(cluster.lan_name(*id));
    match act {
        Act::Start(id) => format!("start {}", host(id)),
        Act::Stop(id) => format!("stop {}", host(id)),
        Act::Restart(id) => format!("restart {}", host(id)),
        Act::Crash(id) => format!("crash {}", host(id)),
        Act::KillWorker(id) => format!("kill-worker {}", host(id)),
        Act::KillDaemon(id) => format!("kill-daemon {}", host(id)),
        Act::Reload(id, _, name) => format!("reload {} {}", host(id), Named(name)),
        Act::ReloadSame(id) => format!("reload {}", host(id)),
        Act::Stall(id, span) => format!("stall {} {}", host(id), Span(*span)),
        Act::StepClock(id, forward, by) => {
            format!("clock {} {}{}", host(id), if *forward { '+' } else { '-' }, Span(*by))
        }
        Act::Cable(id, port, in_place) => {
            format!("link {} {port} {}", host(id), if *in_place { "up" } else { "down" })
        }
        Act::Interface(id, port, there) => {
            format!("link {} {port} {}", host(id), if *there { "back" } else { "gone" })
        }
        Act::Script(id, name, outcome) => {
            format!("script {} {} {}", host(id), Named(name), ended(*outcome))
        }
        Act::File(id, name, value) => format!("file {} {} {value}", host(id), Named(name)),
        Act::Processes(id, name, count) => format!("processes {} {} {count}", host(id), Named(name)),
        Act::Session(id, name, up) => {
            format!("bfd {} {} {}", host(id), Named(name), if *up { "up" } else { "down" })
        }
        Act::Cut(at, from, to) => format!("cut {} {} > {}", lan(at), host(from), host(to)),
        Act::Heal(at) => format!("heal {}", lan(at)),
        Act::Quality(at, quality) => format!(
            "lan {} delay {} jitter {} loss {}% duplicate {}%",
            lan(at),
            Span(quality.delay),
            Span(quality.jitter),
            quality.loss,
            quality.duplication
        ),
        Act::SlowKernel(id, delay, cost) => {
            format!("kernel {} delay {} cost {}", host(id), Span(*delay), Span(*cost))
        }
        Act::Refuse(id, errno, times) => format!("kernel {} refuse {} {times}", host(id), error(*errno)),
        Act::Deafen(id, span) => format!("kernel {} deaf {}", host(id), Span(*span)),
        Act::Add(id, port, prefix) => format!("add {} {prefix} {port}", host(id)),
        Act::Delete(id, address) => format!("delete {} {address}", host(id)),
    }
}

fn ended(outcome: ScriptOutcome) -> String {
    match outcome {
        ScriptOutcome::Exited(0) => "ok".to_owned(),
        ScriptOutcome::Exited(status) => format!("exit {status}"),
        ScriptOutcome::Killed(signal) => format!("signal {signal}"),
        ScriptOutcome::TimedOut => "timeout".to_owned(),
        ScriptOutcome::NotRun => "missing".to_owned(),
    }
}

fn error(errno: Errno) -> String {
    match errno {
        Errno::EEXIST => "EEXIST".to_owned(),
        Errno::ENODEV => "ENODEV".to_owned(),
        Errno::EBUSY => "EBUSY".to_owned(),
        Errno::EPERM => "EPERM".to_owned(),
        Errno(number) => number.to_string(),
    }
}

/// From the end of a daemon to the next one.
const RESTART_TAKES: Duration = Duration::from_millis(50);
/// From the death of a worker to the next one.
const WORKER_RESTART_TAKES: Duration = Duration::from_millis(20);
