//! Names, priorities and limits of the processes.

use std::num::NonZeroU32;
use std::time::Duration;

use model::{AutoPriority, Nice, RealTime, Worker, Workers};

use super::set;
use crate::diagnostic::{Code, Diagnostic, shown};
use crate::lexer::Word;
use crate::lower::{Report, Setting, Spanned};
use crate::number::{self, NumberError};

/// What is said about processes.
#[derive(Clone, Debug, Default)]
pub(super) struct WorkersDraft {
    workers: Workers,
    /// `process_names`.
    named: bool,
}

impl WorkersDraft {
    pub(super) fn read(&mut self, setting: Setting<'_, '_>, report: &mut Report) -> bool {
        let workers = &mut self.workers;
        match setting.name() {
            "process_names" => self.named = setting.flag(report),
            "process_name" => set(&mut workers.supervisor_name, name(setting, report).map(Some)),
            "max_auto_priority" => set_auto_priority(&mut workers.auto_priority, setting, report),
            "min_auto_priority_delay" => {
                let delay = setting.number(report).and_then(|delay| NonZeroU32::new(delay.value));
                set(&mut workers.auto_priority.after_micros, delay);
            }
            name => {
                let (worker, rest) = match name.split_once('_') {
                    Some(("vrrp", rest)) => (&mut workers.vrrp, rest),
                    Some(("checker" | "lvs", rest)) => (&mut workers.checker, rest),
                    Some(("bfd", rest)) => (&mut workers.bfd, rest),
                    _ => return false,
                };
                return set_worker(worker, rest, setting, report);
            }
        }
        true
    }

    pub(super) fn resolve(&self) -> Workers {
        let mut workers = self.workers.clone();
        if self.named {
            for (worker, name) in [
                (&mut workers.vrrp, "keepalived_vrrp"),
                (&mut workers.checker, "keepalived_lvs"),
                (&mut workers.bfd, "keepalived_bfd"),
            ] {
                worker.name.get_or_insert_with(|| name.to_owned());
            }
        }
        workers
    }
}

/// Takes a keyword without the name of its process.
fn set_worker(worker: &mut Worker, rest: &str, setting: Setting<'_, '_>, report: &mut Report) -> bool {
    match rest {
        "process_name" => set(&mut worker.name, name(setting, report).map(Some)),
        "priority" => {
            set(
                &mut worker.nice,
                setting.number::<i8>(report).and_then(|nice| Nice::try_from(nice.value).ok()),
            );
        }
        "no_swap" => worker.no_swap = setting.flag(report),
        "rt_priority" => set(&mut worker.real_time, real_time(setting, report).map(Some)),
        "rlimit_rttime" | "rlimit_rtime" => {
            // The kernel needs two.
            let limit = setting.number::<u64>(report).map(|limit| Duration::from_micros(limit.value.max(2)));
            set(&mut worker.real_time_limit, limit);
        }
        "cpu_affinity" => set(&mut worker.cpus, cpus(setting, report)),
        _ => return false,
    }
    true
}

fn name(setting: Setting<'_, '_>, report: &mut Report) -> Option<String> {
    let Spanned { mut value, span } = setting.text(report)?;
    if value.len() > Worker::NAME_BYTES {
        let kept =
            (0..=Worker::NAME_BYTES).rev().find(|&end| value.is_char_boundary(end)).unwrap_or_default();
        value.truncate(kept);
        let headline = format!("the name of a process has at most {} bytes", Worker::NAME_BYTES);
        report.push(
            Diagnostic::warning(Code::Adjusted, span, headline).help(format!("{} is used", shown(&value))),
        );
    }
    (!value.is_empty()).then_some(value)
}

/// `[PRIORITY]`, where nothing is the most, 0 is off, and -1 is off without a word about it.
fn set_auto_priority(auto: &mut AutoPriority, setting: Setting<'_, '_>, report: &mut Report) {
    setting.note_words_after(1, report);
    let Some(word) = setting.node.arguments().first() else {
        *auto = AutoPriority { most: Some(RealTime::MOST), notice: true, ..*auto };
        return;
    };
    match number::integer(&word.text) {
        Ok(priority @ -1..=99) => {
            let most = u8::try_from(priority).ok().and_then(|priority| RealTime::try_from(priority).ok());
            *auto = AutoPriority { most, notice: priority >= 0, ..*auto };
        }
        Ok(_) | Err(NumberError::TooLarge) => report.push(setting.out_of_range(word, "-1 to 99")),
        Err(NumberError::Invalid) => {
            report.push(setting.invalid(Code::InvalidNumber, word, "is not a whole number"));
        }
    }
}

fn real_time(setting: Setting<'_, '_>, report: &mut Report) -> Option<RealTime> {
    let word = setting.only(report)?;
    let number = number::integer(&word.text).ok().and_then(|number| i32::try_from(number).ok());
    let Some(number) = number else {
        report.push(setting.invalid(Code::InvalidNumber, word, "is not a real-time priority"));
        return None;
    };
    if let Some(priority) = u8::try_from(number).ok().and_then(|number| RealTime::try_from(number).ok()) {
        return Some(priority);
    }
    let used = if number < 1 { RealTime::LEAST } else { RealTime::MOST };
    let headline =
        format!("{} is out of range for `{}`; {} is used", shown(&word.text), setting.name(), used.get());
    report.push(Diagnostic::warning(Code::Adjusted, word.span, headline).help("the range is 1 to 99"));
    Some(used)
}

/// How many CPUs there are only the host knows. One bad number makes the line void.
fn cpus(setting: Setting<'_, '_>, report: &mut Report) -> Option<Vec<u16>> {
    let mut cpus = Vec::new();
    for word in setting.node.arguments() {
        cpus.push(cpu(word, setting, report)?);
    }
    cpus.sort_unstable();
    cpus.dedup();
    Some(cpus)
}

fn cpu(word: &Word<'_>, setting: Setting<'_, '_>, report: &mut Report) -> Option<u16> {
    let is_cpu = |cpu: &u16| *cpu < Worker::MOST_CPUS;
    match number::integer(&word.text).map(u16::try_from) {
        Ok(Ok(cpu)) if is_cpu(&cpu) => Some(cpu),
        Ok(_) | Err(NumberError::TooLarge) => {
            report.push(setting.out_of_range(word, "0 to 1023, and no more than the host has CPUs"));
            None
        }
        Err(NumberError::Invalid) => {
            let diagnostic = setting.invalid(Code::InvalidNumber, word, "is not the number of a CPU");
            report
                .push(diagnostic.help("write the numbers with blanks between them; the line has no effect"));
            None
        }
    }
}
