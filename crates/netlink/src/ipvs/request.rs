//! What the kernel can be asked about IPVS, and its bytes.

use std::net::IpAddr;

use model::Family;
use model::ipvs::{DestinationKey, ServiceKey, SyncRole, SyncSide};
use model::lvs::Protocol;
use netlink_packet_core::{NLA_F_NESTED, NLM_F_ACK, NLM_F_DUMP};

use super::number::*;
use super::terms::{FamilyId, Settings, Target, Timeouts, port_of};
use crate::attribute::Body;
use crate::request::{Sequence, encode_bytes};

/// Something asked of IPVS. Each is answered by an acknowledgement or a refusal; listings and questions by what was asked
/// for before that.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Request {
    /// Version and size, answered by [`News::Kernel`](super::News::Kernel).
    Kernel,
    /// All services. A socket runs one listing at a time, and ends it with [`News::Done`](super::News::Done).
    Services,
    /// One service. Refused with `ESRCH` if there is none.
    Service(ServiceKey),
    /// All destinations of a service: a listing. A service that is not there has none.
    Destinations(ServiceKey),
    /// A new service. Refused with `EEXIST` if there is one, `ENOENT` if the kernel has no such scheduler or engine.
    AddService(ServiceKey, Settings),
    /// Another scheduler, other flags, another persistence. Connections stay. Refused with `ESRCH` if there is none.
    SetService(ServiceKey, Settings),
    /// Deletes the service with its destinations. Refused with `ESRCH` if there is none.
    DeleteService(ServiceKey),
    /// A new destination. Refused with `EEXIST` if there is one, `ESRCH` if there is no such service.
    AddDestination(ServiceKey, DestinationKey, Target),
    /// Another weight, another way, other thresholds. Connections stay. Refused with `ENOENT` if there is none.
    SetDestination(ServiceKey, DestinationKey, Target),
    /// Deletes the destination. Refused with `ENOENT` if there is none.
    DeleteDestination(ServiceKey, DestinationKey),
    /// Counters begin at 0 again: those of one service and its destinations, or all.
    Zero(Option<ServiceKey>),
    /// Deletes all services.
    Flush,
    /// The timeouts, answered by [`News::Timeouts`](super::News::Timeouts).
    Timeouts,
    /// Sets those that are there.
    SetTimeouts(Timeouts),
    /// Which sides of connection synchronisation run: a listing.
    Sides,
    /// Starts one. Refused with `EEXIST` if it runs, `ENODEV` if there is no such interface.
    StartSide(SyncRole, SyncSide),
    /// Stops one. Refused with `ESRCH` if it does not run.
    StopSide(SyncRole),
}

/// Appends the question which number IPVS has, answered by [`News::Family`](super::News::Family). The kernel refuses it
/// with `ENOENT` if it has no IPVS, or has not loaded it.
pub fn encode_lookup(sequence: Sequence, batch: &mut Vec<u8>) {
    let mut body = Body::new(&[CTRL_CMD_GETFAMILY, 1, 0, 0]);
    body.text(CTRL_ATTR_FAMILY_NAME, FAMILY_NAME);
    encode_bytes(GENL_ID_CTRL, NLM_F_ACK, sequence, &body.into_bytes(), batch);
}

/// Appends the message of `request`.
pub fn encode(family: FamilyId, request: &Request, sequence: Sequence, batch: &mut Vec<u8>) {
    let (command, flags) = command(request);
    let mut body = Body::new(&[command, VERSION, 0, 0]);
    attributes(request, &mut body);
    encode_bytes(family.0, flags, sequence, &body.into_bytes(), batch);
}

const fn command(request: &Request) -> (u8, u16) {
    match request {
        Request::Kernel => (IPVS_CMD_GET_INFO, NLM_F_ACK),
        Request::Services => (IPVS_CMD_GET_SERVICE, NLM_F_DUMP),
        Request::Service(_) => (IPVS_CMD_GET_SERVICE, NLM_F_ACK),
        Request::Destinations(_) => (IPVS_CMD_GET_DEST, NLM_F_DUMP),
        Request::AddService(..) => (IPVS_CMD_NEW_SERVICE, NLM_F_ACK),
        Request::SetService(..) => (IPVS_CMD_SET_SERVICE, NLM_F_ACK),
        Request::DeleteService(_) => (IPVS_CMD_DEL_SERVICE, NLM_F_ACK),
        Request::AddDestination(..) => (IPVS_CMD_NEW_DEST, NLM_F_ACK),
        Request::SetDestination(..) => (IPVS_CMD_SET_DEST, NLM_F_ACK),
        Request::DeleteDestination(..) => (IPVS_CMD_DEL_DEST, NLM_F_ACK),
        Request::Zero(_) => (IPVS_CMD_ZERO, NLM_F_ACK),
        Request::Flush => (IPVS_CMD_FLUSH, NLM_F_ACK),
        Request::Timeouts => (IPVS_CMD_GET_CONFIG, NLM_F_ACK),
        Request::SetTimeouts(_) => (IPVS_CMD_SET_CONFIG, NLM_F_ACK),
        Request::Sides => (IPVS_CMD_GET_DAEMON, NLM_F_DUMP),
        Request::StartSide(..) => (IPVS_CMD_NEW_DAEMON, NLM_F_ACK),
        Request::StopSide(_) => (IPVS_CMD_DEL_DAEMON, NLM_F_ACK),
    }
}

fn attributes(request: &Request, body: &mut Body) {
    match request {
        Request::Kernel
        | Request::Services
        | Request::Flush
        | Request::Timeouts
        | Request::Sides
        | Request::Zero(None) => {}
        Request::Service(key)
        | Request::Destinations(key)
        | Request::DeleteService(key)
        | Request::Zero(Some(key)) => service(body, *key, None),
        Request::AddService(key, settings) | Request::SetService(key, settings) => {
            service(body, *key, Some(settings));
        }
        Request::AddDestination(key, place, target) | Request::SetDestination(key, place, target) => {
            service(body, *key, None);
            destination(body, *place, Some(target));
        }
        Request::DeleteDestination(key, place) => {
            service(body, *key, None);
            destination(body, *place, None);
        }
        Request::SetTimeouts(timeouts) => {
            body.number(IPVS_CMD_ATTR_TIMEOUT_TCP, timeouts.tcp);
            body.number(IPVS_CMD_ATTR_TIMEOUT_TCP_FIN, timeouts.tcp_fin);
            body.number(IPVS_CMD_ATTR_TIMEOUT_UDP, timeouts.udp);
        }
        Request::StartSide(role, side) => start_side(body, *role, side),
        Request::StopSide(role) => body.nest(IPVS_CMD_ATTR_DAEMON | NLA_F_NESTED, |body| {
            body.number(IPVS_DAEMON_ATTR_STATE, Some(state_of(*role)));
        }),
    }
}

fn service(body: &mut Body, key: ServiceKey, settings: Option<&Settings>) {
    body.nest(IPVS_CMD_ATTR_SERVICE | NLA_F_NESTED, |body| {
        body.attribute(IPVS_SVC_ATTR_AF, &family_number(key.family()).to_ne_bytes());
        match key {
            ServiceKey::Address { address, port, protocol } => {
                body.attribute(IPVS_SVC_ATTR_PROTOCOL, &protocol_number(protocol).to_ne_bytes());
                body.attribute(IPVS_SVC_ATTR_ADDR, &address_bytes(address));
                body.attribute(IPVS_SVC_ATTR_PORT, &port_of(port).to_be_bytes());
            }
            ServiceKey::Fwmark { mark, .. } => body.number(IPVS_SVC_ATTR_FWMARK, Some(mark)),
        }
        let Some(settings) = settings else { return };
        body.text(IPVS_SVC_ATTR_SCHED_NAME, &settings.scheduler);
        if let Some(engine) = &settings.engine {
            body.text(IPVS_SVC_ATTR_PE_NAME, engine);
        }
        let mut flags = settings.flags.to_ne_bytes().to_vec();
        // All of them count.
        flags.extend(u32::MAX.to_ne_bytes());
        body.attribute(IPVS_SVC_ATTR_FLAGS, &flags);
        body.number(IPVS_SVC_ATTR_TIMEOUT, Some(settings.timeout));
        let mask = match key.family() {
            Family::V4 => settings.mask.to_be_bytes(),
            Family::V6 => settings.mask.to_ne_bytes(),
        };
        body.attribute(IPVS_SVC_ATTR_NETMASK, &mask);
    });
}

fn destination(body: &mut Body, key: DestinationKey, target: Option<&Target>) {
    body.nest(IPVS_CMD_ATTR_DEST | NLA_F_NESTED, |body| {
        body.attribute(IPVS_DEST_ATTR_ADDR_FAMILY, &family_number(key.address.into()).to_ne_bytes());
        body.attribute(IPVS_DEST_ATTR_ADDR, &address_bytes(key.address));
        body.attribute(IPVS_DEST_ATTR_PORT, &port_of(key.port).to_be_bytes());
        let Some(target) = target else { return };
        body.number(IPVS_DEST_ATTR_FWD_METHOD, Some(target.method));
        body.number(IPVS_DEST_ATTR_WEIGHT, Some(target.weight));
        if target.method == Target::TUNNEL {
            body.attribute(IPVS_DEST_ATTR_TUN_TYPE, &[target.tunnel_type]);
            body.attribute(IPVS_DEST_ATTR_TUN_PORT, &target.tunnel_port.to_be_bytes());
            body.attribute(IPVS_DEST_ATTR_TUN_FLAGS, &target.tunnel_flags.to_ne_bytes());
        }
        body.number(IPVS_DEST_ATTR_U_THRESH, Some(target.upper_threshold));
        body.number(IPVS_DEST_ATTR_L_THRESH, Some(target.lower_threshold));
    });
}

fn start_side(body: &mut Body, role: SyncRole, side: &SyncSide) {
    body.nest(IPVS_CMD_ATTR_DAEMON | NLA_F_NESTED, |body| {
        body.number(IPVS_DAEMON_ATTR_STATE, Some(state_of(role)));
        body.text(IPVS_DAEMON_ATTR_MCAST_IFN, side.interface.as_str());
        body.number(IPVS_DAEMON_ATTR_SYNC_ID, Some(u32::from(side.id)));
        if let Some(longest) = side.longest {
            body.attribute(IPVS_DAEMON_ATTR_SYNC_MAXLEN, &longest.get().to_ne_bytes());
        }
        match side.transport.address {
            None => {}
            Some(IpAddr::V4(group)) => body.attribute(IPVS_DAEMON_ATTR_MCAST_GROUP, &group.octets()),
            Some(IpAddr::V6(group)) => body.attribute(IPVS_DAEMON_ATTR_MCAST_GROUP6, &group.octets()),
        }
        if let Some(port) = side.transport.port {
            body.attribute(IPVS_DAEMON_ATTR_MCAST_PORT, &port.get().to_ne_bytes());
        }
        if let Some(ttl) = side.transport.ttl {
            body.attribute(IPVS_DAEMON_ATTR_MCAST_TTL, &[ttl.get()]);
        }
    });
}

const fn state_of(role: SyncRole) -> u32 {
    match role {
        SyncRole::Master => IP_VS_STATE_MASTER,
        SyncRole::Backup => IP_VS_STATE_BACKUP,
    }
}

const fn family_number(family: Family) -> u16 {
    match family {
        Family::V4 => AF_INET,
        Family::V6 => AF_INET6,
    }
}

const fn protocol_number(protocol: Protocol) -> u16 {
    match protocol {
        Protocol::Tcp => IPPROTO_TCP,
        Protocol::Udp => IPPROTO_UDP,
        Protocol::Sctp => IPPROTO_SCTP,
    }
}

/// An address in the room of an IPv6 one, as the kernel keeps it.
fn address_bytes(address: IpAddr) -> [u8; 16] {
    match address {
        IpAddr::V4(v4) => {
            let [a, b, c, d] = v4.octets();
            [a, b, c, d, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]
        }
        IpAddr::V6(v6) => v6.octets(),
    }
}
