//! What is said of a reload: from what to what each setting changes.

use lvs::{Fate, differences};
use model::lvs::Config;
use steadfast_lvs as lvs;

use super::rig::Text;

fn config(service: &str, server: &str) -> Config {
    let text = format!(
        "global_defs {{\nscript_user root\n}}\nvirtual_server 192.0.2.1 80 {{\nprotocol TCP\n{service}\n\
         real_server 10.0.0.1 80 {{\n{server}\n}}\n}}\n"
    );
    config::load(&Text(&text), "case.conf").config.lvs
}

const SERVICE: &str = "lvs_sched rr\nlvs_method NAT\ndelay_loop 6";
const SERVER: &str = "weight 1\nTCP_CHECK {\nconnect_timeout 1\n}";

#[track_caller]
fn assert_said(service: &str, server: &str, wanted: &[&str]) {
    let differences = differences(&config(SERVICE, SERVER), &config(service, server));
    let effects: Vec<_> = differences.iter().flat_map(|difference| &difference.effects).collect();
    assert_eq!(effects, wanted, "{service}\n{server}");
    assert!(differences.iter().all(|one| one.fate == Fate::Changes && !one.cuts), "{differences:?}");
}

#[test]
fn each_setting_of_a_virtual_server_is_named() {
    for (setting, said) in [
        ("lvs_sched wrr", "scheduler rr becomes wrr"),
        ("flag-2", "flag-2 off becomes on"),
        ("persistence_timeout 90", "persistence_timeout none becomes 90s"),
        ("quorum_down /bin/down", "quorum_down none becomes /bin/down"),
        ("sorry_server 10.0.0.9 81", "sorry_server none becomes [10.0.0.9]:81 (NAT)"),
        ("ha_suspend", "ha_suspend off becomes on"),
        ("omega", "omega off becomes on"),
        ("snmp_name web", "snmp_name none becomes web"),
    ] {
        assert_said(&format!("{SERVICE}\n{setting}"), SERVER, &[said]);
    }
    let called = |command: &str| config(&format!("{SERVICE}\nquorum_up \"{command}\""), SERVER);
    for (command, said) in [
        ("/bin/other", "quorum_up /bin/up becomes /bin/other"),
        ("/bin/up secret", "quorum_up is called otherwise"),
    ] {
        assert_eq!(differences(&called("/bin/up"), &called(command))[0].effects, [said]);
    }
    let masks = ["255.255.255.0", "255.255.0.0"].map(|mask| {
        config(&format!("{SERVICE}\npersistence_timeout 90\npersistence_granularity {mask}"), SERVER)
    });
    let [before, after] = &masks;
    assert_eq!(
        differences(before, after).first().map(|one| one.effects.clone()),
        Some(vec!["persistence_granularity 255.255.255.0 becomes 255.255.0.0".to_owned()])
    );
}

#[test]
fn each_setting_of_a_real_server_is_named_once() {
    for (setting, said) in [
        ("weight 3", "weight 1 becomes 3"),
        ("lvs_method TUN type gue port 6080 csum", "lvs_method NAT becomes TUN type gue port 6080 csum"),
        ("uthreshold 10", "uthreshold none becomes 10"),
        ("lthreshold 10", "lthreshold none becomes 10"),
        ("inhibit_on_failure", "inhibit_on_failure off becomes on"),
        ("notify_up /bin/up", "notify_up none becomes /bin/up"),
        ("virtualhost a.example", "virtualhost none becomes a.example"),
        ("steadfast {\ndrain 30\n}", "drain none becomes 30s"),
        ("delay_loop 0.5", "delay_loop 6s becomes 500ms"),
        ("retry 9", "retry 1 becomes 9"),
        ("UDP_CHECK {\n}", "is checked otherwise, and stays as it is until that says so"),
    ] {
        let server = format!("{SERVER}\n{setting}");
        assert_said(SERVICE, &server, &[&format!("[10.0.0.1]:tcp:80: {said}")]);
    }
    // One pace for both checkers.
    let two = format!("{SERVER}\nDNS_CHECK {{\nname a.example\n}}");
    let said = differences(&config(SERVICE, &two), &config(&SERVICE.replace("loop 6", "loop 7"), &two));
    assert_eq!(said[0].effects, ["[10.0.0.1]:tcp:80: delay_loop 6s becomes 7s"]);
    assert_said(SERVICE, SERVER, &[]);
}
