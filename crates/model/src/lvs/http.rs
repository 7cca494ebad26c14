//! `HTTP_GET` and `SSL_GET`.

use std::fmt;
use std::ops::RangeInclusive;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::Connection;

/// Pages that a server must serve (`HTTP_GET`, `SSL_GET`).
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct HttpCheck {
    /// How it reaches the server.
    pub connection: Connection,
    /// `SSL_GET`; `HTTP_GET` if `None`.
    pub tls: Option<TlsOptions>,
    /// `http_protocol`.
    pub version: HttpVersion,
    /// HTTP/2 is spoken, whatever `version` says (`steadfast { http_version }`).
    pub http2: bool,
    /// At start and after a failure the pages are asked for without pauses (`fast_recovery`).
    pub fast_recovery: bool,
    /// The pages (`url`), at least one.
    pub requests: Vec<Request>,
}

/// What a request says of its HTTP version (`http_protocol`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum HttpVersion {
    /// `1.0`.
    V10,
    /// `1.0C`: with a line `Connection: close`.
    V10Close,
    /// `1.0c`: with a line `Connection: close`, and nothing about what is accepted.
    V10CloseShort,
    /// `1.1`, which has that line too.
    V11,
}

/// How a checker speaks TLS.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct TlsOptions {
    /// The server name in the handshake (`enable_sni`); none if `None`.
    pub server_name: Option<ServerName>,
    /// Whose certificates are taken (`steadfast { verify_certificate }`).
    pub trust: Trust,
    /// So many days before a certificate ends it is warned of (`steadfast { certificate_expiry_warning }`).
    pub expiry_warning_days: Option<u16>,
    /// What is shown to a server that asks who is there; what the block `SSL` says if `None`.
    pub identity: Option<Box<Identity>>,
}

/// Whose certificates a checker takes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Trust {
    /// Any certificate will do.
    #[default]
    Anybody,
    /// It must be good, by the authorities of the block `SSL` (`ca`), or else by those of the system.
    Shared,
    /// It must be good, by the authorities in this file.
    File(Box<str>),
}

/// A certificate of a checker's own (`steadfast { certificate, key }`). A file may hold both.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Identity {
    /// The file of the certificate and those between it and its authority.
    pub certificate: Box<str>,
    /// The file of the key. Its pass phrase, if it has one, is that of the block `SSL`.
    pub key: Box<str>,
}

/// Which name a handshake carries.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum ServerName {
    /// The `Host` of the request.
    Host,
    /// `sni_name`.
    Name(Box<str>),
}

/// One page and what it must be like (`url`).
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Request {
    /// `path`.
    pub path: Box<str>,
    /// The `Host` line (`virtualhost`); the server's address if `None`.
    pub host: Option<Arc<str>>,
    /// Which status codes are accepted (`status_code`).
    pub status: StatusSet,
    /// The MD5 digest that the body must have (`digest`).
    pub digest: Option<Box<[u8; 16]>>,
    /// What the body must match (`regex`).
    pub regex: Option<Box<Regex>>,
    /// The TLS session is ended with a close alert (`tls_compliant`).
    pub tls_compliant: bool,
}

/// What a body must match (`regex`).
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Regex {
    /// The pattern, in the syntax of PCRE2.
    pub pattern: Box<str>,
    /// It must not match (`regex_no_match`).
    pub inverted: bool,
    /// `regex_options`.
    pub options: RegexOptions,
    /// A match begins here or later, in bytes (`regex_min_offset`).
    pub min_offset: u64,
    /// A match begins here or earlier (`regex_max_offset`); anywhere if `None`.
    pub max_offset: Option<u64>,
    /// First and greatest size of the stack for matching, in bytes (`regex_stack`); the library's if `None`.
    pub stack: Option<(u64, u64)>,
}

macro_rules! regex_options {
    ($($name:ident = $word:literal, $doc:literal;)*) => {
        /// An option of a pattern (`regex_options`).
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum RegexOption {
            $(#[doc = concat!("`", $word, "`: ", $doc, ".")] #[serde(rename = $word)] $name,)*
        }

        impl RegexOption {
            /// Every option.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// The word in the configuration.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$name => $word,)*
                }
            }
        }
    };
}

regex_options! {
    AllowEmptyClass = "allow_empty_class", "`[]` matches nothing";
    AltBsux = "alt_bsux", "`\\u`, `\\U` and `\\x` as in JavaScript";
    AutoCallout = "auto_callout", "callouts before each item";
    Caseless = "caseless", "case does not matter";
    DollarEndonly = "dollar_endonly", "`$` is the very end only";
    Dotall = "dotall", "`.` matches newlines";
    Dupnames = "dupnames", "groups may share a name";
    Extended = "extended", "blanks and comments in the pattern";
    Firstline = "firstline", "a match begins in the first line";
    MatchUnsetBackref = "match_unset_backref", "a reference to an unset group is empty";
    Multiline = "multiline", "`^` and `$` act at each line";
    NeverUcp = "never_ucp", "the pattern cannot ask for `ucp`";
    NeverUtf = "never_utf", "the pattern cannot ask for `utf`";
    NoAutoCapture = "no_auto_capture", "plain parentheses do not capture";
    NoAutoPossess = "no_auto_possess", "no possessive repeats";
    NoDotstarAnchor = "no_dotstar_anchor", "no anchoring of a leading `.*`";
    NoStartOptimize = "no_start_optimize", "no shortcuts at the start";
    Ucp = "ucp", "Unicode classes";
    Ungreedy = "ungreedy", "repeats are lazy";
    Utf = "utf", "pattern and body are UTF-8";
    NeverBackslashC = "never_backslash_c", "`\\C` is refused";
    AltCircumflex = "alt_circumflex", "`^` acts after a final newline too";
    AltVerbnames = "alt_verbnames", "escapes in names of verbs";
    UseOffsetLimit = "use_offset_limit", "`regex_max_offset` bounds the match";
}

/// A set of options.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(from = "Vec<RegexOption>", into = "Vec<RegexOption>")]
pub struct RegexOptions(u32);

impl RegexOptions {
    /// Adds one.
    pub fn insert(&mut self, option: RegexOption) {
        self.0 |= Self::bit(option);
    }

    /// Whether it is there.
    #[must_use]
    pub fn contains(self, option: RegexOption) -> bool {
        self.0 & Self::bit(option) != 0
    }

    /// Those that are there, in a fixed order.
    pub fn iter(self) -> impl Iterator<Item = RegexOption> {
        RegexOption::ALL.iter().copied().filter(move |&option| self.contains(option))
    }

    fn bit(option: RegexOption) -> u32 {
        let before = RegexOption::ALL.iter().take_while(|&&other| other != option);
        before.fold(1, |bit, _| bit << 1)
    }
}

impl From<Vec<RegexOption>> for RegexOptions {
    fn from(options: Vec<RegexOption>) -> Self {
        let mut set = Self::default();
        options.into_iter().for_each(|option| set.insert(option));
        set
    }
}

impl From<RegexOptions> for Vec<RegexOption> {
    fn from(options: RegexOptions) -> Self {
        options.iter().collect()
    }
}

impl fmt::Debug for RegexOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}

/// Status codes that follow each other, both ends included.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct StatusRange {
    /// The first.
    pub first: u16,
    /// The last.
    pub last: u16,
}

/// A set of status codes of 100..=599.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(from = "Vec<StatusRange>", into = "Vec<StatusRange>")]
pub struct StatusSet {
    /// One bit for each code from 100 on.
    bits: [u64; 8],
}

impl StatusSet {
    /// The codes that there are.
    pub const CODES: RangeInclusive<u16> = 100..=599;
    /// None.
    pub const EMPTY: Self = Self { bits: [0; 8] };
    /// 200 to 299, what holds if the configuration does not say.
    pub const SUCCESS: Self = Self { bits: [0, 0xffff_fff0_0000_0000, u64::MAX, 0xff, 0, 0, 0, 0] };

    /// Adds one code. Others than [`Self::CODES`] are left out.
    pub fn insert(&mut self, code: u16) {
        let Some(at) = code.checked_sub(100).filter(|_| Self::CODES.contains(&code)) else { return };
        if let Some(word) = self.bits.get_mut(usize::from(at / 64)) {
            *word |= 1 << (at % 64);
        }
    }

    /// Adds all codes of `range`.
    pub fn extend(&mut self, range: StatusRange) {
        let first = range.first.max(*Self::CODES.start());
        (first..=range.last.min(*Self::CODES.end())).for_each(|code| self.insert(code));
    }

    /// Whether it is accepted.
    #[must_use]
    pub fn contains(&self, code: u16) -> bool {
        let word = code.checked_sub(100).and_then(|at| Some((at, self.bits.get(usize::from(at / 64))?)));
        word.is_some_and(|(at, word)| word & (1 << (at % 64)) != 0)
    }

    /// As few ranges as possible, in order.
    #[must_use]
    pub fn ranges(&self) -> Vec<StatusRange> {
        let mut ranges: Vec<StatusRange> = Vec::new();
        for code in Self::CODES.filter(|&code| self.contains(code)) {
            match ranges.last_mut() {
                Some(range) if range.last + 1 == code => range.last = code,
                _ => ranges.push(StatusRange { first: code, last: code }),
            }
        }
        ranges
    }
}

impl From<Vec<StatusRange>> for StatusSet {
    fn from(ranges: Vec<StatusRange>) -> Self {
        let mut set = Self::EMPTY;
        ranges.into_iter().for_each(|range| set.extend(range));
        set
    }
}

impl From<StatusSet> for Vec<StatusRange> {
    fn from(set: StatusSet) -> Self {
        set.ranges()
    }
}

impl fmt::Debug for StatusSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.ranges()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn status_codes_are_a_set() {
        assert_eq!(StatusSet::SUCCESS.ranges(), [StatusRange { first: 200, last: 299 }]);
        let mut set = StatusSet::EMPTY;
        for (first, last) in [(100, 100), (599, 700), (301, 302), (303, 303), (0, 50)] {
            set.extend(StatusRange { first, last });
        }
        let ranges: Vec<_> = set.ranges().iter().map(|range| (range.first, range.last)).collect();
        assert_eq!(ranges, [(100, 100), (301, 303), (599, 599)]);
        assert!(set.contains(302) && !set.contains(304) && !set.contains(0) && !set.contains(u16::MAX));
        let text = serde_json::to_string(&set).unwrap();
        assert_eq!(serde_json::from_str::<StatusSet>(&text).unwrap(), set);
    }

    #[test]
    fn options_are_a_set_of_words() {
        let mut set = RegexOptions::default();
        set.insert(RegexOption::Utf);
        set.insert(RegexOption::Caseless);
        assert_eq!(serde_json::to_string(&set).unwrap(), r#"["caseless","utf"]"#);
        assert_eq!(serde_json::from_str::<RegexOptions>(r#"["utf","caseless"]"#).unwrap(), set);
        assert!(RegexOption::ALL.len() <= 32);
    }
}
