//! What may happen, in the words of a scenario, before anybody knows whom the names mean.

use std::net::IpAddr;
use std::time::Duration;

use model::Prefix;
use netlink::Errno;
use vrrp::ScriptOutcome;

use super::mistake::{Mistake, Problem};
use super::span::span;
use super::words::{Word, Words};
use crate::Quality;

/// An act whose names are only words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Order {
    /// What needs no more than a host.
    Simple(Simple, Word),
    Reload(Word, Option<Word>),
    Stall(Word, Duration),
    Clock(Word, bool, Duration),
    Link(Word, Word, Link),
    Script(Word, Word, ScriptOutcome),
    File(Word, Word, i32),
    Processes(Word, Word, u32),
    Session(Word, Word, bool),
    Cut {
        lan: Word,
        from: Word,
        to: Word,
        both: bool,
    },
    Heal(Word),
    Lan(Word, Quality),
    SlowKernel(Word, Duration, Duration),
    Refuse(Word, Errno, u32),
    Deafen(Word, Duration),
    Delete(Word, IpAddr),
    Add(Word, Prefix, Word),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Simple {
    Start,
    Stop,
    Restart,
    Crash,
    KillWorker,
    KillDaemon,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Link {
    Up,
    Down,
    Gone,
    Back,
}

/// Every event, and how it is written.
pub(super) const EVENTS: [(&str, &str); 21] = [
    ("start", "start HOST"),
    ("stop", "stop HOST"),
    ("restart", "restart HOST"),
    ("crash", "crash HOST"),
    ("kill-worker", "kill-worker HOST"),
    ("kill-daemon", "kill-daemon HOST"),
    ("reload", "reload HOST [FILE]"),
    ("stall", "stall HOST 3s"),
    ("clock", "clock HOST +3600s"),
    ("link", "link HOST INTERFACE up|down|gone|back"),
    ("script", "script HOST NAME ok|exit N|signal N|timeout|missing"),
    ("file", "file HOST NAME NUMBER"),
    ("processes", "processes HOST NAME NUMBER"),
    ("bfd", "bfd HOST NAME up|down"),
    ("cut", "cut LAN HOST HOST, or one way: cut LAN HOST > HOST"),
    ("heal", "heal LAN"),
    ("lan", "lan LAN [delay 5ms] [jitter 1ms] [loss 20%] [duplicate 1%]"),
    ("kernel", "kernel HOST delay 50ms cost 1ms, refuse EEXIST 2, or deaf 3s"),
    ("delete", "delete HOST ADDRESS"),
    ("add", "add HOST ADDRESS/LENGTH INTERFACE"),
    ("expect", "expect INSTANCE HOST[,HOST]|nobody"),
];

/// The event that begins with `word`, which is not `expect`.
pub(super) fn order(word: &Word, words: &mut Words) -> Result<Order, Mistake> {
    let Some(kind) = EVENTS.iter().find(|(name, _)| word.text == *name) else {
        return Err(word.unknown("event", EVENTS.iter().map(|(name, _)| *name)));
    };
    words.usage = Some(kind.1);
    let simple = |kind: Simple, words: &mut Words| Ok(Order::Simple(kind, host(words)?));
    match kind.0 {
        "start" => simple(Simple::Start, words),
        "stop" => simple(Simple::Stop, words),
        "restart" => simple(Simple::Restart, words),
        "crash" => simple(Simple::Crash, words),
        "kill-worker" => simple(Simple::KillWorker, words),
        "kill-daemon" => simple(Simple::KillDaemon, words),
        "reload" => Ok(Order::Reload(host(words)?, words.next())),
        "stall" => Ok(Order::Stall(host(words)?, time(words)?)),
        "clock" => clock(words),
        "link" => Ok(Order::Link(host(words)?, words.expect("an interface")?, link(words)?)),
        "script" => Ok(Order::Script(host(words)?, words.expect("a script")?, outcome(words)?)),
        "file" => {
            let (host, name) = (host(words)?, words.expect("a tracked file")?);
            Ok(Order::File(host, name, parsed(words, "a number")?))
        }
        "processes" => {
            let (host, name) = (host(words)?, words.expect("a `vrrp_track_process`")?);
            Ok(Order::Processes(host, name, parsed(words, "how many")?))
        }
        "bfd" => Ok(Order::Session(host(words)?, words.expect("a session")?, up_or_down(words)?)),
        "cut" => cut(words),
        "heal" => Ok(Order::Heal(lan(words)?)),
        "lan" => Ok(Order::Lan(lan(words)?, quality(words)?)),
        "kernel" => kernel(words),
        "add" => Ok(Order::Add(host(words)?, prefix(words)?, words.expect("an interface")?)),
        _ => Ok(Order::Delete(host(words)?, parsed(words, "an address")?)),
    }
}

fn host(words: &mut Words) -> Result<Word, Mistake> {
    words.expect("a host")
}

fn lan(words: &mut Words) -> Result<Word, Mistake> {
    words.expect("a LAN")
}

fn time(words: &mut Words) -> Result<Duration, Mistake> {
    let word = words.expect(A_TIME)?;
    span(&word.text).ok_or_else(|| word.other(A_TIME))
}

fn parsed<T: std::str::FromStr>(words: &mut Words, expected: &'static str) -> Result<T, Mistake> {
    let word = words.expect(expected)?;
    word.text.parse().map_err(|_| word.other(expected))
}

fn prefix(words: &mut Words) -> Result<Prefix, Mistake> {
    const A_PREFIX: &str = "an address with its length, such as 192.0.2.1/24";
    let word = words.expect(A_PREFIX)?;
    let parts = word.text.split_once('/');
    let parts = parts.and_then(|(address, length)| Some((address.parse().ok()?, length.parse().ok()?)));
    let prefix = parts.and_then(|(address, length)| Prefix::new(address, length).ok());
    prefix.ok_or_else(|| word.other(A_PREFIX))
}

fn clock(words: &mut Words) -> Result<Order, Mistake> {
    const A_STEP: &str = "a step such as +3600s or -5s";
    let host = host(words)?;
    let word = words.expect(A_STEP)?;
    let (forward, by) = match (word.text.strip_prefix('+'), word.text.strip_prefix('-')) {
        (Some(by), _) => (true, by),
        (None, Some(by)) => (false, by),
        (None, None) => return Err(word.other(A_STEP)),
    };
    let by = span(by).ok_or_else(|| word.other(A_STEP))?;
    Ok(Order::Clock(host, forward, by))
}

fn link(words: &mut Words) -> Result<Link, Mistake> {
    let word = words.expect("up, down, gone or back")?;
    match word.text.as_str() {
        "up" => Ok(Link::Up),
        "down" => Ok(Link::Down),
        "gone" => Ok(Link::Gone),
        "back" => Ok(Link::Back),
        _ => Err(word.unknown("state of a link", ["up", "down", "gone", "back"])),
    }
}

fn up_or_down(words: &mut Words) -> Result<bool, Mistake> {
    let word = words.expect("up or down")?;
    match word.text.as_str() {
        "up" => Ok(true),
        "down" => Ok(false),
        _ => Err(word.unknown("state of a session", ["up", "down"])),
    }
}

fn outcome(words: &mut Words) -> Result<ScriptOutcome, Mistake> {
    let word = words.expect("ok, exit N, signal N, timeout or missing")?;
    match word.text.as_str() {
        "ok" => Ok(ScriptOutcome::Exited(0)),
        "exit" => Ok(ScriptOutcome::Exited(parsed(words, "an exit status")?)),
        "signal" => Ok(ScriptOutcome::Killed(parsed(words, "the number of a signal")?)),
        "timeout" => Ok(ScriptOutcome::TimedOut),
        "missing" => Ok(ScriptOutcome::NotRun),
        _ => Err(word.unknown("outcome of a script", ["ok", "exit", "signal", "timeout", "missing"])),
    }
}

fn cut(words: &mut Words) -> Result<Order, Mistake> {
    let (lan, from) = (lan(words)?, host(words)?);
    let both = words.next_if(">").is_none();
    let to = host(words)?;
    if from.text == to.text {
        return Err(to.other("another host"));
    }
    Ok(Order::Cut { lan, from, to, both })
}

fn quality(words: &mut Words) -> Result<Quality, Mistake> {
    const A_QUALITY: &str = "delay, jitter, loss or duplicate";
    let mut quality = Quality::GOOD;
    if words.next_if("good").is_some() {
        return Ok(quality);
    }
    loop {
        let word = words.expect(A_QUALITY)?;
        match word.text.as_str() {
            "delay" => quality.delay = time(words)?,
            "jitter" => quality.jitter = time(words)?,
            "loss" => quality.loss = percent(words)?,
            "duplicate" => quality.duplication = percent(words)?,
            _ => {
                return Err(
                    word.unknown("quality of a LAN", ["delay", "jitter", "loss", "duplicate", "good"])
                );
            }
        }
        if words.is_empty() {
            return Ok(quality);
        }
    }
}

fn percent(words: &mut Words) -> Result<u8, Mistake> {
    const A_PERCENTAGE: &str = "a percentage from 0% to 100%";
    let word = words.expect(A_PERCENTAGE)?;
    let number = word.text.strip_suffix('%').and_then(|number| number.parse().ok());
    number.filter(|percent| *percent <= 100).ok_or_else(|| word.other(A_PERCENTAGE))
}

fn kernel(words: &mut Words) -> Result<Order, Mistake> {
    let host = host(words)?;
    let word = words.expect("delay, cost, refuse or deaf")?;
    match word.text.as_str() {
        "refuse" => Ok(Order::Refuse(host, errno(words)?, parsed(words, "how many times")?)),
        "deaf" => Ok(Order::Deafen(host, time(words)?)),
        "delay" => {
            let delay = time(words)?;
            let cost = if words.next_if("cost").is_some() { time(words)? } else { Duration::ZERO };
            Ok(Order::SlowKernel(host, delay, cost))
        }
        "cost" => Ok(Order::SlowKernel(host, Duration::ZERO, time(words)?)),
        _ => Err(word.unknown("trouble with a kernel", ["delay", "cost", "refuse", "deaf"])),
    }
}

fn errno(words: &mut Words) -> Result<Errno, Mistake> {
    const KNOWN: [(&str, Errno); 5] = [
        ("EEXIST", Errno::EEXIST),
        ("ENODEV", Errno::ENODEV),
        ("EBUSY", Errno::EBUSY),
        ("EPERM", Errno::EPERM),
        ("EADDRNOTAVAIL", Errno::EADDRNOTAVAIL),
    ];
    let word = words.expect("an error such as EEXIST")?;
    let known = KNOWN.iter().find(|(name, _)| word.text == *name).map(|(_, errno)| *errno);
    let number = || word.text.parse().ok().filter(|number| *number > 0).map(Errno);
    known.or_else(number).ok_or_else(|| word.unknown("error", KNOWN.iter().map(|(name, _)| *name)))
}

/// The usage joins what is wrong with the words of an event.
pub(super) fn with_usage(mistake: Mistake, words: &Words) -> Mistake {
    let lacks_help = mistake.help.is_none() && !matches!(mistake.problem, Problem::AfterEnd);
    let usage = words.usage.filter(|_| lacks_help).map(|usage| format!("write {usage}"));
    Mistake { help: mistake.help.or(usage), ..mistake }
}

pub(super) const A_TIME: &str = "a time such as 12.5s or 250ms";
