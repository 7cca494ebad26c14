//! What an interface itself says of its link, asked by `ioctl` as the kernel has answered it for decades.

use std::io;
use std::os::fd::{AsRawFd, OwnedFd};

use model::IfName;
use rustix::net::{AddressFamily, SocketFlags, SocketType, socket_with};

/// Asks in the network namespace of the thread that has opened it.
#[derive(Debug)]
pub struct Asker {
    socket: OwnedFd,
}

impl Asker {
    /// Opens it.
    ///
    /// # Errors
    /// No file descriptor is left.
    pub fn open() -> io::Result<Self> {
        let socket = socket_with(AddressFamily::INET, SocketType::DGRAM, SocketFlags::CLOEXEC, None)?;
        Ok(Self { socket })
    }

    /// Whether the registers of the transceiver say that there is a link (IEEE 802.3 clause 22: the link bit of the basic
    /// status). They may wait for the hardware.
    ///
    /// # Errors
    /// `EOPNOTSUPP` from interfaces without such registers, `ENODEV` if there is no such interface.
    pub fn mii(&self, name: &IfName) -> io::Result<bool> {
        // SAFETY: zeros are a value of this union of plain data.
        let mut request = Request { name: name_of(name), value: unsafe { std::mem::zeroed() } };
        self.ask(SIOCGMIIPHY, &mut request)?;
        // SAFETY: the kernel has filled in this member, and it has no invalid values.
        request.value.mii = Mii { register: BASIC_STATUS, ..unsafe { request.value.mii } };
        // The bit says whether the link was lost since it was read last: only the second answer is of now.
        for _ in 0..2 {
            self.ask(SIOCGMIIREG, &mut request)?;
        }
        // SAFETY: as above.
        Ok(unsafe { request.value.mii }.out & LINK_IS_UP != 0)
    }

    /// Whether the driver says that there is a link (`ETHTOOL_GLINK`).
    ///
    /// # Errors
    /// `EOPNOTSUPP` if the driver does not know, `ENODEV` if there is no such interface.
    pub fn ethtool(&self, name: &IfName) -> io::Result<bool> {
        let mut question = Question { command: ETHTOOL_GLINK, data: 0 };
        let value = Value { question: &raw mut question };
        self.ask(SIOCETHTOOL, &mut Request { name: name_of(name), value })?;
        Ok(question.data != 0)
    }

    /// Whether the interface is up and runs, by its flags.
    ///
    /// # Errors
    /// `ENODEV` if there is no such interface.
    pub fn flags(&self, name: &IfName) -> io::Result<bool> {
        let mut request = Request { name: name_of(name), value: Value { flags: 0 } };
        self.ask(SIOCGIFFLAGS, &mut request)?;
        // SAFETY: the kernel has filled in this member, and it has no invalid values.
        let flags = libc::c_int::from(unsafe { request.value.flags });
        let needed = libc::IFF_UP | libc::IFF_RUNNING;
        Ok(flags & needed == needed)
    }

    fn ask(&self, code: libc::c_ulong, request: &mut Request) -> io::Result<()> {
        // SAFETY: each of these requests reads and writes an `ifreq`, of which `Request` is one, and `ETHTOOL_GLINK` the
        // `Question` that it points to; both outlive the call.
        let result = unsafe { libc::ioctl(self.socket.as_raw_fd(), code as _, &raw mut *request) };
        if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
    }
}

/// `struct ifreq`.
#[repr(C)]
struct Request {
    name: [u8; libc::IFNAMSIZ],
    value: Value,
}

#[repr(C)]
union Value {
    flags: libc::c_short,
    mii: Mii,
    question: *mut Question,
    /// As long as the kernel's union is.
    _whole: [u64; 3],
}

/// `struct mii_ioctl_data`.
#[repr(C)]
#[derive(Clone, Copy)]
struct Mii {
    phy: u16,
    register: u16,
    _in: u16,
    out: u16,
}

/// `struct ethtool_value`.
#[repr(C)]
struct Question {
    command: u32,
    data: u32,
}

fn name_of(name: &IfName) -> [u8; libc::IFNAMSIZ] {
    let mut bytes = [0; libc::IFNAMSIZ];
    // Names have at most 15 bytes, so the last one stays zero.
    for (place, byte) in bytes.iter_mut().zip(name.as_str().bytes()).take(libc::IFNAMSIZ - 1) {
        *place = byte;
    }
    bytes
}

const SIOCGIFFLAGS: libc::c_ulong = 0x8913;
const SIOCETHTOOL: libc::c_ulong = 0x8946;
const SIOCGMIIPHY: libc::c_ulong = 0x8947;
const SIOCGMIIREG: libc::c_ulong = 0x8948;
const ETHTOOL_GLINK: u32 = 0x0a;
const BASIC_STATUS: u16 = 1;
const LINK_IS_UP: u16 = 1 << 2;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ifreq_is_as_long_as_the_kernels() {
        assert_eq!(size_of::<Request>(), size_of::<libc::ifreq>());
    }

    #[test]
    fn the_loopback_interface_runs_or_not_and_has_no_transceiver() {
        let asker = Asker::open().expect("a socket");
        let lo: IfName = "lo".parse().expect("a name");
        assert!(asker.flags(&lo).is_ok());
        assert!(asker.mii(&lo).is_err(), "it has no registers");
        assert!(asker.ethtool(&lo).expect("the kernel answers for it"));
        let nobody: IfName = "no-such-link".parse().expect("a name");
        assert_eq!(asker.flags(&nobody).expect_err("it is not there").raw_os_error(), Some(libc::ENODEV));
    }
}
