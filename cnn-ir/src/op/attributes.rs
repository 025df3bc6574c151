//! Reads an operator's keys: typed values with defaults, and an error at the guilty word for everything else.

use super::fault::list;
use super::{Dialect, Pair};
use crate::ast::{Key, Value, ValueKind};
use crate::diag::{Diagnostic, nearest};
use crate::shape::{MAX_DIMENSION, Shape};
use crate::span::{Span, Spanned};

/// Hands out the values of an operator's keys, and remembers what was asked for and what went wrong.
///
/// A getter always returns a value: after an error one that merely lets reading go on to the next key.
/// [`Reader::finish`] decides whether the values count.
pub(super) struct Reader<'a> {
    owner: &'a Spanned<String>,
    keys: &'a [Key],
    /// Which keys may be asked for.
    pub(super) dialect: Dialect,
    asked: Vec<&'static str>,
    missing: Vec<&'static str>,
    errors: Vec<Diagnostic>,
}

impl<'a> Reader<'a> {
    /// A reader of `keys`, which stand behind the operator's name `owner`.
    pub(super) fn new(owner: &'a Spanned<String>, keys: &'a [Key], dialect: Dialect) -> Self {
        Reader {
            owner,
            keys,
            dialect,
            asked: Vec::new(),
            missing: Vec::new(),
            errors: Vec::new(),
        }
    }

    /// A count from 1 up; required if it has no default.
    pub(super) fn count(&mut self, key: &'static str, default: Option<usize>) -> usize {
        let Some(value) = self.value(key, default.is_none()) else {
            return default.unwrap_or(1);
        };
        match value.kind {
            ValueKind::Integer(_) => self.integer(key, value, value, 1),
            _ => self.wrong_type(key, value, "an integer"),
        }
        .unwrap_or(1)
    }

    /// Height and width from 1 up, or one integer for both; required if it has no default.
    pub(super) fn pair(&mut self, key: &'static str, default: Option<Pair>) -> Pair {
        let Some(value) = self.value(key, default.is_none()) else {
            return default.unwrap_or(Pair::ONE);
        };
        match &value.kind {
            ValueKind::Integer(_) => self.integer(key, value, value, 1).map(Pair::both),
            ValueKind::List(items) if items.len() == 2 => self
                .integers(key, value, items, 1)
                .map(|pair| Pair { h: pair[0], w: pair[1] }),
            _ => self.wrong_type(key, value, "an integer or [height, width]"),
        }
        .unwrap_or(Pair::ONE)
    }

    /// `[channels, height, width]` or `[n]`; required.
    pub(super) fn shape(&mut self, key: &'static str) -> Shape {
        let Some(value) = self.value(key, true) else {
            return Shape::Flat(1);
        };
        let dims = match &value.kind {
            ValueKind::List(items) if matches!(items.len(), 1 | 3) => self.integers(key, value, items, 1),
            _ => self.wrong_type(key, value, "[channels, height, width] or [length]"),
        };
        let shape = dims.and_then(|dims| Shape::from_dims(&dims)).unwrap_or(Shape::Flat(1));
        if shape.checked().is_none() {
            self.error(
                key,
                value,
                value,
                format!("`{key}` {shape} has too many elements, at most 2^48 are possible"),
            );
            return Shape::Flat(1);
        }
        shape
    }

    /// A number within `range`; required if it has no default. Infinite only if the range says so.
    pub(super) fn number(&mut self, key: &'static str, default: Option<f64>, range: Range) -> f64 {
        let fallback = default.unwrap_or(range.least.max(0.0));
        let Some(value) = self.value(key, default.is_none()) else {
            return fallback;
        };
        let number = match value.kind {
            ValueKind::Integer(integer) => integer as f64,
            ValueKind::Float(number) => number,
            _ => return self.wrong_type(key, value, "a number").unwrap_or(fallback),
        };
        if range.contains(number) {
            return number;
        }
        self.error(
            key,
            value,
            value,
            format!("`{key}` must be {range}, found {}", value.kind),
        );
        fallback
    }

    /// A number that fits single precision.
    pub(super) fn single(&mut self, key: &'static str, default: Option<f32>, range: Range) -> f32 {
        self.number(key, default.map(f64::from), range) as f32
    }

    /// `true` or `false`.
    pub(super) fn flag(&mut self, key: &'static str, default: bool) -> bool {
        let Some(value) = self.value(key, false) else {
            return default;
        };
        match value.kind {
            ValueKind::Boolean(flag) => flag,
            _ => self.wrong_type(key, value, "true or false").unwrap_or(default),
        }
    }

    /// Any string; required.
    pub(super) fn text(&mut self, key: &'static str) -> String {
        let Some(value) = self.value(key, true) else {
            return String::new();
        };
        match &value.kind {
            ValueKind::Text(text) => text.clone(),
            _ => self.wrong_type(key, value, "a string").unwrap_or_default(),
        }
    }

    /// One of a few words; the first is the default.
    pub(super) fn choice<T: Copy>(&mut self, key: &'static str, choices: &[(&'static str, T)]) -> T {
        let default = choices[0].1;
        let Some(value) = self.value(key, false) else {
            return default;
        };
        let ValueKind::Text(text) = &value.kind else {
            return self.wrong_type(key, value, &quoted(choices)).unwrap_or(default);
        };
        if let Some((_, choice)) = choices.iter().find(|(word, _)| word == text) {
            return *choice;
        }
        let message = format!("`{key}` must be {}, found {text:?}", quoted(choices));
        let hint = hint(text, choices.iter().map(|(word, _)| *word));
        self.error(key, value, value, message + &hint);
        default
    }

    /// A table read by `read` as if `key` were an operator.
    pub(super) fn table<T>(&mut self, key: &'static str, read: impl FnOnce(&mut Reader<'_>) -> T) -> Option<T> {
        let value = self.value(key, false)?;
        let ValueKind::Table(keys) = &value.kind else {
            return self.wrong_type(key, value, "a table");
        };
        let owner = Spanned::new(key.to_owned(), value.span);
        self.nested(key, value, &owner, keys, |reader| Some(read(reader)))
    }

    /// Reads `keys` behind another `owner`, as part of the value of `key`.
    pub(super) fn nested<T>(
        &mut self,
        key: &'static str,
        value: &Value,
        owner: &Spanned<String>,
        keys: &[Key],
        read: impl FnOnce(&mut Reader<'_>) -> Option<T>,
    ) -> Option<T> {
        let mut reader = Reader::new(owner, keys, self.dialect);
        let read = read(&mut reader);
        match reader.finish() {
            Ok(()) => read,
            Err(errors) => {
                let place = |error| match value.used_at {
                    Some(used_at) => Diagnostic::also(error, used_at, format!("used here as `{key}`")),
                    None => error,
                };
                self.errors.extend(errors.into_iter().map(place));
                None
            }
        }
    }

    /// The value of a key, which from now on counts as a valid one.
    pub(super) fn value(&mut self, key: &'static str, required: bool) -> Option<&'a Value> {
        self.asked.push(key);
        let mut found = self.keys.iter().filter(|candidate| candidate.name.value == key);
        let first = found.next();
        for again in found {
            let error = Diagnostic::error(again.name.span, format!("`{key}` is given twice"));
            let first = first.map_or(Span::NONE, |first| first.name.span);
            self.errors.push(error.also(first, "given here already"));
        }
        if first.is_none() && required {
            self.missing.push(key);
        }
        first.map(|key| &key.value)
    }

    /// An integer from `least` to [`MAX_DIMENSION`]; `part` is `whole` or an item of it.
    pub(super) fn integer(&mut self, key: &'static str, whole: &Value, part: &Value, least: usize) -> Option<usize> {
        let ValueKind::Integer(integer) = part.kind else {
            let found = found(part);
            self.error(key, whole, part, format!("`{key}` must hold integers, found {found}"));
            return None;
        };
        match usize::try_from(integer) {
            Ok(count) if (least..=MAX_DIMENSION).contains(&count) => Some(count),
            _ => {
                let message = format!("`{key}` must be between {least} and {MAX_DIMENSION}, found {integer}");
                self.error(key, whole, part, message);
                None
            }
        }
    }

    /// Integers of a list, each checked.
    pub(super) fn integers(
        &mut self,
        key: &'static str,
        whole: &Value,
        items: &[Value],
        least: usize,
    ) -> Option<Vec<usize>> {
        let integers: Vec<_> = items.iter().map(|item| self.integer(key, whole, item, least)).collect();
        integers.into_iter().collect()
    }

    /// Says what was expected of a value and what was found.
    pub(super) fn wrong_type<T>(&mut self, key: &'static str, value: &Value, expected: &str) -> Option<T> {
        let found = found(value);
        self.error(key, value, value, format!("`{key}` must be {expected}, found {found}"));
        None
    }

    /// An error at a value, or at an item of it; where a block's parameter stood for it, that place is shown too.
    pub(super) fn error(&mut self, key: &'static str, whole: &Value, part: &Value, message: String) {
        let span = if part.span == Span::NONE { whole.span } else { part.span };
        let mut error = Diagnostic::error(span, message);
        if let Some(used_at) = part.used_at.or(whole.used_at) {
            error = error.also(used_at, format!("used here as `{key}`"));
        }
        self.errors.push(error);
    }

    /// An error like [`Reader::error`] with advice.
    pub(super) fn error_with_note(
        &mut self,
        key: &'static str,
        whole: &Value,
        part: &Value,
        message: String,
        note: String,
    ) {
        self.error(key, whole, part, message);
        if let Some(error) = self.errors.last_mut() {
            error.notes.push(note);
        }
    }

    /// The value of a key that was asked for already, if it was written.
    pub(super) fn written(&self, key: &str) -> Option<&'a Value> {
        self.keys
            .iter()
            .find(|candidate| candidate.name.value == key)
            .map(|key| &key.value)
    }

    /// Whether everything was in order: no key unknown, missing or wrong.
    pub(super) fn finish(mut self) -> Result<(), Vec<Diagnostic>> {
        let owner = &self.owner.value;
        let valid = match self.asked.as_slice() {
            [] => format!("`{owner}` has no keys of its own"),
            asked => format!("keys of `{owner}`: {}", list(asked)),
        };
        for key in self.keys {
            let name = key.name.value.as_str();
            if self.asked.contains(&name) {
                continue;
            }
            // A misspelt key is not missing as well.
            let meant = nearest(name, self.asked.iter().copied().chain(["from", "weights"]));
            self.missing.retain(|missing| Some(*missing) != meant);
            let hint = meant.map_or_else(String::new, |meant| format!("; did you mean `{meant}`?"));
            let error = Diagnostic::error(key.name.span, format!("`{owner}` has no key `{name}`{hint}"));
            self.errors.push(error.note(valid.clone()));
        }
        for key in self.missing {
            let error = Diagnostic::error(self.owner.span, format!("`{owner}` needs the key `{key}`"));
            self.errors
                .push(error.label(format!("`{key}` is missing")).note(valid.clone()));
        }
        if self.errors.is_empty() {
            Ok(())
        } else {
            Err(self.errors)
        }
    }
}

/// Which numbers a key takes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Range {
    least: f64,
    greatest: f64,
}

impl Range {
    /// Every finite number of single precision.
    pub(super) const SINGLE: Range = Range {
        least: f32::MIN as f64,
        greatest: f32::MAX as f64,
    };
    /// Every number but NaN.
    pub(super) const EXTENDED: Range = Range {
        least: f64::NEG_INFINITY,
        greatest: f64::INFINITY,
    };
    /// Finite, 0 and up.
    pub(super) const NOT_NEGATIVE: Range = Range {
        least: 0.0,
        greatest: f32::MAX as f64,
    };
    /// From 0 to 1.
    pub(super) const SHARE: Range = Range {
        least: 0.0,
        greatest: 1.0,
    };

    fn contains(self, number: f64) -> bool {
        (self.least..=self.greatest).contains(&number)
    }
}

impl std::fmt::Display for Range {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match (self.least, self.greatest) {
            (0.0, 1.0) => f.write_str("between 0 and 1"),
            (0.0, _) => f.write_str("a finite number, not below 0"),
            (least, _) if least.is_infinite() => f.write_str("a number"),
            _ => f.write_str("a finite number of single precision"),
        }
    }
}

/// "; did you mean `relu`?" if a candidate is near.
pub(super) fn hint<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> String {
    nearest(word, candidates).map_or_else(String::new, |meant| format!("; did you mean `{meant}`?"))
}

/// A value as it is spoken of: `the string "3"`.
pub(super) fn found(value: &Value) -> String {
    match &value.kind {
        ValueKind::Integer(_) => format!("the integer {}", value.kind),
        ValueKind::Float(_) => format!("the number {}", value.kind),
        ValueKind::Boolean(_) => format!("the boolean {}", value.kind),
        ValueKind::Text(_) => format!("the string {}", value.kind),
        ValueKind::List(items) if items.len() > 8 => format!("a list of {} items", items.len()),
        ValueKind::List(_) => format!("the list {}", value.kind),
        ValueKind::Table(_) => "a table".to_owned(),
        ValueKind::Parameter(_) => format!("the block's parameter {}", value.kind),
    }
}

fn quoted<T>(choices: &[(&'static str, T)]) -> String {
    let words: Vec<_> = choices.iter().map(|(word, _)| format!("{word:?}")).collect();
    words.join(" or ")
}
