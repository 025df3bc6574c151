//! Normalisation by the root of the mean square.

use super::attributes::Attributes;
use super::batch_norm::EPSILON;
use super::composite::{Composed, Expansion, Value};
use super::normalise::{ScaleShift, over_deviation, sizes, spread};
use super::operator::Operator;
use super::range::Range;
use super::{Fault, Op, Reduce, ReduceKind, WeightDecl};
use crate::shape::Shape;

/// Elements along axes over the root of their mean square; a scale for each place along them (Zhang & Sennrich, 2019).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RmsNorm {
    /// Whether over channels (or a vector), rows, columns. All three also mean all of a vector.
    pub axes: [bool; 3],
    /// ε
    pub epsilon: f64,
    /// Whether a scale follows.
    pub affine: bool,
}

impl Default for RmsNorm {
    fn default() -> Self {
        RmsNorm {
            axes: [true; 3],
            epsilon: EPSILON,
            affine: true,
        }
    }
}

impl RmsNorm {
    fn scale_shift(&self) -> ScaleShift {
        ScaleShift {
            weight: self.affine,
            bias: false,
        }
    }
}

impl Operator for RmsNorm {
    fn name(&self) -> &'static str {
        "rms_norm"
    }

    fn doc(&self) -> &'static str {
        "`x / √(mean(x²) + epsilon)` along axes"
    }

    fn attributes(&mut self, a: &mut Attributes<'_, '_>) {
        a.axes("axes", &mut self.axes);
        a.number("epsilon", &mut self.epsilon, Some(EPSILON), Range::NOT_NEGATIVE);
        a.flag("affine", &mut self.affine, true).doc("`· weight`");
    }

    fn shape(&self, operands: &[Shape]) -> Result<Shape, Vec<Fault>> {
        let kind = ReduceKind::Mean;
        Op::from(Reduce { kind, axes: self.axes }).shape(operands)?;
        Ok(operands[0])
    }

    fn weights(&self, prefix: &str, operands: &[Shape]) -> Vec<WeightDecl> {
        self.scale_shift().tensors(prefix, &sizes(operands[0], self.axes))
    }

    fn weights_doc(&self) -> &'static str {
        "`weight` with the sizes along the axes"
    }
}

impl Composed for RmsNorm {
    fn expand(&self, operands: &[Value], to: &mut Expansion<'_>) -> (Op, Vec<Value>) {
        let x = operands[0];
        let last = over_deviation(x, self.axes, self.epsilon, to);
        let (shape, stored) = (spread(x.shape, self.axes), sizes(x.shape, self.axes));
        self.scale_shift().after(last, shape, &stored, to)
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::read;
    use super::*;

    #[test]
    fn a_vector_has_a_weight_an_element() {
        let norm = read("rms_norm", &[]).expect("a norm");
        assert_eq!(
            norm.weights("n", &[Shape::Flat(7)]),
            [WeightDecl::new("n", "weight", &[7])]
        );
    }
}
