//! Real servers that tell their name, and the requests of a client.

use std::collections::BTreeMap;
use std::io::{self, BufRead as _, BufReader, Write as _};
use std::net::{IpAddr, SocketAddr, TcpStream, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use lab::{Cable, Host};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream as Stream, UdpSocket as Datagrams};
use tokio::runtime::Builder;

/// For one request.
const PATIENCE: Duration = Duration::from_millis(500);
/// Between two looks at whether a server shall end.
const LOOK: Duration = Duration::from_millis(10);

/// Where a server listens, on each of its addresses.
pub(crate) const TCP_PORTS: [u16; 3] = [80, 90, 8080];
pub(crate) const UDP_PORT: u16 = 53;

/// A host that answers with its name: on TCP at once, and then whatever it is sent; on UDP each datagram.
pub(crate) struct Server {
    pub(crate) host: Host,
    pub(crate) cable: Cable,
    /// What it listens on.
    pub(crate) addresses: Vec<IpAddr>,
    running: Option<Running>,
}

impl Server {
    pub(crate) fn new(host: Host, cable: Cable) -> Self {
        Self { host, cable, addresses: Vec::new(), running: None }
    }

    /// Starts to answer. Returns once every port is open.
    pub(crate) fn begin(&mut self) {
        self.end();
        let open =
            || self.addresses.iter().map(|&address| Ports::open(address)).collect::<io::Result<Vec<_>>>();
        // An IPv6 address is nobody's until its kernel knows that no other host has it.
        let opened = || self.host.run(open).expect("the host").ok();
        let ports = lab::wait_for(crate::PATIENCE, opened).expect("ports");
        self.running = Some(Running::start(self.host.name().to_owned(), ports));
    }

    /// Closes everything, connections too.
    pub(crate) fn end(&mut self) {
        self.running = None;
    }
}

/// The open ports of one address.
struct Ports {
    tcp: Vec<std::net::TcpListener>,
    udp: UdpSocket,
}

impl Ports {
    fn open(address: IpAddr) -> io::Result<Self> {
        let tcp = TCP_PORTS.iter().map(|&port| {
            let listener = std::net::TcpListener::bind((address, port))?;
            listener.set_nonblocking(true)?;
            Ok(listener)
        });
        let udp = UdpSocket::bind((address, UDP_PORT))?;
        udp.set_nonblocking(true)?;
        Ok(Self { tcp: tcp.collect::<io::Result<_>>()?, udp })
    }
}

/// The thread of a server.
struct Running {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Running {
    fn start(name: String, ports: Vec<Ports>) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let told = Arc::clone(&stop);
        let thread = thread::spawn(move || serve(&name, ports, &told));
        Self { stop, thread: Some(thread) }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            thread.join().ok(); // its panic was printed
        }
    }
}

fn serve(name: &str, ports: Vec<Ports>, stop: &AtomicBool) {
    let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        for Ports { tcp, udp } in ports {
            for listener in tcp {
                let listener = TcpListener::from_std(listener).expect("a listener");
                tokio::spawn(accept(listener, format!("{name}\n")));
            }
            tokio::spawn(answer(Datagrams::from_std(udp).expect("a socket"), name.to_owned()));
        }
        while !stop.load(Ordering::Relaxed) {
            tokio::time::sleep(LOOK).await;
        }
    });
}

async fn accept(listener: TcpListener, greeting: String) {
    loop {
        if let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(echo(stream, greeting.clone()));
        }
    }
}

async fn echo(mut stream: Stream, greeting: String) -> io::Result<()> {
    stream.write_all(greeting.as_bytes()).await?;
    let mut buffer = [0; 256];
    loop {
        let length = stream.read(&mut buffer).await?;
        if length == 0 {
            return Ok(());
        }
        stream.write_all(&buffer[..length]).await?;
    }
}

async fn answer(socket: Datagrams, name: String) {
    let mut buffer = [0; 256];
    loop {
        if let Ok((_, client)) = socket.recv_from(&mut buffer).await {
            socket.send_to(name.as_bytes(), client).await.ok();
        }
    }
}

/// What a client asks.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Question {
    Tcp(SocketAddr),
    Udp(SocketAddr),
}

impl Question {
    /// Asks so many times, one after the other, each time anew.
    pub(crate) fn ask(self, client: &Host, times: usize) -> Answers {
        let all = client.run(|| (0..times).map(|_| self.once()).collect::<Vec<_>>()).expect("the client");
        let mut answers = Answers::default();
        for answer in all {
            match answer {
                Ok(name) => *answers.by_name.entry(name).or_default() += 1,
                Err(error) => answers.errors.push(error.to_string()),
            }
        }
        answers
    }

    /// How many of a few requests may stay without an answer: nobody sends a lost datagram again.
    pub(crate) const fn may_lose(self) -> usize {
        match self {
            Self::Tcp(_) => 0,
            Self::Udp(_) => 1,
        }
    }

    fn once(self) -> io::Result<String> {
        match self {
            Self::Tcp(target) => Connection::open(target).map(|connection| connection.server),
            Self::Udp(target) => by_udp(target),
        }
    }
}

fn by_udp(target: SocketAddr) -> io::Result<String> {
    let any: SocketAddr = if target.is_ipv4() { ([0; 4], 0).into() } else { ([0_u16; 8], 0).into() };
    let socket = UdpSocket::bind(any)?;
    socket.set_read_timeout(Some(PATIENCE))?;
    socket.connect(target)?;
    socket.send(b"who?")?;
    let mut buffer = [0; 64];
    let length = socket.recv(&mut buffer)?;
    Ok(String::from_utf8_lossy(&buffer[..length]).into_owned())
}

/// Who has answered, how often, and what went wrong instead.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Answers {
    pub(crate) by_name: BTreeMap<String, usize>,
    pub(crate) errors: Vec<String>,
}

impl Answers {
    pub(crate) fn of(counts: &[(&str, usize)]) -> Self {
        let by_name = counts.iter().map(|&(name, count)| (name.to_owned(), count)).collect();
        Self { by_name, errors: Vec::new() }
    }

    pub(crate) fn add(&mut self, more: Self) {
        for (name, count) in more.by_name {
            *self.by_name.entry(name).or_default() += count;
        }
        self.errors.extend(more.errors);
    }

    /// Each server has answered so often, but for at most so many requests without an answer.
    pub(crate) fn are_shared(&self, counts: &[(&str, usize)], lost: usize) -> bool {
        let shares: BTreeMap<_, _> = counts.iter().copied().collect();
        let fits =
            |(name, count): (&String, &usize)| shares.get(name.as_str()).is_some_and(|share| count <= share);
        let all: usize = counts.iter().map(|(_, count)| count).sum();
        let answered: usize = self.by_name.values().sum();
        self.errors.len() <= lost && answered + self.errors.len() == all && self.by_name.iter().all(fits)
    }

    /// All of them from this server.
    pub(crate) fn are_only_of(&self, name: &str) -> bool {
        self.errors.is_empty() && self.by_name.keys().eq([name])
    }
}

/// A connection that stays.
#[derive(Debug)]
pub(crate) struct Connection {
    pub(crate) server: String,
    stream: BufReader<TcpStream>,
}

impl Connection {
    /// Waits for the name of who answers. The calling thread must be on the client.
    pub(crate) fn open(target: SocketAddr) -> io::Result<Self> {
        let stream = TcpStream::connect_timeout(&target, PATIENCE)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        let mut stream = BufReader::new(stream);
        let server = line(&mut stream)?;
        Ok(Self { server, stream })
    }

    /// Sends a line and waits until it comes back. One that was not answered before does not confuse it.
    pub(crate) fn ping(&mut self, word: &str) -> io::Result<()> {
        self.stream.get_mut().write_all(format!("{word}\n").as_bytes())?;
        while line(&mut self.stream)? != word {}
        Ok(())
    }
}

fn line(stream: &mut BufReader<TcpStream>) -> io::Result<String> {
    let mut line = String::new();
    match stream.read_line(&mut line)? {
        0 => Err(io::ErrorKind::UnexpectedEof.into()),
        _ => Ok(line.trim_end().to_owned()),
    }
}
