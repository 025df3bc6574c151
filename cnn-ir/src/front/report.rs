//! Collects diagnostics over the stages of a front end, without consequences and repetitions.

use std::collections::{BTreeSet, HashSet};

use crate::diag::{Diagnostic, Severity};
use crate::span::Span;

/// What was found wrong so far.
///
/// A later stage does not repeat itself where an earlier one complained already: it would only report a
/// consequence. Within a stage the same sentence about the same place (as each instance of a block would say it)
/// is kept once. What stands nowhere (importers make declarations without a text) closes no place for others.
#[derive(Debug, Default)]
pub(crate) struct Report {
    found: Vec<Diagnostic>,
    known: HashSet<(Span, String)>,
    settled: BTreeSet<Span>,
}

impl Report {
    /// Starts from what the first stage found.
    pub(crate) fn new(found: Vec<Diagnostic>) -> Report {
        let mut report = Report::default();
        found.into_iter().for_each(|diagnostic| report.add(diagnostic));
        report.settle();
        report
    }

    /// Adds a diagnostic, unless it is known.
    pub(crate) fn add(&mut self, diagnostic: Diagnostic) {
        let place = place(&diagnostic).unwrap_or(Span::NONE);
        if !self.settled.contains(&place) && self.known.insert((place, diagnostic.message.clone())) {
            self.found.push(diagnostic);
        }
    }

    /// Ends a stage: the places it complained about are closed for the following ones.
    pub(crate) fn settle(&mut self) {
        let places = self.found.iter().filter_map(place);
        self.settled.extend(places.filter(|&place| place != Span::NONE));
    }

    /// Whether there is an error among them.
    pub(crate) fn has_errors(&self) -> bool {
        self.found.iter().any(|d| d.severity == Severity::Error)
    }

    /// `Ok` with the value and the warnings, or `Err` with the errors; both in the order of the source.
    pub(crate) fn finish<T>(mut self, value: T) -> Result<(T, Vec<Diagnostic>), Vec<Diagnostic>> {
        self.found
            .sort_by_key(|d| place(d).map_or(usize::MAX, |span| span.start));
        if self.has_errors() {
            self.found.retain(|d| d.severity == Severity::Error);
            return Err(self.found);
        }
        Ok((value, self.found))
    }
}

fn place(diagnostic: &Diagnostic) -> Option<Span> {
    diagnostic.primary.as_ref().map(|label| label.span)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(start: usize) -> Span {
        Span::from(start..start + 1)
    }

    #[test]
    fn consequences_and_repetitions_are_dropped() {
        let mut report = Report::new(vec![Diagnostic::error(at(5), "cause")]);
        report.add(Diagnostic::error(at(5), "consequence"));
        report.add(Diagnostic::error(at(2), "other"));
        report.add(Diagnostic::error(at(2), "other"));
        report.add(Diagnostic::error(at(2), "another at the same place"));
        report.add(Diagnostic::warning(at(1), "a warning"));
        let messages: Vec<_> = report.finish(()).unwrap_err().into_iter().map(|d| d.message).collect();
        assert_eq!(messages, ["other", "another at the same place", "cause"]);
    }

    #[test]
    fn what_stands_nowhere_hides_nothing() {
        let mut report = Report::new(vec![Diagnostic::warning(Span::NONE, "a warning")]);
        report.add(Diagnostic::error(Span::NONE, "an error"));
        report.settle();
        report.add(Diagnostic::error(Span::NONE, "another"));
        assert_eq!(report.finish(()).unwrap_err().len(), 2);
    }

    #[test]
    fn warnings_alone_do_not_fail() {
        let (value, warnings) = Report::new(vec![Diagnostic::warning(at(1), "w")]).finish(7).unwrap();
        assert_eq!((value, warnings.len()), (7, 1));
    }
}
