//! The table of options, and what each does to [`Options`].

use std::ffi::OsString;
use std::path::PathBuf;

use super::Options;
use super::getopt::{Spelling, UsageError, Value};
use crate::log::Facility;

/// The meaning of an option.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Flag {
    UseFile,
    VrrpOnly,
    CheckOnly,
    LogConsole,
    LogDetail,
    LogFacility,
    LogFile,
    NoSyslog,
    Umask,
    KeepAddresses,
    KeepTable,
    DontRespawn,
    DontFork,
    DumpConfig,
    Pid,
    VrrpPid,
    CheckersPid,
    AddressMonitoring,
    Namespace,
    Genhash,
    CoreDump,
    CorePattern,
    AllWorkers,
    AllConfig,
    ConfigId,
    IgnoreSigint,
    Signum,
    ConfigTest,
    Version,
    Help,
    /// Speaks of something that Steadfast has not got, and that is off anyway; or asks for what is done anyway.
    Nothing,
    /// Asks for something that is not built yet; the daemon says so.
    NotYet(&'static str),
}

impl Flag {
    /// Using it changes nothing, though one day it will.
    pub(super) const fn is_idle(self) -> bool {
        matches!(self, Self::NotYet(_))
    }
}

const fn plain(short: u8, long: &'static str, flag: Flag, help: &'static str) -> Spelling<Flag> {
    Spelling { short: Some(short), long, value: Value::None, flag, placeholder: "", help }
}

const fn valued(
    short: u8,
    long: &'static str,
    placeholder: &'static str,
    flag: Flag,
    help: &'static str,
) -> Spelling<Flag> {
    Spelling { short: Some(short), long, value: Value::Required, flag, placeholder, help }
}

const fn long_only(long: &'static str, flag: Flag, help: &'static str) -> Spelling<Flag> {
    Spelling { short: None, long, value: Value::None, flag, placeholder: "", help }
}

const fn optional(spelling: Spelling<Flag>) -> Spelling<Flag> {
    Spelling { value: Value::Optional, ..spelling }
}

/// Every option, in the order of the usage text.
pub(super) const FLAGS: [Spelling<Flag>; 36] = [
    valued(b'f', "use-file", "FILE", Flag::UseFile, "Use this configuration file"),
    plain(b'P', "vrrp", Flag::VrrpOnly, "Only run VRRP, no health checks"),
    plain(b'C', "check", Flag::CheckOnly, "Only run health checks, no VRRP"),
    plain(b'B', "no_bfd", Flag::Nothing, "Do not run BFD, which is not built in"),
    long_only("all", Flag::AllWorkers, "Start all workers, even without configuration for them"),
    plain(b'l', "log-console", Flag::LogConsole, "Log to standard error too"),
    plain(b'D', "log-detail", Flag::LogDetail, "Log more; twice for still more"),
    valued(b'S', "log-facility", "FACILITY", Flag::LogFacility, "0-7, local0-local7, user or daemon"),
    optional(valued(b'g', "log-file", "FILE", Flag::LogFile, "Log to a file (not built in)")),
    plain(b'G', "no-syslog", Flag::NoSyslog, "Do not log to syslog"),
    valued(b'u', "umask", "MASK", Flag::Umask, "File creation mask; 0x and 0 prefixes are understood"),
    plain(
        b'X',
        "release-vips",
        Flag::Nothing,
        "Drop virtual addresses when a signal ends mastership, as is done anyway",
    ),
    plain(b'V', "dont-release-vrrp", Flag::KeepAddresses, "Keep virtual addresses at exit"),
    plain(b'I', "dont-release-ipvs", Flag::KeepTable, "Keep the IPVS table at exit"),
    plain(b'R', "dont-respawn", Flag::DontRespawn, "Stop everything when a worker dies"),
    plain(b'n', "dont-fork", Flag::DontFork, "Stay in the foreground"),
    plain(b'd', "dump-conf", Flag::DumpConfig, "Log the configuration as it was understood"),
    valued(b'p', "pid", "FILE", Flag::Pid, "Pid file of the supervisor"),
    valued(b'r', "vrrp_pid", "FILE", Flag::VrrpPid, "Pid file of the vrrp worker"),
    valued(b'c', "checkers_pid", "FILE", Flag::CheckersPid, "Pid file of the check worker"),
    valued(b'b', "bfd_pid", "FILE", Flag::Nothing, "Pid file of the BFD worker, which is not built in"),
    plain(b'T', "genhash", Flag::Genhash, "Act as genhash, which is the command `genhash` here"),
    plain(b'a', "address-monitoring", Flag::AddressMonitoring, "Log every change of an address"),
    plain(b'x', "snmp", Flag::NotYet("-x"), "Enable SNMP"),
    valued(b'A', "snmp-agent-socket", "SOCKET", Flag::NotYet("-A"), "AgentX master socket"),
    valued(b's', "namespace", "NAME", Flag::Namespace, "Run in this network namespace"),
    plain(b'm', "core-dump", Flag::CoreDump, "Allow core dumps"),
    optional(valued(
        b'M',
        "core-dump-pattern",
        "PATTERN",
        Flag::CorePattern,
        "As -m, and set the kernel's pattern; core if none is given",
    )),
    plain(b'e', "all-config", Flag::AllConfig, "Start with all checks of include on"),
    valued(b'i', "config-id", "ID", Flag::ConfigId, "Use the configuration lines that begin with @ID"),
    long_only("ignore-sigint", Flag::IgnoreSigint, "Ignore SIGINT"),
    Spelling {
        short: None,
        long: "signum",
        value: Value::Required,
        flag: Flag::Signum,
        placeholder: "FUNCTION",
        help: "Print the signal for STOP, RELOAD, DATA, STATS, STATS_CLEAR or JSON",
    },
    optional(valued(b't', "config-test", "LOG", Flag::ConfigTest, "Check the configuration and exit")),
    plain(b'v', "version", Flag::Version, "Print the version"),
    plain(b'h', "help", Flag::Help, "Print this text"),
    long_only("flush-log-file", Flag::NotYet("--flush-log-file"), "Flush the log file on every write"),
];

/// Notes `flag` in `options`.
///
/// A bad facility or mask is only noted, as keepalived goes on with the default too.
///
/// # Errors
/// An option without which the daemon must not run and that is not built.
pub(super) fn apply(options: &mut Options, flag: Flag, value: Option<OsString>) -> Result<(), UsageError> {
    let path = |value: Option<OsString>| value.map(PathBuf::from);
    match flag {
        Flag::UseFile => options.config = path(value),
        Flag::Pid => options.pid_file = path(value),
        Flag::VrrpPid => options.vrrp_pid_file = path(value),
        Flag::CheckersPid => options.checkers_pid_file = path(value),
        Flag::VrrpOnly => (options.vrrp, options.load_balancing) = (true, false),
        Flag::CheckOnly => (options.vrrp, options.load_balancing) = (false, true),
        Flag::LogConsole => options.log_console = true,
        Flag::LogDetail => options.verbosity = options.verbosity.more(),
        Flag::LogFacility => match facility(&text(value)) {
            Ok(facility) => options.facility = facility,
            Err(complaint) => options.complaints.push(complaint),
        },
        Flag::NoSyslog => options.log_syslog = false,
        Flag::Umask => match umask(&text(value)) {
            Ok(mask) => options.umask = Some(mask),
            Err(complaint) => options.complaints.push(complaint),
        },
        Flag::KeepAddresses => options.keep_addresses = true,
        Flag::KeepTable => options.keep_table = true,
        Flag::DontRespawn => options.respawn = false,
        Flag::DontFork => options.foreground = true,
        Flag::DumpConfig => options.dump_config = true,
        Flag::AddressMonitoring => options.address_monitoring = true,
        Flag::CoreDump => options.core_dump = true,
        Flag::CorePattern => {
            options.core_dump = true;
            options.core_pattern = Some(value.unwrap_or_else(|| "core".into()));
        }
        Flag::AllWorkers => options.all_workers = true,
        Flag::ConfigId => options.config_id = Some(text(value)),
        Flag::AllConfig => options.all_include_checks = true,
        Flag::IgnoreSigint => options.ignore_sigint = true,
        Flag::Namespace => options.namespace = Some(text(value)),
        Flag::Genhash => return Err(not_built("--genhash")),
        Flag::LogFile => return Err(not_built("--log-file")),
        Flag::NotYet(spelling) => options.without_effect.push(spelling),
        Flag::Nothing | Flag::Help | Flag::Version | Flag::Signum | Flag::ConfigTest => {}
    }
    Ok(())
}

fn text(value: Option<OsString>) -> String {
    value.unwrap_or_default().to_string_lossy().into_owned()
}

const fn not_built(option: &'static str) -> UsageError {
    UsageError::NotBuilt(option)
}

fn facility(value: &str) -> Result<Facility, UsageError> {
    let number = match value {
        "user" => return Ok(Facility::USER),
        "daemon" => return Ok(Facility::DAEMON),
        value => value.strip_prefix("local").unwrap_or(value),
    };
    number.parse().ok().and_then(Facility::local).ok_or_else(|| UsageError::BadValue {
        option: "--log-facility",
        value: value.to_owned(),
        expected: "0-7, local0-local7, user or daemon",
    })
}

/// A mask in C's notation: `0x` hexadecimal, `0` octal, else decimal.
fn umask(value: &str) -> Result<u32, UsageError> {
    let parsed = if let Some(digits) = value.strip_prefix("0x").or_else(|| value.strip_prefix("0X")) {
        u32::from_str_radix(digits, 16)
    } else if let Some(digits) = value.strip_prefix('0').filter(|digits| !digits.is_empty()) {
        u32::from_str_radix(digits, 8)
    } else {
        value.parse()
    };
    parsed.ok().filter(|mask| *mask <= 0o777).ok_or_else(|| UsageError::BadValue {
        option: "--umask",
        value: value.to_owned(),
        expected: "a number from 0 to 0777",
    })
}
