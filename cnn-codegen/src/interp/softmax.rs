//! Softmax and log-softmax along an axis.

use cnn_ir::op::Softmax;

use super::tensor::Tensor;

/// Softmax along an axis of `x`. The greatest element is subtracted first, so that no exponential overflows.
pub(super) fn run(softmax: Softmax, x: &Tensor, y: &mut Tensor) {
    let sizes = [x.channels(), x.height(), x.width()];
    y.fill(|c, row, column| {
        let along = |i: usize| {
            let mut place = [c, row, column];
            place[softmax.axis] = i;
            x.at(place[0], place[1], place[2])
        };
        let all = (0..sizes[softmax.axis]).map(along);
        let greatest = all.clone().fold(f64::NEG_INFINITY, f64::max);
        let sum: f64 = all.map(|x| (x - greatest).exp()).sum();
        let shifted = x.at(c, row, column) - greatest;
        if softmax.log {
            shifted - sum.ln()
        } else {
            shifted.exp() / sum
        }
    });
}
