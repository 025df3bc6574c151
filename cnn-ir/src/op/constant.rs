//! Values that come with the weights.

use super::attributes::Attributes;
use super::fault::sized;
use super::operator::Operator;
use super::{Arity, Fault, WeightDecl};
use crate::shape::Shape;
use crate::value::ElementType;

/// A weight, the same for every image of a batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Constant {
    /// Its shape.
    pub shape: Shape,
    /// Which of the layer's weights it is: `value`, or that of an operator which became simpler ones.
    pub role: &'static str,
    /// The dimensions under which it is stored; none: those of its shape.
    pub stored: Vec<usize>,
}

impl Constant {
    /// The weight's name under the prefix of its layer, and its dimensions.
    pub fn tensor(&self, prefix: &str) -> WeightDecl {
        match self.stored.as_slice() {
            [] => WeightDecl::new(prefix, self.role, &self.shape.dims()),
            stored => WeightDecl::new(prefix, self.role, stored),
        }
    }
}

impl Default for Constant {
    fn default() -> Self {
        Constant {
            shape: Shape::Flat(1),
            role: "value",
            stored: Vec::new(),
        }
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
        if a.in_dumps() {
            let roles = ["value", "weight", "bias"].map(|role| (role, role));
            a.word("role", &mut self.role, &roles);
            a.sizes("stored", &mut self.stored);
        }
    }

    fn weights_doc(&self) -> &'static str {
        "`value` of this shape"
    }

    fn arity(&self) -> Arity {
        Arity::Exactly(0)
    }

    fn element(&self, _operands: &[ElementType]) -> ElementType {
        ElementType::F32
    }

    fn shape(&self, _operands: &[Shape]) -> Result<Shape, Vec<Fault>> {
        let shape = sized(self.shape, "shape")?;
        let stored = self.stored.iter().try_fold(1usize, |all, &n| all.checked_mul(n));
        if self.stored.is_empty() || stored == Some(shape.elements()) {
            return Ok(shape);
        }
        let message = format!(
            "`stored` {:?} has not the {} elements of {shape}",
            self.stored,
            shape.elements()
        );
        Err(Fault::new("stored", message).into())
    }

    fn weights(&self, prefix: &str, _operands: &[Shape]) -> Vec<WeightDecl> {
        vec![self.tensor(prefix)]
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
