//! The kernel's IPVS as a whole.

use std::time::Duration;

use model::vrrp::Instance;
use model::{Checkers, Flush, IpvsGlobals, IpvsTimeouts};

use super::router::{set_force, set_size};
use super::set;
use super::sync_daemon::SyncDaemonDraft;
use crate::diagnostic::{Code, Diagnostic, shown};
use crate::keyword;
use crate::lower::{Report, Setting, notify};
use crate::number::{self, NumberError};

/// What is said about all virtual servers.
#[derive(Clone, Debug, Default)]
pub(super) struct IpvsDraft {
    pub(super) checkers: Checkers,
    flush_at_start: bool,
    flush_at_stop: Option<Flush>,
    timeouts: IpvsTimeouts,
    sync: Option<SyncDaemonDraft>,
}

impl IpvsDraft {
    pub(super) fn read(&mut self, setting: Setting<'_, '_>, report: &mut Report) -> bool {
        let checkers = &mut self.checkers;
        match setting.name() {
            "lvs_flush" => self.flush_at_start = setting.flag(report),
            "lvs_flush_on_stop" | "lvs_flush_onstop" => {
                set(&mut self.flush_at_stop, flush(setting, report).map(Some));
            }
            "lvs_timeouts" => read_timeouts(&mut self.timeouts, setting, report),
            "lvs_sync_daemon" => self.read_sync(setting, report),
            "rs_init_notifies" => set(&mut checkers.notify_at_start, setting.boolean(report)),
            "no_checker_emails" => set(&mut checkers.mail_servers_only, setting.boolean(report)),
            "lvs_netlink_cmd_rcv_bufs" => set_size(&mut checkers.netlink.commands, setting, report),
            "lvs_netlink_cmd_rcv_bufs_force" => set_force(&mut checkers.netlink.commands, setting, report),
            "lvs_netlink_monitor_rcv_bufs" => set_size(&mut checkers.netlink.monitor, setting, report),
            "lvs_netlink_monitor_rcv_bufs_force" => set_force(&mut checkers.netlink.monitor, setting, report),
            _ => return false,
        }
        true
    }

    fn read_sync(&mut self, setting: Setting<'_, '_>, report: &mut Report) {
        match &self.sync {
            Some(first) => report.push(notify::repeated(setting, setting.span(), first.span())),
            None => self.sync = SyncDaemonDraft::read(setting, report),
        }
    }

    pub(super) fn resolve(&self, instances: &[Instance], report: &mut Report) -> IpvsGlobals {
        IpvsGlobals {
            flush_at_start: self.flush_at_start,
            flush_at_stop: self.flush_at_stop,
            timeouts: self.timeouts,
            sync: self.sync.as_ref().map(|sync| sync.resolve(instances, report)),
        }
    }
}

fn flush(setting: Setting<'_, '_>, report: &mut Report) -> Option<Flush> {
    setting.note_words_after(1, report);
    let Some(word) = setting.node.arguments().first() else { return Some(Flush::All) };
    if word.text == "VS" {
        return Some(Flush::OwnServices);
    }
    let diagnostic = setting.invalid(Code::InvalidChoice, word, "is nothing that can be flushed");
    report.push(diagnostic.help("write `VS`, or nothing for the whole table; the line has no effect"));
    None
}

/// The longest timeout that the kernel takes, in seconds: 31 days.
const LONGEST: i64 = 31 * 24 * 60 * 60;

/// `[tcp N] [tcpfin N] [udp N]`.
fn read_timeouts(timeouts: &mut IpvsTimeouts, setting: Setting<'_, '_>, report: &mut Report) {
    const NAMES: &[&str] = &["tcp", "tcpfin", "udp"];
    let mut words = setting.node.arguments().iter();
    while let Some(word) = words.next() {
        let slot = match word.text.as_ref() {
            "tcp" => &mut timeouts.tcp,
            "tcpfin" => &mut timeouts.tcp_fin,
            "udp" => &mut timeouts.udp,
            other => {
                let near = keyword::nearest_of(other, NAMES.iter(), |name| name);
                let headline = format!("{} is no timeout; it is ignored", shown(other));
                let help = near.map_or_else(
                    || "write `tcp`, `tcpfin` or `udp`, each with a number of seconds".to_owned(),
                    |near| format!("did you mean `{near}`?"),
                );
                report.push(Diagnostic::warning(Code::InvalidChoice, word.span, headline).help(help));
                continue;
            }
        };
        let Some(value) = words.next() else {
            let headline = format!("{} has no number of seconds; it is ignored", shown(&word.text));
            report.push(Diagnostic::warning(Code::MissingArgument, word.span, headline));
            return;
        };
        match number::integer(&value.text) {
            Ok(seconds @ 0..=LONGEST) => *slot = u64::try_from(seconds).ok().map(Duration::from_secs),
            Ok(_) | Err(NumberError::TooLarge) => {
                let range = format!("0 to {LONGEST} seconds");
                let diagnostic = setting.out_of_range(value, &range);
                report.push(diagnostic.help(format!("the range is {range}; it is ignored")));
            }
            Err(NumberError::Invalid) => {
                let diagnostic = setting.invalid(Code::InvalidNumber, value, "is not a number of seconds");
                report.push(diagnostic.help("it is ignored"));
            }
        }
    }
}
