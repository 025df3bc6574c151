//! Axes in another order.

use super::attributes::{Attributes, Kind};
use super::fault::map;
use super::operator::Operator;
use super::reader::Reader;
use super::{Fault, values};
use crate::shape::Shape;

/// Axis `i` of the result is the operand's axis `order[i]` (numpy's `transpose`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Transpose {
    /// Where each axis of the result comes from: 0 channels, 1 rows, 2 columns.
    pub order: [usize; 3],
}

impl Default for Transpose {
    fn default() -> Self {
        Transpose { order: [0, 1, 2] }
    }
}

impl Transpose {
    /// Whether the elements of a map stay in their order: only axes of size 1 move.
    pub fn keeps_order(&self, x: Shape) -> bool {
        let dims = x.dims();
        let moving = self
            .order
            .iter()
            .filter(|&&axis| dims.get(axis).is_some_and(|&n| n > 1));
        moving.is_sorted()
    }
}

impl Operator for Transpose {
    fn name(&self) -> &'static str {
        "transpose"
    }

    fn doc(&self) -> &'static str {
        "axis `i` of the result is the operand's axis `order[i]` (numpy)"
    }

    fn called_elsewhere(&self) -> &'static [&'static str] {
        &["permute"]
    }

    fn attributes(&mut self, a: &mut Attributes<'_, '_>) {
        let read = |reader: &mut Reader<'_>, key, _| reader.order(key);
        let write = |order: [usize; 3]| Some(values::integers(&order));
        a.attribute("order", &mut self.order, None, Kind::Order, read, write);
    }

    fn moves_elements(&self) -> bool {
        true
    }

    fn shape(&self, operands: &[Shape]) -> Result<Shape, Vec<Fault>> {
        let (channels, height, width) = map("transpose", operands[0])?;
        let dims = [channels, height, width];
        let [c, h, w] = self.order.map(|axis| dims.get(axis).copied().unwrap_or(1));
        Ok(Shape::map(c, h, w))
    }

    fn does_nothing(&self, x: Shape) -> Option<&'static str> {
        self.keeps_order(x).then_some("the elements keep their order")
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{error, fault, list, read};
    use super::*;

    const MAP: Shape = Shape::map(12, 4, 5);

    #[test]
    fn axes_change_places() {
        let transpose = |order: &[i64]| read("transpose", &[("order", list(order))]);
        let op = transpose(&[2, 0, 1]).expect("a transposition");
        assert_eq!(op.shape(&[MAP]), Ok(Shape::map(5, 12, 4)));
        assert_eq!(fault(&op, &[Shape::Flat(3)]).key, Some("from"));
        let (message, _) = error("transpose", &[("order", list(&[0, 1]))]);
        assert_eq!(
            message,
            "`order` must be the three axes in their new order: [0, 2, 1], found the list [0, 1]"
        );
        assert_eq!(
            error("transpose", &[("order", list(&[0, 1, 0]))]).0,
            "`order` names the axis 0 twice"
        );
        assert!(error("transpose", &[]).0.contains("needs the key `order`"));
    }

    #[test]
    fn axes_of_one_move_nothing() {
        let keeps = |order, shape| Transpose { order }.keeps_order(shape);
        assert!(keeps([0, 1, 2], MAP));
        assert!(!keeps([0, 2, 1], MAP));
        assert!(keeps([1, 2, 0], Shape::map(1, 4, 5)));
        assert!(keeps([2, 0, 1], Shape::map(7, 1, 1)));
        assert!(!keeps([2, 1, 0], Shape::map(7, 1, 2)));
    }
}
