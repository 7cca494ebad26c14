//! The bytes of nfnetlink.

use std::net::IpAddr;

use model::Family;
use netlink_packet_core::{NLM_F_ACK, NLM_F_CREATE, NLM_F_REQUEST, NLMSG_ERROR};

use super::{Element, Plan, rules};
use crate::errno::{Errno, Refusal};

/// A transaction: all of its messages take effect, or none.
#[derive(Clone, Debug)]
pub struct Batch {
    family: u8,
    bytes: Vec<u8>,
    sequence: u32,
    /// Where the last message of the transaction begins: the one that is to be answered.
    last: usize,
}

/// A message of the kernel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Heard {
    /// An answer to the message with this number of a batch.
    Answer {
        /// The number.
        sequence: u32,
        /// What became of it.
        result: Result<(), Refusal>,
    },
    /// A process has changed the table of this name and family.
    Changed {
        /// The family, if it is one of ours.
        family: Family,
        /// The table.
        table: String,
        /// The port of the socket that it was done with.
        port: u32,
    },
}

impl Batch {
    pub(super) fn new(family: Family) -> Self {
        let family = match family {
            Family::V4 => NFPROTO_IPV4,
            Family::V6 => NFPROTO_IPV6,
        };
        let mut batch = Self { family, bytes: Vec::new(), sequence: 0, last: 0 };
        batch.edge(NFNL_MSG_BATCH_BEGIN);
        batch
    }

    /// Its bytes, for one datagram.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The number of the message that is answered when all has been done. An earlier one is answered if it is refused.
    #[must_use]
    pub fn last(&self) -> u32 {
        self.sequence.saturating_sub(2)
    }

    pub(super) fn finish(&mut self) {
        let flags = self.bytes.get_mut(self.last + FLAGS..).and_then(<[u8]>::first_chunk_mut);
        if let Some(flags) = flags {
            *flags = (u16::from_ne_bytes(*flags) | NLM_F_ACK).to_ne_bytes();
        }
        self.edge(NFNL_MSG_BATCH_END);
    }

    pub(super) fn remove_table(&mut self, table: &str) {
        self.message(NFT_MSG_DELTABLE, 0, |to| to.text(NFTA_TABLE_NAME, table));
    }

    pub(super) fn add_element(&mut self, plan: &Plan, element: &Element) {
        self.element(NFT_MSG_NEWSETELEM, NLM_F_CREATE, plan, element);
    }

    pub(super) fn remove_element(&mut self, plan: &Plan, element: &Element) {
        self.element(NFT_MSG_DELSETELEM, 0, plan, element);
    }

    fn element(&mut self, kind: u8, flags: u16, plan: &Plan, element: &Element) {
        let (set, key, data) = rules::place(plan, element);
        self.message(kind, flags, |to| {
            to.text(NFTA_SET_ELEM_LIST_TABLE, &plan.table);
            to.text(NFTA_SET_ELEM_LIST_SET, set);
            to.nest(NFTA_SET_ELEM_LIST_ELEMENTS, |to| {
                to.nest(NFTA_LIST_ELEM, |to| {
                    to.nest(NFTA_SET_ELEM_KEY, |to| to.put(NFTA_DATA_VALUE, &key));
                    if let Some(data) = &data {
                        to.nest(NFTA_SET_ELEM_DATA, |to| to.put(NFTA_DATA_VALUE, data));
                    }
                });
            });
        });
    }

    pub(super) fn message(&mut self, kind: u8, flags: u16, fill: impl FnOnce(&mut Attributes)) {
        self.last = self.bytes.len();
        let mut attributes = Attributes::default();
        fill(&mut attributes);
        self.put([kind, NFNL_SUBSYS_NFTABLES], NLM_F_REQUEST | flags, self.family, 0, &attributes.0);
    }

    fn edge(&mut self, kind: u16) {
        let subsystem = u16::from(NFNL_SUBSYS_NFTABLES);
        self.put(kind.to_ne_bytes(), NLM_F_REQUEST, 0, subsystem, &[]);
    }

    fn put(&mut self, kind: [u8; 2], flags: u16, family: u8, resource: u16, attributes: &[u8]) {
        let length = HEADER_BYTES + FAMILY_BYTES + attributes.len();
        self.bytes.extend(u32::try_from(length).unwrap_or(u32::MAX).to_ne_bytes());
        self.bytes.extend(kind);
        self.bytes.extend(flags.to_ne_bytes());
        self.bytes.extend(self.sequence.to_ne_bytes());
        self.bytes.extend([0; 4]);
        self.bytes.extend([family, 0]);
        self.bytes.extend(resource.to_be_bytes());
        self.bytes.extend(attributes);
        self.sequence += 1;
    }
}

/// Attributes, one after the other, each padded.
#[derive(Debug, Default)]
pub(super) struct Attributes(Vec<u8>);

impl Attributes {
    pub(super) fn put(&mut self, kind: u16, value: &[u8]) {
        let length = u16::try_from(value.len()).unwrap_or(u16::MAX).saturating_add(4);
        self.0.extend(length.to_ne_bytes());
        self.0.extend(kind.to_ne_bytes());
        self.0.extend(value);
        self.0.resize(self.0.len().next_multiple_of(4), 0);
    }

    pub(super) fn text(&mut self, kind: u16, text: &str) {
        let mut bytes = text.as_bytes().to_vec();
        bytes.push(0);
        self.put(kind, &bytes);
    }

    pub(super) fn number(&mut self, kind: u16, number: u32) {
        self.put(kind, &number.to_be_bytes());
    }

    pub(super) fn nest(&mut self, kind: u16, fill: impl FnOnce(&mut Self)) {
        let mut inner = Self::default();
        fill(&mut inner);
        self.put(kind | NLA_F_NESTED, &inner.0);
    }
}

/// Reads the messages of one datagram, in order. What is not understood is passed over.
pub fn decode(datagram: &[u8], heard: &mut Vec<Heard>) {
    let mut rest = datagram;
    while let Some(header) = rest.first_chunk::<HEADER_BYTES>() {
        let [l0, l1, l2, l3, k0, k1, _, _, s0, s1, s2, s3, p0, p1, p2, p3] = *header;
        let length = usize::try_from(u32::from_ne_bytes([l0, l1, l2, l3])).unwrap_or(usize::MAX);
        let Some(body) = rest.get(HEADER_BYTES..length) else { return };
        let sequence = u32::from_ne_bytes([s0, s1, s2, s3]);
        let port = u32::from_ne_bytes([p0, p1, p2, p3]);
        match (u16::from_ne_bytes([k0, k1]), [k0, k1]) {
            (NLMSG_ERROR, _) => heard.extend(answer(sequence, body)),
            (_, [NFT_MSG_NEWGEN, NFNL_SUBSYS_NFTABLES]) => {}
            (_, [_, NFNL_SUBSYS_NFTABLES]) => heard.extend(changed(body, port)),
            _ => {}
        }
        rest = rest.get(length.next_multiple_of(4)..).unwrap_or_default();
    }
}

fn answer(sequence: u32, body: &[u8]) -> Option<Heard> {
    let code = i32::from_ne_bytes(*body.first_chunk::<4>()?);
    let result = match code {
        0.. => Ok(()),
        _ => Err(Errno(code.saturating_neg()).into()),
    };
    Some(Heard::Answer { sequence, result })
}

/// In the messages of tables, chains, rules, sets and elements the first attribute is the table.
fn changed(body: &[u8], port: u32) -> Option<Heard> {
    let (&[family, _, _, _], attributes) = body.split_first_chunk::<FAMILY_BYTES>()?;
    let family = match family {
        NFPROTO_IPV4 => Family::V4,
        NFPROTO_IPV6 => Family::V6,
        _ => return None,
    };
    let (&[l0, l1, k0, k1], _) = attributes.split_first_chunk::<4>()?;
    let value = attributes.get(4..usize::from(u16::from_ne_bytes([l0, l1])))?;
    let name = value.split(|byte| *byte == 0).next().and_then(|name| str::from_utf8(name).ok())?;
    let is_table = u16::from_ne_bytes([k0, k1]) == NFTA_TABLE_NAME;
    is_table.then(|| Heard::Changed { family, table: name.to_owned(), port })
}

/// An address in the order of the wire.
pub(super) fn octets(address: IpAddr) -> Vec<u8> {
    match address {
        IpAddr::V4(v4) => v4.octets().to_vec(),
        IpAddr::V6(v6) => v6.octets().to_vec(),
    }
}

const HEADER_BYTES: usize = 16;
/// Where in a header they stand.
const FLAGS: usize = 6;
/// `struct nfgenmsg`.
const FAMILY_BYTES: usize = 4;
const NLA_F_NESTED: u16 = 0x8000;
const NFNL_MSG_BATCH_BEGIN: u16 = 16;
const NFNL_MSG_BATCH_END: u16 = 17;
const NFNL_SUBSYS_NFTABLES: u8 = 10;
const NFPROTO_IPV4: u8 = 2;
const NFPROTO_IPV6: u8 = 10;
pub(super) const NFT_MSG_NEWTABLE: u8 = 0;
const NFT_MSG_DELTABLE: u8 = 2;
const NFT_MSG_NEWSETELEM: u8 = 12;
const NFT_MSG_DELSETELEM: u8 = 14;
const NFT_MSG_NEWGEN: u8 = 15;
pub(super) const NFTA_TABLE_NAME: u16 = 1;
pub(super) const NFTA_LIST_ELEM: u16 = 1;
pub(super) const NFTA_DATA_VALUE: u16 = 1;
const NFTA_SET_ELEM_LIST_TABLE: u16 = 1;
const NFTA_SET_ELEM_LIST_SET: u16 = 2;
const NFTA_SET_ELEM_LIST_ELEMENTS: u16 = 3;
const NFTA_SET_ELEM_KEY: u16 = 1;
const NFTA_SET_ELEM_DATA: u16 = 2;
