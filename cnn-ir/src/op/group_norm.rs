//! Group normalisation.

use super::attributes::Attributes;
use super::batch_norm::EPSILON;
use super::composite::{Composed, Expansion, Value};
use super::fault::sized;
use super::normalise::{ScaleShift, centred, over_deviation};
use super::operator::Operator;
use super::range::Range;
use super::{Fault, Op, Reshape, WeightDecl};
use crate::shape::Shape;

/// Each group of channels of each image less its mean, over its deviation; a scale and a shift per channel (Wu & He, 2018).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct GroupNorm {
    /// Number of groups.
    pub groups: usize,
    /// ε
    pub epsilon: f64,
    /// Whether a scale and a shift per channel follow.
    pub affine: bool,
}

impl Default for GroupNorm {
    fn default() -> Self {
        GroupNorm {
            groups: 1,
            epsilon: EPSILON,
            affine: true,
        }
    }
}

/// A group as a channel, its channels as rows.
fn grouped(shape: Shape, groups: usize) -> Shape {
    Shape::map(groups, shape.channels() / groups, shape.plane())
}

impl GroupNorm {
    fn scale_shift(&self) -> ScaleShift {
        ScaleShift {
            weight: self.affine,
            bias: self.affine,
        }
    }
}

impl Operator for GroupNorm {
    fn name(&self) -> &'static str {
        "group_norm"
    }

    fn doc(&self) -> &'static str {
        "`(x − mean) / √(variance + epsilon)` of each group of channels"
    }

    fn called_elsewhere(&self) -> &'static [&'static str] {
        &["groupnorm", "group_normalization"]
    }

    fn attributes(&mut self, a: &mut Attributes<'_, '_>) {
        a.count("groups", &mut self.groups, None);
        a.number("epsilon", &mut self.epsilon, Some(EPSILON), Range::NOT_NEGATIVE);
        a.flag("affine", &mut self.affine, true).doc("`· weight + bias`");
    }

    fn shape(&self, operands: &[Shape]) -> Result<Shape, Vec<Fault>> {
        let (groups, channels) = (self.groups, operands[0].channels());
        if channels.is_multiple_of(groups) {
            // As it is computed: a group a channel.
            sized(grouped(operands[0], groups), "from")?;
            return Ok(operands[0]);
        }
        let message = format!("`groups` {groups} does not divide the {channels} channels of the input");
        Err(Fault::new("groups", message)
            .note(format!("{channels}/{groups} is not whole"))
            .into())
    }

    fn weights(&self, prefix: &str, operands: &[Shape]) -> Vec<WeightDecl> {
        self.scale_shift().tensors(prefix, &[operands[0].channels()])
    }

    fn weights_doc(&self) -> &'static str {
        "`weight [C]`, `bias [C]`"
    }
}

impl Composed for GroupNorm {
    fn expand(&self, operands: &[Value], to: &mut Expansion<'_>) -> (Op, Vec<Value>) {
        const GROUP: [bool; 3] = [false, true, true];
        let shape = operands[0].shape;
        let channels = shape.channels();
        let (groups, each) = (self.groups, channels / self.groups);
        let whole = Reshape {
            shape: grouped(shape, groups),
        };
        let x = to.add("grouped", whole, &[operands[0]]);
        let centred = centred(x, GROUP, to);
        let last = over_deviation(centred, GROUP, self.epsilon, to);
        let per_channel = Shape::map(groups, each, 1);
        let last = self.scale_shift().after(last, per_channel, &[channels], to);
        let normal = to.add("whole", last.0, &last.1);
        (Reshape { shape }.into(), vec![normal])
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{fault, int, read};
    use super::*;

    #[test]
    fn groups_divide_the_channels() {
        let norm = read("group_norm", &[("groups", int(3))]).expect("a norm");
        let map = Shape::map(6, 4, 5);
        assert_eq!(norm.shape(&[map]), Ok(map));
        assert_eq!(norm.weights("n", &[map]).len(), 2);
        let fault = fault(&norm, &[Shape::map(4, 4, 5)]);
        assert_eq!(fault.message, "`groups` 3 does not divide the 4 channels of the input");
        // More pixels than a dimension may have.
        let large = Shape::map(3, 1 << 16, 1 << 16);
        assert!(norm.shape(&[large]).is_err());
    }
}
