//! The first step of each dialogue: a socket as the configuration wants it.

use std::future::Future;
use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use model::lvs::Connection;
use rustix::io::Errno;
use socket2::{Domain, Protocol, Socket, Type};
use tokio::io::Interest;
use tokio::net::{TcpStream, UdpSocket};
use tokio::time;

use crate::trouble::Trouble;

/// Where a check goes.
pub(crate) fn target(connection: &Connection) -> Result<SocketAddr, Trouble> {
    let port = connection.port.ok_or_else(|| Trouble::here("neither checker nor real server name a port"))?;
    Ok(SocketAddr::new(connection.address, port.get()))
}

/// Whether somebody accepts a connection; it is closed at once.
pub(crate) async fn knock(connection: &Connection) -> Result<(), Trouble> {
    match begin(connection)? {
        Begun::Done(socket) => drop(socket),
        Begun::Pending(socket) => drop(finish(socket, connection).await?),
    }
    Ok(())
}

/// Connects within the check's time-out.
pub(crate) async fn tcp(connection: &Connection) -> Result<TcpStream, Trouble> {
    match begin(connection)? {
        Begun::Done(socket) => register(socket, connection),
        Begun::Pending(socket) => finish(socket, connection).await,
    }
}

/// A socket from which the server alone is heard.
pub(crate) fn udp(connection: &Connection) -> Result<UdpSocket, Trouble> {
    let start = |error| Trouble::at_start(&error, connection);
    let target = target(connection)?;
    let socket = socket(connection, Type::DGRAM, None).map_err(start)?;
    socket.connect(&target.into()).map_err(start)?;
    UdpSocket::from_std(socket.into()).map_err(start)
}

/// A socket for ICMP to the server: the kernel's own for echoes where it permits that, else a raw one.
pub(crate) fn icmp(connection: &Connection) -> Result<(UdpSocket, bool), Trouble> {
    let start = |error| Trouble::at_start(&error, connection);
    let protocol = if connection.address.is_ipv4() { Protocol::ICMPV4 } else { Protocol::ICMPV6 };
    let (socket, raw) = match socket(connection, Type::DGRAM, Some(protocol)) {
        Ok(socket) => (socket, false),
        Err(_) => (socket(connection, Type::RAW, Some(protocol)).map_err(start)?, true),
    };
    socket.connect(&SocketAddr::new(connection.address, 0).into()).map_err(start)?;
    // A socket is a file descriptor that `send` and `recv` know; which kind of datagram goes through it is all one.
    Ok((UdpSocket::from_std(socket.into()).map_err(start)?, raw))
}

/// Waits for a step of a dialogue, at most as long as the check permits.
pub(crate) async fn within<T>(
    limit: Duration,
    step: impl Future<Output = Result<T, Trouble>>,
    missed: &str,
) -> Result<T, Trouble> {
    time::timeout(limit, step).await.unwrap_or_else(|_| Err(Trouble::server(missed)))
}

enum Begun {
    /// As on the loopback, where the answer is there before the call returns.
    Done(Socket),
    Pending(Socket),
}

fn begin(connection: &Connection) -> Result<Begun, Trouble> {
    let start = |error| Trouble::at_start(&error, connection);
    let target = target(connection)?;
    let socket = socket(connection, Type::STREAM, None).map_err(start)?;
    match socket.connect(&target.into()) {
        Ok(()) => Ok(Begun::Done(socket)),
        Err(error) if error.raw_os_error() == Some(Errno::INPROGRESS.raw_os_error()) => {
            Ok(Begun::Pending(socket))
        }
        Err(error) => Err(start(error)),
    }
}

async fn finish(socket: Socket, connection: &Connection) -> Result<TcpStream, Trouble> {
    let stream = register(socket, connection)?;
    let underway = |error| Trouble::underway(&error, connection);
    let connected = async {
        let ready = stream.ready(Interest::WRITABLE | Interest::ERROR).await.map_err(underway)?;
        if !ready.is_error() && !ready.is_write_closed() {
            // Most are healthy: to ask what went wrong costs a system call.
            return Ok(());
        }
        stream.take_error().map_err(underway)?.map_or(Ok(()), |error| Err(underway(error)))
    };
    within(connection.timeout, connected, "connection timed out").await?;
    Ok(stream)
}

fn register(socket: Socket, connection: &Connection) -> Result<TcpStream, Trouble> {
    TcpStream::from_std(socket.into()).map_err(|error| Trouble::at_start(&error, connection))
}

/// A socket that does not block, marked and bound.
fn socket(connection: &Connection, kind: Type, protocol: Option<Protocol>) -> io::Result<Socket> {
    let domain = if connection.address.is_ipv4() { Domain::IPV4 } else { Domain::IPV6 };
    let socket = Socket::new(domain, kind.nonblocking(), protocol)?;
    if connection.mark != 0 {
        socket.set_mark(connection.mark)?;
    }
    let Some(local) = &connection.local else { return Ok(socket) };
    // First: a link-local address belongs to an interface.
    if let Some(interface) = &local.interface {
        socket.bind_device(Some(interface.as_str().as_bytes()))?;
    }
    let is_echo = protocol.is_some();
    let port = local.port.filter(|_| !is_echo).map_or(0, |port| port.get());
    if port != 0 && kind == Type::STREAM {
        // Else the port would rest for a minute after each check.
        socket.set_reuse_address(true)?;
        socket.set_linger(Some(Duration::ZERO))?;
    }
    if local.address.is_some() || port != 0 {
        let any = if connection.address.is_ipv4() {
            Ipv4Addr::UNSPECIFIED.into()
        } else {
            Ipv6Addr::UNSPECIFIED.into()
        };
        socket.bind(&SocketAddr::new(local.address.unwrap_or(any), port).into())?;
    }
    Ok(socket)
}
