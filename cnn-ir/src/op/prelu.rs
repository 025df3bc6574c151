//! ReLU with learnt slopes.

use super::WeightDecl;
use super::operator::Operator;
use crate::shape::Shape;

/// `x` above 0, `slope[c] · x` below (He et al., 2015).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Prelu;

impl Operator for Prelu {
    fn name(&self) -> &'static str {
        "prelu"
    }

    fn doc(&self) -> &'static str {
        "`x` above 0, `slope·x` below, with a slope per channel"
    }

    fn weights(&self, prefix: &str, operands: &[Shape]) -> Vec<WeightDecl> {
        vec![WeightDecl::new(prefix, "slope", &[operands[0].channels()])]
    }

    fn weights_doc(&self) -> &'static str {
        "`slope [C]`"
    }

    fn is_elementwise(&self) -> bool {
        true
    }
}

#[cfg(test)]
mod tests {
    use super::super::Op;
    use super::*;

    #[test]
    fn prelu_has_a_slope_a_channel() {
        let weights = Op::Prelu(Prelu).weights("p", &[Shape::map(3, 10, 12)]);
        assert_eq!(weights, [WeightDecl::new("p", "slope", &[3])]);
    }
}
