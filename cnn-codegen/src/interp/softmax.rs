//! Softmax and log-softmax over channels.

use cnn_ir::op::Softmax;

use super::tensor::Tensor;

/// Softmax over the channels of each pixel of `x`. The greatest element is subtracted first, so that no
/// exponential overflows.
pub(super) fn run(softmax: Softmax, x: &Tensor, y: &mut Tensor) {
    for row in 0..x.height() {
        for column in 0..x.width() {
            let channels = 0..x.channels();
            let greatest = channels
                .clone()
                .map(|c| x.at(c, row, column))
                .fold(f64::NEG_INFINITY, f64::max);
            let sum: f64 = channels.clone().map(|c| (x.at(c, row, column) - greatest).exp()).sum();
            for c in channels {
                let shifted = x.at(c, row, column) - greatest;
                *y.at_mut(c, row, column) = if softmax.log {
                    shifted - sum.ln()
                } else {
                    shifted.exp() / sum
                };
            }
        }
    }
}
