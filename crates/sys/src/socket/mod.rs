//! The sockets of a VRRP router. All are non-blocking and closed on exec.

pub mod netlink;
pub mod packet;
pub mod vrrp;
