//! Values that come with the weights.

use super::attributes::Attributes;
use super::fault::sized;
use super::operator::Operator;
use super::{Arity, Fault, WeightDecl};
use crate::shape::Shape;

/// The weight `value`, the same for every image of a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Constant {
    /// Its shape.
    pub shape: Shape,
}

impl Default for Constant {
    fn default() -> Self {
        Constant { shape: Shape::Flat(1) }
    }
}

impl Operator for Constant {
    fn name(&self) -> &'static str {
        "constant"
    }

    fn doc(&self) -> &'static str {
        "no operand: a value that comes with the weights, for every image"
    }

    fn attributes(&mut self, a: &mut Attributes<'_, '_>) {
        a.shape("shape", &mut self.shape);
    }

    fn weights_doc(&self) -> &'static str {
        "`value` of this shape"
    }

    fn arity(&self) -> Arity {
        Arity::Exactly(0)
    }

    fn shape(&self, _operands: &[Shape]) -> Result<Shape, Vec<Fault>> {
        sized(self.shape, "shape")
    }

    fn weights(&self, prefix: &str, _operands: &[Shape]) -> Vec<WeightDecl> {
        vec![WeightDecl::new(prefix, "value", &self.shape.dims())]
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{fault, list, read};
    use super::*;

    #[test]
    fn a_constant_has_a_value_and_no_operand() {
        let constant = read("constant", &[("shape", list(&[3, 1, 2]))]).expect("a constant");
        assert_eq!(constant.shape(&[]), Ok(Shape::map(3, 1, 2)));
        assert_eq!(
            constant.weights("mean", &[]),
            [WeightDecl::new("mean", "value", &[3, 1, 2])]
        );
        let fault = fault(&constant, &[Shape::Flat(2)]);
        assert_eq!(fault.message, "`constant` takes no operand, but has 1");
        assert_eq!(
            (fault.key, fault.notes),
            (Some("from"), vec!["leave `from` out".to_owned()])
        );
    }
}
