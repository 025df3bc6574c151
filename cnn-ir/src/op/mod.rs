//! Operators: one file a family, with its parameters, shape rule, cost, weights and tests.

pub mod activation;
pub mod combine;
pub mod conv;
pub mod dense;
pub mod input;
pub mod norm;
pub mod pool;
pub mod rearrange;
pub mod softmax;
pub mod window;

pub use activation::{Activation, Prelu};
pub use combine::{Combine, CombineKind, Concat};
pub use conv::{Conv, FoldedNorm};
pub use dense::Dense;
pub use input::{Input, InputLayout};
pub use norm::{BatchNorm, Lrn};
pub use pool::{AdaptiveAvgPool, GlobalPool, GlobalPoolKind, Pool, PoolKind};
pub use rearrange::{ChannelShuffle, Dropout, Flatten, Identity, Pad, Reshape, Upsample, UpsampleMode};
pub use softmax::Softmax;
pub use window::{Padding, Pair, Sides};

/// What a node computes. Operands and result are [`Shape`](crate::shape::Shape)s without the batch.
#[derive(Clone, Debug, PartialEq)]
pub enum Op {
    /// An image or vector that the user gives.
    Input(Input),
    /// 2-D convolution (cross-correlation, as everywhere in the field).
    Conv(Conv),
    /// A fully connected layer.
    Dense(Dense),
    /// Max, average or min over a window.
    Pool(Pool),
    /// Average or max over the whole map.
    GlobalPool(GlobalPool),
    /// Average over windows chosen so that the output has a given size.
    AdaptiveAvgPool(AdaptiveAvgPool),
    /// A function of each element.
    Activation(Activation),
    /// ReLU with a learnt slope per channel.
    Prelu(Prelu),
    /// (Log-)softmax over channels.
    Softmax(Softmax),
    /// Batch normalisation with running statistics.
    BatchNorm(BatchNorm),
    /// Local response normalisation across channels.
    Lrn(Lrn),
    /// Elementwise sum or product of two or more operands.
    Combine(Combine),
    /// Joins maps along the channels.
    Concat(Concat),
    /// A map as a vector, in the order channels, rows, columns.
    Flatten(Flatten),
    /// The same elements under another shape.
    Reshape(Reshape),
    /// A border of a constant value.
    Pad(Pad),
    /// A larger map by nearest or bilinear interpolation.
    Upsample(Upsample),
    /// Interleaves groups of channels.
    ChannelShuffle(ChannelShuffle),
    /// Nothing at inference.
    Dropout(Dropout),
    /// Nothing.
    Identity(Identity),
}
