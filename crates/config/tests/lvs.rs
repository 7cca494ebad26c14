//! Load balancing: whole files, with what they mean and what is said about them beside them.
//!
//! `STEADFAST_BLESS=1` writes `NAME.json` and `NAME.txt` anew.

use std::fs;

use steadfast_config as config;

use common::{Files, compare, folder, judged as load};
use config::render::{self, Colour};
use config::{Loaded, Severity};
use model::lvs::{Check, Checker};

mod common;

/// The findings of the language, one line each and then in full.
fn findings(loaded: &Loaded) -> String {
    let found = || loaded.diagnostics.iter().filter(|diagnostic| !diagnostic.code.is_not_built());
    let lines: String = found().map(|found| render::line(found, &loaded.sources) + "\n").collect();
    let full = found().map(|found| format!("\n{}\n", render::full(found, &loaded.sources, Colour::Off)));
    lines + &full.collect::<String>()
}

#[test]
fn files_mean_what_they_say() {
    for name in ["complete", "wrong"] {
        let mut loaded = config::load(&Files(folder("lvs")), &format!("{name}.conf"));
        loaded.judge_language();
        let model = serde_json::to_string_pretty(&loaded.config.lvs).unwrap() + "\n";
        assert_eq!(serde_json::from_str::<model::lvs::Config>(&model).unwrap(), loaded.config.lvs);
        compare(&folder("lvs").join(format!("{name}.json")), &model);
        compare(&folder("lvs").join(format!("{name}.txt")), &findings(&loaded));
        let passes = loaded.worst() <= Some(Severity::Note);
        assert_eq!(passes, name == "complete", "{}", findings(&loaded));
    }
}

#[test]
fn every_keyword_of_load_balancing_stands_in_the_complete_file() {
    let text = fs::read_to_string(folder("lvs").join("complete.conf")).unwrap();
    let words: Vec<_> = text.split_whitespace().collect();
    for block in config::keyword::Block::ALL {
        let name = block.name();
        let is_ours = name.starts_with("virtual_server")
            || ["real_server", "steadfast", "SSL", "url", "host"].contains(&name)
            || name.ends_with("_CHECK")
            || name.ends_with("_GET");
        // `nb_get_retry` is deprecated, which is a warning.
        let missing = block.keywords().find(|keyword| {
            !words.contains(&keyword.name) && !keyword.name.starts_with('(') && keyword.name != "nb_get_retry"
        });
        assert!(!is_ours || missing.is_none(), "{name}: {missing:?}");
    }
}

/// What holds for a checker stands in it, whichever level says it and in whatever order.
#[test]
fn checkers_inherit_from_every_level() {
    let text = |above: &str, within: &str, below: &str| {
        format!(
            "virtual_server 192.0.2.1 80 {{\nlvs_sched rr\nlvs_method NAT\nprotocol TCP\n{above}\n\
             real_server 10.0.0.1 {{\n{within}\nTCP_CHECK {{\n}}\n}}\n{below}\n}}\nglobal_defs {{\n\
             checker_log_all_failures\n}}"
        )
    };
    let probe = |above, within, below| {
        let loaded = load(&text(above, within, below));
        assert_eq!(loaded.worst().filter(|worst| *worst > Severity::Note), None, "{}", findings(&loaded));
        match loaded.config.lvs.virtual_servers[0].real_servers[0].checkers[0].clone() {
            Checker::Probe(probe) => probe,
            other => panic!("{other:?}"),
        }
    };
    let plain = probe("", "", "");
    assert_eq!((plain.interval.as_secs(), plain.warmup.as_secs(), plain.retry), (60, 60, 1));
    assert!(plain.log_all_failures && !plain.alpha);
    let Check::Tcp(connection) = plain.check else { panic!("{plain:?}") };
    assert_eq!((connection.port.map(u16::from), connection.timeout.as_secs()), (Some(80), 5));
    let inherited = probe("delay_loop 9", "retry 4", "retry 2\nalpha\nwarmup 3");
    assert_eq!((inherited.interval.as_secs(), inherited.warmup.as_secs(), inherited.retry), (9, 3, 4));
    assert!(inherited.alpha);
}

/// keepalived makes a hysteresis of 4294967295 of it.
#[test]
fn a_quorum_of_nothing_has_no_hysteresis() {
    let text = "virtual_server 192.0.2.1 80 {\nlvs_sched rr\nlvs_method NAT\nprotocol TCP\nhysteresis 3\n\
                real_server 10.0.0.1 80 {\nweight 0\n}\n}";
    let loaded = load(text);
    let quorum = &loaded.config.lvs.virtual_servers[0].quorum;
    assert_eq!((quorum.weight, quorum.hysteresis), (0, 0));
}

#[test]
fn what_servers_hold_in_memory_stays_small() {
    assert!(size_of::<model::lvs::RealServer>() <= 176, "{}", size_of::<model::lvs::RealServer>());
    assert!(size_of::<Checker>() <= 144, "{}", size_of::<Checker>());
    assert!(size_of::<model::lvs::Request>() <= 128, "{}", size_of::<model::lvs::Request>());
}

#[test]
fn secrets_of_tls_are_never_shown() {
    let loaded = load("SSL {\npassword sesame\npasword sesame\npassword sesame\n}");
    assert!(!findings(&loaded).contains("sesame"), "{}", findings(&loaded));
    assert!(!format!("{:?}", loaded.config).contains("sesame"));
}
