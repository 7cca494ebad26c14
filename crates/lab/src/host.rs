//! A host of the laboratory.

use std::fs;
use std::net::{IpAddr, Ipv4Addr};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;

use model::{IfIndex, IfName, MacAddr, Prefix};

use crate::kernel::{self, Neighbour};
use crate::{Error, Process};

/// Makes sure that this process may create hosts: without the rights of root it moves into a user namespace of its own.
///
/// Says which of both it is: whoever wants to enter a host from outside has to know.
///
/// Call it before the first thread is started. Tests, which have threads, need root or `unshare --map-root-user`.
///
/// # Errors
/// [`Error::Host`] where the kernel does not let users do this.
pub fn prepare() -> Result<Identity, Error> {
    if sys::netns::is_permitted() {
        return Ok(Identity::Own);
    }
    sys::netns::enter_user_namespace()?;
    Ok(Identity::RootOfNamespace)
}

/// As whom this process creates hosts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Identity {
    /// As itself, with the rights of root.
    Own,
    /// As root of a user namespace that it has made.
    RootOfNamespace,
}

/// A host: its own network, processes, `/run` and name. It ends when its last clone and its last process are dropped,
/// or when this program ends, however that happens.
#[derive(Clone, Debug)]
pub struct Host {
    name: Arc<str>,
    namespaces: Arc<sys::netns::Host>,
}

impl Host {
    /// A host with a loopback interface and nothing else.
    ///
    /// # Errors
    /// [`Error::Host`] if namespaces are not permitted.
    pub fn new(name: &str) -> Result<Self, Error> {
        Self::of(name, sys::netns::Host::new(name)?)
    }

    /// As [`new`](Self::new), but its programs can write below `/run` and `/tmp` only, both of them the host's own and
    /// empty: nothing of this machine changes, whatever they do.
    ///
    /// # Errors
    /// [`Error::Host`] if namespaces are not permitted, or a file system cannot be protected.
    pub fn read_only(name: &str) -> Result<Self, Error> {
        Self::of(name, sys::netns::Host::read_only(name)?)
    }

    fn of(name: &str, namespaces: sys::netns::Host) -> Result<Self, Error> {
        let host = Self { name: name.into(), namespaces: Arc::new(namespaces) };
        // IPv6 addresses would wait a second for duplicates; where /proc/sys is read-only they do.
        host.namespaces.run(|| fs::write("/proc/sys/net/ipv6/conf/default/accept_dad", "0").ok())?;
        kernel::set_up(&host, &kernel::loopback(), true)?;
        Ok(host)
    }

    /// What it is called.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The process to give to `nsenter --target`.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.namespaces.pid()
    }

    /// Does `work` on a thread inside this host's network and returns its result; a socket opened there stays there.
    ///
    /// # Errors
    /// [`Error::Host`] if the network cannot be entered.
    pub fn run<T: Send>(&self, work: impl FnOnce() -> T + Send) -> Result<T, Error> {
        Ok(self.namespaces.run(work)?)
    }

    /// The kernel's number of an interface.
    ///
    /// # Errors
    /// [`Error::NoInterface`], or what the kernel says.
    pub fn index(&self, interface: &IfName) -> Result<IfIndex, Error> {
        kernel::index(self, interface)
    }

    pub(crate) fn namespaces(&self) -> &Arc<sys::netns::Host> {
        &self.namespaces
    }

    /// Starts a program with its arguments on this host, in `/`.
    ///
    /// # Errors
    /// [`Error::Host`] if it cannot be executed.
    pub fn spawn(&self, argv: &[&str]) -> Result<Process, Error> {
        let (program, arguments) = argv.split_first().ok_or(Error::EmptyCommand)?;
        let mut command = Command::new(program);
        command.args(arguments);
        Process::start(&self.namespaces, command)
    }

    /// Starts this very program once more on this host, called `name` (its `argv[0]`), with these arguments.
    ///
    /// # Errors
    /// [`Error::Host`] if it cannot be executed.
    pub fn spawn_self(&self, name: &str, arguments: &[&str]) -> Result<Process, Error> {
        // Names the running file even if another one has its path by now.
        let mut command = Command::new("/proc/self/exe");
        command.arg0(name).args(arguments);
        Process::start(&self.namespaces, command)
    }

    /// Where a file of this host is found from outside.
    #[must_use]
    pub fn path(&self, inside: &str) -> PathBuf {
        PathBuf::from(format!("/proc/{}/root/{}", self.pid(), inside.trim_start_matches('/')))
    }

    /// Writes a file that everybody may read. Below `/run` only this host sees it, and it vanishes with the host.
    ///
    /// # Errors
    /// [`Error::File`] with the host's view of the path.
    pub fn write(&self, inside: &str, text: &str) -> Result<(), Error> {
        self.write_file(inside, text, 0o644)
    }

    /// As [`write`](Self::write), a script that everybody may run.
    ///
    /// # Errors
    /// [`Error::File`] with the host's view of the path.
    pub fn write_script(&self, inside: &str, text: &str) -> Result<(), Error> {
        self.write_file(inside, text, 0o755)
    }

    fn write_file(&self, inside: &str, text: &str, mode: u32) -> Result<(), Error> {
        let path = self.path(inside);
        fs::write(&path, text)
            .and_then(|()| fs::set_permissions(&path, fs::Permissions::from_mode(mode)))
            .map_err(|source| Error::File { path: inside.to_owned(), source })
    }

    /// Reads a file of this host.
    ///
    /// # Errors
    /// [`Error::File`] with the host's view of the path.
    pub fn read(&self, inside: &str) -> Result<String, Error> {
        fs::read_to_string(self.path(inside))
            .map_err(|source| Error::File { path: inside.to_owned(), source })
    }

    /// The addresses of one interface, in the kernel's order.
    ///
    /// # Errors
    /// [`Error::NoInterface`], or what the kernel says.
    pub fn addresses(&self, interface: &IfName) -> Result<Vec<Prefix>, Error> {
        kernel::addresses(self, interface)
    }

    /// Whether one of its interfaces holds `address`.
    #[must_use]
    pub fn holds(&self, address: IpAddr) -> bool {
        // A host that cannot be asked is one that is gone.
        kernel::holds(self, address).unwrap_or(false)
    }

    /// Gives an interface an address.
    ///
    /// # Errors
    /// [`Error::NoInterface`], or what the kernel says.
    pub fn add_address(&self, interface: &IfName, address: Prefix) -> Result<(), Error> {
        kernel::add_address(self, interface, address)
    }

    /// Takes an address from an interface.
    ///
    /// # Errors
    /// [`Error::NoInterface`], or what the kernel says.
    pub fn remove_address(&self, interface: &IfName, address: Prefix) -> Result<(), Error> {
        kernel::remove_address(self, interface, address)
    }

    /// The link-layer address of an interface.
    ///
    /// # Errors
    /// [`Error::NoInterface`], or what the kernel says.
    pub fn mac(&self, interface: &IfName) -> Result<MacAddr, Error> {
        kernel::mac(self, interface)
    }

    /// Gives an interface another link-layer address.
    ///
    /// # Errors
    /// [`Error::NoInterface`], or what the kernel says.
    pub fn set_mac(&self, interface: &IfName, mac: MacAddr) -> Result<(), Error> {
        kernel::set_mac(self, interface, mac)
    }

    /// Sets an interface up or down, as an operator of this host would.
    ///
    /// # Errors
    /// [`Error::NoInterface`], or what the kernel says.
    pub fn set_interface(&self, interface: &IfName, up: bool) -> Result<(), Error> {
        kernel::set_up(self, interface, up)
    }

    /// Gives an interface another name. It is down for that moment.
    ///
    /// # Errors
    /// [`Error::NoInterface`], or what the kernel says.
    pub fn rename_interface(&self, interface: &IfName, name: &IfName) -> Result<(), Error> {
        kernel::set_up(self, interface, false)?;
        kernel::rename(self, interface, name)?;
        kernel::set_up(self, name, true)
    }

    /// Gives an interface another name while it is up, as kernels from 6.2 on allow; it keeps its addresses.
    ///
    /// # Errors
    /// [`Error::NoInterface`], or what the kernel says: `EBUSY` from an older one.
    pub fn rename_live(&self, interface: &IfName, name: &IfName) -> Result<(), Error> {
        kernel::rename(self, interface, name)
    }

    /// Removes an interface; [`Lan::connect`](crate::Lan::connect) makes it anew.
    ///
    /// # Errors
    /// [`Error::NoInterface`], or what the kernel says.
    pub fn remove_interface(&self, interface: &IfName) -> Result<(), Error> {
        kernel::delete(self, interface)
    }

    /// The link-layer addresses that this host believes its neighbours to have.
    ///
    /// # Errors
    /// What the kernel says.
    pub fn arp_table(&self) -> Result<Vec<Neighbour>, Error> {
        kernel::neighbours(self)
    }

    /// What this host believes the link-layer address of `address` to be.
    #[must_use]
    pub fn believes(&self, address: Ipv4Addr) -> Option<MacAddr> {
        let table = self.arp_table().ok()?;
        table.into_iter().find(|neighbour| neighbour.address == address).map(|neighbour| neighbour.mac)
    }
}
