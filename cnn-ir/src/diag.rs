//! Diagnostics: what is wrong with a declaration, where, and what would be right.
//!
//! A [`Diagnostic`] is data. Rendering it as text beside the source (or as a `compile_error!`) is the
//! business of whoever owns the source.

use crate::span::Span;

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    /// The network cannot be compiled.
    Error,
    /// The network can be compiled, but probably does not mean what it says.
    Warning,
}

/// A place and what is to be said about it.
#[derive(Clone, Debug, PartialEq)]
pub struct Label {
    /// The place.
    pub span: Span,
    /// What is the matter there; may be empty.
    pub text: String,
}

/// One thing that is wrong: a message, the guilty word, other words that matter, and advice.
#[derive(Clone, Debug, PartialEq)]
pub struct Diagnostic {
    /// Error or warning.
    pub severity: Severity,
    /// What is wrong, in one sentence without a full stop.
    pub message: String,
    /// The guilty word, if it stands in the source.
    pub primary: Option<Label>,
    /// Other places that help to understand it.
    pub secondary: Vec<Label>,
    /// Advice and arithmetic, a line or more each.
    pub notes: Vec<String>,
}

impl Diagnostic {
    /// An error at a place.
    pub fn error(span: Span, message: impl Into<String>) -> Self {
        let primary = (span != Span::NONE).then(|| Label {
            span,
            text: String::new(),
        });
        Diagnostic {
            severity: Severity::Error,
            message: message.into(),
            primary,
            secondary: Vec::new(),
            notes: Vec::new(),
        }
    }

    /// A warning at a place.
    pub fn warning(span: Span, message: impl Into<String>) -> Self {
        Diagnostic {
            severity: Severity::Warning,
            ..Diagnostic::error(span, message)
        }
    }

    /// Sets the text under the guilty word.
    pub fn label(mut self, text: impl Into<String>) -> Self {
        if let Some(primary) = &mut self.primary {
            primary.text = text.into();
        }
        self
    }

    /// Adds another place.
    pub fn also(mut self, span: Span, text: impl Into<String>) -> Self {
        if span != Span::NONE {
            self.secondary.push(Label {
                span,
                text: text.into(),
            });
        }
        self
    }

    /// Adds advice.
    pub fn note(mut self, text: impl Into<String>) -> Self {
        self.notes.push(text.into());
        self
    }
}

/// The candidate nearest to a misspelt word, if one is near enough to be meant. Nobody means what is longer than a line,
/// or looks through more than a thousand words.
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    const LONGEST: usize = 128;
    const MOST: usize = 1000;
    let distance = |candidate: &'a str| {
        let enough = 1.max(word.chars().count().min(candidate.chars().count()) / 3);
        // A distance is at least the difference of the lengths.
        let may_be = candidate.len() <= LONGEST && candidate.chars().count().abs_diff(word.chars().count()) <= enough;
        let distance = may_be.then(|| strsim::damerau_levenshtein(word, candidate))?;
        (distance <= enough).then_some((distance, candidate))
    };
    let candidates = candidates
        .into_iter()
        .take(if word.len() <= LONGEST { MOST } else { 0 });
    let near = candidates.filter_map(distance).min_by_key(|&(distance, _)| distance);
    near.map(|(_, candidate)| candidate)
}
