//! Diagnostics as text beside the source, for a terminal or a log.

use std::ops::Range;

use codespan_reporting::diagnostic as codespan;
use codespan_reporting::files::{Error, SimpleFile};
use codespan_reporting::term::{self, Config, Styles, StylesWriter, termcolor::Ansi};

use crate::diag::{Diagnostic, Severity};
use crate::span::Span;

/// Renders diagnostics one below the other: `FILE:LINE:COLUMN`, the line itself with the guilty word underlined, other
/// words that matter, and the notes. With `color` the text holds ANSI escapes.
///
/// `source` is the text that the front end read; places outside of it are moved to its end.
pub fn render(diagnostics: &[Diagnostic], file_name: &str, source: &str, color: bool) -> String {
    let file = SimpleFile::new(file_name, source);
    let mut text = String::new();
    for diagnostic in diagnostics {
        let rendered = render_one(&converted(diagnostic, file_name, source), &file, color);
        // Emitting fails only for places outside of the file, and there are none.
        text += &rendered.unwrap_or_else(|_| format!("{file_name}: {}\n\n", diagnostic.message));
    }
    text
}

fn render_one(
    diagnostic: &codespan::Diagnostic<()>,
    file: &SimpleFile<&str, &str>,
    color: bool,
) -> Result<String, Error> {
    let config = Config {
        // A label over several lines shows its first and last.
        start_context_lines: 1,
        end_context_lines: 1,
        ..Config::default()
    };
    if !color {
        return term::emit_into_string(&config, file, diagnostic);
    }
    let mut bytes = Vec::new();
    let styles = Styles::default();
    term::emit_to_write_style(
        &mut StylesWriter::new(Ansi::new(&mut bytes), &styles),
        &config,
        file,
        diagnostic,
    )?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

fn converted(diagnostic: &Diagnostic, file_name: &str, source: &str) -> codespan::Diagnostic<()> {
    let severity = match diagnostic.severity {
        Severity::Error => codespan::Severity::Error,
        Severity::Warning => codespan::Severity::Warning,
    };
    let mut labels = Vec::new();
    let mut notes = diagnostic.notes.clone();
    match &diagnostic.primary {
        Some(label) => {
            labels.push(codespan::Label::primary((), inside(label.span, source)).with_message(&label.text));
        }
        // Nothing else would say which file it is.
        None => notes.push(format!("in {file_name}")),
    }
    for label in &diagnostic.secondary {
        labels.push(codespan::Label::secondary((), inside(label.span, source)).with_message(&label.text));
    }
    codespan::Diagnostic::new(severity)
        .with_message(&diagnostic.message)
        .with_labels(labels)
        .with_notes(notes)
}

fn inside(span: Span, source: &str) -> Range<usize> {
    let start = source.floor_char_boundary(span.start);
    let end = source.ceil_char_boundary(span.end.max(start));
    start..end
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_the_column_and_the_word_are_shown() {
        let source = "a = 1\nfilters = 0 # ö\nb = 2\n";
        let error = Diagnostic::error(Span::from(16..17), "`filters` must be at least 1")
            .label("found 0")
            .also(Span::from(0..1), "because of this")
            .note("a layer without filters has no result");
        let text = render(&[error], "net.toml", source, false);
        let expected = "\
error: `filters` must be at least 1
  ┌─ net.toml:2:11
  │
1 │ a = 1
  │ - because of this
2 │ filters = 0 # ö
  │           ^ found 0
  │
  = a layer without filters has no result

";
        assert_eq!(text, expected);
    }

    #[test]
    fn colour_only_adds_escapes() {
        let error = Diagnostic::error(Span::from(0..1), "wrong").label("here");
        let plain = render(std::slice::from_ref(&error), "net.toml", "a = 1\n", false);
        let coloured = render(&[error], "net.toml", "a = 1\n", true);
        assert!(coloured.contains("\u{1b}["));
        let mut stripped = String::new();
        let mut rest = coloured.as_str();
        while let Some((before, behind)) = rest.split_once('\u{1b}') {
            stripped += before;
            rest = behind.split_once('m').map_or("", |(_, behind)| behind);
        }
        assert_eq!(stripped + rest, plain);
    }

    #[test]
    fn places_outside_of_the_source_do_no_harm() {
        let backwards = Span { start: 800, end: 2 };
        let error = Diagnostic::error(Span::from(1..900), "wrong").also(backwards, "x");
        for source in ["", "ö", "a\r\nb"] {
            assert!(render(std::slice::from_ref(&error), "f", source, false).contains("wrong"));
        }
        let nowhere = Diagnostic::error(Span::NONE, "the network has no layer");
        assert!(render(&[nowhere], "net.toml", "", false).contains("in net.toml"));
    }
}
