//! Text that substitution made, and from what.
//!
//! All of it stands in one buffer. [`Part`]s say where each stretch of it was written; a [`Way`] is a chain of steps that
//! led there, shared by all that went the same way.

use std::ops::Range;

use super::{SourceMap, Span, offset};

/// How text came to mean something: an index into the steps of an [`Expansion`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Way(u32);

impl Way {
    /// The text stands in the file as it is meant.
    pub(crate) const STRAIGHT: Self = Self(0);
}

/// Which definition of a parameter: a name can be defined many times.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct DefinitionId(u32);

/// A piece of text: as it was written, or as substitution made it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Strand {
    /// It stands in a file.
    Written(Span),
    /// It stands in the buffer.
    Made { start: u32, end: u32 },
}

impl Strand {
    /// The bytes `range` of it.
    pub(crate) fn part(self, range: Range<usize>) -> Self {
        match self {
            Self::Written(span) => Self::Written(span.part(range)),
            Self::Made { start, end } => {
                let first = start.saturating_add(offset(range.start)).min(end);
                Self::Made { start: first, end: start.saturating_add(offset(range.end)).clamp(first, end) }
            }
        }
    }
}

/// Where a stretch of the buffer was written. It ends where the next one starts.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Part {
    /// Where it starts in the buffer.
    pub(crate) at: u32,
    pub(crate) origin: Origin,
}

/// Where text was written.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Origin {
    /// The text itself, or the use of the parameter that it is the value of.
    pub(crate) span: Span,
    /// Byte for byte so.
    pub(crate) verbatim: bool,
}

impl Origin {
    /// Of the bytes from `skip` on.
    pub(crate) fn skip(self, skip: usize) -> Self {
        if self.verbatim { Self { span: self.span.part(skip..usize::MAX), ..self } } else { self }
    }
}

/// One step of a way.
#[derive(Clone, Copy, Debug)]
pub(super) struct WayStep {
    /// What led there.
    pub(super) parent: Way,
    pub(super) kind: WayKind,
    pub(super) definition: DefinitionId,
    /// Where the parameter is used, or the repetition stands.
    pub(super) at: Span,
    /// What the parameter stood for.
    value: (u32, u32),
}

/// What happened at a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum WayKind {
    /// A parameter was replaced by its value.
    Replaced,
    /// A parameter was replaced that stands in the value of another one.
    Within,
    /// A line was taken from a value of several lines.
    Line,
    /// A repetition set its parameter.
    Repeated,
}

/// What is remembered of a definition.
#[derive(Clone, Debug)]
pub(super) struct Defined {
    pub(super) name: Box<str>,
    /// Where its value stands, unless it was made.
    pub(super) span: Option<Span>,
    pub(super) secret: bool,
}

/// The buffer, and what leads back from it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Expansion {
    text: String,
    parts: Vec<Part>,
    steps: Vec<WayStep>,
    definitions: Vec<Defined>,
}

impl Expansion {
    /// Adds text.
    pub(crate) fn push(&mut self, text: &str) -> Strand {
        let start = offset(self.text.len());
        self.text.push_str(text);
        Strand::Made { start, end: offset(self.text.len()) }
    }

    /// Notes where the text that was added last was written; offsets count from its start.
    pub(crate) fn came_from(&mut self, text: Strand, parts: impl IntoIterator<Item = Part>) {
        if let Strand::Made { start, .. } = text {
            let moved = |part: Part| Part { at: part.at.saturating_add(start), ..part };
            self.parts.extend(parts.into_iter().map(moved));
        }
    }

    pub(crate) fn define(&mut self, name: &str, span: Option<Span>) -> DefinitionId {
        self.definitions.push(Defined { name: name.into(), span, secret: false });
        DefinitionId(offset(self.definitions.len() - 1))
    }

    /// One step further than `parent`. `value` must be text of the buffer.
    pub(crate) fn step(
        &mut self,
        parent: Way,
        kind: WayKind,
        definition: DefinitionId,
        at: Span,
        value: Option<Strand>,
    ) -> Way {
        let value = match value {
            Some(Strand::Made { start, end }) => (start, end),
            Some(Strand::Written(_)) | None => (0, 0),
        };
        self.steps.push(WayStep { parent, kind, definition, at, value });
        Way(offset(self.steps.len()))
    }

    /// The steps of a way, the last first.
    pub(super) fn steps(&self, way: Way) -> impl Iterator<Item = &WayStep> {
        let step = |way: Way| self.steps.get(usize::try_from(way.0).ok()?.checked_sub(1)?);
        std::iter::successors(step(way), move |last| step(last.parent))
    }

    /// How many values of several lines the way leads through, and whether this one is among them.
    pub(crate) fn lines_of(&self, way: Way, definition: DefinitionId) -> (usize, bool) {
        let within = self.steps(way).filter(|step| step.kind == WayKind::Line);
        within.fold((0, false), |(depth, found), step| (depth + 1, found || step.definition == definition))
    }

    pub(super) fn definition(&self, id: DefinitionId) -> Option<&Defined> {
        self.definitions.get(usize::try_from(id.0).ok()?)
    }

    /// What the parameter stood for at `step`.
    pub(super) fn value(&self, step: &WayStep) -> &str {
        self.made(step.value.0, step.value.1)
    }

    pub(super) fn made(&self, start: u32, end: u32) -> &str {
        let index = |at| usize::try_from(at).unwrap_or(usize::MAX);
        self.text.get(index(start)..index(end)).unwrap_or_default()
    }

    /// The parts of the bytes from `start` to `end`, the first perhaps from before `start`.
    pub(crate) fn parts(&self, start: u32, end: u32) -> &[Part] {
        parts_of(&self.parts, start, end)
    }

    /// From now on the values of the parameters that `span` was made of are not shown. Gives where they stand.
    pub(super) fn hide(&mut self, span: Span) -> Vec<Span> {
        let used: Vec<DefinitionId> = self
            .steps(span.way())
            .filter(|step| step.kind != WayKind::Line)
            .filter(|step| step.kind == WayKind::Repeated || step.at.overlaps(span))
            .map(|step| step.definition)
            .collect();
        let mut places = Vec::new();
        for id in used {
            let index = usize::try_from(id.0).unwrap_or(usize::MAX);
            let Some(definition) = self.definitions.get_mut(index) else { continue };
            definition.secret = true;
            places.extend(definition.span);
        }
        places
    }
}

impl SourceMap {
    /// The text of a strand.
    pub(crate) fn strand(&self, strand: Strand) -> &str {
        match strand {
            Strand::Written(span) => self.text(span),
            Strand::Made { start, end } => self.expansion().made(start, end),
        }
    }

    /// Where a strand was written; of one that was put together from several places, the first.
    pub(crate) fn place(&self, strand: Strand) -> Span {
        let (start, end) = match strand {
            Strand::Written(span) => return span,
            Strand::Made { start, end } => (start, end),
        };
        place(self.expansion().parts(start, end.max(start.saturating_add(1))), start, end)
    }
}

/// Those of `parts` that the bytes from `start` to `end` are made of.
pub(crate) fn parts_of(parts: &[Part], start: u32, end: u32) -> &[Part] {
    let first = parts.partition_point(|part| part.at <= start).saturating_sub(1);
    let last = parts.partition_point(|part| part.at < end);
    parts.get(first..last).unwrap_or_default()
}

/// Where the text from `start` to `end` was written, of which these are the parts.
pub(crate) fn place(parts: &[Part], start: u32, end: u32) -> Span {
    let within = |(index, part): (usize, &Part)| {
        let Origin { span, verbatim } = part.origin;
        let stop = parts.get(index + 1).map_or(end, |next| next.at.min(end));
        let from = usize::try_from(start.max(part.at) - part.at).unwrap_or(usize::MAX);
        let to = usize::try_from(stop.saturating_sub(part.at)).unwrap_or(usize::MAX);
        if verbatim { span.part(from..to) } else { span }
    };
    let hull = parts.iter().enumerate().map(within).reduce(Span::to);
    hull.unwrap_or_else(|| Span::new(super::SourceId(0), 0..0))
}
