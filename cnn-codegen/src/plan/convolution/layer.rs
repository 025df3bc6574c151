//! A layer for tile kernels, and the kernel that it gets.

use cnn_ir::op::{Activation, FoldedNorm};
use cnn_ir::shape::Shape;
use cnn_runtime::pack::{FilterSource, Norm};

use crate::plan::data::layout::{BLOCK, Strides, room};
use crate::plan::data::{BufferId, View, Work};
use crate::plan::options::PlanOptions;

/// A layer whose work tile kernels do, and its operands where they are.
#[derive(Clone, Copy)]
pub(crate) struct Layer<'a> {
    pub(crate) options: &'a PlanOptions,
    /// Whether the network's weights come from memory for each image.
    pub(crate) streams: bool,
    /// What the names of its weights begin with.
    pub(crate) weights: &'a str,
    /// Multiplications for one image.
    pub(crate) multiplications: u64,
    pub(crate) activation: Option<Activation>,
    pub(crate) input: StridedView,
    pub(crate) output: StridedView,
    /// What is added before the activation.
    pub(crate) residual: Option<StridedView>,
}

/// What a step does, made whole: with its constant, its reasons and its cost.
pub(crate) struct Kernel {
    /// A short name.
    pub(crate) name: String,
    /// Why this kernel.
    pub(crate) why: String,
    pub(crate) work: Work,
    /// Multiplications for one image.
    pub(crate) multiplications: u64,
    /// Elements of operands and result that it reads and writes for one image.
    pub(crate) moved: u64,
    /// An activation that is left to do.
    pub(crate) rest: Option<Activation>,
}

/// A view with the strides, in floats, at which its elements are.
#[derive(Clone, Copy, Debug)]
pub(crate) struct StridedView {
    pub(crate) view: View,
    pub(crate) strides: Strides,
    /// Shape of its buffer.
    pub(crate) whole: Shape,
}

impl StridedView {
    pub(crate) fn buffer(&self) -> BufferId {
        self.view.buffer
    }

    /// Blocks of channels from its first to the end of its buffer, if it reaches that far; else its own.
    pub(crate) fn room(&self) -> usize {
        let channels = self.view.shape.channels();
        if self.view.channel + channels == self.whole.channels() {
            room(self.whole.channels().div_ceil(BLOCK)) - self.view.channel / BLOCK
        } else {
            channels.div_ceil(BLOCK)
        }
    }

    /// Byte offset of its first element.
    pub(crate) fn origin(&self) -> i64 {
        bytes(self.strides.origin + self.strides.channel(self.view.channel))
    }
}

impl Layer<'_> {
    /// Its filters: weight, bias and folded norm by name.
    pub(crate) fn filters(&self, shape: Vec<usize>, bias: bool, norm: &Option<FoldedNorm>) -> FilterSource {
        FilterSource {
            weight: format!("{}.weight", self.weights),
            shape,
            bias: bias.then(|| format!("{}.bias", self.weights)),
            norm: norm.as_ref().map(|norm| Norm {
                prefix: norm.weights.clone(),
                epsilon: norm.epsilon,
            }),
            transposed: None,
        }
    }

    /// Elements of operands and result, of one image.
    pub(crate) fn moved(&self) -> u64 {
        let elements = |view: &StridedView| view.view.shape.elements() as u64;
        elements(&self.input) + self.residual.as_ref().map_or(0, elements) + elements(&self.output)
    }

    /// Blocks of channels that panels may write, and read of the residual.
    pub(crate) fn room(&self) -> usize {
        let residual = self.residual.as_ref().map_or(usize::MAX, StridedView::room);
        residual.min(self.output.room())
    }
}

/// Bytes of so many floats. Buffers have at most `isize::MAX` bytes, so offsets within one fit.
pub(crate) fn bytes(floats: usize) -> i64 {
    (floats * size_of::<f32>()) as i64
}
