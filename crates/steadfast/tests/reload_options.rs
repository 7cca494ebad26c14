//! How a reload reads its files, and who can see it.

mod common;

use common::{PATIENCE, World, notes_world, router};
use lab::wait_until;

const VIP: &str = "192.168.0.100";

fn file(lines: &str, priority: u8) -> String {
    format!("global_defs {{\n{lines}\n}}\n") + &router("V", 51, priority, VIP, "")
}

/// Node 0 alone with these lines in `global_defs`, master.
fn master(lines: &str) -> Option<World> {
    let mut world = notes_world([file(lines, 120), String::new()])?;
    world.nodes[0].start();
    assert!(wait_until(PATIENCE, || world.nodes[0].holds(world.vip)), "{}", world.logs());
    Some(world)
}

#[test]
fn the_reload_file_vanishes_when_the_files_are_read() {
    for (line, path) in
        [("reload_file", "/run/keepalived.reload"), ("reload_file /run/reading", "/run/reading")]
    {
        let Some(mut world) = master(line) else { return };
        let node = &mut world.nodes[0];
        // As whoever changes the files does it: made before, and its end is the sign.
        for (text, said) in
            [(file(line, 121), "from 120 to 121"), ("nonsense {".to_owned(), "RELOAD REFUSED")]
        {
            let before = node.log().len();
            node.host.write(path, "somebody waits\n").unwrap();
            node.configure(&text);
            node.daemon().hang_up().unwrap();
            assert!(wait_until(PATIENCE, || !node.host.path(path).exists()), "{}", node.log());
            node.wait_for_line(before, said);
        }
        node.stop();
    }
}

#[test]
fn what_is_no_file_is_no_reload_file() {
    let Some(mut world) = master("reload_file /run/pipe") else { return };
    let node = &mut world.nodes[0];
    node.shell("mkfifo /run/pipe");
    node.configure(&file("reload_file /run/pipe", 121));
    node.daemon().hang_up().unwrap();
    node.wait_for_line(0, "cannot make the reload_file /run/pipe");
    node.wait_for_line(0, "from 120 to 121");
    assert!(node.host.path("/run/pipe").exists());
    node.stop();
}

#[test]
fn findings_of_a_refused_reload_are_kept() {
    let Some(mut world) = master("reload_check_config /run/findings") else { return };
    let node = &mut world.nodes[0];
    let wrong = file("reload_check_config /run/findings", 121)
        .replace("virtual_router_id 51", "virtual_router_id 999");
    node.configure(&wrong);
    node.daemon().hang_up().unwrap();
    node.wait_for_line(0, "RELOAD REFUSED");
    let findings = node.host.read("/run/findings").unwrap();
    assert!(findings.contains("999") && findings.contains("/run/keepalived.conf:"), "{findings}");
    assert!(node.holds(world.vip));
    node.stop();
}

#[test]
fn a_reload_whose_includes_are_missing_is_refused_where_that_is_checked() {
    for (check, refused) in [("include_check match", true), ("", false)] {
        let Some(mut world) = master(check) else { return };
        let node = &mut world.nodes[0];
        node.configure(&file(&format!("{check}\ninclude /run/no/such.conf"), 121));
        node.daemon().hang_up().unwrap();
        node.wait_for_line(0, if refused { "RELOAD REFUSED" } else { "from 120 to 121" });
        node.stop();
    }
}

#[test]
fn a_file_says_when_to_reload() {
    for (more, stays) in [("", false), ("\nreload_repeat", true)] {
        let lines = format!("reload_time_file /run/when{more}");
        let Some(mut world) = master(&lines) else { return };
        let node = &mut world.nodes[0];
        node.configure(&file(&lines, 121));
        node.host.write("/run/when", "tomorrow\n").unwrap();
        node.wait_for_line(0, "\"tomorrow\" is neither HH:MM:SS nor YYYY-MM-DD HH:MM:SS");
        node.shell("date -u -d '2 seconds' +%TZ > /run/when.new && mv /run/when.new /run/when");
        node.wait_for_line(0, "a reload is planned for");
        node.wait_for_line(0, "from 120 to 121");
        assert_eq!(node.host.path("/run/when").exists(), stays);
        if stays {
            let planned = || node.log().matches("a reload is planned for").count() == 2;
            assert!(wait_until(PATIENCE, planned), "for tomorrow\n{}", node.log());
            node.shell("rm /run/when");
            node.wait_for_line(0, "/run/when is gone: no reload is planned any more");
        }
        node.stop();
    }
}

/// The names in a folder of the host, and their content.
fn kept(node: &common::Node, folder: &str) -> std::collections::BTreeMap<String, String> {
    let names = std::fs::read_dir(node.host.path(folder)).into_iter().flatten();
    let names = names.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    names
        .filter(|name| !name.starts_with('.'))
        .map(|name| {
            let text = node.host.read(&format!("{folder}/{name}")).unwrap_or_default();
            (name, text)
        })
        .collect()
}

#[test]
fn what_was_read_and_the_state_around_a_reload_are_kept() {
    use std::os::unix::fs::PermissionsExt as _;

    const KEPT: &str = "config_save_dir /run/kept\numask 0";
    let Some(mut world) = master(KEPT) else { return };
    let node = &mut world.nodes[0];
    // The numbers that they have among the processes of the host.
    let [daemon, worker] = ["keepalived", "vrrp"].map(|name| {
        let pid = node.host.read(&format!("/run/{name}.pid")).unwrap();
        pid.trim().to_owned()
    });
    node.host.write("/run/more.conf", &router("W", 52, 7, "192.168.0.101", "")).unwrap();
    node.configure(&(file(KEPT, 121) + "$P=1\n@nobody nonsense\ninclude more.conf # here\n"));
    node.daemon().hang_up().unwrap();
    let files = || kept(node, "/run/kept");
    assert!(wait_until(PATIENCE, || files().len() == 4), "{:?}\n{}", files(), node.log());
    let files = files();
    let names: Vec<_> = files.keys().cloned().collect();
    let state = |side: &str| format!("keepalived_vrrp.{worker}.1.{side}");
    let text = |number: u8| format!("keepalived.conf.{daemon}.{number}");
    assert_eq!(names, [text(0), text(1), state("post"), state("pre")]);
    assert!(files[&text(0)].starts_with("# /run/keepalived.conf\nglobal_defs {\n"), "{files:?}");
    let (_, more) = files[&text(1)].split_once("more.conf\n").expect("where the other file begins");
    assert!(more.trim_start().starts_with("vrrp_instance W {"), "{more}");
    assert!(!files[&text(1)].contains("nobody"));
    let shows = |side: &str, what: &str| files[&state(side)].contains(what);
    assert!(shows("pre", "State = MASTER") && shows("pre", "Priority = 120") && !shows("pre", "= W"));
    assert!(shows("post", "State = MASTER") && shows("post", "Priority = 121") && shows("post", "= W"));
    for name in names {
        let rights = node.host.path(&format!("/run/kept/{name}")).metadata().unwrap().permissions().mode();
        assert_eq!(rights & 0o777, 0o600, "{name}");
    }
    node.stop();
}

#[test]
fn what_cannot_be_kept_holds_nothing_up() {
    let Some(mut world) = master("config_save_dir /run/no/where") else { return };
    let node = &mut world.nodes[0];
    node.wait_for_line(0, "config_save_dir: cannot write /run/no/where/keepalived.conf.");
    node.configure(&file("config_save_dir /run/no/where", 121));
    node.daemon().hang_up().unwrap();
    node.wait_for_line(0, "from 120 to 121");
    node.wait_for_line(0, ".1.post");
    node.stop();
}

#[test]
fn the_worker_reads_its_configuration_from_disk_where_that_is_wanted() {
    let Some(mut world) = notes_world([file("tmp_config_directory /run/copies", 120), String::new()]) else {
        return;
    };
    let node = &mut world.nodes[0];
    std::fs::create_dir(node.host.path("/run/copies")).unwrap();
    node.start();
    assert!(wait_until(PATIENCE, || node.holds(world.vip)), "{}", node.log());
    assert!(!node.log().contains("tmp_config_directory"), "{}", node.log());
    assert!(kept(node, "/run/copies").is_empty());
    // It stays where it is, and is in memory where it cannot be.
    node.configure(&file("tmp_config_directory /run/elsewhere", 121));
    std::fs::remove_dir(node.host.path("/run/copies")).unwrap();
    node.daemon().hang_up().unwrap();
    node.wait_for_line(0, "tmp_config_directory of the daemon that runs stays: it needs a restart");
    node.wait_for_line(
        0,
        "tmp_config_directory /run/copies: cannot hand over the configuration: No such file",
    );
    node.wait_for_line(0, "from 120 to 121");
    node.stop();
}

#[test]
fn a_worker_without_work_waits_for_the_first_router() {
    let Some(mut world) = notes_world([String::new(), String::new()]) else { return };
    let node = &mut world.nodes[0];
    node.start_with(&["-n", "-l", "-D", "-f", "/run/keepalived.conf", "--all"]);
    node.wait_for_line(0, "the vrrp worker is ready");
    node.configure(&router("V", 51, 120, VIP, ""));
    node.daemon().hang_up().unwrap();
    assert!(wait_until(PATIENCE, || node.holds(world.vip)), "{}", node.log());
    assert_eq!(node.log().matches("Starting VRRP child process").count(), 1, "{}", node.log());
    node.stop();
}

#[test]
fn the_pattern_of_core_dumps_is_the_kernels() {
    let Some(mut world) = notes_world([String::new(), String::new()]) else { return };
    let node = &mut world.nodes[0];
    // There is one of it on the machine, so this one is a likeness.
    node.shell("touch /run/pattern && mount --bind /run/pattern /proc/sys/kernel/core_pattern");
    node.start_with(&["-n", "-l", "-f", "/run/keepalived.conf", "-M/run/core.%p"]);
    node.wait_for_line(0, "there is nothing to run");
    assert_eq!(node.host.read("/run/pattern").unwrap(), "/run/core.%p");
    node.stop();
}
