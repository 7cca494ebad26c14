//! Where virtual addresses go, and which VMACs are made for them. Names, MACs and places are those of keepalived 2.2.7.

mod common;

use std::collections::BTreeMap;

use common::load;
use model::vrrp::Instance;

/// The instances of a file; each has VRID 51 unless its text says otherwise.
fn instances(globals: &str, texts: &[(&str, &str)]) -> Vec<Instance> {
    let mut file = format!("global_defs {{\n{globals}\n}}\n");
    for (at, (more, addresses)) in texts.iter().enumerate() {
        file += &format!(
            "vrrp_instance i{at} {{\ninterface eth1\nvirtual_router_id 51\nversion 3\n{more}\n\
             virtual_ipaddress {{\n{}\n}}\nvirtual_ipaddress_excluded {{\n{}\n}}\n}}\n",
            addresses.split(", ").filter(|one| !one.contains("::")).collect::<Vec<_>>().join("\n"),
            addresses.split(", ").filter(|one| one.contains("::")).collect::<Vec<_>>().join("\n"),
        );
    }
    load(&file).config.vrrp.instances
}

/// `address device`, and `name base mac` of each VMAC.
fn places(instance: &Instance) -> (BTreeMap<String, String>, Vec<String>) {
    let held = instance.addresses.iter().map(|held| {
        assert_eq!(held.use_vmac, instance.address_vmacs.iter().any(|vmac| vmac.name == held.device));
        (held.prefix.address().to_string(), held.device.to_string())
    });
    let vmacs = instance.address_vmacs.iter();
    (held.collect(), vmacs.map(|vmac| format!("{} {} {}", vmac.name, vmac.base, vmac.mac)).collect())
}

#[track_caller]
fn assert_places(instance: &Instance, held: &[(&str, &str)], vmacs: &[&str]) {
    let (is_held, is_made) = places(instance);
    let held: BTreeMap<_, _> =
        held.iter().map(|&(address, device)| (address.to_owned(), device.to_owned())).collect();
    assert_eq!(is_held, held);
    assert_eq!(is_made, vmacs);
}

#[test]
fn addresses_elsewhere_and_of_the_other_family_get_vmacs() {
    let addresses = "10.0.0.1, 10.0.1.1 dev eth2, 10.0.1.2 dev eth2, 10.0.0.2 dev eth1, 2001:db8::1, 2001:db8::2 dev eth2";
    let made = instances("", &[("use_vmac\nuse_vmac_addr", addresses)]);
    let held = [
        ("10.0.0.1", "vrrp.51"),
        ("10.0.0.2", "vrrp.51"),
        ("10.0.1.1", "vrrp1.51"),
        ("10.0.1.2", "vrrp1.51"),
        ("2001:db8::1", "vrrp6.51"),
        ("2001:db8::2", "vrrp2.51"),
    ];
    let vmacs = [
        "vrrp1.51 eth2 00:00:5e:00:01:33",
        "vrrp6.51 eth1 00:00:5e:00:02:33",
        "vrrp2.51 eth2 00:00:5e:00:02:33",
    ];
    assert_places(&made[0], &held, &vmacs);
}

#[test]
fn an_instance_without_a_vmac_may_have_some_for_addresses() {
    let addresses = "10.0.0.1, 10.0.1.1 dev eth2, 2001:db8::1";
    let made = instances("", &[("use_vmac_addr", addresses)]);
    let held = [("10.0.0.1", "eth1"), ("10.0.1.1", "vrrp.51"), ("2001:db8::1", "vrrp6.51")];
    let vmacs = ["vrrp.51 eth2 00:00:5e:00:01:33", "vrrp6.51 eth1 00:00:5e:00:02:33"];
    assert_places(&made[0], &held, &vmacs);
}

#[test]
fn one_address_can_ask_for_a_vmac() {
    let addresses =
        "10.0.0.1, 10.0.0.2 use_vmac, 10.0.1.1 dev eth2 use_vmac, 10.0.1.2 dev eth2, 2001:db8::1 use_vmac";
    let made = instances("vmac_addr_prefix addr", &[("", addresses)]);
    let held = [
        ("10.0.0.1", "eth1"),
        ("10.0.0.2", "addr.51"),
        ("10.0.1.1", "addr1.51"),
        ("10.0.1.2", "eth2"),
        ("2001:db8::1", "addr6.51"),
    ];
    let vmacs = [
        "addr.51 eth1 00:00:5e:00:01:33",
        "addr1.51 eth2 00:00:5e:00:01:33",
        "addr6.51 eth1 00:00:5e:00:02:33",
    ];
    assert_places(&made[0], &held, &vmacs);
}

#[test]
fn a_vmac_takes_its_own_family_alone() {
    let made = instances("", &[("use_vmac", "10.0.0.1, 10.0.0.2 use_vmac, 10.0.1.1 dev eth2, 2001:db8::1")]);
    let held =
        [("10.0.0.1", "vrrp.51"), ("10.0.0.2", "vrrp.51"), ("10.0.1.1", "eth2"), ("2001:db8::1", "eth1")];
    assert_places(&made[0], &held, &[]);
}

#[test]
fn a_configured_mac_is_that_of_both_families() {
    let more = "use_vmac own 02:11:22:33:44:55\nuse_vmac_addr";
    let addresses = "10.0.0.1, 10.0.1.1 dev eth2, 2001:db8::1, 2001:db8::2 dev eth2";
    let made = instances("", &[(more, addresses)]);
    let held =
        [("10.0.0.1", "own"), ("10.0.1.1", "vrrp.51"), ("2001:db8::1", "own"), ("2001:db8::2", "vrrp.51")];
    assert_places(&made[0], &held, &["vrrp.51 eth2 02:11:22:33:44:55"]);
}

#[test]
fn nothing_goes_beside_an_ipvlan() {
    let made = instances(
        "",
        &[("use_ipvlan ipv 10.0.0.9/24\nuse_vmac_addr", "10.0.0.1, 10.0.0.2 dev eth1, 10.0.1.1 dev eth2")],
    );
    let held = [("10.0.0.1", "ipv"), ("10.0.0.2", "eth1"), ("10.0.1.1", "vrrp.51")];
    assert_places(&made[0], &held, &["vrrp.51 eth2 00:00:5e:00:01:33"]);
}

#[test]
fn instances_share_no_names() {
    let vmac = |more: &'static str| (more, "10.0.0.1, 10.0.1.1 dev eth2");
    let made = instances("", &[vmac("use_vmac\nuse_vmac_addr"), vmac("use_vmac\nuse_vmac_addr")]);
    let names: Vec<_> = made
        .iter()
        .flat_map(|one| {
            one.own_device.iter().map(|own| own.name()).chain(one.address_vmacs.iter().map(|vmac| &vmac.name))
        })
        .map(ToString::to_string)
        .collect();
    assert_eq!(names, ["vrrp.51", "vrrp1.51", "vrrp2.51", "vrrp3.51"]);
}
