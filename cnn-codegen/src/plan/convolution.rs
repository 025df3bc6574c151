//! Convolutions and dense layers as sweeps: which tile, in which order, over which weights.

use cnn_ir::op::{Activation, Conv, Dense, FoldedNorm, Sides};
use cnn_runtime::pack::{ChannelOrder, FilterSource, Norm, Panels, Recipe};

use super::isa::TileIsa;
use super::layout::{BLOCK, Strides, extent, room};
use super::sweep::{Axis, Move, Nest, Sweep};
use super::walk::{Map, Pitch, Shape};
use super::{BufferId, ConstantId, View};
use crate::tile::{Init, Loop, Pixel, Product, TileActivation, TileSpec};

/// Bytes of weights that one pass over the pixels uses: they should stay in the first-level cache.
const PASS_BYTES: usize = 48 << 10;
/// Unrolled k-steps that a tile should have: enough to hide the loop, few enough for the instruction cache.
const UNROLL: usize = 40;
/// The same for channels, whose loop is the outermost.
const UNROLL_CHANNELS: usize = 12;
/// Bytes of input that one item should touch, so that they stay in the second-level cache for all panels.
const BLOCK_BYTES: usize = 160 << 10;

/// An operand of a sweep: a view with its buffer's strides, in floats.
#[derive(Clone, Copy, Debug)]
pub(super) struct Operand {
    pub(super) view: View,
    pub(super) strides: Strides,
    /// Shape of its buffer.
    pub(super) whole: cnn_ir::shape::Shape,
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

/// A sweep whose weights still need to be made into a constant of the plan.
pub(super) struct Planned {
    pub(super) sweep: Sweep,
    pub(super) recipe: Recipe,
    pub(super) kernel: String,
    pub(super) why: String,
}

pub(super) fn bytes(floats: usize) -> i64 {
    (floats * size_of::<f32>()) as i64
}

/// An offset inside a tile; one that does not fit is refused when the specification is validated.
fn offset(bytes: i64) -> i32 {
    i32::try_from(bytes).unwrap_or(i32::MAX)
}

/// The activation inside the tile, or behind it.
fn split(activation: Option<Activation>) -> (Option<TileActivation>, Option<Activation>) {
    let Some(function) = activation else {
        return (None, None);
    };
    let tile = match function {
        Activation::Relu => TileActivation::Relu,
        Activation::Relu6 => TileActivation::clip(0.0, 6.0),
        Activation::Clip { min, max } => TileActivation::clip(min, max),
        Activation::LeakyRelu { alpha } => TileActivation::leaky_relu(alpha),
        Activation::HardSigmoid => TileActivation::HardSigmoid,
        Activation::HardSwish => TileActivation::HardSwish,
        Activation::Tanh
        | Activation::Sigmoid
        | Activation::Silu
        | Activation::Gelu
        | Activation::Softplus
        | Activation::Elu { .. } => return (None, activation),
    };
    (Some(tile), None)
}

fn filters(weights: &str, shape: Vec<usize>, bias: bool, norm: &Option<FoldedNorm>) -> FilterSource {
    FilterSource {
        weight: format!("{weights}.weight"),
        shape,
        bias: bias.then(|| format!("{weights}.bias")),
        norm: norm.as_ref().map(|norm| Norm {
            prefix: norm.weights.clone(),
            epsilon: norm.epsilon,
        }),
    }
}

/// A convolution's filters.
pub(super) fn filter_source(conv: &Conv, weights: &str, channels: usize) -> FilterSource {
    filters(weights, conv.weight_dims(channels).to_vec(), conv.bias, &conv.norm)
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

/// Everything about the tiles except the pixels.
struct Kernel {
    product: Product,
    vectors: usize,
    /// One reduction a pass.
    passes: Vec<(Move, Reduction)>,
}

impl Target<'_> {
    /// Blocks of channels that panels may write, and read of the residual.
    fn room(&self) -> usize {
        self.residual.map_or(usize::MAX, Operand::room).min(self.output.room())
    }

    fn vector_offsets(strides: &Strides, vectors: usize) -> Vec<i32> {
        (0..vectors)
            .map(|vector| offset(bytes(vector * strides.block)))
            .collect()
    }

    /// Builds the sweep over `map` for each panel.
    fn sweep(
        &self,
        input: &Operand,
        map: Map,
        most: usize,
        block_pixels: usize,
        kernel: Kernel,
        images: usize,
        panels: Axis,
        panel_inputs: Vec<i64>,
    ) -> Sweep {
        let output_vectors = Self::vector_offsets(&self.output.strides, kernel.vectors);
        let residual_vectors = self
            .residual
            .map(|r| Self::vector_offsets(&r.strides, kernel.vectors))
            .unwrap_or_default();
        let (mut regions, shapes) = map.cover(most, &output_vectors, block_pixels);
        let (tile_activation, finish) = split(self.activation);
        let last = kernel.passes.len() - 1;
        let mut specs = Vec::with_capacity(shapes.len() * kernel.passes.len());
        let mut spec = |shape: &Shape, pass: usize| {
            let reduction = &kernel.passes[pass].1;
            let residual = pass == last && self.residual.is_some();
            let spec = TileSpec {
                product: kernel.product,
                vectors: kernel.vectors,
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
            };
            specs.iter().position(|known| *known == spec).unwrap_or_else(|| {
                specs.push(spec);
                specs.len() - 1
            })
        };
        for segment in regions.iter_mut().flat_map(|region| &mut region.segments) {
            let shape = &shapes[segment.specs[0]];
            segment.specs = (0..kernel.passes.len()).map(|pass| spec(shape, pass)).collect();
        }
        let image = Move {
            input: bytes(input.strides.image),
            weights: 0,
            output: bytes(self.output.strides.image),
            residual: self.residual.map_or(0, |r| bytes(r.strides.image)),
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
            },
            nest: Nest {
                specs,
                images: Axis {
                    count: images,
                    step: image,
                },
                panels,
                panel_inputs,
                passes: kernel.passes.iter().map(|(start, _)| *start).collect(),
                regions,
                finish,
            },
        }
    }

    /// How far a panel of so many vectors is from the next.
    fn panel(&self, vectors: usize, input: i64, weights: usize) -> Move {
        Move {
            input,
            weights: bytes(weights),
            output: bytes(vectors * self.output.strides.block),
            residual: self.residual.map_or(0, |r| bytes(vectors * r.strides.block)),
        }
    }
}

/// Whether a convolution has one filter for each channel, which sees only that channel.
pub(super) fn is_depthwise(conv: &Conv, channels: usize) -> bool {
    conv.groups == channels && conv.filters == channels && channels > 1
}

/// Plans a convolution. `sides` is its padding, which the input's halo or buffer provides.
pub(super) fn conv(
    isa: TileIsa,
    batch: usize,
    conv: &Conv,
    weights: &str,
    input: &Operand,
    sides: Sides,
    target: &Target<'_>,
) -> Planned {
    let [channels, ..] = extent(input.view.shape);
    let [_, height, width] = extent(target.output.view.shape);
    let source = filter_source(conv, weights, channels);
    let s = &input.strides;
    let pitch = |s: &Strides, y: usize, x: usize| Pitch {
        row: bytes(s.row * y),
        pixel: bytes(s.pixel * x),
    };
    let map = Map {
        height,
        width,
        input: pitch(s, conv.stride.h, conv.stride.w),
        output: pitch(&target.output.strides, 1, 1),
        residual: target.residual.map_or(Pitch::default(), |r| pitch(&r.strides, 1, 1)),
    };
    let rows = (conv.kernel.h, bytes(s.row * conv.dilation.h));
    let columns = (conv.kernel.w, bytes(s.pixel * conv.dilation.w));
    // The first tap stands in the halo.
    let corner = -(bytes(sides.top * s.row) + bytes(sides.left * s.pixel));
    let pixel_bytes = channels * conv.stride.h * conv.stride.w * size_of::<f32>();
    let block_pixels = (BLOCK_BYTES / pixel_bytes.max(1)).max(1);
    let size = format!("{}×{}", conv.kernel.h, conv.kernel.w);

    if is_depthwise(conv, channels) {
        let most = isa.pixels(1);
        let kernel = Kernel {
            product: Product::Lanewise,
            vectors: 1,
            passes: vec![(
                Move {
                    input: corner,
                    ..Move::default()
                },
                Reduction::new(&[rows, columns]),
            )],
        };
        let panel = target.panel(1, bytes(s.block), BLOCK * (1 + source.taps()));
        let panels = Axis {
            count: channels.div_ceil(BLOCK),
            step: panel,
        };
        // One block of channels is all an item reads.
        let block_pixels = block_pixels * channels / BLOCK.min(channels);
        let sweep = target.sweep(input, map, most, block_pixels, kernel, batch, panels, Vec::new());
        return Planned {
            sweep,
            recipe: Recipe::Lanewise { filters: source },
            kernel: format!("depthwise {size}, tile {most}×8"),
            why: "one filter a channel: eight channels lane by lane".into(),
        };
    }

    let planar = !s.is_blocked() || s.pixel != BLOCK;
    let blocks = channels.div_ceil(BLOCK);
    let lanes = channels.min(BLOCK);
    let (vectors, firsts, seen) = panel_shape(isa, conv, channels, target.room());
    // Channels of each pass, whole blocks.
    let unit = if planar { 1 } else { BLOCK };
    let per_channel = source.taps() * vectors * BLOCK * size_of::<f32>();
    let passes = (seen * per_channel).div_ceil(PASS_BYTES).clamp(1, seen.div_ceil(unit));
    let chunk = seen.div_ceil(passes).next_multiple_of(unit);
    let chunks: Vec<usize> = (0..seen).step_by(chunk).map(|first| chunk.min(seen - first)).collect();
    let order = if planar {
        ChannelOrder::Planar
    } else {
        ChannelOrder::Blocked { lanes }
    };
    let panels = Panels {
        vectors,
        groups: conv.groups,
        order,
        first_channels: firsts.clone(),
        chunks: chunks.clone(),
    };
    let streams = panels.chunk_offsets(&source);
    let mut first = 0;
    let passes = chunks
        .iter()
        .zip(streams)
        .map(|(&channels, stream)| {
            let start = Move {
                input: corner + bytes(s.channel(first)),
                weights: bytes(stream),
                ..Move::default()
            };
            first += channels;
            let reduction = if planar {
                Reduction::new(&[(channels, bytes(s.lane)), rows, columns])
            } else {
                let blocks = (channels.div_ceil(BLOCK), bytes(s.block));
                Reduction::new(&[blocks, rows, columns, (lanes, bytes(s.lane))])
            };
            (start, reduction)
        })
        .collect::<Vec<_>>();
    let panel_inputs = if conv.groups == 1 {
        Vec::new()
    } else {
        firsts.iter().map(|&first| bytes(s.channel(first))).collect()
    };
    let axis = Axis {
        count: firsts.len(),
        step: target.panel(vectors, 0, panels.panel_floats(&source)),
    };
    let most = isa.pixels(vectors);
    let why = match (planar, conv.groups) {
        (true, _) => format!("planar input of {channels} channels, read in place"),
        (false, 1) => format!(
            "{} passes of {chunk} channels: their weights stay in the L1 cache",
            passes.len()
        ),
        (false, groups) => format!(
            "{groups} groups: each panel sees {} of {blocks} blocks of channels",
            seen / BLOCK
        ),
    };
    let kernel = Kernel {
        product: Product::Broadcast,
        vectors,
        passes,
    };
    let sweep = target.sweep(input, map, most, block_pixels, kernel, batch, axis, panel_inputs);
    Planned {
        sweep,
        recipe: Recipe::Panels {
            filters: source,
            panels,
        },
        kernel: format!("direct {size}, tile {most}×{}", vectors * BLOCK),
        why,
    }
}

/// Vectors of a panel whose last one still has room in the output, the first channel each panel sees, and how many channels each sees.
fn panel_shape(isa: TileIsa, conv: &Conv, channels: usize, room: usize) -> (usize, Vec<usize>, usize) {
    let blocks = conv.filters.div_ceil(BLOCK);
    let seen = |vectors: usize| -> (Vec<usize>, usize) {
        if conv.groups == 1 {
            return (vec![0; blocks.div_ceil(vectors)], channels);
        }
        let (filters, group) = (conv.filters / conv.groups, channels / conv.groups);
        let ranges: Vec<(usize, usize)> = (0..blocks.div_ceil(vectors))
            .map(|panel| {
                let first = panel * vectors * BLOCK;
                let last = (first + vectors * BLOCK).min(conv.filters) - 1;
                let end = (last / filters + 1) * group;
                (first / filters * group / BLOCK, end.div_ceil(BLOCK))
            })
            .collect();
        let most = ranges.iter().map(|(first, end)| end - first).max().unwrap_or(1);
        let total = channels.div_ceil(BLOCK);
        (
            ranges
                .iter()
                .map(|&(first, _)| first.min(total - most) * BLOCK)
                .collect(),
            most * BLOCK,
        )
    };
    let candidates = isa
        .vectors()
        .iter()
        .filter(|&&vectors| blocks.next_multiple_of(vectors) <= room);
    let work = |vectors: usize| (blocks.next_multiple_of(vectors) * seen(vectors).1) as f64 / isa.share(vectors);
    let best = candidates.fold(
        1,
        |best, &vectors| if work(vectors) < work(best) { vectors } else { best },
    );
    let (firsts, seen) = seen(best);
    (best, firsts, seen)
}

/// Plans a dense layer: a matrix–vector product for one image, a matrix product for more.
pub(super) fn dense(
    isa: TileIsa,
    batch: usize,
    dense: &Dense,
    weights: &str,
    input: &Operand,
    target: &Target<'_>,
) -> Planned {
    let inputs = input.view.shape.elements();
    let source = filters(weights, vec![dense.units, inputs], dense.bias, &dense.norm);
    let blocks = dense.units.div_ceil(BLOCK);
    let vectors = if batch == 1 {
        isa.vectors_of_one_pixel(blocks)
    } else {
        isa.vectors_of_many(blocks)
    };
    let count = blocks.div_ceil(vectors);
    let panels = Panels {
        vectors,
        groups: 1,
        order: ChannelOrder::Planar,
        first_channels: vec![0; count],
        chunks: vec![inputs],
    };
    let map = Map {
        height: 1,
        width: batch,
        input: Pitch {
            row: 0,
            pixel: bytes(input.strides.image),
        },
        output: Pitch {
            row: 0,
            pixel: bytes(target.output.strides.image),
        },
        residual: Pitch::default(),
    };
    let kernel = Kernel {
        product: Product::Broadcast,
        vectors,
        passes: vec![(Move::default(), Reduction::new(&[(inputs, bytes(1))]))],
    };
    let most = if batch == 1 { 1 } else { isa.pixels(vectors) };
    let axis = Axis {
        count,
        step: target.panel(vectors, 0, panels.panel_floats(&source)),
    };
    let sweep = target.sweep(input, map, most, batch, kernel, 1, axis, Vec::new());
    Planned {
        sweep,
        recipe: Recipe::Panels {
            filters: source,
            panels,
        },
        kernel: format!(
            "{}, tile {most}×{}",
            if batch == 1 {
                "matrix–vector"
            } else {
                "matrix product"
            },
            vectors * BLOCK
        ),
        why: "weights are read once, in one stream".into(),
    }
}
