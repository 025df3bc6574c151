//! Operators: one file each, with all that it knows about itself.
//!
//! An operator's file has its struct, whose fields are its attributes, and its `Operator` implementation: names,
//! documentation, attributes with types and defaults, shape rule with its arithmetic, weights, multiplications. From
//! that the reader and the printers, error hints, `docs/operators.md` and random networks follow.
//!
//! There are two kinds. The variants of [`Op`] are the *core*: what planner and interpreter know. All others are
//! [`Composite`]: their file also says how they are expressed in simpler ones (`Composed::expand`), and
//! [`Expand`](crate::passes::Expand) does that before all that rewrites graphs. `registry.rs` lists both kinds by
//! family, in the order of the documentation.
//!
//! | module | what it owns |
//! |---|---|
//! | `operator` | what every operator says |
//! | `attributes` | attributes and their types, shown once for reading, writing and documentation |
//! | `composite` | operators expressed in simpler ones |
//! | `registry` | the list |
//! | `page` | `docs/operators.md` |
//! | `sample` | operators with random attributes |
//! | `read`, `reader`, `values`, `axes`, `padding`, `range`, `words` | between declarations and attributes |
//! | `fault`, `weight`, `window` | what shape rules and weights are made of |
//! | `meaning` | what an answer's numbers are |
//! | `normalise` | what norms are made of |

mod activation;
mod adaptive_avg_pool;
mod arg_extreme;
mod attributes;
mod axes;
mod batch_norm;
mod channel_shuffle;
mod combine;
mod composite;
mod concat;
mod constant;
mod conv;
mod conv_transpose;
mod cumsum;
mod dense;
mod depth_to_space;
mod dropout;
mod expand;
mod fault;
mod flatten;
mod gather;
mod global_pool;
mod group_norm;
mod identity;
mod input;
mod instance_norm;
mod l2_normalize;
mod layer_norm;
mod logic;
mod lrn;
mod matmul;
mod meaning;
mod neg;
mod normalise;
mod operator;
mod pad;
mod padding;
mod page;
mod pool;
mod prelu;
mod quantize;
mod quantized;
mod range;
mod read;
mod reader;
mod recurrent;
mod reduce;
mod reduce_norm;
mod registry;
mod reshape;
mod resize;
mod resize_axis;
mod rms_norm;
mod rsqrt;
mod sample;
mod slice;
mod softmax;
mod space_to_depth;
#[cfg(test)]
mod testing;
mod tile;
mod top_k;
mod transpose;
mod upsample;
mod values;
mod weight;
pub mod window;
mod words;

use crate::shape::Shape;
use crate::value::{ElementType, ValueType};
use operator::Operator;

pub use activation::Activation;
pub use adaptive_avg_pool::AdaptiveAvgPool;
pub use arg_extreme::ArgExtreme;
pub use attributes::{Attribute, Kind};
pub use batch_norm::BatchNorm;
pub use channel_shuffle::ChannelShuffle;
pub use combine::{Combine, CombineKind};
pub use composite::Composite;
pub use concat::Concat;
pub use constant::Constant;
pub use conv::{Conv, FoldedNorm};
pub use conv_transpose::ConvTranspose;
pub use cumsum::CumSum;
pub use dense::Dense;
pub use depth_to_space::{DepthOrder, DepthToSpace};
pub use dropout::Dropout;
pub use expand::Expand;
pub use fault::{Arity, Fault};
pub use flatten::Flatten;
pub use gather::Gather;
pub use global_pool::GlobalPool;
pub use group_norm::GroupNorm;
pub use identity::Identity;
pub use input::{Input, InputLayout};
pub use instance_norm::InstanceNorm;
pub use l2_normalize::L2Normalize;
pub use layer_norm::LayerNorm;
pub use logic::Logic;
pub use lrn::Lrn;
pub use matmul::Matmul;
pub use meaning::Meaning;
pub use neg::Neg;
pub use pad::{Pad, PadMode};
pub use padding::{Padding, Pair, Sides};
pub use page::page;
pub use pool::{Pool, PoolKind};
pub use prelu::Prelu;
pub use quantize::{Dequantize, Quantize};
pub use quantized::{MOST_PRODUCTS, QuantizedAdd, QuantizedConv, QuantizedDense};
pub use read::Dialect;
use read::keys;
pub use recurrent::{Cell, Direction, Recurrent};
pub use reduce::{Reduce, ReduceKind};
pub use reduce_norm::ReduceNorm;
pub use reshape::Reshape;
pub use resize::{Coordinates, Resize, ResizeMode, ResizeTo, Rounding};
pub use resize_axis::{ResizeAxis, Tap};
pub use rms_norm::RmsNorm;
pub use rsqrt::Rsqrt;
pub use sample::sample;
pub use slice::{Places, Slice};
pub use softmax::Softmax;
pub use space_to_depth::SpaceToDepth;
pub use tile::Tile;
pub use top_k::TopK;
pub use transpose::Transpose;
pub use upsample::{Upsample, UpsampleMode};
pub use weight::WeightDecl;
pub use window::Axis;
pub(crate) use words::meant;

/// What a node computes. Operands and result are [`Shape`]s without the batch.
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
    /// An LSTM or GRU over sequences.
    Recurrent(Recurrent),
    /// Joins maps along the channels.
    Concat(Concat),
    /// The same elements under another shape.
    Reshape(Reshape),
    /// A border of a constant value.
    Pad(Pad),
    /// A map of another size by nearest or bilinear interpolation.
    Resize(Resize),
    /// The mean, greatest … of the elements along axes.
    Reduce(Reduce),
    /// The place of the greatest or least element along an axis.
    ArgExtreme(ArgExtreme),
    /// The greatest or least few elements along an axis.
    TopK(TopK),
    /// Running sums along an axis.
    CumSum(CumSum),
    /// Elements at places that another operand says.
    Gather(Gather),
    /// Copies one after another along each axis.
    Tile(Tile),
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
    /// Real numbers as 8-bit integers.
    Quantize(Quantize),
    /// The real numbers that 8-bit integers stand for.
    Dequantize(Dequantize),
    /// A convolution of 8-bit integers.
    QuantizedConv(QuantizedConv),
    /// A fully connected layer of 8-bit integers.
    QuantizedDense(QuantizedDense),
    /// A sum of 8-bit integers.
    QuantizedAdd(QuantizedAdd),
    /// Nothing.
    Identity(Identity),
    /// Any other, expressed in these: [`Expand`](crate::passes::Expand) puts them in its place.
    Composite(Composite),
}

/// Calls `$op`'s variant, whichever it is, a `dyn Operator`.
macro_rules! operator {
    ($op:expr, $composite:ident) => {
        match $op {
            Op::Input(op) => op,
            Op::Conv(op) => op,
            Op::ConvTranspose(op) => op,
            Op::Dense(op) => op,
            Op::Pool(op) => op,
            Op::AdaptiveAvgPool(op) => op,
            Op::Activation(op) => op,
            Op::Prelu(op) => op,
            Op::Softmax(op) => op,
            Op::BatchNorm(op) => op,
            Op::Lrn(op) => op,
            Op::Combine(op) => op,
            Op::Matmul(op) => op,
            Op::Recurrent(op) => op,
            Op::Concat(op) => op,
            Op::Reshape(op) => op,
            Op::Pad(op) => op,
            Op::Resize(op) => op,
            Op::Reduce(op) => op,
            Op::ArgExtreme(op) => op,
            Op::TopK(op) => op,
            Op::CumSum(op) => op,
            Op::Gather(op) => op,
            Op::Tile(op) => op,
            Op::Slice(op) => op,
            Op::Transpose(op) => op,
            Op::DepthToSpace(op) => op,
            Op::SpaceToDepth(op) => op,
            Op::ChannelShuffle(op) => op,
            Op::Constant(op) => op,
            Op::Quantize(op) => op,
            Op::Dequantize(op) => op,
            Op::QuantizedConv(op) => op,
            Op::QuantizedDense(op) => op,
            Op::QuantizedAdd(op) => op,
            Op::Identity(op) => op,
            Op::Composite(op) => op.$composite(),
        }
    };
}

impl Op {
    pub(crate) fn operator(&self) -> &dyn Operator {
        operator!(self, operator)
    }

    fn operator_mut(&mut self) -> &mut dyn Operator {
        operator!(self, operator_mut)
    }

    /// The word for it in a declaration: "conv", "max_pool", "leaky_relu" …; "input" for an input.
    pub fn name(&self) -> &'static str {
        self.operator().name()
    }

    /// The name itself, if it is that of an operator.
    pub fn known_name(name: &str) -> Option<&'static str> {
        let mut names = registry::names().iter().copied().chain(["input"]);
        names.find(|known| *known == name)
    }

    /// What it computes, as the documentation says it.
    pub fn doc(&self) -> &'static str {
        self.operator().doc()
    }

    /// How drawings of the graph fill it: each family has its colour.
    pub(crate) fn colour(&self) -> &'static str {
        registry::colour(self.name())
    }

    /// What the numbers of its result are, as far as the operator tells.
    pub fn meaning(&self) -> Meaning {
        self.operator().meaning()
    }

    /// What the numbers of its result are for operands whose numbers are these.
    pub fn meaning_of(&self, operands: &[Meaning]) -> Meaning {
        match (self, operands) {
            (
                Op::Combine(Combine {
                    kind: CombineKind::Where,
                    activation: None,
                }),
                [_, a, b],
            ) if a == b => *a,
            (_, [first, ..]) if self.operator().moves_elements() => *first,
            _ => self.meaning(),
        }
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

    /// The type of its result: its shape, and what its elements are.
    ///
    /// # Errors
    /// As [`Op::shape`].
    pub fn value_type(&self, operands: &[ValueType]) -> Result<ValueType, Vec<Fault>> {
        let shapes: Vec<Shape> = operands.iter().map(|value| value.shape).collect();
        let elements: Vec<ElementType> = operands.iter().map(|value| value.element).collect();
        // The shape rule first: it also says whether there are as many operands as the other rule takes for granted.
        let shape = self.shape(&shapes)?;
        self.operator().takes().check(self.name(), &elements)?;
        let element = self.operator().element(&elements);
        Ok(ValueType { element, shape })
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
        self.clone().operator_mut().activation_slot().and_then(|slot| *slot)
    }

    /// Sets the activation fused into it. False, and nothing changes, if this operator carries none.
    pub fn set_activation(&mut self, activation: Option<Activation>) -> bool {
        match self.operator_mut().activation_slot() {
            Some(slot) => {
                *slot = activation;
                true
            }
            None => false,
        }
    }

    /// Whether each element of the result depends only on the elements at its own place, so that it can be written
    /// over an operand.
    pub fn is_elementwise(&self) -> bool {
        self.operator().is_elementwise()
    }

    /// Whether the result is the only operand's elements in their order, perhaps under another shape.
    pub fn keeps_elements(&self) -> bool {
        self.operator().keeps_elements()
    }

    pub(crate) fn multiplications(&self, operands: &[Shape], result: Shape) -> Option<(u128, String)> {
        self.operator().multiplications(operands, result)
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
        let fault = testing::fault(&Flatten.into(), &[Shape::Flat(1), Shape::Flat(2)]);
        assert_eq!(
            (fault.key, fault.message.as_str()),
            (Some("from"), "`flatten` takes 1 operand, but has 2")
        );
    }
}
