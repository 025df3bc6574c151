//! Steps on 8-bit integers. What the integers stand for, the steps' buffers say.

use cnn_ir::op::{Pair, Sides};
use cnn_ir::shape::Shape;

use super::{ConstantId, View};

/// A step on 8-bit integers.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "jit", derive(serde::Serialize, serde::Deserialize))]
pub struct IntegerWork {
    /// What it works on.
    pub input: View,
    /// A second operand.
    pub other: Option<View>,
    /// Biases, factors and weights.
    pub constant: Option<ConstantId>,
    /// The result.
    pub output: View,
    /// What is done.
    pub kind: IntegerKind,
}

/// What is done with integers. `bounds` are the least and the greatest of the result.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "jit", derive(serde::Serialize, serde::Deserialize))]
pub enum IntegerKind {
    /// Floats become integers.
    Quantize,
    /// Integers become floats.
    Dequantize,
    /// Integers are copied: into the channels of the result's view, or between a map and a vector of all its elements,
    /// channel by channel.
    Copy,
    /// A convolution of one group; a dense layer is one of a single pixel.
    Conv {
        /// Its windows.
        window: Windows,
        /// What activations leave.
        bounds: [u8; 2],
        /// Rows of a task.
        row_block: usize,
        /// Panels of filters of a task.
        panel_block: usize,
    },
    /// A convolution of one channel a group.
    Depthwise {
        /// Its windows.
        window: Windows,
        /// What activations leave.
        bounds: [u8; 2],
    },
    /// The sum of two values.
    Add {
        /// What activations leave.
        bounds: [u8; 2],
    },
    /// The greatest or least of windows, cut off at the borders.
    Pool {
        /// Its windows.
        window: Windows,
        /// The least instead of the greatest.
        least: bool,
    },
}

/// Windows over a map.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "jit", derive(serde::Serialize, serde::Deserialize))]
pub struct Windows {
    /// Rows and columns.
    pub size: Pair,
    /// From one to the next.
    pub stride: Pair,
    /// From tap to tap.
    pub dilation: Pair,
    /// Padding: how far the first begins before the map, above and on the left.
    pub sides: Sides,
}

impl Windows {
    /// Of one pixel each.
    pub(crate) const PIXELS: Windows = Windows {
        size: Pair::ONE,
        stride: Pair::ONE,
        dilation: Pair::ONE,
        sides: Sides {
            top: 0,
            left: 0,
            bottom: 0,
            right: 0,
        },
    };

    /// How far the windows of a result of `to` reach beyond a map of `from`, in 128 bits: above, left, below, right.
    pub(crate) fn reach(&self, from: Shape, to: Shape) -> [i128; 4] {
        let ([_, height, width], [_, rows, columns]) = (from.extent(), to.extent());
        let end = |outputs: usize, size: usize, stride: usize, dilation: usize, before: usize, n: usize| {
            (outputs as i128 - 1) * stride as i128 + dilation as i128 * (size as i128 - 1) + 1
                - before as i128
                - n as i128
        };
        let Windows {
            size,
            stride,
            dilation,
            sides,
        } = self;
        [
            sides.top as i128,
            sides.left as i128,
            end(rows, size.h, stride.h, dilation.h, sides.top, height),
            end(columns, size.w, stride.w, dilation.w, sides.left, width),
        ]
    }
}
