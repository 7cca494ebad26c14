//! How a keyword is written: its usage in the notation of manual pages, and a line that shows it.

use std::ops::RangeInclusive;

use super::{Absent, Arguments, Content, Keyword};
use crate::number::Decimal;

impl Keyword {
    /// The keyword and what follows it, in the notation of manual pages.
    #[must_use]
    pub fn usage(&self) -> String {
        let arguments = self.arguments.to_string();
        // Some notations show where the keyword itself stands.
        let mut usage = if self.is_placeholder() || arguments.starts_with(self.name) {
            arguments
        } else {
            format!("{} {arguments}", self.name)
        };
        if self.opens.is_some_and(|block| block.content() != Content::Options) && !usage.contains("block") {
            usage = format!("{} {{ … }}", usage.trim_end());
        }
        usage.trim_end().to_owned()
    }

    /// A line that uses the keyword and, where that can be said of one line, sets something else than the default.
    /// Without the braces of a block.
    #[must_use]
    pub fn example(&self) -> String {
        if !self.example.is_empty() {
            return self.example.to_owned();
        }
        let value = self.value();
        if self.is_placeholder() {
            return value;
        }
        format!("{} {value}", self.name).trim_end().to_owned()
    }

    /// Whether the name stands for the free first word of a line.
    pub(crate) fn is_placeholder(&self) -> bool {
        self.name.starts_with('(')
    }

    fn value(&self) -> String {
        match &self.arguments {
            Arguments::Flag => String::new(),
            Arguments::Bool => self.other_boolean().to_owned(),
            Arguments::Integer(range) | Arguments::WholeSeconds(range) => {
                self.other_number(range, &[2, 10, 100, 1, 0]).to_string()
            }
            Arguments::Weight(range) => self.other_number(range, &[-20, 10]).to_string(),
            Arguments::Seconds { micros, .. } => self.other_seconds(micros),
            Arguments::Word(placeholder) => example_word(placeholder).to_owned(),
            Arguments::Choice(words) => {
                let other = words.iter().find(|word| self.default != Absent::Text(word));
                (*other.or_else(|| words.first()).unwrap_or(&"")).to_owned()
            }
            Arguments::Address => "192.0.2.1".to_owned(),
            Arguments::Interface => "eth1".to_owned(),
            Arguments::Script => "/usr/local/bin/told.sh".to_owned(),
            Arguments::User => "nobody".to_owned(),
            Arguments::Grammar(_) => String::new(),
        }
    }

    fn other_boolean(&self) -> &'static str {
        match self.default {
            Absent::Text(text) if text.starts_with("true") || text.starts_with("on") => "off",
            Absent::Text(_) | Absent::Off | Absent::Required | Absent::Number(_) => "on",
        }
    }

    /// The first of `wanted`, or else an end of `range`, that is in `range` and not the default.
    fn other_number(&self, range: &RangeInclusive<i64>, wanted: &[i64]) -> i64 {
        let ends = [*range.end(), *range.start()];
        let fits = |number: &&i64| range.contains(*number) && self.default != Absent::Number(**number);
        wanted.iter().chain(&ends).find(fits).copied().unwrap_or_else(|| *range.start())
    }

    fn other_seconds(&self, micros: &RangeInclusive<u64>) -> String {
        const SECOND: u64 = 1_000_000;
        let default = match self.default {
            Absent::Number(number) => u64::try_from(number).ok().map(|secs| secs.saturating_mul(SECOND)),
            Absent::Text(_) | Absent::Off | Absent::Required => None,
        };
        let wanted = [2 * SECOND, 3 * SECOND, SECOND / 2, *micros.start(), *micros.end()];
        let fits = |span: &&u64| micros.contains(*span) && Some(**span) != default;
        Decimal(*wanted.iter().find(fits).unwrap_or_else(|| micros.start())).to_string()
    }
}

/// A word that may stand for a placeholder of the table.
fn example_word(placeholder: &str) -> &'static str {
    match placeholder {
        "ADDRESS" => "192.0.2.1",
        "INTEGER" => "10",
        "HEX" => "0f",
        "NAME" => "web",
        "DIRECTORY" => "/var/lib/steadfast",
        "PATH" | "ABSOLUTE-PATH" => "/var/lib/steadfast/file",
        "SOCKET" => "unix:/run/agentx.sock",
        "GLOB" => "conf.d/*.conf",
        "SCRIPT" => "/usr/local/bin/told.sh",
        "PORT-PORT" => "1024-65535",
        "INTEGER-INTEGER" => "1000-2000",
        _ => "text",
    }
}
