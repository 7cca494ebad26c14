//! A brace that is missing is told where it is missing, once, and nothing that follows from it.

use steadfast_config as config;

use config::render;

use common::Text;

mod common;

#[track_caller]
fn assert_said(text: &'static str, expected: &[&str]) {
    let loaded = config::load(&Text(text), "a");
    let said: Vec<_> =
        loaded.diagnostics.iter().map(|finding| render::line(finding, &loaded.sources)).collect();
    assert_eq!(said, expected, "{text}");
}

#[test]
fn the_end_of_a_block_is_missing_before_the_keyword_of_an_outer_one() {
    assert_said(
        "global_defs {\nrouter_id a\nvrrp_script x {\nscript /bin/true\n}\nvrrp_instance b {\n}\n",
        &[
            "a:1:13: error[SF0204]: the block of `global_defs` is not closed at the end of the file",
            "a:3:1: warning[SF0206]: the closing brace of `global_defs` is missing before this line",
        ],
    );
    assert_said(
        "vrrp_instance a {\ninterface eth0\nvirtual_router_id 1\nauthentication {\nauth_type PASS\nauth_pass x\nvirtual_ipaddress {\n192.0.2.1\n}\npriority 5\n}\n",
        &[
            "a:1:15: warning[SF0703]: `a` has no virtual address to advertise",
            "a:1:17: error[SF0204]: the block of `vrrp_instance` is not closed at the end of the file",
            "a:7:1: warning[SF0206]: the closing brace of `authentication` is missing before this line",
        ],
    );
}

#[test]
fn lines_behind_a_list_without_its_brace_are_no_entries() {
    assert_said(
        "vrrp_instance a {\ninterface eth0\nvirtual_router_id 1\nvirtual_ipaddress 192.0.2.1\npriority 5\ntrack_interface {\neth1\n}\n}\n",
        &[
            "a:1:15: warning[SF0703]: `a` has no virtual address to advertise",
            "a:1:17: error[SF0204]: the block of `vrrp_instance` is not closed at the end of the file",
            "a:4:1: warning[SF0201]: `virtual_ipaddress` is not followed by a brace",
            "a:4:19: warning[SF1008]: what stands between `virtual_ipaddress` and its brace is ignored",
        ],
    );
}

#[test]
fn a_keyword_that_stands_elsewhere_only_is_not_taken_for_an_end() {
    assert_said(
        "global_defs {\nvirtual_ipaddress {\n}\n}\n",
        &["a:2:1: warning[SF0301]: unknown keyword `virtual_ipaddress` in `global_defs`"],
    );
}

#[test]
fn signs_of_other_languages_are_told_beside_what_they_spoil() {
    assert_said(
        "vrrp_instance a {\ninterface = eth0\nvirtual_router_id 300\npriority 100;\nvirtual_ipaddress {\n192.0.2.1\n}\n}\n",
        &[
            "a:2:11: note[SF0307]: this `=` is taken for the value",
            "a:2:13: note[SF0303]: what follows `interface` here is ignored",
            "a:3:19: warning[SF0402]: `300` is out of range for `virtual_router_id`",
            "a:3:19: error[SF0701]: `a` has no valid `virtual_router_id`",
            "a:4:10: warning[SF0401]: `100;` is not a whole number",
            "a:4:13: note[SF0307]: this `;` is taken for a part of the value",
        ],
    );
}
