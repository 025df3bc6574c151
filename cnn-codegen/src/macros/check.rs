//! A declared network → its graph and shapes, or everything that is wrong with it.

use std::fs;
use std::path::Path;

use cnn_ir::diag::Diagnostic;
use cnn_ir::front::{self, write};
use cnn_ir::graph::Graph;
use cnn_ir::render::render;
use cnn_ir::span::Spanned;
use cnn_ir::validate::{Shapes, validate};

use super::Files;
use super::declared::{Body, Declared};

/// The longest model file read. ResNet-152 written out takes a hundredth of it.
const MAX_MODEL_BYTES: u64 = 16 << 20;

/// A network that was found valid.
#[derive(Debug)]
pub struct Checked {
    /// Its graph, as declared.
    pub graph: Graph,
    /// The shapes of the graph's values.
    pub shapes: Shapes,
    /// What is odd about it.
    pub warnings: Vec<Diagnostic>,
}

/// Makes a graph of a declared network and checks it.
///
/// # Errors
/// Everything that is wrong with the declaration, in its order.
pub fn check(declared: &Declared, files: Files<'_>) -> Result<Checked, Vec<Diagnostic>> {
    let mut errors = declared.diagnostics.clone();
    let checked = match &declared.body {
        Body::Layers(parsed) => graph(front::graph(parsed.clone())),
        Body::File(path) => file(path, files),
        Body::Missing => Err(Vec::new()),
    };
    if let Some(weights) = &declared.options.weights {
        let file = files.package.join(&weights.value);
        errors.extend(fs::File::open(file).err().map(|error| unreadable(weights, &error)));
    }
    match checked {
        Ok(mut checked) if errors.is_empty() => {
            if checked.graph.name.is_empty() {
                checked.graph.name = declared.name.to_string();
            }
            Ok(checked)
        }
        Ok(_) => Err(errors),
        Err(more) => {
            errors.extend(more);
            errors.sort_by_key(|error| error.primary.as_ref().map_or(usize::MAX, |label| label.span.start));
            Err(errors)
        }
    }
}

fn graph(read: Result<(Graph, Vec<Diagnostic>), Vec<Diagnostic>>) -> Result<Checked, Vec<Diagnostic>> {
    let (graph, warnings) = read?;
    let shapes = validate(&graph)?;
    Ok(Checked {
        graph,
        shapes,
        warnings,
    })
}

/// Reads a model file. What is said about its lines is said at its path, with the lines.
fn file(path: &Spanned<String>, files: Files<'_>) -> Result<Checked, Vec<Diagnostic>> {
    let place = files.package.join(&path.value);
    let text = match (files.import)(&place) {
        Some(imported) => {
            let imported = imported.map_err(|message| vec![Diagnostic::error(path.span, message)])?;
            match graph(front::graph_from_declaration(&imported.net)) {
                Ok(checked) if checked.warnings.is_empty() => return Ok(checked),
                // Whatever there is to say is said about its text, which has lines.
                _ => write::toml(&imported.net),
            }
        }
        None => read(&place).map_err(|error| vec![unreadable(path, &error)])?,
    };
    let at_path = |found: Vec<Diagnostic>| -> Vec<Diagnostic> {
        let rendered = found.iter().map(|one| {
            let text = render(std::slice::from_ref(one), &path.value, &text, false);
            let (_, message) = text.split_once(": ").unwrap_or_default();
            Diagnostic {
                severity: one.severity,
                ..Diagnostic::error(path.span, message.trim_end())
            }
        });
        rendered.collect()
    };
    match graph(front::graph_from_toml(&text)) {
        Ok(checked) => Ok(Checked {
            warnings: at_path(checked.warnings),
            ..checked
        }),
        Err(errors) => Err(at_path(errors)),
    }
}

fn read(path: &Path) -> std::io::Result<String> {
    let length = fs::metadata(path)?.len();
    if length > MAX_MODEL_BYTES {
        let problem = format!("{length} bytes are more than a model file has");
        return Err(std::io::Error::other(problem));
    }
    fs::read_to_string(path)
}

fn unreadable(path: &Spanned<String>, error: &std::io::Error) -> Diagnostic {
    Diagnostic::error(path.span, format!("cannot read `{}`: {error}", path.value))
        .note("the path is relative to the folder of the crate's Cargo.toml")
}
