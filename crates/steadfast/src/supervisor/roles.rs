//! The roles in which the supervisor starts this binary again.

use sys::reactor::Token;

use super::link::{Role, Tokens};
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
