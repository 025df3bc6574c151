//! 2-D convolution as its definition says: for each output, the sum over the taps that lie inside the input.

use cnn_ir::op::{Conv, Sides};

use super::activation;
use super::tensor::Tensor;
use super::weights::Weights;

/// Convolves `x` into `y`, with `sides` of zeros around `x`; `residual` is added before the activation.
pub(super) fn run(conv: &Conv, sides: Sides, weights: &Weights, x: &Tensor, residual: Option<&Tensor>, y: &mut Tensor) {
    let group_in = x.channels() / conv.groups;
    let group_out = conv.filters / conv.groups;
    let (height, width) = (x.height(), x.width());
    y.fill(|filter, row, column| {
        let first_channel = filter / group_out * group_in;
        let mut sum = 0.0;
        for i in 0..group_in {
            let plane = x.plane(first_channel + i);
            for ky in 0..conv.kernel.h {
                let Some(iy) = inside(row * conv.stride.h + ky * conv.dilation.h, sides.top, height) else {
                    continue;
                };
                for kx in 0..conv.kernel.w {
                    let Some(ix) = inside(column * conv.stride.w + kx * conv.dilation.w, sides.left, width) else {
                        continue;
                    };
                    let tap = ((filter * group_in + i) * conv.kernel.h + ky) * conv.kernel.w + kx;
                    sum += f64::from(weights.matrix[tap]) * plane[iy * width + ix];
                }
            }
        }
        let mut value = weights.affine[filter].apply(sum);
        if let Some(residual) = residual {
            value += residual.at(filter, row, column);
        }
        activation::apply(conv.activation, value)
    });
}

/// The place in the input of a place in the padded input; `None` in the padding.
pub(super) fn inside(padded: usize, before: usize, size: usize) -> Option<usize> {
    padded.checked_sub(before).filter(|&place| place < size)
}
