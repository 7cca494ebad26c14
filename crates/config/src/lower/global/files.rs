//! Files that the daemon writes, and tables that it reads.

use model::{Dump, Files, JsonLayout};

use super::{path, set, umask};
use crate::diagnostic::{Code, Diagnostic};
use crate::lower::{Report, Setting, Spanned, notify};

/// What is said about files.
#[derive(Clone, Debug, Default)]
pub(super) struct FilesDraft {
    files: Files,
    copy_directory: Option<Spanned<String>>,
}

impl FilesDraft {
    pub(super) fn read(&mut self, setting: Setting<'_, '_>, report: &mut Report) -> bool {
        let files = &mut self.files;
        match setting.name() {
            "umask" => set(&mut files.umask, umask::read(setting, report)),
            "random_seed" => {
                set(&mut files.random_seed, setting.number(report).map(|seed| Some(seed.value)));
            }
            "config_save_dir" => set(&mut files.save_directory, directory(setting, report).map(Some)),
            "tmp_config_directory" => self.read_copy_directory(setting, report),
            "iproute_usr_dir" => set(&mut files.iproute.distribution, directory(setting, report)),
            "iproute_etc_dir" => set(&mut files.iproute.local, directory(setting, report)),
            "data_use_instance" => set(&mut files.dumps.names_instance, setting.boolean(report)),
            "json_version" => {
                let version = setting.integer(report);
                let layout = version.map(|v| if v.value == 1 { JsonLayout::V1 } else { JsonLayout::V2 });
                set(&mut files.dumps.layout, layout);
            }
            "state_dump_file" => set(&mut files.dumps.state, dump("keepalived.data", setting, report)),
            "stats_dump_file" => set(&mut files.dumps.statistics, dump("keepalived.stats", setting, report)),
            "json_dump_file" => set(&mut files.dumps.json, dump("keepalived.json", setting, report)),
            _ => return false,
        }
        true
    }

    fn read_copy_directory(&mut self, setting: Setting<'_, '_>, report: &mut Report) {
        let Some(text) = setting.text(report) else { return };
        if let Some(first) = &self.copy_directory {
            report.push(notify::repeated(setting, text.span, first.span));
            return;
        }
        path::remark_on_relative(&text, report);
        self.copy_directory = Some(text);
    }

    pub(super) fn resolve(&self) -> Files {
        let copy = self.copy_directory.as_ref().filter(|path| !path.value.is_empty());
        Files { copy_directory: copy.map(|path| path.value.clone()), ..self.files.clone() }
    }
}

fn directory(setting: Setting<'_, '_>, report: &mut Report) -> Option<String> {
    let text = setting.text(report)?;
    if text.value.is_empty() {
        let headline = format!("the directory of `{}` is empty", setting.name());
        report.push(
            Diagnostic::warning(Code::RelativePath, text.span, headline).help("the line has no effect"),
        );
        return None;
    }
    path::remark_on_relative(&text, report);
    Some(text.value)
}

/// A path that ends in a slash is a directory, one that does not begin with a slash is below that of temporary files.
fn dump(default: &str, setting: Setting<'_, '_>, report: &mut Report) -> Option<Dump> {
    let mut path = setting.text(report)?.value;
    if path.is_empty() || path.ends_with('/') {
        path += default;
    }
    Some(if path.starts_with('/') { Dump::Path(path) } else { Dump::Temporary(path) })
}
