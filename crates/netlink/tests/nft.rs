//! The bytes of nftables, and when a table is made, changed and removed.

use std::collections::BTreeSet;
use std::time::Duration;

use model::{Family, IfIndex, Instant};
use netlink::nft::{Batch, Element, Heard, Plan, Report, Table, decode};
use netlink::{Errno, Refusal};
use proptest::prelude::*;
use steadfast_netlink as netlink;

const START: Instant = Instant::from_nanos(1_000_000_000);

fn plan() -> Plan {
    Plan { table: "keepalived".into(), priority: -1, by_index: false, counters: false }
}

fn v4(last: u8) -> Element {
    Element::V4([192, 0, 2, last].into())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A table that the kernel has taken, with one address in it.
fn made(family: Family) -> Table {
    let mut table = Table::new(family);
    table.set_plan(Some(plan()));
    table.set_elements(&BTreeSet::from([v4(1)]));
    assert!(table.next(START).is_some());
    table.done(START, Ok(()));
    assert_eq!(table.take_reports(), [Report::Made]);
    assert!(table.next(START).is_none(), "all is as it should be");
    table
}

/// The kinds of the messages of a batch, and that their lengths are those of the bytes.
fn kinds(batch: &Batch) -> Vec<u16> {
    let (mut kinds, mut rest) = (Vec::new(), batch.bytes());
    while !rest.is_empty() {
        let length = u32::from_ne_bytes(rest[..4].try_into().unwrap()) as usize;
        kinds.push(u16::from_ne_bytes(rest[4..6].try_into().unwrap()));
        rest = &rest[length..];
    }
    kinds
}

/// As a kernel of version 6.18 has taken them; `nft list ruleset` shows the outcome in the tests of the daemon.
#[cfg(target_endian = "little")]
#[test]
fn batches_are_these_bytes() {
    for (family, golden) in
        [(Family::V4, include_str!("golden/nft-ip.hex")), (Family::V6, include_str!("golden/nft-ip6.hex"))]
    {
        let mut table = Table::new(family);
        table.set_plan(Some(plan()));
        assert_eq!(hex(table.next(START).unwrap().bytes()), golden.trim());
    }
    let mut table = made(Family::V4);
    table.set_elements(&BTreeSet::from([v4(2)]));
    assert_eq!(hex(table.next(START).unwrap().bytes()), include_str!("golden/nft-elements.hex").trim());
}

#[test]
fn only_what_differs_is_changed() {
    const NEW: u16 = 10 << 8 | 12;
    const DELETE: u16 = 10 << 8 | 14;
    let mut table = made(Family::V4);
    table.set_elements(&BTreeSet::from([v4(1), v4(2), v4(3)]));
    assert_eq!(kinds(&table.next(START).unwrap()), [16, NEW, NEW, 17]);
    table.done(START, Ok(()));
    table.set_elements(&BTreeSet::from([v4(3), v4(4)]));
    assert_eq!(kinds(&table.next(START).unwrap()), [16, DELETE, DELETE, NEW, 17]);
    table.done(START, Ok(()));
    table.set_plan(None);
    assert_eq!(kinds(&table.next(START).unwrap()), [16, 10 << 8 | 2, 17]);
    table.done(START, Ok(()));
    assert_eq!(table.take_reports(), [Report::Removed]);
    assert!(table.next(START).is_none());
}

#[test]
fn what_an_earlier_run_left_goes_unless_it_is_wanted() {
    let mut table = Table::new(Family::V4);
    table.sweep("keepalived");
    assert_eq!(kinds(&table.next(START).unwrap()), [0x10, 0xa02, 0x11]);
    table.done(START, Ok(()));
    assert_eq!(table.take_reports(), [Report::Swept]);
    assert!(table.next(START).is_none() && !table.is_of_interest());
    for (errno, reports) in
        [(Errno::ENOENT, vec![]), (Errno::EPERM, vec![Report::Stays(Errno::EPERM.into())])]
    {
        table.sweep("keepalived");
        assert!(table.next(START).is_some());
        table.done(START, Err(errno.into()));
        assert_eq!(table.take_reports(), reports);
        assert!(table.next(START).is_none(), "nothing more can be done");
    }
    let mut table = made(Family::V4);
    table.sweep("keepalived");
    assert!(table.next(START).is_none(), "wanted");
}

#[test]
fn a_table_that_somebody_else_keeps_changing_goes_too() {
    let mut table = made(Family::V4);
    while table.deadline().is_none() {
        table.lose(START);
        table.next(START).map(|_| table.done(START, Ok(()))).unwrap_or_default();
    }
    table.set_plan(None);
    table.sweep("keepalived");
    assert_eq!(kinds(&table.next(START).expect("no pause")), [0x10, 0xa02, 0x11]);
}

#[test]
fn elements_go_to_the_table_of_their_family() {
    let own = IfIndex::try_from(7).unwrap();
    let all = BTreeSet::from([v4(1), Element::V6("2001:db8::1".parse().unwrap()), Element::Quiet(own)]);
    for (family, count) in [(Family::V4, 1), (Family::V6, 2)] {
        let mut table = Table::new(family);
        table.set_plan(Some(plan()));
        table.set_elements(&all);
        let batch = table.next(START).unwrap();
        assert_eq!(kinds(&batch).iter().filter(|kind| **kind == 10 << 8 | 12).count(), count);
    }
}

#[test]
fn what_somebody_else_changes_is_made_again_and_not_too_often() {
    let mut table = made(Family::V4);
    assert!(table.is(Family::V4, "keepalived") && !table.is(Family::V6, "keepalived"));
    for _ in 0..5 {
        table.lose(START);
        assert!(table.next(START).is_some());
        table.done(START, Ok(()));
        assert_eq!(table.take_reports(), [Report::MadeAgain]);
    }
    table.lose(START);
    assert!(table.next(START).is_none());
    assert_eq!(table.take_reports(), [Report::HeldBack]);
    let later = table.deadline().unwrap();
    assert!(table.next(later).is_some());
}

#[test]
fn without_duplicates_the_rest_is_made_and_what_fails_is_tried_again() {
    let mut table = Table::new(Family::V4);
    table.set_plan(Some(plan()));
    let whole = kinds(&table.next(START).unwrap()).len();
    table.done(START, Err(Errno(2).into()));
    assert_eq!(kinds(&table.next(START).unwrap()).len(), whole - 1, "a rule less");
    table.done(START, Err(Errno::EOPNOTSUPP.into()));
    let refused = |errno: i32| Refusal::from(Errno(errno));
    assert_eq!(table.take_reports(), [Report::NoDuplicates(refused(2)), Report::Failed(refused(95))]);
    assert!(table.next(START).is_none(), "not at once");
    assert!(table.next(START + Duration::from_secs(1)).is_some());
}

#[test]
fn changes_and_answers_are_heard() {
    let mut heard = Vec::new();
    let message = |kind: u16, body: &[u8]| {
        let mut bytes = u32::try_from(16 + body.len()).unwrap().to_ne_bytes().to_vec();
        bytes.extend(kind.to_ne_bytes());
        bytes.extend([0, 0, 9, 0, 0, 0]);
        bytes[8..12].copy_from_slice(&9_u32.to_ne_bytes());
        bytes.extend(77_u32.to_ne_bytes());
        bytes.extend(body);
        bytes.resize(bytes.len().next_multiple_of(4), 0);
        bytes
    };
    let gone = [&[2, 0, 0, 0][..], &6_u16.to_ne_bytes(), &1_u16.to_ne_bytes(), b"a\0"].concat();
    decode(&[message(10 << 8 | 2, &gone), message(2, &(-17_i32).to_ne_bytes())].concat(), &mut heard);
    let changed = Heard::Changed { family: Family::V4, table: "a".into(), port: 77 };
    let answer = Heard::Answer { sequence: 9, result: Err(Errno::EEXIST.into()) };
    assert_eq!(heard, [changed, answer]);
}

proptest! {
    #[test]
    fn nothing_that_is_heard_panics(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        decode(&bytes, &mut Vec::new());
    }

    #[test]
    fn a_batch_is_whole_messages(lasts in prop::collection::btree_set(any::<u8>(), 0..40), by_index: bool, counters: bool) {
        let mut table = Table::new(Family::V4);
        table.set_plan(Some(Plan { by_index, counters, ..plan() }));
        table.set_elements(&lasts.iter().map(|last| v4(*last)).collect());
        let batch = table.next(START).unwrap();
        let kinds = kinds(&batch);
        prop_assert_eq!(kinds.iter().filter(|kind| **kind == 10 << 8 | 12).count(), lasts.len());
        prop_assert_eq!((kinds.first(), kinds.last()), (Some(&16), Some(&17)));
        prop_assert_eq!(batch.last() as usize, kinds.len() - 2);
    }
}
