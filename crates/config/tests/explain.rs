//! What `steadfast explain` says is true: the examples of every code have, and have not, its finding.

use steadfast_config as config;

use config::keyword::{self, Block};
use config::{Code, Loaded, render};

use common::Text;

mod common;

/// Reads lines of the top level, of an instance, or of its authentication.
fn load(lines: &str) -> Loaded {
    let first = lines.split_whitespace().next().unwrap();
    let is_of = |block| keyword::lookup(block, first).is_some();
    let text = if is_of(Block::Authentication) {
        instance(&format!("version 2\nauthentication {{\n{lines}\n}}"))
    } else if is_of(Block::Instance) && !is_of(Block::Root) {
        instance(lines)
    } else {
        lines.to_owned()
    };
    config::load(&Text(text), "example.conf")
}

fn instance(lines: &str) -> String {
    format!(
        "global_defs {{\nscript_user nobody\nenable_script_security\n}}\nvrrp_script probe {{\nscript /bin/true\n}}\n\
        vrrp_instance web {{\ninterface eth0\nvirtual_router_id 51\nvirtual_ipaddress {{\n192.0.2.10/24\n}}\n\
        {lines}\n}}\n"
    )
}

fn has(loaded: &Loaded, code: Code) -> bool {
    loaded.diagnostics.iter().any(|diagnostic| diagnostic.code == code)
}

fn said(loaded: &Loaded) -> Vec<String> {
    loaded.diagnostics.iter().map(|diagnostic| render::line(diagnostic, &loaded.sources)).collect()
}

#[test]
fn wrong_examples_have_the_finding_and_right_ones_do_not() {
    // Only a configuration test on a host knows what its tables lack.
    let examples = Code::ALL.iter().filter(|code| **code != Code::MissingName);
    let examples = examples.filter_map(|code| Some((*code, code.example()?)));
    for (code, example) in examples {
        let wrong = load(example.wrong);
        assert!(has(&wrong, code), "{code} is not found in\n{}\n{:?}", example.wrong, said(&wrong));
        let right = load(example.right);
        assert!(!has(&right, code), "{code} is found in\n{}\n{:?}", example.right, said(&right));
    }
}

#[test]
fn every_code_is_explained() {
    for code in Code::ALL {
        assert!(!code.title().ends_with('.') && !code.title().is_empty(), "{code}");
        assert!(code.explanation().ends_with('.'), "{code}: {}", code.explanation());
    }
}
