//! Checkers: what they have in common.

use std::net::IpAddr;
use std::sync::Arc;

use model::lvs::{BfdCheck, Check, Checker, Probe};

use crate::keyword::Block;
use crate::lower::{Report, Setting, Spanned, settings};
use crate::source::Span;

use super::address::Endpoint;
use super::connection::ConnectionDraft;
use super::dns::DnsDraft;
use super::grpc::GrpcDraft;
use super::http::HttpDraft;
use super::misc::MiscDraft;
use super::names::Names;
use super::pace::{Habit, Pace};
use super::real_server::Inherited;
use super::smtp::SmtpDraft;
use super::udp::UdpDraft;
use super::watch::{self, FileDraft};

/// A checker, as it was written.
#[derive(Debug)]
pub(super) struct CheckerDraft {
    kind: Kind,
    connection: ConnectionDraft,
    pace: Pace,
    log_all_failures: Option<bool>,
    span: Span,
}

/// What a checker does.
#[derive(Debug)]
enum Kind {
    Tcp,
    Ping,
    Http(Box<HttpDraft>),
    Smtp(SmtpDraft),
    Dns(Box<DnsDraft>),
    Udp(Box<UdpDraft>),
    Grpc(Box<GrpcDraft>),
    Misc(Box<MiscDraft>),
    Bfd(Box<Spanned<String>>),
    File(Box<FileDraft>),
}

impl CheckerDraft {
    /// Hands the checkers of a block to `add`: several, if it has `host` blocks.
    pub(super) fn read(
        setting: Setting<'_, '_>,
        server: IpAddr,
        names: &mut Names,
        report: &mut Report,
        mut add: impl FnMut(Self, &mut Report),
    ) {
        setting.note_words_after(0, report);
        let Some(block) = setting.keyword.opens else { return };
        let mut checker = Self {
            kind: Kind::new(setting),
            connection: ConnectionDraft::default(),
            pace: Pace::default(),
            log_all_failures: None,
            span: setting.head_span(),
        };
        let mut hosts = Vec::new();
        settings(setting.node.children(), block, report, |line, report| {
            if line.keyword.opens == Some(Block::SmtpHost) {
                hosts.push(line);
            } else {
                checker.set(line, names, report);
            }
        });
        if hosts.is_empty() && checker.check(setting, server, report) {
            return add(checker, report);
        }
        for host in hosts {
            if let Some(checker) = checker.host(host, server, names, report) {
                add(checker, report);
            }
        }
    }

    fn set(&mut self, line: Setting<'_, '_>, names: &mut Names, report: &mut Report) {
        if self.pace.read(line, report) || self.connection.read(line, report) {
            return;
        }
        if line.name() == "log_all_failures" {
            self.log_all_failures = line.boolean(report).or(self.log_all_failures);
            return;
        }
        match &mut self.kind {
            Kind::Http(draft) => draft.set(line, report),
            Kind::Smtp(draft) => draft.set(line, report),
            Kind::Dns(draft) => draft.set(line, report),
            Kind::Udp(draft) => draft.set(line, report),
            Kind::Grpc(draft) => draft.set(line, report),
            Kind::Misc(draft) => draft.set(line, report),
            Kind::File(draft) => draft.set(line, names, report),
            Kind::Bfd(name) => watch::set_session(name, line, names, report),
            Kind::Tcp | Kind::Ping => line.lacks(report),
        }
    }

    /// A `host` block: a checker of its own, which begins with what its `SMTP_CHECK` says.
    fn host(
        &self,
        host: Setting<'_, '_>,
        server: IpAddr,
        names: &mut Names,
        report: &mut Report,
    ) -> Option<Self> {
        super::smtp::note_host(host, report);
        let Kind::Smtp(smtp) = &self.kind else { return None };
        let mut checker = Self {
            kind: Kind::Smtp(smtp.clone()),
            connection: self.connection.clone(),
            span: host.head_span(),
            ..*self
        };
        settings(host.node.children(), Block::SmtpHost, report, |line, report| {
            checker.set(line, names, report)
        });
        checker.check(host, server, report).then_some(checker)
    }

    /// Whether it has all it needs. keepalived drops it if not.
    fn check(&mut self, setting: Setting<'_, '_>, server: IpAddr, report: &mut Report) -> bool {
        let complete = match &mut self.kind {
            Kind::Http(draft) => draft.check(setting, report),
            Kind::Udp(draft) => draft.check(setting, report),
            Kind::Grpc(draft) => draft.check(report),
            Kind::Misc(draft) => return draft.check(setting, report),
            Kind::Bfd(name) => return watch::check_session(name, setting, report),
            Kind::File(draft) => return draft.check(setting, report),
            Kind::Smtp(_) | Kind::Dns(_) | Kind::Tcp | Kind::Ping => true,
        };
        complete && self.connection.check(server, setting, report)
    }

    pub(super) fn span(&self) -> Span {
        self.span
    }

    /// The session that it listens to.
    pub(super) fn session(&self) -> Option<&Spanned<String>> {
        if let Kind::Bfd(name) = &self.kind { Some(name) } else { None }
    }

    pub(super) fn resolve(
        self,
        server: Endpoint,
        outer: &Pace,
        virtualhost: Option<&Arc<str>>,
        inherited: &Inherited<'_>,
    ) -> Checker {
        let pace = self.pace.within(outer);
        let alpha = pace.alpha.unwrap_or(false);
        let timeout = pace.connect_timeout();
        let connection = || self.connection.resolve(server, timeout);
        let (check, habit) = match self.kind {
            Kind::Tcp => (Check::Tcp(connection()), Habit::USUAL),
            Kind::Ping => (Check::Ping(connection()), Habit::USUAL),
            Kind::Http(draft) => (draft.resolve(connection(), virtualhost), Habit::HTTP),
            Kind::Smtp(draft) => (draft.resolve(connection()), Habit::USUAL),
            Kind::Dns(draft) => (draft.resolve(connection()), Habit::DNS),
            Kind::Udp(draft) => (draft.resolve(connection()), Habit::USUAL),
            Kind::Grpc(draft) => (draft.resolve(connection(), virtualhost), Habit::USUAL),
            Kind::Misc(draft) => (draft.resolve(inherited), Habit::MISC),
            Kind::Bfd(name) => {
                return Checker::Bfd(Box::new(BfdCheck { session: name.value.into_boxed_str(), alpha }));
            }
            Kind::File(draft) => return Checker::File(Box::new(draft.resolve(inherited.files))),
        };
        let interval = pace.interval();
        Checker::Probe(Probe {
            check,
            interval,
            warmup: pace.warmup.unwrap_or(interval),
            retry: pace.retry.unwrap_or(habit.retry),
            delay_before_retry: pace.delay_before_retry.or(habit.delay_before_retry).unwrap_or(interval),
            alpha,
            log_all_failures: self.log_all_failures.unwrap_or(inherited.global.log_all_failures),
        })
    }
}

impl Kind {
    /// The kind of checker that a block is.
    fn new(setting: Setting<'_, '_>) -> Self {
        match setting.name() {
            "HTTP_GET" => Self::Http(Box::new(HttpDraft::new(false))),
            "SSL_GET" => Self::Http(Box::new(HttpDraft::new(true))),
            "SMTP_CHECK" => Self::Smtp(SmtpDraft::default()),
            "DNS_CHECK" => Self::Dns(Box::default()),
            "UDP_CHECK" => Self::Udp(Box::default()),
            "GRPC_CHECK" => Self::Grpc(Box::default()),
            "MISC_CHECK" => Self::Misc(Box::default()),
            "BFD_CHECK" => Self::Bfd(Box::new(watch::no_session(setting))),
            "FILE_CHECK" => Self::File(Box::default()),
            "PING_CHECK" => Self::Ping,
            _ => Self::Tcp,
        }
    }
}
