//! Comparisons and logic of masks that are expressed in others.

use super::combine::together;
use super::composite::{Composed, Expansion, Value};
use super::operator::Operator;
use super::{Activation, Arity, CombineKind, Fault, Meaning, Op};
use crate::shape::Shape;

/// A mask, 1 where something holds and 0 elsewhere, made of two values or of masks. Operands broadcast as those of
/// [`Combine`](super::Combine) do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Logic {
    /// `a < b`
    Less,
    /// `a ≤ b`
    LessEqual,
    /// `a ≠ b`
    NotEqual,
    /// Both masks.
    And,
    /// Either mask, or both.
    Or,
    /// One mask of the two.
    Xor,
    /// Not the mask.
    Not,
}

impl Logic {
    /// All.
    pub(super) const ALL: [Logic; 7] = [
        Logic::Less,
        Logic::LessEqual,
        Logic::NotEqual,
        Logic::And,
        Logic::Or,
        Logic::Xor,
        Logic::Not,
    ];
}

/// `1 − x`: the other mask.
const OPPOSITE: Activation = Activation::Affine { alpha: -1.0, beta: 1.0 };

impl Operator for Logic {
    fn name(&self) -> &'static str {
        match self {
            Logic::Less => "less",
            Logic::LessEqual => "less_equal",
            Logic::NotEqual => "not_equal",
            Logic::And => "and",
            Logic::Or => "or",
            Logic::Xor => "xor",
            Logic::Not => "not",
        }
    }

    fn doc(&self) -> &'static str {
        match self {
            Logic::Less => "1 where `a < b`, 0 elsewhere",
            Logic::LessEqual => "1 where `a ≤ b`, 0 elsewhere",
            Logic::NotEqual => "1 where `a ≠ b`, 0 elsewhere",
            Logic::And => "1 where both masks are 1",
            Logic::Or => "1 where either mask is 1, or both are",
            Logic::Xor => "1 where one of the two masks is 1",
            Logic::Not => "1 where the mask is 0, 0 where it is 1",
        }
    }

    fn called_elsewhere(&self) -> &'static [&'static str] {
        match self {
            Logic::Less => &["lt"],
            Logic::LessEqual => &["le", "less_or_equal"],
            Logic::NotEqual => &["ne"],
            Logic::And => &["logical_and"],
            Logic::Or => &["logical_or"],
            Logic::Xor => &["logical_xor"],
            Logic::Not => &["logical_not"],
        }
    }

    fn arity(&self) -> Arity {
        Arity::Exactly(if *self == Logic::Not { 1 } else { 2 })
    }

    fn shape(&self, operands: &[Shape]) -> Result<Shape, Vec<Fault>> {
        together(self.name(), operands)
    }

    fn meaning(&self) -> Meaning {
        Meaning::Mask
    }
}

impl Composed for Logic {
    fn expand(&self, operands: &[Value], to: &mut Expansion<'_>) -> (Op, Vec<Value>) {
        let swapped = || operands.iter().rev().copied().collect();
        match self {
            Logic::Less => (CombineKind::Greater.into(), swapped()),
            Logic::LessEqual => (CombineKind::GreaterEqual.into(), swapped()),
            Logic::NotEqual | Logic::Xor => {
                let equal = to.add("equal", CombineKind::Equal, operands);
                (OPPOSITE.into(), vec![equal])
            }
            Logic::And => (CombineKind::Mul.into(), operands.to_vec()),
            Logic::Or => (CombineKind::Max.into(), operands.to_vec()),
            Logic::Not => (OPPOSITE.into(), operands.to_vec()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{fault, read};
    use super::*;

    #[test]
    fn masks_have_the_shape_that_operands_spread_to() {
        let (map, row) = (Shape::map(3, 4, 5), Shape::map(1, 1, 5));
        for logic in Logic::ALL {
            let op = read(logic.name(), &[]).expect("an operator");
            assert_eq!(op.meaning(), Meaning::Mask);
            if logic == Logic::Not {
                assert_eq!(op.shape(&[map]), Ok(map));
            } else {
                assert_eq!(op.shape(&[row, map]), Ok(map));
                let message = fault(&op, &[map, Shape::map(2, 4, 5)]).message;
                assert!(
                    message.starts_with(&format!("`{}` cannot bring", logic.name())),
                    "{message}"
                );
            }
        }
    }
}
