//! Numbers with names: those that every host knows become numbers, others are left for the host to look up.

use model::route::{Protocol, Realm, Realms, Table, Tos};
use model::{Named, Scope};

use crate::diagnostic::{Code, shown};
use crate::lexer::Word;
use crate::lower::Report;
use crate::lower::entry::{self, Entry};
use crate::source::Span;

/// The names of one kind of number.
#[derive(Debug)]
pub(crate) struct Names {
    /// What it is, with its article.
    what: &'static str,
    /// Where the host keeps more of them: a path, or a name in the folders of iproute2.
    file: &'static str,
    most: u64,
    /// Capitals make no difference.
    any_case: bool,
    known: &'static [(&'static str, u32)],
}

/// Addresses and routes.
pub(crate) const SCOPES: Names = Names {
    what: "a scope",
    file: "rt_scopes",
    most: 255,
    any_case: false,
    known: &[("global", 0), ("site", 200), ("link", 253), ("host", 254), ("nowhere", 255)],
};

const TABLES: Names = Names {
    what: "a routing table",
    file: "rt_tables",
    most: 4_294_967_295,
    any_case: false,
    known: &[("unspec", 0), ("default", 253), ("main", 254), ("local", 255)],
};

const PROTOCOLS: Names = Names {
    what: "a routing protocol",
    file: "rt_protos",
    most: 255,
    any_case: false,
    // The kernel's rtnetlink.h.
    known: &[
        ("unspec", 0),
        ("redirect", 1),
        ("kernel", 2),
        ("boot", 3),
        ("static", 4),
        ("gated", 8),
        ("ra", 9),
        ("mrt", 10),
        ("zebra", 11),
        ("bird", 12),
        ("dnrouted", 13),
        ("xorp", 14),
        ("ntk", 15),
        ("dhcp", 16),
        ("mrouted", 17),
        ("keepalived", 18),
        ("babel", 42),
        ("openr", 99),
        ("bgp", 186),
        ("isis", 187),
        ("ospf", 188),
        ("rip", 189),
        ("eigrp", 192),
    ],
};

const TOS: Names = Names {
    what: "a type of service",
    file: "rt_dsfield",
    most: 255,
    any_case: false,
    // The code points of RFC 2474, RFC 2597 and RFC 3246, as they stand in the byte.
    known: &[
        ("default", 0),
        ("AF11", 0x28),
        ("AF12", 0x30),
        ("AF13", 0x38),
        ("AF21", 0x48),
        ("AF22", 0x50),
        ("AF23", 0x58),
        ("AF31", 0x68),
        ("AF32", 0x70),
        ("AF33", 0x78),
        ("AF41", 0x88),
        ("AF42", 0x90),
        ("AF43", 0x98),
        ("CS1", 0x20),
        ("CS2", 0x40),
        ("CS3", 0x60),
        ("CS4", 0x80),
        ("CS5", 0xa0),
        ("CS6", 0xc0),
        ("CS7", 0xe0),
        ("EF", 0xb8),
    ],
};

const REALMS: Names =
    Names { what: "a realm", file: "rt_realms", most: 255, any_case: false, known: &[("cosmos", 0)] };

/// Links.
pub(crate) const GROUPS: Names = Names {
    what: "an interface group",
    file: "group",
    most: 2_147_483_647,
    any_case: false,
    known: &[("default", 0)],
};

/// A name that the host has to look up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostName {
    /// The name.
    pub name: String,
    /// The file that has it: a path, or a name in the folders of iproute2, where a folder of that name with `.d` holds
    /// more of them.
    pub file: &'static str,
    /// What it is the name of, with its article.
    pub what: &'static str,
    /// Where it stands.
    pub span: Span,
}

impl HostName {
    pub(crate) fn of<T>(value: &Named<T>, names: &Names, word: &Word<'_>) -> Option<Self> {
        match value {
            Named::Number(_) => None,
            Named::Name(name) => {
                Some(Self { name: name.clone(), file: names.file, what: names.what, span: word.span })
            }
        }
    }
}

const IP_PROTOCOLS: Names = Names {
    what: "an IP protocol",
    file: "/etc/protocols",
    most: 255,
    any_case: true,
    // The assigned numbers that firewalls and routers meet.
    known: &[
        ("tcp", 6),
        ("udp", 17),
        ("icmp", 1),
        ("ipv6-icmp", 58),
        ("sctp", 132),
        ("ip", 0),
        ("igmp", 2),
        ("ipencap", 4),
        ("dccp", 33),
        ("ipv6", 41),
        ("rsvp", 46),
        ("gre", 47),
        ("esp", 50),
        ("ah", 51),
        ("eigrp", 88),
        ("ospf", 89),
        ("pim", 103),
        ("vrrp", 112),
        ("l2tp", 115),
        ("udplite", 136),
    ],
};

impl Names {
    /// What `text` means; a number keeps its base in its prefix. `None` if it can be neither number nor name.
    pub(crate) fn read<T>(&self, text: &str, number: impl Fn(u32) -> Option<T>) -> Option<Named<T>> {
        let is_it = |name: &str| name == text || (self.any_case && name.eq_ignore_ascii_case(text));
        let known = self.known.iter().find(|(name, _)| is_it(name)).map(|(_, value)| *value);
        let value = match known {
            Some(value) => value,
            None if text.starts_with(|c: char| c.is_ascii_digit() || "+-".contains(c)) => {
                let value = entry::based(text).ok().filter(|value| *value <= self.most);
                u32::try_from(value?).ok()?
            }
            None if text.is_empty() || text.contains('/') => return None,
            None => return Some(Named::Name(text.to_owned())),
        };
        number(value).map(Named::Number)
    }

    /// What may be written.
    pub(crate) fn advice(&self) -> String {
        let names: Vec<_> = self.known.iter().take(5).map(|(name, _)| format!("`{name}`")).collect();
        let more = if self.known.len() > 5 { ", …" } else { "" };
        format!(
            "write {}{more}, a number up to {} or a name from `{}`",
            names.join(", "),
            self.most,
            self.file
        )
    }
}

fn byte(value: u32) -> Option<u8> {
    u8::try_from(value).ok()
}

impl Entry<'_, '_> {
    pub(crate) fn scope(&mut self, option: &Word<'_>, report: &mut Report) -> Option<Named<Scope>> {
        self.named(option, &SCOPES, |value| byte(value).map(Scope), report)
    }

    pub(crate) fn table(&mut self, option: &Word<'_>, report: &mut Report) -> Option<Named<Table>> {
        self.named(option, &TABLES, |value| Some(Table(value)), report)
    }

    pub(crate) fn protocol(&mut self, option: &Word<'_>, report: &mut Report) -> Option<Named<Protocol>> {
        self.named(option, &PROTOCOLS, |value| byte(value).map(Protocol), report)
    }

    pub(crate) fn tos(&mut self, option: &Word<'_>, report: &mut Report) -> Option<Named<Tos>> {
        self.named(option, &TOS, |value| byte(value).map(Tos), report)
    }

    /// `ipproto`. The names of protocols have their capital forms as well.
    pub(crate) fn ip_protocol(&mut self, option: &Word<'_>, report: &mut Report) -> Option<Named<u8>> {
        self.named(option, &IP_PROTOCOLS, byte, report)
    }

    pub(crate) fn group(&mut self, option: &Word<'_>, report: &mut Report) -> Option<Named<u32>> {
        self.named(option, &GROUPS, Some, report)
    }

    /// `[FROM/]TO`.
    pub(crate) fn realms(&mut self, option: &Word<'_>, report: &mut Report) -> Option<Realms> {
        let word = self.value(option, report)?;
        let realm = |text| REALMS.read(text, |value| byte(value).map(Realm));
        let realms = match word.text.split_once('/') {
            Some((from, to)) => realm(from).zip(realm(to)).map(|(from, to)| Realms { from: Some(from), to }),
            None => realm(&word.text).map(|to| Realms { from: None, to }),
        };
        let names = realms.iter().flat_map(|realms| realms.from.iter().chain([&realms.to]));
        report.names.extend(names.filter_map(|realm| HostName::of(realm, &REALMS, word)));
        if realms.is_none() {
            let headline = format!("{} is no pair of realms", shown(&word.text));
            let advice = format!("write `FROM/TO` or `TO`; for each of them {}", REALMS.advice());
            report.push(self.void(Code::InvalidChoice, word.span, headline, &advice));
        }
        realms
    }

    fn named<T>(
        &mut self,
        option: &Word<'_>,
        names: &Names,
        number: impl Fn(u32) -> Option<T>,
        report: &mut Report,
    ) -> Option<Named<T>> {
        let word = self.value(option, report)?;
        let value = names.read(&word.text, number);
        match &value {
            None => {
                let headline = format!("{} is not {}", shown(&word.text), names.what);
                report.push(self.void(Code::InvalidChoice, word.span, headline, &names.advice()));
            }
            Some(value) => report.names.extend(HostName::of(value, names, word)),
        }
        value
    }
}
