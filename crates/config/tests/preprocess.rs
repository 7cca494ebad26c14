//! Includes, conditions, definitions and repetitions, in whole trees of files.
//!
//! Each folder of `fixtures/preprocess` is a tree; `main.conf` asks for the rest. Beside it stand `model.txt` and
//! `findings.txt`; `STEADFAST_BLESS=1` writes them anew.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;
use std::time::{Duration, Instant};
use std::{fs, io};

use steadfast_config as config;

use config::render::{self, Colour};
use config::{Code, FileKind, Limits, Loaded, Options, Severity, SourceProvider};

mod common;
mod fuzzed;

/// Files in memory. Each is of some kind; one whose text is `unreadable` cannot be read.
#[derive(Default)]
struct Memory(BTreeMap<String, (FileKind, Vec<u8>)>);

impl Memory {
    fn of(files: &[(&str, &str)]) -> Self {
        let mut memory = Self::default();
        for (name, text) in files {
            memory.0.insert((*name).to_owned(), (FileKind::Regular, text.as_bytes().to_vec()));
        }
        memory
    }

    fn and(mut self, name: &str, kind: FileKind) -> Self {
        self.0.insert(name.to_owned(), (kind, Vec::new()));
        self
    }
}

impl SourceProvider for Memory {
    fn read(&self, path: &str) -> io::Result<Vec<u8>> {
        match self.0.get(path) {
            Some((FileKind::Regular, text)) if text == b"unreadable" => {
                Err(io::ErrorKind::PermissionDenied.into())
            }
            Some((FileKind::Regular, text)) => Ok(text.clone()),
            Some((kind, _)) => panic!("{path} is read, though {kind:?}"),
            None => Err(io::ErrorKind::NotFound.into()),
        }
    }

    fn kind(&self, path: &str) -> io::Result<FileKind> {
        self.0.get(path).map(|(kind, _)| *kind).ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    fn names(&self, directory: &str) -> io::Result<Vec<String>> {
        let within = |name: &String| match directory {
            "." => Some(name.clone()),
            _ => name.strip_prefix(directory)?.strip_prefix('/').map(str::to_owned),
        };
        let mut names: Vec<_> =
            self.0.keys().filter_map(within).map(|name| name.split('/').next().unwrap().to_owned()).collect();
        names.dedup();
        if names.is_empty() { Err(io::ErrorKind::NotFound.into()) } else { Ok(names) }
    }

    fn variable(&self, name: &str) -> Option<String> {
        (name == "SITE").then(|| "north".to_owned())
    }
}

fn web1() -> Options {
    Options { config_id: "web1".to_owned(), ..Options::default() }
}

fn load(files: &[(&str, &str)]) -> Loaded {
    config::load_with(&Memory::of(files), files[0].0, &web1())
}

fn said(loaded: &Loaded) -> Vec<String> {
    loaded.diagnostics.iter().map(|found| render::line(found, &loaded.sources)).collect()
}

fn codes(loaded: &Loaded) -> Vec<Code> {
    loaded.diagnostics.iter().map(|found| found.code).collect()
}

/// All files of a folder.
fn tree(root: &Path, within: &str, memory: &mut Memory) {
    for entry in fs::read_dir(root.join(within)).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name().into_string().unwrap();
        let path = if within.is_empty() { name } else { format!("{within}/{name}") };
        if entry.file_type().unwrap().is_dir() {
            memory.0.insert(path.clone(), (FileKind::Directory, Vec::new()));
            tree(root, &path, memory);
        } else {
            memory.0.insert(path.clone(), (FileKind::Regular, fs::read(entry.path()).unwrap()));
        }
    }
}

/// What a tree means, in the parts that it is about, and what is said about it.
fn compare_tree(name: &str) -> Loaded {
    let folder = common::folder("preprocess").join(name);
    let mut memory = Memory::default();
    tree(&folder, "", &mut memory);
    let loaded = config::load_with(&memory, "main.conf", &web1());
    let mut model = String::new();
    for instance in &loaded.config.vrrp.instances {
        let addresses: Vec<_> = instance.addresses.iter().map(|held| held.prefix.to_string()).collect();
        let (name, interface, vrid, priority) =
            (&instance.name, &instance.interface, instance.vrid, instance.priority);
        writeln!(model, "{name} {interface:?} {vrid:?} {priority:?} {addresses:?}").unwrap();
    }
    common::compare(&folder.join("model.txt"), &model);
    let full =
        loaded.diagnostics.iter().map(|found| render::full(found, &loaded.sources, Colour::Off) + "\n\n");
    common::compare(&folder.join("findings.txt"), &full.collect::<String>());
    loaded
}

#[test]
fn two_instances_come_from_one_template() {
    assert_eq!(compare_tree("template").worst(), None);
}

#[test]
fn findings_in_made_text_lead_to_where_it_was_written() {
    assert_eq!(compare_tree("trail").worst(), Some(Severity::Warning));
}

#[test]
fn a_tree_of_files_is_read_in_order() {
    assert_eq!(compare_tree("tree").worst(), None);
}

#[test]
fn every_variant_has_its_checks() {
    use Code::{IncludeFailed as F, IncludeSkipped as S};
    // What is included, and what each variant and `include_check` makes of it, in the order of VARIANTS.
    let cases: [(&str, [Option<Code>; 6]); 9] = [
        ("ok.conf", [None; 6]),
        ("no-such", [Some(S), Some(S), Some(F), Some(F), Some(S), Some(F)]),
        ("no-such*", [None, None, None, Some(F), None, Some(F)]),
        ("{ok.conf,no-such}", [Some(S), Some(S), Some(S), Some(S), Some(F), Some(F)]),
        ("{ok.conf,no-such*}", [None; 6]),
        ("dir", [Some(S), Some(F), Some(F), Some(F), Some(F), Some(F)]),
        ("program", [Some(S), Some(F), Some(F), Some(F), Some(F), Some(F)]),
        ("device", [Some(S), Some(F), Some(F), Some(F), Some(F), Some(F)]),
        ("secret", [Some(S), Some(F), Some(F), Some(F), Some(F), Some(F)]),
    ];
    const VARIANTS: [&str; 6] = ["include", "includer", "includem", "includew", "includeb", "includea"];
    for (pattern, expected) in cases {
        for (variant, expected) in VARIANTS.into_iter().zip(expected) {
            let memory = Memory::of(&[
                ("main.conf", &format!("{variant} {pattern}\n")),
                ("ok.conf", "# nothing\n"),
                ("secret", "unreadable"),
            ]);
            let memory = memory
                .and("dir", FileKind::Directory)
                .and("program", FileKind::Executable)
                .and("device", FileKind::Other);
            let loaded = config::load_with(&memory, "main.conf", &web1());
            assert_eq!(codes(&loaded), Vec::from_iter(expected), "{variant} {pattern}");
            assert_eq!(loaded.is_usable(), expected != Some(F));
            let all = Options { all_include_checks: true, ..web1() };
            let strict = config::load_with(&memory, "main.conf", &all);
            let last = cases.iter().find(|case| case.0 == pattern).unwrap().1[5];
            assert_eq!(codes(&strict), Vec::from_iter(last), "-e {variant} {pattern}");
        }
    }
}

#[test]
fn include_check_holds_to_the_end_of_its_file() {
    let check = |words: &str| {
        format!("global_defs {{\n include_check{words}\n}}\ninclude no-such\ninclude no-such*\n")
    };
    use Code::{IncludeFailed as F, IncludeSkipped as S};
    for (words, expected) in [
        ("", vec![F, F]),
        (" match", vec![F]),
        (" read", vec![S]),
        (" read +match", vec![F]),
        (" wildcard_match -read", vec![S, F]),
        ("\n include_check -match", vec![S, F]),
    ] {
        let found = codes(&load(&[("main.conf", &check(words))]));
        let found: Vec<_> = found.into_iter().filter(|code| matches!(code, F | S)).collect();
        assert_eq!(found, expected, "{words}");
    }
    let loaded = load(&[
        ("main.conf", "include a\ninclude no-such\n"),
        ("a", "global_defs { include_check\n}\ninclude no-such\n"),
    ]);
    let said = said(&loaded);
    let places: Vec<_> = said.iter().map(|line| line.split("SF").next().unwrap()).collect();
    assert!(places.contains(&"a:3:9: error["), "{said:?}");
    assert!(places.contains(&"main.conf:2:9: note["), "{said:?}");
}

#[test]
fn includes_that_lead_back_end() {
    let loaded = load(&[
        ("main.conf", "include a\n"),
        ("a", "include b\nglobal_defs {\n}\n"),
        ("b", "include main.conf\n"),
    ]);
    assert_eq!(said(&loaded)[0], "b:1:9: error[SF0108]: `main.conf` includes itself");
    let full = render::full(&loaded.diagnostics[0], &loaded.sources, Colour::Off);
    assert!(full.contains("included at a:1") && full.contains("included at main.conf:1"), "{full}");
}

#[test]
fn a_file_is_known_by_other_spellings() {
    let loaded = load(&[
        (
            "/d/main.conf",
            "include main.conf\ninclude ./main.conf\ninclude ../d/main.conf\ninclude ../../d//./main.conf\n",
        ),
        ("/d/../d/main.conf", "nonsense"),
        ("/d/../../d//./main.conf", "nonsense"),
    ]);
    assert_eq!(codes(&loaded), [Code::LeadsBack; 4], "{:?}", said(&loaded));
}

#[test]
fn files_that_include_each_other_twice_end_in_good_time() {
    let names: Vec<String> = (0..40).map(|n| format!("f{n}")).collect();
    let texts: Vec<String> = (1..=40).map(|n| format!("include f{n}\ninclude f{n}\n")).collect();
    let files: Vec<_> = names.iter().map(String::as_str).zip(texts.iter().map(String::as_str)).collect();
    let options = Options { limits: Limits { files: 1000, ..Limits::default() }, ..web1() };
    let loaded = config::load_with(&Memory::of(&files), "f0", &options);
    assert!(codes(&loaded).contains(&Code::TooMuch));
}

#[test]
fn a_pattern_may_name_the_main_file() {
    let memory = Memory::of(&[
        ("b.conf", "global_defs {\n router_id b\n}\n"),
        ("a.conf", "global_defs {\n router_id a\n}\n"),
        ("[x].conf", "global_defs {\n router_id x\n}\n"),
    ]);
    let router_id = |path: &str| {
        let loaded = config::load_with(&memory, path, &web1());
        (loaded.config.global.router_id.clone(), loaded.worst())
    };
    assert_eq!(router_id("?.conf"), (Some("b".to_owned()), None), "both, in order");
    assert_eq!(router_id("{b,a}.conf"), (Some("a".to_owned()), None));
    assert_eq!(router_id("[x].conf"), (Some("x".to_owned()), None), "a file comes before a pattern");
    assert_eq!(router_id("z*").1, Some(Severity::Error));
}

#[test]
fn predefined_parameters_stand_for_what_they_say() {
    let id = |text: &str, seed| {
        let text = format!("global_defs {{\n router_id \"{text}\"\n}}\n");
        let options = Options { random_seed: seed, ..web1() };
        let memory = Memory::of(&[("main.conf", "include d/x.conf"), ("d/x.conf", &text)]);
        config::load_with(&memory, "main.conf", &options).config.global.router_id.unwrap()
    };
    assert_eq!(id("${_PWD} ${_INSTANCE} ${_ENV SITE}${_ENV NONE} ${_HASH}${_BANG}", 1), "d web1 north #!");
    for seed in 0..50 {
        assert!((5..=7).contains(&id("${_RANDOM 5 7}", seed).parse::<u32>().unwrap()));
        assert!((0..=32_767).contains(&id("${_RANDOM}", seed).parse::<u32>().unwrap()));
    }
    assert_eq!(id("${_RANDOM}", 9), id("${_RANDOM}", 9));
    assert_ne!(id("${_RANDOM}", 9), id("${_RANDOM}", 10));
    let drawn = |seed: &str| {
        let text = format!("global_defs {seed}\n router_id ${{_RANDOM}}\n}}\n");
        load(&[("main.conf", &text)]).config.global.router_id.unwrap()
    };
    for seed in ["{ random_seed 5", "{\n random_seed\t5", "{\n \"random_seed\" \"5\"", "{ \"random_seed\" 5"]
    {
        assert_eq!(drawn(seed), drawn("{\n random_seed 5"), "{seed}");
    }
    let drawn = load(&[("main.conf", "global_defs {\n random_seed 7\n router_id ${_RANDOM}${_ENV}\n}\n")]);
    assert!(codes(&drawn).contains(&Code::Parameter), "{:?}", said(&drawn));
}

#[test]
fn hash_signs_can_be_had_outside_quotes_too() {
    let text = "$X=a\\#b\nglobal_defs {\n router_id ${X}${_HASH}c # d\n}\n";
    assert_eq!(load(&[("main.conf", text)]).config.global.router_id.as_deref(), Some("a#b#c"));
}

#[test]
fn secrets_in_parameters_stay_secret() {
    let text = "$PW=topsecret\n$AUTH= \\\n authentication { \\\n auth_type PASS \\\n auth_pass ${PW} \\\n }\n\
        vrrp_instance a {\n interface eth0\n virtual_router_id 51\n $AUTH\n}\n\
        ~LST(PW, othersecret) vrrp_instance b {\n auth_pass ${PW} x\n $PW$PW\n}\n";
    let loaded = load(&[("main.conf", text)]);
    assert!(!loaded.diagnostics.is_empty());
    for found in &loaded.diagnostics {
        for text in [
            render::full(found, &loaded.sources, Colour::Off),
            render::json(found, &loaded.sources),
            render::log(found, &loaded.sources),
        ] {
            assert!(!text.contains("topsecret"), "{text}");
        }
    }
}

#[test]
fn bad_bytes_and_endless_lines_are_survived() {
    let memory =
        |bytes: Vec<u8>| Memory(BTreeMap::from([("main.conf".to_owned(), (FileKind::Regular, bytes))]));
    let found = |bytes: Vec<u8>| codes(&config::load_with(&memory(bytes), "main.conf", &web1()));
    assert_eq!(found(vec![b'x'; 100_000_000]), [Code::LineTooLong]);
    assert_eq!(found(vec![b'$'; 100_000_000]), [Code::LineTooLong]);
    assert_eq!(found(vec![0; 1000]), [Code::NulByte]);
    assert_eq!(found(b"global_defs {\r\n}\r\n$A=x\r\n# $A\r\n".to_vec()), []);
    let many = config::load_with(&memory(b"\0\n".repeat(5_000_000)), "main.conf", &web1());
    assert!(codes(&many).contains(&Code::TooMuch));
}

#[test]
fn what_is_said_has_bounds_too() {
    let begin = Instant::now();
    for (text, worst) in [
        ("\0\n".repeat(200_000), Severity::Note),
        ("}\n".repeat(200_000), Severity::Warning),
        ("~SEQ(A,1,1000) ~SEQ(B,1,100) x $A\n".to_owned(), Severity::Warning),
        ("vrrp_instance a {\n priority ${X}\n}\n".repeat(5000), Severity::Error),
    ] {
        let loaded = load(&[("main.conf", &text)]);
        assert!(loaded.diagnostics.len() <= 10_020, "{}", loaded.diagnostics.len());
        assert_eq!(loaded.worst(), Some(worst), "{:?}", said(&loaded).first());
    }
    assert!(begin.elapsed() < Duration::from_secs(60), "{:?}", begin.elapsed());
}

#[test]
fn a_line_that_is_used_many_times_is_told_once() {
    let text =
        "$V= \\\n global_defs { \\\n vrrp_versio ${N} \\\n vrrp_version ${N} \\\n }\n~SEQ(N,20,219) $V\n";
    let loaded = load(&[("main.conf", text)]);
    let told = |code: Code| -> (usize, usize) {
        let told = loaded.diagnostics.iter().filter(|found| found.code == code);
        told.fold((0, 0), |(shown, again), found| (shown + 1, again + found.again))
    };
    assert_eq!(told(Code::UnknownKeyword), (1, 199));
    assert_eq!(told(Code::OutOfRange), (5, 195), "{:?}", said(&loaded));
    let first = loaded.diagnostics.iter().find(|found| found.code == Code::UnknownKeyword).unwrap();
    let full = render::full(first, &loaded.sources, Colour::Off);
    assert!(full.contains("and for 199 more of what this line stands for"), "{full}");
    assert!(render::json(first, &loaded.sources).contains("\"again\":199"));
}

#[test]
fn many_names_that_are_not_defined_are_told_in_good_time() {
    let begin = Instant::now();
    let defined = (0..20_000).map(|n| format!("$NAME{n}=1\n"));
    let used = (0..20_000).map(|n| format!("x $NAMF{n} ${{NAMF{n}}}\n"));
    let loaded = load(&[("main.conf", &defined.chain(used).collect::<String>())]);
    let helps = loaded.diagnostics.iter().filter(|found| found.code == Code::Parameter);
    assert_eq!(helps.filter(|found| found.help.as_ref().unwrap().starts_with("did you mean")).count(), 40);
    assert!(begin.elapsed() < Duration::from_secs(20), "{:?}", begin.elapsed());
}

#[test]
fn only_the_lines_concerned_are_shown() {
    let instance = |name: &str| {
        format!(
            "vrrp_instance {name} {{\n interface eth0\n virtual_router_id 5\n virtual_ipaddress {{ 10.0.0.1/24 }}\n}}\n"
        )
    };
    let text = instance("a") + &"\n".repeat(2_000_000) + &instance("b");
    let loaded = load(&[("main.conf", &text)]);
    let begin = Instant::now();
    let found = loaded.diagnostics.iter().find(|found| found.headline.contains("VRID")).unwrap();
    for _ in 0..100 {
        let full = render::full(found, &loaded.sources, Colour::Off);
        assert!(full.contains("main.conf:3:") && full.contains("main.conf:2000008:"), "{full}");
    }
    assert!(begin.elapsed() < Duration::from_secs(5), "{:?}", begin.elapsed());
}

#[test]
fn braces_stand_for_so_many_names() {
    let loaded = load(&[("main.conf", &format!("include {}\n", "{a,b}".repeat(60)))]);
    assert_eq!(codes(&loaded), [Code::TooMuch], "{:?}", said(&loaded));
}

#[test]
fn time_grows_with_the_text() {
    let time = |count: usize| {
        let text = format!("$V= \\\n # x \\\n\n$N=1\n{}", "$N=${N}\n@x k ${N}\n@web1 ! ${N}\n".repeat(count));
        let memory = Memory::of(&[("main.conf", &text)]);
        let begin = Instant::now();
        drop(config::load_with(&memory, "main.conf", &web1()));
        begin.elapsed()
    };
    let (small, large) = (time(5_000), time(50_000));
    assert!(large < small * 40 + Duration::from_millis(200), "{small:?} {large:?}");
}

/// The fuzzers' corpus; what they once found must stay found.
#[test]
fn the_corpus_of_the_fuzzers_is_survived() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus");
    for (name, target) in [("source_and_tree", fuzzed::source_and_tree as fn(&[u8])), ("load", fuzzed::load)]
    {
        let mut count = 0;
        for entry in fs::read_dir(corpus.join(name)).unwrap() {
            target(&fs::read(entry.unwrap().path()).unwrap());
            count += 1;
        }
        assert!(count > 0, "{name} has no corpus");
    }
}

#[test]
fn a_folder_that_may_not_be_listed_is_told_as_such() {
    struct Closed;
    impl SourceProvider for Closed {
        fn read(&self, _: &str) -> io::Result<Vec<u8>> {
            Ok(b"include closed/*.conf\n".to_vec())
        }
        fn names(&self, _: &str) -> io::Result<Vec<String>> {
            Err(io::ErrorKind::PermissionDenied.into())
        }
    }
    let loaded = config::load(&Closed, "a.conf");
    let said: Vec<_> = loaded.diagnostics.iter().map(|found| found.headline.as_str()).collect();
    assert_eq!(said, ["cannot list `closed`: permission denied"]);
}
