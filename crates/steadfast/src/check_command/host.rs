//! What the kernel of this host knows, for checks of a file that is for this host.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::time::{Duration, Instant};

use config::lint;
use model::Prefix;
use netlink::{Mirror, Transactions};
use sys::socket::netlink::{Received, Socket};

/// How long the kernel may take.
const PATIENCE: Duration = Duration::from_secs(2);

/// The networks of this host, without what a daemon of this configuration sets. Nothing if they cannot be had.
pub(super) fn look(config: &model::Config) -> lint::Host {
    let Ok(mirror) = mirror() else { return lint::Host::default() };
    let instances = &config.vrrp.instances;
    let own: BTreeSet<Prefix> =
        instances.iter().flat_map(|instance| &instance.addresses).map(|address| address.prefix).collect();
    let mut addresses: BTreeMap<_, Vec<Prefix>> = BTreeMap::new();
    for link in mirror.links() {
        let prefixes = mirror.addresses_of(link.index).map(|address| address.prefix);
        addresses.insert(link.name.clone(), prefixes.filter(|prefix| !own.contains(prefix)).collect());
    }
    lint::Host { addresses }
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
