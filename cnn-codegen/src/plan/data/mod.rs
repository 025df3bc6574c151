//! The plan as data: what every back end reads, and nothing that decides.
//!
//! | module | what it owns |
//! |---|---|
//! | `layout` | where the elements of a buffer are |
//! | `work` | what a step does: one variant a kind of loop nest |
//! | `nest` | tile kernels in a loop nest: sweeps |
//! | `winograd` | a convolution on transformed tiles |
//! | `recurrent` | a recurrent layer's panels and memory |
//! | `gather` | elements taken through index maps |
//! | `integer` | steps on 8-bit integers |
//! | `along` | steps along one axis |
//! | `algorithm` | how a convolution is carried out |
//! | `constants` | weights as recipes, one after the other |
//! | `lifetimes` | when each buffer is in use, and how much at most |
//! | `print` | the plan as text and JSON |
//! | `operator_name` | the names of operators in a plan that is stored |

mod algorithm;
mod along;
mod constants;
mod gather;
mod integer;
pub mod layout;
mod lifetimes;
mod nest;
#[cfg(feature = "jit")]
mod operator_name;
mod print;
mod recurrent;
mod winograd;
mod work;

use std::ops::Deref;

pub use algorithm::Algorithm;
pub use along::{AlongKind, AlongWork};
use cnn_ir::shape::Shape;
use cnn_ir::value::{ElementType, ValueType};
use cnn_runtime::memory::AlignedBuffer;
pub use cnn_runtime::pack::Recipe;
use cnn_runtime::pack::{PackError, pack_constants};
use cnn_runtime::threads::ThreadPool;
use cnn_runtime::weights::WeightSource;
pub(crate) use constants::Constants;
pub use gather::{Gather, GatherSource, Lanes};
pub use integer::{IntegerKind, IntegerWork, Windows};
pub use layout::{Layout, Strides};
pub(crate) use lifetimes::{ALIGNMENT, Lifetime, arena_size, lifetimes, peak_of};
pub use lifetimes::{Peak, peak};
pub use nest::{Move, Nest, Region, Repeat, Segment, Sweep};
pub use print::{to_json, to_text};
pub use recurrent::{RecurrentMemory, RecurrentTiles, RecurrentWork, StepWeights};
pub use winograd::WinogradWork;
pub use work::{Access, Combination, Copy, Elementwise, Interpolate, PoolWindow, Work};

use cnn_types::InstructionSet;

/// A network, ready to be carried out.
///
/// [`build`](super::build) alone makes one, and nobody changes it: code that is generated from a plan trusts it. It reads
/// as its [`PlanData`]; a copy of that can be changed, and [verified](super::verify), but is no plan again. One that was
/// stored comes back as a plan if the verifier passes it.
#[derive(Clone, Debug)]
pub struct Plan(PlanData);

impl Plan {
    /// Only for the planner, for one that was stored and is verified, and for tests that change plans.
    pub(crate) fn new(data: PlanData) -> Plan {
        Plan(data)
    }
}

impl Deref for Plan {
    type Target = PlanData;

    fn deref(&self) -> &PlanData {
        &self.0
    }
}

/// What a plan says.
#[derive(Clone, Debug)]
#[cfg_attr(feature = "jit", derive(serde::Serialize, serde::Deserialize))]
pub struct PlanData {
    /// The network's name.
    pub name: String,
    /// Images of one run.
    pub batch: usize,
    /// Threads that will share a run; results do not depend on it.
    pub threads: usize,
    /// The instruction set that tiles are cut for.
    pub isa: InstructionSet,
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
#[cfg_attr(feature = "jit", derive(serde::Serialize, serde::Deserialize))]
pub struct BufferId(pub usize);

/// Names a constant of one plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[cfg_attr(feature = "jit", derive(serde::Serialize, serde::Deserialize))]
pub struct ConstantId(pub usize);

/// Memory for one value, for all images of the batch.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "jit", derive(serde::Serialize, serde::Deserialize))]
pub struct Buffer {
    /// The layer whose result it holds.
    pub name: String,
    /// What its elements are.
    pub element: ElementType,
    /// One image's shape.
    pub shape: Shape,
    /// How it is laid out.
    pub layout: Layout,
    /// Distances of its elements.
    pub strides: Strides,
    /// Bytes, all images.
    pub bytes: usize,
    /// Where its bytes are.
    pub storage: Storage,
}

impl Buffer {
    /// The type of one image's value.
    pub fn value(&self) -> ValueType {
        ValueType {
            element: self.element,
            shape: self.shape,
        }
    }

    /// Whether its bytes are the user's.
    pub(crate) fn is_external(&self) -> bool {
        match self.storage {
            Storage::Input(_) | Storage::Output(_) => true,
            Storage::Arena(_) => false,
        }
    }
}

/// Where the bytes of a buffer are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "jit", derive(serde::Serialize, serde::Deserialize))]
pub enum Storage {
    /// The user's array for that input.
    Input(usize),
    /// The user's array for that output.
    Output(usize),
    /// So many bytes into the arena.
    Arena(usize),
}

/// A range of a buffer's channels: what a step reads or writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "jit", derive(serde::Serialize, serde::Deserialize))]
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
#[cfg_attr(feature = "jit", derive(serde::Serialize, serde::Deserialize))]
pub struct Constant {
    /// How it is made.
    pub recipe: Recipe,
    /// So many bytes into the block of all constants.
    pub offset: usize,
}

/// An operator's name: by a name of its own, since what is read from bytes borrows nothing from them.
pub type OperatorName = &'static str;

/// One thing that is done.
#[derive(Clone, Debug)]
#[cfg_attr(feature = "jit", derive(serde::Serialize, serde::Deserialize))]
pub struct Step {
    /// The layer it belongs to.
    pub layer: String,
    /// That layer's operator.
    #[cfg_attr(feature = "jit", serde(with = "operator_name"))]
    pub op: OperatorName,
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
#[cfg_attr(feature = "jit", derive(serde::Serialize, serde::Deserialize))]
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
    /// The channel after its last; saturates, so that no view wraps around.
    pub(crate) fn end(self) -> usize {
        self.channel.saturating_add(self.shape.channels())
    }
}

impl PlanData {
    /// Byte offset of element (image 0, first channel, row 0, column 0) of a view within its buffer.
    pub fn origin(&self, view: View) -> i64 {
        let Buffer { strides, element, .. } = &self.buffers[view.buffer.0];
        ((strides.origin + strides.channel(view.channel)) * element.bytes()) as i64
    }

    /// When each buffer of the arena is in use.
    pub(crate) fn lifetimes(&self) -> Vec<Lifetime> {
        let external: Vec<bool> = self.buffers.iter().map(Buffer::is_external).collect();
        lifetimes(&self.steps, &external)
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

    /// Bytes of the memory that one thread's run takes: the arena, and after it what kernels need for themselves.
    pub fn run_bytes(&self) -> usize {
        self.arena_bytes.next_multiple_of(ALIGNMENT) + self.scratch_bytes()
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
