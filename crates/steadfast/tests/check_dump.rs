//! What `SIGUSR1` says of virtual and real servers, beside Debian's keepalived with the same file, where the kernel has IPVS.

mod common;

use std::fs;
use std::path::Path;
use std::process::Command;

use common::web::is_installed;
use common::{PATIENCE, has_ipvs};
use lab::{Host, wait_for, wait_until};

/// Servers that are down as nobody listens, servers that nobody checks, and every kind of checker but that of BFD.
const FILE: &str = "\
global_defs {
    router_id lvs1
    enable_script_security
    script_user root
}
track_file tf {
    file /run/tf
    weight 3
}
virtual_server_group G {
    192.0.2.10 80
    192.0.2.11-14 80
    fwmark 7
}
virtual_server_group S {
    2001:db8::10 80
}
virtual_server 192.0.2.1 80 {
    delay_loop 1
    lvs_sched wrr
    lvs_method NAT
    protocol TCP
    quorum 2
    hysteresis 1
    quorum_up \"/bin/true up\"
    quorum_down /bin/true
    sorry_server 127.0.0.3 8080
    sorry_server_inhibit
    sorry_server_lvs_method TUN
    omega
    warmup 0
    retry 1
    delay_before_retry 1
    persistence_timeout 100
    persistence_granularity 255.255.255.0
    smtp_alert
    snmp_name vs1
    real_server 127.0.0.1 80 {
        weight 2
        uthreshold 100
        lthreshold 50
        notify_up /bin/true
        notify_down \"/bin/true down\"
        virtualhost rs.example.com
        inhibit_on_failure
        lvs_method DR
        snmp_name rs1
        TCP_CHECK {
            connect_timeout 1
            bindto 127.0.0.1
            bind_if lo
            fwmark 9
        }
        UDP_CHECK {
            connect_port 53
            payload 0102
            require_reply 03xx
            min_reply_length 1
            max_reply_length 100
        }
        DNS_CHECK {
            type TXT
            name example.org
        }
        SMTP_CHECK {
            helo_name me.example.org
        }
        MISC_CHECK {
            misc_path \"/bin/false a b\"
            misc_timeout 3
            user root root
        }
    }
    real_server 127.0.0.2 81 {
        HTTP_GET {
            url {
                path /
                status_code 200 301-303
                digest 640205b7b0fc66c1ea91c463fac6334d
                virtualhost u.example.org
            }
            url {
                path /b
                regex \"a.b\"
                regex_no_match
                regex_min_offset 5
                regex_max_offset 500
            }
        }
    }
    real_server 127.0.0.4 82 {
        weight 5
        connect_timeout 2
        delay_loop 3
        delay_before_retry 4
        warmup 5
        FILE_CHECK {
            track_file tf
            weight 2
        }
    }
}
virtual_server fwmark 5 {
    ip_family inet6
    lvs_sched mh
    mh-port
    mh-fallback
    lvs_method TUN type gue port 6080
    alpha
    inhibit_on_failure
    ops
    real_server 2001:db8::5 {
    }
}
virtual_server group G {
    lvs_sched sh
    sh-port
    lvs_method DR
    protocol TCP
    real_server 127.0.0.9 80 {
        weight 3
    }
}
virtual_server group G {
    lvs_sched rr
    lvs_method DR
    protocol UDP
    real_server 127.0.0.9 80 {
        weight 3
    }
}
virtual_server group S {
    lvs_sched rr
    lvs_method NAT
    protocol SCTP
    real_server 2001:db8::77 80 {
    }
}
";

/// What a daemon says of its servers once those that are dead are known to be, and again after a reload.
fn dumps_of(host: &Host, program: &str) -> [Vec<String>; 2] {
    host.write("/run/servers.conf", FILE).expect("a file");
    host.write("/run/tf", "1").expect("a file");
    let folder = format!("/run/{}", program.rsplit('/').next().unwrap_or_default());
    let path = host.path(&folder);
    fs::create_dir_all(&path).expect("a folder");
    let directory = format!("TMPDIR={folder}");
    let argv = ["/usr/bin/env", &directory, program, "-n", "-l", "-D", "-C", "-f", "/run/servers.conf"];
    let mut daemon = host.spawn(&argv).expect("the daemon starts");
    // One is inhibited, one is gone, and one that a file speaks of takes the traffic alone.
    wait_for_table(host, &daemon, |table| {
        table.contains("127.0.0.1:80 -g -w 0") && !table.contains("127.0.0.2:81")
    });
    // Every failure has been counted.
    let failures = ["TCP_CHECK", "DNS_CHECK", "SMTP_CHECK", "UDP_CHECK", "Misc check"];
    let is_counted = || failures.iter().all(|word| said_failed(&daemon.log().unwrap_or_default(), word));
    assert!(wait_until(PATIENCE, is_counted), "{program}\n{}", daemon.log().unwrap_or_default());
    let before = dump(&daemon, &path);
    host.write("/run/servers.conf", &FILE.replace("weight 5", "weight 6")).expect("a file");
    daemon.hang_up().expect("it runs");
    wait_for_table(host, &daemon, |table| table.contains("127.0.0.4:82 -m -w 8"));
    let after = dump(&daemon, &path);
    daemon.terminate().expect("it runs");
    assert!(daemon.wait(PATIENCE).is_some(), "{program} does not stop");
    [before, after]
}

#[track_caller]
fn wait_for_table(host: &Host, daemon: &lab::Process, is_so: impl Fn(&str) -> bool) {
    let settled = wait_until(PATIENCE, || {
        let mut table = host.spawn(&["ipvsadm", "-Sn"]).expect("ipvsadm");
        table.wait(PATIENCE);
        is_so(&table.log().unwrap_or_default())
    });
    assert!(settled, "{}", daemon.log().unwrap_or_default());
}

/// What `SIGUSR1` has written below the heading of the servers.
#[track_caller]
fn dump(daemon: &lab::Process, folder: &Path) -> Vec<String> {
    let file = folder.join("keepalived_check.data");
    // That of an earlier dump may be there.
    drop(fs::remove_file(&file));
    let status = Command::new("kill").args(["-USR1", &daemon.pid().to_string()]).status().expect("a program");
    assert!(status.success(), "{status}");
    let whole = || {
        let text = fs::read_to_string(&file).ok()?;
        let (_, servers) = text.split_once("------< LVS Topology >------\n")?;
        servers.contains("Tracking instances :\n     [").then(|| servers.lines().map(str::to_owned).collect())
    };
    wait_for(PATIENCE, whole).unwrap_or_else(|| panic!("no dump\n{}", daemon.log().unwrap_or_default()))
}

fn said_failed(log: &str, word: &str) -> bool {
    log.lines()
        .any(|line| line.contains(word) && ["fail", "not connect"].iter().any(|end| line.contains(end)))
}

#[test]
fn servers_are_told_in_keepaliveds_words() {
    if !has_ipvs() || !is_installed("ipvsadm") || !is_installed("keepalived") {
        return;
    }
    let host = Host::new("dumped").expect("a host");
    let program = std::env::var("STEADFAST_TEST_DAEMON");
    let ours = dumps_of(&host, program.as_deref().unwrap_or(env!("CARGO_BIN_EXE_steadfast")));
    let theirs = dumps_of(&host, "keepalived");
    for (ours, theirs) in ours.iter().zip(&theirs) {
        assert!(ours.iter().any(|line| line.trim() == "Failed URL = /"), "{}", ours.join("\n"));
        assert!(ours.len() > 300, "{}", ours.join("\n"));
        let (ours, theirs) = (comparable(ours), comparable(theirs));
        let differs = ours.iter().zip(&theirs).position(|(ours, theirs)| ours != theirs);
        let from = differs.unwrap_or(0).saturating_sub(20);
        let shown =
            |lines: &[String]| lines.iter().skip(from).take(40).cloned().collect::<Vec<_>>().join("\n");
        assert!(ours == theirs, "{differs:?}\nours\n{}\ntheirs\n{}", shown(&ours), shown(&theirs));
    }
}

/// Without what keepalived was built with, the times at which things happened, and how far a check is that goes on.
fn comparable(lines: &[String]) -> Vec<String> {
    let passing = ["System is compiled with", "Failed URL"];
    let numbers = ["Retries iterations", "Last ran"];
    let lines = lines.iter().filter(|line| !passing.iter().any(|word| line.trim().starts_with(word)));
    let without = |line: &String| match numbers.iter().find(|word| line.trim().starts_with(**word)) {
        Some(word) => (*word).to_owned(),
        None => line.clone(),
    };
    lines.map(without).collect()
}
