//! `global_defs`, the top level's own keywords and `garp_group`: what they mean and what is said about them.
//!
//! The files in `fixtures/global` are compared as those of `fixtures.rs` are, and written anew in the same way.

use std::fs;
use std::time::Duration;

use steadfast_config as config;

use common::{Text, compare, folder, judged as load};
use config::keyword::{self, Block, Content};
use config::render::{self, Colour};
use config::{Code, Loaded, Severity};
use model::vrrp::PollMethod;
use model::{Dump, Flush, Global, Namespace, ReceiveBuffers};

mod common;

fn global(lines: &str) -> Loaded {
    load(&format!("global_defs {{\n{lines}\n}}\n"))
}

#[track_caller]
fn meant(lines: &str) -> Global {
    let loaded = global(lines);
    assert!(loaded.worst() <= Some(Severity::Note), "{lines}: {:?}", loaded.diagnostics);
    loaded.config.global
}

fn said(loaded: &Loaded) -> Vec<(Severity, Code)> {
    let own = loaded.diagnostics.iter().filter(|diagnostic| !diagnostic.code.is_not_built());
    own.map(|diagnostic| (diagnostic.severity, diagnostic.code)).collect()
}

#[test]
fn files_mean_what_they_say() {
    for path in common::files(&folder("global")) {
        let name = path.file_name().unwrap().to_str().unwrap();
        let mut loaded = config::load(&Text(fs::read(&path).unwrap()), name);
        loaded.judge_language();
        let config = &loaded.config;
        let parts = (&config.global, &config.process, &config.vrrp.garp_groups);
        let text = serde_json::to_string_pretty(&parts).unwrap() + "\n";
        compare(&path.with_extension("json"), if loaded.is_usable() { &text } else { "" });
        let mut text = String::new();
        for diagnostic in loaded.diagnostics.iter().filter(|diagnostic| !diagnostic.code.is_not_built()) {
            text += &render::full(diagnostic, &loaded.sources, Colour::Off);
            text += "\n";
        }
        compare(&path.with_extension("txt"), &text);
    }
}

#[test]
fn every_keyword_has_a_good_line_in_a_file() {
    let text = ["everything", "old"]
        .map(|name| fs::read_to_string(folder("global").join(name).with_extension("conf")));
    let words: Vec<String> =
        text.iter().flat_map(|text| text.as_ref().unwrap().split_whitespace().map(str::to_owned)).collect();
    // Those of instances alone, and the iptables that keepalived's test reports.
    let elsewhere = |name: &str| {
        let is_of_instances = name.starts_with("vrrp_garp_") || name.starts_with("vrrp_mcast_group4");
        is_of_instances || ["vrrp_iptables", "vrrp_ipsets", "vrrp_vmac_garp_intvl"].contains(&name)
    };
    let tested_with_instances = [
        "vrrp_down_timer_adverts",
        "vrrp_min_garp",
        "vrrp_lower_prio_no_advert",
        "vrrp_higher_prio_send_advert",
        "vrrp_version",
        "vrrp_check_unicast_src",
        "vrrp_skip_check_adv_addr",
        "vrrp_strict",
    ];
    let own = Block::Root.keywords().filter(|keyword| keyword.opens.is_none());
    let missing: Vec<_> = Block::GlobalDefs
        .keywords()
        .chain(own)
        .map(|keyword| keyword.name)
        .filter(|name| !elsewhere(name) && !tested_with_instances.contains(name))
        .filter(|name| !words.iter().any(|word| word == name))
        .collect();
    assert!(missing.is_empty(), "{missing:?}");
}

#[test]
fn no_line_of_these_blocks_makes_a_panic_or_goes_unread() {
    let values =
        ["", "x", "-1", "0", "1", "\"\"", "\"x", "'x", "a b c d e f g h", "1 2", "é", "99999999999999999999"];
    for (block, keyword) in keyword::all() {
        let lines = values.map(|value| format!("{} {value}", keyword.name));
        for line in lines {
            let text = match block {
                Block::GlobalDefs => format!("global_defs {{\n{line}\n}}"),
                Block::Root if keyword.opens.is_none() => line,
                Block::GarpGroup => format!("garp_group {{\n{line}\n}}"),
                Block::LinkbeatInterfaces | Block::InterfaceDelays => {
                    assert_eq!(block.content(), Content::Lines);
                    format!("{} {{\neth0 {}\n}}", block.name(), &line[keyword.name.len()..])
                }
                _ => continue,
            };
            drop(load(&text));
        }
    }
}

#[test]
fn what_is_not_said_is_taken_from_what_is() {
    let statistics = |lines| meant(lines).snmp.statistics;
    let half = statistics("snmp_vs_stats_update_interval 0.5");
    assert_eq!(half.real_servers, Duration::from_millis(500));
    assert_eq!(statistics("snmp_rs_stats_update_interval 1").virtual_servers, Duration::from_secs(5));
    assert_eq!(meant("vmac_prefix own").routers.vmac_address_prefix, "own");
    assert_eq!(meant("vmac_addr_prefix own").routers.vmac_prefix, "vrrp");
    let names = meant("process_names\nvrrp_process_name own").workers;
    assert_eq!(names.vrrp.name.as_deref(), Some("own"));
    assert_eq!(names.bfd.name.as_deref(), Some("keepalived_bfd"));
    let fifos = meant("script_user nobody\nnotify_fifo /run/f").fifos;
    assert!(format!("{:?}", fifos.all).contains("nobody"), "{fifos:?}");
}

#[test]
fn namespaces_and_names_settle_where_pid_files_stand() {
    let process = |text| load(text).config.process;
    assert_eq!(process("net_namespace blue").ipvs_namespace, Namespace::Named("blue".into()));
    assert_eq!(process("net_namespace blue\nnet_namespace_ipvs").ipvs_namespace, Namespace::Own);
    assert_eq!(process("net_namespace_ipvs red").net_namespace, Namespace::Own);
    assert!(process("net_namespace blue").pid_directory);
    assert!(process("instance left").pid_directory);
    assert!(!process("net_namespace_ipvs red").pid_directory);
}

#[test]
fn dumps_stand_where_the_file_says() {
    let dumps = |lines| meant(lines).files.dumps;
    assert_eq!(dumps("stats_dump_file /var/s").statistics, Dump::Path("/var/s".into()));
    assert_eq!(dumps("json_dump_file /var/").json, Dump::Path("/var/keepalived.json".into()));
    assert_eq!(dumps("state_dump_file own/").state, Dump::Temporary("own/keepalived.data".into()));
}

#[test]
fn buffers_have_a_size_or_a_policy() {
    let receive = |lines| global(lines).config.global.routers.receive;
    assert_eq!(receive("vrrp_rx_bufs_policy ADVERT"), ReceiveBuffers::Advert(ReceiveBuffers::MULTIPLIER));
    assert_eq!(receive("vrrp_rx_bufs_policy ADVERT\nvrrp_rx_bufs_policy 0"), ReceiveBuffers::Bytes(0));
    assert_eq!(receive("vrrp_rx_bufs_policy ADVERT MTU"), receive("vrrp_rx_bufs_policy mtu"));
    assert_eq!(said(&global("vrrp_rx_bufs_policy ADVERT MTU")), [(Severity::Warning, Code::BufferPolicy)],);
}

#[test]
fn umasks_are_numbers_or_names() {
    let umask = |text: &str| meant(&format!("umask {text}")).files.umask.get();
    for (text, bits) in [("0", 0), ("18", 18), ("022", 0o22), ("0x12", 0o22), ("511", 0o777)] {
        assert_eq!(umask(text), bits, "{text}");
    }
    for (text, bits) in
        [("IRUSR", 0o400), ("IRUSR|IWUSR", 0o600), ("IRWXU | IXOTH", 0o701), ("IRUSR |IRUSR", 0o400)]
    {
        assert_eq!(umask(text), bits, "{text}");
    }
    let bad = [
        "512",
        "01000",
        "08",
        "+5",
        "0x",
        "077|1",
        "077 x",
        "IRUSR|",
        "|IRUSR",
        "IRUSR||IWUSR",
        "IRUSR IWUSR",
        "irusr",
        "IRUSR | |IWUSR",
        "\"IRUSR | IWUSR\"",
        "\"\"",
    ];
    for text in bad {
        let loaded = global(&format!("umask {text}"));
        assert_eq!(said(&loaded), [(Severity::Warning, Code::InvalidUmask)], "{text}");
        assert_eq!(loaded.config.global.files.umask.get(), 0o177, "{text}");
    }
}

#[test]
fn the_synchronisation_takes_its_number_from_the_instance() {
    let instance =
        "vrrp_instance web {\ninterface eth0\nvirtual_router_id 51\nvirtual_ipaddress {\n192.0.2.1\n}\n}\n";
    let sync = |line: &str| {
        let text = format!("{instance}global_defs {{\nlvs_sync_daemon {line}\n}}\n");
        load(&text).config.global.ipvs.sync.map(|sync| (sync.instance, sync.id))
    };
    let web = Some("web".to_owned());
    assert_eq!(sync("eth0"), Some((None, 0)));
    assert_eq!(sync("eth0 web"), Some((web.clone(), 51)));
    assert_eq!(sync("eth0 inst web id 7"), Some((web.clone(), 7)));
    assert_eq!(sync("eth0 web 7"), Some((web.clone(), 7)), "from before there was `id`");
    assert_eq!(sync("eth0 web 256"), Some((web, 51)));
    assert_eq!(sync("eth0 wbe"), Some((None, 0)));
    assert_eq!(sync("eth0/1"), None);
}

#[test]
fn repeated_lines_settle_as_in_keepalived() {
    let first = |lines| said(&global(lines)).contains(&(Severity::Warning, Code::Repeated));
    assert!(first("nftables a\nnftables b"));
    assert!(first("notify_fifo /a\nnotify_fifo /b"));
    assert!(!first("router_id a\nrouter_id b"));
    assert_eq!(meant("lvs_flush_on_stop VS\nlvs_flush_on_stop").ipvs.flush_at_stop, Some(Flush::All));
    assert_eq!(meant("vrrp_cpu_affinity 0\nvrrp_cpu_affinity 1").workers.vrrp.cpus, [1]);
    assert_eq!(meant("nftables_priority 5\nnftables").filter.nftables.priority, -1);
    assert!(!meant("smtp_alert\nno_email_faults").mail.faults);
}

#[test]
fn links_are_polled_and_delayed() {
    let links = load("linkbeat_interfaces {\neth1\neth0 MII\neth1 IOCTL\n}").config.vrrp.links;
    let methods: Vec<_> = links.polled.iter().map(|link| (link.interface.as_str(), link.method)).collect();
    assert_eq!(methods, [("eth0", PollMethod::Mii), ("eth1", PollMethod::Ioctl)]);
    let delays = load("interface_up_down_delays {\neth0 3\neth1 1 256\n}").config.vrrp.links.delays;
    let [delay] = delays.as_slice() else { panic!("{delays:?}") };
    assert_eq!((delay.down, delay.up), (Duration::from_secs(3), Duration::ZERO));
}

#[test]
fn an_interface_is_in_the_first_garp_group_that_names_it() {
    let loaded = load(
        "garp_group {\ngarp_interval 1\ninterface eth0\n}\n\
         garp_group {\ngna_interval 2\ninterfaces {\neth1 eth0\n}\n}\ngarp_group {\ninterface eth2\n}\n",
    );
    let groups = &loaded.config.vrrp.garp_groups;
    let names: Vec<Vec<_>> =
        groups.iter().map(|group| group.interfaces.iter().map(|name| name.as_str()).collect()).collect();
    assert_eq!(names, [vec!["eth0"], vec!["eth1"]]);
    let expected = [Code::TwoGarpGroups, Code::IdleGarpGroup].map(|code| (Severity::Warning, code));
    assert_eq!(said(&loaded), expected);
}

#[test]
fn our_own_block_helps_with_its_words() {
    assert_eq!(said(&load("steadfast {\n}\n")), []);
    assert_eq!(said(&load("steadfast {\nnoise\n}\n")), [(Severity::Warning, Code::UnknownKeyword)]);
}
