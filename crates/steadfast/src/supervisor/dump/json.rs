//! The JSON dump, with keepalived's keys in keepalived's order.

use std::fmt::{self, Write as _};

use model::JsonLayout;
use model::vrrp::{Auth, Instance, Preempt, Version};

use super::page::seconds;
use super::topology::{addresses, password, wanted, words};
use super::{Scene, kernel};
use crate::message::State;
use crate::snapshot::{self, Counters};

pub(super) fn write(scene: &Scene<'_>) -> String {
    let instances = scene.config.vrrp.instances.iter().map(|one| instance(scene, one)).collect::<Vec<_>>();
    let list = format!("[{}]", instances.join(","));
    let whole = match scene.config.global.files.dumps.layout {
        JsonLayout::V1 => list,
        JsonLayout::V2 => Object::default().raw("vrrp", list).end(),
    };
    whole + "\n"
}

fn instance(scene: &Scene<'_>, instance: &Instance) -> String {
    let told = scene.told(instance);
    let mut data = Object::default();
    settings(scene, instance, &told, &mut data);
    scripts(instance, &mut data);
    lists(scene, instance, &told, &mut data);
    let kind = match (instance.version, instance.auth) {
        (Version::V3, _) | (_, Auth::None) => 0,
        (Version::V2, Auth::Pass(_)) => 1,
        (Version::V2, Auth::Ah(_)) => 2,
    };
    data.raw("auth_type", kind);
    if let Some(password) = password(instance).filter(|_| kind != 0) {
        data.text("auth_data", &password);
    }
    Object::default().raw("data", data.end()).raw("stats", statistics(&told.counters)).end()
}

fn settings(scene: &Scene<'_>, instance: &Instance, told: &snapshot::Instance, data: &mut Object) {
    let garp = &instance.garp;
    let whole = |span: Option<std::time::Duration>| span.map_or(0, |span| span.as_secs());
    let vmac = instance.own_device.as_ref().map_or("", |device| device.name().as_str());
    let interface = instance.interface.as_ref().map_or("", |name| name.as_str());
    let interval = told.master.map_or(instance.advert_interval, |master| master.interval);
    data.text("iname", &instance.name);
    data.raw("dont_track_primary", u8::from(!instance.track_primary));
    data.raw("skip_check_adv_addr", u8::from(instance.skip_check_adv_addr));
    data.raw("strict_mode", u8::from(instance.strict));
    data.text("vmac_ifname", vmac).text("ifp_ifname", if vmac.is_empty() { interface } else { vmac });
    data.raw("master_priority", told.master.map_or(0, |master| master.priority));
    let since = told.since.map_or(std::time::Duration::ZERO, |at| scene.clocks.wall(at));
    data.raw("last_transition", super::page::micros(since));
    data.raw("garp_delay", whole(garp.delay)).raw("garp_refresh", whole(garp.refresh));
    data.raw("garp_rep", garp.repeat).raw("garp_refresh_rep", garp.refresh_repeat);
    data.raw("garp_lower_prio_delay", whole(garp.lower_prio_delay));
    data.raw("garp_lower_prio_rep", garp.lower_prio_repeat);
    data.raw("lower_prio_no_advert", u8::from(instance.lower_prio_no_advert));
    data.raw("higher_prio_send_advert", u8::from(instance.higher_prio_send_advert));
    data.raw("vrid", instance.vrid).raw("base_priority", instance.priority.get());
    data.raw("effective_priority", told.priority).raw("vipset", told.state == State::Master);
    data.raw("promote_secondaries", instance.promote_secondaries);
    data.raw("adver_int", seconds(instance.advert_interval.duration()));
    data.raw("master_adver_int", seconds(interval.duration()));
    data.raw("accept", u8::from(instance.accept)).raw("nopreempt", instance.preempt == Preempt::Never);
    let delay = match instance.preempt {
        Preempt::After(delay) => delay.as_secs(),
        Preempt::Always | Preempt::Never => 0,
    };
    data.raw("preempt_delay", delay);
    data.raw("state", number(told.state)).raw("wantstate", number(wanted(told)));
    data.raw("version", instance.version).raw("smtp_alert", instance.smtp_alert);
    data.raw("notify_deleted", instance.notify.deleted.is_some());
}

const fn number(state: State) -> u8 {
    match state {
        State::Backup => 1,
        State::Master => 2,
        State::Init | State::Fault => 3,
    }
}

fn scripts(instance: &Instance, data: &mut Object) {
    let notify = &instance.notify;
    let deleted = notify.deleted.as_ref().and_then(|deleted| deleted.command.as_ref());
    for (key, script) in [
        ("script_backup", notify.backup.as_ref()),
        ("script_master", notify.master.as_ref()),
        ("script_fault", notify.fault.as_ref()),
        ("script_stop", notify.stop.as_ref()),
        ("script_deleted", deleted),
        ("script", notify.any.as_ref()),
        ("script_master_rx_lower_pri", notify.master_rx_lower_priority.as_ref()),
    ] {
        if let Some(script) = script {
            data.text(key, &words(script));
        }
    }
}

fn lists(scene: &Scene<'_>, instance: &Instance, told: &snapshot::Instance, data: &mut Object) {
    let (advertised, excluded) = addresses(instance, told);
    data.list("vips", advertised).list("evips", excluded);
    data.list("vroutes", instance.routes.iter().map(kernel::route));
    data.list("vrules", instance.rules.iter().map(kernel::rule));
    data.list("track_ifp", instance.track_interfaces.iter().map(|one| one.interface.to_string()));
    let command = |name: &str| scene.config.vrrp.scripts.iter().find(|script| script.name == name);
    let tracked = instance.track_scripts.iter().filter_map(|one| command(&one.script));
    data.list("track_script", tracked.map(|script| words(&script.command)));
}

fn statistics(counters: &Counters) -> String {
    let mut stats = Object::default();
    stats.raw("advert_rcvd", counters.received).raw("advert_sent", counters.sent);
    stats.raw("become_master", counters.became_master).raw("release_master", counters.released);
    stats.raw("packet_len_err", counters.bad_length).raw("advert_interval_err", counters.bad_interval);
    stats.raw("ip_ttl_err", counters.bad_ttl).raw("invalid_type_rcvd", counters.bad_type);
    stats.raw("addr_list_err", counters.bad_addresses).raw("invalid_authtype", counters.bad_auth_type);
    stats.raw("authtype_mismatch", counters.other_auth_type).raw("auth_failure", counters.auth_failure);
    stats.raw("pri_zero_rcvd", counters.release_received).raw("pri_zero_sent", counters.release_sent);
    stats.end()
}

/// An object whose keys stay in the order in which they come.
#[derive(Debug, Default)]
struct Object {
    members: String,
}

impl Object {
    /// A number, a truth value, or what is JSON already.
    fn raw(&mut self, key: &str, value: impl fmt::Display) -> &mut Self {
        let separator = if self.members.is_empty() { "" } else { "," };
        write!(self.members, "{separator}\"{key}\":{value}").expect("a String takes all");
        self
    }

    fn text(&mut self, key: &str, value: &str) -> &mut Self {
        self.raw(key, quoted(value))
    }

    /// A list of texts, unless there is none.
    fn list(&mut self, key: &str, values: impl IntoIterator<Item = String>) -> &mut Self {
        let values = values.into_iter().map(|value| quoted(&value)).collect::<Vec<_>>();
        if !values.is_empty() {
            self.raw(key, format_args!("[{}]", values.join(",")));
        }
        self
    }

    fn end(&self) -> String {
        format!("{{{}}}", self.members)
    }
}

/// As a JSON string, slashes escaped as keepalived does it.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string().replace('/', "\\/")
}
