//! Pooling over windows, and to a given size.

use cnn_ir::op::{AdaptiveAvgPool, Pool, PoolKind, Sides};

use super::conv::inside;
use super::reduce::greatest;
use super::tensor::Tensor;

/// Pools `x` into `y`, with `sides` of padding around `x`.
pub(super) fn run(pool: &Pool, sides: Sides, x: &Tensor, y: &mut Tensor) {
    let (height, width) = (x.height(), x.width());
    y.fill(|c, row, column| {
        // The window in the padded input; rounding up may let it reach beyond the padding.
        let top = row * pool.stride.h;
        let left = column * pool.stride.w;
        let mut taps = Vec::new();
        for ky in 0..pool.size.h {
            let Some(iy) = inside(top + ky * pool.dilation.h, sides.top, height) else {
                continue;
            };
            for kx in 0..pool.size.w {
                let Some(ix) = inside(left + kx * pool.dilation.w, sides.left, width) else {
                    continue;
                };
                taps.push(x.at(c, iy, ix));
            }
        }
        match pool.kind {
            PoolKind::Max => greatest(&taps),
            PoolKind::Min => -greatest(&taps.iter().map(|x| -x).collect::<Vec<_>>()),
            // PyTorch: a window of nothing but padding averages to 0.
            PoolKind::Avg { .. } if taps.is_empty() => 0.0,
            PoolKind::Avg { count_include_pad } => {
                let sum: f64 = taps.iter().sum();
                let count = if count_include_pad {
                    // What lies beyond the padding does not count (PyTorch's divisor when rounding up).
                    let within = |start: usize, size: usize, dilation: usize, end: usize| {
                        (0..size).filter(|tap| start + tap * dilation < end).count()
                    };
                    within(top, pool.size.h, pool.dilation.h, sides.top + height + sides.bottom)
                        * within(left, pool.size.w, pool.dilation.w, sides.left + width + sides.right)
                } else {
                    taps.len()
                };
                sum / count as f64
            }
        }
    });
}

/// Averages windows of `x` so that `y` has the declared size.
pub(super) fn adaptive(pool: AdaptiveAvgPool, x: &Tensor, y: &mut Tensor) {
    let (height, width) = (x.height(), x.width());
    y.fill(|c, row, column| {
        let rows = row * height / pool.size.h..((row + 1) * height).div_ceil(pool.size.h);
        let columns = column * width / pool.size.w..((column + 1) * width).div_ceil(pool.size.w);
        let count = rows.len() * columns.len();
        let mut sum = 0.0;
        for iy in rows {
            for ix in columns.clone() {
                sum += x.at(c, iy, ix);
            }
        }
        sum / count as f64
    });
}
