//! 2-D convolution as its definition says: every tap of a filter adds a shifted, scaled copy of a channel.

use cnn_ir::op::{Conv, ConvTranspose, Sides};

use super::activation;
use super::tensor::Tensor;
use super::weights::Weights;

/// Convolves `x` into `y`, with `sides` of zeros around `x`; `residual` is added before the activation.
pub(super) fn run(conv: &Conv, sides: Sides, weights: &Weights, x: &Tensor, residual: Option<&Tensor>, y: &mut Tensor) {
    let group_in = x.channels() / conv.groups;
    let group_out = conv.filters / conv.groups;
    for filter in 0..conv.filters {
        for i in 0..group_in {
            let channel = filter / group_out * group_in + i;
            for ky in 0..conv.kernel.h {
                for kx in 0..conv.kernel.w {
                    let tap = ((filter * group_in + i) * conv.kernel.h + ky) * conv.kernel.w + kx;
                    let weight = f64::from(weights.matrix[tap]);
                    add_tap(conv, sides, weight, (ky, kx), (x, channel), (y, filter));
                }
            }
        }
    }
    // The sums are complete.
    for filter in 0..conv.filters {
        let plane = y.shape.plane();
        for pixel in filter * plane..(filter + 1) * plane {
            let mut value = weights.affine[filter].apply(y.data[pixel]);
            if let Some(residual) = residual {
                value += residual.data[pixel];
            }
            y.data[pixel] = activation::apply(conv.activation, value);
        }
    }
}

/// Adds to channel `filter` of `y` what the tap at row `ky` and column `kx` of the kernel sees of channel `channel`
/// of `x`; in the padding it sees nothing.
fn add_tap(
    conv: &Conv,
    sides: Sides,
    weight: f64,
    (ky, kx): (usize, usize),
    (x, channel): (&Tensor, usize),
    (y, filter): (&mut Tensor, usize),
) {
    let (width, out_width) = (x.width(), y.width());
    // The first and one past the last output column for which the tap is inside the input.
    let sees = |column: &usize| inside(column * conv.stride.w + kx * conv.dilation.w, sides.left, width);
    let Some(first) = (0..out_width).find(|column| sees(column).is_some()) else {
        return;
    };
    let count = (first..out_width).take_while(|column| sees(column).is_some()).count();
    let Some(ix) = sees(&first) else { return };
    for row in 0..y.height() {
        let Some(iy) = inside(row * conv.stride.h + ky * conv.dilation.h, sides.top, x.height()) else {
            continue;
        };
        let seen = &x.plane(channel)[iy * width + ix..];
        let start = y.offset(filter, row, first);
        let sums = y.data[start..start + count].iter_mut();
        // The same twice, as only the first vectorises: that is where networks spend their time.
        if conv.stride.w == 1 {
            sums.zip(seen).for_each(|(sum, value)| *sum += weight * value);
        } else {
            sums.zip(seen.iter().step_by(conv.stride.w))
                .for_each(|(sum, value)| *sum += weight * value);
        }
    }
}

/// Adds the kernels of every pixel of `x`, scaled by it, to `y`; what falls on the padding is lost.
pub(super) fn transposed(conv: &ConvTranspose, weights: &Weights, x: &Tensor, y: &mut Tensor) {
    let (group_in, group_out) = (x.channels() / conv.groups, conv.filters / conv.groups);
    for channel in 0..x.channels() {
        for i in 0..group_out {
            let filter = channel / group_in * group_out + i;
            for ky in 0..conv.kernel.h {
                for kx in 0..conv.kernel.w {
                    let tap = ((channel * group_out + i) * conv.kernel.h + ky) * conv.kernel.w + kx;
                    let weight = f64::from(weights.matrix[tap]);
                    for row in 0..x.height() {
                        let to = row * conv.stride.h + ky * conv.dilation.h;
                        let Some(oy) = inside(to, conv.padding.top, y.height()) else {
                            continue;
                        };
                        for column in 0..x.width() {
                            let to = column * conv.stride.w + kx * conv.dilation.w;
                            if let Some(ox) = inside(to, conv.padding.left, y.width()) {
                                *y.at_mut(filter, oy, ox) += weight * x.at(channel, row, column);
                            }
                        }
                    }
                }
            }
        }
    }
    for filter in 0..conv.filters {
        let plane = y.shape.plane();
        for pixel in filter * plane..(filter + 1) * plane {
            y.data[pixel] = activation::apply(conv.activation, weights.affine[filter].apply(y.data[pixel]));
        }
    }
}

/// The place in the input of a place in the padded input; `None` in the padding.
pub(super) fn inside(padded: usize, before: usize, size: usize) -> Option<usize> {
    padded.checked_sub(before).filter(|&place| place < size)
}
