//! Elements at places that another value says.

use super::attributes::Attributes;
use super::axes::along;
use super::fault::sized;
use super::operator::Operator;
use super::{Arity, Fault};
use crate::shape::Shape;

/// Element `i` of the result along an axis is the first operand's at the place that the second one has at `i`. Negative
/// places count from the end; where there is no such place, the result is NaN.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Gather {
    /// 0 channels (or a vector's only axis), 1 rows, 2 columns.
    pub axis: usize,
}

impl Gather {
    /// The places as a value of as many axes as the operand: a vector of them lies along the axis.
    pub fn places(&self, x: Shape, indices: Shape) -> Shape {
        match (x, indices) {
            (Shape::Map { .. }, Shape::Flat(n)) => Shape::map(1, 1, 1).with_size(self.axis, n).unwrap_or(indices),
            (Shape::Map { .. } | Shape::Flat(_), _) => indices,
        }
    }
}

impl Operator for Gather {
    fn name(&self) -> &'static str {
        "gather"
    }

    fn doc(&self) -> &'static str {
        "`x` and places: element `i` along the axis is `x`’s at the place that stands at `i`; negative ones \
         count from the end, what is not there is NaN. Places are a vector, or along each other axis as many as `x`’s, or 1"
    }

    fn called_elsewhere(&self) -> &'static [&'static str] {
        &["take", "index_select", "take_along_axis", "gather_elements"]
    }

    fn attributes(&mut self, a: &mut Attributes<'_, '_>) {
        a.axis("axis", &mut self.axis, Some(0));
    }

    fn moves_elements(&self) -> bool {
        true
    }

    fn arity(&self) -> Arity {
        Arity::Exactly(2)
    }

    fn shape(&self, operands: &[Shape]) -> Result<Shape, Vec<Fault>> {
        let (x, indices) = (operands[0], operands[1]);
        along(self.axis, "axis", x)?;
        let places = self.places(x, indices);
        let (own, others) = (x.dims(), places.dims());
        let fits = |axis: usize| axis == self.axis || others[axis] == 1 || others[axis] == own[axis];
        if own.len() != others.len() || !(0..own.len()).all(fits) {
            let message = format!("`gather` along axis {} of {x} cannot take places {indices}", self.axis);
            return Err(Fault::new("from", message)
                .note("along each other axis there are as many places as elements, or 1 for all")
                .into());
        }
        sized(x.with_size(self.axis, others[self.axis]).unwrap_or(x), "from")
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{fault, int, read};
    use super::*;

    #[test]
    fn places_lie_along_the_axis() {
        let op = read("gather", &[("axis", int(1))]).expect("an operator");
        let x = Shape::map(3, 4, 5);
        for (places, result) in [
            (Shape::Flat(7), Shape::map(3, 7, 5)),
            (Shape::map(1, 2, 1), Shape::map(3, 2, 5)),
            (Shape::map(3, 2, 5), Shape::map(3, 2, 5)),
        ] {
            assert_eq!(op.shape(&[x, places]), Ok(result));
        }
        let message = fault(&op, &[x, Shape::map(2, 2, 1)]).message;
        assert_eq!(
            message,
            "`gather` along axis 1 of [3, 4, 5] cannot take places [2, 2, 1]"
        );
        assert!(op.shape(&[Shape::Flat(3), Shape::Flat(3)]).is_err());
    }
}
