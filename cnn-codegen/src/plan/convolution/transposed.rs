//! Transposed convolutions as ordinary ones.
//!
//! An output at `o` is the sum over taps `k` of the input at `(o + padding − k·dilation) / stride`, where that is whole. So
//! outputs a stride apart meet the same taps: they are an ordinary convolution of stride 1 whose taps come in the
//! opposite order. There are as many of these as a stride has remainders, on each axis.

use std::fmt;

use cnn_ir::op::{Activation, Conv, ConvTranspose, Padding, Pair, Sides};
use cnn_ir::shape::Shape;
use cnn_runtime::pack::{FilterSource, Transposed};

use super::direct;
use super::layer::{Kernel, Layer, StridedView};
use crate::plan::data::layout::Strides;
use crate::plan::data::{Constants, View};
use crate::tile::SpecError;

/// Ordinary convolutions that one layer may become: each is a step of its own.
pub(crate) const MOST_PHASES: usize = 4096;

/// One axis of a transposed convolution.
#[derive(Clone, Copy)]
struct StrideAxis {
    kernel: usize,
    stride: usize,
    dilation: usize,
    before: usize,
    outputs: usize,
}

/// Outputs a stride apart.
struct Phase {
    /// The first of them.
    first: usize,
    /// How many.
    outputs: usize,
    stride: usize,
    /// The kernel's taps that they meet, from the first place in the input to the last; none is a tap of 0.
    taps: Vec<Option<usize>>,
    /// How far these places are apart.
    apart: usize,
    /// The place of the first tap of the first output.
    start: i64,
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} + {}·i", self.first, self.stride)
    }
}

/// How many ordinary convolutions a transposed one becomes.
pub(crate) fn phases(conv: &ConvTranspose, result: Shape) -> usize {
    let [rows, columns] = axes(conv, result);
    rows.phases().saturating_mul(columns.phases())
}

/// A transposed convolution: an ordinary one for each remainder of rows and columns by the stride.
///
/// # Errors
/// [`SpecError`]: offsets that do not fit a tile kernel.
pub(crate) fn transposed(
    layer: &Layer<'_>,
    conv: &ConvTranspose,
    constants: &mut Constants,
) -> Result<Vec<Kernel>, SpecError> {
    let [rows, columns] = axes(conv, layer.output.view.shape);
    let count = rows.phases() * columns.phases();
    // Outputs of a phase are not neighbours: what is no tile's activation is left until all are there.
    let (inside, rest) = Activation::split(conv.activation);
    let mut kernels: Vec<Kernel> = Vec::with_capacity(count);
    let mut multiplications = layer.multiplications;
    for row in (0..rows.phases()).map(|first| rows.phase(first)) {
        for column in (0..columns.phases()).map(|first| columns.phase(first)) {
            // Near-equal shares of whole multiplications, which sum up to all.
            let share = multiplications / (count - kernels.len()) as u64;
            multiplications -= share;
            let (ordinary, filters) = ordinary(layer, conv, &row, &column);
            let part = Layer {
                multiplications: share,
                activation: inside,
                output: part(layer.output, conv.stride, &row, &column),
                ..*layer
            };
            let kernel = direct::conv(&part, &ordinary, filters, [row.start, column.start], constants)?;
            let why = match count {
                1 => kernel.why,
                _ => format!("rows {row}, columns {column}; {}", kernel.why),
            };
            let last = kernels.len() + 1 == count;
            kernels.push(Kernel {
                why,
                rest: rest.filter(|_| last),
                ..kernel
            });
        }
    }
    Ok(kernels)
}

/// Rows and columns.
fn axes(conv: &ConvTranspose, result: Shape) -> [StrideAxis; 2] {
    let [_, rows, columns] = result.extent();
    [
        StrideAxis {
            kernel: conv.kernel.h,
            stride: conv.stride.h,
            dilation: conv.dilation.h,
            before: conv.padding.top,
            outputs: rows,
        },
        StrideAxis {
            kernel: conv.kernel.w,
            stride: conv.stride.w,
            dilation: conv.dilation.w,
            before: conv.padding.left,
            outputs: columns,
        },
    ]
}

fn greatest_common_divisor(a: usize, b: usize) -> usize {
    if b == 0 { a } else { greatest_common_divisor(b, a % b) }
}

impl StrideAxis {
    /// How many convolutions it becomes.
    fn phases(&self) -> usize {
        self.stride.min(self.outputs)
    }

    /// The outputs `first`, `first + stride`, …
    fn phase(&self, first: usize) -> Phase {
        let StrideAxis {
            kernel,
            stride,
            dilation,
            before,
            outputs,
        } = *self;
        let common = greatest_common_divisor(stride, dilation);
        let padded = (first + before) as i128;
        // Of a tap that meets them; others are outside the input or between its places.
        let place = |tap: usize| padded - tap as i128 * dilation as i128;
        let meets = |tap: &usize| place(*tap).rem_euclid(stride as i128) == 0;
        let least = (0..kernel.min(stride / common)).find(meets);
        let mut taps: Vec<Option<usize>> = least
            .into_iter()
            .flat_map(|least| (least..kernel).step_by(stride / common))
            .map(Some)
            .collect();
        taps.reverse();
        let start = match taps.first() {
            Some(&Some(last)) => place(last) / stride as i128,
            Some(None) | None => {
                taps = vec![None];
                padded / stride as i128
            }
        };
        Phase {
            first,
            outputs: (outputs - first).div_ceil(stride),
            stride,
            taps,
            apart: dilation / common,
            start: start as i64,
        }
    }

    /// How far taps reach beyond an input of `n` places, before and after.
    fn reach(&self, n: usize) -> (usize, usize) {
        let before = self
            .dilation
            .saturating_mul(self.kernel - 1)
            .saturating_sub(self.before)
            / self.stride;
        let last = (self.outputs - 1 + self.before) / self.stride;
        (before, last.saturating_sub(n - 1))
    }
}

/// How far a transposed convolution's taps reach beyond its input.
pub(crate) fn reach(conv: &ConvTranspose, input: Shape, result: Shape) -> Sides {
    let [_, height, width] = input.extent();
    let [rows, columns] = axes(conv, result);
    let ((top, bottom), (left, right)) = (rows.reach(height), columns.reach(width));
    Sides {
        top,
        left,
        bottom,
        right,
    }
}

/// The outputs of two phases as if there were no others.
fn part(whole: StridedView, stride: Pair, row: &Phase, column: &Phase) -> StridedView {
    let StridedView { view, strides, .. } = whole;
    StridedView {
        view: View {
            shape: Shape::map(view.shape.channels(), row.outputs, column.outputs),
            ..view
        },
        strides: Strides {
            origin: strides.origin + row.first * strides.row + column.first * strides.pixel,
            row: strides.row * stride.h,
            pixel: strides.pixel * stride.w,
            ..strides
        },
        ..whole
    }
}

/// The ordinary convolution of two phases, and its filters.
fn ordinary(layer: &Layer<'_>, conv: &ConvTranspose, row: &Phase, column: &Phase) -> (Conv, FilterSource) {
    let channels = layer.input.view.shape.channels();
    let kernel = Pair {
        h: row.taps.len(),
        w: column.taps.len(),
    };
    let shape = vec![conv.filters, channels / conv.groups, kernel.h, kernel.w];
    let source = FilterSource {
        transposed: Some(Transposed {
            kernel: [conv.kernel.h, conv.kernel.w],
            groups: conv.groups,
            rows: row.taps.clone(),
            columns: column.taps.clone(),
        }),
        ..layer.filters(shape, conv.bias, &conv.norm)
    };
    let ordinary = Conv {
        quantized: false,
        filters: conv.filters,
        kernel,
        stride: Pair::ONE,
        padding: Padding::Valid,
        dilation: Pair {
            h: row.apart,
            w: column.apart,
        },
        groups: conv.groups,
        bias: conv.bias,
        activation: conv.activation,
        norm: None,
        residual: false,
    };
    (ordinary, source)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Pairs of output and tap that meet a place of an input of `n`, in order.
    type Meetings = Vec<(usize, usize, i64)>;

    fn by_definition(axis: StrideAxis, n: i64) -> Meetings {
        let mut all = Vec::new();
        for output in 0..axis.outputs {
            for tap in 0..axis.kernel {
                let distance = (output + axis.before) as i64 - (tap * axis.dilation) as i64;
                let place = distance.div_euclid(axis.stride as i64);
                if distance.rem_euclid(axis.stride as i64) == 0 && (0..n).contains(&place) {
                    all.push((output, tap, place));
                }
            }
        }
        all
    }

    #[test]
    fn phases_meet_every_tap_that_the_definition_meets() {
        for kernel in 1..6 {
            for stride in 1..5 {
                for dilation in 1..4 {
                    for (before, n) in [(0, 1), (1, 4), (2, 3), (4, 5)] {
                        let axis = StrideAxis {
                            kernel,
                            stride,
                            dilation,
                            before,
                            outputs: n * stride + 1,
                        };
                        let (top, bottom) = axis.reach(n);
                        let mut all: Meetings = Vec::new();
                        for first in 0..axis.phases() {
                            let phase = axis.phase(first);
                            for i in 0..phase.outputs {
                                for (tap, kernel_tap) in phase.taps.iter().enumerate() {
                                    let place = phase.start + (i + tap * phase.apart) as i64;
                                    assert!(place >= -(top as i64) && place < (n + bottom) as i64);
                                    if let (Some(tap), 0..) = (kernel_tap, place)
                                        && place < n as i64
                                    {
                                        all.push((first + i * stride, *tap, place));
                                    }
                                }
                            }
                        }
                        all.sort_unstable();
                        assert_eq!(
                            all,
                            by_definition(axis, n as i64),
                            "{kernel} {stride} {dilation} {before}"
                        );
                    }
                }
            }
        }
    }
}
