//! A value spread to a larger shape.

use super::attributes::Attributes;
use super::composite::{Composed, Expansion, Value};
use super::fault::sized;
use super::operator::Operator;
use super::{Fault, Op, Tile};
use crate::shape::Shape;

/// The operand with axes of size 1 repeated until it has the shape (numpy's `broadcast_to`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Expand {
    /// What it becomes.
    pub shape: Shape,
}

impl Default for Expand {
    fn default() -> Self {
        Expand {
            shape: Shape::map(1, 1, 1),
        }
    }
}

impl Operator for Expand {
    fn name(&self) -> &'static str {
        "expand"
    }

    fn doc(&self) -> &'static str {
        "axes of size 1 repeated until the operand has the shape; sizes of 1 in `shape` leave an axis as it is"
    }

    fn called_elsewhere(&self) -> &'static [&'static str] {
        &["broadcast_to"]
    }

    fn attributes(&mut self, a: &mut Attributes<'_, '_>) {
        a.shape("shape", &mut self.shape);
    }

    fn moves_elements(&self) -> bool {
        true
    }

    fn shape(&self, operands: &[Shape]) -> Result<Shape, Vec<Fault>> {
        match operands[0].broadcast(self.shape) {
            Some(shape) => sized(shape, "shape"),
            None => Err(
                Fault::new("shape", format!("{} cannot be spread to {}", operands[0], self.shape))
                    .note("along each axis sizes must be equal, or 1")
                    .into(),
            ),
        }
    }
}

impl Composed for Expand {
    fn expand(&self, operands: &[Value], _: &mut Expansion<'_>) -> (Op, Vec<Value>) {
        let x = operands[0].shape.dims();
        let times: Vec<usize> = (x.iter().zip(self.shape.dims()))
            .map(|(&n, wanted)| if n == 1 { wanted } else { 1 })
            .collect();
        let repeats = Shape::from_dims(&times).unwrap_or(self.shape);
        (Tile { repeats }.into(), operands.to_vec())
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{fault, list, read};
    use super::*;

    #[test]
    fn only_ones_are_repeated() {
        let op = read("expand", &[("shape", list(&[3, 1, 5]))]).expect("an operator");
        assert_eq!(op.shape(&[Shape::map(1, 4, 5)]), Ok(Shape::map(3, 4, 5)));
        let message = fault(&op, &[Shape::map(2, 4, 5)]).message;
        assert_eq!(message, "[2, 4, 5] cannot be spread to [3, 1, 5]");
        assert!(op.shape(&[Shape::Flat(1)]).is_err());
    }
}
