//! What a step does: one variant a kind of loop nest.

use cnn_ir::op::{Activation, CombineKind, GlobalPoolKind, Lrn, Pair, PoolKind, Sides, UpsampleMode};

use super::{BufferId, ConstantId, Sweep, View, WinogradWork};

/// A step's work.
#[derive(Clone, Debug)]
pub enum Work {
    /// Tiles over pixels, panels of filters and chunks of channels.
    Sweep(Box<Sweep>),
    /// A convolution on transformed tiles.
    Winograd(Box<WinogradWork>),
    /// Moves elements between layouts, channels or places.
    Copy(Copy),
    /// Zeros in the halo of a buffer, before it is written.
    ClearHalo(BufferId),
    /// Functions of single elements: sum, product or the like, scale and shift, activation.
    Elementwise(Elementwise),
    /// Windows.
    Pool(PoolWindow),
    /// Whole maps.
    GlobalPool {
        /// What is pooled.
        input: View,
        /// `[C, 1, 1]`.
        output: View,
        /// Average or max.
        kind: GlobalPoolKind,
    },
    /// Average over windows that divide the map.
    AdaptiveAvgPool {
        /// What is pooled.
        input: View,
        /// The result.
        output: View,
    },
    /// Softmax over channels.
    Softmax {
        /// Scores.
        input: View,
        /// Probabilities, or their logarithms.
        output: View,
        /// Whether logarithms.
        log: bool,
    },
    /// Local response normalisation.
    Lrn {
        /// What is normalised.
        input: View,
        /// The result.
        output: View,
        /// Its parameters.
        lrn: Lrn,
    },
    /// Enlarging by whole factors.
    Upsample {
        /// The small map.
        input: View,
        /// The large map.
        output: View,
        /// Factors.
        scale: Pair,
        /// Interpolation.
        mode: UpsampleMode,
    },
    /// Interleaves groups of channels.
    ChannelShuffle {
        /// What is shuffled.
        input: View,
        /// The result.
        output: View,
        /// Groups.
        groups: usize,
    },
}

/// Copies `from` into the middle of `to`.
#[derive(Clone, Debug, PartialEq)]
pub struct Copy {
    /// What is copied.
    pub from: View,
    /// Where to. Its channels begin at any channel.
    pub to: View,
    /// Row and column of `to` at which `from` begins.
    pub at: (usize, usize),
    /// What the border of `to` around `from` is filled with first.
    pub border: Option<f32>,
    /// Elements are taken in planar order whatever the shapes are: a flattening or reshaping.
    pub reshape: bool,
}

impl Copy {
    /// The whole of `from` to the beginning of `to`, element by element.
    pub(super) fn all(from: View, to: View) -> Copy {
        Copy {
            from,
            to,
            at: (0, 0),
            border: None,
            reshape: false,
        }
    }
}

/// `activation(slope(scale · (a ∘ b ∘ …) + shift))`, each part only where it is there.
#[derive(Clone, Debug, PartialEq)]
pub struct Elementwise {
    /// What is combined; sizes of 1 count for every place of their axis.
    pub operands: Vec<View>,
    /// Their sum, product or the like.
    pub combination: Combination,
    /// The result; may be the place of an operand of its shape.
    pub output: View,
    /// Scales and shifts per channel.
    pub scale_shift: Option<ConstantId>,
    /// PReLU's slopes per channel.
    pub slope: Option<ConstantId>,
    /// Applied last.
    pub activation: Option<Activation>,
}

/// How operands are combined.
pub type Combination = CombineKind;

/// Pooling over windows.
#[derive(Clone, Debug, PartialEq)]
pub struct PoolWindow {
    /// What is pooled.
    pub input: View,
    /// The result.
    pub output: View,
    /// Max, average or min.
    pub kind: PoolKind,
    /// Window height and width.
    pub size: Pair,
    /// Step of the window.
    pub stride: Pair,
    /// Distance between taps.
    pub dilation: Pair,
    /// Padding.
    pub sides: Sides,
}

impl Work {
    /// The buffers it reads.
    pub fn reads(&self) -> Vec<BufferId> {
        match self {
            Work::Sweep(sweep) => std::iter::once(sweep.input).chain(sweep.residual).collect(),
            Work::Winograd(work) => {
                let residual = work.residual.map(|view| view.buffer);
                std::iter::once(work.input.buffer).chain(residual).collect()
            }
            Work::Copy(copy) => vec![copy.from.buffer],
            Work::ClearHalo(_) => Vec::new(),
            Work::Elementwise(elementwise) => elementwise.operands.iter().map(|view| view.buffer).collect(),
            Work::Pool(pool) => vec![pool.input.buffer],
            Work::GlobalPool { input, .. }
            | Work::AdaptiveAvgPool { input, .. }
            | Work::Softmax { input, .. }
            | Work::Lrn { input, .. }
            | Work::Upsample { input, .. }
            | Work::ChannelShuffle { input, .. } => vec![input.buffer],
        }
    }

    /// The buffer it writes.
    pub fn writes(&self) -> BufferId {
        match self {
            Work::Sweep(sweep) => sweep.output,
            Work::Winograd(work) => work.output.buffer,
            Work::Copy(copy) => copy.to.buffer,
            Work::ClearHalo(buffer) => *buffer,
            Work::Elementwise(elementwise) => elementwise.output.buffer,
            Work::Pool(pool) => pool.output.buffer,
            Work::GlobalPool { output, .. }
            | Work::AdaptiveAvgPool { output, .. }
            | Work::Softmax { output, .. }
            | Work::Lrn { output, .. }
            | Work::Upsample { output, .. }
            | Work::ChannelShuffle { output, .. } => output.buffer,
        }
    }

    /// Bytes that each thread needs for itself meanwhile.
    pub fn scratch_bytes(&self) -> usize {
        match self {
            Work::Winograd(work) => work.scratch_bytes(),
            Work::Sweep(_)
            | Work::Copy(_)
            | Work::ClearHalo(_)
            | Work::Elementwise(_)
            | Work::Pool(_)
            | Work::GlobalPool { .. }
            | Work::AdaptiveAvgPool { .. }
            | Work::Softmax { .. }
            | Work::Lrn { .. }
            | Work::Upsample { .. }
            | Work::ChannelShuffle { .. } => 0,
        }
    }

    /// The constants it needs.
    pub fn constants(&self) -> Vec<ConstantId> {
        match self {
            Work::Sweep(sweep) => vec![sweep.weights],
            Work::Winograd(work) => vec![work.weights],
            Work::Elementwise(elementwise) => elementwise.scale_shift.into_iter().chain(elementwise.slope).collect(),
            Work::Copy(_)
            | Work::ClearHalo(_)
            | Work::Pool(_)
            | Work::GlobalPool { .. }
            | Work::AdaptiveAvgPool { .. }
            | Work::Softmax { .. }
            | Work::Lrn { .. }
            | Work::Upsample { .. }
            | Work::ChannelShuffle { .. } => Vec::new(),
        }
    }
}
