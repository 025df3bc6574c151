//! A convolution on transformed tiles: what is done, and how it is divided into tasks.

use cnn_ir::op::{Activation, Sides};
use cnn_runtime::kernels::winograd::Winograd;

use super::layout::BLOCK;
use super::nest::Nest;
use super::{ConstantId, View};

/// A convolution by Winograd's algorithm. A task is a block of tiles of one image, or all tiles of several, and a part
/// of the filters.
#[derive(Clone, Debug)]
#[cfg_attr(feature = "jit", derive(serde::Serialize, serde::Deserialize))]
pub struct WinogradWork {
    /// Which tiles.
    pub variant: Winograd,
    /// What is convolved.
    pub input: View,
    /// The result.
    pub output: View,
    /// What is added before the activation.
    pub residual: Option<View>,
    /// Bias of all filters, then the transformed filters `[part][ξ][panel][channel][8 · vectors]`.
    pub weights: ConstantId,
    /// Padding, which is not stored.
    pub sides: Sides,
    /// The activation.
    pub activation: Option<Activation>,
    /// Tiles in a row, and rows of tiles.
    pub tiles: [usize; 2],
    /// Images of one task: one, or a divisor of the batch.
    pub images: usize,
    /// Tiles of one task; of one image, the last task may have fewer.
    pub block: usize,
    /// Parts of the filters.
    pub parts: usize,
    /// Blocks of eight channels of the input, and of a part's filters.
    pub blocks: [usize; 2],
    /// Floats from one of the a² positions to the next, in the transformed input and in the products.
    pub planes: [usize; 2],
    /// Floats of one part's transformed filters.
    pub part_floats: usize,
    /// The products for a full task, and for the last if it has fewer tiles.
    pub products: Vec<(usize, Nest)>,
}

impl WinogradWork {
    /// Tiles of one image.
    pub fn all_tiles(&self) -> usize {
        self.tiles[0] * self.tiles[1]
    }

    /// Blocks of tiles of one image, or of the images of a task.
    pub fn blocks(&self) -> usize {
        self.all_tiles().div_ceil(self.block)
    }

    /// Tasks: independent parts of a batch.
    pub fn tasks(&self, batch: usize) -> usize {
        batch / self.images * self.blocks() * self.parts
    }

    /// Bytes that one task needs for itself: transformed tiles and products.
    pub fn scratch_bytes(&self) -> usize {
        self.variant.products() * (self.planes[0] + self.planes[1]) * size_of::<f32>()
    }

    /// Floats of bias in front of the transformed filters.
    pub fn bias_floats(&self) -> usize {
        self.parts * self.blocks[1] * BLOCK
    }
}
