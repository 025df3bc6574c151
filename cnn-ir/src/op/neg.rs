//! The opposite number.

use super::composite::{Composed, Expansion, Value};
use super::operator::Operator;
use super::{Activation, Op};

/// `−x`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Neg;

impl Operator for Neg {
    fn name(&self) -> &'static str {
        "neg"
    }

    fn doc(&self) -> &'static str {
        "`−x`"
    }

    fn called_elsewhere(&self) -> &'static [&'static str] {
        &["negative"]
    }
}

impl Composed for Neg {
    fn expand(&self, operands: &[Value], _: &mut Expansion<'_>) -> (Op, Vec<Value>) {
        let opposite = Activation::Affine { alpha: -1.0, beta: 0.0 };
        (opposite.into(), operands.to_vec())
    }
}
