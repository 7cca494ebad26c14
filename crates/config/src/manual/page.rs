//! Manual pages, in the macros that every `man` has.

/// A manual page that is being written.
#[derive(Clone, Debug)]
pub struct Page {
    text: String,
    /// The next paragraph is the first under its heading, and needs no request.
    begins: bool,
}

impl Page {
    /// A page `name`(`section`) of this version of Steadfast.
    #[must_use]
    pub fn new(name: &str, section: u8, version: &str) -> Self {
        let head = [
            "\\# Made by `cargo xtask docs`; do not change it here.".to_owned(),
            // Without a date: pages are made at every change of a table.
            format!(".TH {} {section} \"\" \"Steadfast {version}\" \"Steadfast\"", name.to_uppercase()),
            // Keywords and options must not be broken, nor lines of them torn apart.
            ".nh".to_owned(),
            ".ad l".to_owned(),
        ];
        Self { text: head.join("\n") + "\n", begins: false }
    }

    /// The text of the page.
    #[must_use]
    pub fn finish(self) -> String {
        self.text
    }

    /// Begins a section.
    pub fn section(&mut self, title: &str) {
        self.request(".SH", &title.to_uppercase());
    }

    /// Begins a part of a section.
    pub fn part(&mut self, title: &str) {
        self.request(".SS", title);
    }

    /// A paragraph; what stands in backquotes is bold.
    pub fn paragraph(&mut self, text: &str) {
        if !std::mem::take(&mut self.begins) {
            self.text.push_str(".PP\n");
        }
        self.line(&inline(text));
    }

    /// A term and what it means.
    pub fn item(&mut self, term: &str, text: &str) {
        self.begins = false;
        self.text.push_str(".TP\n");
        // Endless terms may be broken between choices.
        self.line(&format!("\\fB{}\\fR", escaped(term).replace('|', "|\\:")));
        self.line(&inline(text));
    }

    /// Lines as they are.
    pub fn example(&mut self, lines: &str) {
        self.begins = false;
        self.text.push_str(".PP\n.RS 4\n.nf\n");
        for line in lines.lines() {
            self.text.push_str(&escaped(line));
            self.text.push('\n');
        }
        self.text.push_str(".fi\n.RE\n");
    }

    /// Text that is escaped already, on lines of a bearable length.
    pub fn line(&mut self, text: &str) {
        let mut length = 0;
        for word in text.trim_end().split(' ') {
            // At the start of a line it would be a request.
            let is_request = word.starts_with(['.', '\'']);
            if length > 0 && length + word.len() >= 79 && !is_request && !word.is_empty() {
                self.text.push('\n');
                length = 0;
            } else if length > 0 {
                self.text.push(' ');
                length += 1;
            }
            self.text.push_str(word);
            length += word.len();
        }
        self.text.push('\n');
        self.begins = false;
    }

    fn request(&mut self, request: &str, argument: &str) {
        self.text.push_str(&format!("{request} \"{}\"\n", escaped(argument).replace('"', "\\(dq")));
        self.begins = true;
    }
}

/// Text of which nothing is taken for markup.
pub(super) fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    if text.starts_with(['.', '\'']) {
        out.push_str("\\&");
    }
    for c in text.chars() {
        match c {
            '\\' => out.push_str("\\e"),
            '-' => out.push_str("\\-"),
            '~' => out.push_str("\\(ti"),
            '^' => out.push_str("\\(ha"),
            '`' => out.push_str("\\(ga"),
            '\'' => out.push_str("\\(aq"),
            '…' => out.push_str("..."),
            '§' => out.push_str("\\(sc"),
            c => out.push(c),
        }
    }
    out
}

/// Escaped text, where what stood in backquotes is bold.
fn inline(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    for (at, part) in text.split('`').enumerate() {
        let part = escaped(part);
        out.push_str(&if at % 2 == 0 { part } else { format!("\\fB{part}\\fR") });
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_taken_for_markup() {
        let mut page = Page::new("a", 8, "1");
        page.paragraph(".SH is no `-x` request \\ here");
        assert!(page.finish().ends_with(".PP\n\\&.SH is no \\fB\\-x\\fR request \\e here\n"));
    }
}
