//! 8-bit integers, to the bit: sums of products are exact; what is done to a complete sum is done in single precision, in
//! the order that ONNX Runtime does it.

use cnn_ir::op::{Activation, Conv, Dense, QuantizedAdd, Sides};
use cnn_types::Quantisation;

use super::conv::inside;
use super::tensor::Tensor;
use super::weights::Weights;

/// What the operands' and the result's integers stand for.
#[derive(Debug)]
pub(super) struct Scales {
    /// The first operand's.
    pub(super) from: Quantisation,
    /// The second's.
    pub(super) other: Quantisation,
    /// The result's.
    pub(super) to: Quantisation,
}

/// What integers of a layer without any stand for: nothing asks.
pub(super) const NONE: Quantisation = Quantisation {
    scale: 1.0,
    zero_point: 0,
};

/// Real numbers to integers.
pub(super) fn quantize(to: Quantisation, x: &Tensor, y: &mut Tensor) {
    for (y, &x) in y.data.iter_mut().zip(&x.data) {
        *y = f64::from(to.quantise(x as f32));
    }
}

/// Integers to real numbers.
pub(super) fn dequantize(from: Quantisation, x: &Tensor, y: &mut Tensor) {
    for (y, &x) in y.data.iter_mut().zip(&x.data) {
        *y = f64::from(from.dequantise(x as u8));
    }
}

/// A convolution: `sides` of zeros around `x`.
pub(super) fn conv(conv: &Conv, sides: Sides, scales: &Scales, weights: &Weights, x: &Tensor, y: &mut Tensor) {
    let (group_in, group_out) = (x.channels() / conv.groups, conv.filters / conv.groups);
    let taps = conv.kernel.h * conv.kernel.w;
    let (height, width) = (x.height(), x.width());
    for filter in 0..conv.filters {
        let integers = Integers::new(weights, filter, group_in * taps, scales, conv.activation);
        for row in 0..y.height() {
            for column in 0..y.width() {
                let mut sum = 0;
                for (i, &weight) in integers.weights.iter().enumerate() {
                    let (channel, ky, kx) = (i / taps, i % taps / conv.kernel.w, i % conv.kernel.w);
                    let iy = inside(row * conv.stride.h + ky * conv.dilation.h, sides.top, height);
                    let ix = inside(column * conv.stride.w + kx * conv.dilation.w, sides.left, width);
                    if let (Some(iy), Some(ix)) = (iy, ix) {
                        let q = x.at(filter / group_out * group_in + channel, iy, ix) as i64;
                        sum += (q - i64::from(scales.from.zero_point)) * weight;
                    }
                }
                *y.at_mut(filter, row, column) = integers.result(sum);
            }
        }
    }
}

/// A fully connected layer.
pub(super) fn dense(dense: &Dense, scales: &Scales, weights: &Weights, x: &Tensor, y: &mut Tensor) {
    for unit in 0..dense.units {
        let integers = Integers::new(weights, unit, x.data.len(), scales, dense.activation);
        let products = x.data.iter().zip(&integers.weights);
        let sum = products.map(|(&q, &weight)| (q as i64 - i64::from(scales.from.zero_point)) * weight);
        y.data[unit] = integers.result(sum.sum());
    }
}

/// A sum of two values.
pub(super) fn add(sum: &QuantizedAdd, scales: &Scales, operands: &[&Tensor], y: &mut Tensor) {
    let Scales { from, other, to } = scales;
    let (left, right) = (from.scale / to.scale, other.scale / to.scale);
    let zero = |of: &Quantisation| f32::from(of.zero_point);
    let shift = zero(to) - (left * zero(from) + right * zero(other));
    let [least, greatest] = to.bounds(sum.activation).unwrap_or([0, 255]);
    let whole = Quantisation {
        scale: 1.0,
        zero_point: 0,
    };
    for (i, y) in y.data.iter_mut().enumerate() {
        let [a, b] = [0, 1].map(|operand| operands[operand].data[i] as f32);
        *y = f64::from(whole.round(a * left + (b * right + shift)).clamp(least, greatest));
    }
}

/// One filter as integers.
struct Integers {
    weights: Vec<i64>,
    bias: i64,
    /// What a complete sum is multiplied with.
    factor: f32,
    to: Quantisation,
    bounds: [u8; 2],
}

impl Integers {
    fn new(weights: &Weights, filter: usize, row: usize, scales: &Scales, activation: Option<Activation>) -> Integers {
        let scale = weights.vector[filter];
        let integer = |weight: &f32| (weight / scale).round_ties_even().clamp(-128.0, 127.0) as i64;
        let unit = scales.from.scale * scale;
        let bias = weights.affine[filter].apply(0.0);
        Integers {
            weights: weights.matrix[filter * row..][..row].iter().map(integer).collect(),
            bias: i64::from((bias / f64::from(unit)).round_ties_even() as i32),
            factor: unit / scales.to.scale,
            to: scales.to,
            bounds: scales.to.bounds(activation).unwrap_or([0, 255]),
        }
    }

    /// The integer of a complete sum. Sums are modulo 2³².
    fn result(&self, sum: i64) -> f64 {
        let sum = (sum + self.bias) as i32;
        let [least, greatest] = self.bounds;
        f64::from(self.to.round(sum as f32 * self.factor).clamp(least, greatest))
    }
}
