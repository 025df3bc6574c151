//! Batch normalisation.

use super::attributes::Attributes;
use super::operator::Operator;
use super::range::Range;
use super::{Activation, WeightDecl};
use crate::shape::Shape;

/// ε of a norm that names none.
pub(super) const EPSILON: f64 = 1e-5;

/// `(x − running_mean) / √(running_var + epsilon) · weight + bias` per channel (Ioffe & Szegedy, 2015).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BatchNorm {
    /// ε
    pub epsilon: f64,
    /// Applied to the result.
    pub activation: Option<Activation>,
}

impl Default for BatchNorm {
    fn default() -> Self {
        BatchNorm {
            epsilon: EPSILON,
            activation: None,
        }
    }
}

impl Operator for BatchNorm {
    fn name(&self) -> &'static str {
        "batch_norm"
    }

    fn doc(&self) -> &'static str {
        "`(x − running_mean) / √(running_var + epsilon) · weight + bias` per channel"
    }

    fn called_elsewhere(&self) -> &'static [&'static str] {
        &["batch_norm2d", "batchnorm2d"]
    }

    fn attributes(&mut self, a: &mut Attributes<'_, '_>) {
        a.number("epsilon", &mut self.epsilon, Some(EPSILON), Range::NOT_NEGATIVE);
        a.activation(&mut self.activation);
    }

    fn weights(&self, prefix: &str, operands: &[Shape]) -> Vec<WeightDecl> {
        WeightDecl::norm(prefix, operands[0].channels())
    }

    fn weights_doc(&self) -> &'static str {
        "`weight`, `bias`, `running_mean`, `running_var`, each `[C]`"
    }

    fn activation_slot(&mut self) -> Option<&mut Option<Activation>> {
        Some(&mut self.activation)
    }

    fn is_elementwise(&self) -> bool {
        true
    }
}

#[cfg(test)]
mod tests {
    use super::super::Op;
    use super::super::testing::read;
    use super::*;

    #[test]
    fn batch_norm_takes_maps_and_vectors() {
        let norm = read("batch_norm", &[]).expect("a batch norm");
        assert_eq!(
            norm,
            Op::BatchNorm(BatchNorm {
                epsilon: 1e-5,
                activation: None
            })
        );
        for shape in [Shape::map(3, 10, 12), Shape::Flat(3)] {
            assert_eq!(norm.shape(&[shape]), Ok(shape));
            let weights = norm.weights("bn", &[shape]);
            let names: Vec<_> = weights.iter().map(|weight| weight.name.as_str()).collect();
            assert_eq!(names, ["bn.weight", "bn.bias", "bn.running_mean", "bn.running_var"]);
            assert!(weights.iter().all(|weight| weight.shape == [3]));
        }
    }
}
