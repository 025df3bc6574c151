//! Operators that move elements without computing, and interpolation.

use cnn_ir::op::{ChannelShuffle, Pad, Upsample, UpsampleMode};

use super::conv::inside;
use super::tensor::Tensor;

/// The same elements under the shape of `y`.
pub(super) fn copy(x: &Tensor, y: &mut Tensor) {
    y.data.copy_from_slice(&x.data);
}

/// Puts a border around `x`.
pub(super) fn pad(pad: &Pad, x: &Tensor, y: &mut Tensor) {
    y.fill(|c, row, column| {
        let iy = inside(row, pad.sides.top, x.height());
        let ix = inside(column, pad.sides.left, x.width());
        match (iy, ix) {
            (Some(iy), Some(ix)) => x.at(c, iy, ix),
            _ => f64::from(pad.value),
        }
    });
}

/// Enlarges `x`.
pub(super) fn upsample(upsample: &Upsample, x: &Tensor, y: &mut Tensor) {
    y.fill(|c, row, column| match upsample.mode {
        UpsampleMode::Nearest => x.at(c, row / upsample.scale.h, column / upsample.scale.w),
        UpsampleMode::Bilinear => {
            let (y0, y1, fy) = between(row, upsample.scale.h, x.height());
            let (x0, x1, fx) = between(column, upsample.scale.w, x.width());
            let upper = x.at(c, y0, x0) * (1.0 - fx) + x.at(c, y0, x1) * fx;
            let lower = x.at(c, y1, x0) * (1.0 - fx) + x.at(c, y1, x1) * fx;
            upper * (1.0 - fy) + lower * fy
        }
    });
}

/// The two source places around the centre of target place `i`, and how far it is from the first to the second.
fn between(i: usize, scale: usize, size: usize) -> (usize, usize, f64) {
    let source = ((i as f64 + 0.5) / scale as f64 - 0.5).max(0.0);
    let first = source.floor() as usize;
    let second = (first + 1).min(size - 1);
    (first, second, source - source.floor())
}

/// Interleaves the groups of channels.
pub(super) fn channel_shuffle(shuffle: ChannelShuffle, x: &Tensor, y: &mut Tensor) {
    let group = x.channels() / shuffle.groups;
    y.fill(|c, row, column| {
        let source = c % shuffle.groups * group + c / shuffle.groups;
        x.at(source, row, column)
    });
}
