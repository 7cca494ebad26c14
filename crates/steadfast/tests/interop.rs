//! With Debian's keepalived, or FRR's vrrpd, as the other host, in either role: each follows the other without a complaint, their packets
//! are the same to the byte, and a third program finds nothing to remark on what we send.

mod common;
mod interop {
    pub(crate) mod cell;
    pub(crate) mod duel;
    pub(crate) mod frr;
    mod load;
    pub(crate) mod wireshark;
}

use std::collections::BTreeMap;
use std::fs;
use std::thread;

use common::PATIENCE;
use interop::cell::{ALL, CHECKSUMS, Cell, FEW, FRR, FRR_IPV6, IPV6, PROTECTED, V2_PASSWORD, V3_FAST};
use interop::duel::{Duel, Program, complaints, counted_errors};
use interop::wireshark;
use lab::{Heard, now, wait_until};
use model::{Instant, MacAddr, Priority};

/// The length of a frame's header, and of an IPv4 header.
const ETHERNET: usize = 14;
const IPV4: usize = 20;
const OURS_FIRST: [Program; 2] = [Program::Steadfast, Program::Keepalived];
const THEIRS_FIRST: [Program; 2] = [Program::Keepalived, Program::Steadfast];
/// The host with the higher priority has the lesser address, which must not matter.
const ADDRESSES: [&str; 2] = ["192.168.0.14", "192.168.0.86"];

#[test]
fn keepalived_follows_steadfast() {
    stop_return_and_crash(OURS_FIRST);
}

#[test]
fn steadfast_follows_keepalived() {
    stop_return_and_crash(THEIRS_FIRST);
}

#[track_caller]
fn stop_return_and_crash(programs: [Program; 2]) {
    let Some(mut duel) = Duel::new(programs, ADDRESSES, &ALL, |_| ()) else { return };
    let begin = now();
    duel.start(0);
    duel.start(1);
    duel.wait_for_master(0);
    duel.assert_announced(0, begin);

    let begin = now();
    duel.stop(0);
    duel.assert_release_is_followed(0, begin);
    duel.wait_for_master(1);
    duel.assert_announced(1, begin);

    let begin = now();
    duel.start(0);
    duel.wait_for_master(0);
    duel.assert_announced(0, begin);

    let begin = now();
    duel.crash(0);
    duel.assert_silence_is_followed(0, begin);
    duel.wait_for_addresses(1, true);
    duel.assert_announced(1, begin);

    let begin = now();
    duel.start(0);
    duel.wait_for_master(0);
    // The backup's end moves nothing.
    duel.stop(1);
    duel.wait_for_master(0);
    duel.assert_announced(0, begin);
    duel.finish();
    assert_unremarkable(&duel);
}

#[test]
fn keepalived_follows_steadfast_over_ipv6() {
    stop_return_and_crash_plainly(OURS_FIRST, &IPV6);
}

#[test]
fn steadfast_follows_keepalived_over_ipv6() {
    stop_return_and_crash_plainly(THEIRS_FIRST, &IPV6);
}

#[test]
fn keepalived_believes_the_unicast_checksums_of_steadfast() {
    stop_return_and_crash_plainly(OURS_FIRST, &CHECKSUMS);
}

#[test]
fn steadfast_believes_the_unicast_checksums_of_keepalived() {
    stop_return_and_crash_plainly(THEIRS_FIRST, &CHECKSUMS);
}

#[test]
fn frr_follows_steadfast() {
    take_turns([Program::Steadfast, Program::Frr], &FRR);
}

#[test]
fn steadfast_follows_frr() {
    take_turns([Program::Frr, Program::Steadfast], &FRR);
}

#[test]
fn frr_follows_steadfast_over_ipv6() {
    take_turns([Program::Steadfast, Program::Frr], &FRR_IPV6);
}

#[test]
fn steadfast_follows_frr_over_ipv6() {
    take_turns([Program::Frr, Program::Steadfast], &FRR_IPV6);
}

#[track_caller]
fn stop_return_and_crash_plainly(programs: [Program; 2], cells: &[Cell]) {
    let Some(duel) = take_turns(programs, cells) else { return };
    assert_no_remark(&duel, cells);
}

/// The better host stops, returns, crashes and returns; the other one follows each time.
#[track_caller]
fn take_turns(programs: [Program; 2], cells: &[Cell]) -> Option<Duel> {
    let mut duel = Duel::new(programs, ADDRESSES, cells, |_| ())?;
    let begin = now();
    duel.start(0);
    if programs[0] == Program::Frr {
        // Over IPv6 its first advertisement is lost, and the other one would follow before the second.
        for &cell in cells {
            duel.adverts(cell, 0, begin, 1);
        }
    }
    duel.start(1);
    duel.wait_for_master(0);
    duel.assert_announced(0, begin);
    let begin = now();
    duel.stop(0);
    duel.assert_release_is_followed(0, begin);
    duel.wait_for_master(1);
    duel.start(0);
    duel.wait_for_master(0);
    let begin = now();
    duel.crash(0);
    duel.assert_silence_is_followed(0, begin);
    duel.wait_for_addresses(1, true);
    duel.assert_announced(1, begin);
    duel.start(0);
    duel.wait_for_master(0);
    duel.finish();
    Some(duel)
}

/// Wireshark has nothing to say to the IPv6 frames of Steadfast, and finds their checksums right.
#[track_caller]
fn assert_no_remark(duel: &Duel, cells: &[Cell]) {
    if !cells.iter().any(|cell| cell.ipv6) {
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let [all, ours] = ["all", "ours"].map(|name| directory.path().join(name));
    duel.world.sniffer.write_pcap(&all).unwrap();
    let mac = duel.world.nodes[duel.index_of(Program::Steadfast)].mac;
    let announcement = "icmpv6.type == 136 && ipv6.dst == ff02::1";
    let filter = format!("eth.src == {mac} && ipv6 && (vrrp || {announcement})");
    if wireshark::extract(&all, &filter, &ours).is_none() {
        return;
    }
    for kind in ["vrrp.version == 3 && ipv6.dst == ff02::12", "vrrp && !(ipv6.dst == ff02::12)", announcement]
    {
        assert!(wireshark::count(&ours, kind) > Some(0), "no frame with {kind}");
    }
    assert_eq!(wireshark::remarks(&ours), Some(Vec::new()));
    let wrong = "!(vrrp.checksum.status == 1 || icmpv6.checksum.status == 1)";
    assert_eq!(wireshark::count(&ours, wrong), Some(0));
}

#[test]
fn keepalived_follows_steadfast_in_authentication_headers() {
    stop_return_and_crash_protected(OURS_FIRST);
}

#[test]
fn steadfast_follows_keepalived_in_authentication_headers() {
    stop_return_and_crash_protected(THEIRS_FIRST);
}

/// Who comes back counts from anew or goes on; the other host must not take that for a recording.
#[track_caller]
fn stop_return_and_crash_protected(programs: [Program; 2]) {
    let Some(mut duel) = Duel::new(programs, ADDRESSES, &PROTECTED, |_| ()) else { return };
    duel.start(0);
    duel.start(1);
    duel.wait_for_master(0);
    let begin = now();
    duel.stop(0);
    duel.assert_release_is_followed(0, begin);
    duel.wait_for_master(1);
    duel.start(0);
    duel.wait_for_master(0);
    let begin = now();
    duel.crash(0);
    duel.assert_silence_is_followed(0, begin);
    duel.wait_for_addresses(1, true);
    duel.start(0);
    duel.wait_for_master(0);
    duel.finish();
}

/// Wireshark's experts have no remark on any frame of Steadfast, of each kind that there is.
#[track_caller]
fn assert_unremarkable(duel: &Duel) {
    let directory = tempfile::tempdir().unwrap();
    let [all, ours] = ["all", "ours"].map(|name| directory.path().join(name));
    duel.world.sniffer.write_pcap(&all).unwrap();
    let mac = duel.world.nodes[duel.index_of(Program::Steadfast)].mac;
    // Apart, because an address that two hosts announce in turn is a remark about neither of them.
    if wireshark::extract(&all, &format!("eth.src == {mac} && (vrrp || arp)"), &ours).is_none() {
        return;
    }
    let kinds = [
        "vrrp.version == 2 && vrrp.auth_type == 0",
        "vrrp.version == 2 && vrrp.auth_type == 1",
        "vrrp.version == 3",
        "vrrp && eth.dst == 01:00:5e:00:00:12",
        "vrrp && !(eth.dst == 01:00:5e:00:00:12)",
        "arp.isgratuitous == 1",
    ];
    // A master's only: the better host is stopped as one.
    let release = (duel.index_of(Program::Steadfast) == 0).then_some("vrrp.prio == 0");
    for kind in kinds.into_iter().chain(release) {
        assert!(wireshark::count(&ours, kind) > Some(0), "no frame with {kind}");
    }
    assert_eq!(wireshark::remarks(&ours), Some(Vec::new()));
    assert_eq!(
        wireshark::count(&ours, "vrrp && !(vrrp.checksum.status == 1 && ip.checksum.status == 1)"),
        Some(0)
    );
}

#[test]
fn steadfast_with_nopreempt_lets_keepalived_go_on() {
    nopreempt(OURS_FIRST, &FEW);
}

#[test]
fn keepalived_with_nopreempt_lets_steadfast_go_on() {
    nopreempt(THEIRS_FIRST, &FEW);
}

#[test]
fn steadfast_with_nopreempt_lets_keepalived_go_on_over_ipv6() {
    nopreempt(OURS_FIRST, &IPV6);
}

#[test]
fn keepalived_with_nopreempt_lets_steadfast_go_on_over_ipv6() {
    nopreempt(THEIRS_FIRST, &IPV6);
}

#[test]
fn steadfast_with_nopreempt_lets_frr_go_on() {
    nopreempt([Program::Steadfast, Program::Frr], &FRR);
}

#[test]
fn steadfast_with_nopreempt_lets_frr_go_on_over_ipv6() {
    nopreempt([Program::Steadfast, Program::Frr], &FRR_IPV6);
}

#[test]
fn frr_with_nopreempt_lets_steadfast_go_on_over_ipv6() {
    nopreempt([Program::Frr, Program::Steadfast], &FRR_IPV6);
}

#[test]
fn frr_with_nopreempt_lets_steadfast_go_on() {
    nopreempt([Program::Frr, Program::Steadfast], &FRR);
}

#[track_caller]
fn nopreempt(programs: [Program; 2], cells: &[Cell]) {
    let duel = Duel::new(programs, ADDRESSES, cells, |[better, _]| better.nopreempt = true);
    let Some(mut duel) = duel else { return };
    duel.start(0);
    duel.wait_for_addresses(0, true);
    duel.start(1);
    duel.wait_for_ready(1);
    duel.stop(0);
    duel.wait_for_master(1);

    let begin = now();
    duel.start(0);
    duel.wait_for_ready(0);
    let ready = now();
    for &cell in cells {
        let _longer_than_the_master_down_interval = duel.adverts(cell, 1, ready, 5);
    }
    assert!(duel.adverts_since(0, begin).is_empty(), "it preempts\n{}", duel.logs());
    duel.wait_for_master(1);

    let begin = now();
    duel.stop(1);
    duel.assert_release_is_followed(1, begin);
    duel.wait_for_master(0);
    duel.finish();
}

#[test]
fn steadfast_with_the_greater_address_stays_master() {
    equal_priorities(OURS_FIRST, &FEW);
}

#[test]
fn keepalived_with_the_greater_address_stays_master() {
    equal_priorities(THEIRS_FIRST, &FEW);
}

#[test]
fn steadfast_with_the_greater_address_stays_master_over_ipv6() {
    equal_priorities(OURS_FIRST, &IPV6);
}

#[test]
fn keepalived_with_the_greater_address_stays_master_over_ipv6() {
    equal_priorities(THEIRS_FIRST, &IPV6);
}

#[test]
fn steadfast_with_the_greater_address_stays_master_beside_frr() {
    equal_priorities([Program::Steadfast, Program::Frr], &FRR);
}

#[test]
fn frr_with_the_greater_address_stays_master_beside_steadfast() {
    equal_priorities([Program::Frr, Program::Steadfast], &FRR);
}

/// The first host has the greater address.
#[track_caller]
fn equal_priorities(programs: [Program; 2], cells: &[Cell]) {
    let [lesser, greater] = ADDRESSES;
    let duel = Duel::new(programs, [greater, lesser], cells, |[a, b]| (a.priority, b.priority) = (150, 150));
    let Some(mut duel) = duel else { return };
    duel.start(1);
    duel.wait_for_addresses(1, true);
    let begin = now();
    duel.start(0);
    duel.wait_for_ready(0);
    let ready = now();
    for &cell in cells {
        let _longer_than_the_master_down_interval = duel.adverts(cell, 1, ready, 5);
    }
    assert!(duel.adverts_since(0, begin).is_empty(), "an equal priority does not preempt\n{}", duel.logs());

    duel.world.nodes[1].cable.cut().unwrap();
    duel.wait_for_addresses(0, true);
    duel.wait_for_addresses(1, true);
    let begin = now();
    duel.world.nodes[1].cable.heal().unwrap();
    duel.wait_for_master(0);
    if programs[0] != Program::Frr {
        // It does not say again where the addresses are.
        duel.assert_announced(0, begin);
    }
    let released = |heard: &Heard| heard.advert().is_some_and(|advert| advert.priority == Priority::RELEASE);
    let released = duel.world.sniffer.since(begin, released);
    assert!(released.is_empty(), "who yields to a better master says nothing: {released:?}");
    duel.finish();
}

/// What the other tests rely on: both programs do complain, in words and numbers that are looked for.
#[test]
fn another_password_is_complained_of() {
    let duel = Duel::new(OURS_FIRST, ADDRESSES, &[V2_PASSWORD], |[_, other]| other.auth_pass = "2222");
    let Some(mut duel) = duel else { return };
    duel.start(0);
    duel.start(1);
    for index in [0, 1] {
        duel.wait_for_addresses(index, true);
        let told = wait_until(PATIENCE, || !complaints(&duel.log(index)).is_empty());
        assert!(told, "host {index} does not complain\n{}", duel.logs());
    }
    let statistics = duel.statistics(1);
    let counted = counted_errors(&statistics);
    assert!(matches!(counted[..], [line] if line.contains("Failure")), "{counted:?}\n{statistics}");
}

/// As above, and nobody follows who cannot prove himself.
#[test]
fn another_key_of_authentication_headers_is_complained_of() {
    let duel = Duel::new(OURS_FIRST, ADDRESSES, &PROTECTED, |[_, other]| other.auth_pass = "2222");
    let Some(mut duel) = duel else { return };
    duel.start(0);
    duel.start(1);
    for index in [0, 1] {
        duel.wait_for_addresses(index, true);
        let told = wait_until(PATIENCE, || !complaints(&duel.log(index)).is_empty());
        assert!(told, "host {index} does not complain\n{}", duel.logs());
    }
}

/// Same file, same host: the frames of both programs differ in the IP header's identification only.
#[test]
fn frames_are_the_same_to_the_byte() {
    let [ours, theirs] = thread::scope(|scope| {
        let both =
            [Program::Steadfast, Program::Keepalived].map(|program| scope.spawn(move || sent_by(program)));
        both.map(|one| one.join().expect("it has sent"))
    });
    let (Some(ours), Some(theirs)) = (ours, theirs) else { return };
    assert_eq!(ours.len(), 2 * ALL.len() + 3 * ALL.len(), "{ours:#?}");
    for (name, frame) in &ours {
        assert_eq!(Some(frame), theirs.get(name), "{name}");
    }
    let example = &ours["v2_multicast_1_21 200"];
    assert_eq!((example[ETHERNET + 1], example[ETHERNET + 8]), (0xc0, 255), "type of service, time to live");
}

/// The frames of a host that is alone: an advertisement and a release of each cell, an announcement of each address.
#[track_caller]
fn sent_by(program: Program) -> Option<BTreeMap<String, Vec<u8>>> {
    let mut duel = Duel::new([program; 2], ADDRESSES, &ALL, |_| ())?;
    for (node, last) in duel.world.nodes.iter_mut().zip([14, 86]) {
        node.mac = MacAddr([2, 0, 0, 0, 0, last]);
        node.host.set_mac(&common::interface(), node.mac).unwrap();
    }
    duel.start(0);
    duel.wait_for_master(0);
    duel.assert_announced(0, Instant::ZERO);
    let begin = now();
    duel.stop(0);
    let mut frames = BTreeMap::new();
    for cell in ALL {
        for (priority, since) in [(200, Instant::ZERO), (0, begin)] {
            let heard = duel.advert_with(cell, 0, since, priority);
            frames.insert(format!("{cell} {priority}"), without_identification(&heard.frame));
        }
        for vip in cell.vips() {
            let mac = duel.world.nodes[0].mac;
            let heard = duel.world.sniffer.since(Instant::ZERO, |heard| heard.announces(vip, mac));
            frames.insert(vip.to_string(), heard[0].frame.to_vec());
        }
    }
    Some(frames)
}

/// The frame of an IPv4 packet with zeros in place of its identification and of the checksum that covers it.
fn without_identification(frame: &[u8]) -> Vec<u8> {
    let mut frame = frame.to_vec();
    frame[ETHERNET + 4..ETHERNET + 6].fill(0);
    frame[ETHERNET + 10..ETHERNET + 12].fill(0);
    frame
}

/// What [`assert_unremarkable`] relies on: damage to any checksum and to the protocol's fields is remarked on.
#[test]
fn wireshark_remarks_on_damaged_frames() {
    let Some(mut duel) = Duel::new(OURS_FIRST, ADDRESSES, &[V2_PASSWORD, V3_FAST], |_| ()) else { return };
    duel.start(0);
    duel.wait_for_master(0);
    let directory = tempfile::tempdir().unwrap();
    let capture = directory.path().join("lan");
    duel.world.sniffer.write_pcap(&capture).unwrap();
    let intact = fs::read(&capture).unwrap();
    let Some(remarks) = wireshark::remarks(&capture) else { return };
    assert!(remarks.is_empty(), "{remarks:?}");
    for (cell, offset, what) in [
        (V2_PASSWORD, ETHERNET + 10, "the checksum of IPv4"),
        (V2_PASSWORD, ETHERNET + IPV4 + 6, "the checksum of VRRP version 2"),
        (V3_FAST, ETHERNET + IPV4 + 6, "the checksum of VRRP version 3"),
        (V3_FAST, ETHERNET + IPV4 + 8, "an address that it covers"),
    ] {
        let frame = duel.adverts(cell, 0, Instant::ZERO, 1).remove(0).frame;
        let at = intact.windows(frame.len()).position(|window| *window == *frame).expect("it was captured");
        let mut damaged = intact.clone();
        damaged[at + offset] ^= 1;
        fs::write(&capture, &damaged).unwrap();
        let remarks = wireshark::remarks(&capture).unwrap();
        assert!(matches!(&remarks[..], [remark] if remark.contains("hecksum")), "{what}: {remarks:?}");
    }
}
