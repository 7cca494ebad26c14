//! The stable codes of diagnostics.

use std::fmt;

/// Lines with a finding, and the same lines put right. Lines of an instance stand without it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Example {
    /// As found.
    pub wrong: &'static str,
    /// As it should be.
    pub right: &'static str,
}

macro_rules! example {
    () => {
        None
    };
    ($wrong:literal, $right:literal) => {
        Some(Example { wrong: $wrong, right: $right })
    };
}

/// One row for each code: variant, number, what kind of finding it is, what `steadfast explain` says beyond that, and, if
/// a few lines can show it, wrong lines and right ones.
macro_rules! codes {
    ($(
        $(#[$attribute:meta])* $name:ident = $id:literal, $title:literal, $explanation:literal
        $(, $wrong:literal => $right:literal)?;
    )*) => {
        /// Which kind of finding a diagnostic is. The number never changes its meaning.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum Code {
            $(#[doc = concat!($id, ": ", $title, ".")] $(#[$attribute])* $name,)*
        }

        impl Code {
            /// Every code, in order of number.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// The code as it is printed, `SF0101`.
            #[must_use]
            pub const fn id(self) -> &'static str {
                match self {
                    $(Self::$name => $id,)*
                }
            }

            /// What kind of finding it is, in a few words.
            #[must_use]
            pub const fn title(self) -> &'static str {
                match self {
                    $(Self::$name => $title,)*
                }
            }

            /// Why it matters and what to do, in a few sentences.
            #[must_use]
            pub const fn explanation(self) -> &'static str {
                match self {
                    $(Self::$name => $explanation,)*
                }
            }

            /// Lines that show it, where a few can.
            #[must_use]
            pub const fn example(self) -> Option<Example> {
                match self {
                    $(Self::$name => example!($($wrong, $right)?),)*
                }
            }
        }
    };
}

codes! {
    UnreadableFile = "SF0101", "a file cannot be read", "";
    LineTooLong = "SF0102", "a line is longer than keepalived takes", "";
    NulByte = "SF0103", "a line has a NUL byte", "";
    NotUtf8 = "SF0104", "text outside a comment is not UTF-8", "";
    UnpairedQuote = "SF0105", "a double quote has no partner on its line", "";
    Preprocessing = "SF0106", "a preprocessing directive that is not built yet", "";
    MissingOpenBrace = "SF0201", "a block keyword without its brace", "";
    StrayOpenBrace = "SF0202", "an opening brace where none belongs", "";
    StrayCloseBrace = "SF0203", "a closing brace without a block", "";
    UnclosedBlock = "SF0204", "the end of the file inside a block", "";
    TooDeep = "SF0205", "blocks inside blocks, too deep to mean anything", "";
    UnknownKeyword = "SF0301", "a word that is no keyword of its block", "";
    NotBuilt = "SF0302", "a keyword that Steadfast does not have yet", "";
    ExtraWords = "SF0303", "words after all that the keyword takes", "";
    MissingArgument = "SF0304", "a keyword without its argument", "";
    Repeated = "SF0305", "a keyword whose first value stays in force is repeated", "";
    NoDirector = "SF0306", "load balancing, which Steadfast does not have yet", "";
    InvalidNumber = "SF0401", "not a number", "";
    OutOfRange = "SF0402", "a number outside its range", "";
    Adjusted = "SF0403", "a value that is rounded or adjusted", "";
    InvalidChoice = "SF0404", "not one of the words that may stand here", "";
    InvalidAddress = "SF0405", "not an address, or not one that fits here", "";
    InvalidInterface = "SF0406", "not an interface name", "";
    InvalidScript = "SF0407", "a script that cannot be made out", "";
    MissingInterface = "SF0408", "an interface that this host does not have", "";
    NoScriptSecurity = "SF0501", "scripts are configured, script security is not", "";
    ScriptWithoutCommand = "SF0601", "a `vrrp_script` without `script`", "";
    UnusedScript = "SF0602", "a script that nobody tracks", "";
    UndefinedScript = "SF0603", "a name that no `vrrp_script` has", "";
    DuplicateName = "SF0604", "a name that is taken", "";
    IncompleteInstance = "SF0701", "an instance without a keyword that it needs", "";
    DuplicateVrid = "SF0702", "a virtual router twice on one link", "";
    NoAddresses = "SF0703", "an instance without addresses", "";
    PasswordCut = "SF0704", "a password longer than the packet carries", "";
    Authentication = "SF0705", "authentication that is not used", "";
    Preemption = "SF0706", "preemption settings that do not go together", "";
    IdleWeight = "SF0707", "a weight that cannot act", "";
    Strict = "SF0708", "strict mode forbids it", "";
    DuplicateEntry = "SF0709", "an entry that is there already", "";
    Transport = "SF0710", "unicast and multicast settings that do not go together", "";
    TooManyAddresses = "SF0711", "more addresses than an advertisement carries", "";
}

impl Code {
    /// The file is right; this release does not act on it yet.
    #[must_use]
    pub const fn is_not_built(self) -> bool {
        matches!(self, Self::NotBuilt | Self::NoDirector)
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
