//! What is run around the daemon's life, with whose rights, and how long anything may take at the end.

mod common;

use common::{PATIENCE, World, notes_world, router};
use lab::{Signal, wait_until};

const VIP: &str = "192.168.0.100";

/// Node 0 alone with this file, not started yet. Its script writes down what it is given and what rights it has.
fn lone(file: &str) -> Option<World> {
    let world = notes_world([file.to_owned(), String::new()])?;
    let script = "#!/bin/sh
echo \"$1 $0 groups=$(id -G | tr ' ' ,) umask=$(umask)\" >> /run/told
case $1 in
hang) sleep 86371 ;;
fail) exit 3 ;;
esac
";
    let node = &world.nodes[0];
    node.host.write_script("/run/real", script).unwrap();
    node.shell("ln -s /run/real /run/link && touch /run/told && chmod 666 /run/told");
    Some(world)
}

fn global(lines: &str) -> String {
    format!("global_defs {{\nscript_user root\n{lines}\n}}\n")
}

fn told(world: &World) -> Vec<String> {
    let told = world.nodes[0].host.read("/run/told").unwrap();
    told.lines().map(|line| line.split(' ').next().unwrap().to_owned()).collect()
}

/// The place of a line in the log.
#[track_caller]
fn place(world: &World, line: &str) -> usize {
    let log = world.nodes[0].log();
    log.find(line).unwrap_or_else(|| panic!("{line} is not said\n{log}"))
}

#[test]
fn one_script_runs_before_everything_and_one_after_it() {
    let file = global("startup_script \"/run/link first\"\nshutdown_script \"/run/link last\"")
        + &router("V", 51, 120, VIP, "notify_master \"/run/link master\"\nnotify_stop \"/run/link stop\"");
    let Some(mut world) = lone(&file) else { return };
    world.nodes[0].start();
    assert!(wait_until(PATIENCE, || told(&world).len() == 2), "{}", world.logs());
    // Neither runs at a reload.
    world.nodes[0].configure(&file.replace("120", "121"));
    world.nodes[0].daemon().hang_up().unwrap();
    world.nodes[0].wait_for_line(0, "effective priority from 120 to 121");
    world.nodes[0].daemon().terminate().unwrap();
    assert!(world.nodes[0].daemon().wait(PATIENCE).unwrap().success());
    assert_eq!(told(&world), ["first", "master", "stop", "last"], "{}", world.logs());
    assert!(place(&world, "startup_script succeeded") < place(&world, "Starting VRRP child process"));
    assert!(place(&world, "has released everything") < place(&world, "shutdown_script /run/link runs"));
}

#[test]
fn a_script_that_fails_or_hangs_keeps_nothing_from_starting_or_ending() {
    for (word, why) in [("fail", "exited with status 3"), ("hang", "has overrun its time and was ended")] {
        let lines = ["startup", "shutdown"]
            .map(|name| format!("{name}_script \"/run/link {word}\"\n{name}_script_timeout 1\n"));
        let Some(mut world) = lone(&(global(&lines.concat()) + &router("V", 51, 120, VIP, ""))) else {
            return;
        };
        world.nodes[0].start();
        assert!(wait_until(PATIENCE, || world.nodes[0].holds(world.vip)), "{}", world.logs());
        world.nodes[0].daemon().terminate().unwrap();
        assert!(world.nodes[0].daemon().wait(PATIENCE).unwrap().success());
        assert!(
            place(&world, &format!("startup_script {why}")) < place(&world, "Starting VRRP child process")
        );
        assert!(place(&world, "Stopping") < place(&world, &format!("shutdown_script {why}")));
        assert_eq!(told(&world), [word, word]);
    }
}

#[test]
fn a_stop_does_not_wait_for_the_script_at_the_start() {
    let file = global("startup_script \"/run/link hang\"\nstartup_script_timeout 1000")
        + &router("V", 51, 120, VIP, "");
    let Some(mut world) = lone(&file) else { return };
    world.nodes[0].start();
    assert!(wait_until(PATIENCE, || told(&world).len() == 1), "{}", world.logs());
    // A reload does not overtake it either.
    world.nodes[0].daemon().hang_up().unwrap();
    world.nodes[0].wait_for_line(0, "nothing changes");
    world.nodes[0].daemon().terminate().unwrap();
    assert!(world.nodes[0].daemon().wait(PATIENCE).unwrap().success());
    assert!(!world.nodes[0].log().contains("Starting VRRP"), "{}", world.logs());
}

#[test]
fn rights_of_scripts_are_as_configured() {
    let notify =
        "notify_backup \"/run/link backup\" tester\nnotify_master \"/run/link master\" tester :tester";
    for (lines, name, backup, master, mask) in [
        ("", "/run/real", "4242", "4242,4243", "0177"),
        (
            "use_symlink_paths\nset_supplementary_groups\numask 027",
            "/run/link",
            "4242,4243",
            "4242,4243",
            "0027",
        ),
    ] {
        let Some(mut world) = lone(&(global(lines) + &router("V", 51, 120, VIP, notify))) else { return };
        let node = &mut world.nodes[0];
        // Users of this host alone.
        node.shell(
            "cp /etc/passwd /etc/group /run \
             && echo tester:x:4242:4242::/:/bin/sh >> /run/passwd \
             && printf 'tester:x:4242:\\nextra:x:4243:tester\\n' >> /run/group",
        );
        let line = format!(
            "mount --bind /run/passwd /etc/passwd && mount --bind /run/group /etc/group && \
             exec {} -n -l -D -f /run/keepalived.conf",
            env!("CARGO_BIN_EXE_steadfast")
        );
        node.daemon = Some(node.host.spawn(&["unshare", "-m", "/bin/sh", "-c", &line]).unwrap());
        assert!(wait_until(PATIENCE, || told(&world).len() == 2), "{}", world.logs());
        let expected = format!(
            "backup {name} groups={backup} umask={mask}\nmaster {name} groups={master} umask={mask}\n"
        );
        assert_eq!(world.nodes[0].host.read("/run/told").unwrap(), expected);
        world.nodes[0].stop();
    }
}

#[test]
fn a_program_of_many_names_goes_by_the_one_that_is_written() {
    let file =
        global("") + &router("V", 51, 120, VIP, "notify_master \"/run/called -c 'echo $0 >> /run/told'\"");
    let Some(mut world) = lone(&file) else { return };
    world.nodes[0].shell("ln -s /bin/sh /run/called");
    world.nodes[0].start();
    assert!(wait_until(PATIENCE, || told(&world) == ["/run/called"]), "{:?}\n{}", told(&world), world.logs());
    world.nodes[0].stop();
}

#[test]
fn children_that_hang_are_waited_for_as_long_as_configured() {
    let file = "child_wait_time 1\n".to_owned() + &router("V", 51, 120, VIP, "");
    let Some(mut world) = lone(&file) else { return };
    world.nodes[0].start();
    assert!(wait_until(PATIENCE, || world.nodes[0].holds(world.vip)), "{}", world.logs());
    let worker: i32 = world.nodes[0].host.read("/run/vrrp.pid").unwrap().trim().parse().unwrap();
    world.nodes[0].shell(&format!("kill -{} {worker}", Signal::STOP.as_raw()));
    world.nodes[0].daemon().terminate().unwrap();
    assert!(world.nodes[0].daemon().wait(PATIENCE).unwrap().success());
    place(&world, "has not stopped within 1 s: it is killed");
    assert!(!world.nodes[0].holds(world.vip), "{}", world.logs());
}
