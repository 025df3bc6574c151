//! A value repeated along its axes.

use super::Fault;
use super::attributes::Attributes;
use super::fault::sized;
use super::operator::Operator;
use crate::shape::Shape;

/// So many copies of the operand one after another along each axis (numpy's `tile`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tile {
    /// How many along each axis, as a shape of as many axes.
    pub repeats: Shape,
}

impl Default for Tile {
    fn default() -> Self {
        Tile {
            repeats: Shape::map(1, 1, 1),
        }
    }
}

impl Operator for Tile {
    fn name(&self) -> &'static str {
        "tile"
    }

    fn doc(&self) -> &'static str {
        "copies of the operand one after another: `repeats` says how many along each axis (numpy)"
    }

    fn attributes(&mut self, a: &mut Attributes<'_, '_>) {
        a.shape("repeats", &mut self.repeats);
    }

    fn shape(&self, operands: &[Shape]) -> Result<Shape, Vec<Fault>> {
        let (x, repeats) = (operands[0].dims(), self.repeats.dims());
        if x.len() != repeats.len() {
            let message = format!(
                "`repeats` has {} numbers for the axes of {}",
                repeats.len(),
                operands[0]
            );
            return Err(Fault::new("repeats", message).into());
        }
        let sizes: Vec<usize> = x
            .iter()
            .zip(&repeats)
            .map(|(&n, &times)| n.saturating_mul(times))
            .collect();
        sized(Shape::from_dims(&sizes).unwrap_or(operands[0]), "repeats")
    }

    fn formula(&self, operands: &[Shape]) -> String {
        let products = operands.first().map_or(Vec::new(), Shape::dims);
        let products = products.iter().zip(self.repeats.dims());
        let products: Vec<_> = products.map(|(n, times)| format!("{n}·{times}")).collect();
        products.join(", ")
    }

    fn moves_elements(&self) -> bool {
        true
    }

    fn does_nothing(&self, _: Shape) -> Option<&'static str> {
        Some("it is there once")
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{fault, list, read};
    use super::*;
    use crate::shape::MAX_DIMENSION;

    #[test]
    fn sizes_are_multiplied() {
        let op = read("tile", &[("repeats", list(&[1, 2, 3]))]).expect("an operator");
        assert_eq!(op.shape(&[Shape::map(3, 4, 5)]), Ok(Shape::map(3, 8, 15)));
        assert_eq!(op.formula(&[Shape::map(3, 4, 5)]), "3·1, 4·2, 5·3");
        assert_eq!(fault(&op, &[Shape::Flat(3)]).key, Some("repeats"));
        assert_eq!(fault(&op, &[Shape::map(1, 1, MAX_DIMENSION)]).key, Some("repeats"));
    }
}
