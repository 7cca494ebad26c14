//! No rendering of any finding shows a password or key, however wrong its line is.

use std::collections::HashMap;
use std::io;

use steadfast_config as config;

use config::render::{self, Colour};
use config::{Diagnostic, Options, SourceMap, SourceProvider, lint};

/// What must never be seen.
const MARK: &str = "SECR3T";

struct Memory(HashMap<&'static str, String>);

impl SourceProvider for Memory {
    fn read(&self, path: &str) -> io::Result<Vec<u8>> {
        self.0.get(path).map(|text| text.as_bytes().to_vec()).ok_or_else(|| io::ErrorKind::NotFound.into())
    }
}

/// Lines of an instance. Each has a fault; some stand behind a block that has one.
const IN_INSTANCE: &[&str] = &[
    "authentication { auth_type PASS auth_pass SECR3T }",
    "authentication { auth_type PASS auth_pass SECR3T",
    "authentication { auth_type PASS auth_pass SECR3T } }",
    "authentication { auth_type PASS\nauth_pass SECR3T } }",
    "authentication {\nauth_pass=SECR3T\n}",
    "authentication {\nauth_pass = SECR3T\n}",
    "authentication {\nauth_pass: SECR3T\n}",
    "authentication {\nauth_password SECR3T\n}",
    "authentication {\npass SECR3T\n}",
    "authentication {\nauth SECR3T\n}",
    "authentication {\npassphrase SECR3T\n}",
    "authentication {\nauth_type PASS SECR3T\n}",
    "authentication {\nauth_type SECR3T\n}",
    "authentication {\nPASS SECR3T\n}",
    "authentication {\nAH SECR3T\n}",
    "authentication {\nSECR3T\n}",
    "authentication {\nSECR3T SECR3T\n}",
    "authentication {\nSECR3T {\nSECR3T\n}\n}",
    "authentication {\nauth_pass {\nSECR3T\n}\n}",
    "authentication {\nauth_pass\nSECR3T\n}",
    "authentication {\nauth_pass\n\nSECR3T more\n}",
    "authentication {\nauth_pass \"SECR3T\n}",
    "authentication {\n\"SECR3T\n}",
    "authentication {\nauth_pass SECR3T SECR3T\n}",
    "authentication {\nauth_pass SECR3T#5\n}",
    "authentication {\nauth_pass x!SECR3T\n}",
    "authentication {\nauth_pass SECR3T$UNKNOWN\n}",
    "authentication {\nauth_pass ${SECR3T}\n}",
    "authentication {\nauth_type $SECR3T\n}",
    "authentication SECR3T {\n}",
    "authentication PASS SECR3T",
    "authentication PASS SECR3T {\n}",
    "authentification {\nauth_type PASS\nauth_pass SECR3T\nSECR3T\n}",
    "Authentication {\nauth_pass SECR3T\n}",
    "auth {\npass SECR3T\n}",
    "auth_type PASS\nauth_pass SECR3T",
    "auth_type PASS SECR3T",
    "auth_pass SECR3T",
    "auth_pass=SECR3T",
    "auth_pas SECR3T",
    "auth_password=SECR3T",
    "auth_pass\nSECR3T",
    "auth_pass {\nSECR3T\n}",
    "password SECR3T",
    "prioritty 5; auth_pass SECR3T",
    "priority 500 auth_pass SECR3T",
    "interface eth0 auth_pass SECR3T",
    "interface eth0:1 auth_pass SECR3T auth_pass=SECR3T",
    "~SEQ(N,1,x) auth_pass SECR3T",
    "~SEQ(N,1,2) auth_pass SECR3T$N",
    "~LST(P,SECR3T) auth_type $P",
    "virtual_ipaddress {\n10.0.0.300 auth_pass SECR3T\n}",
    "virtual_ipaddress {\nauth_pass SECR3T\n}",
    "track_script {\nauth_pass SECR3T\n}",
    "auth_hmac { active_key 1 key 1 SECR3T }",
    "auth_hmac {\nactive_key SECR3T\n}",
    "auth_hmac {\nactive_key 1 SECR3T\n}",
    "auth_hmac {\nkey 1 SECR3T\n}",
    "auth_hmac {\nkey SECR3T\n}",
    "auth_hmac {\nkey 1\nSECR3T\n}",
    "auth_hmac {\nkey=1 SECR3T\n}",
    "auth_hmac {\nkeys 1 SECR3T\n}",
    "auth_hmac {\nmode SECR3T\n}",
    "auth_hmac SECR3T {\n}",
    "}\nauth_pass SECR3T",
    "}\nSSL {\npassword\nSECR3T\n}",
    "}\nSSL {\npasswd SECR3T\n}",
    "}\nSSL SECR3T {\n}",
];

/// Whole files.
const FILES: &[&str] = &[
    "$P=SECR3T\nvrrp_instance A {\nauthentication {\nauth_type $P\n}\n}",
    "$P=SECR3T\nvrrp_instance A {\nauthentication {\nauth_type PASS\nauth_pass $P$Q\n}\n}",
    "$P=auth_pass SECR3T\nvrrp_instance A {\nprioritty $P\n}",
    "$P=5; auth_pass SECR3T\nvrrp_instance A {\npriority $P\n}",
    "$P=SECR3T\nvrrp_instance A {\nauthentication {\n$P\n}\n}",
    "$P=SECR3T\nvrrp_instance A {\nauth_pass=$P\n}",
    "$A=\\\nauth_pass \\\nSECR3T\nvrrp_instance A {\n$A\n}",
    "auth_pass SECR3T",
    "auth_pass\nSECR3T",
    "auth_pass=SECR3T {\n}",
    "vrrp_instance A {\nauthentication {\nauth_pass SECR3T",
    "vrrp_instance A {\nauthentication\nauth_pass SECR3T\n}\n}",
    "}\nauth_pass SECR3T }",
    "vrrp_instance A {\nauthentication {\nauth_pass SECR3T }\n}\n}",
];

#[test]
fn no_secret_is_ever_shown() {
    for lines in IN_INSTANCE {
        let (before, after) = ("interface eth0\nvirtual_router_id 1\nnonsense\n", "state UPP\nnonsense2\n");
        assert_hidden(&format!("vrrp_instance A {{\n{before}{lines}\n{after}}}\n"));
        assert_hidden(&format!("vrrp_instance A {{\n{lines}\n}}\n"));
        assert_hidden(&format!("vrrp_instance A {{\nauth_type PASS {lines}\n}}\n"));
        assert_hidden(lines);
    }
    FILES.iter().for_each(|text| assert_hidden(text));
    let long = format!("vrrp_instance A {{\nauth_pass {MARK}{}\nauth_pass {MARK}\0\n}}\n", "x".repeat(1100));
    assert_hidden(&long);
}

#[track_caller]
fn assert_hidden(text: &str) {
    let files = Memory(HashMap::from([("a.conf", text.to_owned())]));
    let loaded = config::load_outlined(&files, "a.conf", &Options::default(), SourceMap::default());
    let mut findings = loaded.diagnostics.clone();
    findings.extend(lint::check(&loaded, &lint::Host::default(), lint::Scope::Alone));
    for finding in &findings {
        assert_finding_hides(finding, &loaded.sources, text);
    }
    if let Err(refusal) = config::format("a.conf", text.as_bytes()) {
        assert_finding_hides(&refusal.diagnostic, &refusal.sources, text);
    }
}

#[track_caller]
fn assert_finding_hides(finding: &Diagnostic, sources: &SourceMap, text: &str) {
    for said in [
        render::full(finding, sources, Colour::Off),
        render::full(finding, sources, Colour::On),
        render::line(finding, sources),
        render::log(finding, sources),
        render::json(finding, sources),
    ] {
        assert!(!said.contains(MARK), "{text}\n---\n{said}");
    }
}

#[test]
fn a_comment_inside_a_value_is_told() {
    let secret = "a comment begins inside this word, and only what stands before it counts";
    let authentication = |line: &str| format!("vrrp_instance A {{\nauthentication {{\n{line}\n}}\n}}");
    let global = |line: &str| format!("global_defs {{\n{line}\n}}");
    for (text, said) in [
        (authentication("auth_pass SECR3T#cd"), Some(secret)),
        (authentication("auth_pass x!SECR3T"), Some(secret)),
        (authentication("auth_pass \\#x#SECR3T"), Some(secret)),
        (format!("$P=x\n{}", authentication("auth_pass $P!SECR3T")), Some(secret)),
        (format!("$P=x\n{}", authentication("auth_pass ${P}!SECR3T")), Some(secret)),
        (global("router_id ab#cd"), Some("a comment begins inside this word: `ab` is all that is left")),
        (global("router_id ab # cd"), None),
        (global("router_id ab\\#cd"), None),
        (global("router_id \"ab#cd\""), None),
        (global("router_id \"ab\"#cd"), None),
        (global("router_id ${_HASH}b"), None),
        (global("router_id #cd"), None),
        (global("vrrp_version 2#cd"), None),
        (format!("$P=x#SECR3T\n{}", authentication("auth_pass $P")), Some(secret)),
        (format!("$P=SECR3T!x\n{}", authentication("auth_pass ${P}")), Some(secret)),
        (format!("~SEQ(N,1,3) $P=x#SECR3T\n{}", authentication("auth_pass ${P}")), Some(secret)),
        ("$P=a b!c".to_owned(), Some(secret)),
        ("$P=192.0.2.1#web\n$Q=fe80::1!web\n$R=5#web\n$S=\"a\"#b\n$T=#web".to_owned(), None),
        (
            "vrrp_sync_group A {\ngroup {\nweb#1\nb #c\n}\n}".to_owned(),
            Some("a comment begins inside this word: `web` is all that is left"),
        ),
        (
            "vrrp_instance A {\nvirtual_ipaddress {\n192.0.2.1#web\n192.0.2.2 label a!b\n}\n}".to_owned(),
            Some("a comment begins inside this word: `a` is all that is left"),
        ),
        ("global_defs { router_id ab }#cd".to_owned(), None),
        ("global_defs {#cd\n}#".to_owned(), None),
    ] {
        assert_hidden(&text);
        let files = Memory(HashMap::from([("a.conf", text.clone())]));
        let loaded = config::load(&files, "a.conf");
        let found: Vec<_> =
            loaded.diagnostics.iter().filter(|finding| finding.code.id() == "SF0112").collect();
        assert_eq!(found.iter().map(|finding| finding.headline.as_str()).next(), said, "{text}");
        assert!(found.len() < 2 && found.iter().all(|finding| finding.severity == config::Severity::Note));
    }
}

#[test]
fn what_is_no_secret_is_shown() {
    for (text, said) in [
        ("vrrp_instance A {\nprioritty 5\n}", "unknown keyword `prioritty` in `vrrp_instance`"),
        ("vrrp_instance A {\nauthentication {\nauth_password X\n}\n}", "unknown keyword `auth_password` in"),
        ("vrrp_instance A {\nauthentication {\nauth_pass=X\n}\n}", "unknown keyword `auth_pass=*****` in"),
        ("vrrp_instance A {\nauthentication {\nauth_tipe PASS\n}\n}", "unknown keyword `auth_tipe` in"),
        ("vrrp_instance A {\nauthentication {\nauth_type pass\n}\n}", "`pass` is no kind of authentication"),
        ("vrrp_instance A {\nauthentication {\npriority 5\n}\n}", "unknown keyword `priority` in"),
    ] {
        let loaded = config::load(&Memory(HashMap::from([("a.conf", text.to_owned())])), "a.conf");
        let lines: Vec<_> =
            loaded.diagnostics.iter().map(|finding| render::line(finding, &loaded.sources)).collect();
        assert!(lines.iter().any(|line| line.contains(said)), "{text}\n{lines:#?}");
    }
}

#[test]
fn a_parameter_that_is_a_password_somewhere_is_hidden_everywhere() {
    for text in [
        "$P=SECR3T\nvrrp_instance A {\npriority $P\nauthentication {\nauth_pass $P\n}\n}",
        "$P=SECR3T\nvrrp_instance A {\npriority ${P}\nstate $P\nauthentication {\nauth_pass ${P}\n}\n}",
    ] {
        assert_hidden(text);
    }
}
