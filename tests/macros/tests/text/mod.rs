//! Declarations as texts: what is wrong with one, and where.

use std::path::Path;

use cnn_codegen::macros::{Files, SpanTable, check, message, parse};
use cnn_ir::diag::Diagnostic;
use proc_macro2::LineColumn;

/// A mistake: the tokens it is reported at, and all that is said.
#[derive(Debug)]
pub(crate) struct Found {
    /// The guilty tokens.
    pub(crate) at: String,
    /// Message, labels and notes.
    pub(crate) text: String,
}

/// The mistakes of a macro call with these tokens.
pub(crate) fn errors(source: &str) -> Vec<Found> {
    let declarations = parse(source.parse().expect("tokens"));
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut errors = declarations.diagnostics;
    for network in &declarations.networks {
        errors.extend(check(network, Files::of(folder)).err().unwrap_or_default());
    }
    errors
        .iter()
        .map(|error| found(error, &declarations.spans, source))
        .collect()
}

fn found(error: &Diagnostic, spans: &SpanTable, source: &str) -> Found {
    let at = error.primary.as_ref().map_or(String::new(), |label| {
        let (first, last) = spans.ends(label.span);
        source[offset(source, first.start())..offset(source, last.end())].to_owned()
    });
    Found {
        at,
        text: message(error, spans),
    }
}

fn offset(source: &str, place: LineColumn) -> usize {
    let line: usize = source.split_inclusive('\n').take(place.line - 1).map(str::len).sum();
    let column: usize = source[line..].chars().take(place.column).map(char::len_utf8).sum();
    line + column
}
