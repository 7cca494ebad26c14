//! The numbers that make an advertisement newer than another: our own, and the last of everybody else.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use model::vrrp::{Auth, Hmac, HmacKey, HmacMode, Instance, KeySource};
use wire::signature::{Stamp, sign};

use crate::Outgoing;

/// Who is remembered beside the configured peers.
const MOST_STRANGERS: usize = 4;

/// What an instance knows of its own numbers and those of others.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sequences {
    /// Of our last signature.
    signed: Option<Stamp>,
    /// The greatest in an authentication header, ours or theirs: keepalived knows only one number for all senders, so
    /// ours must be above what others have said.
    greatest: Option<u32>,
    /// The greatest believed signature of each sender.
    pub(super) stamps: Marks<Stamp>,
    /// The last believed authentication header of each sender.
    pub(super) headers: Marks<u32>,
}

impl Sequences {
    /// Makes `outgoing` the newest advertisement, at `wall` on the wall clock; false if it cannot be signed and must be.
    pub(super) fn number(&mut self, config: &Instance, wall: Duration, outgoing: &mut Arc<Outgoing>) -> bool {
        if let Auth::Ah(_) = config.auth {
            let sequence = self.next_sequence(wall);
            Arc::make_mut(outgoing).sequence = sequence;
        }
        let Some(hmac) = config.hmac.as_ref().filter(|hmac| hmac.mode != HmacMode::ReceiveOnly) else {
            return true;
        };
        let Some(key) = key(hmac, hmac.active.get()) else { return false };
        let stamp = self.next_stamp(wall);
        let signature = sign(&outgoing.advert(), outgoing.source, hmac.active, key, stamp);
        Arc::make_mut(outgoing).signature = Some(signature);
        true
    }

    /// Remembers that `sender` has proved itself with this number.
    pub(super) fn heard(&mut self, config: &Instance, sender: IpAddr, auth: wire::vrrp::Auth<'_>) {
        let is_peer = |of: IpAddr| is_peer(config, of);
        match auth {
            wire::vrrp::Auth::Signed(signed) if config.hmac.is_some() => {
                self.stamps.set(sender, signed.signature().stamp(), is_peer);
            }
            wire::vrrp::Auth::Ah(header) => {
                let sequence = header.sequence();
                self.headers.set(sender, sequence, is_peer);
                if self.greatest.is_none_or(|greatest| follows(sequence, greatest)) {
                    self.greatest = Some(sequence);
                }
            }
            wire::vrrp::Auth::Signed(_)
            | wire::vrrp::Auth::None
            | wire::vrrp::Auth::Pass(_)
            | wire::vrrp::Auth::Other(_) => {}
        }
    }

    /// The clock, or the number after the last if the clock has not moved on or was set back.
    fn next_stamp(&mut self, wall: Duration) -> Stamp {
        let clock = Stamp::at(wall);
        let stamp = match self.signed {
            Some(last) if !clock.is_after(last) => last.next(),
            Some(_) | None => clock,
        };
        self.signed = Some(stamp);
        stamp
    }

    /// The first is the clock's: after a restart it must be above the numbers of the life before.
    fn next_sequence(&mut self, wall: Duration) -> u32 {
        let clock = u32::try_from(wall.as_secs() & u64::from(u32::MAX)).unwrap_or(0).max(1);
        let sequence = match self.greatest {
            Some(greatest) => greatest.wrapping_add(1).max(1),
            None => clock,
        };
        self.greatest = Some(sequence);
        sequence
    }
}

/// The last number of each sender, the latest sender last.
#[derive(Clone, Debug)]
pub(super) struct Marks<T>(Vec<(IpAddr, T)>);

impl<T> Default for Marks<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T: Copy> Marks<T> {
    /// The last number of `sender`.
    pub(super) fn of(&self, sender: IpAddr) -> Option<T> {
        self.0.iter().find(|(known, _)| *known == sender).map(|(_, number)| *number)
    }

    fn set(&mut self, sender: IpAddr, number: T, is_peer: impl Fn(IpAddr) -> bool) {
        self.0.retain(|(known, _)| *known != sender);
        self.0.push((sender, number));
        let strangers = || self.0.iter().enumerate().filter(|(_, (known, _))| !is_peer(*known));
        if strangers().count() > MOST_STRANGERS
            && let Some((oldest, _)) = strangers().next()
        {
            self.0.remove(oldest);
        }
    }
}

/// The bytes of the key with this number. Files have been read by who started us.
pub(super) fn key(hmac: &Hmac, id: u8) -> Option<&[u8]> {
    let HmacKey { source, .. } = hmac.keys.iter().find(|key| key.id.get() == id)?;
    match source {
        KeySource::Bytes(bytes) => Some(bytes.reveal()),
        KeySource::File(_) => None,
    }
}

/// Whether a sender whose last number was `last` may send `next`. Who has counted to the end begins anew.
pub(super) const fn follows(next: u32, last: u32) -> bool {
    const END: u32 = 1 << 16;
    next > last || last - next > u32::MAX - END
}

fn is_peer(config: &Instance, sender: IpAddr) -> bool {
    match &config.transport {
        model::vrrp::Transport::Multicast { .. } => false,
        model::vrrp::Transport::Unicast { peers, .. } => peers.iter().any(|peer| peer.address == sender),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_has_counted_to_the_end_begins_anew() {
        assert!(follows(2, 1) && follows(u32::MAX, 1) && follows(1, u32::MAX) && follows(9, u32::MAX - 9));
        assert!(!follows(1, 1) && !follows(1, 2) && !follows(1, 1 << 31) && !follows(1 << 20, u32::MAX));
    }

    #[test]
    fn a_clock_that_stands_or_goes_back_does_not_repeat_a_number() {
        let mut ours = Sequences::default();
        let at = |secs| Duration::from_secs(secs);
        let stamps = [1000, 1000, 1001, 500, 1002].map(|secs| ours.next_stamp(at(secs)));
        assert!(stamps.is_sorted_by(|one, next| next.is_after(*one)));
        assert_eq!(stamps[4], Stamp::at(at(1002)), "the clock again as soon as it has caught up");
        let numbers = [1000, 1000, 5].map(|secs| ours.next_sequence(at(secs)));
        assert_eq!(numbers, [1000, 1001, 1002]);
        ours.greatest = Some(u32::MAX);
        assert_eq!(ours.next_sequence(at(1)), 1);
    }

    #[test]
    fn peers_and_four_others_are_remembered() {
        let sender = |n: u8| IpAddr::from([10, 0, 0, n]);
        let mut marks = Marks::default();
        let peer = |of: IpAddr| of == sender(1);
        for n in 1..=6 {
            marks.set(sender(n), u32::from(n), peer);
        }
        marks.set(sender(4), 40, peer);
        marks.set(sender(7), 7, peer);
        let known: Vec<_> = (1..=7).filter_map(|n| marks.of(sender(n))).collect();
        assert_eq!(known, [1, 40, 5, 6, 7]);
    }
}
