//! `track_file` at the top level.

use model::vrrp::{InitialFile, TrackedFile};
use model::{Influence, Weight};

use crate::diagnostic::{Code, Diagnostic, shown};
use crate::keyword::Block;
use crate::lower::track::Trackable;
use crate::lower::{Report, Setting, Spanned, settings, track};
use crate::number;

/// `track_file` at the top level, as it was written.
#[derive(Clone, Debug)]
pub(crate) struct FileTracker {
    pub(crate) name: Spanned<String>,
    order: usize,
    path: Option<Spanned<String>>,
    influence: Influence,
    initial: Option<InitialFile>,
}

impl Trackable for FileTracker {
    const BLOCK: &'static str = "track_file";
    const UNDEFINED: Code = Code::UndefinedTracker;

    fn name(&self) -> &Spanned<String> {
        &self.name
    }

    fn order(&self) -> usize {
        self.order
    }

    fn is_complete(&self) -> bool {
        self.path.is_some()
    }
}

impl FileTracker {
    pub(crate) fn read(setting: Setting<'_, '_>, report: &mut Report) -> Option<Self> {
        let weight = Weight::try_from(1).ok()?;
        let mut draft = Self {
            name: setting.block_name(report)?,
            order: report.turn(),
            path: None,
            influence: Influence { weight, reverse: false },
            initial: None,
        };
        settings(setting.node.children(), Block::FileTracker, report, |setting, report| {
            match setting.name() {
                "file" => draft.set_path(setting, report),
                "weight" => draft.influence = track::weight(setting, report).unwrap_or(draft.influence),
                "init_file" => draft.initial = Some(initial(setting, report)),
                _ => setting.lacks(report),
            }
        });
        if draft.path.is_none() {
            super::report_incomplete(&draft.name, "file", "PATH", report);
        }
        Some(draft)
    }

    fn set_path(&mut self, setting: Setting<'_, '_>, report: &mut Report) {
        let Some(path) = setting.text(report) else { return };
        if let Some(first) = &self.path {
            report.push(
                Diagnostic::warning(
                    Code::Repeated,
                    path.span,
                    "a `track_file` is of one file; this one is ignored",
                )
                .label(first.span, "this one counts"),
            );
        } else {
            self.path = Some(path);
        }
    }

    pub(crate) fn resolve(self, _report: &mut Report) -> Option<TrackedFile> {
        Some(TrackedFile {
            name: self.name.value,
            path: self.path?.value,
            influence: self.influence,
            initial: self.initial,
        })
    }
}

/// `init_file [NUMBER] [overwrite]`, in any order.
fn initial(setting: Setting<'_, '_>, report: &mut Report) -> InitialFile {
    let mut initial = InitialFile { value: 0, overwrite: false };
    for word in setting.node.arguments() {
        if word.text == "overwrite" {
            initial.overwrite = true;
            continue;
        }
        match number::integer(&word.text).map(i32::try_from) {
            Ok(Ok(value)) => {
                initial.value = value;
                if !(-254..=254).contains(&value) {
                    let headline = format!("{value} moves a priority beyond all that there is");
                    report.push(
                        Diagnostic::warning(Code::OutOfRange, word.span, headline)
                            .help("it is written all the same; what makes sense is -254 to 254"),
                    );
                }
            }
            Ok(Err(_)) | Err(number::NumberError::TooLarge) => {
                report.push(setting.out_of_range(word, "-254 to 254"));
            }
            Err(number::NumberError::Invalid) => {
                let headline =
                    format!("{} is neither a whole number nor `overwrite`; it is ignored", shown(&word.text));
                report.push(Diagnostic::warning(Code::InvalidChoice, word.span, headline));
            }
        }
    }
    initial
}
