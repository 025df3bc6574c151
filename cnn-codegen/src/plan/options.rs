//! What a plan is made for, and why there may be none.

use cnn_ir::shape::Shape;
use cnn_runtime::kernels::Isa;
use cnn_runtime::memory::Caches;
use cnn_types::InstructionSet;
use thiserror::Error;

use super::data::Algorithm;

/// What a plan is made for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlanOptions {
    /// Images of one run.
    pub batch: usize,
    /// The instruction set of the tiles.
    pub isa: InstructionSet,
    /// How exact results must be.
    pub accuracy: Accuracy,
    /// Threads that will share a run: how finely work is divided. Results do not depend on it.
    pub threads: usize,
    /// The caches of the machine: how work is divided, in which order sums are formed, and whether weights come from
    /// memory, which decides algorithms and, unless results must be exact, how many of their bits are read.
    pub caches: Caches,
    /// Uses this algorithm for every convolution that it fits; for tests and measurements.
    pub force: Option<Algorithm>,
}

/// Tasks a thread that a step should be made of at least, so that threads have something to share.
const TASKS: usize = 2;

impl PlanOptions {
    /// Tasks that a step should be divided into at least.
    pub(crate) fn wanted_tasks(&self) -> usize {
        match self.threads {
            0 | 1 => 1,
            threads => TASKS.saturating_mul(threads),
        }
    }

    /// Pixels of a task at most, where there are so many pixels and `panels` tasks for each part of them: few panels
    /// leave threads without work unless pixels are divided too.
    pub(crate) fn shared_pixels(&self, pixels: usize, panels: usize) -> usize {
        pixels.div_ceil(self.wanted_tasks().div_ceil(panels.max(1))).max(1)
    }
}

/// How exact results must be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Accuracy {
    /// Whatever is fastest: a whole network stays within 1e-4 of its largest output, for inputs of ordinary range.
    /// Weights that large dense layers cannot hold in 16 bits are refused when they are packed.
    #[default]
    Fast,
    /// The same for any weights: with all of their bits.
    FullWeights,
    /// No algorithm that rounds more than multiplying and adding does, and all bits of the weights.
    Exact,
}

impl Default for PlanOptions {
    fn default() -> Self {
        PlanOptions {
            batch: 1,
            isa: Isa::detect().set(),
            accuracy: Accuracy::default(),
            threads: 1,
            caches: Caches::of_this_machine(),
            force: None,
        }
    }
}

/// Why there is no plan.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum PlanError {
    /// A tensor of that many images has more bytes than an address.
    #[error("layer `{layer}`: {batch} images of {shape} are more than this machine can address")]
    TooLarge {
        /// The layer.
        layer: String,
        /// One image's shape.
        shape: Shape,
        /// Images.
        batch: usize,
    },
    /// A kernel's offsets do not fit its instructions.
    #[error("layer `{layer}`: its map or kernel is too large for a tile kernel: {reason}")]
    Tile {
        /// The layer.
        layer: String,
        /// Which limit.
        reason: crate::tile::SpecError,
    },
    /// A map of so many rows, columns or channels that its index map would be a table of gigabytes.
    #[error("layer `{layer}`: the index map of {shape} is more than compiled code holds")]
    IndexMap {
        /// The layer.
        layer: String,
        /// One image's shape.
        shape: Shape,
    },
    /// A transposed convolution becomes an ordinary one for each remainder of rows and columns by its stride.
    #[error("layer `{layer}`: its strides make {count} convolutions of it, more than compiled code holds")]
    Phases {
        /// The layer.
        layer: String,
        /// How many.
        count: usize,
    },
    /// A batch of no images.
    #[error("a batch needs at least one image")]
    NoImages,
    /// The graph has a cycle, or is otherwise not what validation accepts.
    #[error("the graph is not valid")]
    Invalid,
}
