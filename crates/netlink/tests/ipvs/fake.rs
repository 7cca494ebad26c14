//! A kernel's table of IPVS that takes requests as bytes and answers with bytes. Entries are kept as the attributes that made
//! them, and listed so.

use std::collections::{BTreeMap, BTreeSet};

/// Attributes by kind.
pub(super) type Attributes = BTreeMap<u16, Vec<u8>>;

/// What the kernel holds of a service: itself, and its destinations by address and port.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) own: Attributes,
    pub(super) destinations: BTreeMap<Attributes, Attributes>,
}

#[derive(Debug, Default)]
pub(super) struct Fake {
    pub(super) services: BTreeMap<Attributes, Entry>,
    /// Services, and destinations with a service, that it does not take.
    pub(super) refuses: BTreeSet<(Attributes, Option<Attributes>)>,
    /// Services that nobody may touch.
    pub(super) foreign: BTreeSet<Attributes>,
    /// Services that must not be without a server once they have one.
    pub(super) watched: BTreeSet<Attributes>,
    /// Operations that were carried out, or refused.
    pub(super) operations: usize,
    pub(super) has_ipvs: bool,
}

const SERVICE_KEY: [u16; 5] = [1, 2, 3, 4, 5];
const DESTINATION_KEY: [u16; 3] = [1, 2, 11];
const FLAGS: u16 = 7;
const WEIGHT: u16 = 4;
const FAMILY: u16 = 30;
const EEXIST: i32 = 17;
const ENOENT: i32 = 2;
const ESRCH: i32 = 3;
const EINVAL: i32 = 22;

impl Fake {
    /// The answers to a datagram.
    pub(super) fn ask(&mut self, datagram: &[u8]) -> Vec<u8> {
        let (mut answers, mut rest) = (Vec::new(), datagram);
        while let Some(length) = rest.first_chunk() {
            let length = u32::from_ne_bytes(*length) as usize;
            self.answer(&rest[..length], &mut answers);
            rest = &rest[length..];
        }
        answers
    }

    fn answer(&mut self, message: &[u8], answers: &mut Vec<u8>) {
        let kind = u16::from_ne_bytes([message[4], message[5]]);
        let (sequence, command) = (&message[8..12], message[16]);
        let is_dump = message[7] & 0x3 != 0;
        let result = if kind == 16 {
            self.family(sequence, answers)
        } else {
            assert_eq!(kind, FAMILY);
            let body = parse(&message[20..]);
            let nest = |kind| body.get(&kind).map(|nest| parse(nest)).unwrap_or_default();
            self.command(command, is_dump, sequence, &nest(1), &nest(2), answers)
        };
        let code = result.err().map_or(0, |errno| -errno).to_ne_bytes();
        match is_dump {
            true => put(answers, 3, sequence, &code),
            false => put(answers, 2, sequence, &[&code[..], &message[..16]].concat()),
        }
    }

    fn family(&self, sequence: &[u8], answers: &mut Vec<u8>) -> Result<(), i32> {
        if !self.has_ipvs {
            return Err(ENOENT);
        }
        let attributes = Attributes::from([(1, FAMILY.to_ne_bytes().to_vec()), (2, b"IPVS\0".to_vec())]);
        put(answers, 16, sequence, &[&[1, 2, 0, 0][..], &bytes(&attributes)].concat());
        Ok(())
    }

    fn command(
        &mut self,
        command: u8,
        is_dump: bool,
        sequence: &[u8],
        service: &Attributes,
        destination: &Attributes,
        answers: &mut Vec<u8>,
    ) -> Result<(), i32> {
        let key = part(service, &SERVICE_KEY);
        let mut tell = |command: u8, kind: u16, own: &Attributes| {
            let nest = bytes(&Attributes::from([(kind, bytes(own))]));
            put(answers, FAMILY, sequence, &[&[command, 1, 0, 0][..], &nest].concat());
        };
        match command {
            15 => {
                let kernel = Attributes::from([(1, 0x010201_u32.to_ne_bytes().to_vec())]);
                put(answers, FAMILY, sequence, &[&[14, 1, 0, 0][..], &bytes(&kernel)].concat());
                return Ok(());
            }
            4 if is_dump => {
                self.services.values().for_each(|entry| tell(1, 1, &entry.own));
                return Ok(());
            }
            4 => return self.services.get(&key).map(|entry| tell(1, 1, &entry.own)).ok_or(ESRCH),
            8 => {
                let there = self.services.get(&key).into_iter().flat_map(|entry| entry.destinations.values());
                there.for_each(|own| tell(5, 2, own));
                return Ok(());
            }
            _ => {}
        }
        self.operations += 1;
        if command == 17 {
            self.services.clear();
            return Ok(());
        }
        assert!(!self.foreign.contains(&key), "a stranger's service is touched");
        match command {
            1..=3 => self.service(command, key, service),
            _ => self.destination(command, &key, destination),
        }
    }

    fn service(&mut self, command: u8, key: Attributes, service: &Attributes) -> Result<(), i32> {
        let mut own = service.clone();
        if let Some(flags) = own.get_mut(&FLAGS) {
            // The kernel's own mark.
            flags[0] |= 2;
        }
        let is_refused = self.refuses.contains(&(key.clone(), None));
        match (command, self.services.get_mut(&key)) {
            (1, Some(_)) => Err(EEXIST),
            (2 | 3, None) => Err(ESRCH),
            _ if is_refused => Err(EINVAL),
            (1, None) => {
                self.services.insert(key, Entry { own, destinations: BTreeMap::new() });
                Ok(())
            }
            (2, Some(entry)) => {
                assert_ne!(entry.own, own, "it is so already");
                entry.own = own;
                Ok(())
            }
            _ => {
                self.services.remove(&key);
                Ok(())
            }
        }
    }

    fn destination(&mut self, command: u8, key: &Attributes, destination: &Attributes) -> Result<(), i32> {
        let place = part(destination, &DESTINATION_KEY);
        let is_refused = self.refuses.contains(&(key.clone(), Some(place.clone())));
        let is_watched = self.watched.contains(key);
        let entry = self.services.get_mut(key).ok_or(ESRCH)?;
        let had_server = entry.has_server();
        let done = match (command, entry.destinations.get(&place)) {
            (5, Some(_)) => Err(EEXIST),
            (6 | 7, None) => Err(ENOENT),
            _ if is_refused => Err(EINVAL),
            (5 | 6, old) => {
                assert_ne!(old, Some(destination), "it is so already");
                entry.destinations.insert(place, destination.clone());
                Ok(())
            }
            (7, Some(_)) => {
                entry.destinations.remove(&place);
                Ok(())
            }
            _ => panic!("command {command}"),
        };
        assert!(!is_watched || !had_server || entry.has_server(), "a moment without a server");
        done
    }
}

impl Entry {
    /// Whether somebody gets connections.
    fn has_server(&self) -> bool {
        self.destinations.values().any(|value| value.get(&WEIGHT).is_some_and(|weight| *weight != [0; 4]))
    }
}

fn part(attributes: &Attributes, kinds: &[u16]) -> Attributes {
    attributes
        .iter()
        .filter(|(kind, _)| kinds.contains(kind))
        .map(|(kind, value)| (*kind, value.clone()))
        .collect()
}

fn parse(mut rest: &[u8]) -> Attributes {
    let mut attributes = Attributes::new();
    while let Some(&[l0, l1, k0, k1]) = rest.first_chunk() {
        let length = usize::from(u16::from_ne_bytes([l0, l1]));
        attributes.insert(u16::from_ne_bytes([k0, k1]) & 0x3fff, rest[4..length].to_vec());
        rest = &rest[length.next_multiple_of(4)..];
    }
    attributes
}

fn bytes(attributes: &Attributes) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (kind, value) in attributes {
        bytes.extend(u16::try_from(4 + value.len()).unwrap().to_ne_bytes());
        bytes.extend(kind.to_ne_bytes());
        bytes.extend(value);
        bytes.resize(bytes.len().next_multiple_of(4), 0);
    }
    bytes
}

/// Appends a message. Acknowledgements are capped, as the daemon's socket has them.
fn put(to: &mut Vec<u8>, kind: u16, sequence: &[u8], body: &[u8]) {
    to.extend(u32::try_from(16 + body.len()).unwrap().to_ne_bytes());
    to.extend(kind.to_ne_bytes());
    to.extend(if kind == 2 { [0, 1] } else { [2, 0] });
    to.extend(sequence);
    to.extend([0; 4]);
    to.extend(body);
    to.resize(to.len().next_multiple_of(4), 0);
}
