//! The verdicts that differ on purpose: each has its reason in `docs/compatibility.md`.

use super::bench::{Answer, Case, Class};

/// Parts of lines; `*` stands for any text.
type Lines = &'static [&'static str];

/// Why the verdicts on a file may differ.
pub(crate) struct Reason {
    /// What it is called in `docs/compatibility.md`.
    pub(crate) name: &'static str,
    /// keepalived is killed by one of these signals, which leaves no verdict.
    killed_by: &'static [i32],
    /// Both statuses, where the class itself is not the same.
    statuses: Option<(i32, i32)>,
    /// What the file has then.
    given: &'static str,
    /// keepalived complains in such lines, and rightly nobody else would.
    theirs: Lines,
    /// We complain in such lines, and keepalived should.
    ours: Lines,
}

/// All of them.
pub(crate) const REASONS: &[Reason] = &[
    Reason { killed_by: &[6, 11], ..reason("keepalived crashes") },
    Reason { killed_by: &[15], ..reason("keepalived ends itself") },
    Reason {
        ours: &["`` is n", "`` cannot be an interface", "`` has an empty label", "the command is empty"],
        ..reason("empty words")
    },
    Reason { ours: &["is not followed by a brace"], ..reason("a block without braces") },
    Reason {
        ours: &["` is not a routing table", "` is no firewall mark", "` ends before it begins"],
        ..reason("numbers that cannot be")
    },
    Reason {
        ours: &["/*` is not an IP address", "has no valid `neighbor_ip`"],
        given: "_ip ",
        ..reason("addresses with a prefix length")
    },
    Reason {
        ours: &["is not of the address family of its server"],
        given: "SMTP_CHECK",
        ..reason("the source address of `SMTP_CHECK`")
    },
    Reason {
        theirs: &["Route must have a destination", "Unknown rule option", "unknown route keyword"],
        ours: &["is no option of a rule", "is no option of a route"],
        given: "inet",
        ..reason("`inet` and `inet6` in routes and rules")
    },
    Reason { statuses: Some((2, 6)), given: "include", ..reason("a failed include beside a missing word") },
    Reason { statuses: Some((5, 6)), given: "${", ..reason("script security beside an undefined parameter") },
    Reason {
        statuses: Some((5, 6)),
        given: "eth/0",
        ..reason("script security beside an impossible interface")
    },
    Reason { theirs: &["rule specification has mixed IPv4 and IPv6"], ..reason("`any` in a rule") },
    Reason {
        theirs: &["invalid sport range", "invalid dport range"],
        ours: &["` is no range of ports"],
        ..reason("ports in a rule")
    },
    Reason { theirs: &["Invalid ipproto 255"], ..reason("`ipproto 255`") },
    Reason { theirs: &["invalid mpls address"], ..reason("three MPLS labels") },
    Reason { theirs: &["is not a VRF", "is not a private macvlan"], ..reason("links of the wrong kind") },
    Reason { theirs: &["Invalid smtp server"], ..reason("the name of a mail server") },
    Reason { theirs: &["Unable to create config_save_dir"], ..reason("`config_save_dir`") },
    Reason { theirs: &["Unknown umask bit IRWXO"], ..reason("`umask IRWXO`") },
    Reason {
        theirs: &["Unterminated quote '$", "Unterminated quote '*${"],
        ..reason("quotes that parameters open or close")
    },
    Reason {
        theirs: &["invalid number '*.", "vrrp script interval '", "vrrp script timeout '"],
        given: "vrrp_script",
        ..reason("fractions of a second in `vrrp_script`")
    },
    Reason {
        theirs: &[
            "VMAC interface name already specified",
            "VMAC interface name 'netlink_notify_msg'",
            "IPVLAN interface already specified",
            "ipvlan address already specified",
        ],
        ours: &["`name` needs a value", "`group` needs a value"],
        ..reason("words after `use_vmac` and `use_ipvlan`")
    },
    Reason {
        theirs: &[
            "outside range [0.000000, 2147.483647]",
            "garp_group g",
            "garp group 1 does not have any delay",
        ],
        ..reason("long intervals of a `garp_group`")
    },
];

const fn reason(name: &'static str) -> Reason {
    Reason { name, killed_by: &[], statuses: None, given: "", theirs: &[], ours: &[] }
}

/// Why the verdicts on this file differ: all reasons that it takes to make them the same.
pub(crate) fn reasons(case: &Case) -> Option<Vec<&'static Reason>> {
    let known: Vec<_> = REASONS.iter().filter(|reason| case.file.text.contains(reason.given)).collect();
    let statuses = (case.keepalived.status, case.steadfast.status);
    let kills = |reason: &Reason| reason.killed_by.iter().any(|signal| statuses.0 == 128 + signal);
    if let Some(reason) = known.iter().find(|reason| kills(reason) || reason.statuses == Some(statuses)) {
        return Some(vec![reason]);
    }
    let mut used = Vec::new();
    let mut left = |answer: &Answer, is_finding: fn(&str) -> bool, pick: fn(&Reason) -> Lines| {
        let is_said = |line: &str, reason: &Reason| pick(reason).iter().any(|part| holds(line, part));
        let lines = answer.said.lines().filter(|line| is_finding(line));
        lines
            .filter(|line| {
                known.iter().find(|reason| is_said(line, reason)).map(|reason| used.push(*reason)).is_none()
            })
            .count()
    };
    let theirs = left(&case.keepalived, |line| !line.is_empty(), |reason| reason.theirs);
    let ours = left(&case.steadfast, is_finding, |reason| reason.ours);
    let class = |answer: &Answer, left: usize| match answer.class() {
        Class::Wrong if left == 0 => Class::Valid,
        class => class,
    };
    (class(&case.keepalived, theirs) == class(&case.steadfast, ours)).then_some(used)
}

/// Whether the parts of `pattern` stand in `line`, one after the other.
fn holds(line: &str, pattern: &str) -> bool {
    pattern.split('*').try_fold(line, |rest, part| rest.split_once(part).map(|(_, rest)| rest)).is_some()
}

/// Whether a line of ours says what is wrong; the others show where and what to do.
fn is_finding(line: &str) -> bool {
    ["error[", "warning["].iter().any(|word| line.starts_with(word))
}
