//! The same elements under another shape.

use super::Fault;
use super::attributes::Attributes;
use super::fault::sized;
use super::operator::{Operator, Takes};
use crate::shape::Shape;

/// The same elements, in the same order, under another shape.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reshape {
    /// The new shape.
    pub shape: Shape,
}

impl Default for Reshape {
    fn default() -> Self {
        Reshape { shape: Shape::Flat(1) }
    }
}

/// "16·5·5 = 400"; only the number for a vector.
pub(super) fn product(shape: Shape) -> String {
    let dims: Vec<_> = shape.dims().iter().map(usize::to_string).collect();
    let elements = shape
        .dims()
        .iter()
        .fold(1usize, |product, &dim| product.saturating_mul(dim));
    match dims.len() {
        1 => elements.to_string(),
        _ => format!("{} = {elements}", dims.join("·")),
    }
}

impl Operator for Reshape {
    fn name(&self) -> &'static str {
        "reshape"
    }

    fn takes(&self) -> Takes {
        Takes::Either
    }

    fn doc(&self) -> &'static str {
        "the same elements in the same order under another shape"
    }

    fn called_elsewhere(&self) -> &'static [&'static str] {
        &["view"]
    }

    fn attributes(&mut self, a: &mut Attributes<'_, '_>) {
        a.shape("shape", &mut self.shape).doc("without the batch");
    }

    fn shape(&self, operands: &[Shape]) -> Result<Shape, Vec<Fault>> {
        let input = operands[0];
        let shape = sized(self.shape, "shape")?;
        if input.elements() == shape.elements() {
            return Ok(shape);
        }
        let message = format!(
            "`shape` {shape} has {} elements, but the input {input} has {}",
            shape.elements(),
            input.elements()
        );
        Err(Fault::new("shape", message)
            .note(format!("input: {}, shape: {}", product(input), product(shape)))
            .into())
    }

    fn formula(&self, operands: &[Shape]) -> String {
        match operands.first() {
            Some(&input) if input != self.shape => {
                let dims = |shape: Shape| shape.dims().iter().map(usize::to_string).collect::<Vec<_>>().join("·");
                match self.shape {
                    Shape::Map { .. } => format!("{} = {}", dims(input), product(self.shape)),
                    Shape::Flat(_) => product(input),
                }
            }
            Some(_) | None => String::new(),
        }
    }

    fn does_nothing(&self, _: Shape) -> Option<&'static str> {
        Some("the shape is the same already")
    }

    fn keeps_elements(&self) -> bool {
        true
    }
}

#[cfg(test)]
mod tests {
    use super::super::Op;
    use super::super::testing::{fault, list, read};
    use super::*;

    const MAP: Shape = Shape::map(12, 4, 5);

    fn op(shape: &[i64]) -> Op {
        read("reshape", &[("shape", list(shape))]).expect("an operator")
    }

    #[test]
    fn reshape_keeps_the_count() {
        let reshape = op(&[3, 4, 20]);
        assert_eq!(reshape.shape(&[MAP]), Ok(Shape::map(3, 4, 20)));
        assert_eq!(reshape.formula(&[MAP]), "12·4·5 = 3·4·20 = 240");
        let fault = fault(&op(&[4, 4, 4]), &[Shape::map(3, 8, 8)]);
        assert_eq!(
            fault.message,
            "`shape` [4, 4, 4] has 64 elements, but the input [3, 8, 8] has 192"
        );
        assert_eq!(fault.key, Some("shape"));
    }
}
