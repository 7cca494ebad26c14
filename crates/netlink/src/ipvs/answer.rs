//! What the kernel says of IPVS.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::num::{NonZeroU8, NonZeroU16};

use model::ipvs::{DestinationKey, ServiceKey, SyncRole, SyncSide};
use model::lvs::Protocol;
use model::{Family, SyncTransport};
use netlink_packet_core::{NLMSG_DONE, NLMSG_ERROR};

use super::number::*;
use super::terms::{
    Connections, FamilyId, HeldDestination, Kernel, Settings, Statistics, Target, Timeouts, whole_address,
};
use crate::errno::Refusal;
use crate::event::{Attributes, Message, Skip, Skipped, ack, done, each_message, number, text};
use crate::request::Sequence;

/// A message of the kernel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Heard {
    /// The request that it answers.
    pub sequence: Sequence,
    /// What it says.
    pub news: News,
}

/// What the kernel says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum News {
    /// The request has been carried out or refused; the last word to it, unless it was a listing.
    Answer(Result<(), Refusal>),
    /// The listing is at its end, or could not go on.
    Done(Result<(), Refusal>),
    /// This is the number of IPVS.
    Family(FamilyId),
    /// This is the kernel's IPVS.
    Kernel(Kernel),
    /// There is this service.
    Service {
        /// Which.
        key: ServiceKey,
        /// What it is.
        settings: Settings,
        /// Its traffic.
        statistics: Box<Statistics>,
    },
    /// The service that was asked about has this destination.
    Destination {
        /// Which.
        key: DestinationKey,
        /// What it is.
        value: Box<HeldDestination>,
    },
    /// These are the timeouts.
    Timeouts(Timeouts),
    /// This side of connection synchronisation runs.
    Side(SyncRole, SyncSide),
}

/// Reads the messages of one datagram and appends what they say, in order. `family` is the number of IPVS, as soon as it
/// is known. Attributes that are not known are passed over.
pub fn decode(family: Option<FamilyId>, datagram: &[u8], heard: &mut Vec<Heard>) -> Skipped {
    each_message(datagram, |message| {
        heard.push(Heard { sequence: message.sequence, news: news(family, message)? });
        Ok(())
    })
}

fn news(family: Option<FamilyId>, message: &Message<'_>) -> Result<News, Skip> {
    match message.kind {
        NLMSG_ERROR => return ack(message).map(News::Answer),
        NLMSG_DONE => return Ok(News::Done(done(message))),
        _ => {}
    }
    let (&[command, _, _, _], attributes) = message.body.split_first_chunk::<4>().ok_or(Skip::Malformed)?;
    match command {
        CTRL_CMD_NEWFAMILY if message.kind == GENL_ID_CTRL => family_id(attributes).map(News::Family),
        _ if family.is_none_or(|family| family.0 != message.kind) => Err(Skip::Foreign),
        IPVS_CMD_NEW_SERVICE => service(within(attributes, IPVS_CMD_ATTR_SERVICE)?),
        IPVS_CMD_NEW_DEST => destination(within(attributes, IPVS_CMD_ATTR_DEST)?),
        IPVS_CMD_NEW_DAEMON => side(within(attributes, IPVS_CMD_ATTR_DAEMON)?),
        IPVS_CMD_SET_CONFIG => timeouts(attributes).map(News::Timeouts),
        IPVS_CMD_SET_INFO => kernel(attributes).map(News::Kernel),
        _ => Err(Skip::Foreign),
    }
}

fn within(attributes: &[u8], kind: u16) -> Result<&[u8], Skip> {
    for attribute in Attributes(attributes) {
        let (found, value) = attribute?;
        if found == kind {
            return Ok(value);
        }
    }
    Err(Skip::Malformed)
}

fn family_id(attributes: &[u8]) -> Result<FamilyId, Skip> {
    let (mut id, mut is_ours) = (None, false);
    for attribute in Attributes(attributes) {
        match attribute? {
            (CTRL_ATTR_FAMILY_ID, value) => id = Some(FamilyId(short(value)?)),
            (CTRL_ATTR_FAMILY_NAME, value) => is_ours = text(value) == Some(FAMILY_NAME),
            _ => {}
        }
    }
    if is_ours { id.ok_or(Skip::Malformed) } else { Err(Skip::Foreign) }
}

fn kernel(attributes: &[u8]) -> Result<Kernel, Skip> {
    let mut kernel = Kernel { version: 0, connection_table: 0 };
    for attribute in Attributes(attributes) {
        match attribute? {
            (IPVS_INFO_ATTR_VERSION, value) => kernel.version = long(value)?,
            (IPVS_INFO_ATTR_CONN_TAB_SIZE, value) => kernel.connection_table = long(value)?,
            _ => {}
        }
    }
    Ok(kernel)
}

fn timeouts(attributes: &[u8]) -> Result<Timeouts, Skip> {
    let mut timeouts = Timeouts::default();
    for attribute in Attributes(attributes) {
        match attribute? {
            (IPVS_CMD_ATTR_TIMEOUT_TCP, value) => timeouts.tcp = Some(long(value)?),
            (IPVS_CMD_ATTR_TIMEOUT_TCP_FIN, value) => timeouts.tcp_fin = Some(long(value)?),
            (IPVS_CMD_ATTR_TIMEOUT_UDP, value) => timeouts.udp = Some(long(value)?),
            _ => {}
        }
    }
    Ok(timeouts)
}

/// The parts of a service as they come.
#[derive(Default)]
struct Parts<'a> {
    family: u16,
    protocol: u16,
    address: &'a [u8],
    port: u16,
    mark: Option<u32>,
    mask: [u8; 4],
}

impl Parts<'_> {
    fn key(&self) -> Result<ServiceKey, Skip> {
        let family = family(self.family)?;
        if let Some(mark) = self.mark {
            return Ok(ServiceKey::Fwmark { mark, family });
        }
        let protocol = match self.protocol {
            IPPROTO_TCP => Protocol::Tcp,
            IPPROTO_UDP => Protocol::Udp,
            IPPROTO_SCTP => Protocol::Sctp,
            _ => return Err(Skip::Foreign),
        };
        let address = address(family, self.address)?;
        Ok(ServiceKey::Address { address, port: NonZeroU16::new(self.port), protocol })
    }
}

fn service(attributes: &[u8]) -> Result<News, Skip> {
    let mut parts = Parts::default();
    let mut settings = Settings { scheduler: "".into(), flags: 0, timeout: 0, mask: 0, engine: None };
    let mut statistics = Best::default();
    for attribute in Attributes(attributes) {
        match attribute? {
            (IPVS_SVC_ATTR_AF, value) => parts.family = short(value)?,
            (IPVS_SVC_ATTR_PROTOCOL, value) => parts.protocol = short(value)?,
            (IPVS_SVC_ATTR_ADDR, value) => parts.address = value,
            (IPVS_SVC_ATTR_PORT, value) => parts.port = port(value)?,
            (IPVS_SVC_ATTR_FWMARK, value) => parts.mark = Some(long(value)?),
            (IPVS_SVC_ATTR_SCHED_NAME, value) => settings.scheduler = name(value),
            (IPVS_SVC_ATTR_FLAGS, value) => {
                let flags = value.first_chunk::<4>().ok_or(Skip::Malformed)?;
                settings.flags = u32::from_ne_bytes(*flags);
            }
            (IPVS_SVC_ATTR_TIMEOUT, value) => settings.timeout = long(value)?,
            (IPVS_SVC_ATTR_NETMASK, value) => {
                parts.mask = value.try_into().map_err(|_| Skip::Malformed)?;
            }
            (IPVS_SVC_ATTR_PE_NAME, value) => {
                settings.engine = Some(name(value)).filter(|name| !name.is_empty());
            }
            (IPVS_SVC_ATTR_STATS, value) => statistics.short = Some(value),
            (IPVS_SVC_ATTR_STATS64, value) => statistics.long = Some(value),
            _ => {}
        }
    }
    let key = parts.key()?;
    settings.mask = match key.family() {
        Family::V4 => u32::from_be_bytes(parts.mask),
        Family::V6 => u32::from_ne_bytes(parts.mask).min(whole_address(Family::V6)),
    };
    Ok(News::Service { key, settings, statistics: statistics.read()?.into() })
}

fn destination(attributes: &[u8]) -> Result<News, Skip> {
    let (mut family_number, mut bytes, mut at): (u16, &[u8], u16) = (0, &[], 0);
    let mut target = Target {
        method: 0,
        weight: 0,
        upper_threshold: 0,
        lower_threshold: 0,
        tunnel_type: 0,
        tunnel_port: 0,
        tunnel_flags: 0,
    };
    let mut connections = Connections::default();
    let mut statistics = Best::default();
    for attribute in Attributes(attributes) {
        match attribute? {
            (IPVS_DEST_ATTR_ADDR, value) => bytes = value,
            (IPVS_DEST_ATTR_PORT, value) => at = port(value)?,
            (IPVS_DEST_ATTR_ADDR_FAMILY, value) => family_number = short(value)?,
            (IPVS_DEST_ATTR_FWD_METHOD, value) => target.method = long(value)? & FORWARDING,
            (IPVS_DEST_ATTR_WEIGHT, value) => target.weight = long(value)?,
            (IPVS_DEST_ATTR_U_THRESH, value) => target.upper_threshold = long(value)?,
            (IPVS_DEST_ATTR_L_THRESH, value) => target.lower_threshold = long(value)?,
            (IPVS_DEST_ATTR_TUN_TYPE, value) => target.tunnel_type = byte(value)?,
            (IPVS_DEST_ATTR_TUN_PORT, value) => target.tunnel_port = port(value)?,
            (IPVS_DEST_ATTR_TUN_FLAGS, value) => target.tunnel_flags = short(value)?,
            (IPVS_DEST_ATTR_ACTIVE_CONNS, value) => connections.active = long(value)?,
            (IPVS_DEST_ATTR_INACT_CONNS, value) => connections.inactive = long(value)?,
            (IPVS_DEST_ATTR_PERSIST_CONNS, value) => connections.persistent = long(value)?,
            (IPVS_DEST_ATTR_STATS, value) => statistics.short = Some(value),
            (IPVS_DEST_ATTR_STATS64, value) => statistics.long = Some(value),
            _ => {}
        }
    }
    let key = DestinationKey { address: address(family(family_number)?, bytes)?, port: NonZeroU16::new(at) };
    let value = HeldDestination { target, connections, statistics: statistics.read()? };
    Ok(News::Destination { key, value: value.into() })
}

fn side(attributes: &[u8]) -> Result<News, Skip> {
    let (mut role, mut interface, mut id, mut longest) = (None, None, 0, None);
    let mut transport = SyncTransport::default();
    for attribute in Attributes(attributes) {
        match attribute? {
            (IPVS_DAEMON_ATTR_STATE, value) => role = Some(long(value)?),
            (IPVS_DAEMON_ATTR_MCAST_IFN, value) => {
                interface = text(value).and_then(|name| name.parse().ok());
            }
            (IPVS_DAEMON_ATTR_SYNC_ID, value) => id = long(value)?,
            (IPVS_DAEMON_ATTR_SYNC_MAXLEN, value) => longest = NonZeroU16::new(short(value)?),
            (IPVS_DAEMON_ATTR_MCAST_GROUP, value) => transport.address = Some(address(Family::V4, value)?),
            (IPVS_DAEMON_ATTR_MCAST_GROUP6, value) => transport.address = Some(address(Family::V6, value)?),
            (IPVS_DAEMON_ATTR_MCAST_PORT, value) => transport.port = NonZeroU16::new(short(value)?),
            (IPVS_DAEMON_ATTR_MCAST_TTL, value) => transport.ttl = NonZeroU8::new(byte(value)?),
            _ => {}
        }
    }
    let role = match role {
        Some(IP_VS_STATE_MASTER) => SyncRole::Master,
        Some(IP_VS_STATE_BACKUP) => SyncRole::Backup,
        _ => return Err(Skip::Foreign),
    };
    let id = u8::try_from(id).map_err(|_| Skip::Malformed)?;
    let interface = interface.ok_or(Skip::Malformed)?;
    Ok(News::Side(role, SyncSide { interface, id, longest, transport }))
}

/// Statistics, of which older kernels have only the short form.
#[derive(Default)]
struct Best<'a> {
    short: Option<&'a [u8]>,
    long: Option<&'a [u8]>,
}

impl Best<'_> {
    fn read(&self) -> Result<Statistics, Skip> {
        let mut values = [0; 10];
        for attribute in Attributes(self.long.or(self.short).unwrap_or_default()) {
            let (kind, value) = attribute?;
            let place = usize::from(kind).checked_sub(1).and_then(|at| values.get_mut(at));
            if let (Some(place), Some(value)) = (place, wide(value)) {
                *place = value;
            }
        }
        let [connections, packets_in, packets_out, bytes_in, bytes_out, rest @ ..] = values;
        let [connection_rate, packet_rate_in, packet_rate_out, byte_rate_in, byte_rate_out] = rest;
        Ok(Statistics {
            connections,
            packets_in,
            packets_out,
            bytes_in,
            bytes_out,
            connection_rate,
            packet_rate_in,
            packet_rate_out,
            byte_rate_in,
            byte_rate_out,
        })
    }
}

/// A number of four or eight bytes: the short form has both.
fn wide(value: &[u8]) -> Option<u64> {
    let long = value.try_into().map(u64::from_ne_bytes);
    long.ok().or_else(|| number(value).map(u64::from))
}

/// Text up to its first NUL, whatever bytes it is made of.
fn name(value: &[u8]) -> Box<str> {
    let bytes = value.split(|byte| *byte == 0).next().unwrap_or_default();
    String::from_utf8_lossy(bytes).into()
}

const fn family(number: u16) -> Result<Family, Skip> {
    match number {
        AF_INET => Ok(Family::V4),
        AF_INET6 => Ok(Family::V6),
        _ => Err(Skip::Malformed),
    }
}

fn address(family: Family, bytes: &[u8]) -> Result<IpAddr, Skip> {
    let address = match family {
        Family::V4 => bytes.first_chunk::<4>().map(|octets| Ipv4Addr::from(*octets).into()),
        Family::V6 => bytes.first_chunk::<16>().map(|octets| Ipv6Addr::from(*octets).into()),
    };
    address.ok_or(Skip::Malformed)
}

fn long(value: &[u8]) -> Result<u32, Skip> {
    number(value).ok_or(Skip::Malformed)
}

fn short(value: &[u8]) -> Result<u16, Skip> {
    value.try_into().map(u16::from_ne_bytes).map_err(|_| Skip::Malformed)
}

fn port(value: &[u8]) -> Result<u16, Skip> {
    value.try_into().map(u16::from_be_bytes).map_err(|_| Skip::Malformed)
}

fn byte(value: &[u8]) -> Result<u8, Skip> {
    value.first().copied().ok_or(Skip::Malformed)
}

/// `IP_VS_CONN_F_FWD_MASK`.
const FORWARDING: u32 = 0x7;
