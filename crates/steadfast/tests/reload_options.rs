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
