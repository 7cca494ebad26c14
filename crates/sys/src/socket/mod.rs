//! The sockets of a VRRP router. All are non-blocking and closed on exec.

mod filter;
pub mod netlink;
pub mod packet;
pub mod process_events;
pub mod vrrp;

use std::io;
use std::os::fd::{AsFd, AsRawFd};

use rustix::net::sockopt::{set_socket_recv_buffer_size, set_socket_recv_buffer_size_force};

/// Enough for a second of a very busy link while this process does not run.
const RECEIVE_BUFFER_BYTES: usize = 1024 * 1024;

/// Beyond the system's limit if the rights permit it.
fn widen_receive_buffer(socket: impl AsFd) -> io::Result<()> {
    match set_socket_recv_buffer_size_force(&socket, RECEIVE_BUFFER_BYTES) {
        Ok(()) => Ok(()),
        Err(_) => Ok(set_socket_recv_buffer_size(&socket, RECEIVE_BUFFER_BYTES)?),
    }
}

/// Gives the receive queue of a socket this many bytes; beyond the system's limit if `force` is set and the rights permit
/// it.
///
/// # Errors
/// `force` without `CAP_NET_ADMIN` (`EPERM`).
pub fn size_receive_buffer(socket: impl AsFd, bytes: u32, force: bool) -> io::Result<()> {
    let bytes = usize::try_from(bytes).unwrap_or(usize::MAX);
    if force {
        Ok(set_socket_recv_buffer_size_force(&socket, bytes)?)
    } else {
        Ok(set_socket_recv_buffer_size(&socket, bytes)?)
    }
}

/// Sets an option that the crates in use do not know.
fn set_option(socket: impl AsFd, level: libc::c_int, name: libc::c_int, value: u32) -> io::Result<()> {
    // SAFETY: pointer and length describe `value`, which outlives the call; the kernel only reads it.
    let result = unsafe {
        libc::setsockopt(
            socket.as_fd().as_raw_fd(),
            level,
            name,
            (&raw const value).cast(),
            size_of_val(&value) as libc::socklen_t,
        )
    };
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}
