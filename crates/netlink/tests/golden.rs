//! Bytes that the kernel and iproute2 really exchanged.

use std::net::Ipv4Addr;

use model::{Family, IfIndex, IfName, MacAddr, Prefix};
use netlink::request::{LinkId, NewAddress, PROTOCOL};
use netlink::{
    Change, Errno, Event, Mirror, Notice, Outcome, Refusal, Request, Sequence, Skipped, Transactions, decode,
    encode,
};
use proptest::prelude::*;
use steadfast_netlink as netlink;

const CONVERSATION: &str = include_str!("golden/conversation.hex");

/// Replays the recorded conversation: what we send must be what was sent then.
struct Replay {
    lines: std::iter::Peekable<std::vec::IntoIter<&'static str>>,
    transactions: Transactions,
    mirror: Mirror,
    skipped: Skipped,
}

impl Replay {
    fn new() -> Self {
        let lines: Vec<_> = CONVERSATION.lines().filter(|line| !line.starts_with("# ")).collect();
        Self {
            lines: lines.into_iter().peekable(),
            transactions: Transactions::new(),
            mirror: Mirror::default(),
            skipped: Skipped::default(),
        }
    }

    /// Plays the section `title`, which begins with these requests.
    #[track_caller]
    fn ask(&mut self, title: &str, requests: impl IntoIterator<Item = Request>) -> Vec<Notice> {
        let mut batch = Vec::new();
        for request in requests {
            self.transactions.ask(request, &mut batch);
        }
        self.play(title, batch)
    }

    /// Plays the section `title`, which is a resynchronisation.
    #[track_caller]
    fn resynchronise(&mut self, title: &str) -> Vec<Notice> {
        let mut batch = Vec::new();
        self.transactions.resynchronise(&mut self.mirror, &mut batch);
        self.play(title, batch)
    }

    #[track_caller]
    fn play(&mut self, title: &str, mut batch: Vec<u8>) -> Vec<Notice> {
        assert_eq!(self.lines.next(), Some(format!("## {title}").as_str()));
        let mut notices = Vec::new();
        while let Some(line) = self.lines.next_if(|line| !line.starts_with("## ")) {
            if let Some(sent) = line.strip_prefix("> ") {
                assert_eq!(batch, bytes(sent), "{title}");
                batch.clear();
                continue;
            }
            let mut events = Vec::new();
            self.skipped += decode(&bytes(line.strip_prefix("< ").unwrap()), &mut events);
            for event in events {
                self.transactions.hear(event, &mut self.mirror, &mut batch, &mut notices);
            }
        }
        assert!(batch.is_empty(), "{title}: a request was not recorded");
        notices
    }

    fn index(&self, link: &str) -> IfIndex {
        self.mirror.link_named(&name(link)).unwrap().index
    }

    /// Plays up to where the links are up and have their addresses.
    fn prepared() -> Self {
        let mut replay = Self::new();
        replay.resynchronise("start");
        replay.ask("create", create());
        let (vb, br0) = (replay.index("vb"), replay.index("br0"));
        replay.ask("master", [Request::SetMaster { link: vb.into(), master: Some(br0) }]);
        let va = replay.index("va");
        let plain = Request::AddAddress(NewAddress::plain(va, prefix("192.0.2.1/24")));
        replay.ask(
            "addresses",
            [plain, Request::AddAddress(virtual_v4(va)), Request::AddAddress(virtual_v6(va))],
        );
        replay
    }
}

#[test]
fn the_kernel_lists_its_links() {
    let mut replay = Replay::new();
    let notices = replay.resynchronise("start");
    let [Notice::Changed(Change::Link(lo)), Notice::Synchronised] = &notices[..] else {
        panic!("{notices:?}");
    };
    assert_eq!((lo.index.get(), lo.name.as_str(), lo.mtu), (1, "lo", 65_536));
    assert!(lo.loopback && !lo.up && !lo.running && lo.kind.is_none());
    assert!(!replay.transactions.is_synchronising());
}

#[test]
fn links_are_made_and_come_up() {
    let mut replay = Replay::new();
    replay.resynchronise("start");
    let notices = replay.ask("create", create());
    let answers: Vec<_> = answers(&notices).collect();
    assert_eq!(answers, vec![&Outcome::Done; 8]);
    let va = replay.mirror.link_named(&name("va")).unwrap();
    assert_eq!((va.mac, va.kind.as_deref()), (Some(MacAddr([2, 0, 0, 0, 0, 1])), Some("veth")));
    assert!(va.carries() && va.multicast && !va.loopback);
    assert_eq!(replay.mirror.link_named(&name("br0")).unwrap().kind.as_deref(), Some("bridge"));
    let (vb, br0) = (replay.index("vb"), replay.index("br0"));
    replay.ask("master", [Request::SetMaster { link: vb.into(), master: Some(br0) }]);
    assert_eq!(replay.mirror.link(vb).unwrap().master, Some(br0));
    assert_eq!(
        replay.skipped,
        Skipped { foreign: 11, ..Skipped::default() },
        "the bridge's, new routes, multicast rules"
    );
}

#[test]
fn addresses_are_made_and_refused() {
    let mut replay = Replay::prepared();
    let va = replay.index("va");
    let added = replay.mirror.addresses_of(va).find(|a| a.prefix == prefix("192.0.2.100/24")).unwrap();
    assert_eq!((added.protocol, added.label.as_deref()), (PROTOCOL, Some("va:1")));
    assert_eq!(added.broadcast, Some(Ipv4Addr::new(192, 0, 2, 255)));
    assert!(added.flags.secondary());
    assert!(replay.mirror.has(va, prefix("2001:db8::100/64")));
    let source = replay.mirror.primary(va, Family::V4, |_| false).unwrap();
    assert_eq!(source.prefix, prefix("192.0.2.1/24"));

    let again = [Request::AddAddress(virtual_v4(va)), Request::AddAddress(virtual_v6(va))];
    let notices = replay.ask("again", again);
    let refused = |text: &str| Outcome::Refused(Refusal { errno: Errno::EEXIST, text: Some(text.into()) });
    assert_eq!(
        answers(&notices).collect::<Vec<_>>(),
        [&refused("ipv4: Address already assigned"), &refused("ipv6: address already assigned")]
    );
}

#[test]
fn only_the_exact_prefix_is_deleted() {
    let mut replay = Replay::prepared();
    let va = replay.index("va");
    replay.ask("again", [Request::AddAddress(virtual_v4(va)), Request::AddAddress(virtual_v6(va))]);
    let longer_v6 = NewAddress { prefix: prefix("2001:db8::100/128"), ..virtual_v6(va) };
    let longer_v4 =
        NewAddress { prefix: prefix("192.0.2.100/32"), label: None, broadcast: None, ..virtual_v4(va) };
    let notices =
        replay.ask("other length", [Request::AddAddress(longer_v6), Request::AddAddress(longer_v4)]);
    let errors: Vec<_> = answers(&notices).map(errno).collect();
    assert_eq!(errors, [Some(Errno::EEXIST), None], "IPv6 has an address once");
    assert!(
        replay.mirror.has(va, prefix("192.0.2.100/24")) && replay.mirror.has(va, prefix("192.0.2.100/32"))
    );

    let delete = |of: &str| Request::DeleteAddress { index: va, prefix: prefix(of), peer: None };
    let nowhere = IfIndex::try_from(9999).unwrap();
    let notices = replay.ask(
        "delete",
        [
            delete("192.0.2.100/24"),
            delete("192.0.2.100/24"),
            delete("192.0.2.100/32"),
            delete("2001:db8::100/64"),
            delete("2001:db8::100/64"),
            Request::AddAddress(NewAddress::plain(nowhere, prefix("192.0.2.1/24"))),
        ],
    );
    let errors: Vec<_> = answers(&notices).map(errno).collect();
    let missing = Some(Errno::EADDRNOTAVAIL);
    assert_eq!(errors, [None, missing, None, None, missing, Some(Errno::ENODEV)]);
    assert_eq!(replay.resynchronise("list"), [Notice::Synchronised], "the mirror was true");
    assert!(!replay.mirror.has(va, prefix("192.0.2.100/24")));
    assert!(replay.mirror.has(va, prefix("192.0.2.1/24")));

    let vb = replay.index("vb");
    replay.ask(
        "nomaster, down, rename",
        [
            Request::SetMaster { link: vb.into(), master: None },
            Request::SetDown(vb.into()),
            Request::Rename { index: vb, name: name("vc") },
        ],
    );
    let renamed = replay.mirror.link_named(&name("vc")).unwrap();
    assert!(renamed.index == vb && !renamed.up && renamed.master.is_none());
    assert!(replay.mirror.link_named(&name("vb")).is_none());
    let delete = |link: &str| Request::DeleteLink(LinkId::Name(name(link)));
    let notices = replay.ask("delete links", [delete("va"), delete("br0"), delete("nope")]);
    let errors: Vec<_> = answers(&notices).map(errno).collect();
    assert_eq!(errors, [None, None, Some(Errno::ENODEV)]);
    assert_eq!(replay.mirror.links().count(), 1, "only lo is left: both ends of the pair are gone");
    assert_eq!(replay.mirror.addresses().count(), 0);
}

#[test]
fn requests_are_those_of_iproute2() {
    let va = IfIndex::try_from(3).unwrap();
    let (v4, v6) = (prefix("192.0.2.100/24"), prefix("2001:db8::100/64"));
    let same = [
        Request::AddAddress(NewAddress::plain(va, v4)),
        Request::DeleteAddress { index: va, prefix: v4, peer: None },
        Request::DeleteAddress { index: va, prefix: v6, peer: None },
        Request::DeleteLink(va.into()),
    ];
    let recorded = include_str!("golden/iproute2.hex").lines().filter(|line| !line.starts_with('#'));
    assert_eq!(recorded.clone().count(), same.len());
    for (request, recorded) in same.iter().zip(recorded) {
        let recorded = bytes(recorded);
        let sequence = u32::from_ne_bytes(recorded[8..12].try_into().unwrap());
        let mut ours = Vec::new();
        encode(request, Sequence::from_wire(sequence), &mut ours);
        assert_eq!(ours, recorded, "{request:?}");
    }
}

#[test]
fn a_message_cut_anywhere_is_skipped() {
    for datagram in received() {
        let mut whole = Vec::new();
        decode(&datagram, &mut whole);
        let ends = message_ends(&datagram);
        for length in 1..datagram.len() {
            let mut events = Vec::new();
            let skipped = decode(&datagram[..length], &mut events);
            assert!(whole.starts_with(&events), "what comes before the cut stays as it was");
            assert_eq!(skipped.truncated == 0, ends.contains(&length), "cut at {length}");
        }
    }
}

fn message_ends(datagram: &[u8]) -> Vec<usize> {
    let mut ends = Vec::new();
    let mut at = 0;
    while at < datagram.len() {
        at += usize::try_from(u32::from_ne_bytes(datagram[at..at + 4].try_into().unwrap())).unwrap();
        ends.push(at);
        at = at.next_multiple_of(4);
        ends.push(at);
    }
    ends
}

proptest! {
    #[test]
    fn no_damage_makes_the_decoder_panic(
        which in any::<prop::sample::Index>(),
        damage in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
    ) {
        let all = received();
        let mut datagram = all[which.index(all.len())].clone();
        for (at, byte) in damage {
            let at = at.index(datagram.len());
            datagram[at] = byte;
        }
        hear(&datagram);
    }

    #[test]
    fn no_bytes_make_the_decoder_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        hear(&bytes);
    }

    /// Behind a right header, so that the attributes are reached.
    #[test]
    fn no_body_makes_the_decoder_panic(
        kind in prop_oneof![Just(2_u16), Just(3), 16..22_u16],
        flags in any::<u16>(),
        family in prop_oneof![Just(0_u8), Just(2), Just(10)],
        body in proptest::collection::vec(any::<u8>(), 0..80),
    ) {
        let length = u32::try_from(17 + body.len()).unwrap();
        let mut datagram = length.to_ne_bytes().to_vec();
        datagram.extend(kind.to_ne_bytes());
        datagram.extend(flags.to_ne_bytes());
        datagram.extend([1, 0, 0, 0, 0, 0, 0, 0, family]);
        datagram.extend(body);
        hear(&datagram);
    }
}

fn hear(datagram: &[u8]) {
    let mut events: Vec<Event> = Vec::new();
    decode(datagram, &mut events);
    let (mut transactions, mut mirror) = (Transactions::new(), Mirror::default());
    for event in events {
        transactions.hear(event, &mut mirror, &mut Vec::new(), &mut Vec::new());
    }
}

fn create() -> [Request; 8] {
    let by_name = |link: &str| LinkId::Name(name(link));
    let set_mac =
        |link: &str, last| Request::SetMac { link: by_name(link), mac: MacAddr([2, 0, 0, 0, 0, last]) };
    [
        Request::CreateVeth { name: name("va"), peer: name("vb"), peer_namespace: None },
        Request::CreateBridge { name: name("br0") },
        set_mac("va", 1),
        set_mac("vb", 2),
        set_mac("br0", 3),
        Request::SetUp(by_name("va")),
        Request::SetUp(by_name("vb")),
        Request::SetUp(by_name("br0")),
    ]
}

fn virtual_v4(index: IfIndex) -> NewAddress {
    NewAddress {
        broadcast: Some(Ipv4Addr::new(192, 0, 2, 255)),
        label: Some("va:1".to_owned()),
        protocol: PROTOCOL,
        ..NewAddress::plain(index, prefix("192.0.2.100/24"))
    }
}

fn virtual_v6(index: IfIndex) -> NewAddress {
    NewAddress {
        protocol: PROTOCOL,
        no_duplicate_detection: true,
        ..NewAddress::plain(index, prefix("2001:db8::100/64"))
    }
}

fn answers(notices: &[Notice]) -> impl Iterator<Item = &Outcome> {
    notices.iter().filter_map(|notice| match notice {
        Notice::Answered { outcome, .. } => Some(outcome),
        _ => None,
    })
}

fn errno(outcome: &Outcome) -> Option<Errno> {
    match outcome {
        Outcome::Refused(refusal) => Some(refusal.errno),
        Outcome::Done | Outcome::Lost => None,
    }
}

fn received() -> Vec<Vec<u8>> {
    CONVERSATION.lines().filter_map(|line| line.strip_prefix("< ")).map(bytes).collect()
}

fn bytes(hex: &str) -> Vec<u8> {
    (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect()
}

fn name(name: &str) -> IfName {
    name.parse().unwrap()
}

fn prefix(text: &str) -> Prefix {
    let (address, length) = text.split_once('/').unwrap();
    Prefix::new(address.parse().unwrap(), length.parse().unwrap()).unwrap()
}
