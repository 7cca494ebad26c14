//! `vrrp_instance`: what is meant, defaults applied and contradictions settled as keepalived settles them.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::time::Duration;

use model::vrrp::{self, Auth, Initial, Password, Preempt, Transport, Version};
use model::{Centis, Priority};

use crate::diagnostic::{Code, Diagnostic, shown};
use crate::lower::address::Advertised;
use crate::lower::instance::AuthKind;
use crate::lower::track::{Defaults, Who};
use crate::lower::{Global, Instance, Report, Spanned, route, rule};
use crate::number::Decimal;
use crate::source::Span;

/// How many addresses an advertisement counts to (RFC 9568 §5.2.5).
const MOST_ADDRESSES: usize = 255;

/// RFC 9568 §6.1: a master is down after three intervals.
const DOWN_TIMER_ADVERTS: u8 = 3;

impl Instance {
    /// The virtual router that is meant, if it has an interface and a VRID.
    pub(crate) fn resolve(
        mut self,
        global: &Global,
        trackable: &Defaults,
        report: &mut Report,
    ) -> Option<vrrp::Instance> {
        self.move_excess_addresses(report);
        let interface = self.interface.clone()?.value;
        let vrid = self.vrid?.value;
        let strict = self.strict.unwrap_or(global.strict);
        let version = self.version.unwrap_or(global.version);
        let priority = self.priority();
        self.check_addresses(version, strict, report);
        let advertised = self.addresses.iter().map(|draft| draft.resolve(&interface, Advertised::Yes));
        let excluded = self.excluded.iter().map(|draft| draft.resolve(&interface, Advertised::No));
        let addresses = advertised.chain(excluded).collect();
        let tracked = self.track.resolve(trackable, Who::Instance(&interface, priority), report);
        let routes = route::resolve(std::mem::take(&mut self.routes));
        let rules = rule::resolve(std::mem::take(&mut self.rules));
        let transport = self.transport(global, report);
        let check_unicast_src = self.check_unicast_src || global.check_unicast_src;
        Some(vrrp::Instance {
            vrid,
            version,
            priority,
            initial: self.initial(),
            advert_interval: self.advert_interval(version, report),
            down_timer_adverts: self.down_timer_adverts(global, strict, report),
            auth: self.auth(version, strict, report),
            check_unicast_src: check_unicast_src && matches!(transport, Transport::Unicast { .. }),
            transport,
            source: self.source(report),
            addresses,
            routes,
            rules,
            preempt: self.preempt(priority, strict, report),
            accept: self.accept(version, priority, strict, report),
            strict,
            track_primary: self.track_primary,
            track_interfaces: tracked.interfaces,
            track_scripts: tracked.scripts,
            track_files: tracked.files,
            track_processes: tracked.processes,
            track_bfds: tracked.bfds,
            garp: self.garp.resolve(&global.garp, strict),
            lower_prio_no_advert: self.lower_prio_no_advert.or(global.lower_prio_no_advert).unwrap_or(strict),
            higher_prio_send_advert: self.higher_prio_send_advert(global, strict, report),
            skip_check_adv_addr: self.skip_check_adv_addr.unwrap_or(global.skip_check_adv_addr),
            notify: self.notify.resolve(global),
            ..vrrp::Instance::new(&self.name.value, interface, vrid)
        })
    }

    /// Without `priority`, who wants to be master owns the addresses.
    fn priority(&self) -> Priority {
        let wants_master = self.state.is_some_and(|state| state.value == Initial::Master);
        self.priority.unwrap_or(if wants_master { Priority::OWNER } else { Priority::DEFAULT })
    }

    fn initial(&self) -> Initial {
        let default = if self.priority == Some(Priority::OWNER) { Initial::Master } else { Initial::Backup };
        self.state.map_or(default, |state| state.value)
    }

    /// Whole seconds in version 2, hundredths up to 40.95 s in version 3.
    fn advert_interval(&self, version: Version, report: &mut Report) -> Centis {
        let Some(Spanned { value, span }) = self.advert_interval else { return Centis::SECOND };
        let (unit, most) = match version {
            Version::V2 => (Duration::from_secs(1), Duration::from_secs(255)),
            Version::V3 => (Duration::from_millis(10), Duration::from_millis(40_950)),
        };
        let used = nearest(value, unit).clamp(unit, most);
        if used != value {
            let centis = Centis::try_from(used).unwrap_or(Centis::SECOND);
            let asked = Decimal(u64::try_from(value.as_micros()).unwrap_or(u64::MAX));
            let headline =
                format!("VRRP version {version} cannot carry an interval of {asked}s; {centis} is used");
            let help = match version {
                Version::V2 => "version 2 carries whole seconds; write `version 3` for shorter steps",
                Version::V3 => "version 3 carries 0.01 to 40.95 seconds in steps of 0.01",
            };
            report.push(Diagnostic::warning(Code::Adjusted, span, headline).help(help));
        }
        Centis::try_from(used).unwrap_or(Centis::SECOND)
    }

    fn down_timer_adverts(&self, global: &Global, strict: bool, report: &mut Report) -> u8 {
        if !strict {
            return self.down_timer_adverts.map_or(global.down_timer_adverts, |count| count.value);
        }
        if let Some(count) = self.down_timer_adverts.filter(|count| count.value != DOWN_TIMER_ADVERTS) {
            report.push(strict_mode(count.span, "another count of adverts than 3; 3 is used"));
        }
        DOWN_TIMER_ADVERTS
    }

    /// RFC 3768 and all later ones have no authentication.
    fn auth(&self, version: Version, strict: bool, report: &mut Report) -> Auth {
        let Some(draft) = &self.auth else { return Auth::None };
        if draft.kind != AuthKind::Pass {
            if let Some(password) = draft.password.filter(|_| draft.kind == AuthKind::Unsaid) {
                let headline = "without `auth_type` this password has no effect";
                report.push(
                    Diagnostic::note(Code::Authentication, password.span, headline)
                        .help("add `auth_type PASS`"),
                );
            }
            return Auth::None;
        }
        if version == Version::V3 {
            let headline = "VRRP version 3 has no authentication; this block has no effect";
            report.push(Diagnostic::warning(Code::Authentication, draft.span, headline));
            return Auth::None;
        }
        if strict {
            report.push(strict_mode(draft.span, "authentication; this block has no effect"));
            return Auth::None;
        }
        let Some(password) = draft.password else {
            let headline = "there is no password; advertisements go out without authentication";
            report.push(
                Diagnostic::warning(Code::Authentication, draft.span, headline)
                    .help("add `auth_pass PASSWORD`"),
            );
            return Auth::None;
        };
        Auth::Pass(Password(password.value))
    }

    fn transport(&self, global: &Global, report: &mut Report) -> Transport {
        let group = self.group.map_or(global.group_v4, |group| group.value);
        if self.peers.is_empty() {
            if let Some(unicast) = self.unicast {
                let headline = format!("{} is unicast but has no peers", shown(&self.name.value));
                report.push(Diagnostic::warning(Code::Transport, unicast, headline).help(
                    "advertisements go to the multicast group; list the other routers in `unicast_peer`",
                ));
            }
            return Transport::Multicast { group: group.into() };
        }
        if let Some(group) = self.group {
            let headline =
                "an instance with unicast peers has no multicast destination; the line has no effect";
            report.push(Diagnostic::warning(Code::Transport, group.span, headline));
        }
        let mut peers = BTreeSet::new();
        let mut listed: Vec<IpAddr> = Vec::new();
        for peer in &self.peers {
            if !peers.insert(peer.value) {
                let headline = format!("`{}` is listed already", peer.value);
                report.push(Diagnostic::note(Code::DuplicateEntry, peer.span, headline));
            } else {
                listed.push(peer.value);
            }
        }
        Transport::unicast(listed)
    }

    fn source(&self, report: &mut Report) -> Option<IpAddr> {
        let source = self.source?;
        if source.value.is_ipv6() {
            let headline = "the source address is not of the family of the instance; the line has no effect";
            report.push(Diagnostic::warning(Code::InvalidAddress, source.span, headline));
            return None;
        }
        Some(source.value)
    }

    fn preempt(&self, priority: Priority, strict: bool, report: &mut Report) -> Preempt {
        let master = self.state.filter(|state| state.value == Initial::Master);
        let never = self.nopreempt.filter(|&nopreempt| match (priority, master) {
            (Priority::OWNER, _) => {
                let headline = "the owner of the addresses always preempts; `nopreempt` has no effect";
                let help = "give it a `priority` below 255";
                report.push(Diagnostic::warning(Code::Preemption, nopreempt, headline).help(help));
                false
            }
            (_, Some(state)) => {
                let headline = "`nopreempt` has no effect with `state MASTER`";
                report.push(
                    Diagnostic::warning(Code::Preemption, nopreempt, headline)
                        .label(state.span, "write `BACKUP` here, on all hosts"),
                );
                false
            }
            _ => true,
        });
        let delay = self.preempt_delay.filter(|delay| !delay.value.is_zero());
        let delay = delay.filter(|delay| self.may_delay(*delay, never, strict, report));
        match (never, delay) {
            (Some(_), _) => Preempt::Never,
            (None, Some(delay)) => Preempt::After(delay.value),
            (None, None) => Preempt::Always,
        }
    }

    /// Whether `preempt_delay` goes with the rest.
    fn may_delay(
        &self,
        delay: Spanned<Duration>,
        never: Option<Span>,
        strict: bool,
        report: &mut Report,
    ) -> bool {
        let master = self.state.filter(|state| state.value == Initial::Master);
        if strict {
            report.push(strict_mode(delay.span, "`preempt_delay`; the line has no effect"));
            return false;
        }
        let other = master
            .map(|state| (state.span, "state MASTER"))
            .or_else(|| never.map(|span| (span, "nopreempt")));
        let Some((other, what)) = other else { return true };
        let headline = format!("`preempt_delay` has no effect with `{what}`");
        let remark = "these contradict each other";
        report.push(Diagnostic::warning(Code::Preemption, delay.span, headline).label(other, remark));
        false
    }

    fn accept(&self, version: Version, priority: Priority, strict: bool, report: &mut Report) -> bool {
        if !strict || priority == Priority::OWNER {
            return true;
        }
        if let Some(accept) = self.accept {
            if version == Version::V3 {
                return true;
            }
            report.push(strict_mode(accept, "`accept` in VRRP version 2; the line has no effect"));
        }
        let headline = "strict mode should drop packets to the virtual addresses; they are accepted for now";
        report.push(
            Diagnostic::note(Code::NotBuilt, self.name.span, headline).help("the filter is not built yet"),
        );
        false
    }

    fn higher_prio_send_advert(&self, global: &Global, strict: bool, report: &mut Report) -> bool {
        if strict {
            if let Some(asked) = self.higher_prio_send_advert.filter(|asked| asked.value) {
                report.push(strict_mode(asked.span, "`higher_prio_send_advert`; the line has no effect"));
            }
            return false;
        }
        self.higher_prio_send_advert.map_or(global.higher_prio_send_advert, |asked| asked.value)
    }

    fn move_excess_addresses(&mut self, report: &mut Report) {
        if self.addresses.len() <= MOST_ADDRESSES {
            return;
        }
        let excess = self.addresses.split_off(MOST_ADDRESSES);
        if let Some(first) = excess.first() {
            let headline = format!("an advertisement lists at most {MOST_ADDRESSES} addresses");
            report.push(Diagnostic::warning(Code::TooManyAddresses, first.span, headline).help(
                "from here on they are held but not advertised; move them to `virtual_ipaddress_excluded`",
            ));
        }
        self.excluded.splice(0..0, excess);
    }

    fn check_addresses(&mut self, version: Version, strict: bool, report: &mut Report) {
        if let Some(flag) = self.needs_no_address.filter(|_| strict) {
            report.push(strict_mode(flag, "`no_virtual_ipaddress`"));
        }
        if self.addresses.is_empty() && (strict || self.needs_no_address.is_none()) {
            let headline = format!("{} has no virtual address to advertise", shown(&self.name.value));
            let help = "add a `virtual_ipaddress` block";
            let needed = strict || version == Version::V3;
            let make = if needed { Diagnostic::error } else { Diagnostic::warning };
            report.push(make(Code::NoAddresses, self.name.span, headline).help(help));
        }
        let mut seen = BTreeMap::new();
        for list in [&mut self.addresses, &mut self.excluded] {
            list.retain(|draft| match seen.entry(draft.prefix.address()) {
                Entry::Vacant(place) => {
                    place.insert(draft.span);
                    true
                }
                Entry::Occupied(first) => {
                    let headline = format!("`{}` is listed already", draft.prefix.address());
                    let note = Diagnostic::note(Code::DuplicateEntry, draft.span, headline);
                    report.push(note.label(*first.get(), "first here"));
                    false
                }
            });
        }
    }
}

/// `value` rounded to whole `unit`s, halves up.
fn nearest(value: Duration, unit: Duration) -> Duration {
    let (value, unit) = (value.as_micros(), unit.as_micros().max(1));
    let rounded = (value + unit / 2) / unit * unit;
    Duration::from_micros(u64::try_from(rounded).unwrap_or(u64::MAX))
}

fn strict_mode(span: Span, what: &str) -> Diagnostic {
    Diagnostic::warning(Code::Strict, span, format!("strict mode forbids {what}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rounding_is_to_the_nearest() {
        let round =
            |millis, unit| nearest(Duration::from_millis(millis), Duration::from_millis(unit)).as_millis();
        assert_eq!(round(1_500, 1_000), 2_000);
        assert_eq!(round(1_499, 1_000), 1_000);
        assert_eq!(round(124, 10), 120);
        assert_eq!(round(125, 10), 130);
        assert_eq!(round(3, 1_000), 0);
    }
}
