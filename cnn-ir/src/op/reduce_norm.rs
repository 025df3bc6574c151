//! Reductions that are sums of functions of the elements.

use super::attributes::Attributes;
use super::composite::{Composed, Expansion, Value};
use super::operator::Operator;
use super::{Combine, CombineKind, Fault, Op, Reduce, ReduceKind};
use crate::shape::Shape;

/// The sum of the squares along axes, which stay with size 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReduceNorm {
    sum: Reduce,
}

impl ReduceNorm {
    /// Over all axes, the default.
    pub fn sum_square() -> ReduceNorm {
        ReduceNorm {
            sum: Reduce::new(ReduceKind::Sum),
        }
    }
}

impl Operator for ReduceNorm {
    fn name(&self) -> &'static str {
        "reduce_sum_square"
    }

    fn doc(&self) -> &'static str {
        "`Σ x²` along axes"
    }

    fn attributes(&mut self, a: &mut Attributes<'_, '_>) {
        self.sum.attributes(a);
    }

    fn shape(&self, operands: &[Shape]) -> Result<Shape, Vec<Fault>> {
        self.sum.shape(operands)
    }

    fn formula(&self, operands: &[Shape]) -> String {
        self.sum.formula(operands)
    }
}

impl Composed for ReduceNorm {
    fn expand(&self, operands: &[Value], to: &mut Expansion<'_>) -> (Op, Vec<Value>) {
        let x = operands[0];
        let product = Op::Combine(Combine {
            kind: CombineKind::Mul,
            activation: None,
        });
        let squares = to.add("squares", product, &[x, x]);
        (Op::Reduce(self.sum), vec![squares])
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{list, read};
    use super::*;

    #[test]
    fn reduced_axes_stay_with_size_1() {
        let op = read("reduce_sum_square", &[("axes", list(&[0, 2]))]).expect("an operator");
        assert_eq!(op.shape(&[Shape::map(3, 4, 5)]), Ok(Shape::map(1, 4, 1)));
        assert!(op.shape(&[Shape::Flat(3)]).is_err());
    }
}
