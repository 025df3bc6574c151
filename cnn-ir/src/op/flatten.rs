//! Maps as vectors.

use super::composite::{Composed, Expansion, Value};
use super::fault::sized;
use super::operator::{Operator, Takes};
use super::reshape::product;
use super::{Fault, Op, Reshape};
use crate::shape::Shape;

/// `[C, H, W]` → `[C·H·W]`, in the order channels, rows, columns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Flatten;

impl Operator for Flatten {
    fn name(&self) -> &'static str {
        "flatten"
    }

    fn takes(&self) -> Takes {
        Takes::Either
    }

    fn doc(&self) -> &'static str {
        "`[C, H, W]` → `[C·H·W]`: channels, in each its rows, in each its columns"
    }

    fn shape(&self, operands: &[Shape]) -> Result<Shape, Vec<Fault>> {
        let elements = operands[0]
            .dims()
            .iter()
            .fold(1usize, |product, &dim| product.saturating_mul(dim));
        sized(Shape::Flat(elements), "from")
    }

    fn formula(&self, operands: &[Shape]) -> String {
        match operands.first() {
            Some(&shape @ Shape::Map { .. }) => product(shape),
            Some(Shape::Flat(_)) | None => String::new(),
        }
    }

    fn keeps_elements(&self) -> bool {
        true
    }
}

impl Composed for Flatten {
    fn expand(&self, operands: &[Value], _: &mut Expansion<'_>) -> (Op, Vec<Value>) {
        let shape = Shape::Flat(operands[0].shape.elements());
        (Reshape { shape }.into(), operands.to_vec())
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::read;
    use super::*;

    #[test]
    fn flatten_multiplies_out() {
        let flatten = read("flatten", &[]).expect("an operator");
        assert_eq!(flatten.shape(&[Shape::map(16, 5, 5)]), Ok(Shape::Flat(400)));
        assert_eq!(flatten.formula(&[Shape::map(16, 5, 5)]), "16·5·5 = 400");
        assert_eq!(flatten.shape(&[Shape::Flat(7)]), Ok(Shape::Flat(7)));
        let most = crate::shape::MAX_DIMENSION;
        assert!(flatten.shape(&[Shape::map(2, most, 2)]).is_err());
    }
}
