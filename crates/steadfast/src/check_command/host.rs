//! What the kernel of this host knows, for checks of a file that is for this host.

use std::collections::BTreeSet;
use std::io;
use std::time::{Duration, Instant};

use config::lint;
use model::Prefix;
use netlink::{Mirror, Transactions};
use sys::socket::netlink::{Received, Socket};

/// How long the kernel may take.
const PATIENCE: Duration = Duration::from_secs(2);

/// The addresses of this host, without what a daemon of this configuration sets. Nothing if they cannot be had.
pub(super) fn look(config: &model::Config) -> lint::Host {
    let Ok(mirror) = mirror() else { return lint::Host::default() };
    let instances = &config.vrrp.instances;
    let wanted: BTreeSet<Prefix> =
        instances.iter().flat_map(|instance| &instance.addresses).map(|address| address.prefix).collect();
    let mut host = lint::Host::default();
    for link in mirror.links() {
        let own = host.addresses.entry(link.name.clone()).or_default();
        for address in mirror.addresses_of(link.index) {
            let is_wanted = wanted.contains(&address.prefix);
            // On a kernel that does not tell who has set an address, and of a keepalived that does not say.
            let is_doubtful = is_wanted && address.protocol == 0;
            if is_doubtful {
                host.doubtful.insert(address.prefix);
            } else if !mirror.is_virtual(address, |_| is_wanted) {
                own.push(address.prefix);
            }
        }
    }
    host
}

fn mirror() -> io::Result<Mirror> {
    let socket = Socket::open(&[])?;
    let (mut mirror, mut transactions) = (Mirror::default(), Transactions::new());
    let (mut batch, mut buffer, mut events) = (Vec::new(), Vec::new(), Vec::new());
    transactions.resynchronise(&mut mirror, &mut batch);
    let until = Instant::now() + PATIENCE;
    while transactions.is_synchronising() && Instant::now() < until {
        if !batch.is_empty() {
            socket.send(&batch)?;
            batch.clear();
        }
        match socket.recv(&mut buffer)? {
            Received::Datagram => {
                netlink::decode(&buffer, &mut events);
                let mut notices = Vec::new();
                for event in events.drain(..) {
                    transactions.hear(event, &mut mirror, &mut batch, &mut notices);
                }
            }
            // The kernel carries a request out before `send` returns, but for the rest of a long list.
            Received::Empty => std::thread::sleep(Duration::from_millis(1)),
            Received::Overrun => return Err(io::ErrorKind::InvalidData.into()),
        }
    }
    Ok(mirror)
}
