//! The Internet checksum (RFC 1071), summed in parts.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// A one's-complement sum under way.
///
/// A part of odd length is padded with a zero byte, so only the last part may have one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[must_use]
pub struct Sum(u64);

impl Sum {
    /// Nothing summed yet.
    pub const fn new() -> Self {
        Self(0)
    }

    /// Adds `part`, read as big-endian 16-bit words.
    pub fn with(self, part: &[u8]) -> Self {
        let words = part.chunks(2).map(|word| match *word {
            [high, low] => u64::from(u16::from_be_bytes([high, low])),
            [high] => u64::from(u16::from_be_bytes([high, 0])),
            _ => 0,
        });
        // Cannot overflow: 2^48 words of 16 bits fit, and no buffer is that long.
        Self(words.fold(self.0, u64::saturating_add))
    }

    /// Adds the IPv4 pseudo-header of a payload of `length` bytes (RFC 5798 §5.2.8, RFC 793 §3.1).
    pub fn pseudo_v4(self, source: Ipv4Addr, destination: Ipv4Addr, protocol: u8, length: usize) -> Self {
        self.with(&source.octets()).with(&destination.octets()).with(&[0, protocol]).with_length(length)
    }

    /// Adds the IPv6 pseudo-header of a payload of `length` bytes (RFC 8200 §8.1).
    pub fn pseudo_v6(self, source: Ipv6Addr, destination: Ipv6Addr, protocol: u8, length: usize) -> Self {
        self.with(&source.octets()).with(&destination.octets()).with(&[0, protocol]).with_length(length)
    }

    /// Adds the pseudo-header of the family that both addresses have; `None` if they differ in it.
    #[must_use]
    pub fn pseudo(self, source: IpAddr, destination: IpAddr, protocol: u8, length: usize) -> Option<Self> {
        match (source, destination) {
            (IpAddr::V4(source), IpAddr::V4(destination)) => {
                Some(self.pseudo_v4(source, destination, protocol, length))
            }
            (IpAddr::V6(source), IpAddr::V6(destination)) => {
                Some(self.pseudo_v6(source, destination, protocol, length))
            }
            (IpAddr::V4(_), IpAddr::V6(_)) | (IpAddr::V6(_), IpAddr::V4(_)) => None,
        }
    }

    /// The checksum to send: the complement of the folded sum.
    #[must_use]
    pub fn finish(self) -> u16 {
        !self.fold()
    }

    /// Whether what was summed, its checksum field included, is undamaged.
    #[must_use]
    pub fn is_valid(self) -> bool {
        self.fold() == u16::MAX
    }

    fn with_length(self, length: usize) -> Self {
        self.with(&u32::try_from(length).unwrap_or(u32::MAX).to_be_bytes())
    }

    /// Adds the carries back in until 16 bits hold the sum.
    fn fold(self) -> u16 {
        let mut sum = self.0;
        loop {
            match u16::try_from(sum) {
                Ok(folded) => return folded,
                Err(_) => sum = (sum & 0xffff) + (sum >> 16),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_the_example_of_the_rfc() {
        // RFC 1071 §3: the sum is ddf2 with the carries folded in.
        let data = [0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7];
        assert_eq!(Sum::new().with(&data).finish(), !0xddf2);
        assert_eq!(Sum::new().with(&data[..4]).with(&data[4..]).finish(), !0xddf2);
    }

    #[test]
    fn an_odd_last_byte_is_the_high_one() {
        assert_eq!(Sum::new().with(&[0x12]).finish(), !0x1200);
        assert!(Sum::new().with(&[0xed, 0xff, 0x12]).is_valid());
    }

    #[test]
    fn carries_fold_as_often_as_needed() {
        assert_eq!(Sum::new().with(&[0xff; 65_536]).finish(), 0);
        assert_eq!(Sum(0x1_0001_ffff).finish(), !2);
    }

    #[test]
    fn a_pseudo_header_needs_one_family() {
        let (v4, v6) = (IpAddr::from([192, 0, 2, 1]), IpAddr::from([0; 16]));
        assert_eq!(Sum::new().pseudo(v4, v6, 112, 8), None);
        assert_eq!(
            Sum::new().pseudo(v4, v4, 112, 8),
            Some(Sum::new().with(&[192, 0, 2, 1, 192, 0, 2, 1, 0, 112, 0, 8]))
        );
    }
}
