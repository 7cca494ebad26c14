//! Web servers, and a client that reads their pages.

use std::io::{self, Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::path::Path;
use std::time::Duration;

use lab::{Cable, Host, Process, wait_until};

use super::{PATIENCE, World, interface, network};

/// Whether this program is there; if not, that the test is skipped has been said.
pub(crate) fn is_installed(program: &str) -> bool {
    let found = ["/usr/sbin", "/usr/bin"].iter().any(|folder| Path::new(folder).join(program).exists());
    if !found {
        lab::skip(format_args!("{program} is not installed"));
    }
    found
}

/// A web server that answers every request with the name of its host.
pub(crate) fn nginx(host: &Host) -> Process {
    let file = format!(
        "daemon off;\nmaster_process off;\npid /run/nginx.pid;\nerror_log stderr;\nevents {{}}\n\
         http {{\n access_log off;\n client_body_temp_path /run/body;\n proxy_temp_path /run/proxy;\n \
         fastcgi_temp_path /run/fastcgi;\n uwsgi_temp_path /run/uwsgi;\n scgi_temp_path /run/scgi;\n \
         server {{\n listen 80;\n return 200 {};\n }}\n}}\n",
        host.name()
    );
    host.write("/run/nginx.conf", &file).expect("a file");
    host.spawn(&["nginx", "-e", "stderr", "-c", "/run/nginx.conf"]).expect("nginx")
}

/// A host with a web server that tells the name of the host.
pub(crate) struct WebServer {
    pub(crate) name: String,
    pub(crate) process: Option<Process>,
    pub(crate) host: Host,
    _cable: Cable,
}

impl WebServer {
    pub(crate) fn start(world: &World, address: &str) -> Self {
        let address: Ipv4Addr = address.parse().expect("an address");
        let name = format!("web{}", address.octets()[3]);
        let host = Host::new(&name).expect("a host");
        let cable = world.lan.connect(&host, &interface(), &[network(address)]).expect("a cable");
        let mut server = Self { name, process: None, host, _cable: cable };
        server.begin();
        server
    }

    pub(crate) fn begin(&mut self) {
        self.process = Some(nginx(&self.host));
    }
}

/// Waits until the client gets the page of `name` from the virtual address.
#[track_caller]
pub(crate) fn assert_serves(world: &World, name: &str) {
    let right = wait_until(PATIENCE, || page(world).as_deref() == Some(name));
    assert!(right, "not {name} but {:?} answers\n{}", page(world), world.logs());
}

/// What the client gets from the virtual address.
pub(crate) fn page(world: &World) -> Option<String> {
    let address = SocketAddr::from((world.vip, 80));
    let answer = world.client.run(|| fetch(address)).expect("a thread on the client").ok()?;
    let (head, body) = answer.split_once("\r\n\r\n")?;
    head.contains(" 200 ").then(|| body.trim().to_owned())
}

fn fetch(address: SocketAddr) -> io::Result<String> {
    let patience = Duration::from_millis(500);
    let mut stream = TcpStream::connect_timeout(&address, patience)?;
    stream.set_read_timeout(Some(patience))?;
    stream.write_all(b"GET / HTTP/1.0\r\n\r\n")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    Ok(answer)
}
