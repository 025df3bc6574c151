//! The plan: everything that is decided about running a network, as data.
//!
//! [`build`] turns a validated graph into steps over buffers. Afterwards nothing looks at the graph any more: back
//! ends carry out the plan and cannot disagree about it.
//!
//! - Maps inside the network are [blocked](Layout::Blocked) by eight channels, so that a vector is eight channels of
//!   one pixel; vectors, inputs and outputs are planar.
//! - Convolutions and dense layers are [sweeps](Sweep) of a register tile over pixels and panels of filters;
//!   depthwise ones too, with a tile that multiplies lane by lane.
//! - A concatenation's operands are written into its buffer at once where they begin at a whole block.
//! - Weights are [recipes](Recipe), carried out when they are loaded.
//!
//! | module | what it owns |
//! |---|---|
//! | `layout` | where the elements of a buffer are |
//! | `build` | graph → steps, one step after the other |
//! | `options` | what a plan is made for, and why there may be none |
//! | `values` | the buffers and views of values, copies between layouts |
//! | `gather` | elements taken by their places |
//! | `homes` | which values share a buffer: concatenations, halos |
//! | `algorithm` | which algorithm a convolution gets, and why |
//! | `measured` | which convolutions have a choice, and what measuring gave |
//! | `tiled` | the steps of convolutions and dense layers |
//! | `convolution`, `dense` | convolutions and dense layers as sweeps |
//! | `transposed` | transposed convolutions as ordinary ones |
//! | `winograd` | convolutions on transformed tiles |
//! | `sweep`, `tiling`, `walk` | tiles over pixels, panels and chunks of channels |
//! | `prefetch` | weights that tiles bring nearer for the tiles after them |
//! | `memory` | offsets in the arena from lifetimes |
//! | `traffic` | the bytes that a step moves |
//! | `verify` | checks a plan without trusting the planner |
//! | `print` | the plan as text and JSON |

mod algorithm;
mod build;
mod convolution;
mod dense;
mod gather;
mod homes;
mod isa;
pub mod layout;
mod measured;
mod memory;
mod options;
mod prefetch;
mod print;
mod sweep;
mod tiled;
mod tiling;
mod traffic;
mod transposed;
mod values;
mod verify;
mod walk;
mod winograd;
mod work;

pub use algorithm::Algorithm;
pub use build::build;
use cnn_ir::shape::Shape;
use cnn_runtime::memory::AlignedBuffer;
pub use cnn_runtime::pack::Recipe;
use cnn_runtime::pack::{PackError, pack_constants};
use cnn_runtime::threads::ThreadPool;
use cnn_runtime::weights::WeightSource;
pub use gather::{Gather, Lanes, Source};
pub use isa::TileIsa;
pub use layout::{Layout, Strides};
pub use measured::{Choice, Measurements, Signature, Times, choices};
pub use memory::{Peak, peak};
pub use options::{Accuracy, PlanError, PlanOptions};
pub use print::{to_json, to_text};
pub use sweep::{Axis, Move, Nest, Region, Segment, Sweep};
pub use verify::{PlanFault, verify};
pub use winograd::WinogradWork;
pub use work::{Access, Combination, Copy, Elementwise, Interpolate, PoolWindow, Work};

/// A network, ready to be carried out.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The network's name.
    pub name: String,
    /// Images of one run.
    pub batch: usize,
    /// Threads that will share a run; results do not depend on it.
    pub threads: usize,
    /// The instruction set that tiles are cut for.
    pub isa: TileIsa,
    /// All buffers.
    pub buffers: Vec<Buffer>,
    /// All constants.
    pub constants: Vec<Constant>,
    /// What is done, in this order.
    pub steps: Vec<Step>,
    /// The network's inputs in order.
    pub inputs: Vec<Port>,
    /// The network's outputs in order.
    pub outputs: Vec<Port>,
    /// Bytes of the arena that holds all internal buffers.
    pub arena_bytes: usize,
    /// What no arena could be smaller than: the most bytes alive at one step.
    pub lower_bound_bytes: usize,
    /// Bytes of all constants.
    pub constant_bytes: usize,
}

/// Names a buffer of one plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct BufferId(pub usize);

/// Names a constant of one plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ConstantId(pub usize);

/// Memory for one value, for all images of the batch.
#[derive(Clone, Debug, PartialEq)]
pub struct Buffer {
    /// The layer whose result it holds.
    pub name: String,
    /// One image's shape.
    pub shape: Shape,
    /// How it is laid out.
    pub layout: Layout,
    /// Distances of its elements.
    pub strides: Strides,
    /// Bytes, all images.
    pub bytes: usize,
    /// Where it is.
    pub place: Place,
}

/// Where a buffer is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// The user's array for that input.
    Input(usize),
    /// The user's array for that output.
    Output(usize),
    /// So many bytes into the arena.
    Arena(usize),
}

/// A range of a buffer's channels: what a step reads or writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct View {
    /// The buffer.
    pub buffer: BufferId,
    /// The first channel; at a whole block where the buffer is blocked.
    pub channel: usize,
    /// Shape of the part.
    pub shape: Shape,
}

/// A constant and how it is made.
#[derive(Clone, Debug, PartialEq)]
pub struct Constant {
    /// How it is made.
    pub recipe: Recipe,
    /// So many bytes into the block of all constants.
    pub offset: usize,
}

/// One thing that is done.
#[derive(Clone, Debug)]
pub struct Step {
    /// The layer it belongs to.
    pub layer: String,
    /// That layer's operator.
    pub op: &'static str,
    /// The kernel, by a short name.
    pub kernel: String,
    /// Why this kernel.
    pub why: String,
    /// Multiplications of the layer, for one image; 0 where a layer's work is in another step.
    pub multiplications: u64,
    /// Bytes of its weights, operands and result, for all images: what it moves if no cache holds anything.
    pub bytes: u64,
    /// What is done.
    pub work: Work,
}

/// An input or output for the user.
#[derive(Clone, Debug, PartialEq)]
pub struct Port {
    /// Its name.
    pub name: String,
    /// One image's shape.
    pub shape: Shape,
    /// Whether arrays are `[N, H, W, C]`.
    pub hwc: bool,
    /// Its buffer.
    pub buffer: BufferId,
}

impl Port {
    /// Dimensions of the user's arrays, without the batch.
    pub fn dims(&self) -> Vec<usize> {
        let mut dims = self.shape.dims();
        if self.hwc {
            dims.rotate_left(1);
        }
        dims
    }
}

impl View {
    /// The channel behind its last; saturates, so that no view wraps around.
    pub(crate) fn end(self) -> usize {
        self.channel.saturating_add(self.shape.channels())
    }
}

impl Plan {
    /// Byte offset of element (image 0, first channel, row 0, column 0) of a view within its buffer.
    pub fn origin(&self, view: View) -> i64 {
        let strides = &self.buffers[view.buffer.0].strides;
        ((strides.origin + strides.channel(view.channel)) * size_of::<f32>()) as i64
    }

    /// Strides of a view's buffer.
    pub fn strides(&self, view: View) -> &Strides {
        &self.buffers[view.buffer.0].strides
    }

    /// Bytes that each thread needs for itself, enough for any step.
    pub fn scratch_bytes(&self) -> usize {
        self.steps
            .iter()
            .map(|step| step.work.scratch_bytes())
            .max()
            .unwrap_or(0)
    }

    /// Bytes of the memory that one thread's run takes: the arena, and behind it what kernels need for themselves.
    pub fn run_bytes(&self) -> usize {
        self.arena_bytes.next_multiple_of(memory::ALIGNMENT) + self.scratch_bytes()
    }

    /// All constants in one block: carries out their recipes.
    ///
    /// # Errors
    /// [`PackError`]
    pub fn pack(&self, weights: &dyn WeightSource, pool: &ThreadPool) -> Result<AlignedBuffer, PackError> {
        let recipes = self.constants.iter();
        let recipes = recipes.map(|constant| (constant.offset, &constant.recipe));
        pack_constants(recipes, self.constant_bytes, weights, pool)
    }

    /// The names of all tensors its constants need.
    pub fn tensors(&self) -> Vec<String> {
        self.constants
            .iter()
            .flat_map(|constant| constant.recipe.tensors())
            .collect()
    }
}
