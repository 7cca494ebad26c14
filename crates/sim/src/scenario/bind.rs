//! Whom the names of a scenario mean.

use std::sync::Arc;

use model::IfName;
use model::vrrp::Config;

use super::mistake::{Mistake, Problem};
use super::order::{Link, Order, Simple};
use super::words::{Word, suggestion};
use super::{Bound, Event, Scenario, Step, What};
use crate::{Act, Cluster, HostId, LanId};

impl Scenario {
    /// The scenario of this cluster. `read` reads the configuration that a host reloads from a file, or says why not.
    ///
    /// # Errors
    /// Every name that means nothing in it.
    pub fn bind(
        &self,
        cluster: &Cluster,
        mut read: impl FnMut(HostId, &str) -> Result<Arc<Config>, String>,
    ) -> Result<Bound, Vec<Mistake>> {
        let mut mistakes = Vec::new();
        let mut bound = Bound { steps: Vec::new(), end: self.end };
        for line in &self.lines {
            let read: Result<Vec<What>, Mistake> = match &line.event {
                Event::Expect { instance, hosts } => expect(cluster, instance, hosts).map(|what| vec![what]),
                Event::Order(order) => {
                    acts(cluster, order, &mut read).map(|acts| acts.into_iter().map(What::Act).collect())
                }
            };
            match read {
                Ok(whats) => bound.steps.extend(whats.into_iter().map(|what| Step {
                    at: line.at,
                    line: line.number,
                    what,
                })),
                Err(mistake) => mistakes.push(mistake),
            }
        }
        // What is looked at comes after what happens at that time, and lines in their order.
        bound.steps.sort_by_key(|step| (step.at, matches!(step.what, What::Expect { .. })));
        if mistakes.is_empty() { Ok(bound) } else { Err(mistakes) }
    }
}

fn expect(cluster: &Cluster, instance: &Word, hosts: &[Word]) -> Result<What, Mistake> {
    let all = || cluster.hosts.iter().flat_map(|host| &host.config.instances).map(|one| one.name.as_str());
    if !all().any(|name| name == instance.text) {
        return Err(instance.unknown("instance", distinct(all())));
    }
    let hosts = hosts.iter().map(|word| host(cluster, word)).collect::<Result<_, _>>()?;
    Ok(What::Expect { instance: instance.text.clone(), hosts })
}

fn acts(
    cluster: &Cluster,
    order: &Order,
    read: &mut impl FnMut(HostId, &str) -> Result<Arc<Config>, String>,
) -> Result<Vec<Act>, Mistake> {
    let act = match order {
        Order::Simple(kind, word) => simple(*kind, host(cluster, word)?),
        Order::Reload(word, None) => Act::ReloadSame(host(cluster, word)?),
        Order::Reload(word, Some(file)) => {
            let host = host(cluster, word)?;
            let config = read(host, &file.text)
                .map_err(|why| file.mistake(Problem::File { file: file.text.clone(), why }, None))?;
            Act::Reload(host, config, file.text.as_str().into())
        }
        Order::Stall(word, span) => Act::Stall(host(cluster, word)?, *span),
        Order::Clock(word, forward, by) => Act::StepClock(host(cluster, word)?, *forward, *by),
        Order::Link(word, name, state) => {
            let host = host(cluster, word)?;
            let name = interface(cluster, host, name)?;
            match state {
                Link::Up => Act::Cable(host, name, true),
                Link::Down => Act::Cable(host, name, false),
                Link::Back => Act::Interface(host, name, true),
                Link::Gone => Act::Interface(host, name, false),
            }
        }
        Order::Script(word, name, outcome) => {
            let host = host(cluster, word)?;
            Act::Script(host, script(cluster, host, name)?, *outcome)
        }
        Order::File(word, name, value) => {
            let host = host(cluster, word)?;
            let files = config(cluster, host).map_or(&[][..], |config| &config.files);
            let name =
                one_of(cluster, host, "tracked file", name, files.iter().map(|one| one.name.as_str()))?;
            Act::File(host, name, *value)
        }
        Order::Processes(word, name, count) => {
            let host = host(cluster, word)?;
            let all = config(cluster, host).map_or(&[][..], |config| &config.processes);
            let all = all.iter().map(|one| one.name.as_str());
            Act::Processes(host, one_of(cluster, host, "vrrp_track_process", name, all)?, *count)
        }
        Order::Session(word, name, up) => {
            let host = host(cluster, word)?;
            let all = config(cluster, host).into_iter().flat_map(sessions);
            Act::Session(host, one_of(cluster, host, "tracked BFD session", name, all)?, *up)
        }
        Order::Cut { lan: word, from, to, both } => {
            let lan = lan(cluster, word)?;
            let (from, to) = (on_lan(cluster, lan, from)?, on_lan(cluster, lan, to)?);
            let back = both.then_some(Act::Cut(lan, to, from));
            return Ok([Act::Cut(lan, from, to)].into_iter().chain(back).collect());
        }
        Order::Heal(word) => Act::Heal(lan(cluster, word)?),
        Order::Lan(word, quality) => Act::Quality(lan(cluster, word)?, *quality),
        Order::SlowKernel(word, delay, cost) => Act::SlowKernel(host(cluster, word)?, *delay, *cost),
        Order::Refuse(word, errno, times) => Act::Refuse(host(cluster, word)?, *errno, *times),
        Order::Deafen(word, span) => Act::Deafen(host(cluster, word)?, *span),
        Order::Add(word, prefix, name) => {
            let host = host(cluster, word)?;
            Act::Add(host, interface(cluster, host, name)?, *prefix)
        }
        Order::Delete(word, address) => Act::Delete(host(cluster, word)?, *address),
    };
    Ok(vec![act])
}

fn simple(kind: Simple, host: HostId) -> Act {
    match kind {
        Simple::Start => Act::Start(host),
        Simple::Stop => Act::Stop(host),
        Simple::Restart => Act::Restart(host),
        Simple::Crash => Act::Crash(host),
        Simple::KillWorker => Act::KillWorker(host),
        Simple::KillDaemon => Act::KillDaemon(host),
    }
}

fn host(cluster: &Cluster, word: &Word) -> Result<HostId, Mistake> {
    let found = cluster.hosts.iter().find(|host| host.name == word.text);
    let names = cluster.hosts.iter().map(|host| host.name.as_str());
    found.map(|host| host.id).ok_or_else(|| word.unknown("host", names))
}

fn lan(cluster: &Cluster, word: &Word) -> Result<LanId, Mistake> {
    let found = cluster.lans.iter().position(|lan| lan.name == word.text);
    let names = cluster.lans.iter().map(|lan| lan.name.as_str());
    found.map(LanId).ok_or_else(|| word.unknown("LAN", names))
}

/// A cut between hosts of which one is not there would cut nothing.
fn on_lan(cluster: &Cluster, lan: LanId, word: &Word) -> Result<HostId, Mistake> {
    let id = host(cluster, word)?;
    let is_there = |id: HostId| {
        cluster.hosts.get(id.0).is_some_and(|host| host.ports.values().any(|port| port.lan == lan))
    };
    if is_there(id) {
        return Ok(id);
    }
    let there: Vec<_> = cluster.hosts().filter(|id| is_there(*id)).map(|id| cluster.host_name(id)).collect();
    let help = format!("on {} are {}", cluster.lan_name(lan), there.join(", "));
    Err(word.mistake(Problem::Other { expected: "on this LAN", word: word.text.clone() }, Some(help)))
}

fn interface(cluster: &Cluster, id: HostId, word: &Word) -> Result<IfName, Mistake> {
    let ports = cluster.hosts.get(id.0).map(|host| &host.ports);
    let names: Vec<_> = ports.into_iter().flat_map(|ports| ports.keys()).collect();
    let found = names.iter().find(|name| name.as_str() == word.text).map(|name| (*name).clone());
    found.ok_or_else(|| not_there(cluster, id, "interface", word, names.iter().map(|name| name.as_str())))
}

fn script(cluster: &Cluster, id: HostId, word: &Word) -> Result<String, Mistake> {
    let scripts = config(cluster, id).map_or(&[][..], |config| &config.scripts);
    one_of(cluster, id, "tracked script", word, scripts.iter().map(|script| script.name.as_str()))
}

fn config(cluster: &Cluster, id: HostId) -> Option<&Config> {
    cluster.hosts.get(id.0).map(|host| &*host.config)
}

fn sessions(config: &Config) -> impl Iterator<Item = &str> {
    let of_groups = config.groups.iter().flat_map(|group| &group.track_bfds);
    let all = config.instances.iter().flat_map(|one| &one.track_bfds).chain(of_groups);
    all.map(|tracked| tracked.name.as_str())
}

fn one_of<'a>(
    cluster: &Cluster,
    id: HostId,
    what: &'static str,
    word: &Word,
    known: impl Iterator<Item = &'a str>,
) -> Result<String, Mistake> {
    let known: Vec<_> = known.collect();
    if known.contains(&word.text.as_str()) {
        return Ok(word.text.clone());
    }
    Err(not_there(cluster, id, what, word, distinct(known.into_iter()).into_iter()))
}

fn not_there<'a>(
    cluster: &Cluster,
    id: HostId,
    what: &'static str,
    word: &Word,
    known: impl Iterator<Item = &'a str>,
) -> Mistake {
    let host = cluster.host_name(id).to_owned();
    let help = suggestion(&word.text, what, &known.collect::<Vec<_>>());
    word.mistake(Problem::NotThere { host, what, word: word.text.clone() }, help)
}

fn distinct<'a>(names: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let all: std::collections::BTreeSet<_> = names.collect();
    all.into_iter().collect()
}
