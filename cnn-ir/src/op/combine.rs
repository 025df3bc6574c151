//! Operators with several operands: sum, product, concatenation.

use super::attributes::Reader;
use super::fault::sized;
use super::writer::Writer;
use super::{Activation, Arity, Fault, Operator};
use crate::ast::ValueKind;
use crate::shape::Shape;

/// Sum or product.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CombineKind {
    /// `a + b + …`
    Add,
    /// `a · b · …`
    Mul,
}

/// Elementwise sum or product of two or more operands of one shape; an operand `[C, 1, 1]` counts for every
/// pixel of a `[C, H, W]` one.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Combine {
    /// Sum or product.
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
        }
    }

    fn keys(&self) -> Vec<(&'static str, ValueKind)> {
        Writer::default().activation(self.activation).finish()
    }

    fn arity(&self) -> Arity {
        Arity::AtLeast(2)
    }

    fn shape(&self, operands: &[Shape]) -> Result<Shape, Vec<Fault>> {
        let per_channel = |shape: &Shape| {
            matches!(
                shape,
                Shape::Map {
                    height: 1,
                    width: 1,
                    ..
                }
            )
        };
        let whole = operands
            .iter()
            .copied()
            .find(|shape| !per_channel(shape))
            .unwrap_or(operands[0]);
        let spread = |shape: &Shape| {
            per_channel(shape) && matches!(whole, Shape::Map { .. }) && shape.channels() == whole.channels()
        };
        match operands.iter().find(|&&shape| shape != whole && !spread(&shape)) {
            None => Ok(whole),
            Some(other) => Err(Fault::new(
                "from",
                format!(
                    "`{}` needs operands of one shape, but has {whole} and {other}",
                    self.name()
                ),
            )
            .note("only an operand [C, 1, 1] may stand beside [C, H, W]: it counts for every pixel")
            .into()),
        }
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
    use super::super::testing::fault;
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
    fn other_shapes_do_not_mix() {
        let differing = fault(&ADD, &[Shape::map(3, 6, 6), Shape::map(3, 8, 8)]);
        assert_eq!(
            differing.message,
            "`add` needs operands of one shape, but has [3, 6, 6] and [3, 8, 8]"
        );
        assert_eq!(differing.key, Some("from"));
        for other in [Shape::map(4, 1, 1), Shape::map(8, 6, 1), Shape::Flat(8)] {
            assert!(fault(&ADD, &[MAP, other]).message.contains(&other.to_string()));
            assert!(ADD.shape(&[other, MAP]).is_err());
        }
        assert!(ADD.shape(&[Shape::Flat(8), PER_CHANNEL]).is_err());
    }

    #[test]
    fn one_operand_is_no_sum() {
        assert_eq!(
            fault(&ADD, &[MAP]).message,
            "`add` takes at least 2 operands, but has 1"
        );
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
