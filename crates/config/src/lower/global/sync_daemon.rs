//! `lvs_sync_daemon`: the kernel's connection synchronisation.

use std::net::IpAddr;
use std::num::{NonZeroU8, NonZeroU16};
use std::slice::Iter;

use model::vrrp::Instance;
use model::{IfName, SyncDaemon, SyncTransport};

use crate::diagnostic::{Code, Diagnostic, shown};
use crate::keyword::nearest_of;
use crate::lexer::Word;
use crate::lower::{Report, Setting, Spanned};
use crate::number::{self, NumberError};
use crate::source::Span;

/// The longest message that fits a UDP packet.
const LONGEST: u16 = 65_507;

const OPTIONS: &[&str] = &["inst", "id", "maxlen", "port", "ttl", "group"];

/// The line as it was written.
#[derive(Clone, Debug)]
pub(super) struct SyncDaemonDraft {
    interface: Spanned<IfName>,
    instance: Option<Spanned<String>>,
    id: Option<u8>,
    longest: Option<NonZeroU16>,
    transport: SyncTransport,
}

impl SyncDaemonDraft {
    pub(super) fn read(setting: Setting<'_, '_>, report: &mut Report) -> Option<Self> {
        let (word, rest) = setting.node.arguments().split_first()?;
        let value = match word.text.parse() {
            Ok(value) => value,
            Err(error) => {
                let headline = format!("{} cannot be an interface: {error}", shown(&word.text));
                report.push(
                    Diagnostic::warning(Code::InvalidInterface, word.span, headline)
                        .help("the line has no effect"),
                );
                return None;
            }
        };
        // keepalived wants it only when a director runs, so it is not one that the file names.
        let interface = Spanned { value, span: word.span };
        let transport = SyncTransport::default();
        let mut draft = Self { interface, instance: None, id: None, longest: None, transport };
        draft.read_options(draft_start(rest), setting, report);
        Some(draft)
    }

    fn read_options(&mut self, start: Start<'_, '_>, setting: Setting<'_, '_>, report: &mut Report) {
        if let Some(word) = start.instance {
            self.instance = Some(Spanned { value: word.text.clone().into_owned(), span: word.span });
        }
        if let Some(word) = start.id {
            self.id = number_in(word, "id", 0, i64::from(u8::MAX), report);
            if self.id.is_some() {
                let headline = "the number of the synchronisation needs the word `id` before it";
                let help = format!("write `id {}`; it is used all the same", word.text);
                report.push(Diagnostic::warning(Code::Deprecated, word.span, headline).help(help));
            }
        }
        let mut words = start.options.iter();
        while let Some(word) = words.next() {
            self.read_option(word, &mut words, setting, report);
        }
    }

    fn read_option<'w, 'a>(
        &mut self,
        option: &Word<'a>,
        words: &mut Iter<'w, Word<'a>>,
        setting: Setting<'_, '_>,
        report: &mut Report,
    ) {
        if !OPTIONS.contains(&option.text.as_ref()) {
            let headline =
                format!("{} is no option of `lvs_sync_daemon`; it is ignored", shown(&option.text));
            let near = nearest_of(&option.text, OPTIONS.iter(), |name| name);
            let help = near.map_or_else(
                || format!("the options are `{}`", OPTIONS.join("`, `")),
                |near| format!("did you mean `{near}`?"),
            );
            report.push(Diagnostic::warning(Code::InvalidChoice, option.span, headline).help(help));
            return;
        }
        let Some(value) = words.next() else {
            let headline = format!("{} of `{}` has no value", shown(&option.text), setting.name());
            // keepalived stops at this one alone.
            report.push(if option.text == "inst" {
                let help = "write `inst INSTANCE`, or take the option out";
                Diagnostic::error(Code::MissingArgument, option.span, headline).help(help)
            } else {
                Diagnostic::warning(Code::MissingArgument, option.span, headline)
                    .help("the option is ignored")
            });
            return;
        };
        match option.text.as_ref() {
            "inst" => self.read_instance(value, report),
            "id" => self.id = number_in(value, "id", 0, i64::from(u8::MAX), report).or(self.id),
            "maxlen" => {
                let longest = number_in(value, "maxlen", 1, i64::from(LONGEST), report);
                self.longest = longest.and_then(NonZeroU16::new).or(self.longest);
            }
            "port" => {
                let port = number_in(value, "port", 1, i64::from(u16::MAX), report);
                self.transport.port = port.and_then(NonZeroU16::new).or(self.transport.port);
            }
            "ttl" => {
                let ttl = number_in(value, "ttl", 1, i64::from(u8::MAX), report);
                self.transport.ttl = ttl.and_then(NonZeroU8::new).or(self.transport.ttl);
            }
            _ => self.transport.address = group(value, report).or(self.transport.address),
        }
    }

    fn read_instance(&mut self, word: &Word<'_>, report: &mut Report) {
        if let Some(first) = &self.instance {
            let headline = "the instance is repeated; the first one stays in force";
            report.push(
                Diagnostic::warning(Code::Repeated, word.span, headline).label(first.span, "the first one"),
            );
        } else {
            self.instance = Some(Spanned { value: word.text.clone().into_owned(), span: word.span });
        }
    }

    pub(super) fn span(&self) -> Span {
        self.interface.span
    }

    pub(super) fn resolve(&self, instances: &[Instance], report: &mut Report) -> SyncDaemon {
        let named = |name: &Spanned<String>| instances.iter().find(|instance| instance.name == name.value);
        let instance = self.instance.as_ref().and_then(named);
        if let (Some(name), None) = (&self.instance, instance) {
            let headline = format!("there is no `vrrp_instance` {}", shown(&name.value));
            let near = nearest_of(&name.value, instances.iter(), |instance| &instance.name);
            let help = near.map_or_else(
                || "both directions are synchronised all the time".to_owned(),
                |near| format!("did you mean {}?", shown(&near.name)),
            );
            report.push(Diagnostic::note(Code::UndefinedInstance, name.span, headline).help(help));
        }
        SyncDaemon {
            interface: self.interface.value.clone(),
            instance: instance.map(|instance| instance.name.clone()),
            id: self.id.unwrap_or_else(|| instance.map_or(0, |instance| instance.vrid.get())),
            longest: self.longest,
            transport: self.transport,
        }
    }
}

/// What follows the interface.
#[derive(Clone, Copy)]
struct Start<'w, 'a> {
    /// A first word that is no option.
    instance: Option<&'w Word<'a>>,
    /// A second one, from before there was `id`.
    id: Option<&'w Word<'a>>,
    options: &'w [Word<'a>],
}

fn draft_start<'w, 'a>(words: &'w [Word<'a>]) -> Start<'w, 'a> {
    let is_option = |word: &Word<'_>| OPTIONS.contains(&word.text.as_ref());
    let mut start = Start { instance: None, id: None, options: words };
    let Some((instance, rest)) = words.split_first().filter(|(word, _)| !is_option(word)) else {
        return start;
    };
    start = Start { instance: Some(instance), id: None, options: rest };
    let Some((id, rest)) = rest.split_first().filter(|(word, _)| !is_option(word)) else { return start };
    Start { id: Some(id), options: rest, ..start }
}

fn number_in<T: TryFrom<i64>>(
    word: &Word<'_>,
    option: &str,
    least: i64,
    most: i64,
    report: &mut Report,
) -> Option<T> {
    let (code, headline) = match number::integer(&word.text) {
        Ok(number) if (least..=most).contains(&number) => return T::try_from(number).ok(),
        Ok(_) | Err(NumberError::TooLarge) => {
            (Code::OutOfRange, format!("{} is out of range for `{option}`", shown(&word.text)))
        }
        Err(NumberError::Invalid) => {
            (Code::InvalidNumber, format!("{} is not a whole number", shown(&word.text)))
        }
    };
    let help = format!("`{option}` is {least} to {most}; the option is ignored");
    report.push(Diagnostic::warning(code, word.span, headline).help(help));
    None
}

fn group(word: &Word<'_>, report: &mut Report) -> Option<IpAddr> {
    let address: Option<IpAddr> = word.text.parse().ok();
    if let Some(group) = address.filter(IpAddr::is_multicast) {
        return Some(group);
    }
    let what = if address.is_some() { "is not a multicast address" } else { "is not an IP address" };
    let headline = format!("{} {what}", shown(&word.text));
    report.push(Diagnostic::warning(Code::InvalidAddress, word.span, headline).help("the option is ignored"));
    None
}
