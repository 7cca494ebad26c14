//! Names, indices and addresses of the kernel's network objects.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::num::NonZeroU32;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::OutOfRange;

/// The name of a network interface. Whether such an interface exists is an event, not part of the type.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct IfName(Box<str>);

impl IfName {
    /// The kernel's `IFNAMSIZ` without the final NUL.
    pub const MAX_BYTES: usize = 15;

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for IfName {
    type Err = OutOfRange;

    fn from_str(name: &str) -> Result<Self, OutOfRange> {
        // What the kernel's dev_valid_name() refuses.
        let bad = |c: char| c.is_ascii_whitespace() || c == '/' || c == ':' || c == '\0';
        if name.is_empty()
            || name.len() > Self::MAX_BYTES
            || name == "."
            || name == ".."
            || name.contains(bad)
        {
            return Err(OutOfRange::IfName);
        }
        Ok(Self(name.into()))
    }
}

impl TryFrom<String> for IfName {
    type Error = OutOfRange;

    fn try_from(name: String) -> Result<Self, OutOfRange> {
        name.parse()
    }
}

impl From<IfName> for String {
    fn from(name: IfName) -> Self {
        name.0.into_string()
    }
}

impl fmt::Display for IfName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for IfName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The kernel's number of a network interface. A re-created interface gets a new one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct IfIndex(NonZeroU32);

impl IfIndex {
    /// The number.
    #[must_use]
    pub const fn get(self) -> u32 {
        self.0.get()
    }
}

impl TryFrom<u32> for IfIndex {
    type Error = OutOfRange;

    fn try_from(index: u32) -> Result<Self, OutOfRange> {
        NonZeroU32::new(index).map(Self).ok_or(OutOfRange::IfIndex)
    }
}

impl fmt::Display for IfIndex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A 48-bit link-layer address.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct MacAddr(pub [u8; 6]);

impl MacAddr {
    /// Every host on the link.
    pub const BROADCAST: Self = Self([0xff; 6]);
    /// All zeros: "unknown" in an ARP request.
    pub const ZERO: Self = Self([0; 6]);
}

impl fmt::Display for MacAddr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d, e, g] = self.0;
        write!(f, "{a:02x}:{b:02x}:{c:02x}:{d:02x}:{e:02x}:{g:02x}")
    }
}

impl fmt::Debug for MacAddr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// An address family.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Family {
    /// IPv4.
    V4,
    /// IPv6.
    V6,
}

impl From<IpAddr> for Family {
    fn from(address: IpAddr) -> Self {
        match address {
            IpAddr::V4(_) => Self::V4,
            IpAddr::V6(_) => Self::V6,
        }
    }
}

/// The addresses of a link that a router speaks from, one of each family.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sources {
    /// Its first own IPv4 address.
    pub v4: Option<Ipv4Addr>,
    /// Its first own link-local IPv6 address (RFC 9568 §5.1.2.1).
    pub v6: Option<Ipv6Addr>,
    /// There is none of these yet: the kernel still makes sure that nobody else has the one to come (RFC 4862 §5.4).
    pub awaits_v6: bool,
}

impl Sources {
    /// No address.
    pub const NONE: Self = Self { v4: None, v6: None, awaits_v6: false };

    /// The one of this family.
    #[must_use]
    pub fn of(self, family: Family) -> Option<IpAddr> {
        match family {
            Family::V4 => self.v4.map(IpAddr::V4),
            Family::V6 => self.v6.map(IpAddr::V6),
        }
    }
}

impl From<IpAddr> for Sources {
    /// This address, and none of the other family.
    fn from(address: IpAddr) -> Self {
        match address {
            IpAddr::V4(v4) => Self { v4: Some(v4), ..Self::NONE },
            IpAddr::V6(v6) => Self { v6: Some(v6), ..Self::NONE },
        }
    }
}

/// An address with the length of its network prefix.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Prefix {
    address: IpAddr,
    length: u8,
}

impl Prefix {
    /// `address` in a network of `length` bits; host bits are kept.
    ///
    /// # Errors
    /// [`OutOfRange::PrefixLength`] beyond 32 bits for IPv4, 128 for IPv6.
    pub fn new(address: IpAddr, length: u8) -> Result<Self, OutOfRange> {
        if length > Self::host(address).length {
            return Err(OutOfRange::PrefixLength);
        }
        Ok(Self { address, length })
    }

    /// The address alone: /32 or /128.
    #[must_use]
    pub const fn host(address: IpAddr) -> Self {
        let length = match address {
            IpAddr::V4(_) => 32,
            IpAddr::V6(_) => 128,
        };
        Self { address, length }
    }

    /// The address.
    #[must_use]
    pub const fn address(self) -> IpAddr {
        self.address
    }

    /// Bits in the network part.
    #[must_use]
    pub const fn length(self) -> u8 {
        self.length
    }

    /// The same without host bits.
    #[must_use]
    pub fn network(self) -> Self {
        let length = u32::from(self.length);
        let address = match self.address {
            IpAddr::V4(address) => {
                let host_bits = u32::MAX.checked_shr(length).unwrap_or_default();
                Ipv4Addr::from_bits(address.to_bits() & !host_bits).into()
            }
            IpAddr::V6(address) => {
                let host_bits = u128::MAX.checked_shr(length).unwrap_or_default();
                Ipv6Addr::from_bits(address.to_bits() & !host_bits).into()
            }
        };
        Self { address, length: self.length }
    }
}

impl fmt::Display for Prefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.length)
    }
}

/// A number that the host may have given a name (the files below `/etc/iproute2`).
///
/// Names that every host knows are numbers already. In JSON it is a number or a string.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Named<T> {
    /// The number.
    Number(T),
    /// A name that only the host can look up.
    Name(String),
}

impl<T: Copy> Named<T> {
    /// The number, unless the host has to be asked.
    #[must_use]
    pub const fn number(&self) -> Option<T> {
        match self {
            Self::Number(number) => Some(*number),
            Self::Name(_) => None,
        }
    }
}

impl<T> From<T> for Named<T> {
    fn from(number: T) -> Self {
        Self::Number(number)
    }
}

impl<T: fmt::Display> fmt::Display for Named<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => number.fmt(f),
            Self::Name(name) => f.write_str(name),
        }
    }
}

/// How far an address or route reaches (`rtnetlink(7)`, `/etc/iproute2/rt_scopes`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Scope(pub u8);

impl Scope {
    /// Everywhere.
    pub const GLOBAL: Self = Self(0);
    /// The own site.
    pub const SITE: Self = Self(200);
    /// The link.
    pub const LINK: Self = Self(253);
    /// This host.
    pub const HOST: Self = Self(254);
    /// Nowhere.
    pub const NOWHERE: Self = Self(255);
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn interface_names_are_what_the_kernel_takes() {
        for good in ["eth0", "a", "br-0123456789ab", "lan.100", "ens1f0np0"] {
            assert_eq!(good.parse::<IfName>().map(|n| n.to_string()), Ok(good.to_owned()));
        }
        for bad in ["", ".", "..", "eth 0", "a/b", "eth0:1", "sixteen_bytes_ab"] {
            assert_eq!(bad.parse::<IfName>(), Err(OutOfRange::IfName), "{bad}");
        }
        assert!(serde_json::from_str::<IfName>("\"a/b\"").is_err(), "serde checks too");
    }

    #[test]
    fn prefixes_know_their_family() {
        let v4: IpAddr = [192, 0, 2, 1].into();
        assert_eq!(Prefix::new(v4, 24).map(|p| p.to_string()), Ok("192.0.2.1/24".to_owned()));
        assert_eq!(Prefix::new(v4, 33), Err(OutOfRange::PrefixLength));
        assert_eq!(Prefix::host(v4).length(), 32);
        let network = |address: IpAddr, length| Prefix::new(address, length).map(|p| p.network().to_string());
        assert_eq!(network(v4, 24), Ok("192.0.2.0/24".to_owned()));
        assert_eq!(network(v4, 0), Ok("0.0.0.0/0".to_owned()));
        assert_eq!(network(v4, 32), Ok("192.0.2.1/32".to_owned()));
        let v6: IpAddr = "2001:db8::ff".parse().unwrap();
        assert_eq!(network(v6, 121), Ok("2001:db8::80/121".to_owned()));
        assert_eq!(network(v6, 0), Ok("::/0".to_owned()));
    }

    #[test]
    fn names_and_numbers_look_like_themselves_in_json() {
        for (value, json) in [(Named::from(Scope::LINK), "253"), (Named::Name("lab".to_owned()), "\"lab\"")] {
            assert_eq!(serde_json::to_string(&value).unwrap(), json);
            assert_eq!(serde_json::from_str::<Named<Scope>>(json).unwrap(), value);
        }
    }
}
