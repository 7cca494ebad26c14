//! The way from a place in a file to what it means, for people.

use super::expansion::{WayKind, WayStep};
use super::{Source, SourceMap, Span};
use crate::diagnostic::shown;
use crate::secret;

/// One remark on how text came to mean what it does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// `${N}` is `300`; in the value of `$VI`, used; included. The place follows with "at".
    pub remark: String,
    /// Where that happened.
    pub place: Span,
}

impl SourceMap {
    /// How the text at `span` came to mean what it does: which parameters stood for what, in which value it stands and
    /// where that is used, which repetition and which includes led there. The nearest comes first. Values of passwords
    /// and keys are starred out.
    #[must_use]
    pub fn trail(&self, span: Span) -> Vec<Step> {
        let mut trail = Vec::new();
        let mut next = Some(span);
        while let Some(span) = next.filter(|_| trail.len() < LONGEST) {
            let told = self.expansion().steps(span.way()).filter(|step| match step.kind {
                WayKind::Replaced => step.at.overlaps(span),
                WayKind::Within => false,
                WayKind::Line | WayKind::Repeated => true,
            });
            for step in told.take(LONGEST) {
                trail.push(self.told(step));
                trail.extend(self.defined(step));
            }
            next = self.source(span.source).and_then(Source::included);
            trail.extend(next.map(|place| Step { remark: "included".to_owned(), place }));
        }
        trail
    }

    /// What the parameters at `span` stood for that are a password or key somewhere.
    pub(crate) fn secret_values(&self, span: Span) -> impl Iterator<Item = String> {
        let is_secret = |step: &&WayStep| {
            self.expansion().definition(step.definition).is_some_and(|definition| definition.secret)
        };
        let steps = self.expansion().steps(span.way()).filter(is_secret);
        steps.map(|step| self.expansion().value(step).to_owned())
    }

    /// Where the value of a parameter was written, which is where it is to be changed.
    fn defined(&self, step: &WayStep) -> Option<Step> {
        let definition = self.expansion().definition(step.definition)?;
        let place = definition.span.filter(|_| step.kind == WayKind::Replaced)?;
        Some(Step { remark: format!("`${}` is defined", definition.name), place })
    }

    fn told(&self, step: &WayStep) -> Step {
        let definition = self.expansion().definition(step.definition);
        let name = definition.map_or("", |definition| &definition.name);
        let value = match definition {
            Some(definition) if definition.secret => "`*****`".to_owned(),
            _ => match secret::starred(self.expansion().value(step)) {
                Some(value) => shown(&value),
                None => shown(self.expansion().value(step)),
            },
        };
        let remark = match step.kind {
            WayKind::Replaced | WayKind::Within => format!("{} is {value}", shown(self.text(step.at))),
            WayKind::Line => format!("in the value of `${name}`, used"),
            WayKind::Repeated => format!("`{name}` is {value} in the repetition"),
        };
        Step { remark, place: step.at }
    }
}

/// Steps beyond these do not help anybody.
const LONGEST: usize = 16;
