//! The stable codes of diagnostics.

use std::fmt;

/// Which kind of finding a diagnostic is. The number never changes its meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Code {
    /// SF0101: a file cannot be read.
    UnreadableFile,
    /// SF0102: a line is longer than keepalived takes.
    LineTooLong,
    /// SF0103: a line has a NUL byte.
    NulByte,
    /// SF0104: text outside a comment is not UTF-8.
    NotUtf8,
    /// SF0105: a double quote has no partner on its line.
    UnpairedQuote,
    /// SF0106: a preprocessing directive that is not built yet.
    Preprocessing,
    /// SF0201: a block keyword without its brace.
    MissingOpenBrace,
    /// SF0202: an opening brace where none belongs.
    StrayOpenBrace,
    /// SF0203: a closing brace without a block.
    StrayCloseBrace,
    /// SF0204: the end of the file inside a block.
    UnclosedBlock,
    /// SF0205: blocks inside blocks, too deep to mean anything.
    TooDeep,
    /// SF0301: a word that is no keyword of its block.
    UnknownKeyword,
    /// SF0302: a keyword that Steadfast does not have yet.
    NotBuilt,
    /// SF0303: words after all that the keyword takes.
    ExtraWords,
    /// SF0304: a keyword without its argument.
    MissingArgument,
    /// SF0305: a keyword whose first value stays in force is repeated.
    Repeated,
    /// SF0306: load balancing, which Steadfast does not have yet.
    NoDirector,
    /// SF0401: not a number.
    InvalidNumber,
    /// SF0402: a number outside its range.
    OutOfRange,
    /// SF0403: a value that is rounded or adjusted.
    Adjusted,
    /// SF0404: not one of the words that may stand here.
    InvalidChoice,
    /// SF0405: not an address, or not one that fits here.
    InvalidAddress,
    /// SF0406: not an interface name.
    InvalidInterface,
    /// SF0407: a script that cannot be made out.
    InvalidScript,
    /// SF0408: an interface that this host does not have. The language cannot know: who knows the host says it.
    MissingInterface,
    /// SF0501: scripts are configured, script security is not.
    NoScriptSecurity,
    /// SF0601: a `vrrp_script` without `script`.
    ScriptWithoutCommand,
    /// SF0602: a script that nobody tracks.
    UnusedScript,
    /// SF0603: a name that no `vrrp_script` has.
    UndefinedScript,
    /// SF0604: a name that is taken.
    DuplicateName,
    /// SF0701: an instance without a keyword that it needs.
    IncompleteInstance,
    /// SF0702: a virtual router twice on one link.
    DuplicateVrid,
    /// SF0703: an instance without addresses.
    NoAddresses,
    /// SF0704: a password longer than the packet carries.
    PasswordCut,
    /// SF0705: authentication that is not used.
    Authentication,
    /// SF0706: preemption settings that do not go together.
    Preemption,
    /// SF0707: a weight that cannot act.
    IdleWeight,
    /// SF0708: strict mode forbids it.
    Strict,
    /// SF0709: an entry that is there already.
    DuplicateEntry,
    /// SF0710: unicast and multicast settings that do not go together.
    Transport,
    /// SF0711: more addresses than an advertisement carries.
    TooManyAddresses,
}

impl Code {
    /// Every code, in order of number.
    pub const ALL: &[Self] = &[
        Self::UnreadableFile,
        Self::LineTooLong,
        Self::NulByte,
        Self::NotUtf8,
        Self::UnpairedQuote,
        Self::Preprocessing,
        Self::MissingOpenBrace,
        Self::StrayOpenBrace,
        Self::StrayCloseBrace,
        Self::UnclosedBlock,
        Self::TooDeep,
        Self::UnknownKeyword,
        Self::NotBuilt,
        Self::ExtraWords,
        Self::MissingArgument,
        Self::Repeated,
        Self::NoDirector,
        Self::InvalidNumber,
        Self::OutOfRange,
        Self::Adjusted,
        Self::InvalidChoice,
        Self::InvalidAddress,
        Self::InvalidInterface,
        Self::InvalidScript,
        Self::MissingInterface,
        Self::NoScriptSecurity,
        Self::ScriptWithoutCommand,
        Self::UnusedScript,
        Self::UndefinedScript,
        Self::DuplicateName,
        Self::IncompleteInstance,
        Self::DuplicateVrid,
        Self::NoAddresses,
        Self::PasswordCut,
        Self::Authentication,
        Self::Preemption,
        Self::IdleWeight,
        Self::Strict,
        Self::DuplicateEntry,
        Self::Transport,
        Self::TooManyAddresses,
    ];

    /// The code as it is printed, `SF0101`.
    #[must_use]
    pub const fn id(self) -> &'static str {
        match self {
            Self::UnreadableFile => "SF0101",
            Self::LineTooLong => "SF0102",
            Self::NulByte => "SF0103",
            Self::NotUtf8 => "SF0104",
            Self::UnpairedQuote => "SF0105",
            Self::Preprocessing => "SF0106",
            Self::MissingOpenBrace => "SF0201",
            Self::StrayOpenBrace => "SF0202",
            Self::StrayCloseBrace => "SF0203",
            Self::UnclosedBlock => "SF0204",
            Self::TooDeep => "SF0205",
            Self::UnknownKeyword => "SF0301",
            Self::NotBuilt => "SF0302",
            Self::ExtraWords => "SF0303",
            Self::MissingArgument => "SF0304",
            Self::Repeated => "SF0305",
            Self::NoDirector => "SF0306",
            Self::InvalidNumber => "SF0401",
            Self::OutOfRange => "SF0402",
            Self::Adjusted => "SF0403",
            Self::InvalidChoice => "SF0404",
            Self::InvalidAddress => "SF0405",
            Self::InvalidInterface => "SF0406",
            Self::InvalidScript => "SF0407",
            Self::MissingInterface => "SF0408",
            Self::NoScriptSecurity => "SF0501",
            Self::ScriptWithoutCommand => "SF0601",
            Self::UnusedScript => "SF0602",
            Self::UndefinedScript => "SF0603",
            Self::DuplicateName => "SF0604",
            Self::IncompleteInstance => "SF0701",
            Self::DuplicateVrid => "SF0702",
            Self::NoAddresses => "SF0703",
            Self::PasswordCut => "SF0704",
            Self::Authentication => "SF0705",
            Self::Preemption => "SF0706",
            Self::IdleWeight => "SF0707",
            Self::Strict => "SF0708",
            Self::DuplicateEntry => "SF0709",
            Self::Transport => "SF0710",
            Self::TooManyAddresses => "SF0711",
        }
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.id())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_in_order_and_unique() {
        assert!(Code::ALL.windows(2).all(|pair| pair[0].id() < pair[1].id()));
    }
}
