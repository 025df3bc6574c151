//! Whatever the text, the front ends answer with a graph or with errors, and never panic.

#![cfg(all(feature = "json", feature = "render"))]

use cnn_ir::diag::Diagnostic;
use cnn_ir::{dot, front, json, render, text, validate};
use proptest::prelude::*;

/// Reads a model file as the command would, and takes what comes out through everything else.
fn model(source: &str) {
    match front::graph_from_toml(source) {
        Ok((graph, warnings)) => {
            shown(&warnings, source);
            let shapes = match validate::validate(&graph) {
                Ok(shapes) => Some(shapes),
                Err(errors) => {
                    shown(&errors, source);
                    None
                }
            };
            let printed = text::print(&graph, shapes.as_ref());
            let read = text::parse(&printed).unwrap_or_else(|errors| panic!("{errors:#?}\n{printed}"));
            assert_eq!(
                text::print(&read, shapes.as_ref().and(validate::validate(&read).ok().as_ref())),
                printed
            );
            dot::print(&graph, shapes.as_ref());
            json::print(&graph, shapes.as_ref());
        }
        Err(errors) => {
            assert!(!errors.is_empty());
            shown(&errors, source);
        }
    }
}

fn shown(diagnostics: &[Diagnostic], source: &str) {
    // Alone, as many of one kind would be counted together.
    for diagnostic in diagnostics {
        let rendered = render::render(std::slice::from_ref(diagnostic), "f", source, false);
        let first = diagnostic.message.lines().next().unwrap_or_default();
        assert!(rendered.contains(first), "{rendered}\nhas no\n{first}");
    }
    render::render(diagnostics, "f", source, false);
    for span in diagnostics
        .iter()
        .flat_map(|d| d.primary.iter().chain(&d.secondary))
        .map(|label| label.span)
    {
        assert!(span.start <= span.end && span.end <= source.len(), "{span:?}");
    }
}

/// Text that is nearly a model file: its own lines in any order, some with a piece cut out or doubled.
fn nearly_a_model() -> impl Strategy<Value = String> {
    const LINES: [&str; 40] = [
        "name = \"n\"",
        "outputs = [\"a\", \"b\"]",
        "outputs = \"u\"",
        "[inputs]",
        "image = [3, 8, 8]",
        "x = [4]",
        "image = { shape = [8, 8, 3], layout = \"hwc\" }",
        "[[layer]]",
        "[[layer]]",
        "[[layer]]",
        "name = \"a\"",
        "name = \"b\"",
        "name = \"u\"",
        "op = \"conv\"",
        "op = \"relu\"",
        "op = \"add\"",
        "op = \"unit\"",
        "op = \"outer\"",
        "op = \"$f\"",
        "from = \"image\"",
        "from = [\"a\", \"in\"]",
        "from = \"u.a\"",
        "filters = 4",
        "filters = \"$f\"",
        "kernel = 3",
        "kernel = [\"$f\", 1]",
        "activation = { op = \"$f\", alpha = 1.5 }",
        "weights = \"w.$f\"",
        "weights = \"v\"",
        "f = 2",
        "f = \"relu\"",
        "f = \"$f\"",
        "[block.unit]",
        "params = [\"f\"]",
        "[[block.unit.layer]]",
        "[[block.unit.layer]]",
        "[[block.outer.layer]]",
        "padding = \"same\"",
        "units = 999999999999",
        "# comment ö",
    ];
    let line = (0..LINES.len(), any::<prop::sample::Index>(), 0..30u8).prop_map(|(line, at, change)| {
        let mut text = LINES[line].to_string();
        let at = at.index(text.len());
        if text.is_char_boundary(at) {
            match change {
                0 => text.truncate(at),
                1 => drop(text.remove(at)),
                2 => text.insert(at, '"'),
                3 => text.insert_str(at, "[ö"),
                _ => {}
            }
        }
        text
    });
    prop::collection::vec(line, 0..40).prop_map(|lines| lines.join("\n"))
}

/// A model file with a few edits: lines lost, doubled or exchanged, characters lost or replaced.
fn edited_model() -> impl Strategy<Value = String> {
    const MODEL: &str = r#"name = "net"
outputs = ["top", "u.c"]

[inputs]
image = [3, 8, 8]

[block.unit]
params = ["f", "act"]

[[block.unit.layer]]
name = "c"
op = "conv"
filters = "$f"
kernel = [3, 1]
padding = "same"
from = "in"

[[block.unit.layer]]
name = "r"
op = "$act"
weights = "x.$f"

[[layer]]
name = "u"
op = "unit"
f = 4
act = "relu"

[[layer]]
name = "v"
op = "unit"
f = 4
act = "prelu"
weights = "w"

[[layer]]
name = "top"
op = "add"
from = ["u", "v", "v.r"]
activation = { op = "clip", min = -1, max = inf }
"#;
    let edit = (
        0..6u8,
        any::<prop::sample::Index>(),
        any::<prop::sample::Index>(),
        prop::sample::select(vec!['"', '[', '$', '1', '.', '=', 'a', 'ö']),
    );
    prop::collection::vec(edit, 0..4).prop_map(|edits| {
        let mut lines: Vec<String> = MODEL.lines().map(str::to_string).collect();
        for (kind, line, other, c) in edits {
            let (line, mut chars) = {
                let line = line.index(lines.len());
                (line, lines[line].chars().collect::<Vec<_>>())
            };
            let at = other.index(chars.len() + 1);
            match kind {
                0 => drop(lines.remove(line)),
                1 => lines.insert(line, lines[line].clone()),
                2 => {
                    let other = other.index(lines.len());
                    lines.swap(line, other);
                }
                3 if at < chars.len() => drop(chars.remove(at)),
                4 if at < chars.len() => chars[at] = c,
                _ => chars.insert(at, c),
            }
            if kind > 2 {
                lines[line] = chars.into_iter().collect();
            }
        }
        lines.join("\n")
    })
}

/// Text that is nearly a dump.
fn nearly_a_dump() -> impl Strategy<Value = String> {
    const WORDS: [&str; 30] = [
        "network",
        "\"n\"",
        "{",
        "}",
        "}",
        "%a",
        "%b",
        "%c-1.x",
        "=",
        "input",
        "conv",
        "relu",
        "add",
        "(",
        ")",
        ",",
        "shape",
        "filters",
        "[",
        "]",
        "3",
        "-1.5e-3",
        "->",
        "return",
        "true",
        "inf",
        "//",
        "\n",
        "\"\\u{e9}",
        "%",
    ];
    let body = prop::collection::vec(prop::sample::select(WORDS.to_vec()), 0..60).prop_map(|words| words.join(" "));
    (any::<bool>(), body).prop_map(|(head, body)| match head {
        true => format!("network \"n\" {{ %x = input(shape = [3]) {body} return %x }}"),
        false => body,
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text_as_a_model(source in "\\PC*|(.|\n)*") {
        model(&source);
    }

    #[test]
    fn any_toml_as_a_model(source in nearly_a_model()) {
        model(&source);
    }

    #[test]
    fn an_edited_model(source in edited_model()) {
        model(&source);
    }

    #[test]
    fn any_text_as_a_dump(source in "\\PC*|(.|\n)*") {
        if let Err(errors) = text::parse(&source) {
            shown(&errors, &source);
        }
    }

    #[test]
    fn any_words_as_a_dump(source in nearly_a_dump()) {
        if let Err(errors) = text::parse(&source) {
            shown(&errors, &source);
        }
    }
}
