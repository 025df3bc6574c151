//! Attributes as values of a declaration: the counterpart of the reader, for printers.

use super::{Padding, Pair, Sides};
use crate::ast::{Key, Value, ValueKind};
use crate::shape::Shape;
use crate::span::{Span, Spanned};

/// A count.
pub(super) fn integer(count: usize) -> ValueKind {
    ValueKind::Integer(i64::try_from(count).unwrap_or(i64::MAX))
}

/// A list of counts.
pub(super) fn integers(counts: &[usize]) -> ValueKind {
    ValueKind::List(counts.iter().map(|&count| Value::unplaced(integer(count))).collect())
}

/// Height and width; one integer when they are equal.
pub(super) fn pair(pair: Pair) -> ValueKind {
    if pair.h == pair.w {
        integer(pair.h)
    } else {
        integers(&[pair.h, pair.w])
    }
}

/// A border in the shortest way that says it.
pub(super) fn sides(sides: Sides) -> ValueKind {
    if sides.top == sides.bottom && sides.left == sides.right {
        pair(Pair {
            h: sides.top,
            w: sides.left,
        })
    } else {
        integers(&[sides.top, sides.left, sides.bottom, sides.right])
    }
}

/// Padding of a window.
pub(super) fn padding(padding: Padding) -> ValueKind {
    match padding {
        Padding::Valid => text("valid"),
        Padding::Same => text("same"),
        Padding::Explicit(border) => sides(border),
    }
}

/// A shape.
pub(super) fn shape(shape: Shape) -> ValueKind {
    integers(&shape.dims())
}

/// A number of single precision, with as few digits as tell it from its neighbours: 0.1, not 0.10000000149011612.
pub(super) fn single(number: f32) -> ValueKind {
    let short = number.to_string().parse::<f64>();
    let short = short.ok().filter(|&short| short as f32 == number);
    ValueKind::Float(short.unwrap_or(f64::from(number)))
}

/// Two numbers of single precision; one when they are equal.
pub(super) fn factors([a, b]: [f32; 2]) -> ValueKind {
    if a == b {
        single(a)
    } else {
        ValueKind::List([a, b].map(|number| Value::unplaced(single(number))).into())
    }
}

/// A word.
pub(super) fn text(word: &str) -> ValueKind {
    ValueKind::Text(word.to_owned())
}

/// A table.
pub(super) fn table(keys: Vec<(&'static str, ValueKind)>) -> ValueKind {
    let key = |(name, value): (&str, ValueKind)| Key {
        name: Spanned::new(name.to_owned(), Span::NONE),
        value: Value::unplaced(value),
    };
    ValueKind::Table(keys.into_iter().map(key).collect())
}
