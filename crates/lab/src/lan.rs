//! A LAN: one bridge, and cables from it to hosts.

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use model::{IfName, MacAddr, Prefix};
use sys::socket::packet::Sender;
use wire::arp;

use crate::{Error, Host, Sniffer, kernel};

/// A switch that floods multicast, on a hidden host of its own. Clones are the same LAN.
#[derive(Clone, Debug)]
pub struct Lan {
    hub: Host,
    ports: Arc<AtomicU32>,
}

impl Lan {
    /// A LAN without hosts.
    ///
    /// # Errors
    /// [`Error::Host`] if namespaces are not permitted.
    pub fn new() -> Result<Self, Error> {
        let hub = Host::new("lan")?;
        kernel::create_bridge(&hub, &bridge())?;
        kernel::set_up(&hub, &bridge(), true)?;
        Ok(Self { hub, ports: Arc::default() })
    }

    /// Gives `host` a new interface with `addresses` and plugs it into this LAN.
    ///
    /// # Errors
    /// What the kernel says, `EEXIST` if the host has such an interface.
    pub fn connect(&self, host: &Host, interface: &IfName, addresses: &[Prefix]) -> Result<Cable, Error> {
        let port = port(self.ports.fetch_add(1, Ordering::Relaxed));
        kernel::create_veth(&self.hub, &port, host, interface)?;
        let cable = Cable { hub: self.hub.clone(), port };
        cable.heal()?;
        cable.plug()?;
        kernel::set_up(host, interface, true)?;
        for &address in addresses {
            host.add_address(interface, address)?;
        }
        Ok(cable)
    }

    /// Listens to everything that passes this LAN.
    ///
    /// # Errors
    /// [`Error::Capture`] if packet sockets are not permitted.
    pub fn sniff(&self) -> Result<Sniffer, Error> {
        Sniffer::start(&self.hub, &bridge())
    }

    /// Tells every host that `address` is at `mac`, as its new or its old holder might. Those that know the address
    /// believe it.
    ///
    /// # Errors
    /// [`Error::Capture`] if packet sockets are not permitted.
    pub fn announce(&self, address: Ipv4Addr, mac: MacAddr) -> Result<(), Error> {
        let link = kernel::index(&self.hub, &bridge())?;
        let mut frame = Vec::new();
        arp::emit(&arp::gratuitous(mac, address), &mut frame);
        let socket = self.hub.namespaces().run(Sender::open)?.map_err(Error::Capture)?;
        socket.send(link, &frame).map_err(Error::Capture)
    }

    /// The process to give to `nsenter --target` for the switch.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.hub.pid()
    }
}

/// The cable between a host's interface and the LAN.
#[derive(Clone, Debug)]
pub struct Cable {
    hub: Host,
    port: IfName,
}

impl Cable {
    /// The host loses carrier.
    ///
    /// # Errors
    /// What the kernel says; the cable is gone when the host's interface is.
    pub fn pull(&self) -> Result<(), Error> {
        kernel::set_up(&self.hub, &self.port, false)
    }

    /// The host has carrier again.
    ///
    /// # Errors
    /// What the kernel says; the cable is gone when the host's interface is.
    pub fn plug(&self) -> Result<(), Error> {
        kernel::set_up(&self.hub, &self.port, true)
    }

    /// Frames pass in neither direction, while the host still has carrier.
    ///
    /// # Errors
    /// What the kernel says; the cable is gone when the host's interface is.
    pub fn cut(&self) -> Result<(), Error> {
        kernel::set_bridge(&self.hub, &self.port, None)
    }

    /// Frames pass again.
    ///
    /// # Errors
    /// What the kernel says; the cable is gone when the host's interface is.
    pub fn heal(&self) -> Result<(), Error> {
        kernel::set_bridge(&self.hub, &self.port, Some(&bridge()))
    }
}

fn bridge() -> IfName {
    name("lan")
}

fn port(number: u32) -> IfName {
    name(&format!("port{number}"))
}

fn name(text: &str) -> IfName {
    text.parse().expect("at most 14 letters and digits")
}
