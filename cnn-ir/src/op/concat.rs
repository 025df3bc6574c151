//! Maps joined along the channels.

use super::fault::sized;
use super::operator::{Operator, Takes};
use super::{Arity, Fault};
use crate::shape::Shape;

/// Joins maps of one height and width (or vectors) along the channels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Concat;

impl Operator for Concat {
    fn name(&self) -> &'static str {
        "concat"
    }

    fn takes(&self) -> Takes {
        Takes::Either
    }

    fn doc(&self) -> &'static str {
        "the operands one after another, along the channels"
    }

    fn called_elsewhere(&self) -> &'static [&'static str] {
        &["cat", "concatenate"]
    }

    fn moves_elements(&self) -> bool {
        true
    }

    fn does_nothing(&self, _: Shape) -> Option<&'static str> {
        Some("there is only one operand")
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

    const MAP: Shape = Shape::map(8, 6, 5);

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
