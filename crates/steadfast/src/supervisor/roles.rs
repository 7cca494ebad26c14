//! The roles in which the supervisor starts this binary again.

use sys::reactor::Token;

use super::link::{Role, Tokens};
use crate::message::check::{FromChecker, ToChecker};
use crate::message::{FromWorker, ToWorker};
use crate::program;

/// VRRP.
#[derive(Debug)]
pub(super) struct Vrrp;

impl Role for Vrrp {
    type Order = ToWorker;
    type Report = FromWorker;
    const ARGUMENT: &'static str = program::VRRP;
    const NAME: &'static str = "vrrp worker";
    const TITLE: &'static str = "VRRP";
    const TOKENS: Tokens = Tokens { channel: Token(1), child: Token(2) };
    const CONFIGURE: ToWorker = ToWorker::Configure;
}

/// Health checks.
#[derive(Debug)]
pub(super) struct Checkers;

impl Role for Checkers {
    type Order = ToChecker;
    type Report = FromChecker;
    const ARGUMENT: &'static str = program::CHECKERS;
    const NAME: &'static str = "check worker";
    const TITLE: &'static str = "Healthcheck";
    const TOKENS: Tokens = Tokens { channel: Token(10), child: Token(11) };
    const CONFIGURE: ToChecker = ToChecker::Configure;
}
