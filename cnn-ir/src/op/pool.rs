//! Pooling over windows, over the whole map, and to a given size.

use super::{Padding, Pair};

/// What a window becomes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PoolKind {
    /// Its greatest element.
    Max,
    /// Its mean.
    Avg {
        /// Whether padding counts as zeros of the mean.
        count_include_pad: bool,
    },
    /// Its least element.
    Min,
}

/// Pooling over a window.
#[derive(Clone, Debug, PartialEq)]
pub struct Pool {
    /// Max, average or min.
    pub kind: PoolKind,
    /// Window height and width.
    pub size: Pair,
    /// Step of the window.
    pub stride: Pair,
    /// Padding, which never wins a max or min.
    pub padding: Padding,
    /// Distance between taps (1 for averages).
    pub dilation: Pair,
    /// Whether the output size rounds up; the last window must still start inside the input or its leading padding.
    pub ceil: bool,
}

/// What the whole map becomes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GlobalPoolKind {
    /// Its mean.
    Avg,
    /// Its greatest element.
    Max,
}

/// `[C, H, W]` → `[C, 1, 1]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GlobalPool {
    /// Average or max.
    pub kind: GlobalPoolKind,
}

/// Average over windows chosen so that the output is `size`: row `i` averages rows `⌊i·H/h⌋ … ⌈(i+1)·H/h⌉`
/// (PyTorch's rule).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AdaptiveAvgPool {
    /// Output height and width.
    pub size: Pair,
}
