//! How advertisements travel and which are believed.

use std::net::IpAddr;

use model::vrrp::{OldChecksum, Peer};

use crate::diagnostic::{Code, Diagnostic, shown, shown_bare};
use crate::keyword::{self, Arguments, Block};
use crate::lexer::Word;
use crate::lower::instance::{Instance, set};
use crate::lower::{Report, Setting, Spanned};
use crate::number;
use crate::source::Span;

/// How advertisements travel. `None` is "not said".
#[derive(Clone, Debug)]
pub(crate) struct TransportDraft {
    pub(crate) source: Option<Spanned<IpAddr>>,
    /// Something says that it is a unicast instance.
    pub(crate) unicast: Option<Span>,
    pub(crate) peers: Vec<Spanned<Peer>>,
    pub(crate) group: Option<Spanned<IpAddr>>,
    pub(crate) ttl: Option<Spanned<u8>>,
    pub(crate) fault_without_peers: bool,
    pub(crate) check_source: bool,
    pub(crate) checksum: OldChecksum,
    pub(crate) track_source: Option<Span>,
    pub(crate) v3_checksum_as_v2: Option<bool>,
    pub(crate) skip_check_adv_addr: Option<bool>,
    pub(crate) receive_buffer: Option<Spanned<u32>>,
}

impl TransportDraft {
    /// Nothing said.
    pub(crate) const EMPTY: Self = Self {
        source: None,
        unicast: None,
        peers: Vec::new(),
        group: None,
        ttl: None,
        fault_without_peers: false,
        check_source: false,
        checksum: OldChecksum::Detect,
        track_source: None,
        v3_checksum_as_v2: None,
        skip_check_adv_addr: None,
        receive_buffer: None,
    };

    /// Takes a line, if it is about transport and names no address, which could settle the family.
    pub(super) fn read(&mut self, setting: Setting<'_, '_>, report: &mut Report) -> bool {
        match setting.name() {
            "unicast_ttl" => set(&mut self.ttl, setting.number(report)),
            "unicast_fault_no_peer" => {
                self.fault_without_peers = setting.flag(report);
                self.unicast = Some(setting.span());
            }
            "check_unicast_src" => {
                self.check_source = setting.flag(report);
                self.unicast = Some(setting.span());
            }
            "old_unicast_checksum" => {
                self.unicast = Some(setting.span());
                set_checksum(&mut self.checksum, setting, report);
            }
            "track_src_ip" => {
                setting.flag(report);
                self.track_source = Some(setting.span());
            }
            "v3_checksum_as_v2" => set(&mut self.v3_checksum_as_v2, setting.boolean(report)),
            "skip_check_adv_addr" => set(&mut self.skip_check_adv_addr, setting.boolean(report)),
            "kernel_rx_buf_size" => {
                let size = setting.is_alone(report).then(|| setting.number(report));
                set(&mut self.receive_buffer, size.flatten());
            }
            _ => return false,
        }
        true
    }
}

fn set_checksum(slot: &mut OldChecksum, setting: Setting<'_, '_>, report: &mut Report) {
    setting.note_words_after(1, report);
    match setting.node.arguments().first() {
        None => *slot = OldChecksum::Always,
        Some(word) if word.text == "never" => *slot = OldChecksum::Never,
        Some(word) => {
            let diagnostic = setting.invalid(Code::InvalidChoice, word, "is no way to treat old checksums");
            report.push(diagnostic.help("write `never`, or nothing for always; the line has no effect"));
        }
    }
}

impl Instance {
    /// Takes a line, if it is about transport and names an address.
    pub(super) fn set_endpoint(&mut self, setting: Setting<'_, '_>, report: &mut Report) -> bool {
        match setting.name() {
            "mcast_src_ip" => self.set_source(setting, report),
            "unicast_src_ip" => {
                self.transport.unicast = Some(setting.span());
                self.set_source(setting, report);
            }
            "unicast_peer" => {
                self.transport.unicast = Some(setting.head_span());
                self.add_peers(setting, report);
            }
            "mcast_dst_ip" => {
                if let Some(group) = multicast(setting, report)
                    && self.takes(group, "destination", report)
                {
                    self.transport.group = Some(group);
                }
            }
            _ => return false,
        }
        true
    }

    fn set_source(&mut self, setting: Setting<'_, '_>, report: &mut Report) {
        let source = setting.address(report);
        if let (None, Some(word)) = (source, setting.node.arguments().first()) {
            let (subject, word) = (&report.subject, shown_bare(&word.text));
            let sentence = format!(
                "Configuration error: VRRP instance[{subject}] malformed src address[{word}]. Skipping..."
            );
            report.diagnostics.say_classic(sentence);
        }
        if let Some(source) = source
            && self.takes(source, "source", report)
        {
            self.transport.source = Some(source);
        }
    }

    fn add_peers(&mut self, block: Setting<'_, '_>, report: &mut Report) {
        for words in block.lines() {
            let [first, options @ ..] = words else { continue };
            let Some(address) = peer_address(first, report) else { continue };
            if self.takes(address, "peer", report) {
                let mut peer = Peer::from(address.value);
                self.transport.check_source |= read_options(&mut peer, options, report);
                self.transport.peers.push(Spanned { value: peer, span: first.span });
            }
        }
    }
}

/// An IPv4 multicast address, or an IPv6 one of the link.
fn multicast(setting: Setting<'_, '_>, report: &mut Report) -> Option<Spanned<IpAddr>> {
    let address = setting.address(report)?;
    let (fits, range) = match address.value {
        IpAddr::V4(group) => (group.is_multicast(), "multicast is 224.0.0.0 to 239.255.255.255"),
        IpAddr::V6(group) => {
            let [first, ..] = group.segments();
            (first & 0xff0f == 0xff02, "the multicast addresses of a link begin with `ff02:`")
        }
    };
    if fits {
        return Some(address);
    }
    let headline = format!("`{}` is no multicast address that routers of a link can use", address.value);
    report.push(
        Diagnostic::warning(Code::InvalidAddress, address.span, headline)
            .help(format!("{range}; the line has no effect")),
    );
    None
}

/// The address of a peer. A prefix length behind it is ignored.
fn peer_address(word: &Word<'_>, report: &mut Report) -> Option<Spanned<IpAddr>> {
    let (address, length) = word
        .text
        .split_once('/')
        .map_or_else(|| (word.text.as_ref(), None), |(address, length)| (address, Some(length)));
    let Ok(value) = address.parse() else {
        let headline = format!("{} is not the address of a peer; it is ignored", shown(&word.text));
        let sentence = format!(
            "Configuration error: VRRP instance[{}] malformed unicast peer address[{}]. Skipping...",
            report.subject,
            shown_bare(&word.text)
        );
        report.push(Diagnostic::warning(Code::InvalidAddress, word.span, headline).classic(sentence));
        return None;
    };
    if length.is_some() {
        let headline = "a peer is one host; the prefix length is ignored";
        report.push(Diagnostic::note(Code::ExtraWords, word.span, headline));
    }
    Some(Spanned { value, span: word.span })
}

/// `min_ttl` and `max_ttl`; whether there is one of them.
fn read_options(peer: &mut Peer, words: &[Word<'_>], report: &mut Report) -> bool {
    let mut limited = false;
    let mut words = words.iter();
    while let Some(word) = words.next() {
        let Some(keyword) = keyword::lookup(Block::UnicastPeers, &word.text) else {
            let headline =
                format!("{} is no option of a peer; the rest of the line is ignored", shown(&word.text));
            report.push(
                Diagnostic::warning(Code::InvalidChoice, word.span, headline)
                    .help("each peer needs a line of its own"),
            );
            break;
        };
        report.lacks(keyword.name, keyword.status, word.span);
        let Some(value) = words.next() else {
            let headline = format!("{} needs a value; it is ignored", shown(&word.text));
            report.push(Diagnostic::warning(Code::MissingArgument, word.span, headline));
            break;
        };
        debug_assert!(matches!(keyword.arguments, Arguments::Integer(_)), "the table says so");
        let Some(ttl) = number::integer(&value.text).ok().and_then(|ttl| u8::try_from(ttl).ok()) else {
            let headline = format!("{} is no TTL; it is ignored", shown(&value.text));
            report.push(
                Diagnostic::warning(Code::OutOfRange, value.span, headline).help("the range is 0 to 255"),
            );
            continue;
        };
        limited = true;
        match keyword.name {
            "min_ttl" => peer.min_ttl = ttl,
            _ => peer.max_ttl = ttl,
        }
        if peer.min_ttl > peer.max_ttl {
            let headline = format!("no TTL is {} or more and {} or less", peer.min_ttl, peer.max_ttl);
            report.push(
                Diagnostic::warning(Code::Transport, value.span, headline)
                    .help("every advertisement of this peer is refused"),
            );
        }
    }
    limited
}
