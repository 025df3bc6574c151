//! Layer normalisation.

use super::attributes::Attributes;
use super::batch_norm::EPSILON;
use super::composite::{Composed, Expansion, Value};
use super::normalise::{ScaleShift, centred, over_deviation, sizes, spread};
use super::operator::Operator;
use super::range::Range;
use super::{Fault, Op, Reduce, ReduceKind, WeightDecl};
use crate::shape::Shape;

/// Elements along axes less their mean, over their deviation; a scale and a shift for each place along them (Ba et al.,
/// 2016).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LayerNorm {
    /// Whether over channels (or a vector), rows, columns. All three also mean all of a vector.
    pub axes: [bool; 3],
    /// ε
    pub epsilon: f64,
    /// Whether a scale follows.
    pub affine: bool,
    /// Whether a shift follows the scale.
    pub bias: bool,
}

impl Default for LayerNorm {
    fn default() -> Self {
        LayerNorm {
            axes: [true; 3],
            epsilon: EPSILON,
            affine: true,
            bias: true,
        }
    }
}

impl LayerNorm {
    fn scale_shift(&self) -> ScaleShift {
        ScaleShift {
            weight: self.affine,
            bias: self.affine && self.bias,
        }
    }
}

impl Operator for LayerNorm {
    fn name(&self) -> &'static str {
        "layer_norm"
    }

    fn doc(&self) -> &'static str {
        "`(x − mean) / √(variance + epsilon)` along axes: PyTorch’s are the last, `[0]` is over the channels of each pixel"
    }

    fn called_elsewhere(&self) -> &'static [&'static str] {
        &["layernorm", "layer_normalization"]
    }

    fn attributes(&mut self, a: &mut Attributes<'_, '_>) {
        a.axes("axes", &mut self.axes);
        a.number("epsilon", &mut self.epsilon, Some(EPSILON), Range::NOT_NEGATIVE);
        a.flag("affine", &mut self.affine, true).doc("`· weight + bias`");
        a.flag("bias", &mut self.bias, true);
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
        "`weight`, `bias` with the sizes along the axes"
    }
}

impl Composed for LayerNorm {
    fn expand(&self, operands: &[Value], to: &mut Expansion<'_>) -> (Op, Vec<Value>) {
        let x = operands[0];
        let centred = centred(x, self.axes, to);
        let last = over_deviation(centred, self.axes, self.epsilon, to);
        let (shape, stored) = (spread(x.shape, self.axes), sizes(x.shape, self.axes));
        self.scale_shift().after(last, shape, &stored, to)
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{fault, list, read};
    use super::*;

    #[test]
    fn weights_have_the_sizes_along_the_axes() {
        let map = Shape::map(3, 4, 5);
        let dims = |axes: &[i64]| {
            let norm = read("layer_norm", &[("axes", list(axes))]).expect("a norm");
            assert_eq!(norm.shape(&[map]), Ok(map));
            norm.weights("n", &[map])[1].shape.clone()
        };
        assert_eq!((dims(&[2]), dims(&[1, 2]), dims(&[0])), (vec![5], vec![4, 5], vec![3]));
        let whole = read("layer_norm", &[]).expect("a norm");
        assert_eq!(whole.weights("n", &[Shape::Flat(7)])[0].shape, [7]);
        let rows = read("layer_norm", &[("axes", list(&[1]))]).expect("a norm");
        assert_eq!(fault(&rows, &[Shape::Flat(7)]).key, Some("axes"));
    }
}
