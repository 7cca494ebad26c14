//! Why the kernel refuses a request.

use std::fmt;
use std::io;

/// The number of a system error, positive, as in errno(3).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Errno(pub i32);

impl Errno {
    /// Not permitted: the capability `CAP_NET_ADMIN` is missing.
    pub const EPERM: Self = Self(1);
    /// There is no such rule.
    pub const ENOENT: Self = Self(2);
    /// There is no such route.
    pub const ESRCH: Self = Self(3);
    /// It was not finished. The kernel acknowledges no request that ends so.
    pub const EINTR: Self = Self(4);
    /// Nothing is there now.
    pub const EAGAIN: Self = Self(11);
    /// A dump is under way on the same socket.
    pub const EBUSY: Self = Self(16);
    /// What should be made is there already.
    pub const EEXIST: Self = Self(17);
    /// No such link.
    pub const ENODEV: Self = Self(19);
    /// The link is down.
    pub const ENETDOWN: Self = Self(100);
    /// The kernel cannot do that.
    pub const EOPNOTSUPP: Self = Self(95);
    /// The kernel has no such protocol: IPv6, as a rule.
    pub const EAFNOSUPPORT: Self = Self(97);
    /// The address that should be deleted is not there.
    pub const EADDRNOTAVAIL: Self = Self(99);
}

impl fmt::Display for Errno {
    /// The system's text and the number, as [`io::Error`] has them.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        io::Error::from_raw_os_error(self.0).fmt(f)
    }
}

impl fmt::Debug for Errno {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Errno({})", self.0)
    }
}

/// A refusal: the error, and the kernel's own words about it where it gave some (`NETLINK_EXT_ACK`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The error.
    pub errno: Errno,
    /// The text of the extended acknowledgement.
    pub text: Option<Box<str>>,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.text {
            Some(text) => write!(f, "{}: {text}", self.errno),
            None => self.errno.fmt(f),
        }
    }
}

impl std::error::Error for Refusal {}

impl From<Errno> for Refusal {
    fn from(errno: Errno) -> Self {
        Self { errno, text: None }
    }
}
