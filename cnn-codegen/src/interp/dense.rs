//! Fully connected layers: a matrix times a vector.

use cnn_ir::op::Dense;

use super::activation;
use super::tensor::Tensor;
use super::weights::Weights;

/// Multiplies `x` into `y`.
pub(super) fn run(dense: &Dense, weights: &Weights, x: &Tensor, y: &mut Tensor) {
    for unit in 0..dense.units {
        let row = &weights.matrix[unit * x.data.len()..][..x.data.len()];
        let mut sum = 0.0;
        for (&weight, &value) in row.iter().zip(&x.data) {
            sum += f64::from(weight) * value;
        }
        y.data[unit] = activation::apply(dense.activation, weights.affine[unit].apply(sum));
    }
}
