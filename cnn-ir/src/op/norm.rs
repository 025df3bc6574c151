//! Normalisation: batch norm and local response.

use super::attributes::Reader;
use super::fault::map;
use super::range::Range;
use super::writer::Writer;
use super::{Activation, Fault, Operator, WeightDecl};
use crate::ast::ValueKind;
use crate::shape::Shape;

/// ε of a batch norm that names none.
pub(super) const EPSILON: f64 = 1e-5;

/// `(x − running_mean) / √(running_var + epsilon) · weight + bias` per channel (Ioffe & Szegedy, 2015).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BatchNorm {
    /// ε
    pub epsilon: f64,
    /// Applied to the result.
    pub activation: Option<Activation>,
}

/// `x / (k + alpha/size · Σ x²)^beta`, the sum over `size` neighbouring channels: `⌊(size−1)/2⌋` down and the
/// rest up (Krizhevsky et al., 2012; PyTorch's convention for `alpha`).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Lrn {
    /// Channels in the window.
    pub size: usize,
    /// Scale of the sum.
    pub alpha: f32,
    /// Exponent.
    pub beta: f32,
    /// Added to the sum.
    pub k: f32,
}

impl BatchNorm {
    pub(super) fn read(keys: &mut Reader<'_>) -> BatchNorm {
        BatchNorm {
            epsilon: keys.number("epsilon", Some(EPSILON), Range::NOT_NEGATIVE),
            activation: keys.activation(),
        }
    }
}

impl Operator for BatchNorm {
    fn name(&self) -> &'static str {
        "batch_norm"
    }

    fn keys(&self) -> Vec<(&'static str, ValueKind)> {
        Writer::default()
            .number("epsilon", self.epsilon, Some(EPSILON))
            .activation(self.activation)
            .finish()
    }

    fn shape(&self, operands: &[Shape]) -> Result<Shape, Vec<Fault>> {
        Ok(operands[0])
    }

    fn weights(&self, prefix: &str, operands: &[Shape]) -> Vec<WeightDecl> {
        WeightDecl::norm(prefix, operands[0].channels())
    }
}

impl Lrn {
    const DEFAULT: Lrn = Lrn {
        size: 5,
        alpha: 1e-4,
        beta: 0.75,
        k: 1.0,
    };

    pub(super) fn read(keys: &mut Reader<'_>) -> Lrn {
        Lrn {
            size: keys.count("size", Some(Lrn::DEFAULT.size)),
            alpha: keys.single("alpha", Some(Lrn::DEFAULT.alpha), Range::SINGLE),
            beta: keys.single("beta", Some(Lrn::DEFAULT.beta), Range::SINGLE),
            k: keys.single("k", Some(Lrn::DEFAULT.k), Range::SINGLE),
        }
    }
}

impl Operator for Lrn {
    fn name(&self) -> &'static str {
        "lrn"
    }

    fn keys(&self) -> Vec<(&'static str, ValueKind)> {
        Writer::default()
            .count("size", self.size, Some(Lrn::DEFAULT.size))
            .single("alpha", self.alpha, Some(Lrn::DEFAULT.alpha))
            .single("beta", self.beta, Some(Lrn::DEFAULT.beta))
            .single("k", self.k, Some(Lrn::DEFAULT.k))
            .finish()
    }

    fn shape(&self, operands: &[Shape]) -> Result<Shape, Vec<Fault>> {
        map("lrn", operands[0])?;
        Ok(operands[0])
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{fault, read};
    use super::super::{BatchNorm, Op};
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

    #[test]
    fn lrn_runs_over_the_channels_of_a_map() {
        let lrn = read("lrn", &[]).expect("an lrn");
        assert_eq!(
            lrn,
            Op::Lrn(Lrn {
                size: 5,
                alpha: 1e-4,
                beta: 0.75,
                k: 1.0
            })
        );
        assert_eq!(lrn.shape(&[Shape::map(16, 5, 5)]), Ok(Shape::map(16, 5, 5)));
        assert_eq!(fault(&lrn, &[Shape::Flat(3)]).key, Some("from"));
    }
}
