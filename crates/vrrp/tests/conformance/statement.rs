//! The words of a script.

use std::net::IpAddr;
use std::str::{FromStr, SplitWhitespace};
use std::time::Duration;

use model::vrrp::{
    Auth, Command, Config, ExtraGarp, Instance, LinkDelay, OldChecksum, Password, Preempt, ProcessMatch,
    RunAs, Script, SyncGroup, TrackedFile, TrackedInterface, TrackedProcess, TrackedScript, Tracking,
    Transport, Version, VirtualAddress,
};
use model::{Centis, Family, IfName, Influence, Prefix, Priority, Vrid, Weight};

/// The words of a line that are not read yet.
#[derive(Debug)]
pub(crate) struct Words<'a>(SplitWhitespace<'a>);

impl<'a> Words<'a> {
    pub(crate) fn new(line: &'a str) -> Self {
        Self(line.split_whitespace())
    }

    /// The next word, if any.
    pub(crate) fn maybe(&mut self) -> Option<&'a str> {
        self.0.next()
    }

    pub(crate) fn next(&mut self) -> Result<&'a str, String> {
        self.0.next().ok_or_else(|| "a word is missing at the end".to_owned())
    }

    pub(crate) fn expect(&mut self, word: &str) -> Result<(), String> {
        let found = self.next()?;
        if found == word { Ok(()) } else { Err(format!("here stands `{found}`, not `{word}`")) }
    }

    pub(crate) fn parse<T: FromStr>(&mut self) -> Result<T, String> {
        let word = self.next()?;
        word.parse().map_err(|_| format!("`{word}` is no {}", std::any::type_name::<T>()))
    }

    pub(crate) fn span(&mut self) -> Result<Duration, String> {
        span(self.next()?)
    }

    pub(crate) fn rest(&mut self) -> String {
        self.0.by_ref().collect::<Vec<_>>().join(" ")
    }

    pub(crate) fn addresses(&mut self) -> Result<Vec<IpAddr>, String> {
        self.0.by_ref().map(|word| word.parse().map_err(|_| format!("`{word}` is no address"))).collect()
    }

    pub(crate) fn end(mut self) -> Result<(), String> {
        self.0.next().map_or(Ok(()), |word| Err(format!("`{word}` is too much")))
    }
}

/// A sum of spans: `1.5s`, `10ms`, `3s+156/256s`.
pub(crate) fn span(text: &str) -> Result<Duration, String> {
    text.split('+').try_fold(Duration::ZERO, |sum, term| {
        let nanos = term_nanos(term).ok_or_else(|| format!("`{term}` is no span of time"))?;
        Ok(sum + Duration::from_nanos(nanos))
    })
}

fn term_nanos(term: &str) -> Option<u64> {
    let at = term.find(|c: char| c.is_ascii_alphabetic())?;
    let (number, unit) = term.split_at(at);
    let unit = match unit {
        "s" => 1_000_000_000,
        "ms" => 1_000_000,
        "us" => 1_000,
        "ns" => 1,
        _ => return None,
    };
    if let Some((above, below)) = number.split_once('/') {
        return Some(unit * above.parse::<u64>().ok()? / below.parse::<u64>().ok()?);
    }
    let (whole, decimals) = number.split_once('.').unwrap_or((number, ""));
    let scale = 10u64.pow(u32::try_from(decimals.len()).ok()?);
    let decimals: u64 = if decimals.is_empty() { 0 } else { decimals.parse().ok()? };
    Some(unit * whole.parse::<u64>().ok()? + unit * decimals / scale)
}

/// The router under test as it is before the first setting.
pub(crate) fn plain() -> Config {
    let vrid = Vrid::try_from(51).expect("51 is a VRID");
    let address = VirtualAddress::new(Prefix::host([192, 168, 0, 100].into()), eth());
    let instance = Instance { addresses: vec![address], ..Instance::new("VI_1", eth(), vrid) };
    Config { scripts: Vec::new(), instances: vec![instance], ..Config::default() }
}

/// The interface of the router under test.
pub(crate) fn eth() -> IfName {
    "eth1".parse().expect("it is a name")
}

/// Applies one setting, to the first instance unless another one is named; false if the word is none.
pub(crate) fn set(config: &mut Config, word: &str, rest: &mut Words<'_>) -> Result<bool, String> {
    if set_group(config, word, rest)? {
        return Ok(true);
    }
    if set_tracked(config, word, rest)? {
        return Ok(true);
    }
    let Config { scripts, instances, .. } = config;
    if let Some(named) = instances.iter_mut().find(|instance| instance.name == word) {
        let word = rest.next()?;
        return set_instance(scripts, named, word, rest);
    }
    let first = instances.first_mut().ok_or("there is no instance to set")?;
    set_instance(scripts, first, word, rest)
}

/// `member VI_2 vrid 52`: another instance, in one group with those before. What is set of the group, and who leaves it.
fn set_group(config: &mut Config, word: &str, rest: &mut Words<'_>) -> Result<bool, String> {
    match word {
        "member" => {
            let name = rest.next()?;
            rest.expect("vrid")?;
            let vrid = rest.parse::<u8>()?;
            let address = VirtualAddress::new(Prefix::host([192, 168, 0, vrid + 49].into()), eth());
            let vrid = Vrid::try_from(vrid).map_err(|error| error.to_string())?;
            let first = config.instances.first().ok_or("there is no instance")?;
            let member = Instance { vrid, addresses: vec![address], name: name.to_owned(), ..first.clone() };
            if config.groups.is_empty() {
                config.groups.push(SyncGroup::new("G", vec![first.name.clone()]));
            }
            config.groups.iter_mut().for_each(|group| group.members.push(name.to_owned()));
            config.instances.push(member);
        }
        "group" => match rest.next()? {
            "track_script" => {
                let (script, influence) = (rest.next()?.to_owned(), influence(rest)?);
                config.scripts.push(Script::new(&script, command()));
                let tracked = TrackedScript { script, influence };
                config.groups.iter_mut().for_each(|group| group.track_scripts.push(tracked.clone()));
            }
            "track_interface" => {
                let tracked = TrackedInterface { interface: rest.parse()?, influence: influence(rest)? };
                config.groups.iter_mut().for_each(|group| group.track_interfaces.push(tracked.clone()));
            }
            "track_bfd" => {
                let tracked = Tracking { name: rest.next()?.to_owned(), influence: influence(rest)? };
                config.groups.iter_mut().for_each(|group| group.track_bfds.push(tracked.clone()));
            }
            "gone" => config.groups.clear(),
            other => return Err(format!("a group has no `{other}`")),
        },
        "alone" => {
            let name = rest.next()?;
            config.groups.iter_mut().for_each(|group| group.members.retain(|member| member != name));
        }
        "joined" => {
            let name = rest.next()?;
            config.groups.iter_mut().for_each(|group| group.members.push(name.to_owned()));
        }
        "without" => {
            let name = rest.next()?;
            config.instances.retain(|instance| instance.name != name);
            config.groups.iter_mut().for_each(|group| group.members.retain(|member| member != name));
        }
        _ => return Ok(false),
    }
    Ok(true)
}

/// `track_file load weight 1`, `track_process web weight -10`, `track_bfd peer weight 0`: of the first instance.
fn set_tracked(config: &mut Config, word: &str, rest: &mut Words<'_>) -> Result<bool, String> {
    let Config { instances, files, processes, links, .. } = config;
    let Some(instance) = instances.first_mut() else { return Ok(false) };
    match word {
        "track_file" => {
            let (name, influence) = (rest.next()?.to_owned(), influence(rest)?);
            let path = format!("/run/{name}");
            files.push(TrackedFile { name: name.clone(), path, influence, initial: None });
            instance.track_files.push(Tracking { name, influence });
        }
        "track_process" => {
            let (name, influence) = (rest.next()?.to_owned(), influence(rest)?);
            processes.push(TrackedProcess {
                name: name.clone(),
                program: name.clone(),
                matching: ProcessMatch::Name,
                influence,
                least: 1,
                most: None,
                terminate_delay: Duration::ZERO,
                fork_delay: Duration::ZERO,
            });
            instance.track_processes.push(Tracking { name, influence });
        }
        "track_bfd" => {
            let (name, influence) = (rest.next()?.to_owned(), influence(rest)?);
            instance.track_bfds.push(Tracking { name, influence });
        }
        "interface_up_down_delays" => {
            let (down, up) = (rest.span()?, rest.span()?);
            links.delays.push(LinkDelay { interface: eth(), down, up });
        }
        "terminate_delay" => {
            let delay = rest.span()?;
            processes.iter_mut().for_each(|process| process.terminate_delay = delay);
        }
        _ => return Ok(false),
    }
    Ok(true)
}

fn set_instance(
    scripts: &mut Vec<Script>,
    instance: &mut Instance,
    word: &str,
    rest: &mut Words<'_>,
) -> Result<bool, String> {
    match word {
        "native_ipv6" => {
            instance.family = Family::V6;
            instance.version = Version::V3;
            instance.transport = Transport::Multicast { group: Transport::GROUP_V6.into() };
            let address = IpAddr::from([0xfe80, 0, 0, 0, 0, 0, 0, 0x100]);
            instance.addresses = vec![VirtualAddress::new(Prefix::host(address), eth())];
        }
        "mcast_dst_ip" => instance.transport = Transport::Multicast { group: rest.parse()? },
        "unicast_ttl" | "min_ttl" | "max_ttl" | "old_unicast_checksum" => {
            set_unicast(&mut instance.transport, word, rest)?;
        }
        "v3_checksum_as_v2" => instance.v3_checksum_as_v2 = true,
        "version" => instance.version = version(rest)?,
        "priority" => instance.priority = Priority(rest.parse()?),
        "vrid" => instance.vrid = Vrid::try_from(rest.parse::<u8>()?).map_err(|error| error.to_string())?,
        "advert_int" => instance.advert_interval = centis(rest)?,
        "virtual_ipaddress" => {
            let held = |address| VirtualAddress::new(Prefix::host(address), eth());
            instance.addresses = rest.addresses()?.into_iter().map(held).collect();
        }
        "excluded_on" => {
            let device: IfName = rest.parse()?;
            let held = |address| VirtualAddress::new(Prefix::host(address), device.clone());
            let excluded = rest.addresses()?.into_iter().map(held);
            instance.addresses.extend(excluded.map(|held| VirtualAddress { advertised: false, ..held }));
        }
        "garp_extra_if" => {
            instance.extra_garp =
                Some(ExtraGarp { interval: rest.span()?, all: rest.maybe() == Some("all") });
        }
        "nopreempt" => instance.preempt = Preempt::Never,
        "preempt_delay" => instance.preempt = Preempt::After(rest.span()?),
        "auth_pass" => instance.auth = Auth::Pass(password(rest.next()?)),
        "strict_mode" => instance.strict = true,
        "down_timer_adverts" => instance.down_timer_adverts = rest.parse()?,
        "unicast_peer" => instance.transport = Transport::unicast(rest.addresses()?),
        "check_unicast_src" => instance.check_unicast_src = true,
        "unicast_src_ip" | "mcast_src_ip" => instance.source = Some(rest.parse()?),
        "lower_prio_no_advert" => instance.lower_prio_no_advert = true,
        "higher_prio_send_advert" => instance.higher_prio_send_advert = true,
        "track_src_ip" => instance.track_source = true,
        "timer_expired_backup" => instance.timer_expired_backup = Some(Priority(rest.parse()?)),
        "owner_ignore_adverts" => instance.owner_ignore_adverts = true,
        "dont_track_primary" => instance.track_primary = false,
        "garp_master_delay" => instance.garp.delay = Some(rest.span()?),
        "garp_master_repeat" => instance.garp.repeat = rest.parse()?,
        "init_fail" => scripts.iter_mut().for_each(|script| script.init_fail = true),
        "track_interface" => {
            let (interface, influence) = (rest.parse()?, influence(rest)?);
            instance.track_interfaces.push(TrackedInterface { interface, influence });
        }
        "track_script" => {
            let (script, influence) = (rest.next()?.to_owned(), influence(rest)?);
            scripts.push(Script::new(&script, command()));
            instance.track_scripts.push(TrackedScript { script, influence });
        }
        _ => return Ok(false),
    }
    Ok(true)
}

/// `min_ttl` and `max_ttl` are those of every peer.
fn set_unicast(transport: &mut Transport, word: &str, rest: &mut Words<'_>) -> Result<(), String> {
    let Transport::Unicast { peers, ttl, checksum, .. } = transport else {
        return Err("there are no unicast peers".into());
    };
    match word {
        "unicast_ttl" => *ttl = Some(rest.parse()?),
        "min_ttl" => {
            let least = rest.parse()?;
            peers.iter_mut().for_each(|peer| peer.min_ttl = least);
        }
        "max_ttl" => {
            let most = rest.parse()?;
            peers.iter_mut().for_each(|peer| peer.max_ttl = most);
        }
        _ if rest.maybe() == Some("never") => *checksum = OldChecksum::Never,
        _ => *checksum = OldChecksum::Always,
    }
    Ok(())
}

fn command() -> Command {
    Command { program: "/bin/check".into(), arguments: Vec::new(), run_as: RunAs::Default }
}

fn influence(rest: &mut Words<'_>) -> Result<Influence, String> {
    rest.expect("weight")?;
    let weight = Weight::try_from(rest.parse::<i16>()?).map_err(|error| error.to_string())?;
    let reverse = match rest.maybe() {
        None => false,
        Some("reverse") => true,
        Some(other) => return Err(format!("here stands `{other}`, not `reverse`")),
    };
    Ok(Influence { weight, reverse })
}

pub(crate) fn version(rest: &mut Words<'_>) -> Result<Version, String> {
    match rest.next()? {
        "2" => Ok(Version::V2),
        "3" => Ok(Version::V3),
        other => Err(format!("version {other} is not spoken here")),
    }
}

pub(crate) fn centis(rest: &mut Words<'_>) -> Result<Centis, String> {
    Centis::try_from(rest.span()?).map_err(|error| error.to_string())
}

pub(crate) fn password(text: &str) -> Password {
    let mut padded = [0; 8];
    for (to, from) in padded.iter_mut().zip(text.bytes()) {
        *to = from;
    }
    Password(padded)
}
