//! Operators with several operands: sums, products … element by element, and concatenation.

use super::attributes::Reader;
use super::fault::sized;
use super::writer::Writer;
use super::{Activation, Arity, Fault, Operator};
use crate::ast::ValueKind;
use crate::shape::Shape;

/// How elements of the operands at one place become one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CombineKind {
    /// `a + b + …`
    Add,
    /// `a · b · …`
    Mul,
    /// `a − b`
    Sub,
    /// `a / b`
    Div,
    /// The greatest.
    Max,
    /// The least.
    Min,
}

/// Two or more operands, element by element. They have as many dimensions as each other, and in every axis the
/// sizes are equal, or 1: such an operand counts for every place along that axis (numpy's broadcasting).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Combine {
    /// What is computed.
    pub kind: CombineKind,
    /// Applied to the result.
    pub activation: Option<Activation>,
}

/// Joins maps of one height and width (or vectors) along the channels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Concat;

impl Combine {
    pub(super) fn read(kind: CombineKind, keys: &mut Reader<'_>) -> Combine {
        Combine {
            kind,
            activation: keys.activation(),
        }
    }
}

impl Operator for Combine {
    fn name(&self) -> &'static str {
        match self.kind {
            CombineKind::Add => "add",
            CombineKind::Mul => "mul",
            CombineKind::Sub => "sub",
            CombineKind::Div => "div",
            CombineKind::Max => "max",
            CombineKind::Min => "min",
        }
    }

    fn keys(&self) -> Vec<(&'static str, ValueKind)> {
        Writer::default().activation(self.activation).finish()
    }

    fn arity(&self) -> Arity {
        match self.kind {
            CombineKind::Add | CombineKind::Mul | CombineKind::Max | CombineKind::Min => Arity::AtLeast(2),
            CombineKind::Sub | CombineKind::Div => Arity::Exactly(2),
        }
    }

    fn shape(&self, operands: &[Shape]) -> Result<Shape, Vec<Fault>> {
        let mut whole = operands[0];
        for &other in &operands[1..] {
            whole = whole.broadcast(other).ok_or_else(|| self.misfit(whole, other))?;
        }
        sized(whole, "from")
    }
}

impl Combine {
    fn misfit(&self, whole: Shape, other: Shape) -> Fault {
        let message = format!("`{}` cannot bring {whole} and {other} together", self.name());
        Fault::new("from", message).note(match (whole, other) {
            (Shape::Flat(_), Shape::Flat(_)) => "vectors must have one length, or the length 1",
            (Shape::Map { .. }, Shape::Map { .. }) => {
                "along each axis sizes must be equal, or 1: [C, 1, 1] beside [C, H, W] counts for every pixel"
            }
            (Shape::Flat(_), Shape::Map { .. }) | (Shape::Map { .. }, Shape::Flat(_)) => {
                "one is a map and one a vector: a `reshape` to [C, 1, 1] makes a map of a vector"
            }
        })
    }
}

impl Operator for Concat {
    fn name(&self) -> &'static str {
        "concat"
    }

    fn arity(&self) -> Arity {
        Arity::AtLeast(1)
    }

    fn shape(&self, operands: &[Shape]) -> Result<Shape, Vec<Fault>> {
        let first = operands[0];
        let channels = operands
            .iter()
            .fold(0usize, |sum, shape| sum.saturating_add(shape.channels()));
        let with_channels = |shape: Shape| match shape {
            Shape::Map { height, width, .. } => Shape::map(channels, height, width),
            Shape::Flat(_) => Shape::Flat(channels),
        };
        let joined = with_channels(first);
        match operands.iter().find(|&&shape| with_channels(shape) != joined) {
            None => sized(joined, "from"),
            Some(other) => Err(Fault::new(
                "from",
                format!("`concat` joins maps of one height and width, but has {first} and {other}"),
            )
            .note("only the channels may differ")
            .into()),
        }
    }

    fn formula(&self, operands: &[Shape]) -> String {
        let channels: Vec<_> = operands.iter().map(|shape| shape.channels().to_string()).collect();
        let sum = operands
            .iter()
            .fold(0usize, |sum, shape| sum.saturating_add(shape.channels()));
        match channels.len() {
            0 | 1 => String::new(),
            _ => format!("{} = {sum}", channels.join(" + ")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Op;
    use super::super::testing::{fault, read};
    use super::*;

    const ADD: Op = Op::Combine(Combine {
        kind: CombineKind::Add,
        activation: None,
    });
    const MAP: Shape = Shape::map(8, 6, 5);
    const PER_CHANNEL: Shape = Shape::map(8, 1, 1);

    #[test]
    fn one_value_a_channel_spreads_over_the_map_wherever_it_stands() {
        for operands in [
            [MAP, MAP, PER_CHANNEL],
            [PER_CHANNEL, MAP, MAP],
            [MAP, PER_CHANNEL, PER_CHANNEL],
        ] {
            assert_eq!(ADD.shape(&operands), Ok(MAP));
        }
        assert_eq!(ADD.shape(&[PER_CHANNEL, PER_CHANNEL]), Ok(PER_CHANNEL));
        assert_eq!(ADD.shape(&[Shape::Flat(4), Shape::Flat(4)]), Ok(Shape::Flat(4)));
    }

    #[test]
    fn sizes_of_one_spread_along_every_axis() {
        let sub = read("sub", &[]).expect("a difference");
        for (a, b, whole) in [
            (MAP, Shape::map(1, 6, 5), MAP),
            (Shape::map(1, 1, 1), MAP, MAP),
            (Shape::map(8, 6, 1), Shape::map(1, 1, 5), MAP),
            (Shape::map(8, 1, 5), MAP, MAP),
            (Shape::Flat(1), Shape::Flat(7), Shape::Flat(7)),
        ] {
            assert_eq!(sub.shape(&[a, b]), Ok(whole));
            assert_eq!(sub.shape(&[b, a]), Ok(whole));
        }
        let large = Shape::map(1, crate::shape::MAX_DIMENSION, 1);
        let fault = fault(&ADD, &[large, Shape::map(1, 1, crate::shape::MAX_DIMENSION)]);
        assert!(fault.message.starts_with("`from` makes the result too large"));
    }

    #[test]
    fn other_shapes_do_not_mix() {
        let differing = fault(&ADD, &[Shape::map(3, 6, 6), Shape::map(3, 8, 8)]);
        assert_eq!(differing.message, "`add` cannot bring [3, 6, 6] and [3, 8, 8] together");
        assert_eq!(differing.key, Some("from"));
        for other in [Shape::map(4, 1, 1), Shape::map(8, 6, 2), Shape::Flat(8), Shape::Flat(1)] {
            assert!(fault(&ADD, &[MAP, other]).message.contains(&other.to_string()));
            assert!(ADD.shape(&[other, MAP]).is_err());
        }
        let note = &fault(&ADD, &[Shape::Flat(8), PER_CHANNEL]).notes[0];
        assert!(note.starts_with("one is a map and one a vector"), "{note}");
    }

    #[test]
    fn one_operand_is_no_sum() {
        assert_eq!(
            fault(&ADD, &[MAP]).message,
            "`add` takes at least 2 operands, but has 1"
        );
        let three = fault(&read("div", &[]).expect("a quotient"), &[MAP, MAP, MAP]);
        assert_eq!(three.message, "`div` takes 2 operands, but has 3");
    }

    #[test]
    fn concat_adds_channels() {
        let concat = Op::Concat(Concat);
        let inception = [64, 128, 32, 32].map(|channels| Shape::map(channels, 28, 28));
        assert_eq!(concat.shape(&inception), Ok(Shape::map(256, 28, 28)));
        assert_eq!(concat.formula(&inception), "64 + 128 + 32 + 32 = 256");
        assert_eq!(concat.shape(&[Shape::Flat(3), Shape::Flat(4)]), Ok(Shape::Flat(7)));
        assert_eq!(concat.shape(&[MAP]), Ok(MAP));
        let fault = fault(&concat, &[Shape::map(3, 6, 6), Shape::map(3, 8, 8)]);
        assert_eq!(
            fault.message,
            "`concat` joins maps of one height and width, but has [3, 6, 6] and [3, 8, 8]"
        );
        assert!(concat.shape(&[MAP, Shape::Flat(8)]).is_err());
    }
}
