//! `HTTP_GET` and `SSL_GET`.

use std::sync::Arc;

use model::lvs::{Check, Connection, HttpCheck, HttpVersion, ServerName};

use crate::diagnostic::{Code, Diagnostic};
use crate::lower::{Report, Setting, settings};
use crate::source::Span;

use super::text;
use super::tls::TlsDraft;
use super::url::UrlDraft;

/// A web checker, as it was written.
#[derive(Debug)]
pub(super) struct HttpDraft {
    is_tls: bool,
    version: HttpVersion,
    /// `http_protocol`.
    version_line: Option<Span>,
    is_http2: bool,
    tls: TlsDraft,
    fast_recovery: bool,
    virtualhost: Option<Arc<str>>,
    enable_sni: bool,
    sni_name: Option<Box<str>>,
    tls_compliant: bool,
    /// Something that only TLS can use.
    first_of_tls: Option<Span>,
    urls: Vec<UrlDraft>,
}

impl HttpDraft {
    pub(super) fn new(is_tls: bool) -> Self {
        Self {
            is_tls,
            version: HttpVersion::V10,
            version_line: None,
            is_http2: false,
            tls: TlsDraft::default(),
            fast_recovery: false,
            virtualhost: None,
            enable_sni: false,
            sni_name: None,
            tls_compliant: false,
            first_of_tls: None,
            urls: Vec::new(),
        }
    }

    pub(super) fn set(&mut self, setting: Setting<'_, '_>, report: &mut Report) {
        match setting.name() {
            "url" => {
                // Most checkers have one.
                if self.urls.is_empty() {
                    self.urls.reserve_exact(1);
                }
                self.urls.extend(UrlDraft::read(setting, report));
            }
            "virtualhost" => {
                let host = text::only(setting, report).map(|word| word.text.as_ref().into());
                self.virtualhost = host.or_else(|| self.virtualhost.take());
            }
            "http_protocol" => {
                self.version_line = Some(setting.span());
                self.version = version(setting, report).unwrap_or(self.version);
            }
            "steadfast" => self.extend(setting, report),
            "fast_recovery" => self.fast_recovery = setting.boolean(report).unwrap_or(self.fast_recovery),
            "tls_compliant" => self.tls_compliant = setting.boolean(report).unwrap_or(self.tls_compliant),
            "enable_sni" => {
                self.first_of_tls.get_or_insert_with(|| setting.head_span());
                self.enable_sni = setting.boolean(report).unwrap_or(self.enable_sni);
            }
            "sni_name" => {
                self.first_of_tls.get_or_insert_with(|| setting.head_span());
                setting.note_words_after(1, report);
                self.sni_name = setting.node.arguments().first().map(|word| word.text.as_ref().into());
            }
            _ => setting.lacks(report),
        }
    }

    /// What keepalived does not know.
    fn extend(&mut self, block: Setting<'_, '_>, report: &mut Report) {
        let Some(kind) = block.keyword.opens else { return };
        settings(block.node.children(), kind, report, |setting, report| match setting.name() {
            "http_version" => self.is_http2 = is_http2(setting, report).unwrap_or(self.is_http2),
            _ if self.tls.read(setting, report) => {}
            _ => setting.lacks(report),
        });
    }

    /// Whether it asks for something.
    pub(super) fn check(&self, setting: Setting<'_, '_>, report: &mut Report) -> bool {
        if let Some(span) = self.version_line.filter(|_| self.is_http2) {
            let headline = "`http_version 2` is spoken instead; this has no effect";
            report.push(Diagnostic::note(Code::IdleOption, span, headline).help("keep one of the two lines"));
        }
        if let Some(span) = self.first_of_tls.filter(|_| !self.is_tls) {
            let headline = "server names are for TLS; here this has no effect";
            report.push(
                Diagnostic::note(Code::IdleOption, span, headline).help("write `SSL_GET` to check with TLS"),
            );
        }
        if self.urls.is_empty() {
            let headline = format!("this `{}` asks for nothing; the checker is ignored", setting.name());
            report.push(
                Diagnostic::warning(Code::IncompleteChecker, setting.head_span(), headline)
                    .help("add `url { path PATH }`")
                    .classic("HTTP/SSL_GET checker has no urls specified - ignoring"),
            );
        }
        !self.urls.is_empty()
    }

    pub(super) fn resolve(self, connection: Connection, virtualhost: Option<&Arc<str>>) -> Check {
        let host = self.virtualhost.or_else(|| virtualhost.cloned());
        let server_name =
            || self.enable_sni.then(|| self.sni_name.map_or(ServerName::Host, ServerName::Name));
        let urls = self.urls.into_iter();
        Check::Http(Box::new(HttpCheck {
            connection,
            tls: self.is_tls.then(|| self.tls.resolve(server_name())),
            version: self.version,
            http2: self.is_http2,
            fast_recovery: self.fast_recovery,
            requests: urls.map(|url| url.resolve(host.as_ref(), self.tls_compliant)).collect(),
        }))
    }
}

fn version(setting: Setting<'_, '_>, report: &mut Report) -> Option<HttpVersion> {
    let word = text::only(setting, report)?;
    match word.text.as_ref() {
        "1.0" => Some(HttpVersion::V10),
        "1.0C" => Some(HttpVersion::V10Close),
        "1.0c" => Some(HttpVersion::V10CloseShort),
        "1.1" => Some(HttpVersion::V11),
        _ => {
            let diagnostic = setting.invalid(Code::InvalidChoice, word, "is no version of HTTP");
            report.push(diagnostic.help("write `1.0`, `1.0C` or `1.1`; the line has no effect"));
            None
        }
    }
}

/// `http_version`, which knows one word.
fn is_http2(setting: Setting<'_, '_>, report: &mut Report) -> Option<bool> {
    let word = text::only(setting, report)?;
    if word.text == "2" {
        return Some(true);
    }
    let diagnostic =
        setting.invalid(Code::InvalidChoice, word, "is no version of HTTP that can be chosen here");
    report.push(diagnostic.help("write `http_version 2`, or `http_protocol` for the older ones"));
    None
}
