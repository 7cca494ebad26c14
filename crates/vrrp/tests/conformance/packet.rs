//! Packets for the router under test, good and bad.

use std::net::IpAddr;

use model::vrrp::{Config, Transport, Version};
use model::{Centis, Family, Priority, Vrid};
use wire::vrrp::{Addresses, Advert, Cover};

use crate::statement::{Words, centis, password, version};

/// A packet for the router under test: as its own configuration has it, but for what the line says.
pub(crate) struct Packet {
    pub(crate) source: IpAddr,
    pub(crate) destination: IpAddr,
    pub(crate) ttl: u8,
    version: Version,
    vrid: Vrid,
    priority: Priority,
    interval: Centis,
    auth: wire::vrrp::Auth<'static>,
    addresses: Vec<u8>,
    family: Family,
    cover: Cover,
    damage: Damage,
}

enum Damage {
    None,
    Checksum,
    FirstByte(u8),
    Cut(usize),
    Longer(usize),
}

impl Packet {
    pub(crate) fn read(config: &Config, own: IpAddr, words: &mut Words<'_>) -> Result<Self, String> {
        words.expect("prio")?;
        let priority = Priority(words.parse()?);
        words.expect("from")?;
        let source: IpAddr = words.parse()?;
        let instance = config.instances.first().ok_or("there is no instance")?;
        let destination = match instance.transport {
            Transport::Multicast { group } => group,
            Transport::Unicast { .. } => own,
        };
        let addresses = instance.addresses.iter().map(|one| one.prefix.address());
        let mut packet = Self {
            source,
            destination,
            ttl: wire::vrrp::TTL,
            version: instance.version,
            vrid: instance.vrid,
            priority,
            interval: instance.advert_interval,
            auth: match instance.auth {
                model::vrrp::Auth::None => wire::vrrp::Auth::None,
                model::vrrp::Auth::Pass(password) => wire::vrrp::Auth::Pass(password.0),
                model::vrrp::Auth::Ah(_) => wire::vrrp::Auth::Other(2),
            },
            addresses: bytes(addresses),
            family: source.into(),
            cover: Cover::Pseudo,
            damage: Damage::None,
        };
        while let Some(word) = words.maybe() {
            if word == "for" {
                packet.send_for(config, words.next()?)?;
            } else {
                packet.vary(word, words)?;
            }
        }
        Ok(packet)
    }

    /// Of another instance of the router under test.
    fn send_for(&mut self, config: &Config, name: &str) -> Result<(), String> {
        let named = config.instances.iter().find(|one| one.name == name);
        let instance = named.ok_or_else(|| format!("there is no instance {name}"))?;
        self.vrid = instance.vrid;
        self.interval = instance.advert_interval;
        self.addresses = bytes(instance.addresses.iter().map(|one| one.prefix.address()));
        Ok(())
    }

    fn vary(&mut self, word: &str, words: &mut Words<'_>) -> Result<(), String> {
        match word {
            "to" => self.destination = words.parse()?,
            "ttl" => self.ttl = words.parse()?,
            "version" => self.version = version(words)?,
            "vrid" => self.vrid = Vrid::try_from(words.parse::<u8>()?).map_err(|error| error.to_string())?,
            "interval" => self.interval = centis(words)?,
            "auth_pass" => self.auth = wire::vrrp::Auth::Pass(password(words.next()?).0),
            "auth_type" => {
                self.auth = match words.parse()? {
                    0 => wire::vrrp::Auth::None,
                    other => wire::vrrp::Auth::Other(other),
                }
            }
            "addresses" => self.addresses = bytes(words.addresses()?.into_iter()),
            "summed" => {
                self.cover = match words.next()? {
                    "alone" => Cover::Alone,
                    "for" => Cover::Group(words.parse()?),
                    other => return Err(format!("here stands `{other}`, not `alone` or `for`")),
                }
            }
            "checksum_wrong" => self.damage = Damage::Checksum,
            "first_byte" => {
                let hex = words.next()?.trim_start_matches("0x");
                let byte = u8::from_str_radix(hex, 16).map_err(|error| error.to_string())?;
                self.damage = Damage::FirstByte(byte);
            }
            "cut_to" => self.damage = Damage::Cut(words.parse()?),
            "longer_by" => self.damage = Damage::Longer(words.parse()?),
            other => return Err(format!("a packet has no `{other}`")),
        }
        Ok(())
    }

    pub(crate) fn bytes(&self) -> Vec<u8> {
        let addresses = match self.family {
            Family::V4 => Addresses::v4(&self.addresses),
            Family::V6 => Addresses::v6(&self.addresses),
        };
        let advert = Advert {
            version: self.version,
            vrid: self.vrid,
            priority: self.priority,
            interval: self.interval,
            auth: self.auth,
            addresses: addresses.expect("whole addresses, and few"),
        };
        let mut bytes = Vec::new();
        wire::vrrp::emit_covering(&advert, (self.source, self.destination), self.cover, &mut bytes);
        match self.damage {
            Damage::None => {}
            Damage::Checksum => bytes[6] ^= 0xff,
            Damage::FirstByte(byte) => bytes[0] = byte,
            Damage::Cut(length) => bytes.truncate(length),
            Damage::Longer(more) => bytes.extend(std::iter::repeat_n(0, more)),
        }
        bytes
    }
}

fn bytes(addresses: impl Iterator<Item = IpAddr>) -> Vec<u8> {
    let mut bytes = Vec::new();
    for address in addresses {
        match address {
            IpAddr::V4(v4) => bytes.extend(v4.octets()),
            IpAddr::V6(v6) => bytes.extend(v6.octets()),
        }
    }
    bytes
}
