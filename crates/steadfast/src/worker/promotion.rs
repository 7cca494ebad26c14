//! Interfaces on which a secondary address outlives the one whose secondary it is (`promote_secondaries`).

use std::collections::BTreeMap;

use model::IfName;
use sys::sysctl::{self, Error};
use vrrp::InstanceId;

/// Who wants it where, and what was set there before.
#[derive(Debug, Default)]
pub(super) struct Promotion {
    wanted: BTreeMap<InstanceId, IfName>,
    /// Interfaces that we have changed.
    changed: BTreeMap<IfName, String>,
}

impl Promotion {
    /// From now on `instance` wants it on this interface, or nowhere. What nobody wants any more stays until
    /// [`Self::restore`]: it is for addresses that are being deleted that it matters.
    ///
    /// # Errors
    /// The setting cannot be read or written.
    pub(super) fn want(&mut self, instance: InstanceId, device: Option<&IfName>) -> Result<(), Error> {
        let Some(device) = device else {
            self.wanted.remove(&instance);
            return Ok(());
        };
        let is_known = self.wanted.insert(instance, device.clone()).as_ref() == Some(device);
        if is_known || self.changed.contains_key(device) {
            return Ok(());
        }
        let before = sysctl::read(&setting(device))?;
        if before != ON {
            sysctl::write(&setting(device), ON)?;
            self.changed.insert(device.clone(), before);
        }
        Ok(())
    }

    /// Sets back what nobody wants any more. An interface that is gone has taken its setting along.
    ///
    /// # Errors
    /// The first setting that cannot be written.
    pub(super) fn restore(&mut self) -> Result<(), Error> {
        let wanted = &self.wanted;
        let idle = self.changed.extract_if(.., |device, _| !wanted.values().any(|one| one == device));
        let mut result = Ok(());
        for (device, before) in idle {
            match sysctl::write(&setting(&device), &before) {
                Ok(()) | Err(Error::Missing(_)) => {}
                Err(error) => result = result.and(Err(error)),
            }
        }
        result
    }
}

fn setting(device: &IfName) -> [&str; 4] {
    ["ipv4", "conf", device.as_str(), "promote_secondaries"]
}

const ON: &str = "1";
