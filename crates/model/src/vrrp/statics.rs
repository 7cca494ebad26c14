//! Addresses, routes and rules that do not depend on who is master.

use serde::{Deserialize, Serialize};

/// `static_ipaddress`, `static_routes` and `static_rules`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Statics {}
