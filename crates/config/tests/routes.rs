//! Addresses, routes and rules: what each line means, and whether keepalived agrees.
//!
//! `fixtures/routes/verdicts.txt` holds lines of value blocks with the exit code of Debian's `keepalived -t` for them and ours, in
//! its numbers: 0 is silence, 5 a complaint that a daemon survives, 2 a word that must not be missing. Where the two differ, a
//! comment says why. With `STEADFAST_BLESS=1` our column is written anew.

use std::fs;

use steadfast_config as config;

use common::{folder, is_blessing, judged as load};
use config::render::{self, Colour};
use config::{Code, Loaded, Severity};
use model::vrrp::VirtualAddress;

mod common;

/// A file that has `line` in the kind of block that `kind` says; `;;` separates several.
fn file(kind: &str, line: &str) -> String {
    let lines = line.replace(" ;; ", "\n");
    let instance =
        |inside: &str| format!("vrrp_instance A {{\ninterface eth0\nvirtual_router_id 7\n{inside}\n}}\n");
    let addresses = "virtual_ipaddress {\n192.0.2.1/24\n}\n";
    let inside = |block: &str| instance(&format!("{addresses}{block} {{\n{lines}\n}}"));
    let outside = |block: &str| {
        format!("{}track_group tg {{\ngroup {{\nA\n}}\n}}\n{block} {{\n{lines}\n}}\n", instance(addresses))
    };
    match kind {
        "vv" => instance(&format!("virtual_ipaddress {{\n{lines}\n}}")),
        "va" => inside("virtual_ipaddress_excluded"),
        "vr" => inside("virtual_routes"),
        "vu" => inside("virtual_rules"),
        "sa" => outside("static_ipaddress"),
        "sr" => outside("static_routes"),
        "su" => outside("static_rules"),
        _ => panic!("{kind}"),
    }
}

/// What a test of the file would end with on a host with `eth0` and `eth1`, whose names of tables are those of iproute2.
fn verdict(loaded: &Loaded) -> u8 {
    let is_missing = |(name, _): &(model::IfName, _)| !["eth0", "eth1", "lo"].contains(&name.as_str());
    match loaded.worst() {
        Some(Severity::Error) => 2,
        Some(Severity::Warning) => 5,
        _ if loaded.interfaces.iter().any(is_missing) || !loaded.names.is_empty() => 5,
        Some(Severity::Note) | None => 0,
    }
}

#[test]
fn verdicts_are_those_of_keepalived() {
    let path = folder("routes").join("verdicts.txt");
    let text = fs::read_to_string(&path).unwrap();
    let mut actual = String::new();
    let mut reason = false;
    let mut unexplained = Vec::new();
    for row in text.lines() {
        let mut columns = row.splitn(4, '|');
        let (Some(theirs), Some(_), Some(kind), Some(line)) =
            (columns.next(), columns.next(), columns.next(), columns.next())
        else {
            reason = row.starts_with('#');
            actual += &format!("{row}\n");
            continue;
        };
        let ours = verdict(&load(&file(kind, line)));
        if theirs != ours.to_string() && !reason {
            unexplained.push(format!("{theirs}|{ours}|{kind}|{line}"));
        }
        actual += &format!("{theirs}|{ours}|{kind}|{line}\n");
    }
    if is_blessing() {
        fs::write(&path, &actual).unwrap();
    }
    assert!(unexplained.is_empty(), "without a reason:\n{}", unexplained.join("\n"));
    assert!(is_blessing() || text == actual, "{actual}");
}

/// Everything that is said about the lines of `NAME.conf`, and what they mean.
fn compare(name: &str) {
    let path = folder("routes").join(name).with_extension("conf");
    let loaded = load(&fs::read_to_string(&path).unwrap());
    let mut said = String::new();
    for diagnostic in loaded.diagnostics.iter().filter(|diagnostic| !diagnostic.code.is_not_built()) {
        said += &format!("{}\n\n", render::full(diagnostic, &loaded.sources, Colour::Off));
    }
    let instances = loaded.config.vrrp.instances.iter();
    let held: Vec<_> =
        instances.map(|instance| (&instance.addresses, &instance.routes, &instance.rules)).collect();
    let model = serde_json::to_string_pretty(&(held, &loaded.config.vrrp.statics)).unwrap() + "\n";
    for (extension, actual) in [("txt", said), ("json", model)] {
        common::compare(&path.with_extension(extension), &actual);
    }
}

#[test]
fn complete_lists_mean_what_they_say() {
    compare("complete");
}

#[test]
fn mistakes_are_explained() {
    compare("mistakes");
}

#[test]
fn the_options_of_today_mean_what_they_meant() {
    let loaded = load(&file("va", "192.0.2.9/24 dev eth1 brd + scope link label eth1:1"));
    let address = &loaded.config.vrrp.instances[0].addresses[1];
    let plain = VirtualAddress::new("192.0.2.9/24".parse_prefix(), "eth1".parse().unwrap());
    let expected = VirtualAddress {
        scope: model::Scope::LINK.into(),
        broadcast: Some([192, 0, 2, 255].into()),
        label: Some("eth1:1".to_owned()),
        advertised: false,
        ..plain
    };
    assert_eq!(*address, expected);
}

trait ParsePrefix {
    fn parse_prefix(&self) -> model::Prefix;
}

impl ParsePrefix for str {
    fn parse_prefix(&self) -> model::Prefix {
        let (address, length) = self.split_once('/').unwrap();
        model::Prefix::new(address.parse().unwrap(), length.parse().unwrap()).unwrap()
    }
}

#[test]
fn names_that_only_the_host_knows_are_listed() {
    let loaded = load(&file("vr", "198.51.100.0/24 dev eth0 table corp protocol lab no_track"));
    let names: Vec<_> = loaded.names.iter().map(|name| (name.name.as_str(), name.file)).collect();
    assert_eq!(names, [("corp", "rt_tables"), ("lab", "rt_protos")]);
    assert_eq!(loaded.worst(), None);
}

#[test]
fn static_addresses_go_to_the_default_interface() {
    let text = |global: &str| format!("{global}static_ipaddress {{\n192.0.2.9\n}}\n");
    let device =
        |global: &str| load(&text(global)).config.vrrp.statics.addresses.remove(0).item.device.to_string();
    assert_eq!(device(""), "eth0");
    assert_eq!(device("global_defs {\ndefault_interface eth1\n}\n"), "eth1");
}

#[test]
fn rules_without_a_priority_are_ranked_in_file_order() {
    let loaded = load(&file("vu", "from 192.0.2.9 table 10 ;; nop ;; to 192.0.2.7 table 10 priority 5"));
    let rules = &loaded.config.vrrp.instances[0].rules;
    let priorities: Vec<_> = rules.iter().map(|rule| rule.priority).collect();
    assert_eq!(priorities, [16_384, 16_383, 5]);
    assert!(loaded.diagnostics.iter().any(|diagnostic| diagnostic.code == Code::Unranked));
}

#[test]
fn long_lists_take_linear_time() {
    let lines = |count: usize| {
        let each = (0..count).map(|n| {
            let (a, b) = (n / 250 % 250, n % 250);
            format!("10.{a}.{b}.0/24 dev eth0 metric {n} nexthop via 192.0.2.1 weight 2 nexthop dev eth1 track_grup x")
        });
        each.collect::<Vec<_>>().join(" ;; ")
    };
    let took = |count| {
        let text = file("sr", &lines(count));
        let start = std::time::Instant::now();
        assert_eq!(load(&text).config.vrrp.statics.routes.len(), count);
        start.elapsed()
    };
    let (few, many) = (took(2_000), took(20_000));
    assert!(many < few * 40, "{few:?} {many:?}");
}
