//! What a received advertisement must satisfy before it counts (RFC 9568 §7.1, RFC 3768 §7.1, RFC 2338 §7.1).

use std::fmt;
use std::net::IpAddr;

use model::Priority;
use model::vrrp::{Auth, Instance, Transport, Version};
use wire::vrrp::{Advert, Malformed};

use crate::event::Arrival;

/// Why a packet was refused. Each reason has its counter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reject {
    /// It is no advertisement: too short, wrong checksum, …
    Malformed,
    /// It claims to come from the address that we send from.
    OwnSource,
    /// Multicast, but its TTL is not 255: it has passed a router (RFC 9568 §5.1.1.3).
    Ttl,
    /// The other protocol version.
    Version,
    /// Unicast to a multicast instance, or the reverse.
    Transport,
    /// `check_unicast_src` is set and the sender is no peer.
    UnknownPeer,
    /// Another type of authentication.
    AuthType,
    /// The right type of authentication, and another password.
    AuthData,
    /// Another address list, in strict mode.
    Addresses,
    /// Another interval, in strict mode with version 2.
    Interval,
}

impl Reject {
    /// How many reasons there are.
    pub(crate) const COUNT: usize = Self::ALL.len();

    /// Every reason.
    pub const ALL: [Self; 10] = [
        Self::Malformed,
        Self::OwnSource,
        Self::Ttl,
        Self::Version,
        Self::Transport,
        Self::UnknownPeer,
        Self::AuthType,
        Self::AuthData,
        Self::Addresses,
        Self::Interval,
    ];

    pub(crate) fn ordinal(self) -> usize {
        Self::ALL.iter().position(|reason| *reason == self).unwrap_or(0)
    }
}

impl fmt::Display for Reject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Malformed => "it is malformed",
            Self::OwnSource => "its source is our own sending address",
            Self::Ttl => "its TTL is not 255, so it did not come from this link",
            Self::Version => "it is of the other VRRP version",
            Self::Transport => "one side is configured for unicast, the other for multicast",
            Self::UnknownPeer => "its source is not a configured unicast peer",
            Self::AuthType => "its authentication type is not ours",
            Self::AuthData => "its password is not ours",
            Self::Addresses => "its addresses are not ours (strict mode)",
            Self::Interval => "its advertisement interval is not ours (strict mode)",
        })
    }
}

impl From<Malformed> for Reject {
    fn from(_: Malformed) -> Self {
        Self::Malformed
    }
}

/// The proof that an advertisement passed every check. Only [`verify`] makes one.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Verified<'a> {
    advert: Advert<'a>,
    source: IpAddr,
    differs: Differences,
}

/// What is not as configured here, yet no reason to let a living master count as dead.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Differences {
    pub(crate) interval: bool,
    pub(crate) addresses: bool,
}

impl<'a> Verified<'a> {
    pub(crate) const fn advert(&self) -> &Advert<'a> {
        &self.advert
    }

    pub(crate) const fn source(&self) -> IpAddr {
        self.source
    }

    pub(crate) const fn differs(&self) -> Differences {
        self.differs
    }
}

/// Checks `arrival`, which carries `advert`, for the instance `config` that sends from `own` and follows `master`.
pub(crate) fn verify<'a>(
    config: &Instance,
    own: IpAddr,
    addresses: &[u8],
    arrival: &Arrival<'_>,
    advert: Advert<'a>,
    master: Option<IpAddr>,
) -> Result<Verified<'a>, Reject> {
    if arrival.source == own {
        return Err(Reject::OwnSource);
    }
    transport(config, arrival)?;
    if advert.version != config.version {
        return Err(Reject::Version);
    }
    if config.version == Version::V2 {
        // Version 3 has none (RFC 5798 §9): a password left in its configuration must not make it deaf.
        authenticate(config.auth, advert.auth)?;
    }
    let skipped = config.skip_check_adv_addr && master == Some(arrival.source);
    let differs = Differences {
        interval: advert.interval != config.advert_interval,
        addresses: !skipped
            && !same_addresses(addresses, advert.addresses.bytes(), advert.addresses.family()),
    };
    if config.strict {
        strict(config, differs, advert.priority)?;
    }
    Ok(Verified { advert, source: arrival.source, differs })
}

fn transport(config: &Instance, arrival: &Arrival<'_>) -> Result<(), Reject> {
    match &config.transport {
        Transport::Multicast { group } => {
            if arrival.destination != *group {
                return Err(Reject::Transport);
            }
            if arrival.ttl != wire::vrrp::TTL {
                return Err(Reject::Ttl);
            }
        }
        Transport::Unicast { peers, .. } => {
            if arrival.destination.is_multicast() {
                return Err(Reject::Transport);
            }
            if config.check_unicast_src && peers.iter().all(|peer| peer.address != arrival.source) {
                return Err(Reject::UnknownPeer);
            }
        }
    }
    Ok(())
}

fn authenticate(ours: Auth, theirs: wire::vrrp::Auth) -> Result<(), Reject> {
    match (ours, theirs) {
        (Auth::None, wire::vrrp::Auth::None) => Ok(()),
        (Auth::Pass(ours), wire::vrrp::Auth::Pass(theirs)) if ours.0 == theirs => Ok(()),
        (Auth::Pass(_), wire::vrrp::Auth::Pass(_)) => Err(Reject::AuthData),
        (
            Auth::None | Auth::Pass(_) | Auth::Ah(_),
            wire::vrrp::Auth::None | wire::vrrp::Auth::Pass(_) | wire::vrrp::Auth::Other(_),
        ) => Err(Reject::AuthType),
    }
}

/// The RFCs to the letter: a version 2 receiver must discard another interval (RFC 3768 §7.1), a version 3
/// one learns it (RFC 9568 §6.4.2); another address list is discarded unless the owner of the addresses sent
/// it (RFC 3768 §7.1, RFC 5798 §7.1).
fn strict(config: &Instance, differs: Differences, theirs: Priority) -> Result<(), Reject> {
    if differs.addresses && theirs != Priority::OWNER {
        return Err(Reject::Addresses);
    }
    if differs.interval && config.version == Version::V2 {
        return Err(Reject::Interval);
    }
    Ok(())
}

/// The same addresses, in whatever order.
fn same_addresses(ours: &[u8], theirs: &[u8], family: model::Family) -> bool {
    if ours == theirs {
        return true;
    }
    let width = match family {
        model::Family::V4 => 4,
        model::Family::V6 => 16,
    };
    let all_in = |these: &[u8], those: &[u8]| {
        these.chunks(width).all(|one| those.chunks(width).any(|other| one == other))
    };
    ours.len() == theirs.len() && all_in(ours, theirs) && all_in(theirs, ours)
}

#[cfg(test)]
mod tests {
    use model::vrrp::Password;
    use model::{Centis, Family, IfIndex, Vrid};
    use wire::vrrp::Addresses;

    use super::*;

    const GROUP: IpAddr = IpAddr::V4(Transport::GROUP_V4);
    const OWN: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 168, 0, 14));
    const PEER: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 168, 0, 86));
    const MASTER: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 168, 0, 87));
    const VIP: [u8; 4] = [192, 168, 0, 100];

    fn instance() -> Instance {
        let auth = Auth::Pass(Password(*b"1111\0\0\0\0"));
        Instance { auth, ..Instance::new("VI_1", "eth1".parse().unwrap(), Vrid::try_from(51).unwrap()) }
    }

    fn advert() -> Advert<'static> {
        Advert {
            version: Version::V2,
            vrid: Vrid::try_from(51).unwrap(),
            priority: Priority(101),
            interval: Centis::SECOND,
            auth: wire::vrrp::Auth::Pass(*b"1111\0\0\0\0"),
            addresses: Addresses::v4(&VIP).unwrap(),
        }
    }

    fn arrival<'a>(advert: Advert<'a>) -> Arrival<'a> {
        let link = IfIndex::try_from(3).unwrap();
        Arrival { link, source: PEER, destination: GROUP, ttl: 255, advert: Ok(advert) }
    }

    fn outcome(config: &Instance, arrival: Arrival<'_>) -> Result<Differences, Reject> {
        verify(config, OWN, &VIP, &arrival, arrival.advert?, Some(MASTER)).map(|verified| verified.differs())
    }

    #[test]
    fn each_check_has_its_reason() {
        let good = arrival(advert());
        let with = |advert: Advert<'static>| arrival(advert);
        assert_eq!(outcome(&instance(), good), Ok(Differences::default()));
        assert_eq!(outcome(&instance(), Arrival { source: OWN, ..good }), Err(Reject::OwnSource));
        assert_eq!(outcome(&instance(), Arrival { ttl: 254, ..good }), Err(Reject::Ttl));
        assert_eq!(outcome(&instance(), Arrival { destination: OWN, ..good }), Err(Reject::Transport));
        let v3 = Advert { version: Version::V3, ..advert() };
        assert_eq!(outcome(&instance(), with(v3)), Err(Reject::Version));
        let none = Advert { auth: wire::vrrp::Auth::None, ..advert() };
        assert_eq!(outcome(&instance(), with(none)), Err(Reject::AuthType));
        let ah = Advert { auth: wire::vrrp::Auth::Other(2), ..advert() };
        assert_eq!(outcome(&instance(), with(ah)), Err(Reject::AuthType));
        let wrong = Advert { auth: wire::vrrp::Auth::Pass(*b"2222\0\0\0\0"), ..advert() };
        assert_eq!(outcome(&instance(), with(wrong)), Err(Reject::AuthData));
    }

    #[test]
    fn another_interval_or_address_list_counts_unless_strict() {
        let slow = arrival(Advert { interval: Centis::new(200), ..advert() });
        let more = [192, 168, 0, 100, 192, 168, 0, 101];
        let other = arrival(Advert { addresses: Addresses::v4(&more).unwrap(), ..advert() });
        assert_eq!(outcome(&instance(), slow), Ok(Differences { interval: true, addresses: false }));
        assert_eq!(outcome(&instance(), other), Ok(Differences { interval: false, addresses: true }));
        let skipping = Instance { skip_check_adv_addr: true, ..instance() };
        let known = Arrival { source: MASTER, ..other };
        assert_eq!(outcome(&skipping, known), Ok(Differences::default()), "looked at when it became master");
        assert_eq!(outcome(&skipping, other), Ok(Differences { interval: false, addresses: true }));
        let strict = Instance { strict: true, ..instance() };
        assert_eq!(outcome(&strict, slow), Err(Reject::Interval));
        assert_eq!(outcome(&strict, other), Err(Reject::Addresses));
    }

    #[test]
    fn unicast_is_checked_as_configured() {
        let unicast = Instance { transport: Transport::unicast([PEER]), ..instance() };
        let direct = Arrival { destination: OWN, ttl: 64, ..arrival(advert()) };
        assert!(outcome(&unicast, direct).is_ok(), "a unicast peer may be behind a router");
        assert_eq!(outcome(&unicast, arrival(advert())), Err(Reject::Transport));
        let stranger = Arrival { source: [192, 168, 0, 99].into(), ..direct };
        assert!(outcome(&unicast, stranger).is_ok());
        let checked = Instance { check_unicast_src: true, ..unicast };
        assert_eq!(outcome(&checked, stranger), Err(Reject::UnknownPeer));
        assert!(outcome(&checked, direct).is_ok());
    }

    #[test]
    fn address_lists_compare_as_sets() {
        let (ab, ba) = ([1, 1, 1, 1, 2, 2, 2, 2], [2, 2, 2, 2, 1, 1, 1, 1]);
        assert!(same_addresses(&ab, &ba, Family::V4));
        assert!(!same_addresses(&ab, &[1; 8], Family::V4));
        assert!(!same_addresses(&[1; 8], &ab, Family::V4));
        assert!(!same_addresses(&ab, &ab[..4], Family::V4));
    }

    #[test]
    fn reasons_are_numbered_without_gaps() {
        for (ordinal, reason) in Reject::ALL.into_iter().enumerate() {
            assert_eq!(reason.ordinal(), ordinal);
        }
    }
}
