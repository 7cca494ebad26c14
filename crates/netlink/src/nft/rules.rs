//! What stands in the table: its sets, chains and rules.

use std::net::IpAddr;

use model::Family;
use netlink_packet_core::{NLM_F_APPEND, NLM_F_CREATE};

use super::batch::{
    Attributes, Batch, NFT_MSG_NEWTABLE, NFTA_DATA_VALUE, NFTA_LIST_ELEM, NFTA_TABLE_NAME, octets,
};
use super::{Element, Plan};

/// The whole table, in the place of one of this name that there may be. `duplicates` asks for the rules of VMACs.
pub(super) fn table(batch: &mut Batch, plan: &Plan, family: Family, duplicates: bool) {
    let make = |batch: &mut Batch| {
        batch.message(NFT_MSG_NEWTABLE, NLM_F_CREATE, |to| to.text(NFTA_TABLE_NAME, &plan.table));
    };
    // Made first, because what is not there cannot be removed.
    make(batch);
    batch.remove_table(&plan.table);
    make(batch);
    let mut table = Rules { batch, plan, sets: 0 };
    match family {
        Family::V4 => table.v4(duplicates),
        Family::V6 => table.v6(duplicates),
    }
}

/// Set, key and data of an element.
pub(super) fn place(plan: &Plan, element: &Element) -> (&'static str, Vec<u8>, Option<Vec<u8>>) {
    match element {
        Element::V4(address) => (VIPS, octets(IpAddr::V4(*address)), None),
        Element::V6(address) => (VIPS, octets(IpAddr::V6(*address)), None),
        Element::LinkLocal { address, device, index } => {
            let mut key = octets(IpAddr::V6(*address));
            if plan.by_index {
                key.extend(index.get().to_ne_bytes());
            } else {
                key.extend(name_key(device.as_str()));
            }
            (VIPS_LINK_LOCAL, key, None)
        }
        Element::Quiet(own) => (VMAC_SET, own.get().to_ne_bytes().to_vec(), None),
        Element::Vmac { own, base } => {
            (VMAC_MAP, own.get().to_ne_bytes().to_vec(), Some(base.get().to_ne_bytes().to_vec()))
        }
    }
}

struct Rules<'a> {
    batch: &'a mut Batch,
    plan: &'a Plan,
    sets: u32,
}

impl Rules<'_> {
    fn v4(&mut self, duplicates: bool) {
        self.set(VMAC_MAP, (TYPE_IFINDEX, 4), Some((TYPE_IFINDEX, 4)));
        self.set(VIPS, (TYPE_IPADDR, 4), None);
        self.chain(IN, Some(HOOK_INPUT));
        self.chain(OUT, Some(HOOK_OUTPUT));
        if duplicates {
            self.rule(OUT, |rule| {
                rule.meta(META_L4PROTO, REG).compare(REG, &[IPPROTO_IGMP]);
                rule.duplicate_macvlan(IPV4_DESTINATION);
            });
        }
        self.rule(IN, |rule| {
            rule.load(NETWORK, IPV4_DESTINATION, REG).lookup(VIPS, REG, None).verdict(Verdict::Drop);
        });
        self.rule(OUT, |rule| {
            rule.load(NETWORK, IPV4_SOURCE, REG).lookup(VIPS, REG, None).verdict(Verdict::Drop);
        });
    }

    fn v6(&mut self, duplicates: bool) {
        self.set(VMAC_MAP, (TYPE_IFINDEX, 4), Some((TYPE_IFINDEX, 4)));
        self.set(VMAC_SET, (TYPE_IFINDEX, 4), None);
        self.set(VIPS, (TYPE_IP6ADDR, 16), None);
        let (link, bytes) = if self.plan.by_index { (TYPE_IFINDEX, 4) } else { (TYPE_IFNAME, 16) };
        self.set(VIPS_LINK_LOCAL, (TYPE_IP6ADDR << TYPE_BITS | link, 16 + bytes), None);
        self.chain(IN, Some(HOOK_INPUT));
        self.chain(OUT, Some(HOOK_OUTPUT));
        if duplicates {
            self.rule(OUT, |rule| {
                rule.icmpv6(MULTICAST_LISTENER_REPORT_2);
                rule.duplicate_macvlan(IPV6_DESTINATION);
            });
        }
        // A VMAC is no host that looks for routers.
        self.rule(OUT, |rule| {
            rule.icmpv6(ROUTER_SOLICITATION).meta(META_OIF, REG).lookup(VMAC_SET, REG, None);
            rule.verdict(Verdict::Drop);
        });
        // Others must be able to find the address, or nobody would know who has it.
        for chain in [IN, OUT] {
            for message in [NEIGHBOUR_SOLICITATION, NEIGHBOUR_ADVERTISEMENT] {
                self.rule(chain, |rule| {
                    rule.icmpv6(message).verdict(Verdict::Accept);
                });
            }
        }
        let ends =
            [(IN, IPV6_DESTINATION, META_IIF, META_IIFNAME), (OUT, IPV6_SOURCE, META_OIF, META_OIFNAME)];
        for (chain, field, index, name) in ends {
            let link = if self.plan.by_index { index } else { name };
            self.rule(chain, |rule| {
                rule.load(NETWORK, field, REG_SHORT).meta(link, REG_SHORT + 4);
                rule.lookup(VIPS_LINK_LOCAL, REG_SHORT, None).verdict(Verdict::Drop);
            });
            self.rule(chain, |rule| {
                rule.load(NETWORK, field, REG).lookup(VIPS, REG, None).verdict(Verdict::Drop);
            });
        }
    }

    fn set(&mut self, name: &str, key: (u32, u32), data: Option<(u32, u32)>) {
        self.sets += 1;
        let (plan, id) = (self.plan, self.sets);
        self.batch.message(NFT_MSG_NEWSET, NLM_F_CREATE, |to| {
            to.text(NFTA_SET_TABLE, &plan.table);
            to.text(NFTA_SET_NAME, name);
            to.number(NFTA_SET_FLAGS, if data.is_some() { NFT_SET_MAP } else { 0 });
            to.number(NFTA_SET_KEY_TYPE, key.0);
            to.number(NFTA_SET_KEY_LEN, key.1);
            if let Some((kind, bytes)) = data {
                to.number(NFTA_SET_DATA_TYPE, kind);
                to.number(NFTA_SET_DATA_LEN, bytes);
            }
            to.number(NFTA_SET_ID, id);
            if key.0 == TYPE_IFINDEX {
                to.put(NFTA_SET_USERDATA, &byte_orders(data.is_some()));
            }
        });
    }

    fn chain(&mut self, name: &str, hook: Option<u32>) {
        let plan = self.plan;
        self.batch.message(NFT_MSG_NEWCHAIN, NLM_F_CREATE, |to| {
            to.text(NFTA_CHAIN_TABLE, &plan.table);
            to.text(NFTA_CHAIN_NAME, name);
            if let Some(hook) = hook {
                to.nest(NFTA_CHAIN_HOOK, |to| {
                    to.number(NFTA_HOOK_HOOKNUM, hook);
                    to.put(NFTA_HOOK_PRIORITY, &plan.priority.to_be_bytes());
                });
                to.number(NFTA_CHAIN_POLICY, NF_ACCEPT);
                to.text(NFTA_CHAIN_TYPE, "filter");
            }
        });
    }

    fn rule(&mut self, chain: &str, fill: impl FnOnce(&mut Rule)) {
        let plan = self.plan;
        let mut rule = Rule { expressions: Attributes::default(), counts: plan.counters };
        fill(&mut rule);
        self.batch.message(NFT_MSG_NEWRULE, NLM_F_CREATE | NLM_F_APPEND, |to| {
            to.text(NFTA_RULE_TABLE, &plan.table);
            to.text(NFTA_RULE_CHAIN, chain);
            to.nest(NFTA_RULE_EXPRESSIONS, |to| *to = rule.expressions);
        });
    }
}

/// The expressions of a rule.
struct Rule {
    expressions: Attributes,
    counts: bool,
}

#[derive(Clone, Copy)]
enum Verdict {
    Drop,
    Accept,
}

/// Offset and length in bytes, within a header.
type Field = (u32, u32);

impl Rule {
    fn add(&mut self, name: &str, fill: impl FnOnce(&mut Attributes)) -> &mut Self {
        self.expressions.nest(NFTA_LIST_ELEM, |to| {
            to.text(NFTA_EXPR_NAME, name);
            to.nest(NFTA_EXPR_DATA, fill);
        });
        self
    }

    fn load(&mut self, base: u32, (offset, length): Field, register: u32) -> &mut Self {
        self.add("payload", |to| {
            to.number(NFTA_PAYLOAD_DREG, register);
            to.number(NFTA_PAYLOAD_BASE, base);
            to.number(NFTA_PAYLOAD_OFFSET, offset);
            to.number(NFTA_PAYLOAD_LEN, length);
        })
    }

    fn meta(&mut self, key: u32, register: u32) -> &mut Self {
        self.add("meta", |to| {
            to.number(NFTA_META_DREG, register);
            to.number(NFTA_META_KEY, key);
        })
    }

    fn compare(&mut self, register: u32, value: &[u8]) -> &mut Self {
        self.add("cmp", |to| {
            to.number(NFTA_CMP_SREG, register);
            to.number(NFTA_CMP_OP, NFT_CMP_EQ);
            to.nest(NFTA_CMP_DATA, |to| to.put(NFTA_DATA_VALUE, value));
        })
    }

    /// Goes on only if the register is in the set; of a map, with what it leads to in `into`.
    fn lookup(&mut self, set: &str, register: u32, into: Option<u32>) -> &mut Self {
        self.add("lookup", |to| {
            to.text(NFTA_LOOKUP_SET, set);
            to.number(NFTA_LOOKUP_SREG, register);
            if let Some(into) = into {
                to.number(NFTA_LOOKUP_DREG, into);
            }
        })
    }

    fn icmpv6(&mut self, message: u8) -> &mut Self {
        self.meta(META_L4PROTO, REG).compare(REG, &[IPPROTO_ICMPV6]);
        self.load(TRANSPORT, (0, 1), REG).compare(REG, &[message])
    }

    /// Sends what leaves by a VMAC by the interface below instead.
    fn duplicate_macvlan(&mut self, destination: Field) {
        self.meta(META_OIFKIND, REG).compare(REG, &name_key("macvlan"));
        self.load(NETWORK, destination, REG);
        self.meta(META_OIF, REG_OTHER).lookup(VMAC_MAP, REG_OTHER, Some(REG_OTHER));
        self.add("dup", |to| {
            to.number(NFTA_DUP_SREG_ADDR, REG);
            to.number(NFTA_DUP_SREG_DEV, REG_OTHER);
        });
        self.verdict(Verdict::Drop);
    }

    fn verdict(&mut self, verdict: Verdict) {
        if self.counts {
            self.add("counter", |_| ());
        }
        let code = match verdict {
            Verdict::Drop => NF_DROP,
            Verdict::Accept => NF_ACCEPT,
        };
        self.add("immediate", |to| {
            to.number(NFTA_IMMEDIATE_DREG, REG_VERDICT);
            to.nest(NFTA_IMMEDIATE_DATA, |to| {
                to.nest(NFTA_DATA_VERDICT, |to| to.number(NFTA_VERDICT_CODE, code));
            });
        });
    }
}

/// Tells the program `nft` that the numbers of a set are in the order of this host.
fn byte_orders(is_map: bool) -> Vec<u8> {
    let of = |part: u8| [&[part, 4][..], &1_u32.to_ne_bytes()].concat();
    if is_map { [of(0), of(1)].concat() } else { of(0) }
}

/// A name in the 16 bytes that the kernel compares.
fn name_key(name: &str) -> [u8; 16] {
    let mut key = [0; 16];
    key.iter_mut().zip(name.bytes()).for_each(|(to, byte)| *to = byte);
    key
}

const VIPS: &str = "vips";
const VIPS_LINK_LOCAL: &str = "vips_link_local";
const VMAC_SET: &str = "vmac_set";
const VMAC_MAP: &str = "vmac_map";
const IN: &str = "in";
const OUT: &str = "out";

const IPV4_SOURCE: Field = (12, 4);
const IPV4_DESTINATION: Field = (16, 4);
const IPV6_SOURCE: Field = (8, 16);
const IPV6_DESTINATION: Field = (24, 16);
const IPPROTO_IGMP: u8 = 2;
const IPPROTO_ICMPV6: u8 = 58;
const ROUTER_SOLICITATION: u8 = 133;
const NEIGHBOUR_SOLICITATION: u8 = 135;
const NEIGHBOUR_ADVERTISEMENT: u8 = 136;
const MULTICAST_LISTENER_REPORT_2: u8 = 143;

// linux/netfilter/nf_tables.h
const REG_VERDICT: u32 = 0;
const REG: u32 = 1;
const REG_OTHER: u32 = 2;
/// The first of the registers of four bytes; a key of several parts takes as many as it needs.
const REG_SHORT: u32 = 8;
const NETWORK: u32 = 1;
const TRANSPORT: u32 = 2;
const HOOK_INPUT: u32 = 1;
const HOOK_OUTPUT: u32 = 3;
const NF_DROP: u32 = 0;
const NF_ACCEPT: u32 = 1;
const META_IIF: u32 = 4;
const META_OIF: u32 = 5;
const META_IIFNAME: u32 = 6;
const META_OIFNAME: u32 = 7;
const META_L4PROTO: u32 = 16;
const META_OIFKIND: u32 = 27;
const NFT_MSG_NEWCHAIN: u8 = 3;
const NFT_MSG_NEWRULE: u8 = 6;
const NFT_MSG_NEWSET: u8 = 9;
const NFT_SET_MAP: u32 = 8;
const NFT_CMP_EQ: u32 = 0;
const NFTA_CHAIN_TABLE: u16 = 1;
const NFTA_CHAIN_NAME: u16 = 3;
const NFTA_CHAIN_HOOK: u16 = 4;
const NFTA_CHAIN_POLICY: u16 = 5;
const NFTA_CHAIN_TYPE: u16 = 7;
const NFTA_HOOK_HOOKNUM: u16 = 1;
const NFTA_HOOK_PRIORITY: u16 = 2;
const NFTA_RULE_TABLE: u16 = 1;
const NFTA_RULE_CHAIN: u16 = 2;
const NFTA_RULE_EXPRESSIONS: u16 = 4;
const NFTA_SET_TABLE: u16 = 1;
const NFTA_SET_NAME: u16 = 2;
const NFTA_SET_FLAGS: u16 = 3;
const NFTA_SET_KEY_TYPE: u16 = 4;
const NFTA_SET_KEY_LEN: u16 = 5;
const NFTA_SET_DATA_TYPE: u16 = 6;
const NFTA_SET_DATA_LEN: u16 = 7;
const NFTA_SET_ID: u16 = 10;
const NFTA_SET_USERDATA: u16 = 13;
const NFTA_EXPR_NAME: u16 = 1;
const NFTA_EXPR_DATA: u16 = 2;
const NFTA_PAYLOAD_DREG: u16 = 1;
const NFTA_PAYLOAD_BASE: u16 = 2;
const NFTA_PAYLOAD_OFFSET: u16 = 3;
const NFTA_PAYLOAD_LEN: u16 = 4;
const NFTA_META_DREG: u16 = 1;
const NFTA_META_KEY: u16 = 2;
const NFTA_CMP_SREG: u16 = 1;
const NFTA_CMP_OP: u16 = 2;
const NFTA_CMP_DATA: u16 = 3;
const NFTA_LOOKUP_SET: u16 = 1;
const NFTA_LOOKUP_SREG: u16 = 2;
const NFTA_LOOKUP_DREG: u16 = 3;
const NFTA_IMMEDIATE_DREG: u16 = 1;
const NFTA_IMMEDIATE_DATA: u16 = 2;
const NFTA_DATA_VERDICT: u16 = 2;
const NFTA_VERDICT_CODE: u16 = 1;
const NFTA_DUP_SREG_ADDR: u16 = 1;
const NFTA_DUP_SREG_DEV: u16 = 2;

// How the program `nft` names types, so that it can show what is in a set.
const TYPE_IPADDR: u32 = 7;
const TYPE_IP6ADDR: u32 = 8;
const TYPE_IFINDEX: u32 = 20;
const TYPE_IFNAME: u32 = 41;
/// In the type of a key of several parts.
const TYPE_BITS: u32 = 6;
