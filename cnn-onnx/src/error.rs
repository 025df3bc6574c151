//! What can be wrong with an ONNX file, said so that its owner knows what would be accepted.

use std::collections::HashMap;
use std::fmt;
use std::path::PathBuf;

use cnn_ir::brief::{NAME, cut, first_names, kind};
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
    format!("`{}`", cut(name, NAME).escape_debug())
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.place {
            Place::Node { name, operator, opset } => {
                write!(f, "node {} ({}, opset {opset})", quoted(name), written(operator))?;
            }
            Place::Value { what, name } => write!(f, "{what} {}", quoted(name))?,
        }
        write!(f, ": {}", cut(&self.message, LONGEST_MESSAGE))
    }
}

fn written(operator: &str) -> String {
    cut(operator, NAME).escape_debug().to_string()
}

/// In characters: one that lists all attributes of an operator has less.
const LONGEST_MESSAGE: usize = 2000;
/// Nodes of one operator of which the same is said are listed one by one up to here.
const FEW: usize = 3;
/// Lines that are listed in all.
const MOST: usize = 50;

/// Everything that stands against a file: what is said of many nodes of an operator is said once.
fn listed(problems: &[Problem]) -> String {
    if let [one] = problems {
        return one.to_string();
    }
    // The operator of a node and what kind of problem it is, with those of that kind.
    let mut kinds: Vec<Vec<&Problem>> = Vec::new();
    let mut known = HashMap::new();
    for problem in problems {
        let place = match &problem.place {
            Place::Node { operator, opset, .. } => (&**operator, *opset),
            Place::Value { what, .. } => (*what, 0),
        };
        let kind = *known
            .entry((place, kind(&cut(&problem.message, LONGEST_MESSAGE))))
            .or_insert(kinds.len());
        match kinds.get_mut(kind) {
            Some(kind) => kind.push(problem),
            None => kinds.push(vec![problem]),
        }
    }
    let mut text = format!("{} things cannot be imported:", problems.len());
    let mut left = MOST;
    for (at, kind) in kinds.iter().enumerate() {
        if left == 0 {
            let rest: usize = kinds[at..].iter().map(Vec::len).sum();
            text += &format!("\n  … and {rest} more");
            break;
        }
        match &kind[..] {
            few if few.len() <= FEW => few.iter().for_each(|problem| text += &format!("\n  {problem}")),
            many => text += &format!("\n  {}", together(many)),
        }
        left = left.saturating_sub(kind.len().min(FEW));
    }
    text
}

/// The line about problems of one kind.
fn together(problems: &[&Problem]) -> String {
    let names = problems.iter().map(|problem| match &problem.place {
        Place::Node { name, .. } | Place::Value { name, .. } => name.as_str(),
    });
    let (count, names, first) = (problems.len(), first_names(names), problems[0]);
    let of = match &first.place {
        Place::Node { operator, opset, .. } => format!("{} (opset {opset}), {count} nodes", written(operator)),
        Place::Value { what, .. } => format!("{count} × {what}"),
    };
    let message = cut(&first.message, LONGEST_MESSAGE);
    let same = problems.iter().all(|problem| problem.message == first.message);
    let of_the_first = if same { "" } else { "of the first: " };
    format!("{of} ({names}): {of_the_first}{message}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(name: &str, operator: &str, message: &str) -> Problem {
        let place = Place::Node {
            name: name.into(),
            operator: operator.into(),
            opset: 17,
        };
        Problem {
            place,
            message: message.into(),
        }
    }

    #[test]
    fn many_problems_of_a_kind_are_one_line() {
        let of = |i: usize| problem(&format!("n{i}"), "Frob", &format!("its input `x{i}` is odd"));
        let mut problems: Vec<_> = (0..20_000).map(of).collect();
        problems.insert(9, problem("other", "Grid", "not planned"));
        let expected = "20001 things cannot be imported:\n  \
             Frob (opset 17), 20000 nodes (`n0`, `n1`, `n2` …): of the first: its input `x0` is odd\n  \
             node `other` (Grid, opset 17): not planned";
        assert_eq!(listed(&problems), expected);
    }

    #[test]
    fn kinds_and_names_may_be_as_many_and_as_long_as_they_like() {
        let long = "n".repeat(1 << 20);
        let problems: Vec<_> = (0..500).map(|i| problem(&long, &format!("Frob{i}"), &long)).collect();
        let text = listed(&problems);
        assert!(
            text.len() < 200_000 && text.ends_with("… and 450 more"),
            "{}",
            text.len()
        );
    }
}
