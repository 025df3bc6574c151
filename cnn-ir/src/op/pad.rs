//! A border of a constant value.

use super::attributes::Attributes;
use super::fault::{map, of_map, sized};
use super::operator::Operator;
use super::range::Range;
use super::window::both;
use super::{Fault, Sides};
use crate::shape::Shape;

/// A border of a constant value.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Pad {
    /// How wide on each side.
    pub sides: Sides,
    /// What it is filled with.
    pub value: f32,
}

impl Operator for Pad {
    fn name(&self) -> &'static str {
        "pad"
    }

    fn doc(&self) -> &'static str {
        "a border of one value"
    }

    fn attributes(&mut self, a: &mut Attributes<'_, '_>) {
        a.sides("padding", &mut self.sides, None).doc("how wide on each side");
        a.single("value", &mut self.value, Some(0.0), Range::EXTENDED);
    }

    fn shape(&self, operands: &[Shape]) -> Result<Shape, Vec<Fault>> {
        let (channels, height, width) = map("pad", operands[0])?;
        let rows = height.saturating_add(self.sides.top).saturating_add(self.sides.bottom);
        let columns = width.saturating_add(self.sides.left).saturating_add(self.sides.right);
        sized(Shape::map(channels, rows, columns), "padding")
    }

    fn formula(&self, operands: &[Shape]) -> String {
        let axis = |n: usize, before: usize, after: usize| {
            let sum = n.saturating_add(before).saturating_add(after);
            if before == after {
                format!("{n} + 2·{before} = {sum}")
            } else {
                format!("{n} + {before} + {after} = {sum}")
            }
        };
        let Sides {
            top,
            left,
            bottom,
            right,
        } = self.sides;
        of_map(operands, |_, height, width| {
            both(axis(height, top, bottom), axis(width, left, right))
        })
    }

    fn does_nothing(&self, _: Shape) -> Option<&'static str> {
        (self.sides == Sides::default()).then_some("the border is 0 wide")
    }
}

#[cfg(test)]
mod tests {
    use super::super::Op;
    use super::super::testing::{fault, int, list, read};
    use super::*;
    use crate::ast::ValueKind;

    const MAP: Shape = Shape::map(12, 4, 5);

    fn op(padding: ValueKind) -> Op {
        read("pad", &[("padding", padding)]).expect("an operator")
    }

    #[test]
    fn pad_widens() {
        let pad = op(list(&[1, 0, 2, 3]));
        assert_eq!(pad.shape(&[MAP]), Ok(Shape::map(12, 7, 8)));
        assert_eq!(pad.formula(&[MAP]), "height: 4 + 1 + 2 = 7, width: 5 + 0 + 3 = 8");
        let wide = op(int(i64::from(i32::MAX)));
        assert_eq!(fault(&wide, &[MAP]).key, Some("padding"));
    }
}
