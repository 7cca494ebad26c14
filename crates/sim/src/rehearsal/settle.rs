//! How long it takes until all that follows from an event has happened.

use std::time::Duration;

use model::vrrp::{Config, Instance, Preempt, Script};
use model::{Centis, Priority};

/// The time after which a cluster of these configurations has settled, as far as they tell. No longer than [`MOST`].
pub(super) fn bound<'a>(configs: impl Iterator<Item = &'a Config> + Clone) -> Duration {
    let instances = configs.clone().flat_map(|config| &config.instances);
    let interval = instances.clone().map(|one| one.advert_interval).max().unwrap_or(Centis::SECOND);
    let down = instances.clone().map(|one| silence(one, interval)).max().unwrap_or_default();
    let preempt = instances.map(waits).max().unwrap_or_default();
    let scripts = configs.flat_map(|config| &config.scripts).map(verdict).max().unwrap_or_default();
    // One takeover, a better one after it, and another for the groups that yielded to each other.
    let all = scripts + down * 3 + interval.duration() * 3 + preempt + SLACK;
    // Whole seconds read better.
    Duration::from_secs(all.as_secs() + 1).min(MOST)
}

/// How long the worst backup waits for a master that has this interval.
fn silence(instance: &Instance, interval: Centis) -> Duration {
    vrrp::master_down_interval(instance.version, Priority(1), interval, instance.down_timer_adverts)
}

fn waits(instance: &Instance) -> Duration {
    match instance.preempt {
        Preempt::After(delay) => delay,
        Preempt::Always | Preempt::Never => Duration::ZERO,
    }
}

/// How long until a script's verdict follows its service.
fn verdict(script: &Script) -> Duration {
    (script.interval.max(script.timeout) + script.timeout)
        .saturating_mul(script.rise.max(script.fall).saturating_add(1))
}

/// Start-up, kernels, LANs.
const SLACK: Duration = Duration::from_secs(2);
/// Nothing is waited for longer.
pub const MOST: Duration = Duration::from_secs(3600);
