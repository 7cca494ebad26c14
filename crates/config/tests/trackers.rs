//! Files, processes, sessions and groups that are tracked, and the lists that track them.
//!
//! Beside `fixtures/trackers/NAME.conf` stand `NAME.json`, what it means, and `NAME.txt`, what is said about it. With `STEADFAST_BLESS=1` in
//! the environment the tests write these files anew; look at the difference before you keep it.

use std::fs;

use steadfast_config as config;

use config::render::{self, Colour};
use config::{Code, Severity};

use common::{Text, compare, folder, load};

mod common;

/// The part of the model that is about tracking.
fn model(config: &model::Config) -> String {
    let vrrp = &config.vrrp;
    let lists = vrrp.instances.iter().map(|one| {
        let lists = (
            &one.track_interfaces,
            &one.track_scripts,
            &one.track_files,
            &one.track_processes,
            &one.track_bfds,
        );
        (&one.name, lists)
    });
    let groups = vrrp.groups.iter().map(|one| (&one.name, (&one.track_interfaces, &one.track_scripts)));
    let all = (
        &vrrp.files,
        &vrrp.processes,
        &config.bfd,
        &vrrp.track_groups,
        lists.collect::<Vec<_>>(),
        groups.collect::<Vec<_>>(),
    );
    serde_json::to_string_pretty(&all).unwrap() + "\n"
}

#[test]
fn files_mean_what_they_say() {
    let folder = folder("trackers");
    for name in ["files", "processes", "bfd", "lists", "members"] {
        let path = folder.join(name).with_extension("conf");
        let mut loaded =
            config::load(&Text(fs::read(&path).unwrap()), path.file_name().unwrap().to_str().unwrap());
        loaded.diagnostics.retain(|diagnostic| diagnostic.code != Code::NotBuilt);
        compare(&path.with_extension("json"), &model(&loaded.config));
        let mut said = String::new();
        for diagnostic in &loaded.diagnostics {
            said += &render::full(diagnostic, &loaded.sources, Colour::Off);
            said += "\n\n";
        }
        compare(&path.with_extension("txt"), &said);
    }
}

/// The greatest severity beside the remark that something is not built.
fn worst(text: &str) -> Option<Severity> {
    let loaded = load(text);
    let language = loaded.diagnostics.iter().filter(|diagnostic| diagnostic.code != Code::NotBuilt);
    language.map(|diagnostic| diagnostic.severity).max()
}

fn instance(list: &str) -> String {
    let head = "interface eth0\nvirtual_router_id 1\nvirtual_ipaddress {\n192.0.2.1\n}";
    format!("vrrp_instance a {{\n{head}\n{list}\n}}\n")
}

#[test]
fn what_comes_later_is_not_tracked() {
    let file = "track_file f {\nfile /run/f\n}\n";
    let process = "vrrp_track_process f {\nprocess p\n}\n";
    let session = "bfd_instance f {\nneighbor_ip 192.0.2.9\n}\n";
    for (keyword, definition) in [("track_file", file), ("track_process", process), ("track_bfd", session)] {
        let user = instance(&format!("{keyword} {{\nf\n}}"));
        assert_eq!(worst(&format!("{definition}{user}")), None, "{keyword}");
        assert_eq!(worst(&format!("{user}{definition}")), Some(Severity::Warning), "{keyword}");
        assert_eq!(worst(&user), Some(Severity::Warning), "{keyword}");
    }
}

#[test]
fn long_lists_take_linear_time() {
    use std::fmt::Write as _;
    let mut text = String::new();
    for n in 0..20_000 {
        write!(text, "track_file f{n} {{\nfile /run/{n}\n}}\n").unwrap();
    }
    text += "vrrp_instance a {\ntrack_file {\n";
    for n in 0..20_000 {
        writeln!(text, "f{n} weight 1\nnone{n}").unwrap();
    }
    text += "}\n}\n";
    let started = std::time::Instant::now();
    let loaded = load(&text);
    assert_eq!(loaded.config.vrrp.files.len(), 20_000);
    assert!(started.elapsed() < std::time::Duration::from_secs(10), "{:?}", started.elapsed());
}

#[test]
fn a_line_with_two_faults_is_told_both() {
    let text = "vrrp_instance a {\ninterface eth0\nvirtual_router_id 1\ntrack_script {\nnone weight\n}\n\
                virtual_ipaddress {\n192.0.2.1\n}\n}\n";
    let loaded = load(text);
    let codes: Vec<_> = loaded.diagnostics.iter().map(|found| found.code).collect();
    assert_eq!(codes, [Code::UndefinedScript, Code::MissingArgument]);
}
