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
