//! Sweeps: a register tile moved over images, panels of filters, pixels and k-blocks.

use cnn_ir::op::Activation;

use super::{BufferId, ConstantId};
use crate::tile::TileSpec;

/// A displacement of a tile kernel's pointers, in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "jit", derive(serde::Serialize, serde::Deserialize))]
pub struct Move {
    /// Of the input.
    pub input: i64,
    /// Of the weight stream.
    pub weights: i64,
    /// Of the output.
    pub output: i64,
    /// Of the residual operand.
    pub residual: i64,
    /// Of the weights that are brought nearer: from those that are read, in passes and inside.
    pub ahead: i64,
}

/// A loop around tiles.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "jit", derive(serde::Serialize, serde::Deserialize))]
pub struct Repeat {
    /// Iterations.
    pub count: usize,
    /// From one to the next.
    pub step: Move,
}

/// A convolution, matrix product or depthwise convolution as a loop nest around tile kernels.
///
/// In words, for all tasks in any order and on any thread:
///
/// ```text
/// for image, for block of rows of a region, for panel:          a task
///     for pass over a k-block:
///         for row of the block, for segment, for tile of the segment:
///             kernel(input, weights, output, residual, ahead)
///     finish(rows of the block)                                 an activation too dear for registers
/// ```
#[derive(Clone, Debug)]
#[cfg_attr(feature = "jit", derive(serde::Serialize, serde::Deserialize))]
pub struct Sweep {
    /// What is convolved.
    pub input: BufferId,
    /// The result.
    pub output: BufferId,
    /// What is added before the activation.
    pub residual: Option<BufferId>,
    /// The weight stream of all panels.
    pub weights: ConstantId,
    /// Where the first tile stands.
    pub start: Move,
    /// The loops.
    pub nest: Nest,
}

/// Loops around tile kernels, without what they work on.
#[derive(Clone, Debug)]
#[cfg_attr(feature = "jit", derive(serde::Serialize, serde::Deserialize))]
pub struct Nest {
    /// The kernels.
    pub specs: Vec<TileSpec>,
    /// Images.
    pub images: Repeat,
    /// Panels of filters.
    pub panels: Repeat,
    /// Where each panel's input begins, for grouped convolutions; empty where `panels.step` says it.
    pub panel_inputs: Vec<i64>,
    /// Where each k-block begins.
    pub passes: Vec<Move>,
    /// The pixels.
    pub regions: Vec<Region>,
    /// Applied to a task's outputs when they are complete.
    pub finish: Option<Activation>,
}

/// Rows of one kind. A row here is a group of map rows that tiles may cross.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "jit", derive(serde::Serialize, serde::Deserialize))]
pub struct Region {
    /// Where the first row begins.
    pub start: Move,
    /// How many, and how far apart.
    pub rows: Repeat,
    /// Rows of one task.
    pub block: usize,
    /// The tiles of a row.
    pub segments: Vec<Segment>,
    /// A row's outputs as contiguous runs of floats: byte offset and length.
    pub runs: Vec<(i64, usize)>,
}

/// Tiles of one kind within a row.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "jit", derive(serde::Serialize, serde::Deserialize))]
pub struct Segment {
    /// Where the first begins.
    pub start: Move,
    /// How many, and how far apart.
    pub tiles: Repeat,
    /// The kernel for each pass, as an index into the nest's specs.
    pub specs: Vec<usize>,
}

impl Region {
    /// Tasks of one image and panel.
    pub fn blocks(&self) -> usize {
        self.rows.count.div_ceil(self.block)
    }
}

impl Nest {
    /// Tasks: independent parts.
    pub fn tasks(&self) -> usize {
        let blocks: usize = self.regions.iter().map(Region::blocks).sum();
        self.images.count * self.panels.count * blocks
    }
}
