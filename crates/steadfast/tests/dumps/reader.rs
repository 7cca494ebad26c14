//! Dumps as exporters read them: by exact words and indents.

use std::collections::BTreeMap;

use serde_json::Value;

/// The lines of each router in `keepalived.data`: `KEY = VALUE` three blanks in; its first address as `Virtual IP`.
pub(crate) fn of_state(text: &str) -> BTreeMap<String, BTreeMap<String, String>> {
    let mut routers: BTreeMap<String, BTreeMap<String, String>> = BTreeMap::new();
    let mut current: Option<&mut BTreeMap<String, String>> = None;
    let mut in_addresses = false;
    for line in text.lines() {
        if line.starts_with("------<") {
            current = None;
        } else if let Some(name) = line.strip_prefix(" VRRP Instance = ") {
            current = Some(routers.entry(name.to_owned()).or_default());
        } else if let Some(router) = current.as_deref_mut() {
            let outer = line.strip_prefix("   ").filter(|rest| !rest.starts_with(' '));
            if let Some((key, value)) = outer.and_then(|rest| rest.split_once(" = ")) {
                router.insert(key.to_owned(), value.to_owned());
            }
            if let (true, Some(address)) = (in_addresses, line.strip_prefix("     ")) {
                router.insert("Virtual IP".to_owned(), address.to_owned());
            }
            in_addresses = line.starts_with("   Virtual IP (");
        }
    }
    routers
}

/// The counters of each router in `keepalived.stats`: `Became master`, `Advertisements/Sent`.
pub(crate) fn of_statistics(text: &str) -> BTreeMap<String, BTreeMap<String, u64>> {
    let mut routers: BTreeMap<String, BTreeMap<String, u64>> = BTreeMap::new();
    let (mut router, mut section) = (String::new(), String::new());
    for line in text.lines() {
        if let Some(name) = line.strip_prefix("VRRP Instance: ") {
            name.clone_into(&mut router);
        } else if let Some(title) = line.strip_prefix("  ").and_then(|line| line.strip_suffix(':')) {
            title.clone_into(&mut section);
        } else if let Some((key, value)) = line.trim_start().split_once(": ") {
            let key = if line.starts_with("    ") { format!("{section}/{key}") } else { key.to_owned() };
            let value = value.parse().unwrap_or_else(|_| panic!("{line:?} is no counter"));
            routers.entry(router.clone()).or_default().insert(key, value);
        }
    }
    routers
}

/// Every key in its order and with its value, except for those that cannot be the same in two runs.
pub(crate) fn shape(json: &str) -> Vec<(String, Value)> {
    const RUNNING: [&str; 3] = ["last_transition", "advert_sent", "advert_rcvd"];
    let order = keys_in_order(json);
    let routers: Vec<Value> = serde_json::from_str(json).expect("it is a list");
    let mut values = routers.iter().flat_map(|router| ["data", "stats"].map(|part| router[part].clone()));
    let mut found = Vec::new();
    let mut part = Value::Null;
    for key in order {
        match key.as_str() {
            "data" | "stats" => part = values.next().expect("each has its part"),
            key if RUNNING.contains(&key) => found.push((key.to_owned(), Value::Null)),
            key => found.push((key.to_owned(), part[key].clone())),
        }
    }
    found
}

fn keys_in_order(json: &str) -> Vec<String> {
    let ends = json.match_indices("\":").map(|(end, _)| &json[..end]);
    ends.map(|before| before[before.rfind('"').expect("it begins") + 1..].to_owned()).collect()
}
