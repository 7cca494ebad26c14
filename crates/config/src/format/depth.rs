//! How deep in blocks each line stands, and whether braces pair.
//!
//! Which conditional lines count depends on the config id. Braces are therefore counted once for each id that the file
//! names, up to a bound, and once for any other.

use crate::lexer;

use super::pieces::{Kind, Piece, may_define};

/// More ids than these are not told apart.
const MOST_IDS: usize = 8;

/// Braces that do not pair, and where.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Imbalance {
    /// One that closes nothing.
    Stray(usize),
    /// One that is never closed.
    Unclosed(usize),
}

/// The depth of each piece.
pub(super) fn indents(text: &str, pieces: &[Piece]) -> Result<Vec<usize>, Imbalance> {
    let mut count = Count::new(text, pieces);
    let indents = pieces.iter().map(|piece| count.piece(text, piece)).collect();
    count.verdict()?;
    Ok(indents)
}

/// One for each reading of the conditions.
struct Count<'a> {
    /// The ids; the first reading is that of another id.
    readings: Vec<(Option<&'a str>, Reading)>,
    /// Open braces of the definition that is being read, if there is one.
    definition: Option<usize>,
    /// A definition opens blocks that it does not close: what the file says cannot be seen from its lines.
    uncertain: bool,
}

#[derive(Debug, Default)]
struct Reading {
    /// Where the blocks opened that are open.
    open: Vec<usize>,
    stray: Option<usize>,
}

impl<'a> Count<'a> {
    fn new(text: &'a str, pieces: &[Piece]) -> Self {
        let mut ids: Vec<Option<&str>> = vec![None];
        for piece in pieces.iter().filter(|piece| piece.kind == Kind::Special) {
            let id = condition(text.get(piece.code.clone()).unwrap_or_default()).map(|(id, _)| id);
            if id.is_some() && !ids.contains(&id) {
                ids.push(id);
            }
            if ids.len() > MOST_IDS {
                break;
            }
        }
        let readings = ids.into_iter().map(|id| (id, Reading::default())).collect();
        Self { readings, definition: None, uncertain: false }
    }

    /// Takes a piece and returns its depth.
    fn piece(&mut self, text: &str, piece: &Piece) -> usize {
        let code = text.get(piece.code.clone()).unwrap_or_default();
        let start = piece.code.start;
        match piece.kind {
            Kind::Unread => 0,
            Kind::Empty => self.depth(code),
            Kind::Words => {
                let depth = self.depth(code);
                piece.brace.into_iter().for_each(|at| self.brace(code, at, true));
                depth
            }
            Kind::Close => {
                self.brace(code, start, false);
                self.depth(code)
            }
            Kind::Special => self.special(code, start),
            Kind::Continued => self.continued(code),
        }
    }

    fn special(&mut self, code: &str, start: usize) -> usize {
        let rest = condition(code).map_or(code, |(_, rest)| rest);
        let goes_on = code.ends_with('\\') && may_define(code);
        if goes_on || rest.starts_with('$') && may_define(rest) {
            let braces = braces(rest);
            self.define(&braces);
            if !goes_on {
                self.end_definition();
            }
            return self.depth(code);
        }
        if is_include(rest) {
            return self.depth(code);
        }
        let offset = start + code.len() - rest.len();
        let braces = braces(rest);
        if rest.starts_with('~') && net(&braces) != 0 {
            self.uncertain = true;
        }
        let leading = leading_closers(rest);
        for (at, opens) in braces.iter().take(leading) {
            self.brace(code, offset + at, *opens);
        }
        let depth = self.depth(code);
        for (at, opens) in braces.iter().skip(leading) {
            self.brace(code, offset + at, *opens);
        }
        depth
    }

    fn continued(&mut self, code: &str) -> usize {
        let outer = self.depth("") + 1;
        let depth = self.definition.unwrap_or_default();
        let depth = outer + depth.saturating_sub(leading_closers(code));
        self.define(&braces(code));
        if !code.ends_with('\\') {
            self.end_definition();
        }
        depth
    }

    fn define(&mut self, braces: &[(usize, bool)]) {
        let mut depth = self.definition.unwrap_or_default();
        for (_, opens) in braces {
            match (opens, depth.checked_sub(1)) {
                (true, _) => depth += 1,
                (false, Some(outer)) => depth = outer,
                (false, None) => self.uncertain = true,
            }
        }
        self.definition = Some(depth);
    }

    fn end_definition(&mut self) {
        self.uncertain |= self.definition.take().is_some_and(|open| open > 0);
    }

    /// Counts a brace where the condition of its line holds.
    fn brace(&mut self, code: &str, at: usize, opens: bool) {
        for (_, reading) in self.readings.iter_mut().filter(|(id, _)| holds(code, *id)) {
            if opens {
                reading.open.push(at);
            } else if reading.open.pop().is_none() {
                reading.stray = reading.stray.or(Some(at));
            }
        }
    }

    /// The depth in the first reading in which the line counts.
    fn depth(&self, code: &str) -> usize {
        let reading = self.readings.iter().find(|(id, _)| holds(code, *id)).or_else(|| self.readings.first());
        reading.map_or(0, |(_, reading)| reading.open.len())
    }

    fn verdict(&self) -> Result<(), Imbalance> {
        if self.uncertain {
            return Ok(());
        }
        for (_, reading) in &self.readings {
            if let Some(at) = reading.stray {
                return Err(Imbalance::Stray(at));
            }
            if let Some(at) = reading.open.last() {
                return Err(Imbalance::Unclosed(*at));
            }
        }
        Ok(())
    }
}

/// The id of a conditional line, with `^` if that is how it is, and the text after it.
fn condition(code: &str) -> Option<(&str, &str)> {
    let rest = code.strip_prefix('@')?;
    let (id, rest) = rest.split_once([' ', '\t']).unwrap_or((rest, ""));
    Some((id.strip_prefix('^').unwrap_or(id), rest.trim_start_matches([' ', '\t'])))
}

/// Whether a line counts for the config id `id`, or for one that the file does not name.
fn holds(code: &str, id: Option<&str>) -> bool {
    match condition(code) {
        Some((wanted, _)) => (id == Some(wanted)) != code.starts_with("@^"),
        None => true,
    }
}

/// The names of files follow, whose braces are patterns.
fn is_include(code: &str) -> bool {
    code.starts_with("include")
}

/// The braces of a line: where they are, and whether they open.
fn braces(code: &str) -> Vec<(usize, bool)> {
    let opens = |at: usize| code.as_bytes().get(at) == Some(&b'{');
    lexer::braces(code).into_iter().map(|at| (at, opens(at))).collect()
}

fn net(braces: &[(usize, bool)]) -> isize {
    braces.iter().map(|(_, opens)| if *opens { 1 } else { -1 }).sum()
}

fn leading_closers(code: &str) -> usize {
    code.bytes().take_while(|byte| matches!(byte, b'}' | b' ' | b'\t')).filter(|byte| *byte == b'}').count()
}
