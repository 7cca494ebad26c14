//! What others have done to services of ours.

use std::fmt;

use model::ipvs::{DestinationKey, Service, ServiceKey};

use super::terms::{HeldService, Settings, Target};

/// What something else has changed of a service of ours since it was as it should be. It is made good.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Damage {
    /// The service.
    pub service: ServiceKey,
    /// What has become of it.
    pub loss: Loss,
}

/// What has become of a service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Loss {
    /// It was taken out of the table, with this number of destinations.
    Whole(usize),
    /// It is there.
    Part {
        /// It was set otherwise itself.
        is_changed: bool,
        /// These destinations were taken out.
        gone: Vec<DestinationKey>,
        /// These were set otherwise.
        changed: Vec<DestinationKey>,
        /// These were added.
        added: Vec<DestinationKey>,
    },
}

impl Damage {
    /// What differs between what was known and what is there, as far as it is not what is wanted.
    pub(super) fn find(
        service: ServiceKey,
        before: &HeldService,
        now: Option<&HeldService>,
        wanted: &Service,
    ) -> Option<Self> {
        let Some(now) = now else {
            return Some(Self { service, loss: Loss::Whole(before.destinations.len()) });
        };
        let settings = [&before.settings, &Settings::of(wanted, service.family())];
        let is_changed = settings.into_iter().all(|meant| !now.settings.does_as(meant));
        let (mut gone, mut changed) = (Vec::new(), Vec::new());
        for (place, held) in &before.destinations {
            let Some(meant) = wanted.destinations.get(place).map(Target::of) else { continue };
            match now.destinations.get(place) {
                None => gone.push(*place),
                Some(now) if now.target.does_as(&held.target) || now.target.does_as(&meant) => {}
                Some(_) => changed.push(*place),
            }
        }
        let is_foreign = |place: &&DestinationKey| {
            !before.destinations.contains_key(*place) && !wanted.destinations.contains_key(*place)
        };
        let added: Vec<_> = now.destinations.keys().filter(is_foreign).copied().collect();
        let is_whole = !is_changed && gone.is_empty() && changed.is_empty() && added.is_empty();
        (!is_whole).then_some(Self { service, loss: Loss::Part { is_changed, gone, changed, added } })
    }
}

impl fmt::Display for Damage {
    /// `something else has changed the service [192.0.2.1]:tcp:80: put back: [10.0.0.1]:80`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let key = self.service;
        match &self.loss {
            Loss::Whole(destinations) => {
                write!(f, "something else has taken the service {key} out of the table: it is put back")?;
                match destinations {
                    0 => Ok(()),
                    1 => f.write_str(" with its destination"),
                    many => write!(f, " with its {many} destinations"),
                }
            }
            Loss::Part { is_changed, gone, changed, added } => {
                write!(f, "something else has changed the service {key}: ")?;
                let own = if *is_changed { "set as it was" } else { "" };
                let parts = [
                    own.to_owned(),
                    listed("put back", gone),
                    listed("set as they were", changed),
                    listed("taken out", added),
                ];
                let parts: Vec<_> = parts.into_iter().filter(|part| !part.is_empty()).collect();
                f.write_str(&parts.join("; "))
            }
        }
    }
}

fn listed(what: &str, places: &[DestinationKey]) -> String {
    let names: Vec<_> = places.iter().take(MOST_NAMED).map(ToString::to_string).collect();
    match places.len().saturating_sub(MOST_NAMED) {
        _ if places.is_empty() => String::new(),
        0 => format!("{what}: {}", names.join(", ")),
        more => format!("{what}: {} and {more} more", names.join(", ")),
    }
}

/// More destinations than these are counted.
const MOST_NAMED: usize = 16;
