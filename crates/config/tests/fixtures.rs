//! Whole files: what they mean and what is said about them.
//!
//! Beside `NAME.conf` stand `NAME.json`, the model as far as it differs from that of an empty file, if a daemon may run
//! with it, and `NAME.txt`, all diagnostics in full and on one line each, if there are any. With `STEADFAST_BLESS=1` in
//! the environment the tests write these files anew; look at the difference before you keep it.

use std::collections::BTreeSet;
use std::path::PathBuf;

use serde_json::{Value, to_value};
use steadfast_config as config;

use config::keyword::{self, Block, Content, Status};
use config::render::{self, Colour};
use config::{Code, Loaded, Severity};

use common::{Files, Text, compare, folder, load};

mod common;

fn fixtures(kind: &str) -> Vec<(PathBuf, Loaded)> {
    let folder = folder(kind);
    let load = |path: PathBuf| {
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        (path, config::load(&Files(folder.clone()), &name))
    };
    common::files(&folder).into_iter().map(load).collect()
}

/// The model, without what a file that says nothing has too: then a fixture shows what its lines mean, and a new field of
/// the model changes no other fixture.
fn said(config: &model::Config) -> String {
    let vrid = model::Vrid::try_from(255).unwrap();
    let blank = model::vrrp::Instance::new("", "eth255".parse().unwrap(), vrid);
    let mut instances = Vec::new();
    for instance in &config.vrrp.instances {
        instances.push(beyond(to_value(instance).unwrap(), &to_value(&blank).unwrap()));
    }
    let mut said = beyond(to_value(config).unwrap(), &to_value(model::Config::default()).unwrap());
    if let Some(all) = said.pointer_mut("/vrrp/instances") {
        *all = instances.into();
    }
    serde_json::to_string_pretty(&said).unwrap() + "\n"
}

/// `value` without the fields that `default` has alike.
fn beyond(value: Value, default: &Value) -> Value {
    match (value, default) {
        (Value::Object(fields), Value::Object(defaults)) => {
            let differ = fields.into_iter().filter(|(name, value)| defaults.get(name) != Some(value));
            let pruned = differ.map(|(name, value)| {
                let pruned = beyond(value, defaults.get(&name).unwrap_or(&Value::Null));
                (name, pruned)
            });
            Value::Object(pruned.collect())
        }
        (value, _) => value,
    }
}

fn compare_all(kind: &str) {
    for (path, loaded) in fixtures(kind) {
        let model = if loaded.is_usable() { said(&loaded.config) } else { String::new() };
        compare(&path.with_extension("json"), &model);
        let mut text = String::new();
        for diagnostic in &loaded.diagnostics {
            text += &render::line(diagnostic, &loaded.sources);
            text += "\n";
        }
        for diagnostic in &loaded.diagnostics {
            text += "\n";
            text += &render::full(diagnostic, &loaded.sources, Colour::Off);
            text += "\n";
        }
        compare(&path.with_extension("txt"), &text);
    }
}

#[test]
fn valid_files_mean_what_they_say() {
    for (path, loaded) in fixtures("valid") {
        for diagnostic in &loaded.diagnostics {
            // The files of the notes that Steadfast began with do not know script security.
            // An old way to say something is one.
            let is_fine = diagnostic.severity == Severity::Note
                || matches!(diagnostic.code, Code::NoScriptSecurity | Code::Deprecated);
            assert!(is_fine, "{}: {}", path.display(), render::line(diagnostic, &loaded.sources));
        }
    }
    compare_all("valid");
}

#[test]
fn invalid_files_are_explained() {
    for (path, loaded) in fixtures("invalid") {
        assert!(loaded.worst() >= Some(Severity::Warning), "{} passes", path.display());
    }
    compare_all("invalid");
}

#[test]
fn the_model_survives_its_own_json() {
    for (path, loaded) in fixtures("valid").into_iter().chain(fixtures("invalid")) {
        let text = serde_json::to_string(&loaded.config).unwrap();
        let back: model::Config = serde_json::from_str(&text).unwrap();
        assert_eq!(back, loaded.config, "{}", path.display());
    }
}

#[test]
fn every_built_keyword_has_a_valid_file() {
    let mut words = BTreeSet::new();
    let more = fixtures("routes").into_iter().chain(fixtures("lvs"));
    let complete = more.filter(|(path, _)| path.ends_with("complete.conf"));
    // What iptables did is done by nftables, which is worth a warning.
    let warned = fixtures("invalid").into_iter().filter(|(path, _)| path.ends_with("iptables.conf"));
    for (_, loaded) in fixtures("valid").into_iter().chain(complete).chain(warned) {
        for source in loaded.sources.sources() {
            let code = source.text().lines().map(|line| line.split(['#', '!']).next().unwrap_or_default());
            let all = code.flat_map(|line| line.split(|c: char| c.is_whitespace() || "{}".contains(c)));
            words.extend(all.map(str::to_owned));
        }
    }
    let built = keyword::all().filter(|(_, keyword)| keyword.status == Status::Built);
    let missing: Vec<_> = built
        .filter(|(block, keyword)| *block != Block::Preprocessor && !keyword.name.starts_with('('))
        // `as` is known only to be refused.
        .filter(|(_, keyword)| keyword.name != "as" && !words.contains(keyword.name))
        .map(|(block, keyword)| format!("{}/{}", block.name(), keyword.name))
        .collect();
    assert!(missing.is_empty(), "{missing:?}");
}

#[test]
fn every_planned_keyword_says_so() {
    for block in [Block::Root, Block::GlobalDefs, Block::Script, Block::Instance] {
        assert_eq!(block.content(), Content::Keywords);
        for keyword in block.keywords().filter(|keyword| keyword.status != Status::Built) {
            let line = format!("{} 1 {}", keyword.name, if keyword.opens.is_some() { "{ }" } else { "" });
            let text = match block {
                Block::Root => line,
                _ => format!("{} x {{\n{line}\n}}", block.name()),
            };
            let loaded = load(&text);
            let said =
                loaded.diagnostics.iter().any(|d| is_not_built(d.code) && d.headline.contains(keyword.name));
            assert!(said, "{} {:?}", keyword.name, loaded.diagnostics);
        }
    }
}

fn is_not_built(code: Code) -> bool {
    matches!(code, Code::NotBuilt)
}

#[test]
fn interfaces_are_listed_where_they_stand() {
    let instance = "vrrp_instance a {\ninterface eth0\nvirtual_router_id 1\ntrack_interface {\neth1 weight 5\n}\n\
                    virtual_ipaddress {\n192.0.2.1 dev eth2\n}\n}\n";
    let named = |text: String| {
        let loaded = load(&text);
        let place = |(name, span): &(model::IfName, config::Span)| {
            (name.as_str().to_owned(), loaded.sources.location(*span).line)
        };
        loaded.interfaces.iter().map(place).collect::<Vec<_>>()
    };
    assert_eq!(named(instance.to_owned()), [("eth0".into(), 2), ("eth1".into(), 5), ("eth2".into(), 8)]);
    assert_eq!(named(format!("{instance}global_defs {{\ndynamic_interfaces\n}}\n")), []);
}

#[test]
fn a_file_that_cannot_be_read_is_an_error() {
    let loaded = config::load(&Files(folder("valid")), "no-such.conf");
    assert!(!loaded.is_usable());
    let line = render::line(&loaded.diagnostics[0], &loaded.sources);
    assert!(line.starts_with("no-such.conf: error[SF0101]: cannot read `no-such.conf`: "), "{line}");
    let full = render::full(&loaded.diagnostics[0], &loaded.sources, Colour::Off);
    assert!(full.contains("--> no-such.conf"), "{full}");
}

#[test]
fn passwords_are_never_shown() {
    let text = "auth_pass topsecret\nvrrp_instance a {\n auth_pas topsecret\n authentication {\n\
        auth_type PASS\nauth_pass \"topsecret\" #topsecret\n auth_pass \"topsecret\n} \n";
    let loaded = load(text);
    assert!(loaded.diagnostics.iter().any(|diagnostic| diagnostic.code == Code::PasswordCut));
    for diagnostic in &loaded.diagnostics {
        for colour in [Colour::Off, Colour::On] {
            let full = render::full(diagnostic, &loaded.sources, colour);
            assert!(!full.contains("secret"), "{full}");
        }
        assert!(!render::log(diagnostic, &loaded.sources).contains("secret"));
    }
    assert!(!format!("{:?}", loaded.config).contains("115"), "the bytes of the password");
}

#[test]
fn the_log_form_is_what_operators_know() {
    let loaded = config::load(&Text("\nfoo\u{1b} bar"), "/etc/a.conf");
    let log = render::log(&loaded.diagnostics[0], &loaded.sources);
    assert_eq!(log, "(/etc/a.conf: Line 2) Unknown keyword 'foo\u{fffd}'");

    let loaded = config::load(&Text("vrrp_instance a {\npriority 300\n}"), "/etc/a.conf");
    let logs: Vec<_> = loaded.diagnostics.iter().map(|d| render::log(d, &loaded.sources)).collect();
    let expected =
        "(/etc/a.conf: Line 2) number '300' outside range [1, 255]; a priority is 1 to 255; 100 is used";
    assert!(logs.iter().any(|log| log == expected), "{logs:?}");
}
