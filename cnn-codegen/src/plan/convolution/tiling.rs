//! Tile kernels and the loop nest around them.

use cnn_ir::op::Activation;

use super::cover::{PixelGrid, TilePixels, place_of};
use super::layer::{Kernel, Layer, StridedView, bytes};
use super::prefetch::prefetch;
use super::reduction::{Reduction, offset};
use crate::plan::data::layout::Strides;
use crate::plan::data::{ConstantId, Constants, Move, Nest, Recipe, Repeat, Sweep, Work};
use crate::tile::{Init, Pixel, Product, SpecError, TileSpec};

/// What the tiles are, and where they go.
pub(crate) struct Tiling {
    /// The output's pixels.
    pub(crate) pixels: PixelGrid,
    /// The most pixels of a tile.
    pub(crate) most: usize,
    /// Pixels of one task.
    pub(crate) block_pixels: usize,
    pub(crate) images: usize,
    pub(crate) panels: Repeat,
    /// Where each panel's input begins, unless `panels` says it.
    pub(crate) panel_inputs: Vec<i64>,
    pub(crate) product: Product,
    pub(crate) vectors: usize,
    /// Where each k-block of channels begins, and its sum: one pass over the pixels each.
    pub(crate) passes: Vec<(Move, Reduction)>,
    /// Whether tiles bring the next panel's weights nearer.
    pub(crate) prefetch: bool,
}

impl Layer<'_> {
    fn vector_offsets(strides: &Strides, vectors: usize) -> Vec<i32> {
        (0..vectors)
            .map(|vector| offset(bytes(vector * strides.block)))
            .collect()
    }

    /// The kernel of a sweep over weights that are made by `recipe`.
    ///
    /// # Errors
    /// [`SpecError`]: a tile's offsets do not fit its instructions.
    pub(crate) fn kernel(
        &self,
        name: String,
        why: String,
        tiling: Tiling,
        recipe: Recipe,
        constants: &mut Constants,
    ) -> Result<Kernel, SpecError> {
        let weights = constants.add(recipe);
        Ok(Kernel {
            name,
            why,
            work: Work::Sweep(Box::new(self.sweep(tiling, weights)?)),
            multiplications: self.multiplications,
            moved: self.moved(),
            rest: None,
        })
    }

    /// The sweep of its tiles over `weights`.
    fn sweep(&self, tiling: Tiling, weights: ConstantId) -> Result<Sweep, SpecError> {
        let output_vectors = Self::vector_offsets(&self.output.strides, tiling.vectors);
        let residual_vectors = self
            .residual
            .as_ref()
            .map(|r| Self::vector_offsets(&r.strides, tiling.vectors))
            .unwrap_or_default();
        let (mut regions, shapes) = tiling.pixels.cover(tiling.most, &output_vectors, tiling.block_pixels);
        let (tile_activation, finish) = Activation::split(self.activation);
        let last = tiling.passes.len() - 1;
        let mut specs = Vec::with_capacity(shapes.len() * tiling.passes.len());
        let mut spec = |shape: &TilePixels, pass: usize| {
            let reduction = &tiling.passes[pass].1;
            let residual = pass == last && self.residual.is_some();
            let spec = TileSpec {
                isa: self.options.isa,
                product: tiling.product,
                vectors: tiling.vectors,
                pixels: shape
                    .iter()
                    .map(|pixel| Pixel {
                        residual: if residual { pixel.residual } else { 0 },
                        ..*pixel
                    })
                    .collect(),
                output_vectors: output_vectors.clone(),
                residual_vectors: if residual { residual_vectors.clone() } else { Vec::new() },
                loops: reduction.loops.clone(),
                taps: reduction.taps.clone(),
                init: if pass == 0 { Init::Bias } else { Init::Output },
                residual,
                activation: if pass == last { tile_activation } else { None },
                prefetch: 0,
            };
            place_of(spec, &mut specs)
        };
        for segment in regions.iter_mut().flat_map(|region| &mut region.segments) {
            let shape = &shapes[segment.specs[0]];
            segment.specs = (0..tiling.passes.len()).map(|pass| spec(shape, pass)).collect();
        }
        let image = Move {
            input: bytes(self.input.strides.image),
            weights: 0,
            output: bytes(self.output.strides.image),
            residual: self.residual.as_ref().map_or(0, |r| bytes(r.strides.image)),
            ahead: 0,
        };
        let mut sweep = Sweep {
            input: self.input.buffer(),
            output: self.output.buffer(),
            residual: self.residual.as_ref().map(StridedView::buffer),
            weights,
            start: Move {
                input: self.input.origin(),
                weights: 0,
                output: self.output.origin(),
                residual: self.residual.as_ref().map_or(0, StridedView::origin),
                ahead: 0,
            },
            nest: Nest {
                specs,
                images: Repeat {
                    count: tiling.images,
                    step: image,
                },
                panels: tiling.panels,
                panel_inputs: tiling.panel_inputs,
                passes: tiling.passes.iter().map(|(start, _)| *start).collect(),
                regions,
                finish,
            },
        };
        if tiling.prefetch {
            prefetch(&mut sweep.nest, self.options.threads, self.options);
        }
        sweep.nest.specs.iter().try_for_each(TileSpec::validate)?;
        Ok(sweep)
    }

    /// How far a panel of so many vectors is from the next.
    pub(crate) fn panel(&self, vectors: usize, input: i64, weights: usize) -> Move {
        Move {
            input,
            weights: bytes(weights),
            output: bytes(vectors * self.output.strides.block),
            residual: self.residual.as_ref().map_or(0, |r| bytes(vectors * r.strides.block)),
            ahead: 0,
        }
    }
}
