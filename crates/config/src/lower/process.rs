//! The top level's own keywords: namespaces, pid files, link polling.

use std::collections::BTreeMap;
use std::time::Duration;

use model::vrrp::{LinkDelay, LinkWatch, PollMethod, PolledLink};
use model::{IfName, Namespace};

use crate::diagnostic::{Code, Diagnostic, Severity, shown, shown_bare};
use crate::lexer::Word;
use crate::lower::{Report, Setting, Spanned, notify, setting};
use crate::number::{self, Decimal, NumberError};

/// What the top level says.
#[derive(Clone, Debug, Default)]
pub(crate) struct Process {
    net_namespace: Option<Spanned<String>>,
    /// Without a name it is the one that the daemon was started in.
    ipvs_namespace: Option<Spanned<Option<String>>>,
    ipsets_in_namespace: bool,
    instance: Option<Spanned<String>>,
    pid_directory: bool,
    child_wait: Option<Duration>,
    poll_links: bool,
    polled: BTreeMap<IfName, Spanned<PollMethod>>,
    link_delays: BTreeMap<IfName, Spanned<(Duration, Duration)>>,
}

impl Process {
    pub(crate) fn read(&mut self, setting: Setting<'_, '_>, report: &mut Report) {
        match setting.name() {
            "net_namespace" => read_name(&mut self.net_namespace, Severity::Note, setting, report),
            "net_namespace_ipvs" => self.read_ipvs_namespace(setting, report),
            "namespace_with_ipsets" => self.ipsets_in_namespace = setting.flag(report),
            "instance" => read_name(&mut self.instance, Severity::Warning, setting, report),
            "use_pid_dir" => self.pid_directory = setting.flag(report),
            "child_wait_time" => {
                let wait = setting.whole_seconds(report).map(|wait| wait.value);
                self.child_wait = wait.or(self.child_wait);
            }
            "linkbeat_use_polling" => self.poll_links = setting.flag(report),
            "linkbeat_interfaces" => self.read_polled(setting, report),
            "interface_up_down_delays" => self.read_delays(setting, report),
            _ => setting.lacks(report),
        }
    }

    fn read_ipvs_namespace(&mut self, setting: Setting<'_, '_>, report: &mut Report) {
        setting.note_words_after(1, report);
        if let Some(first) = &self.ipvs_namespace {
            report.push(notify::repeated(setting, setting.span(), first.span));
            return;
        }
        let word = setting.node.arguments().first().filter(|word| !word.text.is_empty());
        if let Some(word) = word {
            remark_on_slash(setting, word, report);
        }
        let value = word.map(|word| word.text.clone().into_owned());
        self.ipvs_namespace = Some(Spanned { value, span: setting.span() });
    }

    /// `INTERFACE [MII|ETHTOOL|IOCTL]` on each line.
    fn read_polled(&mut self, block: Setting<'_, '_>, report: &mut Report) {
        for words in block.lines() {
            let Some((head, options)) = words.split_first() else { continue };
            let Some(interface) = setting::interface(head, report) else { continue };
            let method = poll_method(options, report);
            let Spanned { value: name, span } = interface;
            if let Some(first) = self.polled.insert(name.clone(), Spanned { value: method, span }) {
                let headline = format!("{} is listed already; this line counts", shown(name.as_str()));
                report.push(
                    Diagnostic::note(Code::DuplicateEntry, span, headline).label(first.span, "first here"),
                );
            }
        }
    }

    /// `INTERFACE DOWN [UP]` on each line. As with keepalived, links come up without delay if only one is given.
    fn read_delays(&mut self, block: Setting<'_, '_>, report: &mut Report) {
        for words in block.lines() {
            let Some((head, delays)) = words.split_first() else { continue };
            let Some(interface) = setting::interface(head, report) else { continue };
            let Some(delays) = link_delays(head, delays, report) else { continue };
            let Spanned { value: name, span } = interface;
            if let Some(first) = self.link_delays.insert(name.clone(), Spanned { value: delays, span }) {
                let headline = format!("{} is listed already; this line counts", shown(name.as_str()));
                report.push(
                    Diagnostic::note(Code::DuplicateEntry, span, headline).label(first.span, "first here"),
                );
            }
        }
    }

    /// How links are watched. What is said of it is taken out.
    pub(crate) fn take_link_watch(&mut self) -> LinkWatch {
        let polled = std::mem::take(&mut self.polled).into_iter();
        let delays = std::mem::take(&mut self.link_delays).into_iter();
        LinkWatch {
            poll_all: self.poll_links,
            polled: polled
                .map(|(interface, method)| PolledLink { interface, method: method.value })
                .collect(),
            delays: delays
                .map(|(interface, Spanned { value: (down, up), .. })| LinkDelay { interface, down, up })
                .collect(),
        }
    }

    pub(crate) fn resolve(self, _report: &mut Report) -> model::Process {
        let named = |name: String| if name.is_empty() { Namespace::Own } else { Namespace::Named(name) };
        let net_namespace = self.net_namespace.map_or(Namespace::Own, |name| named(name.value));
        let ipvs_namespace = match self.ipvs_namespace {
            None => net_namespace.clone(),
            Some(name) => name.value.map_or(Namespace::Own, named),
        };
        let instance = self.instance.map(|name| name.value).filter(|name| !name.is_empty());
        let is_one_of_several = instance.is_some() || net_namespace != Namespace::Own;
        model::Process {
            net_namespace,
            ipvs_namespace,
            ipsets_in_namespace: self.ipsets_in_namespace,
            instance,
            pid_directory: self.pid_directory || is_one_of_several,
            child_wait: self.child_wait.unwrap_or(model::Process::CHILD_WAIT),
        }
    }
}

/// A name whose first line stays in force. How bad a second one is differs.
fn read_name(
    slot: &mut Option<Spanned<String>>,
    severity: Severity,
    setting: Setting<'_, '_>,
    report: &mut Report,
) {
    setting.note_words_after(1, report);
    if !setting.has_value(report) {
        return;
    }
    let Some(word) = setting.node.arguments().first() else { return };
    if let Some(first) = slot {
        let sentence =
            format!("Duplicate {} definition {} - ignoring", setting.name(), shown_bare(&word.text));
        let repeated = notify::repeated(setting, word.span, first.span).classic(sentence);
        report.push(Diagnostic { severity, ..repeated });
        return;
    }
    remark_on_slash(setting, word, report);
    *slot = Some(Spanned { value: word.text.clone().into_owned(), span: word.span });
}

/// These names become parts of file names.
fn remark_on_slash(setting: Setting<'_, '_>, word: &Word<'_>, report: &mut Report) {
    if word.text.contains('/') {
        let headline = format!("{} cannot be part of a file name", shown(&word.text));
        let help = format!("write a name without `/` after `{}`", setting.name());
        report.push(Diagnostic::note(Code::RelativePath, word.span, headline).help(help));
    }
}

fn poll_method(options: &[Word<'_>], report: &mut Report) -> PollMethod {
    let named = |text: &str| match text {
        "MII" => Some(PollMethod::Mii),
        "ETHTOOL" => Some(PollMethod::Ethtool),
        "IOCTL" => Some(PollMethod::Ioctl),
        _ => None,
    };
    match options {
        [] => PollMethod::FirstThatWorks,
        [option] if let Some(method) = named(&option.text) => method,
        [option] => {
            let headline = format!("{} is no way to poll a link; it is ignored", shown(&option.text));
            report.push(
                Diagnostic::warning(Code::InvalidChoice, option.span, headline)
                    .help("write `MII`, `ETHTOOL` or `IOCTL`; each interface needs a line of its own"),
            );
            PollMethod::FirstThatWorks
        }
        [first, second, ..] => {
            let headline = "a link is polled in one way only";
            report.push(
                Diagnostic::warning(Code::ExtraWords, second.span, headline)
                    .help("it is ignored; each interface needs a line of its own"),
            );
            named(&first.text).unwrap_or(PollMethod::FirstThatWorks)
        }
    }
}

/// Down and up. `None` if a number is bad.
fn link_delays(head: &Word<'_>, words: &[Word<'_>], report: &mut Report) -> Option<(Duration, Duration)> {
    if let (Some(first), Some(last)) = (words.get(2), words.last()) {
        let headline = "what follows the two delays is ignored";
        report.push(Diagnostic::note(Code::ExtraWords, first.span.to(last.span), headline));
    }
    let Some(down) = words.first() else {
        let headline = format!("{} has no delay", shown(&head.text));
        report.push(
            Diagnostic::note(Code::MissingArgument, head.span, headline)
                .help("write `INTERFACE DOWN UP` in seconds; the line has no effect"),
        );
        return None;
    };
    let delay = link_delay(down, report)?;
    let Some(up) = words.get(1) else {
        if !delay.is_zero() {
            let headline = "links that come up are not delayed without a second number";
            let help = format!("write `{0} {1} {1}` if they are to wait as long", head.text, down.text);
            report.push(Diagnostic::note(Code::UpDelay, down.span, headline).help(help));
        }
        return Some((delay, Duration::ZERO));
    };
    Some((delay, link_delay(up, report)?))
}

/// The longest delay of a link, in microseconds.
const LONGEST: u64 = 255_000_000;

fn link_delay(word: &Word<'_>, report: &mut Report) -> Option<Duration> {
    let help = format!("a delay is 0 to {} seconds; the line has no effect", Decimal(LONGEST));
    match number::decimal(&word.text, 6) {
        Ok(delay) if delay.value <= LONGEST => {
            if delay.rounded {
                let headline = format!("{} has more than 6 decimals; it is rounded", shown(&word.text));
                report.push(Diagnostic::warning(Code::Adjusted, word.span, headline));
            }
            Some(Duration::from_micros(delay.value))
        }
        Ok(_) | Err(NumberError::TooLarge) => {
            let headline = format!("{} is out of range for a delay", shown(&word.text));
            report.push(Diagnostic::warning(Code::OutOfRange, word.span, headline).help(help));
            None
        }
        Err(NumberError::Invalid) => {
            let headline = format!("{} is not a number of seconds", shown(&word.text));
            report.push(Diagnostic::warning(Code::InvalidNumber, word.span, headline).help(help));
            None
        }
    }
}
