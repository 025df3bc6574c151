//! Model files with one mistake each: the error points at the right line and says the word that helps.
//!
//! The first line of each file says which: `# expect line 12: relu`, `# expect lines 7-10: flatten` or
//! `# expect line any: cycle`.

#![cfg(feature = "render")]

use std::fs;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};

use cnn_ir::diag::{Diagnostic, Severity};
use cnn_ir::{front, render, validate};

fn files() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/bad");
    let mut files: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    files
}

fn errors(text: &str) -> Vec<Diagnostic> {
    match front::graph_from_toml(text) {
        Err(errors) => errors,
        Ok((graph, _)) => validate::validate(&graph).expect_err("the file has a mistake"),
    }
}

/// The lines, if it matters which, and the word.
fn expectation(text: &str) -> (Option<RangeInclusive<usize>>, &str) {
    let line = text.lines().next().unwrap();
    let (lines, word) = line.split_once(':').unwrap();
    let lines = lines.rsplit(' ').next().unwrap();
    let lines = match lines.split_once('-') {
        _ if lines == "any" => None,
        Some((first, last)) => Some(first.parse().unwrap()..=last.parse().unwrap()),
        None => Some(lines.parse().unwrap()..=lines.parse().unwrap()),
    };
    (lines, word.trim())
}

#[test]
fn every_mistake_is_reported_at_its_line_with_its_word() {
    let files = files();
    assert!(!files.is_empty());
    for path in files {
        let name = path.file_stem().unwrap().to_str().unwrap().to_string();
        let text = fs::read_to_string(&path).unwrap();
        let (lines, word) = expectation(&text);
        let errors = errors(&text);
        // Three dimensions are too large there.
        let count = if name == "input_overflow" { 3 } else { 1 };
        assert_eq!(errors.len(), count, "{name}: {errors:#?}");
        let error = &errors[0];
        assert_eq!(error.severity, Severity::Error);
        if let Some(lines) = lines {
            let start = error
                .primary
                .as_ref()
                .unwrap_or_else(|| panic!("{name} has no place"))
                .span
                .start;
            let line = text[..start].matches('\n').count() + 1;
            assert!(lines.contains(&line), "{name}: line {line}, expected {lines:?}");
        }
        let rendered = render::render(&errors, &format!("{name}.toml"), &text, false);
        assert!(rendered.contains(word), "{name} does not say {word:?}:\n{rendered}");
        let said = format!(
            "{} {:?} {:?} {:?}",
            error.message, error.primary, error.secondary, error.notes
        );
        assert!(said.contains(word), "{name} only quotes {word:?}:\n{rendered}");
        insta::assert_snapshot!(name, rendered);
    }
}
