//! What an operator has to say against its operands.

use crate::shape::{MAX_DIMENSION, Shape};

/// One thing that is wrong with an operator or its operands. It knows the guilty key, not where that stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The guilty key, or `from`; `None` is the operator itself.
    pub key: Option<&'static str>,
    /// What is wrong, in one sentence without a full stop.
    pub message: String,
    /// Advice and arithmetic.
    pub notes: Vec<String>,
}

impl Fault {
    /// A fault of a key (or `from`, or `None`).
    pub fn new(key: impl Into<Option<&'static str>>, message: impl Into<String>) -> Fault {
        Fault {
            key: key.into(),
            message: message.into(),
            notes: Vec::new(),
        }
    }

    /// Adds advice.
    pub fn note(mut self, note: impl Into<String>) -> Fault {
        self.notes.push(note.into());
        self
    }
}

impl From<Fault> for Vec<Fault> {
    fn from(fault: Fault) -> Vec<Fault> {
        vec![fault]
    }
}

/// How many operands an operator takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arity {
    /// So many.
    Exactly(usize),
    /// So many or more.
    AtLeast(usize),
}

impl Arity {
    /// Whether `count` operands are right.
    pub fn accepts(self, count: usize) -> bool {
        match self {
            Arity::Exactly(n) => count == n,
            Arity::AtLeast(n) => count >= n,
        }
    }

    /// What is wrong with `count` operands of `op`, if anything.
    pub fn check(self, op: &str, count: usize) -> Result<(), Fault> {
        if self.accepts(count) {
            return Ok(());
        }
        let fault = Fault::new("from", format!("`{op}` takes {self}, but has {count}"));
        Err(match self {
            Arity::AtLeast(_) => fault.note("name them all: `from = [\"a\", \"b\"]`, in the macro `add(a, b)`"),
            Arity::Exactly(0) => fault.note("leave `from` out"),
            Arity::Exactly(_) if count > 1 => fault.note("to join several values use `concat`, to sum them `add`"),
            Arity::Exactly(_) => fault,
        })
    }
}

impl std::fmt::Display for Arity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (words, count) = match *self {
            Arity::Exactly(0) => return f.write_str("no operand"),
            Arity::Exactly(count) => ("", count),
            Arity::AtLeast(count) => ("at least ", count),
        };
        write!(f, "{words}{count} operand{}", if count == 1 { "" } else { "s" })
    }
}

/// The result's shape, if it is not too large; `key` is what made it so.
pub(super) fn sized(shape: Shape, key: &'static str) -> Result<Shape, Vec<Fault>> {
    shape
        .checked()
        .ok_or_else(|| too_large("result", &shape.to_string(), key).into())
}

/// The fault of something too large to compute with.
pub(super) fn too_large(what: &str, shape: &str, key: &'static str) -> Fault {
    Fault::new(key, format!("`{key}` makes the {what} too large: {shape}")).note(format!(
        "a dimension may be at most {MAX_DIMENSION}, and a tensor may have at most 2^48 elements"
    ))
}

/// What a formula says of its first operand's channels, height and width; nothing if that is no map.
pub(super) fn of_map(operands: &[Shape], say: impl FnOnce(usize, usize, usize) -> String) -> String {
    match operands.first() {
        Some(&Shape::Map {
            channels,
            height,
            width,
        }) => say(channels, height, width),
        Some(Shape::Flat(_)) | None => String::new(),
    }
}

/// Channels, height and width of a map, or the fault of an operand that is none.
pub(super) fn map(op: &str, input: Shape) -> Result<(usize, usize, usize), Fault> {
    match input {
        Shape::Map {
            channels,
            height,
            width,
        } => Ok((channels, height, width)),
        Shape::Flat(_) => Err(Fault::new(
            "from",
            format!("`{op}` needs a map [channels, height, width], but its input is the flat vector {input}"),
        )
        .note("a `reshape` makes a map of a vector")),
    }
}
