//! Instance normalisation.

use super::attributes::Attributes;
use super::batch_norm::EPSILON;
use super::composite::{Composed, Expansion, Value};
use super::fault::map;
use super::normalise::{ScaleShift, centred, over_deviation};
use super::operator::Operator;
use super::range::Range;
use super::{Fault, Op, WeightDecl};
use crate::shape::Shape;

/// Each channel of each image less its mean, over its deviation (Ulyanov et al., 2016).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct InstanceNorm {
    /// ε
    pub epsilon: f64,
    /// Whether a scale and a shift per channel follow.
    pub affine: bool,
}

impl Default for InstanceNorm {
    fn default() -> Self {
        InstanceNorm {
            epsilon: EPSILON,
            affine: false,
        }
    }
}

impl InstanceNorm {
    fn scale_shift(&self) -> ScaleShift {
        ScaleShift {
            weight: self.affine,
            bias: self.affine,
        }
    }
}

impl Operator for InstanceNorm {
    fn name(&self) -> &'static str {
        "instance_norm"
    }

    fn doc(&self) -> &'static str {
        "`(x − mean) / √(variance + epsilon)` of each channel of each image"
    }

    fn called_elsewhere(&self) -> &'static [&'static str] {
        &["instance_norm2d", "instancenorm2d", "instance_normalization"]
    }

    fn attributes(&mut self, a: &mut Attributes<'_, '_>) {
        a.number("epsilon", &mut self.epsilon, Some(EPSILON), Range::NOT_NEGATIVE);
        a.flag("affine", &mut self.affine, false).doc("`· weight + bias`");
    }

    fn shape(&self, operands: &[Shape]) -> Result<Shape, Vec<Fault>> {
        map("instance_norm", operands[0])?;
        Ok(operands[0])
    }

    fn weights(&self, prefix: &str, operands: &[Shape]) -> Vec<WeightDecl> {
        self.scale_shift().tensors(prefix, &[operands[0].channels()])
    }

    fn weights_doc(&self) -> &'static str {
        "with `affine`: `weight [C]`, `bias [C]`"
    }
}

impl Composed for InstanceNorm {
    fn expand(&self, operands: &[Value], to: &mut Expansion<'_>) -> (Op, Vec<Value>) {
        const PIXELS: [bool; 3] = [false, true, true];
        let centred = centred(operands[0], PIXELS, to);
        let normal = over_deviation(centred, PIXELS, self.epsilon, to);
        let channels = centred.shape.channels();
        let per_channel = Shape::map(channels, 1, 1);
        self.scale_shift().after(normal, per_channel, &[channels], to)
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{fault, read};
    use super::*;
    use crate::ast::ValueKind;

    #[test]
    fn maps_keep_their_shape_and_have_weights_if_they_shall() {
        let plain = read("instance_norm", &[]).expect("a norm");
        let map = Shape::map(3, 4, 5);
        assert_eq!((plain.shape(&[map]), plain.weights("n", &[map]).len()), (Ok(map), 0));
        assert_eq!(fault(&plain, &[Shape::Flat(3)]).key, Some("from"));
        let affine = read("instance_norm", &[("affine", ValueKind::Boolean(true))]).expect("a norm");
        let weights = affine.weights("n", &[map]);
        assert_eq!(weights, ["weight", "bias"].map(|role| WeightDecl::new("n", role, &[3])));
    }
}
