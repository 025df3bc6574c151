//! What a sweep is made from: operands, the order of its k-steps, and how its tiles are cut.

use cnn_ir::op::Activation;
use cnn_ir::shape::Shape;

use super::layout::{BLOCK, Strides, room};
use super::sweep::{Axis, Move, Nest, Sweep};
use super::walk::{Map, TilePixels, place_of};
use super::{BufferId, ConstantId, View};
use crate::tile::{Init, Loop, Pixel, Product, TileSpec};

/// Unrolled k-steps that a tile should have: enough to hide the loop, few enough for the instruction cache.
const UNROLL: usize = 40;
/// The same for channels, whose loop is the outermost.
const UNROLL_CHANNELS: usize = 12;

/// An operand of a sweep: a view with its buffer's strides, in floats.
#[derive(Clone, Copy, Debug)]
pub(super) struct Operand {
    pub(super) view: View,
    pub(super) strides: Strides,
    /// Shape of its buffer.
    pub(super) whole: Shape,
}

impl Operand {
    fn buffer(&self) -> BufferId {
        self.view.buffer
    }

    /// Blocks of channels from its first to the end of its buffer, if it reaches that far; else its own.
    fn room(&self) -> usize {
        let channels = self.view.shape.channels();
        if self.view.channel + channels == self.whole.channels() {
            room(self.whole.channels().div_ceil(BLOCK)) - self.view.channel / BLOCK
        } else {
            channels.div_ceil(BLOCK)
        }
    }

    /// Byte offset of its first element.
    fn origin(&self) -> i64 {
        bytes(self.strides.origin + self.strides.channel(self.view.channel))
    }
}

pub(super) fn bytes(floats: usize) -> i64 {
    (floats * size_of::<f32>()) as i64
}

/// An offset inside a tile; one that does not fit is refused when the specification is validated.
fn offset(bytes: i64) -> i32 {
    i32::try_from(bytes).unwrap_or(i32::MAX)
}

/// The loops and taps of one pass over `channels` channels of the input.
pub(super) struct Reduction {
    pub(super) loops: Vec<Loop>,
    pub(super) taps: Vec<i32>,
}

impl Reduction {
    /// `axes` are (count, step in bytes), outermost first: the innermost ones are unrolled as far as they should be.
    pub(super) fn new(axes: &[(usize, i64)]) -> Reduction {
        let mut taps = vec![0i64];
        let mut loops = Vec::new();
        for (position, &(count, step)) in axes.iter().enumerate().rev() {
            // Once a loop is left, everything around it is a loop too.
            let most = match (loops.is_empty(), position) {
                (false, _) => 1,
                // Channels: the lowering unrolls a short body itself, and long code is slow.
                (true, 0) => UNROLL_CHANNELS / taps.len(),
                (true, _) => UNROLL / taps.len(),
            };
            let unrolled = (1..=most.clamp(1, count))
                .rev()
                .find(|factor| count % factor == 0)
                .unwrap_or(1);
            taps = (0..unrolled as i64)
                .flat_map(|i| taps.iter().map(move |tap| i * step + tap))
                .collect();
            if unrolled < count {
                loops.insert(
                    0,
                    Loop {
                        count: (count / unrolled) as u32,
                        input_step: step * unrolled as i64,
                    },
                );
            }
        }
        Reduction {
            loops,
            taps: taps.into_iter().map(offset).collect(),
        }
    }
}

/// Output and residual of a sweep, and what is done with the sums.
pub(super) struct Target<'a> {
    pub(super) output: Operand,
    pub(super) residual: Option<&'a Operand>,
    pub(super) activation: Option<Activation>,
}

/// What the tiles are, and where they go.
pub(super) struct Tiling {
    /// The output's pixels.
    pub(super) map: Map,
    /// The most pixels of a tile.
    pub(super) most: usize,
    /// Pixels of one item.
    pub(super) block_pixels: usize,
    pub(super) images: usize,
    pub(super) panels: Axis,
    /// Where each panel's input begins, unless `panels` says it.
    pub(super) panel_inputs: Vec<i64>,
    pub(super) product: Product,
    pub(super) vectors: usize,
    /// One reduction a pass.
    pub(super) passes: Vec<(Move, Reduction)>,
}

impl Target<'_> {
    /// Blocks of channels that panels may write, and read of the residual.
    pub(super) fn room(&self) -> usize {
        self.residual.map_or(usize::MAX, Operand::room).min(self.output.room())
    }

    fn vector_offsets(strides: &Strides, vectors: usize) -> Vec<i32> {
        (0..vectors)
            .map(|vector| offset(bytes(vector * strides.block)))
            .collect()
    }

    /// Builds the sweep over `map` for each panel.
    pub(super) fn sweep(&self, input: &Operand, tiling: Tiling) -> Sweep {
        let output_vectors = Self::vector_offsets(&self.output.strides, tiling.vectors);
        let residual_vectors = self
            .residual
            .map(|r| Self::vector_offsets(&r.strides, tiling.vectors))
            .unwrap_or_default();
        let (mut regions, shapes) = tiling.map.cover(tiling.most, &output_vectors, tiling.block_pixels);
        let (tile_activation, finish) = Activation::split(self.activation);
        let last = tiling.passes.len() - 1;
        let mut specs = Vec::with_capacity(shapes.len() * tiling.passes.len());
        let mut spec = |shape: &TilePixels, pass: usize| {
            let reduction = &tiling.passes[pass].1;
            let residual = pass == last && self.residual.is_some();
            let spec = TileSpec {
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
            input: bytes(input.strides.image),
            weights: 0,
            output: bytes(self.output.strides.image),
            residual: self.residual.map_or(0, |r| bytes(r.strides.image)),
            ahead: 0,
        };
        Sweep {
            input: input.buffer(),
            output: self.output.buffer(),
            residual: self.residual.map(Operand::buffer),
            weights: ConstantId(usize::MAX),
            start: Move {
                input: input.origin(),
                weights: 0,
                output: self.output.origin(),
                residual: self.residual.map_or(0, Operand::origin),
                ahead: 0,
            },
            nest: Nest {
                specs,
                images: Axis {
                    count: tiling.images,
                    step: image,
                },
                panels: tiling.panels,
                panel_inputs: tiling.panel_inputs,
                passes: tiling.passes.iter().map(|(start, _)| *start).collect(),
                regions,
                finish,
            },
        }
    }

    /// How far a panel of so many vectors is from the next.
    pub(super) fn panel(&self, vectors: usize, input: i64, weights: usize) -> Move {
        Move {
            input,
            weights: bytes(weights),
            output: bytes(vectors * self.output.strides.block),
            residual: self.residual.map_or(0, |r| bytes(vectors * r.strides.block)),
            ahead: 0,
        }
    }
}
