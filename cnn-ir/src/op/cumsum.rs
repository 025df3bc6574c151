//! Running sums along an axis.

use super::Fault;
use super::attributes::Attributes;
use super::axes::along;
use super::operator::Operator;
use crate::shape::Shape;

/// Each element's sum with all before it along an axis.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CumSum {
    /// 0 channels (or a vector's only axis), 1 rows, 2 columns.
    pub axis: usize,
    /// Whether without the element itself.
    pub exclusive: bool,
    /// Whether with all behind it, instead of before it.
    pub reverse: bool,
}

impl Operator for CumSum {
    fn name(&self) -> &'static str {
        "cumsum"
    }

    fn doc(&self) -> &'static str {
        "the sum of each element and all before it along an axis"
    }

    fn called_elsewhere(&self) -> &'static [&'static str] {
        &["cum_sum"]
    }

    fn attributes(&mut self, a: &mut Attributes<'_, '_>) {
        a.axis("axis", &mut self.axis, Some(0));
        a.flag("exclusive", &mut self.exclusive, false)
            .doc("without the element itself");
        a.flag("reverse", &mut self.reverse, false)
            .doc("all behind it, not before it");
    }

    fn shape(&self, operands: &[Shape]) -> Result<Shape, Vec<Fault>> {
        along(self.axis, "axis", operands[0])?;
        Ok(operands[0])
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{fault, int, read};
    use super::*;

    #[test]
    fn an_axis_must_be_there() {
        let op = read("cumsum", &[("axis", int(2))]).expect("an operator");
        assert_eq!(op.shape(&[Shape::map(3, 4, 5)]), Ok(Shape::map(3, 4, 5)));
        assert_eq!(fault(&op, &[Shape::Flat(7)]).key, Some("axis"));
    }
}
