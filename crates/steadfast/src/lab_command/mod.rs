//! `steadfast lab`: a failover to watch, with the real daemon on real kernels, in namespaces.
//!
//! ```text
//! files ── plan ──> stage: hosts, LANs, client ── drill ──> steps ── table ──> lines
//! ```

mod drill;
mod options;
mod plan;
mod stage;
mod table;

use std::ffi::OsString;
use std::io::{self, Write};
use std::process::ExitCode;

use anyhow::Context as _;

use options::{Options, Request};
use plan::Plan;
use stage::Stage;

const USAGE: &str = "\
usage: steadfast lab [--keep] [--pcap FILE] [FILE FILE...]

Runs the daemon on two hosts or more, made of namespaces, and takes the master away from them, while a
client sends 1000 requests a second to the first virtual address. Each FILE is the configuration of one
host; without any, a pair of them is built in. Interfaces and addresses are made as the files need them.

The scripts of the files run too. They see the files of this machine but cannot change them: all but /run and
/tmp is read-only, and these two are each host's own, empty at first and gone at the end.

  --keep        leave it running at the end, and say how to enter the hosts
  --pcap FILE   write what passed the LAN into FILE, for tshark and Wireshark
  -h, --help    this text
";

/// The command line could not be understood.
const USAGE_ERROR: u8 = 2;

/// Runs `steadfast lab` with the arguments that follow these words.
pub(crate) fn run(arguments: impl Iterator<Item = OsString>) -> ExitCode {
    let options = match options::parse(arguments) {
        Ok(Request::Help) => return exit(print(USAGE).map(|()| true)),
        Ok(Request::Run(options)) => options,
        Err(error) => {
            complain(&format!("{error}\nTry 'steadfast lab --help'."));
            return ExitCode::from(USAGE_ERROR);
        }
    };
    exit(watch(&options))
}

fn exit(result: anyhow::Result<bool>) -> ExitCode {
    match result {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            complain(&format!("{error:#}"));
            ExitCode::FAILURE
        }
    }
}

/// Whether every step ended well.
fn watch(options: &Options) -> anyhow::Result<bool> {
    let plan = Plan::read(&options.files)?;
    let identity = lab::prepare()?;
    let mut stage = Stage::build(plan)?;
    let mut out = io::stdout().lock();
    let result = drill::run(&mut stage, &mut out);
    if let Some(file) = &options.pcap {
        let written = stage.sniffer.write_pcap(file);
        written.with_context(|| format!("cannot write {}", file.display()))?;
    }
    let well = result?;
    if !well {
        stage.show_logs(&mut out)?;
    }
    if options.keep {
        stage.explain_entry(identity, &mut out)?;
        // Until ^C, which ends this process and with it all hosts.
        loop {
            std::thread::park();
        }
    }
    Ok(well)
}

fn print(text: &str) -> anyhow::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes()).and_then(|()| out.flush()).context("cannot write")
}

fn complain(text: &str) {
    // Nobody is left to tell if standard error is closed.
    writeln!(io::stderr(), "steadfast lab: {text}").ok();
}
