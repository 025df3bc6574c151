//! Operators with several operands: sum, product, concatenation.

use cnn_ir::op::{Combine, CombineKind};

use super::activation;
use super::tensor::Tensor;

/// Adds or multiplies `operands` element by element; a `[C, 1, 1]` counts for every pixel.
pub(super) fn run(combine: &Combine, operands: &[&Tensor], y: &mut Tensor) {
    let plane = y.shape.plane();
    let at = |operand: &Tensor, c: usize, pixel: usize| {
        if operand.shape.plane() == plane {
            operand.data[c * plane + pixel]
        } else {
            operand.data[c]
        }
    };
    for c in 0..y.channels() {
        for pixel in 0..plane {
            let values = operands.iter().map(|operand| at(operand, c, pixel));
            let result = match combine.kind {
                CombineKind::Add => values.sum(),
                CombineKind::Mul => values.product(),
            };
            y.data[c * plane + pixel] = activation::apply(combine.activation, result);
        }
    }
}

/// Puts the channels of `operands` one after another.
pub(super) fn concat(operands: &[&Tensor], y: &mut Tensor) {
    y.data.clear();
    for operand in operands {
        y.data.extend_from_slice(&operand.data);
    }
}
