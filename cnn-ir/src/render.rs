//! Diagnostics as text beside the source, for a terminal or a log.

mod excerpt;

use std::collections::HashMap;
use std::ops::Range;

use codespan_reporting::diagnostic as codespan;
use codespan_reporting::files::{Error, Files, SimpleFile};
use codespan_reporting::term::{self, Config, Styles, StylesWriter, termcolor::Ansi};

use crate::brief::{cut, kind};
use crate::diag::{Diagnostic, Severity};
use crate::span::Span;
use excerpt::Excerpt;

/// Up to so many diagnostics are all shown. Of more, the first of each kind are.
const MOST: usize = 50;
/// How many of a kind are shown if there are more diagnostics than that.
const OF_A_KIND: usize = 3;
/// The longest sentence that is shown whole, in characters: a list of all operators has less.
const LONGEST_TEXT: usize = 4000;
/// How many other places and notes of one diagnostic are shown.
const MOST_PLACES: usize = 12;

/// Renders diagnostics one below the other: `FILE:LINE:COLUMN`, the line itself with the guilty word underlined, other
/// words that matter, and the notes. With `color` the text holds ANSI escapes.
///
/// `source` is the text that the front end read; places outside of it are moved to its end. The result is no longer than
/// people read, whatever the source is: long lines are cut around the places, and of many diagnostics of the same kind the
/// first are shown, the others counted.
pub fn render(diagnostics: &[Diagnostic], file_name: &str, source: &str, color: bool) -> String {
    let whole = source.split('\n').all(|line| line.len() <= excerpt::LONGEST_LINE);
    let whole = whole.then(|| SimpleFile::new(file_name, source));
    let mut text = String::new();
    let groups = groups(diagnostics);
    for group in groups.iter().take(MOST) {
        let (shown, more) = group.split_at(group.len().min(OF_A_KIND));
        for &diagnostic in shown {
            let rendered = match &whole {
                Some(file) => render_one(&converted(diagnostic, file_name, source, &|place| place), file, color),
                None => {
                    let labels = diagnostic
                        .primary
                        .iter()
                        .chain(diagnostic.secondary.iter().take(MOST_PLACES));
                    let places: Vec<_> = labels.map(|label| inside(label.span, source)).collect();
                    let excerpt = Excerpt::new(file_name, source, &places);
                    let moved = |place: Range<usize>| excerpt.moved(place.start)..excerpt.moved(place.end);
                    render_one(&converted(diagnostic, file_name, source, &moved), &excerpt, color)
                }
            };
            // Emitting fails only for places outside of the file, and there are none.
            text +=
                &rendered.unwrap_or_else(|_| format!("{file_name}: {}\n\n", cut(&diagnostic.message, LONGEST_TEXT)));
        }
        text += &others(more, source);
    }
    let left: usize = groups.iter().skip(MOST).map(Vec::len).sum();
    if left > 0 {
        text += &format!("… and {left} more of other kinds\n\n");
    }
    text
}

/// Each alone, or by their kinds if they are many.
fn groups(diagnostics: &[Diagnostic]) -> Vec<Vec<&Diagnostic>> {
    if diagnostics.len() <= MOST {
        return diagnostics.iter().map(|diagnostic| vec![diagnostic]).collect();
    }
    let mut groups: Vec<Vec<&Diagnostic>> = Vec::new();
    let mut known = HashMap::new();
    for diagnostic in diagnostics {
        let key = (
            diagnostic.severity == Severity::Error,
            kind(&cut(&diagnostic.message, LONGEST_TEXT)),
        );
        let group = *known.entry(key).or_insert(groups.len());
        match groups.get_mut(group) {
            Some(group) => group.push(diagnostic),
            None => groups.push(vec![diagnostic]),
        }
    }
    groups
}

/// What is said of those that are not shown: how many, and where the first are.
fn others(diagnostics: &[&Diagnostic], source: &str) -> String {
    const LINES: usize = 5;
    if diagnostics.is_empty() {
        return String::new();
    }
    let places = diagnostics.iter().filter_map(|diagnostic| diagnostic.primary.as_ref());
    let line = |start: usize| source[..start].matches('\n').count() + 1;
    let lines = places
        .take(LINES)
        .map(|label| line(inside(label.span, source).start).to_string());
    let lines: Vec<String> = lines.collect();
    let at = match lines.is_empty() {
        true => String::new(),
        false => format!(", in lines {}", lines.join(", ")),
    };
    let etc = if diagnostics.len() > LINES { " …" } else { "" };
    format!("… and {} more like it{at}{etc}\n\n", diagnostics.len())
}

fn render_one<'f>(
    diagnostic: &codespan::Diagnostic<()>,
    file: &'f impl Files<'f, FileId = ()>,
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

/// `moved` tells where a place of the source is in what is shown.
fn converted(
    diagnostic: &Diagnostic,
    file_name: &str,
    source: &str,
    moved: &dyn Fn(Range<usize>) -> Range<usize>,
) -> codespan::Diagnostic<()> {
    let severity = match diagnostic.severity {
        Severity::Error => codespan::Severity::Error,
        Severity::Warning => codespan::Severity::Warning,
    };
    let mut labels = Vec::new();
    let notes = diagnostic.notes.iter().take(MOST_PLACES);
    let mut notes: Vec<_> = notes.map(|note| cut(note, LONGEST_TEXT).into_owned()).collect();
    match &diagnostic.primary {
        Some(label) => {
            let place = moved(inside(label.span, source));
            labels.push(codespan::Label::primary((), place).with_message(cut(&label.text, LONGEST_TEXT)));
        }
        // Nothing else would say which file it is.
        None => notes.push(format!("in {file_name}")),
    }
    for label in diagnostic.secondary.iter().take(MOST_PLACES) {
        let place = moved(inside(label.span, source));
        labels.push(codespan::Label::secondary((), place).with_message(cut(&label.text, LONGEST_TEXT)));
    }
    let unsaid = diagnostic.secondary.len().saturating_sub(MOST_PLACES);
    if unsaid > 0 {
        notes.push(format!("and {unsaid} more places"));
    }
    codespan::Diagnostic::new(severity)
        .with_message(cut(&diagnostic.message, LONGEST_TEXT))
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

    /// A column is that of the whole line, and the marker stands under the place in what is left of the line.
    #[test]
    fn long_lines_are_cut_around_the_place() {
        let source = format!(
            "a = 1\r\n{}filters = 0{}\nb = 2\n",
            "ö".repeat(100_000),
            "ä".repeat(3_000_000)
        );
        let at = source.find("filters").unwrap();
        let error = Diagnostic::error(Span::from(at + 10..at + 11), "wrong").also(Span::from(0..1), "because of this");
        let text = render(&[error], "net.toml", &source, false);
        let expected = format!(
            "\
error: wrong
  ┌─ net.toml:2:100011
  │
1 │ a = 1
  │ - because of this
2 │ …{}filters = 0{}…
  │  {}^

",
            "ö".repeat(25),
            "ä".repeat(30),
            " ".repeat(35)
        );
        assert_eq!(text, expected);
        // A word of megabytes: both of its ends.
        let start = source.find('ä').unwrap();
        let error = Diagnostic::error(Span::from(start..start + 6_000_000), "wrong").label("all of it");
        let text = render(&[error], "net.toml", &source, false);
        assert!(text.len() < 2000 && text.contains("net.toml:2:100012\n"), "{text}");
        let error = Diagnostic::error(Span::NONE, "a name ".to_owned() + &source).note(source.clone());
        assert!(render(&[error], "net.toml", &source, true).len() < 20_000);
    }

    /// Every place of a source whose lines are long: no panic, and the column that counting gives.
    #[test]
    fn columns_of_long_lines() {
        let line: String = (0..300).map(|i| ['a', 'ö', '层', '😀'][i % 4]).collect();
        let source = format!("{line}\n\n{line}\nshort\n{line}");
        for (start, _) in source.char_indices() {
            let error = Diagnostic::error(Span::from(start..start + 1), "wrong").also(Span::from(700..1600), "other");
            let text = render(&[error], "f", &source, false);
            let before = &source[..start];
            let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
            let place = format!("f:{}:{column}\n", before.matches('\n').count() + 1);
            assert!(text.contains(&place), "{place}{text}");
        }
    }

    #[test]
    fn many_of_a_kind_are_counted() {
        let source = "op = cnov\n".repeat(20_000);
        let unknown =
            |i: usize| Diagnostic::error(Span::from(i * 10 + 5..i * 10 + 9), format!("c{i}: no operator `x{i}`"));
        let mut errors: Vec<_> = (0..20_000).map(unknown).collect();
        errors.insert(7, Diagnostic::error(Span::from(3..4), "something else"));
        let text = render(&errors, "net.toml", &source, false);
        assert!(text.len() < 2000, "{text}");
        for part in [
            "something else",
            "net.toml:3:6\n",
            "… and 19997 more like it, in lines 4, 5, 6, 7, 8 …\n",
        ] {
            assert!(text.contains(part), "{part}: {text}");
        }
        // Few are all shown.
        assert_eq!(
            render(&errors[..50], "net.toml", &source, false)
                .matches("error:")
                .count(),
            50
        );
    }
}
