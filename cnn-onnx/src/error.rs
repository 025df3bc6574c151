//! What can be wrong with an ONNX file, said so that its owner knows what would be accepted.

use std::fmt;
use std::path::PathBuf;

use thiserror::Error;

/// Why an ONNX file cannot be imported.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ImportError {
    /// The operating system refused to read the file.
    #[error("cannot read `{}`: {source}", path.display())]
    Io {
        /// The file as it was given.
        path: PathBuf,
        /// The system's reason.
        source: std::io::Error,
    },
    /// The file is damaged, or not an ONNX model.
    #[error("`{}`: {problem}", path.display())]
    File {
        /// The file as it was given.
        path: PathBuf,
        /// What was expected and what was found.
        problem: String,
    },
    /// Parts of the model have no counterpart here: all of them.
    #[error("`{}`: {}", path.display(), listed(problems))]
    Unsupported {
        /// The file as it was given.
        path: PathBuf,
        /// Every problem, in the order of the file.
        problems: Vec<Problem>,
    },
}

/// One thing in a model that cannot be imported.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Where: a node, an input, an output.
    pub place: Place,
    /// What is the matter, and what would be accepted.
    pub message: String,
}

/// Where in a model something is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// At a node.
    Node {
        /// Its name, or its output's if it has none.
        name: String,
        /// Its operator.
        operator: String,
        /// The version of the operator set that the model asks for.
        opset: i64,
    },
    /// At a named input, output or initialiser.
    Value {
        /// "input", "output", "initializer".
        what: &'static str,
        /// Its name.
        name: String,
    },
}

/// Names from a file may be very long or hold control characters.
pub(crate) fn quoted(name: &str) -> String {
    const LONGEST: usize = 120;
    match name.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("`{}…`", name[..end].escape_debug()),
        None => format!("`{}`", name.escape_debug()),
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.place {
            Place::Node { name, operator, opset } => {
                write!(f, "node {} ({}, opset {opset})", quoted(name), operator.escape_debug())?;
            }
            Place::Value { what, name } => write!(f, "{what} {}", quoted(name))?,
        }
        write!(f, ": {}", self.message)
    }
}

fn listed(problems: &[Problem]) -> String {
    match problems {
        [one] => one.to_string(),
        all => {
            let lines = all.iter().map(|problem| format!("\n  {problem}"));
            format!("{} things cannot be imported:{}", all.len(), lines.collect::<String>())
        }
    }
}
