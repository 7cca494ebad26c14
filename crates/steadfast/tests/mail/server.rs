//! A mail server of a few words, with every fault that a test asks for.

use std::io::{BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use lab::Host;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

/// How it behaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Manner {
    /// It takes everything, in the clear.
    Plain,
    /// It offers STARTTLS.
    StartTls,
    /// It offers STARTTLS, and then speaks no TLS.
    BrokenTls,
    /// It speaks TLS from the first byte.
    Wrapped,
    /// It accepts connections and never says a word.
    Silent,
    /// It says 451 to so many recipients, and takes the rest.
    Busy(usize),
    /// It says 550 to every recipient.
    Refusing,
}

/// A mail as the server got it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Mail {
    pub(crate) hello: String,
    pub(crate) from: String,
    pub(crate) to: Vec<String>,
    /// As lines without their ends.
    pub(crate) lines: Vec<String>,
    pub(crate) encrypted: bool,
}

impl Mail {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.lines.iter().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
    }

    pub(crate) fn subject(&self) -> &str {
        self.header("Subject").unwrap_or_default()
    }
}

/// A server that runs as long as the test.
pub(crate) struct Server {
    mails: Arc<Mutex<Vec<Mail>>>,
    connections: Arc<AtomicUsize>,
}

impl Server {
    /// Listens on `port` of the host itself.
    pub(crate) fn start(host: &Host, port: u16, manner: Manner) -> Self {
        let listener = host.run(|| TcpListener::bind(("127.0.0.1", port))).unwrap().unwrap();
        let mails = Arc::new(Mutex::new(Vec::new()));
        let connections = Arc::new(AtomicUsize::new(0));
        let (told, counted, busy) =
            (Arc::clone(&mails), Arc::clone(&connections), Arc::new(AtomicUsize::new(0)));
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                counted.fetch_add(1, Ordering::SeqCst);
                let session = Session { manner, mails: Arc::clone(&told), busy: Arc::clone(&busy) };
                // A client that leaves early ends the session.
                std::thread::spawn(move || session.serve(stream).ok());
            }
        });
        Self { mails, connections }
    }

    pub(crate) fn mails(&self) -> Vec<Mail> {
        self.mails.lock().unwrap().clone()
    }

    pub(crate) fn subjects(&self) -> Vec<String> {
        self.mails().iter().map(|mail| mail.subject().to_owned()).collect()
    }

    pub(crate) fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }
}

struct Session {
    manner: Manner,
    mails: Arc<Mutex<Vec<Mail>>>,
    /// How many recipients were put off.
    busy: Arc<AtomicUsize>,
}

/// What a dialogue ends with.
enum End {
    Closed,
    /// The client wants to go on encrypted.
    Encrypt,
}

impl Session {
    fn serve(&self, stream: TcpStream) -> std::io::Result<()> {
        if self.manner == Manner::Silent {
            let mut stream = stream;
            stream.read_to_end(&mut Vec::new())?;
            return Ok(());
        }
        if self.manner == Manner::Wrapped {
            self.dialogue(&mut encrypted(stream), true, true)?;
            return Ok(());
        }
        let mut plain = stream.try_clone()?;
        if let End::Encrypt = self.dialogue(&mut plain, false, true)? {
            match self.manner {
                Manner::BrokenTls => plain.write_all(b"what?\r\n")?,
                _ => {
                    self.dialogue(&mut encrypted(stream), true, false)?;
                }
            }
        }
        Ok(())
    }

    fn dialogue<S: Read + Write>(
        &self,
        stream: &mut S,
        encrypted: bool,
        greets: bool,
    ) -> std::io::Result<End> {
        let mut stream = BufReader::new(stream);
        let mut mail =
            Mail { hello: String::new(), from: String::new(), to: Vec::new(), lines: Vec::new(), encrypted };
        if greets {
            say(&mut stream, "220 mail.example.org ESMTP")?;
        }
        loop {
            let line = heard(&mut stream)?;
            let word = line.get(..4).unwrap_or_default().to_uppercase();
            match word.as_str() {
                "EHLO" => {
                    mail.hello = line.get(5..).unwrap_or_default().to_owned();
                    let offers = matches!(self.manner, Manner::StartTls | Manner::BrokenTls) && !encrypted;
                    say(
                        &mut stream,
                        if offers { "250-mail.example.org\r\n250 STARTTLS" } else { "250 mail.example.org" },
                    )?;
                }
                "HELO" => {
                    mail.hello = line.get(5..).unwrap_or_default().to_owned();
                    say(&mut stream, "250 mail.example.org")?;
                }
                "STAR" => {
                    say(&mut stream, "220 go ahead")?;
                    return Ok(End::Encrypt);
                }
                "MAIL" => {
                    mail.from = within_brackets(&line);
                    say(&mut stream, "250 ok")?;
                }
                "RCPT" => {
                    mail.to.push(within_brackets(&line));
                    say(&mut stream, self.on_recipient())?;
                }
                "DATA" => {
                    say(&mut stream, "354 go ahead")?;
                    loop {
                        let line = heard(&mut stream)?;
                        if line == "." {
                            break;
                        }
                        mail.lines.push(line);
                    }
                    self.mails.lock().unwrap().push(mail.clone());
                    say(&mut stream, "250 taken")?;
                }
                "QUIT" => {
                    say(&mut stream, "221 bye")?;
                    return Ok(End::Closed);
                }
                _ => say(&mut stream, "250 ok")?,
            }
        }
    }

    fn on_recipient(&self) -> &'static str {
        match self.manner {
            Manner::Refusing => "550 nobody of that name",
            Manner::Busy(times) if self.busy.fetch_add(1, Ordering::SeqCst) < times => "451 later",
            _ => "250 ok",
        }
    }
}

fn encrypted(stream: TcpStream) -> StreamOwned<ServerConnection, TcpStream> {
    let certificate = CertificateDer::from_pem_slice(include_bytes!("certificate.pem")).unwrap();
    let key = PrivateKeyDer::from_pem_slice(include_bytes!("key.pem")).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .unwrap();
    StreamOwned::new(ServerConnection::new(Arc::new(config)).unwrap(), stream)
}

fn say<S: Read + Write>(stream: &mut BufReader<S>, line: &str) -> std::io::Result<()> {
    stream.get_mut().write_all(format!("{line}\r\n").as_bytes())?;
    stream.get_mut().flush()
}

fn heard(stream: &mut impl std::io::BufRead) -> std::io::Result<String> {
    let mut line = String::new();
    if stream.read_line(&mut line)? == 0 {
        return Err(std::io::ErrorKind::UnexpectedEof.into());
    }
    assert!(line.ends_with("\r\n"), "{line:?} has no proper end");
    Ok(line.trim_end_matches("\r\n").to_owned())
}

fn within_brackets(line: &str) -> String {
    line.split_once('<')
        .and_then(|(_, rest)| rest.rsplit_once('>'))
        .map(|(address, _)| address.to_owned())
        .unwrap_or_default()
}
