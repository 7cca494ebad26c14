//! Instances and sync groups: what they mean, what is said about them, and whether keepalived agrees.
//!
//! Beside `fixtures/instance/NAME.conf` stand `NAME.json`, what it means, and `NAME.txt`, what is said about it. `verdicts.txt` holds whole
//! files, with ` ~ ` for each new line, with the exit code of Debian's `keepalived -t` for them and ours, in its numbers: 0 is silence,
//! 5 a complaint, 2 a word that must not be missing, 6 scripts without script security. Where one complains and the other does
//! not, a comment says why. With `STEADFAST_BLESS=1` in the environment the tests write these files anew; look at the
//! difference before you keep it.

use std::fmt::Write as _;
use std::fs;

use steadfast_config as config;

use config::render::{self, Colour};
use config::{Code, Severity};

use common::{Text, compare, folder, judged, load};

mod common;

#[test]
fn files_mean_what_they_say() {
    for name in ["plain", "ipv6", "unicast", "devices", "signatures", "groups", "strict", "mistakes"] {
        let path = folder("instance").join(name).with_extension("conf");
        let file = path.file_name().unwrap().to_str().unwrap();
        let mut loaded = config::load(&Text(fs::read(&path).unwrap()), file);
        loaded.diagnostics.retain(|diagnostic| diagnostic.code != Code::NotBuilt);
        let vrrp = (&loaded.config.vrrp.instances, &loaded.config.vrrp.groups);
        compare(&path.with_extension("json"), &(serde_json::to_string_pretty(&vrrp).unwrap() + "\n"));
        let mut said = String::new();
        for diagnostic in &loaded.diagnostics {
            said += &render::full(diagnostic, &loaded.sources, Colour::Off);
            said += "\n\n";
        }
        compare(&path.with_extension("txt"), &said);
        if name != "mistakes" {
            assert!(loaded.worst() <= Some(Severity::Note), "{name}: {said}");
        }
    }
}

/// What a test of the file would end with.
fn verdict(text: &str) -> u8 {
    let loaded = judged(text);
    let insecure = loaded.diagnostics.iter().any(|diagnostic| diagnostic.code == Code::NoScriptSecurity);
    match loaded.worst() {
        _ if insecure => 6,
        Some(Severity::Error) => 2,
        Some(Severity::Warning) => 5,
        Some(Severity::Note) | None => 0,
    }
}

#[test]
fn verdicts_are_those_of_keepalived() {
    let path = folder("instance").join("verdicts.txt");
    let text = fs::read_to_string(&path).unwrap();
    let mut actual = String::new();
    let mut reason = false;
    let mut unexplained = Vec::new();
    for row in text.lines() {
        let mut columns = row.splitn(3, '|');
        let (Some(theirs), Some(_), Some(file)) = (columns.next(), columns.next(), columns.next()) else {
            reason = row.starts_with('#');
            actual += &format!("{row}\n");
            continue;
        };
        let ours = verdict(&file.replace(" ~ ", "\n")).to_string();
        // A complaint is a complaint: how bad a file is, is not the same question for another daemon.
        let class = |verdict: &str| if ["2", "5"].contains(&verdict) { "5" } else { verdict }.to_owned();
        if class(theirs) != class(&ours) && !reason {
            unexplained.push(format!("{theirs}|{ours}|{file}"));
        }
        actual += &format!("{theirs}|{ours}|{file}\n");
    }
    assert!(unexplained.is_empty(), "without a reason:\n{}", unexplained.join("\n"));
    compare(&path, &actual);
}

fn instance(body: &str) -> String {
    format!("vrrp_instance a {{\ninterface eth0\nvirtual_router_id 51\n{body}\n}}\n")
}

#[test]
fn advertisements_have_room_for_so_many_addresses() {
    let block = |count: u32, address: &dyn Fn(u32) -> String| {
        let mut text = "virtual_ipaddress {\n".to_owned();
        (0..count).for_each(|n| text += &(address(n) + "\n"));
        instance(&(text + "}"))
    };
    let v4 = |n: u32| format!("10.0.{}.{}", n / 256, n % 256);
    let v6 = |n: u32| format!("fe80::{n:x}");
    for (text, advertised, all) in [
        (block(255, &v4), 255, 255),
        (block(300, &v4), 255, 300),
        (block(89, &v6), 89, 89),
        (block(300, &v6), 89, 300),
    ] {
        let loaded = load(&text);
        let addresses = &loaded.config.vrrp.instances[0].addresses;
        assert_eq!(addresses.len(), all);
        assert_eq!(addresses.iter().filter(|held| held.advertised).count(), advertised);
        let told = loaded.diagnostics.iter().any(|diagnostic| diagnostic.code == Code::TooManyAddresses);
        assert_eq!(told, all > advertised);
    }
}

#[test]
fn a_misspelt_keyword_that_must_not_be_missing_is_told_once() {
    let errors = |lines: &str| {
        let text = format!("vrrp_instance a {{\n{lines}\nvirtual_ipaddress {{\n192.0.2.1\n}}\n}}\n");
        let loaded = load(&text);
        assert!(!loaded.is_usable(), "{lines}");
        let all = loaded.diagnostics.iter().filter(|finding| finding.severity == Severity::Error);
        all.map(|finding| render::line(finding, &loaded.sources)).collect::<Vec<_>>()
    };
    assert_eq!(
        errors("virtual_routr_id 51\nintreface eth0"),
        [
            "t:2:1: error[SF0301]: unknown keyword `virtual_routr_id` in `vrrp_instance`",
            "t:3:1: error[SF0301]: unknown keyword `intreface` in `vrrp_instance`",
        ]
    );
    assert_eq!(
        errors("interface eth0\nvrid 51"),
        ["t:1:15: error[SF0701]: `a` has no valid `virtual_router_id`"]
    );
    assert_eq!(said_of("interface eth0\nvirtual_routr_id 51\nvirtual_router_id 52"), [Severity::Warning]);
}

fn said_of(lines: &str) -> Vec<Severity> {
    let text = format!("vrrp_instance a {{\n{lines}\nvirtual_ipaddress {{\n192.0.2.1\n}}\n}}\n");
    load(&text).diagnostics.iter().map(|finding| finding.severity).collect()
}

#[test]
fn keys_and_passwords_are_never_shown() {
    let key = "0123456789abcdef0123456789abcdef";
    let text = instance(&format!(
        "virtual_ipaddress {{\n192.0.2.1\n}}\nauth_hmac {{\nkey 1 {key}\nkey 1 {key} {key}\nkey 2 {key}{key}{key}\n\
         key 3 \"{key}\nkey x {key}\nactiv_key 1\n}}\nkey 7 {key}\n"
    ));
    let loaded = load(&text);
    assert!(loaded.diagnostics.len() >= 6, "{:?}", loaded.diagnostics);
    for diagnostic in &loaded.diagnostics {
        for text in [
            render::full(diagnostic, &loaded.sources, Colour::Off),
            render::line(diagnostic, &loaded.sources),
            render::log(diagnostic, &loaded.sources),
        ] {
            assert!(!text.contains("0123"), "{text}");
        }
    }
    assert!(!format!("{:?}", loaded.config).contains("49, 50, 51"), "the bytes of the key");
}

#[test]
fn many_instances_take_linear_time() {
    let count = 4000;
    let mut text = String::new();
    let mut members = String::new();
    for n in 0..count {
        let vrid = n % 255 + 1;
        writeln!(
            text,
            "vrrp_instance i{n} {{\ninterface eth{}\nuse_vmac\nvirtual_router_id {vrid}\nvirtual_ipaddress {{\n10.0.{}.{}\n}}\n}}",
            n / 255, n / 256, n % 256
        )
        .unwrap();
        writeln!(members, "i{n}\ni{n}\nj{n}").unwrap();
    }
    text += &format!("vrrp_sync_group g {{\ngroup {{\n{members}}}\n}}\n");
    let start = std::time::Instant::now();
    let loaded = load(&text);
    assert_eq!(loaded.config.vrrp.instances.len(), count);
    assert_eq!(loaded.config.vrrp.groups[0].members.len(), count);
    let names: std::collections::BTreeSet<_> =
        loaded.config.vrrp.instances.iter().map(|one| one.own_device.as_ref().unwrap().name()).collect();
    assert_eq!(names.len(), count, "each has a name of its own");
    assert!(start.elapsed().as_secs() < 20, "{:?}", start.elapsed());
}
