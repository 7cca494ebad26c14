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
use std::io;
use std::process::ExitCode;

use anyhow::Context as _;

use options::{Options, Request};
use plan::Plan;
use stage::Stage;

use crate::command::{Command, CommandOption, NO, Operand};

pub(crate) const COMMAND: Command = Command {
    name: "lab",
    synopsis: "[--keep] [--pcap FILE] [FILE FILE...]",
    summary: "Watch a failover between hosts made of namespaces",
    description: &[
        "Runs the daemon on two hosts or more, made of namespaces, and takes the master away from them, while a client sends 1000 requests a second to the first virtual address. Each FILE is the configuration of one host; without any, a pair of them is built in. Interfaces and addresses are made as the files need them.",
        "The scripts of the files run too. They see the files of this machine but cannot change them: all but /run and /tmp is read-only, and these two are each host's own, empty at first and gone at the end.",
    ],
    options: &[
        CommandOption::flag("keep", "Leave it running at the end, and say how to enter the hosts"),
        CommandOption {
            short: None,
            long: "pcap",
            value: "FILE",
            help: "Write what passed the LAN into FILE, for tshark and Wireshark",
        },
    ],
    operand: Operand::Files,
    statuses: &[(0, "every step ended well"), (NO, "one did not")],
    hidden: false,
    run,
};

/// Runs `steadfast lab` with the arguments that follow these words.
fn run(arguments: Vec<OsString>) -> ExitCode {
    let options = match options::parse(arguments.into_iter()) {
        Ok(Request::Help) => return COMMAND.help(),
        Ok(Request::Run(options)) => options,
        Err(error) => return COMMAND.misused(&error.to_string()),
    };
    exit(watch(&options))
}

fn exit(result: anyhow::Result<bool>) -> ExitCode {
    match result {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => COMMAND.fail(&format!("{error:#}")),
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
