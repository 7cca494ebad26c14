//! What a received advertisement must satisfy before it counts (RFC 9568 §7.1, RFC 3768 §7.1, RFC 2338 §7.1).

use std::fmt;
use std::net::IpAddr;
use std::time::Duration;

use model::Priority;
use model::vrrp::{Auth, Hmac, HmacMode, Instance, Password, Replay, Transport, Version};
use wire::ah::Ah;
use wire::signature::{Signed, Stamp};
use wire::vrrp::{Advert, Malformed};

use super::sequence::{Sequences, follows, key};
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
    /// The sender is a peer, and the TTL is less than its `min_ttl` or more than its `max_ttl`.
    PeerTtl,
    /// Another type of authentication.
    AuthType,
    /// The right type of authentication, and another password.
    AuthData,
    /// It is older than what its sender has sent, or as old: somebody repeats what was recorded.
    Replayed,
    /// Not signed, in mode `enforce`.
    Unsigned,
    /// Signed, and no `auth_hmac` here.
    Signed,
    /// A signature of a scheme that is not known.
    SignatureScheme,
    /// Signed too long ago, or in the future.
    SignatureTime,
    /// Signed with a key that is not known here.
    SignatureKey,
    /// The signature is not that of the key.
    Signature,
    /// Another address list, in strict mode.
    Addresses,
    /// Another interval, in strict mode with version 2.
    Interval,
}

impl Reject {
    /// How many reasons there are.
    pub(crate) const COUNT: usize = Self::ALL.len();

    /// Every reason.
    pub const ALL: [Self; 18] = [
        Self::Malformed,
        Self::OwnSource,
        Self::Ttl,
        Self::Version,
        Self::Transport,
        Self::UnknownPeer,
        Self::PeerTtl,
        Self::AuthType,
        Self::AuthData,
        Self::Replayed,
        Self::Unsigned,
        Self::Signed,
        Self::SignatureScheme,
        Self::SignatureTime,
        Self::SignatureKey,
        Self::Signature,
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
            Self::PeerTtl => "its TTL is not within min_ttl and max_ttl of the peer",
            Self::AuthType => "its authentication type is not ours",
            Self::AuthData => "its password is not ours",
            Self::Replayed => "it is no newer than the last one of its sender, as if somebody repeated a recorded one",
            Self::Unsigned => "it is not signed, and auth_hmac here enforces signatures",
            Self::Signed => "it is signed, and here is no auth_hmac",
            Self::SignatureScheme => "its signature is of a scheme that is not known",
            Self::SignatureTime => {
                "its signature is dated outside time_window: a clock is wrong, or somebody repeats a recorded one"
            }
            Self::SignatureKey => "it is signed with a key whose number is not configured here",
            Self::Signature => "its signature is wrong: the keys of that number differ, or somebody forged it",
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

/// The proof that an advertisement passed every check. Only [`Receiver::verify`] makes one.
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

/// What an advertisement is checked against.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Receiver<'c> {
    pub(crate) config: &'c Instance,
    /// The address that we send from.
    pub(crate) own: IpAddr,
    /// Our advertised addresses.
    pub(crate) addresses: &'c [u8],
    /// The master that we follow.
    pub(crate) master: Option<IpAddr>,
    /// The time since 1970.
    pub(crate) wall: Duration,
    pub(crate) sequences: &'c Sequences,
}

impl Receiver<'_> {
    /// Checks `arrival`, which carries `advert`.
    pub(crate) fn verify<'a>(
        &self,
        arrival: &Arrival<'_>,
        advert: Advert<'a>,
    ) -> Result<Verified<'a>, Reject> {
        let config = self.config;
        if arrival.source == self.own {
            return Err(Reject::OwnSource);
        }
        transport(config, arrival)?;
        if advert.version != config.version {
            return Err(Reject::Version);
        }
        self.authenticate(arrival.source, advert.auth)?;
        let skipped = config.skip_check_adv_addr && self.master == Some(arrival.source);
        let differs = Differences {
            interval: advert.interval != config.advert_interval,
            addresses: !skipped
                && !same_addresses(self.addresses, advert.addresses.bytes(), advert.addresses.family()),
        };
        if config.strict {
            strict(config, differs, advert.priority)?;
        }
        Ok(Verified { advert, source: arrival.source, differs })
    }

    fn authenticate(&self, source: IpAddr, theirs: wire::vrrp::Auth<'_>) -> Result<(), Reject> {
        // Version 3 has no passwords (RFC 5798 §9): one left in its configuration must not make it deaf.
        let ours = match self.config.version {
            Version::V2 => self.config.auth,
            Version::V3 => Auth::None,
        };
        match (&self.config.hmac, theirs) {
            (Some(hmac), wire::vrrp::Auth::Signed(signed)) => self.check_signature(hmac, source, signed),
            (Some(hmac), _) if hmac.mode == HmacMode::Enforce => Err(Reject::Unsigned),
            (None, wire::vrrp::Auth::Signed(_)) => Err(Reject::Signed),
            (_, wire::vrrp::Auth::Ah(header)) => match ours {
                Auth::Ah(password) => self.check_header(password, source, header),
                Auth::None | Auth::Pass(_) => Err(Reject::AuthType),
            },
            (_, theirs) => check_password(ours, theirs),
        }
    }

    /// Cheap checks before dear ones: nobody makes us compute digests of what was recorded long ago.
    fn check_signature(&self, hmac: &Hmac, source: IpAddr, signed: Signed<'_>) -> Result<(), Reject> {
        let signature = signed.signature();
        let (stamp, now) = (signature.stamp(), Stamp::at(self.wall));
        if !signature.is_known() {
            return Err(Reject::SignatureScheme);
        }
        let in_time = |stamp: Stamp| match hmac.replay {
            Replay::Time { window } => stamp.is_within(window, now),
            Replay::Monotonic => true,
        };
        if !in_time(stamp) {
            return Err(Reject::SignatureTime);
        }
        let key = key(hmac, signature.key()).ok_or(Reject::SignatureKey)?;
        if !signed.is_authentic(key, source) {
            return Err(Reject::Signature);
        }
        // A mark that no advertisement in time can reach any more says nothing: clocks have been set.
        let mark = self.sequences.stamps.of(source).filter(|mark| in_time(*mark));
        if mark.is_some_and(|mark| !stamp.is_after(mark)) {
            return Err(Reject::Replayed);
        }
        Ok(())
    }

    fn check_header(&self, password: Password, source: IpAddr, header: Ah<'_>) -> Result<(), Reject> {
        let IpAddr::V4(v4) = source else { return Err(Reject::AuthType) };
        if !header.names(v4) || !header.is_authentic(&password.0) {
            return Err(Reject::AuthData);
        }
        if self.sequences.headers.of(source).is_some_and(|last| !follows(header.sequence(), last)) {
            return Err(Reject::Replayed);
        }
        Ok(())
    }
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
            match peers.iter().find(|peer| peer.address == arrival.source) {
                None if config.check_unicast_src => return Err(Reject::UnknownPeer),
                Some(peer) if !(peer.min_ttl..=peer.max_ttl).contains(&arrival.ttl) => {
                    return Err(Reject::PeerTtl);
                }
                None | Some(_) => {}
            }
        }
    }
    Ok(())
}

fn check_password(ours: Auth, theirs: wire::vrrp::Auth<'_>) -> Result<(), Reject> {
    match (ours, theirs) {
        (Auth::None, wire::vrrp::Auth::None) => Ok(()),
        (Auth::Pass(ours), wire::vrrp::Auth::Pass(theirs)) if ours.0 == theirs => Ok(()),
        (Auth::Pass(_), wire::vrrp::Auth::Pass(_)) => Err(Reject::AuthData),
        (Auth::None | Auth::Pass(_) | Auth::Ah(_), _) => Err(Reject::AuthType),
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
    use std::num::NonZeroU8;

    use model::vrrp::{HmacKey, KeySource, Peer};
    use model::{Centis, Family, IfIndex, Secret, Vrid};
    use wire::signature::sign;
    use wire::vrrp::Addresses;

    use super::*;

    const GROUP: IpAddr = IpAddr::V4(Transport::GROUP_V4);
    const OWN: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 168, 0, 14));
    const PEER: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 168, 0, 86));
    const MASTER: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 168, 0, 87));
    const VIP: [u8; 4] = [192, 168, 0, 100];
    const NOW: Duration = Duration::from_secs(1_800_000_000);

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
        let link = IfIndex::try_from(3).ok();
        Arrival { link, source: PEER, destination: GROUP, ttl: 255, advert: Ok(advert), message: &[] }
    }

    fn outcome(config: &Instance, arrival: Arrival<'_>) -> Result<Differences, Reject> {
        outcome_after(config, arrival, &Sequences::default())
    }

    fn outcome_after(
        config: &Instance,
        arrival: Arrival<'_>,
        sequences: &Sequences,
    ) -> Result<Differences, Reject> {
        let (master, wall) = (Some(MASTER), NOW);
        let receiver = Receiver { config, own: OWN, addresses: &VIP, master, wall, sequences };
        receiver.verify(&arrival, arrival.advert?).map(|verified| verified.differs())
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
        let near = Peer { min_ttl: 64, max_ttl: 65, ..Peer::from(PEER) };
        let transport = match Transport::unicast([]) {
            Transport::Unicast { ttl, checksum, old_group, .. } => {
                Transport::Unicast { peers: vec![near], ttl, checksum, old_group }
            }
            multicast @ Transport::Multicast { .. } => multicast,
        };
        let limited = Instance { transport, ..checked };
        for (ttl, expected) in
            [(63, Err(Reject::PeerTtl)), (64, Ok(())), (65, Ok(())), (66, Err(Reject::PeerTtl))]
        {
            assert_eq!(outcome(&limited, Arrival { ttl, ..direct }).map(drop), expected, "{ttl}");
        }
    }

    const KEY: [u8; 32] = [7; 32];

    fn signing(mode: HmacMode, replay: Replay) -> Instance {
        let id = NonZeroU8::MIN;
        let source = KeySource::Bytes(Secret::new(KEY.to_vec()));
        let hmac = Hmac { keys: vec![HmacKey { id, source }], active: id, replay, mode };
        Instance { auth: Auth::None, hmac: Some(hmac), ..instance() }
    }

    const WINDOW: Replay = Replay::Time { window: Duration::from_secs(5) };

    /// The bytes of an advertisement signed with the key of that number at that time.
    fn signed_bytes(id: u8, key: &[u8], stamp: Stamp) -> Vec<u8> {
        let plain = Advert { auth: wire::vrrp::Auth::None, ..advert() };
        let signature = sign(&plain, PEER, NonZeroU8::new(id).unwrap(), key, stamp);
        let mut bytes = Vec::new();
        let advert = Advert { auth: wire::vrrp::Auth::Signed(signature.into()), ..plain };
        wire::vrrp::emit(&advert, PEER, GROUP, &mut bytes);
        bytes
    }

    fn read(bytes: &[u8]) -> Arrival<'_> {
        arrival(wire::vrrp::parse(bytes, PEER, GROUP).unwrap())
    }

    fn now() -> Stamp {
        Stamp::at(NOW)
    }

    #[test]
    fn each_mode_takes_what_it_should() {
        use HmacMode::{Enforce, Permissive, ReceiveOnly};
        let good = signed_bytes(1, &KEY, now());
        let wrong = signed_bytes(1, &[8; 32], now());
        let none = Advert { auth: wire::vrrp::Auth::None, ..advert() };
        for mode in [Enforce, Permissive, ReceiveOnly] {
            let config = signing(mode, WINDOW);
            assert!(outcome(&config, read(&good)).is_ok());
            assert_eq!(outcome(&config, read(&wrong)), Err(Reject::Signature), "{mode:?}");
        }
        assert_eq!(outcome(&signing(Enforce, WINDOW), arrival(none)), Err(Reject::Unsigned));
        assert!(outcome(&signing(Permissive, WINDOW), arrival(none)).is_ok());
        assert!(outcome(&signing(ReceiveOnly, WINDOW), arrival(none)).is_ok());
        let with_password = arrival(advert());
        assert_eq!(outcome(&signing(Permissive, WINDOW), with_password), Err(Reject::AuthType));
        assert_eq!(outcome(&instance(), read(&good)), Err(Reject::Signed));
    }

    #[test]
    fn a_signature_is_checked_in_order() {
        let config = signing(HmacMode::Enforce, WINDOW);
        let late = Stamp::at(NOW - Duration::from_millis(5_001));
        let mut damaged = signed_bytes(9, &[8; 32], late);
        let trailer = damaged.len() - 28;
        damaged[trailer + 2] = 1;
        assert_eq!(outcome(&config, read(&damaged)), Err(Reject::SignatureScheme));
        damaged[trailer..trailer + 4].copy_from_slice(&[2, 9, 0, 0]);
        assert_eq!(outcome(&config, read(&damaged)), Err(Reject::SignatureScheme));
        assert_eq!(outcome(&config, read(&signed_bytes(9, &[8; 32], late))), Err(Reject::SignatureTime));
        let early = Stamp::at(NOW + Duration::from_millis(5_001));
        assert_eq!(outcome(&config, read(&signed_bytes(1, &KEY, early))), Err(Reject::SignatureTime));
        assert_eq!(outcome(&config, read(&signed_bytes(9, &[8; 32], now()))), Err(Reject::SignatureKey));
        assert_eq!(outcome(&config, read(&signed_bytes(1, &[8; 32], now()))), Err(Reject::Signature));
        for at in [NOW - Duration::from_secs(5), NOW + Duration::from_secs(5)] {
            assert!(outcome(&config, read(&signed_bytes(1, &KEY, Stamp::at(at)))).is_ok());
        }
        let ages_ago = signed_bytes(1, &KEY, Stamp::at(Duration::from_secs(1)));
        let monotonic = signing(HmacMode::Enforce, Replay::Monotonic);
        assert!(outcome(&monotonic, read(&ages_ago)).is_ok(), "no clock is looked at");
    }

    #[test]
    fn a_recorded_signature_is_refused() {
        for replay in [WINDOW, Replay::Monotonic] {
            let config = signing(HmacMode::Enforce, replay);
            let (first, second) = (signed_bytes(1, &KEY, now()), signed_bytes(1, &KEY, now().next()));
            let mut sequences = Sequences::default();
            sequences.heard(&config, PEER, read(&first).advert.unwrap().auth);
            assert_eq!(outcome_after(&config, read(&first), &sequences), Err(Reject::Replayed));
            assert!(outcome_after(&config, read(&second), &sequences).is_ok());
            sequences.heard(&config, PEER, read(&second).advert.unwrap().auth);
            assert_eq!(outcome_after(&config, read(&first), &sequences), Err(Reject::Replayed));
        }
    }

    #[test]
    fn a_mark_outside_the_window_does_not_bind_a_clock_that_was_set_back() {
        let future = signed_bytes(1, &KEY, Stamp::at(NOW + Duration::from_secs(3600)));
        let (present, mut sequences) = (signed_bytes(1, &KEY, now()), Sequences::default());
        let config = signing(HmacMode::Enforce, WINDOW);
        sequences.heard(&config, PEER, read(&future).advert.unwrap().auth);
        assert!(outcome_after(&config, read(&present), &sequences).is_ok());
        let monotonic = signing(HmacMode::Enforce, Replay::Monotonic);
        assert_eq!(outcome_after(&monotonic, read(&present), &sequences), Err(Reject::Replayed));
    }

    fn protected(password: [u8; 8], sequence: u32) -> Vec<u8> {
        let (IpAddr::V4(source), IpAddr::V4(group)) = (PEER, GROUP) else { panic!("both are IPv4") };
        let mut packet = Vec::new();
        wire::ah::emit(&advert(), (source, group), &password, sequence, 255, &mut packet);
        packet
    }

    fn unpacked(packet: &[u8]) -> Arrival<'_> {
        Arrival::of_ipv4(IfIndex::try_from(3).ok(), packet).unwrap()
    }

    #[test]
    fn an_authentication_header_needs_the_password_and_a_new_number() {
        let config = Instance { auth: Auth::Ah(Password(*b"1111\0\0\0\0")), ..instance() };
        let (first, second) = (protected(*b"1111\0\0\0\0", 1), protected(*b"1111\0\0\0\0", 2));
        assert!(outcome(&config, unpacked(&first)).is_ok());
        assert_eq!(outcome(&config, unpacked(&protected(*b"2222\0\0\0\0", 1))), Err(Reject::AuthData));
        assert_eq!(outcome(&config, arrival(advert())), Err(Reject::AuthType), "a password alone");
        assert_eq!(outcome(&instance(), unpacked(&first)), Err(Reject::AuthType));
        let mut sequences = Sequences::default();
        sequences.heard(&config, PEER, unpacked(&second).advert.unwrap().auth);
        assert_eq!(outcome_after(&config, unpacked(&first), &sequences), Err(Reject::Replayed));
        assert_eq!(outcome_after(&config, unpacked(&second), &sequences), Err(Reject::Replayed));
    }

    #[test]
    fn an_authentication_header_of_another_sender_is_not_believed() {
        let config = Instance { auth: Auth::Ah(Password(*b"1111\0\0\0\0")), ..instance() };
        let packet = protected(*b"1111\0\0\0\0", 1);
        let arrival = Arrival::of_ipv4(IfIndex::try_from(3).ok(), &packet).unwrap();
        let relayed = Arrival { source: MASTER, ..arrival };
        assert_eq!(outcome(&config, relayed), Err(Reject::AuthData));
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
