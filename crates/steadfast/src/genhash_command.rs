//! `steadfast genhash`: the digest of a page, as `HTTP_GET` and `SSL_GET` compute it. Takes keepalived's options.

use std::ffi::OsString;
use std::fmt::Write as _;
use std::net::IpAddr;
use std::num::NonZeroU16;
use std::process::ExitCode;
use std::time::Duration;

use lexopt::{Arg, ValueExt as _};
use model::lvs::{Connection, HttpVersion, ServerName, TlsOptions};
use probe::{Fetch, Page, Prober};

use crate::command::{Command, CommandOption, Operand};

pub(crate) const COMMAND: Command = Command {
    name: "genhash",
    synopsis: "[OPTION...] -s ADDRESS -p PORT -u PATH",
    summary: "Print the digest of a page, for the keyword `digest`",
    description: &[
        "Fetches a page as HTTP_GET does, with -S as SSL_GET does, and prints the MD5 digest of its body: what \
         stands after `digest` in a `url` block. It takes the options of keepalived's genhash.",
    ],
    options: &OPTIONS,
    operand: Operand::Words(&[]),
    statuses: &[(0, "the digest was printed"), (1, "the page could not be had")],
    hidden: false,
    run,
};

const OPTIONS: [CommandOption; 10] = [
    option('S', "use-ssl", "", "Speak TLS"),
    option('I', "use-sni", "", "Send the virtual host as server name in the TLS handshake"),
    option('s', "server", "ADDRESS", "The server's address"),
    option('p', "port", "PORT", "Its port"),
    option('u', "url", "PATH", "The page"),
    option('V', "use-virtualhost", "HOST", "The host name of the request; the address if not given"),
    option('v', "verbose", "", "Print what the server sends, too"),
    option('m', "fwmark", "MARK", "Mark the packets"),
    option('P', "protocol", "VERSION", "The HTTP version: 1.0, 1.0c (with `Connection: close`) or 1.1"),
    option('t', "timeout", "SECONDS", "How long to wait for each step, 5 if not given"),
];

const fn option(short: char, long: &'static str, value: &'static str, help: &'static str) -> CommandOption {
    CommandOption { short: Some(short), long, value, help }
}

const TIMEOUT: Duration = Duration::from_secs(5);

/// What was asked for.
#[derive(Debug)]
struct Wanted {
    tls: bool,
    sni: bool,
    server: Option<IpAddr>,
    port: Option<NonZeroU16>,
    url: Option<String>,
    host: Option<String>,
    verbose: bool,
    mark: u32,
    version: HttpVersion,
    timeout: Duration,
}

fn run(arguments: Vec<OsString>) -> ExitCode {
    let wanted = match Wanted::read(arguments) {
        Ok(Some(wanted)) => wanted,
        Ok(None) => return COMMAND.help(),
        Err(what) => return COMMAND.misused(&what),
    };
    let fetch = match wanted.fetch() {
        Ok(fetch) => fetch,
        Err(what) => return COMMAND.misused(what),
    };
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return COMMAND.fail(&format!("cannot wait for answers: {error}")),
    };
    match runtime.block_on(Prober::new(None).fetch(&fetch)) {
        Ok(page) => {
            // Without `status_code` a check takes no other status; that of an error page is hardly meant.
            if !(200..300).contains(&page.status) {
                COMMAND.complain(&format!("the status is {}: is that the page you mean?", page.status));
            }
            COMMAND.answer(&told(&page), 0)
        }
        Err(reason) => COMMAND.fail(&reason),
    }
}

impl Wanted {
    /// `None` if help is.
    fn read(arguments: Vec<OsString>) -> Result<Option<Self>, String> {
        let mut parser = lexopt::Parser::from_args(arguments);
        let mut wanted = Self::default();
        while let Some(argument) = parser.next().map_err(|error| error.to_string())? {
            match argument {
                Arg::Short('h') | Arg::Long("help") => return Ok(None),
                Arg::Short('S') | Arg::Long("use-ssl") => wanted.tls = true,
                Arg::Short('I') | Arg::Long("use-sni") => wanted.sni = true,
                Arg::Short('v') | Arg::Long("verbose") => wanted.verbose = true,
                Arg::Short('s') | Arg::Long("server") => wanted.server = Some(server(&word(&mut parser)?)?),
                Arg::Short('p') | Arg::Long("port") => {
                    wanted.port = Some(number(&word(&mut parser)?, "port")?)
                }
                Arg::Short('u') | Arg::Long("url") => wanted.url = Some(word(&mut parser)?),
                Arg::Short('V') | Arg::Long("use-virtualhost") => wanted.host = Some(word(&mut parser)?),
                Arg::Short('m') | Arg::Long("fwmark") => wanted.mark = number(&word(&mut parser)?, "mark")?,
                Arg::Short('P') | Arg::Long("protocol") => wanted.version = version(&word(&mut parser)?)?,
                Arg::Short('t') | Arg::Long("timeout") => {
                    let seconds: NonZeroU16 = number(&word(&mut parser)?, "time-out")?;
                    wanted.timeout = Duration::from_secs(seconds.get().into());
                }
                _ => return Err(argument.unexpected().to_string()),
            }
        }
        Ok(Some(wanted))
    }

    fn fetch(self) -> Result<Fetch, &'static str> {
        let address = self.server.ok_or("which server? Give its address with -s")?;
        let port = self.port.ok_or("which port? Give it with -p")?;
        let path = self.url.ok_or("which page? Give its path with -u")?;
        let connection =
            Connection { address, port: Some(port), timeout: self.timeout, mark: self.mark, local: None };
        let server_name = self.sni.then_some(ServerName::Host);
        let tls = self.tls.then_some(TlsOptions { server_name, ..TlsOptions::default() });
        Ok(Fetch { connection, tls, version: self.version, path, host: self.host, verbatim: self.verbose })
    }
}

impl Default for Wanted {
    fn default() -> Self {
        Self {
            tls: false,
            sni: false,
            server: None,
            port: None,
            url: None,
            host: None,
            verbose: false,
            mark: 0,
            version: HttpVersion::V10,
            timeout: TIMEOUT,
        }
    }
}

fn word(parser: &mut lexopt::Parser) -> Result<String, String> {
    parser.value().and_then(|value| value.string()).map_err(|error| error.to_string())
}

fn server(text: &str) -> Result<IpAddr, String> {
    text.parse().map_err(|_| format!("the server is given by its address, and '{text}' is none"))
}

fn number<T: std::str::FromStr>(text: &str, what: &str) -> Result<T, String> {
    text.parse().map_err(|_| format!("'{text}' is no {what}"))
}

fn version(text: &str) -> Result<HttpVersion, String> {
    match text {
        "1.0" => Ok(HttpVersion::V10),
        "1.0C" => Ok(HttpVersion::V10Close),
        "1.0c" => Ok(HttpVersion::V10CloseShort),
        "1.1" => Ok(HttpVersion::V11),
        _ => Err(format!("there is no HTTP version '{text}' here; versions: 1.0 1.0c 1.1")),
    }
}

/// The digest in a line of its own, below what was received if that is wanted.
fn told(page: &Page) -> String {
    let mut text = String::new();
    if let Some(verbatim) = &page.verbatim {
        text += "header\n";
        push_bytes(&mut text, &verbatim.head);
        text += "body\n";
        push_bytes(&mut text, &verbatim.body);
        if verbatim.cut {
            text += "      (more is not shown)\n";
        }
        writeln!(text, "status {}, {} bytes in {:?}", page.status, page.body_bytes, page.took)
            .expect("a String takes all");
    }
    text + &page.digest + "\n"
}

/// Sixteen bytes a line: where, as digits, and as text where they are such.
fn push_bytes(text: &mut String, bytes: &[u8]) {
    for (row, line) in bytes.chunks(16).enumerate() {
        let digits: String = line.iter().map(|byte| format!("{byte:02x} ")).collect();
        let shown: String = line
            .iter()
            .map(|byte| if (0x20..0x7f).contains(byte) { char::from(*byte) } else { '.' })
            .collect();
        writeln!(text, "{:06x}  {digits:<48}  {shown}", row * 16).expect("a String takes all");
    }
}
