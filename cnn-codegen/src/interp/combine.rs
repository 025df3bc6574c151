//! Operators with several operands: element by element, matrix products, concatenation.

use cnn_ir::op::{Combine, CombineKind};

use super::activation::{self, at_least, at_most};
use super::tensor::Tensor;

/// Combines `operands` element by element; sizes of 1 count for every place of their axis.
pub(super) fn run(combine: &Combine, operands: &[&Tensor], y: &mut Tensor) {
    let mask = |holds: bool| if holds { 1.0 } else { 0.0 };
    y.fill(|c, row, column| {
        let mut values = operands.iter().map(|operand| operand.spread(c, row, column));
        if combine.kind == CombineKind::Where {
            let taken = if values.next() == Some(0.0) {
                values.nth(1)
            } else {
                values.next()
            };
            return activation::apply(combine.activation, taken.unwrap_or(0.0));
        }
        let result = values.reduce(|a, b| match combine.kind {
            CombineKind::Add => a + b,
            CombineKind::Mul => a * b,
            CombineKind::Sub => a - b,
            CombineKind::Div => a / b,
            // NaN of either operand is the result.
            CombineKind::Max if b.is_nan() => b,
            CombineKind::Min if b.is_nan() => b,
            CombineKind::Max => at_least(a, b),
            CombineKind::Min => at_most(a, b),
            CombineKind::Equal => mask(a == b),
            CombineKind::Greater => mask(a > b),
            CombineKind::GreaterEqual => mask(a >= b),
            // Chosen above.
            CombineKind::Where => b,
        });
        activation::apply(combine.activation, result.unwrap_or(0.0))
    });
}

/// Multiplies the matrices of each channel; one counts for every channel of the other operand.
pub(super) fn matmul(a: &Tensor, b: &Tensor, y: &mut Tensor) {
    y.fill(|c, row, column| {
        let products = (0..a.width()).map(|k| a.spread(c, row, k) * b.spread(c, k, column));
        products.sum()
    });
}

/// Puts the channels of `operands` one after another.
pub(super) fn concat(operands: &[&Tensor], y: &mut Tensor) {
    y.data.clear();
    for operand in operands {
        y.data.extend_from_slice(&operand.data);
    }
}
