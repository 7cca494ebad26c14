//! Fifos that state changes are written to.

use model::vrrp::RunAs;
use model::{Fifo, Fifos};

use super::path;
use crate::diagnostic::{Code, Diagnostic};
use crate::lower::notify::{self, CommandDraft};
use crate::lower::{Global, Report, Setting, Spanned};

/// All fifos.
#[derive(Clone, Debug, Default)]
pub(super) struct FifosDraft {
    all: FifoDraft,
    vrrp: FifoDraft,
    lvs: FifoDraft,
    states_on_reload: bool,
}

/// One fifo and what reads it.
#[derive(Clone, Debug, Default)]
struct FifoDraft {
    path: Option<Spanned<String>>,
    owner: Option<RunAs>,
    reader: Option<CommandDraft>,
}

impl FifosDraft {
    pub(super) fn read(&mut self, setting: Setting<'_, '_>, report: &mut Report) -> bool {
        match setting.name() {
            "notify_fifo" => self.all.read(setting, report),
            "notify_fifo_script" => notify::once(&mut self.all.reader, setting, report),
            "vrrp_notify_fifo" => self.vrrp.read(setting, report),
            "vrrp_notify_fifo_script" => notify::once(&mut self.vrrp.reader, setting, report),
            "lvs_notify_fifo" => self.lvs.read(setting, report),
            "lvs_notify_fifo_script" => notify::once(&mut self.lvs.reader, setting, report),
            "fifo_write_vrrp_states_on_reload" => self.states_on_reload = setting.flag(report),
            _ => return false,
        }
        true
    }

    /// A fifo that two keywords name is written to once.
    pub(super) fn resolve(&self, global: &Global, report: &mut Report) -> Fifos {
        let mut lvs = self.lvs.clone();
        let vrrp = self.vrrp.unless_same_as(&self.all, "vrrp_notify_fifo", report);
        if let (Some(own), Some(others)) = (&lvs.path, &self.vrrp.path)
            && own.value == others.value
            && self.vrrp.reader.is_some()
            && let Some(reader) = lvs.reader.take()
        {
            let headline = "this fifo has a reader already; a second one would take messages from it";
            report.push(
                Diagnostic::note(Code::NoEffect, reader.span, headline)
                    .label(others.span, "the same fifo")
                    .help("the reader of `vrrp_notify_fifo_script` gets all messages"),
            );
        }
        Fifos {
            all: self.all.resolve("notify_fifo", global, report),
            vrrp: vrrp.and_then(|fifo| fifo.resolve("vrrp_notify_fifo", global, report)),
            lvs: lvs
                .unless_same_as(&self.all, "lvs_notify_fifo", report)
                .and_then(|fifo| fifo.resolve("lvs_notify_fifo", global, report)),
            states_on_reload: self.states_on_reload,
        }
    }
}

impl FifoDraft {
    fn read(&mut self, setting: Setting<'_, '_>, report: &mut Report) {
        setting.note_words_after(3, report);
        let Some((word, owner)) = setting.node.arguments().split_first() else { return };
        if let Some(first) = &self.path {
            report.push(notify::repeated(setting, word.span, first.span));
            return;
        }
        let path = Spanned { value: word.text.clone().into_owned(), span: word.span };
        path::remark_on_relative(&path, report);
        self.path = Some(path);
        self.owner = notify::owner(owner);
    }

    fn unless_same_as(&self, common: &Self, name: &str, report: &mut Report) -> Option<&Self> {
        let (Some(own), Some(other)) = (&self.path, &common.path) else { return Some(self) };
        if own.value != other.value {
            return Some(self);
        }
        let headline = format!("`{name}` has the path of `notify_fifo`, which gets all messages anyway");
        report.push(
            Diagnostic::note(Code::NoEffect, own.span, headline)
                .label(other.span, "the same fifo")
                .help("the line has no effect; leave it out"),
        );
        None
    }

    fn resolve(&self, name: &str, global: &Global, report: &mut Report) -> Option<Fifo> {
        let reader = self.reader.as_ref();
        let Some(path) = self.path.as_ref().filter(|path| !path.value.is_empty()) else {
            if let Some(reader) = reader {
                let headline = format!("without `{name}` there is nothing to read");
                report.push(
                    Diagnostic::note(Code::NoEffect, reader.span, headline).help("the line has no effect"),
                );
            }
            return None;
        };
        let owner = self.owner.as_ref().or(global.script_user.as_ref());
        Some(Fifo {
            path: path.value.clone(),
            owner: owner.cloned().unwrap_or(RunAs::Default),
            reader: reader.map(|reader| reader.resolve(None, global)),
        })
    }
}
