//! Operators: one file a family, with its parameters, keys, shape rule, formula, weights and tests.
//!
//! To add one: a struct in its family's file, its `Operator` implementation there, a variant of [`Op`], and its
//! word in `read.rs`; the compiler names every match that is then incomplete.

pub mod activation;
mod attributes;
mod axes;
pub mod combine;
pub mod constant;
pub mod conv;
pub mod conv_transpose;
pub mod dense;
pub mod depth_space;
mod fault;
pub mod indexing;
pub mod input;
pub mod matmul;
pub mod norm;
pub mod padding;
pub mod pool;
mod range;
mod read;
pub mod rearrange;
pub mod reduce;
pub mod resize;
pub mod softmax;
#[cfg(test)]
mod testing;
mod weight;
pub mod window;
mod words;
mod writer;

use crate::ast::ValueKind;
use crate::shape::Shape;

pub use activation::{Activation, Prelu};
pub use combine::{Combine, CombineKind, Concat};
pub use constant::Constant;
pub use conv::{Conv, FoldedNorm};
pub use conv_transpose::ConvTranspose;
pub use dense::Dense;
pub use depth_space::{DepthOrder, DepthToSpace, SpaceToDepth};
pub use fault::{Arity, Fault};
pub use indexing::{Places, Slice, Transpose};
pub use input::{Input, InputLayout};
pub use matmul::Matmul;
pub use norm::{BatchNorm, Lrn};
pub use padding::{Padding, Pair, Sides};
pub use pool::{AdaptiveAvgPool, GlobalPool, GlobalPoolKind, Pool, PoolKind};
pub use read::Dialect;
pub use rearrange::{ChannelShuffle, Dropout, Flatten, Identity, Pad, Reshape};
pub use reduce::ReduceMean;
pub use resize::{Coordinates, Resize, ResizeAxis, ResizeMode, ResizeTo, Rounding, Tap, Upsample, UpsampleMode};
pub use softmax::Softmax;
pub use weight::WeightDecl;
pub use window::Axis;
pub(crate) use words::meant;

/// What a node computes. Operands and result are [`Shape`](crate::shape::Shape)s without the batch.
#[derive(Clone, Debug, PartialEq)]
pub enum Op {
    /// An image or vector that the user gives.
    Input(Input),
    /// 2-D convolution (cross-correlation, as everywhere in the field).
    Conv(Conv),
    /// Transposed 2-D convolution.
    ConvTranspose(ConvTranspose),
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
    /// (Log-)softmax along an axis.
    Softmax(Softmax),
    /// Batch normalisation with running statistics.
    BatchNorm(BatchNorm),
    /// Local response normalisation across channels.
    Lrn(Lrn),
    /// Sum, product, difference, quotient, greatest or least of operands, element by element.
    Combine(Combine),
    /// A matrix product of two operands.
    Matmul(Matmul),
    /// Joins maps along the channels.
    Concat(Concat),
    /// A map as a vector, in the order channels, rows, columns.
    Flatten(Flatten),
    /// The same elements under another shape.
    Reshape(Reshape),
    /// A border of a constant value.
    Pad(Pad),
    /// A map enlarged by whole factors.
    Upsample(Upsample),
    /// A map of another size by nearest or bilinear interpolation.
    Resize(Resize),
    /// The mean along axes.
    ReduceMean(ReduceMean),
    /// Every so many-th place along an axis.
    Slice(Slice),
    /// Axes in another order.
    Transpose(Transpose),
    /// Channels become blocks of pixels.
    DepthToSpace(DepthToSpace),
    /// Blocks of pixels become channels.
    SpaceToDepth(SpaceToDepth),
    /// Interleaves groups of channels.
    ChannelShuffle(ChannelShuffle),
    /// A value that comes with the weights.
    Constant(Constant),
    /// Nothing at inference.
    Dropout(Dropout),
    /// Nothing.
    Identity(Identity),
}

/// What every operator knows about itself. Operands are as many as [`Operator::arity`] says.
trait Operator {
    /// The word for it in a declaration.
    fn name(&self) -> &'static str;

    /// Its keys that differ from their defaults.
    fn keys(&self) -> Vec<(&'static str, ValueKind)> {
        Vec::new()
    }

    /// How many operands it takes.
    fn arity(&self) -> Arity {
        Arity::Exactly(1)
    }

    /// The shape of its result.
    fn shape(&self, operands: &[Shape]) -> Result<Shape, Vec<Fault>>;

    /// How that shape comes about.
    fn formula(&self, _operands: &[Shape]) -> String {
        String::new()
    }

    /// The weights it needs.
    fn weights(&self, _prefix: &str, _operands: &[Shape]) -> Vec<WeightDecl> {
        Vec::new()
    }
}

impl Op {
    fn operator(&self) -> &dyn Operator {
        match self {
            Op::Input(op) => op,
            Op::Conv(op) => op,
            Op::ConvTranspose(op) => op,
            Op::Dense(op) => op,
            Op::Pool(op) => op,
            Op::GlobalPool(op) => op,
            Op::AdaptiveAvgPool(op) => op,
            Op::Activation(op) => op,
            Op::Prelu(op) => op,
            Op::Softmax(op) => op,
            Op::BatchNorm(op) => op,
            Op::Lrn(op) => op,
            Op::Combine(op) => op,
            Op::Matmul(op) => op,
            Op::Concat(op) => op,
            Op::Flatten(op) => op,
            Op::Reshape(op) => op,
            Op::Pad(op) => op,
            Op::Upsample(op) => op,
            Op::Resize(op) => op,
            Op::ReduceMean(op) => op,
            Op::Slice(op) => op,
            Op::Transpose(op) => op,
            Op::DepthToSpace(op) => op,
            Op::SpaceToDepth(op) => op,
            Op::ChannelShuffle(op) => op,
            Op::Constant(op) => op,
            Op::Dropout(op) => op,
            Op::Identity(op) => op,
        }
    }

    /// The word for it in a declaration: "conv", "max_pool", "leaky_relu" …; "input" for an input.
    pub fn name(&self) -> &'static str {
        self.operator().name()
    }

    /// Its keys that differ from their defaults, in the order of the documentation.
    /// [`Op::read`] of these gives the same operator back.
    pub fn keys(&self) -> Vec<(&'static str, ValueKind)> {
        self.operator().keys()
    }

    /// How many operands it takes.
    pub fn arity(&self) -> Arity {
        self.operator().arity()
    }

    /// The shape of its result.
    ///
    /// # Errors
    /// Everything that is wrong with its keys for these operands, or with the operands.
    pub fn shape(&self, operands: &[Shape]) -> Result<Shape, Vec<Fault>> {
        self.arity().check(self.name(), operands.len())?;
        if let Some(large) = operands.iter().find(|shape| shape.checked().is_none()) {
            return Err(Fault::new(
                "from",
                format!("`{}` cannot take an operand of shape {large}", self.name()),
            )
            .into());
        }
        self.operator().shape(operands)
    }

    /// The arithmetic behind the result's shape: `⌊(32 + 2·0 − 5)/1⌋ + 1 = 28`; empty when there is nothing to say.
    pub fn formula(&self, operands: &[Shape]) -> String {
        self.operator().formula(operands)
    }

    /// The weights it needs, under the prefix of its layer; a folded batch norm's under its own.
    /// Empty if the operands are too few, too many or too large.
    pub fn weights(&self, prefix: &str, operands: &[Shape]) -> Vec<WeightDecl> {
        if self.arity().accepts(operands.len()) && operands.iter().all(|shape| shape.checked().is_some()) {
            self.operator().weights(prefix, operands)
        } else {
            Vec::new()
        }
    }

    /// The activation fused into it, if it carries one.
    pub fn activation(&self) -> Option<Activation> {
        match self {
            Op::Conv(op) => op.activation,
            Op::ConvTranspose(op) => op.activation,
            Op::Dense(op) => op.activation,
            Op::BatchNorm(op) => op.activation,
            Op::Combine(op) => op.activation,
            Op::Input(_)
            | Op::Pool(_)
            | Op::GlobalPool(_)
            | Op::AdaptiveAvgPool(_)
            | Op::Activation(_)
            | Op::Prelu(_)
            | Op::Softmax(_)
            | Op::Lrn(_)
            | Op::Matmul(_)
            | Op::Concat(_)
            | Op::Flatten(_)
            | Op::Reshape(_)
            | Op::Pad(_)
            | Op::Upsample(_)
            | Op::Resize(_)
            | Op::ReduceMean(_)
            | Op::Slice(_)
            | Op::Transpose(_)
            | Op::DepthToSpace(_)
            | Op::SpaceToDepth(_)
            | Op::ChannelShuffle(_)
            | Op::Constant(_)
            | Op::Dropout(_)
            | Op::Identity(_) => None,
        }
    }

    /// Sets the activation fused into it. False, and nothing changes, if this operator carries none.
    pub fn set_activation(&mut self, activation: Option<Activation>) -> bool {
        match self.activation_slot() {
            Some(slot) => {
                *slot = activation;
                true
            }
            None => false,
        }
    }

    fn activation_slot(&mut self) -> Option<&mut Option<Activation>> {
        match self {
            Op::Conv(op) => Some(&mut op.activation),
            Op::ConvTranspose(op) => Some(&mut op.activation),
            Op::Dense(op) => Some(&mut op.activation),
            Op::BatchNorm(op) => Some(&mut op.activation),
            Op::Combine(op) => Some(&mut op.activation),
            Op::Input(_)
            | Op::Pool(_)
            | Op::GlobalPool(_)
            | Op::AdaptiveAvgPool(_)
            | Op::Activation(_)
            | Op::Prelu(_)
            | Op::Softmax(_)
            | Op::Lrn(_)
            | Op::Matmul(_)
            | Op::Concat(_)
            | Op::Flatten(_)
            | Op::Reshape(_)
            | Op::Pad(_)
            | Op::Upsample(_)
            | Op::Resize(_)
            | Op::ReduceMean(_)
            | Op::Slice(_)
            | Op::Transpose(_)
            | Op::DepthToSpace(_)
            | Op::SpaceToDepth(_)
            | Op::ChannelShuffle(_)
            | Op::Constant(_)
            | Op::Dropout(_)
            | Op::Identity(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::testing::op;
    use super::*;
    use crate::shape::MAX_DIMENSION;

    proptest! {
        /// Whatever the operands, nothing panics, and a shape that passes is one that can be computed with.
        #[test]
        fn absurd_operands_are_refused_or_computed(
            op in op(),
            dims in proptest::collection::vec(
                prop_oneof![1..20usize, Just(0), Just(MAX_DIMENSION), Just(usize::MAX)],
                1..9,
            ),
        ) {
            let operands: Vec<_> = dims
                .chunks(3)
                .map(|dims| Shape::from_dims(dims).unwrap_or(Shape::Flat(dims[0])))
                .collect();
            if let Ok(shape) = op.shape(&operands) {
                prop_assert_eq!(shape.checked(), Some(shape));
            }
            let _ = (op.formula(&operands), op.cost(&operands), op.weights("w", &operands));
        }

        #[test]
        fn the_activation_that_was_set_is_the_activation(mut op in op(), activation in testing::activation()) {
            let carries = op.set_activation(Some(activation));
            prop_assert_eq!(op.activation(), carries.then_some(activation));
            op.set_activation(None);
            prop_assert_eq!(op.activation(), None);
        }
    }

    #[test]
    fn the_number_of_operands_is_checked_before_the_shapes() {
        let fault = testing::fault(&Op::Flatten(Flatten), &[Shape::Flat(1), Shape::Flat(2)]);
        assert_eq!(
            (fault.key, fault.message.as_str()),
            (Some("from"), "`flatten` takes 1 operand, but has 2")
        );
    }
}
