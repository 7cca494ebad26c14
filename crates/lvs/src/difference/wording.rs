//! From what to what a setting changes, in the words of the configuration.

use std::net::IpAddr;
use std::num::{NonZeroU16, NonZeroU32};
use std::time::Duration;

use model::lvs::{
    Checker, Forwarding, Persistence, PersistenceMask, Probe, RealServer, SorryServer, TunnelChecksum,
    TunnelKind, VirtualServer,
};
use model::vrrp::Command;

/// `scheduler rr becomes wrr`, one for each setting of the virtual server itself that differs.
pub(super) fn of_service(before: &VirtualServer, after: &VirtualServer) -> Vec<String> {
    let VirtualServer {
        service: _,
        scheduler,
        flags,
        one_packet,
        persistence,
        quorum,
        sorry_server,
        ha_suspend,
        alpha,
        omega,
        smtp_alert,
        snmp_name,
        nth_of_group: _,
        // What is passed on is said of those who get it.
        forwarding: _,
        inhibit_on_failure: _,
        pace: _,
        real_servers: _,
    } = before;
    let mut changes = Changes::default();
    changes.words("scheduler", scheduler.word(), after.scheduler.word());
    changes.switch("flag-1", flags.first, after.flags.first);
    changes.switch("flag-2", flags.second, after.flags.second);
    changes.switch("flag-3", flags.third, after.flags.third);
    changes.switch("ops", *one_packet, after.one_packet);
    changes.persistence(persistence.as_ref(), after.persistence.as_ref());
    changes.of("quorum", &quorum.weight, &after.quorum.weight, ToString::to_string);
    changes.of("hysteresis", &quorum.hysteresis, &after.quorum.hysteresis, ToString::to_string);
    changes.command("quorum_up", quorum.up.as_deref(), after.quorum.up.as_deref());
    changes.command("quorum_down", quorum.down.as_deref(), after.quorum.down.as_deref());
    changes.of("sorry_server", sorry_server, &after.sorry_server, |it| or_none(it.as_deref(), sorry));
    changes.switch("ha_suspend", *ha_suspend, after.ha_suspend);
    changes.switch("alpha", *alpha, after.alpha);
    changes.switch("omega", *omega, after.omega);
    changes.switch("smtp_alert", *smtp_alert, after.smtp_alert);
    changes.of("snmp_name", snmp_name, &after.snmp_name, |it| or_none(it.as_deref(), str::to_owned));
    changes.0
}

/// `weight 1 becomes 3`, one for each setting of a real server that differs.
pub(super) fn of_server(before: &RealServer, after: &RealServer) -> Vec<String> {
    let RealServer {
        address: _,
        port: _,
        weight,
        forwarding,
        upper_threshold,
        lower_threshold,
        inhibit_on_failure,
        smtp_alert,
        notify_up,
        notify_down,
        virtualhost,
        snmp_name,
        drain,
        slow_start,
        pace: _,
        checkers,
    } = before;
    let mut changes = Changes::default();
    changes.of("weight", weight, &after.weight, ToString::to_string);
    changes.of("lvs_method", forwarding, &after.forwarding, |method| way(*method));
    changes.of("uthreshold", upper_threshold, &after.upper_threshold, |it| or_none(*it, limit));
    changes.of("lthreshold", lower_threshold, &after.lower_threshold, |it| or_none(*it, limit));
    changes.switch("inhibit_on_failure", *inhibit_on_failure, after.inhibit_on_failure);
    changes.switch("smtp_alert", *smtp_alert, after.smtp_alert);
    changes.command("notify_up", notify_up.as_deref(), after.notify_up.as_deref());
    changes.command("notify_down", notify_down.as_deref(), after.notify_down.as_deref());
    changes.of("virtualhost", virtualhost, &after.virtualhost, |it| or_none(it.as_deref(), str::to_owned));
    changes.of("snmp_name", snmp_name, &after.snmp_name, |it| or_none(it.as_deref(), str::to_owned));
    changes.time("drain", *drain, after.drain);
    changes.time("slow_start", *slow_start, after.slow_start);
    changes.checkers(checkers, &after.checkers);
    changes.0
}

/// What has been found to differ.
#[derive(Debug, Default)]
struct Changes(Vec<String>);

impl Changes {
    fn of<T: PartialEq>(&mut self, what: &str, before: &T, after: &T, word: impl Fn(&T) -> String) {
        if before != after {
            self.words(what, &word(before), &word(after));
        }
    }

    fn words(&mut self, what: &str, before: &str, after: &str) {
        if before != after {
            self.0.push(format!("{what} {before} becomes {after}"));
        }
    }

    fn switch(&mut self, what: &str, before: bool, after: bool) {
        let word = |on: &bool| if *on { "on" } else { "off" }.to_owned();
        self.of(what, &before, &after, word);
    }

    fn time(&mut self, what: &str, before: Duration, after: Duration) {
        let word =
            |time: &Duration| or_none(Some(*time).filter(|time| !time.is_zero()), |it| format!("{it:?}"));
        self.of(what, &before, &after, word);
    }

    /// Arguments may hold what is nobody's business, and are many.
    fn command(&mut self, what: &str, before: Option<&Command>, after: Option<&Command>) {
        let program = |command: Option<&Command>| or_none(command, |command| command.program.clone());
        if before != after && program(before) == program(after) {
            self.0.push(format!("{what} is called otherwise"));
        }
        self.words(what, &program(before), &program(after));
    }

    fn persistence(&mut self, before: Option<&Persistence>, after: Option<&Persistence>) {
        let seconds = |it: &Option<&Persistence>| or_none(*it, |it| format!("{:?}", it.timeout));
        let engine = |it: &Persistence| or_none(it.engine.as_deref(), str::to_owned);
        self.of("persistence_timeout", &before, &after, seconds);
        // As it is not set otherwise without being set at all, what that says is enough.
        if let (Some(before), Some(after)) = (before, after) {
            self.of("persistence_granularity", &before.mask, &after.mask, |mask| match mask {
                PersistenceMask::V4(mask) => mask.to_string(),
                PersistenceMask::V6(length) => length.to_string(),
            });
            self.words("persistence_engine", &engine(before), &engine(after));
        }
    }

    fn checkers(&mut self, before: &[Checker], after: &[Checker]) {
        let are_alike = before.len() == after.len()
            && before.iter().zip(after).all(|pair| match pair {
                (Checker::Probe(before), Checker::Probe(after)) => before.check == after.check,
                (before, after) => before == after,
            });
        if !are_alike {
            self.0.push("is checked otherwise, and stays as it is until that says so".to_owned());
            return;
        }
        let mut paces = Self::default();
        for pair in before.iter().zip(after) {
            if let (Checker::Probe(before), Checker::Probe(after)) = pair {
                paces.pace(before, after);
            }
        }
        // Most checkers have that of their virtual server.
        paces.0.sort_unstable();
        paces.0.dedup();
        self.0.append(&mut paces.0);
    }

    fn pace(&mut self, before: &Probe, after: &Probe) {
        let Probe { check: _, interval, warmup, retry, delay_before_retry, alpha, log_all_failures } = before;
        self.time("delay_loop", *interval, after.interval);
        // Unless they are set they are that of the loop.
        let usual = (*interval, after.interval);
        for (what, times) in [
            ("warmup", (*warmup, after.warmup)),
            ("delay_before_retry", (*delay_before_retry, after.delay_before_retry)),
        ] {
            if times != usual {
                self.time(what, times.0, times.1);
            }
        }
        self.of("retry", retry, &after.retry, ToString::to_string);
        self.switch("alpha of its check", *alpha, after.alpha);
        self.switch("log_all_failures", *log_all_failures, after.log_all_failures);
    }
}

fn or_none<T>(value: Option<T>, word: impl Fn(T) -> String) -> String {
    value.map_or_else(|| "none".to_owned(), word)
}

fn limit(limit: NonZeroU32) -> String {
    limit.to_string()
}

fn sorry(server: &SorryServer) -> String {
    let SorryServer { address, port, forwarding, inhibit } = server;
    let inhibit = if *inhibit { ", inhibited" } else { "" };
    format!("{} ({}{inhibit})", endpoint(*address, *port), way(*forwarding))
}

fn endpoint(address: IpAddr, port: Option<NonZeroU16>) -> String {
    format!("[{address}]:{}", port.map_or(0, NonZeroU16::get))
}

/// As after `lvs_method`.
fn way(method: Forwarding) -> String {
    let tunnel = match method {
        Forwarding::Nat => return "NAT".to_owned(),
        Forwarding::Direct => return "DR".to_owned(),
        Forwarding::Tunnel(tunnel) => tunnel,
    };
    let kind = match tunnel.kind {
        TunnelKind::IpIp => "TUN type ipip".to_owned(),
        TunnelKind::Gue { port } => format!("TUN type gue port {port}"),
        TunnelKind::Gre => "TUN type gre".to_owned(),
    };
    match tunnel.checksum {
        TunnelChecksum::None => kind,
        TunnelChecksum::Outer => kind + " csum",
        TunnelChecksum::Remote => kind + " remcsum",
    }
}
