//! Vectors of length 1.

use super::attributes::Attributes;
use super::axes::along;
use super::composite::{Composed, Expansion, Value};
use super::operator::Operator;
use super::range::Range;
use super::{Activation, CombineKind, Fault, Op, ReduceNorm};
use crate::shape::Shape;

/// `x / max(√(Σ x²), epsilon)` along an axis (PyTorch's `normalize`).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct L2Normalize {
    /// 0 channels (or a vector's only axis), 1 rows, 2 columns.
    pub axis: usize,
    /// The least that is divided by.
    pub epsilon: f32,
}

/// PyTorch's.
const LEAST: f32 = 1e-12;

impl Default for L2Normalize {
    fn default() -> Self {
        L2Normalize {
            axis: 0,
            epsilon: LEAST,
        }
    }
}

impl Operator for L2Normalize {
    fn name(&self) -> &'static str {
        "l2_normalize"
    }

    fn doc(&self) -> &'static str {
        "`x / max(√(Σ x²), epsilon)` along an axis"
    }

    fn called_elsewhere(&self) -> &'static [&'static str] {
        &["normalize", "lp_normalization"]
    }

    fn attributes(&mut self, a: &mut Attributes<'_, '_>) {
        a.axis("axis", &mut self.axis, Some(0));
        a.single("epsilon", &mut self.epsilon, Some(LEAST), Range::NOT_NEGATIVE);
    }

    fn shape(&self, operands: &[Shape]) -> Result<Shape, Vec<Fault>> {
        along(self.axis, "axis", operands[0])?;
        Ok(operands[0])
    }
}

impl Composed for L2Normalize {
    fn expand(&self, operands: &[Value], to: &mut Expansion<'_>) -> (Op, Vec<Value>) {
        let x = operands[0];
        let axes = [0, 1, 2].map(|axis| axis == self.axis);
        let length = to.add("length", ReduceNorm::L2.over(axes), &[x]);
        let (min, max) = (self.epsilon, f32::INFINITY);
        let divisor = to.add("divisor", Activation::Clip { min, max }, &[length]);
        (CombineKind::Div.into(), vec![x, divisor])
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{fault, int, read};
    use super::*;

    #[test]
    fn an_axis_must_be_there() {
        let norm = read("l2_normalize", &[("axis", int(2))]).expect("an operator");
        assert_eq!(norm.shape(&[Shape::map(3, 4, 5)]), Ok(Shape::map(3, 4, 5)));
        assert_eq!(fault(&norm, &[Shape::Flat(7)]).key, Some("axis"));
    }
}
