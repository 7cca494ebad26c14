//! Files with virtual servers of all kinds, made at random.

use std::fmt::Write as _;

/// Virtual servers in a file.
const SERVICES: u64 = 10;

/// The file of this seed: the same at every time.
pub(crate) fn file(seed: u64) -> String {
    let mut chance = Chance(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
    let mut text = "global_defs {\n router_id tables\n}\n".to_owned();
    for number in 0..SERVICES {
        service(&mut text, &mut chance, number);
    }
    text
}

/// One virtual server with its pool; of a group, the group before it.
fn service(text: &mut String, chance: &mut Chance, number: u64) {
    let is_v6 = chance.one_in(3);
    let kind = chance.below(6);
    let address = if is_v6 { format!("2001:db8::{number}:1") } else { format!("10.0.{number}.1") };
    let head = match kind {
        0 => format!("fwmark {}", 100 + number),
        1 | 2 => group(text, chance, number, is_v6),
        _ => format!("{address} {}", 8000 + number),
    };
    let is_mark = kind == 0;
    line(text, &format!("virtual_server {head} {{"));
    line(text, "delay_loop 60");
    let scheduler = scheduler(text, chance);
    let protocol = *chance.of(&["TCP", "TCP", "UDP", "SCTP"]);
    line(text, &format!("protocol {protocol}"));
    if is_mark && is_v6 {
        line(text, "ip_family inet6");
    }
    if protocol == "UDP" && !is_mark && chance.one_in(2) && scheduler != "sh" {
        line(text, "ops");
    } else if chance.one_in(3) {
        persistence(text, chance, is_v6);
    }
    let mut methods = vec!["NAT", "DR", "TUN"];
    if !is_v6 {
        methods.extend(["TUN type gre", "TUN type gue port 6080", "TUN type gre csum"]);
    }
    line(text, &format!("lvs_method {}", chance.of(&methods)));
    for server in 0..1 + chance.below(4) {
        real_server(text, chance, number, server, is_v6);
    }
    line(text, "}");
}

fn scheduler(text: &mut String, chance: &mut Chance) -> &'static str {
    let names = ["rr", "wrr", "lc", "wlc", "lblc", "lblcr", "sh", "dh", "mh", "fo", "ovf", "sed", "nq"];
    let name = *chance.of(&names);
    line(text, &format!("lvs_sched {name}"));
    if ["sh", "mh"].contains(&name) {
        for flag in ["port", "fallback"] {
            if chance.one_in(2) {
                line(text, &format!("{name}-{flag}"));
            }
        }
    }
    name
}

fn persistence(text: &mut String, chance: &mut Chance, is_v6: bool) {
    line(text, &format!("persistence_timeout {}", 60 + 10 * chance.below(50)));
    if chance.one_in(2) {
        let mask =
            if is_v6 { chance.of(&["64", "48"]) } else { chance.of(&["255.255.255.0", "255.255.0.0"]) };
        line(text, &format!("persistence_granularity {mask}"));
    }
}

/// A group before the service that uses it; gives the words that name it.
fn group(text: &mut String, chance: &mut Chance, number: u64, is_v6: bool) -> String {
    line(text, &format!("virtual_server_group G{number} {{"));
    for member in 0..1 + chance.below(3) {
        let port = 9000 + member;
        let words = match (is_v6, chance.below(3)) {
            (false, 0) => format!("10.1.{number}.{}-{} {port}", 10 * member + 1, 10 * member + 4),
            (true, 0) => format!("2001:db8:1:{number}::{member}1-4 {port}").replace("1-4", "1"),
            (_, 1) => format!("fwmark {}", 1000 + 10 * number + member),
            (false, _) => format!("10.2.{number}.{} {port}", member + 1),
            (true, _) => format!("2001:db8:2:{number}::{} {port}", member + 1),
        };
        line(text, &words);
    }
    line(text, "}");
    format!("group G{number}")
}

/// Whether a service, an address with its port or a mark, is a member of one of the groups.
pub(crate) fn is_of_group(service: &str) -> bool {
    ["10.1.", "10.2.", "[2001:db8:1:", "[2001:db8:2:"].iter().any(|start| service.starts_with(start))
        || service.parse::<u64>().is_ok_and(|mark| mark >= 1000)
}

fn real_server(text: &mut String, chance: &mut Chance, number: u64, server: u64, is_v6: bool) {
    let address = if is_v6 {
        format!("2001:db8:f::{number}:{server}")
    } else {
        format!("192.0.2.{}", 10 * number + server)
    };
    line(text, &format!("real_server {address} {} {{", 8000 + number));
    line(text, &format!("weight {}", chance.below(5)));
    if chance.one_in(4) {
        line(text, "uthreshold 100");
        line(text, "lthreshold 50");
    }
    if chance.one_in(3) {
        line(text, "TCP_CHECK {\nwarmup 30\nconnect_timeout 5\n}");
    }
    line(text, "}");
}

fn line(text: &mut String, words: &str) {
    writeln!(text, "{words}").expect("a String takes everything");
}

/// Numbers that look random (xorshift), the same for each seed.
struct Chance(u64);

impl Chance {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, end: u64) -> u64 {
        (self.next() >> 16) % end
    }

    fn one_in(&mut self, count: u64) -> bool {
        self.below(count) == 0
    }

    fn of<'a, T>(&mut self, all: &'a [T]) -> &'a T {
        let count = u64::try_from(all.len()).expect("few");
        &all[usize::try_from(self.below(count)).expect("few")]
    }
}
