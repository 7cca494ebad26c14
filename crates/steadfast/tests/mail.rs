//! Alert mails: those of keepalived, and mail servers that are away, slow, rude or encrypted.

mod common;
#[path = "mail/server.rs"]
mod server;

use common::{PATIENCE, ROUTER_INTERVAL, World, notes_world, router};
use lab::{now, wait_until};
use server::{Mail, Manner, Server};

const VIP: &str = "192.168.0.100";

fn global(lines: &str) -> String {
    format!(
        "global_defs {{
            router_id \"box one\"
            smtp_server 127.0.0.1
            notification_email {{
                admin@example.org
                other@example.org
            }}
            notification_email_from lb@example.org
            smtp_alert_vrrp
            {lines}
        }}\n"
    )
}

/// Node 0 alone with this file, not started yet.
fn lone(file: &str) -> Option<World> {
    notes_world([file.to_owned(), String::new()])
}

#[track_caller]
fn wait_for_subjects(world: &World, server: &Server, wanted: &[&str]) {
    let all = || wanted.iter().all(|wanted| server.subjects().iter().any(|subject| subject == wanted));
    assert!(wait_until(PATIENCE, all), "{wanted:?} is not all of {:#?}\n{}", server.subjects(), world.logs());
}

const MASTER: &str = "[box one] VRRP Instance V - Entering MASTER state";

/// A group that tracks an interface, an instance that is not mailed of, and two to be removed.
fn files() -> [String; 2] {
    let group = "vrrp_sync_group G {\ngroup {\nV\nB\n}\ntrack_interface {\neth2\n}\n}\n";
    let stays = [
        global("smtp_helo_name lb1.example.org"),
        group.to_owned(),
        router("V", 51, 100, VIP, ""),
        router("B", 52, 100, "192.168.0.101", "smtp_alert off"),
    ]
    .concat();
    let goes =
        [router("E", 54, 100, "192.168.0.103", "notify_deleted"), router("F", 55, 100, "192.168.0.104", "")];
    [stays.clone() + &goes.concat(), stays]
}

/// Every mail of a daemon, without what tells when and by whom it was written.
fn mailed_by(program: &str) -> Option<Vec<Mail>> {
    let [begin, reduced] = files();
    let mut world = lone(&begin)?;
    world.nodes[0]
        .shell("ip link add eth2 type veth peer name far && ip link set eth2 up && ip link set far up");
    let server = Server::start(&world.nodes[0].host, 25, Manner::Plain);
    world.nodes[0].start_program(program);
    let entering = |what: &str, state: &str| format!("[box one] VRRP {what} - Entering {state} state");
    for what in ["Instance V", "Instance E", "Instance F", "Group G"] {
        wait_for_subjects(&world, &server, &[&entering(what, "MASTER")]);
    }
    world.nodes[0].shell("ip link set far down");
    wait_for_subjects(&world, &server, &[&entering("Group G", "FAULT"), &entering("Instance V", "FAULT")]);
    world.nodes[0].shell("ip link set far up");
    // keepalived sends its mails side by side, in any order: each is waited for before the next event.
    let twice = |subject: String| server.subjects().iter().filter(|one| **one == subject).count() == 2;
    let both = |state: &str| ["Group G", "Instance V"].iter().all(|what| twice(entering(what, state)));
    let back = wait_until(PATIENCE, || both("BACKUP") && both("MASTER"));
    assert!(back, "{:#?}\n{}", server.subjects(), world.logs());
    world.nodes[0].configure(&reduced);
    world.nodes[0].daemon().hang_up().unwrap();
    let last = ["[box one] VRRP Instance E - Deleted", &entering("Instance F", "FAULT")];
    wait_for_subjects(&world, &server, &last);
    world.nodes[0].stop();
    let mut mails = server.mails();
    for mail in &mut mails {
        let date = mail.header("Date").unwrap();
        let parts: Vec<_> = date.split([' ', ':']).collect();
        let [day, _, month, _, _, _, _, zone] = parts[..] else { panic!("{date}") };
        assert!(day.ends_with(',') && month.len() == 3 && zone.len() == 5, "{date}");
        let mailer = mail.header("X-Mailer").unwrap();
        assert!(mailer.starts_with("Keepalived"), "{mailer}");
        let order: Vec<_> =
            mail.lines.iter().map(|line| line.split(':').next().unwrap().to_owned()).collect();
        assert_eq!(order[..5], ["Date", "From", "Subject", "X-Mailer", "To"]);
        mail.lines.retain(|line| !line.starts_with("Date") && !line.starts_with("X-Mailer"));
    }
    mails.sort_by(|one, other| one.lines.cmp(&other.lines));
    Some(mails)
}

#[test]
fn mails_are_those_of_keepalived() {
    let Some(ours) = mailed_by(env!("CARGO_BIN_EXE_steadfast")) else { return };
    let first = &ours[0];
    assert_eq!((first.hello.as_str(), first.from.as_str()), ("lb1.example.org", "lb@example.org"));
    assert_eq!(first.to, ["admin@example.org", "other@example.org"]);
    if !std::path::Path::new("/usr/sbin/keepalived").exists() {
        lab::skip("keepalived is not installed");
        return;
    }
    let Some(theirs) = mailed_by("/usr/sbin/keepalived") else { return };
    assert_eq!(ours, theirs);
}

#[test]
fn a_server_that_is_away_holds_up_nothing_and_gets_the_mails_when_it_comes() {
    let Some(mut world) = lone(&(global("") + &router("V", 51, 120, VIP, ""))) else { return };
    let begin = now();
    world.nodes[0].start();
    assert!(wait_until(PATIENCE, || world.nodes[0].holds(world.vip)), "{}", world.logs());
    world.nodes[0].wait_for_line(0, "mail 'VRRP Instance V - Entering BACKUP state' waits: ");
    let _regular = world.adverts_of(0, begin, 6);
    world.assert_regular(0, begin, ROUTER_INTERVAL);
    let server = Server::start(&world.nodes[0].host, 25, Manner::Plain);
    wait_for_subjects(&world, &server, &[MASTER]);
    let backup = "[box one] VRRP Instance V - Entering BACKUP state";
    assert_eq!(server.subjects(), [backup, MASTER], "in the order of the events");
    world.nodes[0].stop();
}

#[test]
fn a_silent_server_delays_neither_the_router_nor_for_long_the_stop() {
    let Some(mut world) = lone(&(global("") + &router("V", 51, 120, VIP, ""))) else { return };
    let server = Server::start(&world.nodes[0].host, 25, Manner::Silent);
    let begin = now();
    world.nodes[0].start();
    assert!(wait_until(PATIENCE, || world.nodes[0].holds(world.vip)), "{}", world.logs());
    assert!(wait_until(PATIENCE, || server.connections() > 0), "{}", world.logs());
    let _regular = world.adverts_of(0, begin, 6);
    world.assert_regular(0, begin, ROUTER_INTERVAL);
    world.nodes[0].daemon().terminate().unwrap();
    // Its time-out is 30 seconds.
    let status = world.nodes[0].daemon().wait(PATIENCE).unwrap();
    assert!(status.success(), "{status}");
    world.nodes[0].wait_for_line(0, "2 mails are not sent: the daemon stops");
}

#[test]
fn a_server_that_puts_off_is_asked_again_and_one_that_refuses_is_not() {
    let file = global("no_email_faults") + &router("V", 51, 120, VIP, "");
    for (manner, sent) in [(Manner::Busy(1), true), (Manner::Refusing, false)] {
        let Some(mut world) = lone(&file) else { return };
        let server = Server::start(&world.nodes[0].host, 25, manner);
        world.nodes[0].start();
        if sent {
            wait_for_subjects(&world, &server, &[MASTER]);
            assert_eq!(server.mails().len(), 2, "{}", world.logs());
            world.nodes[0].wait_for_line(0, "waits: ");
        } else {
            let said =
                world.nodes[0].wait_for_line(0, "mail 'VRRP Instance V - Entering MASTER state' is not sent");
            assert!(said.contains("nobody of that name"), "{said}");
            assert_eq!(server.connections(), 2, "once for each mail");
            assert!(server.mails().is_empty());
        }
        world.nodes[0].stop();
    }
}

#[test]
fn mails_are_encrypted_where_the_server_can_do_it() {
    for (manner, port, encrypted) in
        [(Manner::StartTls, 25, true), (Manner::Wrapped, 465, true), (Manner::BrokenTls, 587, false)]
    {
        let at_port = global("").replace("smtp_server 127.0.0.1", &format!("smtp_server 127.0.0.1 {port}"));
        let file = at_port + &router("V", 51, 120, VIP, "");
        let Some(mut world) = lone(&file) else { return };
        let server = Server::start(&world.nodes[0].host, port, manner);
        world.nodes[0].start();
        wait_for_subjects(&world, &server, &[MASTER]);
        assert!(
            server.mails().iter().all(|mail| mail.encrypted == encrypted),
            "{manner:?}: {:?}\n{}",
            server.mails(),
            world.logs()
        );
        assert!(wait_until(PATIENCE, || server.mails().len() >= 2), "{}", world.logs());
        let refused = world.nodes[0].log().matches("by TLS: ").count();
        assert_eq!(refused, usize::from(!encrypted), "{manner:?}: once for both mails\n{}", world.logs());
        world.nodes[0].stop();
    }
}

#[test]
fn names_and_faults_are_as_configured_and_another_server_gets_what_waits() {
    let lines = "no_email_faults\nsmtp_helo_name lb1.example.org\nsmtp_connect_timeout 2";
    let addresses = global(lines)
        .replace("admin@example.org", "\"Admin One <admin@example.org>\"")
        .replace("notification_email_from lb@example.org", "");
    let file = addresses.replace("127.0.0.1", "127.0.0.1 2525")
        + &router("V", 51, 120, VIP, "track_interface {\neth2\n}");
    let Some(mut world) = lone(&file) else { return };
    world.nodes[0].shell("ip link add eth2 type veth peer name far && ip link set eth2 up");
    world.nodes[0].start();
    world.nodes[0].wait_for_line(0, "(V) Entering FAULT STATE");
    world.nodes[0].shell("ip link set far up");
    world.nodes[0].wait_for_line(0, "mail 'VRRP Instance V - Entering BACKUP state' waits: ");
    let server = Server::start(&world.nodes[0].host, 26, Manner::Plain);
    world.nodes[0].configure(&file.replace("2525", "26"));
    world.nodes[0].daemon().hang_up().unwrap();
    wait_for_subjects(&world, &server, &[MASTER]);
    let first = server.mails().remove(0);
    assert_eq!((first.hello.as_str(), first.from.as_str()), ("lb1.example.org", "root@a"));
    assert_eq!(first.to, ["admin@example.org", "other@example.org"]);
    assert_eq!(first.header("To"), Some("Admin One <admin@example.org>, other@example.org"));
    assert!(server.subjects().iter().all(|subject| !subject.contains("FAULT")), "{:?}", server.subjects());
    world.nodes[0].stop();
}
