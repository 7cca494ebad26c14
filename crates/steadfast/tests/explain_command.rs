//! `steadfast explain` as operators call it.

use std::process::{Command, Output, Stdio};

fn explain(arguments: &[&str]) -> (Option<i32>, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_steadfast"));
    let Output { status, stdout, stderr } =
        command.arg("explain").args(arguments).stdin(Stdio::null()).output().unwrap();
    (status.code(), String::from_utf8(stdout).unwrap(), String::from_utf8(stderr).unwrap())
}

#[test]
fn codes_keywords_and_blocks_are_explained() {
    let (code, page, said) =
        explain(&["SF0402", "virtual_router_id", "vrrp_instance/priority", "garp_group"]);
    assert_eq!((code, said), (Some(0), String::new()));
    for words in [
        "SF0402: a number outside its range\n",
        "\nWithout it:\n\n    priority 250\n",
        "\nvirtual_router_id, in vrrp_instance\n\n    virtual_router_id INTEGER 1..255\n",
        "\nKeywords of garp_group:\n\n  garp_interval  SECONDS ",
    ] {
        assert!(page.contains(words), "{words:?} is not in\n{page}");
    }
    assert!(!page.contains('\u{1b}'), "no control sequences: nobody looks at a terminal");
}

#[test]
fn unknown_words_are_answered_with_near_ones() {
    let (code, page, said) = explain(&["virtual_router_i", "priority"]);
    assert_eq!(code, Some(1));
    assert_eq!(
        said,
        "steadfast explain: no code, keyword or block is called 'virtual_router_i'; did you mean 'virtual_router_id'?\n"
    );
    assert!(page.starts_with("priority, in "), "the others are explained: {page}");
}

#[test]
fn without_a_word_there_is_a_list() {
    let (code, page, _) = explain(&[]);
    assert_eq!(code, Some(0));
    assert!(
        page.contains("\n  SF0101  a file cannot be read\n") && page.contains("\n  vrrp_instance "),
        "{page}"
    );
    let (code, usage, _) = explain(&["-h"]);
    assert!(code == Some(0) && usage.starts_with("usage: steadfast explain "));
    assert_eq!(explain(&["--nonsense"]).0, Some(2));
}
