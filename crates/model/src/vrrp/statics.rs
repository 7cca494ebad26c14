//! Addresses, routes and rules that do not depend on who is master.

use serde::{Deserialize, Serialize};

use crate::address::VirtualAddress;
use crate::route::Route;
use crate::rule::Rule;

/// `static_ipaddress`, `static_routes` and `static_rules`, each in file order.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Statics {
    /// Addresses, none of them advertised.
    pub addresses: Vec<Static<VirtualAddress>>,
    /// Routes.
    pub routes: Vec<Static<Route>>,
    /// Policy rules.
    pub rules: Vec<Static<Rule>>,
}

/// Something that is there whoever is master.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Static<T> {
    /// What.
    pub item: T,
    /// The name of a [`TrackGroup`](super::TrackGroup) whose instances fail when it is lost (`track_group`).
    pub track_group: Option<String>,
}
