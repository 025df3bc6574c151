//! Normalisation: batch norm and local response.

use cnn_ir::op::{BatchNorm, Lrn};

use super::activation;
use super::tensor::Tensor;
use super::weights::Weights;

/// Scales and shifts each channel of `x`.
pub(super) fn batch(norm: &BatchNorm, weights: &Weights, x: &Tensor, y: &mut Tensor) {
    y.fill(|c, row, column| activation::apply(norm.activation, weights.affine[c].apply(x.at(c, row, column))));
}

/// Divides each element by a power of the energy of its neighbours in other channels.
pub(super) fn local_response(lrn: &Lrn, x: &Tensor, y: &mut Tensor) {
    let below = lrn.size.saturating_sub(1) / 2;
    let above = lrn.size - 1 - below;
    let scale = f64::from(lrn.alpha) / lrn.size as f64;
    y.fill(|c, row, column| {
        let first = c.saturating_sub(below);
        let last = c.saturating_add(above).min(x.channels() - 1);
        let mut energy = 0.0;
        for neighbour in first..=last {
            energy += x.at(neighbour, row, column).powi(2);
        }
        x.at(c, row, column) / (f64::from(lrn.k) + scale * energy).powf(f64::from(lrn.beta))
    });
}
