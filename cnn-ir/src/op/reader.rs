//! Reads an operator's keys: typed values with defaults, and an error at the guilty word for everything else.

use super::range::Range;
use super::words::{found, hint, list, quoted};
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
    /// Keys that every layer may have besides, which a misspelt one may mean.
    common: &'static [&'static str],
    /// Which keys may be asked for.
    pub(super) dialect: Dialect,
    asked: Vec<&'static str>,
    /// Keys that are needed, each with what could stand for it.
    missing: Vec<Vec<&'static str>>,
    errors: Vec<Diagnostic>,
}

impl<'a> Reader<'a> {
    /// A reader of `keys`, which stand behind the operator's name `owner`.
    pub(super) fn new(owner: &'a Spanned<String>, keys: &'a [Key], dialect: Dialect) -> Self {
        Reader {
            owner,
            keys,
            common: &["from", "weights"],
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
        self.two(key, value, 1).unwrap_or(Pair::ONE)
    }

    /// Two integers from `least` up, or one for both.
    pub(super) fn two(&mut self, key: &'static str, value: &Value, least: usize) -> Option<Pair> {
        match &value.kind {
            ValueKind::Integer(_) => self.integer(key, value, value, least).map(Pair::both),
            ValueKind::List(items) if items.len() == 2 => self
                .integers(key, value, items, least)
                .map(|pair| Pair { h: pair[0], w: pair[1] }),
            _ => self.wrong_type(key, value, "an integer or [height, width]"),
        }
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
        let fallback = default.unwrap_or(0.0);
        let Some(value) = self.value(key, default.is_none()) else {
            return fallback;
        };
        self.number_of(key, value, value, range).unwrap_or(fallback)
    }

    /// A number within `range`; `part` is `whole` or an item of it.
    pub(super) fn number_of(&mut self, key: &'static str, whole: &Value, part: &Value, range: Range) -> Option<f64> {
        let message = match part.kind {
            ValueKind::Integer(integer) if range.contains(integer as f64) => return Some(integer as f64),
            ValueKind::Float(number) if range.contains(number) => return Some(number),
            ValueKind::Integer(_) | ValueKind::Float(_) => format!("`{key}` must be {range}, found {}", part.kind),
            _ => format!("`{key}` must be a number, found {}", found(part)),
        };
        self.error(key, whole, part, message);
        None
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
        let mut reader = Reader {
            common: &[],
            ..Reader::new(owner, keys, self.dialect)
        };
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
        if !self.asked.contains(&key) {
            self.asked.push(key);
        }
        let mut found = self.keys.iter().filter(|candidate| candidate.name.value == key);
        let first = found.next();
        for again in found {
            let error = Diagnostic::error(again.name.span, format!("`{key}` is given twice"));
            let first = first.map_or(Span::NONE, |first| first.name.span);
            self.errors.push(error.also(first, "given here already"));
        }
        if first.is_none() && required {
            self.missing.push(vec![key]);
        }
        first.map(|key| &key.value)
    }

    /// Which of two keys is written, exactly one of which is needed.
    pub(super) fn one_of(&mut self, one: &'static str, other: &'static str) -> Option<&'static str> {
        match (self.value(one, false), self.value(other, false)) {
            (Some(_), None) => Some(one),
            (None, Some(_)) => Some(other),
            (None, None) => {
                self.missing.push(vec![one, other]);
                None
            }
            (Some(_), Some(again)) => {
                let message = format!("`{}` takes `{one}` or `{other}`, not both", self.owner.value);
                self.error(other, again, again, message);
                None
            }
        }
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

    /// Any integer, if the key is written.
    pub(super) fn signed(&mut self, key: &'static str) -> Option<i64> {
        let value = self.value(key, false)?;
        match value.kind {
            ValueKind::Integer(integer) => Some(integer),
            _ => self.wrong_type(key, value, "an integer"),
        }
    }

    /// A list of integers from 1 up; empty if it is not written.
    pub(super) fn sizes(&mut self, key: &'static str) -> Vec<usize> {
        let Some(value) = self.value(key, false) else {
            return Vec::new();
        };
        let sizes = match &value.kind {
            ValueKind::List(items) => self.integers(key, value, items, 1),
            _ => self.wrong_type(key, value, "a list of integers"),
        };
        sizes.unwrap_or_default()
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
            let meant = nearest(name, self.asked.iter().chain(self.common).copied());
            self.missing
                .retain(|missing| meant.is_none_or(|meant| !missing.contains(&meant)));
            let hint = meant.map_or_else(String::new, |meant| format!("; did you mean `{meant}`?"));
            let error = Diagnostic::error(key.name.span, format!("`{owner}` has no key `{name}`{hint}"));
            self.errors.push(error.note(valid.clone()));
        }
        if !self.missing.is_empty() {
            let either = |keys: &Vec<&str>| format!("`{}`", keys.join("` or `"));
            let keys: Vec<_> = self.missing.iter().map(either).collect();
            let plural = if keys.len() == 1 { "" } else { "s" };
            let message = format!("`{owner}` needs the key{plural} {}", keys.join(" and "));
            self.errors
                .push(Diagnostic::error(self.owner.span, message).note(valid));
        }
        if self.errors.is_empty() {
            Ok(())
        } else {
            Err(self.errors)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Op;
    use super::super::testing::{OP, error, int, keys, list, name_at, read, text, value_at};
    use super::*;

    #[test]
    fn all_errors_are_collected_each_at_its_word() {
        let written = [
            ("filters", int(0)),
            ("kernel", text("3")),
            ("colour", int(1)),
            ("stride", list(&[1, -2])),
        ];
        let errors = read("conv", &written).expect_err("four mistakes");
        let found: Vec<_> = errors
            .iter()
            .map(|error| (error.message.as_str(), error.primary.as_ref().expect("a place").span))
            .collect();
        assert_eq!(
            found,
            [
                ("`filters` must be between 1 and 2147483647, found 0", value_at(0)),
                (
                    "`kernel` must be an integer or [height, width], found the string \"3\"",
                    value_at(1)
                ),
                ("`stride` must be between 1 and 2147483647, found -2", value_at(3)),
                ("`conv` has no key `colour`", name_at(2)),
            ]
        );
        assert!(errors[3].notes[0].starts_with("keys of `conv`: filters, kernel, stride, padding, "));
    }

    #[test]
    fn a_misspelt_key_is_not_missing_as_well() {
        let (message, place) = error("conv", &[("filters", int(4)), ("kernal", int(3))]);
        assert_eq!(message, "`conv` has no key `kernal`; did you mean `kernel`?");
        assert_eq!(place, name_at(1));
    }

    #[test]
    fn a_missing_key_is_named_at_the_operator() {
        assert_eq!(
            error("conv", &[("kernel", int(3))]),
            ("`conv` needs the key `filters`".to_owned(), OP)
        );
    }

    #[test]
    fn a_key_given_twice_shows_both() {
        let errors = read("dense", &[("units", int(4)), ("units", int(5))]).expect_err("twice");
        assert_eq!(errors[0].message, "`units` is given twice");
        assert_eq!(errors[0].primary.as_ref().map(|label| label.span), Some(name_at(1)));
        assert_eq!(errors[0].secondary[0].span, name_at(0));
    }

    #[test]
    fn a_parameters_value_is_shown_where_it_is_given_and_where_it_is_used() {
        let used_at = Span::from(7..9);
        let op = Spanned::new("conv".to_owned(), OP);
        let mut written = keys(&[
            ("filters", int(0)),
            ("kernel", list(&[3, 0])),
            ("activation", text("rellu")),
        ]);
        for key in &mut written {
            key.value.used_at = Some(used_at);
        }
        let errors = Op::read(&op, &written, Dialect::Declaration).expect_err("three mistakes");
        assert_eq!(errors.len(), 3);
        for (i, (error, key)) in errors.iter().zip(["filters", "kernel", "activation"]).enumerate() {
            assert_eq!(error.primary.as_ref().map(|label| label.span), Some(value_at(i)));
            assert_eq!(error.secondary[0].span, used_at);
            assert_eq!(error.secondary[0].text, format!("used here as `{key}`"));
        }
    }

    #[test]
    fn types_and_ranges_are_checked() {
        let message = |op, key, value| error(op, &[(key, value)]).0;
        assert_eq!(
            message("dense", "units", ValueKind::Float(3.0)),
            "`units` must be an integer, found the number 3.0"
        );
        assert_eq!(
            message("dense", "units", int(i64::MAX)),
            format!("`units` must be between 1 and 2147483647, found {}", i64::MAX)
        );
        assert_eq!(
            message("batch_norm", "epsilon", int(-1)),
            "`epsilon` must be a finite number, not below 0, found -1"
        );
        assert_eq!(
            message("dropout", "rate", ValueKind::Float(1.5)),
            "`rate` must be between 0 and 1, found 1.5"
        );
        assert_eq!(
            message("lrn", "k", ValueKind::Float(f64::NAN)),
            "`k` must be a finite number of single precision, found NaN"
        );
        assert_eq!(
            message("lrn", "k", text("2")),
            "`k` must be a number, found the string \"2\""
        );
        assert_eq!(
            message("reshape", "shape", list(&[1, 2])),
            "`shape` must be [channels, height, width] or [length], found the list [1, 2]"
        );
        assert_eq!(
            message("reshape", "shape", list(&[2, 0, 3])),
            "`shape` must be between 1 and 2147483647, found 0"
        );
        let most = i64::from(i32::MAX);
        assert!(message("reshape", "shape", list(&[most, most, most])).contains("too many elements"));
        assert_eq!(
            message("avg_pool", "size", list(&[3, 3, 3])),
            "`size` must be an integer or [height, width], found the list [3, 3, 3]"
        );
    }

    #[test]
    fn words_are_one_of_a_few() {
        let (message, place) = error("upsample", &[("scale", int(2)), ("mode", text("bilinaer"))]);
        assert_eq!(
            message,
            "`mode` must be \"nearest\" or \"bilinear\", found \"bilinaer\"; did you mean `bilinear`?"
        );
        assert_eq!(place, value_at(1));
    }

    #[test]
    fn what_passes_make_is_no_declaration() {
        let written = [
            ("filters", int(1)),
            ("kernel", int(1)),
            ("residual", ValueKind::Boolean(true)),
        ];
        assert_eq!(error("conv", &written).0, "`conv` has no key `residual`");
    }
}
