//! Values that come with the weights.

use super::attributes::Reader;
use super::fault::sized;
use super::writer::Writer;
use super::{Arity, Fault, Operator, WeightDecl};
use crate::ast::ValueKind;
use crate::shape::Shape;

/// The weight `value`, the same for every image of a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Constant {
    /// Its shape.
    pub shape: Shape,
}

impl Constant {
    pub(super) fn read(keys: &mut Reader<'_>) -> Constant {
        Constant {
            shape: keys.shape("shape"),
        }
    }
}

impl Operator for Constant {
    fn name(&self) -> &'static str {
        "constant"
    }

    fn keys(&self) -> Vec<(&'static str, ValueKind)> {
        Writer::default().shape("shape", self.shape).finish()
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
