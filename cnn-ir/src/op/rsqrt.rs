//! One over the square root.

use super::composite::{Composed, Expansion, Value};
use super::operator::Operator;
use super::{Activation, Op};

/// `1 / √x`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rsqrt;

impl Operator for Rsqrt {
    fn name(&self) -> &'static str {
        "rsqrt"
    }

    fn doc(&self) -> &'static str {
        "`1 / √x`"
    }
}

impl Composed for Rsqrt {
    fn expand(&self, operands: &[Value], to: &mut Expansion<'_>) -> (Op, Vec<Value>) {
        let root = to.add("root", Activation::Sqrt, operands);
        (Activation::Reciprocal.into(), vec![root])
    }
}
