//! What a declaration says beside the network itself: weights, memory, batch, threads, `no_std`.

use cnn_ir::ast::{Value, ValueKind};
use cnn_ir::diag::nearest;
use cnn_ir::shape::MAX_DIMENSION;
use cnn_ir::span::{Span, Spanned};

use super::values::Reader;

/// The words of all options.
pub(super) const OPTIONS: [&str; 6] = ["weights", "max_arena", "batch", "threads", "exact", "no_std"];
/// Those that stand alone.
pub(super) const FLAGS: [&str; 2] = ["exact", "no_std"];

/// More threads than any machine has.
const MAX_THREADS: usize = 1024;

const UNITS: [(&str, u64); 7] = [
    ("KiB", 1 << 10),
    ("MiB", 1 << 20),
    ("GiB", 1 << 30),
    ("kB", 1_000),
    ("MB", 1_000_000),
    ("GB", 1_000_000_000),
    ("B", 1),
];

/// Options of a network, each with its place.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Options {
    /// The weights' file, relative to the crate's folder.
    pub weights: Option<Spanned<String>>,
    /// The most bytes that values may take while the network runs.
    pub max_arena: Option<Spanned<u64>>,
    /// Images of one run.
    pub batch: Option<Spanned<usize>>,
    /// Threads that share a run.
    pub threads: Option<Spanned<usize>>,
    /// Whether results must be as exact as multiplying and adding in f32 is.
    pub exact: Option<Span>,
    /// Whether the code may use neither `std` nor a heap.
    pub no_std: Option<Span>,
    /// Where each option stands that was given, right or wrong.
    given: Vec<Spanned<String>>,
}

impl Options {
    /// Takes an option; `value` is what stands behind its `=`.
    pub(super) fn set(&mut self, name: Spanned<String>, value: Option<Value>, reader: &mut Reader) {
        if !OPTIONS.contains(&name.value.as_str()) {
            let hint = match nearest(&name.value, OPTIONS) {
                Some(meant) => format!("; did you mean `{meant}`?"),
                None => String::new(),
            };
            let error = reader.error(name.span, format!("unknown option `{}`{hint}", name.value));
            error.notes.push(format!("options: {}", OPTIONS.join(", ")));
            return;
        }
        if let Some(first) = self.given.iter().find(|given| given.value == name.value) {
            let first = first.span;
            let error = reader.error(name.span, format!("`{}` is given twice", name.value));
            *error = error.clone().also(first, "given here already");
            return;
        }
        match (name.value.as_str(), &value) {
            ("no_std", None) => self.no_std = Some(name.span),
            ("exact", None) => self.exact = Some(name.span),
            (word, Some(value)) if FLAGS.contains(&word) => {
                reader.error(value.span, format!("`{word}` has no value: it stands alone"));
            }
            (word, None) => {
                reader.error(
                    name.span,
                    format!("`{word}` needs a value: `{word} = {}`", example(word)),
                );
            }
            (word, Some(value)) => self.read(word, value, reader),
        }
        self.given.push(name);
    }

    fn read(&mut self, word: &str, value: &Value, reader: &mut Reader) {
        let (kind, place) = (&value.kind, value.span);
        let (read, what) = match word {
            "weights" => {
                self.weights = path(kind).map(|path| Spanned::new(path, place));
                (self.weights.is_some(), "the path of a safetensors file")
            }
            "batch" => {
                self.batch = count(kind, MAX_DIMENSION).map(|images| Spanned::new(images, place));
                (self.batch.is_some(), "a number of images")
            }
            "threads" => {
                self.threads = count(kind, MAX_THREADS).map(|threads| Spanned::new(threads, place));
                (self.threads.is_some(), "a number of threads")
            }
            _ => {
                self.max_arena = bytes(kind).map(|bytes| Spanned::new(bytes, place));
                (self.max_arena.is_some(), "a number of bytes")
            }
        };
        let last = reader.diagnostics.last().and_then(|last| last.primary.as_ref());
        let is_known = last.is_some_and(|last| last.span == place);
        if !read && !is_known {
            let message = format!("`{word}` must be {what}, such as {}, found {kind}", example(word));
            reader.error(place, message);
        }
    }
}

fn example(option: &str) -> &'static str {
    match option {
        "weights" => "\"weights.safetensors\"",
        "batch" | "threads" => "4",
        _ => "\"256KiB\"",
    }
}

fn path(kind: &ValueKind) -> Option<String> {
    match kind {
        ValueKind::Text(path) if !path.is_empty() => Some(path.clone()),
        _ => None,
    }
}

/// From 1 to `most`.
fn count(kind: &ValueKind, most: usize) -> Option<usize> {
    match kind {
        ValueKind::Integer(count) => usize::try_from(*count).ok().filter(|n| (1..=most).contains(n)),
        _ => None,
    }
}

/// `4096`, `"256KiB"`, `"1 MiB"`.
fn bytes(kind: &ValueKind) -> Option<u64> {
    match kind {
        ValueKind::Integer(bytes) => u64::try_from(*bytes).ok(),
        ValueKind::Text(text) => {
            let digits = text.trim_end_matches(|c: char| !c.is_ascii_digit());
            let unit = text[digits.len()..].trim_start();
            let factor = match UNITS.iter().find(|(name, _)| *name == unit) {
                Some((_, factor)) => *factor,
                None if unit.is_empty() => 1,
                None => return None,
            };
            digits.parse::<u64>().ok()?.checked_mul(factor)
        }
        _ => None,
    }
}
