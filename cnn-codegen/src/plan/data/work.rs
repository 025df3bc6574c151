//! What a step does: one variant a kind of loop nest.

use std::iter;

use cnn_ir::op::{Activation, CombineKind, Lrn, Pair, PoolKind, ReduceKind, Sides, Tap};

use super::{AlongWork, BufferId, ConstantId, Gather, IntegerWork, RecurrentWork, Sweep, View, WinogradWork};

/// A step's work.
#[derive(Clone, Debug)]
#[cfg_attr(feature = "jit", derive(serde::Serialize, serde::Deserialize))]
pub enum Work {
    /// Tiles over pixels, panels of filters and k-blocks.
    Sweep(Box<Sweep>),
    /// A convolution on transformed tiles.
    Winograd(Box<WinogradWork>),
    /// Moves elements between layouts or channels.
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
        /// The mean, sum, greatest …
        kind: ReduceKind,
    },
    /// Average over windows that divide the map.
    AdaptiveAvgPool {
        /// What is pooled.
        input: View,
        /// The result.
        output: View,
    },
    /// Softmax.
    Softmax {
        /// Scores.
        input: View,
        /// Probabilities, or their logarithms.
        output: View,
        /// Over channels (or a vector), rows or columns.
        axis: usize,
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
    /// Takes elements through an index map.
    Gather(Gather),
    /// Bilinear interpolation.
    Interpolate(Interpolate),
    /// Products of matrices, all channel by channel.
    Matmul {
        /// `[C or 1, M, K]`.
        left: View,
        /// `[C or 1, K, N]`.
        right: View,
        /// `[C, M, N]`.
        output: View,
    },
    /// A step on 8-bit integers.
    Integer(IntegerWork),
    /// A walk along an axis: places of extremes, running sums, elements at computed places.
    Along(AlongWork),
    /// An LSTM or GRU over sequences.
    Recurrent(Box<RecurrentWork>),
    /// Means, sums, greatest elements … along axes.
    Reduce {
        /// What is reduced.
        input: View,
        /// The result, with sizes of 1.
        output: View,
        /// What the elements become.
        kind: ReduceKind,
        /// Whether over channels (or a vector), rows, columns.
        axes: [bool; 3],
    },
}

/// What a step reads or writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Somewhere in a buffer.
    Buffer(BufferId),
    /// A part of one.
    View(View),
}

impl Access {
    /// The buffer.
    pub fn buffer(self) -> BufferId {
        match self {
            Access::Buffer(buffer) => buffer,
            Access::View(view) => view.buffer,
        }
    }

    /// The part, if it is known.
    pub fn view(self) -> Option<View> {
        match self {
            Access::Buffer(_) => None,
            Access::View(view) => Some(view),
        }
    }
}

/// Copies `from` into the middle of `to`.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "jit", derive(serde::Serialize, serde::Deserialize))]
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
    pub(crate) fn all(from: View, to: View) -> Copy {
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
#[cfg_attr(feature = "jit", derive(serde::Serialize, serde::Deserialize))]
pub struct Elementwise {
    /// What is combined; sizes of 1 are repeated along their axis.
    pub operands: Vec<View>,
    /// Their sum, product or the like.
    pub combination: Combination,
    /// The result; may be in place: the view of an operand of its shape.
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
#[cfg_attr(feature = "jit", derive(serde::Serialize, serde::Deserialize))]
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

/// Every pixel is what a row and a column between two of the operand's have in common.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "jit", derive(serde::Serialize, serde::Deserialize))]
pub struct Interpolate {
    /// What is interpolated.
    pub input: View,
    /// The result.
    pub output: View,
    /// The two rows of each row.
    pub rows: Vec<Tap>,
    /// The two columns of each column.
    pub columns: Vec<Tap>,
}

impl Work {
    /// What it reads, and what it writes.
    pub fn accesses(&self) -> (Vec<Access>, Access) {
        let buffers = |buffers: &mut dyn Iterator<Item = BufferId>| buffers.map(Access::Buffer).collect();
        let views = |views: &mut dyn Iterator<Item = View>| views.map(Access::View).collect();
        match self {
            Work::Sweep(sweep) => {
                let reads = buffers(&mut iter::once(sweep.input).chain(sweep.residual));
                (reads, Access::Buffer(sweep.output))
            }
            Work::ClearHalo(buffer) => (Vec::new(), Access::Buffer(*buffer)),
            Work::Winograd(work) => {
                let reads = views(&mut iter::once(work.input).chain(work.residual));
                (reads, Access::View(work.output))
            }
            Work::Copy(copy) => (vec![Access::View(copy.from)], Access::View(copy.to)),
            Work::Elementwise(step) => (views(&mut step.operands.iter().copied()), Access::View(step.output)),
            Work::Pool(pool) => (vec![Access::View(pool.input)], Access::View(pool.output)),
            Work::Gather(gather) => (views(&mut gather.from.view().into_iter()), Access::View(gather.to)),
            Work::Matmul { left, right, output } => {
                (vec![Access::View(*left), Access::View(*right)], Access::View(*output))
            }
            Work::Recurrent(work) => {
                let reads = iter::once(work.input).chain(work.states.iter().copied());
                (views(&mut { reads }), Access::View(work.output))
            }
            Work::Integer(work) => {
                let reads = iter::once(work.input).chain(work.other);
                (views(&mut { reads }), Access::View(work.output))
            }
            Work::Along(work) => {
                let reads = iter::once(work.input).chain(work.places);
                (views(&mut { reads }), Access::View(work.output))
            }
            Work::Interpolate(Interpolate { input, output, .. })
            | Work::GlobalPool { input, output, .. }
            | Work::AdaptiveAvgPool { input, output }
            | Work::Softmax { input, output, .. }
            | Work::Lrn { input, output, .. }
            | Work::Reduce { input, output, .. } => (vec![Access::View(*input)], Access::View(*output)),
        }
    }

    /// The buffers it reads.
    pub fn reads(&self) -> Vec<BufferId> {
        self.accesses().0.into_iter().map(Access::buffer).collect()
    }

    /// The buffer it writes.
    pub fn writes(&self) -> BufferId {
        self.accesses().1.buffer()
    }

    /// Bytes that each thread needs for itself meanwhile.
    pub fn scratch_bytes(&self) -> usize {
        match self {
            Work::Winograd(work) => work.scratch_bytes(),
            Work::Recurrent(work) => work.scratch_bytes(),
            Work::Sweep(_)
            | Work::Copy(_)
            | Work::ClearHalo(_)
            | Work::Elementwise(_)
            | Work::Pool(_)
            | Work::GlobalPool { .. }
            | Work::AdaptiveAvgPool { .. }
            | Work::Softmax { .. }
            | Work::Lrn { .. }
            | Work::Gather(_)
            | Work::Interpolate(_)
            | Work::Matmul { .. }
            | Work::Integer(_)
            | Work::Along(_)
            | Work::Reduce { .. } => 0,
        }
    }

    /// The constants it needs.
    pub fn constants(&self) -> Vec<ConstantId> {
        match self {
            Work::Sweep(sweep) => vec![sweep.weights],
            Work::Winograd(work) => vec![work.weights],
            Work::Recurrent(work) => work.constants(),
            Work::Elementwise(elementwise) => elementwise.scale_shift.into_iter().chain(elementwise.slope).collect(),
            Work::Gather(gather) => gather.from.constant().into_iter().collect(),
            Work::Integer(work) => work.constant.into_iter().collect(),
            Work::Copy(_)
            | Work::ClearHalo(_)
            | Work::Pool(_)
            | Work::GlobalPool { .. }
            | Work::AdaptiveAvgPool { .. }
            | Work::Softmax { .. }
            | Work::Lrn { .. }
            | Work::Interpolate(_)
            | Work::Matmul { .. }
            | Work::Along(_)
            | Work::Reduce { .. } => Vec::new(),
        }
    }
}
