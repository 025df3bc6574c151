//! Writes an operator's keys: the counterpart of the reader, for printers.

use super::activation::activation_value;
use super::{Activation, Pair, Sides};
use crate::ast::{Key, Value, ValueKind};
use crate::shape::Shape;
use crate::span::{Span, Spanned};

/// Collects the keys that differ from their defaults, in the order they are given.
#[derive(Default)]
pub(super) struct Writer {
    keys: Vec<(&'static str, ValueKind)>,
}

impl Writer {
    /// Any value.
    pub(super) fn value(mut self, key: &'static str, value: ValueKind) -> Self {
        self.keys.push((key, value));
        self
    }

    /// A value unless it is the default.
    fn unless(self, default: bool, key: &'static str, value: impl FnOnce() -> ValueKind) -> Self {
        if default { self } else { self.value(key, value()) }
    }

    /// A count.
    pub(super) fn count(self, key: &'static str, count: usize, default: Option<usize>) -> Self {
        self.unless(Some(count) == default, key, || integer(count))
    }

    /// Height and width; one integer when they are equal.
    pub(super) fn pair(self, key: &'static str, pair: Pair, default: Option<Pair>) -> Self {
        self.unless(Some(pair) == default, key, || pair_value(pair))
    }

    /// A shape.
    pub(super) fn shape(self, key: &'static str, shape: Shape) -> Self {
        self.value(key, integers(&shape.dims()))
    }

    /// A number of double precision.
    pub(super) fn number(self, key: &'static str, number: f64, default: Option<f64>) -> Self {
        self.unless(Some(number) == default, key, || ValueKind::Float(number))
    }

    /// A number of single precision, with as few digits as tell it from its neighbours.
    pub(super) fn single(self, key: &'static str, number: f32, default: Option<f32>) -> Self {
        self.unless(Some(number) == default, key, || ValueKind::Float(shortest(number)))
    }

    /// Two numbers of single precision; one when they are equal.
    pub(super) fn factors(self, key: &'static str, [a, b]: [f32; 2]) -> Self {
        let value = |number| ValueKind::Float(shortest(number));
        self.value(
            key,
            if a == b {
                value(a)
            } else {
                ValueKind::List([a, b].map(|number| Value::unplaced(value(number))).into())
            },
        )
    }

    /// A flag.
    pub(super) fn flag(self, key: &'static str, flag: bool, default: bool) -> Self {
        self.unless(flag == default, key, || ValueKind::Boolean(flag))
    }

    /// A word.
    pub(super) fn word(self, key: &'static str, word: &str, default: &str) -> Self {
        self.unless(word == default, key, || ValueKind::Text(word.to_owned()))
    }

    /// A fused activation, if there is one.
    pub(super) fn activation(self, activation: Option<Activation>) -> Self {
        match activation {
            Some(activation) => self.value("activation", activation_value(activation)),
            None => self,
        }
    }

    /// The keys.
    pub(super) fn finish(self) -> Vec<(&'static str, ValueKind)> {
        self.keys
    }

    /// The keys as a table.
    pub(super) fn table(self) -> ValueKind {
        let key = |(name, value): (&str, ValueKind)| Key {
            name: Spanned::new(name.to_owned(), Span::NONE),
            value: Value::unplaced(value),
        };
        ValueKind::Table(self.keys.into_iter().map(key).collect())
    }
}

/// A count as a value.
pub(super) fn integer(count: usize) -> ValueKind {
    ValueKind::Integer(i64::try_from(count).unwrap_or(i64::MAX))
}

/// A list of counts as a value.
pub(super) fn integers(counts: &[usize]) -> ValueKind {
    ValueKind::List(counts.iter().map(|&count| Value::unplaced(integer(count))).collect())
}

fn pair_value(pair: Pair) -> ValueKind {
    if pair.h == pair.w {
        integer(pair.h)
    } else {
        integers(&[pair.h, pair.w])
    }
}

/// A border in the shortest way that says it.
pub(super) fn sides_value(sides: Sides) -> ValueKind {
    if sides.top == sides.bottom && sides.left == sides.right {
        pair_value(Pair {
            h: sides.top,
            w: sides.left,
        })
    } else {
        integers(&[sides.top, sides.left, sides.bottom, sides.right])
    }
}

/// The double whose decimal form is the shortest one of `number`: 0.1, not 0.10000000149011612.
fn shortest(number: f32) -> f64 {
    match number.to_string().parse::<f64>() {
        Ok(short) if short as f32 == number => short,
        _ => f64::from(number),
    }
}
