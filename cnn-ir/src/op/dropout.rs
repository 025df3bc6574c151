//! Dropout.

use super::attributes::Attributes;
use super::composite::{Composed, Expansion, Value};
use super::operator::Operator;
use super::range::Range;
use super::{Identity, Op};

/// Dropout: nothing at inference.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Dropout {
    /// The share of elements dropped in training.
    pub rate: f64,
}

impl Default for Dropout {
    fn default() -> Self {
        Dropout { rate: 0.5 }
    }
}

impl Operator for Dropout {
    fn name(&self) -> &'static str {
        "dropout"
    }

    fn doc(&self) -> &'static str {
        "nothing at inference"
    }

    fn attributes(&mut self, a: &mut Attributes<'_, '_>) {
        a.number("rate", &mut self.rate, Some(0.5), Range::SHARE)
            .doc("in training");
    }

    fn keeps_elements(&self) -> bool {
        true
    }
}

impl Composed for Dropout {
    fn expand(&self, operands: &[Value], _: &mut Expansion<'_>) -> (Op, Vec<Value>) {
        (Identity.into(), operands.to_vec())
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::read;
    use crate::shape::Shape;

    #[test]
    fn shapes_stay() {
        let dropout = read("dropout", &[]).expect("an operator");
        assert_eq!(dropout.shape(&[Shape::map(12, 4, 5)]), Ok(Shape::map(12, 4, 5)));
    }
}
