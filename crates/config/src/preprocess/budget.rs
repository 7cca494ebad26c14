//! How much text a few lines may make of themselves.

/// Bounds on what is read and made. Beyond them a configuration is a mistake or an attack.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Lines, of files and made ones, directives included. Empty ones may count.
    pub lines: usize,
    /// Bytes of files, each reading counted.
    pub read: usize,
    /// Bytes that substitution makes.
    pub made: usize,
    /// Readings of files.
    pub files: usize,
    /// Files within files, and values within values.
    pub depth: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { lines: 4_000_000, read: 1 << 30, made: 256 << 20, files: 100_000, depth: 64 }
    }
}

/// What is left of the [`Limits`].
#[derive(Debug)]
pub(super) struct Budget {
    left: Limits,
    /// What went beyond them, until it is told.
    exceeded: Option<String>,
    spent: bool,
}

impl Budget {
    pub(super) const fn new(limits: Limits) -> Self {
        Self { left: limits, exceeded: None, spent: false }
    }

    /// Nothing more is to be read.
    pub(super) const fn is_spent(&self) -> bool {
        self.spent
    }

    /// What to tell, once.
    pub(super) const fn exceeded(&mut self) -> Option<String> {
        self.exceeded.take()
    }

    /// How many more lines there is room for.
    pub(super) const fn lines_left(&self) -> usize {
        self.left.lines
    }

    /// Accounts for no more lines than there is room for.
    pub(super) const fn lines(&mut self, count: usize) {
        self.left.lines = self.left.lines.saturating_sub(count);
    }

    pub(super) fn line(&mut self) {
        match self.left.lines.checked_sub(1) {
            Some(left) => self.left.lines = left,
            None => self.exceed("lines"),
        }
    }

    pub(super) fn made(&mut self, bytes: usize) {
        match self.left.made.checked_sub(bytes) {
            Some(left) => self.left.made = left,
            None => self.exceed("bytes in the place of parameters"),
        }
    }

    /// Accounts for the reading of a file. Gives whether there is room for it.
    pub(super) fn file(&mut self, bytes: usize) -> bool {
        match (self.left.read.checked_sub(bytes), self.left.files.checked_sub(1)) {
            (Some(read), Some(files)) => {
                (self.left.read, self.left.files) = (read, files);
                true
            }
            (None, _) => {
                self.exceed("bytes in files");
                false
            }
            (_, None) => {
                self.exceed("files");
                false
            }
        }
    }

    fn exceed(&mut self, what: &str) {
        if !self.spent {
            self.spent = true;
            self.exceeded = Some(format!("there are too many {what} from here on"));
        }
    }
}
